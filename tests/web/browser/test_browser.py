"""Each page type in each language, wide and narrow, in Chromium: quiet, reachable, self-contained."""

from pathlib import Path

import pytest

from nexome.testing.small_centre import PRIVATE, PROTEINS, QUIET
from nexome.web.pages.language import languages

pytestmark = pytest.mark.browser

PICTURE_BYTES_MAX = 400_000
PICTURED = ("home", "studies", "study", "variant")  # what docs show; all others are looked at by axe alone
SIZES = {"wide": (1280, 900), "narrow": (360, 780)}
CODES = sorted(languages())
TYPES = (
    "home",
    "search",
    "gene",
    "categories",
    "studies",
    "study",
    "quiet",
    "traits",
    "private",
    "variant",
    "problem",
    "sign-in",
)


def path_of(kind, small):
    return {
        "home": "/",
        "search": "/search?q=pressure",
        "gene": f"/genes/{small.gene}",
        "categories": "/traits?category=Metabolic",
        "studies": "/studies",
        "study": "/studies/SC0004",
        "quiet": f"/studies/{QUIET}",
        "traits": f"/studies/{PROTEINS}",
        "private": f"/studies/{PRIVATE}",
        "variant": f"/variants/{small.variant}",
        "problem": "/variants/what%20is%20this",
        "sign-in": "/sign-in",
    }[kind]


@pytest.fixture(scope="module")
def visited(visit, small, owner_token, request):
    """Every page type × language × size, visited once; with --screenshots each leaves its picture."""
    folder = request.config.getoption("--screenshots", default=None)
    visits = []
    for kind in TYPES:
        for code in CODES:
            for size, (width, height) in SIZES.items():
                name = f"{kind}-{code}-{size}"
                one = {
                    "name": name,
                    "path": f"/{code}{path_of(kind, small)}",
                    "width": width,
                    "height": height,
                }
                if kind == "private":
                    one["cookie"] = owner_token
                if folder and kind in PICTURED:
                    Path(folder).mkdir(parents=True, exist_ok=True)
                    one["picture"] = str(Path(folder).resolve() / f"{name}.png")
                visits.append(one)
    return visit(visits)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("kind", TYPES)
def test_a_page_is_quiet_accessible_and_self_contained(visited, kind, code, size):
    met = visited[f"{kind}-{code}-{size}"]
    assert met["status"] == (400 if kind == "problem" else 200)
    assert met["errors"] == []
    assert met["foreign"] == []
    assert met["checked"]  # axe-core ran
    assert met["violations"] == []
    assert met["scroll"] <= 0  # nothing wider than the screen but what scrolls in its own box
    if kind in {"study", "quiet", "traits", "private"}:
        assert met["live"] == 2
    if kind == "variant":
        assert met["live"] == 1


def test_pictures_are_small(visited, request):
    folder = request.config.getoption("--screenshots", default=None)
    if not folder:
        pytest.skip("no pictures asked for (--screenshots)")
    sizes = {p.name: p.stat().st_size for p in Path(folder).glob("*-*-*.png")}
    assert len(sizes) >= len(PICTURED) * len(CODES) * len(SIZES)
    assert {name: size for name, size in sizes.items() if size > PICTURE_BYTES_MAX} == {}


def test_a_figure_is_walked_zoomed_and_opened_by_keyboard(visit, small, address):
    study = "/en/studies/SC0004"
    variant = f"/en/variants/{small.variant}"
    met = visit(
        [
            {"name": "walk", "path": study, "keys": ["ArrowRight", "ArrowRight", "ArrowLeft"]},
            {
                "name": "zoom",
                "path": study,
                "keys": ["ArrowRight", "+", "+", "ArrowRight", "-", "0", "Escape"],
            },
            {"name": "open", "path": study, "keys": ["ArrowRight", "Enter"]},
            {"name": "phewas", "path": variant, "keys": ["ArrowRight"]},
            {"name": "trait", "path": variant, "keys": ["ArrowRight", "Enter"]},
        ]
    )
    assert "p = " in met["walk"]["tip"]
    assert met["walk"]["landed"] == address + study
    assert "p = " in met["zoom"]["tip"]
    assert "/en/variants/" in met["open"]["landed"]
    assert "SC" in met["phewas"]["tip"]
    assert "/en/studies/" in met["trait"]["landed"]
    assert [m["errors"] for m in met.values()] == [[]] * len(met)


def test_pages_stand_in_the_dark_too(visit, small):
    pages = ["/zh/", "/en/studies", "/zh/studies/SC0001", f"/en/variants/{small.variant}"]
    met = visit([{"name": p, "path": p, "dark": True} for p in pages])
    assert {p: met[p]["violations"] for p in pages} == {p: [] for p in pages}
