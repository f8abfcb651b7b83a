"""A question of any size or script gets a page or an answer, never a fault of the server."""

import pytest

from nexome.access.centre import Centre
from nexome.app import create_app
from nexome.testing.small_centre import make_small_centre
from nexome.testing.small_knowledge import make_small_knowledge

TEXTS = (
    *("a" * 60_000, "heart attack " * 4_000, "心梗" * 3_000),
    *("\x00\x1b[31m", "инфаркт", "احتشاء", "\U0010ffff", "NEAR(", "' OR 1=1"),
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory, browser):
    folder = tmp_path_factory.mktemp("odd")
    made = make_small_centre(folder / "root", variants=300)
    make_small_knowledge(made.path, folder, gene=made.gene)
    with Centre.open(made.path) as centre:
        yield type(browser)(create_app(centre))


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:20])
def test_search_and_paths_answer_anything(pages, text):
    for path, query in (
        ("/en/search", {"q": text}),
        ("/zh/paths", {"start": text, "end": "HP:0001250"}),
        ("/api/v1/search", {"q": text}),
        ("/api/v1/suggest", {"q": text}),
        ("/api/v1/search/meanings", {"q": text}),
        ("/api/v1/paths", {"start": text[:2000], "end": "HP:0001250"}),
    ):
        answer = pages.get(path, params=query, follow=True)
        assert answer.status_code < 500, path
        assert len(answer.content) < 2_000_000, path  # nothing is echoed at length


def test_a_term_of_any_name_is_not_found(pages):
    for term in ("HP:%00", "x" * 5_000, "%F0%90%8F%BF", "HP:0001250%22%3E%3Cscript%3E", "..%2F..%2Fetc"):
        for ending in ("", "/graph"):
            answer = pages.get(f"/en/terms/{term}{ending}")
            assert answer.status_code in (400, 404), term
            assert "<script>" not in answer.text.partition("<main")[2]


def test_a_list_of_odd_texts_is_normalised(pages):
    for size, status in ((100_000, 200), (10_000_000, 413)):
        texts = ["fits", "\x00", "инфаркт", "a" * size, ""]
        answer = pages.post("/api/v1/search/normalise", json={"texts": texts})
        assert answer.status_code == status, answer.text[:300]
