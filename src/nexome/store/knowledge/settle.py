"""What only the whole of a source shows: identifiers with two labels, loose ends, circles.

Tables in, tables and problems out; nothing is read or written. Rules are those of formats.knowledge.RULES.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nexome.formats.knowledge.rows import language_of
from nexome.model.knowledge import IS_A

_SHOWN: Final = 6


class Finding(NamedTuple):
    """A broken rule: where (file by its number, line), what was found, and how often."""

    rule: str
    file: int
    line: int
    found: str
    times: int = 1


@dataclass(frozen=True)
class Settled:
    """Terms, one row an identifier, names without repetition, and what was found on the way."""

    terms: pa.Table
    names: pa.Table
    findings: list[Finding]


def settle(terms: pa.Table, names: pa.Table, hierarchy: pa.Table) -> Settled:
    """Terms and names of a source as they are kept.

    `hierarchy`: subject, predicate, object, file, line of its is_a and part_of statements.
    """
    merged, findings = _merge(terms)
    kept = _distinct(names)
    if kept.num_rows < names.num_rows:
        again = names.num_rows - kept.num_rows
        findings.append(Finding("repeated", 0, 0, f"{again:,} names", again))
    kept = _one_label(kept, merged)
    findings += _loose_ends(merged, hierarchy)
    findings += _circles(hierarchy)
    return Settled(merged, kept, findings)


def _merge(terms: pa.Table) -> tuple[pa.Table, list[Finding]]:
    """One row an identifier: first label and definition, all alternatives; obsolete if any row says so."""
    rows: dict[str, dict[str, Any]] = {}
    findings: list[Finding] = []
    for batch in terms.to_batches(max_chunksize=50_000):
        for row in batch.to_pylist():
            kept = rows.setdefault(row["id"], row)
            if kept is row:
                continue
            if row["label"] and kept["label"] and row["label"] != kept["label"]:
                found = f"{row['id']}: {row['label'][:60]!r}, before that {str(kept['label'])[:60]!r}"
                findings.append(Finding("duplicate_id", row["file"], row["line"], found))
            for name in ("label", "definition", "definition_zh"):
                kept[name] = kept[name] or row[name]
            for name in ("replaced_by", "alternatives"):
                kept[name] = [*kept[name], *(v for v in row[name] if v not in kept[name])]
            kept["obsolete"] = kept["obsolete"] or row["obsolete"]
    return pa.Table.from_pylist(list(rows.values()), schema=terms.schema), findings


def _distinct(names: pa.Table) -> pa.Table:
    keys = ["term", "text", "kind", "language"]
    grouped = names.group_by(keys, use_threads=False).aggregate([("line", "first"), ("file", "first")])
    grouped = grouped.rename_columns([c.removesuffix("_first") for c in grouped.column_names])
    return grouped.select(names.schema.names).cast(names.schema)


def _one_label(names: pa.Table, terms: pa.Table) -> pa.Table:
    """Further labels become exact names, or translations where their language is another."""
    at = pc.index_in(names["term"], value_set=terms["id"].combine_chunks())
    label = pc.fill_null(terms["label"].take(at.combine_chunks()), "")
    other = pc.and_(pc.equal(names["kind"], "label"), pc.not_equal(names["text"], label))
    rows = np.flatnonzero(other.to_numpy())
    if not len(rows):
        return names
    kinds = names["kind"].to_pylist()
    labels = label.take(pa.array(rows)).to_pylist()
    languages = names["language"].take(pa.array(rows)).to_pylist()
    for row, text, language in zip(rows.tolist(), labels, languages, strict=True):
        same = not text or language_of(text) == language_of("", language)
        kinds[row] = "exact" if same else "translation"
    return names.set_column(names.schema.get_field_index("kind"), "kind", pa.array(kinds))


def _loose_ends(terms: pa.Table, hierarchy: pa.Table) -> Iterator[Finding]:
    """Statements of hierarchy that name what a described vocabulary does not have, or has as obsolete."""
    if not hierarchy.num_rows or not terms.num_rows:
        return
    described = set(pc.unique(terms["vocabulary"]).to_pylist())
    at = pc.index_in(hierarchy["object"], value_set=terms["id"].combine_chunks())
    missing = hierarchy.filter(pc.is_null(at))
    for row in missing.to_pylist():
        if row["object"].partition(":")[0] in described:
            found = f"{row['subject']} {row['predicate']} {row['object']}"
            yield Finding("dangling", row["file"], row["line"], found)
    there = hierarchy.filter(pc.is_valid(at))
    gone = terms["obsolete"].take(pc.drop_null(at).combine_chunks())
    for row in there.filter(gone).to_pylist():
        found = f"{row['subject']} {row['predicate']} {row['object']}"
        yield Finding("obsolete_parent", row["file"], row["line"], found)


def _circles(hierarchy: pa.Table) -> Iterator[Finding]:
    """Terms that are above each other by is_a: each circle once, at the first statement of it."""
    rows = hierarchy.filter(pc.equal(hierarchy["predicate"], IS_A))
    if not rows.num_rows:
        return
    ends = pa.chunked_array([*rows["subject"].chunks, *rows["object"].chunks], pa.string())
    nodes = pc.unique(ends)
    low, high = (pc.index_in(rows[name], value_set=nodes).to_numpy() for name in ("subject", "object"))
    component = _components(low, high, len(nodes))
    inside = component[low] == component[high]
    seen: set[int] = set()
    for row in np.flatnonzero(inside).tolist():
        circle = int(component[low[row]])
        if circle in seen:
            continue
        seen.add(circle)
        members = np.flatnonzero(component == circle)
        shown = ", ".join(nodes[int(m)].as_py() for m in members[:_SHOWN])
        at = rows.slice(row, 1).to_pylist()[0]
        yield Finding("cycle", at["file"], at["line"], f"{len(members)} terms: {shown}")


def _components(low: npt.NDArray[np.int64], high: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int32]:
    graph = coo_array((np.ones(len(low), np.int8), (low, high)), shape=(count, count))
    return connected_components(graph, directed=True, connection="strong")[1]
