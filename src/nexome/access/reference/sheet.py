"""The data sheet of a set: who is in it and who is not, how it was made, how to cite it; in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from nexome.access.reference.summary import ages_text
from nexome.model.cohorts import Cohort

VARIABLES_LISTED: Final = 1_000

Lines = list[str]


@dataclass(frozen=True, slots=True)
class Described:
    """A set as its data sheet tells of it: name, cohort, and what set.json holds."""

    name: str
    cohort: Cohort
    facts: Mapping[str, Any]


def data_sheet(described: Described, version: int, published: str) -> dict[str, str]:
    """The data sheet as Markdown, by language."""
    return {
        "en": "\n".join(_english(described, version, published)) + "\n",
        "zh": "\n".join(_chinese(described, version, published)) + "\n",
    }


def _english(described: Described, version: int, published: str) -> Lines:
    cohort, facts = described.cohort, described.facts
    counts, rule = facts["counts"], facts["healthy"]
    day = published[:10]
    title = facts["title"] or f"Reference values: {cohort.title or cohort.id}"
    source = f"{cohort.title or cohort.id} ({cohort.id}, version {facts['cohort_version']})"
    return [
        f"# {title}",
        "",
        f"Set `{described.name}`, version {version}, {day}. {len(facts['variables'])} variables.",
        "",
        "## Who is in it",
        "",
        *_given(("Source", source), ("Country", cohort.country), ("Years", cohort.years)),
        *_given(("Sampling", cohort.sampling), ("About", cohort.description), ("Paper", cohort.publication)),
        f"- Participants of the source: about {counts['people']:,}; of several visits the first with a value.",
        f"- Groups: {_groups_en(facts)}.",
        f"- Weights: {_weights_en(facts['weights'])}.",
        "",
        "## Who is not",
        "",
        *_given(("By design of the source", cohort.excluded)),
        f"- By rule: {_rule_en(rule, counts['excluded_by_rule'])}",
        f"- Without sex, age or a band of it: about {counts['without_group']:,}.",
        f"- Outliers: {_OUTLIERS_EN[facts['outliers']]}",
        "- Whoever withdrew before this version was made. When someone withdraws later, this version is no",
        "  longer given out; a new one is built without them.",
        "",
        "## How the numbers were made",
        "",
        *_METHODS_EN,
        f"- Groups of fewer than {facts['min_cell']} people, or that one or two people dominate, have no numbers.",
        "",
        "## Licence and citation",
        "",
        f"- Licence: {facts['licence'] or 'not stated; ask the centre'}",
        f"- Cite as: {title}. Reference set {described.name}, version {version} ({day}), from {source}.",
        "",
        "## Variables",
        "",
        "| variable | label | unit | curve over age | groups withheld |",
        "|---|---|---|---|---|",
        *_variables(facts["variables"], "label", "none"),
        *_left_out(facts["left_out"], "Left out, having no number that may be shown: "),
    ]


def _chinese(described: Described, version: int, published: str) -> Lines:
    cohort, facts = described.cohort, described.facts
    counts, rule = facts["counts"], facts["healthy"]
    day = published[:10]
    name = cohort.title_zh or cohort.title or cohort.id
    title = facts["title_zh"] or facts["title"] or f"参考值：{name}"
    source = f"{name}（{cohort.id}，第 {facts['cohort_version']} 版）"
    about = cohort.description_zh or cohort.description
    return [
        f"# {title}",
        "",
        f"参考值集 `{described.name}`，第 {version} 版，{day}。共 {len(facts['variables'])} 个变量。",
        "",
        "## 纳入了哪些人",
        "",
        *_given(("来源", source), ("国家或地区", cohort.country), ("年份", cohort.years), mark="："),
        *_given(("抽样方式", cohort.sampling), ("说明", about), ("文献", cohort.publication), mark="："),
        f"- 来源队列约有 {counts['people']:,} 人；多次随访者取首次有值的一次。",
        f"- 分组：{_groups_zh(facts)}。",
        f"- 权重：{_weights_zh(facts['weights'])}。",
        "",
        "## 未纳入哪些人",
        "",
        *_given(("来源设计所排除", cohort.excluded_zh or cohort.excluded), mark="："),
        f"- 按规则排除：{_rule_zh(rule, counts['excluded_by_rule'])}",
        f"- 缺少性别、年龄或不在任何年龄段内：约 {counts['without_group']:,} 人。",
        f"- 离群值：{_OUTLIERS_ZH[facts['outliers']]}",
        "- 本版制作之前已退出者。此后若有人退出，本版即不再提供，将另行制作不含其数据的新版本。",
        "",
        "## 数值如何得出",
        "",
        *_METHODS_ZH,
        f"- 不足 {facts['min_cell']} 人，或由一两个人主导的组，不给出数值。",
        "",
        "## 许可与引用",
        "",
        f"- 许可：{facts['licence'] or '未注明，请向中心咨询'}",
        f"- 引用格式：{title}。参考值集 {described.name}，第 {version} 版（{day}），来源：{source}。",
        "",
        "## 变量",
        "",
        "| 变量 | 名称 | 单位 | 年龄曲线 | 未显示的组数 |",
        "|---|---|---|---|---|",
        *_variables(facts["variables"], "label_zh", "无"),
        *_left_out(facts["left_out"], "未列入（没有可以显示的数值）："),
    ]


_METHODS_EN: Final = (
    "- Percentiles: Harrell–Davis, with 95 % intervals from order statistics (their ends smoothed likewise) or,",
    "  near the tails, from the Maritz–Jarrett standard error. Shown where 5 people or more lie beyond.",
    "- Reference limits (2.5 and 97.5 %) with 90 % intervals: non-parametric from 200 people on (CLSI EP28-A3c",
    "  allows 120; below 200 fewer than 5 people lie beyond a limit), else Horn's robust method; `limit_method`",
    "  says which.",
    "- Curves over age: LMS (Box–Cox Cole and Green), z = ((y/M)^L − 1)/(L·S); L, log M and log S are natural",
    "  cubic splines of age chosen by BIC. A curve whose centiles miss the data is marked poor and not used to",
    "  place values.",
    "- Partitions: Harris and Boyd (1990) and Lahti and others (2004).",
    "- n is rounded to multiples of 5; values to the measurement's own rounding, else to 3 significant digits.",
    "- Intervals tell of sampling error alone; with weights they use Kish's effective n and know no clusters.",
)
_METHODS_ZH: Final = (
    (
        "- 百分位：Harrell–Davis 平滑估计；95% 区间取自顺序统计量（端点同样平滑），靠近两端时取 Maritz–Jarrett 标准误。"
        "两侧各有至少 5 人时才显示。"
    ),
    (
        "- 参考限（2.5% 与 97.5%）及 90% 区间：不少于 200 人用非参数法（CLSI EP28-A3c 允许 120 人，但不足 200 人时限外"
        "不满 5 人），否则用 Horn 稳健法；所用方法见 `limit_method`。"
    ),
    (
        "- 年龄曲线：LMS 法（BCCG 分布），z = ((y/M)^L − 1)/(L·S)；L、log M、log S 为年龄的自然三次样条，"
        "自由度按 BIC 选取。拟合不佳的曲线标为 poor，不用于定位。"
    ),
    "- 分组检验：Harris 与 Boyd（1990）、Lahti 等（2004）。",
    "- 人数取整到 5 的倍数；数值按测量自身的精度取整，否则保留三位有效数字。",
    "- 区间只反映抽样误差；有权重时按 Kish 有效样本量计算，未考虑整群抽样。",
)
_OUTLIERS_EN: Final = {
    "none": "none were taken out.",
    "tukey": "beyond 3 interquartile ranges of a group's quartiles (Tukey), of logarithms where these are more symmetrical.",
    "dixon": "the outermost value of a group where the gap to the next is a third of the range or more (Dixon, Reed).",
}
_OUTLIERS_ZH: Final = {
    "none": "未剔除。",
    "tukey": "剔除超出本组四分位数 3 倍四分位距者（Tukey），偏态分布取对数后判断。",
    "dixon": "剔除本组最外侧、与相邻值间距不小于全距三分之一者（Dixon–Reed）。",
}


def _given(*pairs: tuple[str, str], mark: str = ": ") -> Lines:
    return [f"- {name}{mark}{value}" for name, value in pairs if value]


def _variables(variables: Mapping[str, Mapping[str, Any]], label: str, none: str) -> Lines:
    lines = []
    for name, told in list(variables.items())[:VARIABLES_LISTED]:
        fits = [f"{sex + ' ' if sex else ''}{fit['curve']}" for sex, fit in told["curves"].items()]
        words = [
            name,
            told[label] or told["label"] or told["label_zh"],
            told["unit"],
            ", ".join(fits) or none,
        ]
        lines.append(
            "| " + " | ".join([*(w.replace("|", "\\|") for w in words), str(told["withheld"])]) + " |"
        )
    return lines


def _left_out(left: Mapping[str, str], head: str) -> Lines:
    """Variables that are not in the set, each with its reason code."""
    listed = ", ".join(f"{name} ({reason})" for name, reason in list(left.items())[:VARIABLES_LISTED])
    return ["", head + listed] if left else []


def _bands(bands: Sequence[Sequence[float | None]]) -> str:
    return ", ".join(ages_text(low, high) for low, high in bands)


def _groups_en(facts: Mapping[str, Any]) -> str:
    parts = [", ".join(facts["sexes"])] if facts["sexes"] else []
    parts += [f"ages {_bands(facts['bands'])}"] if facts["bands"] else []
    return "; ".join(parts) or "everyone together"


def _groups_zh(facts: Mapping[str, Any]) -> str:
    words = {"female": "女", "male": "男"}
    parts = ["、".join(words.get(s, s) for s in facts["sexes"])] if facts["sexes"] else []
    parts += [f"年龄（岁）{_bands(facts['bands'])}"] if facts["bands"] else []
    return "；".join(parts) or "全体"


def _weights_en(name: str) -> str:
    return f"survey weights `{name}`" if name else "none; each person counts once"


def _weights_zh(name: str) -> str:
    return f"抽样权重 `{name}`" if name else "无，每人计一次"


def _rule_en(rule: str, excluded: int) -> str:
    return f"all who do not meet `{rule}`, about {excluded:,} people." if rule else "nobody."


def _rule_zh(rule: str, excluded: int) -> str:
    return f"不满足 `{rule}` 者，约 {excluded:,} 人。" if rule else "无。"
