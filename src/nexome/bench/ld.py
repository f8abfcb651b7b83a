"""How quick LD is: a simulated panel, regions of 1 Mb asked first and again, through a View and over HTTP.

*First* is a region nobody has asked about, in a process that has been warmed up as `nexome serve` does; its
pages may be in the system's memory. *Again* is the same question once more. People are mosaics of
founders, phased; half of the variants are rarer than 5 %, as in a sequenced panel.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.access.centre import Centre
from nexome.access.view import View
from nexome.bench.machine import describe_machine
from nexome.bench.over_http import ask_once, running_server
from nexome.model.errors import StoreError
from nexome.model.genome import allele_key, assembly_from_contigs, loci_of
from nexome.store.genotypes import GenotypeBlock, GenotypeStore, people_table
from nexome.store.root import create_root

PANEL: Final = "BENCH"
JSON: Final = "application/json"
ARROW: Final = "application/vnd.apache.arrow.stream"
REGION_BP: Final = 1_000_000
REGIONS: Final = 6  # the first one warms up

FOUNDERS: Final = 200
_BLOCK: Final = 2_500  # variants made and staged at once
_STRETCH: Final = 50  # variants a haplotype copies before some change founders
_CHANGED: Final = 0.05


@dataclass(frozen=True, slots=True)
class LdPlan:
    """What is measured: people of the panel, variants of each region of 1 Mb, warm rounds."""

    people: int = 2_500
    variants: int = 25_000
    matrix: int = 1_000
    rounds: int = 30


def run(plan: LdPlan, folder: Path, *, say: Callable[[str], None], command: str) -> dict[str, Any]:
    """Make the panel in a new folder below `folder`, ask, remove it; the report as JSON values."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="nexome-bench-ld-") as name:
        root = Path(name) / "root"
        say(f"making {REGIONS} regions of {plan.variants:,} variants of {plan.people:,} people")
        began = time.perf_counter()
        leads = _make_root(plan, root)
        made_s = time.perf_counter() - began
        say("asking through a View")
        with Centre.open(root) as centre:
            through_view = _ask_view(plan, centre, leads)
        say("asking over HTTP")
        with running_server(root) as port:
            over_http = _ask_server(plan, port, leads)
        machine = describe_machine(folder)
    return {
        "kind": "nexome-bench-ld",
        "version": 1,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": command,
        "machine": machine,
        "plan": asdict(plan),
        "made_s": round(made_s, 1),
        "view": through_view,
        "http": over_http,
    }


def as_markdown(report: dict[str, Any]) -> str:
    """The report as a table, milliseconds."""
    plan, machine = report["plan"], report["machine"]
    where = f"{machine['cpu']}, {machine['cores']} cores"
    what = f"{plan['variants']:,} variants in 1 Mb, {plan['people']:,} people"
    lines = [
        f"{report['date']}, `{report['command']}`, {where}: {what}",
        "",
        "| question | first, median (most) | again, p50 / p95 |",
        "|---|---|---|",
    ]
    for part in ("view", "http"):
        for name, found in report[part].items():
            first = f"{found['first_p50_ms']:.1f} ({found['first_max_ms']:.1f})"
            again = f"{found['again_p50_ms']:.1f} / {found['again_p95_ms']:.1f}"
            lines.append(f"| {name} | {first} | {again} |")
    return "\n".join(lines) + "\n"


def _make_root(plan: LdPlan, root: Path) -> list[str]:
    """The root with its panel; a common variant in the middle of each region, the warming one first."""
    length = 2 * REGION_BP * (REGIONS + 1)
    create_root(root, assembly=assembly_from_contigs("bench", "Simulated", [("1", length)]))
    rng = np.random.default_rng(1)
    store = GenotypeStore.open(root)
    people = people_table({"sample_id": [f"B{i}" for i in range(plan.people)]})
    leads = []
    with store.stage(PANEL, people, kind="ld-panel", access="open") as staged:
        for region in range(REGIONS):
            start = 2 * REGION_BP * (region + 1)
            positions = start + np.sort(rng.choice(REGION_BP, plan.variants, replace=False))
            source = rng.integers(0, FOUNDERS, 2 * plan.people)
            best = (2.0, 0)
            for first in range(0, plan.variants, _BLOCK):
                part = positions[first : first + _BLOCK]
                alleles = mosaic(len(part), source, rng)
                near = np.abs(alleles.mean(1) - 0.3) + np.abs(part - start - REGION_BP / 2) / REGION_BP
                best = min(best, (float(near.min()), int(part[near.argmin()])))
                staged.add(_block(part, alleles))
            leads.append(f"1-{best[1]}-A-G")
        staged.publish({"source": "nexome bench ld"})
    return leads


def mosaic(size: int, source: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.int8]:
    """Alleles int8 [V, 2S] of haplotypes that copy founders in turns; `source` goes on from call to call."""
    frequency = np.where(rng.random(size) < 0.5, rng.uniform(0.01, 0.05, size), rng.uniform(0.05, 0.5, size))
    founders = (rng.random((size, FOUNDERS)) < frequency[:, None]).astype(np.int8)
    alleles = np.empty((size, len(source)), np.int8)
    for first in range(0, size, _STRETCH):
        changed = rng.random(len(source)) < _CHANGED
        source[changed] = rng.integers(0, FOUNDERS, int(changed.sum()))
        alleles[first : first + _STRETCH] = founders[first : first + _STRETCH][:, source]
    return alleles


def _block(positions: npt.NDArray[np.int64], alleles: npt.NDArray[np.int8]) -> GenotypeBlock:
    calls = alleles.reshape(len(alleles), -1, 2)
    return GenotypeBlock(
        locus=loci_of(np.zeros(len(positions), np.int64), positions),
        allele=np.full(len(positions), allele_key("A", "G"), np.uint64),
        calls=calls,
        phased=np.ones(calls.shape[:2], bool),
    )


def _ask_view(plan: LdPlan, centre: Centre, leads: list[str]) -> dict[str, Any]:
    view = centre.owner_view()
    whole, shorter = REGION_BP // 2, REGION_BP // 2 - 10_000  # another region: not what is kept of the first
    asks = {
        "View.ld, arrays": partial(_arrays, view, whole),
        "View.ld, its table too": partial(_table, view, shorter),
        f"View.ld_matrix, {plan.matrix:,} variants": partial(_matrix, view, plan),
    }
    for ask in asks.values():
        ask(leads[0])
    return {name: _timed(plan, ask, leads[1:]) for name, ask in asks.items()}


def _arrays(view: View, flank: int, lead: str) -> None:
    view.ld(lead, _around(lead, flank))


def _table(view: View, flank: int, lead: str) -> None:
    view.ld(lead, _around(lead, flank)).table()


def _matrix(view: View, plan: LdPlan, lead: str) -> None:
    """All pairs of about `matrix` variants around a lead, a few less."""
    view.ld_matrix(where=_around(lead, int(0.47 * REGION_BP * plan.matrix / plan.variants)))


def _ask_server(plan: LdPlan, port: int, leads: list[str]) -> dict[str, Any]:
    few = "&columns=base_pair_location,r2"
    asks = {
        "/api/v1/ld as JSON, all columns": partial(_once, port, 0, JSON, ""),
        "/api/v1/ld as JSON, position and r²": partial(_once, port, 1, JSON, few),
        "/api/v1/ld as Arrow, all columns": partial(_once, port, 2, ARROW, ""),
        "/api/v1/ld as Arrow, position and r²": partial(_once, port, 3, ARROW, few),
    }
    for ask in asks.values():
        ask(leads[0])
    return {name: _timed(plan, ask, leads[1:]) for name, ask in asks.items()}


def _once(port: int, number: int, media: str, columns: str, lead: str) -> None:
    """One question; regions of different `number` differ a little, so that each is first asked once."""
    region = _around(lead, REGION_BP // 2 - 1_000 * number)
    path = f"/api/v1/ld?variant={lead}&region={region}{columns}"
    status, _ = asyncio.run(ask_once(port, path, accept=media))
    if status != 200:
        raise StoreError(f"{path} was answered with {status}")


def _timed(plan: LdPlan, ask: Callable[[str], None], leads: Sequence[str]) -> dict[str, float]:
    """Each region once (first), then all in turn `rounds` times (again)."""
    first = [_milliseconds(ask, lead) for lead in leads]
    again = [_milliseconds(ask, lead) for _ in range(plan.rounds) for lead in leads]
    p50, p95 = np.percentile(again, [50, 95])
    return {
        "first_p50_ms": round(float(np.median(first)), 2),
        "first_max_ms": round(max(first), 2),
        "again_p50_ms": round(float(p50), 2),
        "again_p95_ms": round(float(p95), 2),
    }


def _milliseconds(ask: Callable[[str], None], lead: str) -> float:
    began = time.perf_counter()
    ask(lead)
    return (time.perf_counter() - began) * 1e3


def _around(lead: str, flank: int) -> str:
    position = int(lead.split("-")[1])
    return f"1:{position - flank}-{position + flank}"
