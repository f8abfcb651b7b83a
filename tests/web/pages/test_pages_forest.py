"""The forest of a variant: one unit at a time, sorted, with its interval; and what many traits cost."""

import math

import numpy as np
import pytest

from nexome.access.view import View
from nexome.web.pages.associations import Association
from nexome.web.pages.figures import Wording
from nexome.web.pages.forest import MOST_ROWS, draw_forest, forest_of, units_of


def row(number, *, unit="SD", beta=0.1, se=0.02, p=8.0):
    return Association(
        code="en",
        variant="rs1",
        variant_id="1-5-A-G",
        position="1:5",
        gene="",
        trait=f"Trait {number}",
        trait_id="t",
        study=f"S{number}",
        neg_log_10_p_value=p,
        beta=beta,
        standard_error=se,
        effect_allele="G",
        effect_allele_frequency=0.3,
        n=1000.0,
        unit=unit,
    )


def test_units_are_those_of_two_effects_or_more():
    rows = [row(1), row(2), row(3, unit="mmol/L"), row(4, unit=""), row(5, unit=""), row(6, unit="")]
    assert units_of(rows) == {"": 3, "SD": 2}
    assert units_of([row(1, beta=math.nan), row(2, se=math.nan), row(3)]) == {}
    assert units_of([]) == {}


def test_the_strongest_are_kept_and_sorted_by_effect():
    rng = np.random.default_rng(3)
    rows = [
        row(i, beta=float(rng.normal()), p=float(p)) for i, p in enumerate(rng.permutation(MOST_ROWS + 9))
    ]
    forest = forest_of([*rows, row(99, unit="kg", p=500.0)], "SD")
    assert forest.left_out == 9
    assert min(r.neg_log_10_p for r in forest.rows) == 9
    betas = [r.beta for r in forest.rows]
    assert betas == sorted(betas, reverse=True)
    assert forest.shape == "rows-30"
    assert forest_of(rows[:6], "SD").shape == "rows-10"


def test_the_interval_is_that_of_a_normal_estimate():
    (only,) = forest_of([row(1, beta=0.5, se=0.1)], "SD").rows
    assert (only.low, only.high) == pytest.approx((0.5 - 0.1959964, 0.5 + 0.1959964), abs=1e-6)


def test_the_picture_marks_what_leaves_zero_out_and_holds_zero():
    rows = [row(1, beta=0.5, se=0.1), row(2, beta=0.01, se=0.1), row(3, beta=-0.4, se=0.1)]
    drawn = draw_forest(forest_of(rows, "SD"), Wording("t", "s", "Effect", ""))
    svg = drawn.picture().for_file()
    assert svg.count('class="span hit"') == 2
    assert svg.count('class="span even"') == 1
    assert ">0</text>" in svg
    assert drawn.table()["study_id"] == ["S1", "S2", "S3"]


def test_effects_of_nothing_have_a_picture_too():
    drawn = draw_forest(forest_of([row(1, beta=0.0, se=0.0)], "SD"), Wording("t", "s", "Effect", ""))
    assert ">0</text>" in drawn.picture().for_file()


def test_the_page_shows_one_unit_at_a_time(browser, small):
    page = browser.get(f"/en/variants/{small.variant}?unit=SD").text
    table = page[page.index('id="forest"') :]
    assert "Effect (SD)" in table
    assert "mmHg" not in table[: table.index("</figure>")]
    assert browser.get(f"/en/variants/{small.variant}?unit=parsec").status_code == 200  # the card says so
    assert "no effects in" in browser.get(f"/en/variants/{small.variant}?unit=parsec").text
    tsv = browser.get(f"/en/variants/{small.variant}/forest.tsv?unit=SD").text.splitlines()
    assert tsv[0].split("\t")[:5] == ["trait", "study_id", "beta", "ci_lower", "ci_upper"]
    for line in tsv[1:]:
        beta, low, high = map(float, line.split("\t")[2:5])
        assert low <= beta <= high
    assert browser.get(f"/en/variants/{small.variant}/forest.json").status_code == 404


@pytest.mark.parametrize("path", ["/en/variants/{variant}", "/zh/genes/{gene}", "/en/search?q=1:1-90000000"])
def test_no_page_of_rows_reads_the_table_of_all_traits(browser, small, monkeypatch, path):
    """A study may have 10⁶ traits: what a page lists is looked up by row, never by reading them all."""

    def refused(*_, **__):
        raise AssertionError("the whole table of traits was read")

    monkeypatch.setattr(View, "traits", refused)
    assert browser.get(path.format(variant=small.variant, gene=small.gene), follow=True).status_code == 200


def test_a_variant_most_of_whose_results_are_of_few_people_says_so(browser, small):
    page = browser.get(f"/en/variants/{small.variant}").text
    assert "results come from fewer than 1,000 people." in page
    assert "Their effects tend to be too large." in page
