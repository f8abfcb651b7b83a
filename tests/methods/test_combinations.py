"""What comes close to known populations is found, as the plain loop over three of them finds it."""

import itertools

import numpy as np
import pytest

from nexome.methods.combinations import CombinationIndex
from nexome.methods.populations import differing_groups, people_of, sketch_people

PEOPLE = 300
T = 5


@pytest.fixture(scope="module")
def sketch_of():
    people = people_of(np.arange(1, PEOPLE + 1, dtype=np.uint64), (3, 4))
    return lambda who: sketch_people(people, np.where(who, 0, -1).astype(np.int32), 1)[1][0]


def plainly_close(who, known, threshold=T):
    """Whether a sum of P and up to three known sets, less everyone a few times, is few people but some."""
    zero = np.zeros(PEOPLE, np.int64)
    signed = [(sign * k.astype(np.int64)) for k in known for sign in (1, -1)]
    for some in itertools.chain.from_iterable(itertools.combinations(signed, r) for r in range(4)):
        total = who + sum(some, zero)
        for times in range(-4, 5):
            left = np.count_nonzero(total - times)
            if 0 < left < threshold:
                return True
    return False


@pytest.mark.parametrize("seed", range(12))
def test_close_is_what_the_plain_loop_says(seed, sketch_of):
    random = np.random.default_rng(seed)
    part = random.integers(0, 6, PEOPLE)
    known = [np.isin(part, random.choice(6, random.integers(1, 5), replace=False)) for _ in range(5)]
    known = [k for at, k in enumerate(known) if not any((k == o).all() for o in known[:at])]
    index = CombinationIndex(T)
    for k in known:
        index.add(sketch_of(k))
    whole = sketch_of(np.ones(PEOPLE, bool))
    for trial in range(10):
        who = np.isin(part, random.choice(6, random.integers(1, 6), replace=False))
        changed = random.choice(PEOPLE, (0, 1, 3, 4, 30)[trial % 5], replace=False)
        who[changed] ^= True
        assert index.is_close(sketch_of(who), whole) == plainly_close(who, known), (seed, trial)
    settled = [~k for k in known] + [np.ones(PEOPLE, bool)]
    if not any(plainly_close(k, known[:at]) for at, k in enumerate(known)):
        for who in settled:
            assert index.is_close(sketch_of(who), whole, settled=True) == plainly_close(who, known)


@pytest.mark.parametrize("signs", list(itertools.product((1, -1), repeat=3)))
def test_every_sum_of_three_is_tried(signs, sketch_of):
    """Sets such that P = w·everyone − a·A − b·B − c·C but for two people, for each way of signs."""
    need = 1 + sum(signs)
    random = np.random.default_rng(5)
    sets = np.zeros((4, PEOPLE), bool)
    weights = np.array((1, *signs))
    times = max(need // 2, -1) if need > 0 else 0
    ways = [w for w in itertools.product((0, 1), repeat=4) if np.dot(weights, w) == times and any(w)]
    for person in range(PEOPLE):
        sets[:, person] = ways[random.integers(len(ways))]
    index = CombinationIndex(T)
    for k in sets[1:]:
        index.add(sketch_of(k))
    who = sets[0].copy()
    who[:2] ^= True
    assert index.is_close(sketch_of(who), sketch_of(np.ones(PEOPLE, bool)))


def test_forgetting_and_growing_keep_the_answers(sketch_of):
    random = np.random.default_rng(1)
    sets = [random.random(PEOPLE) < 0.5 for _ in range(300)]
    whole = sketch_of(np.ones(PEOPLE, bool))
    index = CombinationIndex(T)
    for k in sets:
        index.add(sketch_of(k))
    less = [k.copy() for k in sets]
    for k in less:
        k[np.flatnonzero(k)[0]] = False
    assert len(index) == 300
    assert all(index.is_close(sketch_of(less[at]), whole) for at in (0, 126, 127, 299))
    index.truncate(200)
    assert index.is_close(sketch_of(less[150]), whole)
    assert not index.is_close(sketch_of(less[299]), whole)
    assert differing_groups(sketch_of(less[0]) - sketch_of(sets[0])) == 1


def test_what_is_forgotten_leaves_nothing_in_the_filter(sketch_of):
    random = np.random.default_rng(5)
    index = CombinationIndex(T)
    for _ in range(10):
        index.add(sketch_of(random.random(PEOPLE) < 0.5))
    index.settle()
    before = index._filter.copy()
    for _ in range(6):
        index.add(sketch_of(random.random(PEOPLE) < 0.5))
    assert (index._filter != before).any()
    index.truncate(13)
    index.truncate(10)
    assert (index._filter == before).all()
