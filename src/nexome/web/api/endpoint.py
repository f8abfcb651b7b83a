"""One route on the wire: token, parameters, View, answer, encoding, ETag, errors.

A blocking read never runs on the event loop: questions go to a few threads of their own, downloads
to two others, so that a long file never stands before a short question.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from nexome.access.centre import Centre
from nexome.access.view import View
from nexome.model.errors import QueryError
from nexome.web.api.answers import keep_columns
from nexome.web.api.declare import Asked, Record, Route, Rows, Stream, Whole
from nexome.web.api.encode import (
    JSON,
    MEDIA_TYPES,
    NotAcceptable,
    choose_format,
    encode_record,
    encode_table,
)
from nexome.web.api.errors import NotAcceptableError, TooLargeError, error_response
from nexome.web.counting import Door, tell
from nexome.web.http import SECURITY_HEADERS, cached, etag_matches, read_token

BODY_MAX: Final = 1_000_000  # bytes of a posted question
_VERSION: Final = version("nexome")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Threads:
    """Where blocking work runs. Idle threads end when the app that holds them is gone."""

    questions: ThreadPoolExecutor
    downloads: ThreadPoolExecutor

    @classmethod
    def start(cls, readers: int) -> Threads:
        """Threads for `readers` questions at once and two downloads."""
        return cls(
            ThreadPoolExecutor(max(1, readers), "nexome-question"), ThreadPoolExecutor(2, "nexome-download")
        )


@dataclass(frozen=True, slots=True)
class Question:
    """What a request holds, read before any work is done."""

    route: Route
    values: Mapping[str, Any]
    token: str | None
    format: str


class Endpoint:
    """Answers one route; `respond` is what Starlette calls."""

    def __init__(self, route: Route, centre: Centre, threads: Threads) -> None:
        self.route = route
        self._centre = centre
        self._threads = threads

    async def respond(self, request: Request) -> Response:
        """The response of any request to this route; every error becomes one too."""
        try:
            question = _read_question(self.route, request, await _posted(self.route, request))
            pool = self._threads.downloads if self.route.stream else self._threads.questions
            return await _run(pool, lambda: self._answer(request, question))
        except Exception as error:  # noqa: BLE001 - the one place where any error becomes a response
            return error_response(error, request)

    def _door(self) -> Door:
        if self.route.path == "/health":
            return "silent"
        return "download" if self.route.stream else "api"

    def _answer(self, request: Request, question: Question) -> Response:
        view = self._centre.view_for(question.token)
        tell(request, self._door(), name=self.route.path, owner=view.principal.kind == "owner")
        etag = _etag(view, question, request) if self.route.steady and request.method != "POST" else None
        if etag and view.scope == "open" and etag_matches(request, etag):
            return cached(request, Response(), scope="open", etag=etag)
        answer = self.route.answer(Asked(view, self._centre.settings, question.values))
        if isinstance(answer, Whole):
            return _file(answer)
        if isinstance(answer, Stream):
            return _stream(answer, self._threads.downloads)
        meta = {"assembly": view.assembly.name, "sequence": view.sequence, **answer.meta}
        response = _encode(request, question, answer, meta)
        private = request.method == "POST" or self.route.path == "/health"
        return cached(request, response, scope="" if private else view.scope, etag=etag)


def _encode(request: Request, question: Question, answer: Rows | Record, meta: dict[str, Any]) -> Response:
    headers = dict(SECURITY_HEADERS)
    if isinstance(answer, Record):
        return Response(encode_record(answer.record, meta=meta), headers=headers, media_type=JSON)
    table = keep_columns(answer.table, question.values.get("columns"))
    next_url = _next_url(request, answer.cursor)
    if next_url:
        headers["Link"] = f'<{next_url}>; rel="next"'
    body = encode_table(table, question.format, meta={**meta, "rows": table.num_rows}, next_url=next_url)
    response = Response(body, headers=headers)
    # Set here: Starlette would append a charset to text/tab-separated-values, which it has not.
    response.headers["Content-Type"] = MEDIA_TYPES[question.format]
    return response


def _next_url(request: Request, cursor: str | None) -> str | None:
    """The path and query of the page behind; relative to the host, so that a proxy's name survives."""
    if cursor is None:
        return None
    query = [(k, v) for k, v in request.query_params.multi_items() if k != "cursor"]
    return f"{request.url.path}?{urlencode([*query, ('cursor', cursor)])}"


def _read_question(route: Route, request: Request, posted: Mapping[str, Any] | None) -> Question:
    values = route.read(request.path_params, request.query_params, posted=posted)
    format_ = "json"
    if route.columns:
        chosen = choose_format(request.headers.get("accept", ""), values.get("format"))
        if isinstance(chosen, NotAcceptable):
            raise NotAcceptableError(
                f"Accept: {chosen.wanted}", where="Accept", expected=", ".join(MEDIA_TYPES.values())
            )
        format_ = chosen
    # A page's cookie opens what only reads: it is SameSite=Lax, so no other site can send it along.
    token = read_token(request, cookie=request.method in {"GET", "HEAD"})
    return Question(route, values, token, format_)


async def _posted(route: Route, request: Request) -> dict[str, Any] | None:
    """The lists of a posted question; None for a GET. Raises QueryError for any other JSON."""
    if request.method != "POST":
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX:
            raise TooLargeError("a body too long", where="body", expected=f"at most {BODY_MAX} bytes")
    try:
        values = orjson.loads(bytes(body))
    except orjson.JSONDecodeError as error:
        raise QueryError("a body that is not JSON", where=f"body, line {error.lineno}") from None
    names = [parameter.name for parameter in route.lists]
    good = isinstance(values, dict) and set(values) <= set(names) and names[0] in values
    if not good or not all(_is_texts(v) for v in values.values() if v is not None):
        raise QueryError(
            "a body of another shape",
            where="body",
            expected="{" + ", ".join(f'"{name}": ["…", …]' for name in names) + "}, the first one needed",
        )
    return values


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)


def _etag(view: View, question: Question, request: Request) -> str:
    """Names the answer before it is made: what is published, who may see it, what was asked, how told."""
    query = sorted(request.query_params.multi_items())
    parts = (_VERSION, view.sequence, view.scope, request.url.path, query, question.format)
    return f'"{hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()}"'


async def _run(pool: ThreadPoolExecutor, work: Callable[[], _T]) -> _T:
    return await asyncio.get_running_loop().run_in_executor(pool, work)


def _stream(answer: Stream, pool: ThreadPoolExecutor) -> Response:
    # The first chunk is made before the status is sent, so that a refusal is still a refusal.
    first = next(answer.chunks, b"")
    headers = {
        **SECURITY_HEADERS,
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{answer.file_name}"',
    }
    return StreamingResponse(_chunks(first, answer.chunks, pool), 200, headers, answer.media_type)


def _file(answer: Whole) -> Response:
    """A file with its ranges (RFC 9110 §14); its ETag is Starlette's, of size and time."""
    control = "public, no-cache" if answer.scope == "open" else "no-store"
    headers = {**SECURITY_HEADERS, "Cache-Control": control, "Vary": "Authorization, Cookie"}
    return FileResponse(answer.path, headers=headers, media_type=answer.media_type, filename=answer.file_name)


async def _chunks(first: bytes, rest: Iterator[bytes], pool: ThreadPoolExecutor) -> AsyncIterator[bytes]:
    chunk: bytes | None = first
    while chunk is not None:
        yield chunk
        chunk = await _run(pool, lambda: next(rest, None))
