"""Conflicts planted in made-up sources are found, and sources of one kind have none."""

from __future__ import annotations

import numpy as np
import orjson
import pytest

from nexome.ingest.mapping.conflicts import Part, compare_parts
from nexome.methods.comparability import People
from nexome.model.cohorts import Variable

PRESSURE = Variable("systolic_pressure", "decimal", unit="mm[Hg]")


def part(source: str, seed: int, **planted: float | str) -> Part:
    """800 adults whose pressure rises 5 mm[Hg] in ten years; `planted` says what is odd about the source."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(20, 80, 800)
    sex = np.where(rng.random(800) < 0.5, "male", "female")
    values = (
        100 + float(planted.get("rise", 0.5)) * age + rng.normal(0, 12, 800) + float(planted.get("above", 0))
    )
    if planted.get("skew"):
        values += rng.lognormal(2, 1.3, 800)
    step = float(planted.get("step", 1))
    values = np.round(values / step) * step
    if planted.get("floor"):
        values = np.maximum(values, np.percentile(values, 20))
    refused = int(planted.get("refused", 0))
    sampling = str(planted.get("sampling", "population"))
    return Part(source, People(values, sex, age), values, "mm[Hg]", sampling, refused, 800)


def found(*parts: Part) -> list[tuple[str, str, str]]:
    report = compare_parts(PRESSURE, parts, quantity="systolic_pressure")
    return [(c.kind, c.source, c.weight) for c in report.conflicts]


def test_sources_of_one_population_have_no_conflict() -> None:
    assert found(part("a", 1), part("b", 2), part("c", 3)) == []


@pytest.mark.parametrize(
    ("planted", "expected"),
    [
        ({"above": 7}, ("level", "odd", "question")),
        ({"above": 15}, ("level", "odd", "strong")),
        ({"step": 10}, ("rounding", "odd", "question")),
        ({"step": 2}, ("rounding", "odd", "strong")),
        ({"rise": -0.2}, ("trend", "odd", "strong")),
        ({"skew": 1}, ("shape", "odd", "question")),
        ({"floor": 1}, ("range", "odd", "note")),
        ({"refused": 9}, ("range", "odd", "question")),
    ],
)
def test_what_is_planted_is_found_in_its_source(
    planted: dict[str, float], expected: tuple[str, str, str]
) -> None:
    conflicts = found(part("a", 1), part("b", 2), part("odd", 3, **planted))
    assert expected in conflicts
    # the others stand out a little too, being compared with the odd one: it comes first
    assert next(source for kind, source, _ in conflicts if kind == expected[0]) == "odd"


def test_patients_are_compared_with_the_population_and_not_the_other_way() -> None:
    conflicts = found(part("a", 1), part("b", 2), part("sick", 3, above=15, sampling="clinical"))
    assert conflicts == [("level", "sick", "strong")]


def test_a_part_written_with_fewer_decimals_is_called_that() -> None:
    rng = np.random.default_rng(4)
    values = np.append(np.round(rng.normal(26, 4, 500), 2), np.round(rng.normal(26, 4, 500), 1))
    people = People(values, np.full(1000, "male"), np.full(1000, 50.0))
    report = compare_parts(Variable("bmi", "decimal", unit="kg/m2"), [Part("half", people, values, "kg/m2")])
    (conflict,) = report.conflicts
    assert conflict.kind == "rounding"
    assert "one decimal less" in conflict.text


def test_the_report_is_plain_json_and_tells_no_cell_of_few_people() -> None:
    parts = [
        part("a", 1),
        part("b", 2, above=9, step=10, skew=1, floor=1),
        part("c", 3, rise=-0.2, refused=9),
    ]
    report = compare_parts(PRESSURE, parts, quantity="systolic_pressure").as_dict()
    orjson.dumps(report)
    assert {c["kind"] for c in report["conflicts"]} == {"level", "rounding", "trend", "shape", "range"}
    for source in report["sources"]:
        assert all(n >= 5 for trend in source["trends"] for n in trend["n"])
        assert len(source["percentiles"]) == len(report["at"])
    few = People(np.array([120.0, 130, 140]), np.full(3, "male"), np.full(3, 50.0))
    (only,) = compare_parts(PRESSURE, [Part("few", few, few.values)]).as_dict()["sources"]
    assert set(only["percentiles"]) == {None}
    assert set(only["recorded"]["digits"]) == {None}
