"""What every test may use: the real data beside the checkout, and roots that go away."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("nexome", deadline=None)  # a timing is never an assertion
settings.load_profile("nexome")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real data beside the checkout; the test is skipped where there is none."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the real data of ../shared are not here")
    return SHARED / "data"
