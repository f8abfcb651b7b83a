"""The documentation, shown by the centre itself: the list of pages, and each page in the reader's language.

What is written stands in the folder docs (`formats.handbook`); a page without a Chinese text is shown in
English, and says so. Markdown is rendered here: HTML in it is text, links between pages lead to pages, links
to what is not shown name the file among the sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from unicodedata import east_asian_width
from urllib.parse import quote

from markdown_it.token import Token
from markupsafe import Markup, escape

from nexome.formats import handbook
from nexome.formats.handbook import Answers, HandbookPage
from nexome.web.pages.page import Ask, Download, Link, Page

MOST_CONTENTS: Final = 40  # sections listed at the head of a page


@dataclass(frozen=True, slots=True)
class Listed:
    """A page in the list: its title and address, what it answers, whether it is in another language."""

    title: str
    href: str
    answers: tuple[str, ...]
    language: str


@dataclass(frozen=True)
class DocsPage(Page):
    """All pages of documentation, by part."""

    template: ClassVar[str] = "docs.html"
    parts: tuple[tuple[str, tuple[Listed, ...]], ...]


@dataclass(frozen=True)
class DocPage(Page):
    """One page. `body` is made from Markdown; `language`: of the text; `contents`: links to its sections."""

    template: ClassVar[str] = "doc.html"
    language: str
    own_title: str
    contents: tuple[Link, ...]
    body: Markup


def build_docs(ask: Ask) -> DocsPage:
    """The list of all pages."""
    there = frozenset(handbook.pages())
    parts = (
        (part, tuple(_listed(ask, name) for name in names if name in there))
        for part, names in handbook.PARTS.items()
    )
    return DocsPage(ask.t("docs.title"), tuple(part for part in parts if part[1]))


def build_doc(ask: Ask, *, page: str) -> DocPage:
    """A page by its name. Raises NotFoundError."""
    shown = handbook.read_page(page, ask.t.code if ask.t.code in handbook.LANGUAGES else "en")
    contents = tuple(
        Link(_section_title(ask, shown, section.anchor, section.title), f"#{section.anchor}")
        for section in shown.sections[1:]
        if section.level == 2
    )
    few = 1 < len(contents) <= MOST_CONTENTS
    return DocPage(
        _title(ask, page),
        language=shown.language,
        own_title=shown.title,
        contents=contents if few else (),
        body=_Renderer(ask, shown).body(),
    )


def build_doc_picture(ask: Ask, *, name: str) -> Download:  # noqa: ARG001  pictures are the same for everyone
    """A picture of the documentation. Raises NotFoundError."""
    return Download(handbook.picture(f"images/{name}"), "image/png", name)


def _listed(ask: Ask, name: str) -> Listed:
    told = handbook.answers().get(name, Answers())
    own = told.chinese if ask.t.code == "zh" else told.english
    language = handbook.read_page(name, ask.t.code).language
    return Listed(_title(ask, name), _href(ask, name), own, "" if language == ask.t.code else language)


def _title(ask: Ask, name: str) -> str:
    return ask.t.either(*handbook.titles(name))


def _section_title(ask: Ask, page: HandbookPage, anchor: str, title: str) -> str:
    """What a section is called in the reader's language, as far as it has a name there."""
    told = handbook.answers().get(f"{page.name}#{anchor}", Answers()).title
    return told if told and ask.t.code == "zh" != page.language else title


def _href(ask: Ask, name: str, language: str = "") -> str:
    path = "/".join(quote(part) for part in ("docs", *name.split("/")))
    return f"/{language or ask.t.code}/{path}"


class _Renderer:
    """One page from Markdown to HTML."""

    def __init__(self, ask: Ask, page: HandbookPage) -> None:
        self._ask, self._page = ask, page
        self._markdown = handbook.markdown()
        for name, rule in _RULES.items():
            self._markdown.add_render_rule(name, rule)

    def body(self) -> Markup:
        """All but the title, which the page shows itself."""
        tokens = list(self._tokens(self._markdown.parse(self._page.text)))
        told = {"table": self._ask.t("docs.table")}
        html = self._markdown.renderer.render(tokens, self._markdown.options, told)
        return Markup(html)  # noqa: S704  the renderer escapes all texts, and HTML among them is text

    def _tokens(self, tokens: Sequence[Token]) -> Iterator[Token]:
        sections = iter(self._page.sections)
        title = True
        for at, token in enumerate(tokens):
            if token.type == "heading_open":
                token.attrSet("id", next(sections).anchor)
            if title and token.type in ("heading_open", "inline", "heading_close"):
                title = token.type != "heading_close"
                continue
            if token.type in ("th_open", "th_close"):
                self._head_cell(token, tokens[at + 1 if token.type == "th_open" else at - 1])
            if token.children:
                token.children = list(self._inline(token.children))
            yield token

    @staticmethod
    def _head_cell(token: Token, inline: Token) -> None:
        """A head without words is a cell: it names no column."""
        if not inline.content.strip():
            token.tag = "td"
        elif token.nesting == 1:
            token.attrSet("scope", "col")

    def _inline(self, children: Sequence[Token]) -> Iterator[Token]:
        behind: list[str] = []
        for at, token in enumerate(children):
            if token.type == "softbreak" and _joins(children, at):
                continue
            if token.type == "image":
                path = str(token.attrGet("src") or "").rpartition("/")[2]
                token.attrSet("src", f"/{self._ask.t.code}/docs/images/{quote(path)}")
                token.attrSet("loading", "lazy")
            elif token.type == "link_open":
                behind.append(self._link(token))
            elif token.type == "link_close":
                token.tag = "a" if behind[-1] in ("", " ↗") else "span"
                yield token
                yield Token("text", "", 0, content=behind.pop())
                continue
            yield token

    def _link(self, token: Token) -> str:
        """Let a link lead to what it means here; what is told behind it."""
        link = str(token.attrGet("href") or "")
        if "://" in link:
            token.attrSet("rel", "external noreferrer")
            return " ↗"
        target = handbook.target_of(link, self._page.name)
        if target.page:
            anchor = f"#{target.anchor}" if target.anchor else ""
            here = "" if target.language in ("", "en") else target.language
            own = target.page == self._page.name and not target.language
            token.attrSet("href", anchor if own else _href(self._ask, target.page, here) + anchor)
            return ""
        token.tag, token.attrs = "span", {"class": "elsewhere"}
        return f" (docs/{target.path})" if not target.path.startswith("..") else f" ({target.path[3:]})"


def _joins(children: Sequence[Token], at: int) -> bool:
    """Whether a line break stands between two Chinese characters, where no blank belongs."""
    around = [children[place].content for place in (at - 1, at + 1) if 0 <= place < len(children)]
    return len(around) == 2 and all(around) and _is_wide(around[0][-1]) and _is_wide(around[1][0])


def _is_wide(character: str) -> bool:
    return east_asian_width(character) in "WF"


# ---------------------------------------------------------------- rules of the renderer, which calls them


def _table_open(_: Any, __: Sequence[Token], ___: int, ____: Any, env: Any) -> str:
    return f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(env["table"])}"><table>\n'


def _table_close(*_: Any) -> str:
    return "</table></div>\n"


def _program(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    return f'<pre tabindex="0"><code>{escape(tokens[at].content)}</code></pre>\n'


_RULES: Final = {
    "table_open": _table_open,
    "table_close": _table_close,
    "fence": _program,
    "code_block": _program,
}
