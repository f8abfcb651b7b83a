"""Publications: PubMed XML, OpenAlex JSON, BibTeX, RIS; one term a work, its identifiers tied together.

A work's id is its PMID, else its DOI, else its OpenAlex id; the others are exact matches of it, by which the
same work of several sources is one. Subjects that have an identifier (MeSH descriptors) become statements.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from xml.parsers import expat

from nexome.formats.knowledge.rows import Problem, Row
from nexome.formats.knowledge.source_file import KnowledgeFile
from nexome.model.errors import FormatError
from nexome.model.knowledge import EXACT, Edge, Term, identify

IS_ABOUT: Final = "IAO:0000136"
_ENTRY: Final = re.compile(r"@(\w+)\s*\{\s*([^,\s]*)\s*,", re.MULTILINE)
_FIELD: Final = re.compile(r'(\w+)\s*=\s*(?:\{((?:[^{}]|\{[^{}]*\})*)\}|"([^"]*)"|(\d+))')
_IDENTIFIERS: Final = frozenset(("ELocationID", "ArticleId"))
_DOI: Final = re.compile(r"10\.\d{4,9}/\S+")


def work(
    ids: Iterable[str], title: str, *, about: Iterable[str] = (), line: int = 0, text: str = ""
) -> Iterator[Row]:
    """A publication or data set under its first identifier, tied to the others."""
    known = [curie for curie in dict.fromkeys(identify(i).curie for i in ids if i) if curie]
    if not known:
        yield Problem("missing_id", line, f"{title[:60]!r} has no PMID, DOI or other identifier")
        return
    yield Term(known[0], title, text, line=line)
    for other in known[1:]:
        yield Edge(known[0], EXACT, other, line=line)
    for subject in about:
        yield Edge(known[0], IS_ABOUT, subject, line=line)


def doi(text: str) -> str:
    """A DOI as a CURIE, found in any text; '' where there is none."""
    found = _DOI.search(text)
    return f"doi:{found[0].rstrip('.,;')}" if found else ""


def read_openalex(file: KnowledgeFile) -> Iterator[Row]:
    """Works of OpenAlex: an answer of its API ({"results": […]}), one work, or one a line."""
    for line, entry in _entries(file, "results"):
        ids = entry.get("ids") or {}
        identifiers = (ids.get("pmid") or "", ids.get("doi") or entry.get("doi") or "", entry.get("id") or "")
        about = [f"MESH:{m['descriptor_ui']}" for m in entry.get("mesh") or () if m.get("descriptor_ui")]
        title = str(entry.get("title") or entry.get("display_name") or "")
        yield from work(identifiers, title, about=dict.fromkeys(about), line=line)


def read_bibtex(file: KnowledgeFile) -> Iterator[Row]:
    """Entries of BibTeX with a doi, pmid or eprint (arXiv); braces in titles are taken away."""
    content = file.whole().decode("utf-8", "replace")
    starts = list(_ENTRY.finditer(content))
    for at, found in enumerate(starts):
        if found[1].lower() in {"comment", "string", "preamble"}:
            continue
        end = starts[at + 1].start() if at + 1 < len(starts) else len(content)
        fields = {
            name.lower(): braced or quoted or number
            for name, braced, quoted, number in _FIELD.findall(content[found.end() : end])
        }
        line = content.count("\n", 0, found.start()) + 1
        arxiv = f"arxiv:{fields['eprint']}" if "arxiv" in fields.get("archiveprefix", "").lower() else ""
        pmid = f"PMID:{fields['pmid']}" if fields.get("pmid") else ""
        title = " ".join(re.sub(r"[{}]", "", fields.get("title", "")).split())
        yield from work((pmid, doi(fields.get("doi", "")), arxiv), title, line=line)


def read_ris(file: KnowledgeFile) -> Iterator[Row]:
    """References in RIS: DO and AN or C7 with a PMID; TI or T1 the title."""
    fields: dict[str, str] = {}
    first = 0
    for line, text in file.lines():
        tag, value = text[:2], text[6:].strip() if text[2:5] == "  -" else ""
        if tag == "TY":
            fields, first = {}, line
        elif tag == "ER":
            number = fields.get("AN") or fields.get("PM") or ""
            pmid = f"PMID:{number}" if number.isdigit() else ""
            title = fields.get("TI") or fields.get("T1") or ""
            yield from work((pmid, doi(fields.get("DO") or fields.get("UR") or "")), title, line=first)
        elif value:
            fields.setdefault(tag, value)


def read_pubmed(file: KnowledgeFile) -> Iterator[Row]:
    """Articles of PubMed's XML with their DOI and MeSH descriptors, read article by article."""
    for article in _articles(file):
        about = [f"MESH:{ui}" for ui in article["mesh"] if ui]
        identifiers = [f"PMID:{article['pmid']}" if article["pmid"] else "", doi(str(article["doi"]))]
        yield from work(identifiers, str(article["title"]).strip(), about=about, line=int(article["line"]))


class _Articles:
    """What expat tells of a PubMed document, gathered article by article in `done`."""

    def __init__(self) -> None:
        self.done: list[dict[str, Any]] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self._path: list[str] = []
        self._kind = ""
        self._now: dict[str, Any] = {}

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if name == "PubmedArticle":
            line = self.parser.CurrentLineNumber
            self._now = {"pmid": "", "doi": "", "title": "", "mesh": [], "line": line}
        elif name == "DescriptorName":
            self._now["mesh"].append(attributes.get("UI", ""))
        elif name in _IDENTIFIERS:
            self._kind = attributes.get("EIdType") or attributes.get("IdType") or ""

    def _end(self, name: str) -> None:
        self._path.pop()
        if name == "PubmedArticle":
            self.done.append(self._now)

    def _text(self, characters: str) -> None:
        if self._path[-2:] == ["MedlineCitation", "PMID"]:
            self._now["pmid"] += characters.strip()
        elif "ArticleTitle" in self._path:
            self._now["title"] += characters
        elif self._kind == "doi" and self._path[-1] in _IDENTIFIERS and "ReferenceList" not in self._path:
            self._now["doi"] = self._now["doi"] or characters.strip()


def _articles(file: KnowledgeFile) -> Iterator[Mapping[str, Any]]:
    articles = _Articles()
    try:
        while chunk := file.stream.read_bytes(1 << 18):
            articles.parser.Parse(chunk, False)  # noqa: FBT003  expat's signature
            yield from articles.done
            articles.done.clear()
        articles.parser.Parse(b"", True)  # noqa: FBT003
        yield from articles.done
    except expat.ExpatError as error:
        raise FormatError(
            expat.ErrorString(error.code),
            where=f"{file.path}, line {error.lineno}, column {error.offset + 1}",
            expected="PubMed's XML",
        ) from None


def _entries(file: KnowledgeFile, key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Entries of a JSON document: those under a key, a list, or itself."""
    content = file.json()
    found = content.get(key, content) if isinstance(content, dict) else content
    yield from ((0, entry) for entry in (found if isinstance(found, list) else [found]))
