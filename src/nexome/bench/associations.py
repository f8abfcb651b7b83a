"""`nexome bench associations`: the whole run, from free disk to report, in one temporary folder.

Each part runs in a process of its own, so that its peak memory is its own: build, questions, each
peer, single imports, the import of a text file. The folder goes away at the end, also when the run
is interrupted. The report is plain JSON values (docs/formats/bench.schema.json).
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np

from nexome.bench import ours, over_http, singles, text_file
from nexome.bench.machine import describe_machine, in_own_process
from nexome.bench.ours import BLOCK_ROWS, Asking, ThroughView, TimedBlocks
from nexome.bench.peers import PEERS, Peer
from nexome.bench.questions import (
    QUESTIONS,
    Cells,
    Ints,
    Targets,
    ask_cold,
    ask_warm,
    disagreement,
    drop_pages,
)
from nexome.bench.synthetic import SEED, Rows, SyntheticStore
from nexome.model.errors import InputError
from nexome.store.disk import check_free_space, now_iso

KIND: Final = "nexome-bench-associations"
VERSION: Final = 1

# Bytes a cell to be free before anything is written: a little above what each was measured to take,
# with room for parts that are merged.
NEEDED: Final = {"store": 4.0, "clickhouse": 20.0, "duckdb": 16.0, "parquet": 7.0, "tabix": 18.0}
SINGLES_NEEDED: Final = 22.0  # columns turned round (12), column segments (6), compacted (4)
TEXT_NEEDED: Final = 60.0  # a line of the file and its cell

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure. `peers` are names of `peers.PEERS`; zero leaves a part out."""

    features: int
    traits: int
    peers: tuple[str, ...] = ()
    single_imports: int = 0
    single_features: int = 0
    http_s: float = 0.0
    import_rows: int = 0
    asking: Asking = field(default_factory=Asking)

    def __post_init__(self) -> None:
        if self.features < 1000 or not 2 <= self.traits <= 65_536:
            raise InputError(
                f"{self.features} features × {self.traits} traits",
                expected="1,000 features or more, 2 to 65,536 traits",
            )
        if unknown := [name for name in self.peers if name not in PEERS]:
            raise InputError(f"no peer {unknown[0][:40]!r}", expected=", ".join(PEERS))
        for name in self.peers:
            if module := PEERS[name].missing():
                raise InputError(
                    f"peer {name} needs {module}, which is not installed",
                    todo="pip install 'nexome[bench]'",
                )

    @property
    def cells(self) -> int:
        """Features × traits."""
        return self.features * self.traits

    @property
    def singles_shape(self) -> tuple[int, int]:
        """Features and studies of the single imports."""
        return self.single_features or self.features, self.single_imports

    @property
    def needed_bytes(self) -> int:
        """Free disk needed at the worst moment: peers are removed one after another."""
        peer = max((NEEDED[name] for name in self.peers), default=0.0) * self.cells
        single = SINGLES_NEEDED * self.singles_shape[0] * self.singles_shape[1]
        return round(NEEDED["store"] * self.cells + max(peer, single, TEXT_NEEDED * self.import_rows))


def run(plan: Plan, folder: Path, *, say: Say, command: str = "") -> dict[str, Any]:
    """Measure everything in `plan` in a temporary folder below `folder`; the report.

    Raises SpaceError before anything is written when the disk is too small.
    """
    check_free_space(folder, plan.needed_bytes)
    report: dict[str, Any] = {
        "kind": KIND,
        "version": VERSION,
        "command": command,
        "date": now_iso(),
        "machine": describe_machine(folder),
        "plan": {**asdict(plan), "peers": list(plan.peers), "seed": SEED},
    }
    with _working_folder(folder) as work:
        report |= _measure_store(plan, work, say)
        answers = report.pop("answers")
        report["peers"] = [_measure_peer(plan, name, work, answers, say) for name in plan.peers]
        report["http"] = _measure_http(plan, work, say)
        report["single_imports"] = _measure_singles(plan, work, say)
        report["text_import"] = _measure_text(plan, work, say)
    return report


@contextmanager
def _working_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder that goes away however the run ends, short of kill -9."""
    before = signal.signal(signal.SIGTERM, _end)
    try:
        with tempfile.TemporaryDirectory(prefix="nexome-bench-", dir=folder) as name:
            yield Path(name)
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(number: int, _: Any) -> None:
    raise SystemExit(128 + number)


def _measure_store(plan: Plan, work: Path, say: Say) -> dict[str, Any]:
    root = work / "root"
    say(f"building {plan.features:,} × {plan.traits:,} = {plan.cells:,} cells")
    built = in_own_process(ours.build, root, plan.features, plan.traits)
    say(
        f"  {built.value['bytes_per_cell']} bytes a cell, "
        f"{built.value['write_cells_per_s'] / 1e6:.1f} M cells/s written"
    )
    say("asking, cold and warm")
    asked = in_own_process(ours.ask, root, plan.features, plan.traits, plan.asking)
    return {
        "store": {**built.value, "peak_memory_bytes": built.peak_memory_bytes},
        "cold": asked.value["cold"],
        "warm": asked.value["warm"],
        "asking_peak_memory_bytes": asked.peak_memory_bytes,
        "answers": asked.value["answers"],
    }


def _measure_peer(
    plan: Plan, name: str, work: Path, answers: dict[tuple[str, int], Cells], say: Say
) -> dict[str, Any]:
    say(f"loading {name} with the same rows")
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=work) as folder:
        measured = in_own_process(
            load_and_ask, name, Path(folder), plan.features, plan.traits, plan.asking, answers
        )
    say(f"  {measured.value['bytes_per_row']} bytes a row, {measured.value['rows_per_s'] / 1e6:.2f} M rows/s")
    return {**measured.value, "peak_memory_bytes": measured.peak_memory_bytes}


def load_and_ask(
    name: str,
    folder: Path,
    features: int,
    traits: int,
    asking: Asking,
    answers: dict[tuple[str, int], Cells],
) -> dict[str, Any]:
    """One peer from its loading to its timings, in this process."""
    kind = PEERS[name]
    peer = kind(folder)
    rows = _Counted(TimedBlocks(SyntheticStore(features, traits), BLOCK_ROWS))
    began = rows.clock()
    peer.load(iter(rows))
    load_s = rows.clock() - began - rows.blocks.seconds
    facts = {
        "name": name,
        "version": peer.version(),
        "layout": kind.layout,
        "rows": rows.present,
        "bytes": peer.size_bytes,
        "bytes_per_row": round(peer.size_bytes / rows.present, 4),
        "load_s": round(load_s, 3),
        "rows_per_s": round(rows.present / load_s),
    }
    targets = ours.targets_for(ours.axis_of(SyntheticStore(features, 1)), traits, asking)
    differs = _compare(peer, targets, answers, ours.readable_studies(traits))
    warm = ask_warm(peer, targets, rounds=asking.warm_rounds, budget_s=asking.budget_s)
    peer.close()

    def reopen() -> Peer:
        drop_pages(folder)
        return kind(folder)

    os.sync()
    cold = ask_cold(reopen, targets, rounds=asking.cold_rounds, budget_s=asking.budget_s)
    return {
        **facts,
        "differs": differs,
        "warm": [t.as_dict() for t in warm],
        "cold": [t.as_dict() for t in cold],
    }


class _Counted:
    """Blocks on their way into a peer: how many cells are present."""

    def __init__(self, blocks: TimedBlocks) -> None:
        self.blocks = blocks
        self.present = 0
        self.clock = time.perf_counter

    def __iter__(self) -> Iterator[Rows]:
        for rows in self.blocks:
            self.present += int(np.isfinite(rows.z).sum())
            yield rows


def _compare(peer: Peer, targets: Targets, answers: dict[tuple[str, int], Cells], readable: Ints) -> str:
    """'' when the peer gives what this store gave, else the first difference."""
    asks = {question.name: question.ask for question in QUESTIONS}
    for (name, k), mine in answers.items():
        if text := disagreement(mine, peer.cells(asks[name](peer, targets, k)), readable):
            return f"{name}, round {k}: {text}"
    return ""


def _measure_http(plan: Plan, work: Path, say: Say) -> dict[str, Any] | None:
    if not plan.http_s:
        return None
    say("asking the server over HTTP")
    root = work / "root"
    axis = ours.axis_of(SyntheticStore(plan.features, 1))
    targets = ours.targets_for(axis, plan.traits, plan.asking)
    namer = ThroughView(root, axis, plan.traits)
    size = min(plan.traits, 10_000)
    paths = [f"/api/v1/phewas/{quote(namer.variant(int(f)))}?page_size={size}" for f in targets.features]
    namer.close()
    with over_http.running_server(root) as port:
        return over_http.measure(port, paths, seconds=plan.http_s)


def _measure_singles(plan: Plan, work: Path, say: Say) -> dict[str, Any] | None:
    if not plan.single_imports:
        return None
    features, studies = plan.singles_shape
    say(f"importing {studies:,} studies of {features:,} features one by one")
    with tempfile.TemporaryDirectory(prefix="singles-", dir=work) as folder:
        measured = in_own_process(
            singles.import_singly, Path(folder) / "root", features, studies, plan.asking
        )
    return {**measured.value, "peak_memory_bytes": measured.peak_memory_bytes}


def _measure_text(plan: Plan, work: Path, say: Say) -> dict[str, Any] | None:
    if not plan.import_rows:
        return None
    say(f"importing a GWAS-SSF file of {plan.import_rows:,} rows")
    with tempfile.TemporaryDirectory(prefix="text-", dir=work) as folder:
        return text_file.import_text(Path(folder) / "text", plan.import_rows)
