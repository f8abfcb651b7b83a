"""The guard: every number computed over people leaves through `Guard.release`, or not at all.

    1  variables        none that identifies; human genetic resources under a permit alone
    2  project          open, granted to this reader on this cohort; people whose consent permits its purpose
    3  form             cells, parameters; for grid readers, the published grid
    4  populations      smallest cell, dominance, secondary suppression, the ledger
    5  audit            a controlled answer and every refusal are on the disk before they leave

Doors (`access.cohorts`, `access.reference`, …) make a Question and its Cells and pass on what comes back;
they show no other number that was computed over people.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from nexome.access.disclosure.answering import exact_answers, perturbed_release
from nexome.access.disclosure.composing import Outcome, Populations, compose
from nexome.access.disclosure.on_grid import nearest_question
from nexome.access.disclosure.rules import Rules, rules_of
from nexome.access.disclosure.state import ANY_PURPOSE, CohortLike, DisclosureState, Table
from nexome.access.disclosure.values import Sums, sums_of, valid_cell
from nexome.access.disclosure.words import (
    OF_VALUES,
    TEXT_MOST,
    Cells,
    GridLike,
    Question,
    Reader,
    Release,
)
from nexome.access.policy import REASONS, decide_cohort, may_use_project
from nexome.methods.populations import sketch_people, sketch_rows
from nexome.model.errors import NotFoundError, RefusedError
from nexome.store.ledger import Session, add_refusals, count_refusals, read_project

if TYPE_CHECKING:
    from nexome.access.centre import Centre
    from nexome.access.identity import Principal

SIZE_CLASSES: Final = (5, 10, 20, 50, 100, 1_000, 10_000, 100_000)
_BY_LEDGER: Final = frozenset({"difference", "few_beside"})
_HGR_ORDER: Final = ("excluded", "genetic-information", "material")

Cell = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Guard:
    """What one reader may learn about people. Made by `guard_of`; cheap to make.

    A controlled guard without a project (a reference set that the owner publishes) keeps all rules but the
    ledger's: what is published once and for all is its own population.
    """

    root: Path
    reader: Reader
    principal: Principal
    rules: Rules
    project: str = ""
    state: DisclosureState | None = field(default=None, compare=False, repr=False)

    def release(
        self, question: Question, cells: Cells, *, of: CohortLike, grid: GridLike | None = None
    ) -> Release:
        """What may leave of an answer to a question about the cohort version `of`.

        Raises RefusedError, with a reason of policy.REASONS and what would be answered, where nothing may;
        NotFoundError for a cohort that this reader may not know of. `grid` is the published grid of the
        cohort; for grid readers alone.
        """
        state = self.state or DisclosureState(self.root)
        with self._refusals_audited(state, question):
            purposes = self._check(question, of, grid)
            table = state.table(cells.participants, of=of, purposes=purposes)
            if not table.size:
                raise _refusal(question, "no_consent")
            counted = valid_cell(cells)
            if table.allowed is not None:
                counted = np.where(table.allowed, counted, np.int32(-1))
            if self.reader == "grid" and self.rules.perturb and grid is not None:
                answer = perturbed_release(
                    question, cells, counted, table=table, grid=grid, state=state, rules=self.rules
                )
            else:
                answer = self._exact(question, cells, counted, table=table, state=state)
        return replace(answer, hgr_class=_hgr_class(question, of), permit=of.cohort.permit)

    # ------------------------------------------------------------ 1 to 3: what is asked

    def _check(self, question: Question, of: CohortLike, grid: GridLike | None) -> tuple[str, ...]:
        """Refuse what may not be asked at all; the purposes under which people are counted."""
        if self.reader == "owner":
            return read_project(self.root, self.project).purposes if self.project else ANY_PURPOSE
        if not decide_cohort(self.principal, question.cohort, of.cohort.access).allowed:
            raise NotFoundError(f"no cohort {question.cohort[:80]!r}", todo="See the list of cohorts.")
        known = of.dictionary.by_name
        named = [known[name] for name in _named(question) if name in known]
        if any(v.sensitivity == "identifying" or v.role == "participant" for v in named):
            raise _refusal(question, "identifying")
        if any(v.hgr_class != "excluded" for v in named) and not of.cohort.permit:
            raise _refusal(question, "needs_permit")
        if self.reader == "grid":
            self._check_grid(question, of, grid)
            return ()
        if not self.project:
            return ANY_PURPOSE
        # Before it is looked up: a project that is not there and one that is another's are told alike.
        if not may_use_project(self.principal, question.cohort, self.project):
            raise _refusal(question, "needs_project")
        project = read_project(self.root, self.project)
        if project.closed:
            raise _refusal(question, "project_closed")
        refused = count_refusals(self.root, self.project) - project.excused
        if self.rules.consider_ledger and refused >= self.rules.refusals:
            raise _refusal(question, "project_paused")
        return project.purposes

    def _check_grid(self, question: Question, of: CohortLike, grid: GridLike | None) -> None:
        if not self.rules.consider_grid:
            return
        if grid is None or question.kind in {"model", "reference"}:
            raise _refusal(question, "needs_project")
        near = nearest_question(question, grid, dictionary=of.dictionary, rules=self.rules)
        if near is not None:
            raise _refusal(question, "off_grid", coarser=near)

    # ------------------------------------------------------------ 4: exact answers

    def _exact(
        self, question: Question, cells: Cells, counted: Cell, *, table: Table, state: DisclosureState
    ) -> Release:
        found = populations_of(question, cells, counted, table=table)
        sums = None
        if question.kind in OF_VALUES and cells.values is not None:
            sums = sums_of(cells, counted, people=table.people, rules=self.rules)
        if self.reader == "owner":
            outcome = Outcome(("",) * len(cells.labels), margins=True)
            self._audit_answer(state, question, found, outcome)
            exact = replace(self.rules, round_numbers=False, block_percentiles=False)
            answer = exact_answers(
                question, cells, counted, found=found, sums=sums, outcome=outcome, rules=exact
            )
            return replace(answer, reader="owner")
        reasons = self._own_reasons(question, found, sums)
        found = _with_spikes(found, cells, counted, sums=sums, table=table)
        with self._session(state) as session:
            counts_alone = sums is None and question.kind in {"count", "histogram"}
            outcome = compose(found, reasons, session, rules=self.rules, margins=counts_alone)
            told = sum(reason in _BY_LEDGER for reason in outcome.reasons)
            if session is not None and told:
                add_refusals(self.root, self.project, told)
            if all(outcome.reasons):
                raise _refusal(
                    question, outcome.reasons[0], coarser=_merged(question, found, self._least(question))
                )
            if session is not None:
                session.commit()
            self._audit_answer(state, question, found, outcome)
        answer = exact_answers(
            question, cells, counted, found=found, sums=sums, outcome=outcome, rules=self.rules
        )
        answer = replace(answer, reader=self.reader)
        if not any(outcome.reasons):
            return answer
        return replace(answer, coarser=_merged(question, found, self._least(question)))

    def _own_reasons(self, question: Question, found: Populations, sums: Sums | None) -> list[str]:
        """What forbids each cell by itself."""
        people = int(found.counts.sum())
        if len(found.counts) > 1:
            longest = max(found.shape)
            share = self.rules.categories_share * people
            if longest > self.rules.categories or longest > max(share, 2):
                raise _refusal(
                    question, "too_many_cells", coarser=_merged(question, found, self._least(question))
                )
        if question.parameters > self.rules.parameters_share * people:
            raise _refusal(question, "too_many_parameters")
        least = self._least(question)
        reasons = ["few_people" if 0 < n < least else "" for n in found.counts]
        if not any(found.counts) and sums is not None:
            raise _refusal(question, "few_people")
        if sums is None or not self.rules.consider_dominance:
            return reasons
        own = (~np.isnan(sums.spike) & (sums.differ < least), sums.dominated)
        few, dominated = own
        return [
            reason or ("few_differ" if n and f else "dominated" if n and d else "")
            for reason, n, f, d in zip(reasons, found.counts, few, dominated, strict=True)
        ]

    def _least(self, question: Question) -> int:
        if self.rules.obey_client and question.min_cell:
            return question.min_cell
        return max(self.rules.min_cell, question.min_cell)

    @contextlib.contextmanager
    def _session(self, state: DisclosureState) -> Iterator[Session | None]:
        if not self.project or self.reader != "controlled" or not self.rules.consider_ledger:
            yield None
            return
        with state.ledger(self.project, self.rules).session() as session:
            yield session

    # ------------------------------------------------------------ 5: audit

    def _audit_answer(
        self, state: DisclosureState, question: Question, found: Populations, outcome: Outcome
    ) -> None:
        """One line for an answer: what was asked about whom, never a value."""
        released = [at for at, reason in enumerate(outcome.reasons) if not reason]
        sizes = [size_class(int(found.counts[at])) for at in released]
        detail = {
            "event": "answered",
            "population": f"{int(found.total.sum(dtype=np.uint64)):016x}",
            "size": size_class(int(found.counts.sum())),
            "smallest": sizes[int(np.argmin(found.counts[released]))] if released else "",
            "cells": len(outcome.reasons),
            "withheld": len(outcome.reasons) - len(released),
            "new_populations": outcome.populations,
        }
        try:
            state.audit.append(self._about(question) | detail)
        except OSError:
            if self.reader != "owner":  # the owner may read a root on a disk that cannot be written
                raise

    @contextlib.contextmanager
    def _refusals_audited(self, state: DisclosureState, question: Question) -> Iterator[None]:
        try:
            yield
        except RefusedError as error:
            state.audit.append(self._about(question) | {"event": "refused", "reason": error.reason})
            raise

    def _about(self, question: Question) -> dict[str, Any]:
        return {
            "who": self.principal.name or self.principal.kind,
            "reader": self.reader,
            "project": self.project,
            "kind": question.kind,
            "cohort": question.cohort,
            "version": question.version,
            "question": question.text[:TEXT_MOST],
        }


def guard_of(
    centre: Centre, principal: Principal, project: str | None = None, *, rules: Rules | None = None
) -> Guard:
    """The guard of one principal: 'owner', 'controlled' in a project, else 'grid'.

    `rules` is for tests alone. A project that is not there or not granted is refused when it is asked in.
    """
    reader: Reader = "owner" if principal.kind == "owner" else "controlled" if project else "grid"
    chosen = rules or rules_of(centre.settings)
    return Guard(centre.root.path, reader, principal, chosen, project or "", centre.disclosure)


def populations_of(question: Question, cells: Cells, counted: Cell, *, table: Table) -> Populations:
    """Whom each cell of an answer is about."""
    size = len(cells.labels)
    counts, sketches = sketch_people(table.people, counted, size)
    total = sketches.sum(axis=0, dtype=np.uint64)
    beside: tuple[npt.NDArray[np.uint64], ...] = ()
    if table.people.repeats and question.kind in OF_VALUES:
        beside = (sketch_rows(table.people, counted, size)[1],)
    return Populations(table.people, counts, sketches, beside, total, table.whole, cells.shape)


def size_class(people: int) -> str:
    """How many, told coarsely: 'fewer than 5', '5 and more' … '100000 and more'; '0' for nobody.

    >>> size_class(7), size_class(0), size_class(250)
    ('5 and more', '0', '100 and more')
    """
    if people == 0:
        return "0"
    if people < SIZE_CLASSES[0]:
        return f"fewer than {SIZE_CLASSES[0]}"
    return f"{max(c for c in SIZE_CLASSES if c <= people)} and more"


def _with_spikes(
    found: Populations, cells: Cells, counted: Cell, *, sums: Sums | None, table: Table
) -> Populations:
    """Those who differ from the value that most of a cell share: a mean tells of them too."""
    if sums is None or cells.values is None or np.isnan(sums.spike).all():
        return found
    usual = sums.spike[np.maximum(counted, 0)]
    differ = np.where((cells.values != usual) & ~np.isnan(usual), counted, np.int32(-1))
    return replace(found, beside=(*found.beside, sketch_rows(table.people, differ, len(cells.labels))[1]))


def _merged(question: Question, found: Populations, least: int) -> str:
    """The same question with one axis less, where all its cells would have enough people; '' for none."""
    if not question.by or len(question.by) != len(found.shape):
        return ""
    counts = found.counts.reshape(found.shape)
    for axis in reversed(range(len(question.by))):
        merged = counts.sum(axis=axis)
        if np.all((merged == 0) | (merged >= least)) and merged.any():
            names = [s.variable for at, s in enumerate(question.by) if at != axis]
            return f"the same by {', '.join(names)}" if names else "the same without groups"
    return ""


def _named(question: Question) -> Iterator[str]:
    yield from question.variables
    yield from (condition.variable for condition in question.conditions or ())
    yield from (split.variable for split in question.by)


def _hgr_class(question: Question, of: CohortLike) -> str:
    known = of.dictionary.by_name
    classes = [known[name].hgr_class for name in _named(question) if name in known]
    return max(classes, key=_HGR_ORDER.index, default="excluded")


def _refusal(question: Question, reason: str, *, coarser: str = "") -> RefusedError:
    todo = f"This would be answered: {coarser}." if coarser else ""
    where = f"cohort {question.cohort}"
    return RefusedError(REASONS[reason], reason=reason, coarser=coarser, where=where, todo=todo)
