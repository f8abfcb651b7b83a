"""Routes of reference values: sets, their tables and files, curves by age, and where a value lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Final

import pyarrow as pa

from nexome.access.reference.doors import CURVE_ANSWER_COLUMNS, REFERENCE_SET_COLUMNS
from nexome.store.reference import (
    CURVE_COLUMNS,
    PARTITION_COLUMNS,
    PERCENTILE_COLUMNS,
    REFERENCE_COLUMNS,
    ReferenceSet,
)
from nexome.web.api.answers import offset_of, offset_page
from nexome.web.api.declare import Answer, Asked, Parameter, Record, Route, Rows, Whole
from nexome.web.api.parameters import PAGE, table_parameters

_SET: Final = Parameter("set", "text", "Name of the set.", "参考值集名称。", "adults", place="path")
_VARIABLE: Final = Parameter(
    "variable", "text", "Name, label or term of a variable.", "变量的名称、标签或术语编号。", "ldl"
)
_NEEDED: Final = Parameter(
    "variable",
    "text",
    "Name, label or term of a variable.",
    "变量的名称、标签或术语编号。",
    "ldl",
    required=True,
)
_SEX: Final = Parameter("sex", "text", "female or male.", "性别：female（女）或 male（男）。", "female")
_AGE: Final = Parameter("age", "number", "Age in years.", "年龄（岁）。", "52")
_VALUE: Final = Parameter("value", "number", "The value.", "数值。", "4.1", required=True)
_UNIT: Final = Parameter(
    "unit",
    "text",
    "Unit of the value: UCUM or as people write it; converted into that of the set.",
    "数值的单位：UCUM 代码或常用写法；自动换算为参考值集的单位。",
    "mmol/L",
)
_CHOSEN: Final = Parameter(
    "set",
    "text",
    "The set; without it the newest that has the variable.",
    "参考值集；省略时取含该变量的最新一集。",
    "adults",
)
_LANGUAGE: Final = Parameter(
    "language", "text", "Language of the sheet.", "说明书的语言。", "zh", choices=("en", "zh")
)
_FILE: Final = Parameter(
    "file", "text", "Name of a file of the set.", "参考值集中的文件名。", "reference.csv", place="path"
)
_TABLE: Final = table_parameters("variable,sex")

_MEDIA: Final = {
    ".csv": "text/csv; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
}


def answer_sets(asked: Asked) -> Answer:
    """Sets this reader may know of."""
    table = asked.view.reference_sets()
    begin = offset_of(asked)
    return offset_page(asked, table.slice(begin, asked.page_size + 1), begin, meta={"total": table.num_rows})


def answer_set(asked: Asked) -> Answer:
    """What a set is made of and how: choices, groups, variables."""
    opened = asked.view.reference_set(asked["set"])
    opened.check_current()
    return Record({**opened.facts, **_told(opened), "files": sorted(p.name for p in opened.folder.iterdir())})


def answer_sheet(asked: Asked) -> Answer:
    """The data sheet, as Markdown."""
    opened = asked.view.reference_set(asked["set"])
    return Record({"sheet": opened.sheet(asked["language"] or "en")}, _told(opened))


def answer_file(asked: Asked) -> Answer:
    """A file of a set as it lies: Parquet, CSV, data sheet, receipt."""
    opened = asked.view.reference_set(asked["set"])
    path = asked.view.reference_file(asked["set"], asked["file"])
    scope = asked.view.scope if opened.entry.access == "open" else ""
    name = f"{opened.entry.name}.{opened.entry.version}.{path.name}"
    return Whole(path, _MEDIA.get(path.suffix, "text/plain; charset=utf-8"), name, scope)


def answer_groups(asked: Asked) -> Answer:
    """n, mean, SD and reference limits by group."""
    return _table(asked, "reference")


def answer_percentiles(asked: Asked) -> Answer:
    """Percentiles by group."""
    return _table(asked, "percentiles")


def answer_lms(asked: Asked) -> Answer:
    """L, M, S by age."""
    return _table(asked, "curves")


def answer_partitions(asked: Asked) -> Answer:
    """Tests of partitions."""
    return _table(asked, "partitions")


def answer_curves(asked: Asked) -> Answer:
    """Percentiles by age, from the LMS curves."""
    table = asked.view.curves(asked["variable"], asked["sex"], reference=asked["set"])
    return _page(asked, table, {})


def answer_place(asked: Asked) -> Answer:
    """Where a value lies among people of the same sex and age."""
    found = asked.view.place(
        asked["variable"],
        asked["sex"],
        asked["age"],
        value=asked["value"],
        unit=asked["unit"] or "",
        reference=asked["set"],
    )
    return Record(asdict(found))


def _table(asked: Asked, name: str) -> Rows:
    opened = asked.view.reference_set(asked["set"])
    table = asked.view.reference_table(asked["set"], name, asked["variable"])
    return _page(asked, table, _told(opened))


def _page(asked: Asked, table: pa.Table, told: dict[str, object]) -> Rows:
    begin = offset_of(asked)
    meta = {"total": table.num_rows, **told}
    return offset_page(asked, table.slice(begin, asked.page_size + 1), begin, meta=meta)


def _told(opened: ReferenceSet) -> dict[str, object]:
    entry = opened.entry
    return {
        "reference_set": entry.name,
        "set_version": entry.version,
        "set_state": opened.state,
        "published": entry.published,
        "cohort": entry.cohort,
        "cohort_version": entry.cohort_version,
    }


def _of_set(
    name: str, says: tuple[str, str], answer: Callable[[Asked], Answer], columns: tuple[str, ...]
) -> Route:
    """The route of one table of a set."""
    english, chinese = says
    return Route(
        f"/reference/{{set}}/{name}",
        f"{english}, of a reference set",
        f"参考值集：{chinese}",
        answer,
        (_SET, _VARIABLE, *PAGE, *_TABLE),
        columns,
        steady=False,
    )


_LIMITS_SAYS: Final = ("n, mean, SD and reference limits", "各组人数、均值、标准差与参考限")
_PERCENTILES_SAYS: Final = ("Percentiles 1 to 99 with intervals", "第 1 至 99 百分位及区间")
_LMS_SAYS: Final = ("L, M, S by age with their errors", "各年龄的 L、M、S 及误差")
_PARTITIONS_SAYS: Final = ("Whether groups need limits of their own", "是否需分组设参考限的检验")

REFERENCE_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "/reference",
        "Sets of reference values",
        "参考值集列表",
        answer_sets,
        (*PAGE, *table_parameters("reference_set,set_version")),
        REFERENCE_SET_COLUMNS,
        steady=False,
    ),
    Route(
        "/reference/{set}",
        "What a reference set is made of and how",
        "参考值集的内容与制作方法",
        answer_set,
        (_SET,),
        steady=False,
    ),
    Route(
        "/reference/{set}/sheet",
        "Data sheet of a reference set, as Markdown",
        "参考值集的说明书（Markdown）",
        answer_sheet,
        (_SET, _LANGUAGE),
        steady=False,
    ),
    _of_set("groups", _LIMITS_SAYS, answer_groups, REFERENCE_COLUMNS),
    _of_set("percentiles", _PERCENTILES_SAYS, answer_percentiles, PERCENTILE_COLUMNS),
    _of_set("lms", _LMS_SAYS, answer_lms, CURVE_COLUMNS),
    _of_set("partitions", _PARTITIONS_SAYS, answer_partitions, PARTITION_COLUMNS),
    Route(
        "/reference/{set}/files/{file}",
        "A file of a reference set: Parquet, CSV, data sheet, receipt",
        "下载参考值集的文件：Parquet、CSV、说明书、凭单",
        answer_file,
        (_SET, _FILE),
        stream=True,
        steady=False,
    ),
    Route(
        "/reference-curves",
        "Percentiles of a variable by age, with intervals",
        "变量随年龄变化的百分位曲线及区间",
        answer_curves,
        (_NEEDED, _SEX, _CHOSEN, *PAGE, *table_parameters("age,percentile_value")),
        CURVE_ANSWER_COLUMNS,
        steady=False,
    ),
    Route(
        "/place",
        "Where a value lies among people of the same sex and age",
        "一个数值在同性别、同年龄人群中的位置",
        answer_place,
        (_NEEDED, _SEX, _AGE, _VALUE, _UNIT, _CHOSEN),
        steady=False,
    ),
)
