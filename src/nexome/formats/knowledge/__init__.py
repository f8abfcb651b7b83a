"""Knowledge in the formats of the outside world, as three tables: terms, names, edges.

`open_knowledge(path)` recognises the format and gives a reader of batches; see model.knowledge for the
columns and `rows` for the rules. One file at a time: what holds between files is the store's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from nexome.formats.knowledge.recognise import FORMATS, Format, recognise
from nexome.formats.knowledge.rows import RULES, KnowledgeBatch, Problem, Rule, batches
from nexome.formats.knowledge.source_file import KnowledgeFile, KnowledgeOptions
from nexome.formats.stream import open_stream
from nexome.model.errors import FormatError, InputError

__all__ = [
    "FORMATS",
    "RULES",
    "Format",
    "KnowledgeBatch",
    "KnowledgeOptions",
    "KnowledgeReader",
    "Problem",
    "Rule",
    "open_knowledge",
]


@dataclass(frozen=True)
class KnowledgeReader:
    """An opened file of knowledge; iterate once. `facts` and `sha256` are whole after the last batch."""

    format: Format
    file: KnowledgeFile

    @property
    def facts(self) -> dict[str, str]:
        """What the file says of itself: release, licence, title, where it does."""
        return self.file.facts

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes of the file read so far (all of them after the last batch)."""
        return self.file.stream.sha256

    def __iter__(self) -> Iterator[KnowledgeBatch]:
        try:
            yield from batches(self.format.read(self.file), language=self.file.options.language)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise FormatError(
                f"its structure is another ({type(error).__name__}: {error})",
                where=str(self.file.path),
                expected=self.format.title,
                todo="Say the format with --as, or convert the file.",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.stream.close()


def open_knowledge(path: Path, options: KnowledgeOptions | None = None) -> KnowledgeReader:
    """Open a file of knowledge, packed or not.

    Raises NotFoundError, FormatError where no format fits, InputError for an unknown `options.format`.
    """
    options = options or KnowledgeOptions()
    if options.format and options.format not in FORMATS:
        raise InputError(f"a format {options.format[:40]!r}", expected=", ".join(FORMATS))
    file = KnowledgeFile(path, open_stream(path), options)
    found = FORMATS[options.format] if options.format else recognise(file.head)
    if found is None:
        file.stream.close()
        raise FormatError(
            "no known format of knowledge",
            where=str(path),
            expected="an ontology, a table of terms, mappings, annotations (docs/knowledge.md)",
            todo="Say the format with --as, and columns with --map.",
        )
    return KnowledgeReader(found, file)
