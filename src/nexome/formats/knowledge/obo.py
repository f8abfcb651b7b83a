"""Ontologies in OBO 1.2 and 1.4: terms, synonyms, cross-references, relationships.

A line that cannot be read is refused and the rest of its stanza kept. Typedefs give names to relations
(`xref: RO:0002202` → the relation's identifier is known to `normalise_predicate`); instances are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from nexome.formats.knowledge.rows import Problem, Row
from nexome.formats.knowledge.source_file import KnowledgeFile
from nexome.model.knowledge import IS_A, XREF, Edge, NameKind, Term, TermName

_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(.*)', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {"n": "\n", "W": " ", "t": "\t"}
_SCOPES: Final[dict[str, NameKind]] = {
    "EXACT": "exact",
    "RELATED": "related",
    "NARROW": "narrow",
    "BROAD": "broad",
}
_MATCHES: Final = re.compile(r"(skos:(?:exact|close|broad|narrow|related)Match)\s+(\S+)")
# A cross-reference that an ontology itself calls the same thing (Mondo marks them so).
_EQUIVALENT: Final = "MONDO:equivalentTo"
_FACTS: Final = {"data-version": "release", "ontology": "title"}
_UNREAD: Final = frozenset(
    (
        *("comment", "subset", "created_by", "creation_date", "namespace", "intersection_of", "union_of"),
        *("disjoint_from", "is_anonymous", "equivalent_to", "builtin", "expand_assertion_to"),
    )
)

Tag = tuple[int, str, str]


def read_obo(file: KnowledgeFile) -> Iterator[Row]:
    """Terms, names and edges of an OBO file."""
    stanza: list[Tag] = []
    kind = "header"
    for number, line in file.lines():
        if line.startswith("["):
            yield from _rows_of(kind, stanza, file)
            kind, stanza = line.strip().strip("[]"), []
            continue
        tag, separator, value = line.partition(":")
        if not line.strip() or line.startswith("!"):
            continue
        if not separator or not tag or " " in tag.strip():
            yield Problem("broken_line", number, line[:80])
            continue
        stanza.append((number, tag.strip(), value.strip()))
    yield from _rows_of(kind, stanza, file)


def _rows_of(kind: str, stanza: list[Tag], file: KnowledgeFile) -> Iterator[Row]:
    if kind == "Term":
        yield from _term(stanza)
    elif kind == "header":
        for _, tag, value in stanza:
            if tag in _FACTS:
                file.facts.setdefault(_FACTS[tag], value)
            elif tag == "property_value" and "license" in value.partition(" ")[0]:
                file.facts.setdefault("licence", value.partition(" ")[2].split(" ")[0].strip('"'))


def _term(stanza: list[Tag]) -> Iterator[Row]:
    first = stanza[0][0] if stanza else 0
    curie = next((value for _, tag, value in stanza if tag == "id"), "")
    if not curie:
        yield Problem("missing_id", first, "a [Term] without id")
        return
    curie = _target(curie)
    found: dict[str, list[str]] = {"replaced_by": [], "alt_id": [], "name": [], "def": [], "is_obsolete": []}
    for number, tag, value in stanza:
        if tag in found:
            text = value if tag == "name" else _quoted(value)[0] if tag == "def" else _target(value)
            if tag == "def" and not value.startswith('"'):
                yield Problem("broken_line", number, f"def: {value[:60]}")
            found[tag].append(_unescaped(text) if tag == "name" else text)
        elif tag not in _UNREAD:
            yield from _statement(curie, tag, value, number)
    yield Term(
        curie,
        _first(found["name"]),
        _first(found["def"]),
        obsolete="true" in found["is_obsolete"],
        replaced_by=found["replaced_by"],
        alternatives=found["alt_id"],
        line=first,
    )
    for other in found["name"][1:]:
        yield Problem("duplicate_id", first, f"{curie} is also named {other[:60]!r}")
        yield TermName(curie, other, "exact", line=first)


def _statement(curie: str, tag: str, value: str, line: int) -> Iterator[Row]:
    if tag == "synonym":
        yield _synonym(curie, value, line)
    elif tag == IS_A:
        yield Edge(curie, IS_A, _target(value), line=line)
    elif tag == "xref":
        same = _EQUIVALENT in value
        yield Edge(curie, _EQUIVALENT if same else XREF, _target(value), line=line)
    elif tag == "relationship":
        predicate, _, target = value.partition(" ")
        if target:
            yield Edge(curie, predicate, _target(target), line=line)
        else:
            yield Problem("broken_line", line, f"relationship: {value[:60]}")
    elif tag == "property_value" and (match := _MATCHES.match(value)):
        yield Edge(curie, match[1], match[2].strip('"'), line=line)


def _synonym(curie: str, value: str, line: int) -> Row:
    text, rest = _quoted(value)
    scope, _, types = rest.partition(" ")
    if not text or not value.startswith('"'):
        return Problem("broken_line", line, f"synonym: {value[:60]}")
    kind = _SCOPES.get(scope, "related")
    marks = types.partition("[")[0].lower()
    if "layperson" in marks:
        kind = "layperson"
    elif "abbreviation" in marks or "acronym" in marks:
        kind = "abbreviation"
    return TermName(curie, text, kind, line=line)


def _first(texts: list[str]) -> str:
    return texts[0] if texts else ""


def _target(value: str) -> str:
    """The identifier in front of a comment ('! name'), modifiers ('{…}') or a description ('"…"')."""
    return value.split(" ", 1)[0]


def _quoted(value: str) -> tuple[str, str]:
    """The text within quotes, and what follows it."""
    match = _QUOTED.match(value)
    return (_unescaped(match[1]), match[2]) if match else ("", value)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda m: _ESCAPES.get(m[1], m[1]), text) if "\\" in text else text
