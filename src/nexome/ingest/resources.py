"""Files that help to read others: a sites table, a chain, a reference sequence; opened once per command.

Sites are held in memory, about 32 bytes each. Each resource is checked against the home assembly before
a row is read: a chain must lead to it, a reference sequence must have its contigs with their lengths.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nexome.formats.chain import Chain, read_chain
from nexome.formats.fasta import Fasta
from nexome.formats.stream import sha256_of
from nexome.formats.vcf_sites import read_sites
from nexome.ingest.harmonise.alleles import Sites, sorted_sites
from nexome.ingest.harmonise.build import RsidIndex, canonical_build
from nexome.ingest.harmonise.lift import LiftBlocks
from nexome.ingest.harmonise.names import contig_ranks, rsid_numbers
from nexome.model.alleles import pack_alleles
from nexome.model.errors import InputError
from nexome.model.genome import Assembly, assembly_from_contigs, loci_of


@dataclass(frozen=True)
class SitesTable:
    """Known sites of the home assembly: `sites`, the index of their rs numbers, the file and its SHA-256."""

    sites: Sites
    path: Path
    sha256: str

    @cached_property
    def rsids(self) -> RsidIndex:
        """Loci by rs number."""
        return RsidIndex.of(self.sites)


@dataclass(frozen=True, slots=True)
class LiftMap:
    """A chain made ready: its blocks, the assembly it starts from (its contigs alone), file and SHA-256."""

    blocks: LiftBlocks
    source: Assembly
    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference sequence: `fetch` gives bases by contig names of the home assembly."""

    fetch: Callable[[str, int, int], str]
    path: Path


def load_sites(path: Path, assembly: Assembly) -> SitesTable:
    """Read a sites table whose positions are in `assembly`; contigs it lacks are left out."""
    parts: dict[str, list[Any]] = {name: [] for name in ("locus", "allele", "frequency", "rsid")}
    for table in read_sites(path):
        contig = contig_ranks(table["chromosome"], assembly)
        position = table["base_pair_location"].combine_chunks().fill_null(0).to_numpy()
        packed = pack_alleles(table["ref_allele"], table["alt_allele"])
        use = (contig >= 0) & (position > 0) & ~packed.absent
        parts["locus"].append(loci_of(np.maximum(contig, 0), np.maximum(position, 0))[use])
        parts["allele"].append(packed.keys[use])
        parts["frequency"].append(table["frequency"].to_numpy().astype(np.float32)[use])
        parts["rsid"].append(rsid_numbers(table["rsid"])[use])
    joined = {name: np.concatenate(found) if found else None for name, found in parts.items()}
    if joined["locus"] is None or not len(joined["locus"]):
        raise InputError(
            "no site on a contig of the home assembly", where=str(path), expected=f"sites of {assembly.name}"
        )
    return SitesTable(sorted_sites(**joined), path, sha256_of(path))  # type: ignore[arg-type]


def load_lift(path: Path, home: Assembly, *, source_name: str) -> LiftMap:
    """Read a chain that leads to `home`. Raises InputError when its target contigs are not those of home."""
    chain = read_chain(path)
    ranks = np.array([_rank(home, name) for name in chain.targets], np.int32)
    _check_target(chain, home, ranks, path)
    source = assembly_from_contigs(source_name, home.species, list(chain.sources.items()))
    columns: dict[str, list[Any]] = {
        n: [] for n in ("source", "start", "end", "target", "target_start", "inverted")
    }
    for number, name in enumerate(chain.sources):
        if (found := chain.blocks.get(name)) is None:
            continue
        columns["source"].append(np.full(len(found.start), number, np.int32))
        columns["start"].append(found.start - 1)
        columns["end"].append(found.end)
        columns["target"].append(ranks[found.target])
        columns["target_start"].append(found.target_start - 1)
        columns["inverted"].append(found.step < 0)
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    return LiftMap(LiftBlocks.of(**joined), source, path, chain.sha256)


def load_reference(path: Path, home: Assembly) -> Reference:
    """Open a FASTA of `home`. Raises InputError when no contig fits or a length differs."""
    fasta = Fasta.open(path)
    names: dict[str, str] = {}
    for name, length in fasta.contigs.items():
        rank = home.find_contig(name)
        if rank is None:
            continue
        contig = home.contigs[rank]
        if contig.length_bp and contig.length_bp != length:
            raise InputError(
                f"sequence {name} has {length:,} bases",
                where=str(path),
                expected=f"{contig.length_bp:,}, as {contig.name} of {home.name}",
            )
        names[contig.name] = name
    if not names:
        raise InputError(
            "no sequence of the home assembly", where=str(path), expected=f"contigs of {home.name}"
        )

    def fetch(contig: str, start: int, end: int) -> str:
        if contig not in names:
            return ""
        length = fasta.contigs[names[contig]]
        return fasta.fetch(names[contig], start, min(end, length)) if start <= length else ""

    return Reference(fetch, path)


def same_build(name: str, home: Assembly) -> bool:
    """Whether a build's name means the home assembly."""
    return canonical_build(name).lower() == canonical_build(home.name).lower()


def _rank(home: Assembly, name: str) -> int:
    rank = home.find_contig(name)
    return -1 if rank is None else rank


def _check_target(chain: Chain, home: Assembly, ranks: Any, path: Path) -> None:
    known = [
        (name, size, int(rank))
        for (name, size), rank in zip(chain.targets.items(), ranks, strict=True)
        if rank >= 0
    ]
    wrong = [
        (n, s, home.contigs[r].length_bp) for n, s, r in known if home.contigs[r].length_bp not in (0, s)
    ]
    if not known or len(wrong) * 2 > len(known):
        found = (
            f"{wrong[0][0]} of {wrong[0][1]:,} bases (home: {wrong[0][2]:,})" if wrong else "other contigs"
        )
        raise InputError(
            f"this chain leads to {found}",
            where=str(path),
            expected=f"a chain to the home assembly {home.name}",
            todo="Give the chain from the file's build to the home assembly, not the other way round.",
        )
