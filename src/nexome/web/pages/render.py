"""From a page to HTML: the templates, their filters, and the built scripts and styles with their names.

Templates escape everything; what is markup comes from svg.py alone. Files in static/ carry a fingerprint
in their name (manifest.json, written by web/build.mjs); a tree without them gives plain, complete pages.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from nexome.access.targets import decide_centre
from nexome.model.errors import NexomeError
from nexome.web.pages import numbers
from nexome.web.pages.language import Language, languages
from nexome.web.pages.page import Ask, Link, Page, address
from nexome.web.pages.problem import problem_of

STATIC_PATH: Final = "/static"


def static_folder() -> Path:
    """Where the built scripts and styles lie."""
    return Path(str(resources.files("nexome.web") / "static"))


@cache
def static_files() -> dict[str, str]:
    """Address of each built file by its plain name ('site.css'); empty where nothing was built."""
    try:
        names = json.loads((static_folder() / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {plain: f"{STATIC_PATH}/{name}" for plain, name in names.items()}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("nexome.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "p": numbers.p_text,
        "effect": numbers.effect_text,
        "frequency": numbers.frequency_text,
        "ratio": numbers.ratio_text,
        "count": numbers.count_text,
        "bases": numbers.bases_text,
        "quantity": numbers.quantity_text,
    }
    return environment


def render(page: Page, ask: Ask) -> str:
    """The HTML of a page."""
    return _html(page, t=ask.t, href=ask.href, links=_language_links(ask), ask=ask, site=_site(ask))


def render_bare(page: Page, language: Language, *, path: str) -> str:
    """The HTML of a page for which no View could be made (a token that opens nothing, a damaged root)."""

    def href(*parts: str, **query: Any) -> str:
        return address(language.code, *parts, **query)

    links = [Link(other.name, f"/{code}{path}", code == language.code) for code, other in languages().items()]
    return _html(page, t=language, href=href, links=links, ask=None, site="Nexome")


def _html(page: Page, **context: Any) -> str:
    def failure(error: NexomeError) -> Page:
        return problem_of(error, context["t"])

    ask: Ask | None = context["ask"]
    template = _environment().get_template(page.template)
    return template.render(
        director=ask is not None and decide_centre(ask.view.principal).allowed,
        cohorts=ask is not None and ask.view.has_cohorts,
        version=version("nexome"),
        page=page,
        static=static_files(),
        failure=failure,
        all=languages(),
        **context,
    )


def _site(ask: Ask) -> str:
    return str(getattr(ask.settings, f"title_{ask.t.code}", "") or ask.settings.title_en)


def _language_links(ask: Ask) -> list[Link]:
    """The same page in every language."""
    query = ask.again().partition("?")[2]
    return [
        Link(other.name, ask.path_in(code) + (f"?{query}" if query else ""), code == ask.t.code)
        for code, other in languages().items()
    ]
