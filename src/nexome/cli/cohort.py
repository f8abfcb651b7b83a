"""`nexome cohort`: tables of participants and variables; list, show, variables, export, withdraw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from nexome.cli.following import publishes
from nexome.cli.options import echo_json, format_bytes, print_rows, root_option
from nexome.model.terms import ACCESS, Access

if TYPE_CHECKING:
    from nexome.model.cohorts import Variable
    from nexome.store.cohorts import CohortEntry, CohortStore

_LABEL_SHOWN: Final = 40
_CODES_SHOWN: Final = 4
_FILE: Final = click.Path(path_type=Path, dir_okay=False)
_json = click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
_version = click.option("--version", type=click.IntRange(1), help="Another version than the newest.")


@click.command("list")
@root_option
@_json
def list_cohorts(root: Path, as_json: bool) -> None:
    """List all cohorts: newest version, people, rows, variables.

    \b
    Example:
      nexome cohort list --root centre
    """
    entries = _store(root).cohorts()
    if as_json:
        echo_json([_facts(entry) for entry in entries])
        return
    if not entries:
        click.echo("No cohort yet: nexome import cohort --help")
        return
    head = ("cohort", "version", "kind", "access", "people", "rows", "variables", "size")
    print_rows(head, [_row(entry) for entry in entries])


def _row(entry: CohortEntry) -> tuple[str, ...]:
    numbers = (f"{entry.people:,}", f"{entry.rows:,}", f"{entry.variables:,}")
    return (entry.id, str(entry.version), entry.kind, entry.access, *numbers, format_bytes(entry.bytes))


def _facts(entry: CohortEntry) -> dict[str, Any]:
    names = ("id", "version", "kind", "access", "published", "people", "rows", "variables", "bytes", "digest")
    return {name: getattr(entry, name) for name in names}


@click.command()
@root_option
@click.argument("cohort")
@_version
@click.option("--receipt", is_flag=True, help="The whole receipt of the import, as JSON.")
@_json
def show(root: Path, cohort: str, version: int | None, receipt: bool, as_json: bool) -> None:
    """Show one cohort: who, when, where it came from; or its receipt.

    \b
    Examples:
      nexome cohort show nhanes
      nexome cohort show nhanes --receipt
    """
    store = _store(root)
    found = store.get(cohort, version)
    if receipt:
        echo_json(found.receipt())
        return
    versions = [e.version for e in store.manifest().versions if e.id == cohort]
    told = {n: v for n, v in found.cohort.as_dict().items() if n not in {"id", "access", "people"}}
    facts = _facts(found.entry) | {"versions": versions, "people_of": found.entry.people_of} | told
    if as_json:
        echo_json(facts)
        return
    for name, value in facts.items():
        if value not in ("", [], ()):
            click.echo(f"{name:<16}{_plain(name, value)}")


def _plain(name: str, value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if name == "bytes":
        return format_bytes(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


@click.command()
@root_option
@click.argument("cohort")
@_version
@_json
def variables(root: Path, cohort: str, version: int | None, as_json: bool) -> None:
    """List the variables of a cohort: type, unit, codes, label.

    \b
    Example:
      nexome cohort variables nhanes
    """
    found = _store(root).get(cohort, version).dictionary
    if as_json:
        echo_json(found.as_dict()["variables"])
        return
    head = ("variable", "type", "unit", "role", "codes", "label")
    print_rows(head, [_variable(v) for v in found])


def _variable(variable: Variable) -> tuple[str, ...]:
    codes = [f"{c.code}={c.label}" if c.label else c.code for c in variable.categories]
    shown = ", ".join(codes[:_CODES_SHOWN]) + (" …" if len(codes) > _CODES_SHOWN else "")
    label = variable.title() if variable.title() != variable.name else ""
    return (
        variable.name,
        variable.type,
        variable.unit,
        variable.role,
        shown[: 2 * _LABEL_SHOWN],
        label[:_LABEL_SHOWN],
    )


@click.command()
@root_option
@click.argument("cohort")
@_version
@click.option("-o", "--output", type=_FILE, required=True, help="File to write: .csv, .xlsx or .yaml.")
def dictionary(root: Path, cohort: str, version: int | None, output: Path) -> None:
    """Write the data dictionary of a cohort, as `nexome import cohort --dictionary` reads it.

    \b
    Example:
      nexome cohort dictionary nhanes -o variables.csv
    """
    from nexome.formats.dictionary import write_dictionary  # noqa: PLC0415

    found = _store(root).get(cohort, version).dictionary
    write_dictionary(output, found)
    click.echo(f"{output}  {len(found):,} variables")


@click.command()
@root_option
@click.argument("cohort")
@_version
@click.option("-o", "--output", type=_FILE, required=True, help="File to write: .csv, .tsv or .parquet.")
@click.option("--variable", "names", multiple=True, help="Only this variable; may be given again.")
@click.option("--identifiers", is_flag=True, help="Who people are, instead of their keys.")
def export(root: Path, cohort: str, version: int | None, output: Path, **said: Any) -> None:
    """Write the rows of a cohort to a file that its owner alone can read.

    This is for whoever holds the root: it writes the values of people. They stand by their keys unless
    --identifiers is given. Missing codes stand where they stood in the source; for Parquet they are in a
    second file.

    \b
    Examples:
      nexome cohort export nhanes -o nhanes.csv
      nexome cohort export nhanes -o nhanes.parquet --variable age --variable chol
    """
    from nexome.cli.upkeep import progress  # noqa: PLC0415
    from nexome.store.cohorts.export import export_cohort  # noqa: PLC0415

    store = _store(root)
    found, identifiers = store.get(cohort, version), said["identifiers"]
    names = list(said["names"]) or None
    made = export_cohort(root, found, output, names=names, identifiers=identifiers, progress=progress())
    told = {"cohort": cohort, "cohort_version": found.version, "identifiers": identifiers}
    store.root.append_event("cohort-exported", **told, variables=names or "all")
    for path in made:
        click.echo(f"{path}  {format_bytes(path.stat().st_size)}")


@click.command()
@root_option
@click.argument("cohort")
@click.argument("wanted", metavar="open|private", type=click.Choice(ACCESS))
def access(root: Path, cohort: str, wanted: Access) -> None:
    """Open a cohort to questions on its published grid, or make it private.

    Rows of people are never shown to readers; what is computed from them passes disclosure control.

    \b
    Example:
      nexome cohort access nhanes open
    """
    changed = _store(root).switch_access(cohort, wanted)
    click.echo(f"{cohort} is {wanted} {'now' if changed else 'already'}.")


@click.command()
@root_option
@click.argument("cohort")
@click.option("--reason", required=True, help="Why, for the manifest and the event log.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@publishes
def withdraw(root: Path, cohort: str, reason: str, yes: bool) -> None:
    """Take all versions of a cohort out of the root; their files are removed at once.

    Backups made before still hold them until they are made again.

    \b
    Example:
      nexome cohort withdraw pilot --reason "replaced by the main study"
    """
    store = _store(root)
    found = store.get(cohort)
    if not yes:
        click.confirm(f"Withdraw {cohort} ({found.people:,} people, {found.rows:,} rows)?", abort=True)
    store.withdraw(cohort, reason=reason)
    click.echo(f"{cohort} is withdrawn, and its files are removed.")


def _store(root: Path) -> CohortStore:
    from nexome.store.cohorts import CohortStore  # noqa: PLC0415  `--help` must not wait for it

    return CohortStore.open(root)
