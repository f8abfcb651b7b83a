"""The papers of the demo: a made-up centre's budgets of two years and its targets, tied to what it measures.

    <files>/budget-<year>.txt     收支总表, 收入总表, 支出总表 and two target tables, laid out as a central unit's
    <files>/budget-<year−1>.txt   the budget of the year before, to set beside it
    <files>/voucher.txt, training.txt   evidence of example payments and of an example series

Nobody's paper: the centre, its money and its targets are invented and say so. One share in a sentence is
wrong on purpose, so that there is something to find. What the indicators are tied to is real: the centre of
the demo itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

CENTRE: Final = "示例组学数据中心（虚构）"
PAPER: Final = "budget"
BUILD: Final = "组学数据中心建设与运行（示例）"
SHARE: Final = "组学数据开放共享服务（示例）"

# (project, indicator, what measures it); what is not here stays untied, as on a first day
TIES: Final = (
    (BUILD, "发布研究数", ("--measure", "studies")),
    (BUILD, "关联数据条数", ("--measure", "associations")),
    (BUILD, "系统可用率", ("--measure", "uptime")),
    (BUILD, "页面与接口响应时间", ("--measure", "response_p95")),
    (BUILD, "网站访问次数", ("--measure", "visits")),
    (SHARE, "研究数据下载次数", ("--measure", "downloads")),
    (SHARE, "接口调用次数", ("--measure", "api_calls")),
    (SHARE, "访问下载率", ("--formula", "downloads / visits")),
)
PAYMENTS: Final = ((BUILD, "180", "财政拨款"), (BUILD, "30", "其他资金"), (SHARE, "62", "财政拨款"))  # 万元
TRAINED: Final = (SHARE, "培训人次", "64")

_TARGETS: Final = """
{name}绩效目标表

({year} 年度)

项目名称\t{name}\t\t\t\t
主管部门\t示例主管部门（虚构）\t实施单位\t{centre}\t\t
项目资金 (万元)\t年度资金总额:\t{total}\t执行率 分值 (10)\t\t
\t其中: 财政拨款\t{fiscal}\t\t\t
\t上年结转资金\t0.00\t\t\t
\t其他资金\t{other}\t\t\t
总体目标\t年度目标\t\t\t\t
{goals}
绩效指标\t一级指标\t二级指标\t三级指标\t指标值\t分值 权重
{indicators}
"""
_BUILD_GOALS: Final = (
    "1. 建成可检索的组学关联数据中心, 研究与关联数据持续入库;",
    "2. 系统稳定运行, 对外提供检索、接口与下载服务。",
)
_BUILD_LINES: Final = (
    ("产出指标", "数量指标", "发布研究数", "≥30 项", 15),
    ("", "", "关联数据条数", "≥2000000 条", 20),
    ("", "质量指标", "系统可用率", "≥99 %", 15),
    ("", "时效指标", "页面与接口响应时间", "≤500 毫秒", 10),
    ("效益指标", "社会效益指标", "网站访问次数", "≥1000 次", 20),
    ("满意度指标", "服务对象满意度指标", "用户满意度", "≥90 %", 10),
)
_SHARE_GOALS: Final = (
    "1. 面向研究人员开放共享数据, 提供完整下载与程序接口;",
    "2. 开展数据使用培训, 扩大服务面。",
)
_SHARE_LINES: Final = (
    ("产出指标", "数量指标", "研究数据下载次数", "≥50 次", 20),
    ("", "", "接口调用次数", "≥5000 次", 20),
    ("", "", "培训人次", "≥60 人次", 20),
    ("效益指标", "社会效益指标", "访问下载率", "≥5 %", 20),
    ("满意度指标", "服务对象满意度指标", "用户满意度", "≥90 %", 10),
)
_BUDGET: Final = """{centre} {year} 年部门预算

本文本为演示用的虚构示例，不对应任何真实单位。

一、收支情况

收支总表

部门公开表 1
单位：万元

收 入\t\t支 出\t
项 目\t预算数\t项 目\t预算数
一、一般公共预算拨款收入\t{fiscal}\t一、科学技术支出\t{science}
二、事业收入\t{own}\t二、社会保障和就业支出\t{social}
三、其他收入\t{other}\t三、住房保障支出\t{housing}
本年收入合计\t{total}\t本年支出合计\t{total}
收 入 总 计\t{total}\t支 出 总 计\t{total}

关于收支总表的说明

{year}年收入总计{total}万元，其中一般公共预算拨款收入{fiscal}万元，占{share}%。

收入总表

部门公开表 2
单位：万元

合计\t上年结转\t一般公共预算拨款收入\t政府性基金预算拨款收入\t国有资本经营预算拨款收入\t事业收入\t其中：教育收费\t事业单位经营收入\t上级补助收入\t附属单位上缴收入\t其他收入\t使用非财政拨款结余
{total}\t0.00\t{fiscal}\t0.00\t0.00\t{own}\t0.00\t0.00\t0.00\t0.00\t{other}\t0.00

关于收入总表的说明

支出总表

部门公开表 3

单位：万元

科目编码\t科目名称\t合计\t基本支出\t项目支出\t上缴上级支出\t事业单位经营支出\t对下级单位补助支出
206\t科学技术支出\t{science}\t{basic}\t{projects}\t\t\t
20602\t基础研究\t{science}\t{basic}\t{projects}\t\t\t
208\t社会保障和就业支出\t{social}\t{social}\t\t\t\t
221\t住房保障支出\t{housing}\t{housing}\t\t\t\t
合计\t\t{total}\t{running}\t{projects}\t\t\t

关于支出总表的说明

附表：{centre}项目预算绩效目标表
"""
# Money in 万元, made up. The share of the second is wrong on purpose: it is 63.16.
_BEFORE: Final = {
    "fiscal": "540.00", "own": "240.00", "other": "60.00", "total": "840.00", "science": "690.00", "social": "90.00",
    "housing": "60.00", "basic": "430.00", "projects": "260.00", "running": "580.00", "share": "64.29",
}  # fmt: skip
_NOW: Final = {
    "fiscal": "600.00", "own": "280.00", "other": "70.00", "total": "950.00", "science": "780.00", "social": "100.00",
    "housing": "70.00", "basic": "420.00", "projects": "360.00", "running": "590.00", "share": "61.36",
}  # fmt: skip


def write_papers(folder: Path, year: int) -> tuple[Path, Path]:
    """Write the papers of a year and the year before; the files, older first."""
    before, now = folder / f"budget-{year - 1}.txt", folder / f"budget-{year}.txt"
    before.write_text(_BUDGET.format(centre=CENTRE, year=year - 1, **_BEFORE), encoding="utf-8")
    tables = (
        _table(BUILD, year, ("260.00", "220.00", "40.00"), _BUILD_GOALS, _BUILD_LINES),
        _table(SHARE, year, ("100.00", "100.00", "0.00"), _SHARE_GOALS, _SHARE_LINES),
    )
    text = _BUDGET.format(centre=CENTRE, year=year, **_NOW) + "".join(tables)
    now.write_text(text, encoding="utf-8")
    (folder / "voucher.txt").write_text("示例支出凭证：演示用，非真实支出。\n", encoding="utf-8")
    (folder / "training.txt").write_text("示例培训签到汇总：演示用，非真实名单。\n", encoding="utf-8")
    return before, now


def _table(
    name: str,
    year: int,
    money: tuple[str, str, str],
    goals: Sequence[str],
    lines: Sequence[tuple[str, str, str, str, int]],
) -> str:
    rows = ["\t" + "\t".join(map(str, line)) for line in lines]
    goal_rows = [f"\t{goal}\t\t\t\t" for goal in goals]
    total, fiscal, other = money
    return _TARGETS.format(
        name=name, year=year, centre=CENTRE, total=total, fiscal=fiscal, other=other,
        goals="\n".join(goal_rows), indicators="\n".join(rows),
    )  # fmt: skip


def paper_commands(folder: Path, year: int, today: str) -> list[tuple[str, list[str]]]:
    """What a person would type, as (command, its words): import, tie, record, spend, sample."""
    before, now = write_papers(folder, year)
    at = ["--paper", f"{PAPER}{year}", "--by", "demo"]
    commands = [
        ("targets import", ["--name", f"{PAPER}{year - 1}", str(before)]),
        ("targets import", ["--name", f"{PAPER}{year}", str(now)]),
    ]
    commands += [("targets link confirm", [*at, *tie, project, leaf]) for project, leaf, tie in TIES]
    shown = ["--date", today, "--evidence"]
    for project, amount, source in PAYMENTS:
        money = ["--amount", amount, "--unit", "万元", "--source", source]
        commands.append(("targets spend", [*at, *shown, str(folder / "voucher.txt"), *money, project]))
    project, leaf, people = TRAINED
    value = [str(folder / "training.txt"), "--value", people]
    commands.append(("targets record", [*at, *shown, *value, project, leaf]))
    return [*commands, ("measures sample", [])]
