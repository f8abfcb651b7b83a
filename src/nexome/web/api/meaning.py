"""Routes of search by meaning: matches with why, concepts of many texts at once, concepts inside a text."""

from __future__ import annotations

from typing import Final, get_args

import pyarrow as pa

from nexome.model.errors import QueryError
from nexome.search.passages import Mention
from nexome.search.records import Kind, Match, Normalised
from nexome.web.api.declare import Answer, Asked, Parameter, Route, Rows
from nexome.web.api.parameters import table_parameters

TEXTS_MAX: Final = 1_000  # of one question; a file of any size goes through `nexome search normalise`
MATCHES_MAX: Final = 100
NOTES_MAX: Final = 100

MATCH_SCHEMA: Final = pa.schema(
    [(n, pa.string()) for n in ("kind", "id", "label", "label_zh", "name", "why", "through", "through_zh")]
    + [("sureness", pa.float64()), ("score", pa.float64())]
)
NORMALISED_SCHEMA: Final = pa.schema(
    [("text", pa.string()), ("rank", pa.int32()), *MATCH_SCHEMA, ("abstained", pa.bool_())]
)
MENTION_SCHEMA: Final = pa.schema(
    [
        *((name, pa.int32()) for name in ("text_number", "from_character", "to_character")),
        *(("text", pa.string()), *MATCH_SCHEMA, ("negated", pa.bool_()), ("family", pa.bool_())),
        ("alternatives", pa.list_(pa.string())),
    ]
)
_TEXT: Final = Parameter("q", "text", "What was typed.", "输入的文字。", "heart attack", required=True)
_LIMIT: Final = Parameter(
    "limit", "integer", f"Most matches, up to {MATCHES_MAX}.", f"最多条数，至多 {MATCHES_MAX}。", "20"
)
_KINDS: Final = Parameter(
    "kinds",
    "list",
    f"Only these kinds: {', '.join(get_args(Kind))}.",
    f"只要这些类别：{'、'.join(get_args(Kind))}。",
    "term",
)
_VOCABULARIES: Final = Parameter(
    "vocabularies", "list", "Only terms of these vocabularies.", "只要这些词表的术语。", "HP,EFO"
)
_TEXTS: Final = Parameter(
    "texts",
    "list",
    f"Up to {TEXTS_MAX} texts, separated by commas; POST takes them as JSON.",
    f"至多 {TEXTS_MAX} 条文字，以逗号分隔；POST 以 JSON 传入。",
    "heart attack,心梗",
    required=True,
)
_NOTE: Final = Parameter(
    "text",
    "text",
    "A text to find concepts in; or post `texts`.",
    "待标注的文字；也可 POST 传入 texts。",
    "No fever. 否认高血压。",
)
_NOTES: Final = Parameter(
    "texts",
    "list",
    f"For POST: up to {NOTES_MAX} texts, each up to 100,000 characters.",
    f"用于 POST：至多 {NOTES_MAX} 段文字，每段至多 100,000 字符。",
)
_TABLE: Final = table_parameters("id,label")


def answer_matches(asked: Asked) -> Answer:
    """What a text means, and why each match was found."""
    matches = asked.view.find(
        asked["q"],
        limit=_limit(asked, 20),
        kinds=asked["kinds"] or (),
        vocabularies=asked["vocabularies"] or (),
    )
    return Rows(pa.Table.from_pylist([_row(match) for match in matches], MATCH_SCHEMA))


def answer_normalise(asked: Asked) -> Answer:
    """The term each text means: a row a match, best first; `abstained` where none is sure enough."""
    texts = asked["texts"]
    if len(texts) > TEXTS_MAX:
        raise QueryError(f"{len(texts)} texts", where="texts", expected=f"at most {TEXTS_MAX}")
    answers = asked.view.normalise(texts, vocabularies=asked["vocabularies"] or (), limit=_limit(asked, 3))
    rows = [row for answer in answers for row in _normalised(answer)]
    return Rows(pa.Table.from_pylist(rows, NORMALISED_SCHEMA))


def answer_annotations(asked: Asked) -> Answer:
    """The concepts inside each text: a row a mention, in their order."""
    texts = asked["texts"] or ([asked["text"]] if asked["text"] is not None else [])
    if not 1 <= len(texts) <= NOTES_MAX:
        raise QueryError(f"{len(texts)} texts", where="text", expected=f"1 to {NOTES_MAX}")
    wanted = asked["vocabularies"] or ()
    rows = [
        {"text_number": number, **_mention(mention)}
        for number, text in enumerate(texts, 1)
        for mention in asked.view.annotate(text, vocabularies=wanted)
    ]
    return Rows(pa.Table.from_pylist(rows, MENTION_SCHEMA))


def _mention(mention: Mention) -> dict[str, object]:
    return {
        **_row(mention.match),
        "from_character": mention.start,
        "to_character": mention.end,
        "text": mention.text,
        "negated": mention.negated,
        "family": mention.family,
        "alternatives": [match.id for match in mention.alternatives],
    }


def _normalised(answer: Normalised) -> list[dict[str, object]]:
    known: dict[str, object] = {"text": answer.text, "abstained": answer.abstained}
    if not answer.matches:
        return [known]
    return [{**known, "rank": rank, **_row(match)} for rank, match in enumerate(answer.matches, 1)]


def _row(match: Match) -> dict[str, object]:
    return {name: getattr(match, name) for name in MATCH_SCHEMA.names}


def _limit(asked: Asked, usual: int) -> int:
    limit = usual if asked["limit"] is None else int(asked["limit"])
    if not 1 <= limit <= MATCHES_MAX:
        raise QueryError(f"{limit}", where="limit", expected=f"1 to {MATCHES_MAX}")
    return limit


MEANING_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "/search/meanings",
        "What a text means, in Chinese or English, and why each match was found",
        "文字的含义（中英文皆可），以及每条结果的匹配理由",
        answer_matches,
        (_TEXT, _LIMIT, _KINDS, _VOCABULARIES, *_TABLE),
        tuple(MATCH_SCHEMA.names),
        steady=False,
    ),
    Route(
        "/search/normalise",
        "The concept of each of many texts, with alternatives",
        "批量把文字归一为概念，并给出备选",
        answer_normalise,
        (_TEXTS, _LIMIT, _VOCABULARIES, *_TABLE),
        tuple(NORMALISED_SCHEMA.names),
        steady=False,
        methods=("GET", "POST"),
    ),
    Route(
        "/search/annotate",
        "The concepts inside a text, where they stand, and whether they are denied or of a relative",
        "标出文字中的概念、位置，以及是否被否认或属于亲属",
        answer_annotations,
        (_NOTE, _NOTES, _VOCABULARIES, *_TABLE),
        tuple(MENTION_SCHEMA.names),
        steady=False,
        methods=("GET", "POST"),
    ),
)
