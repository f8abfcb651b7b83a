"""/metrics: the measures in the Prometheus text format (version 0.0.4).

Names follow its conventions: prefix nexome_, base units (bytes, seconds, ratio), counters end in _total. A
measure with parts is given by part alone; one without a value is left out. Response times come as histograms
too, from which percentiles of any period can be worked out.

Who may read it: this machine itself (not through a proxy), holders of any live token, everyone where the
setting metrics_open says so. The read itself is not counted.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from nexome.access.centre import Centre
from nexome.model.errors import NexomeError
from nexome.model.measures import MEASURES, Measure
from nexome.report.measures import Reading, measure, response_times
from nexome.store import usage
from nexome.web.counting import tell
from nexome.web.http import SECURITY_HEADERS, packed, read_token

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
PATH: Final = "/metrics"
# unit of a measure → ending of the metric's name, factor to the base unit
_UNITS: Final = {
    "1": ("", 1.0),
    "By": ("_bytes", 1.0),
    "ms": ("_seconds", 1e-3),
    "%": ("_ratio", 1e-2),
    "d": ("_seconds", 86_400.0),
}
_PROXIED: Final = ("forwarded", "x-forwarded-for", "via", "x-real-ip")


def metrics_route(centre: Centre) -> Route:
    """The route of /metrics over a centre."""

    async def respond(request: Request) -> Response:
        tell(request, "silent", name=PATH)
        return await run_in_threadpool(_answer, centre, request)

    return Route(PATH, respond)


def _answer(centre: Centre, request: Request) -> Response:
    headers = {**SECURITY_HEADERS, "Cache-Control": "no-store"}
    try:
        if not _may_read(centre, request):
            text = (
                "For this machine and holders of a token, unless the setting metrics_open says otherwise.\n"
            )
            return PlainTextResponse(text, 403, headers)
        text = metrics_text(measure(centre), response_times(centre, days=0))
    except NexomeError as error:
        told = str(error) if error.http_status < 500 else "the server could not answer; its log says more"
        status = 401 if error.http_status == 403 else error.http_status
        return PlainTextResponse(told + "\n", status, headers)
    response = Response(text, headers=headers)
    response.headers["Content-Type"] = CONTENT_TYPE
    return packed(request, response)


def _may_read(centre: Centre, request: Request) -> bool:
    if centre.settings.metrics_open:
        return True
    if token := read_token(request):
        return centre.view_for(token).principal.kind != "anonymous"
    client = request.client.host if request.client else ""
    try:
        here = ipaddress.ip_address(client).is_loopback
    except ValueError:
        return False
    # A proxy on this machine asks from the loopback address for the whole world.
    return here and not any(name in request.headers for name in _PROXIED)


def metrics_text(readings: Iterable[Reading], times: Mapping[str, Mapping[int, int]]) -> str:
    """Readings and response times (by door and bucket) in the text format."""
    lines: list[str] = []
    for reading in readings:
        if reading.value is not None:
            lines += _family(MEASURES[reading.name], reading)
    lines += _histogram(times)
    return "\n".join(lines) + "\n"


def _family(declared: Measure, reading: Reading) -> Iterator[str]:
    ending, factor = _UNITS[declared.unit]
    name = f"nexome_{declared.name.removeprefix('bytes_')}{ending}"
    name += "_total" if declared.kind == "counter" else ""
    yield f"# HELP {name} {_help(declared.meaning_en)}"
    yield f"# TYPE {name} {declared.kind}"
    if not declared.part:
        yield f"{name} {_number((reading.value or 0) * factor)}"
    for part, value in reading.parts.items() if declared.part else ():
        yield f'{name}{{{declared.part}="{_label(part)}"}} {_number(value * factor)}'


def _histogram(times: Mapping[str, Mapping[int, int]]) -> Iterator[str]:
    """Response times; the sum is that of the buckets' middles, since no single time is kept."""
    name = "nexome_response_seconds"
    yield f"# HELP {name} Time until answers began, since the root was made; the sum is within 13 %."
    yield f"# TYPE {name} histogram"
    for door, counts in times.items():
        whole, total, label = 0, 0.0, f'door="{_label(door)}"'
        for bucket in range(usage.BUCKETS - 1):
            whole += counts.get(bucket, 0)
            total += counts.get(bucket, 0) * usage.bucket_middle_ms(bucket) / 1e3
            yield f'{name}_bucket{{{label},le="{usage.bucket_end_ms(bucket) / 1e3:.4g}"}} {whole}'
        last = counts.get(usage.BUCKETS - 1, 0)
        total += last * usage.bucket_middle_ms(usage.BUCKETS - 1) / 1e3
        yield f'{name}_bucket{{{label},le="+Inf"}} {whole + last}'
        yield f"{name}_sum{{{label}}} {_number(total)}"
        yield f"{name}_count{{{label}}} {whole + last}"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _escaped(marks: str) -> Callable[[str], str]:
    table = str.maketrans({mark: {"\n": "\\n"}.get(mark, "\\" + mark) for mark in marks})
    return lambda text: text.translate(table)


_help: Final = _escaped("\\\n")
_label: Final = _escaped('\\\n"')
