"""The page of tracks: igv.js on the centre's own files and nothing else, and complete without scripts."""

import pytest

from nexome.web.pages.language import languages

pytestmark = pytest.mark.browser

CODES = sorted(languages())
SIZES = {"wide": (1280, 900), "narrow": (360, 780)}
PATH = "browse?region=1:1000000-2000000"


@pytest.fixture(scope="module")
def visited(visit):
    visits = [
        {
            "name": f"{code}-{size}-{scripts}",
            "path": f"/{code}/{PATH}",
            "width": width,
            "height": height,
            "scripts": scripts,
        }
        for code in CODES
        for size, (width, height) in SIZES.items()
        for scripts in (True, False)
    ]
    return visit(visits)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("code", CODES)
def test_igv_comes_alive_and_asks_nobody_else(visited, code, size):
    met = visited[f"{code}-{size}-True"]
    assert met["status"] == 200
    assert met["errors"] == []
    assert met["foreign"] == []
    assert met["live"] == 1
    assert met["scroll"] <= 0


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("code", CODES)
def test_without_scripts_the_table_is_there(visited, code, size):
    met = visited[f"{code}-{size}-False"]
    assert (met["status"], met["errors"], met["foreign"], met["scroll"] <= 0) == (200, [], [], True)
