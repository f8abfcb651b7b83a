"""People who browse: the requests of their page sequences, and a client that makes them at a human pace.

A visit is home → search → study → explorer (genome, then closer in three steps, each with the tiles its
island asks for) → variant → gene → compare → region with LD. Who looks for what and how long one thinks is
drawn from a seed; think times are exponential with a given mean, and people start spread over one of them.
A page's own data are asked for together over up to four connections, as a browser does; files under
/static are kept by browsers and not asked again. What a browser spends on drawing is not in these times.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final
from urllib.parse import quote, urlencode

import numpy as np

from nexome.bench.browsing_site import Place, Site
from nexome.bench.over_http import HOST, get

HTML: Final = "text/html"
JSON: Final = "application/json"
CONNECTIONS: Final = 4
PAIRS: Final = 4
TILE_POINTS: Final = 2_000
COLUMNS: Final = (  # those of web/src/explore/points.ts
    "chromosome,base_pair_location,effect_allele,other_allele,rsid,feature_name,"
    "neg_log_10_p_value,stands_for_bin"
)
LANGUAGES: Final = ("en", "zh")
GOAL_MS: Final = 300.0

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Request:
    """One request: what it is counted as, its address, what it takes."""

    kind: str
    path: str
    accept: str = HTML


Step = tuple[Request, ...]  # a page first, then what it asks for itself


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many people browse, for how long, thinking how long between pages."""

    people: int = 50
    seconds: float = 120.0
    think_s: float = 5.0
    seed: int = 1


@dataclass(slots=True)
class Log:
    """What was answered: milliseconds by kind, errors as 'status path'."""

    times: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    compared: set[str] = field(default_factory=set)

    def add(self, request: Request, status: int, took_s: float) -> None:
        """One answer."""
        kind = request.kind
        if kind == "compare":  # a pair is read through once and kept
            pair = request.path.partition("?")[2]
            kind = "compare" if pair in self.compared else "compare, first of the pair"
            self.compared.add(pair)
        self.times.setdefault(kind, []).append(took_s * 1e3)
        if not 200 <= status < 400:  # a search for one thing leads there with 303
            self.errors.append(f"{status} {request.path}")


def visit(site: Site, rng: np.random.Generator) -> Iterator[Step]:
    """The steps of one visit: a person with one interest, in one language."""
    place = site.places[int(rng.integers(len(site.places)))]
    other = site.studies[int(rng.integers(len(site.studies)))]
    prefix = f"/{LANGUAGES[int(rng.integers(2))]}"
    words = (place.gene, place.variant, f"trait {int(place.study[1:])}")[int(rng.integers(3))]
    yield (Request("home", f"{prefix}/"),)
    yield (Request("search", f"{prefix}/search?{urlencode({'q': words})}"),)
    yield _study_step(prefix, place.study)
    for region in _closer(place):
        yield _explore_step(prefix, (place.study, other), region)
    yield _variant_step(prefix, place.variant)
    yield (Request("gene", f"{prefix}/genes/{place.gene}"),)
    first, second = _pairs(site)[int(rng.integers(len(_pairs(site))))]
    yield (Request("compare", f"{prefix}/compare?{urlencode({'a': first, 'b': second})}"),)
    yield _explore_step(prefix, (place.study,), place.region, ld=place.variant)


def _pairs(site: Site) -> list[tuple[str, str]]:
    """The pairs that anyone compares, as led there by a link."""
    return list(pairwise(site.studies[: PAIRS + 1]))


def _study_step(prefix: str, study: str) -> Step:
    base = f"{prefix}/studies/{study}"
    figures = (Request("figure data", f"{base}/figures/{name}.json", JSON) for name in ("manhattan", "qq"))
    return (Request("study", base), *figures)


def _variant_step(prefix: str, variant: str) -> Step:
    base = f"{prefix}/variants/{quote(variant)}"
    return Request("variant", base), Request("figure data", f"{base}/phewas.json", JSON)


def _closer(place: Place) -> tuple[str, ...]:
    """The whole genome, the chromosome, 20 Mb, 1 Mb around the place."""
    contig, _, ends = place.region.partition(":")
    middle = sum(int(end) for end in ends.split("-")) // 2
    return "genome", contig, f"{contig}:{max(1, middle - 10_000_000)}-{middle + 10_000_000}", place.region


def _explore_step(prefix: str, studies: tuple[str, ...], region: str, ld: str = "") -> Step:
    """The page of a window and what its island asks: points of each study, genes, the little Manhattan."""
    kind = "explorer, LD" if ld else "explorer"
    query = {"region": region, "studies": ",".join(dict.fromkeys(studies)), **({"ld": ld} if ld else {})}
    columns = COLUMNS + (",r2" if ld else "")
    asked = {"region": region, "points": TILE_POINTS, **({"ld": ld} if ld else {}), "columns": columns}
    around = f"{prefix}/explore/around.json?{urlencode({'region': region})}"
    return (
        Request(kind, f"{prefix}/explore?{urlencode(query)}"),
        *(
            Request(f"{kind}: points", f"/api/v1/studies/{study}/window?{urlencode(asked)}", JSON)
            for study in dict.fromkeys(studies)
        ),
        Request("genes around", around, JSON),
        Request("figure data", f"{prefix}/studies/{studies[0]}/figures/manhattan.json", JSON),
    )


async def warm_up(port: int, site: Site) -> None:
    """One visit without thinking, not counted: the server has run for a while before the crowd comes."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    free.put_nowait(await asyncio.open_connection(HOST, port))
    for step in visit(site, np.random.default_rng(0)):
        for request in step:
            await _ask(port, free, request, Log())
    free.get_nowait()[1].close()


async def browse(port: int, site: Site, crowd: Crowd) -> Log:
    """All of them at once, until the time is over; a visit that ends is followed by another."""
    await warm_up(port, site)
    log = Log()
    until = time.perf_counter() + crowd.seconds
    await asyncio.gather(*(_person(port, site, crowd, number, until, log) for number in range(crowd.people)))
    return log


async def _person(port: int, site: Site, crowd: Crowd, number: int, until: float, log: Log) -> None:
    rng = np.random.default_rng([crowd.seed, number])
    await asyncio.sleep(rng.uniform(0, crowd.think_s))
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection(HOST, port))
    while time.perf_counter() < until:
        for page, *more in visit(site, rng):
            await _ask(port, free, page, log)
            await asyncio.gather(*(_ask(port, free, one, log) for one in more))
            await asyncio.sleep(rng.exponential(crowd.think_s))
            if time.perf_counter() >= until:
                break
    while not free.empty():
        _, writer = free.get_nowait()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _ask(port: int, free: asyncio.Queue[Connection], request: Request, log: Log) -> None:
    """One answer, timed from when a connection was free, as a browser's waiting line is its own.

    None within the client's patience (over_http.ANSWER_S) counts as an error of status 0.
    """
    reader, writer = await free.get()
    began, status = time.perf_counter(), 0
    for _ in range(2):  # again where the server closed while one was thinking: as browsers do
        try:
            status, _ = await get(reader, writer, request.path, accept=request.accept, packed=True)
            break
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
            writer.close()
            reader, writer = await asyncio.open_connection(HOST, port)
            if isinstance(error, TimeoutError):
                break
    log.add(request, status, time.perf_counter() - began)
    free.put_nowait((reader, writer))


def table_of(log: Log) -> list[dict[str, Any]]:
    """One row a kind, and all together first: how many, p50, p95, the most, in milliseconds."""
    everything = [time_ms for times in log.times.values() for time_ms in times]
    return [_row("all", everything), *(_row(kind, log.times[kind]) for kind in sorted(log.times))]


def _row(kind: str, times: list[float]) -> dict[str, Any]:
    p50, p95 = np.percentile(times, [50, 95])
    return {
        "kind": kind,
        "requests": len(times),
        "p50_ms": round(float(p50), 1),
        "p95_ms": round(float(p95), 1),
        "max_ms": round(max(times), 1),
    }
