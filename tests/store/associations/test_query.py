"""The whole way in and out, against a plain dictionary: stage, publish, ask, replace, compact, ask again."""

import numpy as np
import pytest

from nexome.model.errors import InputError, NotFoundError
from nexome.model.genome import (
    HASHED,
    Interval,
    allele_key,
    assembly_from_contigs,
    feature_key,
    hash_text,
    loci_of,
    parse_variant,
)
from nexome.model.terms import Study, Trait
from nexome.store.associations import AssociationStore, Block, FeatureKey, Features, query, write
from nexome.store.root import create_root

ASSEMBLY = assembly_from_contigs("toy", "Homo sapiens", [("1", 100_000), ("2", 50_000)])
LONG = "A/" + "T" * 40
PAIRS = (allele_key("A", "C"), allele_key("G", "T"), hash_text(LONG))
COLUMNS = ("beta", "standard_error", "z", "neg_log_10_p_value", "effect_allele_frequency", "n")


def make_features(seed, count):
    """`count` features on two contigs, a third of them with a long allele, some sharing a position."""
    rng = np.random.default_rng(seed)
    contig, position = rng.integers(0, 2, count), rng.integers(1, 40_000, count)
    keys = {
        (int(locus), PAIRS[int(a)])
        for locus, a in zip(loci_of(contig, position), rng.integers(0, 3, count), strict=True)
    }
    return sorted(keys)


def make_rows(keys, seed, *, missing=0.05):
    rng = np.random.default_rng(seed)
    size = len(keys)
    z = (rng.normal(size=size) * 3).astype(np.float32)
    z[rng.random(size) < 0.01] *= 40
    z[rng.random(size) < missing] = np.nan
    se, eaf = rng.uniform(0.01, 2, size), rng.uniform(0, 1, size)
    return z, se.astype(np.float32), eaf.astype(np.float32)


def make_block(keys, rows, *, n=None, trait=None):
    locus, allele = (np.array(part, np.uint64) for part in zip(*keys, strict=True))
    rsid = (locus & np.uint64(0xFFFF)).astype(np.uint32)
    return Block(locus, allele, *rows, n=n, rsid=rsid, trait=trait, spelled={hash_text(LONG): LONG})


def one_trait(name, ancestry="", n=100.0):
    return Study(name, ancestry=ancestry, traits=(Trait("t", name, n=n),))


class Centre:
    """A store beside a plain dictionary {(study, trait): {key: (z, se, eaf, n)}} of what is in it."""

    def __init__(self, path):
        create_root(path, assembly=ASSEMBLY)
        self.store = AssociationStore.open(path)
        self.cells = {}

    def publish(self, name, keys, seed, *, varying_n=False, ancestry="", pieces=2, exact=False):
        rows = make_rows(keys, seed)
        n = np.random.default_rng(seed).integers(50, 99, len(keys)).astype(np.float32) if varying_n else None
        staged = self.store.stage(one_trait(name, ancestry), exact=exact)
        for part in np.array_split(np.arange(len(keys)), pieces):
            cut = make_block(
                [keys[i] for i in part], [r[part] for r in rows], n=None if n is None else n[part]
            )
            staged.add(cut)
        published = staged.publish({"seed": seed})
        ns = np.full(len(keys), 100, np.float32) if n is None else n
        self.cells[name, "t"] = _present(keys, rows, ns)
        return published

    def publish_molecules(self, name, keys, traits, seed):
        rng = np.random.default_rng(seed)
        study = Study(name, traits=tuple(Trait(f"g{i}", f"gene {i}", n=60.0) for i in range(traits)))
        staged = self.store.stage(study)
        for i in range(traits):
            own = [keys[k] for k in sorted(rng.choice(len(keys), 20, replace=False))]
            rows = make_rows(own, seed + i)
            staged.add(make_block(own, rows, trait=np.full(20, i, np.uint32)))
            self.cells[name, f"g{i}"] = _present(own, rows, np.full(20, 60, np.float32))
        return staged.publish({})

    def publish_matrix(self, names, keys, seed):
        rows = [make_rows(keys, seed + i) for i in range(len(names))]
        locus, allele = (np.array(part, np.uint64) for part in zip(*keys, strict=True))
        features = Features(locus, allele, np.zeros(len(keys), np.uint32), {hash_text(LONG): LONG})
        staged = self.store.stage_matrix(
            [one_trait(n, f"group {i % 2}") for i, n in enumerate(names)], features
        )
        planes = [np.stack([r[p] for r in rows], axis=1) for p in range(3)]
        for start in range(0, len(keys), 333):
            staged.add_rows(*(p[start : start + 333] for p in planes))
        staged.publish({"matrix": True})
        for name, own in zip(names, rows, strict=True):
            self.cells[name, "t"] = _present(keys, own, np.full(len(keys), 100, np.float32))

    def expected(self, keep, studies=None):
        """{(key, study, trait): (z, se, eaf, n)} of the cells whose key passes `keep`."""
        return {
            (key, *owner): values
            for owner, cells in self.cells.items()
            if studies is None or owner[0] in studies
            for key, values in cells.items()
            if keep(key)
        }


def _present(keys, rows, n):
    return {
        key: (float(z), float(se), float(f), float(m))
        for key, z, se, f, m in zip(keys, *rows, n, strict=True)
        if not np.isnan(z)
    }


def found_in(planes):
    """{(key, study, trait): decoded columns} of an answer, from its long table and its planes."""
    values = planes.columns(COLUMNS)
    refs = planes.traits
    out = {}
    for i, j in np.argwhere(~np.isnan(values["z"])).tolist():
        owner = (planes.features.key(i), refs[j].study.id, refs[j].trait.id)
        assert owner not in out
        out[owner] = {name: float(v[i, j]) for name, v in values.items()}
    assert planes.table().num_rows == len(out)
    return out


def check(found, expected):
    assert found.keys() == expected.keys()
    for owner, (z, se, eaf, n) in expected.items():
        cell = found[owner]
        assert abs(cell["z"] - z) <= 1 / 2048
        assert abs(cell["standard_error"] / se - 1) < 0.0099
        assert abs(cell["effect_allele_frequency"] - eaf) <= 0.0079 * min(eaf, 1 - eaf) + 1e-7
        assert cell["beta"] == pytest.approx(cell["z"] * cell["standard_error"], rel=1e-6, abs=1e-9)
        assert cell["n"] == n


def check_all(centre):
    """Every kind of question against the dictionary."""
    snapshot = centre.store.snapshot()
    select = snapshot.select()
    every = sorted({key for cells in centre.cells.values() for key in cells})
    rng = np.random.default_rng(7)
    for key in [every[i] for i in rng.choice(len(every), 12)]:
        cells = query.phewas(snapshot, FeatureKey(*key), select)
        check(found_in(cells), centre.expected(lambda k, key=key: k == key))
        assert cells.features.text(0) == {PAIRS[0]: "A/C", PAIRS[1]: "G/T", PAIRS[2]: LONG}[key[1]]
    interval = Interval(0, 5_000, 20_000)
    low, high = interval.locus_range
    planes = query.region(snapshot, interval, select)
    check(found_in(planes), centre.expected(lambda k: low <= k[0] < high))
    names = list(snapshot.studies)[::2]
    planes = query.region(snapshot, interval, snapshot.select(names))
    check(found_in(planes), centre.expected(lambda k: low <= k[0] < high, names))
    asked = [FeatureKey(*every[i]) for i in (9, 2, 40, 2)] + [FeatureKey(1, 1)]
    planes = query.lookup(snapshot, asked, select)
    assert [planes.features.key(i) for i in range(4)] == [asked[0], asked[1], asked[2], asked[4]]
    check(found_in(planes), centre.expected(lambda k: k in set(asked)))
    for (name, trait), cells in centre.cells.items():
        batches = list(query.study_batches(snapshot, name, trait, rows=150))
        merged = {}
        for batch in batches:
            merged |= found_in(batch)
        check(merged, {(k, name, trait): v for k, v in cells.items()})
        keys = [batch.features.key(i) for batch in batches for i in range(batch.shape[0])]
        assert keys == sorted(cells)


@pytest.fixture
def centre(tmp_path, monkeypatch):
    monkeypatch.setattr(write, "OWN_AXIS_FROM", 300)
    return Centre(tmp_path / "root")


@pytest.fixture
def full(centre):
    """Studies in every layout: on one axis, nearly on it, on another, ragged, molecules, a matrix."""
    axis = make_features(1, 1_000)
    centre.publish("first", axis, 10, ancestry="EUR")
    centre.publish(
        "nearly", sorted({*axis[::2], *axis[1::4], *axis[5::9], *make_features(8, 60)}), 11, varying_n=True
    )
    centre.publish("other", make_features(2, 600), 12)
    centre.publish("few", make_features(3, 90), 13, pieces=1)
    centre.publish_molecules("molecules", axis[:100], 6, 14)
    centre.publish_matrix([f"m{i}" for i in range(5)], make_features(4, 700), 30)
    return centre


def layouts(store):
    return sorted(entry.layout for entry in store.snapshot().segments.values())


def test_every_question_answers_as_a_plain_dictionary(full):
    assert layouts(full.store) == ["column", "column", "column", "dense", "ragged", "ragged", "ragged"]
    check_all(full)


def test_compaction_changes_no_answer(full):
    before = full.store.snapshot()
    full.store.compact()
    found = layouts(full.store)
    # A companion with n of its own may stay apart; the other ragged segments are one.
    assert found.count("ragged") in {1, 2}
    assert [x for x in found if x != "ragged"] in (["column", "dense", "dense"], ["dense", "dense", "dense"])
    check_all(full)
    # A reader that holds the snapshot from before goes on, also when files are cleaned in due time.
    assert full.store.clean() == []
    assert query.region(before, Interval(0, 1, 100_000), before.select()).shape[0] > 0
    sequence = full.store.snapshot().sequence
    full.store.compact()
    assert full.store.snapshot().sequence == sequence
    full.store.clean(grace_s=0)
    check_all(full)


def test_a_new_version_replaces_the_old_as_one(full):
    old = full.store.snapshot()
    published = full.publish("first", make_features(1, 1_000), 99)
    assert published.version == 2
    check_all(full)
    assert old.studies["first"].version == 1
    full.store.compact()
    check_all(full)
    assert full.publish("first", make_features(5, 80), 98).version == 3
    check_all(full)


def test_a_withdrawn_study_is_nowhere(full):
    full.store.withdraw("m1", reason="consent")
    full.store.withdraw("molecules", reason="consent")
    full.cells = {k: v for k, v in full.cells.items() if k[0] not in {"m1", "molecules"}}
    check_all(full)
    full.store.compact()
    check_all(full)
    with pytest.raises(NotFoundError):
        full.store.withdraw("m1", reason="again")
    with pytest.raises(NotFoundError):
        full.store.snapshot().select(["m1"])


def test_axes_that_nearly_agree_are_united(centre):
    axis = make_features(1, 1_000)
    one, other = centre.store.stage(one_trait("one")), centre.store.stage(one_trait("other"))
    shifted = sorted({*axis[:-30], *make_features(6, 40)})
    for staged, keys, seed in ((one, axis, 1), (other, shifted, 2)):
        rows = make_rows(keys, seed)
        staged.add(make_block(keys, rows))
        centre.cells[staged._study.id, "t"] = _present(keys, rows, np.full(len(keys), 100, np.float32))
    # Two axes arise only when neither study sees the other's: hide the store's from the second.
    one.publish({})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "find_axis", lambda *_: None)
        other.publish({})
    assert len(centre.store.snapshot().axes) == 2
    check_all(centre)
    centre.store.compact()
    assert len(centre.store.snapshot().axes) == 1
    assert layouts(centre.store) == ["dense"]
    check_all(centre)


def test_exact_studies_keep_their_float32(centre):
    keys = make_features(1, 500)
    centre.publish("exact", keys, 5, exact=True)
    centre.publish("coded", keys, 6)
    z, se, eaf = make_rows(keys, 5)
    cells = next(query.study_batches(centre.store.snapshot(), "exact"))
    there = ~np.isnan(z)
    assert np.array_equal(cells.column("z")[:, 0], z[there])
    assert np.array_equal(cells.column("standard_error")[:, 0], se[there])
    assert np.array_equal(cells.column("effect_allele_frequency")[:, 0], eaf[there])
    check_all(centre)
    centre.store.compact()
    check_all(centre)


def test_names_are_resolved_to_keys(full):
    snapshot = full.store.snapshot()
    key = next(k for k in full.cells["first", "t"] if k[1] == PAIRS[0])
    contig, position = "12"[key[0] >> 32], key[0] & 0xFFFFFFFF
    (hit,) = query.resolve(snapshot, parse_variant(f"{contig}-{position}-A-C", ASSEMBLY))
    assert (hit.key, hit.text, hit.swapped, hit.rsid) == (key, "A/C", False, position)
    (hit,) = query.resolve(snapshot, parse_variant(f"{contig}-{position}-C-A", ASSEMBLY))
    assert hit.key == key
    assert hit.swapped
    name = parse_variant(f"{contig}-{position}-C-A", ASSEMBLY)
    assert query.resolve(snapshot, name, ref_alt_either_order=False) == []
    assert key in [h.key for h in query.resolve(snapshot, parse_variant(f"{contig}:{position}", ASSEMBLY))]
    assert key in [h.key for h in query.resolve(snapshot, parse_variant(f"rs{position}", ASSEMBLY))]
    assert query.resolve(snapshot, parse_variant("rs999999", ASSEMBLY)) == []


def test_named_features_are_stored_and_found(centre):
    keys = {i: feature_key("cpg", f"cg{i:03}") for i in range(30)}
    locus = loci_of(np.zeros(30), np.arange(1, 31))
    allele = np.array(list(keys.values()), np.uint64)
    assert (allele >= HASHED).all()
    spelled = {k: f"cpg:cg{i:03}" for i, k in keys.items()}
    ones = np.ones(30, np.float32)
    staged = centre.store.stage(Study("ewas", feature_kind="cpg", traits=(Trait("t", "smoking"),)))
    staged.add(Block(locus, allele, ones * 2, ones, ones / 2, spelled=spelled))
    staged.publish({})
    snapshot = centre.store.snapshot()
    (hit,) = query.find_named(snapshot, "cpg", "cg007")
    assert (hit.key, hit.text) == ((8, keys[7]), "cpg:cg007")
    table = query.phewas(snapshot, hit.key, snapshot.select()).table()
    assert table["feature_name"].to_pylist() == ["cg007"]
    assert table["effect_allele"].to_pylist() == [None]
    assert query.find_named(snapshot, "cpg", "cg999") == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"z": [1, np.inf, 1]}, "row 1: z = inf"),
        ({"se": [1, 1, -1]}, "row 2: se = -1"),
        ({"se": [0, 1, 1]}, "row 0: se = 0"),
        ({"eaf": [0.1, 1.5, 0.1]}, "row 1: eaf = 1.5"),
        ({"locus": [1, 3, 2]}, "row 2 is not above"),
        ({"z": [1, 1]}, "2 values of z"),
    ],
)
def test_rows_that_cannot_be_stored_are_named(centre, change, message):
    rows = {"locus": [1, 2, 3], "z": [1, 1, 1], "se": [1, 1, 1], "eaf": [0.1, 0.1, 0.1]} | change
    kinds = {"locus": np.uint64}
    arrays = {n: np.array(v, kinds.get(n, np.float32)) for n, v in rows.items()}
    staged = centre.store.stage(one_trait("bad"))
    with pytest.raises(InputError, match=message):
        staged.add(Block(allele=np.full(3, PAIRS[0], np.uint64), **arrays))
    staged.abandon()
    assert not list((centre.store.folder / "staging").iterdir())


def test_order_is_checked_across_blocks_and_rows_counted_through(centre):
    keys = make_features(1, 20)
    staged = centre.store.stage(one_trait("bad"))
    staged.add(make_block(keys, make_rows(keys, 1)))
    with pytest.raises(InputError, match=f"row {len(keys)} is not above"):
        staged.add(make_block(keys, make_rows(keys, 1)))
    staged.abandon()


def test_a_matrix_names_row_and_study_of_a_bad_value(centre):
    features = Features(
        np.arange(1, 4, dtype=np.uint64), np.full(3, PAIRS[0], np.uint64), np.zeros(3, np.uint32)
    )
    staged = centre.store.stage_matrix([one_trait("a"), one_trait("b")], features)
    good = np.full((2, 2), 0.5, np.float32)
    staged.add_rows(good, good, good)
    bad = np.array([[0.5, -1]], np.float32)
    with pytest.raises(InputError, match="study b: row 2: se = -1"):
        staged.add_rows(good[:1], bad, good[:1])
    with pytest.raises(InputError, match="2 rows"):
        staged.publish({})
    assert not centre.store.snapshot().studies


def test_a_study_without_rows_is_refused(centre):
    with pytest.raises(InputError, match="no rows"):
        centre.store.stage(one_trait("empty")).publish({})


def test_abandoned_work_of_a_dead_process_is_swept(centre):
    gone = centre.store.folder / "staging" / "1-dead"
    gone.mkdir(parents=True)
    (gone / "owner").write_text("")
    staged = centre.store.stage(one_trait("alive"))
    assert centre.store.clean() == ["staging/1-dead"]
    assert staged._work.path.exists()
    staged.abandon()


def test_the_snapshot_is_the_same_until_something_is_published(centre):
    store = centre.store
    assert store.snapshot() is store.snapshot()
    before = store.snapshot()
    centre.publish("a", make_features(1, 30), 1, pieces=1)
    assert store.snapshot() is not before
    assert store.snapshot().sequence == before.sequence + 1
    assert "a" not in before.studies
