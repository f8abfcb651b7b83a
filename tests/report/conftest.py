"""The four papers of ../shared/papers, read once; skipped where they are not."""

from pathlib import Path

import pytest

from nexome.report import Paper, read_paper

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "papers"


@pytest.fixture(scope="session")
def papers() -> dict[str, Paper]:
    if not FOLDER.is_dir():
        pytest.skip("the papers of ../shared are not here")
    return {path.name[:3]: read_paper(path) for path in sorted(FOLDER.glob("*.txt"))}


@pytest.fixture(scope="session")
def texts() -> dict[str, list[str]]:
    if not FOLDER.is_dir():
        pytest.skip("the papers of ../shared are not here")
    return {
        path.name[:3]: path.read_text(encoding="utf-8").split("\n") for path in sorted(FOLDER.glob("*.txt"))
    }
