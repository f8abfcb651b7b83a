"""Ontologies in OWL as RDF/XML, read element by element in bounded memory.

Read are named classes: labels, definitions, synonyms, cross-references, alternative and successor ids,
superclasses, `someValuesFrom` restrictions, equivalent classes, SKOS matches, and axioms that call a synonym
layperson's or an abbreviation. Not read: property chains, unions, individuals; other syntaxes (convert with
`robot convert`). Entities are expanded by expat under its own limits; none is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from nexome.formats.knowledge.rows import Row, language_of
from nexome.formats.knowledge.source_file import KnowledgeFile
from nexome.model.errors import FormatError
from nexome.model.knowledge import EXACT, IS_A, XREF, Edge, NameKind, Term, TermName

_CHUNK: Final = 1 << 18
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_ABOUT, _RESOURCE = f"{_RDF}about", f"{_RDF}resource"
_NAMES: Final[dict[str, NameKind]] = {
    "hasExactSynonym": "exact",
    "hasRelatedSynonym": "related",
    "hasNarrowSynonym": "narrow",
    "hasBroadSynonym": "broad",
    "alternative_term": "exact",
    "IAO_0000118": "exact",
    "altLabel": "exact",
}
_DEFINITIONS: Final = frozenset(("IAO_0000115", "definition"))
_MARKS: Final[tuple[tuple[str, NameKind], ...]] = (
    ("layperson", "layperson"),
    ("abbreviation", "abbreviation"),
    ("acronym", "abbreviation"),
)


@dataclass
class _Element:
    """An element being read: its name without and with namespace, attributes, text and children."""

    name: str
    whole: str
    attributes: Mapping[str, str]
    line: int
    text: str = ""
    children: list[_Element] = field(default_factory=list)

    @property
    def target(self) -> str:
        """What it points at or holds: an address, or its text."""
        return self.attributes.get(_RESOURCE) or self.attributes.get(_ABOUT) or self.text.strip()

    def all(self, name: str) -> list[_Element]:
        """Children of a name."""
        return [child for child in self.children if child.name == name]


def read_owl(file: KnowledgeFile) -> Iterator[Row]:
    """Terms, names and edges of an OWL file in RDF/XML."""
    marked: dict[tuple[str, str], NameKind] = {}
    held: list[TermName] = []
    for element in _elements(file):
        if element.name == "Ontology":
            _tell(element, file.facts)
        elif element.name == "Axiom":
            _mark(element, marked)
        elif element.name == "Class" and _ABOUT in element.attributes:
            for row in _class(element):
                # The axiom that says what kind of synonym a text is comes behind its class.
                if isinstance(row, TermName):
                    held.append(row)
                else:
                    yield row
    for name in held:
        kind = marked.get((name.term, name.text))
        yield name._replace(kind=kind) if kind else name


def _class(element: _Element) -> Iterator[Row]:
    curie, line = element.attributes[_ABOUT], element.line
    labels = [child for child in element.all("label") if child.text.strip()]
    english = [label for label in labels if _language(label) == "en"] or labels
    definitions = [child.text.strip() for child in element.children if child.name in _DEFINITIONS]
    yield Term(
        curie,
        english[0].text.strip() if english else "",
        definitions[0] if definitions else "",
        obsolete=any(child.text.strip() == "true" for child in element.all("deprecated")),
        replaced_by=[child.target for child in element.all("IAO_0100001")],
        alternatives=[child.target for child in element.all("hasAlternativeId")],
        line=line,
    )
    for label in labels:
        if label is not english[0]:
            kind: NameKind = "exact" if _language(label) == _language(english[0]) else "translation"
            yield TermName(curie, label.text.strip(), kind, _language(label), label.line)
    for child in element.children:
        yield from _statement(curie, child)


def _statement(curie: str, child: _Element) -> Iterator[Row]:
    if kind := _NAMES.get(child.name):
        if child.text.strip():
            yield TermName(curie, child.text.strip(), kind, _language(child), child.line)
    elif child.name == "hasDbXref":
        yield Edge(curie, XREF, child.target, line=child.line)
    elif child.name.endswith("Match") and "skos" in child.whole:
        yield Edge(curie, f"skos:{child.name}", child.target, line=child.line)
    elif child.name in {"subClassOf", "equivalentClass"}:
        predicate = IS_A if child.name == "subClassOf" else EXACT
        if _RESOURCE in child.attributes:
            yield Edge(curie, predicate, child.target, line=child.line)
        elif predicate == IS_A:
            yield from _restriction(curie, child)


def _restriction(curie: str, child: _Element) -> Iterator[Row]:
    """`subClassOf (property some class)`; anything more complicated says nothing of two terms alone."""
    for restriction in child.all("Restriction"):
        predicate, value = restriction.all("onProperty"), restriction.all("someValuesFrom")
        if predicate and value and _RESOURCE in value[0].attributes:
            yield Edge(curie, predicate[0].target, value[0].target, line=child.line)


def _mark(axiom: _Element, marked: dict[tuple[str, str], NameKind]) -> None:
    """Remember a synonym that an axiom calls layperson's or an abbreviation."""
    types = [child.target.lower() for child in axiom.all("hasSynonymType")]
    kind = next((kind for mark, kind in _MARKS if any(mark in type_ for type_ in types)), None)
    sources, targets = axiom.all("annotatedSource"), axiom.all("annotatedTarget")
    if kind and sources and targets:
        marked[sources[0].target, targets[0].text.strip()] = kind


def _tell(ontology: _Element, facts: dict[str, str]) -> None:
    wanted = {"versionIRI": "release", "versionInfo": "release", "license": "licence", "title": "title"}
    for child in ontology.children:
        if fact := wanted.get(child.name):
            facts.setdefault(fact, child.target)


def _language(element: _Element) -> str:
    return element.attributes.get(f"{_XML}lang") or language_of(element.text)


def _elements(file: KnowledgeFile) -> Iterator[_Element]:
    """Each element right below the root, when it ends. Raises FormatError naming line and column."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    open_: list[_Element] = []
    done: list[_Element] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        plain = {key.replace(" ", ""): value for key, value in attributes.items()}
        address, _, local = name.rpartition(" ")
        open_.append(_Element(local, address + local, plain, parser.CurrentLineNumber))

    def end(_: str) -> None:
        element = open_.pop()
        if len(open_) == 1:
            done.append(element)
        elif open_:
            open_[-1].children.append(element)

    def text(characters: str) -> None:
        if len(open_) > 1:
            open_[-1].text += characters

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    try:
        while chunk := file.stream.read_bytes(_CHUNK):
            parser.Parse(chunk, False)  # noqa: FBT003  expat's signature
            yield from done
            done.clear()
        parser.Parse(b"", True)  # noqa: FBT003
        yield from done
    except expat.ExpatError as error:
        raise FormatError(
            expat.ErrorString(error.code),
            where=f"{file.path}, line {error.lineno}, column {error.offset + 1}",
            expected="OWL as RDF/XML",
            todo="Other syntaxes: robot convert --input FILE --output FILE.obo",
        ) from None
