"""The guard: every number computed over people leaves through `Guard.release`, or not at all.

    1  variables        none that identifies; human genetic resources under a permit alone
    2  project          open, granted to this reader on this cohort; people whose consent permits its purpose
    3  form             cells, parameters; for grid readers, the published grid
    4  populations      smallest cell, what is left out, dominance, secondary suppression, the ledger
    5  audit            a controlled answer and every refusal are on the disk before they leave

Doors (`access.cohorts`, `access.reference`, …) make a Question and its Cells and pass on what comes back;
they show no other number that was computed over people.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nexome.access.disclosure.perturb import bounds_of, perturb
from nexome.access.disclosure.rules import Rules, rules_of
from nexome.access.disclosure.values import (
    one_a_person,
    percentiles_of,
    round_to_error,
    sums_of,
    valid_cell,
)
from nexome.access.disclosure.words import (
    OF_VALUES,
    Cells,
    GridLike,
    Question,
    Reader,
    Release,
    Released,
)
from nexome.access.policy import REASONS
from nexome.methods.populations import people_of, sketch_people
from nexome.model.cohorts import Cohort, Dictionary
from nexome.model.errors import RefusedError

if TYPE_CHECKING:
    from nexome.access.centre import Centre
    from nexome.access.identity import Principal


class CohortLike(Protocol):
    """What the guard asks of a cohort version (`store.cohorts.CohortTable`)."""

    @property
    def cohort(self) -> Cohort:
        """What is known of it."""

    @property
    def dictionary(self) -> Dictionary:
        """Its variables."""


@dataclass(frozen=True)
class Guard:
    """What one reader may learn about people. Made by `guard_of`; cheap to make."""

    root: Path
    reader: Reader
    principal: Principal
    rules: Rules
    project: str = ""

    def release(
        self, question: Question, cells: Cells, *, of: CohortLike, grid: GridLike | None = None
    ) -> Release:
        """What may leave of an answer to a question about the cohort version `of`.

        Raises RefusedError, with a reason of policy.REASONS and what would be answered, where nothing may.
        `grid` is the published grid of the cohort; for grid readers alone.
        """
        people = people_of(cells.participants, (1, 2))
        counted = valid_cell(cells)
        counts, sketches = sketch_people(people, counted, len(cells.labels))
        if self.reader == "grid":
            published = perturb(counts, sketches.sum(axis=1, dtype=np.uint64), self.rules.min_cell)
            answered = tuple(
                _perturbed(label, int(n), self.rules)
                for label, n in zip(cells.labels, published, strict=True)
            )
            return Release(
                "grid", question, answered, _perturbed("", int(published.sum()), self.rules), perturbed=True
            )
        smallest = 1 if self.reader == "owner" else max(self.rules.min_cell, question.min_cell)
        reasons = ["few_people" if 0 < n < smallest else "" for n in counts]
        sums = None
        if question.kind in OF_VALUES:
            sums = sums_of(cells, counted, people=people, rules=self.rules)
        answered = self._answered(question, cells, counted=counted, sums=sums, people=people, reasons=reasons)
        if all(reasons) and reasons:
            raise RefusedError(REASONS[reasons[0]], reason=reasons[0], where=f"cohort {question.cohort}")
        return Release(self.reader, question, answered, Released("", int(counts.sum())))

    def _answered(self, question: Question, cells: Cells, **known: Any) -> tuple[Released, ...]:
        counted, sums, people = known["counted"], known["sums"], known["people"]
        answered = []
        for at, (label, reason) in enumerate(zip(cells.labels, known["reasons"], strict=True)):
            if reason:
                answered.append(Released(label, reason=reason))
                continue
            rows = counted == at
            if sums is None:
                answered.append(Released(label, int(np.unique(cells.participants[rows]).size)))
                continue
            n = int(sums.people[at])
            mean, sd = (float(sums.mean[at]), float(sums.sd[at])) if n else (None, None)
            shown = {}
            if question.probabilities:
                cell, values, weights = one_a_person(cells, counted, people)
                mine = cell == at
                shown = percentiles_of(values[mine], weights[mine], question.probabilities, self.rules)
            if self.reader != "owner" and mean is not None and sd is not None:
                mean, sd = round_to_error(mean, sd, n), round_to_error(sd, sd, n)
                shown = {p: round_to_error(v, float(sums.sd[at]), n) for p, v in shown.items()}
            answered.append(Released(label, n, mean, sd, shown))
        return tuple(answered)


def _perturbed(label: Any, count: int, rules: Rules) -> Released:
    low, high = bounds_of(count, rules.min_cell)
    return Released(label, count, low=low, high=high)


def guard_of(
    centre: Centre, principal: Principal, project: str | None = None, *, rules: Rules | None = None
) -> Guard:
    """The guard of one principal; in a project, as one of its named readers.

    `rules` is for tests alone. Raises RefusedError where the principal has no grant in the project.
    """
    reader: Reader = "owner" if principal.kind == "owner" else "controlled" if project else "grid"
    return Guard(centre.root.path, reader, principal, rules or rules_of(centre.settings), project or "")
