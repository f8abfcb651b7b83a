"""The page of findings says what the rules find now, each with its verdict."""

from pathlib import Path

import pytest

from nexome.testing.findings_page import findings_page

DOCS = Path(__file__).resolve().parents[2] / "docs" / "targets"


@pytest.mark.shared
def test_every_finding_on_the_shared_papers_was_judged(shared):
    page = findings_page(shared.parent / "papers", DOCS / "verdicts.csv")
    assert page == (DOCS / "findings.md").read_text(encoding="utf-8"), "run nexome.testing.findings_page"
