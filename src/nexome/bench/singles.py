"""Single-study imports: N studies published one after another, then compaction with a reader on.

What a store looks like when files arrive one by one, before and after it is compacted.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from nexome.bench.machine import folder_bytes
from nexome.bench.ours import Asking, ThroughView, axis_of, home_assembly, private_every, targets_for
from nexome.bench.questions import Targets, ask_warm
from nexome.bench.synthetic import SyntheticStore
from nexome.store.associations import AssociationStore, Block
from nexome.store.root import create_root

PLANES: Final = ("z", "se", "eaf")


def import_singly(folder: Path, features: int, studies: int, asking: Asking) -> dict[str, Any]:
    """Publish `studies` studies of `features` features singly in a new root; ask before, while and after."""
    synthetic = SyntheticStore(features, studies)
    axis = axis_of(synthetic)
    columns = _spill_columns(synthetic, folder.with_name(folder.name + "-columns"))
    root = folder
    create_root(root, assembly=home_assembly())
    store = AssociationStore.open(root)
    took = []
    for ordinal, study in enumerate(synthetic.studies(private_every=private_every(studies))):
        z, se, eaf = (np.array(columns[name][ordinal]) for name in PLANES)
        start = time.perf_counter()
        present = np.isfinite(z)
        staged = store.stage(study)
        staged.add(
            Block(
                axis.locus[present],
                axis.allele[present],
                z[present],
                se[present],
                eaf[present],
                rsid=axis.rsid[present],
            )
        )
        staged.publish({"source": f"standard synthetic store, seed {synthetic.seed}"})
        took.append(time.perf_counter() - start)
    targets = targets_for(axis, studies, asking)
    before = _ask(root, axis, studies, targets, asking)
    bytes_before = folder_bytes(root)
    compaction = _compact_with_reader(store, root, axis, studies, targets)
    store.clean(grace_s=0)  # nobody reads the old files any more
    return {
        "studies": studies,
        "features": features,
        "publish_p50_s": round(float(np.median(took)), 4),
        "publish_last_s": round(float(np.median(took[-10:])), 4),
        "bytes_before": bytes_before,
        "bytes_after": folder_bytes(root),
        "before": before,
        "compaction": compaction,
        "after": _ask(root, axis, studies, targets, asking),
    }


def _spill_columns(synthetic: SyntheticStore, folder: Path) -> dict[str, np.memmap[Any, Any]]:
    """The store turned round, on the disk: float32 [T, V] a plane, so that memory stays small."""
    features, traits = synthetic.shape
    folder.mkdir()
    columns = {
        name: np.lib.format.open_memmap(
            folder / f"{name}.npy", mode="w+", dtype=np.float32, shape=(traits, features)
        )
        for name in PLANES
    }
    for rows in synthetic.blocks(4_096):
        for name in PLANES:
            columns[name][:, rows.start : rows.stop] = getattr(rows, name).T
    return columns


def _ask(root: Path, axis: Any, studies: int, targets: Targets, asking: Asking) -> list[dict[str, Any]]:
    answerer = ThroughView(root, axis, studies)
    try:
        timings = ask_warm(answerer, targets, rounds=asking.warm_rounds, budget_s=asking.budget_s)
    finally:
        answerer.close()
    return [t.as_dict() for t in timings]


def _compact_with_reader(
    store: AssociationStore, root: Path, axis: Any, studies: int, targets: Targets
) -> dict[str, Any]:
    """Compact while another thread asks PheWAS without pause; its times, and any error it met."""
    done = threading.Event()
    took: list[float] = []
    wrong: list[str] = []

    answerer = ThroughView(root, axis, studies)

    def read() -> None:
        k = 0
        while not (done.is_set() and took):
            feature = int(targets.features[k % targets.features.size])
            start = time.perf_counter()
            try:
                answerer.phewas(feature)
            except Exception as error:  # noqa: BLE001 - counted and shown: that is what is measured
                wrong.append(f"{type(error).__name__}: {error}")
            took.append(time.perf_counter() - start)
            k += 1

    reader = threading.Thread(target=read)
    reader.start()
    start = time.perf_counter()
    try:
        store.compact()
    finally:
        seconds = time.perf_counter() - start
        done.set()
        reader.join()
        answerer.close()
    p50, p95 = np.percentile(np.asarray(took) * 1e3, [50, 95])
    return {
        "wall_s": round(seconds, 3),
        "reads": len(took),
        "read_errors": wrong[:5],
        "phewas_p50_ms": round(float(p50), 4),
        "phewas_p95_ms": round(float(p95), 4),
    }
