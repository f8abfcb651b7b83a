"""The cohort builder: a filter in words or by choices, groups, and how many people it holds for.

The address is the question: it can be kept, sent and changed. What may not be told says why, and which
coarser question would be answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from nexome.access.cohort_answers import CohortAnswer
from nexome.access.disclosure import Released
from nexome.model.cohorts import NUMERIC
from nexome.model.errors import NexomeError, RefusedError
from nexome.web.pages.cohort_parts import Option, how_counted, unit_text
from nexome.web.pages.numbers import MISSING, significant_text
from nexome.web.pages.page import API, Ask, Card, Link, Page, log_server_error, rows_of

GROUPS: Final = 2
_NONE: Final = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One group of an answer: its names, people, mean and SD, and why it is withheld ('' it is not)."""

    groups: tuple[str, ...]
    people: str
    mean: str
    sd: str
    withheld: str


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer: all people ('' not told), the groups that have anyone, how the filter was read."""

    total: str
    between: str
    heads: tuple[str, ...]
    measured: str
    rows: tuple[Row, ...]
    withheld: bool
    read_as: str
    notes: tuple[str, ...]
    counted: str
    api: str


@dataclass(frozen=True)
class BuilderPage(Page):
    """The form with what was asked, examples, the answer; `coarser`: a question that would be answered."""

    template: ClassVar[str] = "cohort_builder.html"
    cohorts: tuple[Option, ...]
    where: str
    groups: tuple[tuple[Option, ...], ...]
    measures: tuple[Option, ...]
    examples: tuple[Link, ...]
    answer: Card[Answered] | None
    reason: str
    coarser: Link | None
    words: tuple[tuple[str, str, str], ...]


def build_builder(ask: Ask) -> BuilderPage:
    """The page; parameters cohort, where, by, by2, of (a variable whose mean is asked), project."""
    known = rows_of(ask.view.cohorts())
    cohort = ask.query.get("cohort") or next(
        (row["cohort"] for row in known if row["cohort_kind"] == "harmonised"), ""
    )
    cohort = cohort or next((row["cohort"] for row in known), "")
    variables = rows_of(ask.view.variables(cohort)) if cohort else []
    asked = {name: ask.query.get(name, "").strip() for name in ("where", "by", "by2", "of", "project")}
    answer, error = (
        _ask(ask, cohort, asked)
        if cohort and (asked["where"] or asked["by"] or asked["of"])
        else (None, None)
    )
    refused = error if isinstance(error, RefusedError) else None
    return BuilderPage(
        title=ask.t("builder.title"),
        cohorts=tuple(_cohort_choice(ask, row, cohort) for row in known),
        where=asked["where"],
        groups=tuple(tuple(_groups(ask, variables, asked[name])) for name in ("by", "by2")),
        measures=tuple(_measures(ask, variables, asked["of"])),
        examples=tuple(_examples(ask, cohort, variables)),
        answer=Card(answer, error) if answer or error else None,
        reason=ask.t.of("reason", refused.reason) if refused else "",
        coarser=_coarser(ask, refused),
        words=tuple(_words(ask, variables)),
    )


def _ask(ask: Ask, cohort: str, asked: Mapping[str, str]) -> tuple[Answered | None, NexomeError | None]:
    by = [asked[name] for name in ("by", "by2") if asked[name]]
    how = {"project": asked["project"] or None}
    try:
        if asked["of"]:
            found = ask.view.means(cohort, asked["of"], asked["where"], by=by, **how)
        else:
            found = ask.view.count(cohort, asked["where"], by=by, **how)
    except NexomeError as error:
        log_server_error(error)
        return None, error
    return _answered(ask, cohort, found, asked), None


def _answered(ask: Ask, cohort: str, found: CohortAnswer, asked: Mapping[str, str]) -> Answered:
    total = found.release.total
    route = "means" if asked["of"] else "count"
    query = [("where", asked["where"]), ("variable", asked["of"]), ("by", asked["by"]), ("by", asked["by2"])]
    labels = [
        dict(zip(axis.codes or axis.labels(), axis.labels(ask.t.code), strict=True)) for axis in found.by
    ]
    return Answered(
        total="" if total.count is None else f"{total.count:,}",
        between=f"{total.low:,}–{total.high:,}" if total.low is not None and total.high is not None else "",
        heads=tuple(axis.variable.title(ask.t.code) for axis in found.by),
        measured=_measured(ask, found),
        rows=tuple(_row(ask, cell, labels) for cell in found.release.cells if cell.count != 0),
        withheld=any(cell.reason for cell in found.release.cells),
        read_as=found.understood.text,
        notes=tuple(_notes(ask, found)),
        counted=how_counted(ask, found),
        api=f"{API}/cohorts/{cohort}/{route}?{urlencode([(k, v) for k, v in query if v])}",
    )


def _measured(ask: Ask, found: CohortAnswer) -> str:
    if found.variable is None:
        return ""
    unit = unit_text(found.unit, ask.t)
    return f"{found.variable.title(ask.t.code)} {f'({unit})' if unit else ''}".strip()


def _row(ask: Ask, cell: Released, labels: list[dict[str, str]]) -> Row:
    names = cell.label if isinstance(cell.label, tuple) else (cell.label,)
    return Row(
        groups=tuple(of.get(str(name), str(name)) for of, name in zip(labels, names, strict=False)),
        people=MISSING if cell.count is None else f"{cell.count:,}",
        mean=significant_text(cell.mean, 4),
        sd=significant_text(cell.sd),
        withheld=ask.t.of("reason", cell.reason) if cell.reason else "",
    )


def _notes(ask: Ask, found: CohortAnswer) -> Iterator[str]:
    """What words stood for, and what was fitted to the grid."""
    for expansion in found.expansions:
        yield ask.t("builder.expanded", asked=expansion.asked, terms=", ".join(expansion.stands_for))
    for snapped in found.snapped:
        yield ask.t("builder.snapped", text=snapped)


def _coarser(ask: Ask, refused: RefusedError | None) -> Link | None:
    """The question that would be answered instead: its filter, and its groups behind ', by'."""
    if refused is None or not refused.coarser:
        return None
    where, _, by = refused.coarser.partition(", by ")
    groups = by.split(", ") if by else []
    changed = dict(zip(("by", "by2"), [*groups, "", ""], strict=False))
    if groups == [ask.query[name] for name in ("by", "by2") if ask.query.get(name)]:
        changed["of"] = ""  # it is the mean that is one variable too many
    return Link(refused.coarser, ask.again(where=where, **changed))


# ---------------------------------------------------------------- the form


def _cohort_choice(ask: Ask, row: Mapping[str, Any], chosen: str) -> Option:
    return Option(row["cohort"], ask.t.named(row, "title", row["cohort"]), row["cohort"] == chosen)


def _label(ask: Ask, row: Mapping[str, Any]) -> str:
    return ask.t.named(row, "label", row["variable"])


def _groups(ask: Ask, variables: list[dict[str, Any]], chosen: str) -> Iterator[Option]:
    yield Option(_NONE, ask.t("builder.no_group"), not chosen)
    for row in variables:
        if row["banded_by"]:
            yield Option(row["variable"], _label(ask, row), row["variable"] == chosen)


def _measures(ask: Ask, variables: list[dict[str, Any]], chosen: str) -> Iterator[Option]:
    yield Option(_NONE, ask.t("builder.people"), not chosen)
    for row in variables:
        if row["variable_type"] in NUMERIC and not row["variable_role"]:
            yield Option(
                row["variable"], ask.t("builder.mean_of", name=_label(ask, row)), row["variable"] == chosen
            )


def _examples(ask: Ask, cohort: str, variables: list[dict[str, Any]]) -> Iterator[Link]:
    """Filters that this cohort understands, made of its own variables."""
    roles = {row["variable_role"]: row for row in variables if row["variable_role"]}
    parts = []
    if "sex" in roles:
        name = ask.t.either("female", "女")
        parts.append(f"{_quoted(_label(ask, roles['sex']))} = {name}")
    if "age" in roles:
        parts.append(f"{_quoted(_label(ask, roles['age']))} between 40 and 60")
    for row in variables:
        if row["banded_by"] == "clinical cut points" and row["variable_unit"]:
            cuts = ask.view.grid(cohort).axes[row["variable"]].cuts
            limit = cuts[len(cuts) // 2]
            parts.append(f"{_quoted(_label(ask, row))} >= {limit:g} {row['variable_unit']}")
            break
    for size in range(1, len(parts) + 1):
        text = " and ".join(parts[:size])
        yield Link(text, ask.href("cohort-builder", cohort=cohort, where=text))


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f"`{name}`"


def _words(ask: Ask, variables: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """What may stand in a filter: name, label, unit or codes."""
    for row in variables:
        if row["sensitivity"] != "identifying" and row["variable_type"] != "text":
            unit = unit_text(row["variable_unit"], ask.t)
            yield row["variable"], _label(ask, row), unit or (row["category_codes"] or "")
