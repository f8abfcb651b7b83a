"""Parameters that many routes take, each said once.

What one room of routes asks alone stands beside its routes. Parameters are values, told by `declare`.
"""

from __future__ import annotations

from typing import Final

from nexome.web.api.declare import Parameter

STUDY: Final = Parameter(
    "study", "text", "Identifier of the study.", "研究编号。", "GCST90002369", place="path"
)
TRAIT: Final = Parameter(
    "trait",
    "text",
    "Identifier of a trait; may be left out where the study has one.",
    "性状编号；研究只有一个性状时可省略。",
)
PAGE: Final = (
    Parameter("page_size", "integer", "Most rows of one page.", "每页最多行数。", "1000"),
    Parameter("cursor", "text", "Where the page begins: from `next`.", "本页起点：取自 `next`。"),
)


def table_parameters(columns: str) -> tuple[Parameter, Parameter]:
    """Which columns and in which format a table is wanted; `columns` is the example, as 'rsid,r2'."""
    return (
        Parameter("columns", "list", "Only these columns, in this order.", "只要这些列，按此次序。", columns),
        Parameter(
            "format",
            "text",
            "Format of the answer; stronger than the Accept header.",
            "回答的格式，优先于 Accept 头。",
            "tsv",
            choices=("json", "tsv", "arrow"),
        ),
    )
