"""The newest few results of costly work, by what they are of; work asked for twice at once is done once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """Keeps the `most` results used last. A key must name all that a result depends on. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, T] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is held under `key`, made by `make` where nothing is; an error of `make` is kept by nobody."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._held:
                    return self._held[key]
            try:
                made = make()
            except BaseException:
                self._done(key)
                raise
            self._done(key, made)
            return made

    def _done(self, key: Hashable, *made: T) -> None:
        with self._lock:
            self._making.pop(key, None)
            for one in made:
                self._held[key] = one
            while len(self._held) > self._most:
                self._held.popitem(last=False)
