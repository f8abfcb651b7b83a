"""The HTTP API, version 1: an app of its own with its errors and its OpenAPI document."""

from __future__ import annotations

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute

from nexome.access.centre import Centre
from nexome.model.errors import NexomeError
from nexome.web.api.encode import JSON
from nexome.web.api.endpoint import Endpoint, Threads
from nexome.web.api.errors import MethodError, error_response, unknown_route
from nexome.web.api.openapi import openapi
from nexome.web.api.routes import ROUTES
from nexome.web.http import SECURITY_HEADERS, cached

__all__ = ["build_api"]


def build_api(centre: Centre) -> Starlette:
    """The API over `centre`, to be mounted at /api/v1."""
    threads = Threads.start(centre.settings.reader_threads)
    routes = [
        StarletteRoute(route.path, Endpoint(route, centre, threads).respond, methods=list(route.methods))
        for route in ROUTES
    ]
    document = orjson.dumps(openapi(ROUTES, title=centre.settings.title_en))

    async def describe(request: Request) -> Response:
        response = Response(document, headers=dict(SECURITY_HEADERS), media_type=JSON)
        return cached(request, response, scope="open")

    routes.append(StarletteRoute("/openapi.json", describe))
    return Starlette(
        routes=routes,
        exception_handlers={HTTPException: _http_error, Exception: _any_error},
    )


def _http_error(request: Request, error: Exception) -> Response:
    """What the router itself refuses: an unknown path, or a method a path does not have."""
    headers = dict(getattr(error, "headers", None) or {})
    found: NexomeError = unknown_route(request)
    if getattr(error, "status_code", 404) == 405:
        found = MethodError(
            f"{request.method} is not answered here",
            where=request.url.path[:200],
            expected=headers.get("Allow", "GET"),
        )
    return error_response(found, request, headers=headers)


def _any_error(request: Request, error: Exception) -> Response:
    return error_response(error, request)
