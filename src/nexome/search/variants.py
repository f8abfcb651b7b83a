"""Variants as records: those that knowledge says something about, and the leads of published studies.

A lead is one record for each study it leads in, seen by the key of that study's leads and about that study's
traits alone, so that no record tells a reader of one study what another found. Matches of one variant are one
(`plain_id`). Of knowledge, statements that are denied, or in which ClinVar calls a variant benign, uncertain
or disputed, tie it to nothing. Millions of other variants have no meaning but their name, by which they are
found where they are kept.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from nexome.model.knowledge import EXACT, IS_A, XREF, Name, NamedTerm, normalise_curie
from nexome.model.terms import Study
from nexome.search.records import SearchRecord

LEAD_KEY: Final = "lead:"
"""Before the name of a study: the visibility key of its lead variants, held by who may read its results."""
VOCABULARIES: Final = ("dbSNP", "ClinVar")
MOST_OF_A_STUDY: Final = 2_000
_OWN: Final = 1_000_000  # strength of a study's first lead: what was found here comes before what is known
_MOST_SCORE: Final = 1_000.0
_GENES: Final = 3  # told of a variant
_COLUMNS: Final = ["variant", "predicate", "other", "qualifier", "score"]
_PREFIXES: Final = tuple(f"{name}:" for name in VOCABULARIES)
_RS: Final = "dbSNP:"
_AT: Final = "@"  # between a lead and its study; no rs number and no place of a variant has one
_OTHERWISE: Final = frozenset((IS_A, EXACT, XREF, "biolink:mentioned_by"))
_NO_TIE: Final = (
    r"(?i)(^|;)not(;|$)|(^|;)significance=[^;]*(benign|uncertain|conflicting|not provided|no classification)"
)
_HGVS: Final = re.compile(r"[^\s():]+\((?P<gene>[^)\s]+)\):(?P<change>\S+)(?:\s+\((?P<protein>[^)]+)\))?$")
_IMPACT: Final = re.compile(r"(?:^|;)impact=([^;]+)")
_SYMBOL: Final = re.compile(r"(?:^|;)symbol=([^;]+)")

Statements = Callable[[], Iterable[tuple[str, pa.RecordBatch]]]


@dataclass(frozen=True, slots=True)
class Lead:
    """The strongest variant of a locus: what its page takes, its rs number or '', numbers of the traits."""

    id: str
    rsid: str
    traits: tuple[int, ...]


def plain_id(kind: str, identifier: str) -> str:
    """What a thing is called by others: of a variant, its record without the study it leads in.

    >>> plain_id("variant", "rs7903146@T2D"), plain_id("study", "T2D")
    ('rs7903146', 'T2D')
    """
    return identifier.partition(_AT)[0] if kind == "variant" else identifier


def is_variant(curie: str) -> bool:
    """Whether an identifier of knowledge is that of a variant."""
    return curie.startswith(_PREFIXES)


def lead_records(studies: Iterable[tuple[Study, Sequence[Lead]]]) -> Iterator[SearchRecord]:
    """Leads as records; the first of every study is told before the second of any."""
    for study, leads in studies:
        for rank, same in enumerate(_by_name(leads)):
            yield _lead_record(study, same, rank)


def _by_name(leads: Iterable[Lead]) -> Iterable[Sequence[Lead]]:
    """Leads by what they are called: variants at one place may share an rs number."""
    found: dict[str, list[Lead]] = {}
    for lead in leads:
        found.setdefault(lead.rsid or lead.id, []).append(lead)
    return found.values()


def _lead_record(study: Study, same: Sequence[Lead], rank: int) -> SearchRecord:
    traits = [study.traits[number] for lead in same for number in lead.traits]
    terms = (normalise_curie(term) for trait in traits for term in trait.ontology)
    about = sorted({term for term in terms if term})
    label, places = same[0].rsid or same[0].id, [lead.id for lead in same]
    return SearchRecord(
        "variant",
        f"{label}{_AT}{study.id}",
        [Name(label, "label", "en"), *(Name(text, "exact", "en") for text in places if text != label)],
        about=about,
        visibility=LEAD_KEY + study.id,
        note=", ".join(text for text in places if text != label),
        strengths=[float(_OWN - rank)] * len(about),
    )


@dataclass(slots=True)
class _Told:
    """What is known of one variant: its names, genes, what it is tied to, how many statements say so."""

    names: dict[str, None] = field(default_factory=dict)
    genes: dict[str, None] = field(default_factory=dict)
    about: dict[str, float] = field(default_factory=dict)
    statements: int = 0


class KnownVariants:
    """The variants that statements tie to something: the `most` with the most statements."""

    def __init__(self, statements: Statements, most: int) -> None:
        self._statements = statements
        self._chosen = _most_told(statements, most)
        self._names: defaultdict[str, list[str]] = defaultdict(list)

    def other_than_these(self, terms: Iterable[NamedTerm]) -> Iterator[NamedTerm]:
        """Terms that are no variants; names of variants that are records here are kept for `records`."""
        wanted = frozenset(self._chosen.to_pylist())
        for term in terms:
            if not is_variant(term.id):
                yield term
            elif term.id in wanted:
                self._names[term.id] += (name.text for name in term.names)

    def records(self) -> Iterator[SearchRecord]:
        """Variants as records, those with the most statements first; `other_than_these` was read before."""
        told = self._told()
        for curie, known in sorted(told.items(), key=lambda one: (-one[1].statements, one[0])):
            own = curie.removeprefix(_RS)
            label = own if curie.startswith(_RS) else next(iter(known.names), curie)
            names = dict.fromkeys((label, *known.names))
            yield SearchRecord(
                "variant",
                own,
                [Name(text, "label" if text == label else "exact", "en") for text in names],
                about=list(known.about),
                weight=known.statements,
                note=", ".join(islice(known.genes, _GENES)),
                strengths=list(known.about.values()),
            )

    def _told(self) -> dict[str, _Told]:
        """All that is known of the chosen ones; a variation of ClinVar that has an rs number under that."""
        rows = self._rows()
        number: dict[str, set[str]] = defaultdict(set)
        for variant, predicate, other, *_ in rows:
            if predicate == EXACT and other.startswith(_RS) and not variant.startswith(_RS):
                number[variant].add(other)
        called = {variant: found.pop() for variant, found in number.items() if len(found) == 1}
        told: defaultdict[str, _Told] = defaultdict(_Told)
        for variant in self._chosen.to_pylist():
            known = told[called.get(variant, variant)]
            for name in self._names.get(variant, ()):
                _add_name(known, name)
        for variant, predicate, other, qualifier, score in rows:
            if predicate not in _OTHERWISE:
                _add_statement(told[called.get(variant, variant)], other, qualifier, score)
        return dict(told)

    def _rows(self) -> list[tuple[str, str, str, str, float]]:
        """Variant, predicate, other end, qualifier and score of each statement about a chosen variant."""
        rows: list[tuple[str, str, str, str, float]] = []
        for ends in _ends(self._statements):
            kept = ends.filter(pc.is_in(ends["variant"], self._chosen))
            rows += zip(*(kept[name].to_pylist() for name in kept.column_names), strict=True)
        return rows


def _most_told(statements: Statements, most: int) -> pa.Array:
    """The variants with the most statements that tie them to something; ties by identifier."""
    tied = (ends.filter(_ties(ends)) for ends in (_ends(statements) if most else ()))
    counted = [ends.group_by("variant").aggregate([([], "count_all")]) for ends in tied]
    if not counted:
        return pa.array([], pa.string())
    whole = pa.concat_tables(counted).group_by("variant").aggregate([("count_all", "sum")])
    order = [("count_all_sum", "descending"), ("variant", "ascending")]
    return whole.sort_by(order)["variant"].slice(0, most).combine_chunks()


def _ends(statements: Statements) -> Iterator[pa.Table]:
    """Statements that a variant is at one end of: variant, predicate, other end, qualifier, score."""
    for _, batch in statements():
        for one, other in (("subject", "object"), ("object", "subject")):
            of_variants = _starts(batch[one])
            kept = batch.filter(of_variants)
            if len(kept):
                told = [pc.fill_null(kept["qualifier"], ""), pc.fill_null(kept["score"], 0.0)]
                yield pa.table([kept[one], kept["predicate"], kept[other], *told], _COLUMNS)


def _starts(column: pa.Array) -> pa.Array:
    found = [pc.starts_with(column, prefix) for prefix in _PREFIXES]
    return pc.or_(*found)


def _ties(ends: pa.Table) -> pa.ChunkedArray:
    """Which statements tie a variant to something else than itself."""
    elsewhere = pc.invert(pc.is_in(ends["predicate"], pa.array(sorted(_OTHERWISE))))
    denied = pc.or_(
        pc.match_substring_regex(ends["qualifier"], _NO_TIE), pc.starts_with(ends["predicate"], "not ")
    )
    return pc.and_(elsewhere, pc.invert(denied))


def _add_name(known: _Told, text: str) -> None:
    """A name as its source writes it; of one in HGVS also the gene with the change, at DNA and protein."""
    known.names[text] = None
    if found := _HGVS.match(text):
        known.genes[found["gene"]] = None
        for change in (found["change"], found["protein"]):
            if change:
                known.names[f"{found['gene']} {change}"] = None


def _add_statement(known: _Told, other: str, qualifier: str, score: float) -> None:
    symbol = other.removeprefix("hgnc.symbol:") if other.startswith("hgnc.symbol:") else ""
    if found := _SYMBOL.search(qualifier):
        symbol = found[1]
    if symbol:
        known.genes[symbol] = None
        if impact := _IMPACT.search(qualifier):
            known.names[f"{symbol} {impact[1]}"] = None
    if not re.search(_NO_TIE, qualifier):
        before = known.about.get(other, 0.0)
        strongest = max(before % 1, min(max(score, 0.0), _MOST_SCORE) / (2 * _MOST_SCORE))
        known.about[other] = before // 1 + 1 + strongest  # how many say so, then how strongly
        known.statements += 1
