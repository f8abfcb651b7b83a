"""How far an import is: numbers for a progress line, handed to a callback at most ten times a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_LEAST_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one file is.

    `step`: 'read', 'check' (order, strand, frequency), 'write', 'publish'. `done` of `total` (0: unknown) is
    in bytes of the source while reading, else in rows; `rows` so far; `seconds` since the file was begun.
    """

    path: str
    file: int
    files: int
    step: str = "read"
    done: int = 0
    total: int = 0
    rows: int = 0
    seconds: float = 0.0

    @property
    def rows_per_second(self) -> float:
        """Rows of this step a second since the file was begun."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """What is left of this step at the rate so far; None while nothing can be said."""
        if not self.total or not self.done or self.seconds < 0.5:
            return None
        return max(0.0, self.seconds * (self.total - self.done) / self.done)


class Report:
    """Calls a progress callback, not too often; does nothing without one."""

    def __init__(self, callback: Callable[[Progress], None] | None) -> None:
        self._callback = callback
        self._place = ("", 0, 0)
        self._step, self._began, self._last = "", time.monotonic(), 0.0

    def begin_file(self, path: str, number: int, files: int) -> None:
        """The next file is begun."""
        self._place, self._step = (path, number, files), ""

    def tell(self, step: str, *, done: int, total: int, rows: int) -> None:
        """How far the present step is; a new step is always told."""
        if self._callback is None:
            return
        now = time.monotonic()
        if step != self._step:
            self._step, self._began, self._last = step, now, 0.0
        if now - self._last < _LEAST_SECONDS and done != total:
            return
        self._last = now
        self._callback(Progress(*self._place, step, done, total, rows, now - self._began))
