"""`nexome import genes`: the genes of the home assembly."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from nexome.cli.options import root_option


@click.command()
@root_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def genes(root: Path, file: Path) -> None:
    """Bring in the genes of the home assembly, from BED or an Ensembl BioMart table, plain or gzip.

    With genes, `query gene` and the search box know symbols, and top hits name the nearest gene. A
    later import takes the place of an earlier one, which stays in the root beside it. Genes on contigs
    that the home assembly does not have are left out and counted.

    \b
    Examples:
      nexome import genes --root associations genes_grch38.bed.gz
      nexome import genes --root associations mart_export.txt
    """
    from nexome.formats.genes import read_genes  # noqa: PLC0415
    from nexome.store.disk import RootLock  # noqa: PLC0415
    from nexome.store.genes import import_genes  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    opened = open_root(root)
    table = read_genes(file).rename_columns({"symbol": "gene_symbol"})  # the stored name
    with file.open("rb") as stream:
        checksum = hashlib.file_digest(stream, "sha256").hexdigest()
    with RootLock(root):
        made = import_genes(root, opened.assembly, table, source=str(file), sha256=checksum)
        opened.append_event("genes-imported", genes=made.version, kept=made.kept, sha256=checksum)
    click.echo(f"{made.kept:,} genes kept, version {made.version}.")
    if made.dropped:
        contigs = ", ".join(made.dropped_contigs[:8]) + (" …" if len(made.dropped_contigs) > 8 else "")
        click.echo(f"{made.dropped:,} left out: not on a contig of {opened.assembly.name} ({contigs}).")
