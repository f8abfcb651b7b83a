"""A small centre behind the whole application, asked in process as a browser asks."""

import asyncio
from html.parser import HTMLParser

import httpx
import pytest

from nexome.access.centre import Centre
from nexome.app import create_app
from nexome.testing.small_centre import make_small_centre

OWNER = "nxm_owner-token-of-the-page-tests"


class Browser:
    """Asks without a socket and follows no redirect unless told to."""

    def __init__(self, app):
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def get(self, path, *, owner=False, method="GET", follow=False, **sent):
        async def once():
            cookies = {"nexome_token": OWNER} if owner else {}
            async with httpx.AsyncClient(
                transport=self._transport,
                base_url="http://localhost",
                cookies=cookies,
                follow_redirects=follow,
            ) as client:
                return await client.request(method, path, **sent)

        return asyncio.run(once())

    def post(self, path, **sent):
        return self.get(path, method="POST", **sent)


class Markup(HTMLParser):
    """The elements of a page: (tag, attributes) in order, and the text between them."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.texts, self._open = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    return make_small_centre(tmp_path_factory.mktemp("pages") / "root", variants=2_000, hostile=True)


@pytest.fixture(scope="session")
def centre(small):
    with Centre.open(small.path, owner_token=OWNER) as opened:
        yield opened


@pytest.fixture(scope="session")
def browser(centre):
    return Browser(create_app(centre))


@pytest.fixture
def owner_token():
    return OWNER


@pytest.fixture
def markup():
    return Markup


@pytest.fixture(scope="session")
def browser_of():
    return Browser
