"""The doors of a View to look at places: windows of any width, what is strongest there, genes nearby."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from nexome.access.answers import ASSOCIATION_COLUMNS
from nexome.access.cells import strongest_cells
from nexome.access.signals import chosen_trait
from nexome.access.tables import nearest_symbols
from nexome.access.windows import GENOME, POINTS, WindowAnswer, answer_window, parse_window
from nexome.model.genome import Assembly, Interval, Stretch
from nexome.store.associations import query

if TYPE_CHECKING:
    from nexome.access.allowance import Allowance
    from nexome.access.centre import Centre
    from nexome.store.associations import Features
    from nexome.store.genes import GeneRecord


class _Asking(Protocol):
    """What these doors need of a View."""

    _centre: Centre

    @property
    def assembly(self) -> Assembly: ...

    def _allowance(self) -> Allowance: ...

    def _count(self, kind: str) -> None: ...

    def interval(self, where: str | Interval) -> Interval: ...

    def stretch(self, where: str | Stretch) -> Stretch: ...


class Looking:
    """Mixed into View."""

    def window(
        self: _Asking,
        study: str,
        trait: str | None = None,
        where: str | Stretch = GENOME,
        *,
        points: int = POINTS,
    ) -> WindowAnswer:
        """What a screen of about `points` points shows of a trait, from the whole genome to one base.

        `where` is 'genome', a region or gene, or '1:2Mb-3:50kb' across contigs. `trait` may be left out
        where the study has one. Raises as `associations` and `interval`.
        """
        place = self.stretch(where)
        allowance = self._allowance()
        ordinal, _ = chosen_trait(allowance.require(study, "read_cells"), trait)
        self._count("window")
        return answer_window(allowance, study, ordinal, where=place, points=points)

    def stretch(self: _Asking, where: str | Stretch) -> Stretch:
        """The stretch of the genome a text means; see `window`."""
        return where if isinstance(where, Stretch) else parse_window(where, self.assembly, self.interval)

    def strongest_in(
        self: _Asking, where: str | Interval, *, min_neg_log_10_p: float | None = None
    ) -> pa.Table:
        """The strongest association of each readable trait in a region, by strength (ASSOCIATION_COLUMNS)."""
        allowance = self._allowance()
        planes = query.region(allowance.snapshot, self.interval(where), allowance.selection)
        best = strongest_cells(planes).table(ASSOCIATION_COLUMNS)
        self._count("region")
        if min_neg_log_10_p is not None:
            best = best.filter(pc.greater_equal(best["neg_log_10_p_value"], min_neg_log_10_p))
        return best.sort_by([("neg_log_10_p_value", "descending")])

    @property
    def has_genes(self: _Asking) -> bool:
        """Whether genes were imported."""
        return self._centre.genes is not None

    def gene_places(self: _Asking, symbol: str) -> tuple[GeneRecord, ...]:
        """All genes with that symbol (or identifier), by position; none where there is none, or no genes."""
        genes = self._centre.genes
        return () if genes is None else genes.named(symbol)

    def nearest_genes(self: _Asking, features: Features) -> list[str]:
        """Symbol of the gene nearest to each feature [V]; '' without genes or a position."""
        return [symbol or "" for symbol in nearest_symbols(features, self._centre.genes).to_pylist()]
