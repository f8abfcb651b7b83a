"""Doubts: each rule fires where it should, is silent where it cannot be judged, and names its number."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.access.quality import (
    FEW_CELLS,
    FEW_COPIES,
    VARIANT_RULES,
    effective_size,
    judge_trait,
    judge_variant,
    lambda_1000,
)
from nexome.model.terms import Trait


class Summary:
    """What `judge_trait` reads of a summary."""

    def __init__(self, *, cells=5 * FEW_CELLS, missing=0, lambda_gc=1.02, eaf=(0.2, 0.3)):
        self.cells, self.missing, self.lambda_gc = cells, missing, lambda_gc
        self.eaf = np.array(eaf, np.float32)

    def hits(self, *, order, limit):
        assert order == "p"
        self.asked = limit
        return self


def rules(trait, **summary):
    return [d.rule for d in judge_trait(trait, Summary(**summary))]


def test_a_good_study_raises_no_doubt():
    assert rules(Trait("t", "T", n=50_000)) == []


@pytest.mark.parametrize(
    ("trait", "summary", "wanted"),
    [
        (Trait("t", "T", n=999), {}, ["few_people"]),
        (Trait("t", "T", n_cases=300, n_controls=90_000), {}, []),  # 4/(1/300 + 1/90000) = 1196
        (Trait("t", "T", n_cases=200, n_controls=90_000), {}, ["few_people"]),
        (Trait("t", "T"), {}, ["no_size"]),
        (Trait("t", "T", n=50_000), {"lambda_gc": 0.9}, ["deflated"]),
        (Trait("t", "T", n=2_000), {"lambda_gc": 1.2}, ["inflated"]),
        (Trait("t", "T", n=500_000), {"lambda_gc": 1.4}, []),  # polygenic: λ1000 is 1.0016
        (Trait("t", "T"), {"lambda_gc": 1.2}, ["inflated", "no_size"]),
        (Trait("t", "T", n=2_000), {"lambda_gc": 2.0, "cells": 50}, ["few_variants"]),  # λ of 50 says nothing
        (Trait("t", "T", n=50_000), {"missing": 10_000}, ["many_missing"]),
        (Trait("t", "T", n=50_000), {"missing": 5_000}, []),
        (Trait("t", "T", n=50_000), {"eaf": (np.nan, np.nan)}, ["no_frequency"]),
        (Trait("t", "T", n=50_000), {"eaf": (np.nan, 0.2)}, []),
        (Trait("t", "T", n=50_000), {"eaf": ()}, []),
        (Trait("t", "T", n=50_000), {"cells": 0, "lambda_gc": np.nan}, ["few_variants"]),
    ],
)
def test_each_rule(trait, summary, wanted):
    assert rules(trait, **summary) == wanted


def test_a_doubt_names_its_number_and_limit():
    (doubt,) = judge_trait(Trait("t", "T", n=2_000), Summary(lambda_gc=1.3))
    assert (doubt.rule, doubt.value, doubt.limit) == ("inflated", 1.3, 1.1)


def test_lambda_1000_is_that_of_de_bakker():
    """de Bakker et al. 2008: 1 + (λ − 1) × (1/cases + 1/controls) / (1/1000 + 1/1000)."""
    cases, controls, observed = 4_000, 9_000, 1.17
    published = 1 + (observed - 1) * (1 / cases + 1 / controls) / (1 / 1000 + 1 / 1000)
    assert lambda_1000(observed, effective_size(None, cases, controls)) == pytest.approx(published)


def test_a_variant_is_judged_across_its_results():
    nan = math.nan
    n, ancestry = np.array([50_000, 500, 50_000]), ["European", "European", "Han"]
    assert judge_variant(np.full(3, 5e4), np.array([0.2, 0.22, 0.5]), ancestry=ancestry) == ()
    (few,) = judge_variant(n, np.array([0.2, 0.2, 0.2]), ancestry=ancestry)
    assert (few.rule, few.value, few.total) == ("some_few_people", 1, 3)
    swapped = judge_variant(np.full(3, 5e4), np.array([0.2, 0.8, 0.5]), ancestry=ancestry)
    assert [d.rule for d in swapped] == ["frequencies_differ"]
    rare = judge_variant(np.full(3, 5e4), np.array([1e-4, 0.99995, nan]), ancestry=["", "", ""])
    assert [(d.rule, d.value, d.limit) for d in rare] == [("few_carriers", 2, FEW_COPIES)]
    unknown = judge_variant(np.full(3, nan), np.full(3, nan), ancestry=ancestry)
    assert [d.rule for d in unknown] == ["frequency_unknown"]
    assert judge_variant(np.zeros(0), np.zeros(0), ancestry=[]) == ()


@given(
    st.lists(
        st.tuples(
            st.one_of(st.just(math.nan), st.floats(1, 1e6)),
            st.one_of(st.just(math.nan), st.floats(0, 1)),
            st.sampled_from(["", "A", "B"]),
        ),
        max_size=20,
    )
)
def test_rules_come_once_each_in_their_order(rows):
    n, frequency = (np.array([r[k] for r in rows], np.float64) for k in (0, 1))
    found = [d.rule for d in judge_variant(n, frequency, ancestry=[r[2] for r in rows])]
    assert found == [rule for rule in VARIANT_RULES if rule in found]
    copies = [2 * a * min(b, 1 - b) for a, b, _ in rows]
    assert ("few_carriers" in found) == any(c < FEW_COPIES for c in copies)
