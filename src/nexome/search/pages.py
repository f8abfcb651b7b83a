"""Pages that search finds: the site's own, and every term of art that its help explains; both languages.

The pages' texts (`web/locale/*.toml`) are read as data: this room knows no page's code. The folder docs is
not here: it does not come with an installed Nexome, and what it explains for readers the help explains too.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from typing import Any, Final

from nexome.model.knowledge import Name
from nexome.search.records import SearchRecord

_BRACKETS: Final = re.compile(r"[()（）]")
_PAGES: Final = {
    "studies": "nav.studies",
    "traits": "nav.traits",
    "explore": "explore.kind",
    "compare": "compare.nav",
    "browse": "nav.tracks",
    "help": "help_page.title",
}
"""Address behind the language → the text that names the page."""


def page_records() -> Iterator[SearchRecord]:
    """Pages as records; `id` is the address behind the language ('help#ld')."""
    texts = {code: _texts(code) for code in ("en", "zh")}
    for path, key in _PAGES.items():
        yield _page(path, {code: _text(texts[code], key) for code in texts})
    for term, told in texts["en"]["help"].items():
        chinese = texts["zh"]["help"].get(term, told)
        yield _page(f"help#{term}", {"en": told["name"], "zh": chinese["name"]})


def _page(path: str, names: dict[str, str]) -> SearchRecord:
    found = [Name(names["en"], "label", "en")]
    if names["zh"] != names["en"]:
        found.append(Name(names["zh"], "translation", "zh"))
    for code, text in names.items():  # "LD (linkage disequilibrium)" is called either
        parts = [part.strip() for part in _BRACKETS.split(text) if part.strip()]
        found += [Name(part, "exact", code) for part in parts if len(parts) > 1]
    return SearchRecord("page", path, found)


def _texts(code: str) -> dict[str, Any]:
    path = resources.files("nexome") / "web" / "locale" / f"{code}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _text(texts: dict[str, Any], key: str) -> str:
    found: Any = texts
    for part in key.split("."):
        found = found[part]
    return str(found)
