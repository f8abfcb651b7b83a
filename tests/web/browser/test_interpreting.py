"""The pages that interpret in Chromium: quiet, accessible, self-contained, wide, narrow, light and dark."""

from pathlib import Path

import pytest

from nexome.testing.small_centre import PROTEINS
from nexome.web.pages.language import languages

pytestmark = pytest.mark.browser

SIZES = {"wide": (1280, 900), "narrow": (360, 780)}
CODES = sorted(languages())
LIVE = {
    "compare": 3,
    "coloc": 3,
    "credible": 1,
    "loci": 0,
    "choose": 0,
    "several": 0,
    "refused": 0,
    "help": 0,
}
PICTURED = ("compare", "coloc", "credible")


def path_of(kind, small):
    chromosome, position = small.variant.split("-")[:2]
    region = f"{chromosome}:{max(1, int(position) - 1_000_000)}-{int(position) + 1_000_000}"
    return {
        "compare": "/compare?a=SC0001&b=SC0002",
        "coloc": f"/coloc?a=SC0001&b=SC0002&region={region}",
        "credible": f"/studies/SC0004/credible-sets?region={region}",
        "loci": "/coloc?a=SC0001&b=SC0005",
        "choose": "/compare",
        "several": f"/compare?a={PROTEINS}&b=SC0001",
        "refused": "/compare?a=SC0001&b=SC0001",
        "help": "/help",
    }[kind]


@pytest.fixture(scope="module")
def visited(visit, small, request):
    """Every kind × language × size; with --screenshots the pictured ones leave their picture."""
    folder = request.config.getoption("--screenshots", default=None)
    visits = []
    for kind in LIVE:
        for code in CODES:
            for size, (width, height) in SIZES.items():
                one = {"name": f"{kind}-{code}-{size}", "path": f"/{code}{path_of(kind, small)}"}
                one |= {"width": width, "height": height}
                if folder and kind in PICTURED:
                    Path(folder).mkdir(parents=True, exist_ok=True)
                    one["picture"] = str(Path(folder).resolve() / f"{one['name']}.png")
                visits.append(one)
    return visit(visits)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("kind", LIVE)
def test_a_page_is_quiet_accessible_and_self_contained(visited, kind, code, size):
    met = visited[f"{kind}-{code}-{size}"]
    assert met["status"] == 200
    assert met["errors"] == []
    assert met["foreign"] == []
    assert met["checked"]
    assert met["violations"] == []
    assert met["scroll"] <= 0
    assert met["live"] == LIVE[kind]


def test_they_stand_in_the_dark_and_without_scripts_too(visit, small):
    pages = [f"/{code}{path_of(kind, small)}" for code in CODES for kind in ("compare", "coloc", "credible")]
    dark = visit([{"name": p, "path": p, "dark": True} for p in pages])
    assert {p: dark[p]["violations"] for p in pages} == {p: [] for p in pages}
    plain = visit([{"name": p, "path": p, "scripts": False} for p in pages])
    assert {p: plain[p]["violations"] for p in pages} == {p: [] for p in pages}


def test_points_of_every_figure_are_walked_by_keyboard(visit, small):
    pages = [f"/en{path_of(kind, small)}" for kind in ("compare", "coloc", "credible")]
    met = visit([{"name": p, "path": p, "keys": ["ArrowRight", "ArrowRight"]} for p in pages])
    for page in pages:
        assert "p = " in met[page]["tip"] or "%" in met[page]["tip"]
        assert met[page]["errors"] == []
