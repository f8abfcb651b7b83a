"""What the pages that interpret share: choosing studies, cautions in words, names of traits and regions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from nexome.access.compare import Side
from nexome.access.signals import Signal
from nexome.model.errors import NexomeError
from nexome.model.genome import Assembly, Interval
from nexome.model.terms import Study, Trait
from nexome.web.pages.numbers import bases_text, count_text, effect_text
from nexome.web.pages.page import Ask, Link, rows_of

OFFERED_MAX: Final = 200  # studies offered while one types; any other may be typed all the same
TRAITS_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class Choice:
    """One field of the form that chooses a study: its name in the address, what stands in it.

    `traits` are those of a study that needs one chosen, as links; `more` how many there are beyond.
    """

    name: str
    value: str
    traits: tuple[Link, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Caution:
    """One warning in the reader's language."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Assumed:
    """One line of what was assumed: its name and its value."""

    name: str
    value: str


def pair_of(text: str) -> tuple[str, str | None]:
    """Study and trait from 'study' or 'study/trait', as the explorer writes them.

    >>> pair_of("PROTEINS/P0"), pair_of(" T2D ")
    (('PROTEINS', 'P0'), ('T2D', None))
    """
    study, _, trait = text.strip().partition("/")
    return study.strip(), trait.strip() or None


def name_of(study: Study, trait: Trait) -> str:
    """As `pair_of` reads it: the study, with the trait where it has several."""
    return f"{study.id}/{trait.id}" if len(study.traits) > 1 else study.id


def label_of(ask: Ask, study: Study, trait: Trait) -> str:
    """A trait as people name it, with its study."""
    label = ask.t.field(trait, "label") or trait.id
    return f"{label} ({study.id})" if ask.t.code == "en" else f"{label}（{study.id}）"


def short_label(ask: Ask, trait: Trait) -> str:
    """A trait as people name it."""
    return ask.t.field(trait, "label") or trait.id


def short_names(ask: Ask, first: Signal | Side, second: Signal | Side) -> tuple[str, str]:
    """Two traits as people name them; by their studies where both have one name."""
    a, b = short_label(ask, first.trait), short_label(ask, second.trait)
    return (a, b) if a != b else (first.study.id, second.study.id)


def choice_of(ask: Ask, name: str) -> Choice:
    """The field `name` of the form, with the traits to choose from where its study has several."""
    value = ask.query.get(name, "").strip()
    study, trait = pair_of(value)
    if not study or trait:
        return Choice(name, value)
    try:
        traits = ask.view.study(study).study.traits
    except NexomeError:  # told where the answer would stand
        return Choice(name, value)
    if len(traits) < 2:
        return Choice(name, value)
    links = tuple(
        Link(ask.t.field(t, "label") or t.id, ask.again(**{name: f"{study}/{t.id}"}))
        for t in traits[:TRAITS_MAX]
    )
    return Choice(name, value, links, max(0, len(traits) - TRAITS_MAX))


def offered(ask: Ask) -> tuple[Link, ...]:
    """Studies to choose from: identifier and title."""
    rows = rows_of(ask.view.studies(limit=OFFERED_MAX))
    return tuple(
        Link(row.get(f"title_{ask.t.code}") or row["title"] or row["study_id"], row["study_id"])
        for row in rows
    )


def warnings_of(ask: Ask, codes: Iterable[str]) -> tuple[Caution, ...]:
    """Codes of `access.signals.WARNINGS` in the reader's language."""
    return tuple(Caution(code, ask.t.of("warning", code)) for code in codes)


def region_text(assembly: Assembly, place: Interval) -> str:
    """A region as the addresses write it."""
    return f"{assembly.contig_name(place.contig)}:{place.start}-{place.end}"


def assumed_of(ask: Ask, signal: Signal) -> tuple[Assumed, ...]:
    """On what the Bayes factors of a signal stand, line by line."""
    t, basis = ask.t, signal.basis
    lines = [
        Assumed(t("basis.variants"), count_text(len(signal.z))),
        Assumed(t("basis.left_out"), count_text(signal.left_out) if signal.left_out else ""),
        Assumed(t("basis.variance"), t.of("basis.from", basis.variance_from)),
        Assumed(t("basis.prior_sd"), f"{basis.prior_sd:g}"),
        Assumed(
            t("basis.trait_sd"),
            f"{effect_text(basis.trait_sd)} · {t.of('basis.sd', basis.sd_from)}" if basis.sd_from else "",
        ),
        Assumed(t("basis.length"), bases_text(signal.interval.end - signal.interval.start + 1)),
    ]
    return tuple(line for line in lines if line.value)


def share_text(share: float) -> str:
    """A probability as people read it; never 100 % or 0 %.

    >>> share_text(0.99996), share_text(0.934), share_text(0.0001)
    ('> 99.9%', '93.4%', '< 0.1%')
    """
    if share > 0.9995:
        return "> 99.9%"
    return "< 0.1%" if share < 0.0005 else f"{share:.1%}"
