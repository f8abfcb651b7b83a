"""The documentation in Chromium: both languages, wide and narrow; quiet, reachable, self-contained."""

import pytest

pytestmark = pytest.mark.browser

PATHS = {
    "list": "/docs",
    "tables": "/docs/pages",
    "pictures": "/docs/tutorial-explorer",
    "programs": "/docs/cohorts",
    "long": "/docs/reference/routes",
}
SIZES = {"wide": (1280, 900), "narrow": (360, 780)}


@pytest.fixture(scope="module")
def visited(visit):
    return visit(
        [
            {"name": f"{name}-{code}-{size}", "path": f"/{code}{path}", "width": width, "height": height}
            for name, path in PATHS.items()
            for code in ("en", "zh")
            for size, (width, height) in SIZES.items()
        ]
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("name", PATHS)
def test_a_page_of_documentation_is_quiet_accessible_and_self_contained(visited, name, code, size):
    met = visited[f"{name}-{code}-{size}"]
    assert met["status"] == 200
    assert met["errors"] == []
    assert met["foreign"] == []
    assert met["checked"]  # axe-core ran
    assert met["violations"] == []
    assert met["scroll"] <= 0
