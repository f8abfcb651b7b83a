"""The access counter: what is counted and what is not, by whom nobody knows; /metrics to Prometheus."""

import asyncio
import multiprocessing
import os
import random
import signal
import sqlite3
import time
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from nexome.access.centre import Centre
from nexome.access.identity import new_token, token_hash
from nexome.app import create_app
from nexome.model.errors import SpaceError
from nexome.model.measures import MEASURES
from nexome.report.measures import measure
from nexome.store import usage
from nexome.store.measures import read_history
from nexome.testing.small_centre import make_small_centre
from nexome.web.counting import AccessCounter, Answered, CountingLayer, Told, is_robot
from nexome.web.heartbeat import Heartbeat

OWNER = "nxm_owner-token-of-the-counter-tests"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
KINDS = [usage.PAGES, usage.API, usage.DOWNLOADS, usage.VISITS, usage.VISITORS, usage.BYTES]
KINDS += [usage.ROBOTS, usage.OWN, usage.STATUS, usage.TIME, usage.UP]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_small_centre(tmp_path / "root", variants=1_000).path


@pytest.fixture
def centre(root: Path):
    with Centre.open(root, owner_token=OWNER) as opened:
        yield opened


class Asker:
    """Asks an application whose counts are written when it is told to."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self._app = create_app(centre)
        self.counter = next(m.kwargs["counter"] for m in self._app.user_middleware if m.cls is CountingLayer)

    def get(self, path, *, agent=BROWSER, client="203.0.113.7", **headers):
        async def once():
            transport = httpx.ASGITransport(self._app, client=(client, 1), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
                return await http.get(path, headers={"User-Agent": agent, **headers})

        return asyncio.run(once())

    def totals(self):
        self.counter.flush()
        return self.centre.catalogue.accounts.count_totals(KINDS)


@pytest.fixture
def asker(centre: Centre) -> Asker:
    return Asker(centre)


def test_pages_visits_and_visitors(asker: Asker):
    for client in ("203.0.113.7", "203.0.113.8", "203.0.113.7"):
        assert asker.get("/en/", client=client).status_code == 200
    asker.get("/zh/studies", agent=BROWSER + " another")
    totals = asker.totals()
    assert totals[usage.PAGES] == {"home": 3, "studies": 1}
    assert totals[usage.VISITS] == {"": 3}
    assert totals[usage.VISITORS] == {"": 3}


def test_a_visit_ends_after_a_pause(asker: Asker, monkeypatch: pytest.MonkeyPatch):
    asker.get("/en/")
    now = time.monotonic()
    monkeypatch.setattr("nexome.web.counting.time.monotonic", lambda: now + 29 * 60)
    asker.get("/en/")
    monkeypatch.setattr("nexome.web.counting.time.monotonic", lambda: now + 60 * 60)
    asker.get("/en/")
    totals = asker.totals()
    assert totals[usage.VISITS] == {"": 2}
    assert totals[usage.VISITORS] == {"": 1}


def test_api_calls_by_route_and_whole_downloads(asker: Asker):
    asker.get("/api/v1/studies")
    asker.get("/api/v1/studies/SC0001")
    asker.get("/api/v1/studies/SC0002")
    asker.get("/api/v1/studies/NONE")
    body = asker.get("/api/v1/studies/SC0001/download").content
    totals = asker.totals()
    assert totals[usage.API] == {"/studies": 1, "/studies/{study}": 2}
    assert totals[usage.DOWNLOADS] == {"/studies/{study}/download": 1}
    assert totals[usage.BYTES]["download"] == len(body)
    assert totals[usage.STATUS] == {"2xx": 4, "4xx": 1}
    assert sum(totals[usage.TIME].values()) == 4  # a download's time is its reader's own
    assert totals[usage.VISITS] == {}


def test_health_checks_and_metrics_are_not_counted(asker: Asker):
    assert asker.get("/api/v1/health").status_code == 200
    assert asker.get("/metrics", client="127.0.0.1").status_code == 200
    assert all(not rows for rows in asker.totals().values())


def test_robots_and_the_owner_stand_apart(asker: Asker):
    asker.get("/en/", agent="Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")
    asker.get("/en/", Authorization=f"Bearer {OWNER}")
    asker.get("/api/v1/studies", Authorization=f"Bearer {OWNER}")
    totals = asker.totals()
    assert totals[usage.ROBOTS]["requests"] == 1
    assert totals[usage.OWN]["requests"] == 2
    assert not any(
        totals[kind] for kind in (usage.PAGES, usage.API, usage.VISITS, usage.VISITORS, usage.BYTES)
    )


@pytest.mark.parametrize(
    ("agent", "robot"),
    [
        ("Mozilla/5.0 (compatible; bingbot/2.0)", True),
        ("Baiduspider-render/2.0", True),
        ("GPTBot/1.1", True),
        ("Prometheus/2.50", True),
        ("Mozilla/5.0 (Linux; Android 10; CUBOT P40)", False),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604.1", False),
        ("curl/8.5.0", False),
        ("libcurl/8.5 r-curl/5.2 httr/1.4", False),
        ("", False),
    ],
)
def test_robots_are_told_by_their_name(agent: str, robot: bool):
    assert is_robot(agent) is robot


def test_errors_of_the_server_are_counted_as_such(asker: Asker, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("nexome.access.view.View.studies", broken)
    assert asker.get("/api/v1/studies").status_code == 500
    assert asker.get("/en/studies").status_code == 500
    assert asker.totals()[usage.STATUS]["5xx"] >= 1


def test_nothing_on_the_disk_names_a_visitor(asker: Asker, root: Path):
    asker.get("/en/", client="198.51.100.99", agent="Mozilla/5.0 (very particular browser)")
    asker.totals()
    asker.centre.close()
    for path in root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"198.51.100.99" not in content
            assert b"very particular browser" not in content


def test_a_new_day_has_new_visitors_and_another_salt(asker: Asker, monkeypatch: pytest.MonkeyPatch):
    asker.get("/en/")
    salt = asker.counter._salt
    today = time.time()
    monkeypatch.setattr("nexome.web.counting.time.time", lambda: today + 86_400)
    asker.get("/en/")
    asker.totals()
    assert asker.counter._salt != salt
    days = asker.centre.catalogue.accounts.counts()
    assert len({day for day, kind, _ in days if kind == usage.PAGES}) == 2
    assert [n for (_, kind, _), n in sorted(days.items()) if kind == usage.VISITS] == [1, 1]


def test_a_busy_catalogue_loses_no_count(asker: Asker, root: Path, monkeypatch: pytest.MonkeyPatch):
    asker.get("/en/")
    with monkeypatch.context() as patched:
        patched.setattr(asker.centre.catalogue.accounts, "_write_counts", _busy)
        with pytest.raises(sqlite3.OperationalError):
            asker.counter.flush()
    assert asker.totals()[usage.PAGES] == {"home": 1}


def test_a_full_disk_loses_neither_counts_nor_visitors(asker: Asker, monkeypatch: pytest.MonkeyPatch):
    asker.get("/en/")
    with monkeypatch.context() as patched:
        patched.setattr("nexome.web.counting.add_visitors", _full)
        with pytest.raises(SpaceError):
            asker.counter.flush()
    asker.get("/en/", client="203.0.113.9")
    totals = asker.totals()
    assert totals[usage.PAGES] == {"home": 2}
    assert totals[usage.VISITORS] == {"": 2}


def test_a_disk_without_room_for_the_days_salt_still_answers(asker: Asker, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patched:
        patched.setattr("nexome.web.counting.salt_of", _full)
        assert asker.get("/en/").status_code == 200
    assert asker.get("/en/").status_code == 200
    assert asker.totals()[usage.PAGES] == {"home": 1}


def _full(*_: object) -> None:
    raise SpaceError("the disk is full")


def _busy(_: object) -> None:
    raise sqlite3.OperationalError("database is locked")


def _count_and_flush(root: Path, seed: int, requests: int) -> None:
    generator = random.Random(seed)
    with Centre.open(root) as opened:
        counter = AccessCounter(opened.catalogue.accounts, root)
        for number in range(requests):
            counter.note(_page(f"203.0.113.{number % 50}"))
            if generator.random() < 0.1:
                counter.flush()
        counter.flush()


def _page(address: str) -> Answered:
    return Answered(
        Told("page", "home", own=False), 200, 10, 0.01, whole=True, address=address, agent=BROWSER
    )


def test_several_servers_count_together(root: Path):
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_count_and_flush, args=(root, seed, 300)) for seed in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with Centre.open(root) as opened:
        totals = opened.catalogue.accounts.count_totals(KINDS)
    assert totals[usage.PAGES] == {"home": 900}
    assert totals[usage.BYTES] == {"page": 9_000}
    assert 49 <= totals[usage.VISITORS][""] <= 51  # the same fifty, whichever server they met


def _count_until_killed(root: Path, flushed: int) -> None:
    opened = Centre.open(root)
    counter = AccessCounter(opened.catalogue.accounts, root)
    for _ in range(flushed):
        counter.note(_page("203.0.113.1"))
    counter.flush()
    counter.note(_page("203.0.113.1"))
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_server_loses_what_was_not_flushed_and_nothing_else(root: Path):
    worker = multiprocessing.get_context("spawn").Process(target=_count_until_killed, args=(root, 7))
    worker.start()
    worker.join()
    assert worker.exitcode == -signal.SIGKILL
    with Centre.open(root) as opened:
        assert opened.catalogue.accounts.count_totals(KINDS)[usage.PAGES] == {"home": 7}


# ---------------------------------------------------------------- the heartbeat


def test_a_beat_writes_counts_samples_once_a_day_and_tells_of_lost_servers(centre: Centre, root: Path):
    counter = AccessCounter(centre.catalogue.accounts, root)
    counter.note(_page("203.0.113.1"))
    heartbeat = Heartbeat(centre, counter)
    for _ in range(3):
        heartbeat.beat()
    history = read_history(root, "page_views")
    assert [r.value for r in history] == [1]
    assert [e.kind for e in centre.root.read_events(kinds=["server-started"])] == ["server-started"]
    heartbeat._watch._handle, handle = -1, heartbeat._watch._handle  # killed: the lock goes, the mark stays
    os.close(handle)
    after = Heartbeat(centre, counter)
    after.beat()
    assert len(list(centre.root.read_events(kinds=["server-lost"]))) == 1
    assert len(read_history(root, "page_views")) == 1
    lost = {r.name: r.value for r in measure(centre)}
    assert (lost["lost_servers"], lost["incidents"]) == (1, 1)


def test_a_served_application_counts_its_uptime_and_stops_properly(centre: Centre, root: Path):
    app = create_app(centre)

    async def served() -> None:
        async with app.router.lifespan_context(app):
            await asyncio.sleep(2.2)

    asyncio.run(served())
    events = [e.kind for e in centre.root.read_events() if e.kind.startswith("server-")]
    assert events == ["server-started", "server-stopped"]
    with Centre.open(root) as opened:
        assert opened.catalogue.accounts.count_totals([usage.UP])[usage.UP][""] in (1, 2, 3)
        assert {r.name: r.value for r in measure(opened)}["uptime"] > 20


def test_the_counter_can_be_switched_off(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NEXOME_ACCESS_COUNTER", "false")
    with Centre.open(root) as opened:
        assert all(m.cls is not CountingLayer for m in create_app(opened).user_middleware)


# ---------------------------------------------------------------- /metrics


def families(text):
    return {f.name: f for f in text_string_to_metric_families(text)}


def test_metrics_are_what_prometheus_reads(asker: Asker):
    asker.get("/en/")
    asker.get("/api/v1/studies")
    asker.counter.flush()
    answer = asker.get("/metrics", client="127.0.0.1")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = families(answer.text)
    assert found["nexome_studies"].samples[0].value == 21
    assert found["nexome_visits"].type == "counter"
    assert found["nexome_api_calls"].samples[0].labels == {"route": "/studies"}
    histogram = found["nexome_response_seconds"]
    assert histogram.type == "histogram"
    by_door = [s for s in histogram.samples if s.labels["door"] == "page"]
    buckets = [s.value for s in by_door if s.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == next(s.value for s in by_door if s.name.endswith("_count")) == 1
    values = {r.name: r.value for r in measure(asker.centre)}
    absent = {name for name, value in values.items() if value is None}
    assert not {f"nexome_{name}" for name in absent} & set(found)
    assert len(found) >= len(values) - len(absent)


def test_metrics_are_for_this_machine_and_for_holders_of_a_token(asker: Asker):
    assert asker.get("/metrics").status_code == 403
    assert asker.get("/metrics", client="127.0.0.1").status_code == 200
    assert asker.get("/metrics", client="::1").status_code == 200
    proxied = {"X-Forwarded-For": "203.0.113.7"}
    assert asker.get("/metrics", client="127.0.0.1", **proxied).status_code == 403
    token = new_token()
    asker.centre.catalogue.accounts.add_token("prometheus", token_hash(token), role="holder")
    assert asker.get("/metrics", Authorization=f"Bearer {token}").status_code == 200
    assert asker.get("/metrics", Authorization="Bearer nxm_wrong").status_code == 401


def test_metrics_may_be_opened(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NEXOME_METRICS_OPEN", "true")
    with Centre.open(root) as opened:
        assert Asker(opened).get("/metrics").status_code == 200


# ---------------------------------------------------------------- the API of measures


def test_measures_are_for_directors(asker: Asker):
    assert asker.get("/api/v1/measures").json()["error"]["reason"] == "needs_director"
    token = new_token()
    accounts = asker.centre.catalogue.accounts
    accounts.add_token("director", token_hash(token), role="holder")
    accounts.grant("director", "@centre", "read")
    answer = asker.get("/api/v1/measures", Authorization=f"Bearer {token}").json()
    assert answer["data"]["measure"] == list(MEASURES)
    assert answer["data"]["value"][0] == 21
    assert asker.get("/api/v1/studies/SC-PRIVATE", Authorization=f"Bearer {token}").status_code == 404


def test_history_over_the_api(asker: Asker):
    Heartbeat(asker.centre, asker.counter).beat()
    owner = {"Authorization": f"Bearer {OWNER}"}
    answer = asker.get("/api/v1/measures/studies/history", **owner).json()["data"]
    assert answer["value"] == [21]
    assert asker.get("/api/v1/measures/nothing/history", **owner).status_code == 404
