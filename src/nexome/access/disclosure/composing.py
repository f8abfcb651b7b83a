"""Which parts of an answer may leave together, given all that the project was answered about before.

The populations of an answer are its cells, its margins and total where they are published, and what anyone
can add up from it: the cells from the first to each next one (so that a range of bands costs an attacker
two terms and not one for each band), and in every margin the cells that are shown. Each is judged with
those before it in the ledger. A cell that would tell of a few people is withheld; margins that would are
not published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from nexome.access.disclosure.rules import Rules
from nexome.access.disclosure.tables import protect, sums_of_table
from nexome.methods.populations import People
from nexome.store.ledger import Session

U64 = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]
ROUNDS: Final = 8


@dataclass(frozen=True)
class Populations:
    """Of one answer: people [C] and sketches [C, GROUPS] of its cells, and what else tells of its people.

    `beside` are further sketches [C, GROUPS] that leave with each cell: rows where people have several, and
    those who differ from the value that most share. `total` is the sum of the cells, `whole` everyone who
    may be counted.
    """

    people: People
    counts: Counts
    sketches: U64
    beside: tuple[U64, ...]
    total: U64
    whole: U64
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Outcome:
    """`reasons` by cell, '' for what leaves; `margins`: whether margins and the total leave."""

    reasons: tuple[str, ...]
    margins: bool
    populations: int = 0


def compose(
    found: Populations, reasons: list[str], session: Session | None, *, rules: Rules, margins: bool
) -> Outcome:
    """What leaves of an answer; its populations are added to the session, to be committed by the caller.

    `reasons` are those found in each cell by itself. Without a session nothing earlier is considered.
    """
    own = list(reasons)
    for _ in range(ROUNDS):
        hidden = np.array([bool(r) for r in own])
        shielded = _shielded(found, hidden, rules) if margins else hidden
        if shielded is None:
            margins, shielded = False, hidden
        shown = [r or ("suppressed" if s else "") for r, s in zip(own, shielded, strict=True)]
        if session is None:
            return Outcome(_told(shown, margins=margins), margins)
        mark = session.mark()
        conflicts = _conflicts(found, shown, session)
        if not conflicts and margins and not _margins_fit(found, shown, session):
            margins = False
        elif not conflicts:
            added = session.mark() - mark
            return Outcome(_told(shown, margins=margins), margins, added)
        session.back_to(mark)
        for cell, reason in conflicts.items():
            own[cell] = reason
    return Outcome(tuple(r or "difference" for r in own), margins=False)


def _shielded(
    found: Populations, hidden: npt.NDArray[np.bool_], rules: Rules
) -> npt.NDArray[np.bool_] | None:
    if not rules.suppress_secondary:
        return hidden
    return protect(found.counts, hidden, found.shape, rules.min_cell)


def _told(reasons: list[str], *, margins: bool) -> tuple[str, ...]:
    """Beside published margins nobody is told which withheld cells are the small ones."""
    if not margins or "suppressed" not in reasons:
        return tuple(reasons)
    return tuple("suppressed" if r else "" for r in reasons)


def _conflicts(found: Populations, shown: list[str], session: Session) -> dict[int, str]:
    """Cells that would tell of a few people together with what is known, in the order they are added."""
    conflicts: dict[int, str] = {}
    so_far = np.zeros(found.sketches.shape[1], np.uint64)
    kept = 0
    for cell, reason in enumerate(shown):
        if reason or not found.counts[cell]:
            continue
        mark = session.mark()
        together = so_far + found.sketches[cell]
        asked = [found.sketches[cell], *(s[cell] for s in found.beside)]
        refused = _add_all([*asked, together] if kept else asked, found.whole, session)
        if refused:
            session.back_to(mark)
            conflicts[cell] = refused
        else:
            so_far, kept = together, kept + 1
    return conflicts


def _margins_fit(found: Populations, shown: list[str], session: Session) -> bool:
    hidden = np.array([bool(r) for r in shown])
    for at, cells in enumerate(sums_of_table(found.shape)):
        published = found.total if at == 0 else found.sketches[cells].sum(axis=0, dtype=np.uint64)
        visible = found.sketches[cells[~hidden[cells]]].sum(axis=0, dtype=np.uint64)
        withheld = published - visible if hidden[cells].any() else visible
        if _add_all([s for s in (published, visible, withheld) if s.any()], found.whole, session):
            return False
    return True


def _add_all(sketches: list[U64], whole: U64, session: Session) -> str:
    for sketch in sketches:
        verdict = session.judge(sketch, whole)
        if verdict == "new":
            session.add(sketch)
        elif verdict != "known":
            return verdict
    return ""
