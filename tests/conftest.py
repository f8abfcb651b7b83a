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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests go first: of a run in parallel, none is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
