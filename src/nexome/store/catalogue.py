"""The catalogue: what is searched (derived from the manifests), and the accounts (truth).

SQLite at <root>/catalogue.sqlite (WAL) unless the setting `catalogue_url` names another database;
PostgreSQL is tested. The derived part follows the manifest: `follow` compares the studies it has
indexed with those that are published and mends the difference, so it may be deleted at any time.
Words are indexed as `split_words` cuts them: Latin words and numbers whole, Chinese by single
characters. Whom a row may be shown to is decided in `access`, not here.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, Self

from sqlalchemy import Connection, Engine, create_engine, delete, event, insert, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from nexome.model.errors import BusyError, NewerVersionError, SettingsError, StoreError
from nexome.model.terms import Study, Trait
from nexome.store.accounts import Accounts
from nexome.store.tables import INDEXED, SEARCH, STATE

FILE_NAME: Final = "catalogue.sqlite"
HEAD: Final = "0001"  # newest step in `migrations`; a test compares
BUSY_MILLISECONDS: Final = 10_000
BATCH_ROWS: Final = 10_000

_CJK: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff"
_WORD: Final = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
_QUERY_WORD: Final = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_WRITER_LOCK: Final = 0x6E65786F6D65  # "nexome": the advisory lock of who writes in PostgreSQL


class Found(NamedTuple):
    """One search result: a study (`trait` is '') or a trait of it."""

    study: str
    trait: str


class Indexable(Protocol):
    """What is indexed of a published study, whichever store published it."""

    @property
    def study(self) -> Study:
        """Its words."""
        ...

    @property
    def version(self) -> int:
        """Changes when its words may have."""
        ...


class Catalogue:
    """One open catalogue. Thread-safe; `accounts` holds tokens, grants, audit and counters."""

    def __init__(self, engine: Engine, *, copied_from: Path | None = None) -> None:
        self._engine = engine
        self._copied_from = copied_from
        self.accounts = (
            Accounts(self._reading, self._writing)
            if copied_from is None
            else Accounts(self._reading, self._refusing, keeps_counts=False)
        )
        self._followed = -1

    @classmethod
    def open(cls, url: str, *, folder: Path) -> Self:
        """Open the catalogue at `url` ('': SQLite in `folder`), made or brought up to date when needed.

        Raises SettingsError for a URL that is none, NewerVersionError for a catalogue of a newer
        Nexome, StoreError when the database cannot be reached. In a folder that may not be written
        a copy of it is used while this object lives: questions are answered, accounts cannot change.
        """
        if not url and folder.is_dir() and not _may_write(folder):
            place = Path(tempfile.mkdtemp(prefix="nexome-"))
            _copy_sqlite(folder / FILE_NAME, place / FILE_NAME)
            catalogue = cls(_engine(f"sqlite:///{place / FILE_NAME}"), copied_from=folder)
        else:
            catalogue = cls(_engine(url or f"sqlite:///{folder / FILE_NAME}"))
        try:
            catalogue._migrate()
        except BaseException:
            catalogue._let_go()
            raise
        return catalogue

    def close(self) -> None:
        """Write waiting counts and let go of the database."""
        self.accounts.flush_counts()
        self._let_go()

    def _let_go(self) -> None:
        self._engine.dispose()
        if self._copied_from is not None:
            shutil.rmtree(Path(str(self._engine.url.database)).parent, ignore_errors=True)

    @property
    def revision(self) -> str:
        """Step of `migrations` this catalogue stands at; '' before the first."""
        with self._reading() as connection:
            return _revision(connection)

    @property
    def sequence(self) -> int:
        """Manifest sequence the derived part stands at; -1 when it was never made."""
        with self._reading() as connection:
            return _sequence(connection)

    # ------------------------------------------------------------ derived

    def follow(self, sequence: int, studies: Mapping[str, Indexable]) -> None:
        """Bring the derived part to a manifest: index studies that are new or changed, drop those gone.

        Does nothing when it stands there already, or further.
        """
        if self._followed >= sequence:
            return
        if self.sequence >= sequence:
            self._followed = sequence
            return
        with self._writing() as connection:
            if _sequence(connection) >= sequence:  # another process was quicker
                self._followed = sequence
                return
            have = {row.study: row.version for row in connection.execute(select(INDEXED))}
            want = {name: study.version for name, study in studies.items()}
            stale = [name for name, version in have.items() if want.get(name) != version]
            for name in stale:
                connection.execute(delete(SEARCH).where(SEARCH.c.study == name))
                connection.execute(delete(INDEXED).where(INDEXED.c.study == name))
            fresh = [name for name, version in want.items() if have.get(name) != version]
            for name in fresh:
                _index(connection, studies[name])
            connection.execute(delete(STATE).where(STATE.c.name == "sequence"))
            connection.execute(insert(STATE).values(name="sequence", value=str(sequence)))
        self._followed = sequence

    def drop_derived(self) -> None:
        """Forget everything derived; the next `follow` makes it anew. Accounts stay."""
        with self._writing() as connection:
            for table in (SEARCH, INDEXED, STATE):
                connection.execute(delete(table))
        self._followed = -1

    def search(self, words: str, *, whole_words: bool = False) -> Iterator[Found]:
        """Studies and traits that hold all the words, likeliest first, studies before traits.

        Latin words match as beginnings unless `whole_words`; Chinese characters in a row match in a row.
        """
        terms = _QUERY_WORD.findall(_fold(words))
        if not terms:
            return
        with self._reading() as connection:
            sqlite = connection.dialect.name == "sqlite"
            make = _fts5_query if sqlite else _tsquery
            question = text(_SEARCH_SQLITE if sqlite else _SEARCH_POSTGRESQL)
            rows = connection.execute(question, {"query": make(terms, whole_words=whole_words)})
            found = [Found(row.study, row.trait) for row in rows]
        yield from found

    # ------------------------------------------------------------ the database

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _database_errors(self._place), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        # A transaction that starts by reading cannot wait for another writer in SQLite: lock first.
        engine = self._engine.execution_options(nexome_begin="IMMEDIATE")
        with _database_errors(self._place), engine.begin() as connection:
            if connection.dialect.name == "postgresql":  # one writer at a time there too
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITER_LOCK})
            yield connection

    @contextmanager
    def _refusing(self) -> Iterator[Connection]:
        raise StoreError(
            "the root may not be written by this user",
            where=str(self._copied_from),
            todo="Ask as a user who may write to it.",
        )
        yield  # a context manager all the same

    @property
    def _place(self) -> str:
        return self._engine.url.render_as_string(hide_password=True)

    def _migrate(self) -> None:
        with self._reading() as connection:
            if _revision(connection) == HEAD:
                return
        with self._writing() as connection:
            if (revision := _revision(connection)) != HEAD:
                _upgrade(connection, revision)


def catalogue_words(study: Study) -> str:
    """All words a study is found by."""
    parts = (study.id, study.title, study.title_zh, study.publication, study.source, study.ancestry)
    return split_words(" ".join(parts))


def trait_words(trait: Trait) -> str:
    """All words a trait is found by."""
    return split_words(" ".join((trait.id, trait.label, trait.label_zh, trait.category, *trait.ontology)))


def split_words(words: str) -> str:
    """Text as it is indexed: folded to one case and width, Chinese characters apart.

    >>> split_words("Fasting glucose，空腹血糖 (ＦＢＧ)")
    'fasting glucose 空 腹 血 糖 fbg'
    """
    return " ".join(_WORD.findall(_fold(words)))


def _fold(words: str) -> str:
    # Accents are taken off so that a search for 'sjogren' finds 'Sjögren'.
    apart = unicodedata.normalize("NFKD", words).casefold()
    return unicodedata.normalize("NFKC", "".join(c for c in apart if not unicodedata.combining(c)))


# ---------------------------------------------------------------- indexing and searching

# All words must match, so what is left to rank by is how much else a row says. Scores such as BM25 weigh
# words by all rows, hidden ones too, and would let the order tell of those.
_SEARCH_SQLITE: Final = """
SELECT study, trait FROM search_rows
WHERE id IN (SELECT rowid FROM search_index WHERE search_index MATCH :query)
ORDER BY trait <> '', length(words), study, trait
"""
_SEARCH_POSTGRESQL: Final = """
SELECT study, trait FROM search_rows
WHERE to_tsvector('simple', words) @@ to_tsquery('simple', :query)
ORDER BY trait <> '', length(words), study, trait
"""


def _index(connection: Connection, published: Indexable) -> None:
    study = published.study
    rows: list[dict[str, Any]] = [{"study": study.id, "trait": "", "words": catalogue_words(study)}]
    for trait in study.traits:
        rows.append({"study": study.id, "trait": trait.id, "words": trait_words(trait)})
        if len(rows) >= BATCH_ROWS:
            connection.execute(insert(SEARCH), rows)
            rows.clear()
    if rows:
        connection.execute(insert(SEARCH), rows)
    connection.execute(insert(INDEXED).values(study=study.id, version=published.version))


def _fts5_query(terms: Iterable[str], *, whole_words: bool) -> str:
    # Terms hold letters and digits only, so quoting is all the escaping FTS5 needs.
    parts = []
    for term in terms:
        phrase = f'"{split_words(term)}"'
        parts.append(phrase if whole_words or _is_cjk(term) else phrase + "*")
    return " AND ".join(parts)


def _tsquery(terms: Iterable[str], *, whole_words: bool) -> str:
    parts = []
    for term in terms:
        phrase = " <-> ".join(f"'{word}'" for word in split_words(term).split())
        parts.append(f"({phrase})" if whole_words or _is_cjk(term) else f"{phrase}:*")
    return " & ".join(parts)


def _is_cjk(term: str) -> bool:
    return re.match(f"[{_CJK}]", term) is not None


# ---------------------------------------------------------------- engines and migrations


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        engine = create_engine(parsed)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise SettingsError(
            f"catalogue_url cannot be used ({type(error).__name__})",
            where="settings",
            expected="a SQLAlchemy URL, for example postgresql+pg8000://user@host/nexome",
            todo="For PostgreSQL install nexome[postgresql].",
        ) from None
    if engine.dialect.name not in {"sqlite", "postgresql"}:
        raise SettingsError(f"a catalogue in {engine.dialect.name}", expected="SQLite or PostgreSQL")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _copy_sqlite(source: Path, target: Path) -> None:
    """Copy one moment of a database from a folder that may not be written; nothing where there is none."""
    if not source.exists():
        return
    # While a server has it open, its log must be read too; when nobody has, there is none, and only
    # `immutable` lets SQLite open a file beside which it cannot write.
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        with suppress(sqlite3.OperationalError), closing(_connect(source, mode)) as here:
            with closing(sqlite3.connect(target)) as there:
                here.backup(there)
            return
    raise StoreError("the catalogue cannot be read", where=str(source))


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin in `_begin_sqlite`, never by themselves
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: a grant taken back must not come back with the power.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get("nexome_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


@contextmanager
def _database_errors(where: str) -> Iterator[None]:
    """Say in one line what a database driver says in many."""
    try:
        yield
    except DBAPIError as error:
        reason = _reason(error)
        kind = BusyError if "locked" in reason else StoreError
        raise kind(
            f"the catalogue's database says: {reason}",
            where=where,
            todo="Try again." if kind is BusyError else "See whether it runs and may be written.",
        ) from error


def _sequence(connection: Connection) -> int:
    found = connection.scalar(select(STATE.c.value).where(STATE.c.name == "sequence"))
    return -1 if found is None else int(found)


def _reason(error: DBAPIError) -> str:
    """The first line of what the driver says; pg8000 says it in a dictionary."""
    said = error.orig.args[0] if error.orig is not None and error.orig.args else ""
    text_ = said.get("M", "") if isinstance(said, dict) else str(said)
    return (text_.strip().splitlines() or ["no reason given"])[0]


def _revision(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.scalar(text("SELECT version_num FROM alembic_version")) or ""


def _upgrade(connection: Connection, revision: str) -> None:
    # Alembic is only imported here: an up-to-date catalogue opens without it.
    from alembic.command import upgrade  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    if revision > HEAD:
        raise NewerVersionError(
            f"a catalogue at step {revision}", expected=f"at most {HEAD}", todo="Use a newer Nexome."
        )
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    upgrade(config, "head")
