"""Chinese names of common ancestries, categories and kinds of genes; what a pointer is told over marks."""

import re
from html import unescape

import pytest

from nexome.web.pages.numbers import power_text

SVG_TITLE = re.compile(r'<circle class="spot"[^>]*><title>([^<]*)</title>')


@pytest.mark.parametrize(
    ("path", "english", "chinese"),
    [
        ("/studies", "East Asian", "东亚人群"),
        ("/studies/SC0004", "Metabolic", "代谢"),
        ("/traits", "Cardiovascular", "心血管"),
        ("/search?q=pressure", "Systolic blood pressure in South Asian adults", "收缩压（成年人）"),
    ],
)
def test_known_words_of_studies_have_a_chinese_name(browser, path, english, chinese):
    assert english in browser.get(f"/en{path}").text
    page = browser.get(f"/zh{path}").text
    assert chinese in page
    assert f">{english}<" not in page


def test_a_word_of_its_own_stays_as_it_is(browser):
    assert browser.get("/zh/traits?category=Metabolic").status_code == 200


def test_the_kind_of_a_gene_is_told_in_the_readers_language(browser, small):
    assert "protein coding" in browser.get(f"/en/genes/{small.gene}").text
    assert "蛋白质编码" in browser.get(f"/zh/genes/{small.gene}").text


def test_traits_of_each_category_are_shown_where_none_is_chosen(browser):
    page = browser.get("/en/traits").text
    assert page.count("<h2><a ") > 3
    assert "/en/studies/SC0004?trait=" in page


def test_a_pointer_is_told_what_a_mark_is(browser, small):
    gene = unescape(browser.get(f"/en/genes/{small.gene}").text)
    told = SVG_TITLE.findall(gene)
    assert told
    assert all(re.search(r" · .+ · p = ", text) for text in told)
    variant = unescape(browser.get(f"/zh/variants/{small.variant}").text)
    effects = SVG_TITLE.findall(variant)
    assert len(effects) >= 2
    assert all(re.search(r" · \S+ · −?[\d.]+ \[", text) for text in effects)
    assert "spot" not in re.sub(r'<circle class="spot".*?</circle>', "", gene)  # no link, no stop for Tab


def test_priors_are_powers_of_ten():
    assert [power_text(10.0**e) for e in (-7, -4)] == ["10⁻⁷", "10⁻⁴"]
