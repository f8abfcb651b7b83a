"""The page of terms: each term of art the pages use, in one place; `help.html` puts them beside the terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nexome.web.pages.language import Language
from nexome.web.pages.page import Ask, Page


@dataclass(frozen=True)
class HelpPage(Page):
    """Terms by their name in the address, sorted as the reader's language names them."""

    template: ClassVar[str] = "help_page.html"
    terms: tuple[str, ...]


def build_help(ask: Ask) -> HelpPage:
    """The page of all terms."""
    return HelpPage(title=ask.t("help_page.title"), terms=terms_of(ask.t))


def terms_of(t: Language) -> tuple[str, ...]:
    """Every term that is explained, by name."""
    found = {key.split(".")[1] for key in t.texts if key.startswith("help.")}
    return tuple(sorted(found, key=lambda term: t.of("help", f"{term}.name").casefold()))
