"""Every installed peer holds the rows it was given and answers every question from them."""

import numpy as np
import pytest

from nexome.bench.peers import PEERS, rows_as_table
from nexome.bench.questions import QUESTIONS, Cells, Targets, ask_warm, decoded, disagreement
from nexome.bench.synthetic import SyntheticStore
from nexome.model.errors import InputError

FEATURES, TRAITS = 3_000, 12
LENGTHS = np.array([1_000_000, 400_000], np.int64)


class Plain:
    """The rows themselves as float arrays: the oracle."""

    def __init__(self, store):
        rows = store.rows(0, FEATURES)
        self.z, self.se, self.eaf = rows.z, rows.se, rows.eaf

    def _cells(self, features, studies):
        feature, study = (a.ravel() for a in np.meshgrid(features, studies, indexing="ij"))
        kept = np.isfinite(self.z[feature, study])
        feature, study = feature[kept], study[kept]
        planes = {n: getattr(self, n)[feature, study] for n in ("z", "se", "eaf")}
        return decoded(feature, study, **planes)

    def cells(self, answer):
        return answer

    def phewas(self, feature):
        return self._cells([feature], range(TRAITS))

    def region(self, start, stop, study):
        return self._cells(range(start, stop), [study])

    def region_all(self, start, stop):
        return self._cells(range(start, stop), range(TRAITS))

    def lookup(self, features, studies):
        return self._cells(features, studies)

    def top(self, study):
        z = np.nan_to_num(self.z[:, study])
        strongest = np.argsort(-np.abs(z), kind="stable")[:100]
        return self._cells(strongest[np.abs(z[strongest]) > 3.8906], [study])

    def whole(self, study):
        return self._cells(range(FEATURES), [study]).count


@pytest.fixture(scope="module")
def store():
    return SyntheticStore(FEATURES, TRAITS)


@pytest.fixture(scope="module")
def targets(store):
    return Targets.draw(store.features(LENGTHS).locus, range(TRAITS), seed=1, count=4)


@pytest.fixture(scope="module", params=sorted(PEERS))
def peer(request, store, tmp_path_factory):
    kind = PEERS[request.param]
    if module := kind.missing():
        pytest.skip(f"{module} is not installed")
    made = kind(tmp_path_factory.mktemp(request.param))
    made.load(store.blocks(700))
    yield made
    made.close()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.name)
def test_a_peer_answers_with_the_rows_it_was_given(peer, store, targets, question):
    for k in range(3):
        expected = question.ask(Plain(store), targets, k)
        try:
            given = question.ask(peer, targets, k)
        except InputError:
            assert peer.name == "tabix"
            return
        if isinstance(expected, Cells):
            assert disagreement(given, expected, np.arange(TRAITS)) == ""
            assert given.count == expected.count
        else:
            assert given == expected


def test_a_peer_says_what_it_is_and_weighs_something(peer):
    assert peer.version()
    assert peer.size_bytes > 1_000
    assert peer.layout


def test_rows_keep_their_precision(store):
    rows = store.rows(0, 500)
    table = rows_as_table(rows)
    present = np.isfinite(rows.z)
    assert table.num_rows == present.sum()
    assert np.abs(table["z"].to_numpy() / 1024 - rows.z[present]).max() <= 1 / 2048 + 1e-6
    for name in ("se", "eaf"):
        exact = getattr(rows, name)[present]
        assert np.abs(table[name].to_numpy() / exact - 1).max() < 0.004


def test_disagreement_is_noticed(store):
    cells = Plain(store).phewas(5)
    other = Plain(store).phewas(6)
    assert disagreement(cells, cells, np.arange(TRAITS)) == ""
    assert disagreement(cells, other, np.arange(TRAITS)) != ""
    louder = Cells(
        cells.feature, cells.study, {**cells.columns, "standard_error": cells.columns["standard_error"] * 1.1}
    )
    assert "standard_error" in disagreement(cells, louder, np.arange(TRAITS))


def test_timings_count_rounds_and_cells(store, targets):
    timings = {t.question: t for t in ask_warm(Plain(store), targets, rounds=3, budget_s=10)}
    assert set(timings) == {q.name for q in QUESTIONS}
    assert timings["phewas"].rounds == 3
    assert timings["phewas"].p50_ms <= timings["phewas"].p95_ms
    assert 0 < timings["whole_study"].cells <= FEATURES
