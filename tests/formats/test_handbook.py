"""The documentation for users: every page, link and anchor is there, and what answers something too."""

import re
from pathlib import Path

import pytest

from nexome.formats import handbook
from nexome.formats.handbook import PAGES, answers, picture, read_page, sections_of, target_of, titles
from nexome.model.errors import NotFoundError

DOCS = Path(__file__).resolve().parents[2] / "docs"
LINK = re.compile(r"\]\(([^)\s]+)\)")
LANGUAGES = ("en", "zh")


def links(page):
    outside = re.sub(r"```.*?```|`[^`\n]*`", "", page.text, flags=re.DOTALL)
    return [link for link in LINK.findall(outside) if "://" not in link]


def test_every_page_is_there_with_a_title_in_both_languages():
    assert handbook.pages() == PAGES
    for name in PAGES:
        assert all(titles(name)), name
        assert read_page(name).sections[0].level == 1


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files_and_anchors_that_are_there(name):
    for language in LANGUAGES:
        page = read_page(name, language)
        for link in links(page):
            target = target_of(link, name)
            assert (DOCS / target.path).exists(), (name, link)
            if target.page and target.anchor:
                other = read_page(target.page, target.language or page.language)
                assert target.anchor in {section.anchor for section in other.sections}, (name, link)
        assert len({section.anchor for section in page.sections}) == len(page.sections)


def test_questions_are_of_pages_and_sections_that_are_there():
    places = set(PAGES)
    places |= {f"{name}#{section.anchor}" for name in PAGES for section in read_page(name).sections[1:]}
    assert set(answers()) - places == set()
    assert set(PAGES) - set(answers()) == set()
    asked = [text for told in answers().values() for text in (*told.english, *told.chinese)]
    assert all(text.strip() == text != "" for text in asked)


def test_a_chinese_page_of_the_same_sections_has_the_english_anchors():
    english, chinese = read_page("tutorial"), read_page("tutorial", "zh")
    assert chinese.language == "zh"
    assert [s.anchor for s in chinese.sections] == [s.anchor for s in english.sections]
    assert [s.title for s in chinese.sections] != [s.title for s in english.sections]
    assert read_page("import", "zh").language == "en"  # there is no other


def test_anchors_are_those_of_github_and_each_is_one():
    tokens = handbook.markdown().parse("# A `b` c\n\n## Who may see it, later\n\n## 中文 说明\n\n## A b c\n")
    anchors = [section.anchor for section in sections_of(tokens)]
    assert anchors == ["a-b-c", "who-may-see-it-later", "中文-说明", "a-b-c-1"]


def test_what_a_link_points_to():
    assert target_of("../import.md#many-files", "install/laptop") == (
        "import",
        "en",
        "import.md",
        "many-files",
    )
    assert target_of("tutorial.zh.md", "tutorial-explorer")[:2] == ("tutorial", "zh")
    assert target_of("#here", "ld") == ("ld", "", "ld.md", "here")
    assert target_of("decisions/0006-ld.md", "ld") == ("", "", "decisions/0006-ld.md", "")
    assert target_of("../deploy", "search").path == "../deploy"


@pytest.mark.parametrize("name", ["", "rooms", "../import", "import.md", "decisions/0006-ld", "/etc/passwd"])
def test_nothing_else_is_a_page(name):
    with pytest.raises(NotFoundError):
        read_page(name)


@pytest.mark.parametrize("path", ["images/../import.md", "../secret.png", "images/none.png", "import.md"])
def test_nothing_else_is_a_picture(path):
    with pytest.raises(NotFoundError):
        picture(path)
    assert picture("images/cockpit-en-wide.png").startswith(b"\x89PNG")
