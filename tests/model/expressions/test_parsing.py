"""From text to tree: what binds stronger, both languages, units, places of mistakes, limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.errors import InputError
from nexome.model.expressions import Name, canonical, names, parse
from nexome.model.expressions.parsing import MAX_BRACKETS


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a = 1 or b = 2 and not c = 3", "((`a` = 1) or ((`b` = 2) and (not (`c` = 3))))"),
        ("a + b * c ^ 2 ^ 3", "(`a` + (`b` * (`c` ^ (2 ^ 3))))"),
        ("-a ^ 2", "(-(`a` ^ 2))"),
        ("a - b - c", "((`a` - `b`) - `c`)"),
        ("ldl > 4.1 mmol/L and x = 1", "((`ldl` > 4.0999999999999996 mmol/L) and (`x` = 1))"),
        ("ldl>160mg/dL", "(`ldl` > 160 mg/dL)"),
        ("wbc > 4.5 10^9/L", "(`wbc` > 4.5 10*9/L)"),
        ("p > 90 mm Hg", "(`p` > 90 mm[Hg])"),
        ("2 kg/height", "(2 kg / `height`)"),
        ("age between 40 and 60 years", "(`age` between 40 and 60 a)"),
        ("a not in (1, 2)", "(not (`a` in (1, 2)))"),
        ("a is not missing", "(not (`a` is missing))"),
        ("NOT a IS NULL", "(not (`a` is missing))"),
        ("`odd name, 1` <> 'it''s'", "(`odd name, 1` != 'it''s')"),
        ("if(a, 1, 2)", "if(`a`, 1, 2)"),
        ("case when a then 1 end", "case when `a` then 1 end"),
        ("性别 = 女 且 年龄 ≥ 40岁", "((`性别` = `女`) and (`年龄` >= 40 a))"),
        (
            "（低密度脂蛋白 ＞ 4.1毫摩尔/升） 或 非 x",
            "((`低密度脂蛋白` > 4.0999999999999996 mmol/L) or (not `x`))",
        ),
        ("x≥1且y≤2", "((`x` >= 1) and (`y` <= 2))"),
        ("非高密度脂蛋白 > 3", "(`非高密度脂蛋白` > 3)"),
        ("sex in （男， 女）", "(`sex` in (`男`, `女`))"),
    ],
)
def test_what_is_written_is_what_is_meant(written, meant):
    assert canonical(parse(written)) == meant
    assert canonical(parse(meant)) == meant


@pytest.mark.parametrize(
    ("written", "character", "said"),
    [
        ("", 1, "the end"),
        ("a >", 4, "the end"),
        ("(a > 1", 7, r"'\)'"),
        ("a > 1)", 6, "an operator or the end"),
        ("1 < a < 3", 7, "between 1 and 2"),
        ("a is female", 6, "missing"),
        ("a not like b", 7, "'in' or 'between'"),
        ("a @ b", 3, "'@'"),
        ("a = 'x", 5, "quotes"),
        ("log(a)", 1, "log10 or ln"),
        ("eval(a)", 1, "one of if"),
        ("__import__('os')", 1, "one of if"),
        ("a.b.__class__()", 1, "one of if"),
        ("round()", 7, r"'\)'"),
        ("if(a, 1)", 1, "2 parts"),
        ("case a when 1 then 2 end", 6, "when"),
        ("case when a then 1", 19, "'end'"),
        ("end > 3", 1, "backquotes"),
        ("a b", 3, "an operator or the end"),
        ("3 height", 3, "an operator or the end"),
    ],
)
def test_mistakes_are_told_where_they_are(written, character, said):
    with pytest.raises(InputError, match=said) as caught:
        parse(written)
    assert caught.value.where == f"expression, character {character}"


def test_limits():
    assert parse("(" * 40 + "a" + ")" * 40) == Name("a")
    for text in (
        "(" * (MAX_BRACKETS + 1) + "a",
        "-" * 100 + "a",
        "not " * 100 + "a",
        "a" * 4001,
        "1" + "+1" * 120,
    ):
        with pytest.raises(InputError, match="at most"):
            parse(text)
    assert len(names(parse(" + ".join(f"x{i}" for i in range(100))))) == 100


@given(
    st.text(max_size=60) | st.text("ab1 ()+-*/^<>=,.'`\"且或≥%μand or not in between case when", max_size=60)
)
def test_any_text_is_a_tree_or_an_error_with_its_place(text):
    found = tree_or_error(text)
    if isinstance(found, InputError):
        assert found.where.startswith("expression, character ")
    else:
        assert canonical(parse(canonical(found))) == canonical(found)


def tree_or_error(text):
    try:
        return parse(text)
    except InputError as error:
        return error
