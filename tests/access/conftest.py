"""A root of open and private studies, made once, and roots of parts of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nexome.access.centre import Centre
from nexome.store.associations import AssociationStore
from nexome.store.catalogue import Catalogue
from nexome.store.root import open_root
from nexome.testing.mixed_root import STUDIES, make_root


@pytest.fixture(scope="session")
def whole_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of all STUDIES; tests must not write studies into it."""
    return make_root(tmp_path_factory.mktemp("whole") / "root")


@pytest.fixture
def centre(whole_root: Path, tmp_path: Path) -> Iterator[Centre]:
    """The whole root, with a catalogue of this test's own."""
    root = open_root(whole_root)
    catalogue = Catalogue.open("", folder=tmp_path)
    with Centre(root, AssociationStore(root), catalogue, owner_token="nxm_owner") as opened:
        yield opened


@pytest.fixture(scope="session")
def root_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[frozenset[str]], Path]:
    """Roots that hold only some of the STUDIES, made when first asked for."""
    made: dict[frozenset[str], Path] = {}

    def get(names: frozenset[str]) -> Path:
        if names not in made:
            made[names] = make_root(
                tmp_path_factory.mktemp("part") / "root", [n for n in STUDIES if n in names]
            )
        return made[names]

    return get
