"""Routes of cohorts: what there is; counts, means, percentiles over people as disclosure control lets them.

`meta` says how a filter was read (units, terms expanded, limits fitted to the grid), who asked (`reader`) and
whether counts carry noise. A group that may not be told has no number and says why (`withheld`).
"""

from __future__ import annotations

from typing import Any, Final

from nexome.access.cohort_answers import (
    COUNT_COLUMNS,
    HISTOGRAM_COLUMNS,
    MEAN_COLUMNS,
    PERCENTILE_COLUMNS,
    CohortAnswer,
)
from nexome.access.cohort_catalogue import (
    COHORT_COLUMNS,
    COMPARE_COLUMNS,
    FOUND_COLUMNS,
    MATRIX_COLUMNS,
    VARIABLE_COLUMNS,
)
from nexome.access.cohort_grid import GRID_COLUMNS
from nexome.model.errors import QueryError
from nexome.web.api.answers import offset_of, offset_page
from nexome.web.api.declare import Answer, Asked, Parameter, Record, Route, Rows
from nexome.web.api.parameters import PAGE, table_parameters

_COHORT: Final = Parameter(
    "cohort", "text", "Identifier of the cohort.", "队列编号。", "nhanes", place="path"
)
_WHERE: Final = Parameter(
    "where",
    "text",
    "Filter, as people write it: names, labels, LOINC codes, units, categories, terms; empty: everyone.",
    "筛选条件，可用变量名、中英文名称、LOINC 编码、单位、类别与术语；留空为全部人群。",
    "sex = female and age between 40 and 60 and ldl > 4.1 mmol/L",
)
_BY: Final = Parameter(
    "by", "list", "Groups: up to three variables, by commas.", "分组变量，至多三个，以逗号分隔。", "sex,age"
)
_VARIABLE: Final = Parameter(
    "variable",
    "text",
    "A number of the cohort: name, label, LOINC code or substance.",
    "队列中的数值变量：变量名、名称、LOINC 编码或物质名。",
    "ldl",
    required=True,
)
_UNIT: Final = Parameter(
    "unit",
    "text",
    "Unit of the answer (UCUM); else the variable's.",
    "结果的单位（UCUM），默认为变量单位。",
    "mmol/L",
)
_PERCENT: Final = Parameter(
    "percent", "list", "Percentiles, above 0 and below 100.", "百分位，大于 0 且小于 100。", "5,50,95"
)
_HOW: Final = (
    Parameter(
        "project",
        "text",
        "Ask in this project, as one of its named readers.",
        "以该项目具名读者的身份提问。",
        "lipids",
    ),
    Parameter(
        "min_cell",
        "integer",
        "A larger smallest cell than the centre's; a smaller one changes nothing.",
        "比本中心更大的最小单元人数；更小则不起作用。",
        "10",
    ),
)
_TEXT: Final = Parameter("q", "text", "What to look for.", "要查找的内容。", "cholesterol", required=True)
_SEARCH: Final = Parameter("search", "text", "Words to look for.", "要查找的词。", "cholesterol")
_TABLE: Final = table_parameters("group_1,participants")
_PAGED: Final = (*PAGE, *_TABLE)


def answer_cohorts(asked: Asked) -> Answer:
    """Cohorts this reader may know of."""
    begin = offset_of(asked)
    return offset_page(asked, asked.view.cohorts().slice(begin, asked.page_size + 1), begin)


def answer_cohort(asked: Asked) -> Answer:
    """The data sheet of a cohort."""
    facts = asked.view.cohort(asked["cohort"]).as_dict()
    return Record({"cohort": facts.pop("id"), **facts})


def answer_variables(asked: Asked) -> Answer:
    """Variables of a cohort, page by page."""
    begin = offset_of(asked)
    table = asked.view.variables(asked["cohort"], asked["search"])
    return offset_page(asked, table.slice(begin, asked.page_size + 1), begin, meta={"total": table.num_rows})


def answer_grid(asked: Asked) -> Answer:
    """The published grid of a cohort."""
    return Rows(asked.view.grid(asked["cohort"]).table())


def answer_count(asked: Asked) -> Answer:
    """How many people a filter holds for."""
    return _told(asked.view.count(asked["cohort"], asked["where"] or "", asked["by"] or (), **_how(asked)))


def answer_means(asked: Asked) -> Answer:
    """Means of a variable."""
    return _told(asked.view.means(*_of_values(asked), unit=asked["unit"], **_how(asked)))


def answer_percentiles(asked: Asked) -> Answer:
    """Percentiles of a variable."""
    how = _how(asked)
    if asked["percent"]:
        how["probabilities"] = tuple(_share(text) for text in asked["percent"])
    return _told(asked.view.percentiles(*_of_values(asked), unit=asked["unit"], **how))


def answer_histogram(asked: Asked) -> Answer:
    """People in each band of a variable."""
    return _told(asked.view.histogram(*_of_values(asked), **_how(asked)))


def answer_compare(asked: Asked) -> Answer:
    """A quantity in all cohorts that have it."""
    found = asked.view.compare_sources(
        asked["variable"], asked["where"] or "", unit=asked["unit"], **_how(asked)
    )
    return Rows(found)


def answer_matrix(asked: Asked) -> Answer:
    """Which cohort measured what, page by page."""
    begin = offset_of(asked)
    table = asked.view.variable_matrix()
    return offset_page(asked, table.slice(begin, asked.page_size + 1), begin, meta={"total": table.num_rows})


def answer_find(asked: Asked) -> Answer:
    """Variables of all cohorts that a text means."""
    begin = offset_of(asked)
    table = asked.view.find_variables(asked["q"])
    return offset_page(asked, table.slice(begin, asked.page_size + 1), begin, meta={"total": table.num_rows})


def _told(answer: CohortAnswer) -> Rows:
    return Rows(answer.table(), answer.meta())


def _of_values(asked: Asked) -> tuple[str, str, str, list[str]]:
    return asked["cohort"], asked["variable"], asked["where"] or "", asked["by"] or []


def _how(asked: Asked) -> dict[str, Any]:
    least = asked["min_cell"] or 0
    if least < 0:
        raise QueryError(f"min_cell {least}", where="min_cell", expected="0 or more")
    return {"project": asked["project"], "min_cell": least}


def _share(text: str) -> float:
    try:
        share = float(text) / 100
    except ValueError:
        share = -1.0
    if not 0 < share < 1:
        raise QueryError(f"{text[:40]!r}", where="percent", expected="numbers above 0 and below 100")
    return share


COHORT_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "/cohorts",
        "Cohorts: where, when, how many people of which sexes and ages, what was measured",
        "队列列表：地区、年份、人数、性别与年龄范围、测量内容",
        answer_cohorts,
        _PAGED,
        COHORT_COLUMNS,
        steady=False,
    ),
    Route(
        "/cohorts/matrix",
        "Which cohort measured what: a row a quantity and cohort",
        "变量 × 队列矩阵：每行一个指标与一个队列",
        answer_matrix,
        _PAGED,
        MATRIX_COLUMNS,
        steady=False,
    ),
    Route(
        "/cohorts/compare",
        "One quantity in all cohorts that have it, in one unit",
        "同一指标在各队列中的比较（统一单位）",
        answer_compare,
        (_VARIABLE, _WHERE, _UNIT, *_HOW, *_TABLE),
        COMPARE_COLUMNS,
        steady=False,
    ),
    Route(
        "/cohorts/search",
        "Variables of all cohorts by name, label, term or substance",
        "在全部队列中查找变量：按变量名、名称、术语或物质",
        answer_find,
        (_TEXT, *_PAGED),
        FOUND_COLUMNS,
        steady=False,
    ),
    Route(
        "/cohorts/{cohort}",
        "A cohort's data sheet",
        "队列说明",
        answer_cohort,
        (_COHORT,),
        steady=False,
    ),
    Route(
        "/cohorts/{cohort}/variables",
        "Variables of a cohort: meaning, unit, categories, terms",
        "队列的变量：含义、单位、取值与术语",
        answer_variables,
        (_COHORT, _SEARCH, *_PAGED),
        VARIABLE_COLUMNS,
        steady=False,
    ),
    Route(
        "/cohorts/{cohort}/grid",
        "The published grid: bands and categories that anyone may ask by",
        "公开网格：任何人都可据以提问的分组与类别",
        answer_grid,
        (_COHORT, *_TABLE),
        GRID_COLUMNS,
        steady=False,
    ),
    Route(
        "/cohorts/{cohort}/count",
        "How many people a filter holds for, in groups",
        "符合筛选条件的人数（可分组）",
        answer_count,
        (_COHORT, _WHERE, _BY, *_HOW, *_TABLE),
        COUNT_COLUMNS,
        steady=False,
    ),
    Route(
        "/cohorts/{cohort}/means",
        "Mean and standard deviation of a variable, in groups",
        "变量的均值与标准差（可分组）",
        answer_means,
        (_COHORT, _VARIABLE, _WHERE, _BY, _UNIT, *_HOW, *_TABLE),
        MEAN_COLUMNS,
        steady=False,
    ),
    Route(
        "/cohorts/{cohort}/percentiles",
        "Percentiles of a variable, in groups; never a minimum or maximum",
        "变量的百分位数（可分组），绝不给出最小值或最大值",
        answer_percentiles,
        (_COHORT, _VARIABLE, _WHERE, _BY, _PERCENT, _UNIT, *_HOW, *_TABLE),
        PERCENTILE_COLUMNS,
        steady=False,
    ),
    Route(
        "/cohorts/{cohort}/histogram",
        "How many people in each band of a variable, as the grid cuts it",
        "变量各区间的人数（按公开网格切分）",
        answer_histogram,
        (_COHORT, _VARIABLE, _WHERE, _BY, *_HOW, *_TABLE),
        HISTOGRAM_COLUMNS,
        steady=False,
    ),
)
