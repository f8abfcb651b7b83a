"""What a term is tied to, as pages tell it: sorted into cards by what is at the other end, in words.

A predicate is told by a phrase of the reader's language (`predicate.*`, and `predicate_in.*` read from the
object's side); one without a phrase is shown as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from nexome.model.errors import NotFoundError
from nexome.model.knowledge import EXACT, IS_A, PART_OF, XREF, vocabulary_of
from nexome.web.pages.page import Ask, rows_of

SHOWN: Final = 12  # of a card
READ: Final = 1_500  # strongest ties looked at
_CARDS: Final = {
    "disease": (
        *("MONDO", "DOID", "OMIM", "OMIMPS", "Orphanet", "EFO", "ICD10", "ICD10CM", "ICD9CM"),
        *("icd11.foundation", "phecode", "MESH", "NCIT", "NXDEMO", "SNOMEDCT", "DECIPHER", "UMLS"),
    ),
    "phenotype": ("HP", "SYMP", "MP"),
    "gene": ("HGNC", "NCBIGene", "ENSEMBL", "hgnc.symbol", "simgene"),
    "protein": ("PR", "UniProtKB", "simprotein"),
    "variant": ("dbSNP", "ClinVar", "pgx", "SPDI"),
    "pathway": ("Reactome", "GO", "KEGG", "list"),
    "drug": ("drug", "RXNORM", "CHEBI", "DRUGBANK", "ATC"),
    "measurement": ("LOINC", "PGS", "UO"),
    "work": ("PMID", "PMC", "doi", "arxiv", "openalex"),
    "place": ("UBERON", "CL", "cytoband", "BTO"),
}
KINDS: Final = (*_CARDS, "other")
_KIND_OF: Final = {vocabulary: kind for kind, of in _CARDS.items() for vocabulary in of}
_ELSEWHERE: Final = frozenset((IS_A, PART_OF, EXACT, XREF, "biolink:mentioned_by"))


@dataclass(frozen=True, slots=True)
class Tie:
    """One thing at the other end: identifier, name, page; how it is tied, how strongly, and who says so."""

    id: str
    label: str
    href: str
    predicate: str
    strength: str
    sources: tuple[str, ...]
    publications: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ties:
    """One card: its kind, the strongest ties, how many there are (a lower bound where `more`)."""

    kind: str
    shown: tuple[Tie, ...]
    total: int
    more: bool


def kind_of(term: str) -> str:
    """The card that a term belongs to, one of KINDS.

    >>> kind_of("HP:0001250"), kind_of("NBO:1")
    ('phenotype', 'other')
    """
    return _KIND_OF.get(vocabulary_of(term), "other")


def phrase(ask: Ask, predicate: str, *, turned: bool) -> str:
    """A predicate in words, read from its object where `turned`.

    An Orphanet or RO number has a name among the terms where its ontology is loaded.
    """
    bare = predicate.removeprefix("not ")
    told = ask.t.of("predicate_in", bare) if turned else ask.t.of("predicate", bare)
    if told == bare:
        label, chinese = ask.view.labels_of([told])[0]
        name = ask.t.either(label, chinese) or told.rpartition("#")[2]
        told = f"← {name}" if turned else name
    return ask.t("ties.not", told=told) if predicate.startswith("not ") else told


def named(ask: Ask, row: Mapping[str, Any], name: str = "term") -> str:
    """The name of a row's term in the reader's language; its identifier where it has none."""
    return ask.t.named(row, f"{name}_label", row[name])


def ties_of(ask: Ask, terms: Sequence[str], *, besides: Sequence[str] = ()) -> tuple[Ties, ...]:
    """What some identifiers of one thing are tied to, by card; hierarchy and equals stand elsewhere.

    `besides`: other identifiers of it, which are not told either.
    """
    own = {*terms, *besides}
    rows: list[dict[str, Any]] = []
    more = False
    for term in terms:
        try:
            found = rows_of(ask.view.neighbours(term, limit=READ))
        except NotFoundError:
            continue
        more |= len(found) == READ
        rows += [row for row in found if row["predicate"] not in _ELSEWHERE and row["term"] not in own]
    by_kind: dict[str, dict[tuple[str, str, str], dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: -(row["strength"] or -1.0)):
        key = (row["term"], row["predicate"], row["direction"])
        by_kind.setdefault(kind_of(row["term"]), {}).setdefault(key, row)
    return tuple(
        Ties(kind, tuple(_tie(ask, row) for row in _first(by_kind[kind].values())), len(by_kind[kind]), more)
        for kind in KINDS
        if kind in by_kind
    )


def is_tied(ask: Ask, term: str) -> bool:
    """Whether sources of knowledge that the reader may know of say anything of an identifier."""
    try:
        return ask.view.knows and ask.view.neighbours(term, limit=1).num_rows > 0
    except NotFoundError:
        return False


def sources_of(ties: Sequence[Ties] | None) -> set[str]:
    """Names of all sources that the ties shown come from."""
    return {source for card in ties or () for tie in card.shown for source in tie.sources}


def _first(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first SHOWN rows; those with a name before those without."""
    listed = list(rows)
    return sorted(listed, key=lambda row: row["term_label"] is None)[:SHOWN]


def _how(ask: Ask, row: Mapping[str, Any]) -> str:
    """How the other end is tied, in words; a phenotype is not seen in a gene but with its variants."""
    turned = row["direction"] == "in"
    if turned and row["predicate"] == "biolink:has_phenotype" and kind_of(row["term"]) == "gene":
        return ask.t("ties.seen_with")
    return phrase(ask, row["predicate"], turned=turned)


def _tie(ask: Ask, row: Mapping[str, Any]) -> Tie:
    strength = row["strength"]
    return Tie(
        row["term"],
        named(ask, row),
        ask.href("terms", row["term"]),
        _how(ask, row),
        "" if strength is None else f"{strength:.2f}",
        tuple(row["sources"].split("|")),
        tuple(paper for paper in (row["publications"] or "").split("|") if paper not in {"", row["term"]})[
            :3
        ],
    )
