"""Whatever is missing from a paper: it is read or refused with a reason, never a fault."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.errors import FormatError
from nexome.report.checks import check_paper
from nexome.report.records import paper_from_values, paper_records
from tests.report.test_rules import SMALL, paper

LINES = SMALL.split("\n")


@given(st.lists(st.integers(0, len(LINES) - 1), max_size=8), st.integers(0, len(LINES)))
def test_lines_lost_or_doubled(places, cut):
    lines = [line for i, line in enumerate(LINES[:cut]) if i not in places[::2]]
    lines += [LINES[i] for i in places[1::2]]
    survives("\n".join(lines))


@given(st.integers(0, len(SMALL) - 1), st.integers(0, 40), st.text(max_size=5))
def test_text_lost_or_put_in(start, length, put_in):
    survives(SMALL[:start] + put_in + SMALL[start + length :])


@pytest.mark.parametrize(
    "change", [str.swapcase, lambda text: text.replace("\t", " "), lambda text: text.replace("\t", "\t\t")]
)
def test_other_spacing(change):
    survives(change(SMALL))


def test_full_width_digits_give_the_same_money():
    wide = re.sub(
        r"[0-9]+\.[0-9]+",
        lambda m: m[0].translate(str.maketrans("0123456789.", "０１２３４５６７８９．")),
        SMALL,
    )
    plain = [amount.yuan for row in paper(SMALL).budgets[0].rows for amount in row.amounts if amount]
    assert [amount.yuan for row in paper(wide).budgets[0].rows for amount in row.amounts if amount] == plain


@pytest.mark.parametrize(("unit", "factor"), [("元", 1), ("万元", 10_000), ("亿元", 100_000_000)])
def test_each_table_has_its_own_unit(unit, factor):
    read = paper(SMALL.replace("单位：万元", f"单位：{unit}"))
    assert read.budgets[0].total.amounts[0].yuan == 300 * factor
    assert read.targets[0].funds[0].amount.yuan == 2_000_000


def survives(text):
    try:
        read = paper(text)
    except FormatError:
        return
    check_paper(read)
    assert paper_from_values(paper_records(read), "", "") == read
