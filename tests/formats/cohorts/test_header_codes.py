"""Keys of codes within headers, as people write them in two languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.formats.cohorts import open_cohort
from nexome.formats.cohorts.header_codes import codes_of_header
from tests.formats.cohorts.reading import written

MEN = (("1", "男"), ("2", "女"))


@pytest.mark.parametrize(
    ("header", "bare", "codes"),
    [
        ("Sex (1=M 2=F)", "Sex", (("1", "M"), ("2", "F"))),
        ("Sex (M=1, F=2)", "Sex", (("1", "M"), ("2", "F"))),
        ("性别（1男 2女）", "性别", MEN),
        ("性别(1、男 2、女)", "性别", MEN),
        ("性别（1-男，2-女）", "性别", MEN),
        ("性别（男1女2）", "性别", MEN),
        ("性别【１＝男；２＝女】", "性别", MEN),
        ("性别1男2女", "性别", MEN),
        ("Income (1=<5; 2=5-10; 3=>10)", "Income", (("1", "<5"), ("2", "5-10"), ("3", ">10"))),
        ("Smoker {0: no / 1: yes}", "Smoker", (("0", "no"), ("1", "yes"))),
    ],
)
def test_keys_in_headers(header, bare, codes):
    assert codes_of_header(header) == (bare, codes)


@pytest.mark.parametrize(
    "header",
    [
        "Chol (mg/dL)", "Glucose (2 h)", "Sex (1=male)", "Sex (M/F)", "Ratio (1:2)", "time 12:30",
        "Albumin:creatinine ratio 1:2", "Score (1 to 5)", "x (1=a 1=b)", "x (1=1 2=2)",
        "Visit 1: weight 2: height", "(1=a 2=b)", "HLA-B*27:05 (1)", "PCR (N1=N2)", "",
    ],
)  # fmt: skip
def test_what_is_no_key(header):
    assert codes_of_header(header) == (header, ())


LABEL = st.text("abcdefgh 男女是否", min_size=1, max_size=8).map(str.strip).filter(bool)


@given(labels=st.lists(LABEL, min_size=2, max_size=6), between=st.sampled_from(["; ", "，", "|", "；"]))
def test_a_key_that_is_written_is_read(labels, between):
    key = between.join(f"{code}={label}" for code, label in enumerate(labels))
    assert codes_of_header(f"name ({key})") == ("name", tuple((str(c), v) for c, v in enumerate(labels)))


@given(header=st.text(max_size=40))
def test_any_header_is_read(header):
    bare, codes = codes_of_header(header)
    assert codes or bare == header
    assert len({c for c, _ in codes}) == len(codes) != 1


def test_columns_carry_their_keys(tmp_path):
    path = written(tmp_path / "c.csv", "编号,性别（1男 2女）,总胆固醇（mmol/L）\nA,1,5.2\n", "gb18030")
    with open_cohort(path) as reader:
        assert [(c.bare, c.codes, c.unit) for c in reader.columns] == [
            ("编号", (), ""),
            ("性别", MEN, ""),
            ("总胆固醇", (), "mmol/L"),
        ]
