"""`nexome export`, `access`, `withdraw`: a study leaves as a file, is opened or closed, or goes for good."""

from __future__ import annotations

from pathlib import Path

import click

from nexome.cli.following import publishes
from nexome.cli.options import format_bytes, open_centre, root_option
from nexome.model.terms import ACCESS, Access


@click.command()
@root_option
@click.argument("study")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write."
)
@click.option("--trait", help="Only this trait.")
def export(root: Path, study: str, output: Path, trait: str | None) -> None:
    """Write a study as a file that others read: GWAS-SSF with its metadata beside it, or Parquet.

    The name of the output decides: .parquet is Parquet, .tsv or .tsv.gz is GWAS-SSF; a study of many
    traits becomes a folder with one GWAS-SSF file for each. What is written can be imported again.

    \b
    Examples:
      nexome export T2D -o T2D.tsv.gz --root associations
      nexome export T2D -o T2D.parquet
    """
    from nexome.store.associations.export import Format, export_study  # noqa: PLC0415

    with open_centre(root) as centre:
        centre.owner_view().study(study)
        format_: Format = "parquet" if output.suffix == ".parquet" else "gwas-ssf"
        written = export_study(centre.store.snapshot(), study, output, format=format_, trait_id=trait)
    for path in written:
        click.echo(f"{path}  {format_bytes(path.stat().st_size)}")


@click.command()
@root_option
@click.argument("study")
@click.argument("wanted", metavar="|".join(ACCESS), type=click.Choice(ACCESS))
@publishes
def access(root: Path, study: str, wanted: Access) -> None:
    """Open a study to everyone, or make it private again; nothing is imported anew.

    It counts from the next question on, also in a root that is served. A private study is seen by its
    owner, and by whom `nexome grant` lets in. What others downloaded while it was open stays with them.
    A new version (--replace) begins with the access named at its import: private when none is.

    \b
    Examples:
      nexome access T2D open --root associations
      nexome access T2D private
    """
    with open_centre(root) as centre:
        changed = centre.store.switch_access(study, wanted)
        if changed:
            centre.catalogue.accounts.audit("owner", "access", study, access=wanted)
    click.echo(f"{study} is {wanted} {'now' if changed else 'already'}.")


@click.command()
@root_option
@click.argument("study")
@click.option("--reason", required=True, help="Why, for the manifest and the event log.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@publishes
def withdraw(root: Path, study: str, reason: str, yes: bool) -> None:
    """Take a study out of the store: no page, question or search finds it any more.

    Its bytes are removed by a later `nexome compact`; backups made before still hold them.

    The word `study` may be left out.

    \b
    Example:
      nexome withdraw study T2D --reason "superseded by T2D-2026" --root associations
    """
    with open_centre(root) as centre:
        known = centre.owner_view().study(study)
        if not yes:
            title = known.study.title or study
            click.confirm(f"Withdraw {study} ({title}, {known.cells:,} associations)?", abort=True)
        centre.store.withdraw(study, reason=reason)
        centre.catalogue.accounts.audit("owner", "withdraw", study, reason=reason)
    click.echo(f"{study} is withdrawn.")
