"""Layers: the drawing without scripts and what the island is told hold the same."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nexome.methods.compare import effect_line
from nexome.web.pages.compare_figures import EffectPoints, Panel, bars, effects, stacked
from nexome.web.pages.figures import Wording
from nexome.web.pages.layers import Label, Layers, Points, layers_json, layers_picture

WORDS = Wording("title", "a sentence", "x", "y")
VALUE = st.floats(-1e3, 1e3)
LEAD = st.tuples(VALUE, VALUE, st.floats(1e-6, 1e3), st.floats(1e-6, 1e3), st.integers(0, 2))


def _inside(told):
    points = told["points"]
    values = [*points["x"], *points["y"]]
    for name in ("x0", "y0", "x1", "y1"):
        values += told.get("strokes", {}).get(name, [])
    for curve in told["curves"]:
        values += [*curve["x"], *curve["y"]]
    return all(-1e-4 <= v <= 1 + 1e-4 for v in values)


@given(st.lists(LEAD, min_size=1, max_size=15))
def test_effects_of_any_size_lie_inside_with_their_bars_and_line(leads):
    x, y, sx, sy, role = (np.array(values) for values in zip(*leads, strict=True))
    turn = np.where(x < 0, -1.0, 1.0)
    names = [str(k) for k in range(len(x))]
    points = EffectPoints(x * turn, y * turn, sx, sy, role, names, names)
    line = effect_line(points.x, points.y, x_error=sx, y_error=sy)
    told = layers_json(effects(points, line), WORDS)
    assert _inside(told)
    assert told["points"]["role"] == role.tolist()
    assert layers_picture(effects(points, line), WORDS).for_file().count("<svg") > 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_columns_are_as_high_as_their_shares(shares):
    names = [f"H{k}" for k in range(len(shares))]
    told = layers_json(bars(shares, names, names), WORDS)
    heights = np.array(told["points"]["y"])
    assert np.allclose(heights, np.array(shares) * 0.92, atol=1e-5)
    assert told["points"]["role"].count(2) == 1
    assert told["points"]["role"][int(np.argmax(shares))] == 2


def test_panels_stand_on_each_other_in_order():
    position = np.array([100, 200, 300])
    names = ["a", "b", "c"]
    accent = np.array([False, True, False])

    def panel(top):
        return Panel("t", position, np.array([0.0, top, top / 2]), accent, names, names, names, top=top)

    told = layers_json(stacked([panel(8.0), panel(1.0)], start=100, end=300), WORDS)
    y = told["points"]["y"]
    assert min(y[:3]) >= max(y[3:])
    assert told["points"]["x"] == [0, 0.5, 1, 0, 0.5, 1]
    assert [k for k, role in enumerate(told["points"]["role"]) if role == 2] == [1, 4]


def test_a_figure_of_too_many_dots_keeps_those_that_stand_out():
    count = 5_000
    role = np.zeros(count, np.int64)
    role[::100] = 2
    x = np.linspace(0, 1, count)
    whole = Layers(100, 100, [], [], Points(x, x, role, [str(k) for k in range(count)]))
    thin = whole.thinned(300)
    assert len(thin.points.x) == 300
    assert (thin.points.role == 2).sum() == 50
    assert list(thin.points.name) == [str(round(v * (count - 1))) for v in thin.points.x.tolist()]
    assert whole.thinned(count) is whole


def test_texts_of_a_drawing_are_escaped():
    label = Label(0.5, 0.5, "<script>alert(1)</script>")
    made = Layers(100, 100, [(0.5, "<b>")], [], Points(), rules=[(0.5, "<i>")], labels=[label])
    svg = layers_picture(made, WORDS).for_page()
    assert not any(bad in svg for bad in ("<script", "<b>", "<i>"))
