"""Answers as bytes, and which format a request wants; `formats.answers` writes the tables themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
import pyarrow as pa

from nexome.formats.answers import table_as_arrow, table_as_json, table_as_tsv
from nexome.model.errors import QueryError

JSON: Final = "application/json"
TSV: Final = "text/tab-separated-values"
ARROW: Final = "application/vnd.apache.arrow.stream"

MEDIA_TYPES: Final[Mapping[str, str]] = {"json": JSON, "tsv": TSV, "arrow": ARROW}
"""What `?format=` may say, and the media type of each."""


@dataclass(frozen=True, slots=True)
class NotAcceptable:
    """The request accepts none of our media types; `wanted` is what it accepts."""

    wanted: str


def choose_format(accept: str, asked: str | None) -> str | NotAcceptable:
    """'json', 'tsv' or 'arrow': `?format=` first, then the Accept header, else JSON.

    Raises QueryError for an unknown `?format=`. A browser's `text/html, */*` gets JSON.
    """
    if asked is not None:
        if asked not in MEDIA_TYPES:
            raise QueryError(f"format {asked[:40]!r}", where="format", expected="json, tsv or arrow")
        return asked
    by_type = {media: name for name, media in MEDIA_TYPES.items()}
    best: tuple[float, str] | None = None
    for part in accept.split(",") if accept.strip() else ["*/*"]:
        media, _, rest = part.strip().partition(";")
        quality = _quality(rest)
        name = by_type.get(media.strip().lower(), "json" if media.strip() in {"*/*", "application/*"} else "")
        if name and quality > 0 and (best is None or quality > best[0]):
            best = (quality, name)
    return best[1] if best else NotAcceptable(accept[:200])


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def encode_table(table: pa.Table, format_: str, *, meta: Mapping[str, Any], next_url: str | None) -> bytes:
    """A table of R rows in one of the three formats; TSV has no place for `meta` and `next_url`."""
    if format_ == "tsv":
        return table_as_tsv(table)
    if format_ == "arrow":
        return table_as_arrow(table, meta=meta, next_url=next_url)
    tail = orjson.dumps({"meta": meta, "next": next_url}, option=orjson.OPT_SERIALIZE_NUMPY)
    return b'{"data":' + table_as_json(table) + b"," + tail[1:]


def encode_record(record: Mapping[str, Any], *, meta: Mapping[str, Any]) -> bytes:
    """One thing rather than rows: `data` holds its fields by name."""
    answer = {"data": record, "meta": meta, "next": None}
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)


def records_as_table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows with the names of `schema` as a table; none gives an empty one."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
