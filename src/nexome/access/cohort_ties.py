"""Terms above those that a cohort's variables and categories are tied to, as a reader may know them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final, Protocol

from nexome.model.errors import NotFoundError


class _Knows(Protocol):
    """What of a View is asked (`access.knowledge`)."""

    def ancestors(self, term: str, **asked: Any) -> Any: ...

    def term(self, text: str) -> Any: ...


_SHOWN: Final = frozenset({"label", "exact", "translation", "abbreviation", "layperson"})


class GraphTies:
    """`cohort_words.Ties` over the graph of knowledge. Kept with the words of a cohort."""

    def __init__(self, view: _Knows) -> None:
        self._view = view

    def above(self, curie: str) -> frozenset[str]:
        """The term and all that it is a kind of."""
        found = {curie}
        with suppress(NotFoundError):
            found |= set(self._view.ancestors(curie)["term"].to_pylist())
        return frozenset(found)

    def names(self, curie: str) -> tuple[str, ...]:
        """What a term is called, in any language; related, narrower and broader names are none of its own."""
        with suppress(NotFoundError):
            record = self._view.term(curie)
            return (record.label, *(text for text, kind, *_ in record.names if kind in _SHOWN))
        return ()
