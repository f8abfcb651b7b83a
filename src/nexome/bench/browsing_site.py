"""The centre that `nexome bench explorer` browses: the standard store, genes, and a panel around its signals.

The panel holds the store's own features in 1 Mb around the strongest signals of readable studies, so that a
region there is coloured by LD; its people are mosaics of founders (bench.ld). Genes lie evenly, one in
150 kb. Everything is a function of the seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.bench import ours
from nexome.bench.ld import FOUNDERS, mosaic
from nexome.bench.synthetic import SyntheticStore
from nexome.model.genome import unpack_alleles
from nexome.store.associations import Features
from nexome.store.genes import import_genes
from nexome.store.genotypes import GenotypeBlock, GenotypeStore, people_table

PANEL: Final = "BENCH"
HALF_BP: Final = 500_000
GENE_SPACING_BP: Final = 150_000
GENE_BP: Final = 40_000
_APART_BP: Final = 3_000_000
_ROWS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Place:
    """A signal with a panel around it: a study that shows it, its variant, its window, a gene near."""

    study: str
    variant: str
    region: str
    gene: str


@dataclass(frozen=True, slots=True)
class Site:
    """What a person may look for: places with LD, readable studies, words."""

    places: tuple[Place, ...]
    studies: tuple[str, ...]
    genes: tuple[str, ...]


def make_site(root: Path, features: int, traits: int, places: int, people: int) -> Site:
    """The root in `root`, and what there is to see in it."""
    ours.build(root, features, traits)
    genes = _make_genes(root)
    synthetic = SyntheticStore(features, traits)
    axis = ours.axis_of(synthetic)
    found = _strongest(synthetic, axis, places)
    _make_panel(root, axis, [feature for feature, _ in found], people)
    readable = tuple(f"S{int(j):05d}" for j in ours.readable_studies(traits))
    return Site(tuple(_place(axis, *one) for one in found), readable, genes)


def _strongest(synthetic: SyntheticStore, axis: Features, places: int) -> list[tuple[int, int]]:
    """Feature and trait of the strongest signals of readable studies, 3 Mb apart at least."""
    readable = set(ours.readable_studies(synthetic.shape[1]).tolist())
    order = np.argsort(-np.abs(synthetic.signals["peak"]), kind="stable")
    found: list[tuple[int, int]] = []
    for feature, trait, _ in synthetic.signals[order].tolist():
        locus = int(axis.locus[feature])
        free = all(abs(locus - int(axis.locus[other])) > _APART_BP for other, _ in found)
        if trait in readable and free and unpack_alleles(int(axis.allele[feature])):
            found.append((feature, trait))
        if len(found) == places:
            break
    return found


def _place(axis: Features, feature: int, trait: int) -> Place:
    contig, position = divmod(int(axis.locus[feature]), 1 << 32)
    ref, alt = unpack_alleles(int(axis.allele[feature])) or ("", "")
    name = ours.home_assembly().contigs[contig].name
    return Place(
        study=f"S{trait:05d}",
        variant=f"{name}-{position}-{ref}-{alt}",
        region=f"{name}:{max(1, position - HALF_BP)}-{position + HALF_BP}",
        gene=_gene_name(name, position // GENE_SPACING_BP),
    )


def _gene_name(chromosome: str, number: int) -> str:
    return f"BENCH{chromosome}N{number}"


def _make_genes(root: Path) -> tuple[str, ...]:
    """Genes of 40 kb, one in each 150 kb of the autosomes; their symbols."""
    assembly = ours.home_assembly()
    rows = [
        (contig.name, start + 1, start + GENE_BP, _gene_name(contig.name, start // GENE_SPACING_BP))
        for contig in assembly.contigs[: ours.AUTOSOMES]
        for start in range(0, contig.length_bp - GENE_BP, GENE_SPACING_BP)
    ]
    names = ("chromosome", "start", "end", "gene_symbol")
    columns = [list(column) for column in zip(*rows, strict=True)]
    symbols = columns[3]
    table = pa.table({**dict(zip(names, columns, strict=True)), "gene_id": symbols})
    import_genes(root, assembly, table, source="nexome bench explorer", sha256="0" * 64)
    return tuple(symbols)


def _make_panel(root: Path, axis: Features, features: list[int], people: int) -> None:
    sheet = people_table({"sample_id": [f"B{i}" for i in range(people)]})
    rng = np.random.default_rng(3)
    with GenotypeStore.open(root).stage(PANEL, sheet, kind="ld-panel", access="open") as staged:
        for rows in _windows(axis, sorted(features)):
            source = rng.integers(0, FOUNDERS, 2 * people)
            for first in range(rows.start, rows.stop, _ROWS_AT_ONCE):
                part = slice(first, min(first + _ROWS_AT_ONCE, rows.stop))
                alleles = mosaic(part.stop - part.start, source, rng)
                staged.add(_block(axis, part, alleles))
        staged.publish({"source": "nexome bench explorer"})


def _windows(axis: Features, features: list[int]) -> Iterator[slice]:
    """The axis rows of 1 Mb around each feature, in order."""
    for feature in features:
        locus = int(axis.locus[feature])
        contig, position = divmod(locus, 1 << 32)
        ends = [contig << 32 | max(1, position - HALF_BP), contig << 32 | (position + HALF_BP + 1)]
        low, high = np.searchsorted(axis.locus, np.array(ends, np.uint64))
        yield slice(int(low), int(high))


def _block(axis: Features, rows: slice, alleles: npt.NDArray[np.int8]) -> GenotypeBlock:
    calls = alleles.reshape(len(alleles), -1, 2)
    return GenotypeBlock(
        locus=np.asarray(axis.locus[rows]),
        allele=np.asarray(axis.allele[rows]),
        calls=calls,
        phased=np.ones(calls.shape[:2], bool),
    )
