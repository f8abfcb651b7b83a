import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.ingest.harmonise.effects import harmonise_effects, harmonise_frequency, harmonise_n
from nexome.ingest.harmonise.rules import Change, Drop, Verdicts
from nexome.methods.normal import neg_log10_p_from_z

number = st.one_of(st.none(), st.floats(-5, 5), st.just(0.0))
positive = st.one_of(st.none(), st.floats(0.01, 3))
share = st.one_of(st.none(), st.floats(1e-12, 1), st.just(1.0))


def column(*values):
    return np.array([np.nan if v is None else v for v in values], float)


def plain(beta, se, z, p, authority):
    """The rule in plain words: what has the say, then the file's z, then the other one."""
    estimate = None if beta is None or se is None else beta / se
    if beta is not None and z is not None and np.sign(beta) * np.sign(z) < 0:
        z = None
    sign = np.sign(beta if beta is not None else z) if beta is not None or z is not None else None
    from_p = None
    if p is not None:
        size = _z_of_p(p)
        if size == 0:
            from_p = 0.0
        elif sign:
            from_p = sign * size
    order = [estimate, z, from_p] if authority == "estimate" else [from_p, z, estimate]
    if authority == "p" and from_p == 0 and estimate is not None:
        order = [z, estimate]
    return next((v for v in order if v is not None), None)


def _z_of_p(p):
    low, high = 0.0, 60.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erfc(middle / math.sqrt(2)) > p else (low, middle)
    return 0.0 if p == 1 else low


@given(number, positive, number, share, st.sampled_from(["estimate", "p"]))
def test_z_is_that_of_the_plain_rule(beta, se, z, p, authority):
    verdicts = Verdicts(1)
    columns = {"beta": column(beta), "standard_error": column(se), "z_score": column(z), "p_value": column(p)}
    found = harmonise_effects(columns, verdicts, authority=authority)
    want = plain(beta, se, z, p, authority)
    if want is None:
        assert verdicts.drop[0] in {Drop.NO_EFFECT, Drop.NO_DIRECTION}
    else:
        assert verdicts.kept[0]
        assert found.z[0] == pytest.approx(want, rel=1e-4, abs=1e-4)
        if beta and abs(found.z[0]) > 1e-6 and found.se[0] == found.se[0]:
            assert found.z[0] * found.se[0] == pytest.approx(beta, rel=1e-4)


@given(number, positive, share)
def test_turning_the_sign_of_beta_turns_z_alone(beta, se, p):
    answers = []
    for sign in (1, -1):
        turned = None if beta is None else sign * beta
        columns = {"beta": column(turned), "standard_error": column(se), "p_value": column(p)}
        answers.append(harmonise_effects(columns, Verdicts(1)))
    np.testing.assert_array_equal(answers[0].z, -answers[1].z)
    np.testing.assert_array_equal(answers[0].se, answers[1].se)


@given(st.floats(-30, 30), st.floats(0.01, 3))
def test_harmonising_twice_is_harmonising_once(z, se):
    once = harmonise_effects({"z_score": column(z), "beta": column(z * se)}, Verdicts(1))
    again = harmonise_effects(
        {"beta": (once.z * once.se).astype(float), "standard_error": once.se.astype(float)}, Verdicts(1)
    )
    if once.se[0] == once.se[0]:
        np.testing.assert_allclose(again.z, once.z, rtol=1e-5)


def test_ratios_and_intervals():
    verdicts = Verdicts(4)
    columns = {
        "odds_ratio": column(1.39, 0, None, 2.0),
        "hazard_ratio": column(None, None, 0.5, None),
        "ci_lower": column(1.148398114122049, 1, 0.4, 3.0),
        "ci_upper": column(1.682430488382586, 2, 0.625, 1.0),
    }
    found = harmonise_effects(columns, verdicts)
    # Bentham 2015, rs193239665: OR 1.39 (1.148–1.682) has beta 0.3293, se 0.0974 in the same file
    assert found.z[0] * found.se[0] == pytest.approx(0.3293037471426003)
    assert found.se[0] == pytest.approx(0.09741618370296819, rel=1e-4)  # there with 1.96
    assert verdicts.drop.tolist() == [0, Drop.RATIO_NOT_POSITIVE, 0, Drop.NO_EFFECT]
    assert found.z[2] < 0
    assert verdicts.change[3] & Change.INTERVAL_IGNORED


def test_p_has_the_say_and_beta_is_kept():
    columns = {"beta": column(0.5, 0.5), "standard_error": column(0.1, 0.1), "p_value": column(1e-3, 1.0)}
    verdicts = Verdicts(2)
    found = harmonise_effects(columns, verdicts, authority="p")
    assert neg_log10_p_from_z(found.z)[0] == pytest.approx(3, rel=1e-5)
    np.testing.assert_allclose(found.z * found.se, [0.5, 0.5], rtol=1e-6)
    assert verdicts.change[0] & Change.P_AND_ESTIMATE_DISAGREE
    assert verdicts.change[0] & Change.STANDARD_ERROR_FROM_P


@pytest.mark.parametrize("exponent", [310, 400, 8000])
def test_p_below_the_smallest_float(exponent):
    columns = {"beta": column(-1.0), "p_value": column(0.0), "neg_log_10_p_value": column(exponent)}
    found = harmonise_effects(columns, Verdicts(1))
    assert neg_log10_p_from_z(found.z)[0] == pytest.approx(exponent, rel=1e-5)
    assert found.z[0] < 0


def test_frequency_and_size_out_of_range():
    verdicts = Verdicts(3)
    frequency = harmonise_frequency({"effect_allele_frequency": column(0.2, -0.1, 1.1)}, verdicts)
    np.testing.assert_array_equal(frequency, column(0.2, None, None))
    assert (verdicts.change & Change.FREQUENCY_SET_MISSING > 0).tolist() == [False, True, True]
    sizes = {"n": column(100, 0, None), "n_cases": column(1, 1, 30), "n_controls": column(1, 1, 40)}
    np.testing.assert_array_equal(harmonise_n(sizes, verdicts), column(100, None, 70))
    cases = {
        "eaf_cases": column(0.2),
        "eaf_controls": column(0.4),
        "n_cases": column(1),
        "n_controls": column(3),
    }
    assert harmonise_frequency(cases, Verdicts(1))[0] == pytest.approx(0.35)
