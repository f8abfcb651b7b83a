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


@pytest.mark.parametrize(
    ("unit", "factor"), [("元", 1), ("万元", 10_000), ("亿元", 100_000_000), ("千元", 1000)]
)
def test_each_project_has_its_own_unit(unit, factor):
    mixed = SMALL.replace("项目资金(万元)", f"项目资金（{unit}）")
    read = paper(mixed)
    assert [fund.amount.yuan for fund in read.targets[0].funds] == [200 * factor, 150 * factor, 50 * factor]
    assert read.budgets[0].total.amounts[0].yuan == 3_000_000  # the table above it stays in 万元
    broken = mixed.replace("\t", " \n")
    assert survives(broken) is None


def test_a_register_in_yuan_is_not_read_as_ten_thousands():
    text = (
        "项目支出绩效目标表\n金额单位：元\n11000022T000000433263-甲\n"
        "11000022T0000004-332634567-奖励\t7700.00\t7700.00\t\t做好奖励\t产出指标\t数量指标\t授奖数\t≥\t5\t项\n"
    )
    code = text.replace("11000022T000000433263-甲\n", "").replace(
        "11000022T0000004-332634567-", "11000022T000000433263-"
    )
    for printed, yuan in (("元", 7700), ("万元", 77_000_000)):
        read = paper(code.replace("单位：元", f"单位：{printed}"))
        assert read.targets[0].funds[0].amount.yuan == yuan


def test_full_width_digits_in_targets_money_and_weights():
    wide = SMALL.translate(str.maketrans("0123456789.", "０１２３４５６７８９．"))
    table, plain = (
        paper(wide.replace("（２０２６", "(2026").replace("(２０２６", "(2026")).targets[0],
        paper(SMALL).targets[0],
    )
    assert [leaf.weight for leaf in table.indicators] == [leaf.weight for leaf in plain.indicators]
    assert [leaf.low for leaf in table.indicators] == [leaf.low for leaf in plain.indicators]
    assert [fund.amount.yuan for fund in table.funds] == [fund.amount.yuan for fund in plain.funds]


def survives(text):
    try:
        read = paper(text)
    except FormatError:
        return
    check_paper(read)
    assert paper_from_values(paper_records(read), "", "") == read


@pytest.mark.parametrize(
    "spell",
    [
        lambda text: text.translate(str.maketrans("0123456789.,%", "０１２３４５６７８９．，％")),
        lambda text: re.sub(r"(?<=\d),(?=\d{3}\.)", "", text),
        lambda text: re.sub(
            r"\b\d{1,3}(?:,\d{3})+\.\d\d\b",
            lambda match: match[0].replace(",", "·").replace(".", ",").replace("·", "."),
            text,
        ),
    ],
    ids=["full width", "no separators", "point for thousands"],
)
@pytest.mark.shared
def test_another_spelling_of_figures_gives_the_same_paper_and_findings(spell, texts, papers):
    """Nothing is read otherwise, and no new alarm is raised, when a converter spells figures its own way."""
    again = paper(spell("\n".join(texts["000"])))
    told = [(finding.rule, finding.line, finding.other_line) for finding in check_paper(again)]
    right = papers["000"]
    assert told == [(finding.rule, finding.line, finding.other_line) for finding in check_paper(right)]
    assert [(fact.name, fact.number) for fact in again.facts] == [
        (fact.name, fact.number) for fact in right.facts
    ]
