"""How quick and how small the graph of knowledge is: a made one of any size, loaded and asked.

Ends of edges are drawn by a power law (a few hubs, many nodes with few edges); predicates with and without
scores, from two sources; a tree of is_a of its own, about as deep as an ontology. Load time runs from
batches of texts, as a source's table gives them, to the published folder. Questions are asked of random
nodes through the graph itself, files mapped, after the first that compiles.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.bench.machine import describe_machine, folder_bytes, in_own_process
from nexome.model.knowledge import EDGES, IS_A
from nexome.store.edges.build import build_graph_from
from nexome.store.edges.graph import Graph
from nexome.store.edges.layout import EVIDENCE, NODES, SIDES, TEXTS
from nexome.store.edges.paths import Step, find_paths

# predicate → (share of the edges, scored)
PREDICATES: Final = {
    "associated_with": (0.40, True),
    "interacts_with": (0.30, True),
    "expressed_in": (0.22, False),
}
GOALS: Final = {
    "load_edges_per_s": 500_000.0,
    "bytes_per_edge_and_direction": 6.0,
    "neighbours_p50_ms": 0.5,
    "two_hop_path_p50_ms": 20.0,
    "ancestors_p50_ms": 0.2,
}
_BATCH: Final = 1 << 20
_BRANCHES: Final = 6.0  # kinds of a term, on average
_SKEW: Final = 3.0  # a node is drawn with a density that falls as rank^(1/_SKEW − 1)


@dataclass(frozen=True, slots=True)
class GraphPlan:
    """Edges and nodes of the made graph, and how many times each question is asked."""

    edges: int = 1_000_000
    nodes: int = 100_000
    rounds: int = 500


def run(plan: GraphPlan, folder: Path, *, say: Callable[[str], None], command: str) -> dict[str, Any]:
    """Make the graph in a new folder below `folder`, ask it, remove it; the report as JSON values."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="nexome-bench-knowledge-") as name:
        final = Path(name) / "graph"
        say(f"loading {plan.edges:,} edges between {plan.nodes:,} nodes")
        loaded = in_own_process(_load, plan, final)
        say("asking")
        asked = in_own_process(_ask, plan, final)
        adjacency = sum(folder_bytes(final / side) for side in SIDES)
        graph = Graph(final)
        figures = {
            "load_edges_per_s": round(plan.edges / loaded.value["load_s"]),
            "bytes_per_edge_and_direction": round(adjacency / graph.edges / 2, 2),
            **asked.value,
        }
        sizes = {"edges": graph.edges, "nodes": len(graph.nodes)} | {
            file: (final / file).stat().st_size for file in (NODES, TEXTS, EVIDENCE)
        }
    return {
        "kind": "nexome-bench-knowledge",
        "version": 1,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": command,
        "machine": describe_machine(folder),
        "plan": asdict(plan),
        "figures": figures,
        "goals": GOALS,
        "held": sizes | {"adjacency_bytes": adjacency},
        "made_s": loaded.value["made_s"],
        "load_memory_bytes": loaded.peak_memory_bytes,
        "ask_memory_bytes": asked.peak_memory_bytes,
    }


def as_markdown(report: dict[str, Any]) -> str:
    """The report as a table."""
    machine, held = report["machine"], report["held"]
    where = f"{machine['cpu']}, {machine['cores']} cores"
    what = f"{held['edges']:,} edges, {held['nodes']:,} nodes"
    lines = [
        f"{report['date']}, `{report['command']}`, {where}: {what}",
        f"Load took {report['load_memory_bytes'] / 1e9:.1f} GB of memory.",
        "",
        "| figure | measured | goal |",
        "|---|---|---|",
    ]
    for name, value in report["figures"].items():
        goal = f"{report['goals'][name]:,}" if name in report["goals"] else ""
        lines.append(f"| {name.replace('_', ' ')} | {value:,} | {goal} |")
    return "\n".join(lines) + "\n"


def synthetic_statements(plan: GraphPlan) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Statements as two sources would give them: a hierarchy, then edges of several predicates."""
    rng = np.random.default_rng(1)
    tree = max(1, int(plan.edges * (1 - sum(share for share, _ in PREDICATES.values()))))
    tree = min(tree, plan.nodes - 1)
    children = np.arange(1, tree + 1)
    parents = (children / _BRANCHES * rng.random(tree) ** 0.2).astype(np.int64)
    for first in range(0, tree, _BATCH):
        part = slice(first, first + _BATCH)
        yield "hierarchy", _batch(IS_A, children[part], parents[part], None)
    left = plan.edges - tree
    total = sum(share for share, _ in PREDICATES.values())
    for name, (share, scored) in PREDICATES.items():
        count = round(left * share / total)
        for first in range(0, count, _BATCH):
            size = min(_BATCH, count - first)
            subjects, objects = _drawn(rng, plan.nodes, size), _drawn(rng, plan.nodes, size)
            objects += objects == subjects
            yield (
                "statements",
                _batch(
                    name, subjects, objects % plan.nodes, rng.random(size, np.float32) if scored else None
                ),
            )


def _drawn(rng: np.random.Generator, nodes: int, size: int) -> npt.NDArray[np.int64]:
    return (nodes * rng.random(size) ** _SKEW).astype(np.int64)


def _batch(
    predicate: str,
    subjects: npt.NDArray[np.int64],
    objects: npt.NDArray[np.int64],
    scores: npt.NDArray[np.float32] | None,
) -> pa.RecordBatch:
    size = len(subjects)
    columns = {
        "subject": _names(subjects),
        "predicate": pa.array([predicate] * size, pa.string()),
        "object": _names(objects),
        "score": pa.nulls(size, pa.float32()) if scores is None else pa.array(scores),
        "publication": _names(subjects % 50_000, "PMID:3000000"),
        "method": pa.array(["ECO:0000501"] * size, pa.string()),
        "qualifier": pa.array([""] * size, pa.string()),
        "line": pa.array(np.arange(size, dtype=np.uint32)),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in EDGES.names], schema=EDGES)


def _names(numbers: npt.NDArray[np.int64], prefix: str = "X:") -> pa.Array:

    return pc.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")


def _load(plan: GraphPlan, final: Path) -> dict[str, float]:
    """Build the graph; seconds it took, without those in which the statements were made."""
    small = GraphPlan(edges=1_000, nodes=100)
    build_graph_from(synthetic_statements(small), final.with_name("warm"))
    made = 0.0

    def timed() -> Iterator[tuple[str, pa.RecordBatch]]:
        nonlocal made
        statements = synthetic_statements(plan)
        while True:
            began = time.perf_counter()
            batch = next(statements, None)
            made += time.perf_counter() - began
            if batch is None:
                return
            yield batch

    began = time.perf_counter()
    build_graph_from(timed(), final)
    return {"load_s": time.perf_counter() - began - made, "made_s": round(made, 1)}


def _ask(plan: GraphPlan, final: Path) -> dict[str, float]:
    rng = np.random.default_rng(2)
    graph = Graph(final)
    names = [f"X:{number}" for number in _drawn(rng, plan.nodes, 4 * plan.rounds)]
    leaves = [f"X:{number}" for number in rng.integers(plan.nodes // 1000, plan.nodes, 4 * plan.rounds)]
    drawn = [name for name in names if graph.nodes.find(name) >= 0][: plan.rounds]
    below = [name for name in leaves if graph.nodes.find(name) >= 0][: plan.rounds]
    steps = [Step("associated_with", "out"), Step("interacts_with", "out")]
    asks: dict[str, tuple[Callable[[str], object], list[str]]] = {
        "neighbours": (lambda name: graph.neighbours(name, limit=50), drawn),
        "neighbours_of_a_predicate": (
            lambda name: graph.neighbours(name, "associated_with", direction="out", limit=50),
            drawn,
        ),
        "two_hop_path": (lambda name: find_paths(graph, name, steps, limit=50), drawn),
        "ancestors": (graph.ancestors, below),
    }
    figures: dict[str, float] = {}
    for name, (ask, of) in asks.items():
        ask(of[0])
        p50, p95 = np.percentile([_milliseconds(ask, term) for term in of], [50, 95])
        figures |= {f"{name}_p50_ms": round(float(p50), 3), f"{name}_p95_ms": round(float(p95), 3)}
    return figures


def _milliseconds(ask: Callable[[str], object], term: str) -> float:
    began = time.perf_counter()
    ask(term)
    return (time.perf_counter() - began) * 1e3
