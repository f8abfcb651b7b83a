"""Signing in with a token: the page that asks for it, and what becomes of a token that was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nexome.web.pages.page import Ask, Page


@dataclass(frozen=True)
class SignInPage(Page):
    """The form for a token. `holder` names who is signed in already, '' for nobody."""

    template: ClassVar[str] = "sign_in.html"
    holder: str


def build_sign_in(ask: Ask) -> SignInPage:
    """The page to sign in or out."""
    principal = ask.view.principal
    holder = "" if principal.kind == "anonymous" else principal.name or principal.kind
    return SignInPage(title=ask.t("sign_in.title"), holder=holder)
