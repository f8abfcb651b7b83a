"""The terms of all sources as one table, and which identifier answers for which. Arrow in, Arrow out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.model.knowledge import TERMS

_DATE: Final = re.compile(r"\d{4}(?:-\d\d-\d\d)?")
_COMPARABLE: Final = 0.5  # a source with half as many labels as the fullest may answer for a vocabulary
_HOPS: Final = 10  # replaced_by of replaced_by …: a longer chain is a mistake
_SCHEMA: Final = pa.schema(
    [TERMS.field(n) for n in TERMS.names if n != "line"] + [pa.field("sources", pa.list_(pa.string()))]
)


@dataclass(frozen=True)
class Merged:
    """Terms (one row an id, sorted), names (term resolved), exact matches, and successors of ids.

    `successor`: alternative or obsolete identifier → the one that answers for it.
    """

    terms: pa.Table
    names: pa.Table
    matches: pa.Table
    successor: Mapping[str, str]
    ids: pa.Array = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", self.terms["id"].combine_chunks())

    def names_of(self, curie: str) -> list[tuple[str, str, str, str]]:
        """Names of a term: text, kind, language, source."""
        first, last = self._name_rows.get(curie, (0, 0))
        rows = self.names.slice(first, last - first).to_pylist()
        return [(row["text"], row["kind"], row["language"], row["source"]) for row in rows]

    def matches_of(self, curie: str, predicates: Sequence[str]) -> list[tuple[str, str, str]]:
        """What is stated to match a term, either way round: identifier, predicate, source."""
        found: dict[tuple[str, str, str], None] = {}
        for here, there in (("subject", "object"), ("object", "subject")):
            for row in self.matches.filter(pc.equal(self.matches[here], curie)).to_pylist():
                if row["predicate"] in predicates:
                    found[row[there], row["predicate"], row["source"]] = None
        return list(found)

    def resolve_column(self, column: pa.Array) -> pa.Array:
        """Identifiers replaced by those that answer for them."""
        if not len(self._old):
            return column
        at = pc.index_in(column, value_set=self._old)
        return pc.coalesce(self._new.take(at), column)

    def resolve_edges(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Statements with subject and object resolved."""
        columns = [
            self.resolve_column(column) if name in {"subject", "object"} else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=batch.schema)

    @cached_property
    def _old(self) -> pa.Array:
        return pa.array(list(self.successor), pa.string())

    @cached_property
    def _new(self) -> pa.Array:
        return pa.array(list(self.successor.values()), pa.string())

    @cached_property
    def _name_rows(self) -> dict[str, tuple[int, int]]:
        """First row and the row behind the last of each term's names (which are sorted by term)."""
        encoded = self.names["term"].combine_chunks().dictionary_encode()
        codes = encoded.indices.to_numpy()
        edges = np.flatnonzero(np.diff(codes, prepend=-1, append=-1)).tolist() if len(codes) else []
        terms = encoded.dictionary.to_pylist()
        return {terms[codes[a]]: (a, b) for a, b in pairwise(edges)}


def merge(sources: Mapping[str, Mapping[str, Any]]) -> Merged:
    """One table of terms and one of names from those of all sources.

    `sources`: name → release (text), terms, names, matches (tables).
    """
    ranks = _rank(sources)
    stacked = _stack(sources, ranks)
    chosen = _one_row_each(stacked)
    successor = _successors(chosen)
    terms = chosen.drop_columns(["source"])
    merged = Merged(terms, _no_names(), _no_matches(), successor)
    names = _all_names(sources, merged, ranks)
    matches = [
        tables["matches"].append_column("source", pa.array([name] * tables["matches"].num_rows, pa.string()))
        for name, tables in sources.items()
    ]
    joined = pa.concat_tables([_no_matches(), *(m.select(_no_matches().schema.names) for m in matches)])
    for side in ("subject", "object"):
        column = merged.resolve_column(joined[side].combine_chunks())
        joined = joined.set_column(joined.schema.get_field_index(side), side, column)
    return Merged(_with_sources(terms, stacked), names, joined, successor)


def _rank(sources: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], int]:
    """(vocabulary, source) → place in the order in which labels of it count; 0 is first."""
    counts: dict[str, dict[str, int]] = {}
    for name, tables in sources.items():
        labelled = tables["terms"].filter(pc.not_equal(tables["terms"]["label"], ""))
        for pair in pc.value_counts(labelled["vocabulary"]).to_pylist():
            counts.setdefault(pair["values"], {})[name] = pair["counts"]
    ranks: dict[tuple[str, str], int] = {}
    for vocabulary, of in counts.items():
        most = max(of.values())
        order = sorted(
            of,
            key=lambda s: (of[s] >= _COMPARABLE * most, _date(sources[s]["release"]), of[s], s),
            reverse=True,
        )
        ranks |= {(vocabulary, source): rank for rank, source in enumerate(order)}
    return ranks


def _date(release: str) -> str:
    found = _DATE.search(release)
    return found[0] if found else ""


def _stack(sources: Mapping[str, Mapping[str, Any]], ranks: Mapping[tuple[str, str], int]) -> pa.Table:
    """Rows of all sources, those that count first in front."""
    stacked = []
    for name, tables in sources.items():
        terms = tables["terms"].select([n for n in _SCHEMA.names if n != "sources"])
        rank = {v: ranks.get((v, name), len(sources)) for v in pc.unique(terms["vocabulary"]).to_pylist()}
        of = pa.array([rank[v] for v in terms["vocabulary"].to_pylist()], pa.int32())
        source = pa.array([name] * terms.num_rows, pa.string())
        stacked.append(terms.append_column("rank", of).append_column("source", source))
    if not stacked:
        empty = pa.schema([f for f in _SCHEMA if f.name != "sources"])
        return (
            empty.append(pa.field("rank", pa.int32())).append(pa.field("source", pa.string())).empty_table()
        )
    whole = pa.concat_tables(stacked)
    return whole.take(pc.sort_indices(whole, [("id", "ascending"), ("rank", "ascending")]))


def _one_row_each(stacked: pa.Table) -> pa.Table:
    """The first row with a label of each id (else its first row), with the first definitions there are."""
    labelled = _first_rows(stacked.filter(pc.not_equal(stacked["label"], "")))
    first = _first_rows(stacked)
    bare = first.filter(pc.invert(pc.is_in(first["id"], value_set=labelled["id"].combine_chunks())))
    terms = pa.concat_tables([labelled, bare])
    terms = terms.take(pc.sort_indices(terms, [("id", "ascending")])).drop_columns(["rank"])
    for name in ("definition", "definition_zh"):
        given = _first_rows(stacked.filter(pc.not_equal(stacked[name], "")))
        at = pc.index_in(terms["id"].combine_chunks(), value_set=given["id"].combine_chunks())
        column = pc.fill_null(given[name].combine_chunks().take(at), "")
        terms = terms.set_column(terms.schema.get_field_index(name), name, column)
    return terms.combine_chunks()


def _first_rows(table: pa.Table) -> pa.Table:
    """The first of consecutive rows with one id."""
    codes = table["id"].combine_chunks().dictionary_encode().indices.to_numpy()
    return table.take(pa.array(np.flatnonzero(np.diff(codes, prepend=-1))))


def _with_sources(terms: pa.Table, stacked: pa.Table) -> pa.Table:
    """Terms and which sources describe each; rows of both are sorted by id."""
    codes = stacked["id"].combine_chunks().dictionary_encode().indices.to_numpy()
    starts = np.append(np.flatnonzero(np.diff(codes, prepend=-1)), len(codes)).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(starts), stacked["source"].combine_chunks())
    return terms.append_column("sources", lists)


def _successors(terms: pa.Table) -> dict[str, str]:
    """Alternative and obsolete identifiers → what answers for them; chains are followed, circles left.

    An alternative identifier that its own source still describes as a term stays one; where an older
    source alone does, it does not.
    """
    alive = terms.filter(pc.invert(terms["obsolete"]))
    described = dict(zip(alive["id"].to_pylist(), alive["source"].to_pylist(), strict=True))
    step: dict[str, str] = {}
    spoken = terms.filter(pc.greater(pc.list_value_length(terms["alternatives"]), 0))
    for row in spoken.select(["id", "alternatives", "source"]).to_pylist():
        others = (other for other in row["alternatives"] if described.get(other) != row["source"])
        step.update(dict.fromkeys(others, row["id"]))
    gone = terms.filter(pc.and_(terms["obsolete"], pc.equal(pc.list_value_length(terms["replaced_by"]), 1)))
    for row in gone.select(["id", "replaced_by"]).to_pylist():
        step[row["id"]] = row["replaced_by"][0]
    found = {}
    for old in step:
        new, hops = old, 0
        while new in step and hops < _HOPS:
            new, hops = step[new], hops + 1
        if hops < _HOPS and new != old:
            found[old] = new
    return found


def _all_names(
    sources: Mapping[str, Mapping[str, Any]], merged: Merged, ranks: Mapping[tuple[str, str], int]
) -> pa.Table:
    """Names of all sources under resolved terms, each text once a language, labels of others as exact.

    Of one text told twice, the source that counts first for the vocabulary says what kind of name it is.
    """
    whole = pa.concat_tables(
        [
            _ranked_names(_no_names(), "", {}),
            *(_ranked_names(tables["names"], name, ranks) for name, tables in sources.items()),
        ]
    ).combine_chunks()
    given, kind, text = (whole[name].combine_chunks() for name in ("term", "kind", "text"))
    # "obsolete fit" is no name of what took its place: names of obsolete terms stay where they are.
    dead = merged.terms.filter(merged.terms["obsolete"])["id"].combine_chunks()
    term = pc.if_else(pc.is_in(given, value_set=dead), given, merged.resolve_column(given))
    at = pc.index_in(term, value_set=merged.ids)
    label = pc.fill_null(merged.terms["label"].combine_chunks().take(at), "")
    gone = pc.not_equal(given, term)
    is_label = pc.equal(kind, "label")
    chosen = pc.and_(pc.and_(is_label, pc.invert(gone)), pc.equal(text, label))
    kind = pc.if_else(chosen, "label", pc.if_else(is_label, "exact", kind))
    later = pc.add(whole["rank"].combine_chunks(), pc.if_else(gone, len(sources) + 2, 1))
    first = pc.subtract(whole["rank"].combine_chunks(), len(sources) + 2)
    rank = pc.if_else(chosen, first, later)
    columns = [term, text, kind, whole["language"].combine_chunks(), whole["source"].combine_chunks()]
    order = pc.sort_indices(
        pa.table([term, rank], ["term", "rank"]), [("term", "ascending"), ("rank", "ascending")]
    )
    kept = _first_of_each(order.to_numpy(), (term, pc.utf8_lower(text), columns[3]))
    return pa.table([column.take(kept) for column in columns], schema=_no_names().schema)


def _first_of_each(order: npt.NDArray[np.uint64], keys: Sequence[pa.Array]) -> pa.Array:
    """Rows in `order` without those whose keys an earlier one has."""
    whole = np.zeros(len(order), np.int64)
    for key in keys:
        encoded = key.dictionary_encode()
        whole = whole * (len(encoded.dictionary) + 1) + encoded.indices.to_numpy()
    first = np.unique(whole[order], return_index=True)[1]
    return pa.array(order[np.sort(first)])


def _ranked_names(names: pa.Table, source: str, ranks: Mapping[tuple[str, str], int]) -> pa.Table:
    """Names of a source, with the place of the source among those of each term's vocabulary."""
    prefixes = pc.list_element(pc.split_pattern(names["term"], ":", max_splits=1), 0)
    encoded = prefixes.combine_chunks().dictionary_encode()
    last = max(ranks.values(), default=0) + 1
    place = [ranks.get((prefix, source), last) for prefix in encoded.dictionary.to_pylist()]
    of = pa.array(place, pa.int64()).take(encoded.indices)
    columns = [names[name] for name in ("term", "text", "kind", "language")]
    return pa.table(
        [*columns, pa.array([source] * names.num_rows, pa.string()), of],
        names=["term", "text", "kind", "language", "source", "rank"],
    )


def _no_names() -> pa.Table:
    return pa.schema([(n, pa.string()) for n in ("term", "text", "kind", "language", "source")]).empty_table()


def _no_matches() -> pa.Table:
    return pa.schema([(n, pa.string()) for n in ("subject", "predicate", "object", "source")]).empty_table()
