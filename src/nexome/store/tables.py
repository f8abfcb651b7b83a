"""The tables of the catalogue, as SQLAlchemy sees them; `migrations` makes them.

derived   catalogue_state, search_rows (and the full-text index over it)    dropped by a rebuild
truth     tokens, grants, audit (append-only), counters                     survives a rebuild
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

METADATA: Final = MetaData()

# INTEGER PRIMARY KEY is SQLite's own row number; other databases get 64 bits.
_ROW = BigInteger().with_variant(Integer, "sqlite")

STATE: Final = Table(
    "catalogue_state",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("value", String(200), nullable=False),
)
INDEXED: Final = Table(
    "indexed_studies",
    METADATA,
    Column("study", String(100), primary_key=True),
    Column("version", Integer, nullable=False),
)
SEARCH: Final = Table(
    "search_rows",
    METADATA,
    Column("id", _ROW, primary_key=True),
    Column("study", String(100), nullable=False),
    Column("trait", String(100), nullable=False),  # '': the study itself
    Column("words", Text, nullable=False),
    Index("search_rows_study", "study"),
)
TOKENS: Final = Table(
    "tokens",
    METADATA,
    Column("id", _ROW, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("role", String(10), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("created", String(20), nullable=False),
    Column("expires", String(20)),
    Column("revoked", String(20)),
)
GRANTS: Final = Table(
    "grants",
    METADATA,
    Column("name", String(100), primary_key=True),
    Column("study", String(100), primary_key=True),
    Column("level", String(10), nullable=False),
    Column("created", String(20), nullable=False),
)
AUDIT: Final = Table(
    "audit",
    METADATA,
    Column("id", _ROW, primary_key=True),
    Column("time", String(20), nullable=False),
    Column("actor", String(110), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("detail", Text, nullable=False),
)
COUNTERS: Final = Table(
    "counters",
    METADATA,
    Column("day", String(10), primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("count", BigInteger, nullable=False),
)
