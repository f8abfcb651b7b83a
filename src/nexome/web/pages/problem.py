"""The page of an error: what happened, why, and how to go on. Never a traceback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from nexome.model.errors import NexomeError, QueryError, RefusedError
from nexome.web.pages.language import Language
from nexome.web.pages.page import Page
from nexome.web.pages.sentences import Sentence, translate

TOKEN_REASONS: Final = frozenset({"token_unknown", "token_expired", "token_revoked"})


@dataclass(frozen=True)
class ProblemPage(Page):
    """An error as a page.

    `code` is the HTTP status; `lead` one sentence in the reader's language; `detail`, `expected` and
    `todo` what the error states, translated where there is a translation; `spellings` asks for the list
    of what the search box understands; `sign_in` offers to sign in.
    """

    template: ClassVar[str] = "problem.html"
    code: int
    lead: str
    detail: Sentence
    expected: Sentence
    todo: Sentence
    spellings: bool
    sign_in: bool


def problem_of(error: NexomeError, t: Language) -> ProblemPage:
    """The page of an error in a language."""
    reason = error.reason if isinstance(error, RefusedError) else ""
    kind = error.code if f"problem.{error.code}.title" in t.texts else "error"
    lead = t.of("reason", reason) if reason else t(f"problem.{kind}.lead")
    # What is wrong with the server (paths, processes) is for its log, not for a reader.
    told = error.http_status < 500
    return ProblemPage(
        title=t(f"problem.{kind}.title"),
        code=error.http_status,
        lead=lead,
        detail=_detail(error, t, reason) if told else Sentence(""),
        expected=translate(error.expected if told else "", t.code),
        todo=translate(error.todo if told else "", t.code),
        spellings=isinstance(error, QueryError),
        sign_in=bool(reason),
    )


def _detail(error: NexomeError, t: Language, reason: str) -> Sentence:
    """Where and what; what is left out when the reason says it already."""
    where, found = translate(error.where, t.code), translate("" if reason else error.found, t.code)
    colon = t("problem.colon") if where.text and found.text else ""
    return Sentence(f"{where.text}{colon}{found.text}", english=found.english)
