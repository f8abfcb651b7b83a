"""Studies and traits to search, tokens, grants, the audit log, counters."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer, "sqlite")

# The index holds no text of its own: it follows search_rows by triggers.
_SQLITE = (
    (
        "CREATE VIRTUAL TABLE search_index USING fts5"
        "(words, content='search_rows', content_rowid='id', tokenize='unicode61', prefix='2 3 4')"
    ),
    (
        "CREATE TRIGGER search_rows_added AFTER INSERT ON search_rows BEGIN"
        " INSERT INTO search_index(rowid, words) VALUES (new.id, new.words); END"
    ),
    (
        "CREATE TRIGGER search_rows_removed AFTER DELETE ON search_rows BEGIN"
        " INSERT INTO search_index(search_index, rowid, words) VALUES ('delete', old.id, old.words); END"
    ),
    (
        "CREATE TRIGGER audit_kept_update BEFORE UPDATE ON audit BEGIN"
        " SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    ),
    (
        "CREATE TRIGGER audit_kept_delete BEFORE DELETE ON audit BEGIN"
        " SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    ),
)
_POSTGRESQL = (
    "CREATE INDEX search_rows_words ON search_rows USING gin (to_tsvector('simple', words))",
    (
        "CREATE FUNCTION audit_kept() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
    ),
    (
        "CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_kept()"
    ),
)


def upgrade() -> None:
    """Make all tables, the full-text index and the guards of the audit log."""
    _create_derived()
    _create_accounts()
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)


def _create_derived() -> None:
    op.create_table(
        "catalogue_state",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.String(200), nullable=False),
    )
    op.create_table(
        "indexed_studies",
        sa.Column("study", sa.String(100), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "search_rows",
        sa.Column("id", _ROW, primary_key=True),
        sa.Column("study", sa.String(100), nullable=False),
        sa.Column("trait", sa.String(100), nullable=False),
        sa.Column("words", sa.Text, nullable=False),
    )
    op.create_index("search_rows_study", "search_rows", ["study"])


def _create_accounts() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", _ROW, primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("created", sa.String(20), nullable=False),
        sa.Column("expires", sa.String(20)),
        sa.Column("revoked", sa.String(20)),
    )
    op.create_table(
        "grants",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("study", sa.String(100), primary_key=True),
        sa.Column("level", sa.String(10), nullable=False),
        sa.Column("created", sa.String(20), nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("id", _ROW, primary_key=True),
        sa.Column("time", sa.String(20), nullable=False),
        sa.Column("actor", sa.String(110), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_table(
        "counters",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("kind", sa.String(40), primary_key=True),
        sa.Column("subject", sa.String(200), primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
