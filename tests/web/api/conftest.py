"""A small centre and the API over it, asked in process."""

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from tests.store.edges.test_build import ONTOLOGY, load

from nexome.access.centre import Centre
from nexome.access.reference.build import BuildOptions, build_reference
from nexome.store.root import open_root
from nexome.testing.small_centre import make_small_centre
from nexome.testing.small_cohort import make_small_cohorts
from nexome.testing.small_search import make_small_search
from nexome.web.api import build_api

OWNER = "nxm_owner-token-of-the-tests"


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    made = make_small_centre(tmp_path_factory.mktemp("api") / "root", variants=3_000)
    load(open_root(made.path), "hp", ONTOLOGY, "CC BY 4.0")
    make_small_search(made.path)
    make_small_cohorts(made.path)
    return made


@pytest.fixture(scope="session")
def centre(small):
    with Centre.open(small.path, owner_token=OWNER) as opened:
        choices = BuildOptions("town", variables=("ldl", "bmi"), age_bands="18,40,60", access="open")
        build_reference(opened.owner_view(), "adults", choices)
        yield opened


class InProcess:
    """Asks an application without a socket; an error of the application is a response, as on the wire."""

    def __init__(self, app) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def request(self, method: str, path: str, **sent: Any) -> httpx.Response:
        async def once() -> httpx.Response:
            url = "http://localhost" + (path if path.startswith("/") else "/api/v1/" + path)
            async with httpx.AsyncClient(transport=self._transport) as client:
                return await client.request(method, url, **sent)

        return asyncio.run(once())


@pytest.fixture(scope="session")
def client_of():
    """A client of the API over any centre, mounted as `app` mounts it."""
    return lambda centre: InProcess(Starlette(routes=[Mount("/api/v1", build_api(centre))]))


@pytest.fixture(scope="session")
def client(centre, client_of):
    return client_of(centre)


@pytest.fixture
def ask(client):
    """ask('phewas/rs1', page_size=3) as an anonymous reader; owner=True asks with the owner's token."""

    def get(
        path: str, *, owner: bool = False, headers: dict[str, str] | None = None, **query
    ) -> httpx.Response:
        sent = dict(headers or {})
        if owner:
            sent["Authorization"] = f"Bearer {OWNER}"
        return client.request("GET", path, params=query or None, headers=sent)

    return get


@pytest.fixture(scope="session")
def view(centre):
    return SimpleNamespace(open=centre.view_for(None), owner=centre.owner_view())
