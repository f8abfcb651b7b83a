"""`nexome init`: make a new root."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nexome.cli.options import FOLDER, named_root, one_root

if TYPE_CHECKING:
    from nexome.model.genome import Assembly


@click.command()
@click.argument("root_word", metavar="ROOT", type=FOLDER, required=False)
@named_root("Folder of the new root, if not the first word.")
@click.option(
    "--assembly",
    default="GRCh38",
    show_default=True,
    help="Home assembly: GRCh38, GRCh37, a FASTA, its .fai index, or a file of contig names and lengths.",
)
@click.option("--species", default="", help="Species of an assembly read from a file.")
@click.option("--name", default="", help="Name of an assembly read from a file; its file name otherwise.")
def init(root_word: Path | None, root_named: Path | None, assembly: str, species: str, name: str) -> None:
    """Make a new, empty root: one folder that will hold all data, settings and accounts of a centre.

    A root has one home assembly for good: studies on another one are lifted over when they are
    imported. Nothing is asked, nothing is downloaded.

    \b
    Examples:
      nexome init associations
      nexome init ~/rice --assembly IRGSP-1.0.fa --species "Oryza sativa"
    """
    from nexome.store.root import create_root  # noqa: PLC0415

    if (root := one_root(root_word, root_named)) is None:
        raise click.UsageError("Name a folder for the new root.")
    made = create_root(root, assembly=_assembly(assembly, species=species, name=name))
    contigs = len(made.assembly.contigs)
    click.echo(f"A new root at {root}, home assembly {made.assembly.name} ({contigs} contigs).")
    click.echo("\nNext:")
    click.echo(
        f"  nexome import associations --root {root} --study NAME --assembly {made.assembly.name} FILE…"
    )
    click.echo(f"  nexome import genes --root {root} FILE      so that genes can be asked for")
    click.echo(f"  nexome serve {root}")


def _assembly(text: str, *, species: str, name: str) -> Assembly:
    from nexome.model.errors import NotFoundError  # noqa: PLC0415
    from nexome.store.root import load_assembly, read_assembly  # noqa: PLC0415

    path = Path(text).expanduser()
    if path.is_file():
        return read_assembly(path, name=name, species=species)
    try:
        return load_assembly(text)
    except NotFoundError as error:
        if path.suffix or "/" in text:
            raise NotFoundError("no such file", where=text) from None
        raise error.at("--assembly") from None
