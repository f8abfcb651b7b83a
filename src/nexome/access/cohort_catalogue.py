"""The catalogue of cohorts, row by row: what a cohort, a variable, a quantity is; no question over people.

The sexes and ages of a cohort are told to everyone as an anonymous reader may count them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nexome.access.cohort_filters import EVERYONE
from nexome.access.cohort_grid import axis_of, quantity_of, substance_of
from nexome.access.cohort_kept import make_room
from nexome.access.cohort_rows import gather
from nexome.access.disclosure import Question, Split, guard_of
from nexome.access.identity import Principal
from nexome.access.policy import cohort_subject
from nexome.model.cohorts import Role, Variable
from nexome.model.cut_points import AGE_BAND_YEARS
from nexome.model.errors import RefusedError
from nexome.store.cohorts import CohortTable

if TYPE_CHECKING:
    from nexome.access.centre import Centre

COHORT_COLUMNS: Final = (
    "cohort",
    "title",
    "title_zh",
    "access",
    "cohort_kind",
    "cohort_version",
    "published",
    "country",
    "years",
    "sampling",
    "participants",
    "sexes",
    "age_from",
    "age_to",
    "variables_count",
    "quantities",
    "licence",
    "publication",
)
VARIABLE_COLUMNS: Final = (
    "variable",
    "label",
    "label_zh",
    "variable_type",
    "variable_unit",
    "category_codes",
    "plausible_low",
    "plausible_high",
    "variable_terms",
    "question",
    "sensitivity",
    "hgr_class",
    "variable_role",
    "banded_by",
)
FOUND_COLUMNS: Final = ("cohort", *VARIABLE_COLUMNS)
MATRIX_COLUMNS: Final = (
    "quantity",
    "label",
    "label_zh",
    "cohort",
    "variable",
    "variable_type",
    "variable_unit",
    "matched_by",
    "source_variables",
)
COMPARE_COLUMNS: Final = (
    "cohort",
    "title",
    "title_zh",
    "variable",
    "variable_unit",
    "participants",
    "mean",
    "standard_deviation",
    "p5",
    "p25",
    "p50",
    "p75",
    "p95",
    "withheld",
)


def cohort_row(centre: Centre, table: CohortTable) -> dict[str, Any]:
    """A row of COHORT_COLUMNS."""
    cohort, entry = table.cohort, table.entry
    texts = ("title", "title_zh", "country", "years", "sampling", "licence", "publication")
    known = dict.fromkeys(
        quantity.label for variable in table.variables if (quantity := _quantity(variable)) is not None
    )
    return {
        **{name: getattr(cohort, name) or None for name in texts},
        "cohort": entry.id,
        "access": entry.access,
        "cohort_kind": entry.kind,
        "cohort_version": entry.version,
        "published": entry.published,
        "participants": entry.people,
        "variables_count": len(table.variables),
        "quantities": " | ".join(known) or None,
        **facets_of(centre, table),
    }


def facets_of(centre: Centre, table: CohortTable) -> dict[str, Any]:
    """Sexes and ages as anybody may know them: counted through the guard of an anonymous reader."""
    kept = centre.cohort_words.facets
    if table.digest not in kept:
        make_room(kept)
        sexes, (low, high) = _counted(centre, table, "sex"), _age_range(centre, table)
        told = [f"{name} {count:,}" for name, count in sexes if count]
        kept[table.digest] = {"sexes": ", ".join(told) or None, "age_from": low, "age_to": high}
    return kept[table.digest]


def _age_range(centre: Centre, table: CohortTable) -> tuple[float | None, float | None]:
    counted = _counted(centre, table, "age")
    held = [at for at, (_, count) in enumerate(counted) if count]
    variable = table.dictionary.of_role("age")
    if not held or variable is None or (axis := axis_of(variable)) is None:
        return None, None
    factor = axis.cuts[0] / AGE_BAND_YEARS
    limits = (0.0, *(cut / factor for cut in axis.cuts), None)
    return limits[held[0]], limits[held[-1] + 1]


def _anybody(table: CohortTable) -> Principal:
    """A reader who may know of the cohort and has no other right."""
    return Principal("holder", "", frozenset({(cohort_subject(table.id), "see")}))


def _counted(centre: Centre, table: CohortTable, role: Role) -> list[tuple[str, int | None]]:
    variable = table.dictionary.of_role(role)
    axis = axis_of(variable) if variable is not None else None
    if axis is None:
        return []
    split = Split(axis.variable.name, axis.cuts, axis.codes)
    question = Question(
        "count",
        table.id,
        table.version,
        f"count by {axis.variable.name}",
        (axis.variable.name,),
        (),
        (split,),
    )
    grid = centre.cohort_words.grid(table)
    try:
        release = guard_of(centre, _anybody(table)).release(
            question, gather(table, EVERYONE, (axis,)), of=table, grid=grid
        )
    except RefusedError:
        return []
    return [(name, cell.count) for name, cell in zip(axis.labels(), release.cells, strict=True)]


def variable_row(variable: Variable) -> dict[str, Any]:
    """A row of VARIABLE_COLUMNS."""
    axis = axis_of(variable)
    codes = (
        f"{c.code} = {c.label or c.label_zh}" if c.label or c.label_zh else c.code
        for c in variable.categories
    )
    return {
        "variable": variable.name,
        "label": variable.label or None,
        "label_zh": variable.label_zh or None,
        "variable_type": variable.type,
        "variable_unit": variable.unit or None,
        "category_codes": " | ".join(codes) or None,
        "plausible_low": variable.minimum,
        "plausible_high": variable.maximum,
        "variable_terms": " | ".join(variable.terms) or None,
        "question": variable.question or None,
        "sensitivity": variable.sensitivity,
        "hgr_class": variable.hgr_class,
        "variable_role": variable.role or None,
        "banded_by": axis.banded_by if axis else None,
    }


def matrix_row(table: CohortTable, variable: Variable) -> dict[str, Any]:
    """A row of MATRIX_COLUMNS: the quantity by its analyte, its clinical name, role, term, or name."""
    known = _quantity(variable)
    if known is not None:
        name, matched = known.name, "analyte"
    elif (quantity := quantity_of(variable)) is not None:
        name, matched = quantity.quantity, "term"
    elif variable.role:
        name, matched = variable.role, "term"
    elif variable.terms:
        name, matched = variable.terms[0], "term"
    else:
        name, matched = variable.name.casefold(), "name"
    return {
        "quantity": name,
        "label": (known.label if known else variable.label) or None,
        "label_zh": (known.label_zh if known else variable.label_zh) or None,
        "cohort": table.id,
        "variable": variable.name,
        "variable_type": variable.type,
        "variable_unit": variable.unit or None,
        "matched_by": matched,
        "source_variables": " | ".join(_made_from(table, variable)) or None,
    }


def _quantity(variable: Variable) -> Any:
    return substance_of(variable) if variable.numeric else None


def _made_from(table: CohortTable, variable: Variable) -> list[str]:
    if table.kind != "harmonised":
        return []
    sources = table.lineage(variable.name).get("sources", ())
    return sorted({str(source.get("cohort", "")) for source in sources if isinstance(source, dict)} - {""})
