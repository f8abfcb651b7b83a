"""The languages of the pages: one table of texts a language, `web/locale/<code>.toml`.

A text is found by its dotted name ("study.title"). It may hold {names}, filled in when asked for. Where a
text depends on a number it is a table with `one` and `other`; languages without that difference give `other`
alone. The languages are the files that are there: adding one needs no code. Nothing here knows pages.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from nexome.web.pages.numbers import count_text

_PLURALS: Final = ({"other"}, {"one", "other"})  # tables that are one text
FALLBACK: Final = "en"  # the language of a reader whose browser asks for none of ours


@dataclass(frozen=True)
class Language:
    """One language: its code in the path ('zh'), its BCP 47 tag ('zh-Hans'), its own name, its texts."""

    code: str
    tag: str
    name: str
    texts: Mapping[str, str | Mapping[str, str]]

    def __call__(self, key: str, **values: Any) -> str:
        """The text called `key`, filled in; whole numbers are written with thousands separated.

        Raises KeyError for a name that is not declared: a test holds that no page asks for one.
        """
        text = self.texts[key]
        if not isinstance(text, str):
            text = text["one"] if values.get("n") == 1 and "one" in text else text["other"]
        shown = {k: count_text(v) if isinstance(v, int) else v for k, v in values.items()}
        return text.format(**shown)

    def of(self, family: str, member: str) -> str:
        """The text of one member of a family ('access', 'open'); the member itself where undeclared."""
        text = self.texts.get(f"{family}.{member}", member)
        return text if isinstance(text, str) else text["other"]

    def field(self, record: object, name: str) -> str:
        """A record's text in this language ('title_zh' for zh), else its plain one, else any it has."""
        return self._first(name, lambda own: getattr(record, own, ""))

    def named(self, row: Mapping[str, Any], name: str, otherwise: str = "") -> str:
        """As `field`, of a row of a table; `otherwise` where it has none."""
        return self._first(name, row.get) or otherwise

    def either(self, plain: str | None, chinese: str | None) -> str:
        """The one of two texts that is in this language, else the other; '' where there is neither."""
        return self.both(plain, chinese)[0]

    def both(self, plain: str | None, chinese: str | None) -> tuple[str, str]:
        """As `either`, and beside it the text in the other language, '' where there is none."""
        own, other = (chinese, plain) if self.code == "zh" else (plain, chinese)
        return own or other or "", other or ""

    def _first(self, name: str, read: Callable[[str], Any]) -> str:
        names = (f"{name}_{self.code}", name, *(f"{name}_{code}" for code in languages()))
        return next((str(text) for own in names if (text := read(own))), "")


@cache
def languages() -> Mapping[str, Language]:
    """All languages by code, the fallback first."""
    folder = resources.files("nexome.web") / "locale"
    found = {}
    for entry in sorted(folder.iterdir(), key=lambda e: (e.name != f"{FALLBACK}.toml", e.name)):
        if entry.name.endswith(".toml"):
            code = entry.name.removesuffix(".toml")
            table = tomllib.loads(entry.read_text(encoding="utf-8"))
            own = table.pop("language")
            found[code] = Language(code, own["tag"], own["name"], dict(_flatten(table, "")))
    return found


def choose_language(accept_language: str) -> Language:
    """The language a browser would rather read (RFC 9110 §12.5.4), the fallback when none fits.

    >>> choose_language("zh-CN,zh;q=0.9,en;q=0.8").code
    'zh'
    """
    wanted = []
    for place, part in enumerate(accept_language.split(",")):
        tag, _, parameter = part.strip().partition(";")
        try:
            quality = float(parameter.partition("=")[2] or 1)
        except ValueError:
            quality = 0.0
        wanted.append((-quality, place, tag.split("-")[0].lower()))
    for quality, _, code in sorted(wanted):
        if quality < 0 and code in languages():
            return languages()[code]
    return languages()[FALLBACK]


def _flatten(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str | Mapping[str, str]]]:
    for name, value in table.items():
        if isinstance(value, str) or set(value) in _PLURALS:
            yield prefix + name, value
        else:
            yield from _flatten(value, f"{prefix}{name}.")
