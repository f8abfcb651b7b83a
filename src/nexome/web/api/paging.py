"""Pages of long answers: opaque cursors, and pages cut by position so that each costs what it holds.

A cursor is JSON in URL-safe base64. Its content is ours to change; a cursor of another question or
of a study published anew since is refused, never quietly answered from somewhere else.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from nexome.model.errors import QueryError
from nexome.model.genome import MAX_POSITION, UNPLACED, Assembly, Interval

# The first stretch read for a page; widened until the page is full. About 70 variants at the
# density of ten million over a human genome.
FIRST_STRETCH_BP: Final = 20_000


def write_cursor(**values: Any) -> str:
    """A cursor holding these plain values."""
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


def read_cursor(text: str | None, **expected: type) -> dict[str, Any] | None:
    """The values of a cursor, each of the type expected; None without one. Raises QueryError."""
    if text is None:
        return None
    try:
        values = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        raise _bad_cursor() from None
    if not isinstance(values, dict) or {k: type(v) for k, v in values.items()} != expected:
        raise _bad_cursor()
    return values


def _bad_cursor() -> QueryError:
    return QueryError(
        "a cursor that this question did not give",
        where="cursor",
        expected="the cursor of the `next` address of the page before, unchanged",
        todo="Ask again without cursor.",
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: contig rank, position, and rows at that very position already given."""

    contig: int
    position: int
    skip: int = 0

    def as_cursor(self, version: int) -> str:
        """A cursor for this place, good for `version` of the study or manifest only."""
        return write_cursor(c=self.contig, p=self.position, s=self.skip, v=version)

    @classmethod
    def from_cursor(cls, text: str | None, *, version: int) -> Place | None:
        """The place a cursor names; QueryError when it is of another version."""
        values = read_cursor(text, c=int, p=int, s=int, v=int)
        if values is None:
            return None
        if values["v"] != version:
            raise QueryError(
                "the data were published anew since the page before",
                where="cursor",
                todo="Ask again without cursor, so that all pages are of one version.",
            )
        if not (0 <= values["c"] <= UNPLACED and 0 <= values["p"] <= MAX_POSITION and values["s"] >= 0):
            raise _bad_cursor()
        return cls(values["c"], values["p"], values["s"])


Read = Callable[[Interval], Iterable[pa.Table]]


def page_by_position(
    read: Read, stretch: Interval, *, begin: Place | None, rows: int, assembly: Assembly
) -> tuple[list[pa.Table], Place | None]:
    """At most `rows` rows of a stretch of one contig, from `begin` on, and where the next page begins.

    `read(interval)` gives the rows of an interval in order of position. It is asked for short
    intervals first, each four times the one before, until the page is full, so that a page of a
    dense region does not read all of it.
    """
    start, skip = (begin.position, begin.skip) if begin else (stretch.start, 0)
    pages: list[pa.Table] = []
    held, width = 0, FIRST_STRETCH_BP
    while start <= stretch.end:
        end = min(stretch.end, start + width - 1)
        for table in read(Interval(stretch.contig, start, end)):
            dropped = min(skip, table.num_rows)
            skip -= dropped
            pages.append(table.slice(dropped))
            held += table.num_rows - dropped
            if held > rows:
                return cut_page(pages, rows, begin=begin, assembly=assembly)
        start, width, skip = end + 1, width * 4, 0
    return pages, None


def cut_page(
    pages: list[pa.Table], rows: int, *, begin: Place | None, assembly: Assembly
) -> tuple[list[pa.Table], Place | None]:
    """The first `rows` rows of `pages`, and the place of the row behind them (None: there is none)."""
    whole = pa.concat_tables(pages)
    if whole.num_rows <= rows:
        return [whole], None
    chromosome = whole["chromosome"].cast(pa.string())
    position = whole["base_pair_location"].fill_null(0)
    name, at = chromosome[rows].as_py(), position[rows].as_py()
    contig = UNPLACED if name is None else assembly.rank(name)
    here = pc.and_(pc.equal(chromosome.fill_null(""), name or ""), pc.equal(position, at))
    skip = pc.sum(here.slice(0, rows)).as_py() or 0
    if begin and (begin.contig, begin.position) == (contig, at):
        skip += begin.skip
    return [whole.slice(0, rows)], Place(contig, at, skip)
