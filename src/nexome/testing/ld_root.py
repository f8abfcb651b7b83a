"""A tiny root with genotypes in LD: two panels, and a study whose associations follow from them.

    EAST        open, phased, 170 people: CHB 60, JPT 50, YRI 40, FEW 20 (superpopulations EAS, AFR)
    CLINIC      private, unphased with missing calls: 80 people in no population
    GLUCOSE     an open study, ancestry "East Asian", p from the LD with two causal variants
    SECRET      a private study with the same numbers

120 variants on contig 1, 400 bases apart or so. Of EAST: row 7 varies in YRI and FEW alone; at the
positions of rows 20 and 22 there is a second alternate allele, and GLUCOSE lacks row 22; row 30's alleles
stand in the other order in GLUCOSE; GLUCOSE has rows 100 … 119, EAST has not. The numbers are made from a
seed and mean nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.model.genome import allele_key, assembly_from_contigs, loci_of
from nexome.model.terms import Access, Study, Trait
from nexome.store.associations import AssociationStore, Block
from nexome.store.genotypes import GenotypeBlock, GenotypeStore, people_table
from nexome.store.root import create_root

ASSEMBLY: Final = assembly_from_contigs("toy", "Homo sapiens", [("1", 100_000), ("2", 50_000)])
POPULATIONS: Final = (("CHB", "EAS", 60), ("JPT", "EAS", 50), ("YRI", "AFR", 40), ("FEW", "", 20))
VARIANTS: Final = 120
IN_PANEL: Final = 100
YRI_ALONE: Final = 7
TWO_ALLELES: Final = 20
NOT_IN_STUDY: Final = 22
SWAPPED: Final = 30
CAUSAL: Final = (40, 75)
FIRST_RSID: Final = 1000


@dataclass(frozen=True, slots=True)
class LdRoot:
    """Where it lies, and what was put in.

    `east`, `clinic` are alleles int8 [V, 2S] (−1 missing), `positions` int64 [V].
    """

    path: Path
    east: npt.NDArray[np.int8]
    clinic: npt.NDArray[np.int8]
    positions: npt.NDArray[np.int64]

    def id(self, row: int) -> str:
        """The variant of a row, as people write it."""
        return f"1-{self.positions[row]}-A-G"


def mosaic_haplotypes(
    seed: int, variants: int, people: int, *, missing: float = 0.0
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int64]]:
    """Alleles int8 [V, 2S] of people who copy six ancestors in turns, and positions [V].

    A `missing` share of people lacks both alleles of a variant (−1).
    """
    rng = np.random.default_rng(seed)
    ancestors = rng.random((6, variants)) < rng.random(variants) * 0.6 + 0.05
    source = np.empty((2 * people, variants), np.int64)
    source[:, 0] = rng.integers(0, 6, 2 * people)
    for v in range(1, variants):
        changed = rng.random(2 * people) < 0.08
        source[:, v] = np.where(changed, rng.integers(0, 6, 2 * people), source[:, v - 1])
    alleles = (ancestors[source, np.arange(variants)] ^ (rng.random(source.shape) < 0.02)).T
    gone = np.repeat(rng.random((variants, people)) < missing, 2, axis=1)
    return np.where(gone, -1, alleles).astype(np.int8), np.cumsum(rng.integers(1, 800, variants))


def make_ld_root(path: Path) -> LdRoot:
    """Make the root in a new folder; a second or so."""
    create_root(path, assembly=ASSEMBLY)
    people = sum(size for _, _, size in POPULATIONS)
    east, positions = mosaic_haplotypes(5, VARIANTS, people)
    clinic, _ = mosaic_haplotypes(6, VARIANTS, 80, missing=0.05)
    asians = 2 * 110
    east[YRI_ALONE, :asians] = 0
    east[YRI_ALONE, asians:] = np.arange(2 * people - asians) % 3 == 0
    made = LdRoot(path, east, clinic, positions)
    _publish_panels(made)
    _publish_studies(made)
    return made


def _publish_panels(made: LdRoot) -> None:
    store = GenotypeStore.open(made.path)
    groups = [(name, group) for name, group, size in POPULATIONS for _ in range(size)]
    people = {
        "sample_id": [f"E{i}" for i in range(len(groups))],
        "population": [name for name, _ in groups],
        "superpopulation": [group for _, group in groups],
    }
    with store.stage("EAST", people_table(people), kind="ld-panel", access="open") as staged:
        staged.add(_genotypes(made.positions[:IN_PANEL], made.east[:IN_PANEL], phased=True))
        staged.add(
            _genotypes(made.positions[[TWO_ALLELES, NOT_IN_STUDY]], made.east[[3, 4]], phased=True, alt="T")
        )
        staged.publish({})
    clinic = {"sample_id": [f"C{i}" for i in range(80)]}
    with store.stage("CLINIC", people_table(clinic), kind="samples", access="private") as staged:
        staged.add(_genotypes(made.positions, made.clinic, phased=False))
        staged.publish({})


def _genotypes(
    positions: npt.NDArray[Any], alleles: npt.NDArray[np.int8], *, phased: bool, alt: str = "G"
) -> GenotypeBlock:
    calls = alleles.reshape(len(alleles), -1, 2)
    return GenotypeBlock(
        locus=loci_of(np.zeros(len(positions), np.int64), positions),
        allele=np.full(len(positions), allele_key("A", alt), np.uint64),
        calls=calls if phased else np.sort(calls, axis=2),
        phased=np.full(calls.shape[:2], phased),
        rsid=(FIRST_RSID + positions).astype(np.uint32) if phased else None,
    )


def _publish_studies(made: LdRoot) -> None:
    counts = made.east.reshape(VARIANTS, -1, 2).sum(2).astype(float)
    counts = (counts - counts.mean(1, keepdims=True)) / np.maximum(counts.std(1, keepdims=True), 1e-9)
    z = sum(8.0 * (counts @ counts[cause]) / counts.shape[1] for cause in CAUSAL)
    z += np.random.default_rng(8).normal(0, 1, VARIANTS)
    z[SWAPPED] *= -1
    alleles = [allele_key("G", "A") if row == SWAPPED else allele_key("A", "G") for row in range(VARIANTS)]
    kept = np.delete(np.arange(VARIANTS), NOT_IN_STUDY)
    block = Block(
        locus=loci_of(np.zeros(len(kept), np.int64), made.positions[kept]),
        allele=np.array(alleles, np.uint64)[kept],
        z=np.asarray(z, np.float32)[kept],
        se=np.full(len(kept), 0.05, np.float32),
        eaf=np.clip(made.east.mean(1), 0.01, 0.99).astype(np.float32)[kept],
        rsid=(FIRST_RSID + made.positions[kept]).astype(np.uint32),
    )
    store = AssociationStore.open(made.path)
    accesses: tuple[tuple[str, Access], ...] = (("GLUCOSE", "open"), ("SECRET", "private"))
    for name, access in accesses:
        traits = (Trait("glucose", "Fasting glucose", n=5000.0),)
        staged = store.stage(Study(name, access=access, ancestry="East Asian", traits=traits))
        staged.add(block)
        staged.publish({"study": name})
