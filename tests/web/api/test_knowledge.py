"""Routes of the graph of knowledge: the View's tables, paths as records, plain errors."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from tests.store.edges.test_build import ONTOLOGY, load
from tests.web.api.conftest import InProcess

from nexome.access.centre import Centre
from nexome.store.root import open_root
from nexome.testing.mixed_root import make_root
from nexome.web.api import build_api


@pytest.fixture(scope="module")
def get(tmp_path_factory: pytest.TempPathFactory):
    root = open_root(make_root(tmp_path_factory.mktemp("knowledge") / "root"))
    load(root, "hp", ONTOLOGY, "CC BY 4.0")
    with Centre.open(root.path) as centre:
        asked = InProcess(Starlette(routes=[Mount("/api/v1", build_api(centre))]))

        def get(path: str, **query: str) -> httpx.Response:
            return asked.request("GET", f"/api/v1/{path}", params=query)

        yield get


def test_a_term_and_what_is_around_it(get) -> None:
    assert get("terms/HP:0001275").json()["data"]["label"] == "Seizure"
    ties = get("terms/HP:0001250/edges", direction="in").json()["data"]
    assert (ties["term"], ties["predicate"]) == (["HP:0002197"], ["is_a"])
    above = get("terms/HP:0002197/ancestors").json()["data"]
    assert above["hops"] == sorted(above["hops"])
    assert get("terms/HP:0000707/descendants").json()["data"]["term"] == ["HP:0001250", "HP:0002197"]
    assert get("common", terms="HP:0002197,HP:0000707").json()["data"]["term"] == ["HP:0001250"]
    assert get("terms/HP:0001250/studies", subtypes="yes").json()["data"]["study_id"] == []


def test_paths_typed_and_explained(get) -> None:
    typed = get("paths", start="HP:0002197", steps="is_a>,*>").json()["data"]["paths"]
    assert {path["terms"][-1] for path in typed} == {"HP:0000707", "HP:0099999"}
    best = get("paths", start="HP:0002197", end="HP:0000001").json()["data"]["paths"][0]
    assert [hop["predicate"] for hop in best["hops"]] == ["is_a"] * 3
    assert get("paths", start="HP:0002197").status_code == 400


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("terms/HP:7777777", {}, 404),
        ("terms/HP:7777777/edges", {}, 404),
        ("terms/HP:0001250/edges", {"predicate": "is_b"}, 404),
        ("terms/HP:0001250/edges", {"limit": "0"}, 400),
        ("common", {"terms": "HP:0001250"}, 400),
        ("paths", {"start": "HP:0001250", "steps": "*,*,*,*"}, 400),
    ],
)
def test_errors_are_plain(get, path, query, status) -> None:
    answer = get(path, **query)
    assert answer.status_code == status
    assert answer.json()["error"]["found"]
