"""What the guards of one centre share: secret numbers of people, who may be counted, ledgers, the audit log.

Nothing here is needed to stay right: secrets come from the key of the root, populations from the disk. What
is kept only saves work while the same cohort is asked about.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
import weakref
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from nexome.access.disclosure.consent import permits, read_codes
from nexome.access.disclosure.rules import Rules
from nexome.methods.populations import People, people_of, siphash, sketch_people
from nexome.model.cohorts import Cohort, Dictionary
from nexome.store.audit import AuditLog
from nexome.store.cohorts.people import root_key
from nexome.store.ledger import Ledger

ANY_PURPOSE: Final = ("*",)  # of the owner, who holds the files
KEPT_TABLES: Final = 16
KEPT_LEDGERS: Final = 8
_PEOPLE: Final = b"nexome: numbers of people in sketches, version 1"
_CELL_KEYS: Final = b"nexome: cell keys of perturbed counts, version 1"

U64 = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]


class CohortLike(Protocol):
    """What the guard asks of a cohort version (`store.cohorts.CohortTable`)."""

    @property
    def cohort(self) -> Cohort:
        """What is known of it."""

    @property
    def dictionary(self) -> Dictionary:
        """Its variables."""

    def column(self, name: str) -> Any:
        """Codes (int32, −1 missing) and categories of the variable with the role 'purposes'."""


@dataclass(frozen=True)
class Table:
    """Rows [R] of a cohort version as a project may count them. `whole` is the sketch of all that may be."""

    people: People
    allowed: Bools | None
    whole: U64
    size: int


class DisclosureState:
    """Of one centre; safe from several threads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.audit = AuditLog.open(root)
        self._lock = threading.Lock()
        self._tables: OrderedDict[tuple[int, tuple[str, ...]], tuple[Any, Table]] = OrderedDict()
        self._ledgers: OrderedDict[tuple[str, int, int], Ledger] = OrderedDict()

    def table(self, participants: U64, *, of: CohortLike, purposes: tuple[str, ...]) -> Table:
        """The rows of a cohort version, those left out whose consent does not permit the purposes."""
        key = (id(participants), purposes)
        with self._lock:
            kept = self._tables.get(key)
            if kept is not None and kept[0]() is participants:
                self._tables.move_to_end(key)
                return kept[1]
        made = self._make_table(participants, of, purposes)
        with self._lock:
            self._tables[key] = (weakref.ref(participants), made)
            while len(self._tables) > KEPT_TABLES:
                self._tables.popitem(last=False)
        return made

    def ledger(self, project: str, rules: Rules) -> Ledger:
        """The ledger of a project, kept open."""
        key = (project, rules.min_cell, rules.populations)
        with self._lock:
            if key not in self._ledgers:
                self._ledgers[key] = Ledger(
                    self.root, project, threshold=rules.min_cell, capacity=rules.populations
                )
                while len(self._ledgers) > KEPT_LEDGERS:
                    self._ledgers.popitem(last=False)
            self._ledgers.move_to_end(key)
            return self._ledgers[key]

    def cell_keys(self, sketches: U64) -> U64:
        """Cell keys [C] of sketches [C, GROUPS]: their sums, under a key of their own."""
        k0, k1 = self._key(_CELL_KEYS)
        sums = sketches.sum(axis=1, dtype=np.uint64)
        made = [siphash(one, np.uint64(0), np.uint64(k0), np.uint64(k1)) for one in sums]
        return np.array(made, np.uint64)

    def _key(self, purpose: bytes) -> tuple[int, int]:
        digest = hmac.new(root_key(self.root), purpose, hashlib.sha256).digest()
        return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little")

    def _make_table(self, participants: U64, of: CohortLike, purposes: tuple[str, ...]) -> Table:
        people = people_of(participants, self._key(_PEOPLE))
        allowed = allowed_rows(participants, of, purposes)
        everyone = np.zeros(len(participants), np.int32)
        if allowed is not None:
            everyone[~allowed] = -1
        counts, sketches = sketch_people(people, everyone, 1)
        return Table(people, allowed, sketches[0], int(counts[0]))


def allowed_rows(participants: U64, of: CohortLike, purposes: tuple[str, ...]) -> Bools | None:
    """Rows [R] of people whose consent, and the cohort's, permits the purposes; None where all do.

    A person who forbids it at one visit has forbidden it.
    """
    if purposes == ANY_PURPOSE:
        return None
    if not permits(read_codes(" ".join(of.cohort.purposes)), purposes):
        return np.zeros(len(participants), bool)
    variable = of.dictionary.of_role("purposes")
    if variable is None:
        return None
    column = of.column(variable.name)
    known = np.array([permits(read_codes(text), purposes) for text in column.categories] + [True])
    refused = ~known[np.asarray(column.values, np.int64)]  # −1, no codes of their own, is the last
    return None if not refused.any() else ~np.isin(participants, participants[refused])
