"""The doors of a View that interpret: credible sets, colocalisation, comparison of two studies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import pyarrow as pa

from nexome.access.coloc import (
    COLOC_LOCUS_COLUMNS,
    ColocAnswer,
    coloc_of,
    refuse_same,
)
from nexome.access.compare import Comparison, compare_studies
from nexome.access.credible import FLANK_BP, SETS_MAX, CredibleSet, credible_set_of, locus_intervals
from nexome.access.ld_panels import usable_panels
from nexome.access.leads import LeadKeys, leads_by_distance, leads_by_ld
from nexome.access.newest import Newest
from nexome.access.signals import chosen_trait
from nexome.access.tables import feature_table
from nexome.methods.normal import neg_log10_p_from_z
from nexome.model.errors import NotFoundError, QueryError
from nexome.model.fields import schema_of
from nexome.model.genome import Interval

if TYPE_CHECKING:
    from nexome.access.allowance import Allowance
    from nexome.access.centre import Centre
    from nexome.access.identity import Principal
    from nexome.access.ld_answers import ClumpAnswer
    from nexome.access.signals import SignalOptions
    from nexome.methods.coloc import Priors


# Clumps depend on a study version and on the panels alone; the figures of a page ask for them again.
# Each principal has its own, so that whoever uses a private panel is in the audit log.
_CLUMPS: Final[Newest[ClumpAnswer]] = Newest(64)


class _Asking(Protocol):
    """What these doors need of a View."""

    _centre: Centre
    principal: Principal

    def _allowance(self) -> Allowance: ...

    def _count(self, kind: str) -> None: ...

    def interval(self, where: str | Interval) -> Interval: ...

    def clump(self, study: str, trait: str | None = None) -> ClumpAnswer: ...


class Interpreting:
    """Mixed into View. `where` is a region, a gene or an Interval; one-trait studies need no trait named."""

    def credible_sets(
        self: _Asking,
        study: str,
        trait: str | None = None,
        where: str | Interval | None = None,
        *,
        coverage: float = 0.95,
        options: SignalOptions | None = None,
    ) -> tuple[CredibleSet, ...]:
        """The credible set of a region, or of each locus of the trait (500 kb on both sides of its lead).

        Assumes one causal variant in each region. At most SETS_MAX loci, strongest first. Raises
        NotFoundError, RefusedError or QueryError as every question, InputError where the study gives
        too little (`access.signals.read_signal`).
        """
        allowance = self._allowance()
        published = allowance.require(study, "read_cells")
        ordinal, chosen = chosen_trait(published, trait)
        if where is not None:
            places = [self.interval(where)]
        else:
            places = locus_intervals(published.summary().loci(ordinal, limit=SETS_MAX))
        self._count("credible_sets")
        return tuple(
            credible_set_of(allowance, study, chosen.id, interval=place, coverage=coverage, options=options)
            for place in places
        )

    def coloc(
        self: _Asking,
        first: str | tuple[str, str | None],
        second: str | tuple[str, str | None],
        where: str | Interval,
        *,
        priors: Priors | None = None,
        options: tuple[SignalOptions | None, SignalOptions | None] = (None, None),
    ) -> ColocAnswer:
        """Whether two traits share their causal variant in a region; a trait is a study, or (study, trait).

        Assumes at most one causal variant for each. Raises as `credible_sets`; QueryError for the
        same trait twice, NotFoundError where the two share no variant there.
        """
        self._count("coloc")
        interval = self.interval(where)
        pair = _pair(first), _pair(second)
        return coloc_of(self._allowance(), *pair, interval=interval, priors=priors, options=options)

    def coloc_loci(
        self: _Asking,
        first: str | tuple[str, str | None],
        second: str | tuple[str, str | None],
        *,
        priors: Priors | None = None,
        flank_bp: int = FLANK_BP,
    ) -> pa.Table:
        """Every locus of the first trait colocalised with the second (COLOC_LOCUS_COLUMNS), strongest first.

        A row a locus: its lead, the variants both have within `flank_bp` bases on both sides, H0…H4.
        Loci without a variant in common have no row's posteriors (NaN) and 0 variants.
        """
        allowance = self._allowance()
        a, b = _pair(first), _pair(second)
        published = allowance.require(a[0], "read_cells")
        ordinal, chosen = chosen_trait(published, a[1])
        other = allowance.require(b[0], "read_cells")
        refuse_same((a[0], chosen.id), (b[0], chosen_trait(other, b[1])[1].id))
        leads = published.summary().loci(ordinal, limit=SETS_MAX)
        self._count("coloc")
        rows = [
            _posterior(allowance, (a[0], chosen.id), b, interval=place, priors=priors)
            for place in locus_intervals(leads, flank_bp=flank_bp)
        ]
        if not rows:
            return schema_of(COLOC_LOCUS_COLUMNS).empty_table()
        told: dict[str, Any] = {
            "neg_log_10_p_value": neg_log10_p_from_z(leads.z),
            "variants": np.array([count for count, _ in rows], np.int32),
        }
        told |= {f"posterior_h{k}": np.array([found[k] for _, found in rows]) for k in range(5)}
        return feature_table(
            leads.features,
            told,
            columns=COLOC_LOCUS_COLUMNS,
            assembly=allowance.snapshot.assembly,
            genes=self._centre.genes,
        )

    def compare(
        self: _Asking,
        first: str | tuple[str, str | None],
        second: str | tuple[str, str | None],
    ) -> Comparison:
        """What two traits share and how their effects agree, at the leads of their loci.

        Leads are told apart by LD where there are genotypes this principal may use, else by distance.

        Raises as `credible_sets`; QueryError for the same trait twice, NotFoundError where the two
        share no feature.
        """
        self._count("compare")
        pair = _pair(first), _pair(second)
        allowance = self._allowance()
        leads = tuple(_leads(self, allowance, trait) for trait in pair)
        return compare_studies(allowance, *pair, leads=(leads[0], leads[1]), genes=self._centre.genes)


def _pair(trait: str | tuple[str, str | None]) -> tuple[str, str | None]:
    return (trait, None) if isinstance(trait, str) else trait


def _leads(view: _Asking, allowance: Allowance, trait: tuple[str, str | None]) -> LeadKeys:
    """Leads of a trait by LD; by distance without genotypes, or with too many hits to clump."""
    published = allowance.require(trait[0], "read_cells")
    ordinal, chosen = chosen_trait(published, trait[1])
    by_distance = leads_by_distance(published, ordinal)
    try:
        panels = usable_panels(view._centre.genotypes.sets(), view.principal, asked=None)  # noqa: SLF001
        version = str(published.path), published.published, chosen.id
        key = (view.principal, version, *((p.name, p.version) for p in panels))
        found = _CLUMPS.get(key, lambda: view.clump(trait[0], chosen.id))
    except (NotFoundError, QueryError):
        return by_distance
    return leads_by_ld(found, by_distance, allowance.snapshot.assembly)


def _posterior(
    allowance: Allowance,
    first: tuple[str, str],
    second: tuple[str, str | None],
    *,
    interval: Interval,
    priors: Priors | None,
) -> tuple[int, list[float]]:
    """Shared variants and H0…H4 of a region; 0 and NaN where there is nothing to compare."""
    try:
        found = coloc_of(allowance, first, second, interval=interval, priors=priors).found
    except NotFoundError:
        return 0, [float("nan")] * 5
    return found.variants, found.posterior.tolist()
