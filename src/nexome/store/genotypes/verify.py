"""Verifying genotypes: each file against its checksum, keys in order, and the packed form against the calls.

Nothing is changed. A damaged folder is not looked into further.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import numpy as np

from nexome.model.errors import NexomeError
from nexome.store.checksums import find_damage
from nexome.store.genotypes import kernels
from nexome.store.genotypes.dataset import GenotypeSet
from nexome.store.genotypes.manifest import FOLDER
from nexome.store.genotypes.store import GenotypeStore

_CALLS_AT_ONCE: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: by checksum (file), or by what is in it (structure)."""

    kind: Literal["file", "structure"]
    where: str
    found: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found}"


@dataclass
class GenotypesReport:
    """What was looked at, and all that is wrong. `ok` when nothing is."""

    sets: int = 0
    genotypes: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def verify_genotypes(root: Path, progress: Callable[[str, int, int], None] | None = None) -> GenotypesReport:
    """Look at all sets of a root."""
    report = GenotypesReport()
    sets = GenotypeStore.open(root).sets()
    for number, found in enumerate(sets.values(), 1):
        if progress is not None:
            progress(f"genotypes {found.name}", number, len(sets))
        report.sets += 1
        report.genotypes += found.size * found.people
        report.findings += _findings(root, found)
    return report


def _findings(root: Path, found: GenotypeSet) -> Iterator[Finding]:
    folder = root / FOLDER / found.entry.path
    try:
        damage = [
            Finding("file", str(d.path), d.found) for d in find_damage(folder, digest=found.entry.digest)
        ]
        yield from damage
        if not damage:
            yield from _structure(found)
    except NexomeError as error:
        yield Finding("structure", error.where or str(folder), error.found)


def _structure(found: GenotypeSet) -> Iterator[Finding]:
    packed = found.packed
    later = (packed.locus[1:] > packed.locus[:-1]) | (
        (packed.locus[1:] == packed.locus[:-1]) & (packed.allele[1:] > packed.allele[:-1])
    )
    if not later.all():
        yield Finding("structure", str(found.path), "variants are not in order")
    if packed.genotypes.shape[0] != found.size or found.samples.num_rows != found.people:
        yield Finding("structure", str(found.path), "another number of variants or people than published")
        return
    step = max(1, _CALLS_AT_ONCE // max(1, found.people))
    for start in range(0, found.size, step):
        rows = slice(start, min(found.size, start + step))
        calls, _ = found.calls(rows)
        genotypes, haplotypes = kernels.pack_calls(np.ascontiguousarray(calls), packed.genotypes.shape[2])
        same = (genotypes == packed.genotypes[rows]).all()
        if packed.haplotypes is not None:
            same &= (haplotypes == packed.haplotypes[rows]).all()
        if not same:
            where = f"{packed.path}, rows {rows.start}–{rows.stop - 1}"
            yield Finding(
                "structure", where, "not what the calls give; delete the packed form, it is derived"
            )
