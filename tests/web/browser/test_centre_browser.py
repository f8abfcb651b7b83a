"""The centre's own pages in Chromium: quiet, accessible, self-contained, from 360 pixels to a wall."""

from pathlib import Path

import pytest

from nexome.testing.example_plan import SHARE, make_example_plan
from nexome.web.pages.language import languages

pytestmark = pytest.mark.browser

SIZES = {"narrow": (360, 780), "wide": (1280, 900), "wall": (3840, 2160)}
CODES = sorted(languages())
PAGES = ("cockpit", "papers", "paper", "text", "project", "budget", "refused")
PICTURED = ("cockpit", "project")  # what docs show


@pytest.fixture(scope="module")
def paper(small, tmp_path_factory):
    return make_example_plan(small.path, tmp_path_factory.mktemp("plan"))


def path_of(page, paper):
    return {
        "cockpit": "/cockpit",
        "papers": "/papers",
        "paper": f"/papers/{paper}",
        "text": f"/papers/{paper}?text=whole",
        "project": f"/papers/{paper}/projects/{SHARE}",
        "budget": f"/papers/{paper}/budget",
        "refused": "/cockpit",
    }[page]


@pytest.fixture(scope="module")
def visited(visit, paper, owner_token, request):
    folder = request.config.getoption("--screenshots", default=None)
    visits = []
    for page in PAGES:
        for code in CODES:
            for size, (width, height) in SIZES.items():
                one = {"name": f"{page}-{code}-{size}", "path": f"/{code}{path_of(page, paper)}"}
                one |= {"width": width, "height": height, "dark": code == "en" and size == "narrow"}
                if page != "refused":
                    one["cookie"] = owner_token
                if folder and page in PICTURED and size == "wide":
                    Path(folder).mkdir(parents=True, exist_ok=True)
                    one["picture"] = str(Path(folder).resolve() / f"{one['name']}.png")
                visits.append(one)
    return visit(visits)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_quiet_accessible_and_self_contained(visited, page, code, size):
    met = visited[f"{page}-{code}-{size}"]
    assert met["status"] == (403 if page == "refused" else 200)
    assert met["errors"] == []
    assert met["foreign"] == []
    assert met["checked"]
    assert met["violations"] == []
    assert met["scroll"] <= 0
