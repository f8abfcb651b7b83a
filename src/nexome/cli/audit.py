"""`nexome audit …`: prove, read and export the head of the log of controlled answers and refusals."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from nexome.cli.options import print_rows, root_option


@click.command()
@root_option
@click.option(
    "--head",
    "kept",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A head exported before: lines cut off the end, or a log made anew, are found by it.",
)
def verify(root: Path, kept: Path | None) -> None:
    """Prove that no line of the audit log was changed, removed or put elsewhere since it was written.

    Each line holds the hash of the one before. Exit code 1 where something is wrong. An unfinished last
    line, as a crash leaves it, is told and is no fault: its answer never left.

    \b
    Examples:
      nexome audit verify --root centre
      nexome audit verify --root centre --head /mnt/elsewhere/audit-head.json
    """
    from nexome.store.audit import AuditLog, Head  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    head = Head.read(kept) if kept else None
    report = AuditLog.open(open_root(root).path).verify(head)
    if report.torn:
        click.echo("The last line is unfinished, as after a crash; the next one says so.", err=True)
    if not report.ok:
        print_rows(("line", "what", "found"), [(str(f.line), f.kind, f.found) for f in report.findings])
        sys.exit(1)
    against = f", and holds the exported head (line {head.sequence})" if head else ""
    click.echo(f"{report.lines} lines; the chain holds{against}. Head: {report.head.hash}")


@click.command()
@root_option
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Newest lines shown.")
@click.option("--project", help="Of one project alone.")
def show(root: Path, limit: int, project: str | None) -> None:
    """Show the newest lines: who asked what, in which project, and what became of it. No values are in it.

    \b
    Example:
      nexome audit show --root centre --project LIPIDS-2026
    """
    from nexome.store.audit import AuditLog  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    found = AuditLog.open(open_root(root).path).records(limit=limit if project is None else 1_000_000)
    wanted = [r for r in found if project is None or r.get("project") == project][-limit:]
    print_rows(("line", "time", "who", "project", "what", "question"), [_row(record) for record in wanted])


@click.command()
@root_option
@click.option(
    "--write", "target", type=click.Path(path_type=Path, dir_okay=False), help="Export it to a file."
)
def head(root: Path, target: Path | None) -> None:
    """Tell the head of the chain: number and hash of its last line.

    Keep it where the log cannot be changed from.

    \b
    Example:
      nexome audit head --root centre --write /mnt/elsewhere/audit-head.json
    """
    from nexome.store.audit import AuditLog  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    found = AuditLog.open(open_root(root).path).head()
    if target is not None:
        found.write(target)
    click.echo(f"{found.sequence} {found.hash} {found.time}".rstrip())


def _row(record: dict[str, Any]) -> tuple[str, ...]:
    event = str(record.get("event", ""))
    what = f"refused: {record['reason']}" if event == "refused" else event
    size = f" ({record['size']})" if "size" in record else ""
    names = (str(record.get(name, "")) for name in ("who", "project"))
    return (
        str(record["sequence"]),
        str(record["time"]),
        *names,
        what + size,
        str(record.get("question", ""))[:80],
    )
