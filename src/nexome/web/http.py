"""What pages and API share about HTTP: the token of a request, ETags, caching, security headers.

Nothing here knows a page, a route or a format.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from isal import igzip
from starlette.requests import Request
from starlette.responses import Response

WORTH_PACKING: Final = 1_000  # bytes; below, the headers weigh more than what is saved
TOKEN_COOKIE: Final = "nexome_token"  # noqa: S105 - the name of a cookie, not a token

# Everything comes from this server: no third party, no inline script or style, no framing.
SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

# For the one page whose island (igv.js) writes style sheets into it; scripts stay as strict as everywhere.
INLINE_STYLES_POLICY: Final = (
    SECURITY_HEADERS["Content-Security-Policy"] + "; style-src 'self' 'unsafe-inline'"
)


def read_token(request: Request, *, cookie: bool = False) -> str | None:
    """The token a request carries: `Authorization: Bearer …`, else, with `cookie`, the pages' own.

    Ask for the cookie only where nothing is changed.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return (request.cookies.get(TOKEN_COOKIE) or None) if cookie else None


def etag_of(body: bytes) -> str:
    """A strong ETag of a body: the first 128 bits of its SHA-256, quoted."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def etag_matches(request: Request, etag: str) -> bool:
    """Whether the client already holds this version (If-None-Match, RFC 9110 §13.1.2)."""
    held = [
        part.strip().removeprefix("W/").replace('-gzip"', '"')
        for part in request.headers.get("if-none-match", "").split(",")
    ]
    return etag in held or "*" in held


def packed(request: Request, response: Response) -> Response:
    """The response with its body as gzip, where the client takes that and it is worth it."""
    if "gzip" not in request.headers.get("accept-encoding", "") or len(response.body) < WORTH_PACKING:
        return response
    # mtime 0: the same body gives the same bytes. isal packs about ten times as fast as zlib.
    response.body = igzip.compress(bytes(response.body), mtime=0)
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(response.body))
    response.headers.add_vary_header("Accept-Encoding")
    if etag := response.headers.get("etag"):
        response.headers["ETag"] = f'{etag[:-1]}-gzip"'
    return response


def cached(request: Request, response: Response, *, scope: str, etag: str | None = None) -> Response:
    """The response with its caching: public with ETag for scope 'open', else, or where posted, never stored.

    An open answer the client already holds becomes an empty 304. `etag` is made from the body when not
    given; give one (of `View.sequence` and `View.scope`) where the body is long.
    """
    if scope != "open" or request.method == "POST":
        response.headers["Cache-Control"] = "no-store"
        return response
    tag = etag or etag_of(bytes(response.body))
    headers = {"ETag": tag, "Cache-Control": "public, no-cache", "Vary": "Accept, Authorization, Cookie"}
    if etag_matches(request, tag):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response
