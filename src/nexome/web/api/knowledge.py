"""Routes of the graph of knowledge: a term, its ties, what is above and below, paths, what terms share."""

from __future__ import annotations

from typing import Any, Final

from nexome.access.knowledge import (
    ABOUT_COLUMNS,
    COMMON_COLUMNS,
    REACHED_COLUMNS,
    TIE_COLUMNS,
    read_steps,
)
from nexome.model.errors import QueryError
from nexome.store.edges import Path, Paths
from nexome.store.edges.graph import DIRECTIONS
from nexome.web.api.declare import Answer, Asked, Parameter, Record, Route, Rows

_LIMIT: Final = 50
_PATHS_MOST: Final = 1_000
_TERM: Final = Parameter(
    "curie",
    "text",
    "Identifier of a term, in any spelling.",
    "术语编号，写法不限。",
    "HP:0001250",
    place="path",
)
_PREDICATE: Final = Parameter("predicate", "text", "Only this predicate.", "只看这种关系。", "biolink:causes")
_DIRECTION: Final = Parameter(
    "direction",
    "text",
    "out: the term is the subject; in: it is the object; both by default.",
    "out：术语为主体；in：术语为客体；默认两者都要（both）。",
    "out",
    DIRECTIONS,
)
_VOCABULARY: Final = Parameter(
    "vocabulary", "text", "Only identifiers with this prefix.", "只看此前缀的编号。", "HGNC"
)
_LIMITED: Final = Parameter("limit", "integer", "Most rows.", "最多行数。", str(_LIMIT))
_TABLE: Final = (
    Parameter("columns", "list", "Only these columns, in this order.", "只要这些列，按此次序。", "term,hops"),
    Parameter(
        "format",
        "text",
        "Format of the answer; stronger than the Accept header.",
        "回答的格式，优先于 Accept 头。",
        "tsv",
        choices=("json", "tsv", "arrow"),
    ),
)


def _flag(name: str, en: str, zh: str) -> Parameter:
    return Parameter(name, "text", en, zh, "yes", choices=("yes", "no"))


_SAME: Final = _flag(
    "equivalents",
    "Also through identifiers that mean the same; `through` says which.",
    "同时经由同义的编号；through 列说明经由哪一个。",
)
_PART_OF: Final = _flag("part_of", "Also along part_of.", "同时沿 part_of 关系。")
_SUBTYPES: Final = _flag("subtypes", "Kinds of a term count as the term.", "术语的下位类也算在内。")


def answer_term(asked: Asked) -> Answer:
    """A term, its names, and how many studies are about it."""
    found = asked.view.term(asked["curie"])
    names = [dict(zip(("text", "kind", "language", "source"), name, strict=True)) for name in found.names]
    plain = ("id", "asked", "vocabulary", "label", "definition", "definition_zh", "obsolete")
    lists = ("replaced_by", "alternatives", "sources")
    return Record(
        {name: getattr(found, name) for name in plain}
        | {name: list(getattr(found, name)) for name in lists}
        | {"names": names}
    )


def answer_ties(asked: Asked) -> Answer:
    """What a term is tied to."""
    table = asked.view.neighbours(
        asked["curie"],
        asked["predicate"],
        direction=asked["direction"] or "both",
        limit=_limit(asked, asked.settings.page_size_max),
        vocabulary=asked["vocabulary"],
        equivalents=asked["equivalents"] == "yes",
    )
    return Rows(table)


def answer_ancestors(asked: Asked) -> Answer:
    """All above a term."""
    return Rows(asked.view.ancestors(asked["curie"], **_reach(asked)))


def answer_descendants(asked: Asked) -> Answer:
    """All below a term."""
    return Rows(asked.view.descendants(asked["curie"], **_reach(asked)))


def answer_about(asked: Asked) -> Answer:
    """Studies about a term."""
    return Rows(asked.view.studies_about(asked["curie"], subtypes=asked["subtypes"] == "yes"))


def answer_common(asked: Asked) -> Answer:
    """What several terms are all tied to."""
    table = asked.view.common(
        asked["terms"],
        asked["predicate"],
        direction=asked["direction"] or "both",
        limit=_limit(asked, asked.settings.page_size_max),
        vocabulary=asked["vocabulary"],
        subtypes=asked["subtypes"] == "yes",
        equivalents=asked["equivalents"] == "yes",
    )
    return Rows(table)


def answer_paths(asked: Asked) -> Answer:
    """Typed paths, or the best explanations where no steps are given."""
    limit = _limit(asked, _PATHS_MOST)
    if not asked["steps"]:
        if asked["end"] is None:
            raise QueryError("neither steps nor end", where="steps", expected="one of them, or both")
        return _paths(asked.view.explain(asked["start"], asked["end"], limit=limit))
    steps = read_steps(asked["steps"])
    bounds = {"end": asked["end"], "vocabulary": asked["vocabulary"]}
    return _paths(asked.view.paths(asked["start"], steps, limit=limit, **bounds))


def describe_path(path: Path) -> dict[str, Any]:
    """A path as plain values."""
    hops = [
        {
            "predicate": hop.predicate,
            "direction": "in" if hop.turned else "out",
            "strength": hop.strength,
            "source": hop.source,
        }
        for hop in path.hops
    ]
    return {"terms": list(path.terms), "hops": hops, "strength": path.strength, "cost": path.cost}


def _paths(found: Paths) -> Record:
    return Record({"paths": [describe_path(path) for path in found.paths], "cut": found.cut})


def _limit(asked: Asked, most: int) -> int:
    limit = _LIMIT if asked["limit"] is None else int(asked["limit"])
    if not 1 <= limit <= most:
        raise QueryError(f"limit {limit}", where="limit", expected=f"1 to {most:,}")
    return limit


def _reach(asked: Asked) -> dict[str, Any]:
    return {
        "part_of": asked["part_of"] == "yes",
        "equivalents": asked["equivalents"] == "yes",
        "limit": asked.settings.page_size_max,
    }


KNOWLEDGE_ROUTES: Final = (
    Route(
        "/terms/{curie}",
        "A term: its names in every language, definition, and the sources that describe it",
        "一个术语：各语言名称、定义及描述它的来源",
        answer_term,
        (_TERM,),
        steady=False,
    ),
    Route(
        "/terms/{curie}/edges",
        "What a term is tied to, strongest first",
        "与一个术语相连者，由强到弱",
        answer_ties,
        (_TERM, _PREDICATE, _DIRECTION, _VOCABULARY, _SAME, _LIMITED, *_TABLE),
        TIE_COLUMNS,
        steady=False,
    ),
    Route(
        "/terms/{curie}/ancestors",
        "All that a term is a kind of, nearest first",
        "术语的全部上位类，由近到远",
        answer_ancestors,
        (_TERM, _PART_OF, _SAME, *_TABLE),
        REACHED_COLUMNS,
        steady=False,
    ),
    Route(
        "/terms/{curie}/descendants",
        "All kinds of a term, nearest first",
        "术语的全部下位类，由近到远",
        answer_descendants,
        (_TERM, _PART_OF, _SAME, *_TABLE),
        REACHED_COLUMNS,
        steady=False,
    ),
    Route(
        "/terms/{curie}/studies",
        "Studies whose traits name a term",
        "性状标注了该术语的研究",
        answer_about,
        (_TERM, _SUBTYPES, *_TABLE),
        ABOUT_COLUMNS,
        steady=False,
    ),
    Route(
        "/paths",
        "Typed paths of one to three steps from a term; without steps, the best explanations of two things",
        "从一个术语出发、按关系类型走一至三步的路径；不给步骤时，给出两者之间最好的解释",
        answer_paths,
        (
            Parameter("start", "text", "Where it begins.", "起点。", "HP:0001250", required=True),
            Parameter("end", "text", "Where it ends.", "终点。", "HGNC:10585"),
            Parameter(
                "steps",
                "list",
                "Predicates (* for any), each with > (out), < (in) or nothing (both), by commas.",
                "关系（* 表示任意），其后加 >（向外）、<（向内）或不加（双向），以逗号分隔。",
                "is_a>,*",
            ),
            _VOCABULARY,
            _LIMITED,
        ),
        steady=False,
    ),
    Route(
        "/common",
        "What several terms are all tied to, such as genes of two diseases",
        "几个术语共同相连者，例如两种疾病共有的基因",
        answer_common,
        (
            Parameter(
                "terms",
                "list",
                "Two terms or more, by commas.",
                "两个或以上术语，以逗号分隔。",
                "HP:0001250,HP:0001263",
                required=True,
            ),
            _PREDICATE,
            _DIRECTION,
            _VOCABULARY,
            _SUBTYPES,
            _SAME,
            _LIMITED,
            *_TABLE,
        ),
        COMMON_COLUMNS,
        steady=False,
    ),
)
