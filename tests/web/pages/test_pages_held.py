"""Every figure on every page: table, picture, numbers as a file, API, source and date, a sentence."""

import html
import re
from html.parser import HTMLParser

import pytest

from nexome.testing.small_centre import GAPS, PROTEINS, QUIET, SMALL

PAGES = (
    "/studies/SC0001",
    f"/studies/{QUIET}",
    f"/studies/{SMALL}",
    f"/studies/{GAPS}",
    f"/studies/{PROTEINS}?trait=P3",
    "/variants/{variant}",
    "/variants/{variant}?category=Metabolic&unit=SD",
    "/genes/{gene}",
    "/genes/{gene}?flank=250kb",
    "/studies/SC0001/credible-sets",
    "/compare?a=SC0001&b=SC0002",
    "/coloc?a=SC0001&b=SC0002&region={gene}",
)
STACKED = ("/explore?studies=SC0001,SC0002", "/explore?region={gene}&studies=SC0001,SC0002")


class Figures(HTMLParser):
    """The <figure> elements of a page: tags with attributes, and all text, of each."""

    def __init__(self, page):
        super().__init__()
        self.figures, self._open = [], 0
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "figure":
            self.figures.append({"tags": [], "text": "", "id": dict(attrs).get("id")})
            self._open += 1
        if self._open:
            self.figures[-1]["tags"].append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        self._open -= tag == "figure"

    def handle_data(self, data):
        if self._open:
            self.figures[-1]["text"] += data


def lacking(figure, browser):
    """What a figure lacks of what it must have."""
    tags, text = figure["tags"], figure["text"]
    links = [a.get("href", "") for tag, a in tags if tag == "a"]
    classes = [a.get("class", "") for _, a in tags]
    named = [a for tag, a in tags if tag == "svg" and a.get("role") and a.get("aria-label")]
    files = {end: next((h for h in links if re.search(rf"\.{end}(\?|$)", h)), "") for end in ("svg", "tsv")}
    api = next((h for h in links if h.startswith("/api/v1/")), "")
    found = {
        "a heading": any(tag == "h2" for tag, _ in tags),
        "a sentence": "sentence" in classes and bool(named),
        "a table": any(tag == "table" for tag, _ in tags),
        "SVG": files["svg"] and browser.get(files["svg"]).headers["content-type"].startswith("image/svg"),
        "TSV": files["tsv"] and browser.get(files["tsv"]).text.count("\n") > 0,
        "API": api and browser.get(api).status_code == 200,
        "source and date": re.search(r"\b20\d\d-\d\d-\d\d\b", text),
    }
    return [name for name, there in found.items() if not there]


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("path", PAGES)
def test_every_figure_is_whole(browser, small, code, path):
    answer = browser.get(f"/{code}" + path.format(variant=small.variant, gene=small.gene))
    assert answer.status_code == 200
    figures = Figures(answer.text).figures
    assert figures
    empty = {"a table"} if QUIET in path or GAPS in path else set()  # a plot without points has no rows
    assert {f["id"]: set(lacking(f, browser)) - empty for f in figures} == {f["id"]: set() for f in figures}
    assert len({f["id"] for f in figures}) == len(figures)


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("path", STACKED)
def test_stacked_figures_share_a_sentence_and_a_table(browser, small, code, path):
    """The explorer's panels are one view: the page has its sentence and its table, each panel its files."""
    page = browser.get(f"/{code}" + path.format(gene=small.gene)).text
    panels = [f for f in Figures(page).figures if f["id"]]
    assert len(panels) >= 2
    shared = {"a sentence", "a table"}
    assert {f["id"]: set(lacking(f, browser)) - shared for f in panels} == {f["id"]: set() for f in panels}
    assert 'class="sentence"' in page
    assert "<table" in page


def test_the_table_of_a_figure_is_the_start_of_its_file(browser, small):
    page = browser.get(f"/en/variants/{small.variant}").text
    table = page[page.index('id="phewas"') :]
    table = table[table.index("<tbody>") : table.index("</tbody>")]
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", table)
    lines = browser.get(f"/en/variants/{small.variant}/phewas.tsv").text.splitlines()
    rows = [line.split("\t") for line in lines[1:26]]
    assert [html.unescape(cell) for cell in cells[::5]] == [row[0] for row in rows]
    assert len(lines) - 1 == len(rows)
