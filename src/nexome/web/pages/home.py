"""The home page: one search box, what is in this centre, a few places to start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import pyarrow as pa
import pyarrow.compute as pc

from nexome.model.errors import NexomeError
from nexome.web.pages.page import Ask, Card, Link, Page, card_of, rows_of, variant_id
from nexome.web.pages.reading import read_href

RECENT: Final = 6
EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Recent:
    """A study published lately: its page, title, what it measures, day of publication."""

    href: str
    title: str
    note: str
    published: str


@dataclass(frozen=True)
class HomePage(Page):
    """The first page.

    `studies`, `traits`, `cells` count what this reader may know of; `ancestries` how many different ones.
    `recent` are the newest studies, `examples` searches that work here, taken from the newest one;
    `read_href` is where a whole text is read, '' where nothing is found by meaning.
    """

    template: ClassVar[str] = "home.html"
    studies: int
    traits: int
    cells: int
    ancestries: int
    recent: tuple[Recent, ...]
    examples: Card[tuple[Link, ...]]
    read_href: str


def build_home(ask: Ask) -> HomePage:
    """The home page of this reader's centre."""
    table = ask.view.studies()
    newest = rows_of(table.take(pc.sort_indices(table, [("published", "descending")])[:RECENT]))
    return HomePage(
        title=ask.t("home.title"),
        studies=table.num_rows,
        traits=_total(table, "trait_count"),
        cells=_total(table, "cell_count"),
        ancestries=len([a for a in pc.unique(table["ancestry"]).to_pylist() if a]),
        recent=tuple(_recent(ask, row) for row in newest),
        examples=card_of(lambda: _examples(ask, [row["study_id"] for row in newest])),
        read_href=read_href(ask),
    )


def _total(table: pa.Table, name: str) -> int:
    return int(pc.sum(table[name]).as_py() or 0)


def _recent(ask: Ask, row: dict[str, Any]) -> Recent:
    title = (row.get(f"title_{ask.t.code}") or row["title"]) or row["study_id"]
    parts = [ask.t("count.traits", n=row["trait_count"]), ask.t.of("studies.ancestry", row["ancestry"] or "")]
    note = " · ".join(p for p in parts if p)
    return Recent(ask.href("studies", row["study_id"]), title, note, row["published"][:10])


def _examples(ask: Ask, studies: list[str]) -> tuple[Link, ...]:
    """Leads of the newest studies that have any, and the genes nearest to them."""
    found: dict[str, Link] = {}
    for study in studies:
        try:
            rows = rows_of(ask.view.loci(study, limit=EXAMPLES))
        except NexomeError:  # a study whose summary cannot be read only gives no example
            continue
        for row in rows:
            text = row["rsid"] or variant_id(row)
            found.setdefault(text, Link(text, ask.href("variants", variant_id(row))))
            if gene := row.get("nearest_gene"):
                found.setdefault(gene, Link(gene, ask.href("search", q=gene)))
        if len(found) >= EXAMPLES:
            break
    return tuple(found.values())[: 2 * EXAMPLES]
