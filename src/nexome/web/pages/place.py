"""The page that places a value: where it lies among people of its sex and age, and the curves of that sex.

A plain form; what cannot be answered (an unknown unit, an age without people) is said in the answer's card.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

import numpy as np
import numpy.typing as npt

from nexome.access.reference.doors import Placement
from nexome.model.errors import QueryError
from nexome.web.pages.cohort_parts import Option, unit_text
from nexome.web.pages.figures import Wording
from nexome.web.pages.layers import Band, Curve, Label, Layers, Points, layers_json, layers_picture
from nexome.web.pages.page import API, Ask, Card, Download, Link, Page, card_of, rows_of
from nexome.web.pages.plots import Drawn, Figure, Place, figure_of
from nexome.web.pages.ticks import ticks_between

WIDTH: Final = 1040
HEIGHT: Final = 420
_MEDIAN: Final = 50.0
_TICKS: Final = 8
_ROOM: Final = 0.06  # of the height, above and below all curves

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Told:
    """The answer in words: a sentence, and facts as (name, value)."""

    sentence: str
    percentile: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PlacePage(Page):
    """The form with what was asked, the answer (None: nothing asked yet), the curves (None: no variable)."""

    template: ClassVar[str] = "place.html"
    variables: tuple[Option, ...]
    sexes: tuple[Option, ...]
    age: str
    value: str
    unit: str
    answer: Card[Told] | None
    figure: Card[Figure] | None
    sets: tuple[Link, ...]


def build_place(ask: Ask) -> PlacePage:
    """The page; parameters variable, sex, age, value, unit, set."""
    asked = {
        name: ask.query.get(name, "").strip() for name in ("variable", "sex", "age", "value", "unit", "set")
    }
    sets = rows_of(ask.view.reference_sets())
    known = _variables(ask, sets)
    variable = _meant(known, asked["variable"])
    own = known.get(variable, {})
    placed = card_of(lambda: _placed(ask, variable, asked)) if variable and asked["value"] else None
    at = placed.content if placed else None
    return PlacePage(
        title=ask.t("place.title"),
        variables=tuple(_options(ask, known, variable)),
        sexes=tuple(
            Option(sex, ask.t.of("place.sex", sex), sex == asked["sex"]) for sex in ("female", "male")
        ),
        age=asked["age"],
        value=asked["value"],
        unit=asked["unit"] or str(own.get("unit", "")),
        answer=None if placed is None else Card(_told(ask, at), None) if at else Card(None, placed.error),
        figure=card_of(lambda: curves_figure(ask, variable, asked, at)) if variable else None,
        sets=tuple(Link(_set_text(ask, row), f"{API}/reference/{row['reference_set']}") for row in sets),
    )


def build_place_figure(ask: Ask, *, ending: str) -> Download:
    """The curves of a variable as a file; parameters variable, sex, set and those of a value."""
    variable = ask.query.get("variable", "")
    if not variable:
        raise QueryError("no variable", where="variable", expected="a variable of a reference set")
    return _drawn(ask, variable, dict(ask.query), None)[0].file("curves", ending)


# ---------------------------------------------------------------- the form


def _variables(ask: Ask, sets: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Every variable of every set that may be asked, the newest set's first."""
    known: dict[str, Mapping[str, Any]] = {}
    for row in sorted(sets, key=lambda row: row["published"], reverse=True):
        opened = ask.view.reference_set(row["reference_set"])
        for name in opened.variables:
            known.setdefault(name, opened.variable(name))
    return known


def _meant(known: Mapping[str, Mapping[str, Any]], text: str) -> str:
    """The variable of that name or label; the first one where none is named; the text where none is it."""
    if not text:
        return next(iter(known), "")
    labels = {told[field].casefold(): name for name, told in known.items() for field in ("label_zh", "label")}
    return text if text in known else labels.get(text.casefold(), text)


def _options(ask: Ask, known: Mapping[str, Mapping[str, Any]], chosen: str) -> Iterator[Option]:
    for name, told in known.items():
        yield Option(name, ask.t.named(told, "label", name), name == chosen)


def _set_text(ask: Ask, row: Mapping[str, Any]) -> str:
    name = ask.t.named(row, "title", row["reference_set"])
    return ask.t("place.set", name=name, version=row["set_version"], date=row["published"][:10])


# ---------------------------------------------------------------- the answer


def _placed(ask: Ask, variable: str, asked: Mapping[str, str]) -> Placement:
    return ask.view.place(
        variable,
        asked["sex"] or None,
        _number(asked["age"], "age") if asked["age"] else None,
        value=_number(asked["value"], "value"),
        unit=asked["unit"],
        reference=asked["set"] or None,
    )


def _number(text: str, where: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise QueryError("no number", where=where, expected="a number, as 4.1") from None


def _told(ask: Ask, at: Placement) -> Told:
    sex = ask.t.of("place.people", at.sex) if at.sex else ask.t("place.people.all")
    text = f"{at.percentile:g}"
    names = {"sex": sex, "age": f"{at.age:g}" if at.age is not None else "", "percentile": text}
    key = f"place.{at.beyond}" if at.beyond else "place.among" if at.age is not None else "place.among_all"
    return Told(ask.t(key, **names), text, tuple(_facts(ask, at)))


def _facts(ask: Ask, at: Placement) -> Iterator[tuple[str, str]]:
    unit = unit_text(at.unit_of_set, ask.t)
    if at.percentile_low is not None and at.percentile_high is not None:
        yield ask.t("place.interval"), f"{at.percentile_low:g}–{at.percentile_high:g}"
    if at.unit != at.unit_of_set:
        yield ask.t("place.converted"), f"{at.value_in_set:.4g} {unit}"
    if at.lower_limit is not None and at.upper_limit is not None:
        limits = f"{at.lower_limit:g}–{at.upper_limit:g} {unit}"
        yield (
            ask.t(
                "place.limits",
                low=f"{at.age_from:g}" if at.age_from is not None else "",
                high=(f"{at.age_to:g}" if at.age_to is not None else ""),
            ),
            limits,
        )
    if at.z is not None:
        yield ask.t("place.z"), f"{at.z:+.2f}".replace("-", "−")
    yield ask.t("place.behind"), f"{at.participants:,}"
    yield ask.t("place.method"), ask.t.of("place.method_of", at.method)
    yield (
        ask.t("place.source"),
        ask.t("place.set", name=at.reference, version=at.version, date=at.published[:10]),
    )


# ---------------------------------------------------------------- the curves


def curves_figure(ask: Ask, variable: str, asked: Mapping[str, str], at: Placement | None = None) -> Figure:
    """Percentile curves of a variable of a reference set; `asked`: sex and set, where they are chosen."""
    drawn, wording, query = _drawn(ask, variable, asked, at)
    name = f"curves_{asked.get('sex') or 'female'}"
    place = Place(name, ask.href("place", "curves"), f"{API}/reference-curves?{query}", query=query)
    row = next(
        r for r in rows_of(ask.view.reference_sets()) if r["reference_set"] == _set_name(ask, variable, asked)
    )
    return figure_of(drawn, wording, place, subtitle=ask.t("place.curves_note"), source=_set_text(ask, row))


def _set_name(ask: Ask, variable: str, asked: Mapping[str, str]) -> str:
    if asked.get("set"):
        return str(asked["set"])
    sets = sorted(rows_of(ask.view.reference_sets()), key=lambda row: row["published"], reverse=True)
    return next(
        (
            r["reference_set"]
            for r in sets
            if variable in ask.view.reference_set(r["reference_set"]).variables
        ),
        "",
    )


def _drawn(
    ask: Ask, variable: str, asked: Mapping[str, str], at: Placement | None
) -> tuple[Drawn, Wording, str]:
    """Percentile curves of one sex with the interval of the median, and the value among them."""
    sex = asked.get("sex") or "female"
    chosen = asked.get("set") or None
    table = ask.view.curves(variable, sex, reference=chosen)
    if not len(table):
        raise QueryError(
            "no curve over age", where="variable", expected="a variable with enough people of all ages"
        )
    told = ask.view.reference_set(_set_name(ask, variable, asked)).variable(variable)
    label, unit = ask.t.named(told, "label", variable), unit_text(told["unit"], ask.t)
    curves = _by_percentile(table)
    median = curves[_MEDIAN]
    wording = Wording(
        title=ask.t("place.curves_title", variable=label, sex=ask.t.of("place.people", sex)),
        sentence=ask.t(
            "place.curves_sentence",
            variable=label,
            first=f"{median['percentile_value'][0]:.3g}",
            last=f"{median['percentile_value'][-1]:.3g}",
            unit=unit,
            young=f"{median['age'][0]:.0f}",
            old=f"{median['age'][-1]:.0f}",
        ),
        x=ask.t("cohorts.age_axis"),
        y=f"{label}（{unit}）" if ask.t.code == "zh" else f"{label} ({unit})",
    )
    plot = _layers(curves, at if at is not None and at.sex == sex else None)
    drawn = Drawn(
        picture=lambda: layers_picture(plot, wording),
        json=lambda: layers_json(plot, wording),
        table=lambda: {name: table[name].to_pylist() for name in table.column_names if name != "variable"},
    )
    asks = {"variable": variable, "sex": sex, "set": chosen}
    return drawn, wording, urlencode({name: value for name, value in asks.items() if value})


def _by_percentile(table: Any) -> dict[float, dict[str, Floats]]:
    names = ("age", "percentile_value", "value_low", "value_high")
    columns = {name: table[name].to_numpy().astype(np.float64) for name in (*names, "percentile")}
    return {
        float(p): {name: columns[name][columns["percentile"] == p] for name in names}
        for p in np.unique(columns["percentile"])
    }


def _layers(curves: Mapping[float, Mapping[str, Floats]], at: Placement | None) -> Layers:
    ages = np.concatenate([curve["age"] for curve in curves.values()])
    values = np.concatenate([curve["percentile_value"] for curve in curves.values()])
    extra = [at.value_in_set] if at is not None else []
    low, high = float(min([values.min(), *extra])), float(max([values.max(), *extra]))
    low, high = low - _ROOM * (high - low), high + _ROOM * (high - low)
    young, old = float(ages.min()), float(ages.max())

    def x(age: npt.ArrayLike) -> Floats:
        return np.asarray((np.asarray(age, np.float64) - young) / (old - young) * 0.93)

    def y(value: npt.ArrayLike) -> Floats:
        return np.asarray((np.asarray(value, np.float64) - low) / (high - low))

    median = curves[_MEDIAN]
    drawn = [
        Curve(x(curve["age"]), y(curve["percentile_value"]), 2 if p == _MEDIAN else p not in {3.0, 97.0})
        for p, curve in curves.items()
    ]
    ends = [_end(x(curve["age"][-1:]), y(curve["percentile_value"][-1:]), p) for p, curve in curves.items()]
    points = Points()
    if at is not None and at.age is not None:
        here = (x([at.age]), y([at.value_in_set]))
        points = Points(*here, np.array([2]), [f"{at.value_in_set:.4g}"], [f"{at.percentile:g}%"], [""])
        ends.append(Label(float(here[0][0]), float(here[1][0]), f"{at.value_in_set:.4g}"))
    return Layers(
        WIDTH,
        HEIGHT,
        x_ticks=[(float(x(tick)), f"{tick:g}") for tick in ticks_between(young, old, _TICKS)],
        y_ticks=[(float(y(tick)), f"{tick:g}") for tick in ticks_between(low, high, _TICKS)],
        points=points,
        band=Band(x(median["age"]), y(median["value_low"]), y(median["value_high"])),
        curves=drawn,
        labels=ends,
        dot_sizes=(3.2, 3.2, 9.0),
    )


def _end(x: Floats, y: Floats, percentile: float) -> Label:
    """The name of a curve, just behind its last point."""
    role = 2 if percentile == _MEDIAN else 0
    return Label(float(x[0]) + 0.028, float(y[0]) - 0.018, f"{percentile:g}%", role=role)
