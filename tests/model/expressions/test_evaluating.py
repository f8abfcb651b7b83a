"""Values over whole columns, against a plain oracle that takes one row at a time."""

import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.cohorts import Category, Variable
from nexome.model.errors import InputError
from nexome.model.expressions import Column, bind, canonical, evaluate, is_true, parse
from nexome.model.expressions.tree import (
    Between,
    Binary,
    Call,
    Case,
    In,
    Missing,
    Name,
    Negative,
    Not,
    Number,
    Text,
    Truth,
)

ROWS = 12
CODES = ("low", "high")


def columns(seed):
    random = np.random.default_rng(seed)
    number = {
        name: Column(random.integers(-4, 5, ROWS).astype(float), random.random(ROWS) < 0.3) for name in "xyz"
    }
    coded = Column(random.integers(0, 2, ROWS).astype(np.int32), random.random(ROWS) < 0.3, CODES)
    truth = Column(random.random(ROWS) < 0.5, random.random(ROWS) < 0.3)
    return {**number, "c": coded, "t": truth}


def cell(column, row):
    value = column.values[row].item()
    return column.categories[value] if column.categories else value


# ------------------------------------------------------------ the oracle: one row, None is missing


def plain(node, row):  # noqa: C901, PLR0911, PLR0912  one line a kind of part
    match node:
        case Number(value=value) | Text(value=value) | Truth(value=value):
            return value
        case Name(name=name):
            return row[name]
        case Missing(part=part):
            return plain(part, row) is None
        case Not(part=part):
            value = plain(part, row)
            return None if value is None else not value
        case Negative(part=part):
            value = plain(part, row)
            return None if value is None else -value
        case Between(part=part, low=low, high=high):
            return both(
                order("<=", plain(low, row), plain(part, row)),
                order("<=", plain(part, row), plain(high, row)),
            )
        case In(part=part, choices=choices):
            found = False
            for choice in choices:
                found = either(found, order("=", plain(part, row), plain(choice, row)))
            return found
        case Case(whens=whens, otherwise=otherwise):
            for condition, value in whens:
                if plain(condition, row):
                    return plain(value, row)
            return None if otherwise is None else plain(otherwise, row)
        case Binary(op=op, left=left, right=right):
            return two(op, plain(left, row), plain(right, row))
        case Call(function=function, parts=parts):
            return call(function, [plain(part, row) for part in parts])
    raise AssertionError(node)


def both(a, b):
    return False if a is False or b is False else None if a is None or b is None else True


def either(a, b):
    return True if a is True or b is True else None if a is None or b is None else False


def order(op, a, b):
    if a is None or b is None:
        return None
    return (
        {"=": a == b, "!=": a != b}[op]
        if op in {"=", "!="}
        else {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]
    )


def two(op, a, b):
    if op == "and":
        return both(a, b)
    if op == "or":
        return either(a, b)
    if op in {"=", "!=", "<", "<=", ">", ">="}:
        return order(op, a, b)
    if a is None or b is None or (op == "/" and b == 0):
        return None
    return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b}[op]()


def call(function, parts):  # noqa: PLR0911  one a function
    if function == "if":
        return parts[1] if parts[0] else parts[2]
    given_parts = [part for part in parts if part is not None]
    if function == "coalesce":
        return given_parts[0] if given_parts else None
    if function in {"min", "max", "sum", "mean"}:
        if not given_parts:
            return None
        return {"min": min, "max": max, "sum": sum, "mean": lambda v: sum(v) / len(v)}[function](given_parts)
    if parts[0] is None:
        return None
    if function == "abs":
        return abs(parts[0])
    if function == "sqrt":
        return math.sqrt(parts[0]) if parts[0] >= 0 else None
    return math.copysign(math.floor(abs(parts[0]) + 0.5), parts[0])  # round


# ------------------------------------------------------------ any expression of two kinds


leaves = st.sampled_from([Name("x"), Name("y"), Name("z"), Number(0.0), Number(2.0), Number(-1.5)])
truths = st.sampled_from(
    [Name("t"), Truth(True), Truth(False),
     Binary("=", Name("c"), Text("low")), Binary("!=", Text("high"), Name("c")),
     In(Name("c"), (Text("low"), Text("gone"))), Missing(Name("c"))]
)  # fmt: skip


def bigger_numbers(inside):
    numbers, conditions = inside, truths
    return (
        st.builds(Binary, st.sampled_from("+-*/"), numbers, numbers)
        | st.builds(Negative, numbers)
        | st.builds(
            Call,
            st.sampled_from(["min", "max", "mean", "sum", "coalesce"]),
            st.tuples(numbers, numbers, numbers),
        )
        | st.builds(Call, st.sampled_from(["abs", "sqrt", "round"]), st.tuples(numbers))
        | st.builds(Call, st.just("if"), st.tuples(conditions, numbers, numbers))
        | st.builds(Case, st.tuples(st.tuples(conditions, numbers)), st.none() | numbers)
    )


numbers = st.recursive(leaves, bigger_numbers, max_leaves=8)


def bigger_truths(inside):
    return (
        st.builds(Binary, st.sampled_from(["and", "or"]), inside, inside)
        | st.builds(Not, inside)
        | st.builds(Binary, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), numbers, numbers)
        | st.builds(Between, numbers, numbers, numbers)
        | st.builds(In, numbers, st.tuples(numbers, numbers))
        | st.builds(Missing, numbers)
    )


conditions = st.recursive(truths, bigger_truths, max_leaves=8)


@given(numbers | conditions, st.integers(0, 1000))
def test_the_same_as_row_by_row(expression, seed):
    table = columns(seed)
    found = evaluate(expression, table)
    for row in range(ROWS):
        values = {name: None if c.missing[row] else cell(c, row) for name, c in table.items()}
        expected = plain(expression, values)
        if expected is None:
            assert found.missing[row], canonical(expression)
        else:
            assert not found.missing[row], canonical(expression)
            assert found.values[row] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(conditions, st.integers(0, 1000))
def test_the_printed_form_means_the_same(expression, seed):
    table = columns(seed)
    one, other = evaluate(expression, table), evaluate(parse(canonical(expression)), table)
    assert (is_true(one) == is_true(other)).all()
    assert (one.missing == other.missing).all()


def test_kept_yes_and_no_are_conditions():
    """As the store keeps a boolean: codes of false and true."""
    kept = Column(np.array([0, 1, -1], np.int32), np.array([False, False, True]), ("false", "true"))
    assert is_true(evaluate(parse("b"), {"b": kept})).tolist() == [False, True, False]
    assert is_true(evaluate(parse("not b"), {"b": kept})).tolist() == [True, False, False]


def test_a_case_of_texts_is_a_category():
    x = Column(np.array([1.0, 5.0, 9.0, 0.0]), np.array([False, False, False, True]))
    text = "case when x < 3 then 'low' when x < 7 then 'middle' when x >= 7 then 'high' end"
    found = evaluate(parse(text), {"x": x})
    assert found.categories == ("low", "middle", "high")
    assert found.values[:3].tolist() == [0, 1, 2]
    assert found.missing.tolist() == [False, False, False, True]


@given(st.dates(date(1890, 1, 1), date(2100, 1, 1)), st.dates(date(1890, 1, 1), date(2100, 1, 1)))
def test_dates(born, seen):
    epoch = date(1970, 1, 1).toordinal()
    table = {
        name: Column(np.array([float(day.toordinal() - epoch)]), np.array([False]))
        for name, day in (("born", born), ("seen", seen))
    }
    found = {
        name: evaluate(parse(text), table).values[0]
        for name, text in {
            "age": "age(born, seen)", "days": "days(born, seen)",
            "year": "year(born)", "month": "month(born)",
            "day": "day(born)", "again": "date(year(born), month(born), day(born)) - born",
        }.items()
    }  # fmt: skip
    age = seen.year - born.year - ((seen.month, seen.day) < (born.month, born.day))
    assert found == {
        "age": age, "days": (seen - born).days,
        "year": born.year, "month": born.month, "day": born.day, "again": 0,
    }  # fmt: skip


def test_impossible_dates_are_missing():
    table = {"d": Column(np.array([31.0, 29.0, 0.0]), np.zeros(3, bool))}
    assert evaluate(parse("date(2011, 2, d)"), table).missing.tolist() == [True, True, True]
    assert evaluate(parse("date(2012, 2, d)"), table).missing.tolist() == [True, False, True]


def test_what_has_no_value_is_missing():
    x = {"x": Column(np.array([-1.0, 0.0, 1.0]), np.zeros(3, bool))}
    assert evaluate(parse("1 / x"), x).missing.tolist() == [False, True, False]
    assert evaluate(parse("ln(x)"), x).missing.tolist() == [True, True, False]
    assert evaluate(parse("x ^ 0.5"), x).missing.tolist() == [True, False, False]
    assert evaluate(parse("round(2.5) + round(-2.5) + round(0.125, 2)"), x).values[0] == pytest.approx(0.13)


@pytest.mark.parametrize(
    ("start", "wrap"),
    [
        ("x", "if({} between 0 and 1, x, y)"),
        ("x", "if({} in (0, 1, 2), x, y)"),
        ("x", "({} + y)"),
        ("c", "if(c = {}, c, c)"),
        ("d", "coalesce({}, d)"),
        ("d", "if({} = d, d, d)"),
    ],
)
def test_what_lies_deep_takes_no_longer(start, wrap):
    """Each part is settled and evaluated once: twice at each of thirty levels would never end."""
    text = start
    for _ in range(30):
        text = wrap.format(text)
    variables = {n: Variable(n, "decimal") for n in "xy"} | {
        "c": Variable("c", "category", categories=tuple(Category(code) for code in CODES)),
        "d": Variable("d", "date"),
    }
    table = columns(1)
    table["d"] = table["x"]
    found = evaluate(bind(parse(text), variables).expression, table)
    assert len(found.values) == ROWS


def test_many_operators_in_a_row():
    table = {"x": Column(np.ones(2), np.zeros(2, bool))}
    tree = bind(parse("x" + "+x" * 118), {"x": Variable("x", "decimal", unit="kg")}).expression
    assert evaluate(tree, table).values.tolist() == [119, 119]


def test_a_name_without_a_column_and_parts_of_the_wrong_kind():
    table = columns(0)
    for text in ("q > 1", "x and t", "c + 1", "c = 1", "if(x, 1, 2)", "coalesce(x, 'low')"):
        with pytest.raises(InputError, match="expression, character"):
            evaluate(parse(text), table)
