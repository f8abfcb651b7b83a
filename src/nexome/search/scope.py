"""What a question may find: by what its reader may know of, by kind, by vocabulary, by identifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Scope:
    """What a question may find: keys of what may be known of, kinds, vocabularies, identifiers; None: all."""

    visible: frozenset[str] | None = frozenset()
    kinds: frozenset[str] | None = None
    vocabularies: frozenset[str] | None = None
    ids: frozenset[str] | None = None


EVERYTHING: Final = Scope(visible=None)
