"""Response times in buckets: percentiles beside those of the very times."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.store.usage import BUCKETS, bucket_end_ms, bucket_of, percentile_ms, time_buckets, time_subject

seconds = st.floats(1e-4, 900)


@given(seconds)
def test_a_time_lies_in_its_bucket(time: float):
    bucket = bucket_of(time)
    assert time * 1e3 <= bucket_end_ms(bucket) * (1 + 1e-6)
    if bucket:
        assert time * 1e3 > bucket_end_ms(bucket - 1) * (1 - 1e-6)


@given(st.lists(seconds, min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_within_thirteen_per_cent_of_the_true_one(times: list[float], share: float):
    counts: dict[int, int] = {}
    for time in times:
        counts[bucket_of(time)] = counts.get(bucket_of(time), 0) + 1
    true = sorted(times)[math.ceil(share * len(times)) - 1] * 1e3
    found = percentile_ms(counts, share)
    assert found is not None
    assert abs(np.log(found / true)) <= np.log(1.13) or true < 0.12


@given(st.lists(st.tuples(st.sampled_from(["page", "api"]), st.integers(0, BUCKETS - 1), st.integers(1, 9))))
def test_rows_become_buckets_again(rows: list[tuple[str, int, int]]):
    counts: dict[str, int] = {}
    for door, bucket, count in rows:
        subject = time_subject(door, bucket)
        counts[subject] = counts.get(subject, 0) + count
    assert sum(time_buckets(counts).values()) == sum(count for _, _, count in rows)
    assert sum(time_buckets(counts, "api").values()) == sum(c for d, _, c in rows if d == "api")


def test_nothing_has_no_percentile():
    assert percentile_ms({}, 0.5) is None


@pytest.mark.parametrize(("time", "bucket"), [(0.0, 0), (-1.0, 0), (1e9, BUCKETS - 1)])
def test_times_beyond_the_ends_stay_in_the_last_buckets(time: float, bucket: int):
    assert bucket_of(time) == bucket
