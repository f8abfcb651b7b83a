"""What texts mean, in blocks, is what a slow plain reading of the definitions says of each by itself."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexome.formats.knowledge import open_knowledge
from nexome.model.knowledge import Name, NamedTerm
from nexome.search import index as index_module
from nexome.search.encoder import Encoder
from nexome.search.generation import build_generation
from nexome.search.index import Scope, SearchIndex
from nexome.search.lexicon import Lexicon
from nexome.search.ranking import NAMED, PARTS, weights_of
from nexome.search.records import Match, SearchRecord
from nexome.search.segments import cut
from nexome.search.text import is_han, words
from nexome.search.training import TrainingOptions, train_encoder

SMALL = TrainingOptions(dimensions=32, features=2_000, hashed=100, epochs=4, batch=32)
ENGLISH = ("foot", "heart", "ulcer", "gout", "rash", "pain")  # each its own stem, too far apart to be errors
CHINESE = ("心脏", "足部", "痛风", "溃疡", "皮疹")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    terms = [
        NamedTerm(f"X:{n}", [Name(one, "label", "en"), Name(other, "translation", "zh")])
        for n, (one, other) in enumerate(zip(ENGLISH, CHINESE, strict=False))
    ]
    return train_encoder(Lexicon.build(terms), SMALL)


def phrases(known: tuple[str, ...], between: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(known), min_size=1, max_size=3).map(between.join)


ENGLISH_NAMES = st.lists(phrases(ENGLISH, " "), min_size=1, max_size=3)
CHINESE_NAMES = st.lists(phrases(CHINESE, ""), max_size=2)


@st.composite
def vocabularies(draw: st.DrawFn) -> list[SearchRecord]:
    """A few terms in two languages, some of which mean the same, and studies under keys of their own."""
    made = []
    for number in range(draw(st.integers(1, 7))):
        names = [Name(text, kind, "en") for text, kind in zip(draw(ENGLISH_NAMES), NAMED, strict=False)]
        names += [Name(text, "translation", "zh") for text in draw(CHINESE_NAMES)]
        equal = [f"X:{other}" for other in draw(st.sets(st.integers(0, 6), max_size=2))]
        weight = draw(st.integers(0, 5))
        made.append(SearchRecord("term", f"X:{number}", names, equivalents=equal, weight=weight))
    for number in range(draw(st.integers(0, 3))):
        name = Name(draw(phrases(ENGLISH, " ")), "label", "en")
        made.append(SearchRecord("study", f"S{number}", [name], visibility=f"S{number}"))
    return made


class Plain:
    """The ranking of one text, from its definition: loops over records and names, nothing shared."""

    def __init__(self, index: SearchIndex, records: list[SearchRecord]) -> None:
        self.index, self.records = index, records
        self.place = {(r.kind, r.id): row for row, r in enumerate(records)}
        names = [name.text for record in records for name in record.names]
        self.names = names
        runs = {run for name in names for run in words(name) if is_han(run) and 2 <= len(run) <= 10}
        self.known = {piece for run in runs for piece in cut(run, runs) if len(piece) > 1}
        self.dictionary = runs

    def pieces(self, text: str, known: set[str] | None) -> set[str]:
        """Words; of Chinese ones those of a dictionary, or characters and pairs where none is given."""
        found: set[str] = set()
        for word in words(text):
            if not is_han(word):
                found.add(word)
            elif known is not None:
                found.update(cut(word, known))
            else:
                found.update([*word, *(word[at : at + 2] for at in range(len(word) - 1))])
        return found

    def likeness(self, text: str, *, by_dictionary: bool) -> list[float]:
        """Cosine of rarities of the words of each name and of a text."""
        among = [n if not by_dictionary or is_han(n) else "" for n in self.names]
        own = [self.pieces(name, self.dictionary if by_dictionary else None) for name in among]
        count = sum(1 for name in among if name)
        rarity = {w: math.log1p(count / sum(w in o for o in own)) for o in own for w in o}
        asked = self.pieces(text, self.known if by_dictionary else None) & set(rarity)

        def length(some: set[str]) -> float:
            return math.sqrt(sum(rarity[w] ** 2 for w in some))

        return [
            sum(rarity[w] ** 2 for w in asked & o) / (length(asked) * length(o)) if asked & o else 0.0
            for o in own
        ]

    def rank(
        self, text: str, visible: frozenset[str] | None
    ) -> list[tuple[float, int, set[str], dict[str, float]]]:
        """(score, record, name, parts) of all that may be found, likeliest first."""
        weights = weights_of(chinese=is_han(text))
        vector = self.index.encoder.encode([text])[0]
        parts = [self.vectors_of(row, vector, is_han(text)) for row in range(len(self.records))]
        self.add_equal(parts)
        may = [
            row
            for row, r in enumerate(self.records)
            if visible is None or r.visibility in visible or not r.visibility
        ]
        self.add_words(text, parts, may)
        self.add_named(text, parts)
        made = []
        for row in may:
            own = {part: float(parts[row][part]) for part in PARTS}
            score = sum(getattr(weights, part) * own[part] for part in PARTS)
            made.append((score, row, parts[row]["name"], own))
        return sorted(made, key=lambda one: (-one[0], one[1]))

    def vectors_of(self, row: int, vector: np.ndarray, chinese: bool) -> dict[str, Any]:
        t = self.index.tables
        cosines = {}
        for name in self.index.names_of(row):
            added = weights_of(chinese=True).own_script if chinese and is_han(self.names[name]) else 0.0
            cosines[name] = float((t.codes[name] * t.scales[name]) @ vector) + added
        best = max(cosines.values())
        near = {self.names[name] for name, cosine in cosines.items() if cosine > best - 1e-4}
        found: dict[str, Any] = {"best": best, "name": near}
        place = t.places[row]
        found["mean"] = float((t.mean_codes[place] * t.mean_scales[place]) @ vector)
        usage = math.log1p(self.records[row].weight)
        return dict.fromkeys(PARTS, 0.0) | found | {"crowd": float(self.index.crowd[row]), "usage": usage}

    def add_equal(self, parts: list[dict[str, Any]]) -> None:
        t = self.index.tables
        for row, own in enumerate(parts):
            same = self.same(row)
            total = sum(t.spans[other] * parts[other]["mean"] for other in (row, *same))
            own["equal_best"] = max([own["best"], *(parts[other]["best"] for other in same)])
            own["equal_mean"] = total / t.equal_spans[row]

    def same(self, row: int) -> set[int]:
        """What means the same as a record, whichever of the two says so."""
        record = self.records[row]
        said = {self.place.get(("term", other)) for other in record.equivalents}
        if record.kind == "term":
            said |= {r for r, other in enumerate(self.records) if record.id in other.equivalents}
        return {other for other in said if other is not None and other != row}

    def is_rival(self, row: int, first: int) -> bool:
        return self.records[row].kind == self.records[first].kind and row not in self.same(first)

    def add_words(self, text: str, parts: list[dict[str, Any]], may: list[int]) -> None:
        kinds = {"spelling": True, "pieces": False} if is_han(text) else {"spelling": False}
        share = weights_of(chinese=is_han(text)).unwritten
        for part, by_dictionary in kinds.items():
            likeness = self.likeness(text, by_dictionary=by_dictionary)
            for row in may:
                parts[row][part] = max(likeness[name] for name in self.index.names_of(row))
            most = max(parts[row][part] for row in may)
            for row in may:
                if not any(is_han(self.names[n]) == is_han(text) for n in self.index.names_of(row)):
                    parts[row][part] = share * most

    def add_named(self, text: str, parts: list[dict[str, Any]]) -> None:
        for row, record in enumerate(self.records):
            for name in record.names:
                worth = NAMED.get(name.kind, 0.5)
                if words(name.text) == words(text) and worth > parts[row]["named"]:
                    parts[row] |= {"named": worth, "best": 1.0, "equal_best": 1.0, "name": {name.text}}


def agree(
    text: str, matches: list[Match], plain: list[tuple[float, int, set[str], dict[str, float]]], told: Plain
) -> None:
    """The same records with the same scores and parts in the same order, but for those of one score."""
    by_record = {(told.records[row].kind, told.records[row].id): (row, parts) for _, row, _, parts in plain}
    assert {(match.kind, match.id) for match in matches} == set(by_record)
    for match, (score, _, _, _) in zip(matches, plain, strict=True):
        assert match.score == pytest.approx(score, abs=2e-4)
        row, parts = by_record[match.kind, match.id]
        assert match.parts == pytest.approx(parts, abs=2e-4)
        assert match.name in {name.text for name in told.records[row].names}
    first, second = (plain * 2)[:2]
    if first[0] - second[0] > 1e-3 or len(plain) == 1:
        assert matches[0].name in first[2]  # of names that are equally near, any
        others = [one[0] for one in plain[1:] if told.is_rival(one[1], first[1])]
        lead = max(0.0, first[0] - (others[0] if others else 0.0))
        sure = weights_of(chinese=is_han(text)).sureness.of(
            first[3]["best"], named=first[3]["named"], lead=lead
        )
        assert matches[0].sureness == pytest.approx(sure, abs=1e-3)


def opened(folder: Path, records: list[SearchRecord], encoder: Encoder) -> SearchIndex:
    return SearchIndex.open(build_generation(folder, records, encoder), encoder)


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(
    records=vocabularies(),
    texts=st.lists(phrases(ENGLISH, " ") | phrases(CHINESE, ""), min_size=1, max_size=5),
    visible=st.none() | st.sets(st.sampled_from(["S0", "S1", "S2"])).map(frozenset),
)
def test_a_block_of_texts_is_ranked_as_the_definition_says(
    tmp_path_factory: pytest.TempPathFactory,
    encoder: Encoder,
    records: list[SearchRecord],
    texts: list[str],
    visible: frozenset[str] | None,
) -> None:
    index = opened(tmp_path_factory.mktemp("asking"), records, encoder)
    plain = Plain(index, records)
    answers = list(index.normalise(texts, Scope(visible=visible), limit=20))
    for text, answer in zip(texts, answers, strict=True):
        expected = plain.rank(text, visible)
        assert len(answer.matches) == len(expected)
        agree(text, list(answer.matches), expected, plain)


TERMS = [
    SearchRecord("term", f"X:{n}", [Name(f"{one} {other}", "label", "en")], weight=n)
    for n, (one, other) in enumerate((one, other) for one in ENGLISH for other in ENGLISH if one != other)
]
HIDDEN = [
    SearchRecord("study", f"S{n}", [Name(f"{word} study", "label", "en")], visibility=f"S{n}")
    for n, word in enumerate(ENGLISH)
]


@pytest.fixture(scope="module")
def studies(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> SearchIndex:
    return opened(tmp_path_factory.mktemp("studies"), [*TERMS, *HIDDEN], encoder)


def test_in_threads_repeated_or_alone_a_text_means_the_same(
    studies: SearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [*(f"{one} of the {other}" for one in ENGLISH for other in ENGLISH), "", "足部溃疡"] * 3
    alone = [next(studies.normalise([text], limit=4)) for text in texts]
    monkeypatch.setattr(index_module, "_FEWEST", 5)
    monkeypatch.setattr(index_module, "_AT_ONCE", 16)
    assert list(studies.normalise(texts, limit=4)) == alone


def test_in_bulk_too_only_holders_of_a_key_learn_of_what_is_under_it(studies: SearchIndex) -> None:
    texts = [f"{word} study" for word in ENGLISH] * 20
    for keys in (frozenset(), frozenset({"S1", "S4"})):
        answers = list(studies.normalise(texts, Scope(visible=keys), limit=50))
        told = [{m.id for m in answer.matches if m.kind == "study"} for answer in answers]
        assert all(ids <= keys for ids in told)
        for number, answer in enumerate(answers):
            first = f"S{number % len(ENGLISH)}"
            assert (answer.matches[0].id == first) == (first in keys)
        # and nothing else shows that more is there
        without = list(studies.normalise(texts, Scope(visible=None, ids=keys | ids_of(TERMS)), limit=50))
        assert [a.matches for a in answers] == [a.matches for a in without]


def ids_of(records: list[SearchRecord]) -> frozenset[str]:
    return frozenset(record.id for record in records)


@pytest.mark.shared
def test_a_real_vocabulary_is_ranked_in_blocks_as_one_by_one(shared: Path, tmp_path: Path) -> None:
    terms = hpo(shared / "knowledge" / "hp.obo.gz")
    encoder = train_encoder(Lexicon.build(terms[:1_500]), SMALL)
    records = [
        SearchRecord("term", term.id, term.names, term.parents, visibility="" if row % 2 else "key")
        for row, term in enumerate(terms)
    ]
    index = opened(tmp_path, records, encoder)
    texts = [name.text[: 5 + row % 40] for row, term in enumerate(terms[::60]) for name in term.names]
    for scope in (Scope(visible=None), Scope()):
        answers = list(index.normalise(texts, scope, limit=10))
        for text, answer in list(zip(texts, answers, strict=True))[::5]:
            assert answer == next(index.normalise([text], scope, limit=10))
        for match in (match for answer in answers for match in answer.matches):
            assert scope.visible is None or int(index.place("term", match.id)) % 2
            if not match.parts["named"]:
                record = index.place("term", match.id)
                assert match.name in {index.name_text(name) for name in index.names_of(record)}
    best_of_all_are_found(index, texts[:100])


def best_of_all_are_found(index: SearchIndex, texts: list[str]) -> None:
    """The record whose mean is the very nearest is among the candidates of nearly every text."""
    t = index.tables
    means = (t.mean_codes * t.mean_scales[:, None])[t.places]
    vectors = index.encoder.encode(texts)
    nearest = (means @ vectors.T).argmax(axis=0)
    found = [next(index.normalise([text], limit=120)).matches for text in texts]
    told = [
        index.row(row)["id"] in {m.id for m in own} for row, own in zip(nearest.tolist(), found, strict=True)
    ]
    assert sum(told) > 0.9 * len(told)


def hpo(path: Path) -> list[NamedTerm]:
    """The terms of a packed OBO file with all their names."""
    names: dict[str, list[Name]] = {}
    with open_knowledge(path) as reader:
        for batch in reader:
            for row in batch.names.to_pylist():
                names.setdefault(row["term"], []).append(Name(row["text"], row["kind"], "en"))
    return [NamedTerm(term, own, []) for term, own in names.items()]
