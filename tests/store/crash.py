"""Actions on a store in processes that are killed: a nursery forks them, ready and warm.

    python crash.py          reads one JSON a line on stdin, answers one line of JSON on stdout

{"action": [name, arguments …], "environment": {…}, "kill_after_s": number or null, "limits": {…}} runs the
action in a forked child and answers [exit status (−9: killed), message of its error]. The nursery itself
has only imported modules and called compiled passes: it holds no thread and no open store.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path

import numpy as np

from nexome.model.errors import NexomeError
from nexome.store.associations import AssociationStore, kernels
from nexome.store.associations.ragged_writer import encode
from nexome.store.associations.summary_builder import SummaryBuilder
from nexome.store.associations.types import Features
from nexome.store.backup import backup_root
from nexome.testing.associations import TINY, publish_molecules, publish_tiny, tiny_block, tiny_study

REFUSED = 4


def publish(root, seed, axis="0"):
    publish_tiny(AssociationStore.open(Path(root)), int(seed), axis=int(axis))


def publish_many(root, seed):
    publish_molecules(AssociationStore.open(Path(root)), int(seed))


def publish_matrix(root, first, count):
    store = AssociationStore.open(Path(root))
    seeds = range(int(first), int(first) + int(count))
    blocks = [tiny_block(seed) for seed in seeds]
    features = Features(blocks[0].locus, blocks[0].allele, blocks[0].rsid, blocks[0].spelled)
    staged = store.stage_matrix([tiny_study(seed) for seed in seeds], features)
    staged.add_rows(*(np.stack([getattr(b, p) for b in blocks], axis=1) for p in ("z", "se", "eaf")))
    staged.publish({"source": "matrix"})


def withdraw(root, study):
    AssociationStore.open(Path(root)).withdraw(study, reason="a test")


def compact(root):
    AssociationStore.open(Path(root)).compact()


def backup(root, target):
    backup_root(Path(root), Path(target))


ACTIONS = {f.__name__: f for f in (publish, publish_many, publish_matrix, withdraw, compact, backup)}


def warm():
    """Compile (or load) the passes that every action uses, so that children start at once."""
    block = tiny_block(0)
    codes = encode(replace(block, z=np.clip(block.z, -9, 9)))
    features = Features(block.locus, block.allele, block.rsid, block.spelled)
    builder = SummaryBuilder(TINY, 1)
    builder.add(features, tuple(c[:, None] for c in codes))
    builder.finish()
    kernels.match_sorted(block.locus, block.allele, block.locus, block.allele, np.empty(len(block), np.int64))


def child(order, message):
    os.environ.update(order.get("environment", {}))
    for name, value in order.get("limits", {}).items():
        resource.setrlimit(getattr(resource, name), (value, value))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    status = 0
    try:
        ACTIONS[order["action"][0]](*order["action"][1:])
    except NexomeError as error:
        os.write(message, f"{type(error).__name__}: {error}".encode())
        status = REFUSED
    except BaseException:  # noqa: BLE001  the nursery must not be left with a second copy of itself
        os.write(message, traceback.format_exc().encode())
        status = 1
    os._exit(status)


def main():
    warm()
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        reader, writer = os.pipe()
        process = os.fork()
        if process == 0:
            child(order, writer)
        os.close(writer)
        if order.get("kill_after_s") is not None:
            time.sleep(order["kill_after_s"])
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        with os.fdopen(reader) as stream:
            print(json.dumps([status, stream.read()]), flush=True)


if __name__ == "__main__":
    main()
