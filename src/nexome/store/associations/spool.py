"""Rows of a one-trait study on their way in: checked, appended to plain files, mapped when published."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from nexome.model.errors import InputError
from nexome.store.associations.axis import check_sorted
from nexome.store.associations.types import Block, Features
from nexome.store.disk import space_errors

PIECE_ROWS: Final = 1 << 20

_TYPES: Final = {
    "locus": np.uint64,
    "allele": np.uint64,
    "rsid": np.uint32,
    "z": np.float32,
    "se": np.float32,
    "eaf": np.float32,
    "n": np.float32,
    "info": np.float32,
}


class Spool:
    """Appends sorted blocks of one trait to files in `folder`; hands them back as mapped arrays."""

    def __init__(self, folder: Path, *, where: str) -> None:
        self._folder, self._where = folder, where
        folder.mkdir()
        self._files: dict[str, BinaryIO] = {n: (folder / n).open("wb") for n in _TYPES}
        self._last: tuple[int, int] | None = None
        self._range: dict[str, tuple[float, float]] = {}
        self.spelled: dict[int, str] = {}
        self.rows = 0

    def add(self, block: Block) -> None:
        """Append a block. Raises InputError naming the row when it is not sorted or not usable."""
        check_block(block, first_row=self.rows, where=self._where)
        if not len(block):
            return
        first = (int(block.locus[0]), int(block.allele[0]))
        if self._last is not None and first <= self._last:
            raise InputError(
                f"row {self.rows} is not above the row before it",
                where=self._where,
                expected="features sorted by position, then allele key, each once",
            )
        with space_errors(self._folder):
            for name, kind in _TYPES.items():
                values = getattr(block, name)
                if values is None:
                    values = np.full(len(block), 0 if name == "rsid" else np.nan, kind)
                # Not `tofile`: it does not notice a disk that is full.
                self._files[name].write(np.ascontiguousarray(values, kind).data)
        for name in ("n", "info"):
            self._widen(name, getattr(block, name))
        merge_spelled(self.spelled, block, where=self._where)
        self._last = (int(block.locus[-1]), int(block.allele[-1]))
        self.rows += len(block)

    def _widen(self, name: str, values: npt.NDArray[Any] | None) -> None:
        low, high = self._range.get(name, (np.inf, -np.inf))
        if values is None or np.isnan(values).all():
            return
        self._range[name] = (min(low, float(np.nanmin(values))), max(high, float(np.nanmax(values))))

    def varies(self, name: str) -> bool:
        """Whether `n` or `info` takes more than one value."""
        low, high = self._range.get(name, (0.0, 0.0))
        return low < high

    def constant(self, name: str) -> float | None:
        """The one value of `n` or `info`; None when there is none or there are more."""
        low, high = self._range.get(name, (np.nan, np.nan))
        return low if low == high else None

    def close(self) -> None:
        """Flush what was added; nothing may be added afterwards."""
        with space_errors(self._folder):
            for stream in self._files.values():
                stream.close()

    def values(self, name: str) -> npt.NDArray[Any]:
        """One array of all rows, mapped; call `close` first."""
        kind = _TYPES[name]
        if not self.rows:
            return np.zeros(0, kind)
        return np.asarray(np.memmap(self._folder / name, dtype=kind, mode="r", shape=(self.rows,)))

    def features(self) -> Features:
        """The features of all rows, mapped."""
        return Features(self.values("locus"), self.values("allele"), self.values("rsid"), self.spelled)

    def pieces(self) -> Iterator[tuple[slice, Block]]:
        """All rows as blocks of at most PIECE_ROWS, with their place."""
        arrays = {name: self.values(name) for name in _TYPES}
        for start in range(0, self.rows, PIECE_ROWS):
            part = slice(start, min(self.rows, start + PIECE_ROWS))
            yield part, Block(**{n: v[part] for n, v in arrays.items()}, spelled=self.spelled)


def check_block(block: Block, *, first_row: int, where: str) -> None:
    """Raise InputError naming the row of the first value that cannot be stored.

    Rows are counted from `first_row`. Order is checked within the block when it has no trait column.
    """
    for name in (*_TYPES, "trait"):
        values = getattr(block, name)
        if values is not None and len(values) != len(block):
            raise InputError(f"{len(values)} values of {name}", where=where, expected=f"{len(block)}")
    if block.trait is None:
        check_sorted(block.locus, block.allele, first_row=first_row, where=where)
    for name, bad, expected in (
        ("z", np.isinf(block.z), "a finite number, or NaN where missing"),
        ("se", ~(block.se > 0) & ~np.isnan(block.se) | np.isinf(block.se), "a finite number above 0"),
        ("eaf", (block.eaf < 0) | (block.eaf > 1), "a frequency from 0 to 1"),
    ):
        if bad.any():
            row = int(np.argmax(bad))
            found = float(getattr(block, name)[row])
            raise InputError(f"row {first_row + row}: {name} = {found:g}", where=where, expected=expected)


def merge_spelled(known: dict[int, str], block: Block, *, where: str) -> None:
    """Take over the spelled alleles of a block; InputError when two texts share one key."""
    for key, text in block.spelled.items():
        if known.setdefault(key, text) != text:
            raise InputError(
                f"two long alleles with the same key: {known[key][:60]} and {text[:60]}",
                where=where,
                todo="Leave one of them out and report this: it should happen once in 10^9 studies.",
            )
