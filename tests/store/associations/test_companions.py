"""Cells off the axis: they join a compaction when most studies share them, and stay ragged when few do."""

from .test_query import centre, check_all, layouts, make_features

__all__ = ["centre"]  # the fixture: an empty store in which 300 features make an axis

BASE = make_features(1, 1_000)


def others(centre, extras):
    """Studies on the axis of the first one, each with more features of its own."""
    centre.publish("first", BASE, 1)
    for i, extra in enumerate(extras):
        centre.publish(f"s{i}", sorted({*BASE[:-20], *extra}), 10 + i, varying_n=i == 1)


def test_shared_features_widen_the_axis(centre):
    shared = make_features(2, 60)
    others(centre, [shared] * 4)
    assert layouts(centre.store).count("ragged") == 4
    check_all(centre)
    centre.store.compact()
    assert layouts(centre.store) == ["dense"]
    assert len(centre.store.snapshot().axes) == 1
    check_all(centre)
    centre.store.clean(grace_s=0)
    check_all(centre)
    centre.publish("later", sorted({*BASE, *shared}), 50)
    assert layouts(centre.store) == ["column", "dense"]
    check_all(centre)


def test_features_of_one_study_each_stay_beside(centre):
    others(centre, [make_features(10 + i, 60) for i in range(6)])
    centre.store.compact()
    found = layouts(centre.store)
    assert found.count("dense") == 1
    assert "ragged" in found
    check_all(centre)


def test_a_replaced_study_leaves_its_companion_behind(centre):
    shared = make_features(2, 60)
    others(centre, [shared] * 3)
    centre.publish("s1", BASE, 77)
    centre.store.compact()
    check_all(centre)
    assert layouts(centre.store) == ["dense"]
