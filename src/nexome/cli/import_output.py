"""What an import shows: a progress line on a terminal, plain lines elsewhere, a preview, a summary."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import click
import orjson

from nexome.cli.options import print_rows

if TYPE_CHECKING:
    from nexome.ingest.progress import Progress
    from nexome.ingest.requests import ImportOptions, ImportRequest
    from nexome.ingest.run import FileReport, ImportReport
    from nexome.store.associations import AssociationStore

_WIDTH: Final = 24  # of the bar
_PLAIN_EVERY_S: Final = 10.0  # where nobody watches, a line now and then
_STEPS: Final = {"read": "reading", "check": "checking", "write": "writing", "publish": "publishing"}
_RULES_SHOWN: Final = 6


class ProgressLine:
    """Shows progress on stderr: a bar with rate and time left on a terminal, else a line every 10 s."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._last = time.monotonic()
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown and self._terminal:
            click.echo("\r\x1b[K", nl=False, err=True)

    def show(self, progress: Progress) -> None:
        """Show how far an import is."""
        if self._terminal:
            click.echo(f"\r\x1b[K{progress_text(progress)}", nl=False, err=True)
            self._shown = True
        elif time.monotonic() - self._last >= _PLAIN_EVERY_S:
            self._last = time.monotonic()
            click.echo(progress_text(progress), err=True)


def progress_text(progress: Progress) -> str:
    """One line: which file, how far, rows a second, time left."""
    name = Path(progress.path).name[:32]
    text = f"{progress.file + 1}/{progress.files} {name} {_STEPS.get(progress.step, progress.step)}"
    if progress.total:
        share = min(1.0, progress.done / progress.total)
        filled = round(share * _WIDTH)
        text += f" [{'#' * filled}{'.' * (_WIDTH - filled)}] {share:4.0%}"
    text += f" {progress.rows:,} rows"
    if progress.rows_per_second:
        text += f", {progress.rows_per_second:,.0f}/s"
    if (left := progress.seconds_left) is not None:
        text += f", {int(left) // 60}:{int(left) % 60:02d} left"
    return text


def print_summary(report: ImportReport) -> None:
    """A table of all files, then what was dropped by which rule, then what went wrong."""
    head = ("file", "result", "format", "studies", "rows in", "kept", "dropped", "seconds")
    print_rows(head, [_summary_row(file) for file in report.files])
    for file in report.files:
        _print_rules(file.path, file.counts)
    for file in report.failed:
        click.echo("")
        place = f" (manifest, line {file.manifest_line})" if file.manifest_line else ""
        click.echo(f"FAILED {file.path}{place}")
        errors = [s.error for s in file.studies if s.error] or ([file.error] if file.error else [])
        for error in errors:
            click.echo(f"  {error['message']}")
    done, failed = len(report.files) - len(report.failed), len(report.failed)
    click.echo(f"\n{done:,} of {len(report.files):,} files in{f', {failed:,} failed' if failed else ''}.")


def print_preview(store: AssociationStore, requests: Sequence[ImportRequest], options: ImportOptions) -> bool:
    """Show how each file would be read, from its first rows; True when one could not be."""
    from nexome.ingest.preview import preview_file  # noqa: PLC0415
    from nexome.model.errors import NexomeError  # noqa: PLC0415

    failed = False
    for request in requests:
        click.echo(request.path)
        try:
            seen = preview_file(store, request, options)
        except NexomeError as error:
            click.echo(f"  cannot be imported so: {error}")
            failed = True
            continue
        click.echo(f"  format     {seen.format} {seen.format_version}".rstrip())
        for use in seen.columns:
            click.echo(f"  column     {use.source} → {use.term}  ({use.rule})")
        click.echo(f"  unread     {', '.join(seen.unused) or 'none'}")
        for name, value in seen.decisions.items():
            click.echo(f"  {name:<10} {_plain(value)}")
        for study in seen.studies:
            click.echo(f"  study      {study.id}: {', '.join(t.label for t in study.traits[:5])}"[:200])
        click.echo(f"  first rows {seen.counts['in']:,} read, {seen.counts['kept']:,} would be kept")
        _print_rules(request.path, seen.counts)
    click.echo("\nNothing was written (--dry-run).")
    return failed


def write_report(report: ImportReport, path: Path) -> None:
    """The summary as one JSON document."""
    values = {"kind": "nexome-import-report", "version": 1, "files": [asdict(f) for f in report.files]}
    path.write_bytes(orjson.dumps(values, option=orjson.OPT_INDENT_2))


def _summary_row(file: FileReport) -> tuple[str, ...]:
    counts = file.counts
    numbers = tuple(f"{counts[name]:,}" if counts else "" for name in ("in", "kept", "dropped"))
    studies = f"{len(file.studies):,}" if len(file.studies) != 1 else file.studies[0].id
    return (Path(file.path).name, file.status, file.format, studies, *numbers, f"{file.seconds:.1f}")


def _print_rules(path: str, counts: Mapping[str, Any]) -> None:
    for kind, said in (("dropped_by", "dropped"), ("changed_by", "changed")):
        rules = sorted(counts.get(kind, {}).items(), key=lambda item: -item[1])
        if rules:
            shown = ", ".join(f"{name} {number:,}" for name, number in rules[:_RULES_SHOWN])
            click.echo(f"  {Path(path).name}: {said} {shown}{' …' if len(rules) > _RULES_SHOWN else ''}")


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items() if v not in (None, ""))
    return "none" if value is None else str(value)
