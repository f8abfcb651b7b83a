"""Whatever is asked in whatever order, no sum of answers leaves a few people alone."""

import itertools

import numpy as np
import pytest

from nexome.model.errors import RefusedError
from tests.access.disclosure.town import Town

PEOPLE = 90
T = 5


def leftovers(answered):
    """People left over by every sum of up to four answered populations, with signs, less everyone."""
    for size in range(1, 5):
        for some in itertools.combinations(answered, size):
            for signs in itertools.product((1, -1), repeat=size - 1):
                total = some[0] + sum((s * k for s, k in zip(signs, some[1:], strict=True)), np.int64(0))
                for times in range(-3, 5):
                    yield int(np.count_nonzero(total - times))


@pytest.mark.parametrize("seed", range(6))
def test_no_sum_of_answers_is_a_few_people(tmp_path, seed):
    random = np.random.default_rng(seed)
    town = Town(tmp_path, people=PEOPLE)
    town.project()
    # parts of one to thirty people: unions of them differ by few people again and again
    part = np.repeat(np.arange(9), (1, 2, 3, 4, 6, 9, 15, 20, 30))
    answered, refusals = [], 0
    for turn in range(80):
        who = np.isin(part, random.choice(9, random.integers(2, 8), replace=False))
        if turn % 10 == 9:
            town.restart()
        kind = ("count", "mean")[turn % 2]
        try:
            town.guard().release(town.question(kind), town.cells(who, town.ldl), of=town)
        except RefusedError:
            refusals += 1
            continue
        if not any((who == known).all() for known in answered):
            answered.append(who.astype(np.int64))
    assert len(answered) >= 2
    assert refusals > 10
    assert not [left for left in leftovers(answered[:12]) if 0 < left < T]
