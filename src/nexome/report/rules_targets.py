"""Rules over target tables: money, weights, dates, titles, and how each indicator is worded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from nexome.report.figures import squeeze
from nexome.report.findings import Finding, money
from nexome.report.paper import Fund, Indicator, Paper, TargetTable

_GOOD: Final = re.compile(
    r"满意[度率]|合格率|完成率|通过率|及时率|准确率|正常运行率|利用率|覆盖率|执行率|连通性|达标率"
)
_BAD: Final = re.compile(r"故障率|投诉率|事故率|偏差率|重审率|差错率|失败率|错误率")
_COST: Final = re.compile(r"成本$|[^研发]费用?$")
_RATE: Final = re.compile(r"(?:率|占比|比例|满意度)(?:[（(].*[)）])?$")
_MONEY_UNITS: Final = frozenset({"元", "万元", "亿元", "千元", "万"})
# A unit that fits no countable thing, or one thing's unit on another.
_UNITS: Final = (
    (re.compile(r"人数$"), frozenset({"次", "个", "项", "篇", "场"}), "人"),
    (re.compile(r"次数$"), frozenset({"个", "人", "篇", "家", "项"}), "次"),
    (re.compile(r"^(?!.*(?:文章|论文|论著)).*专利"), frozenset({"篇"}), "项"),
    (re.compile(r"发表.*(?:文章|论文)|文章数"), frozenset({"名", "人", "人次"}), "篇"),
    (re.compile(r"人才队伍|研究生培养"), frozenset({"个", "篇", "项"}), "人"),
)
_OUTPUT: Final = re.compile(r"文章|论文|专利|学术会议|邀请报告|论著")
_LONG_NAME: Final = 6  # a shorter name may well be another name's beginning
_LONG_VALUE: Final = 10  # characters; equal shorter values prove nothing
_RUN: Final = 4  # equal values in a row that are no chance
_NUMBERED: Final = re.compile(r"^(\d{1,2})[.、．](?!\d)")
_COUNT_IN_NAME: Final = re.compile(r"(?:不少于|不低于|不超过|达到)\s*\d+\s*[一-鿿]")


def _place(table: TargetTable) -> str:
    return table.name


def _say(  # noqa: PLR0913  a finding has that many parts
    table: TargetTable,
    rule: str,
    severity: str,
    line: int,
    found: str,
    *,
    expected: str = "",
    en: str,
    zh: str,
    other: int = 0,
) -> Finding:
    name = _place(table)
    return Finding(rule, severity, line, other, found, expected, f"{name}: {en}", f"{name}：{zh}", name)


# ---------------------------------------------------------------- money and weights


def funds_sum(paper: Paper) -> Iterator[Finding]:
    """Total against its sources, each portion by itself; the year's budget against the sub-projects."""
    for table in paper.targets:
        if table.kind == "department":
            yield from _department(paper, table)
            continue
        for part in sorted({fund.part for fund in table.funds}):
            funds = [fund for fund in table.funds if fund.part == part]
            total = next((f for f in funds if f.role == "total" or f.name == "项目当年预算"), None)
            parts = [f for f in funds if f.role in {"source", "sub-project"}]
            if total and parts:
                yield from _fund_finding(table, total, parts)


def _fund_finding(table: TargetTable, total: Fund, parts: list[Fund]) -> Iterator[Finding]:
    found = sum((fund.amount.yuan for fund in parts), Decimal(0))
    if found != total.amount.yuan:
        unit = total.amount.unit
        yield _say(
            table, "funds-sum", "error", total.amount.line, money(total.amount.yuan, unit), expected=money(found, unit),
            en=f"the money is {money(total.amount.yuan, unit)} {unit}, its sources add up to {money(found, unit)}.",
            zh=f"项目资金{money(total.amount.yuan, unit)}{unit}，各来源之和为{money(found, unit)}{unit}。",
            other=parts[-1].amount.line,
        )  # fmt: skip


def _department(paper: Paper, table: TargetTable) -> Iterator[Finding]:
    named = {fund.name: fund for fund in table.funds}
    for whole, parts in (
        ("预算支出总额", ("财政拨款", "其他资金")),
        ("财政拨款", ("财政拨款：基本支出", "财政拨款：项目支出")),
        ("其他资金", ("其他资金：基本支出", "其他资金：项目支出")),
    ):
        if whole in named and all(part in named for part in parts):
            yield from _fund_finding(table, named[whole], [named[part] for part in parts])
    budget = next((t for t in paper.budgets if t.kind == "expenditure"), None)
    amount = budget.column(budget.total, "合计") if budget and budget.total else None
    total = named.get("预算支出总额")
    if amount and total and amount.yuan != total.amount.yuan:
        yield _say(
            table, "two-tables", "error", total.amount.line, money(total.amount.yuan), expected=money(amount.yuan),
            en="the total is not that of the expenditure table.", zh="预算支出总额与支出总表合计不符。", other=amount.line,
        )  # fmt: skip


def weights(paper: Paper) -> Iterator[Finding]:
    """Printed weights add up to 90 (with 10 for execution) or 100."""
    for table in paper.targets:
        printed = [leaf.weight for leaf in table.indicators if leaf.weight is not None]
        if printed and (total := sum(printed, Decimal(0))) not in {90, 100}:
            yield _say(
                table, "weights", "error", table.indicators[0].line, str(total), expected="90 / 100",
                en=f"the weights add up to {total}.", zh=f"分值合计为{total}。", other=table.indicators[-1].line,
            )  # fmt: skip


def cost_over(paper: Paper) -> Iterator[Finding]:
    """A cost indicator above all the money of its project."""
    for table, leaf in _leaves(paper):
        total = next((f for f in table.funds if f.role == "total" and f.part == leaf.part), None)
        factor = {"万元": 10_000, "万": 10_000, "元": 1, "亿元": 10**8}.get(leaf.unit)
        if (
            total
            and factor
            and leaf.low is not None
            and "成本" in leaf.level1
            and leaf.low * factor > total.amount.yuan
        ):
            yield _say(
                table, "cost-over", "error", leaf.line, leaf.value, expected=money(total.amount.yuan),
                en=f"{leaf.name} {leaf.comparison} {leaf.value}{leaf.unit} is above the project's money, {money(total.amount.yuan)}.",
                zh=f"“{leaf.name}”{leaf.comparison}{leaf.value}{leaf.unit}，超过项目资金{money(total.amount.yuan)}万元。",
                other=total.amount.line,
            )  # fmt: skip


# ---------------------------------------------------------------- the wording of an indicator


def _leaves(paper: Paper) -> Iterator[tuple[TargetTable, Indicator]]:
    for table in paper.targets:
        for leaf in table.indicators:
            yield table, leaf


def comparison_sense(paper: Paper) -> Iterator[Finding]:
    """A good rate with ≤ or <; a fault, complaint or cost with ≥ or >."""
    for table, leaf in _leaves(paper):
        good = _GOOD.search(leaf.name) and not _BAD.search(leaf.name) and leaf.unit == "%"
        bad = _BAD.search(leaf.name) or ("成本" in leaf.level1 and leaf.unit in _MONEY_UNITS)
        if good and leaf.comparison == "=" and leaf.low is not None and leaf.low < 100:
            yield _say(
                table, "comparison-sense", "note", leaf.line, "=", expected="≥",
                en=f"{leaf.name} = {leaf.low} %: more would miss the target; ≥ is meant.",
                zh=f"“{leaf.name}”={leaf.low}%，超过即不符，宜为“≥”。",
            )  # fmt: skip
        if (good and leaf.comparison in {"≤", "<"}) or (bad and leaf.comparison in {"≥", ">"}):
            yield _say(
                table, "comparison-sense", "error", leaf.line, leaf.comparison, expected="≥" if good else "≤",
                en=f"{leaf.name} {leaf.comparison} {leaf.value} {leaf.unit} points the wrong way.",
                zh=f"“{leaf.name}”{leaf.comparison}{leaf.value}{leaf.unit}，比较方向与指标含义相反。",
            )  # fmt: skip


def unit_value(paper: Paper) -> Iterator[Finding]:
    """The unit against what the name counts; '无' (none), a doubled unit, and people counted as times or pieces."""
    for table, leaf in _leaves(paper):
        if leaf.low is None:
            continue
        expected = _unit_expected(leaf)
        if expected:
            yield _say(
                table, "unit-value", "warning", leaf.line, leaf.unit, expected=expected,
                en=f"{leaf.name} is given in {leaf.unit or 'no unit'}; {expected} would fit.",
                zh=f"“{leaf.name}”的计量单位为“{leaf.unit}”，宜为“{expected}”。",
            )  # fmt: skip


def _unit_expected(leaf: Indicator) -> str:
    if leaf.unit == "人数":
        return "人"
    if leaf.unit == "无":
        return "项、分等" if "影响因子" not in leaf.name else "分"
    if (
        _RATE.search(leaf.name)
        and leaf.unit not in {"%", "date", ""}
        and leaf.low is not None
        and "时效" not in leaf.level2
    ):
        return "%"
    for name, wrong, right in _UNITS:
        if name.search(leaf.name) and leaf.unit in wrong:
            return right
    return ""


def qualitative_unit(paper: Paper) -> Iterator[Finding]:
    """A qualitative value (优, 好) that is given a unit (份, %, 项)."""
    for table, leaf in _leaves(paper):
        if leaf.comparison == "qualitative" and leaf.unit:
            yield _say(
                table, "qualitative-unit", "warning", leaf.line, leaf.unit,
                en=f"{leaf.name} is qualitative ({leaf.value}) but has the unit {leaf.unit}.",
                zh=f"“{leaf.name}”为定性指标（{leaf.value}），却带单位“{leaf.unit}”。",
            )  # fmt: skip


def rate_bound(paper: Paper) -> Iterator[Finding]:
    """A rate above 100 % is impossible; '≥ 100 %' can only mean '= 100 %'."""
    for table, leaf in _leaves(paper):
        if leaf.unit != "%" or leaf.high is None or not re.search(r"率|占比|比例|满意度", leaf.name):
            continue
        if re.search(r"增长|增速", leaf.name):
            continue
        if leaf.high > 100 or (leaf.high == 100 and leaf.comparison in {"≥", ">"}):
            over = leaf.high > 100 or leaf.comparison == ">"
            yield _say(
                table, "rate-bound", "error" if over else "note", leaf.line, f"{leaf.comparison}{leaf.high}%", expected="=100%",
                en=f"{leaf.name} {leaf.comparison} {leaf.high} %: a rate is at most 100 %.",
                zh=f"“{leaf.name}”{leaf.comparison}{leaf.high}%：比率至多为100%，宜写“=100%”。",
            )  # fmt: skip


def not_measurable(paper: Paper) -> Iterator[Finding]:
    """No value, a value that repeats the name, ≥ 0, a comparison without a number, satisfaction named but not valued."""
    for table, leaf in _leaves(paper):
        reason = _unmeasurable(leaf)
        if reason:
            yield _say(
                table, "not-measurable", "warning", leaf.line, leaf.value, en=f"{leaf.name}: {reason[0]}.",
                zh=f"“{leaf.name}”：{reason[1]}。",
            )  # fmt: skip


def _unmeasurable(leaf: Indicator) -> tuple[str, str] | None:
    value = squeeze(leaf.value)
    level_only = re.search(r"满意度$", value) and leaf.low is None
    loose = leaf.low is None and leaf.unit != "date" and leaf.comparison not in {"qualitative", ""}
    reasons = (
        (not value, "no value is printed", "没有指标值"),
        (value == squeeze(leaf.name), "the value only repeats the name", "指标值与指标名称相同"),
        (
            level_only,
            f"it names whose satisfaction, but no level ({leaf.value})",
            f"只写明对象，没有满意程度（{leaf.value}）",
        ),
        (
            squeeze(leaf.name) == leaf.level2,
            "it has no name but its level's",
            "三级指标未具体命名，与二级指标同名",
        ),
        (
            leaf.name.endswith("率") and not re.search(r"\d|全部|一次性|合格|达到|优于", value),
            f"a rate that is given a text ({leaf.value})",
            f"名称为比率，指标值却是文字（{leaf.value}）",
        ),
        (leaf.low == 0 and leaf.comparison == "≥", "≥ 0 is always reached", "“≥0”必然完成"),
        (
            loose and "年" not in value[:8],
            f"a comparison without a number it applies to ({leaf.value})",
            f"比较符号后没有可比的数（{leaf.value}）",
        ),
        (
            bool(_COUNT_IN_NAME.search(leaf.name)) and leaf.unit == "月",
            "the name holds a target of its own, the value is a month",
            "名称中另含数量目标，指标值却是月份",
        ),
    )
    return next(((en, zh) for holds, en, zh in reasons if holds), None)


def level(paper: Paper) -> Iterator[Finding]:
    """Outputs under costs, dates under quality, timeliness under quantity, counts under timeliness, standing under money."""
    for table, leaf in _leaves(paper):
        output = "成本" in leaf.level1 and _OUTPUT.search(leaf.name) and leaf.unit not in _MONEY_UNITS
        right = "产出指标" if output else _right_level(leaf)
        if right:
            yield _say(
                table, "level", "warning", leaf.line, leaf.level2, expected=right,
                en=f"{leaf.name} ({leaf.value}) stands under {leaf.level2}, but is {right}.",
                zh=f"“{leaf.name}”（{leaf.value}）列在{leaf.level2}下，应属{right}。",
            )  # fmt: skip


def _right_level(leaf: Indicator) -> str:
    """The second level an indicator belongs to, if plainly another; '' where it stands well or may be argued."""
    kinds = (
        (leaf.level2 == "质量指标" and leaf.unit == "date", "时效指标"),
        (leaf.level2 == "数量指标" and leaf.name.endswith("及时率"), "时效指标"),
        (leaf.level2 == "时效指标" and leaf.name.endswith("次数"), "数量指标"),
        (leaf.level2 == "经济效益指标" and leaf.name.endswith(("地位", "影响力")), "社会效益指标"),
    )
    return next((right for holds, right in kinds if holds), "")


def twice(paper: Paper) -> Iterator[Finding]:
    """The same name, level and portion in one table, or the same name and value at two levels."""
    for table in paper.targets:
        seen: dict[tuple[str, str, str, int], Indicator] = {}
        for leaf in table.indicators:
            key = (
                squeeze(leaf.name),
                leaf.level2,
                leaf.level1 if table.kind == "department" else "",
                leaf.part,
            )
            first = seen.setdefault(key, leaf)
            if first is not leaf:
                yield _say(
                    table, "twice", "warning", leaf.line, leaf.value, expected=first.value,
                    en=f"{leaf.name} stands twice: {first.comparison}{first.value}{first.unit} and {leaf.comparison}{leaf.value}{leaf.unit}.",
                    zh=f"“{leaf.name}”出现两次：{first.comparison}{first.value}{first.unit}与{leaf.comparison}{leaf.value}{leaf.unit}。",
                    other=first.line,
                )  # fmt: skip


def copied_shifted(paper: Paper) -> Iterator[Finding]:
    """A run of values equal to another table's, one of them a text, while the names beside them differ."""
    last: dict[str, tuple[TargetTable, int]] = {}  # a long text → where it was met last
    told: set[tuple[int, int]] = set()
    for later in (table for table in paper.targets if table.kind == "project"):
        for i, leaf in enumerate(later.indicators):
            if leaf.low is not None or len(leaf.value) <= _LONG_VALUE:
                continue
            earlier, j = last.get(leaf.value, (later, i))
            last[leaf.value] = (later, i)
            if earlier is later or (earlier.line, later.line) in told:
                continue
            run = _common_run(later, earlier, i, j)
            differing = [pair for pair in run if squeeze(pair[0].name) != squeeze(pair[1].name)]
            if len(run) >= _RUN and len(differing) > 1:
                told.add((earlier.line, later.line))
                yield _copied(later, earlier, len(run), differing)


def _copied(
    later: TargetTable, earlier: TargetTable, length: int, differing: list[tuple[Indicator, Indicator]]
) -> Finding:
    mine, theirs = differing[0]
    return _say(
        later, "copied-shifted", "error", mine.line, mine.value, expected="",
        en=f"{length} values in a row are those of {earlier.name}, {len(differing)} of them beside other labels "
        f"({mine.name}: {mine.value}; there {theirs.name}).",
        zh=f"连续{length}个指标值与“{earlier.name}”相同，其中{len(differing)}个对应的指标名称不同（“{mine.name}”{mine.value}，"
        f"彼处为“{theirs.name}”），疑照搬且错行。", other=theirs.line,
    )  # fmt: skip


def _common_run(one: TargetTable, other: TargetTable, i: int, j: int) -> list[tuple[Indicator, Indicator]]:
    """The pairs of equal values around positions i and j."""
    mine, theirs = one.indicators, other.indicators

    def same(k: int) -> bool:
        x, y = i + k, j + k
        inside = 0 <= x < len(mine) and 0 <= y < len(theirs)
        return inside and (mine[x].value, mine[x].unit) == (theirs[y].value, theirs[y].unit)

    first = last = 0
    while same(first - 1):
        first -= 1
    while same(last + 1):
        last += 1
    return [(mine[i + k], theirs[j + k]) for k in range(first, last + 1)]


# ---------------------------------------------------------------- titles, dates, forms


def title_name(paper: Paper) -> Iterator[Finding]:
    """'X 绩效目标表' against the project's name."""
    for table in paper.targets:
        title = re.sub(
            r"(?:项目)?绩效目标(?:申报)?表$|^\S*财政支出项目绩效目标申报表$|^项目支出绩效目标表$",
            "",
            table.title,
        )
        name = squeeze(table.name)
        if title and table.kind == "project" and squeeze(title) not in {name, name.removesuffix("项目")}:
            yield _say(
                table, "title-name", "error", table.line, title, expected=table.name,
                en=f"the title says {title}, the table is of {table.name}.", zh=f"表名为“{title}”，项目名称为“{table.name}”。",
            )  # fmt: skip


def period(paper: Paper) -> Iterator[Finding]:
    """Start and end against the year of the paper; goals and plans against both."""
    for table in paper.targets:
        year = table.year or paper.year
        for date, word in ((table.start, "start"), (table.end, "end")):
            if date and year and not date.startswith(year):
                yield _say(
                    table, "period", "error", table.line, date, expected=year,
                    en=f"the {word} {date} is not in {year}.", zh=f"{'开始' if word == 'start' else '结束'}时间{date}不在{year}年度。",
                )  # fmt: skip
        named = re.search(r"20\d\d(?!\d)", table.name)
        if named and year and named[0] != year:
            yield _say(
                table, "period", "note", table.line, named[0], expected=year,
                en=f"the name says {named[0]}, the table is of {year}.", zh=f"项目名称含{named[0]}，目标表为{year}年度。",
            )  # fmt: skip
        for text in table.texts:
            yield from _past(table, year, text.label, text.text, text.line)
            if text.label == "plan" and table.end:
                yield from _after_end(table, text.text, text.line)


def _past(table: TargetTable, year: str, label: str, text: str, line: int) -> Iterator[Finding]:
    """'到 2013 年' in the goals of 2019."""
    if label not in {"goal", "overall goal"} or not year:
        return
    for match in re.findall(r"到\s*(20\d\d)\s*年", text):
        if match < year:
            yield _say(
                table, "period", "error", line, match, expected=f"≥ {year}",
                en=f"a goal is to be reached by {match}, before the year {year}.", zh=f"目标写“到{match}年”，早于{year}年度。",
            )  # fmt: skip


def _after_end(table: TargetTable, text: str, line: int) -> Iterator[Finding]:
    """'2019年6-11月' in the plan of a project that ends in August."""
    end = [int(number) for number in re.findall(r"\d+", table.end)[:2]]
    last = [(int(y), int(m)) for y, m in re.findall(r"(20\d\d)年(?:\d{1,2}-)?(\d{1,2})月", text)]
    if len(end) == 2 and last and max(last) > (end[0], end[1]):
        year, month = max(last)
        yield _say(
            table, "period", "warning", line, f"{year}-{month:02}", expected=table.end,
            en=f"the plan goes on to {year}-{month:02}, the project ends {table.end}.",
            zh=f"实施计划延至{year}年{month}月，晚于项目结束时间{table.end}。", other=table.line,
        )  # fmt: skip


def checkbox(paper: Paper) -> Iterator[Finding]:
    """A printed group of boxes with none ticked; a form that prints no boxes is not blamed."""
    for table in paper.targets:
        groups: dict[str, list[str]] = {}
        lines: dict[str, int] = {}
        for text in table.texts:
            group, slash, _ = text.label.partition("/")
            if slash:
                groups.setdefault(group, []).append(text.text)
                lines.setdefault(group, text.line)
        for group, ticks in groups.items():
            if "1" not in ticks and "0" in ticks:
                yield _say(
                    table, "checkbox", "warning", lines[group], "0", expected="1", en=f"no box of {group} is ticked.",
                    zh=f"“{group}”未勾选任何一项。",
                )  # fmt: skip


def numbering(paper: Paper) -> Iterator[Finding]:
    """'3.' after '3.' in the goals, one goal a line."""
    for table in paper.targets:
        last = 0
        for text in table.texts_of("goal"):
            match = _NUMBERED.match(text.text)
            if match and int(match[1]) <= last and int(match[1]) != 1:
                yield _say(
                    table, "numbering", "note", text.line, match[1], expected=str(last + 1),
                    en=f"goal {match[1]} comes after goal {last}.", zh=f"目标编号“{match[1]}”重复或倒退。",
                )  # fmt: skip
            last = int(match[1]) if match else last


def cut_off(paper: Paper) -> Iterator[Finding]:
    """Rows of target tables of which only the beginning was printed."""
    longer = {(squeeze(leaf.name)[:-1], leaf.level2): squeeze(leaf.name) for _, leaf in _leaves(paper)}
    for table, leaf in _leaves(paper):
        name = squeeze(leaf.name)
        whole = longer.get((name, leaf.level2), "")
        if whole and len(name) >= _LONG_NAME:
            yield _say(
                table, "cut-off", "note", leaf.line, name, expected=whole, en=f"{name} seems to be {whole}.",
                zh=f"“{name}”疑为“{whole}”。",
            )  # fmt: skip
    for item in paper.unread:
        if "cut off" in item.reason:
            text = " ".join(item.text.split())[:60]
            yield Finding(
                "cut-off", "warning", item.line, 0, text, "", f"A row is cut off: {text}.", f"表格行不完整：{text}。"
            )  # fmt: skip


RULES = (
    funds_sum, weights, cost_over, comparison_sense, unit_value, qualitative_unit, rate_bound, not_measurable, level, twice,
    copied_shifted, title_name, period, checkbox, numbering, cut_off,
)  # fmt: skip
