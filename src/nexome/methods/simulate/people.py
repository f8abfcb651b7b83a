"""A made-up genome and its people: assembly, variants, genes, genotypes, sex, age and ancestry group.

The assembly has seven small chromosomes of random, never spelled-out sequence (48 Mb in all), so nobody
takes a simulated position for a real one. People are mosaics of founders (`coalescent.py`): each haplotype
copies one founder of its group for a stretch, then another, as after `_GENERATIONS` of random mating. The
third group takes its founders from both others.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from nexome.methods.simulate.coalescent import founder_haplotypes
from nexome.model.genome import Assembly, assembly_from_contigs

_CONTIG_MB: Final = (12, 10, 8, 6, 6, 4, 2)
_FOUNDERS: Final = 400
_LEAST_COUNT: Final = 6  # of 400 founders: variants from 1.5 % frequency
_GENERATIONS: Final = 25.0
RECOMBINATION: Final = 1e-8  # per base and generation, the same all over, as of the founders
_GENES: Final = 600
_FIRST_RSID: Final = 4_000_000_001  # far above any number dbSNP has given out
GROUPS: Final = ("Simulated A", "Simulated B", "Simulated A×B")
_GROUP_SHARE: Final = (0.6, 0.25, 0.15)

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Genes:
    """G genes in genome order: name ('SIM1' …), contig rank, first and last base, strand ('+' or '-')."""

    name: list[str]
    contig: Ints
    start: Ints
    end: Ints
    strand: list[str]


@dataclass(frozen=True, slots=True)
class Population:
    """S people and V variants in genome order.

    `genotypes` [V, S] int8 copies of the alternate allele; `contig` (rank), `position`, `rsid`, `ref`,
    `alt` [V]; `sex` (0 female, 1 male), `age` (years), `group` (index into GROUPS) [S].
    """

    assembly: Assembly
    genotypes: npt.NDArray[np.int8]
    contig: Ints
    position: Ints
    rsid: Ints
    ref: list[str]
    alt: list[str]
    sex: npt.NDArray[np.int8]
    age: npt.NDArray[np.float64]
    group: Ints
    genes: Genes

    def covariates(self) -> npt.NDArray[np.float64]:
        """Sex, age, age² and group [S, 5], as a scan takes them (numbers scaled, none missing)."""
        age = (self.age - 60.0) / 10.0
        return np.column_stack([self.sex, age, age * age, self.group == 1, self.group == 2]).astype(float)


def simulate_assembly() -> Assembly:
    """The made-up assembly: chromosomes 1 to 7 of 12 to 2 Mb.

    >>> [c.name for c in simulate_assembly().contigs][:2]
    ['1', '2']
    """
    contigs = [(str(i + 1), mb * 1_000_000) for i, mb in enumerate(_CONTIG_MB)]
    return assembly_from_contigs("nexome-sim-1", "Simulated", contigs)


def simulate_population(seed: int, *, people: int, variants: int) -> Population:
    """A population with LD, groups, sex and age; the same seed and sizes give the same people.

    At most `variants` variants, thinned at random from all of 1.5 % frequency and more among founders.
    """
    assembly = simulate_assembly()
    streams = np.random.SeedSequence(seed).spawn(len(assembly.contigs) + 1)
    random = np.random.default_rng(streams[-1])
    group = random.choice(len(GROUPS), size=people, p=_GROUP_SHARE)
    share = [round(variants * mb / sum(_CONTIG_MB)) for mb in _CONTIG_MB]
    with ThreadPoolExecutor() as pool:
        parts = list(
            pool.map(
                lambda i: _one_contig(np.random.default_rng(streams[i]), _CONTIG_MB[i], group, share[i]),
                range(len(share)),
            )
        )
    contig = np.repeat(np.arange(len(parts)), [p.size for p, _ in parts])
    ref, alt = _alleles(random, contig.size)
    return Population(
        assembly=assembly,
        genotypes=np.concatenate([g for _, g in parts]),
        contig=contig,
        position=np.concatenate([p for p, _ in parts]),
        rsid=_FIRST_RSID + np.arange(contig.size),
        ref=ref,
        alt=alt,
        sex=random.integers(0, 2, people).astype(np.int8),
        age=np.round(random.uniform(40, 80, people), 1),
        group=group,
        genes=_make_genes(random),
    )


def _one_contig(
    random: np.random.Generator, length_mb: int, group: Ints, variants: int
) -> tuple[Ints, npt.NDArray[np.int8]]:
    """Positions [V] and genotypes [V, S] of one contig."""
    origin = np.repeat([0, 1], _FOUNDERS // 2)
    position, founders = founder_haplotypes(random, length_mb * 1_000_000, origin, least_count=_LEAST_COUNT)
    kept = np.sort(random.choice(position.size, min(variants, position.size), replace=False))
    position, founders = position[kept], np.ascontiguousarray(founders[kept].T)
    genotypes = np.zeros((group.size, position.size), dtype=np.int8)
    _copy_mosaic(random, position, founders, group, genotypes)
    return position, np.ascontiguousarray(genotypes.T)


@numba.njit(cache=True, nogil=True)
def _copy_mosaic(
    random: Any,
    position: Ints,
    founders: npt.NDArray[np.int8],
    group: Ints,
    genotypes: npt.NDArray[np.int8],
) -> None:
    """Add two haplotypes to each person: stretches of founders [F, V], the first half of F being group 0."""
    half = founders.shape[0] // 2
    mean_bp = 1.0 / (_GENERATIONS * RECOMBINATION)
    for person in range(group.size):
        for _ in range(2):
            at = 0
            until = 0.0
            while at < position.size:
                until += random.exponential(mean_bp)
                first = half if group[person] == 1 else 0
                source = first + random.integers(0, 2 * half if group[person] == 2 else half)
                while at < position.size and position[at] <= until:
                    genotypes[person, at] += founders[source, at]
                    at += 1


def _alleles(random: np.random.Generator, variants: int) -> tuple[list[str], list[str]]:
    """Reference and alternate alleles; two of three are transitions, one in twenty is an indel."""
    ref = random.integers(0, 4, variants)
    step = random.choice([2, 1, 3], size=variants, p=[2 / 3, 1 / 6, 1 / 6])  # +2 of ACGT is a transition
    alt = (ref + step) % 4
    kind = random.choice(3, size=variants, p=[0.95, 0.025, 0.025])
    tail = ["".join("ACGT"[b] for b in row[: 1 + row[0]]) for row in random.integers(0, 4, (variants, 5))]
    references, alternates = [], []
    for i in range(variants):
        base = "ACGT"[ref[i]]
        references.append(base + tail[i] if kind[i] == 1 else base)
        alternates.append(base + tail[i] if kind[i] == 2 else base if kind[i] == 1 else "ACGT"[alt[i]])
    return references, alternates


def _make_genes(random: np.random.Generator) -> Genes:
    """Genes spread over the contigs by length, 5 to 150 kb long, named in genome order."""
    length = np.array(_CONTIG_MB) * 1_000_000
    contig = np.sort(random.choice(length.size, _GENES, p=length / length.sum()))
    start = np.floor(random.random(_GENES) * (length[contig] - 150_000)).astype(np.int64) + 1
    order = np.lexsort((start, contig))
    contig, start = contig[order], start[order]
    size = np.exp(random.uniform(np.log(5_000), np.log(150_000), _GENES)).astype(np.int64)
    names = [f"SIM{i + 1}" for i in range(_GENES)]
    strand = ["+" if s else "-" for s in random.integers(0, 2, _GENES)]
    return Genes(names, contig, start, start + size - 1, strand)
