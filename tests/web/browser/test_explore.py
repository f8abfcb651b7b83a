"""The explorer in Chromium: pan, zoom, keys, address, back, points; its states, quiet and accessible."""

import json
import subprocess
from pathlib import Path
from urllib.parse import urlencode

import pytest

from nexome.testing.small_centre import PROTEINS, QUIET
from nexome.web.pages.language import languages

pytestmark = pytest.mark.browser

REPOSITORY = Path(__file__).resolve().parents[3]
EXPLORE = Path(__file__).with_name("explore.mjs")
SIZES = {"wide": (1280, 900), "narrow": (360, 780), "wall": (2560, 1440)}
CODES = sorted(languages())
STATES = {
    "genome": {"studies": "SC0004"},
    "region": {"region": "2:100000000-101000000", "studies": f"SC0004,SC0007,{PROTEINS}/P1"},
    "bases": {"region": "1:50000000-50000060", "studies": "SC0004"},
    "quiet": {"region": "3:1-5000000", "studies": QUIET},
    "unknown": {"region": "4:1-200000", "studies": "SC0004,NO-SUCH-STUDY"},
}


@pytest.fixture(scope="module")
def visited(visit, request):
    folder = request.config.getoption("--screenshots", default=None)
    visits = []
    for name, query in STATES.items():
        for code in CODES:
            for size, (width, height) in SIZES.items():
                one = {
                    "name": f"{name}-{code}-{size}",
                    "path": f"/{code}/explore?{urlencode(query)}",
                    "width": width,
                    "height": height,
                }
                if folder and name in {"genome", "region"} and size != "wall":
                    one["picture"] = str(Path(folder).resolve() / f"explore-{one['name']}.png")
                visits.append(one)
    return visit(visits)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("state", STATES)
def test_every_state_is_quiet_accessible_and_self_contained(visited, state, code, size):
    met = visited[f"{state}-{code}-{size}"]
    assert met["status"] == 200
    assert met["errors"] == []
    assert met["foreign"] == []
    assert met["checked"]
    assert met["violations"] == []
    assert met["scroll"] <= 0


@pytest.fixture(scope="module")
def used(chromium, address):
    query = urlencode({"region": "2:100000000-110000000", "studies": "SC0004,SC0007"})
    job = {
        "chromium": chromium,
        "modules": str(REPOSITORY / "web"),
        "url": f"{address}/en/explore?{query}",
    }
    done = subprocess.run(
        ["node", str(EXPLORE)],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def width(bounds):
    return bounds[1] - bounds[0] + 1


def test_keys_pan_and_zoom_and_the_address_follows(used):
    assert used["start"] == "2:100000000-110000000"
    w = used["widths"]
    assert w["right"][0] == pytest.approx(w["start"][0] + 2_000_000, abs=2)
    assert used["rightAddress"] == used["right"]
    assert width(w["zoomed"]) == pytest.approx(width(w["right"]) / 2, rel=0.01)
    assert width(w["home"]) == pytest.approx(width(w["end"]), rel=0.01)
    assert w["home"][0] == 1
    assert w["end"][1] == 242_193_529  # where chromosome 2 of GRCh38 ends


def test_the_server_writes_the_words_of_where_one_rests(used):
    assert used["firstHeading"] == "2:100.0–110.0 Mb"
    assert used["rightHeading"] == "2:102.0–112.0 Mb"
    assert used["backHeading"] == used["rightHeading"]


def test_back_and_forward_lead_from_rest_to_rest(used):
    assert used["back"] == used["right"]
    assert used["forward"] == used["zoomed"]


def test_hands_drag_and_zoom_without_scrolling_the_page(used):
    w = used["widths"]
    assert w["dragged"][0] > w["forward"][0]
    assert width(w["dragged"]) == pytest.approx(width(w["forward"]), rel=0.01)
    assert width(w["wheeled"]) < width(w["dragged"])
    assert used["wheelScrolled"] == 0
    assert width(w["doubled"]) == pytest.approx(width(w["wheeled"]) / 3, rel=0.02)


def test_the_whole_genome_is_a_click_away_and_a_click_leads_into_it(used):
    assert used["genome"] == used["genomeAddress"] == "genome"
    assert used["jumped"].startswith("1:1-")


def test_points_are_reached_by_tab_and_opened_by_enter(used):
    assert "p = " in used["stop"]
    assert "p = " in used["tip"]
    assert used["outline"] != "none"
    assert "/en/variants/" in used["opened"]
    assert used["pinned"].startswith("/en/variants/")  # a click tells of the point and offers its page


def test_quick_hands_do_not_flood_the_server(used):
    assert (
        used["requestsOfAZoom"] <= 60
    )  # two studies, genes and the page; without cancelling it would be hundreds
    assert used["picturedBytes"] > 2_000
    assert used["sameByLink"][0] == used["sameByLink"][1]


def test_nothing_is_wrong_and_nobody_else_is_asked(used):
    assert used["errors"] == []
    assert used["foreign"] == []
