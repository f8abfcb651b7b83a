"""What is decided about a file before its rows are read: build, lift-over, kind of feature, authority over z.

Everything comes from what a person or the file says. Where they are silent or contradict each other the
file is refused with the option that would settle it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import pyarrow as pa

from nexome.formats.reader import Reader
from nexome.ingest.harmonise.alleles import detect_letters
from nexome.ingest.harmonise.build import BuildEvidence, canonical_build
from nexome.ingest.harmonise.effects import P_IS_AUTHORITY, Authority
from nexome.ingest.prepare import Plan
from nexome.ingest.requests import ImportOptions, ImportRequest
from nexome.ingest.resources import LiftMap, SitesTable, same_build
from nexome.ingest.spool import row_type
from nexome.model.alleles import DIGITS, LETTERS
from nexome.model.errors import InputError
from nexome.model.genome import Assembly

_PLACE: Final = {"chromosome", "base_pair_location"}


class _Resources(Protocol):
    @property
    def sites(self) -> SitesTable | None: ...

    def lift(self, source: str) -> LiftMap | None: ...


@dataclass(frozen=True, slots=True)
class Chosen:
    """The decisions about one file: the `plan` its rows are read by, and how they were come by.

    `assembly_source`: build of the file's positions ('' when its positions are not used); `build_open`:
    nothing said the build, so the sites table must; `decisions`: for the receipt.
    """

    plan: Plan
    assembly_source: str
    build_open: bool
    decisions: Mapping[str, Any]

    def check_build(self, evidence: BuildEvidence, *, store_assembly: Assembly, where: str) -> None:
        """After reading: raise InputError where the rs numbers do not lie where the sites table has them."""
        verdict = evidence.verdict
        if verdict == "this build" or (verdict == "not told" and not self.build_open):
            return
        found = f"{evidence.agree:,} of {evidence.compared:,} rs numbers lie where the sites table has them"
        if verdict == "mixed builds":
            worst = [
                f"contig {store_assembly.contig_name(rank)}: {agree:,} of {compared:,}"
                for rank, (compared, agree) in sorted(evidence.contigs.items())
                if agree < compared
            ]
            found = f"positions of several builds are mixed: {found} ({'; '.join(worst[:8])})"
        raise InputError(
            found,
            where=where,
            expected=f"positions in {store_assembly.name}",
            todo="Say the file's build with --assembly and give a chain (--chain), or take positions by "
            "rs number (--position-from rsid).",
        )


def choose(
    reader: Reader, request: ImportRequest, options: ImportOptions, *, resources: _Resources, home: Assembly
) -> Chosen:
    """Decide how a file's rows are read. Raises InputError where neither file nor person says enough."""
    terms = set(reader.schema.names)
    named = _named_kind(terms, request)
    by_rsid = options.position_from == "rsid"
    sites = resources.sites
    if (by_rsid or not (named or terms >= _PLACE)) and (sites is None or "rsid" not in terms):
        raise InputError(
            "positions by rs number need rs numbers and a sites table"
            if by_rsid
            else "the file has no positions",
            where=request.path,
            expected="a chromosome and a position, or rs numbers and a table that has their positions",
            todo="Give a sites table of the home assembly (--sites FILE.vcf.gz).",
        )
    placed = terms >= _PLACE and not by_rsid
    build = _build(reader, request, options, placed=placed, has_sites=sites is not None, home=home)
    lift = (
        _lift(build, request, resources, home) if placed and build and not same_build(build, home) else None
    )
    authority: Authority = _authority(reader, options)
    plan = Plan(
        dtype=row_type(_extra(terms)),
        assembly=home,
        source=lift.source if lift else home,
        columns={c.source: c.term for c in reader.columns},
        named=named,
        authority=authority,
        blocks=lift.blocks if lift else None,
        rsids=sites.rsids if sites else None,
        position_from_rsid=by_rsid,
    )
    decisions = {
        "assembly": {"source": build, "home": home.name, "home_digest": home.digest},
        "lifted_by": {"path": str(lift.path), "sha256": lift.sha256} if lift else None,
        "sites": {"path": str(sites.path), "sha256": sites.sha256} if sites else None,
        "fasta": str(options.fasta) if options.fasta else None,
        "z_from": authority,
        "positions_from": "rsid" if by_rsid or not placed else "file",
        "feature_kind": named or "variant",
    }
    return Chosen(plan, build, build_open=placed and not build, decisions=decisions)


def choose_letters(table: pa.Table, options: ImportOptions, *, where: str) -> str:
    """How alleles are written, from the first batch: `LETTERS` or `DIGITS`.

    Raises InputError for 1 and 2 alone: they may be A and C, or 'first' and 'second' allele of a list.
    """
    if options.alleles != "auto":
        return DIGITS if options.alleles == "digits" else LETTERS
    columns = [
        table[name] if name in table.column_names else None for name in ("effect_allele", "other_allele")
    ]
    letters = detect_letters(*columns)
    if letters == DIGITS and _only_two(columns):
        raise InputError(
            "alleles are written 1 and 2 only",
            where=where,
            expected="letters, or all of 1, 2, 3, 4 for A, C, G, T",
            todo="If 1 is A and 2 is C, say --alleles digits; if they only number the alleles, give letters.",
        )
    return letters


def _only_two(columns: list[Any]) -> bool:
    seen: set[str] = set()
    for column in columns:
        if column is not None:
            seen |= {str(v).strip() for v in column.unique().to_pylist() if v is not None}
    return not seen & {"3", "4"}


def _named_kind(terms: set[str], request: ImportRequest) -> str:
    """Kind of the file's features when they are not variants, else ''."""
    said = str(request.study.get("feature_kind", "") or "")
    if "feature_name" not in terms or "effect_allele" in terms:
        if said not in ("", "variant"):
            raise InputError(
                f"features of kind {said}, but no column names them",
                where=request.path,
                expected="a column with the name of each feature",
                todo="Say which it is: --map feature_name=COLUMN.",
            )
        return ""
    if said in ("", "variant"):
        raise InputError(
            "the rows are named features, not variants",
            where=request.path,
            expected="their kind",
            todo="Say what they are: --feature-kind gene, cpg, protein, interval or other.",
        )
    return said


def _build(
    reader: Reader,
    request: ImportRequest,
    options: ImportOptions,
    *,
    placed: bool,
    has_sites: bool,
    home: Assembly,
) -> str:
    said = canonical_build(request.assembly or options.assembly)
    written = canonical_build(str(reader.metadata.get("build") or ""))
    if said and written and said.lower() != written.lower():
        raise InputError(
            f"the file says its build is {written}, the import says {said}",
            where=request.path,
            expected="one build",
            todo="Correct --assembly (or the manifest), or the file's metadata.",
        )
    build = said or written
    if build or not placed or has_sites:
        return build
    raise InputError(
        "nothing says in which build the positions are",
        where=request.path,
        expected="the genome build of the file, which numbers alone do not tell",
        todo=f"Say it: --assembly {home.name} when it is that of this store, or --assembly GRCh37 "
        "--chain FILE for another; or give a sites table of the store's build (--sites).",
    )


def _lift(build: str, request: ImportRequest, resources: _Resources, home: Assembly) -> LiftMap:
    lift = resources.lift(build)
    if lift is None:
        raise InputError(
            f"positions are in {build}, this store keeps {home.name}",
            where=request.path,
            expected="a way from one to the other",
            todo=f"Give a UCSC chain file from {build} to {home.name} (--chain), or a sites table and "
            "--position-from rsid.",
        )
    return lift


def _authority(reader: Reader, options: ImportOptions) -> Authority:
    if options.z_from != "auto":
        return options.z_from
    return "p" if reader.format in P_IS_AUTHORITY else "estimate"


def _extra(terms: set[str]) -> tuple[str, ...]:
    extra: list[str] = [name for name in ("info", "rsid") if name in terms]
    if "n" in terms or {"n_cases", "n_controls"} <= terms:
        extra.append("n")
    if terms & {"study_id", "trait_id", "trait"}:
        extra.append("trait")
    return tuple(extra)
