"""`nexome targets`: budget and target papers brought in, listed, shown, exported, checked and compared."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nexome.cli.options import echo_json, print_rows, root_option

if TYPE_CHECKING:
    from nexome.report.compare import Change
    from nexome.report.findings import Finding
    from nexome.report.paper import Paper

_lines_or_json = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines or JSON.",
)
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command("import")
@root_option
@click.option("--name", help="Name of the paper here; the file's name by default. One file only.")
@click.argument("files", nargs=-1, required=True, type=_FILE)
def import_papers(root: Path, name: str | None, files: tuple[Path, ...]) -> None:
    """Bring in budget and target papers: text, PDF with a text layer, DOCX, XLSX, CSV, YAML, JSON, Parquet.

    Each paper is taken whole or not at all; one bad file does not stop the others, and the exit code is
    1 then. A corrected paper under the same name becomes a new version; the old one stays.

    \b
    Examples:
      nexome targets import --root centre budget2025.pdf
      nexome targets import --root centre --name budget2025 corrected.pdf
    """
    from nexome.model.errors import NexomeError  # noqa: PLC0415
    from nexome.report import read_paper  # noqa: PLC0415
    from nexome.report.records import paper_values  # noqa: PLC0415
    from nexome.store.disk import RootLock  # noqa: PLC0415
    from nexome.store.papers import keep_paper  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    if name and len(files) > 1:
        raise click.UsageError("--name goes with one file")
    opened, failed = open_root(root), 0
    for file in files:
        try:
            paper = read_paper(file)
            with RootLock(root, wait_s=10):
                kept = keep_paper(opened, name or _name_of(file), source=file, values=paper_values(paper))
        except NexomeError as error:
            failed += 1
            click.echo(f"{file}: not imported. {' '.join(str(error).split())}", err=True)
        else:
            click.echo(f"{kept.name}, version {kept.version}: {_counts(paper)}")
            _tell_links(root, kept.name)
    if failed:
        raise SystemExit(1)


def _tell_links(root: Path, name: str) -> None:
    """How many links a corrected paper keeps, and which found no indicator any more."""
    from nexome.report.links import load_links, not_carried  # noqa: PLC0415

    links, lost = load_links(root, name).links, not_carried(root, name)
    if links:
        click.echo(f"  {len(links) - len(lost)} of {len(links)} links kept")
    for link, likely in lost:
        near = f"; most like {likely.number} {likely.words.name}" if likely else ""
        click.echo(f"  not carried: {link.words.project}, {link.words.name}: {link.source} {link.of}{near}")


def _name_of(file: Path) -> str:
    return re.sub(r"[^\w-]+", "_", file.stem)[:80]


def _counts(paper: Paper) -> str:
    whole = sum(table.kind == "department" for table in paper.targets)
    parts = [
        f"{len(paper.budgets)} budget tables",
        f"{len(paper.targets) - whole} projects" + (f" and {whole} department table" if whole else ""),
        f"{paper.indicators} indicators",
        f"{len(paper.facts)} declared facts",
        f"{len(paper.unread)} lines not understood",
    ]
    return ", ".join(parts)


def _paper(root: Path, name: str, version: int | None) -> Paper:
    from nexome.report.records import paper_from_values  # noqa: PLC0415
    from nexome.store.papers import read_kept  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    open_root(root)
    return paper_from_values(read_kept(root, name, version=version).values, name, "")


@click.command("list")
@root_option
def list_papers(root: Path) -> None:
    """List all papers, with their year, tables and versions.

    \b
    Examples:
      nexome targets list --root centre
    """
    from nexome.store.papers import paper_names, paper_versions  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    open_root(root)
    rows = []
    for name in paper_names(root):
        paper = _paper(root, name, None)
        versions = paper_versions(root, name)
        counts = (len(paper.budgets), len(paper.targets), paper.indicators, len(versions))
        rows.append((name, paper.year, *map(str, counts), paper.issuer))
    print_rows(("paper", "year", "budget tables", "target tables", "indicators", "versions", "issuer"), rows)


@click.command()
@root_option
@click.option("--version", type=int, help="An older version.")
@click.argument("paper")
def show(root: Path, version: int | None, paper: str) -> None:
    """Show what a paper holds: its tables with their lines, and the lines that were not understood.

    \b
    Examples:
      nexome targets show --root centre budget2025
    """
    from nexome.report.plans import plan_of  # noqa: PLC0415

    kept = _paper(root, paper, version)
    click.echo(f"{kept.issuer}, {kept.year} ({kept.source})")
    for budget in kept.budgets:
        click.echo(f"  line {budget.line}: {budget.title}, {len(budget.rows)} rows, {budget.unit}")
    for target in kept.targets:
        fund = target.fund("total") or target.fund("budget", "项目当年预算")
        money = f", {fund.amount.printed} {fund.amount.unit}" if fund else ""
        click.echo(
            f"  line {target.line}: {target.code} {target.name}{money}, {len(target.indicators)} indicators"
        )
        for step in plan_of(target):
            year = step.year or target.year
            click.echo(f"    line {step.line}: plan, {year} {step.months}: {step.text[:60]}")
    for fact in kept.facts:
        click.echo(f"  line {fact.line}: {fact.name} {fact.printed} {fact.unit}")
    for item in kept.unread:
        click.echo(f"  line {item.line}: not understood ({item.reason}): {' '.join(item.text.split())[:80]}")


@click.command()
@root_option
@click.option("--version", type=int, help="An older version.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["json", "csv", "xlsx", "parquet"]),
    help="Format to write.",
    default="json",
    show_default=True,
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file; the screen or pipe by default.",
)
@click.argument("paper")
def export(root: Path, version: int | None, format_: str, output: Path | None, paper: str) -> None:
    """Write a paper as JSON, CSV, XLSX or Parquet; importing that again gives the same paper.

    \b
    Examples:
      nexome targets export --root centre --format xlsx -o budget2025.xlsx budget2025
    """
    from nexome.report.exports import export_bytes  # noqa: PLC0415
    from nexome.store.disk import write_atomic  # noqa: PLC0415

    content = export_bytes(_paper(root, paper, version), format_)
    if output is None:
        sys.stdout.buffer.write(content)
    else:
        write_atomic(output, content)


@click.command()
@root_option
@_lines_or_json
@click.option(
    "--language", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Of the sentences."
)
@click.argument("papers", nargs=-1)
def check(root: Path, format_: str, language: str, papers: tuple[str, ...]) -> None:
    """Check papers (all, if none is named): sums, shares, weights, dates, units, wording.

    Errors contradict the paper itself; warnings are what an auditor would ask; notes are worth knowing.

    \b
    Examples:
      nexome targets check --root centre
      nexome targets check --root centre --language zh --format json budget2025
    """
    from nexome.report.checks import check_paper  # noqa: PLC0415
    from nexome.store.papers import paper_names  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    open_root(root)
    found = {name: check_paper(_paper(root, name, None)) for name in papers or paper_names(root)}
    if format_ == "json":
        values = [
            {"paper": name, **asdict(finding)} for name, findings in found.items() for finding in findings
        ]
        echo_json(values)
        return
    for name, findings in found.items():
        click.echo(f"{name}: {_severities(findings)}")
        for finding in findings:
            sentence = finding.zh if language == "zh" else finding.en
            places = f"line {finding.line}" + (f" and {finding.other_line}" if finding.other_line else "")
            click.echo(f"  {finding.severity:7} {finding.rule:17} {places}: {sentence}")


def _severities(findings: list[Finding]) -> str:
    counts = {level: sum(f.severity == level for f in findings) for level in ("error", "warning", "note")}
    return ", ".join(f"{count} {level}{'' if count == 1 else 's'}" for level, count in counts.items())


@click.command()
@root_option
@_lines_or_json
@click.argument("before")
@click.argument("after")
def compare(root: Path, format_: str, before: str, after: str) -> None:
    """Set two years of one issuer side by side: what grew, is new, is gone, was only copied.

    \b
    Examples:
      nexome targets compare --root centre budget2024 budget2025
    """
    from nexome.report.compare import compare_papers  # noqa: PLC0415

    changes = compare_papers(_paper(root, before, None), _paper(root, after, None))
    if format_ == "json":
        echo_json([_values(change) for change in changes])
        return
    rows = [
        (
            c.what,
            c.kind,
            c.table,
            c.name,
            *(_money(c, amount) for amount in (c.before, c.after)),
            f"{c.line_before}/{c.line_after}",
        )
        for c in changes
        if c.what != "same"
    ]
    print_rows(("what", "kind", "table", "name", before[:20], after[:20], "lines"), rows)


def _values(change: Change) -> dict[str, Any]:
    return {
        key: str(value) if key in {"before", "after"} and value is not None else value
        for key, value in asdict(change).items()
    }


def _money(change: Change, amount: object) -> str:
    from decimal import Decimal  # noqa: PLC0415

    from nexome.report.findings import money  # noqa: PLC0415

    if not isinstance(amount, Decimal):
        return ""
    return str(amount) if change.kind == "indicators" else money(amount)
