"""One opened root: its store, catalogue, genes and settings, and the views into it.

Who holds a token, and what was granted, is asked of the catalogue again after ACCOUNTS_SECONDS: a
grant or token taken back by another process is gone within that time. No answer is made here.
"""

from __future__ import annotations

import contextlib
import hmac
import threading
import time
from collections import OrderedDict
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from nexome.access.allowance import Allowance, allowance_of
from nexome.access.cohort_kept import CohortWords
from nexome.access.disclosure.state import DisclosureState
from nexome.access.identity import EVERYONE, GRANT_LEVELS, OWNER, GrantLevel, Principal, token_hash
from nexome.access.knowledge import NewestGraph
from nexome.access.ld_cache import LdCache
from nexome.access.meaning import NewestIndex
from nexome.access.overview import CategoryIndex, OutcomeCache
from nexome.access.view import View
from nexome.model.errors import BusyError, RefusedError
from nexome.model.settings import Settings
from nexome.search.sources import OWNER_FOLDER
from nexome.store.associations import AssociationStore, Snapshot
from nexome.store.catalogue import Catalogue
from nexome.store.cohorts import CohortStore
from nexome.store.genes import Genes, newest_version
from nexome.store.genotypes import GenotypeStore
from nexome.store.knowledge import Knowledge
from nexome.store.root import Root, open_root
from nexome.store.tracks import Tracks

ACCOUNTS_SECONDS: Final = 1.0
KEPT_ALLOWANCES: Final = 64
KEPT_PRINCIPALS: Final = 1024

_REFUSALS: Final = {
    "token_unknown": "this token is not known here",
    "token_expired": "this token has expired",
    "token_revoked": "this token was revoked",
}


class Centre:
    """What `app` gives to web, cli and `nexome.open`. Thread-safe; close it, or use it in a `with`."""

    def __init__(
        self, root: Root, store: AssociationStore, catalogue: Catalogue, *, owner_token: str | None = None
    ) -> None:
        self.root = root
        self.store = store
        self.catalogue = catalogue
        self._owner_hash = token_hash(owner_token) if owner_token else ""
        self._lock = threading.Lock()
        self._allowances: OrderedDict[Principal, Allowance] = OrderedDict()
        self._principals: OrderedDict[str, tuple[float, Principal]] = OrderedDict()
        self.outcomes = OutcomeCache()
        self.categories = CategoryIndex()
        self.genotypes = GenotypeStore(root)
        self.ld_cache = LdCache(root.settings.ld_cache_mb * 1_000_000)
        self._genes: Genes | None = None
        self.tracks = Tracks.open(root.path, root.assembly)
        self.knowledge = Knowledge.open(root.path)
        self.graph = NewestGraph(root.path, self.knowledge)
        self.cohorts = CohortStore(root)
        self.cohort_words = CohortWords()
        self.disclosure = DisclosureState(root.path)
        self.search_index = NewestIndex(root.path)
        self.owner_index = NewestIndex(root.path, OWNER_FOLDER)

    @classmethod
    def open(cls, path: Path, *, owner_token: str | None = None) -> Self:
        """Open the root in a folder.

        `owner_token` is a token that makes its holder the owner while this object lives; it is kept
        nowhere. Raises NotFoundError when there is no root, StoreError when it cannot be read.
        """
        root = open_root(path)
        store = AssociationStore.open(path)
        catalogue = Catalogue.open(root.settings.catalogue_url, folder=path)
        return cls(root, store, catalogue, owner_token=owner_token)

    @property
    def settings(self) -> Settings:
        """The settings of the root."""
        return self.root.settings

    @property
    def genes(self) -> Genes | None:
        """The newest genes of the root; None when none were imported."""
        version = newest_version(self.root.path)
        if not version:
            return None
        if self._genes is None or self._genes.version != version:
            self._genes = Genes.open(self.root.path, self.root.assembly)
        return self._genes

    def view_for(self, token: str | None, *, purpose: str = "read") -> View:
        """The view of a token's holder; of the anonymous reader without one.

        Raises RefusedError (reason 'token_unknown', 'token_expired' or 'token_revoked') for a token
        that opens nothing: a wrong token is never quietly anonymous.
        """
        return View(self, self._principal(token), purpose=purpose)

    def owner_view(self, *, purpose: str = "read") -> View:
        """The owner's view: for who opens a root on a disk of their own."""
        return View(self, OWNER, purpose=purpose)

    def allowance(self, principal: Principal) -> Allowance:
        """What a principal may see of the store as it is now."""
        snapshot = self.store.snapshot()
        kept = self._allowances.get(principal)
        if kept is not None and kept.snapshot.sequence == snapshot.sequence:
            return kept
        made = allowance_of(principal, snapshot)
        with self._lock:
            self._allowances[principal] = made
            self._allowances.move_to_end(principal)
            while len(self._allowances) > KEPT_ALLOWANCES:
                self._allowances.popitem(last=False)
        return made

    def searchable(self, snapshot: Snapshot) -> Catalogue:
        """The catalogue, its derived part brought to a snapshot.

        While another process writes to it for long it may lag behind: hits are checked against what is
        visible in any case, and the next search tries again.
        """
        with contextlib.suppress(BusyError):
            self.catalogue.follow(snapshot.sequence, snapshot.studies)
        return self.catalogue

    def forget_accounts(self) -> None:
        """Ask the catalogue anew from the next view on (after a change of tokens or grants)."""
        with self._lock:
            self._principals.clear()

    def close(self) -> None:
        """Write what is counted but not yet kept, and close the catalogue."""
        self.catalogue.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------ who asks

    def _principal(self, token: str | None) -> Principal:
        key = token_hash(token) if token else ""
        if key and self._owner_hash and hmac.compare_digest(key, self._owner_hash):
            return OWNER
        kept = self._principals.get(key)
        if kept is not None and time.monotonic() - kept[0] < ACCOUNTS_SECONDS:
            return kept[1]
        found = self._look_up(key)
        with self._lock:
            self._principals[key] = (time.monotonic(), found)
            while len(self._principals) > KEPT_PRINCIPALS:
                self._principals.popitem(last=False)
        return found

    def _look_up(self, key: str) -> Principal:
        if not key:
            return Principal("anonymous", "", self._grants(EVERYONE))
        record = self.catalogue.accounts.find_token(key)
        if record is None:
            raise _refusal("token_unknown")
        if record.revoked:
            raise _refusal("token_revoked")
        if record.expired:
            raise _refusal("token_expired")
        if record.role == "owner":
            return OWNER
        return Principal("holder", record.name, self._grants(EVERYONE, record.name))

    def _grants(self, *names: str) -> frozenset[tuple[str, GrantLevel]]:
        levels = {str(level): level for level in GRANT_LEVELS}
        rows = self.catalogue.accounts.grants(names)
        return frozenset((row.study, levels[row.level]) for row in rows if row.level in levels)


def _refusal(reason: str) -> RefusedError:
    todo = "Ask the owner of this centre for a new one, or read without a token."
    return RefusedError(_REFUSALS[reason], reason=reason, todo=todo)
