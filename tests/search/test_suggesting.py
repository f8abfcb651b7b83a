"""Completions are the heaviest names of a beginning that a reader may see, then those with its words."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.model.knowledge import Name
from nexome.search.encoder import Encoder, FeatureTable
from nexome.search.generation import build_generation
from nexome.search.index import Scope, SearchIndex
from nexome.search.records import SearchRecord

STEMS = ("car", "card", "cardiac", "carp", "carpal", "cat")
ENCODER = Encoder.of_vectors(FeatureTable([], 8), np.eye(8, dtype=np.float32), {})


def made(folder: Path, weights: list[int], hidden: set[int]) -> SearchIndex:
    """A study for each weight, with a name of its own and one that all have; some under keys."""
    records = (
        SearchRecord(
            "study",
            f"S{n}",
            [Name(f"{STEMS[n % 6]} {n}", "label", "en"), Name("a name of many", "exact", "en")],
            weight=weight,
            visibility=f"S{n}" if n in hidden else "",
        )
        for n, weight in enumerate(weights)
    )
    return SearchIndex.open(build_generation(folder, records, ENCODER), ENCODER)


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=90),
    st.sets(st.integers(0, 89)),
    st.sampled_from(["c", "ca", "car", "card", "cardiac", "cat"]),
    st.integers(1, 9),
)
def test_they_are_those_of_a_sorted_list(
    tmp_path_factory: pytest.TempPathFactory, weights: list[int], hidden: set[int], text: str, limit: int
) -> None:
    index = made(tmp_path_factory.mktemp("suggesting"), weights, hidden)
    names = [f"{STEMS[n % 6]} {n}" for n in range(len(weights))]
    for scope in (Scope(), Scope(visible=None)):
        may = [
            n
            for n, name in enumerate(names)
            if name.startswith(text) and (scope.visible is None or n not in hidden)
        ]
        expected = sorted(may, key=lambda n: (-weights[n], names[n]))[:limit]
        told = index.suggest(text, scope, limit=limit)
        assert [s.name for s in told][: len(expected)] == [names[n] for n in expected]
        assert scope.visible is None or not {s.id for s in told} & {f"S{n}" for n in hidden}


def test_a_name_of_very_many_is_told_once(tmp_path: Path) -> None:
    index = made(tmp_path, [5] * 700, set())
    assert [s.name for s in index.suggest("a name of ma")] == ["a name of many"]
    assert index.suggest("cardiac 6", Scope(visible=frozenset()))[0].id == "S602"
