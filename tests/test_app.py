"""The whole application: API and pages over one root, host names, and a real server process."""

import asyncio
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from nexome.access.centre import Centre
from nexome.app import create_app, listen, warm_up
from nexome.model.errors import SettingsError, StoreError
from nexome.testing.small_centre import PRIVATE, SmallCentre, make_small_centre


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallCentre:
    return make_small_centre(tmp_path_factory.mktemp("app") / "root", variants=1_000)


class Client:
    """Asks an application in process."""

    def __init__(self, centre: Centre) -> None:
        self._transport = httpx.ASGITransport(create_app(centre))

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        async def once() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://localhost") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(once())


@pytest.fixture
def client(small: SmallCentre) -> Iterator[Client]:
    with Centre.open(small.path, owner_token="nxm_owner") as centre:
        yield Client(centre)


def test_api_and_pages_stand_side_by_side(client: Client, small: SmallCentre):
    assert client.get("/api/v1/studies").json()["data"]["study_id"]
    assert "<html" in client.get("/en/").text
    assert "<html" in client.get("/zh/").text
    assert client.get("/api/v1/nowhere").headers["content-type"] == "application/json"
    assert client.get("/nowhere").status_code == 404


def test_warming_up_loads_what_is_asked_and_counts_nothing(small: SmallCentre):
    with Centre.open(small.path) as centre:
        counts, audit = centre.catalogue.accounts.counts(), centre.catalogue.accounts.audit_log()
        kept = centre.allowance(centre.view_for(None).principal)
        assert "grids" not in vars(kept.selection)
        warm_up(centre)
        assert centre.allowance(centre.view_for(None).principal) is kept
        assert "grids" in vars(kept.selection)
        centre.catalogue.accounts.flush_counts()
        assert centre.catalogue.accounts.counts() == counts
        assert centre.catalogue.accounts.audit_log() == audit
        assert centre.view_for(None).studies().num_rows


def test_a_store_that_cannot_answer_is_served_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    made = make_small_centre(tmp_path / "root", variants=1_000)
    for record in (made.path / "associations" / "studies").rglob("study.json"):
        record.write_text("{}")
    with Centre.open(made.path) as centre:
        warm_up(centre)
    assert "could not be answered" in caplog.text


def test_the_owner_sees_more_than_others(client: Client):
    assert PRIVATE not in client.get("/api/v1/studies").text
    assert PRIVATE in client.get("/api/v1/studies", headers={"Authorization": "Bearer nxm_owner"}).text
    assert PRIVATE not in client.get("/en/studies").text


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8321", "127.0.0.1:8321", "[::1]:8321", "192.168.7.7"]
)
def test_own_names_and_addresses_are_served(client: Client, host: str):
    assert client.get("/api/v1/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", ""])
def test_other_names_are_not(client: Client, host: str):
    answer = client.get("/api/v1/health", headers={"Host": host})
    assert answer.status_code == 421
    assert "allowed_hosts" in answer.text


def test_allowed_hosts_are_served(small: SmallCentre, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NEXOME_ALLOWED_HOSTS", "data.example.org, other.example.org")
    with Centre.open(small.path) as centre:
        assert Client(centre).get("/api/v1/health", headers={"Host": "data.example.org"}).status_code == 200


def test_an_address_in_use_is_said_plainly():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StoreError, match=f"127.0.0.1:{port}: Address already in use"):
            listen("127.0.0.1", port)
    with pytest.raises(SettingsError, match=r"no.such.host"):
        listen("no.such.host.invalid", 0)


def test_a_served_root_answers_and_stops_when_told(small: SmallCentre):
    command = [sys.executable, "-m", "nexome.main", "serve", str(small.path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(4)]
            address = re.search(r"http://127\.0\.0\.1:\d+", lines[0])
            token = re.search(r"nxm_[\w-]{43}", lines[1])
            assert address is not None, lines
            assert token is not None, lines[1]
            health = urllib.request.urlopen(f"{address[0]}/api/v1/health", timeout=30)
            assert health.status == 200
            asked = urllib.request.Request(
                f"{address[0]}/api/v1/studies", headers={"Authorization": f"Bearer {token[0]}"}
            )
            assert PRIVATE in urllib.request.urlopen(asked, timeout=30).read().decode()
        finally:
            process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert "Traceback" not in errors
    assert process.returncode in (0, -signal.SIGTERM)
    for path in Path(small.path).glob("catalogue.sqlite*"):
        assert token[0].encode() not in path.read_bytes()
