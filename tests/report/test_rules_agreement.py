"""Rules over what two parts say of one thing: each finds its mistake and keeps silent beside it."""

from dataclasses import replace

import pytest

from nexome.report import rules_agreement as rules
from nexome.report.checks import check_paper
from nexome.report.paper import Text
from tests.report.test_rules import SMALL, paper

ARTICLES = SMALL.replace("收录变异数	≥100 万个", "发表文章、专利及论著	≥30 篇")


def with_goal(text: str):
    return paper(ARTICLES.replace("1. 建成变异知识库;", text))


@pytest.mark.parametrize(
    ("goal", "found"),
    [
        ("1. 争取发表文章、专利及论著 50 篇;", ["50 篇"]),
        ("1. 争取发表文章、专利及论著 30 篇;", []),
        ("1. 支持 200 篇文章发表，建成数据库 50 个;", []),
        ("1. 发表文章 50 篇;", []),  # one thing of three: it may be a part
        ("1. 国际标准、团体标准 50 篇;", []),
    ],
)
def test_a_goal_and_its_indicator_give_one_number(goal, found):
    assert [finding.found for finding in rules.goal_figure(with_goal(goal))] == found


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ("软件成本	≤120 万元", "服务成本	≤81 万元", ["201.00"]),
        ("软件成本	≤120 万元", "服务成本	≤80 万元", []),
        ("软件单价	≤120 万元", "服务成本	≤81 万元", []),
        ("每个课题成本	≤190 万元", "服务成本	≤81 万元", []),
        ("软件成本	≤1200000 元", "服务成本	≤0.0081 亿元", ["201.00"]),
    ],
)
def test_ceilings_of_costs_stay_within_the_money(first, second, found):
    changed = SMALL.replace(
        "	产出指标	数量指标	收录变异数	≥100 万个	50",
        f"	成本指标	经济成本指标	{first}	20\n		经济成本指标	{second}	30",
    )
    assert [finding.found for finding in rules.cost_sum(paper(changed))] == found


def test_an_item_without_its_amount():
    text = (
        "收支总表\n单位：万元\n收 入\t\t支 出\t\n项 目\t预算数\t项 目\t预算数\n"
        "一、事业收入\t100.00\t一、科学技术支出\t100.00\n二、其他资金收入\t\t\t\n"
        "收 入 总 计\t100.00\t支 出 总 计\t100.00\n关于收支总表的说明\n"
        "收入包括：事业收入{}、其他资金收入 0 万元。\n"
    )
    whole, gap = paper(text.format(" 100.00 万元")), paper(text.format("").replace("事业收入、", "事业收入"))
    assert list(rules.item_amount(whole)) == []
    assert [finding.found for finding in rules.item_amount(gap)] == ["事业收入其他资金收入"]


def test_a_group_without_items_where_others_have_them():
    gap = SMALL.replace(
        "合计		300.00	100.00	200.00",
        "20603	应用研究	0.00		0.00\n合计		300.00	100.00	200.00",
    )
    assert list(rules.item_level(paper(SMALL))) == []
    assert [finding.found for finding in rules.item_level(paper(gap))] == ["20603"]


@pytest.mark.shared
def test_last_year_is_set_beside_what_is_said(papers):
    found = {(finding.line, finding.found) for finding in rules.last_year(papers["004"])}
    assert found == {(21, "0"), (21, "其他一次性项目"), (229, "其他一次性项目")}
    table = papers["004"].targets[0]
    once = tuple(Text(t.label, "0" if "一次性" in t.label else t.text, t.line) for t in table.texts)
    unticked = replace(papers["004"], targets=(replace(table, texts=once),))
    assert [finding.found for finding in rules.last_year(unticked)] == ["0"]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("收录变异数	≥100 万个", "参与人数	≥100 人数", "unit-value"),
        ("收录变异数	≥100 万个", "国际会议场次数	≥15 项", "unit-value"),
        ("收录变异数	≥100 万个", "工作完成及时率	≥90%", "level"),
        ("完成时间	2026年12月31日前", "检测完成次数	≥2 次", "level"),
        ("用户满意度	≥90%", "用户满意度	95%", "comparison-sense"),
        ("收录变异数	≥100 万个", "宣传有效率	内容真实、形象生动", "not-measurable"),
    ],
)
def test_what_an_auditor_would_ask_of_an_indicator(old, new, rule):
    assert old in SMALL
    assert rule in {finding.rule for finding in check_paper(paper(SMALL.replace(old, new)))}
