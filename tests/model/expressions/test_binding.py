"""Expressions against variables: names, kinds, codes, units."""

import pytest

from nexome.model.cohorts import Category, Variable
from nexome.model.errors import InputError
from nexome.model.expressions import bind, canonical, infer_unit, parse
from nexome.model.expressions.binding import nearest
from nexome.model.ucum import parse_unit

SEX = (Category("1", "male", "男"), Category("2", "female", "女"), Category("9", "refused", missing=True))
VARIABLES = {
    v.name: v
    for v in (
        Variable("sex", "category", categories=SEX),
        Variable("dm", "category", categories=(Category("0", "No"), Category("1", "Yes"))),
        Variable("asthma", "boolean"),
        Variable("age", "decimal", unit="a"),
        Variable("age_months", "decimal", unit="mo"),
        Variable("ldl", "decimal", unit="mmol/L"),
        Variable("hba1c", "decimal", unit="%"),
        Variable("creatinine", "decimal", unit="umol/L"),
        Variable("height", "decimal", unit="cm"),
        Variable("weight", "decimal", unit="kg"),
        Variable("warmth", "decimal", unit="Cel"),
        Variable("score", "integer"),
        Variable("visit", "date"),
        Variable("born", "date"),
        Variable("note", "text"),
    )
}


def bound(text):
    return bind(parse(text), VARIABLES)


@pytest.mark.parametrize(
    ("written", "settled"),
    [
        ("sex = female", "(`sex` = '2')"),
        ("女 = sex", "('2' = `sex`)"),
        ("sex in (男, 2)", "(`sex` in ('1', '2'))"),
        ("dm = yes", "(`dm` = '1')"),
        ("dm != 1", "(`dm` != '1')"),
        ("asthma", "`asthma`"),
        ("not asthma and dm = 否", "((not (`asthma` = true)) and (`dm` = '0'))"),
        ("asthma = no", "(`asthma` = false)"),
        ("ldl > 116 mg/dL", f"(`ldl` > {116 * 10 / 386.664:.17g})"),
        ("116 mg/dL < ldl", f"({116 * 10 / 386.664:.17g} < `ldl`)"),
        ("age_months between 1 and 2 years", "((`age_months` >= 12) and (`age_months` <= 24))"),
        ("age_months >= age", "(`age_months` >= (`age` * 12))"),
        ("height > 1.7 m", "(`height` > 170)"),
        ("height / 1 m > 1.7", "((`height` / 1) > 170)"),
        ("weight / height^2 > 30 kg/m2", "((`weight` / (`height` ^ 2)) > 0.0030000000000000001)"),
        ("hba1c > 48 mmol/mol", f"(`hba1c` > {48 * 0.09148 + 2.152:.17g})"),
        ("creatinine / 1 mg/dL > 1", f"((`creatinine` / {1e6 / 100 * 1e3 / 113.12 / 1e3:.17g}) > 1)"),
        ("score + 3 > 5", "((`score` + 3) > 5)"),
        ("visit >= '2010-05-01'", "(`visit` >= 14730)"),
        ("visit - born > 18 years", "((`visit` - `born`) > 6574.5)"),
        ("age(born, visit) >= 18", "(age(`born`, `visit`) >= 18)"),
        ("visit + 1 wk < '2010-05-01'", "((`visit` + 7) < 14730)"),
        ("note = 'x'", "(`note` = 'x')"),
        ("mean(height, 2 m)", "mean(`height`, 200)"),
        ("if(sex = female, 1 m, height)", "if((`sex` = '2'), 100, `height`)"),
    ],
)
def test_settled(written, settled):
    found = canonical(bound(written).expression)
    assert found == settled or numbers_apart(found) == pytest.approx(numbers_apart(settled), rel=1e-14)


def numbers_apart(text):
    return [
        float(word)
        for word in text.replace("(", " ").replace(")", " ").replace(",", " ").split()
        if word[0].isdigit()
    ]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("heigth > 3", "Did you mean height"),
        ("nothing_like_it > 3", "one of 15 variables"),
        ("sex = femal", r"one of 1 \(male\), 2 \(female\)"),
        ("sex = 9", "sex is missing"),
        ("sex > 1", "= or !="),
        ("sex + 1", "a category; expected a number"),
        ("asthma = perhaps", "yes or no"),
        ("age", None),
        ("age and asthma", "a condition"),
        ("weight + height", "cm measures length, kg measures mass"),
        ("ldl > 3 kg", "kg measures mass"),
        ("ldl + 10 mg/dL > 3 and weight + 10 mg/dL > 3", "mg/dL measures"),
        ("score > 4 mmol/L", "unknown unit"),
        ("score + ldl", "unknown unit"),
        ("weight / (height * height) > 30", "a plain number"),
        ("ln(ldl)", "Divide by 1 mmol/L"),
        ("2 ^ age", "a plain number as exponent"),
        ("height ^ score", "a written exponent"),
        ("warmth * 2 kg", "its zero at nothing"),
        ("visit > 3", "expected a date"),
        ("visit + born", "a date and a time"),
        ("visit > '1 May'", "2010-05-01"),
        ("year(age)", "a date"),
        ("if(asthma, 1, 'x')", "like the other values"),
        ("max(sex, dm)", "numbers in max"),
        ("case when age then 1 end", "a condition"),
        ("ldl = sex", "= or != with a category|category"),
    ],
)
def test_what_does_not_fit_is_refused(written, said):
    if said is None:
        assert bound(written).kind == "number"
        return
    with pytest.raises(InputError, match=said) as caught:
        bound(written)
    assert "expression, character " in caught.value.where


def test_the_nearest_names_are_told():
    assert nearest("LDL", ["LDL (mg/dL)", "LD", "x"]) == ["LDL (mg/dL)", "LD"]
    assert nearest("heigth", ["height", "weight", "age"]) == ["height", "weight"]
    assert nearest("nothing", ["height"]) == []


def test_units_are_inferred():
    units = {"weight": "kg", "height": "cm", "a": "mmol/L", "b": "mmol/L", "free": ""}
    index = infer_unit(parse("weight / (height * height)"), units)
    assert index.dimension == parse_unit("kg/m2").dimension
    assert index.factor == 10_000
    assert infer_unit(parse("a - b"), units).code == "mmol/L"
    assert infer_unit(parse("a / b"), units).code == "1"
    assert infer_unit(parse("sqrt(height * height)"), units).dimension == parse_unit("m").dimension
    assert infer_unit(parse("free * a"), units) is None
    with pytest.raises(InputError, match="measures"):
        infer_unit(parse("a + weight"), units)


def test_the_friedewald_equation_reads_as_it_is_printed():
    """LDL = TC − HDL − TG/5 in mg/dL: units agree because all three are concentrations of mass."""
    variables = {n: Variable(n, "decimal", unit="mg/dL") for n in ("tc", "hdl", "tg")}
    found = bind(parse("tc - hdl - tg / 5"), variables)
    assert found.unit.code == "mg/dL"
    assert canonical(found.expression) == "((`tc` - `hdl`) - (`tg` / 5))"


def test_one_analyte_is_not_added_to_another_across_mass_and_amount():
    variables = {
        "tc": Variable("tc", "decimal", unit="mmol/L"),
        "crp": Variable("crp", "decimal", unit="mg/L"),
    }
    with pytest.raises(InputError, match="measures"):
        bind(parse("crp + tc"), variables)
