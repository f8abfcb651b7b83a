"""The list of studies when there are many: every one stands on exactly one page of it."""

import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.access.centre import Centre
from nexome.access.quality import FEW_PEOPLE
from nexome.app import create_app
from nexome.model.errors import QueryError
from nexome.model.genome import allele_key, loci_of
from nexome.model.terms import Study, Trait
from nexome.store.associations import AssociationStore, Features
from nexome.store.root import create_root, load_assembly
from nexome.web.pages.language import languages
from nexome.web.pages.page import Ask, paging_of
from nexome.web.pages.studies import ROWS, Sample, sample_of

STUDIES = 2 * ROWS + 7


@pytest.fixture(scope="module")
def crowd(tmp_path_factory, browser_of):
    """A browser over a centre of 107 open studies."""
    path = tmp_path_factory.mktemp("crowd") / "root"
    create_root(path, assembly=load_assembly("GRCh38"))
    places = loci_of(np.zeros(300, np.int64), np.arange(1, 301) * 1_000)
    axis = Features(places, np.full(300, allele_key("A", "G"), np.uint64), np.arange(1, 301, dtype=np.uint32))
    studies = [
        Study(f"M{i:05d}", title=f"Study {i}", access="open", traits=(Trait("t", f"Trait {i}", n=5_000 + i),))
        for i in range(STUDIES)
    ]
    staged = AssociationStore.open(path).stage_matrix(studies, axis)
    z = np.random.default_rng(5).standard_normal((300, STUDIES)).astype(np.float32)
    staged.add_rows(z, np.full_like(z, 0.1), np.full_like(z, 0.3))
    staged.publish([{}] * STUDIES)
    with Centre.open(path) as centre:
        yield browser_of(create_app(centre))


@pytest.mark.parametrize("sort", ["id", "date", "title"])
def test_walking_the_list_meets_every_study_once(crowd, markup, sort):
    path, met, pages = f"/en/studies?sort={sort}", [], 0
    while path:
        answer = crowd.get(path)
        assert answer.status_code == 200
        links = markup(answer.text).all("a")
        met += [a["href"] for a in links if re.fullmatch(r"/en/studies/M\d{5}", a.get("href", ""))]
        path = next((a["href"] for a in links if a.get("rel") == "next"), "")
        pages += 1
    assert pages == math.ceil(STUDIES / ROWS)
    assert len(met) == len(set(met)) == STUDIES


def test_the_number_of_studies_stands_on_the_first_page(crowd):
    assert f"<strong>{STUDIES}</strong>" in crowd.get("/en/").text
    assert f"101–{STUDIES} of {STUDIES}" in crowd.get("/en/studies?page=3").text


def ask_for(**query):
    view = settings = SimpleNamespace()
    return Ask(languages()["en"], view, settings, "/studies", {k: str(v) for k, v in query.items()})


@given(st.integers(0, 10_000_000), st.integers(1, 500), st.data())
def test_pages_follow_each_other_without_gap(total, size, data):
    pages = max(1, -(-total // size))
    number = data.draw(st.integers(1, min(pages, 1_000_000)))
    here = paging_of(ask_for(page=number), total=total, size=size)
    assert here.last == min(total, number * size)
    assert here.first == min(total, (number - 1) * size + 1)
    assert bool(here.next) == (number < pages)
    assert bool(here.previous) == (number > 1)
    if pages < 1_000_000:
        with pytest.raises(QueryError):
            paging_of(ask_for(page=pages + 1), total=total, size=size)


@pytest.mark.parametrize(
    ("n", "cases", "controls", "small"),
    [
        (FEW_PEOPLE - 1, None, None, True),
        (FEW_PEOPLE, None, None, False),
        (None, None, None, False),
        (100_000, 200, 99_800, True),  # effective size 798.4: 200 cases weigh as little as that
        (100_000, 300, 99_700, False),
    ],
)
def test_a_sample_is_small_by_its_effective_size(n, cases, controls, small):
    assert Sample(n, cases, controls).small is small


def test_missing_sizes_of_a_table_are_unknown_not_numbers():
    assert sample_of({"n": math.nan, "n_cases": None, "n_controls": math.nan}) == Sample(None, None, None)
