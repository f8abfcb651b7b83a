"""In which build the positions of a genotype file are: said, told by its contigs, or refused.

Lengths of contigs in a VCF header tell a build for certain; a name in ##reference counts next. Numbers
alone never do. A file on another build than the root's needs a chain, or rs numbers and a sites table.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nexome.formats.genotypes import Header
from nexome.ingest.genotypes.requests import GenotypeOptions
from nexome.ingest.harmonise.build import canonical_build
from nexome.ingest.resources import LiftMap, load_lift, same_build
from nexome.model.errors import InputError
from nexome.model.genome import Assembly
from nexome.store.root import known_assemblies, load_assembly

_SHORTEST = 10_000  # shorter contigs (mitochondria, decoys) are the same in several builds


def source_build(header: Header, options: GenotypeOptions, home: Assembly, *, where: str) -> str:
    """The build of a file's positions. Raises InputError when nothing tells it, or two things disagree."""
    said = canonical_build(options.assembly)
    if said.lower() == canonical_build(home.name).lower():
        said = home.name
    proved = _by_lengths(header.contigs, home)
    if said and proved and not _same(said, proved):
        raise InputError(
            f"the lengths of its contigs are those of {proved}, the import says {said}",
            where=where,
            expected="one build",
            todo=f"Say --assembly {proved}." if proved != OTHER else "Correct --assembly.",
        )
    written = home.name if header.build and same_build(header.build, home) else header.build
    build = said or (proved if proved != OTHER else "") or written
    if build or options.position_from == "rsid":
        return build or OTHER
    raise InputError(
        "nothing says in which build the positions are",
        where=where,
        expected="the genome build of the file, which numbers alone do not tell",
        todo=f"Say it: --assembly {home.name} when it is this root's, or --assembly GRCh37 --chain FILE.",
    )


OTHER = "another build"


def lift_for(build: str, options: GenotypeOptions, home: Assembly, *, where: str) -> LiftMap | None:
    """The chain to the home assembly; None when positions are in it already, or come from rs numbers.

    Raises InputError when another build has no chain.
    """
    if options.position_from == "rsid":
        if options.sites is None:
            raise InputError(
                "positions by rs number need a sites table", expected="--sites FILE of the home assembly"
            )
        return None
    if same_build(build, home):
        return None
    if options.chain is None:
        raise InputError(
            f"positions are in {build}, this root keeps {home.name}",
            where=where,
            expected="a way from one to the other",
            todo=f"Give a UCSC chain file from {build} to {home.name} (--chain), or a sites table of "
            f"{home.name} and --position-from rsid.",
        )
    return load_lift(Path(options.chain), home, source_name=build)


def _by_lengths(contigs: Mapping[str, int], home: Assembly) -> str:
    """The assembly whose contig lengths these are; `OTHER` when it is unknown, '' when they do not tell."""
    compared, agree = _compare(contigs, home)
    if not compared:
        return ""
    if agree == compared:
        return home.name
    for name in known_assemblies():
        other = _compare(contigs, load_assembly(name))
        if other[0] and other[0] == other[1]:
            return name
    return OTHER


def _compare(contigs: Mapping[str, int], assembly: Assembly) -> tuple[int, int]:
    compared = agree = 0
    for name, length in contigs.items():
        rank = assembly.find_contig(name)
        own = assembly.contigs[rank].length_bp if rank is not None and length >= _SHORTEST else 0
        compared += own > 0
        agree += own > 0 and own == length
    return compared, agree


def _same(one: str, other: str) -> bool:
    return canonical_build(one).lower() == canonical_build(other).lower()
