"""Numbers of cells that may leave, exact (rounded for all but the owner) or perturbed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nexome.access.disclosure.composing import Outcome, Populations
from nexome.access.disclosure.on_grid import band_edges, from_bands
from nexome.access.disclosure.perturb import bounds_of, perturb
from nexome.access.disclosure.rules import Rules
from nexome.access.disclosure.state import DisclosureState, Table
from nexome.access.disclosure.tables import sums_of_table
from nexome.access.disclosure.values import Sums, one_a_person, percentiles_of, round_to_error
from nexome.access.disclosure.words import OF_VALUES, Cells, GridLike, Question, Release, Released
from nexome.methods.populations import sketch_people

Cell = npt.NDArray[np.int32]


def exact_answers(
    question: Question,
    cells: Cells,
    counted: Cell,
    *,
    found: Populations,
    sums: Sums | None,
    outcome: Outcome,
    rules: Rules,
) -> Release:
    """The Release of an outcome, as a controlled reader gets it."""
    answered = [
        Released(label, reason=reason) for label, reason in zip(cells.labels, outcome.reasons, strict=True)
    ]
    shown = [at for at, released in enumerate(answered) if not released.reason]
    percentiles = (
        _percentiles(question, cells, counted, found=found, shown=shown, rules=rules)
        if sums is not None
        else {}
    )
    for at in shown:
        mean = sd = None
        n = int(found.counts[at])
        if sums is not None and n:
            mean, sd = float(sums.mean[at]), float(sums.sd[at])
            if rules.round_numbers:
                mean, sd = round_to_error(mean, sd, n), round_to_error(sd, sd, n)
        answered[at] = Released(cells.labels[at], n, mean, sd, percentiles.get(at, {}))
    margins, total = _margins(cells, found, outcome)
    if len(answered) == 1:
        total = answered[0]
    return Release("controlled", question, tuple(answered), total, margins)


def _percentiles(
    question: Question, cells: Cells, counted: Cell, *, found: Populations, shown: list[int], rules: Rules
) -> dict[int, dict[float, float]]:
    if not question.probabilities or not shown or cells.values is None:
        return {}
    cell, values, weights = one_a_person(cells, counted, found.people)
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(len(cells.labels) + 1))
    made = {}
    for at in shown:
        rows = order[starts[at] : starts[at + 1]]
        own = percentiles_of(values[rows], weights[rows], question.probabilities, rules)
        if rules.round_numbers:
            sd = float(np.std(values[rows]))
            own = {p: round_to_error(v, sd, len(rows)) for p, v in own.items()}
        made[at] = own
    return made


def _margins(
    cells: Cells, found: Populations, outcome: Outcome
) -> tuple[dict[tuple[int, int], Released], Released]:
    if not outcome.margins:
        return {}, Released("", reason="suppressed")
    counts = [int(found.counts[s].sum()) for s in sums_of_table(found.shape)]
    places = [(axis, at) for axis in range(len(cells.shape)) for at in range(cells.shape[axis])]
    margins = {place: Released("", n) for place, n in zip(places, counts[1:], strict=False)}
    return margins, Released("", counts[0])


def perturbed_release(
    question: Question,
    cells: Cells,
    counted: Cell,
    *,
    table: Table,
    grid: GridLike,
    state: DisclosureState,
    rules: Rules,
) -> Release:
    """What grid readers get: counts with the noise of their people, and arithmetic on such counts."""
    size = len(cells.labels)
    if question.kind in OF_VALUES and cells.values is not None:
        edges = band_edges(grid.axes[question.measured or question.variables[-1]])
        bands = len(edges) - 1
        band = np.searchsorted(edges[1:-1], np.nan_to_num(cells.values), side="right").astype(np.int32)
        fine = np.where(counted >= 0, counted * bands + band, np.int32(-1)).astype(np.int32)
        published = _published(fine, size * bands, table=table, state=state, rules=rules).reshape(size, bands)
        answered = tuple(
            from_bands(label, counts, edges, probabilities=question.probabilities, rules=rules)
            for label, counts in zip(cells.labels, published, strict=True)
        )
        return Release("grid", question, answered, Released("", reason="suppressed"), perturbed=True)
    counts = _published(counted, size, table=table, state=state, rules=rules)
    answered = tuple(_perturbed(label, n, rules) for label, n in zip(cells.labels, counts, strict=True))
    total = _published(np.minimum(counted, 0), 1, table=table, state=state, rules=rules)[0]
    margins: dict[tuple[int, int], Released] = {}
    if len(cells.shape) > 1:
        places = np.unravel_index(np.maximum(counted, 0), cells.shape)
        for axis, place in enumerate(places):
            along = np.where(counted >= 0, place, -1).astype(np.int32)
            own = _published(along, cells.shape[axis], table=table, state=state, rules=rules)
            margins |= {(axis, at): _perturbed("", n, rules) for at, n in enumerate(own)}
    return Release("grid", question, answered, _perturbed("", total, rules), margins, perturbed=True)


def _published(
    cell: Cell, cells: int, *, table: Table, state: DisclosureState, rules: Rules
) -> npt.NDArray[np.int64]:
    counts, sketches = sketch_people(table.people, cell, cells)
    return perturb(counts, state.cell_keys(sketches), rules.min_cell)


def _perturbed(label: Any, count: int, rules: Rules) -> Released:
    low, high = bounds_of(int(count), rules.min_cell)
    return Released(label, int(count), low=low, high=high)
