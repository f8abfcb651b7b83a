"""The examples of docs/examples run as they stand, against a real server on the loopback address."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nexome
from nexome.bench.machine import PROGRAM
from nexome.testing.small_centre import make_small_centre

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_small_centre(tmp_path_factory.mktemp("examples") / "root", variants=3_000)


@pytest.fixture(scope="module")
def server(small):
    command = [*PROGRAM, "serve", str(small.path), "--port", "0", "--no-owner-token"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        said = process.stdout.readline()
        address = re.search(r"http://[\d.]+:\d+", said)
        try:
            assert address, said + process.stdout.read()
            yield address[0]
        finally:
            process.terminate()
            process.wait(30)


def _said(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _expected(small):
    """Traits, strongest first, and how many associations lie around the variant in the strongest study."""
    with nexome.open(small.path, anonymous=True) as view:
        rows = sorted(view.phewas(small.variant).to_pylist(), key=lambda r: -r["neg_log_10_p_value"])
        contig, position = rows[0]["chromosome"], rows[0]["base_pair_location"]
        region = f"{contig}:{max(1, position - 500_000)}-{position + 500_000}"
        around = view.region(region, studies=[rows[0]["study_id"]])
        return [r["trait"] for r in rows[:5]], around.num_rows, rows[0]["study_id"], region


def test_the_python_example(server, small):
    traits, count, study, region = _expected(small)
    said = _said([sys.executable, str(EXAMPLES / "query.py"), server, small.rsid])
    assert [line[:40].strip() for line in said.splitlines()[:5]] == [t[:40] for t in traits]
    assert f"{count} associations of {study} in {region}" in said


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_the_r_example(server, small):
    traits, count, study, region = _expected(small)
    said = _said(["Rscript", "--vanilla", str(EXAMPLES / "query.R"), server, small.rsid])
    lines = said.splitlines()[1:6]
    assert all(trait in line for trait, line in zip(traits, lines, strict=True))
    assert f"{count} associations of {study} in {region}" in said
