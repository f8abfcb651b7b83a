"""Static figures: well-formed, complete, and never cut off a strong signal."""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.methods.quantiles import count_abs_z, quantile_points
from nexome.testing.small_centre import MARKUP
from nexome.web.pages.figures import (
    FOLD_AT,
    Lead,
    Manhattan,
    Phewas,
    PhewasPoint,
    Wording,
    YScale,
    manhattan_json,
    manhattan_picture,
    phewas_json,
    phewas_picture,
    qq_json,
    qq_picture,
)

WORDS = Wording("title", f"sentence {MARKUP}", "x", "y", threshold="limit")


def manhattan(y, *, leads=()):
    y = np.array(y, float)
    x = np.arange(len(y)) * 10
    names = [f"1-{i}-A-G" for i in x]
    return Manhattan(
        contigs=[("1", 0, 500), ("2", 500, 500)],
        width_bp=1_000,
        run_x=np.array([5, 600]),
        run_low=np.array([0.0, 1.0]),
        run_high=np.array([1.0, 2.0]),
        x=x,
        y=y,
        id=names,
        name=names,
        href=[f"/en/variants/{n}" for n in names],
        leads=leads,
    )


def both(picture):
    """The picture as page and as file, parsed."""
    return [ET.fromstring(picture.for_page()), ET.fromstring(picture.for_file())]


@given(st.floats(7.4, 1e5), st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_heights_keep_their_order_and_stay_inside(top, shares):
    values = np.sort(np.array(shares) * top)
    heights = YScale(top).share(values)
    assert np.all(np.diff(heights) >= 0)
    assert heights.min() >= 0
    assert heights.max() <= 1 + 1e-9


def test_a_strong_signal_is_folded_not_cut():
    scale = YScale(400.0)
    assert scale.folded
    assert scale.share(FOLD_AT) == pytest.approx(0.6)
    assert scale.share(400.0) == pytest.approx(1.0)
    assert not YScale(30.0).folded


def test_every_point_past_the_threshold_is_drawn_in_the_accent():
    plot = manhattan([5, 8, 9, 30.0])
    root, _ = both(manhattan_picture(plot, WORDS))
    [hits] = [e for e in root.iter() if e.get("class") == "dot hit"]
    assert hits.get("d").count("M") == 3
    assert [e.get("class") for e in root.iter() if e.get("class") == "dot even"]


def test_a_manhattan_plot_without_points_is_still_a_plot():
    empty = manhattan([])
    both(manhattan_picture(empty, WORDS))
    assert manhattan_json(empty, WORDS)["points"]["x"] == []


def test_labels_do_not_stand_on_each_other():
    leads = [Lead(100 + i, 20.0 - i / 10, f"GENE{i}", "/x") for i in range(6)]
    leads.append(Lead(900, 9.0, "FAR", "/y"))
    root, _ = both(manhattan_picture(manhattan([8.0], leads=leads), WORDS))
    assert [e.text for e in root.iter() if "lead" in (e.get("class") or "")] == ["GENE0", "FAR"]
    assert [label["text"] for label in manhattan_json(manhattan([8.0], leads=leads), WORDS)["labels"]] == [
        "GENE0",
        "FAR",
    ]


def test_texts_cannot_become_markup():
    point = PhewasPoint(MARKUP, MARKUP, MARKUP, 12.0, rises=True, href='/en/x"onload="alert(1)')
    picture = phewas_picture(Phewas([point], 3.0), WORDS)
    for root in both(picture):
        tags = {e.tag.partition("}")[2] for e in root.iter()}
        assert tags <= {"svg", "rect", "path", "line", "text", "a", "polyline", "polygon"}
        assert not any(name.startswith("on") for e in root.iter() for name in e.attrib)


def test_a_phewas_plot_points_the_way_the_effect_goes():
    points = [
        PhewasPoint("up", "S", "a", 9.0, rises=True, href="/u"),
        PhewasPoint("down", "S", "b", 1.0, rises=False, href="/d"),
    ]
    plot = Phewas(points, 3.0)
    root, _ = both(phewas_picture(plot, WORDS))
    marks = [e for e in root.iter() if (e.get("class") or "").startswith("mark")]
    assert {(m.get("class"), "7.5h9z" in m.get("d") and "-7.5h" not in m.get("d")) for m in marks} == {
        ("mark hit", True),
        ("mark odd", False),
    }
    assert phewas_json(plot, WORDS)["points"]["role"] == [2, 1]
    both(phewas_picture(Phewas([], 3.0), WORDS))


def test_a_qq_plot_says_how_many_values_stand_behind_each_point():
    z = np.random.default_rng(3).standard_normal(10_000)
    points = quantile_points(count_abs_z(z))
    root, file = both(qq_picture(points, WORDS))
    assert file.get("width") == "480"
    assert root.get("width") is None
    drawn = qq_json(points, WORDS)
    assert sum(int(n.replace(",", "")) for n in drawn["points"]["note"]) == 10_000
    both(qq_picture(quantile_points(count_abs_z(np.array([np.nan]))), WORDS))


def test_dots_on_the_same_half_pixel_are_drawn_once():
    plot = manhattan([9.0] * 3)
    plot.x[:] = 100
    root, _ = both(manhattan_picture(plot, WORDS))
    [hits] = [e.get("d") for e in root.iter() if e.get("class") == "dot hit"]
    assert len(re.findall("M", hits)) == 1
