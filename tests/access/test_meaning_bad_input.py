"""Questions no one should ask are answered all the same: huge ones, other scripts, marks with a meaning."""

from collections.abc import Iterator

import pytest

from nexome.access.centre import Centre
from nexome.testing.small_centre import make_small_centre
from nexome.testing.small_search import make_small_search

MEGABYTE = 1 << 20
HUGE = {
    "one word": "a" * (10 * MEGABYTE),
    "words": "heart attack " * MEGABYTE,
    "chinese": "心梗" * (5 * MEGABYTE),
    "numbers": "123 " * (3 * MEGABYTE),
    "marks": "́" * (10 * MEGABYTE),
    "blanks": " " * (10 * MEGABYTE),
}
ODD = (
    *("\x00", "a\x00b\x1b[31m", "\u202egnol\u202c", "\ufeffheight", "\ud800", "a\ud800b", "\U0010ffff"),
    *("инфаркт миокарда", "احتشاء عضلة القلب", "กล้ามเนื้อหัวใจ", "심근경색", "しんぞう", "🫀💔", "ᚠᚢᚦ"),
    *(
        '"',
        "'",
        "' OR 1=1 --",
        "NEAR(",
        "height AND",
        "*",
        "height*",
        "(",
        "col:umn",
        "%",
        "_",
        "\\",
        "-",
        "^",
    ),
    *("e\u0301" * 50, "Ⅱ", "½", "\u2028", "\t\r\n", "a" * 300, "-" * 500, "1e400", "NaN", "../../etc/passwd"),
)


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    made = make_small_centre(tmp_path_factory.mktemp("odd") / "root", variants=300)
    make_small_search(made.path)
    with Centre.open(made.path) as opened:
        yield opened


def ask(centre: Centre, text: str) -> None:
    view = centre.view_for(None)
    for found in (view.find(text), view.search(text), view.suggestions(text), view.completions(text)):
        assert len(found) <= 20
    [answer] = view.normalise([text])
    assert answer.best is None or 0 <= answer.best.sureness <= 1
    for mention in view.annotate(text):
        assert len(text[mention.start : mention.end]) == len(mention.text) > 0


@pytest.mark.parametrize("kind", HUGE)
def test_ten_megabytes_are_read_at_their_beginning(centre: Centre, kind: str) -> None:
    ask(centre, HUGE[kind])


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_odd_texts_are_answered(centre: Centre, text: str) -> None:
    ask(centre, text)


def test_what_stands_among_control_characters_is_found(centre: Centre) -> None:
    view = centre.view_for(None)
    for text in ("\ufeffheart attack", "heart\x00attack", "heart\u00a0attack\x07", "HEART\tATTACK"):
        assert view.find(text)[0].id == "NXDEMO:8", ascii(text)
