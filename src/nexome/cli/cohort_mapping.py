"""`nexome cohort harmonise` and `lineage`: one table of many cohorts, and where its values come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nexome.cli.options import echo_json, print_rows, root_option

if TYPE_CHECKING:
    from nexome.ingest.mapping.run import Harmonised

_json = click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
_HEAD = ("variable", "source", "rule", "taken", "changed", "refused", "given")


@click.command()
@root_option
@click.argument("mapping", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would come of it; keep nothing.")
@_json
def harmonise(root: Path, mapping: Path, dry_run: bool, as_json: bool) -> None:
    """Bring cohorts to one table by a mapping in YAML, and keep it as a version of its target.

    Units are checked by their dimension, codes by the dictionaries. What a rule cannot keep is refused,
    counted and told. The same mapping over the same versions makes nothing new.

    \b
    Examples:
      nexome cohort harmonise reference.yaml --dry-run
      nexome cohort harmonise reference.yaml
    """
    from nexome.ingest.mapping.reading import read_mapping  # noqa: PLC0415  `--help` must not wait for it
    from nexome.ingest.mapping.run import harmonise as apply  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    done = apply(open_root(root), read_mapping(mapping), _progress, dry_run=dry_run)
    if as_json:
        echo_json(_facts(done))
        return
    _tell(done, dry_run=dry_run)


def _progress(step: str, done: int, of: int) -> None:
    if step == "publish":
        click.echo("Keeping the result", err=True)
    else:
        click.echo(f"Source {done + 1} of {of}: {step}", err=True)


def _facts(done: Harmonised) -> dict[str, Any]:
    table = done.table
    made = {"cohort": table.id, "version": table.version, "digest": table.digest} if table else {}
    return made | {"fresh": done.fresh} | done.receipt


def _tell(done: Harmonised, *, dry_run: bool) -> None:
    from nexome.ingest.mapping.lineage import rows_of_report  # noqa: PLC0415

    for source in done.receipt["sources"]:
        version = f"{source['cohort']}, version {source['version']}"
        left_out = [
            f"{number:,} {why}"
            for why, number in source["rows"].items()
            if number and why not in {"read", "kept"}
        ]
        read, kept = source["rows"]["read"], source["rows"]["kept"]
        why = f" ({'; '.join(left_out)})" if left_out else ""
        click.echo(f"{source['source']}: {version}: {read:,} rows read, {kept:,} kept{why}")
    print_rows(_HEAD, list(rows_of_report(done.lineage)))
    if shared := done.receipt["rows_of_shared_persons"]:
        click.echo(
            f"{shared:,} rows are of persons an earlier source has; persons: {done.receipt['persons']}."
        )
    rows = done.receipt["rows"]
    if dry_run or done.table is None:
        click.echo(f"{rows:,} rows. Nothing is kept: this was a dry run.")
    elif done.fresh:
        click.echo(
            f"{done.table.id}, version {done.table.version}: {rows:,} rows of {done.table.people:,} people."
        )
    else:
        found = f"{done.table.id}, version {done.table.version}"
        click.echo(f"Nothing changed: {found}, is of this mapping and these versions.")


@click.command()
@root_option
@click.argument("cohort")
@click.argument("variable", default="")
@click.option("--version", type=click.IntRange(1), help="Another version than the newest.")
@_json
def lineage(root: Path, cohort: str, variable: str, version: int | None, as_json: bool) -> None:
    """Show where the values of a harmonised cohort come from: source, rule, unit, what was refused and why.

    \b
    Examples:
      nexome cohort lineage reference
      nexome cohort lineage reference ldl
    """
    from nexome.ingest.mapping.lineage import rows_of_report  # noqa: PLC0415
    from nexome.store.cohorts import CohortStore  # noqa: PLC0415

    table = CohortStore.open(root).get(cohort, version)
    if variable:
        table.variable(variable)
    found = table.receipt().get("lineage", {})
    kept = {variable: found[variable]} if variable in found else {} if variable else found
    if as_json:
        echo_json(kept)
    elif kept:
        print_rows(_HEAD, list(rows_of_report(kept)))
    else:
        click.echo(
            f"{cohort} was imported, not harmonised." if table.kind == "source" else "No source has it."
        )
