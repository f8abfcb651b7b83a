"""One association as the pages list it: a row of any table of a View, with its links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from nexome.web.pages.page import Ask, address, rows_of, variant_id

if TYPE_CHECKING:
    from nexome.store.associations.types import TraitRef, TraitTable


@dataclass(frozen=True, slots=True)
class Association:
    """One row of a list of associations: variant, trait, p and effect.

    `variant_id`, `trait_id` are what the pages of both take; `code` is the language they are in.
    """

    code: str
    variant: str
    variant_id: str
    position: str
    gene: str
    trait: str
    trait_id: str
    study: str
    neg_log_10_p_value: float
    beta: float
    standard_error: float
    effect_allele: str
    effect_allele_frequency: float
    n: float
    category: str = ""
    category_name: str = ""
    unit: str = ""
    ancestry: str = ""

    @property
    def variant_href(self) -> str:
        """The page of the variant."""
        return address(self.code, "variants", self.variant_id)

    @property
    def trait_href(self) -> str:
        """The page of the trait."""
        return address(self.code, "studies", self.study, trait=self.trait_id)


def associations_of(ask: Ask, table: pa.Table, traits: TraitTable) -> list[Association]:
    """Rows of an association table, with the category, unit and name of each trait.

    `table` was made by planes whose traits are `traits`, and may have been filtered, sorted or cut: only
    the traits of its rows are looked at, be there a million others.
    """
    if not table.num_rows:
        return []
    ordinals = table["trait_id"].combine_chunks()
    return [
        _told(ask, association_of(ask, row), traits.refs[at])
        for row, at in zip(rows_of(table), ordinals.indices.to_pylist(), strict=True)
    ]


def _told(ask: Ask, row: Association, ref: TraitRef) -> Association:
    study, trait = ref.study, ref.trait
    scale = ask.t.of("effect_scale", study.effect_scale) if study.effect_scale != "unknown" else ""
    return replace(
        row,
        trait=ask.t.field(trait, "label") or trait.id,
        category=trait.category,
        category_name=ask.t.of("traits.category", trait.category),
        unit=study.effect_unit or scale,
        ancestry=ask.t.of("studies.ancestry", study.ancestry),
    )


def association_of(ask: Ask, row: Mapping[str, Any]) -> Association:
    """A row of any association table as the pages list it."""
    name = variant_id(row)
    placed = row["chromosome"] is not None
    return Association(
        code=ask.t.code,
        variant=row["rsid"] or name,
        variant_id=name,
        position=f"{row['chromosome']}:{row['base_pair_location']:,}" if placed else "",
        gene=row.get("nearest_gene") or "",
        trait=row["trait"] or row["trait_id"],
        trait_id=row["trait_id"],
        study=row["study_id"],
        neg_log_10_p_value=_number(row["neg_log_10_p_value"]),
        beta=_number(row["beta"]),
        standard_error=_number(row["standard_error"]),
        effect_allele=row["effect_allele"] or "",
        effect_allele_frequency=_number(row["effect_allele_frequency"]),
        n=_number(row["n"]),
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
