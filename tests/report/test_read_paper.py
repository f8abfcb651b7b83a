"""What the four papers hold, against truth counted by hand and a plain reading that shares no code.

Counted by going through each file from the first line to the last: target tables by their titles (80 by
their printed codes), indicators by their lines, money added up by a desk calculator from the printed figures.
"""

import re
from collections import Counter
from decimal import Decimal

import pytest

pytestmark = pytest.mark.shared

# file → projects, department tables, budget tables, year, indicators of each project (002: all)
TRUTH = {
    "000": (7, 0, 9, "2023", [7, 6, 10, 11, 6, 10, 9]),
    "001": (8, 0, 9, "2025", [6, 8, 8, 8, 9, 8, 9, 10]),
    "002": (80, 1, 11, "2026", 1073),
    "004": (4, 0, 0, "2019", [21, 30, 21, 26]),
}
# file → all project money, fiscal money of it; yuan
MONEY = {
    "000": ("42991200", "39721500"),
    "001": ("131515900", "94415200"),
    "004": ("97300000", None),
}


@pytest.mark.parametrize("name", TRUTH)
def test_counts_are_those_counted_by_hand(papers, name):
    projects, departments, budgets, year, leaves = TRUTH[name]
    paper = papers[name]
    found = [table for table in paper.targets if table.kind == "project"]
    counts = [len(table.indicators) for table in found]
    assert (len(found), len(paper.targets) - len(found), len(paper.budgets)) == (
        projects,
        departments,
        budgets,
    )
    assert paper.year == year
    assert (counts if isinstance(leaves, list) else sum(counts)) == leaves


@pytest.mark.parametrize("name", MONEY)
def test_money_is_what_a_calculator_gives(papers, name):
    total, fiscal = MONEY[name]
    funds = [fund for table in papers[name].targets for fund in table.funds]
    assert sum(f.amount.yuan for f in funds if f.role == "total" or f.name == "项目当年预算") == Decimal(
        total
    )
    if fiscal:
        assert sum(f.amount.yuan for f in funds if f.name == "财政拨款") == Decimal(fiscal)


@pytest.mark.parametrize("name", ["000", "001"])
def test_every_project_of_the_institute_has_weights_of_90(papers, name):
    assert {sum(leaf.weight for leaf in table.indicators) for table in papers[name].targets} == {90}


def test_the_register_has_every_printed_code_and_amount(papers, texts):
    lines = texts["002"][651:1859]
    codes = re.findall(r"110000\d\d[TY]\d{5}\s*\d{7}", "\n".join(lines))
    tables = papers["002"].targets[:-1]
    assert [table.code for table in tables] == [re.sub(r"\s", "", code) for code in codes]
    printed = Counter(_decimals("\n".join(_before_levels(line) for line in lines)))
    read = Counter(fund.amount.yuan / 10_000 for table in tables for fund in table.funds)
    assert read == printed


def _before_levels(line):
    """The part of a line before its indicator, without the goal (a cell with Chinese text)."""
    head = re.split(r"(?:效益|产出|成本|满意度)指标", line)[0]
    return "\t".join(cell for cell in head.split("\t") if not re.search("[一-鿿]", cell))


def test_the_register_has_every_indicator_line(papers, texts):
    level = re.compile(r"(效益|产出|成本|满意度)指标")
    lines = texts["002"]
    plain = {
        n for n in range(652, 1860) if level.search(lines[n - 1]) and not lines[n - 1].endswith("\t" * 30)
    }
    read = {leaf.line for table in papers["002"].targets[:-1] for leaf in table.indicators}
    cut = {item.line for item in papers["002"].unread}
    assert cut == {1153, 1411, 1439, 1523, 1592}
    assert read == plain - cut


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (743, "国际科技创新中心建设规划与政策研究"),  # goes on from the page before
        (744, "科技文化与科技普及"),  # printed before the line that names its project
        (766, "北京智源人工智能研究院建设"),
        (850, "北京市科技新星计划"),
        (851, "北京通用智能研究院建设"),
        (1050, "北京市自然科学基金"),
        (1059, "怀柔科学城成果落地"),
        (1166, "科技项目评审工作的管理与组织能力提升"),  # dearer than all of the project before
        (1361, "实验动物人类遗传资源管理工作经费"),
        (1362, "实验动物质量与安全工作经费"),
        (1495, "正版软件购置经费"),  # although the next project's name stands above it
        (1501, "北京市自然科学基金项目工作经费"),
        (1522, "综合事务运行维护"),
        (1524, "市基金应用基础研究项目工作经费"),  # after a row cut off at the foot of the page
        (1551, "科技监督专项"),
        (1552, "科技统计专项"),
        (1751, "创新药CDMO提质增效"),
        (1776, "实验动物共性关键质量评价技术标准研究"),
    ],
)
def test_rows_at_the_top_of_a_page_belong_to_the_right_project(papers, line, name):
    assert [t.name for t in papers["002"].targets for leaf in t.indicators if leaf.line == line] == [name]


def test_the_software_project_has_a_portion_for_each_unit(papers):
    table = next(table for table in papers["002"].targets if table.name == "正版软件购置经费")
    printed = [
        "5.486",
        "10.71",
        "21.301",
        "3.456",
        "5.831",
        "4.533",
        "7.497",
        "0.476",
        "3.451",
        "5.117",
        "5.117",
    ]
    assert [f.amount.yuan / 10_000 for f in table.funds if f.role == "total"] == [
        Decimal(text) for text in printed
    ]


def test_the_department_table_is_its_own_kind(papers):
    table = papers["002"].targets[-1]
    assert (table.kind, len(table.indicators), table.year) == ("department", 15, "2026")
    assert [fund.amount.printed for fund in table.funds][:3] == [
        "1,033,760.648106",
        "961,440.644745",
        "33,183.423272",
    ]


# ---------------------------------------------------------------- budget tables, cell by cell


def _decimals(text):
    text = re.sub(r"(?<=\d)(, | ,|\. )(?=\d)", lambda m: m[0].strip(), text)
    return [Decimal(figure.replace(",", "")) for figure in re.findall(r"\d[\d,]*\.\d+", text)]


@pytest.mark.parametrize("name", ["000", "001", "002"])
def test_every_figure_printed_in_a_budget_table_is_in_a_cell(papers, texts, name):
    lines = texts[name]
    end = re.compile(r"\s*(关于.*说明|注：|三、其他|预算\d\d表|预算表12)")
    for table in papers[name].budgets:
        last = next(i for i in range(table.line, len(lines)) if end.match(lines[i]))
        printed = Counter(_decimals("\n".join(lines[table.line : last])))
        amounts = [amount for row in table.rows for amount in row.amounts if amount and not amount.doubt]
        read = Counter(amount.yuan / 10_000 for amount in amounts if "." in amount.printed)
        assert read == printed, table.title


@pytest.mark.parametrize("name", ["000", "002"])
def test_tabbed_figures_stand_in_the_columns_they_are_printed_in(papers, texts, name):
    for table in papers[name].budgets:
        if table.kind not in {"expenditure", "general"}:
            continue
        first = 3 if (name, table.kind) == ("002", "expenditure") else 2
        for row in (row for row in table.rows if row.code):
            cells = [cell.strip() for cell in texts[name][row.line - 1].split("\t")[first:]]
            want = (cells + [""] * len(table.columns))[: len(table.columns)]
            assert [amount.printed if amount else "" for amount in row.amounts] == want, row


# Read off the page: cells with empty neighbours, in the layout where only a second space says so.
@pytest.mark.parametrize(
    ("kind", "code", "figures"),
    [
        ("expenditure", "2060203", ["1,770.00", None, "1,770.00", None, None, None]),
        ("expenditure", "2060299", ["6,250.41", "936.42", "5,313.99", None, None, None]),
        ("expenditure", "20698", ["9,354.82", None, "9,354.82", None, None, None]),
        ("expenditure", "2080505", ["640.00", "640.00", None, None, None, None]),
        ("general", "2080506", ["269.54", "269.54", None]),
        ("general", "20603", ["310.00", None, "310.00"]),
        ("funds", "2069805", ["8,718.00", None, "8,718.00"]),
        ("basic", "30231", ["10.75"]),
        ("basic", "31003", ["1.00"]),
        ("basic", "30110", [None]),
    ],
)
def test_broken_lines_keep_empty_cells(papers, kind, code, figures):
    table = next(table for table in papers["001"].budgets if table.kind == kind)
    row = next(row for row in table.rows if row.code == code)
    assert [amount.printed if amount else None for amount in row.amounts] == figures


def test_two_sided_rows_keep_their_sides(papers):
    table = next(table for table in papers["001"].budgets if table.kind == "balance")
    cells = {(row.section, row.name): row.amounts[0].printed for row in table.rows if row.amounts[0]}
    assert cells[("expenditure", "三、住房保障支出")] == "840.00"
    assert cells[("expenditure", "结转下年(非财政拨款)")] == "5,841.24"
    assert cells[("income", "上年结转")] == "16,728.67"


def test_a_form_keeps_dates_boxes_and_texts(papers):
    first, second, third, fourth = papers["004"].targets
    assert (first.start, first.end, first.unit) == ("2019-01-01", "2019-12-31", "上海市科技创业中心")
    assert [t.label for t in first.texts if t.text == "1"] == [
        "项目类型/其他一次性项目",
        "资金用途/其他事业专业类",
    ]
    assert (third.name, third.start) == ("研发平台数据采购及保障", "2018/2/1")
    assert [f.amount.printed for f in third.funds if f.role == "sub-project"] == [
        "1946350",
        "1900000",
        "1320000",
        "1383650",
        "450000",
    ]
    assert {"overview", "basis", "necessity", "measures", "plan", "overall goal", "goal"} <= {
        t.label for t in second.texts
    }
    assert fourth.indicators[9].name == "研讨会议程活动完成率"
    assert fourth.indicators[9].level2 == "数量目标"


def test_values_keep_comparison_number_and_unit(papers):
    read = {(p, x.line): x for p in ("001", "004") for table in papers[p].targets for x in table.indicators}

    def parts(key):
        return read[key].comparison, read[key].low, read[key].unit

    assert parts(("001", 780)) == ("≥", 4, "名")
    assert parts(("001", 1436)) == ("=", 95, "%")
    assert parts(("004", 192)) == ("≈", 40, "万人")
    assert parts(("004", 106)) == (">", 80, "%")
    assert parts(("001", 926)) == ("qualitative", None, "")
    assert parts(("001", 924)) == ("", None, "date")
