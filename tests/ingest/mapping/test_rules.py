"""Each kind of rule, against what plain Python makes of the same values one by one."""

import numpy as np
import pyarrow as pa
import pytest

from nexome.ingest.mapping.reading import parse_mapping
from nexome.ingest.mapping.run import harmonise
from nexome.model.cohorts import Category, Cohort, Dictionary, Variable
from nexome.store.cohorts import CohortStore
from nexome.store.root import create_root, load_assembly
from tests.ingest.mapping.making import add

ROWS = 400
CODES = ("1", "2", "3")
SOURCE = Dictionary(
    (
        Variable("pid", "text", role="participant"),
        Variable("x", "decimal", unit="mg/dL", label="LDL cholesterol"),
        Variable("whole", "integer", unit="cm"),
        Variable("code", "category", categories=tuple(Category(c, f"label {c}") for c in CODES)),
        Variable("answer", "category", categories=(Category("1", "Yes", "是"), Category("2", "No", "否"))),
        Variable("truth", "boolean"),
        Variable("word", "text"),
        Variable("when", "date"),
    )
)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A root with one source, and its rows as plain Python, sorted by participant."""
    rng = np.random.default_rng(7)
    root = create_root(tmp_path_factory.mktemp("rules") / "root", assembly=load_assembly("GRCh38"))

    def gaps():
        return rng.random(ROWS) < 0.2

    table = {
        "pid": [str(i) for i in range(ROWS)],
        "x": pa.array(np.round(rng.uniform(20, 400, ROWS), 1), mask=gaps()),
        "whole": pa.array(rng.integers(100, 220, ROWS), mask=gaps()),
        "code": pa.array(rng.choice(CODES, ROWS), mask=gaps()),
        "answer": pa.array(rng.choice(["1", "2"], ROWS), mask=gaps()),
        "truth": pa.array(rng.random(ROWS) < 0.5, mask=gaps()),
        "word": pa.array(rng.choice(["red", "green", "blue"], ROWS), mask=gaps()),
        "when": pa.array(rng.integers(0, 10_000, ROWS) * 86_400, pa.timestamp("s"), mask=gaps()),
    }
    made = add(CohortStore(root), Cohort("one"), SOURCE, table)
    return root, made.table().to_pylist()


def ldl(value):
    return value * 10 / 386.664


def kept(value, low, high):
    return value if value is not None and low <= value <= high else None


RULES = [
    # the target variable, the rule, and the value of a row by plain Python
    ("{unit: mmol/L}", "x", lambda r: None if r["x"] is None else ldl(r["x"])),
    ("{unit: mg/dL}", "x", lambda r: r["x"]),
    (
        "{unit: mmol/L, analyte: triglycerides}",
        "x",
        lambda r: None if r["x"] is None else r["x"] * 10 / 885.4,
    ),
    ("{unit: mmol/L}", "{take: x, unit: g/L}", lambda r: None if r["x"] is None else ldl(r["x"] * 100)),
    (
        "{unit: mmol/L, minimum: 2, maximum: 6}",
        "x",
        lambda r: kept(None if r["x"] is None else ldl(r["x"]), 2, 6),
    ),
    ("{unit: mg/dL, minimum: 100}", "{take: x, range: [50, 60]}", lambda r: kept(r["x"], 50, 60)),
    ("{unit: mg/dL, minimum: 100}", "{take: x, range: any}", lambda r: r["x"]),
    ("{unit: m}", "whole", lambda r: None if r["whole"] is None else r["whole"] / 100),
    ("{type: integer, unit: cm}", "whole", lambda r: r["whole"]),
    ("{type: integer, unit: mm}", "whole", lambda r: None if r["whole"] is None else r["whole"] * 10),
    (
        "{type: integer, unit: dm}",
        "whole",
        lambda r: None if r["whole"] is None or r["whole"] % 10 else r["whole"] // 10,
    ),
    (
        "{type: integer, unit: m}",
        "{take: whole, round: 0}",
        lambda r: None if r["whole"] is None else int(r["whole"] / 100 + 0.5),
    ),
    (
        "{type: category, categories: [a, b]}",
        "{take: code, recode: {1: a, 2: b}}",
        lambda r: {"1": "a", "2": "b"}.get(r["code"]),
    ),
    (
        "{type: category, categories: [a, b]}",
        "{take: code, recode: {label 1: a}, otherwise: b}",
        lambda r: None if r["code"] is None else "a" if r["code"] == "1" else "b",
    ),
    (
        "{type: category, categories: [a]}",
        "{take: code, recode: {1: a, 2: missing}}",
        lambda r: "a" if r["code"] == "1" else None,
    ),
    (
        "{type: decimal, minimum: 5}",
        "{take: code, recode: {1: 10, 2: 20, 3: 1}}",
        lambda r: {"1": 10.0, "2": 20.0}.get(r["code"]),
    ),
    ("{type: boolean}", "answer", lambda r: None if r["answer"] is None else r["answer"] == "1"),
    ("{type: boolean}", "truth", lambda r: r["truth"]),
    (
        "{type: boolean}",
        "{take: word, recode: {red: yes, green: no}}",
        lambda r: {"red": True, "green": False}.get(r["word"]),
    ),
    (
        "{type: category, categories: {yes: Yes, no: No}}",
        "truth",
        lambda r: None if r["truth"] is None else "yes" if r["truth"] else "no",
    ),
    (
        "{type: category, categories: [short, tall]}",
        "{derive: 'case when whole < 150 then ''short'' when whole >= 150 then ''tall'' end'}",
        lambda r: None if r["whole"] is None else "short" if r["whole"] < 150 else "tall",
    ),
    (
        "{type: boolean}",
        "{derive: x > 3 mmol/L and truth}",
        lambda r: three(None if r["x"] is None else ldl(r["x"]) > 3, r["truth"]),
    ),
    ("{unit: '%'}", "{derive: whole / 2 m}", lambda r: None if r["whole"] is None else r["whole"] / 2),
    ("{type: text}", "word", lambda r: r["word"]),
    ("{type: date}", "when", lambda r: r["when"]),
    (
        "{type: integer, unit: '1'}",
        "{derive: year(`when`)}",
        lambda r: None if r["when"] is None else r["when"].year,
    ),
    ("{unit: cm}", "{constant: 1.7 m}", lambda _: 170.0),
    ("{type: category, categories: [a, b]}", "{constant: b}", lambda _: "b"),
    ("{type: integer}", "{take: x, combine: count}", lambda r: 0 if r["x"] is None else 1),
    ("{type: integer}", "{take: code, combine: count}", lambda r: 0 if r["code"] is None else 1),
]


def three(one, other):
    return False if one is False or other is False else None if one is None or other is None else True


@pytest.mark.parametrize(("variable", "rule", "plain"), RULES, ids=[f"{v} {r}" for v, r, _ in RULES])
def test_the_same_as_one_by_one(source, variable, rule, plain):
    root, rows = source
    text = f"target: out\nvariables:\n  out: {variable}\nsources: {{one: {{variables: {{out: {rule}}}}}}}\n"
    done = harmonise(root, parse_mapping(text))
    expected = [plain(row) for row in rows]
    found = done.table.table().column("out").to_pylist()
    assert [None if e is None else pytest.approx(e) if isinstance(e, float) else e for e in expected] == found
    entry = done.lineage["out"]["sources"][0]
    if "combine" not in rule:
        assert entry["given"] == sum(value is not None for value in expected)
    if "combine" not in rule and "missing" not in rule:
        assert entry["taken"] - sum(entry["refused"].values()) == entry["given"]
