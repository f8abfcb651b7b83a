"""`nexome import cohort`: tables of participants and variables, typed and checked by a data dictionary."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from nexome.cli.following import publishes
from nexome.cli.options import format_bytes, print_rows, root_option
from nexome.model.errors import InputError
from nexome.model.terms import ACCESS

if TYPE_CHECKING:
    from nexome.formats.cohorts import CohortOptions
    from nexome.ingest.cohorts.infer import Inference
    from nexome.ingest.cohorts.requests import CohortReport, CohortRequest
    from nexome.model.cohorts import Cohort, Dictionary
    from nexome.store.root import Root

_EXISTING: Final = click.Path(path_type=Path, dir_okay=False, exists=True)
_FILE: Final = click.Path(path_type=Path, exists=True)  # phenopackets may be a folder
_RULES_SHOWN: Final = 12
_SAID_OF_FILES: Final = ("format", "encoding", "delimiter", "sheet", "header", "date_order")
_SAID_OF_COHORT: Final = ("title", "title_zh", "access", "people")
Command = Callable[..., Any]


def _file_options(command: Command) -> Command:
    """How the files are to be read, where they do not tell it themselves."""
    for name, text in (
        ("date-order", "dmy or mdy, where dates such as 03/04/2020 stand."),
        ("header", "no: line 1 is no header; units: units stand in line 2; yes: nothing but names."),
        ("sheet", "Sheet of a workbook."),
        ("delimiter", "comma, tab, semicolon, pipe or spaces."),
        ("encoding", "utf-8, gb18030 …"),
        ("format", "Format of the files."),
    ):
        command = click.option(f"--{name}", default="", help=f"{text}  [default: as the file tells]")(command)
    return command


@click.command()
@root_option
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--cohort", "cohort_id", required=True, help="Identifier of the cohort.")
@click.option("--dictionary", type=_EXISTING, help="The data dictionary: own table, REDCap, Opal.")
@click.option("--about", type=_EXISTING, help="YAML of what is known of the cohort: its data sheet.")
@click.option("--title", default="", help="Title of the cohort.")
@click.option("--title-zh", default="", help="Its title in Chinese.")
@click.option("--people", default="", help="Whose identifiers these are, shared with other cohorts.")
@click.option("--access", type=click.Choice(ACCESS), help="Who may ask about it.  [default: private]")
@click.option("--participant", default="", help="Column with the participant's identifier.")
@click.option("--each-row-a-person", is_flag=True, help="There is no identifier: rows are numbered.")
@click.option("--visit", default="", help="Column with the visit.")
@click.option("--visit-name", "visits", multiple=True, help="The visit of a whole file; once for each file.")
@click.option("--long", "shape", flag_value="long", help="Rows are participant × visit.")
@click.option("--wide", "shape", flag_value="wide", help="Rows are participants.")
@click.option(
    "--duplicates",
    type=click.Choice(("refuse", "first", "last")),
    default="refuse",
    show_default=True,
    help="Rows with the participant and visit of another.",
)
@click.option(
    "--bad-values",
    type=click.Choice(("refuse", "missing")),
    default="refuse",
    show_default=True,
    help="Cells that cannot be read, columns mostly out of range: stop, or keep as missing and count.",
)
@click.option(
    "--extra-columns",
    type=click.Choice(("refuse", "drop")),
    default="refuse",
    show_default=True,
    help="Columns that the dictionary does not have.",
)
@click.option("--accept-inferred", is_flag=True, help="Import by the dictionary worked out from the file.")
@click.option("--mapping", type=_EXISTING, help="Then harmonise by this mapping (nexome cohort harmonise).")
@click.option("--dry-run", is_flag=True, help="Read and check everything, publish nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before a new version of a cohort.")
@_file_options
@publishes
def cohort(root: Path, files: tuple[Path, ...], cohort_id: str, **said: Any) -> None:
    """Bring in a table of participants and variables, by its data dictionary.

    Several files hold rows of one table; files that are visits get --visit-name. A folder holds
    phenopackets. Without a dictionary one is worked out from the first file, shown,
    and written to COHORT.dictionary.csv for you to correct; nothing is imported until it is given,
    or taken as it is with --accept-inferred. Each import is a new version; older ones stay.

    Numbers outside the dictionary's range are kept as missing and counted; where most of a column is, the
    import stops and names the unit that would fit. Rows of people who have
    withdrawn are left out. No value of a person is ever in a message or in the receipt (nexome cohort show
    COHORT --receipt).

    \b
    Examples:
      nexome import cohort health.csv --cohort town --dictionary variables.csv --title "Town study"
      nexome import cohort visits.xlsx --cohort town --dictionary d.csv --participant ID --visit wave
      nexome import cohort table.csv --cohort pilot --each-row-a-person
      nexome import cohort w1.csv w2.csv --cohort town --visit-name 1 --visit-name 2
    """
    from nexome.cli.import_output import ProgressLine  # noqa: PLC0415
    from nexome.formats.cohorts import CohortOptions  # noqa: PLC0415
    from nexome.ingest.cohorts.requests import CohortRequest  # noqa: PLC0415
    from nexome.ingest.cohorts.run import import_cohort  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    opened = open_root(root)
    mapping = said.pop("mapping")
    _check_mapping(mapping)
    read = CohortOptions(**{name: said.pop(name) for name in _SAID_OF_FILES})
    described = _cohort(cohort_id, said.pop("about"), {name: said.pop(name) for name in _SAID_OF_COHORT})
    accepted, yes = said.pop("accept_inferred"), said.pop("yes")
    first = replace(read, visit=said["visits"][0]) if said["visits"] else read
    dictionary = _dictionary(files[0], said.pop("dictionary"), cohort_id, first, accepted=accepted)
    if dictionary is None:
        click.get_current_context().exit(1)
    said["shape"] = said["shape"] or ""
    command = " ".join(["nexome", *(shlex.quote(part) for part in sys.argv[1:])])
    request = CohortRequest(files, described, dictionary, read=read, command=command, **said)
    _ask(opened, request, yes=yes)
    with ProgressLine() as line:
        report = import_cohort(opened, request, line.show)
    print_report(report)
    if mapping is not None and not request.dry_run:
        from nexome.cli.cohort_mapping import harmonise  # noqa: PLC0415

        click.get_current_context().invoke(
            harmonise, root=root, mapping=mapping, dry_run=False, as_json=False
        )


def _check_mapping(path: Path | None) -> None:
    """A mapping with a mistake stops the import before anything is read."""
    if path is not None:
        from nexome.ingest.mapping.reading import read_mapping  # noqa: PLC0415

        read_mapping(path)


def _cohort(cohort_id: str, about: Path | None, said: dict[str, Any]) -> Cohort:
    """What is known of the cohort: the YAML, and above it what stands on the command line."""
    from nexome.model.cohorts import Cohort  # noqa: PLC0415

    told = _read_about(about) if about else {}
    if told.get("id", cohort_id) != cohort_id:
        raise InputError("another cohort's id", where=str(about), expected=cohort_id)
    return Cohort.from_dict(told | {name: value for name, value in said.items() if value} | {"id": cohort_id})


def _read_about(path: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415

    from nexome.model.cohorts import Cohort  # noqa: PLC0415

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        raise InputError("not YAML", where=where, expected="name: value") from None
    names = [f.name for f in fields(Cohort)]
    if not isinstance(values, dict):
        raise InputError("no list of names and values", where=str(path), expected=", ".join(names))
    texts = {str(k): v if isinstance(v, list) else "" if v is None else str(v) for k, v in values.items()}
    try:
        Cohort.from_dict({"id": "any"} | texts)
    except InputError as error:
        raise error.at(str(path)) from None
    return texts


def _dictionary(
    file: Path, path: Path | None, cohort_id: str, read: CohortOptions, *, accepted: bool
) -> Dictionary | None:
    """The dictionary given; else the one worked out, shown, and None unless it was accepted."""
    if path is not None:
        return _given(path, accepted=accepted)
    from nexome.formats.cohorts import open_cohort  # noqa: PLC0415
    from nexome.ingest.cohorts.infer import infer_dictionary  # noqa: PLC0415

    with open_cohort(file, read) as reader:
        inferred = infer_dictionary(reader)
    if accepted:
        for note in inferred.notes[len(reader.notes) :]:  # the import tells the reader's own
            click.echo(f"Note: {note.text}", err=True)
        return inferred.dictionary
    print_inference(inferred)
    _write_beside(inferred, Path(f"{cohort_id}.dictionary.csv"))
    return None


def _given(path: Path, *, accepted: bool) -> Dictionary:
    """The dictionary of a file, which a person has confirmed."""
    from nexome.formats.dictionary import read_dictionary  # noqa: PLC0415

    dictionary = read_dictionary(path)
    if dictionary.confirmed or accepted:
        return dictionary
    raise InputError(
        "a dictionary worked out by the program that nobody has confirmed",
        where=str(path),
        expected="yes in its column confirmed, on every row",
        todo="Look it through and write yes; or take it as it is: --accept-inferred.",
    )


def _write_beside(inferred: Inference, written: Path) -> None:
    """Write the dictionary worked out, to be corrected, and say what to do with it."""
    from nexome.formats.dictionary import write_dictionary  # noqa: PLC0415

    if written.exists():
        click.echo(f"\nnexome: {written} is there already: correct it and give it: --dictionary.", err=True)
        return
    reasons = {v.name: "; ".join(g.why for g in inferred.of(v.name)) for v in inferred.dictionary}
    write_dictionary(written, inferred.dictionary, reasons)
    click.echo(
        f"\nnexome: nothing is imported. This dictionary was worked out from {inferred.rows:,} rows and is "
        f"in {written}. Correct it, write yes in its column confirmed, and give it: --dictionary {written}; "
        "or take it as it is: --accept-inferred.",
        err=True,
    )


def print_inference(inferred: Inference) -> None:
    """The dictionary worked out from a file, with what each part rests on."""
    rows = []
    for variable in inferred.dictionary:
        codes = ", ".join(c.code for c in variable.categories)
        why = "; ".join(f"{g.what}: {g.why} ({g.sureness})" for g in inferred.of(variable.name))
        rows.append((variable.name[:32], variable.type, variable.unit, variable.role, codes[:24], why[:160]))
    print_rows(("variable", "type", "unit", "role", "codes", "because"), rows)
    for note in inferred.notes:
        click.echo(f"Note: {note.text}")


def _ask(root: Root, request: CohortRequest, *, yes: bool) -> None:
    from nexome.store.cohorts import CohortStore  # noqa: PLC0415

    present = CohortStore(root).manifest().newest.get(request.cohort.id)
    if present is None or yes or request.dry_run:
        return
    click.confirm(
        f"{request.cohort.id} has version {present.version} with {present.people:,} people. "
        f"Publish version {present.version + 1}?",
        abort=True,
    )


def print_report(report: CohortReport) -> None:
    """What an import did, rule by rule."""
    if report.version:
        click.echo(
            f"{report.cohort}, version {report.version}: {report.rows:,} rows of {report.people:,} people, "
            f"{report.variables:,} variables, {format_bytes(report.bytes)}, {report.seconds:.1f} s"
        )
    else:
        click.echo(
            f"{report.cohort}: {report.rows:,} rows of {report.variables:,} variables would be imported; "
            "nothing is published."
        )
    shown = sorted(report.rules, key=lambda rule: -rule["count"])
    rows = [_rule_row(rule) for rule in shown[:_RULES_SHOWN]]
    if rows:
        print_rows(("rule", "column", "found", "expected", "count", "became", "first line"), rows)
    if len(shown) > _RULES_SHOWN:
        click.echo(f"… and {len(shown) - _RULES_SHOWN:,} rules more: nexome cohort show … --receipt")
    for note in report.notes:
        click.echo(f"Note: {note}")


def _rule_row(rule: dict[str, Any]) -> tuple[str, ...]:
    first = str(rule["lines"][0]) if rule["lines"] else ""
    told = (rule["rule"].replace("_", " "), rule["column"][:32], rule["found"][:40], rule["expected"][:40])
    return (*told, f"{rule['count']:,}", rule["became"], first)
