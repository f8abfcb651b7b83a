"""The sources of a harmonised cohort read side by side: values with sex and age, and as written down.

Which rows are a source's is said by the column `source`; where a column came from, by the version's lineage.
A value joined from a second source of one person counts for the first (`persons: join`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nexome.ingest.mapping.conflicts import Part, VariableReport, compare_parts
from nexome.ingest.mapping.quantities import quantities_of
from nexome.ingest.mapping.rules import SOURCE
from nexome.ingest.mapping.sexes import sex_words
from nexome.methods.comparability import People
from nexome.model.cohorts import Variable
from nexome.model.errors import InputError, NotFoundError
from nexome.store.cohorts import CohortStore, CohortTable

_FEWEST: Final = 20  # values of a source in a variable


def conflicts(store: CohortStore, target: str, *, version: int | None = None) -> list[VariableReport]:
    """What does not fit together between the sources of a harmonised cohort, a report each numeric variable.

    Raises NotFoundError where there is no such cohort, InputError where it was imported, not harmonised.
    """
    table = store.get(target, version)
    if table.kind != "harmonised":
        raise InputError(
            "a cohort as it was imported",
            where=f"cohort {target}",
            expected="a harmonised one, which has sources",
            todo="See `nexome cohort harmonise --help`.",
        )
    sex, age = sexes_of(table), ages_of(table)
    reports = []
    for variable in table.variables:
        if variable.numeric and variable.role not in {"age", "visit"}:
            parts = tuple(_parts(store, table, variable, People(numbers_of(table, variable.name), sex, age)))
            told = quantities_of(variable)
            reports.append(compare_parts(variable, parts, quantity=told[0].quantity if told else ""))
    return reports


def sexes_of(table: CohortTable) -> NDArray[np.str_]:
    """'male', 'female' or '' [rows], by the words of the variable whose role is sex; all '' without one."""
    variable = table.dictionary.of_role("sex")
    if variable is None or variable.type != "category":
        return np.full(table.rows, "", dtype="<U6")
    column = table.column(variable.name)
    return np.array([*sex_words(variable, column.categories), ""])[column.values]


def ages_of(table: CohortTable) -> NDArray[np.float64]:
    """Age in years [rows]; NaN where it is missing, or no variable has the role."""
    variable = table.dictionary.of_role("age")
    if variable is None or not variable.numeric:
        return np.full(table.rows, np.nan)
    return numbers_of(table, variable.name)


def numbers_of(table: CohortTable, name: str) -> NDArray[np.float64]:
    """The values of a numeric variable [rows]; NaN missing."""
    return np.asarray(table.column(name).values, np.float64)


def _parts(store: CohortStore, table: CohortTable, variable: Variable, everyone: People) -> Iterator[Part]:
    column = table.column(SOURCE)
    for entry in table.lineage(variable.name).get("sources", ()):
        rows = column.values == column.categories.index(entry["source"])
        people = People(everyone.values[rows], everyone.sex[rows], everyone.age[rows])
        if np.isfinite(people.values).sum() < _FEWEST:
            continue
        recorded, unit, sampling = _recorded(store, entry)
        refused = sum(entry["refused"].values())
        yield Part(entry["source"], people, recorded, unit, sampling, refused, entry["taken"])


def _recorded(store: CohortStore, entry: dict[str, Any]) -> tuple[NDArray[np.float64] | None, str, str]:
    """The source's own values and their unit (None where a rule computed them), and how it was sampled."""
    try:
        source = store.get(entry["cohort"], entry["version"])
    except NotFoundError:  # withdrawn since
        return None, "", ""
    rule = entry["rule"]
    if rule["how"] != "take" or not source.variable(rule["text"]).numeric:
        return None, "", source.cohort.sampling
    return numbers_of(source, rule["text"]), entry["unit"]["from"], source.cohort.sampling
