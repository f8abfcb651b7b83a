"""Terms as an encoder learns from them: names, parents, and what means the same in another vocabulary.

Equivalent are terms that a source states to match exactly or to be cross-references of each other; terms
that share an identifier of UMLS, SNOMED CT, MeSH, NCIT, OMIM or Orphanet, where at most MOST_SHARING do (an
identifier that more share is broader than each of them); and one code in ICD-10 and ICD-10-CM. The bare
cross-references of a mapping set do not count: it has exact matches beside them, and says that these are
none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Final

import pyarrow as pa

from nexome.model.knowledge import EXACT, IS_A, XREF, Name, NamedTerm, vocabulary_of
from nexome.store.knowledge.merge import Merged

MOST_SHARING: Final = 6
SHARED: Final = frozenset(("UMLS", "SNOMEDCT", "NCIT", "MESH", "OMIM", "Orphanet"))


def named_terms(
    merged: Merged, edges: Iterable[tuple[str, pa.RecordBatch]], vocabularies: Collection[str] = ()
) -> Iterator[NamedTerm]:
    """Terms that are not obsolete and have a name, of some vocabularies or all, by id."""
    names = _names(merged, frozenset(vocabularies))
    parents, same = _relations(edges, names)
    for curie, own in names.items():
        yield NamedTerm(curie, own, sorted(parents.get(curie, ())), sorted(same.get(curie, ())))


def _names(merged: Merged, vocabularies: frozenset[str]) -> dict[str, list[Name]]:
    """Names of each term, its label first."""
    terms = merged.terms.select(["id", "vocabulary", "obsolete"]).to_pydict()
    rows = zip(terms["id"], terms["vocabulary"], terms["obsolete"], strict=True)
    names: dict[str, list[Name]] = {
        curie: [] for curie, of, gone in rows if not gone and (not vocabularies or of in vocabularies)
    }
    table = merged.names.select(["term", "text", "kind", "language"]).to_pydict()
    for term, text, kind, language in zip(*table.values(), strict=True):
        if (own := names.get(term)) is not None:
            own.insert(0 if kind == "label" else len(own), Name(text, kind, language))
    return {curie: own for curie, own in names.items() if own}


def _relations(
    edges: Iterable[tuple[str, pa.RecordBatch]], known: Collection[str]
) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Parents and equivalents of the known terms."""
    parents: defaultdict[str, set[str]] = defaultdict(set)
    same: defaultdict[str, set[str]] = defaultdict(set)
    shared: defaultdict[str, set[str]] = defaultdict(set)
    for _, batch in edges:
        columns = [batch.column(name).to_pylist() for name in ("subject", "predicate", "object", "method")]
        for subject, predicate, object_, method in zip(*columns, strict=True):
            if subject not in known:
                continue
            if predicate == IS_A:
                parents[subject].add(object_)
            elif predicate == EXACT or (predicate == XREF and not method):
                if object_ in known:
                    same[subject].add(object_)
                elif vocabulary_of(object_) in SHARED:
                    shared[object_].add(subject)
                if object_.startswith("ICD10CM:") and (code := f"ICD10:{object_[8:]}") in known:
                    same[subject].add(code)
    for sharing in shared.values():
        if len(sharing) <= MOST_SHARING:
            for curie in sharing:
                same[curie] |= sharing - {curie}
    return parents, same
