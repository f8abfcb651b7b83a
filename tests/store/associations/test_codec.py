import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.store.associations import codec, kernels

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
SE = st.floats(min_value=2.0**-126, max_value=2.0**127, width=32)


@given(st.lists(st.floats(-31.75, 31.75, width=32) | st.just(float("nan")), min_size=1))
def test_z_comes_back_within_half_a_step(values):
    z = np.array(values, np.float32)
    back = codec.decode_z(codec.encode_z(z))
    assert np.array_equal(np.isnan(back), np.isnan(z))
    assert np.nanmax(np.abs(back - z), initial=0) <= 1 / 2048


@given(st.lists(SE, min_size=1))
def test_se_comes_back_within_one_percent(values):
    se = np.array(values, np.float32)
    back = codec.decode_se(codec.encode_se(se)).astype(np.float64)
    assert np.abs(back / se - 1).max() < 0.0099


@given(st.lists(st.floats(0, 1, width=32), min_size=1))
def test_eaf_comes_back_within_0_79_percent_of_the_rarer_allele(values):
    f = np.array(values, np.float32).astype(np.float64)
    back = codec.decode_eaf(codec.encode_eaf(f)).astype(np.float64)
    minor = np.minimum(f, 1 - f)
    rounding = 2.0**-24 * (f >= 0.5)  # float32 cannot tell 1 − 1e-9 from 1
    assert (np.abs(back - f) <= 0.0079 * minor + rounding + 2.0**-126).all()


def test_exactly_0_and_1_stay():
    assert codec.decode_eaf(codec.encode_eaf(np.array([0.0, 1.0]))).tolist() == [0.0, 1.0]


def test_a_z_beyond_the_grid_is_marked():
    z = np.array([32.0, -32.0, 137.0, 31.99], np.float32)
    assert codec.encode_z(z).tolist() == [codec.OVERFLOW, codec.OVERFLOW, codec.OVERFLOW, 32758]


def _compiled(name, values):
    values = np.ascontiguousarray(values, np.float32)
    codes = np.empty(values.shape, np.int16)
    if name == "se":
        assert not kernels.encode_se(values, values.view(np.int32), codes)
    else:
        assert not getattr(kernels, f"encode_{name}")(values, codes)
    return codes


@pytest.mark.parametrize(
    ("name", "values", "per_step"),
    [
        ("z", st.floats(-200, 200, width=32), 0),
        ("se", SE, 1e-3),
        ("eaf", st.floats(0, 1, width=32), 1e-3),
    ],
)
def test_compiled_encoding_is_the_plain_one_but_for_ties(name, values, per_step):
    @given(st.lists(values | st.just(float("nan")), min_size=1))
    def check(given_values):
        x = np.array(given_values, np.float32)
        plain = getattr(codec, f"encode_{name}")(x).astype(int)
        compiled = _compiled(name, x).astype(int)
        off = plain != compiled
        assert (np.abs(plain - compiled)[off] <= 1).all()
        if name == "z":
            assert not off.any()
        # A code may differ only where the exact value lies within a thousandth of a step of a tie.
        with np.errstate(all="ignore"):
            x64 = x.astype(np.float64)
            minor = np.minimum(x64, 1 - x64)
            exact = 51 * np.log(x64) if name == "se" else 64 * np.log(2 * minor)
            assert (np.abs(np.abs(exact[off]) % 1 - 0.5) < per_step).all()

    check()


@pytest.mark.parametrize(
    ("name", "value"), [("z", np.inf), ("se", 0.0), ("se", -1.0), ("se", np.inf), ("eaf", -0.1), ("eaf", 1.1)]
)
def test_compiled_encoding_tells_of_values_that_cannot_be_stored(name, value):
    values = np.array([0.5, value, 0.5], np.float32)
    codes = np.empty(3, np.int16)
    extra = (values.view(np.int32),) if name == "se" else ()
    assert getattr(kernels, f"encode_{name}")(values, *extra, codes)


def test_tables_hold_the_documented_values():
    assert codec.z_table()[1024] == 1.0
    assert np.isnan(codec.z_table()[[32768, 32769]]).all()
    assert codec.se_table()[51] == np.float32(np.e)
    assert codec.eaf_table()[0] == 0.5
    # p of z = 5 is 5.733e-7 (R: 2 * pnorm(-5)).
    assert codec.neg_log_10_p_table()[5 * 1024] == pytest.approx(-np.log10(5.733031e-7), abs=1e-6)
    assert codec.p_table()[5 * 1024] == pytest.approx(5.733031e-7, rel=1e-6)
