"""Errors over HTTP: one JSON shape for every route, whatever went wrong.

    {"error": {"code", "message", "where", "found", "expected", "todo"[, "reason"]}}

An error of the server's own tells the asker a reference and nothing else; the log has the rest.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from nexome.model.errors import NexomeError, NotFoundError, QueryError, RefusedError
from nexome.web.api.encode import JSON
from nexome.web.http import SECURITY_HEADERS

_log: Final = logging.getLogger(__name__)


class MethodError(QueryError):
    """The route exists, but not for this method."""

    code = "method"
    http_status = 405


class NotAcceptableError(QueryError):
    """The request accepts none of the formats this route writes."""

    code = "not_acceptable"
    http_status = 406


class TooLargeError(QueryError):
    """The body of the request is longer than any sensible question."""

    code = "too_large"
    http_status = 413


def error_response(
    error: Exception, request: Request, *, headers: Mapping[str, str] | None = None
) -> Response:
    """The response for any exception: its own words when the asker can mend it, else a reference."""
    head = {**SECURITY_HEADERS, "Cache-Control": "no-store", **(headers or {})}
    if not isinstance(error, NexomeError) or error.http_status >= 500:
        return _hidden(error, request, head)
    status = error.http_status
    if isinstance(error, RefusedError) and error.reason.startswith("token_"):
        status = 401
        head["WWW-Authenticate"] = "Bearer"
    return Response(orjson.dumps({"error": error.as_dict()}), status, head, media_type=JSON)


def unknown_route(request: Request) -> NotFoundError:
    """There is no such path."""
    return NotFoundError(
        "there is no such route",
        where=request.url.path[:200],
        todo="The routes are listed in /api/v1/openapi.json.",
    )


def _hidden(error: Exception, request: Request, headers: dict[str, str]) -> Response:
    reference = secrets.token_hex(4)
    code, status = (error.code, error.http_status) if isinstance(error, NexomeError) else ("internal", 500)
    if status == 503:
        headers["Retry-After"] = "1"
    # The path alone: a query may name what a person looked for.
    _log.error("error %s answering %s %s", reference, request.method, request.url.path, exc_info=error)
    found = "the server could not answer"
    todo = f"Tell the owner of this site the reference {reference}; the server's log says more."
    parts = {"where": request.url.path[:200], "found": found, "expected": "", "todo": todo}
    body = {"error": {"code": code, "message": f"{found}. {todo}", **parts}}
    return Response(orjson.dumps(body), status, headers, media_type=JSON)
