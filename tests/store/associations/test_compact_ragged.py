"""Ragged segments merged: every cell as it was, dead ones gone, and nothing rewritten without need."""

import itertools

import numpy as np
import pytest

from nexome.model.terms import Study, Trait
from nexome.store.associations import compact_ragged, query
from nexome.store.associations.ragged import RaggedSegment
from nexome.store.associations.types import Block
from nexome.store.associations.verify import verify_store
from nexome.testing.associations import contents, publish_molecules, tiny_block, tiny_root, tiny_study


@pytest.fixture
def store(tmp_path):
    """Ten partial studies of 20 to 110 features and two of several traits, each a segment of its own."""
    store = tiny_root(tmp_path / "root")
    for seed in range(10):
        publish_partial(store, seed)
    publish_molecules(store, 30)
    publish_molecules(store, 31, traits=3)
    return store


def publish_partial(store, seed, *, exact=False, with_n=False):
    staged = store.stage(tiny_study(seed), exact=exact)
    block = tiny_block(seed, features=20 + 10 * seed, axis=seed % 3)
    n = np.arange(len(block), dtype=np.float32) + 5 if with_n else None
    staged.add(Block(block.locus, block.allele, block.z, block.se, block.eaf, n=n, spelled=block.spelled))
    return staged.publish({"seed": seed})


def ragged(store):
    return [e for e in store.snapshot().segments.values() if e.layout == "ragged"]


def cells_of(planes):
    """Every cell of an answer by feature, study and trait: a plain dictionary, whatever the segments."""
    values = planes.columns(["z", "standard_error", "effect_allele_frequency", "n"])
    refs = planes.traits
    return {
        (planes.features.key(i), refs[j].study.id, refs[j].trait.id): tuple(
            float(np.nan_to_num(v[i, j], nan=-1)) for v in values.values()
        )
        for i, j in np.argwhere(~np.isnan(values["z"])).tolist()
    }


def everything(store):
    snapshot = store.snapshot()
    keys = {
        k
        for s in snapshot.studies
        for c in query.study_batches(snapshot, s)
        for k in map(c.features.key, range(c.shape[0]))
    }
    return cells_of(query.lookup(snapshot, sorted(keys), snapshot.select()))


@pytest.mark.parametrize("piece", [7, 1 << 20])
def test_merging_changes_no_answer(store, monkeypatch, piece):
    monkeypatch.setattr(compact_ragged, "_PIECE_CELLS", piece)
    publish_partial(store, 11, exact=True)
    publish_partial(store, 12, exact=True)
    publish_partial(store, 13, with_n=True)
    before, held = everything(store), contents(store)
    assert len(ragged(store)) == 15
    store.compact()
    assert sorted(len(e.planes) for e in ragged(store)) == [3, 4, 6]
    assert everything(store) == before
    assert contents(store) == held
    assert verify_store(store.root.path).findings == []
    sequence = store.snapshot().sequence
    store.compact()
    assert store.snapshot().sequence == sequence


def test_dead_cells_and_their_features_are_left_behind(store):
    store.withdraw("S9", reason="consent")
    publish_partial(store, 8)
    store.compact()
    (entry,) = ragged(store)
    live = {
        k
        for s in store.snapshot().studies
        for c in query.study_batches(store.snapshot(), s)
        for k in map(c.features.key, range(c.shape[0]))
    }
    assert entry.features == len(live)
    assert entry.cells == sum(s.cells for s in store.snapshot().studies.values())
    assert {run.study for run in entry.columns} == set(store.snapshot().studies)
    assert verify_store(store.root.path).findings == []


def test_a_segment_half_dead_is_written_anew(tmp_path):
    store = tiny_root(tmp_path / "root")
    for seed in range(4):
        publish_partial(store, seed)
    store.compact()
    store.withdraw("S1", reason="consent")
    store.compact()
    assert [run.study for run in ragged(store)[0].columns] == ["S0", "S1", "S2", "S3"]
    store.withdraw("S3", reason="consent")
    store.compact()
    assert [run.study for run in ragged(store)[0].columns] == ["S0", "S2"]


def test_a_large_segment_is_not_rewritten_for_a_small_one(store):
    store.compact()
    (large,) = ragged(store)
    few = store.stage(Study("few", traits=(Trait("t", "T"),)))
    few.add(tiny_block(5, features=9))
    few.publish({})
    store.compact()
    assert large.id in {e.id for e in ragged(store)}
    assert len(ragged(store)) == 2


def test_segments_of_too_many_features_stay_apart(store, monkeypatch):
    monkeypatch.setattr(compact_ragged, "FEATURES_MOST", 100)
    before = everything(store)
    store.compact()
    assert len(ragged(store)) > 1
    assert everything(store) == before


def test_runs_are_cut_anywhere(store):
    store.compact()
    (entry,) = ragged(store)
    segment = RaggedSegment(store.folder / entry.path)
    whole = segment.read_run(0, segment.cells)
    cuts = sorted({0, *np.random.default_rng(1).integers(0, segment.cells, 30).tolist(), segment.cells})
    parts = [segment.read_run(a, b) for a, b in itertools.pairwise(cuts)]
    for name in ("trait", "feature", "z"):
        np.testing.assert_array_equal(np.concatenate([getattr(p, name) for p in parts]), getattr(whole, name))
    for trait in range(segment.traits):
        np.testing.assert_array_equal(segment.read_trait(trait).z, whole.z[whole.trait == trait])
