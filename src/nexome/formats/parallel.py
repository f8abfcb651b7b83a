"""Blocks of a file parsed on a few threads, results in the order of the file, few in flight."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from nexome.model.errors import FormatError

_THREADS: Final = 2
_AHEAD: Final = 3  # blocks in flight: two in parsing, one waiting

Block = TypeVar("Block")
Parsed = TypeVar("Parsed")


def in_order(blocks: Iterator[Block], parse: Callable[[Block], Parsed]) -> Iterator[Parsed]:
    """What `parse` gives for each block, in order; what stood before a damage is given before its error."""
    fault: FormatError | None = None
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="parse") as pool:
        waiting: deque[Future[Parsed]] = deque()
        while True:
            try:
                block = next(blocks)
            except StopIteration:
                break
            except FormatError as error:
                fault = error
                break
            waiting.append(pool.submit(parse, block))
            if len(waiting) >= _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    if fault is not None:
        raise fault
