"""One association as the pages list it: a row of any table of a View, with its links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nexome.web.pages.page import Ask, rows_of, variant_id


@dataclass(frozen=True, slots=True)
class Association:
    """One row of a list of associations: variant, trait, p and effect, with links."""

    variant: str
    variant_href: str
    position: str
    gene: str
    trait: str
    trait_href: str
    study: str
    neg_log_10_p_value: float
    beta: float
    standard_error: float
    effect_allele: str
    effect_allele_frequency: float
    n: float
    category: str = ""


def associations_of(ask: Ask, table: pa.Table) -> list[Association]:
    """Rows of an association table, with the category of each trait and its name in the reader's language."""
    rows = rows_of(table)
    studies = pa.array(sorted({row["study_id"] for row in rows}), pa.string())
    traits = ask.view.traits()
    own = traits.filter(pc.is_in(traits["study_id"].cast(pa.string()), studies))
    known = {(t["study_id"], t["trait_id"]): t for t in rows_of(own)}
    found = []
    for row in rows:
        trait = known.get((row["study_id"], row["trait_id"]), {})
        label = trait.get(f"trait_{ask.t.code}") or row["trait"] or row["trait_id"]
        found.append(replace(association_of(ask, row), trait=label, category=trait.get("category") or ""))
    return found


def association_of(ask: Ask, row: Mapping[str, Any]) -> Association:
    """A row of any association table as the pages list it."""
    name = variant_id(row)
    placed = row["chromosome"] is not None
    return Association(
        variant=row["rsid"] or name,
        variant_href=ask.href("variants", name),
        position=f"{row['chromosome']}:{row['base_pair_location']:,}" if placed else "",
        gene=row.get("nearest_gene") or "",
        trait=row["trait"] or row["trait_id"],
        trait_href=ask.href("studies", row["study_id"], trait=row["trait_id"]),
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
