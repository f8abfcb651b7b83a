"""The catalogue: search in two languages, migrations, accounts, on SQLite and a real PostgreSQL."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from nexome.model.errors import BusyError, NewerVersionError, NotFoundError, SettingsError, StoreError
from nexome.model.terms import Study, Trait
from nexome.store import catalogue as module
from nexome.store.catalogue import _QUERY_WORD, HEAD, Catalogue, Found, _fold, _fts5_query, split_words
from nexome.store.tables import METADATA


@dataclass
class Published:
    """What the catalogue reads of a published study."""

    study: Study
    version: int = 1


GLUCOSE = Study(
    "glucose",
    title="Fasting glucose in Sjögren's cohort",
    title_zh="空腹血糖",
    traits=(
        Trait("fg", "Fasting glucose", "空腹血糖", ontology=("EFO:0004465",)),
        Trait("bmi", "BMI", "体重指数"),
    ),
)
LUPUS = Study(
    "lupus", title="Systemic lupus", title_zh="系统性红斑狼疮", traits=(Trait("sle", "SLE", "红斑狼疮"),)
)


def published(*studies: Study, version: int = 1) -> dict[str, Published]:
    return {s.id: Published(s, version) for s in studies}


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Socket folder of a PostgreSQL server of this test run, where its programs are installed."""
    pytest.importorskip("pg8000")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if not found:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    user: list[str] = []
    # Not under pytest's own folder: the path of a socket must be short, and another user must reach it.
    with TemporaryDirectory(prefix="nexome-pg-") as folder:
        if os.geteuid() == 0:  # the server refuses to run as root
            if shutil.which("runuser") is None:
                pytest.skip("PostgreSQL cannot run as root, and there is no runuser")
            shutil.chown(folder, "nobody")
            user = ["runuser", "-u", "nobody", "--"]
        cluster = f"{folder}/cluster"
        initdb = [str(found[-1].with_name("initdb")), "-D", cluster, "-U", "nexome", "-A", "trust"]
        control = [*user, str(found[-1]), "-D", cluster]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([*user, *initdb, "-E", "UTF8", "--locale=C.UTF-8"], check=True, **quiet)
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        subprocess.run([*control, "-o", options, "-l", f"{folder}/log", "-w", "start"], check=True, **quiet)
        yield folder
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, **quiet)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/catalogue.sqlite"
    folder = request.getfixturevalue("postgresql")
    name = "t" + os.urandom(6).hex()
    at = f"postgresql+pg8000://nexome@/{{}}?unix_sock={folder}/.s.PGSQL.5432"
    engine = create_engine(at.format("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return at.format(name)


@pytest.fixture
def catalogue(url: str, tmp_path: Path) -> Iterator[Catalogue]:
    opened = Catalogue.open(url, folder=tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("glucose", [Found("glucose", ""), Found("glucose", "fg")]),
        ("GLUC", [Found("glucose", ""), Found("glucose", "fg")]),
        ("fasting gl", [Found("glucose", ""), Found("glucose", "fg")]),
        ("sjogren", [Found("glucose", "")]),
        ("血糖", [Found("glucose", ""), Found("glucose", "fg")]),
        ("血", [Found("glucose", ""), Found("glucose", "fg")]),
        ("红斑", [Found("lupus", ""), Found("lupus", "sle")]),
        ("斑红", []),
        ("EFO:0004465", [Found("glucose", "fg")]),
        ("体重 BMI", [Found("glucose", "bmi")]),
        ("glucose lupus", []),
        ("'); DROP TABLE tokens; --", []),
        ('" OR *', []),
        ("：，", []),
    ],
)
def test_search_finds_words_in_both_languages(catalogue: Catalogue, words: str, expected: list[Found]):
    catalogue.follow(1, published(GLUCOSE, LUPUS))
    assert list(catalogue.search(words)) == expected


def test_whole_words_do_not_match_beginnings(catalogue: Catalogue):
    catalogue.follow(1, published(GLUCOSE))
    assert list(catalogue.search("gluc", whole_words=True)) == []
    assert list(catalogue.search("glucose", whole_words=True))


def test_the_derived_part_follows_the_manifest(catalogue: Catalogue):
    catalogue.follow(1, published(GLUCOSE, LUPUS))
    catalogue.follow(2, published(LUPUS))
    assert list(catalogue.search("glucose")) == []
    changed = Study("lupus", title="Nephritis")
    catalogue.follow(3, published(changed, version=2))
    assert list(catalogue.search("systemic")) == []
    assert list(catalogue.search("nephritis")) == [Found("lupus", "")]
    catalogue.follow(2, published(GLUCOSE))
    assert catalogue.sequence == 3, "an older manifest never wins"


def test_dropping_the_derived_part_keeps_the_accounts(catalogue: Catalogue):
    catalogue.follow(7, published(GLUCOSE))
    catalogue.accounts.add_token("li", "0" * 64, role="holder")
    catalogue.accounts.grant("li", "glucose", "read")
    catalogue.drop_derived()
    assert catalogue.sequence == -1
    assert list(catalogue.search("glucose")) == []
    catalogue.follow(7, published(GLUCOSE))
    assert list(catalogue.search("glucose"))
    assert [g.study for g in catalogue.accounts.grants()] == ["glucose"]
    assert catalogue.accounts.find_token("0" * 64) is not None


def test_tokens_are_found_by_hash_and_revoked_for_good(catalogue: Catalogue):
    accounts = catalogue.accounts
    accounts.add_token("li", "a" * 64, role="holder", expires="2020-01-01T00:00:00Z")
    accounts.add_token("li", "b" * 64, role="owner")
    first, second = accounts.tokens()
    assert (first.name, first.expired, second.expired, second.role) == ("li", True, False, "owner")
    assert accounts.find_token("c" * 64) is None
    assert accounts.revoke_tokens("li") == 2
    found = accounts.find_token("b" * 64)
    assert found is not None
    assert found.revoked
    with pytest.raises(NotFoundError, match="li"):
        accounts.revoke_tokens("li")


def test_a_grant_replaces_the_one_before(catalogue: Catalogue):
    accounts = catalogue.accounts
    accounts.grant("li", "s1", "see")
    accounts.grant("li", "s1", "read")
    accounts.grant("wang", "*", "see")
    assert [(g.name, g.study, g.level) for g in accounts.grants()] == [
        ("li", "s1", "read"),
        ("wang", "*", "see"),
    ]
    assert [g.name for g in accounts.grants(["wang", "nobody"])] == ["wang"]
    accounts.remove_grant("li", "s1")
    with pytest.raises(NotFoundError):
        accounts.remove_grant("li", "s1")


def test_the_audit_log_is_append_only(catalogue: Catalogue):
    accounts = catalogue.accounts
    accounts.audit("owner", "grant", "s1", name="李", level="read")
    accounts.audit("owner", "withdraw", "s2")
    newest, oldest = accounts.audit_log()
    assert (newest.action, oldest.detail) == ("withdraw", {"name": "李", "level": "read"})
    for statement in ("DELETE FROM audit", "UPDATE audit SET actor = 'someone'"):
        with pytest.raises(DBAPIError, match="append-only"), catalogue._engine.begin() as connection:
            connection.execute(text(statement))
    assert len(accounts.audit_log()) == 2


def test_counts_are_written_in_batches_and_add_up(catalogue: Catalogue):
    accounts = catalogue.accounts
    for _ in range(3):
        accounts.count("phewas", "glucose")
    assert accounts.counts() == {}
    accounts.flush_counts()
    accounts.count("phewas", "glucose")
    accounts.flush_counts()
    assert [(kind, subject, n) for (_, kind, subject), n in accounts.counts().items()] == [
        ("phewas", "glucose", 4)
    ]


def test_opening_twice_migrates_once(catalogue: Catalogue, url: str, tmp_path: Path):
    catalogue.accounts.grant("li", "s1", "see")
    again = Catalogue.open(url, folder=tmp_path)
    assert again.revision == HEAD
    assert len(again.accounts.grants()) == 1
    again.close()


def test_a_newer_catalogue_is_refused(catalogue: Catalogue, url: str, tmp_path: Path):
    with catalogue._engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerVersionError, match="9999"):
        Catalogue.open(url, folder=tmp_path)


def test_head_is_the_newest_migration_and_the_tables_are_its_own(catalogue: Catalogue):

    config = Config()
    config.set_main_option("script_location", str(Path(module.__file__).with_name("migrations")))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD
    ours = {t.name for t in METADATA.sorted_tables} | {"search_rows_study"}

    def mine(thing, name, kind, reflected, compare_to):
        return kind not in {"table", "index"} or name in ours

    with catalogue._engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": mine})
        assert compare_metadata(context, METADATA) == []


@pytest.mark.parametrize("url", ["nonsense", "mysql://u:secret@h/x", "redis://x"], ids=str)
def test_a_wrong_url_says_what_is_expected_and_keeps_its_password(url: str, tmp_path: Path):
    with pytest.raises(SettingsError) as caught:
        Catalogue.open(url, folder=tmp_path)
    assert "secret" not in str(caught.value)


def test_a_database_that_is_not_there_is_a_store_error(tmp_path: Path):
    with pytest.raises(StoreError, match="unable to open"):
        Catalogue.open("", folder=tmp_path / "nowhere")


@given(st.text(max_size=60))
def test_splitting_twice_is_splitting_once(words: str):
    once = split_words(words)
    assert split_words(once) == once


@given(st.text(max_size=30))
def test_any_text_may_be_searched(words: str):

    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(words)")
    connection.execute("INSERT INTO t VALUES (?)", (split_words(words),))
    terms = _QUERY_WORD.findall(_fold(words))
    if terms:
        query = _fts5_query(terms, whole_words=True)
        connection.execute("SELECT * FROM t WHERE t MATCH ?", (query,)).fetchall()
    connection.close()


def test_two_processes_may_follow_at_once(url: str, tmp_path: Path):
    """Each sees the other's work; nothing is indexed twice."""
    first, second = (Catalogue.open(url, folder=tmp_path) for _ in range(2))
    with ThreadPoolExecutor(4) as pool:
        turns = [pool.submit(c.follow, 5, published(GLUCOSE, LUPUS)) for c in (first, second) * 4]
        for turn in turns:
            turn.result()
    assert list(first.search("glucose")) == [Found("glucose", ""), Found("glucose", "fg")]
    first.close()
    second.close()


def test_a_catalogue_locked_for_long_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "BUSY_MILLISECONDS", 50)
    catalogue = Catalogue.open("", folder=tmp_path)
    with closing(sqlite3.connect(tmp_path / module.FILE_NAME)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusyError, match="locked"):
            catalogue.accounts.grant("li", "s1", "see")
        assert catalogue.accounts.grants() == [], "readers never wait"
        other.rollback()
    catalogue.accounts.grant("li", "s1", "see")
    catalogue.close()
