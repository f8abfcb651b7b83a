"""One root with a set that everyone may see and one of the owner's, built once."""

from types import SimpleNamespace

import pytest

from nexome.access.centre import Centre
from nexome.access.reference.build import BuildOptions, build_reference
from tests.access.reference.making import make_root, people


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    table = people()
    root = make_root(tmp_path_factory.mktemp("reference") / "root", table)
    with Centre.open(root) as centre:
        owner = centre.owner_view()
        build_reference(owner, "adults", BuildOptions("town", access="open", title_zh="成人参考值"))
        build_reference(owner, "own", BuildOptions("town", variables=("sbp",), age_bands="20,40,60"))
        yield SimpleNamespace(root=root, table=table.to_pandas(), owner=owner, open=centre.view_for(None))
