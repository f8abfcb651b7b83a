"""What search finds: things with names, a weight, and who may know of them. No input or output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from nexome.model.knowledge import Name

Kind = Literal[
    "term", "publication", "dataset", "gene", "variant", "study", "trait", "track", "variable", "page"
]
TERMS: Final = frozenset({"term", "publication", "dataset"})
"""Kinds whose identifier is a CURIE of what is known, with a page of its own."""
Why = Literal[
    "label",
    "synonym",
    "layperson",
    "translation",
    "identifier",
    "abbreviation",
    "about",
    "subtype",
    "spelling",
    "similar",
]

OPEN: Final = ""
"""Visibility of what everyone may know of."""


@dataclass(frozen=True, slots=True)
class SearchRecord:
    """One thing that can be found. `id` is unique among things of its kind; the first name is its label.

    `parents`, `equivalents`, `about`: identifiers of terms above it, of terms that mean the same elsewhere,
    and of what a study, trait or variant is about. `weight`: how many studies use it. `visibility`: a key (a
    study's identifier) that a reader must hold to learn of it; OPEN for everyone. Records of one variant have
    identifiers of their own (`search.variants.plain_id`); `strengths` says how strongly it is tied to each of
    `about`: the strongest are told first.
    """

    kind: Kind
    id: str
    names: Sequence[Name]
    parents: Sequence[str] = ()
    equivalents: Sequence[str] = ()
    about: Sequence[str] = ()
    weight: int = 0
    visibility: str = OPEN
    note: str = ""
    strengths: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """One thing a text may mean, and why.

    `name`: the name that matched best; `why`: what that name is, or how else it was found; `through`: the
    term that a subtype or a study was found by, with its Chinese name. `score` orders matches of one
    question; `sureness` 0–1 is how often a first match of such a score was right on names held out.
    `parts` add up to `score`.
    """

    kind: str
    id: str
    label: str
    label_zh: str
    name: str
    why: Why
    score: float
    sureness: float
    note: str = ""
    through: str = ""
    through_zh: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One completion of an unfinished text: the name that begins so, and the thing it names."""

    kind: str
    id: str
    name: str
    label: str
    label_zh: str
    note: str
    weight: int


@dataclass(frozen=True, slots=True)
class Normalised:
    """A text and the concept it means. `abstained`: none is sure enough, and `matches` are guesses."""

    text: str
    matches: Sequence[Match]
    abstained: bool

    @property
    def best(self) -> Match | None:
        """The concept, or None where it is not sure enough."""
        return None if self.abstained or not self.matches else self.matches[0]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A term beside another, and how many things that may be seen are about it or below it."""

    id: str
    label: str
    label_zh: str
    held: int


@dataclass(frozen=True, slots=True)
class TermPlace:
    """A term: its names as (text, kind, language), its neighbours, and what is about it or below it."""

    id: str
    label: str
    label_zh: str
    names: tuple[tuple[str, str, str], ...]
    above: tuple[Neighbour, ...]
    below: tuple[Neighbour, ...]
    equal: tuple[Neighbour, ...]
    held: tuple[Match, ...]
