"""How long a region one question may ask, said the same at every door of the web."""

from __future__ import annotations

from nexome.model.errors import QueryError
from nexome.model.genome import Interval


def check_length(interval: Interval, most_bp: int, *, todo: str = "Ask for a part of it.") -> Interval:
    """The interval itself. Raises QueryError when it is longer than `most_bp` bases (region_max_bp)."""
    length = interval.end - interval.start + 1
    if length > most_bp:
        raise QueryError(
            f"a region of {length:,} bases",
            where="region",
            expected=f"at most {most_bp:,} (setting region_max_bp)",
            todo=todo,
        )
    return interval
