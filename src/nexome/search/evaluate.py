"""How often the right concept comes first: a file of questions and their answers, asked of an index.

A file has a line a question: the text, a tab, the identifiers that are right, separated by '|' or spaces.
Shares come with 95 % intervals from resampling questions (Efron 1979), and two settings are compared on
the same questions. Development sets are made from the vocabularies themselves: names held out by term.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from nexome.model.errors import FormatError, InputError
from nexome.model.knowledge import NamedTerm, vocabulary_of
from nexome.search.index import Scope, SearchIndex
from nexome.search.ranking import Weigh, weights_of
from nexome.search.text import is_han, words

Ranks = npt.NDArray[np.int64]

HELD_SHARE: Final = 0.05
HELD_KINDS: Final = ("exact", "layperson", "translation")
CUTS: Final = (1, 5, 10)
_DEEP: Final = 100  # matches looked at; what comes later counts as not found
_RESAMPLED: Final = 2_000
NOT_FOUND: Final = 1 << 40


class Question(NamedTuple):
    """A text and the identifiers that are right for it."""

    text: str
    gold: frozenset[str]


@dataclass(frozen=True, slots=True)
class Line:
    """One slice of a set: shares 0–1 with their intervals [low, high]."""

    slice: str
    questions: int
    top: dict[int, tuple[float, float, float]]
    mrr: float
    abstained: float
    right_when_sure: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Ranks of the right answer from 0 (NOT_FOUND: none) of Q questions, and the slices."""

    ranks: Ranks
    lines: tuple[Line, ...]
    sureness: npt.NDArray[np.float64]


class Gain(NamedTuple):
    """How much more often one setting is right at a cut, with its 95 % interval, on the same questions."""

    cut: int
    gain: float
    low: float
    high: float


def read_questions(path: Path) -> list[Question]:
    """The questions of a file. Raises FormatError for a line without an answer."""
    found = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        text, tab, gold = line.partition("\t")
        ids = frozenset(part for part in re.split(r"[|\s]+", gold) if part)
        if not tab or not ids:
            raise FormatError(
                "a line without answers", where=f"{path}, line {number}", expected="text, a tab, identifiers"
            )
        found.append(Question(text, ids))
    if not found:
        raise InputError("no question", where=str(path), expected="text, a tab, identifiers")
    return found


def evaluate(
    index: SearchIndex,
    questions: Sequence[Question],
    *,
    vocabularies: Iterable[str] = (),
    among: Iterable[str] = (),
    weigh: Weigh = weights_of,
) -> Evaluation:
    """Ask every question among terms of `vocabularies`, or among the terms named.

    Where neither is given: of the vocabularies that the right answers are from.
    """
    scope = Scope(visible=None, kinds=frozenset({"term"}))
    if listed := frozenset(among):
        scope = replace(scope, ids=listed)
    else:
        gold = frozenset(vocabulary_of(i) for q in questions for i in q.gold)
        scope = replace(scope, vocabularies=frozenset(vocabularies) or gold)
    ranks = np.full(len(questions), NOT_FOUND, np.int64)
    sureness = np.zeros(len(questions))
    abstained = np.zeros(len(questions), bool)
    asked = index.normalise([q.text for q in questions], scope, limit=_DEEP, weigh=weigh)
    for row, (question, answer) in enumerate(zip(questions, asked, strict=True)):
        places = [place for place, match in enumerate(answer.matches) if match.id in question.gold]
        ranks[row] = min(places, default=NOT_FOUND)
        sureness[row] = answer.matches[0].sureness if answer.matches else 0.0
        abstained[row] = answer.abstained
    lines = [
        _line(name, rows, ranks, abstained) for name, rows in _slices(index, questions).items() if rows.any()
    ]
    return Evaluation(ranks, tuple(lines), sureness)


def gains(one: Ranks, other: Ranks) -> list[Gain]:
    """How much more often `one` is right than `other`, question by question."""
    found = []
    for cut in (1, 10):
        differ = (one < cut).astype(float) - (other < cut)
        low, high = _interval(differ)
        found.append(Gain(cut, float(differ.mean()), low, high))
    return found


def held_out(
    terms: Iterable[NamedTerm], *, vocabulary: str, share: float = HELD_SHARE, seed: int = 7
) -> dict[str, list[Question]]:
    """Names of a vocabulary's terms to keep unseen, by kind: of a share of terms one name each."""
    chosen: dict[str, list[Question]] = {kind: [] for kind in HELD_KINDS}
    drawn = random.Random(seed)  # noqa: S311  a sample, no secret
    for term in sorted((t for t in terms if vocabulary_of(t.id) == vocabulary), key=lambda t: t.id):
        for kind, questions in chosen.items():
            names = [name for name in term.names if name.kind == kind]
            if names and drawn.random() < share:
                questions.append(Question(drawn.choice(names).text, frozenset({term.id})))
    return {kind: questions for kind, questions in chosen.items() if questions}


def _slices(index: SearchIndex, questions: Sequence[Question]) -> dict[str, npt.NDArray[np.bool_]]:
    equal = np.array([len(index.keys.equal(" ".join(words(q.text)))) > 0 for q in questions], bool)
    chinese = np.array([is_han(q.text) for q in questions], bool)
    found = {"all": np.ones(len(questions), bool), "equal to a name": equal, "equal to none": ~equal}
    return found if chinese.all() or not chinese.any() else found | {"Chinese": chinese, "other": ~chinese}


def _line(name: str, rows: Any, ranks: Ranks, abstained: Any) -> Line:
    mine = ranks[rows]
    top = {cut: (float((mine < cut).mean()), *_interval((mine < cut).astype(float))) for cut in CUTS}
    sure = mine[~abstained[rows]]
    return Line(
        slice=name,
        questions=len(mine),
        top=top,
        mrr=float((1.0 / (1.0 + mine)).mean()),
        abstained=float(abstained[rows].mean()),
        right_when_sure=float((sure < 1).mean()) if len(sure) else float("nan"),
    )


def _interval(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """The 95 % interval of a mean, from resampled questions."""
    draws = np.random.default_rng(0).integers(len(values), size=(_RESAMPLED, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), (2.5, 97.5))
    return float(low), float(high)
