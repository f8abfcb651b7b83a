"""What one principal may see of one manifest: decided once, then looked up by every question.

An Allowance holds the visible studies and the Selection of those whose cells may be read. Centre
keeps the newest few, so that a question in a served centre costs no policy at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nexome.access.identity import Principal
from nexome.access.policy import REASONS, Action, decide
from nexome.model.errors import NotFoundError, RefusedError

if TYPE_CHECKING:
    from nexome.store.associations import PublishedStudy, Selection, Snapshot


@dataclass(frozen=True)
class Allowance:
    """One principal's part of one snapshot.

    `visible` are the studies it may know of, by identifier; `readable` those whose cells it may
    read, resolved in `selection`. `partial` is True when the store holds studies it may not read.
    """

    principal: Principal
    snapshot: Snapshot
    visible: Mapping[str, PublishedStudy]
    readable: frozenset[str]
    selection: Selection
    partial: bool

    def published(self, study_id: str) -> PublishedStudy:
        """A study this principal may know of. Raises NotFoundError for any other, there or not."""
        found = self.visible.get(study_id)
        if found is None:
            raise NotFoundError(f"no study {study_id[:100]!r}", todo="See the list of studies.")
        return found

    def require(self, study_id: str, action: Action) -> PublishedStudy:
        """The study, when `action` is allowed on it. Raises NotFoundError or RefusedError with the reason."""
        published = self.published(study_id)
        decision = decide(self.principal, action, published.study)
        if not decision.allowed:
            raise RefusedError(
                REASONS[decision.reason],
                reason=decision.reason,
                where=f"study {study_id}",
                todo="Ask the owner of this centre for a grant.",
            )
        return published

    def select(self, studies: Iterable[str] | None) -> Selection:
        """The Selection of these studies, or of all that may be read. Raises as `require`."""
        if studies is None:
            return self.selection
        wanted = list(dict.fromkeys(studies))
        for study_id in wanted:
            self.require(study_id, "read_cells")
        return self.snapshot.select(wanted)


def allowance_of(principal: Principal, snapshot: Snapshot) -> Allowance:
    """Decide on every study of a snapshot, once."""
    visible, readable = {}, []
    for study_id in sorted(snapshot.studies):
        published = snapshot.studies[study_id]
        if decide(principal, "see", published.study).allowed:
            visible[study_id] = published
            if decide(principal, "read_cells", published.study).allowed:
                readable.append(study_id)
    partial = len(readable) < len(snapshot.studies)
    selection = snapshot.select(readable if partial else None)
    return Allowance(principal, snapshot, visible, frozenset(readable), selection, partial)


def scope_of(principal: Principal) -> str:
    """A text that is equal for principals with equal rights: 'open', 'owner' or a digest of grants."""
    if principal.kind == "owner":
        return "owner"
    if not principal.grants:
        return "open"
    text = "\n".join(sorted(f"{study} {level}" for study, level in principal.grants))
    return "grants-" + hashlib.sha256(text.encode()).hexdigest()[:16]
