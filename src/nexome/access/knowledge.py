"""The doors of a View to the graph of knowledge: ties, paths, ancestors, what is shared, explanations.

A private source (model: `access` of its record) answers its owner alone: for everyone else its terms, names
and statements are as unknown as if it had not been loaded. Everything else is open to who may ask at all.
Studies are tied to terms by their traits' ontology ids, as the reader sees the studies now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import pyarrow as pa

from nexome.access.identity import Principal
from nexome.model.errors import NotFoundError, QueryError
from nexome.model.fields import schema_of
from nexome.store.edges import Graph, Paths, Step, build_graph, explain, find_paths, look_around
from nexome.store.edges.layout import NAME, graph_folder
from nexome.store.edges.strings import SortedStrings
from nexome.store.knowledge import Knowledge, SourceRecord, TermRecord

if TYPE_CHECKING:
    from nexome.access.allowance import Allowance
    from nexome.access.centre import Centre
    from nexome.store.edges import Around

TIES_MOST: Final = 10_000
GENE_VOCABULARIES: Final = ("HGNC", "NCBIGene", "ENSEMBL", "hgnc.symbol", "simgene")
TIE_COLUMNS: Final = (
    "direction",
    "predicate",
    "term",
    "term_label",
    "term_label_zh",
    "strength",
    "sources",
    "publications",
    "through",
)
REACHED_COLUMNS: Final = ("term", "term_label", "term_label_zh", "hops")
COMMON_COLUMNS: Final = ("term", "term_label", "term_label_zh", "strength")
ABOUT_COLUMNS: Final = ("term", "study_id", "trait_id")


@dataclass
class NewestGraph:
    """The graph of a root's sources as they are now, and what its terms are called. Thread-safe.

    A graph that is there answers until that of newer sources is made, beside it; the first is waited for.
    """

    root: Path
    knowledge: Knowledge

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._kept: Graph | None = None
        self._names: dict[str, Labels] = {}
        self._making: Thread | None = None

    def get(self) -> Graph:
        """The newest graph there is, made now where there is none."""
        digest = self.knowledge.digest
        with self._lock:
            kept = self._kept
            if kept is not None and kept.digest == digest:
                return kept
            if kept is not None and not (graph_folder(self.root, digest) / NAME).exists():
                self._make_beside()
                return kept
            self._kept = Graph.open(self.root)
            return self._kept

    def labels_of(self, knowledge: Knowledge) -> Labels:
        """What terms are called, as the sources of `knowledge` (all, or the open part) say now."""
        digest = knowledge.digest
        with self._lock:
            if digest not in self._names:
                wanted = {self.knowledge.digest, self.knowledge.open_part.digest}
                self._names = {name: kept for name, kept in self._names.items() if name in wanted}
                self._names[digest] = Labels.of(knowledge)
            return self._names[digest]

    def _make_beside(self) -> None:
        if self._making is None or not self._making.is_alive():
            self._making = Thread(target=build_graph, args=(self.root,), daemon=True, name="graph")
            self._making.start()


class Labels:
    """Labels of terms in two languages."""

    def __init__(self, terms: pa.Table, chinese: dict[str, str]) -> None:
        self._ids = SortedStrings(terms["id"].combine_chunks().cast(pa.large_string()))
        self._label, self._chinese = terms["label"], chinese

    @classmethod
    def of(cls, knowledge: Knowledge) -> Labels:
        """Those of all terms; the first Chinese name of each."""
        names = knowledge.names().select(["term", "text", "language"]).to_pydict()
        chinese: dict[str, str] = {}
        for term, text, language in zip(*names.values(), strict=True):
            if language.startswith("zh"):
                chinese.setdefault(term, text)
        return cls(knowledge.terms(), chinese)

    @cached_property
    def genes(self) -> dict[str, list[str]]:
        """Identifiers of genes by their symbol."""
        found: dict[str, list[str]] = defaultdict(list)
        for vocabulary in GENE_VOCABULARIES:
            low, high = self._ids.range_of(f"{vocabulary}:")
            ids = self._ids.take(np.arange(low, high)).to_pylist()
            for curie, label in zip(ids, self._label[low:high].to_pylist(), strict=True):
                if label:
                    found[label].append(curie)
        return found

    def columns(self, terms: Sequence[str]) -> tuple[list[str | None], list[str | None]]:
        """Label and Chinese label of each term; null where no source gives one."""
        rows = [self._ids.find(term) for term in terms]
        label = [(self._label[row].as_py() or None) if row >= 0 else None for row in rows]
        return label, [self._chinese.get(term) for term in terms]


def read_steps(texts: Sequence[str]) -> list[Step]:
    """Steps as they are written: a predicate or '*', and '>' (out), '<' (in) or nothing (both) behind it."""
    directions: dict[str, Any] = {">": "out", "<": "in"}
    steps = []
    for text in texts:
        bare = text.rstrip("<>")
        if len(text) - len(bare) > 1 or not bare:
            raise QueryError(f"step {text[:80]!r}", expected="a predicate or *, with > or < behind it")
        steps.append(Step(None if bare == "*" else bare, directions.get(text[len(bare) :], "both")))
    return steps


class _Asking(Protocol):
    """What of a View these doors lean on."""

    principal: Principal

    @property
    def _centre(self) -> Centre: ...

    def _allowance(self) -> Allowance: ...

    @property
    def _knowledge(self) -> Knowledge: ...

    def _graph(self) -> tuple[Graph, frozenset[str] | None]: ...

    def _labelled(self, table: pa.Table, columns: Sequence[str]) -> pa.Table: ...

    def studies_about(self, term: str, *, subtypes: bool = ...) -> pa.Table: ...


class Knowing:
    """Part of View; it is not made by itself."""

    def term(self: _Asking, text: str) -> TermRecord:
        """A term with the names that visible sources give it. Raises NotFoundError, naming near ones."""
        with suppress(NotFoundError):
            return self._knowledge.term(text)
        graph, sources = self._graph()
        near = graph.nodes.near(self._knowledge.resolve(text)) if sources is None else []
        raise NotFoundError(
            f"no term {text[:80]!r}",
            expected=f"such as {', '.join(near)}" if near else "an identifier such as HP:0001250",
            todo="See the list of sources.",
        )

    @property
    def knows(self: _Asking) -> bool:
        """Whether any source of knowledge answers this reader."""
        return bool(self._knowledge.source_names)

    def labels_of(self: _Asking, terms: Sequence[str]) -> list[tuple[str, str]]:
        """Label and Chinese label of each term, '' where no source gives one."""
        labels = self._centre.graph.labels_of(self._knowledge)
        columns = labels.columns(terms)
        return [(label or "", chinese or "") for label, chinese in zip(*columns, strict=True)]

    def gene_terms(self: _Asking, symbol: str, gene_id: str = "") -> list[str]:
        """Identifiers that sources of knowledge have for a gene, by its symbol and its Ensembl id."""
        labels = self._centre.graph.labels_of(self._knowledge)
        found = list(labels.genes.get(symbol, ()))
        if gene_id.startswith("ENS"):
            found.append(f"ENSEMBL:{gene_id.partition('.')[0]}")
        return list(dict.fromkeys((*found, f"hgnc.symbol:{symbol}")))

    def knowledge_sources(self: _Asking) -> list[SourceRecord]:
        """The sources this reader may know of, with their licences, by name."""
        return self._knowledge.sources()

    def neighbours(self: _Asking, term: str, predicate: str | None = None, **asked: Any) -> pa.Table:
        """What a term is tied to, strongest first (TIE_COLUMNS).

        `direction` 'out', 'in' or 'both', `limit`, `vocabulary` (a prefix, such as HGNC), `equivalents` (also
        what is tied to identifiers that mean the same; `through` says which). Raises NotFoundError,
        QueryError.
        """
        graph, sources = self._graph()
        if not 1 <= asked.get("limit", 50) <= TIES_MOST:
            raise QueryError(f"limit {asked['limit']}", expected=f"1 to {TIES_MOST:,}")
        found = graph.neighbours(self._knowledge.resolve(term), predicate, sources=sources, **asked)
        papers = [_publications(graph.evidence(edge)) for edge in found["edge"].to_pylist()]
        found = found.append_column("publications", pa.array(papers, pa.string()))
        return self._labelled(found, TIE_COLUMNS)

    def ancestors(self: _Asking, term: str, **asked: Any) -> pa.Table:
        """All that a term is a kind of, nearest first (REACHED_COLUMNS); also by `part_of`."""
        graph, sources = self._graph()
        found = graph.ancestors(self._knowledge.resolve(term), sources=sources, **asked)
        return self._labelled(found.table, REACHED_COLUMNS)

    def descendants(self: _Asking, term: str, **asked: Any) -> pa.Table:
        """All kinds of a term, nearest first (REACHED_COLUMNS). See `ancestors`."""
        graph, sources = self._graph()
        found = graph.descendants(self._knowledge.resolve(term), sources=sources, **asked)
        return self._labelled(found.table, REACHED_COLUMNS)

    def kinds_below(self: _Asking, terms: Sequence[str]) -> list[int]:
        """How many kinds each of some terms has, at any depth; 0 for one that no statement names."""
        graph, sources = self._graph()
        counts = []
        for term in terms:
            with suppress(NotFoundError):
                counts.append(
                    graph.descendants(self._knowledge.resolve(term), sources=sources).table.num_rows
                )
                continue
            counts.append(0)
        return counts

    def common(
        self: _Asking, terms: Sequence[str], predicate: str | None = None, *, limit: int = 1000, **asked: Any
    ) -> pa.Table:
        """What is tied to each of several terms, strongest first (COMMON_COLUMNS).

        `direction`, `vocabulary`, `equivalents`, and `subtypes`: a tie to a kind of a term is one to it.
        """
        graph, sources = self._graph()
        resolved = [self._knowledge.resolve(term) for term in terms]
        found = graph.common(resolved, predicate, sources=sources, **asked)
        return self._labelled(found.slice(0, limit), COMMON_COLUMNS)

    def paths(self: _Asking, start: str, steps: Sequence[Step], **asked: Any) -> Paths:
        """Typed paths of one to three hops, strongest first: to `end`, to a `vocabulary`, or anywhere."""
        graph, sources = self._graph()
        resolve = self._knowledge.resolve
        if asked.get("end") is not None:
            asked["end"] = resolve(asked["end"])
        return find_paths(graph, resolve(start), steps, sources=sources, **asked)

    def explain(self: _Asking, start: str, end: str, *, limit: int = 3) -> Paths:
        """The best ways from one thing to another, around what everything is tied to."""
        graph, sources = self._graph()
        resolve = self._knowledge.resolve
        return explain(graph, resolve(start), resolve(end), sources=sources, limit=limit)

    def around(self: _Asking, term: str, *, limit: int = 60, opened: Sequence[str] = ()) -> Around:
        """A term and the strongest of what lies around it, for a picture; and the neighbours of those opened.

        At most 300 terms in all; see `store.edges.look_around`.
        """
        graph, sources = self._graph()
        return look_around(graph, self._knowledge.resolve(term), sources=sources, limit=limit, opened=opened)

    def studies_about(self: _Asking, term: str, *, subtypes: bool = False) -> pa.Table:
        """Studies this reader may know of whose traits name a term, or a kind of it (ABOUT_COLUMNS)."""
        knowledge = self._knowledge
        wanted = [knowledge.resolve(term)]
        if subtypes:
            graph, sources = self._graph()
            with suppress(NotFoundError):  # a study may name a term that no source does
                wanted += graph.descendants(wanted[0], sources=sources).table["term"].to_pylist()
        by_term: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for name, published in self._allowance().visible.items():
            for trait in published.study.traits:
                for curie in trait.ontology:
                    by_term[knowledge.resolve(curie)].append((name, trait.id))
        rows = [(curie, *at) for curie in wanted for at in by_term.get(curie, ())]
        columns = zip(*rows, strict=True) if rows else ((), (), ())
        schema = schema_of(ABOUT_COLUMNS)
        return pa.Table.from_arrays(
            [pa.array(c, pa.string()).cast(f.type) for c, f in zip(columns, schema, strict=True)],
            schema=schema,
        )

    def _graph(self: _Asking) -> tuple[Graph, frozenset[str] | None]:
        """The graph, and the sources of it that may answer: of those that are loaded now."""
        known = self._knowledge
        graph = self._centre.graph.get()
        whole = graph.digest == known.digest  # of the same sources: nothing to hide, nothing withdrawn since
        return graph, None if whole else known.source_names

    @property
    def _knowledge(self: _Asking) -> Knowledge:
        """What is known, as far as this reader may know of it."""
        whole = self._centre.knowledge
        return whole if self.principal.kind == "owner" else whole.open_part

    def _labelled(self: _Asking, table: pa.Table, columns: Sequence[str]) -> pa.Table:
        """A table with the labels of its terms, as far as the reader may know them."""
        labels = self._centre.graph.labels_of(self._knowledge)
        label, chinese = labels.columns(table["term"].to_pylist())
        schema = schema_of(columns)
        made = {"term_label": pa.array(label, pa.string()), "term_label_zh": pa.array(chinese, pa.string())}
        parts = [made[f.name] if f.name in made else table[f.name] for f in schema]
        return pa.Table.from_arrays(
            [p.cast(f.type) for p, f in zip(parts, schema, strict=True)], schema=schema
        )


def _publications(evidence: Iterable[dict[str, Any]]) -> str | None:
    found = dict.fromkeys(p for row in evidence for p in row["publication"].split("|") if p)
    return "|".join(found) or None
