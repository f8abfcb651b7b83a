"""Data sets kept elsewhere, by their metadata: DataCite JSON, DCAT and schema.org as JSON-LD, Croissant.

A data set's id is its DOI, else its address; further identifiers are exact matches, by which one data set
described in two places is one. Its licence stands in the definition: it is the data set's, not the source's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nexome.formats.knowledge.publications import doi, work
from nexome.formats.knowledge.rows import Row
from nexome.formats.knowledge.source_file import KnowledgeFile
from nexome.model.knowledge import identify

_DATASETS = frozenset(("dataset", "schema:dataset", "sc:dataset", "dcat:dataset"))


def read_datacite(file: KnowledgeFile) -> Iterator[Row]:
    """DataCite: an answer of its API ({"data": …}) or the attributes of one DOI."""
    content = file.json()
    found = content.get("data", content) if isinstance(content, dict) else content
    for entry in found if isinstance(found, list) else [found]:
        facts = entry.get("attributes", entry)
        titles, descriptions = facts.get("titles") or [{}], facts.get("descriptions") or [{}]
        others = [_identifier(i) for i in facts.get("identifiers") or facts.get("alternateIdentifiers") or ()]
        text = str(descriptions[0].get("description") or "")
        rights = ", ".join(
            str(r.get("rights") or r.get("rightsUri") or "") for r in facts.get("rightsList") or ()
        )
        yield from work(
            (doi(str(facts.get("doi", ""))), *others),
            str(titles[0].get("title", "")),
            text=_with(text, rights),
        )


def read_json_ld(file: KnowledgeFile) -> Iterator[Row]:
    """Data sets of a JSON-LD document: DCAT catalogues, schema.org Dataset, Croissant."""
    for node in _nodes(file.json()):
        types = node.get("@type") or ()
        named = {str(t).rpartition("/")[2].casefold() for t in ([types] if isinstance(types, str) else types)}
        if not named & _DATASETS:
            continue
        ids = [
            _identifier(i) for i in _list(_first(node, "identifier", "dct:identifier", "schema:identifier"))
        ]
        ids += [doi(str(node.get("citeAs") or "")), str(node.get("@id") or ""), str(node.get("url") or "")]
        ids.sort(key=lambda text: not text.startswith("doi:"))
        title = _text(_first(node, "name", "title", "dct:title", "schema:name"))
        text = _text(_first(node, "description", "dct:description", "schema:description"))
        licence = _text(_first(node, "license", "dct:license", "schema:license"))
        about = [
            c
            for c in (
                identify(_address(s)).curie for s in _list(_first(node, "about", "dcat:theme", "theme"))
            )
            if c
        ]
        yield from work([i for i in ids if identify(i).curie], title, about=about, text=_with(text, licence))


def _nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    """All objects of a document, each once."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting += list(node.values())
        elif isinstance(node, list):
            waiting += node


def _first(node: Mapping[str, Any], *names: str) -> Any:
    return next((node[name] for name in names if node.get(name)), None)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str:
    """The text of a value, of its English form where it has several languages."""
    if isinstance(value, list):
        value = next((v for v in value if isinstance(v, dict) and v.get("@language") == "en"), value[0])
    if isinstance(value, dict):
        value = value.get("@value") or value.get("@id") or value.get("name") or value.get("url") or ""
    return str(value or "")


def _address(value: Any) -> str:
    return str(value.get("@id") or value.get("url") or "") if isinstance(value, dict) else str(value)


def _identifier(value: Any) -> str:
    """A CURIE or address of an identifier, written as text or as a property with a value."""
    text = (
        str(value.get("value") or value.get("identifier") or value.get("@id") or "")
        if isinstance(value, dict)
        else str(value)
    )
    return doi(text) or text


def _with(text: str, licence: str) -> str:
    told = f"Licence: {licence}." if licence else ""
    return " ".join(part for part in (text.strip(), told) if part)
