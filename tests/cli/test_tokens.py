"""Tokens are shown once; grants and what is done to them are in the audit log."""

import re

import pytest

from nexome.access.centre import Centre
from nexome.testing.small_centre import PRIVATE, SmallCentre


def test_a_token_is_shown_once_and_kept_as_a_hash(own: SmallCentre, nexome):
    token = nexome(
        "token", "create", "--root", own.path, "--name", "Lab of Li", "--expires", "90d"
    ).stdout.strip()
    assert re.fullmatch(r"nxm_[\w-]{43}", token)
    listed = nexome("token", "list", "--root", own.path).stdout
    assert "Lab of Li" in listed
    assert token not in listed
    for path in own.path.glob("catalogue.sqlite*"):
        assert token.encode() not in path.read_bytes()
    nexome("token", "revoke", "--root", own.path, "--name", "Lab of Li")
    assert "revoked" in nexome("token", "list", "--root", own.path).stdout
    assert (
        "no live token" in nexome("token", "revoke", "--root", own.path, "--name", "Lab of Li", code=1).stderr
    )


@pytest.mark.parametrize("name", ["everyone", "Owner", "anonymous", " ", "a\nb", "x" * 101])
def test_names_that_mean_something_else_are_refused(small: SmallCentre, nexome, name: str):
    assert "cannot be used" in nexome("token", "create", "--root", small.path, "--name", name, code=2).stderr


@pytest.mark.parametrize("when", ["yesterday", "2020-01-01", "0d"])
def test_an_expiry_lies_ahead(small: SmallCentre, nexome, when: str):
    nexome("token", "create", "--root", small.path, "--name", "li", "--expires", when, code=2)


def test_grants_are_given_listed_taken_back_and_audited(own: SmallCentre, nexome):
    at = ("--root", own.path)
    first = nexome("grant", PRIVATE, "--to", "li", "--level", "see", *at)
    assert "No token of 'li' yet" in first.stderr
    nexome("grant", "--all-studies", "--to", "wang", "--level", "download", *at)
    listed = nexome("grant", "--list", *at).stdout
    assert re.search(rf"li\s+{PRIVATE}\s+see", listed)
    assert re.search(r"wang\s+\(every study\)\s+download", listed)
    nexome("grant", PRIVATE, "--to", "li", "--remove", *at)
    assert "li " not in nexome("grant", "--list", *at).stdout
    with Centre.open(own.path) as centre:
        log = [(r.action, r.subject, r.detail["name"]) for r in centre.catalogue.accounts.audit_log()]
    assert log == [("grant_remove", PRIVATE, "li"), ("grant", "*", "wang"), ("grant", PRIVATE, "li")]


def test_a_grant_needs_a_known_study_and_a_name(small: SmallCentre, nexome):
    at = ("--root", small.path)
    assert "NOWHERE" in nexome("grant", "NOWHERE", "--to", "li", *at, code=1).stderr
    nexome("grant", PRIVATE, *at, code=2)
    nexome("grant", PRIVATE, "--all-studies", "--to", "li", *at, code=2)


def test_everyone_may_be_granted(own: SmallCentre, nexome):
    at = ("--root", own.path)
    nexome("grant", PRIVATE, "--to", "everyone", "--level", "read", *at)
    assert PRIVATE in nexome("query", "studies", "--anonymous", *at).stdout
