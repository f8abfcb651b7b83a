"""What every store must do, as tests that each store's own test class inherits.

    class TestAssociationStore(StoreContract):
        def create(self, path): ...

A store keeps named things (studies, tables …). Staged work is unseen until it is published; a
published thing reads back the same, now and after opening the store again; replacing and withdrawing
change one thing alone; verifying a whole store finds nothing. Faults (kills, full disks) are tested
beside each store, because their steps differ.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class StoreContract(ABC):
    """Subclass as Test…, and say how your store does each of these."""

    @abstractmethod
    def create(self, path: Path) -> Any:
        """A new, empty store in a folder that does not exist yet."""

    @abstractmethod
    def reopen(self, store: Any) -> Any:
        """The same store opened anew, sharing nothing with `store` in memory."""

    @abstractmethod
    def stage(self, store: Any, name: str, seed: int) -> Any:
        """Staged work under a name, made from a seed; it has `publish` (below) and `abandon()`."""

    @abstractmethod
    def publish(self, staged: Any) -> None:
        """Publish staged work."""

    @abstractmethod
    def withdraw(self, store: Any, name: str) -> None:
        """Take a thing out of the store."""

    @abstractmethod
    def contents(self, store: Any) -> Mapping[str, Any]:
        """Everything a reader can see, by name, in a form that compares."""

    @abstractmethod
    def findings(self, store: Any) -> Sequence[Any]:
        """What verifying the store finds wrong."""

    def put(self, store: Any, name: str, seed: int) -> None:
        """Stage and publish."""
        self.publish(self.stage(store, name, seed))

    def test_a_new_store_is_empty_and_whole(self, tmp_path: Path) -> None:
        """Nothing kept, nothing wrong."""
        store = self.create(tmp_path / "root")
        assert dict(self.contents(store)) == {}
        assert list(self.findings(store)) == []

    def test_what_is_published_reads_back(self, tmp_path: Path) -> None:
        """The same now and after opening the store anew."""
        store = self.create(tmp_path / "root")
        self.put(store, "a", 1)
        self.put(store, "b", 2)
        held = dict(self.contents(store))
        assert set(held) == {"a", "b"}
        assert held["a"] != held["b"]
        assert dict(self.contents(self.reopen(store))) == held
        assert list(self.findings(store)) == []

    def test_equal_input_gives_equal_content(self, tmp_path: Path) -> None:
        """What is kept depends on what was given alone."""
        first, second = self.create(tmp_path / "1"), self.create(tmp_path / "2")
        self.put(first, "a", 1)
        self.put(second, "b", 2)
        self.put(second, "a", 1)
        assert self.contents(first)["a"] == self.contents(second)["a"]

    def test_staged_work_is_unseen_until_it_is_published(self, tmp_path: Path) -> None:
        """By this reader and by others."""
        store = self.create(tmp_path / "root")
        self.put(store, "a", 1)
        before = dict(self.contents(store))
        staged = self.stage(store, "b", 2)
        assert dict(self.contents(store)) == before
        assert dict(self.contents(self.reopen(store))) == before
        self.publish(staged)
        assert set(self.contents(store)) == {"a", "b"}

    def test_abandoned_work_leaves_nothing(self, tmp_path: Path) -> None:
        """Not even files."""
        store = self.create(tmp_path / "root")
        self.put(store, "a", 1)
        files = {p for p in (tmp_path / "root").rglob("*") if p.is_file()}
        self.stage(store, "b", 2).abandon()
        assert {p for p in (tmp_path / "root").rglob("*") if p.is_file()} == files

    def test_replacing_changes_one_thing_alone(self, tmp_path: Path) -> None:
        """The new content is that of a store that only ever had it."""
        store = self.create(tmp_path / "root")
        self.put(store, "a", 1)
        self.put(store, "b", 2)
        before = dict(self.contents(store))
        self.put(store, "a", 3)
        after = dict(self.contents(store))
        assert after["b"] == before["b"]
        assert after["a"] != before["a"]
        assert dict(self.contents(self.reopen(store))) == after
        assert list(self.findings(store)) == []

    def test_a_withdrawn_thing_is_gone(self, tmp_path: Path) -> None:
        """And may come back."""
        store = self.create(tmp_path / "root")
        self.put(store, "a", 1)
        self.put(store, "b", 2)
        before = dict(self.contents(store))
        self.withdraw(store, "a")
        assert dict(self.contents(store)) == {"b": before["b"]}
        assert set(self.contents(self.reopen(store))) == {"b"}
        assert list(self.findings(store)) == []
        self.put(store, "a", 1)
        assert set(self.contents(store)) == {"a", "b"}
