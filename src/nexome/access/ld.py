"""The doors of a View to linkage disequilibrium: panels, one variant with a region, pairs, proxies, clumps.

LD is a statistic over people: it is given for populations of `ld_min_people` and more, of sets of
genotypes that are open or granted, rounded (`ld_answers`), and questions to private sets are audited.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.access.ld_answers import (
    LD_COLUMNS,
    ClumpAnswer,
    LdAnswer,
    LdMatrix,
    describe_choice,
    measure_all,
    measure_rows,
    turned,
)
from nexome.access.ld_cache import LdKey
from nexome.access.ld_clump import ClumpOptions, clump_trait
from nexome.access.ld_panels import PanelChoice, choose_population, panel_table, usable_panels
from nexome.access.ld_variants import PanelVariant, locate, panel_variant_id
from nexome.access.signals import chosen_trait
from nexome.methods.ld.pairs import Measures, PairLd
from nexome.model.errors import NotFoundError, QueryError, RefusedError
from nexome.model.genome import HASHED, MAX_POSITION, Interval
from nexome.store.associations import query

if TYPE_CHECKING:
    from nexome.access.allowance import Allowance
    from nexome.access.centre import Centre
    from nexome.access.identity import Principal
    from nexome.store.associations import FeatureKey
    from nexome.store.genotypes import GenotypeSet

FLANK_BP: Final = 500_000
SPAN_MAX_BP: Final = 10_000_000  # ±5 Mb; LD reaches no further but in inversions and at centromeres
ROWS_MAX: Final = 50_000
MATRIX_MAX: Final = 1_000
PROXY_R2: Final = 0.8

__all__ = ["LD_COLUMNS", "ClumpAnswer", "ClumpOptions", "LdAnswer", "LdMatrix", "Linkage", "describe_choice"]


class _Asking(Protocol):
    """What these doors need of a View."""

    _centre: Centre
    principal: Principal
    purpose: str

    def _allowance(self) -> Allowance: ...

    def _count(self, kind: str) -> None: ...

    def interval(self, where: str | Interval) -> Interval: ...

    def ld(
        self,
        variant: str,
        where: str | Interval | None = None,
        *,
        flank_bp: int = FLANK_BP,
        panel: str | None = None,
        population: str | None = None,
        study: str | None = None,
    ) -> LdAnswer: ...


class Linkage:
    """Mixed into View. A panel and a population are chosen where none is named; the answer says which.

    `study` names a study whose ancestry the population should be nearest to. Every door raises QueryError
    for what cannot be understood, NotFoundError for a variant, panel or population that is not there (it
    says what is), RefusedError for a private panel without a grant and for too few people.
    """

    def ld_panels(self: _Asking) -> pa.Table:
        """Sets of genotypes and their populations (access.ld_panels.PANEL_COLUMNS), best first."""
        least = self._centre.settings.ld_min_people
        return panel_table(self._centre.genotypes.sets(), self.principal, least=least)

    def ld(
        self: _Asking,
        variant: str,
        where: str | Interval | None = None,
        *,
        flank_bp: int = FLANK_BP,
        panel: str | None = None,
        population: str | None = None,
        study: str | None = None,
    ) -> LdAnswer:
        """LD of a variant with all variants of a panel in a region, or within `flank_bp` on both sides."""
        choice, found = _chosen(self, variant, panel=panel, population=population, study=study)
        _refuse_monomorphic(self, choice, found, text=variant)
        named = panel_variant_id(choice.panel, found)
        place = _place_around(self, named.locus, where, flank_bp=flank_bp)
        rows = _rows_within(choice.panel, place)
        pairs = _cached(self, choice, found.row, rows, measures="r and d_prime")
        _tell(self, "ld", choice)
        return LdAnswer(
            choice=choice,
            variant=named,
            swapped=found.swapped,
            row=found.row - rows.start if rows.start <= found.row < rows.stop else -1,
            where=place,
            assembly=choice.panel.assembly,
            features=choice.panel.features(rows),
            pairs=turned(pairs, found.sign),
            frequency=choice.panel.frequencies(rows, choice.group),
        )

    def ld_to(
        self: _Asking,
        variant: str,
        keys: Sequence[FeatureKey],
        *,
        panel: str | None = None,
        population: str | None = None,
        study: str | None = None,
    ) -> npt.NDArray[np.float32]:
        """r² of a variant with K features of the store, float32 [K]: to colour a plot with.

        NaN where the panel does not hold a feature, or one of the two does not vary.
        """
        choice, found = _chosen(self, variant, panel=panel, population=population, study=study)
        r2 = np.full(len(keys), np.nan, np.float32)
        long = [key for key in keys if key[1] >= HASHED]
        spelled = query.features_of(self._allowance().snapshot, long).spelled if long else {}
        rows, _ = choice.panel.find_either(keys, spelled=spelled)
        held = np.flatnonzero(rows >= 0)
        if len(held):
            r2[held] = measure_rows(choice, found.row, rows[held], measures="r").r2
        _tell(self, "ld", choice)
        return np.round(r2, 4)

    def ld_matrix(
        self: _Asking,
        variants: Sequence[str] | None = None,
        where: str | Interval | None = None,
        *,
        panel: str | None = None,
        population: str | None = None,
        study: str | None = None,
    ) -> LdMatrix:
        """LD of all pairs of up to MATRIX_MAX variants, in the order asked, or of all of a region."""
        if (variants is None) == (where is None):
            raise QueryError("variants and a region, or neither", expected="one of the two")
        usable = _with_population(_usable(self, panel), population)
        missing: list[str] = []
        if variants is not None:
            _refuse_many(len(variants))
            held, found, missing = _locate_all(self._allowance(), usable, variants)
        else:
            held = usable[0]
            rows = _rows_within(held, self.interval(where or ""))
            _refuse_many(rows.stop - rows.start)
            found = [PanelVariant(row) for row in range(rows.start, rows.stop)]
        choice = _population(self, held, population=population, study=study)
        pairs = measure_all(choice, found)
        _tell(self, "ld_matrix", choice)
        names = tuple(panel_variant_id(held, each) for each in found)
        return LdMatrix(choice, names, tuple(missing), pairs)

    def proxies(
        self: _Asking,
        variant: str,
        *,
        min_r2: float = PROXY_R2,
        window_bp: int = FLANK_BP,
        panel: str | None = None,
        population: str | None = None,
        study: str | None = None,
    ) -> pa.Table:
        """Variants that can stand for one, best first (LD_COLUMNS): r² of `min_r2` or more in a window.

        `window_bp` bases on both sides are looked at. `ld(…).proxies(…)` says what was chosen, too.
        """
        around = self.ld(variant, flank_bp=window_bp, panel=panel, population=population, study=study)
        return around.proxies(min_r2)

    def clump(
        self: _Asking,
        study: str,
        trait: str | None = None,
        *,
        options: ClumpOptions | None = None,
        panel: str | None = None,
        population: str | None = None,
    ) -> ClumpAnswer:
        """Clumps of a trait's associations by LD, as PLINK's --clump: one index a signal, with its members.

        Raises as `associations` too, QueryError where more variants than can be clumped at once are
        within p2.
        """
        allowance = self._allowance()
        published = allowance.require(study, "read_cells")
        ordinal, chosen = chosen_trait(published, trait)
        usable = _usable(self, panel)
        answer = clump_trait(
            allowance,
            (study, chosen.id, ordinal),
            _populations(self, usable, population=population, study=study),
            options=options or ClumpOptions(),
            genes=self._centre.genes,
        )
        _tell(self, "clump", answer.choice)
        return answer


# ---------------------------------------------------------------- parts


def _chosen(
    view: _Asking, variant: str, *, panel: str | None, population: str | None, study: str | None
) -> tuple[PanelChoice, PanelVariant]:
    """The panel, population and row that a question is about."""
    usable = _with_population(_usable(view, panel), population)
    held, found = locate(view._allowance(), usable, variant)  # noqa: SLF001
    return _population(view, held, population=population, study=study), found


def _usable(view: _Asking, panel: str | None) -> list[GenotypeSet]:
    return usable_panels(view._centre.genotypes.sets(), view.principal, asked=panel)  # noqa: SLF001


def _with_population(panels: list[GenotypeSet], population: str | None) -> list[GenotypeSet]:
    """Those of the panels that have a population, where any has: a variant is looked for in these alone."""
    wanted = (population or "").casefold()
    having = [p for p in panels if wanted in {name.casefold() for name in p.populations}]
    return having or panels


def _population(
    view: _Asking, panel: GenotypeSet, *, population: str | None, study: str | None
) -> PanelChoice:
    ancestry = view._allowance().published(study).study.ancestry if study else ""  # noqa: SLF001
    least = view._centre.settings.ld_min_people  # noqa: SLF001
    return choose_population(panel, view.principal, asked=population, ancestry=ancestry, least=least)


def _populations(
    view: _Asking, panels: Sequence[GenotypeSet], *, population: str | None, study: str
) -> list[PanelChoice]:
    """Of each panel that has the population, enough of it; raises what the first one lacks where none has."""
    found, lacking = [], []
    for panel in panels:
        try:
            found.append(_population(view, panel, population=population, study=study))
        except (NotFoundError, RefusedError) as error:
            lacking.append(error)
    if not found:
        raise lacking[0]
    return found


def _place_around(view: _Asking, locus: int, where: str | Interval | None, *, flank_bp: int) -> Interval:
    contig, position = locus >> 32, locus & 0xFFFFFFFF
    if where is None:
        if not 0 < flank_bp <= SPAN_MAX_BP // 2:
            raise QueryError(f"a window of {flank_bp:,} bases", expected=f"1 to {SPAN_MAX_BP // 2:,}")
        end = view._centre.root.assembly.contigs[contig].length_bp or MAX_POSITION  # noqa: SLF001
        return Interval(contig, max(1, position - flank_bp), min(end, position + flank_bp))
    place = view.interval(where)
    if place.contig != contig:
        names = [view._centre.root.assembly.contig_name(rank) for rank in (place.contig, contig)]  # noqa: SLF001
        raise QueryError(
            f"a region on {names[0]} for a variant on {names[1]}", expected=f"a region on {names[1]}"
        )
    return place


def _rows_within(panel: GenotypeSet, place: Interval) -> slice:
    """Rows of a region. Raises QueryError for one too long or too dense, or without a variant."""
    if (span := place.end - place.start) > SPAN_MAX_BP:
        raise QueryError(
            f"a region of {span:,} bases",
            expected=f"at most {SPAN_MAX_BP:,} bases",
            todo="LD further away than 5 Mb is noise: ask for a part.",
        )
    rows = panel.rows_in(place)
    if (count := rows.stop - rows.start) > ROWS_MAX:
        raise QueryError(
            f"{count:,} variants of panel {panel.name} in the region",
            expected=f"at most {ROWS_MAX:,}",
            todo="Ask for a shorter region.",
        )
    return rows


def _cached(view: _Asking, choice: PanelChoice, index: int, rows: slice, *, measures: Measures) -> PairLd:
    panel, centre = choice.panel, view._centre  # noqa: SLF001
    centre.ld_cache.keep_only({(each.name, each.version) for each in centre.genotypes.sets().values()})
    key = LdKey(panel.name, panel.version, choice.population, index, rows.start, rows.stop, measures)
    return centre.ld_cache.get(key, lambda: measure_rows(choice, index, rows, measures=measures))


def _refuse_monomorphic(view: _Asking, choice: PanelChoice, found: PanelVariant, *, text: str) -> None:
    panel, row = choice.panel, np.array([found.row])
    frequency = float(panel.frequencies(row, choice.group)[0])
    if 0 < frequency < 1:
        return
    least = view._centre.settings.ld_min_people  # noqa: SLF001
    others = {
        n: float(panel.frequencies(row, n)[0]) for n, size in panel.populations.items() if size >= least
    }
    varied = [f"{name} ({share:.2g})" for name, share in others.items() if 0 < share < 1]
    raise QueryError(
        f"{text[:80]!r} does not vary in the {choice.people:,} people: LD with it is not defined",
        where=f"panel {panel.name}, population {choice.population or 'all'}",
        todo=f"It varies in {', '.join(varied[:8])}." if varied else "Ask for another panel or variant.",
    )


def _refuse_many(count: int) -> None:
    if not 1 <= count <= MATRIX_MAX:
        raise QueryError(f"{count:,} variants", expected=f"1 to {MATRIX_MAX:,}")


def _locate_all(
    allowance: Allowance, usable: Sequence[GenotypeSet], variants: Sequence[str]
) -> tuple[GenotypeSet, list[PanelVariant], list[str]]:
    """The panel that holds the first variant that any holds, the variants in it, and those it lacks."""
    held: GenotypeSet | None = None
    found: dict[int, PanelVariant] = {}
    missing: list[str] = []
    first: NotFoundError | None = None
    for text in dict.fromkeys(variants):
        try:
            held, each = locate(allowance, [held] if held else usable, text)
            found.setdefault(each.row, each)
        except NotFoundError as error:
            first = first or error
            missing.append(text)
    if held is None:
        raise first or NotFoundError("no variant")
    return held, list(found.values()), missing


def _tell(view: _Asking, kind: str, choice: PanelChoice) -> None:
    """Count the question, and audit it before its answer leaves where the panel is private."""
    view._count(kind)  # noqa: SLF001
    panel, principal = choice.panel, view.principal
    if panel.access == "private" and principal.kind != "owner":
        detail = {"population": choice.population or "all", "version": str(panel.version)}
        view._centre.catalogue.accounts.audit(  # noqa: SLF001
            principal.name or principal.kind,
            f"read_{kind}",
            f"genotypes {panel.name}",
            purpose=view.purpose,
            **detail,
        )
