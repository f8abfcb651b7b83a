"""What a route is: path, parameters, what it answers. Reading, docs and checks come from here.

`Parameter` reads one value and says what was expected; `Route` is one path; `Asked` is a question
read; `Rows`, `Record`, `Stream` and `Whole` are its answers. No route is declared here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
from starlette.datastructures import QueryParams

from nexome.access.view import View
from nexome.model.errors import QueryError
from nexome.model.settings import Settings

Kind = Literal["text", "integer", "number", "list"]

MAX_TEXT: Final = 100_000  # characters of one parameter; a thousand variants with long alleles fit


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a route, in both languages. `choices` (text only) are the values allowed."""

    name: str
    kind: Kind
    en: str
    zh: str
    example: str = ""
    choices: tuple[str, ...] = ()
    place: Literal["query", "path"] = "query"
    required: bool = False

    def read(self, values: Sequence[str]) -> Any:
        """The value of this parameter from what the URL holds; None when absent. Raises QueryError."""
        if not values:
            if self.required:
                raise QueryError(f"no {self.name}", where=self.name, expected=self._expected())
            return None
        if self.kind == "list":
            return [part for value in values for part in _split(value, self.name)]
        if len(values) > 1:
            raise QueryError(f"{len(values)} values", where=self.name, expected="one value")
        return self._read_one(values[0])

    def _read_one(self, text: str) -> Any:
        if len(text) > MAX_TEXT:
            raise QueryError(f"{len(text)} characters", where=self.name, expected=f"at most {MAX_TEXT}")
        if self.kind == "text":
            if self.choices and text not in self.choices:
                raise QueryError(f"{text[:80]!r}", where=self.name, expected=self._expected())
            return text
        try:
            value = int(text) if self.kind == "integer" else float(text)
        except ValueError:
            raise QueryError(f"{text[:80]!r}", where=self.name, expected=self._expected()) from None
        if not math.isfinite(value):
            raise QueryError(f"{text[:80]!r}", where=self.name, expected=self._expected())
        return value

    def _expected(self) -> str:
        if self.choices:
            return " or ".join(self.choices)
        kind = {"text": "text", "integer": "a whole number", "number": "a number", "list": "a list"}[
            self.kind
        ]
        return f"{kind}, for example {self.example}" if self.example else kind


def _split(text: str, name: str) -> list[str]:
    if len(text) > MAX_TEXT:
        raise QueryError(f"{len(text)} characters", where=name, expected=f"at most {MAX_TEXT}")
    return [part.strip() for part in text.split(",") if part.strip()]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: who asks (`view`), the path's and the query's values, and the site's limits."""

    view: View
    settings: Settings
    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)

    @property
    def page_size(self) -> int:
        """Rows of one page; raises QueryError beyond the site's limit."""
        asked = self.values.get("page_size")
        size: int = min(self.settings.page_size, self.settings.page_size_max) if asked is None else asked
        if not 1 <= size <= self.settings.page_size_max:
            raise QueryError(
                f"page_size {size}", where="page_size", expected=f"1 to {self.settings.page_size_max}"
            )
        return size


@dataclass(frozen=True, slots=True)
class Rows:
    """A table, and the cursor of the page behind it (None: there is none)."""

    table: pa.Table
    meta: Mapping[str, Any] = field(default_factory=dict)
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One thing as plain JSON values."""

    record: Mapping[str, Any]
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stream:
    """A file made while it is sent."""

    chunks: Iterator[bytes]
    media_type: str
    file_name: str


@dataclass(frozen=True, slots=True)
class Whole:
    """A file as it lies on disk, sent whole or by ranges. `scope` 'open': shared caches may keep it."""

    path: Path
    media_type: str
    file_name: str
    scope: str


Answer = Rows | Record | Stream | Whole


@dataclass(frozen=True, slots=True)
class Route:
    """One path and how it is answered. `columns` are those of its rows; none: it answers a record.

    `steady` answers depend on the manifest, the scope and the question alone, so that their ETag is
    known before the work is done; others are tagged by their bytes.
    """

    path: str
    summary_en: str
    summary_zh: str
    answer: Callable[[Asked], Answer]
    parameters: tuple[Parameter, ...] = ()
    columns: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("GET",)
    steady: bool = True
    stream: bool = False

    @property
    def lists(self) -> tuple[Parameter, ...]:
        """What a body holds where the question is posted: the lists, the first of them needed."""
        return tuple(p for p in self.parameters if p.kind == "list" and p.name != "columns")

    def read(
        self, path: Mapping[str, Any], query: QueryParams, *, posted: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """All parameters, those of `posted` as they are; QueryError for a bad or an unknown one."""
        known = {p.name for p in self.parameters}
        if unknown := sorted(set(query) - known):
            raise QueryError(
                f"unknown parameter {unknown[0][:80]!r}",
                where=unknown[0][:80],
                expected=", ".join(p.name for p in self.parameters if p.place == "query") or "none",
                todo="Send a token as the header 'Authorization: Bearer …'." if "token" in unknown[0] else "",
            )
        values = dict(posted or {})
        for parameter in self.parameters:
            if (name := parameter.name) in values:
                continue
            texts = [str(path[name])] if parameter.place == "path" else query.getlist(name)
            values[name] = parameter.read(texts)
        return values
