"""`nexome import genes`: the genes of the home assembly."""

from __future__ import annotations

from pathlib import Path

import click

from nexome.cli.following import publishes
from nexome.cli.options import counted, root_option


@click.command()
@root_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@publishes
def genes(root: Path, file: Path) -> None:
    """Bring in the genes of the home assembly: GTF, GFF3, BED or an Ensembl BioMart table, plain or gzip.

    With genes, `query gene` and the search box know symbols, and top hits name the nearest gene; GTF and
    GFF3 (GENCODE, Ensembl, NCBI, UCSC, plant annotations) bring transcripts with exons and coding parts
    too. A later import takes the place of an earlier one, which stays in the root beside it. Genes on
    contigs that the home assembly does not have are left out and counted by contig.

    \b
    Examples:
      nexome import genes --root associations gencode.v46.annotation.gtf.gz
      nexome import genes --root maize Zm-B73-REFERENCE-NAM-5.0_Zm00001eb.1.gff3.gz
      nexome import genes --root associations genes_grch38.bed.gz
    """
    from nexome.formats.genes import read_gene_file  # noqa: PLC0415
    from nexome.formats.stream import sha256_of  # noqa: PLC0415
    from nexome.store.disk import RootLock  # noqa: PLC0415
    from nexome.store.genes import import_genes  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    opened = open_root(root)
    read = read_gene_file(file)
    checksum = sha256_of(file)
    with RootLock(root):
        made = import_genes(
            root,
            opened.assembly,
            read.genes,
            source=str(file),
            sha256=checksum,
            transcripts=read.transcripts,
        )
        facts = {"kept": made.kept, "transcripts": made.transcripts, "sha256": checksum}
        receipt = {"dropped_by_contig": made.dropped_by_contig, "set_aside": read.set_aside}
        opened.append_event("genes-imported", genes=made.version, **facts, **receipt)
    transcripts = f" with {made.transcripts:,} transcripts" if made.transcripts else ""
    click.echo(f"{made.kept:,} genes{transcripts} kept, version {made.version}.")
    if made.dropped:
        told = counted(made.dropped_by_contig)
        click.echo(f"{made.dropped:,} left out: not on a contig of {opened.assembly.name} ({told}).")
    if read.set_aside:
        click.echo(f"Lines set aside: {counted(read.set_aside)}.")
