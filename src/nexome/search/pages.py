"""Pages that search finds: the site's own, every term of art that its help explains, the documentation.

The pages' texts (`web/locale/*.toml`) are read as data: this room knows no page's code. Of the documentation
each page and section is a record, called by its heading, by the page's title with it, and by the questions it
answers (`formats.handbook`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from typing import Any, Final

from nexome.formats.handbook import Answers, Section, answers, pages, read_page, titles
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
    yield from handbook_records()


def handbook_records() -> Iterator[SearchRecord]:
    """Pages of documentation and their sections; `id` is 'docs/import' or 'docs/import#many-files'."""
    for name in pages():
        english, chinese = read_page(name), read_page(name, "zh")
        own = {s.anchor: s.title for s in chinese.sections} if chinese.language == "zh" else {}
        yield _record(name, *titles(name))
        for section in english.sections[1:]:
            yield _section(name, section, own.get(section.anchor, ""))


def _section(page: str, section: Section, chinese: str) -> SearchRecord:
    place = f"{page}#{section.anchor}"
    title, title_zh = titles(page)
    told = chinese or answers().get(place, Answers()).title
    found = _record(place, section.title, told, note=title)
    short = title.partition(":")[0]
    whole = [Name(f"{short}: {section.title}", "exact", "en")]
    if told and title_zh:
        whole.append(Name(f"{title_zh}：{told}", "exact", "zh"))
    return replace(found, names=[*found.names, *whole])


def _record(place: str, title: str, title_zh: str, *, note: str = "") -> SearchRecord:
    told = answers().get(place, Answers())
    names = [Name(title, "label", "en")]
    names += [Name(title_zh, "translation", "zh")] if title_zh else []
    names += [Name(text, "exact", "en") for text in told.english]
    names += [Name(text, "exact", "zh") for text in told.chinese]
    return SearchRecord("page", f"docs/{place}", names, note=note)


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
