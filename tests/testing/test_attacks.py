"""Every attack succeeds against checks of single questions and fails against the system, as either reader."""

from pathlib import Path

import pytest

from nexome.testing.attacks import (
    ATTACKS,
    END,
    LEFT,
    START,
    TARGETS,
    cases_of,
    run_attack,
    table_of,
    with_table,
)

READERS = ("controlled", "grid")
PAGE = Path(__file__).parents[2] / "docs" / "disclosure.md"
BY_CHANCE = 3  # three noises cancel now and then: the attacker cannot tell for which cell


@pytest.fixture(scope="module")
def outcomes():
    return {case: run_attack(case[0], case[1], defended=case[2]) for case in cases_of(READERS)}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_learns_most_without_the_defences_and_nothing_with_them(outcomes, name, reader):
    assert outcomes[name, reader, False].learned >= 0.75 * TARGETS
    defended = outcomes[name, reader, True]
    assert defended.learned <= (0 if defended.reason else BY_CHANCE)


@pytest.mark.parametrize("reader", READERS)
def test_what_is_left_is_as_the_docs_say(outcomes, reader):
    """A refusal taken for a yes still tells a controlled reader a category; a grid reader nothing."""
    for name in LEFT:
        assert outcomes[name, reader, True].learned <= (TARGETS if reader == "controlled" else BY_CHANCE)


def test_the_table_of_the_docs_is_what_the_attacks_give(outcomes):
    text = PAGE.read_text(encoding="utf-8")
    assert with_table(text, table_of(outcomes)) == text
    assert text.index(START) < text.index(END)
