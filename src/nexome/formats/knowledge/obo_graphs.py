"""Ontologies as OBO Graphs JSON (`robot convert`, `ogger`): nodes, synonyms, edges, equivalence sets.

Lines are not kept in JSON: rows have line 0. Properties and individuals are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from nexome.formats.knowledge.rows import Problem, Row
from nexome.formats.knowledge.source_file import KnowledgeFile
from nexome.model.errors import FormatError
from nexome.model.knowledge import EXACT, XREF, Edge, NameKind, Term, TermName

_SCOPES: Final[dict[str, NameKind]] = {
    "hasExactSynonym": "exact",
    "hasRelatedSynonym": "related",
    "hasNarrowSynonym": "narrow",
    "hasBroadSynonym": "broad",
}
_REPLACED: Final = "IAO_0100001"
_ALTERNATIVE: Final = "hasAlternativeId"
_OF_PROPERTIES: Final = frozenset(("subPropertyOf", "inverseOf", "type"))


def read_obo_graphs(file: KnowledgeFile) -> Iterator[Row]:
    """Terms, names and edges of all graphs of a document."""
    graphs = file.json().get("graphs")
    if not isinstance(graphs, list):
        raise FormatError("no 'graphs'", where=str(file.path), expected="an OBO Graphs document")
    for graph in graphs:
        _tell(graph, file.facts)
        for node in graph.get("nodes", ()):
            if node.get("type", "CLASS") == "CLASS":
                yield from _node(node)
        for edge in graph.get("edges", ()):
            if edge["pred"] not in _OF_PROPERTIES:
                yield Edge(edge["sub"], edge["pred"], edge["obj"])
        for same in graph.get("equivalentNodesSets", ()):
            first, *others = same.get("nodeIds", ())
            for other in others:
                yield Edge(first, EXACT, other)


def _tell(graph: Mapping[str, Any], facts: dict[str, str]) -> None:
    """What a graph says of itself."""
    meta = graph.get("meta", {})
    if release := meta.get("version"):
        facts.setdefault("release", str(release))
    if title := graph.get("lbl") or graph.get("id"):
        facts.setdefault("title", str(title))
    for value in meta.get("basicPropertyValues", ()):
        if value.get("pred", "").endswith("license"):
            facts.setdefault("licence", value["val"])


def _node(node: Mapping[str, Any]) -> Iterator[Row]:
    curie, meta = node.get("id", ""), node.get("meta", {})
    if not curie:
        yield Problem("missing_id", 0, f"a node named {str(node.get('lbl'))[:60]!r}")
        return
    if "lbl" not in node and not meta:
        return  # a node that another graph describes
    values = [(v.get("pred", ""), v.get("val", "")) for v in meta.get("basicPropertyValues", ())]
    yield Term(
        curie,
        node.get("lbl", ""),
        meta.get("definition", {}).get("val", ""),
        obsolete=bool(meta.get("deprecated")),
        replaced_by=[value for name, value in values if name.endswith(_REPLACED)],
        alternatives=[value for name, value in values if name.endswith(_ALTERNATIVE)],
    )
    for synonym in meta.get("synonyms", ()):
        yield TermName(curie, synonym.get("val", ""), _kind(synonym))
    for xref in meta.get("xrefs", ()):
        yield Edge(curie, XREF, xref.get("val", "").split(" ")[0])
    for name, value in values:
        if name.endswith("Match") and "skos" in name:
            yield Edge(curie, name, value)


def _kind(synonym: Mapping[str, Any]) -> NameKind:
    type_ = str(synonym.get("synonymType", "")).lower()
    if "layperson" in type_:
        return "layperson"
    if "abbreviation" in type_ or "acronym" in type_:
        return "abbreviation"
    return _SCOPES.get(synonym.get("pred", ""), "related")
