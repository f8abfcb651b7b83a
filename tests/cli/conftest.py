"""A small centre to ask, made once, and a way to type commands."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nexome.main import main
from nexome.testing.small_centre import SmallCentre, make_small_centre

Typed = Callable[..., Result]


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallCentre:
    """A centre that tests only read (tokens and grants aside)."""
    return make_small_centre(tmp_path_factory.mktemp("small") / "root", variants=4_000)


@pytest.fixture
def own(tmp_path: Path) -> SmallCentre:
    """A centre that the test may change."""
    return make_small_centre(tmp_path / "root", variants=1_000)


@pytest.fixture
def nexome(monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Type a command: `nexome("status", root)`."""
    for name in ("NEXOME_ROOT", "NEXOME_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: object, code: int = 0, text: str | None = None) -> Result:
        result = CliRunner().invoke(main, [str(word) for word in words], input=text)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return run
