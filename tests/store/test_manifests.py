"""A manifest is read whole, or said to be damaged; only the lock's holder may put the next one."""

from __future__ import annotations

from pathlib import Path

import pytest

from nexome.model.errors import BusyError, DamagedError
from nexome.store.disk import RootLock, write_stamped
from nexome.store.manifests import read_manifest, replace_manifest


def _read(path: Path) -> int:
    return read_manifest(path, kind="nexome-test", version=1, parse=lambda v: int(v["sequence"]), empty=int)


def test_what_was_never_published_is_empty(tmp_path: Path) -> None:
    assert _read(tmp_path / "manifest.json") == 0


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    write_stamped(path, {"sequence": 3}, kind="nexome-test", version=1, sealed=True)
    assert _read(path) == 3


@pytest.mark.parametrize("values", [{}, {"sequence": "three"}, {"sequence": None}])
def test_missing_parts_are_damage(tmp_path: Path, values: dict[str, object]) -> None:
    path = tmp_path / "manifest.json"
    write_stamped(path, values, kind="nexome-test", version=1, sealed=True)
    with pytest.raises(DamagedError) as caught:
        _read(path)
    assert caught.value.where == str(path)


def _replace(path: Path, lock: RootLock, sequence: int) -> None:
    replace_manifest(
        path,
        {"sequence": sequence},
        lock=lock,
        kind="nexome-test",
        version=1,
        present=lambda: 4,
        what="store stands",
    )


@pytest.mark.parametrize(("sequence", "fits"), [(4, False), (5, True), (6, False)])
def test_only_the_next_sequence_fits(tmp_path: Path, sequence: int, fits: bool) -> None:
    path = tmp_path / "store" / "manifest.json"
    with RootLock(tmp_path) as lock:
        if fits:
            _replace(path, lock, sequence)
            assert _read(path) == sequence
            return
        with pytest.raises(BusyError, match="stands at 4"):
            _replace(path, lock, sequence)
        assert not path.exists()


def test_nothing_fits_without_the_lock(tmp_path: Path) -> None:
    with RootLock(tmp_path) as lock:
        pass
    with pytest.raises(BusyError):
        _replace(tmp_path / "manifest.json", lock, 5)
    assert not (tmp_path / "manifest.json").exists()
