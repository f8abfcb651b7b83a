"""No published table gives a small cell away to who can add, subtract and bound."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from nexome.access.disclosure import Cells, Split
from nexome.access.disclosure.tables import protect
from nexome.model.errors import RefusedError
from tests.access.disclosure.town import Town

T = 5


def bounds(published, margins, shape):
    """The attacker: least and greatest of each cell withheld (None), by every margin that is known."""
    index = np.arange(len(published)).reshape(shape)
    rows, sums = [], []
    for (axis, at), total in margins.items():
        cells = index.reshape(-1) if axis is None else np.take(index, at, axis=axis).reshape(-1)
        if total is not None:
            rows.append(np.isin(np.arange(len(published)), cells).astype(float))
            sums.append(total)
    limits = [(1, None) if p is None else (p, p) for p in published]
    found = {}
    for cell in (i for i, p in enumerate(published) if p is None):
        goal = np.eye(len(published))[cell]
        ends = [
            sign
            * linprog(
                sign * goal, A_eq=np.array(rows) if rows else None, b_eq=sums or None, bounds=limits
            ).fun
            if rows or sign > 0
            else np.inf
            for sign in (1, -1)
        ]
        found[cell] = ends
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4).flatmap(
        lambda r: st.tuples(
            st.just(r),
            st.integers(2, 5).flatmap(lambda c: st.lists(st.integers(0, 30), min_size=r * c, max_size=r * c)),
        )
    )
)
def test_what_is_withheld_stays_wide_open(table):
    r, numbers = table
    counts = np.array(numbers)
    shape = (len(counts),) if r == 1 else (r, len(counts) // r)
    primary = (counts > 0) & (counts < T)
    withheld = protect(counts, primary, shape, T)
    if withheld is None:
        return
    assert not (primary & ~withheld).any()
    published = [None if w else int(c) for w, c in zip(withheld, counts, strict=True)]
    grid = counts.reshape(shape)
    margins = {(None, 0): int(counts.sum())}
    if len(shape) == 2:
        margins |= {(0, i): int(v) for i, v in enumerate(grid.sum(axis=1))}
        margins |= {(1, i): int(v) for i, v in enumerate(grid.sum(axis=0))}
    for cell, (low, high) in bounds(published, margins, shape).items():
        assert high - low >= T - 1e-6, (cell, low, high)


def test_a_single_small_cell_takes_another_with_it():
    withheld = protect(np.array([3, 40, 30, 50]), np.array([True, False, False, False]), (4,), T)
    assert withheld.tolist() == [True, False, True, False]


def test_margins_that_cannot_be_saved_are_not_published():
    assert protect(np.array([3, 0]), np.array([True, False]), (2,), T) is None


def test_nothing_is_withheld_where_nothing_is_small():
    assert not protect(np.array([9, 8, 7, 6]), np.zeros(4, bool), (2, 2), T).any()


@pytest.fixture
def town(tmp_path):
    made = Town(tmp_path)
    made.project()
    return made


def ask_table(town, bands):
    band = np.searchsorted(bands, town.age, side="right").astype(np.int32)
    cell = (town.sex * (len(bands) + 1) + band).astype(np.int32)
    shape = (2, len(bands) + 1)
    labels = [(s, b) for s in "FM" for b in range(shape[1])]
    question = town.question(by=(Split("sex"), Split("age", cuts=tuple(bands))))
    return town.guard().release(question, Cells(town.keys, cell, labels, shape=shape), of=town), shape


@pytest.mark.parametrize("bands", [(21, 40, 60), (21, 22, 50), (30, 40, 50, 60, 79)])
def test_a_released_table_withstands_the_attacker(town, bands):
    answer, shape = ask_table(town, bands)
    published = [c.count for c in answer.cells]
    margins = {place: m.count for place, m in answer.margins.items()} | {(None, 0): answer.total.count}
    assert any(p is None for p in published)
    assert answer.coarser == "the same by sex"
    for low, high in bounds(published, margins, shape).values():
        assert high - low >= T - 1e-6


def test_margins_add_up_where_nothing_is_withheld(town):
    answer, _ = ask_table(town, (40, 60))
    women = sum(c.count for c in answer.cells[:3])
    assert answer.margins[0, 0].count == women
    assert answer.total.count == 400


def three_of_five(town, who):
    """Cells of some people of which the first has three."""
    cell = np.where(who, 1 + (town.age >= 50), -1).astype(np.int32)
    cell[np.flatnonzero(who)[:3]] = 0
    question = town.question("mean", by=(Split("age"),))
    return town.guard().release(question, Cells(town.keys, cell, ["a", "b", "c"], town.ldl), of=town)


def test_a_total_that_tells_of_withheld_cells_is_refused_afterwards(town):
    women = town.sex == 0
    assert [c.reason for c in three_of_five(town, women).cells] == ["few_people", "", ""]
    with pytest.raises(RefusedError) as caught:
        town.count(women)
    assert caught.value.reason == "difference"


def test_where_the_cells_are_everyone_another_is_withheld_with_the_small_one(town):
    answer = three_of_five(town, np.ones(400, bool))
    assert [c.reason for c in answer.cells] == ["few_people", "", "difference"]


def test_a_range_of_bands_less_one_person_is_refused(town):
    band = ((town.age - 20) // 10).astype(np.int32)
    question = town.question(by=(Split("age"),))
    town.guard().release(question, Cells(town.keys, band, list(range(6))), of=town)
    middle = (town.age >= 30) & (town.age < 70)
    middle[np.flatnonzero(middle)[0]] = False
    with pytest.raises(RefusedError) as caught:
        town.count(middle)
    assert caught.value.reason == "difference"
