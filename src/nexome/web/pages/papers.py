"""The papers: their list, and one paper with what was found wrong beside the lines it concerns.

For the owner and directors (`access.targets`). The text is the file's own, line by line; long papers come in
pages, and first come only the lines that something was found on, with their neighbours.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Final

from nexome.access.targets import centre_of
from nexome.formats.document import Line, read_document
from nexome.model.errors import FormatError, NotFoundError
from nexome.report.findings import RULES, SEVERITIES, Finding
from nexome.report.paper import Paper
from nexome.report.standing import findings_of, kept_paper, newest_projects
from nexome.store.papers import KeptPaper, paper_names, paper_versions, read_kept
from nexome.web.pages.money import money_text
from nexome.web.pages.page import Ask, Card, Link, Page, Paging, card_of, paging_of

LINES: Final = 300  # of one page of the whole text
BESIDE: Final = 1  # lines shown before and after one with a finding
MOST_LETTERS: Final = 600  # of one line; tables that a converter left in one line have tens of thousands
_TAG: Final = re.compile(r"<[^<>]{1,80}>")


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A paper of the list: its pages, issuer, year, what it holds, what was found, when it came."""

    href: str
    name: str
    issuer: str
    year: str
    version: int
    budgets: int
    budget_href: str
    projects: int
    indicators: int
    findings: tuple[tuple[str, int], ...]
    imported: str


@dataclass(frozen=True)
class PapersPage(Page):
    """The list of papers, newest year first."""

    template: ClassVar[str] = "papers.html"
    rows: tuple[PaperRow, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A finding beside its line: severity, rule in words, the sentence, the other line (0: none)."""

    severity: str
    rule: str
    text: str
    other: int


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of the paper with its notes; `gap` says that lines before it are left out."""

    number: int
    text: str
    notes: tuple[Note, ...]
    gap: bool


@dataclass(frozen=True, slots=True)
class Text:
    """Lines that are shown, and where they lie in the whole (None: excerpts)."""

    lines: tuple[TextLine, ...]
    paging: Paging | None


@dataclass(frozen=True, slots=True)
class Held:
    """A table or project of the paper: its page, name, what is beside it, its line."""

    href: str
    name: str
    note: str
    line: int


@dataclass(frozen=True)
class PaperPage(Page):
    """One paper: facts as (name, value), views of its text as links, its tables, its projects."""

    template: ClassVar[str] = "paper.html"
    name: str
    issuer: str
    facts: tuple[tuple[str, str], ...]
    views: tuple[Link, ...]
    passages: Card[Text]
    budgets: tuple[Held, ...]
    projects: tuple[Held, ...]
    budget_href: str
    unread: int


def build_papers(ask: Ask) -> PapersPage:
    """The list of all papers that are kept."""
    root = centre_of(ask.view).root.path
    rows = [_row(ask, root, name) for name in paper_names(root)]
    return PapersPage(
        title=ask.t("papers.title"), rows=tuple(sorted(rows, key=lambda r: (r.year, r.name), reverse=True))
    )


def _row(ask: Ask, root: Path, name: str) -> PaperRow:
    paper, kept = kept_paper(root, name), read_kept(root, name)
    found = Counter(finding.severity for finding in findings_of(root, name))
    return PaperRow(
        href=ask.href("papers", name),
        name=name,
        issuer=paper.issuer,
        year=paper.year,
        version=kept.version,
        budgets=len(paper.budgets),
        budget_href=ask.href("papers", name, "budget") if paper.budgets else "",
        projects=sum(table.kind == "project" for table in paper.targets),
        indicators=paper.indicators,
        findings=tuple((severity, found[severity]) for severity in SEVERITIES),
        imported=kept.imported[:10],
    )


def build_paper(ask: Ask, *, paper: str) -> PaperPage:
    """One paper by its name; parameter `text`: a severity, 'all' findings (the default) or 'whole'."""
    root = centre_of(ask.view).root.path
    kept, read = read_kept(root, paper), kept_paper(root, paper)
    findings = findings_of(root, paper)
    view = ask.choice("text", ("all", *SEVERITIES, "whole"), "all")
    chosen = [f for f in findings if view in {"all", "whole", f.severity}]
    counts = Counter(finding.severity for finding in findings)
    views = [("all", len(findings)), *((s, counts[s]) for s in SEVERITIES), ("whole", None)]
    return PaperPage(
        title=ask.t("paper.title", paper=paper),
        name=paper,
        issuer=read.issuer,
        facts=_facts(ask, root, kept),
        views=tuple(
            Link(ask.t.of("paper.view", v), ask.again(text=v, page=None), v == view, n) for v, n in views
        ),
        passages=card_of(lambda: _text(ask, kept, chosen, whole=view == "whole")),
        budgets=tuple(_budgets(ask, paper, read)),
        projects=tuple(_projects(ask, root, paper)),
        budget_href=ask.href("papers", paper, "budget") if read.budgets else "",
        unread=len(read.unread),
    )


def _facts(ask: Ask, root: Path, kept: KeptPaper) -> tuple[tuple[str, str], ...]:
    read = kept_paper(root, kept.name)
    versions = len(paper_versions(root, kept.name))
    facts = (
        ("year", read.year),
        ("version", ask.t("paper.version_of", version=kept.version, versions=versions)),
        ("imported", kept.imported[:10]),
        ("file", read.source),
        ("budgets", f"{len(read.budgets):,}"),
        ("projects", f"{len(read.targets):,}"),
        ("indicators", f"{read.indicators:,}"),
    )
    return tuple((ask.t.of("paper.fact", name), value) for name, value in facts if value)


def _budgets(ask: Ask, name: str, paper: Paper) -> Iterable[Held]:
    for table in paper.budgets:
        href = ask.href("papers", name, "budget") + f"#{table.kind}"
        yield Held(href, table.title, ask.t("paper.rows", n=len(table.rows)), table.line)


def _projects(ask: Ask, root: Path, paper: str) -> Iterable[Held]:
    for project in newest_projects(root, paper):
        fund = project.table.fund("total") or project.table.fund("budget", "项目当年预算")
        parts = [
            money_text(fund.amount.yuan, ask.t) if fund else "",
            ask.t("paper.indicators", n=len(project.items)),
        ]
        yield Held(
            ask.href("papers", paper, "projects", project.key),
            project.table.name or project.table.title,
            " · ".join(part for part in parts if part),
            project.table.line,
        )


# ---------------------------------------------------------------- text


def _text(ask: Ask, kept: KeptPaper, findings: list[Finding], *, whole: bool) -> Text:
    lines = _lines_of(kept.path)
    notes: dict[int, list[Note]] = {}
    for finding in findings:
        for line, other in ((finding.line, finding.other_line), (finding.other_line, finding.line)):
            if line and (line == finding.line or line != other):
                notes.setdefault(line, []).append(_note(ask, finding, other))
    if whole:
        paging = paging_of(ask, total=len(lines), size=LINES)
        shown = lines[max(paging.first - 1, 0) : paging.last]
        return Text(tuple(_joined(shown, notes)), paging)
    near = {line + step for line in notes for step in range(-BESIDE, BESIDE + 1)}
    return Text(tuple(_joined([line for line in lines if line.number in near], notes)), None)


def _note(ask: Ask, finding: Finding, other: int) -> Note:
    zh = ask.t.code == "zh"
    return Note(finding.severity, RULES[finding.rule][int(zh)], finding.zh if zh else finding.en, other)


def _joined(lines: Iterable[Line], notes: dict[int, list[Note]]) -> Iterable[TextLine]:
    before = None
    for line in lines:
        own = tuple(notes.get(line.number, ()))
        text = _plain(line.text)
        if text or own:
            yield TextLine(line.number, text, own, gap=before is not None and line.number > before + 1)
            before = line.number
        elif before is not None and line.number == before + 1:
            before = line.number  # an empty line is no gap


def _plain(text: str) -> str:
    """A line without a converter's tags, cut where it is very long; tabs stand as wide spaces."""
    bare = " ".join(_TAG.sub(" ", text.replace("\t", " \u2003 ")).split(" ")).strip()
    return bare if len(bare) <= MOST_LETTERS else bare[:MOST_LETTERS] + " …"


@lru_cache(maxsize=8)
def _lines_of(folder: Path) -> tuple[Line, ...]:
    """The lines of a version's source file: versions never change."""
    source = next((path for path in sorted(folder.iterdir()) if path.stem == "source"), None)
    if source is None:
        raise NotFoundError("the paper's own file is not there", where=folder.name, todo="Import it again.")
    try:
        return read_document(source).lines
    except FormatError as error:
        raise error.at(folder.parent.name) from None
