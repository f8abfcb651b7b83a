"""The documentation for users, as Markdown: which pages there are, their sections, and what a link points to.

    docs/<page>.md, docs/<page>.zh.md      in a checkout
    docs/handbook.toml                     what pages and sections answer, as people ask; Chinese titles
    nexome/handbook/…                      the same files in an installed Nexome (setup.py copies them)

A page is called by its path without the ending (formats/inputs). Where a Chinese page has the sections of the
English one, both have the English anchors, so that an address holds in either language. Nothing is rendered
here.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from nexome.model.errors import NotFoundError

PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "begin": ("tutorial", "tutorial-explorer", "install/laptop", "install/server", "install/upgrade"),
    "bring": (
        *("import", "formats/inputs", "genotypes", "tracks", "knowledge"),
        *("cohorts", "formats/cohort-files", "harmonise", "formats/mapping", "harmonisation-real"),
    ),
    "ask": (
        *("search", "pages", "explorer", "interpret", "ld", "edges"),
        *("cohort-questions", "reference-values"),
    ),
    "keep": (
        *("disclosure", "measures", "cockpit", "targets/README", "targets/links", "targets/scoring"),
        *("targets/report", "formats/store-files", "formats/association-store"),
    ),
    "look": (
        *("reference/commands", "reference/routes", "reference/settings", "reference/fields"),
        *("reference/errors", "reference/measures", "reference/licences", "not-yet"),
    ),
}
"""Parts of the documentation → their pages, in the order in which they are shown."""
PAGES: Final = tuple(page for pages in PARTS.values() for page in pages)
LANGUAGES: Final = ("en", "zh")
_ENDINGS: Final = {"en": ".md", "zh": ".zh.md"}
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_NOT_IN_ANCHORS: Final = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading: its level from 1, its text without marks, the anchor it is reached by."""

    level: int
    title: str
    anchor: str


@dataclass(frozen=True, slots=True)
class HandbookPage:
    """One page in one language. `sections`: its headings, the title first; `text` is Markdown."""

    name: str
    language: str
    text: str
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        """Its first heading."""
        return self.sections[0].title if self.sections else self.name


@dataclass(frozen=True, slots=True)
class Answers:
    """What a page or section answers: questions in English and Chinese; its Chinese title, where needed."""

    english: tuple[str, ...] = ()
    chinese: tuple[str, ...] = ()
    title: str = ""


class Target(NamedTuple):
    """What a link of a page points to: a page of the handbook in a language, or '' and a file by its path."""

    page: str
    language: str
    path: str
    anchor: str


def markdown() -> MarkdownIt:
    """The Markdown that pages are written in: CommonMark with tables; HTML in it is text."""
    return MarkdownIt("commonmark", {"html": False}).enable("table")


@cache
def handbook_folder() -> Path | None:
    """Where the pages lie; None in an installation that came without them."""
    packaged = Path(str(resources.files("nexome"))) / "handbook"
    checkout = Path(__file__).resolve().parents[3] / "docs"
    return next((folder for folder in (packaged, checkout) if (folder / "import.md").exists()), None)


@cache
def read_page(name: str, language: str = "en") -> HandbookPage:
    """A page in a language, in English where it is written in that alone. Raises NotFoundError."""
    folder = handbook_folder()
    if name not in PAGES or folder is None or not (folder / f"{name}.md").exists():
        raise NotFoundError(f"no page {name[:80]!r}", todo="See the list of documentation.")
    if not (folder / f"{name}{_ENDINGS[language]}").exists():
        language = "en"
    text = _COMMENT.sub("", (folder / f"{name}{_ENDINGS[language]}").read_text(encoding="utf-8"))
    sections = sections_of(markdown().parse(text))
    if language != "en":
        sections = _with_anchors_of(sections, read_page(name).sections)
    return HandbookPage(name, language, text, sections)


@cache
def answers() -> Mapping[str, Answers]:
    """What pages ('cohorts') and sections ('cohorts#importing') answer."""
    folder = handbook_folder()
    if folder is None:
        return {}
    told = tomllib.loads((folder / "handbook.toml").read_text(encoding="utf-8"))
    return {
        place: Answers(tuple(row.get("en", ())), tuple(row.get("zh", ())), row.get("title", ""))
        for place, row in told.items()
    }


def titles(name: str) -> tuple[str, str]:
    """What a page is called in English and in Chinese ('' where it has no Chinese name)."""
    chinese = read_page(name, "zh")
    told = answers().get(name, Answers()).title
    return read_page(name).title, chinese.title if chinese.language == "zh" else told


def pages() -> tuple[str, ...]:
    """Names of the pages that are there."""
    folder = handbook_folder()
    return tuple(name for name in PAGES if folder is not None and (folder / f"{name}.md").exists())


@cache
def handbook_digest() -> str:
    """Changes when a page does."""
    texts = [repr(answers()), *(read_page(name, code).text for name in pages() for code in LANGUAGES)]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def picture(path: str) -> bytes:
    """A picture by its path among the pages ('images/x.png'). Raises NotFoundError."""
    folder = handbook_folder()
    if folder is not None and re.fullmatch(r"images/[\w-]+\.png", path) and (folder / path).exists():
        return (folder / path).read_bytes()
    raise NotFoundError(f"no picture {path[:80]!r}")


def sections_of(tokens: Sequence[Token]) -> tuple[Section, ...]:
    """The headings of a parsed page, in order; one that is there twice has -1 behind its anchor."""
    found: list[Section] = []
    taken: dict[str, int] = {}
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            title = _plain(tokens[at + 1])
            anchor = _anchor(title)
            taken[anchor] = taken.get(anchor, -1) + 1
            behind = f"-{taken[anchor]}" if taken[anchor] else ""
            found.append(Section(int(token.tag[1]), title, anchor + behind))
    return tuple(found)


def target_of(link: str, page: str) -> Target:
    """What a relative link on a page points to."""
    path, _, anchor = link.partition("#")
    whole = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else f"{page}.md"
    for language in ("zh", "en"):
        name = whole.removesuffix(_ENDINGS[language])
        if name != whole and name in PAGES:
            return Target(name, language if path else "", whole, anchor)
    return Target("", "", whole, anchor)


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or () if child.type in ("text", "code_inline"))


def _anchor(title: str) -> str:
    """As GitHub makes it: small letters, no signs but hyphens, blanks as hyphens.

    >>> _anchor("Who may see it, later")
    'who-may-see-it-later'
    """
    return _NOT_IN_ANCHORS.sub("", title.lower()).replace(" ", "-")


def _with_anchors_of(sections: tuple[Section, ...], english: tuple[Section, ...]) -> tuple[Section, ...]:
    if [s.level for s in sections] != [s.level for s in english]:
        return sections
    pairs = zip(sections, english, strict=True)
    return tuple(Section(own.level, own.title, other.anchor) for own, other in pairs)
