"""Every attack succeeds against checks of single questions and fails against the system, as either reader."""

from pathlib import Path

import pytest

from nexome.testing.attacks import ATTACKS, END, START, TARGETS, run_attack, table_of, with_table

READERS = ("controlled", "grid")
PAGE = Path(__file__).parents[2] / "docs" / "disclosure.md"
BY_CHANCE = 2  # noise is zero for a fifth of small cells: an attacker cannot tell for which


@pytest.fixture(scope="module")
def outcomes():
    cases = [(name, reader, on) for name in ATTACKS for reader in READERS for on in (False, True)]
    return {case: run_attack(case[0], case[1], defended=case[2]) for case in cases}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_learns_most_without_the_defences_and_nothing_with_them(outcomes, name, reader):
    assert outcomes[name, reader, False].learned >= 0.75 * TARGETS
    defended = outcomes[name, reader, True]
    assert defended.learned <= (0 if defended.reason else BY_CHANCE)


def test_the_table_of_the_docs_is_what_the_attacks_give(outcomes):
    text = PAGE.read_text(encoding="utf-8")
    assert with_table(text, table_of(outcomes)) == text
    assert text.index(START) < text.index(END)
