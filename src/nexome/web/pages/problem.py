"""The page of an error: what happened, why, and how to go on. Never a traceback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from nexome.model.errors import NexomeError, QueryError, RefusedError
from nexome.web.pages.language import Language
from nexome.web.pages.page import Page

TOKEN_REASONS: Final = frozenset({"token_unknown", "token_expired", "token_revoked"})


@dataclass(frozen=True)
class ProblemPage(Page):
    """An error as a page.

    `code` is the HTTP status; `lead` one sentence in the reader's language; `detail`, `expected` and
    `todo` as the error states them; `spellings` asks for the list of what the search box understands;
    `sign_in` offers to sign in.
    """

    template: ClassVar[str] = "problem.html"
    code: int
    lead: str
    detail: str
    expected: str
    todo: str
    spellings: bool
    sign_in: bool


def problem_of(error: NexomeError, t: Language) -> ProblemPage:
    """The page of an error in a language."""
    reason = error.reason if isinstance(error, RefusedError) else ""
    kind = error.code if f"problem.{error.code}.title" in t.texts else "error"
    lead = t.of("reason", reason) if reason else t(f"problem.{kind}.lead")
    # What is wrong with the server (paths, processes) is for its log, not for a reader.
    told = error.http_status < 500
    where = f"{error.where}: " if error.where else ""
    return ProblemPage(
        title=t(f"problem.{kind}.title"),
        code=error.http_status,
        lead=lead,
        detail=f"{where}{error.found}" if told else "",
        expected=error.expected if told else "",
        todo=error.todo if told else "",
        spellings=isinstance(error, QueryError),
        sign_in=bool(reason),
    )
