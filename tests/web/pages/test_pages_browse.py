"""The page of tracks: who may see which, in both languages, and what igv.js is told."""

import json
import re
from html import unescape

import pytest

from nexome.web.http import SECURITY_HEADERS
from nexome.web.pages.language import languages


@pytest.mark.parametrize("code", sorted(languages()))
def test_the_table_holds_the_tracks_one_may_see(browser, code):
    answer = browser.get(f"/{code}/browse?region=1:1-100000")
    assert answer.status_code == 200
    assert ("Made-up peaks" in answer.text, "虚构的峰" in answer.text) == (code == "en", code == "zh")
    assert "hidden.bed" not in answer.text
    assert "/api/v1/tracks/signal/file" in answer.text


def test_igv_is_told_of_this_server_alone(browser):
    answer = browser.get("/en/browse?region=1:1-100000")
    found = re.search(r'data-browse="([^"]*)"', answer.text)
    if found is None:
        pytest.skip("the bundle is not built: make web")
    config = json.loads(unescape(found[1]))
    assert "http" not in found[1]
    assert config["locus"] == "1:1-100000"
    assert [t["kind"] for t in config["tracks"]] == ["transcripts", "intervals", "recombination", "signal"]
    assert browser.get(config["sizes"]).text.startswith("1\t248956422\n")
    assert browser.get(config["bands"]).text.splitlines()[0].split("\t")[1] == "0"


def test_only_its_styles_are_freer_than_on_other_pages(browser):
    strict = SECURITY_HEADERS["Content-Security-Policy"]
    policy = browser.get("/en/browse").headers["content-security-policy"]
    assert policy == strict + "; style-src 'self' 'unsafe-inline'"
    assert browser.get("/en/studies").headers["content-security-policy"] == strict


def test_a_region_that_is_none_is_told(browser):
    assert browser.get("/en/browse?region=77:1-2").status_code == 404
