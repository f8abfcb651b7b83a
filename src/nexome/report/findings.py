"""A finding: what rule, how grave, where (two places), which two figures, and one sentence in each language.

`error`: the paper contradicts itself. `warning`: a reader or an auditor would ask. `note`: worth knowing, no mistake
by itself. Codes are stable; `RULES` describes each in both languages and is the source of the reference in docs.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

SEVERITIES: Final = ("error", "warning", "note")
# code → (English, Chinese)
RULES: Final[dict[str, tuple[str, str]]] = {
    "row-sum": ("the columns of a row add up to its total", "同一行各列之和等于合计"),
    "child-sum": ("children by code add up to their parent, top rows to the total", "下级科目之和等于上级科目，各类之和等于合计"),
    "balance": ("income equals expenditure, and each side adds up", "收入等于支出，且各项之和等于小计、总计"),
    "two-tables": ("one figure is the same in every table that prints it", "同一数字在不同表中一致"),
    "code-name": ("a code has one name in all tables", "同一科目编码名称一致"),
    "figure-form": ("a figure is well formed", "数字书写规范"),
    "share": ("a share in a sentence is the quotient of its figures", "文字中的占比与数字相符"),
    "share-balanced": ("a share is off by one last digit so that all add up to 100 %", "占比末位差一，使各项合计为100%"),
    "sentence-figure": ("a figure in a sentence stands in its table", "文字中的数字与表中一致"),
    "facts-sum": ("declared figures add up", "申报数字各项之和等于合计"),
    "vehicle-money": ("a vehicle to be bought has money in the tables", "购置车辆有相应预算"),
    "projects-sum": ("money of all projects equals what is declared for them", "各项目资金之和与申报数一致"),
    "funds-sum": ("sources or sub-projects add up to the money of the project", "资金来源或子项目之和等于项目资金"),
    "weights": ("weights add up to 90 (10 for execution) or 100", "分值合计为90（另有执行率10分）或100"),
    "comparison-sense": ("a good rate is ≥, a cost or fault ≤", "比较符号方向合理"),
    "unit-value": ("the unit fits what is counted", "计量单位与指标相符"),
    "qualitative-unit": ("a qualitative value has no unit", "定性指标不带单位"),
    "rate-bound": ("a rate is at most 100 %", "比率不超过100%"),
    "period": ("dates lie within the project's period and year", "时间在项目期限和年度之内"),
    "title-name": ("the title names the project of the table", "表名与项目名称一致"),
    "twice": ("no indicator stands twice", "指标不重复"),
    "copied-shifted": ("values are not another project's, moved against their labels", "指标值不照搬其他项目且不错行"),
    "not-measurable": ("an indicator can be measured as worded", "指标可衡量"),
    "level": ("an indicator stands under its own kind", "指标归类正确"),
    "cost-over": ("a cost does not exceed the project's money", "成本不超过项目资金"),
    "checkbox": ("a group of checkboxes has one ticked", "选项至少勾选一项"),
    "numbering": ("numbered goals follow one another", "目标编号连续"),
    "goal-figure": ("a goal and an indicator give one number for the same things", "总体目标与指标值一致"),
    "cost-sum": ("the ceilings of all costs together stay within the money", "各项成本上限之和不超过资金"),
    "last-year": ("last year's project of the same name fits what is said of this one", "同名项目上年情况与填报相符"),
    "item-amount": ("each item named in a sentence has its amount", "文字中所列项目均有金额"),
    "item-level": ("a group of the classification is broken down to items", "功能分类列到项级"),
    "cut-off": ("no row is cut off", "表格行完整"),
    "no-total": ("a budget table has its total", "预算表有合计（总计）行"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; lines are 0 where there is no second place."""

    rule: str
    severity: str
    line: int
    other_line: int
    found: str
    expected: str
    en: str
    zh: str
    where: str = ""


def money(yuan: Decimal, unit: str = "万元") -> str:
    """An amount as people print it: 万元 with as many decimals as it needs, two at least."""
    value = yuan if unit == "元" else yuan / 10_000
    text = f"{value.normalize():,f}"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}" if unit != "元" else text
