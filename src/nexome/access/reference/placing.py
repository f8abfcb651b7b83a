"""Where one value lies among the people of its sex and age: percentile, interval, n, method.

From the LMS curve where it fits the data, else from the percentiles of the band of ages. Nothing is
extrapolated: an age without people is refused, and beyond the outermost percentile that may be shown the
answer is 'below' or 'above' it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import special

from nexome.access.reference.layout import read_sex
from nexome.access.reference.summary import ages_text
from nexome.methods.reference.lms import value_at, value_error, z_error, z_of
from nexome.methods.reference.percentiles import TAIL
from nexome.model.errors import QueryError
from nexome.model.fields import schema_of
from nexome.store.reference import GROUP_COLUMNS, ReferenceSet

Beyond = Literal["", "below", "above"]

CURVE_PERCENTILES: Final = (3.0, 10.0, 25.0, 50.0, 75.0, 90.0, 97.0)
CURVE_ANSWER_COLUMNS: Final = (
    *("variable", "unit", "sex", "age", "percentile"),
    *("percentile_value", "value_low", "value_high"),
)
_Z95: Final = 1.959964
_COVARIANCE: Final = (("ll", "lm", "ls"), ("lm", "mm", "ms"), ("ls", "ms", "ss"))

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Person:
    """Who is asked about: sex as in the set ('' where it has none), age in years, value in the set's unit."""

    sex: str
    age: float | None
    value: float


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a value lies. Percentiles in %, 0 to 100; the interval is one of 95 %, of sampling alone.

    `beyond`: 'below' or 'above' `percentile`, the outermost that may be shown; then without interval.
    `z` of the LMS curve (None by percentiles). `participants`: people behind the answer, those within 2.5
    years of the age (LMS) or of the group. Limits are those of the group `age_from` to before `age_to`.
    """

    reference: str
    version: int
    published: str
    state: str
    cohort: str
    cohort_version: int
    variable: str
    label: str
    label_zh: str
    sex: str
    age: float | None
    value: float
    unit: str
    value_in_set: float
    unit_of_set: str
    percentile: float
    percentile_low: float | None
    percentile_high: float | None
    beyond: Beyond
    z: float | None
    method: Literal["LMS", "percentiles"]
    participants: int
    age_from: float | None
    age_to: float | None
    lower_limit: float | None
    upper_limit: float | None
    limit_method: str


def find_person(
    opened: ReferenceSet, told: Mapping[str, Any], sex: str | None, age: float | None
) -> tuple[str, float | None]:
    """Sex and age as the set knows them. Raises QueryError for a sex or an age that it has no people of."""
    facts = opened.facts
    known = ""
    if facts["sexes"]:
        known = read_sex(sex or "")
        spelled = {s.casefold(): s for s in facts["sexes"]}
        if known not in spelled:
            what = f"the sex {sex[:40]!r}" if sex else "no sex"
            raise QueryError(what, where="sex", expected=" or ".join(facts["sexes"]))
        known = spelled[known]
    if not facts["bands"]:
        return known, None
    reach = told["curves"].get(known, {}).get("ages") or []
    if not reach:
        raise QueryError(
            "too few people", where=known or "age", expected="a variable and sex with people of known age"
        )
    if age is None or not math.isfinite(age):
        raise QueryError("no age", where="age", expected=f"{reach[0]:g} to {reach[1]:g} years")
    if not reach[0] <= age < reach[1]:
        raise QueryError(
            f"{age:g} years",
            where="age",
            expected=f"{reach[0]:g} years to below {reach[1]:g}, the ages of its people",
            todo="Nothing is extrapolated.",
        )
    return known, age


def place_among(opened: ReferenceSet, name: str, person: Person) -> dict[str, Any]:
    """The parts of a Placement that come from the tables. Raises QueryError where no group is theirs."""
    group = _group(opened, name, person)
    found = _by_curve(opened, name, person)
    if found is None:
        found = _by_percentiles(opened, name, person, group)
    limits = ("age_from", "age_to", "lower_limit", "upper_limit", "limit_method")
    return found | {key: group[key] for key in limits}


def _group(opened: ReferenceSet, name: str, person: Person) -> Mapping[str, Any]:
    rows = opened.table("reference", name).to_pylist()
    for row in rows:
        if (row["sex"] or "") == person.sex and holds(row, person.age):
            if row["withheld"]:
                raise QueryError(
                    f"no numbers for {ages_text(row['age_from'], row['age_to']) or 'this group'}",
                    where="age",
                    expected="a group of enough people",
                )
            return row
    raise QueryError(
        f"{person.age:g} years" if person.age is not None else "no group",
        where="age",
        expected="an age of one of the groups of the set",
    )


def holds(row: Mapping[str, Any], age: float | None) -> bool:
    """Whether a group of a table is the band that holds an age (or the group without bands, for None)."""
    banded = row["age_from"] is not None or row["age_to"] is not None
    if age is None:
        return not banded
    return banded and row["age_from"] <= age and (row["age_to"] is None or age < row["age_to"])


# ---------------------------------------------------------------- by curve


def _by_curve(opened: ReferenceSet, name: str, person: Person) -> dict[str, Any] | None:
    fit = opened.variable(name)["curves"].get(person.sex, {})
    if person.age is None or fit.get("curve") != "good" or person.value <= 0:
        return None
    curve = curve_of(opened, name, person.sex)
    age = person.age
    if opened.facts["completed_years"] and float(age).is_integer():
        age += 0.5
    ages = curve["age"]
    step = ages[1] - ages[0] if len(ages) > 1 else 1.0
    if np.abs(ages - age).min() > step * 0.75:
        return None  # a gap of ages without people
    at = int(np.abs(ages - age).argmin())
    people = int(curve["participants"][at])
    power, median, variation, covariance = _interpolated(curve, age)
    z = float(z_of(person.value, power, median, variation))
    error = z_error(person.value, (power, median, variation), covariance)
    shares = special.ndtr([z, z - _Z95 * error, z + _Z95 * error])
    return _told(shares, people) | {"z": round(z, 2), "method": "LMS", "participants": people}


def curve_of(opened: ReferenceSet, name: str, sex: str) -> dict[str, Any]:
    """Columns of one sex's curve [A], by age, the covariance of L, log M, log S as [A, 3, 3]."""
    table = opened.table("curves", name)
    rows = table.filter(pa.array([(s or "") == sex for s in table["sex"].to_pylist()], pa.bool_()))
    curve: dict[str, Any] = {
        n: rows[n].to_numpy() for n in rows.column_names if n not in {"variable", "unit", "sex"}
    }
    parts = [[curve[f"lms_cov_{key}"] for key in line] for line in _COVARIANCE]
    curve["covariance"] = np.moveaxis(np.array(parts), 2, 0)
    return curve


def _interpolated(curve: Mapping[str, Floats], age: float) -> tuple[float, float, float, Floats]:
    ages = curve["age"]
    power = float(np.interp(age, ages, curve["lms_l"]))
    median, variation = (float(np.exp(np.interp(age, ages, np.log(curve[n])))) for n in ("lms_m", "lms_s"))
    flat = curve["covariance"].reshape(len(ages), 9)
    covariance = np.array([np.interp(age, ages, flat[:, k]) for k in range(9)]).reshape(3, 3)
    return power, median, variation, covariance


def percentile_curves(
    opened: ReferenceSet, name: str, sexes: Sequence[str], percentiles: Sequence[float]
) -> pa.Table:
    """Values of percentiles by age from the LMS curves, with intervals (CURVE_ANSWER_COLUMNS).

    A percentile is left out at ages where fewer than 5 people lie beyond it.
    """
    unit = opened.variable(name)["unit"]
    tables = []
    for sex in sexes:
        curve = curve_of(opened, name, sex)
        at = (curve["lms_l"], curve["lms_m"], curve["lms_s"])
        for percentile in percentiles:
            share = percentile / 100
            z = float(special.ndtri(share))
            value = value_at(z, *at)
            error = _Z95 * value_error(z, at, curve["covariance"])
            shown = (curve["participants"] * min(share, 1 - share) >= TAIL) & np.isfinite(value)
            columns = {
                "variable": np.full(shown.sum(), name, object),
                "unit": np.full(shown.sum(), unit, object),
                "sex": np.full(shown.sum(), sex or None, object),
                "age": curve["age"][shown],
                "percentile": np.full(shown.sum(), percentile),
                "percentile_value": _digits(value[shown]),
                "value_low": _digits((value * np.exp(-error))[shown]),
                "value_high": _digits((value * np.exp(error))[shown]),
            }
            tables.append(pa.table(columns, schema=schema_of(CURVE_ANSWER_COLUMNS)))
    return pa.concat_tables(tables) if tables else schema_of(CURVE_ANSWER_COLUMNS).empty_table()


def _digits(values: Floats) -> Floats:
    return np.array([float(f"{v:.4g}") for v in values], np.float64)


# ---------------------------------------------------------------- by percentiles


def _by_percentiles(
    opened: ReferenceSet, name: str, person: Person, group: Mapping[str, Any]
) -> dict[str, Any]:
    table = opened.table("percentiles", name)
    rows = [r for r in table.to_pylist() if all(r[key] == group[key] for key in GROUP_COLUMNS)]
    if not rows:
        raise QueryError(
            "no percentile of this group may be shown", where="age", expected="a group of 10 people or more"
        )
    percent, value, low, high = (
        np.array([r[key] for r in rows])
        for key in ("percentile", "percentile_value", "value_low", "value_high")
    )
    told = {"z": None, "method": "percentiles", "participants": int(group["participants"])}
    if person.value < value[0]:
        return told | _outside(float(percent[0]), "below")
    if person.value > value[-1]:
        return told | _outside(float(percent[-1]), "above")
    same = value == person.value
    middle = percent[same].mean() if same.any() else np.interp(person.value, value, percent)
    from_ = np.interp(person.value, np.maximum.accumulate(high), percent)
    to = np.interp(person.value, np.maximum.accumulate(low), percent)
    return told | {
        "percentile": round(float(middle), 1),
        "percentile_low": round(float(min(from_, middle)), 1),
        "percentile_high": round(float(max(to, middle)), 1),
        "beyond": "",
    }


def _told(shares: Floats, people: int) -> dict[str, Any]:
    """Percentile and interval of shares (estimate, low, high); outside where under 5 people lie beyond."""
    least = TAIL / people if people else 0.5
    if shares[0] < least:
        return _outside(100 * least, "below")
    if shares[0] > 1 - least:
        return _outside(100 * (1 - least), "above")
    percentile, low, high = (round(100 * float(s), 1) for s in shares)
    return {"percentile": percentile, "percentile_low": low, "percentile_high": high, "beyond": ""}


def _outside(percentile: float, beyond: Beyond) -> dict[str, Any]:
    rounded = math.ceil(percentile * 10) / 10 if beyond == "below" else math.floor(percentile * 10) / 10
    return {"percentile": rounded, "percentile_low": None, "percentile_high": None, "beyond": beyond}
