"""Who a token makes of a reader, and how soon a change counts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nexome.access import centre as module
from nexome.access.centre import Centre
from nexome.access.identity import new_token, token_hash
from nexome.model.errors import NotFoundError, RefusedError
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
