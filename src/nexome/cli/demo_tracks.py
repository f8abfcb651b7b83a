"""What is drawn beside the demo's results, as files: genes with transcripts, a map, bands, the causes.

    <files>/genes.gff3.gz               genes of the made-up assembly, one to three transcripts each
    <files>/recombination_map.txt.gz    HapMap's form: the rate people were recombined with, the same all over
    <files>/cytobands.txt               eight bands a chromosome, the centromere's in the middle
    <files>/causes.bed                  each causal variant, named by its trait; score: 1000 × its share

All of it is made up, as the genome is. The recombination rate is the truth of the simulation.
"""

from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from nexome.methods.simulate.people import RECOMBINATION, Population
from nexome.methods.simulate.traits import Phenotypes

GENES: Final = "genes.gff3.gz"
MAP: Final = "recombination_map.txt.gz"
BANDS: Final = "cytobands.txt"
CAUSES_BED: Final = "causes.bed"

_MAP_STEP_BP: Final = 100_000
_CM: Final = 100.0  # in a Morgan
_STAINS: Final = ("gneg", "gpos50", "gneg", "acen", "acen", "gneg", "gpos75", "gneg")
_CAUSES_TITLES: Final = ("Causal variants of the simulation", "模拟的致因变异")


def write_tracks(folder: Path, population: Population, phenotypes: Phenotypes) -> None:
    """Write the four files. The same population gives the same bytes."""
    _write_packed(folder / GENES, _gene_lines(population))
    _write_packed(folder / MAP, _map_lines(population))
    (folder / BANDS).write_text("\n".join(_band_lines(population)) + "\n", encoding="utf-8")
    (folder / CAUSES_BED).write_text("\n".join(_cause_lines(population, phenotypes)) + "\n", encoding="utf-8")


def track_commands(files: Path) -> list[tuple[str, list[str]]]:
    """The commands that bring the files in, after the genes: name and arguments, without the root."""
    english, chinese = _CAUSES_TITLES
    titled = ["--title", english, "--title-zh", chinese, "--access", "open"]
    return [
        ("import recombination-map", ["--title", "Recombination (simulated)", str(files / MAP)]),
        ("import cytobands", ["--title", "Bands (made up)", str(files / BANDS)]),
        ("import track", ["--name", "causes", *titled, str(files / CAUSES_BED)]),
    ]


def _gene_lines(population: Population) -> list[str]:
    """GFF3: each gene with one to three transcripts of two to nine exons, the first one canonical."""
    genes, contigs = population.genes, population.assembly.contigs
    rng = np.random.default_rng(len(genes.name))
    lines = ["##gff-version 3"]
    for at, symbol in enumerate(genes.name):
        contig, strand = contigs[int(genes.contig[at])].name, genes.strand[at]
        place = (int(genes.start[at]), int(genes.end[at]))
        own = f"SIMG{at + 1:05d}"

        def line(
            kind: str, reach: tuple[int, int], text: str, contig: str = contig, strand: str = strand
        ) -> str:
            return f"{contig}\tnexome\t{kind}\t{reach[0]}\t{reach[1]}\t.\t{strand}\t.\t{text}"

        lines.append(line("gene", place, f"ID=gene:{own};Name={symbol};biotype=simulated;gene_id={own}"))
        exons = _exons(rng, place)
        for number in range(int(rng.integers(1, 4))):
            kept = exons if number == 0 else [e for e in exons if rng.random() < 0.7] or exons[:1]
            name = f"SIMT{at + 1:05d}.{number + 1}"
            mark = ";tag=Ensembl_canonical" if number == 0 else ""
            ids = f"ID=transcript:{name};Parent=gene:{own};transcript_id={name};biotype=simulated{mark}"
            lines.append(line("mRNA", (kept[0][0], kept[-1][1]), ids))
            lines += [line("exon", exon, f"Parent=transcript:{name}") for exon in kept]
            coding = kept[1:-1] or kept
            lines += [line("CDS", exon, f"ID=cds:{name};Parent=transcript:{name}") for exon in coding]
    return lines


def _exons(rng: np.random.Generator, place: tuple[int, int]) -> list[tuple[int, int]]:
    """Exons of a gene that reaches from its first to its last base."""
    start, end = place
    count = int(rng.integers(2, 10))
    edges = np.linspace(start, end + 1, count + 1).astype(int).tolist()
    longest = (end - start) // (2 * count)
    size = np.minimum(rng.integers(120, 900, count), longest).tolist()
    exons = [(first, first + size[at] - 1) for at, first in enumerate(edges[:-1])]
    return [*exons[:-1], (end - size[-1] + 1, end)]


def _map_lines(population: Population) -> list[str]:
    rate = RECOMBINATION * _CM * 1e6  # Morgans a base → centimorgans a megabase
    lines = ["Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)"]
    for contig in population.assembly.contigs:
        lines += [
            f"{contig.name}\t{position}\t{rate:.6f}\t{(position - 1) * rate / 1e6:.6f}"
            for position in [*range(1, contig.length_bp, _MAP_STEP_BP), contig.length_bp]
        ]
    return lines


def _band_lines(population: Population) -> list[str]:
    lines = []
    for contig in population.assembly.contigs:
        edges = np.linspace(0, contig.length_bp, len(_STAINS) + 1).astype(int).tolist()
        for at, (start, end) in enumerate(pairwise(edges)):
            arm, number = ("p", 4 - at) if at < 4 else ("q", at - 3)
            lines.append(f"{contig.name}\t{start}\t{end}\t{arm}{number}1\t{_STAINS[at]}")
    return lines


def _cause_lines(population: Population, phenotypes: Phenotypes) -> list[str]:
    contigs = population.assembly.contigs
    lines = []
    for cause in phenotypes.causes:
        position = int(population.position[cause.variant])
        contig = contigs[int(population.contig[cause.variant])].name
        score = round(1000 * cause.share, 3)
        sign = "+" if cause.sign > 0 else "-"
        lines.append(f"{contig}\t{position - 1}\t{position}\t{cause.trait}\t{score}\t{sign}")
    return lines


def _write_packed(path: Path, lines: list[str]) -> None:
    """Gzip without the time of writing, so that the same lines give the same bytes."""
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), compresslevel=4, mtime=0))
