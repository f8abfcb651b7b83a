"""Clumping and pruning: what they refuse, and what holds whatever the data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.methods.ld.clump import clump
from nexome.methods.ld.packed import pack_counts, pack_members
from nexome.methods.ld.pairs import ld_with_one
from nexome.methods.ld.prune import prune
from nexome.model.errors import InputError

RANDOM = st.randoms(use_true_random=False)


def table(random, variants=12, people=40):
    rng = np.random.default_rng(random.randrange(2**32))
    base = rng.integers(0, 3, (3, people))
    counts = base[rng.integers(0, 3, variants)]
    counts = np.where(rng.random(counts.shape) < 0.2, rng.integers(-1, 3, counts.shape), counts)
    contig = np.sort(rng.integers(0, 2, variants)).astype(np.uint64)
    locus = np.sort(contig << np.uint64(32) | rng.integers(1, 500, variants).astype(np.uint64))
    return counts.astype(np.int8), locus


@given(RANDOM)
def test_clumps_by_the_plain_rule(random):
    counts, locus = table(random)
    packed, everyone = pack_counts(counts), pack_members(np.ones(counts.shape[1], bool))
    strength = np.array([random.choice([9.0, 5.0, 4.0, 2.5, 1.0, float("nan")]) for _ in locus])

    def r2_of(lead, near):
        return ld_with_one(packed[lead], packed[near], everyone).r2

    found = clump(locus, strength, r2_of, p1=1e-4, p2=1e-2, r2=0.3, window_bp=100)
    left = [i for i in range(len(locus)) if strength[i] > 2]
    wanted = []
    for lead in sorted(range(len(locus)), key=lambda i: (-np.nan_to_num(strength[i]), i)):
        if lead not in left or not strength[lead] >= 4:
            continue
        left.remove(lead)
        near = [i for i in left if abs(int(locus[i]) - int(locus[lead])) < 100]
        members = [i for i in near if r2_of(lead, np.array([i]))[0] >= 0.3]
        left = [i for i in left if i not in members]
        wanted.append((lead, members))
    assert [(int(i), found.member[found.clump == c].tolist()) for c, i in enumerate(found.index)] == wanted


@given(RANDOM)
def test_no_kept_pair_of_a_window_is_above(random):
    counts, locus = table(random)
    packed, everyone = pack_counts(counts), pack_members(np.ones(counts.shape[1], bool))
    kept = np.flatnonzero(prune(packed, everyone, locus, r2=0.3, window_bp=100))
    for i in kept:
        near = [j for j in kept if j != i and abs(int(locus[i]) - int(locus[j])) <= 100]
        r2 = ld_with_one(packed[i], packed[np.array(near, int)], everyone).r2
        assert not (r2 > 0.3 + 1e-6).any()


def test_what_cannot_be_asked():
    locus, strength = np.array([2, 1], np.uint64), np.array([9.0, 9.0])
    with pytest.raises(InputError, match="genome order"):
        clump(locus, strength, lambda *_: np.zeros(0, np.float32))
    with pytest.raises(InputError, match="p1 ≤ p2"):
        clump(locus[::-1], strength, lambda *_: np.zeros(0, np.float32), p1=0.1, p2=0.01)
    packed = pack_counts(np.zeros((2, 3), np.int8))
    with pytest.raises(InputError, match="window"):
        prune(packed, pack_members(np.ones(3, bool)), locus[::-1], r2=0.2)


def test_nothing_to_clump_or_prune():
    found = clump(np.zeros(0, np.uint64), np.zeros(0), lambda *_: np.zeros(0, np.float32))
    assert (len(found.index), len(found.member)) == (0, 0)
    nobody = pack_counts(np.zeros((0, 3), np.int8))
    assert (
        prune(nobody, pack_members(np.ones(3, bool)), np.zeros(0, np.uint64), r2=0.2, window_bp=9).size == 0
    )
