"""The access counter: how the pages and the API are used, without knowing by whom.

No third party, no cookie, no address kept. What tells one visitor of a day from another is a hash of address
and User-Agent with a salt that lives for that day alone (`store.serving`); it is held in memory while the
visit lasts and goes into a sketch that cannot give it back. Robots, by their User-Agent, and the owner are
counted apart; health checks and /metrics not at all.

    tell             what a handler says of a request: its door, its name, whether the owner asks
    CountingLayer    the ASGI layer around the whole application; costs a few µs a request
    AccessCounter    what was counted since the last flush; writes it to the catalogue's counters
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from nexome.methods.distinct import Sketch, add_hash, new_sketch
from nexome.model.errors import NexomeError
from nexome.store import usage
from nexome.store.accounts import Accounts
from nexome.store.serving import add_visitors, salt_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Door = Literal["page", "api", "download", "silent"]

VISIT_SECONDS: Final = 30 * 60
MOST_VISITORS: Final = 100_000  # held in memory at once, about 10 MB; beyond, the oldest visit is forgotten
_DAY_SECONDS: Final = 86_400
_KEY: Final = "nexome.asked"
_ROBOT: Final = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|scrape|archiver|facebookexternalhit|preview|monitor|uptime|pingdom|headlesschrome"
    r"|lighthouse|validator|feedfetcher|nagios|prometheus|zabbix",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a handler says of a request. Door 'silent': not counted, as health checks are."""

    door: Door
    name: str
    own: bool


@dataclass(slots=True)
class Answered:
    """One request when it is over. `seconds` until the answer began; `whole`: it was sent to the end."""

    told: Told | None
    status: int
    sent: int
    seconds: float
    whole: bool
    address: str
    agent: str


def tell(request: Request, door: Door, *, name: str, owner: bool = False) -> None:
    """Say what a request was for; what nobody tells of (files, errors) counts as bytes and status alone."""
    request.scope[_KEY] = Told(door, name, owner)


@lru_cache(maxsize=1024)
def is_robot(agent: str) -> bool:
    """Whether a User-Agent names a robot. Programs that ask the API (curl, Python, R) are no robots.

    >>> is_robot("Mozilla/5.0 (compatible; Googlebot/2.1)"), is_robot("python-httpx/0.28")
    (True, False)
    """
    return _ROBOT.search(agent) is not None


class AccessCounter:
    """Counts in memory, written by `flush`. Thread-safe."""

    def __init__(self, accounts: Accounts, root: Path) -> None:
        self._accounts, self._root = accounts, root
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._day = ""
        self._day_ends = 0.0
        self._salt = b""
        self._sketch, self._sketched = new_sketch(), False
        self._seen: dict[int, float] = {}
        self._past: list[tuple[str, Counter[tuple[str, str]]]] = []

    def note(self, answered: Answered) -> None:
        """Count one request that is over."""
        told = answered.told
        if told is not None and told.door == "silent":
            return
        if time.time() >= self._day_ends:
            self._begin_day()
        robot = is_robot(answered.agent)
        with self._lock:
            if told is not None:
                self._note_service(told, answered)
            if robot or (told is not None and told.own):
                kind = usage.ROBOTS if robot else usage.OWN
                self._counts[kind, "requests"] += 1
                self._counts[kind, "bytes"] += answered.sent
            else:
                self._counts[usage.BYTES, told.door if told else "file"] += answered.sent
                if told is not None and answered.status in {200, 304}:
                    self._note_use(told, answered)

    def _note_service(self, told: Told, answered: Answered) -> None:
        """How well it was answered, whoever asked."""
        self._counts[usage.STATUS, f"{answered.status // 100}xx"] += 1
        if told.door != "download":
            subject = usage.time_subject(told.door, usage.bucket_of(answered.seconds))
            self._counts[usage.TIME, subject] += 1

    def _note_use(self, told: Told, answered: Answered) -> None:
        if told.door == "page":
            self._counts[usage.PAGES, told.name] += 1
            self._note_visitor(answered)
        elif told.door == "api":
            self._counts[usage.API, told.name] += 1
        elif answered.whole:
            self._counts[usage.DOWNLOADS, told.name] += 1

    def _note_visitor(self, answered: Answered) -> None:
        text = f"{answered.address}\0{answered.agent}".encode()
        digest = hashlib.blake2b(text, key=self._salt, digest_size=8).digest()
        visitor, now = int.from_bytes(digest, "big"), time.monotonic()
        # taken out and put in again, so that the oldest visit always stands first
        last = self._seen.pop(visitor, None)
        self._seen[visitor] = now
        if last is None or now - last > VISIT_SECONDS:
            self._counts[usage.VISITS, ""] += 1
        if len(self._seen) > MOST_VISITORS:
            del self._seen[next(iter(self._seen))]
        self._sketched |= add_hash(self._sketch, visitor)

    def _begin_day(self) -> None:
        """Lay the day before aside for the next flush, and begin with a new salt and nobody seen."""
        now = time.time()
        day = time.strftime("%Y-%m-%d", time.gmtime(now))
        salt = salt_of(self._root, day)
        with self._lock:
            if day != self._day:
                if self._day:
                    self._past.append((self._day, self._counts))
                    self._counts = Counter()
                self._day, self._salt = day, salt
                self._day_ends = (now // _DAY_SECONDS + 1) * _DAY_SECONDS
                self._sketch, self._sketched, self._seen = new_sketch(), False, {}

    def count_seconds_up(self, seconds: int) -> None:
        """Count time in which this server ran."""
        with self._lock:
            self._counts[usage.UP, ""] += seconds

    def flush(self) -> None:
        """Write what was counted since the last time; where it cannot, raise (BusyError …) and keep it."""
        with self._lock:
            day = self._day or time.strftime("%Y-%m-%d", time.gmtime())
            sketch = self._sketch.copy() if self._sketched else None
            waiting = [*self._past, (day, self._counts)]
            self._past, self._counts, self._sketched = [], Counter(), False
        for each, counts in waiting:  # from here on the accounts keep them
            self._accounts.add_counts({(each, *key): count for key, count in counts.items() if count})
        if sketch is not None:
            self._flush_visitors(day, sketch)
        self._accounts.flush_counts()

    def _flush_visitors(self, day: str, sketch: Sketch) -> None:
        try:
            new = add_visitors(self._root, day, sketch)
        except BaseException:
            with self._lock:
                self._sketched = True  # the sketch still holds them: the next flush adds them
            raise
        if new:
            self._accounts.add_counts({(day, usage.VISITORS, ""): new})


class CountingLayer:
    """The outermost layer of the application: looks at what comes and goes, changes nothing."""

    def __init__(self, app: ASGIApp, *, counter: AccessCounter) -> None:
        self._app, self._counter = app, counter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count it when it is over."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seen = Answered(None, 500, 0, 0.0, whole=False, address=_address(scope), agent=_agent(scope))
        began = time.perf_counter()

        async def looked_at(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status, seen.seconds = message["status"], time.perf_counter() - began
            elif message["type"] == "http.response.body":
                seen.sent += len(message.get("body", b""))
                seen.whole = not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, looked_at)
        finally:
            seen.told = scope.get(_KEY)
            with contextlib.suppress(NexomeError, OSError):  # a full disk is no reason not to answer
                self._counter.note(seen)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _agent(scope: Scope) -> str:
    headers: Any = scope["headers"]
    for name, value in headers:
        if name == b"user-agent":
            return str(value.decode("latin-1"))[:300]
    return ""
