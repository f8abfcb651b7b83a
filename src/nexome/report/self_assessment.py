"""The self-assessment (绩效自评表) of a project as words for a template: single words, and rows to repeat.

A template is an XLSX or DOCX with placeholders in double braces. `{{project}}` and the like are single words (WORDS); a table row that holds
`{{fund.…}}`, `{{indicator.…}}` or `{{source.…}}` is repeated once for each (ROWS). `|merge` after a name joins equal cells below one another:
`{{indicator.level1|merge}}`. Filling is done by template_xlsx and template_docx; our own template is made by default_template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from nexome.model.errors import FormatError
from nexome.model.measures import MEASURES
from nexome.report.completion import shown
from nexome.report.figures import squeeze
from nexome.report.link_values import Input, Number
from nexome.report.links import Project
from nexome.report.scoring import IndicatorScore, Score, is_reached
from nexome.report.weights import CENT

# name → (English, Chinese)
WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("title of the form", "表名"),
    "subject": ("what the form is about: 项目名称 or 部门名称", "名称栏"),
    "project": ("name of the project", "项目名称"),
    "code": ("its code", "项目编码"),
    "department": ("responsible department", "主管部门"),
    "unit": ("implementing unit", "实施单位"),
    "leader": ("who answers for it", "项目负责人"),
    "phone": ("telephone", "联系电话"),
    "year": ("the year assessed", "自评年度"),
    "as_of": ("day of the values", "数据截止日期"),
    "goals": ("goals as planned", "预期目标"),
    "summary": ("what was reached, counted", "实际完成情况"),
    "total": ("points of 100", "总分"),
    "grade": ("grade", "等级"),
    "execution_points": ("points for execution", "预算执行率得分"),
    "execution_full": ("full points for execution", "预算执行率分值"),
    "rule": ("the rule in words", "计分规则说明"),
    "open": ("what is still open", "待完善事项"),
    "paper": ("paper and version", "目标表来源"),
}  # fmt: skip
ROWS: Final[dict[str, tuple[str, ...]]] = {
    "fund": ("name", "planned", "budget", "spent", "full", "rate", "points"),
    "indicator": ("level1", "level2", "name", "target", "value", "weight", "points", "share", "reason", "flags"),
    "source": ("for", "points", "formula", "input", "value", "time", "evidence"),
}  # fmt: skip
_PLACE: Final = re.compile(r"\{\{\s*([\w.]+)\s*(\|\s*merge)?\s*\}\}")
_EMPTY: Final = "—"


@dataclass(frozen=True, slots=True)
class Filling:
    """What goes into a template: words by name, and rows by group, each row its words by name."""

    words: dict[str, str]
    rows: dict[str, list[dict[str, str]]]

    def fill(self, text: str, row: dict[str, str] | None = None) -> str:
        """A text with its placeholders replaced; `row` are the words of the row being repeated."""
        return _PLACE.sub(lambda match: {**self.words, **(row or {})}[match[1]], text)


def placeholders(text: str) -> list[tuple[str, bool]]:
    """The placeholders of a text: name, and whether equal cells are to be merged."""
    return [(match[1], bool(match[2])) for match in _PLACE.finditer(text)]


def group_of(text: str) -> str:
    """The group a row with this text is repeated for, or ''."""
    return next((name.partition(".")[0] for name, _ in placeholders(text) if "." in name), "")


def check_placeholders(texts: list[tuple[str, str]], where: str) -> None:
    """Raise FormatError for a template without any placeholder, or with one that is unknown; texts are (place, text)."""
    known = set(WORDS) | {f"{group}.{name}" for group, names in ROWS.items() for name in names}
    found = [(place, name) for place, text in texts for name, _ in placeholders(text)]
    if not found:
        raise FormatError(
            "a template without placeholders", where=where, expected="names in double braces, such as {{project}} and {{indicator.name}}",
            todo="Start from `nexome targets template`.",
        )  # fmt: skip
    for place, name in found:
        if name not in known:
            raise FormatError(
                f"the placeholder {{{{{name}}}}}",
                where=f"{where}, {place}",
                expected=", ".join(sorted(known)),
            )


def filling_of(project: Project, score: Score) -> Filling:
    """The words and rows of a project's self-assessment."""
    table = project.table
    whole = table.kind == "department"
    words = {
        "title": "部门整体支出绩效自评表" if whole else "项目支出绩效自评表",
        "subject": "部门名称" if whole else "项目名称",
        "project": table.name, "code": table.code or _EMPTY, "department": table.department or _EMPTY, "unit": table.unit or _EMPTY,
        "leader": _text(project, "项目负责人"), "phone": _text(project, "联系电话"), "year": str(score.year), "as_of": score.as_of,
        "goals": "\n".join(text.text for text in table.texts_of("goal")) or _EMPTY, "summary": _summary(score),
        "total": _points(score.total.value), "grade": score.grade, "execution_points": _points(score.execution.value),
        "execution_full": shown(score.rule.execution_points), "rule": _rule(score), "open": "；".join(_open(score)) or "无",
        "paper": f"{score.paper}，第 {score.paper_version} 版，第 {table.line} 行",
    }  # fmt: skip
    rows = {
        "fund": [_named("fund", row) for row in _fund_rows(score)],
        "indicator": [_named("indicator", _indicator_row(score, item)) for item in score.indicators],
        "source": [_named("source", row) for row in _source_rows(score)],
    }
    return Filling(words, rows)


def _named(group: str, values: tuple[str, ...]) -> dict[str, str]:
    return {f"{group}.{name}": value for name, value in zip(ROWS[group], values, strict=True)}


def _text(project: Project, label: str) -> str:
    found = project.table.texts_of(label)
    return found[0].text if found else _EMPTY


def _points(number: Decimal) -> str:
    return f"{number:.2f}"


def _fund_rows(score: Score) -> Iterator[tuple[str, ...]]:
    unknown = "no-spending" in score.flags
    for fund in score.funds:
        total = fund.role == "total"
        planned, spent = _ten_thousands(fund.budget), _ten_thousands(fund.spent)
        if fund.rate is None and fund.budget:
            spent = "未分来源"
        rate = f"{fund.rate:.2f}%" if fund.rate is not None and not unknown else _EMPTY
        full, points = (
            (shown(score.rule.execution_points), _points(score.execution.value))
            if total
            else (_EMPTY, _EMPTY)
        )
        name = fund.name if total else f"其中：{fund.name}"
        yield name, planned, planned, "未登记" if unknown else spent, full, rate, points


def _ten_thousands(yuan: Decimal) -> str:
    """Money in 万元 with two decimals, as the form is filled in; the sources give it exactly."""
    return f"{(yuan / 10_000).quantize(CENT, ROUND_HALF_UP):,}"


def _indicator_row(score: Score, item: IndicatorScore) -> tuple[str, ...]:
    flags = "；".join(score.flag_text(code, zh=True) for code in item.flags)
    reason = "；".join(filter(None, (item.reason, f"【{flags}】" if flags else "")))
    share = f"{item.completion.value * 100:.2f}%"
    return (
        squeeze(item.level1), squeeze(item.level2) or _EMPTY, item.name, item.target or _EMPTY, item.shown or "未填报",
        shown(item.weight), _points(item.points.value), share, reason or _unexplained(item), flags or "无",
    )  # fmt: skip


def _unexplained(item: IndicatorScore) -> str:
    """What stands where no reason was given: none is needed for a target reached, nor for a level that was judged."""
    return "无" if item.completion.value >= 1 or item.deviation is None else "【未完全达到，未说明原因】"


def _source_rows(score: Score) -> Iterator[tuple[str, ...]]:
    yield (
        "总分",
        _points(score.total.value),
        score.total.formula,
        "以下各项得分之和",
        _EMPTY,
        score.as_of,
        _EMPTY,
    )
    yield from _inputs("预算执行率", score.execution.value, score.execution)
    for item in score.indicators:
        value = item.value or Number(Decimal(0), "未填报")
        formula = (
            f"得分 {item.points.formula}；完成率 {item.completion.formula}；完成值 {_said(value.formula)}"
        )
        yield from _inputs(
            f"{item.number}. {item.name}", item.points.value, Number(value.value, formula, value.inputs)
        )


def _inputs(label: str, points: Decimal, number: Number) -> Iterator[tuple[str, ...]]:
    for item in number.inputs or (Input("", "", _EMPTY, ""),):
        place = item.time or (f"目标表第 {item.line} 行" if item.line else _EMPTY)
        files = "\n".join(f"{evidence.name} SHA-256 {evidence.sha256}" for evidence in item.evidence)
        value = f"{item.value} {_unit(item.unit)}".strip()
        yield label, _points(points), number.formula, _input_name(item), value, place, files or _EMPTY


def _said(formula: str) -> str:
    """A link's formula in words: 'last of i_…' is the newest value of the indicator's own series."""
    takes, of, name = formula.partition(" of ")
    words = {
        "last": "年内最新值",
        "rise": "年内增量",
        "mean": "年内均值",
        "sum": "年内合计",
        "max": "年内最大值",
    }
    if not of or takes not in words:
        return formula
    return words[takes] if name.startswith("i_") else f"{name} {words[takes]}"


def _unit(unit: str) -> str:
    return {"level": "%（定性评价）", "date": ""}.get(unit, unit)


def _input_name(item: Input) -> str:
    kinds = {
        "measure": "本中心测量",
        "series": "人工填报",
        "spending": "支出登记",
        "paper": "目标表",
        "": "未填报",
    }
    name = "" if item.source == "spending" or item.name.startswith("i_") else f" {item.name}"
    title = f"（{MEASURES[item.name].title_zh}）" if item.source == "measure" else ""
    return f"{kinds[item.source]}{name}{title}"


def _summary(score: Score) -> str:
    reached = sum(is_reached(item, score.rule) for item in score.indicators)
    valued = sum(item.value is not None for item in score.indicators)
    total = len(score.indicators)
    rate = score.funds[0].rate
    spent = (
        "未登记支出"
        if "no-spending" in score.flags
        else f"预算执行率 {rate:.2f}%"
        if rate is not None
        else "无预算数"
    )
    return f"截至 {score.as_of}，{total} 项指标中 {valued} 项有数据，其中 {reached} 项达到指标值，{valued - reached} 项未完全达到；{spent}。"


def _rule(score: Score) -> str:
    rule = score.rule
    levels = "、".join(f"{level.zh}（{shown(level.high)}%–{shown(level.low)}%）" for level in rule.levels)
    over = "超出部分按已完成计" if rule.exact_over == "full" else "高于或低于指标值均按比例计分"
    return (
        f"总分100分：预算执行率{shown(rule.execution_points)}分，得分=执行率×{shown(rule.execution_points)}，最高{shown(rule.execution_points)}分；绩效指标"
        f"{shown(rule.indicator_points)}分。{score.weights_note[1]}定量指标得分=分值×完成率，完成率最高100%：“≥”为完成值÷指标值，“≤”为指标值÷完成值，"
        f"“=”{over}，区间内为满分，“≈”允许±{shown(rule.tolerance * 100)}%。时效指标按期为满分，逾期按天数÷{shown(rule.late_days)}扣减。定性指标分三档：{levels}。"
        f"偏差超过{shown(rule.reason_beyond * 100)}%须说明原因；无数据的指标不得分。"
    )


def _open(score: Score) -> Iterator[str]:
    yield from (score.flag_text(code, zh=True) for code in score.flags)
    for code in dict.fromkeys(flag for item in score.indicators for flag in item.flags):
        numbers = "、".join(str(item.number) for item in score.indicators if code in item.flags)
        yield f"{score.flag_text(code, zh=True)}（第 {numbers} 项指标）"
