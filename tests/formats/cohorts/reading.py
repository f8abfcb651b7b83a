"""Reading a file of a cohort whole, for tests."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from nexome.formats.cohorts import CohortOptions, Problem, open_cohort
from nexome.model.cohorts import Category, Dictionary, Variable


def variable(name: str, kind: str, missing: tuple[str, ...] = (), codes: tuple[str, ...] = ()) -> Variable:
    """A variable with codes and missing codes."""
    categories = (*(Category(c) for c in codes), *(Category(c, missing=True) for c in missing))
    return Variable(name, kind, categories=categories)  # type: ignore[arg-type]


def read_all(
    path: Path, *variables: Variable, **options: Any
) -> tuple[dict[str, list[Any]], list[Problem], dict[str, list[Any]], list[str]]:
    """(values by column, problems, missing codes by column, notes in English) of a whole file."""
    with open_cohort(path, CohortOptions(**options)) as reader:
        tables = list(reader.read(Dictionary(variables) if variables else None))
        values = pa.concat_tables([t.table.unify_dictionaries() for t in tables]).to_pydict()
        codes: dict[str, list[Any]] = {}
        for raw in tables:
            for name, column in raw.codes.items():
                codes.setdefault(name, []).extend(column.to_pylist())
        problems = [problem for raw in tables for problem in raw.problems]
        return values, problems, codes, [note.text for note in reader.notes]


def told(problems: list[Problem]) -> list[tuple[str, str, list[int]]]:
    """Problems as (column, kind found, lines)."""
    return [(p.column, p.found, p.lines.tolist()) for p in problems]


def at(*parts: int) -> datetime:
    """A moment without a zone, as files give them."""
    return datetime(*parts)  # noqa: DTZ001


def written(path: Path, text: str | bytes, encoding: str = "utf-8") -> Path:
    """The path, with the text in it."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def rows_of(columns: Mapping[str, list[Any]]) -> list[tuple[Any, ...]]:
    """Columns as rows."""
    return list(zip(*columns.values(), strict=True))
