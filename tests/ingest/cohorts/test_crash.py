"""kill -9 during an import leaves the last version whole, whenever it comes."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nexome.ingest.cohorts.requests import CohortRequest
from nexome.ingest.cohorts.run import import_cohort
from nexome.model.cohorts import Cohort, Dictionary, Variable
from nexome.store.cohorts import CohortStore
from nexome.store.cohorts.verify import verify_cohorts
from nexome.store.disk import CRASH_VARIABLE
from nexome.store.root import create_root, load_assembly

NAMES = [f"v{n}" for n in range(30)]
DICTIONARY = Dictionary(
    (Variable("id", "text", role="participant"), *(Variable(name, "decimal") for name in NAMES))
)
IMPORT = """
import sys
from pathlib import Path
from nexome.ingest.cohorts.requests import CohortRequest
from nexome.ingest.cohorts.run import import_cohort
from nexome.store.root import open_root
from tests.ingest.cohorts.test_crash import DICTIONARY, Cohort
root, file = map(Path, sys.argv[1:])
print("ready", flush=True)
import_cohort(open_root(root), CohortRequest((file,), Cohort("town"), DICTIONARY))
"""


def write(path, rows, seed):
    random = np.random.default_rng(seed)
    values = np.round(random.uniform(0, 9, (rows, len(NAMES))), 2)
    lines = [f"P{n}," + ",".join(map(str, row)) for n, row in enumerate(values.tolist())]
    path.write_text("\n".join([",".join(["id", *NAMES]), *lines]) + "\n")
    return path


@pytest.fixture
def root(tmp_path):
    made = create_root(tmp_path / "root", assembly=load_assembly("GRCh38"))
    import_cohort(made, CohortRequest((write(tmp_path / "first.csv", 50, 0),), Cohort("town"), DICTIONARY))
    return made


def begin(root, file, **environment):
    words = [sys.executable, "-c", IMPORT, str(root.path), str(file)]
    started = subprocess.Popen(
        words, env={**os.environ, "PYTHONPATH": str(Path.cwd()), **environment}, stdout=subprocess.PIPE
    )
    assert started.stdout.readline() == b"ready\n"
    return started


def check(root, *, version):
    store = CohortStore.open(root.path)
    found = store.get("town")
    assert found.version == version
    assert found.rows == (50 if version == 1 else 40)
    store.clean()
    assert verify_cohorts(root.path).ok
    assert not list((root.path / "cohorts" / "staging").glob("*"))
    assert len(list((root.path / "cohorts" / "town").iterdir())) == version


@pytest.mark.parametrize(
    ("step", "version"),
    [
        ("cohorts.written", 1),
        ("cohorts.moved", 1),
        ("cohorts.before-manifest", 1),
        ("cohorts.after-manifest", 2),
    ],
)
def test_killed_at_each_step(root, tmp_path, step, version):
    file = write(tmp_path / "second.csv", 40, 1)
    process = begin(root, file, **{CRASH_VARIABLE: step})
    assert process.wait() == -9
    process.stdout.close()
    check(root, version=version)
    report = import_cohort(root, CohortRequest((file,), Cohort("town"), DICTIONARY))
    assert report.version == version + 1


def test_killed_while_it_reads(root, tmp_path):
    file = write(tmp_path / "large.csv", 60_000, 1)
    process = begin(root, file)
    deadline = time.monotonic() + 60
    while not list((root.path / "cohorts" / "staging").glob("*/rows.arrow")) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -9
    process.stdout.close()
    check(root, version=1)
