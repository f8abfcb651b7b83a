"""Writing a column segment: codes of one or a few traits, by rows of their axis in any order."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from nexome.store.associations import codec
from nexome.store.associations.arrays import create_array, write_group
from nexome.store.associations.column import KIND, VERSION
from nexome.store.associations.overflow import write_overflow
from nexome.store.associations.types import Codes, Floats


class ColumnWriter:
    """Writes one column segment of V × T cells, all missing until put. Use as a context manager."""

    def __init__(
        self,
        path: Path,
        *,
        axis: str,
        shape: tuple[int, int],
        optional: Sequence[str] = (),
        exact: bool = False,
    ) -> None:
        self.path, self.layout = path, "exact" if exact else "column"
        features, traits = shape
        self._stack = ExitStack()
        self._overflow: list[tuple[npt.NDArray[Any], npt.NDArray[Any], Floats]] = []
        facts = {"kind": KIND, "version": VERSION, "layout": self.layout, "axis": axis}
        write_group(path, facts | {"optional": list(optional)})
        self._codes = self._open("codes", (traits, features, 3), "int16", codec.MISSING)
        self._floats = {n: self._open(n, (traits, features), "float32", np.nan) for n in optional}
        self._exact = self._open("exact", (traits, features, 3), "float32", np.nan) if exact else None

    def _open(self, name: str, shape: tuple[int, ...], dtype: str, fill: float) -> npt.NDArray[Any]:
        array = self._stack.enter_context(create_array(self.path / name, shape, dtype))
        array[...] = fill
        return array

    def put(
        self,
        rows: Any,
        codes: tuple[Codes, Codes, Codes],
        *,
        trait: int = 0,
        values: tuple[Floats, Floats, Floats],
        extras: dict[str, Floats] | None = None,
    ) -> None:
        """Put R cells of one trait: axis rows (int64 [R] or a slice), codes and values as given [R] each.

        `extras` holds `n`, `info` [R] where the segment has them.
        """
        for number, plane in enumerate(codes):
            self._codes[trait, rows, number] = plane
        over = np.flatnonzero(codes[0] == codec.OVERFLOW)
        if len(over):
            at = np.arange(len(self._codes[trait]))[rows][over] if isinstance(rows, slice) else rows[over]
            self._overflow.append((at, np.full(len(at), trait), values[0][over]))
        for name, extra in (extras or {}).items():
            self._floats[name][trait, rows] = extra
        if self._exact is not None:
            for number, given in enumerate(values):
                self._exact[trait, rows, number] = given

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._stack.close()
        if kind is None and self._overflow:
            write_overflow(self.path, *(np.concatenate(part) for part in zip(*self._overflow, strict=True)))
