"""Who a token makes of a reader, and how soon a change counts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import nexome
from nexome.access import centre as module
from nexome.access.centre import Centre
from nexome.access.identity import new_token, token_hash
from nexome.model.errors import NotFoundError, RefusedError, StoreError
from nexome.store.associations import AssociationStore
from nexome.testing.mixed_root import make_root


def make_token(centre: Centre, name: str, *, role: str = "holder", expires: str = "") -> str:
    token = new_token()
    centre.catalogue.accounts.add_token(name, token_hash(token), role=role, expires=expires)
    return token


def test_without_a_token_a_reader_is_anonymous(centre: Centre):
    for token in (None, ""):
        assert centre.view_for(token).principal.kind == "anonymous"


def test_the_token_of_this_process_is_the_owners(centre: Centre):
    assert centre.view_for("nxm_owner").principal.kind == "owner"
    assert centre.catalogue.accounts.tokens() == [], "and is kept nowhere"


def test_tokens_make_holders_and_owners(centre: Centre):
    centre.catalogue.accounts.grant("li", "PRIV1", "read")
    view = centre.view_for(make_token(centre, "li"))
    assert (view.principal.kind, view.principal.name) == ("holder", "li")
    assert view.study("PRIV1").may_read
    assert centre.view_for(make_token(centre, "boss", role="owner")).principal.kind == "owner"


def test_a_token_that_opens_nothing_is_refused_not_anonymous(centre: Centre):
    past = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    expired, revoked = make_token(centre, "old", expires=past), make_token(centre, "gone")
    centre.catalogue.accounts.revoke_tokens("gone")
    for token, reason in (
        (new_token(), "token_unknown"),
        (expired, "token_expired"),
        (revoked, "token_revoked"),
    ):
        with pytest.raises(RefusedError) as caught:
            centre.view_for(token)
        assert caught.value.reason == reason
        assert token not in str(caught.value)


def test_a_revoked_token_is_refused_soon(centre: Centre, monkeypatch: pytest.MonkeyPatch):
    token = make_token(centre, "li")
    centre.view_for(token)
    centre.catalogue.accounts.revoke_tokens("li")
    monkeypatch.setattr(module, "ACCOUNTS_SECONDS", 0.0)
    with pytest.raises(RefusedError, match="revoked"):
        centre.view_for(token)


def test_a_grant_to_everyone_reaches_the_anonymous_and_changes_their_scope(centre: Centre):
    before = centre.view_for(None)
    with pytest.raises(NotFoundError):
        before.study("PRIV1")
    centre.catalogue.accounts.grant("everyone", "PRIV1", "see")
    centre.forget_accounts()
    after = centre.view_for(None)
    assert after.study("PRIV1").study.id == "PRIV1"
    assert before.scope == "open"
    assert after.scope != "open"


def test_a_publication_is_seen_by_the_next_question(tmp_path: Path):
    make_root(tmp_path / "root", ["OPEN1"])
    with Centre.open(tmp_path / "root") as centre:
        view = centre.owner_view()
        first = view.stamp
        assert view.studies().num_rows == 1
        store = AssociationStore.open(tmp_path / "root")
        store.withdraw("OPEN1", reason="a test")
        assert view.studies().num_rows == 0
        assert view.search("glucose") == []
        assert view.stamp != first


def test_the_catalogue_may_be_deleted_and_made_again(tmp_path: Path):
    root = make_root(tmp_path / "root", ["OPEN1", "PRIV1"])
    with Centre.open(root) as centre:
        before = [h.id for h in centre.owner_view().search("血糖")]
    assert len(before) == 4
    for path in root.glob("catalogue.sqlite*"):
        path.unlink()
    with Centre.open(root) as centre:
        assert [h.id for h in centre.owner_view().search("血糖")] == before


@contextmanager
def another_user() -> Iterator[None]:
    """Be a user who may read but not write."""
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_who_may_only_read_the_folder_gets_answers_too():
    with TemporaryDirectory() as folder:  # pytest's own folder is closed to other users
        Path(folder).chmod(0o755)
        root = make_root(Path(folder) / "root", ["OPEN1", "PRIV1"])
        with Centre.open(root) as centre:
            token = make_token(centre, "li")
            centre.catalogue.accounts.grant("li", "PRIV1", "download")
            # The file is in use and its log not empty.
            with another_user(), nexome.open(root, token=token) as view:
                assert view.study("PRIV1").may_read
        with another_user(), Centre.open(root) as centre:
            view = centre.view_for(token)
            assert [h.id for h in view.search("secret")] == ["PRIV1", "PRIV1/priv10"]
            assert view.region("1").num_rows > 0
            for change in (
                lambda: centre.catalogue.accounts.grant("li", "OPEN1", "see"),
                lambda: centre.catalogue.accounts.revoke_tokens("li"),
                lambda: view.associations("PRIV1"),  # cannot be written to the audit log
            ):
                with pytest.raises(StoreError, match="may not be written"):
                    change()
