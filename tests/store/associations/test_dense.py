import shutil

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.model.errors import DamagedError
from nexome.store.associations import codec
from nexome.store.associations.dense import DenseSegment
from nexome.store.associations.dense_writer import DenseWriter
from nexome.store.associations.segment import Target, Window, run_work


def correlated_codes(features, traits, seed):
    """Codes of three planes: z with LD and strong peaks, missing runs, exact 0 and 1 frequencies."""
    rng = np.random.default_rng(seed)
    z = np.zeros((features, traits), np.float32)
    for i in range(1, features):
        z[i] = 0.9 * z[i - 1] + rng.normal(size=traits)
    z[rng.random(z.shape) < 0.01] *= 30
    f = np.clip(rng.beta(0.3, 1.5, features)[:, None] * rng.normal(1, 0.01, z.shape), 0, 1)
    se = np.exp(rng.normal(size=traits)) / np.sqrt(2 * f * (1 - f) + 1e-6)
    missing = rng.random(z.shape) < 0.1
    planes = [np.where(missing, np.nan, p) for p in (z, se, f)]
    return z, [
        encode(p)
        for encode, p in zip((codec.encode_z, codec.encode_se, codec.encode_eaf), planes, strict=True)
    ]


def write(path, z, codes, pieces=(100, 300)):
    features, traits = codes[0].shape
    writer = DenseWriter(path, features=features, groups=["a", "b", "a"][:1] * traits, axis="x")
    first = 0
    for stop in (*pieces, features):
        part = [c[first : min(stop, features)] for c in codes]
        writer.add_codes(*part)
        first = min(stop, features)
    row, column = np.nonzero(codes[0] == codec.OVERFLOW)
    writer.add_overflow(row, column, z[row, column])
    writer.finish()


def read(segment, rows, columns):
    target = Target.empty(len(rows), len(columns))
    window = Window(np.array(rows), np.arange(len(rows)), np.array(columns), np.arange(len(columns)))
    run_work(segment.work(window, target), None)
    return target


def plain_z(group, row, column):
    """The z code of one cell from the stored words alone, in plain Python."""
    words, lag, rho = group["z"], group["lag"][:], group["rho"][:]
    chain = {}
    for i in range(row // 64 * 64, row + 1):
        p = (int(rho[i]) * chain[i - int(lag[i])]) >> 6 if lag[i] else 0
        w = int(words[i, column])
        chain[i] = p + ((w - 2) >> 1 ^ -((w - 2) & 1)) if w > 1 else p
    return codec.MISSING + w if w < 2 else chain[row]


def plain_level(group, plane, row, column):
    """The eaf or se code of one cell from the stored words alone, in plain Python."""
    w, base = int(group[plane][row, column]), int(group["baseline"][row, int(group["group"][column])])
    if w == 0:
        return codec.MISSING
    if plane == "eaf":
        return {1: codec.EAF_ZERO, 2: codec.EAF_ONE}.get(w, base + ((w - 3) >> 1 ^ -((w - 3) & 1)))
    level = int(group["se_offset"][column]) + int(group["se_level"][row, int(group["group"][column])])
    return level + ((w - 2) >> 1 ^ -((w - 2) & 1))


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("dense") / "segment"
    z, codes = correlated_codes(700, 130, 1)
    write(path, z, codes)
    return path, z, codes


@settings(max_examples=40)
@given(st.data())
def test_any_window_reads_back_what_was_written(stored, data):
    path, z, codes = stored
    rows = data.draw(st.lists(st.integers(0, 699), min_size=1, unique=True).map(sorted))
    columns = data.draw(st.lists(st.integers(0, 129), min_size=1, unique=True).map(sorted))
    target = read(DenseSegment(path), rows, columns)
    for found, given_codes in zip((target.z, target.se, target.eaf), codes, strict=True):
        # A grid cell whose residual did not fit has become an overflow cell: the exact table has it.
        expected = given_codes[np.ix_(rows, columns)]
        became = (found == codec.OVERFLOW) & (expected != codec.OVERFLOW)
        assert np.array_equal(np.where(became, expected, found), expected)
        assert found is target.z or not became.any()
    exact = target.exact_cells().get("z")
    over = {(int(i), int(j)) for i, j in np.argwhere(target.z == codec.OVERFLOW)}
    assert over == (
        set() if exact is None else set(zip(exact.row.tolist(), exact.column.tolist(), strict=True))
    )
    if exact is not None:
        values = z[np.array(rows)[exact.row], np.array(columns)[exact.column]]
        assert np.abs(exact.value - values).max() <= 1 / 2048


def test_words_mean_what_the_format_says(stored):
    path, _, codes = stored
    group = zarr.open_group(path, mode="r")
    rng = np.random.default_rng(2)
    for row, column in zip(rng.integers(0, 700, 60).tolist(), rng.integers(0, 130, 60).tolist(), strict=True):
        assert plain_z(group, row, column) == codes[0][row, column]
        assert plain_level(group, "se", row, column) == codes[1][row, column]
        assert plain_level(group, "eaf", row, column) == codes[2][row, column]


def test_a_residual_that_does_not_fit_is_kept_exactly(tmp_path):
    z = np.zeros((128, 3), np.float32)
    z[0::2], z[1::2] = 31.9, 31.9
    z[64:] *= np.where(np.arange(64) % 2, -1, 1)[:, None]
    z[127, 1] *= -1  # against the prediction of the other traits: residual 65,330
    codes = [codec.encode_z(z), np.zeros(z.shape, np.int16), np.zeros(z.shape, np.int16)]
    write(tmp_path / "s", z, codes)
    target = read(DenseSegment(tmp_path / "s"), range(128), range(3))
    exact = target.exact_cells().get("z")
    decoded = codec.decode_z(target.z)
    assert exact is not None
    decoded[exact.row, exact.column] = exact.value
    assert np.abs(decoded - z).max() <= 1 / 2048


def test_ld_makes_neighbours_smaller(stored):
    path, _, codes = stored
    group = zarr.open_group(path, mode="r")
    assert (group["lag"][:] == 1).mean() > 0.5
    words = group["z"][:].astype(int)
    plain = np.where(codes[0] < 0, -2 * codes[0].astype(int) - 1, 2 * codes[0].astype(int))
    regular = words > 1
    assert np.median(words[regular]) < 0.7 * np.median(plain[regular])


def test_a_damaged_chunk_is_named(stored, tmp_path):
    path = tmp_path / "copy"
    shutil.copytree(stored[0], path)
    shard = path / "z" / "c" / "0" / "0"
    content = bytearray(shard.read_bytes())
    content[4:8] = b"\xff\xff\xff\xff"  # the first chunk's header: its size
    shard.write_bytes(bytes(content))
    with pytest.raises(DamagedError, match="row 0 and column 0"):
        read(DenseSegment(path), [3], [3])
    content[-10] ^= 1  # the index
    shard.write_bytes(bytes(content))
    with pytest.raises(DamagedError, match="index"):
        read(DenseSegment(path), [3], [3])


def test_shards_that_are_not_there_are_missing_cells(stored, tmp_path):
    path = tmp_path / "copy"
    shutil.copytree(stored[0], path)
    shutil.rmtree(path / "se" / "c")
    target = read(DenseSegment(path), [3, 500], [3])
    assert (target.se == codec.MISSING).all()
