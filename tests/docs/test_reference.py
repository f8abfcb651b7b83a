"""The reference pages are what the code says now, and no dependency's licence is in the way."""

from pathlib import Path

import pytest

from nexome.testing import reference

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"

# The versions on a licence page are those of the machine that wrote it.
STEADY = sorted(set(reference.PAGES) - {"licences.md"})


@pytest.mark.parametrize("name", STEADY)
def test_reference_page_is_fresh(name: str):
    written = (FOLDER / name).read_text(encoding="utf-8")
    assert written == reference.PAGES[name](), f"docs/reference/{name} is stale: run `make docs`"


def test_no_needed_package_is_under_the_gpl():
    page = reference.licences_page()
    rows = [line for line in page.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 20
    assert [row for row in rows if "GPL" in row or "not stated" in row] == []
