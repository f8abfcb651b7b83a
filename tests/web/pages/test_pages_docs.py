"""The documentation as pages: listed, in both languages, links good, nothing of the sources' HTML alive."""

import re

import pytest

from nexome.formats import handbook
from nexome.formats.handbook import PAGES, read_page

HREF = re.compile(r'(?:href|src)="(/[^"]*)"')
HOSTILE = """# Title <b>bold</b>

<script>alert(1)</script>

| a | <img src=x onerror=alert(1)> |
| --- | --- |
| [x](javascript:alert(1)) | `<i>` |

```
<script>alert(2)</script>
```

[out](https://example.org/x) and [a file](decisions/0006-ld.md#who) and 甲
乙 and [own](#again)

## Again
"""


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_list_leads_to_every_page(browser, language):
    page = browser.get(f"/{language}/docs")
    assert page.status_code == 200
    for name in PAGES:
        assert f'href="/{language}/docs/{name}"' in page.text
    assert f'href="/{language}/docs"' in browser.get(f"/{language}/").text  # from every page


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_shown_with_its_sections(browser, name, language):
    page = browser.get(f"/{language}/docs/{name}")
    assert page.status_code == 200
    text = read_page(name, language)
    for section in text.sections[1:]:
        assert re.search(rf'<h{section.level} id="{re.escape(section.anchor)}">', page.text)
    only_english = text.language != language
    assert ("本页只有英文版" in page.text) == only_english
    assert f'lang="{"zh-Hans" if text.language == "zh" else "en"}"' in page.text


def test_links_and_pictures_lead_to_pages_that_are_there(browser):
    found = set()
    for language in ("en", "zh"):
        for name in PAGES:
            body = browser.get(f"/{language}/docs/{name}").text.partition("<article")[2]
            found |= set(HREF.findall(body.partition("</article")[0]))
    assert any("/docs/images/" in link for link in found)
    assert "/zh/docs/tutorial" in found
    for link in sorted({link.partition("#")[0] for link in found}):
        answer = browser.get(link)
        assert answer.status_code == 200, link
        assert answer.headers["content-type"].startswith("image/png" if "/images/" in link else "text/html")


def test_what_is_not_there_is_told_as_a_page(browser):
    for path in ("docs/none", "docs/../rooms", "docs/images/none.png", "docs/rooms", "docs/import.md"):
        assert browser.get(f"/zh/{path}").status_code == 404


def test_html_in_a_source_is_text(browser, tmp_path, monkeypatch):
    (tmp_path / "import.md").write_text(HOSTILE, "utf-8")
    (tmp_path / "handbook.toml").write_text("", "utf-8")
    monkeypatch.setattr(handbook, "handbook_folder", lambda: tmp_path)
    for cached in (handbook.read_page, handbook.answers, handbook.handbook_digest):
        cached.cache_clear()
    try:
        page = browser.get("/en/docs/import").text
        assert browser.get("/en/docs").text.count('href="/en/docs/import"') == 1
    finally:
        monkeypatch.undo()
        for cached in (handbook.read_page, handbook.answers, handbook.handbook_digest):
            cached.cache_clear()
    body = page.partition("<article")[2].partition("</article")[0]
    assert not re.search(r"<(script|img|b|i)\b", body)
    assert "javascript:" not in "".join(re.findall(r'href="[^"]*"', body))
    assert "&lt;script&gt;alert(2)" in body
    assert '<a href="https://example.org/x" rel="external noreferrer">out</a> ↗' in body
    assert '<span class="elsewhere">a file</span> (docs/decisions/0006-ld.md)' in body
    assert "甲乙" in body
    assert '<a href="#again">own</a>' in body


def test_without_documentation_the_list_says_so(browser, monkeypatch):
    monkeypatch.setattr(handbook, "handbook_folder", lambda: None)
    handbook.answers.cache_clear()
    assert "without its documentation" in browser.get("/en/docs").text
    monkeypatch.undo()
    handbook.answers.cache_clear()
