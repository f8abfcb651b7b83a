"""An encoder learns what its lexicon says, the same each time, and its files come back as they were."""

from pathlib import Path

import numpy as np
import pytest

from nexome.model.errors import DamagedError, InputError, NotFoundError
from nexome.search.encoder import Encoder
from nexome.search.lexicon import Lexicon, Name, NamedTerm, Relations
from nexome.search.training import TrainingOptions, _contrast, _pairs, train_encoder

WORDS = (
    ("myocardial infarction", "heart attack", "心肌梗死"),
    ("cerebral infarction", "ischaemic stroke", "脑梗死"),
    ("arterial hypertension", "high blood pressure", "高血压"),
    ("hyperuricaemia", "raised urate", "高尿酸血症"),
    ("alopecia", "hair loss", "脱发"),
    ("dyspnoea", "shortness of breath", "呼吸困难"),
    ("pruritus", "itchy skin", "皮肤瘙痒"),
    ("epistaxis", "nosebleed", "鼻出血"),
    ("myopia", "short sight", "近视"),
    ("icterus", "jaundice", "黄疸"),
)
OPTIONS = TrainingOptions(dimensions=32, features=4_000, hashed=64, epochs=40, batch=16, dropout=0.1)


def lexicon() -> Lexicon:
    return Lexicon.build(
        NamedTerm(
            f"X:{row}",
            [Name(label, "label", "en"), Name(plain, "layperson", "en"), Name(chinese, "translation", "zh")],
        )
        for row, (label, plain, chinese) in enumerate(WORDS)
    )


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return train_encoder(lexicon(), OPTIONS)


def nearest(encoder: Encoder, asked: list[str], among: list[str]) -> list[str]:
    scores = encoder.encode(asked) @ encoder.encode(among).T
    return [among[place] for place in scores.argmax(axis=1)]


@pytest.mark.parametrize("column", [1, 2])
def test_names_of_one_thing_lie_together(encoder: Encoder, column: int) -> None:
    labels = [row[0] for row in WORDS]
    assert nearest(encoder, [row[column] for row in WORDS], labels) == labels


def test_a_spelling_it_never_saw_is_read(encoder: Encoder) -> None:
    labels = [row[0] for row in WORDS]
    asked = ["Heart attacks", "nose bleed", "HYPERURICEMIA", "高血压病"]
    assert nearest(encoder, asked, labels) == [labels[0], labels[7], labels[3], labels[2]]


def test_the_same_lexicon_and_seed_give_the_same_encoder(encoder: Encoder) -> None:
    assert train_encoder(lexicon(), OPTIONS).revision == encoder.revision


def test_vectors_have_length_one_and_nothing_has_none(encoder: Encoder) -> None:
    vectors = encoder.encode(["gout", "…", "痛风"])
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1).round(5).tolist() == [1.0, 0.0, 1.0]
    assert encoder.encode([]).shape == (0, 32)


def test_progress_tells_each_epoch_and_a_falling_loss() -> None:
    told: list[tuple[int, int, float]] = []
    train_encoder(
        lexicon(),
        TrainingOptions(dimensions=16, features=4_000, hashed=8, epochs=20, batch=16),
        lambda *state: told.append(state),
    )
    assert [state[:2] for state in told] == [(epoch, 20) for epoch in range(1, 21)]
    assert told[-1][2] < told[0][2] / 2


def test_a_vocabulary_without_two_names_of_anything_teaches_nothing() -> None:
    single = Lexicon.build([NamedTerm("X:1", [Name("gout", "label", "en")])])
    with pytest.raises(InputError, match="synonyms"):
        train_encoder(single, OPTIONS)


def test_it_comes_back_from_its_files(encoder: Encoder, tmp_path: Path) -> None:
    encoder.save(tmp_path / "encoder")
    again = Encoder.load(tmp_path / "encoder")
    assert again.revision == encoder.revision
    assert again.facts["options"]["seed"] == 0
    np.testing.assert_array_equal(again.encode(["gout"]), encoder.encode(["gout"]))


def test_changed_files_are_noticed(encoder: Encoder, tmp_path: Path) -> None:
    encoder.save(tmp_path)
    np.save(tmp_path / "codes.npy", np.zeros_like(encoder.codes))
    with pytest.raises(DamagedError, match="Train it again"):
        Encoder.load(tmp_path)
    (tmp_path / "codes.npy").write_bytes(b"")
    with pytest.raises(DamagedError, match="cannot be read"):
        Encoder.load(tmp_path)
    with pytest.raises(NotFoundError):
        Encoder.load(tmp_path / "elsewhere")


def test_the_gradient_is_that_of_the_loss() -> None:
    """Numerical differences of the symmetric loss, written plainly, against the gradient used."""
    random = np.random.default_rng(3)
    unit = random.standard_normal((10, 6))
    term = np.array([0, 1, 2, 3, 4] * 2, np.int32)
    unlike = Relations.from_sets([{1}, {0}, set(), set(), set()])

    def loss(vectors: np.ndarray) -> float:
        scores = vectors[:5] @ vectors[5:].T / 0.5
        scores[0, 1] = scores[1, 0] = -1e4  # related: no counter-example
        rows = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        columns = np.exp(scores) / np.exp(scores).sum(axis=0, keepdims=True)
        own = np.arange(5)
        return float(-(np.log(rows[own, own]) + np.log(columns[own, own])).mean() / 2)

    gradient, _ = _contrast(unit.astype(np.float32), term, unlike, 0.5)
    for place in [(0, 0), (3, 2), (5, 1), (9, 5)]:
        step = np.zeros_like(unit)
        step[place] = 1e-5
        slope = (loss(unit + step) - loss(unit - step)) / 2e-5
        assert gradient[place] == pytest.approx(slope, abs=1e-4)


def test_a_chinese_name_that_stands_alone_is_a_pair_with_itself() -> None:
    terms = [
        NamedTerm("A:1", [Name("痛风", "label", "zh")]),
        NamedTerm("B:1", [Name("gout", "label", "en")]),
        NamedTerm("C:1", [Name("哮喘", "label", "zh"), Name("asthma", "translation", "en")]),
        NamedTerm("D:1", [Name("湿疹", "label", "zh")], equivalents=("E:1",)),
        NamedTerm("E:1", [Name("eczema", "label", "en")]),
    ]
    made = Lexicon.build(terms)
    pairs = _pairs(made, OPTIONS, np.random.default_rng(0))
    alone = {made.texts[one] for one, other in pairs.tolist() if one == other}
    together = {
        frozenset((made.texts[one], made.texts[other])) for one, other in pairs.tolist() if one != other
    }
    assert alone == {"痛风"}
    assert together == {frozenset(("哮喘", "asthma")), frozenset(("湿疹", "eczema"))}
