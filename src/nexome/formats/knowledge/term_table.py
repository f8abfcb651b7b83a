"""Terms in tables and trees: csv, tsv and JSON with an identifier and a label, under any names of columns.

Columns are known by COLUMNS or by what a person says (`mapping`). Without a head: identifier, label,
synonyms joined by '|' (GO, MeSH). Trees: {"value", "label", "children"}. Records: {"id", "name", "synonyms"}.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from nexome.formats.knowledge.rows import Problem, Row, language_of
from nexome.formats.knowledge.source_file import KnowledgeFile
from nexome.model.errors import FormatError
from nexome.model.knowledge import IS_A, XREF, Edge, Term, TermName

# What a column is read as ← what it may be called, compared without case and signs.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "id": (
        "id",
        "code",
        "curie",
        "termid",
        "conceptid",
        "efoid",
        "identifier",
        "icd10",
        "编码",
        "代码",
        "疾病编码",
    ),
    "label": (
        *("label", "name", "term", "title", "disease", "description", "preferredlabel", "efovalue"),
        *("preferredname", "prefname", "名称", "疾病名称", "诊断名称"),
    ),
    "label_en": ("labelen", "nameen", "englishname", "english", "英文名", "英文名称", "英文"),
    "label_zh": ("labelzh", "namezh", "chinesename", "chinese", "中文名", "中文名称", "中文"),
    "synonyms": ("synonyms", "synonym", "alias", "aliases", "altlabels", "同义词", "别名"),
    "abbreviation": ("shorthand", "abbreviation", "acronym"),
    "definition": ("definition", "def", "description", "定义"),
    "definition_zh": ("definitionzh", "descriptionzh", "中文定义"),
    "parent": ("parent", "parentid", "parents", "isa", "broader", "parentefoid", "上级编码"),
    "xrefs": ("xrefs", "xref", "dbxrefs", "dbxref", "mappings"),
    "replaced_by": ("replacedby", "termreplacedby"),
    "obsolete": ("obsolete", "deprecated", "isobsolete"),
}
# Bare codes whose vocabulary their shape tells, when a table says nothing.
_SHAPES: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("MESH", re.compile(r"[CDQ]\d{6,9}$")),
    ("ICD10", re.compile(r"[A-Z]\d\d(?:\.\d+)?(?:[-+*x]\S*)?$")),
    ("EFO", re.compile(r"\d{7}$")),
    ("LOINC", re.compile(r"\d{1,6}-\d$")),
)
_SEPARATOR: Final = re.compile(r"\s*[|;]\s*")
_SIGNS: Final = re.compile(r"[\s_.:#?-]+")
_TEMPLATE: Final = re.compile(r"(ID|A [A-Za-z]+:\w+|LABEL)$")


def find_columns(head: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """What each known term is read from: what was said, then what the columns are called."""
    plain = {_SIGNS.sub("", name).casefold(): name for name in reversed(head)}
    found: dict[str, str] = {}
    for term, names in COLUMNS.items():
        column = mapping.get(term) or next((plain[n] for n in names if n in plain), "")
        if column and column not in found.values():
            found[term] = column
    for term in ("label_en", "label_zh"):  # a table of names in two languages has no other label
        if "label" not in found and term in found:
            found["label"] = found.pop(term)
    return found


def vocabulary_of_codes(codes: Sequence[str]) -> str:
    """The vocabulary that bare codes are of, by their shape (nine of ten at least); '' where none fits."""
    for prefix, shape in _SHAPES:
        if codes and sum(1 for code in codes if shape.match(code)) >= 0.9 * len(codes):
            return prefix
    return ""


def read_term_table(file: KnowledgeFile) -> Iterator[Row]:
    """Terms of a delimited table with a head."""
    delimiter = "\t" if "\t" in file.head.split("\n", 1)[0] else ","
    table = file.table(delimiter, comment="#")
    columns = find_columns(table.head, file.options.mapping)
    file.require(tuple(columns), "id", "label")
    prefix = _prefix_of(file, delimiter, table.head.index(columns["id"]))
    for line, row in table.records():
        cells = {term: row.get(column, "").strip() for term, column in columns.items()}
        if _TEMPLATE.match(cells["id"]) and _TEMPLATE.match(cells["label"]):
            continue  # the second line of a ROBOT template
        yield from _described(cells, prefix, line)


def read_term_list(file: KnowledgeFile) -> Iterator[Row]:
    """Identifier, label and, when there is a third column, synonyms joined by '|'; no head."""
    prefix = _prefix_of(file, "\t", 0)
    for line, row in file.table("\t", head=("id", "label", "synonyms")).records():
        cells = {term: cell.strip() for term, cell in row.items()}
        cells["obsolete"] = "true" if cells["label"].startswith("obsolete ") else ""
        yield from _described(cells, prefix, line)


def read_term_tree(file: KnowledgeFile) -> Iterator[Row]:
    """Terms nested in each other: value, label, children."""
    roots = file.json()
    if not isinstance(roots, list):
        raise FormatError("not a list", where=str(file.path), expected="a list of terms with children")
    codes = [str(node.get("value", "")) for node in roots]
    prefix = file.options.prefix or vocabulary_of_codes([code[:3] for code in codes])
    waiting: list[tuple[dict[str, Any], str]] = [(node, "") for node in reversed(roots)]
    while waiting:
        node, parent = waiting.pop()
        curie = _with_prefix(str(node.get("value", "")), prefix)
        yield Term(curie, str(node.get("label", "")))
        if parent:
            yield Edge(curie, IS_A, parent)
        waiting += [(child, curie) for child in reversed(node.get("children", ()))]


def read_term_records(file: KnowledgeFile) -> Iterator[Row]:
    """A list of records: id, name, synonyms, xrefs, and `namespace` where ids have no prefix."""
    for number, record in enumerate(file.json(), 1):
        if not isinstance(record, dict) or not record.get("id"):
            yield Problem("missing_id", 0, f"record {number}")
            continue
        prefix = file.options.prefix or str(record.get("namespace", ""))
        cells = {
            "id": str(record["id"]),
            "label": str(record.get("name") or record.get("label") or ""),
            "definition": str(record.get("definition") or record.get("description") or ""),
        }
        yield from _described(cells, prefix, 0)
        curie = _with_prefix(cells["id"], prefix)
        for text in record.get("synonyms") or ():
            yield TermName(curie, str(text), "exact", language_of(str(text)))
        for xref in record.get("xrefs") or ():
            yield Edge(curie, XREF, str(xref))


def read_hierarchy(file: KnowledgeFile) -> Iterator[Row]:
    """A table of child and parent, by columns whose names end with id and parent…id."""
    table = file.table("," if "," in file.head.split("\n", 1)[0] else "\t")
    parent = next((at for at, name in enumerate(table.head) if "parent" in name.lower()), 1)
    for line, row in table.rows:
        yield Edge(row[1 - parent], file.options.predicate or IS_A, row[parent], line=line)


def read_phecodes(file: KnowledgeFile) -> Iterator[Row]:
    """Phecodes as JSON: {code: {desc, category, icd9s: [{icd9, desc}]}}; codes of ICD-9-CM are narrower."""
    for code, phecode in file.json().items():
        yield Term(f"phecode:{code}", str(phecode.get("desc", "")), qualified(phecode.get("category")))
        for icd in phecode.get("icd9s", ()):
            yield Term(f"ICD9CM:{icd['icd9']}", str(icd.get("desc", "")))
            yield Edge(f"phecode:{code}", "skos:narrowMatch", f"ICD9CM:{icd['icd9']}")


def qualified(category: object) -> str:
    """A category as the definition of a term that has no other."""
    return f"Category: {category}" if category else ""


def _described(cells: Mapping[str, str], prefix: str, line: int) -> Iterator[Row]:
    """A term, its names, parents and cross-references, from the cells of a row."""
    if not cells["id"]:
        yield Problem("missing_id", line, cells.get("label", "")[:60] or "nothing")
        return
    curie = _with_prefix(cells["id"], prefix)
    replaced = cells.get("replaced_by", "")
    yield Term(
        curie,
        cells["label"],
        cells.get("definition", ""),
        cells.get("definition_zh", ""),
        obsolete=cells.get("obsolete", "").lower() in {"true", "1", "yes"},
        replaced_by=_split(replaced),
        line=line,
    )
    for language in ("en", "zh"):
        if (translation := cells.get(f"label_{language}")) and translation != cells["label"]:
            yield TermName(curie, translation, "translation", language, line)
    for text in _split(cells.get("synonyms", "")):
        yield TermName(curie, text, "exact", language_of(text), line)
    if short := cells.get("abbreviation"):
        yield TermName(curie, short, "abbreviation", language_of(short), line)
    for parent in _split(cells.get("parent", "")):
        yield Edge(curie, IS_A, _with_prefix(parent, prefix), line=line)
    for xref in _split(cells.get("xrefs", "")):
        yield Edge(curie, XREF, xref, line=line)


def _split(cell: str) -> list[str]:
    return [part for part in _SEPARATOR.split(cell) if part]


def _with_prefix(code: str, prefix: str) -> str:
    return code if not prefix or ":" in code else f"{prefix}:{code}"


def _prefix_of(file: KnowledgeFile, delimiter: str, column: int) -> str:
    """What to put before bare identifiers: what was said, or what their shape tells."""
    if file.options.prefix:
        return file.options.prefix
    rows = (line.split(delimiter) for line in file.head.split("\n")[1:-1])
    return vocabulary_of_codes([row[column].strip() for row in rows if len(row) > column and row[column]])
