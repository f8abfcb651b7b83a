"""What every page is: a described dataclass with a template, made by a builder from an Ask.

    Ask        who asks, in which language, for which address
    Page       base of all pages; its template takes it as `page`
    Redirect   "look there instead"
    Card       one section: its content, or the error that stays inside it
    Link       a plain link that may be the one being looked at

Builders read through the View of their Ask and through nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, TypeVar
from urllib.parse import quote, urlencode

import pyarrow as pa

from nexome.access.view import View
from nexome.model.errors import NexomeError, QueryError
from nexome.model.settings import Settings
from nexome.web.pages.language import Language

_log = logging.getLogger(__name__)
T = TypeVar("T")
API: Final = "/api/v1"
PAGE_MAX: Final = 1_000_000  # the last page number that is read as a number


@dataclass(frozen=True)
class Ask:
    """One request for a page: language, view, settings, the path behind the language, the parameters."""

    t: Language
    view: View
    settings: Settings
    path: str
    query: Mapping[str, str]

    def href(self, *parts: str, **query: Any) -> str:
        """Address of a page in this language: `href("studies", "X", trait="y")`; empty values drop out."""
        return address(self.t.code, *parts, **query)

    def again(self, **changes: Any) -> str:
        """Address of this page with some parameters changed; None or '' removes one."""
        kept = {k: v for k, v in (dict(self.query) | changes).items() if v not in {None, ""}}
        return self.path_in(self.t.code) + (f"?{urlencode(kept)}" if kept else "")

    def path_in(self, code: str) -> str:
        """Path of this page in another language, without parameters."""
        return f"/{code}{quote(self.path)}"

    def page_number(self) -> int:
        """Parameter `page`, from 1; QueryError when it is no such number."""
        text = self.query.get("page", "1")
        if not text.isdecimal() or not 1 <= int(text[:12]) <= PAGE_MAX:
            raise QueryError(f"page {text[:40]!r}", where="page", expected=f"a number from 1 to {PAGE_MAX:,}")
        return int(text)

    def choice(self, name: str, allowed: Mapping[str, Any] | tuple[str, ...], default: str) -> str:
        """Parameter `name`, one of `allowed`; QueryError naming them when it is another."""
        value = self.query.get(name) or default
        if value not in allowed:
            raise QueryError(f"{name} {value[:40]!r}", where=name, expected="one of " + ", ".join(allowed))
        return value


def address(code: str, *parts: str, **query: Any) -> str:
    """Path of a page: language code, quoted parts, parameters that are not empty.

    >>> address("zh", "variants", "2-10-A-G", sort="")
    '/zh/variants/2-10-A-G'
    """
    path = "/".join(["", code, *(quote(p, safe=":,+<>*") for p in parts)])
    kept = {k: v for k, v in query.items() if v not in {None, ""}}
    return (path if parts else path + "/") + (f"?{urlencode(kept)}" if kept else "")


@dataclass(frozen=True)
class Page:
    """Base of all pages. `title` is the name of this page; `template` the file that makes its HTML."""

    template: ClassVar[str]
    script: ClassVar[str] = ""  # the island a page loads, if any
    inline_styles: ClassVar[bool] = False  # whether its island writes style sheets into the page
    status: ClassVar[int] = 200
    title: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """Look at `href` instead."""

    href: str


@dataclass(frozen=True, slots=True)
class Download:
    """Not a page but a file made for it: its bytes, media type and file name."""

    body: bytes
    media_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Card(Generic[T]):
    """A section: `content`, or `error` when its data could not be read."""

    content: T | None = None
    error: NexomeError | None = None


def card_of(build: Callable[[], T]) -> Card[T]:
    """The section `build` makes; an error of ours stays in its card and the rest of the page stands."""
    try:
        return Card(content=build())
    except NexomeError as error:
        log_server_error(error)
        return Card(error=error)


def log_server_error(error: NexomeError) -> None:
    """Tell the log what is wrong with the server; a reader's mistakes are the reader's own."""
    if error.http_status >= 500:
        _log.error("%s", error)


@dataclass(frozen=True, slots=True)
class Link:
    """A plain link: text, address, whether it is the one being looked at, a count beside it if known."""

    text: str
    href: str
    current: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Paging:
    """Where a page of rows lies: first and last row shown (from 1), how many there are, the neighbours."""

    first: int
    last: int
    total: int
    previous: str
    next: str


def paging_of(ask: Ask, *, total: int, size: int) -> Paging:
    """Paging of `total` rows, `size` a page, by the parameter `page`. QueryError behind the last page."""
    number = ask.page_number()
    pages = max(1, -(-total // size))
    if number > pages:
        raise QueryError(f"page {number}", where="page", expected=f"a number from 1 to {pages}")
    return Paging(
        first=min(total, (number - 1) * size + 1),
        last=min(total, number * size),
        total=total,
        previous=ask.again(page=number - 1 if number > 2 else None) if number > 1 else "",
        next=ask.again(page=number + 1) if number < pages else "",
    )


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """Rows of a (short) table as dictionaries of plain Python values."""
    return table.to_pylist()


def variant_id(row: Mapping[str, Any]) -> str:
    """The name that finds a row's feature again: '2-135851076-G-A', or its feature name.

    >>> variant_id({"chromosome": "2", "base_pair_location": 10, "other_allele": "G", "effect_allele": "A"})
    '2-10-G-A'
    """
    if row.get("feature_name"):
        return str(row["feature_name"])
    parts = (row["chromosome"], row["base_pair_location"], row["other_allele"], row["effect_allele"])
    return "-".join(str(p) for p in parts)
