"""`nexome cohort units`, `propose`, `conflicts`, `repeats`: the evidence for and against a mapping.

For whoever keeps the root: numbers here are exact, and not for publication.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nexome.cli.options import echo_json, print_rows, root_option

if TYPE_CHECKING:
    import pyarrow as pa

    from nexome.ingest.mapping.evidence import UnitEvidence
    from nexome.ingest.mapping.propose import Proposal
    from nexome.ingest.mapping.repeats import Repeats

_json = click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
_language = click.option(
    "--language",
    type=click.Choice(("en", "zh")),
    default="en",
    show_default=True,
    help="Language of reasons.",
)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@root_option
@click.argument("cohorts", nargs=-1, required=True)
@click.option("--against", default="", help="Cohort to compare with.  [default: typical adults]")
@_language
@_json
def units(root: Path, cohorts: tuple[str, ...], against: str, language: str, as_json: bool) -> None:
    """Say whether the values of each variable fit the unit written beside it.

    Values are compared with what adults typically have, in each unit the quantity is written in. A label that
    cannot be right is called wrong, with the unit that fits.

    \b
    Examples:
      nexome cohort units seychelles
      nexome cohort units seychelles --against nhanes
    """
    from nexome.ingest.mapping.propose import units_of  # noqa: PLC0415  `--help` must not wait for it
    from nexome.store.cohorts import CohortStore  # noqa: PLC0415

    store = CohortStore.open(root)
    other = store.get(against) if against else None
    found = {cohort: units_of(store.get(cohort), against=other) for cohort in cohorts}
    if as_json:
        echo_json({cohort: [_unit_facts(*item) for item in items] for cohort, items in found.items()})
        return
    head = ("cohort", "variable", "quantity", "label", "verdict", "unit", "why")
    print_rows(head, [(cohort, *_unit_row(*item, language)) for cohort in found for item in found[cohort]])


def _unit_facts(variable: str, found: UnitEvidence) -> dict[str, Any]:
    from dataclasses import asdict  # noqa: PLC0415

    return {"variable": variable} | asdict(found)


def _unit_row(variable: str, found: UnitEvidence, language: str) -> tuple[str, ...]:
    why = found.reason_zh if language == "zh" else found.reason
    if found.strays:
        more = f"有 {found.strays.count} 个数值似以 {found.strays.unit} 计" if language == "zh" else ""
        why += "; " + (more or f"{found.strays.count} values seem to be in {found.strays.unit}")
    return variable, found.quantity, found.declared or "-", found.verdict, found.unit or "-", why


@click.command()
@root_option
@click.argument("cohorts", nargs=-1, required=True)
@click.option("--target", required=True, type=_FILE, help="Data dictionary of the table to make.")
@click.option("--write", "output", type=_FILE, help="Write the accepted proposals as a mapping in YAML.")
@click.option("--name", default="harmonised", show_default=True, help="Id of the cohort the mapping makes.")
@_language
@_json
def propose(root: Path, cohorts: tuple[str, ...], target: Path, output: Path | None, **said: Any) -> None:
    """Propose which variable of each cohort is which of a target dictionary, with score and reasons.

    Proposals rest on names, labels, terms, units, codes and the values themselves. The mapping written is for
    you to read and correct: warnings stand above the lines they are about, marked with !.

    \b
    Examples:
      nexome cohort propose nhanes seychelles --target target.yaml
      nexome cohort propose nhanes seychelles --target target.yaml --write mapping.yaml
    """
    from nexome.formats.dictionary import read_dictionary  # noqa: PLC0415
    from nexome.ingest.mapping.propose import propose as proposals_of  # noqa: PLC0415
    from nexome.ingest.mapping.writing import mapping_text  # noqa: PLC0415
    from nexome.store.cohorts import CohortStore  # noqa: PLC0415

    store = CohortStore.open(root)
    dictionary = read_dictionary(target)
    found = proposals_of([store.get(cohort) for cohort in cohorts], dictionary)
    if said["as_json"]:
        echo_json([proposal.as_dict() for proposal in found])
    else:
        _tell_proposals(found, said["language"])
    if output is not None:
        output.write_text(mapping_text(said["name"], dictionary, found), encoding="utf-8")
        click.echo(f"{output}: read it, correct it, then nexome cohort harmonise {output}", err=True)


def _tell_proposals(found: list[Proposal], language: str) -> None:
    place = 1 if language == "zh" else 0
    rows = []
    for proposal in found:
        codes = ", ".join(f"{a}={b}" for a, b in proposal.codes)
        why = "; ".join(reason[place] for reason in proposal.reasons)
        warned = "".join(f" ! {warning[place]}" for warning in proposal.warnings)
        mark = "yes" if proposal.accepted else ""
        rows.append(
            (
                proposal.source,
                proposal.target,
                proposal.variable,
                f"{proposal.score:.2f}",
                mark,
                proposal.unit or codes or "-",
                why + warned,
            )
        )
    print_rows(("cohort", "target", "variable", "score", "accepted", "unit or codes", "why"), rows)


@click.command()
@root_option
@click.argument("cohort")
@click.option("--version", type=click.IntRange(1), help="Another version than the newest.")
@_language
@_json
def conflicts(root: Path, cohort: str, version: int | None, language: str, as_json: bool) -> None:
    """Say where the sources of a harmonised cohort do not fit together.

    Level at the same sex and age, rounding, trend with age, shape, refused values. A conflict is a question
    to the source, not a verdict. JSON holds the arrays of the figures.

    \b
    Example:
      nexome cohort conflicts reference
    """
    from nexome.ingest.mapping.source_parts import conflicts as found_in  # noqa: PLC0415
    from nexome.store.cohorts import CohortStore  # noqa: PLC0415

    reports = found_in(CohortStore.open(root), cohort, version=version)
    if as_json:
        echo_json([report.as_dict() for report in reports])
        return
    rows = [
        (c.variable, c.weight, c.kind, c.source, c.text_zh if language == "zh" else c.text)
        for report in reports
        for c in report.conflicts
    ]
    if rows:
        print_rows(("variable", "weight", "kind", "source", "what"), rows)
    else:
        click.echo("No conflict found.")


@click.command()
@root_option
@click.argument("source")
@click.option(
    "--participant", default="", help="Column with the identifier; without it each row is a person."
)
@_json
def repeats(root: Path, source: str, participant: str, as_json: bool) -> None:
    """Find persons who stand in a table more than once: a file before its import, or a cohort.

    Rows of one identifier, rows equal in every column, columns in which rows of one identifier differ, and
    equal rows under different identifiers that chance does not explain.

    \b
    Examples:
      nexome cohort repeats nhanes.csv --participant ID
      nexome cohort repeats acs-korea
    """
    from nexome.ingest.mapping.repeats import find_repeats  # noqa: PLC0415

    table, identifier = _rows_of(root, source, participant)
    found = find_repeats(table, identifier)
    if as_json:
        echo_json(found.as_dict())
        return
    _tell_repeats(found)


def _rows_of(root: Path, source: str, participant: str) -> tuple[pa.Table, str]:
    """All rows of a file or a cohort, and the column that says who each is."""
    import pyarrow as pa  # noqa: PLC0415

    from nexome.formats.cohorts import open_cohort  # noqa: PLC0415
    from nexome.store.cohorts import PARTICIPANT, CohortStore  # noqa: PLC0415

    if not Path(source).is_file():
        return CohortStore.open(root).get(source).table(), PARTICIPANT
    with open_cohort(Path(source)) as reader:
        table = pa.concat_tables([raw.table for raw in reader.read()])
    if participant:
        return table, participant
    return table.append_column("row number", pa.array(range(table.num_rows))), "row number"


def _tell_repeats(found: Repeats) -> None:
    click.echo(f"{found.rows:,} rows of {found.identifiers:,} identifiers, at most {found.largest:,} of one.")
    click.echo(f"{found.repeated:,} identifiers stand more than once.")
    click.echo(f"{found.copies:,} rows repeat an earlier row of their identifier in every column.")
    if found.differing:
        shown = ", ".join(f"{name} ({count:,})" for name, count in found.differs[:8])
        click.echo(f"{found.differing:,} identifiers have rows that differ, in: {shown}")
    click.echo(
        f"{found.twins:,} groups of equal rows under different identifiers ({found.twin_rows:,} rows) "
        "that chance does not explain."
    )
