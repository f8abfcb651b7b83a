"""Words, grids and facets of cohorts, kept between questions; derived from immutable versions."""

from __future__ import annotations

from typing import Any, Final

from nexome.access.cohort_grid import Grid, grid_of
from nexome.access.cohort_ties import GraphTies
from nexome.access.cohort_words import NoTies, Ties, Words
from nexome.store.cohorts import CohortTable

KEPT: Final = 64


class CohortWords:
    """Words and grids of cohorts, kept while their dictionary and what is known of terms stay the same."""

    def __init__(self) -> None:
        self._words: dict[tuple[str, str], Words] = {}
        self._grids: dict[str, Grid] = {}
        self.facets: dict[str, dict[str, Any]] = {}

    def grid(self, table: CohortTable) -> Grid:
        """The grid of a cohort version."""
        if table.digest not in self._grids:
            make_room(self._grids)
            self._grids[table.digest] = grid_of(table.dictionary)
        return self._grids[table.digest]

    def words(self, table: CohortTable, view: Any) -> Words:
        """The words of a cohort version, with the terms that a view's reader may know."""
        knowledge = view._knowledge  # noqa: SLF001  the View's own doors
        key = (table.digest, f"{knowledge.digest} {view.principal.kind == 'owner'}")
        if key not in self._words:
            make_room(self._words)
            ties: Ties = GraphTies(view) if knowledge.sources() else NoTies()
            self._words[key] = Words(table.dictionary, ties)
        return self._words[key]


def make_room(kept: dict[Any, Any], most: int = KEPT) -> None:
    """Let the oldest go until there is room for one."""
    while len(kept) >= most:
        kept.pop(next(iter(kept)), None)
