"""Units: spellings, dimensions, exact conversions and the way back."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model import ucum
from nexome.model.analytes import ANALYTES
from nexome.model.errors import InputError
from nexome.model.ucum import converter, parse_unit, read_unit, units_agree

SPELLINGS = {
    "mmol/l": "mmol/L",
    "mg/dl": "mg/dL",
    "MG/DL": "mg/dL",
    "mm Hg": "mm[Hg]",
    "mmHg": "mm[Hg]",
    "mg/100ml": "mg/dL",
    "mg%": "mg/dL",
    "毫摩尔/升": "mmol/L",
    "微摩尔/升": "umol/L",
    "毫克/分升": "mg/dL",
    "kg/m2": "kg/m2",
    "kg/m²": "kg/m2",
    "kg/m^2": "kg/m2",
    "umol/L": "umol/L",
    "µmol/L": "umol/L",
    "μmol/l": "umol/L",
    "IU/L": "[IU]/L",
    "mIU/L": "m[IU]/L",
    "μIU/mL": "u[IU]/mL",
    "10^9/L": "10*9/L",
    "×10⁹/L": "10*9/L",
    "10*9/L": "10*9/L",
    "%": "%",
    "％": "%",
    "°C": "Cel",
    "℃": "Cel",
    "摄氏度": "Cel",
    "岁": "a",
    "years": "a",
    "mEq/L": "meq/L",
    "K/uL": "10*3/uL",
    "毫米汞柱": "mm[Hg]",
    "公斤": "kg",
    "厘米": "cm",
    "次/分": "/min",
    "bpm": "/min",
    "ft": "[ft_i]",
    "lbs": "[lb_av]",
    "U/L": "U/L",
    "1": "1",
    "{score}": "{score}",
    "mL/min/1.73m2": "mL/min/{1.73_m2}",
    "pH": "[pH]",
    "g/dL": "g/dL",
}


@pytest.mark.parametrize(("written", "code"), SPELLINGS.items())
def test_usual_spellings(written, code):
    assert read_unit(written) == code
    assert parse_unit(written).code == code
    assert read_unit(code) == code


@pytest.mark.parametrize(
    "written", ["", "height", "foo", "weight", "yes", "and", "mg//dL", "x" * 61, "年年", "12 34"]
)
def test_what_is_no_unit(written):
    assert read_unit(written) == ""
    with pytest.raises(InputError, match="UCUM"):
        parse_unit(written)


@pytest.mark.parametrize(
    ("unit", "to", "analyte", "factor"),
    [
        ("mg/dL", "g/L", "", Fraction(1, 100)),
        ("mm[Hg]", "kPa", "", Fraction("133.322387415") / 1000),  # UCUM: m[Hg] = 133.322387415 kPa
        ("[in_i]", "cm", "", Fraction("2.54")),
        ("[lb_av]", "kg", "", Fraction("0.45359237")),
        ("10*9/L", "10*3/uL", "", Fraction(1)),
        ("a", "mo", "", Fraction(12)),
        ("U/L", "ukat/L", "", Fraction(1, 60)),
        ("%", "1", "", Fraction(1, 100)),
        ("meq/L", "mmol/L", "sodium", Fraction(1)),
        ("meq/L", "mmol/L", "calcium", Fraction(1, 2)),
        ("mg/dL", "mmol/L", "triglycerides", 10 / Fraction("885.4")),
        ("u[IU]/mL", "pmol/L", "insulin", Fraction(6)),
        ("m[IU]/L", "pmol/L", "insulin", Fraction(6)),
    ],
)
def test_exact_factors(unit, to, analyte, factor):
    assert converter(unit, to, analyte).factor == factor


@pytest.mark.parametrize(
    ("unit", "to", "analyte", "factor"),
    [  # as laboratories print them, rounded
        ("mg/dL", "mmol/L", "cholesterol_total", 0.0259), ("mg/dL", "mmol/L", "triglycerides", 0.0113),
        ("mg/dL", "mmol/L", "glucose", 0.0555), ("mg/dL", "umol/L", "creatinine", 88.4),
        ("mg/dL", "umol/L", "urate", 59.48), ("mg/dL", "mmol/L", "urea_nitrogen", 0.357),
        ("mg/dL", "umol/L", "bilirubin_total", 17.104), ("mg/dL", "mmol/L", "calcium", 0.25),
        ("ug/dL", "nmol/L", "cortisol", 27.59), ("ng/dL", "nmol/L", "testosterone", 0.0347),
        ("ng/mL", "nmol/L", "vitamin_d", 2.496), ("pg/mL", "pmol/L", "vitamin_b12", 0.7378),
        ("ng/mL", "nmol/L", "folate", 2.266), ("ug/dL", "nmol/L", "thyroxine", 12.87),
        ("g/dL", "mmol/L", "haemoglobin", 0.6206), ("ug/dL", "umol/L", "iron", 0.179),
    ],
)  # fmt: skip
def test_factors_as_they_are_printed(unit, to, analyte, factor):
    assert float(converter(unit, to, analyte).factor) == pytest.approx(factor, rel=0.0025)


def test_hba1c_by_the_master_equation():
    to_percent = converter("mmol/mol", "%", "hba1c")
    assert to_percent.apply(np.array([48.0, 53.0]))[0] == pytest.approx(
        6.543, abs=0.001
    )  # 48 mmol/mol is 6.5 %
    back = converter("%", "mmol/mol", "hba1c").apply(np.array([6.5, 7.0]))
    assert np.round(back).tolist() == [48, 53]
    assert "NGSP" in to_percent.steps[0]


def test_temperatures_have_an_offset():
    assert converter("[degF]", "Cel").apply(np.array([98.6])) == pytest.approx([37.0])
    assert converter("Cel", "K").apply(np.array([0.0])) == pytest.approx([273.15])


@pytest.mark.parametrize(
    ("unit", "to", "analyte", "said"),
    [
        ("mg/dL", "mmol/L", "", "which analyte"),
        ("mg/L", "mmol/L", "crp", "no one molar mass"),
        ("kg", "cm", "", "kg measures mass, cm measures length"),
        ("[IU]/L", "10*9/L", "", "international unit"),  # UCUM: arbitrary units agree with nothing else
        ("meq/L", "mmol/L", "", "equivalent"),
        ("meq/L", "mmol/L", "glucose", "glucose"),
        ("mosm/kg", "mmol/kg", "", "osmole"),
        ("m[IU]/L", "mmol/L", "tsh", "tsh"),
        ("mg/dL", "mmol/L", "no such thing", "the analyte"),
    ],
)
def test_what_does_not_agree_is_refused(unit, to, analyte, said):
    with pytest.raises(InputError, match=said):
        converter(unit, to, analyte)


def test_units_agree_by_dimension():
    assert units_agree("mg/dL", "g/L")
    assert units_agree("10*9/L", "/uL")
    assert not units_agree("mg/dL", "mmol/L")
    assert not units_agree("[IU]/L", "U/L")


PAIRS = [(u, a.unit, a.name) for a in ANALYTES.values() for u in a.units if u != a.unit] + [
    ("[degF]", "Cel", ""), ("[in_i]", "cm", ""), ("mm[Hg]", "kPa", ""),
]  # fmt: skip


@given(st.sampled_from(PAIRS), st.integers(1, 10**7), st.integers(0, 6))
def test_a_written_number_comes_back_exactly(pair, digits, decimals):
    """What a source wrote with some decimals is there again after the way back and rounding to them."""
    value = round(digits / 10**decimals, decimals)
    unit, to, analyte = pair
    there = converter(unit, to, analyte)
    back = there.reversed().apply(there.apply(np.array([value])))
    assert round(float(back[0]), decimals) == value


@given(st.sampled_from(PAIRS), st.floats(1e-3, 1e6))
def test_any_number_comes_back_but_for_its_last_bits(pair, value):
    unit, to, analyte = pair
    there = converter(unit, to, analyte)
    back = float(there.reversed().apply(there.apply(np.array([value])))[0])
    scale = max(value, abs(float(there.offset / there.factor)))
    assert abs(back - value) <= 4 * np.spacing(scale)


@given(st.sampled_from(PAIRS), st.floats(-1e6, 1e6))
def test_the_conversion_is_the_exact_one_rounded(pair, value):
    conversion = converter(*pair)
    exact = Fraction(value) * conversion.factor + conversion.offset
    given_back = float(conversion.apply(np.array([value]))[0])
    scale = max(abs(float(exact)), abs(float(conversion.offset)), abs(value * float(conversion.factor)))
    assert abs(Fraction(given_back) - exact) <= 3 * Fraction(float(np.spacing(scale)))


PLAIN = [prefix + atom for prefix in ucum._PREFIXES for atom in ucum._PREFIXED] + [
    *(atom for atom in ucum._SINGLE if atom != "1"),
    *(
        f"{above}/{below}"
        for above in ("mg", "U", "m[IU]", "10*9", "%", "1", "{cells}")
        for below in ("dL", "m2", "min", "mol{x}")
    ),
    *("/min", "mL/min/{1.73_m2}", "kg.m/s2", "mg/kg/d", "Cel", "g/L/h", "m3", "mg/g{creatinine}"),
]


@pytest.mark.parametrize("code", PLAIN)
def test_the_plain_units_are_those_of_pint(code):
    """Some of pint's factors are floats inside (ng: 1.0000000000000002e-12); the table's are exact."""
    own, other = ucum._plain_unit(code), ucum._by_pint(code)
    assert own.dimension == other.dimension
    assert float(own.factor) == pytest.approx(float(other.factor), rel=1e-15)
    assert own.offset == other.offset


@pytest.mark.parametrize(
    "code",
    ["foo", "kgm", "mg//dL", "mg/", "/", "mg2x", "12", "10", "2", "1/", "%2", "m[Hg]", "cd", "x", "year"],
)
def test_what_is_not_plain_is_left_to_pint(code):
    assert ucum._plain_unit(code) is None


def test_products_and_powers():
    kilogram, centimetre = parse_unit("kg"), parse_unit("cm")
    index = kilogram.over(centimetre.times(centimetre))
    assert index.dimension == parse_unit("kg/m2").dimension
    assert index.factor == parse_unit("kg/m2").factor * 10_000
    assert centimetre.power(Fraction(2)).dimension == parse_unit("m2").dimension
    assert kilogram.over(kilogram).code == "1"
