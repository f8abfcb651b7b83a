"""Each rule finds the mistake it is for, in the four papers and in small ones made wrong on purpose."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from nexome.formats.document import Document, numbered
from nexome.report.checks import check_paper
from nexome.report.compare import compare_papers
from nexome.report.figures import amount_of, number_of, target_of
from nexome.report.findings import RULES, SEVERITIES
from nexome.report.read_paper import paper_of, read_paper

SMALL = """一般公共预算支出表
单位：万元
科目编码	科目名称	合计	基本支出	项目支出
206	科学技术支出	300.00	100.00	200.00
20602	基础研究	300.00	100.00	200.00
2060201	机构运行	100.00	100.00
2060206	专项基础科研	200.00		200.00
合计		300.00	100.00	200.00
关于一般公共预算支出表的说明
一般公共预算支出 300.00 万元，其中：基本支出 100.00 万元，占 33.33%；项目支出 200.00 万元，占 66.67%。

变异知识库绩效目标表
(2026 年度)
项目名称	变异知识库
主管部门	某院	实施单位	某所
项目资金(万元)	年度资金总额:	200.00
	其中:财政拨款	150.00
	上年结转资金	50.00
总体目标	年度目标
	1. 建成变异知识库;
绩效指标	一级指标	二级指标	三级指标	指标值	分值
	产出指标	数量指标	收录变异数	≥100 万个	50
		时效指标	完成时间	2026年12月31日前	20
	满意度指标	服务对象满意度指标	用户满意度	≥90%	20
"""


def paper(text: str):
    return paper_of(Document("small.txt", "txt", "0", numbered((line, 0) for line in text.split("\n"))))


def rules(text: str) -> set[str]:
    return {finding.rule for finding in check_paper(paper(text))}


def test_a_right_paper_has_no_finding():
    assert rules(SMALL) == set()


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("机构运行	100.00	100.00", "机构运行	110.00	110.00", "child-sum"),
        ("基础研究	300.00	100.00	200.00", "基础研究	300.00	100.00	210.00", "row-sum"),
        ("占 33.33%", "占 33.73%", "share"),
        ("基本支出 100.00 万元，占", "基本支出 101.00 万元，占", "sentence-figure"),
        (
            "2060206	专项基础科研	200.00		200.00",
            "2060206	专项基础科研	200,00		200.00",
            "figure-form",
        ),
        ("上年结转资金	50.00", "上年结转资金	51.00", "funds-sum"),
        ("≥90%	20", "≥90%	30", ""),
        ("≥90%	20", "≥90%	25", "weights"),
        ("≥90%	20", "≤90%	20", "comparison-sense"),
        ("≥90%	20", "≥100%	20", "rate-bound"),
        ("≥90%	20", "≥90 个	20", ""),
        ("用户满意度	≥90%", "服务对象满意度指标	某用户满意度", "not-measurable"),
        ("收录变异数	≥100 万个", "收录变异数	≥0 个", "not-measurable"),
        ("收录变异数	≥100 万个", "参会人数	≥100 个", "unit-value"),
        ("		时效指标	完成时间", "		质量指标	完成时间", "level"),
        ("变异知识库绩效目标表", "样本库绩效目标表", "title-name"),
        ("项目名称	变异知识库", "项目名称	变异知识库 2024", "period"),
        (
            "		时效指标	完成时间	2026年12月31日前",
            "		数量指标	收录变异数	≥1 个",
            "twice",
        ),
    ],
)
def test_a_mistake_is_found_and_nothing_else_is_needed(old, new, rule):
    assert old in SMALL
    found = rules(SMALL.replace(old, new))
    assert (rule in found) if rule else not found - {"unit-value"}


def test_every_finding_speaks_both_languages_and_has_a_known_rule():
    wrong = SMALL.replace("机构运行	100.00	100.00", "机构运行	110.00	110.00").replace(
        "≥90%", "≤90%"
    )
    for finding in check_paper(paper(wrong)):
        assert finding.rule in RULES
        assert finding.severity in SEVERITIES
        assert finding.en.isprintable()
        assert any("一" <= char <= "鿿" for char in finding.zh)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234.50", "1234.50"),
        ("１，２３４．５０", "1234.50"),
        ("1, 608. 200000", "1608.200000"),
        ("1 234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("84,863770", "84.863770"),
        ("-12.00", "-12.00"),
    ],
)
def test_figures_of_every_spelling(text, number):
    assert number_of(text)[0] == Decimal(number)


@pytest.mark.parametrize("text", ["", "-", "—", "约10", "1,2,3", "无", "12月"])
def test_what_is_no_figure_stays_text(text):
    assert number_of(text) is None


def test_units_of_money_become_yuan():
    yuan = {unit: amount_of("1.5", unit, 1).yuan for unit in ("元", "万元", "亿元")}
    assert yuan == {"元": Decimal("1.5"), "万元": Decimal(15000), "亿元": Decimal(150_000_000)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("≥5 篇", ("≥", 5, 5, "篇")),
        ("≥１００％", ("≥", 100, 100, "%")),
        ("1-3项", ("=", 1, 3, "项")),
        ("约40万人（覆盖…）", ("≈", 40, 40, "万人")),
        ("大于80%。本平台", (">", 80, 80, "%")),
        ("\\leq15", ("≤", 15, 15, "")),
        ("显著", ("qualitative", None, None, "")),
        ("1、100%合规 2、适用", ("qualitative", None, None, "")),
        ("2025 年底", ("", None, None, "date")),
        ("100%（对2018年项目）", ("=", 100, 100, "%")),
    ],
)
def test_targets_of_every_spelling(text, expected):
    assert tuple(target_of(text)) == expected


def test_two_years_side_by_side():
    one, other = paper(SMALL), paper(SMALL.replace("2060206	专项基础科研", "2060299	其他基础研究支出"))
    what = {change.name: change.what for change in compare_papers(one, other) if change.kind == "budget"}
    assert what["2060206 专项基础科研"] == "gone"
    assert what["2060299 其他基础研究支出"] == "new"
    assert what["206 科学技术支出"] == "same"
    more = replace(other, targets=())
    assert "gone" in {change.what for change in compare_papers(one, more) if change.kind == "project"}


@pytest.mark.shared
def test_the_known_mistakes_of_the_four_papers(papers):
    found = {
        (name, f.rule, f.line)
        for name, paper in papers.items()
        for f in check_paper(paper)
        if f.severity == "error"
    }
    assert found == {
        ("000", "copied-shifted", 382),  # values of the project above, one row off
        ("001", "child-sum", 176),  # 3,535.00 of 206 in no row below (total and project spending)
        ("001", "share", 373),  # 74.73 % is 74.43 %
        ("001", "facts-sum", 601),  # 12,391.92 + 8,717.00 is not 21,109.92
        ("001", "sentence-figure", 601),  # 8,717.00 is 8,718.00 in the table
        ("001", "title-name", 1450),
        ("002", "figure-form", 316),  # 84,863770
        ("002", "comparison-sense", 1818),  # satisfaction ≤ 95 %
        ("004", "period", 79),  # by 2013, in 2019
        ("004", "period", 116),  # 2018/2/1 to 2018/12/20, in 2019
    }


@pytest.mark.parametrize(("cut", "found"), [(6, ["总计", "总计"]), (7, [])])
def test_a_table_without_its_total_is_told(cut: int, found: list[str]) -> None:
    lines = (
        "收支总表\n单位：万元\n收 入\t\t支 出\t\n项 目\t预算数\t项 目\t预算数\n"
        "一、一般公共预算拨款收入\t60.00\t一、科学技术支出\t100.00\n二、事业收入\t40.00\t\t\n"
        "收 入 总 计\t100.00\t支 出 总 计\t100.00\n"
    ).splitlines()
    text = "\n".join([*lines[:cut], "关于收支总表的说明", "收入 100.00 万元。", ""])
    told = [finding for finding in check_paper(paper(text)) if finding.rule == "no-total"]
    assert [finding.expected for finding in told] == found
    assert all("line 6" in finding.en and "第6行" in finding.zh for finding in told)


@pytest.mark.shared
def test_a_real_table_cut_after_four_rows_is_told(shared: Path, tmp_path: Path) -> None:
    source = shared.parent / "papers" / "000_191f60081ed8d19e.txt"
    lines, whole = source.read_text("utf-8").split("\n"), read_paper(source)
    for table in whole.budgets:
        if len(table.rows) < 10:
            continue
        after = min([t.line for t in whole.budgets if t.line > table.line], default=len(lines) + 1)
        part = tmp_path / f"{table.kind}.txt"
        part.write_text("\n".join([*lines[: table.rows[3].line], "", *lines[after - 1 :]]), "utf-8")
        rules = {finding.rule for finding in check_paper(read_paper(part)) if finding.where == table.title}
        assert rules & {"no-total", "child-sum", "two-tables", "balance"}, table.kind
