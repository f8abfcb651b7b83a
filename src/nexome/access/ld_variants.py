"""Where a panel holds the variant that a text means, and what to do where it does not.

An rs number is looked up in the panel, then, for panels without rs numbers, by the alleles a readable
study has it with. Alleles may be written in either order: the one written last is the effect allele asked
about, and `swapped` says that the panel counts the other one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from nexome.access.answers import FeatureAnswer
from nexome.access.finding import describe_feature, known_features
from nexome.model.errors import NotFoundError, QueryError
from nexome.model.genome import Interval, VariantName, allele_key, locus_of, parse_variant
from nexome.store.associations import FeatureHit, FeatureKey, query

if TYPE_CHECKING:
    from nexome.access.allowance import Allowance
    from nexome.store.genotypes import GenotypeSet

_NEAREST: Final = 3


@dataclass(frozen=True, slots=True)
class PanelVariant:
    """A variant of a panel: its row, and whether the panel counts the allele that is not asked about."""

    row: int
    swapped: bool = False

    @property
    def sign(self) -> float:
        """What r, as the panel counts, is multiplied with."""
        return -1.0 if self.swapped else 1.0


def locate(
    allowance: Allowance, panels: Sequence[GenotypeSet], text: str
) -> tuple[GenotypeSet, PanelVariant]:
    """The first of `panels` that holds the variant of a text, and where.

    Raises QueryError for a text that is no variant, or means several; NotFoundError where no panel holds
    it, naming the nearest variants of the first panel.
    """
    name = parse_variant(text, allowance.snapshot.assembly)
    keys = _keys_of(allowance, name)
    for panel in panels:
        found = _places(panel, name, keys)
        if len(found) > 1:
            raise _ambiguous(panel, [f.row for f in found], text)
        if found:
            return panel, found[0]
    raise _absent(allowance, panels[0], name, keys=keys, text=text)


def panel_variant_id(panel: GenotypeSet, variant: PanelVariant) -> FeatureAnswer:
    """A variant of a panel as answers name it, its effect allele the one asked about."""
    features = panel.features(np.array([variant.row]))
    text = features.text(0)
    if variant.swapped:
        ref, _, alt = text.partition("/")
        text = f"{alt}/{ref}"
    hit = FeatureHit(features.key(0), int(features.rsid[0]), text)
    return describe_feature(hit, panel.assembly)


def _keys_of(allowance: Allowance, name: VariantName) -> list[FeatureKey]:
    """Keys a name may have: spelled in it, or as readable studies have it."""
    if name.contig is not None and name.position is not None and name.alt:
        return [FeatureKey(locus_of(name.contig, name.position), allele_key(name.ref, name.alt))]
    hits = known_features(allowance, query.resolve(allowance.snapshot, name))
    return [hit.key for hit in hits]


def _places(panel: GenotypeSet, name: VariantName, keys: Sequence[FeatureKey]) -> list[PanelVariant]:
    if name.alt:
        rows, swapped = panel.find_either(keys, spelled={keys[0].allele: f"{name.ref}/{name.alt}"})
        found = [PanelVariant(int(rows[0]), bool(swapped[0]))]
        return [f for f in found if f.row >= 0]
    if name.rsid is not None:
        rows = np.flatnonzero(panel.packed.rsid == name.rsid)
    else:
        here = panel.rows_in(_one_base(name))
        rows = np.arange(here.start, here.stop)
    if len(rows) == 1:
        return [PanelVariant(int(rows[0]))]
    known, swapped = panel.find_either(keys) if keys else (np.zeros(0, np.int64), np.zeros(0, bool))
    held = [PanelVariant(int(r), bool(s)) for r, s in zip(known, swapped, strict=True) if r >= 0]
    return held if len(held) == 1 else [PanelVariant(int(r)) for r in rows] or held


def _one_base(name: VariantName) -> Interval:
    contig, position = name.contig or 0, name.position or 0
    return Interval(contig, position, position)


def _ambiguous(panel: GenotypeSet, rows: Sequence[int], text: str) -> QueryError:
    names = [panel_variant_id(panel, PanelVariant(row)).id for row in rows]
    return QueryError(
        f"{text[:80]!r} may be {len(rows)} variants",
        where=f"panel {panel.name}",
        expected="one of " + ", ".join(names[:8]),
        todo="Write the alleles too.",
    )


def _absent(
    allowance: Allowance, panel: GenotypeSet, name: VariantName, *, keys: Sequence[FeatureKey], text: str
) -> NotFoundError:
    where = f"panel {panel.name}"
    if name.rsid is not None and not keys:
        return NotFoundError(
            f"no variant {text[:80]!r}",
            where=where,
            todo="The number may have been merged into another, or the panel has none: "
            f"ask by position and alleles in {allowance.snapshot.assembly.name}.",
        )
    locus = keys[0].locus if keys else locus_of(name.contig or 0, name.position or 0)
    contig, position = locus >> 32, locus & 0xFFFFFFFF
    here = panel.rows_in(Interval(contig, position, position))
    if here.stop > here.start:
        held = [panel_variant_id(panel, PanelVariant(row)).id for row in range(here.start, here.stop)]
        return NotFoundError(
            f"no variant {text[:80]!r}", where=where, expected="at this position " + ", ".join(held[:8])
        )
    near = ", ".join(_nearest(panel, locus))
    return NotFoundError(
        f"no variant {text[:80]!r}",
        where=where,
        todo=f"The nearest it has: {near}." if near else "It has none on this contig.",
    )


def _nearest(panel: GenotypeSet, locus: int) -> list[str]:
    """The nearest variants on the contig, nearest first, with their distances."""
    held = panel.packed.locus
    place = int(np.searchsorted(held, np.uint64(locus)))
    rows = [row for row in range(place - _NEAREST, place + _NEAREST) if 0 <= row < len(held)]
    gaps = {row: abs(int(held[row]) - locus) for row in rows if int(held[row]) >> 32 == locus >> 32}
    chosen = sorted(gaps, key=lambda row: gaps[row])[:_NEAREST]
    return [f"{panel_variant_id(panel, PanelVariant(row)).id} ({gaps[row]:,} bp)" for row in chosen]
