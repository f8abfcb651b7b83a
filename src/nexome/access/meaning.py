"""The doors of a View to what is found by meaning: find, complete, normalise, look at a term.

The index knows every study of the moment it was built; a reader holds the visibility keys of the studies it
may see now, so that a study withdrawn or closed since is found no more, at once. What was published since
is found by its words until the index has followed (`View.search` asks both). What private sources of
knowledge say stands in an index of its own, which the owner alone asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol

from nexome.access.searching import read_note, read_question
from nexome.model.errors import NotFoundError
from nexome.search.generation import current_generation
from nexome.search.index import ABSTAIN_BELOW, LONGEST_TEXT, Scope, SearchIndex
from nexome.search.passages import LONGEST_NOTE, Mention, annotate
from nexome.search.records import Match, Normalised, Suggestion
from nexome.search.sources import COHORT_KEY, FOLDER, TRACK_KEY, open_index
from nexome.search.variants import LEAD_KEY

if TYPE_CHECKING:
    from nexome.access.allowance import Allowance
    from nexome.access.centre import Centre
    from nexome.access.identity import Principal
    from nexome.search.records import TermPlace
    from nexome.store.cohorts import CohortEntry
    from nexome.store.knowledge import Knowledge, SourceRecord, TermRecord
    from nexome.store.tracks import TrackRecord

HITS: Final = 20


@dataclass
class NewestIndex:
    """A search index of a root, opened again when another generation is current. Thread-safe."""

    root: Path
    folder: str = FOLDER

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._kept: SearchIndex | None = None
        self._generation: Path | None = None

    def get(self) -> SearchIndex:
        """The index. Raises NotFoundError where there is none, InputError where it is another encoder's."""
        generation = current_generation(self.root / self.folder)
        with self._lock:
            if self._kept is None or generation != self._generation:
                self._kept, self._generation = open_index(self.root, self.folder), generation
            return self._kept

    @property
    def stamp(self) -> str:
        """Changes when the index does; 0 where there is none."""
        generation = current_generation(self.root / self.folder)
        return generation.name if generation else "0"

    @property
    def exists(self) -> bool:
        """Whether an index was built."""
        return current_generation(self.root / self.folder) is not None


class _Asking(Protocol):
    """What of a View these doors lean on."""

    principal: Principal

    @property
    def _centre(self) -> Centre: ...

    def track_records(self) -> list[TrackRecord]: ...

    def _allowance(self) -> Allowance: ...

    @property
    def _search_index(self) -> NewestIndex: ...

    @property
    def _knowledge(self) -> Knowledge: ...

    def _visible_cohorts(self) -> Mapping[str, CohortEntry]: ...

    def _search_scope(self, kinds: Sequence[str], vocabularies: Sequence[str]) -> Scope: ...


class Meaning:
    """Part of View; it is not made by itself."""

    def find(
        self: _Asking,
        text: str,
        *,
        limit: int = HITS,
        kinds: Sequence[str] = (),
        vocabularies: Sequence[str] = (),
    ) -> list[Match]:
        """What a text may mean, likeliest first, and why: of any of the kinds of `search.records.Kind`.

        Studies tied to a term that is meant, or to one below it, follow it ('about', 'subtype'). Raises
        NotFoundError where no index was built, InputError where it was built with another encoder.
        """
        index = self._search_index.get()
        return index.find(
            read_question(text, LONGEST_TEXT), self._search_scope(kinds, vocabularies), limit=limit
        )

    def completions(
        self: _Asking, text: str, *, limit: int = 8, kinds: Sequence[str] = ()
    ) -> list[Suggestion]:
        """Names that begin as an unfinished text, in either language, or by pinyin. Raises as `find`."""
        read = read_question(text, LONGEST_TEXT)
        return self._search_index.get().suggest(read, self._search_scope(kinds, ()), limit=limit)

    def normalise(
        self: _Asking,
        texts: Sequence[str],
        *,
        vocabularies: Sequence[str] = (),
        limit: int = 5,
        abstain_below: float = ABSTAIN_BELOW,
    ) -> Iterator[Normalised]:
        """The term that each text means, with alternatives; abstains below a sureness. Raises as `find`."""
        index = self._search_index.get()
        scope = self._search_scope(("term",), vocabularies)
        read = [read_question(text, LONGEST_TEXT) for text in texts]
        return index.normalise(read, scope, limit=limit, abstain_below=abstain_below)

    def annotate(
        self: _Asking, text: str, *, vocabularies: Sequence[str] = (), alternatives: int = 3
    ) -> list[Mention]:
        """The concepts inside a text (a note, a header), where each stands, whether denied or of a relative.

        Its first 100,000 characters are read. Raises as `find`.
        """
        index = self._search_index.get()
        scope = self._search_scope(("term",), vocabularies)
        return annotate(index, read_note(text, LONGEST_NOTE), scope, limit=alternatives + 1)

    def searched_vocabularies(self: _Asking) -> dict[str, int]:
        """Vocabularies of the terms that can be meant, by prefix, with their number of terms; largest first.

        Raises as `find`.
        """
        return self._search_index.get().vocabularies(self._search_scope(("term",), ()))

    def term_place(self: _Asking, term: str) -> TermPlace:
        """A term with its names, what is above, below and equal to it, and what is about it, as far as seen.

        Raises as `find`, and NotFoundError for an unknown term.
        """
        return self._search_index.get().place_of(term, self._search_scope((), ()))

    def term_record(self: _Asking, term: str) -> TermRecord | None:
        """What the sources say of a term, its definitions among them; None where none is loaded."""
        try:
            return self._knowledge.term(term)
        except NotFoundError:
            return None

    def sources_named(self: _Asking, names: Iterable[str]) -> list[SourceRecord]:
        """Sources of knowledge by name, with their licences; those withdrawn meanwhile are left out."""
        known = self._knowledge
        return [known.source(name) for name in sorted(known.source_names.intersection(names))]

    @property
    def _search_index(self: _Asking) -> NewestIndex:
        """The index this reader is answered from."""
        centre = self._centre
        own = self.principal.kind == "owner" and centre.owner_index.exists
        return centre.owner_index if own else centre.search_index

    def _search_scope(self: _Asking, kinds: Sequence[str], vocabularies: Sequence[str]) -> Scope:
        tracks = (TRACK_KEY + record.name for record in self.track_records())
        cohorts = (COHORT_KEY + name for name in self._visible_cohorts())
        allowance = self._allowance()
        leads = (LEAD_KEY + name for name in allowance.readable)
        keys = frozenset((*allowance.visible, *tracks, *cohorts, *leads))
        return Scope(
            visible=keys,
            kinds=frozenset(kinds) or None,
            vocabularies=frozenset(vocabularies) or None,
        )
