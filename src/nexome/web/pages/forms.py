"""Forms that are sent by POST: what they hold, and that they are this site's own.

A form of another site is refused: a browser sends this site's cookie along with none (SameSite=Lax), and says
where a form comes from (Sec-Fetch-Site).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request

from nexome.model.errors import RefusedError
from nexome.web.api.errors import TooLargeError

Form = Mapping[str, Sequence[str]]
FIELDS_MAX: Final = 500


async def read_form(request: Request, *, most: int) -> Form:
    """The fields of a posted form (application/x-www-form-urlencoded) of at most `most` bytes.

    Raises RefusedError for a form of another site, TooLargeError for a longer one or one of too many fields.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise RefusedError("a form of another site", reason="foreign_form")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise TooLargeError("a form too long", expected=f"at most {most:,} bytes")
    try:
        return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise TooLargeError("a form of too many fields", expected=f"at most {FIELDS_MAX}") from None


def first(form: Form, name: str) -> str:
    """The first value of a field, '' where it has none."""
    return form.get(name, [""])[0]
