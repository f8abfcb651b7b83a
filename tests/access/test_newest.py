"""Results are kept while they are used, made once however many ask, and never kept when making fails."""

import threading

import pytest

from nexome.access.newest import Newest


def test_the_least_used_goes_first():
    made = []
    kept = Newest(2)

    def make(name):
        return kept.get(name, lambda: made.append(name) or name)

    assert [make(n) for n in ("a", "b", "a", "c", "a", "b")] == ["a", "b", "a", "c", "a", "b"]
    assert made == ["a", "b", "c", "b"]


def test_asked_at_once_it_is_made_once():
    kept, made, begun, go = Newest(4), [], threading.Event(), threading.Event()

    def slow():
        begun.set()
        go.wait(10)
        made.append(1)
        return "done"

    found = []
    threads = [threading.Thread(target=lambda: found.append(kept.get("k", slow))) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go.set()
    for thread in threads:
        thread.join(10)
    assert found == ["done"] * 6
    assert made == [1]


def test_an_error_is_told_and_not_kept():
    kept = Newest(4)
    with pytest.raises(ZeroDivisionError):
        kept.get("k", lambda: 1 // 0)
    assert kept.get("k", lambda: 7) == 7
