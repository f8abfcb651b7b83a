"""Tokens, grants, the audit log and counters: the part of the catalogue that is truth.

A token is kept as its SHA-256 alone. The audit log is append-only; the database itself refuses to
change or delete a row. Counters are gathered in memory and written in batches: after a crash the
last few seconds of counts are missing, nothing else. What a grant allows is decided in `access`.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from nexome.model.errors import NotFoundError
from nexome.store.disk import now_iso
from nexome.store.tables import AUDIT, COUNTERS, GRANTS, TOKENS

FLUSH_COUNTS: Final = 1000  # at most this many counts, or this many seconds, are lost in a crash
FLUSH_SECONDS: Final = 10.0

Transaction = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What is kept of a token. `role` is 'owner' or 'holder'; times are ISO 8601 in UTC, '' for never."""

    id: int
    name: str
    role: str
    created: str
    expires: str
    revoked: str

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return bool(self.expires) and self.expires <= now_iso()


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """`name` may do `level` with `study` ('*': with every study)."""

    name: str
    study: str
    level: str
    created: str


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One line of the audit log: who did what to what, and more in `detail`."""

    time: str
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


class Accounts:
    """Accounts over two kinds of transaction, one that reads and one that writes."""

    def __init__(self, read: Transaction, write: Transaction, *, keeps_counts: bool = True) -> None:
        self._read = read
        self._write = write
        self._keeps_counts = keeps_counts
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._counted = 0
        self._flushed = time.monotonic()
        self._lock = threading.Lock()

    # ------------------------------------------------------------ tokens

    def add_token(self, name: str, token_hash: str, *, role: str, expires: str = "") -> None:
        """Keep a new token of `name`; a name may hold several."""
        row = {
            "name": name,
            "role": role,
            "hash": token_hash,
            "created": now_iso(),
            "expires": expires or None,
        }
        with self._write() as connection:
            connection.execute(insert(TOKENS).values(row))

    def find_token(self, token_hash: str) -> TokenRecord | None:
        """The token with that hash, revoked and expired ones too; None when there is none."""
        with self._read() as connection:
            row = connection.execute(select(TOKENS).where(TOKENS.c.hash == token_hash)).first()
        return _token(row) if row else None

    def tokens(self) -> list[TokenRecord]:
        """All tokens ever made, oldest first."""
        with self._read() as connection:
            return [_token(row) for row in connection.execute(select(TOKENS).order_by(TOKENS.c.id))]

    def revoke_tokens(self, name: str) -> int:
        """Revoke all live tokens of a name, at once and for good; returns how many.

        Raises NotFoundError when it has none.
        """
        live = (TOKENS.c.name == name) & TOKENS.c.revoked.is_(None)
        with self._write() as connection:
            count = connection.execute(update(TOKENS).where(live).values(revoked=now_iso())).rowcount
        if not count:
            raise NotFoundError(f"no live token of {name[:100]!r}", todo="See `nexome token list`.")
        return int(count)

    # ------------------------------------------------------------ grants

    def grant(self, name: str, study: str, level: str) -> None:
        """Let `name` do `level` with `study`, in place of any grant it had on it."""
        row = {"name": name, "study": study, "level": level, "created": now_iso()}
        with self._write() as connection:
            connection.execute(delete(GRANTS).where((GRANTS.c.name == name) & (GRANTS.c.study == study)))
            connection.execute(insert(GRANTS).values(row))

    def remove_grant(self, name: str, study: str) -> None:
        """Take a grant back. Raises NotFoundError when there is none."""
        with self._write() as connection:
            which = (GRANTS.c.name == name) & (GRANTS.c.study == study)
            count = connection.execute(delete(GRANTS).where(which)).rowcount
        if not count:
            raise NotFoundError(
                f"no grant of {name[:100]!r} on {study[:100]!r}", todo="See `nexome grant --list`."
            )

    def grants(self, names: Iterable[str] | None = None) -> list[GrantRecord]:
        """Grants of these names, or all, by name and study."""
        question = select(GRANTS).order_by(GRANTS.c.name, GRANTS.c.study)
        if names is not None:
            question = question.where(GRANTS.c.name.in_(list(names)))
        with self._read() as connection:
            return [GrantRecord(r.name, r.study, r.level, r.created) for r in connection.execute(question)]

    # ------------------------------------------------------------ audit

    def audit(self, actor: str, action: str, subject: str, **detail: Any) -> None:
        """Append one line; on the disk when this returns."""
        text = json.dumps(detail, ensure_ascii=False, sort_keys=True)
        row = {"time": now_iso(), "actor": actor, "action": action, "subject": subject[:200], "detail": text}
        with self._write() as connection:
            connection.execute(insert(AUDIT).values(row))

    def audit_log(self, *, limit: int = 1000) -> list[AuditRecord]:
        """The newest lines, newest first."""
        with self._read() as connection:
            rows = connection.execute(select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)).all()
        return [AuditRecord(r.time, r.actor, r.action, r.subject, json.loads(r.detail)) for r in rows]

    # ------------------------------------------------------------ counters

    def count(self, kind: str, subject: str = "") -> None:
        """Count one event of a kind; written with many others."""
        if not self._keeps_counts:
            return
        with self._lock:
            self._counts[datetime.now(UTC).strftime("%Y-%m-%d"), kind, subject] += 1
            self._counted += 1
            due = self._counted >= FLUSH_COUNTS or time.monotonic() - self._flushed > FLUSH_SECONDS
        if due:
            self.flush_counts()

    def add_counts(self, counts: Mapping[tuple[str, str, str], int]) -> None:
        """Add what was counted elsewhere, by (day, kind, subject), to what is written next."""
        if not self._keeps_counts:
            return
        with self._lock:
            self._counts.update(counts)
            self._counted += sum(counts.values())

    def flush_counts(self) -> None:
        """Write what was counted since the last time. Raises BusyError and keeps them, if it cannot."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            self._counted, self._flushed = 0, time.monotonic()
        if not counts:
            return
        try:
            self._write_counts(counts)
        except BaseException:  # a busy or full database: they are written next time
            with self._lock:
                self._counts.update(counts)
            raise

    def _write_counts(self, counts: Mapping[tuple[str, str, str], int]) -> None:
        rows = [{"day": d, "kind": k, "subject": s, "count": n} for (d, k, s), n in counts.items()]
        with self._write() as connection:
            new = _upsert(connection)
            total = COUNTERS.c.count + new.excluded.count
            keys = [COUNTERS.c.day, COUNTERS.c.kind, COUNTERS.c.subject]
            connection.execute(new.on_conflict_do_update(index_elements=keys, set_={"count": total}), rows)

    def counts(self) -> dict[tuple[str, str, str], int]:
        """All counters by (day, kind, subject), as written so far."""
        with self._read() as connection:
            return {(day, kind, subject): n for day, kind, subject, n in connection.execute(select(COUNTERS))}

    def count_totals(
        self, kinds: Iterable[str] | None = None, *, since: str = ""
    ) -> dict[str, dict[str, int]]:
        """Counters by kind and subject, added up over the days from `since` (a date) on.

        Of these kinds, each there even when nothing was counted; None: of all that were.
        """
        wanted = None if kinds is None else list(kinds)
        question = select(COUNTERS.c.kind, COUNTERS.c.subject, func.sum(COUNTERS.c.count))
        question = question.where(COUNTERS.c.day >= since).group_by(COUNTERS.c.kind, COUNTERS.c.subject)
        if wanted is not None:
            question = question.where(COUNTERS.c.kind.in_(wanted))
        found: dict[str, dict[str, int]] = {kind: {} for kind in wanted or ()}
        with self._read() as connection:
            for kind, subject, count in connection.execute(question):
                found.setdefault(kind, {})[subject] = int(count)
        return found

    @property
    def keeps_counts(self) -> bool:
        """Whether counts are kept: not where the root may not be written."""
        return self._keeps_counts


def _upsert(connection: Connection) -> Any:
    """INSERT … ON CONFLICT in the database's own dialect, imported only when counts are written."""
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415

        return sqlite.insert(COUNTERS)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(COUNTERS)


def _token(row: Any) -> TokenRecord:
    return TokenRecord(row.id, row.name, row.role, row.created, row.expires or "", row.revoked or "")
