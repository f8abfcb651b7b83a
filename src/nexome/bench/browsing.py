"""How quick pages are: one reader, then many at once, and in a real browser. `nexome bench explorer`.

The server is `nexome serve` in a process of its own on the loopback address, over the centre of
browsing_site.py. First each study page alone, one after another (`alone`), then people browse
(browsing_people.py). With a Node script that drives Chromium (web/drawn.mjs of the source tree), each study
page is opened anew and timed from the start of the navigation to the first drawn figure (`drawn`).
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from nexome.bench.browsing_people import GOAL_MS, HTML, Crowd, Log, Request, browse, table_of
from nexome.bench.browsing_site import Site, make_site
from nexome.bench.machine import describe_machine, folder_bytes, in_own_process
from nexome.bench.over_http import HOST, ask_once, running_server
from nexome.model.errors import InputError, StoreError
from nexome.store.disk import check_free_space

PANEL_PLACES: Final = 12
WARM_ROUNDS: Final = 5
NEEDED_PER_CELL: Final = 4.0
BROWSER_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class BrowsingPlan:
    """What is built and who comes: the store's shape, people of its panel, the crowd."""

    features: int = 10_000_000
    traits: int = 20
    panel_people: int = 2_500
    crowd: Crowd = field(default_factory=Crowd)
    browser: Path | None = None


def run(plan: BrowsingPlan, folder: Path, *, say: Callable[[str], None], command: str) -> dict[str, Any]:
    """Build in a new folder below `folder`, ask, remove it; the report as JSON values.

    Raises InputError where a browser was asked for and none is there, SpaceError for a small disk.
    """
    if plan.browser:
        _check_browser(plan.browser)
    check_free_space(folder, round(NEEDED_PER_CELL * plan.features * plan.traits))
    with tempfile.TemporaryDirectory(dir=folder, prefix="nexome-bench-explorer-") as name:
        root = Path(name) / "root"
        say(f"building {plan.features:,} × {plan.traits} and a panel of {plan.panel_people:,} people")
        began = time.perf_counter()
        shape = (plan.features, plan.traits, PANEL_PLACES, plan.panel_people)
        site: Site = in_own_process(make_site, root, *shape).value
        if not site.places:
            raise InputError("no signal in so small a store", expected="more features or traits")
        made = {"made_s": round(time.perf_counter() - began, 1), "bytes": folder_bytes(root)}
        with running_server(root) as port:
            measured = _measure(plan, port, site, say)
        machine = describe_machine(folder)
    return {
        "kind": "nexome-bench-explorer",
        "version": 1,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": command,
        "machine": machine,
        "plan": {**asdict(plan), "browser": plan.browser is not None},
        "goal_ms": GOAL_MS,
        **made,
        **measured,
    }


def _measure(plan: BrowsingPlan, port: int, site: Site, say: Callable[[str], None]) -> dict[str, Any]:
    say("asking for study pages, one after another")
    alone = asyncio.run(_study_pages(port, site))
    drawn = _drawn(plan.browser, port, site, say) if plan.browser else None
    crowd = plan.crowd
    say(f"{crowd.people} people browse for {crowd.seconds:.0f} s")
    log = asyncio.run(browse(port, site, crowd))
    table = table_of(log)
    return {
        "alone": table_of(alone)[1:],
        "drawn": drawn,
        "crowd": table,
        "errors": len(log.errors),
        "first_error": log.errors[0] if log.errors else "",
        "requests_per_s": round(table[0]["requests"] / crowd.seconds, 1),
    }


async def _study_pages(port: int, site: Site) -> Log:
    """Every study's page: asked for the first time, then again in rounds."""
    log = Log()
    for again in (False, *[True] * WARM_ROUNDS):
        for study in site.studies:
            path = f"/en/studies/{study}"
            began = time.perf_counter()
            status, _ = await ask_once(port, path, accept=HTML)
            request = Request("study, again" if again else "study, first", path)
            log.add(request, status, time.perf_counter() - began)
    return log


def _check_browser(script: Path) -> None:
    for what, missing in (("node", not shutil.which("node")), (str(script), not script.is_file())):
        if missing:
            raise InputError(
                f"{what} is not there", expected="Node, and web/drawn.mjs of the source tree after npm ci"
            )


def _drawn(
    script: Path | None, port: int, site: Site, say: Callable[[str], None]
) -> dict[str, float | int] | None:
    """Milliseconds from navigation to the first drawn figure, each study page in a browser without cache."""
    say("opening study pages in Chromium")
    urls = [f"http://{HOST}:{port}/en/studies/{study}" for study in site.studies]
    node = shutil.which("node") or "node"
    done = subprocess.run(  # noqa: S603 - a script the person named
        [node, str(script)],
        input=json.dumps({"urls": urls}),
        capture_output=True,
        text=True,
        timeout=BROWSER_S,
        check=False,
    )
    if done.returncode:
        raise StoreError(f"the browser failed: {done.stderr.strip()[-300:]}", where=str(script))
    took = json.loads(done.stdout)["drawn_ms"]
    p50, p95 = np.percentile(took, [50, 95])
    return {
        "pages": len(took),
        "p50_ms": round(float(p50), 1),
        "p95_ms": round(float(p95), 1),
        "max_ms": round(max(took), 1),
    }


def as_markdown(report: dict[str, Any]) -> str:
    """The report as tables, milliseconds."""
    plan, machine = report["plan"], report["machine"]
    crowd = plan["crowd"]
    what = f"{plan['features']:,} features × {plan['traits']} studies"
    panel = f"LD from {plan['panel_people']:,} people"
    made = f"{report['bytes'] / 1e9:.2f} GB, made in {report['made_s']:.0f} s"
    where = f"{machine['cpu']}, {machine['cores']} cores"
    lines = [
        f"{report['date']}, `{report['command']}`, {where}: {what}, {panel}; {made}",
        "",
        "| study page, one reader | pages | p50 | p95 | most |",
        "|---|---|---|---|---|",
        *(_line(row) for row in report["alone"]),
    ]
    if drawn := report["drawn"]:
        lines.append(_line({"kind": "drawn in Chromium", "requests": drawn["pages"], **drawn}))
    who = f"{crowd['people']} people at once for {crowd['seconds']:.0f} s, {crowd['think_s']:g} s a page"
    failed = f"{report['errors']} failed ({report['first_error']})" if report["errors"] else "none failed"
    goal = f"to reach: p95 of all ≤ {report['goal_ms']:.0f}"
    lines += [
        "",
        f"{who}: {report['requests_per_s']} requests a second, {failed}; {goal}",
        "",
        "| asked | requests | p50 | p95 | most |",
        "|---|---|---|---|---|",
        *(_line(row) for row in report["crowd"]),
    ]
    return "\n".join(lines) + "\n"


def _line(row: dict[str, Any]) -> str:
    numbers = " | ".join(f"{row[name]:.1f}" for name in ("p50_ms", "p95_ms", "max_ms"))
    return f"| {row['kind']} | {row['requests']:,} | {numbers} |"
