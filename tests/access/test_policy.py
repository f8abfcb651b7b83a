"""Access by table: actor × action × thing → yes or no, and the reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.access.identity import ALL_STUDIES, ANONYMOUS, GRANT_LEVELS, OWNER, Principal
from nexome.access.policy import ACTIONS, REASONS, decide
from nexome.model.terms import Study

OPEN, PRIVATE = Study("s", access="open"), Study("s", access="private")


def holder(level: str, study: str = "s") -> Principal:
    return Principal("holder", "li", frozenset({(study, level)}))


STRANGER = Principal("holder", "wang", frozenset({("other", "download")}))
ACTORS = {
    "anonymous": ANONYMOUS,
    "stranger": STRANGER,
    "see": holder("see"),
    "read": holder("read"),
    "download": holder("download"),
    "everything": holder("download", ALL_STUDIES),
    "owner": OWNER,
}

#       actor         see        read_cells    read_summary  export           read_receipt     administer
TABLE_OPEN = """
        anonymous     +open      +open         +open         +open            -needs_receipt   -owner_only
        stranger      +open      +open         +open         +open            -needs_receipt   -owner_only
        see           +open      +open         +open         +open            -needs_receipt   -owner_only
        read          +open      +open         +open         +open            +granted         -owner_only
        download      +open      +open         +open         +open            +granted         -owner_only
        everything    +open      +open         +open         +open            +granted         -owner_only
        owner         +owner     +owner        +owner        +owner           +owner           +owner
"""
TABLE_PRIVATE = """
        anonymous     -unknown   -unknown      -unknown      -unknown         -unknown         -unknown
        stranger      -unknown   -unknown      -unknown      -unknown         -unknown         -unknown
        see           +granted   -needs_read   -needs_read   -needs_download  -needs_receipt   -owner_only
        read          +granted   +granted      +granted      -needs_download  +granted         -owner_only
        download      +granted   +granted      +granted      +granted         +granted         -owner_only
        everything    +granted   +granted      +granted      +granted         +granted         -owner_only
        owner         +owner     +owner        +owner        +owner           +owner           +owner
"""


def cases():
    for study, table in ((OPEN, TABLE_OPEN), (PRIVATE, TABLE_PRIVATE)):
        for line in table.strip().splitlines():
            actor, *answers = line.split()
            assert len(answers) == len(ACTIONS)
            for action, answer in zip(ACTIONS, answers, strict=True):
                yield pytest.param(actor, action, study, answer, id=f"{actor}-{action}-{study.access}")


@pytest.mark.parametrize(("actor", "action", "study", "answer"), list(cases()))
def test_table(actor: str, action: str, study: Study, answer: str):
    decision = decide(ACTORS[actor], action, study)
    assert ("+" if decision.allowed else "-") + decision.reason == answer


def test_the_table_names_every_actor():
    for table in (TABLE_OPEN, TABLE_PRIVATE):
        assert {line.split()[0] for line in table.strip().splitlines()} == set(ACTORS)


principals = st.builds(
    Principal,
    st.sampled_from(["anonymous", "holder"]),
    st.just("li"),
    st.frozensets(st.tuples(st.sampled_from(["s", "t", "*"]), st.sampled_from(GRANT_LEVELS))),
)


@given(principals, st.sampled_from(ACTIONS), st.sampled_from([OPEN, PRIVATE]))
def test_what_may_be_done_may_be_seen_and_each_reason_is_known(principal, action, study):
    decision = decide(principal, action, study)
    assert decision.reason in REASONS
    if decision.allowed:
        assert decide(principal, "see", study).allowed


@given(principals, st.sampled_from(ACTIONS), st.sampled_from(GRANT_LEVELS), st.sampled_from([OPEN, PRIVATE]))
def test_one_more_grant_never_takes_anything_away(principal, action, level, study):
    more = Principal(principal.kind, principal.name, principal.grants | {("s", level)})
    assert decide(more, action, study).allowed >= decide(principal, action, study).allowed
