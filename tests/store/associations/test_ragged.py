"""Ragged segments against a plain dictionary of cells; read again by zarr-python alone."""

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.model.errors import DamagedError, InputError
from nexome.model.genome import Interval, allele_key, hash_text, locus_of
from nexome.store.associations import codec, ragged_writer
from nexome.store.associations.ragged import RaggedSegment
from nexome.store.associations.ragged_writer import RaggedWriter, extra_planes
from nexome.store.associations.types import Block, FeatureKey
from nexome.store.associations.vectors import CHUNK, MappedVector, VectorWriter

LONG = "A/" + "C" * 30
KEYS = sorted(
    (locus_of(c, p), a)
    for c in (0, 1)
    for p in (5, 90, 4_000)
    for a in (allele_key("A", "G"), allele_key("A", "T"), hash_text(LONG))
)


def make_cells(rng, traits, share):
    """{(trait, key): (z, se, eaf, n)} with some z that no code can hold."""
    cells = {}
    for trait in range(traits):
        for key in KEYS:
            if rng.random() < share:
                z = rng.normal() * (200 if rng.random() < 0.1 else 3)
                cells[trait, key] = np.float32([z, rng.uniform(0.01, 2), rng.uniform(), rng.integers(9, 99)])
    return cells


def block_of(cells, keys):
    values = np.array([cells[k] for k in keys], np.float32).reshape(len(keys), 4)
    return Block(
        locus=np.array([k[1][0] for k in keys], np.uint64),
        allele=np.array([k[1][1] for k in keys], np.uint64),
        z=values[:, 0],
        se=values[:, 1],
        eaf=values[:, 2],
        n=values[:, 3],
        rsid=np.array([k[1][0] % 97 for k in keys], np.uint32),
        trait=np.array([k[0] for k in keys], np.uint32),
        spelled={hash_text(LONG): LONG},
    )


def write(path, cells, traits, parts, **options):
    writer = RaggedWriter(path, traits, extras=extra_planes(["n"], **({"exact": False} | options)))
    for part in parts:
        writer.add(block_of(cells, part))
    writer.finish()
    return RaggedSegment(path)


def same_but_for_ties(codes, plain, scaled):
    """Equal codes; where `scaled` lies halfway, but for the rounding of float32, either neighbour."""
    tie = np.abs(np.abs(scaled - np.trunc(scaled)) - 0.5) < 1e-3
    np.testing.assert_array_equal(codes[~tie], plain[~tie])
    assert (np.abs(codes[tie].astype(int) - plain[tie]) <= 1).all()


def check(answer, cells, expected):
    """`answer` holds exactly the cells with the (trait, row) pairs of `expected`, in that order."""
    assert list(zip(answer.trait.tolist(), answer.feature.tolist(), strict=True)) == [e[:2] for e in expected]
    values = np.array([cells[e[2]] for e in expected], np.float32).reshape(len(expected), 4)
    np.testing.assert_array_equal(answer.z, codec.encode_z(values[:, 0]))
    same_but_for_ties(answer.se, codec.encode_se(values[:, 1]), codec.SE_STEP * np.log(values[:, 1]))
    minor = np.minimum(values[:, 2], 1 - values[:, 2])
    same_but_for_ties(answer.eaf, codec.encode_eaf(values[:, 2]), codec.EAF_STEP * np.log(2 * minor))
    np.testing.assert_array_equal(answer.n, values[:, 3])
    over = np.flatnonzero(answer.z == codec.OVERFLOW)
    if len(over):
        at, exact = answer.exact["z"]
        np.testing.assert_array_equal(at, over)
        np.testing.assert_array_equal(exact, values[over, 0])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    traits=st.integers(1, 9),
    share=st.sampled_from([0.0, 0.2, 0.9]),
    in_order=st.booleans(),
    bucket=st.sampled_from([1, 7, 1 << 22]),
)
def test_every_question_answers_as_a_plain_dictionary(
    tmp_path_factory, seed, traits, share, in_order, bucket
):
    rng = np.random.default_rng(seed)
    cells = make_cells(rng, traits, share)
    keys = sorted(cells)
    if not in_order:
        rng.shuffle(keys)
        keys = [(int(t), (int(a), int(b))) for t, (a, b) in keys]
    parts = [keys[i : i + 5] for i in range(0, len(keys), 5)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ragged_writer, "BUCKET_CELLS", bucket)
        segment = write(tmp_path_factory.mktemp("s") / "r", cells, traits, parts)
    assert not (segment.path / "spool").exists()
    used = sorted({k for _, k in cells})
    row = {k: i for i, k in enumerate(used)}
    assert segment.cells == len(cells)
    assert [segment.axis.features().key(i) for i in range(len(segment.axis))] == [
        FeatureKey(*k) for k in used
    ]
    for key in used:
        check(
            segment.read_feature(row[key]),
            cells,
            [(t, row[key], (t, key)) for t in range(traits) if (t, key) in cells],
        )
    for trait in range(traits):
        own = [(trait, row[k], (trait, k)) for k in used if (trait, k) in cells]
        check(segment.read_trait(trait), cells, own)
        check(segment.read_trait(trait, 1, 3), cells, own[1:3])
        low, high = sorted(rng.integers(0, len(used) + 1, 2).tolist())
        check(segment.read_trait_features(trait, low, high), cells, [o for o in own if low <= o[1] < high])
    low, high = segment.axis.rows_in(Interval(0, 50, 4_000)) if used else (0, 0)
    inside = [
        (t, row[k], (t, k)) for k in used for t in range(traits) if low <= row[k] < high and (t, k) in cells
    ]
    check(segment.read_features(low, high), cells, inside)


def test_a_cell_given_twice_is_refused(tmp_path):
    cells = make_cells(np.random.default_rng(1), 2, 0.9)
    keys = sorted(cells)
    with pytest.raises(InputError, match="given twice"):
        write(tmp_path / "r", cells, 2, [keys, keys[:1]])


def test_a_statistic_outside_its_range_is_refused(tmp_path):
    cells = {(0, KEYS[0]): np.float32([1, -1, 0.5, 5])}
    with pytest.raises(InputError, match="se outside"):
        write(tmp_path / "r", cells, 1, [list(cells)])


def test_exact_values_are_kept_bit_for_bit(tmp_path):
    cells = make_cells(np.random.default_rng(2), 3, 0.9)
    segment = write(tmp_path / "r", cells, 3, [sorted(cells)], exact=True)
    answer = segment.read_feature(4)
    values = np.array([cells[k] for k in sorted(cells) if k[1] == KEYS[4]])
    for i, plane in enumerate(("z", "se", "eaf")):
        np.testing.assert_array_equal(answer.exact[plane][1], values[:, i])


def test_a_stranger_reads_it_with_zarr_alone(tmp_path):
    cells = make_cells(np.random.default_rng(3), 4, 0.7)
    segment = write(tmp_path / "r", cells, 4, [sorted(cells)])
    group = zarr.open_group(str(segment.path), mode="r")
    assert group.attrs["kind"] == "nexome-ragged"
    offset = group["by_trait/offset"][:]
    for trait in range(4):
        run = slice(offset[trait], offset[trait + 1])
        np.testing.assert_array_equal(group["by_trait/z"][run], segment.read_trait(trait).z)
        np.testing.assert_array_equal(group["by_trait/feature"][run], segment.read_trait(trait).feature)


@settings(max_examples=20, deadline=None)
@given(length=st.sampled_from([1, CHUNK - 1, CHUNK, 3 * CHUNK + 5]), data=st.data())
def test_any_run_of_a_vector_reads_back(tmp_path_factory, length, data):
    path = tmp_path_factory.mktemp("v") / "v"
    values = np.random.default_rng(length).integers(-9, 9, length).astype(np.int16)
    writer = VectorWriter(path, length, "int16")
    cut = data.draw(st.integers(0, length))
    writer.append(values[:cut])
    writer.append(values[cut:])
    writer.close()
    start, stop = sorted((data.draw(st.integers(0, length)), data.draw(st.integers(0, length))))
    np.testing.assert_array_equal(MappedVector(path)[start:stop], values[start:stop])


def test_a_flipped_bit_names_the_chunk(tmp_path):
    values = np.random.default_rng(1).integers(0, 2**31, 3 * CHUNK).astype(np.uint32)
    writer = VectorWriter(tmp_path / "v", len(values), "uint32")
    writer.append(values)
    writer.close()
    shard = MappedVector(tmp_path / "v").shard_path(0)
    content = bytearray(shard.read_bytes())
    content[3] ^= 255  # the header of the first chunk
    shard.write_bytes(content)
    with pytest.raises(DamagedError, match=r"c/0: chunk 0"):
        MappedVector(tmp_path / "v")[0:10]
    np.testing.assert_array_equal(MappedVector(tmp_path / "v")[CHUNK : CHUNK + 9], values[CHUNK : CHUNK + 9])
    content[-1] ^= 1
    shard.write_bytes(content)
    with pytest.raises(DamagedError, match="index"):
        MappedVector(tmp_path / "v")[CHUNK : CHUNK + 9]
