"""PLINK as a separate process on files made here: the reference that our numbers are compared with."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

BED_CODE = np.array([3, 2, 0, 1], np.uint8)  # by alternate count 0, 1, 2, missing; allele 1 is the alternate


def need(program):
    """The program's path; the test is skipped where it is not installed."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


def write_bed(prefix: Path, counts, positions, names=None):
    """Counts [V, S] of chromosome 1 as PREFIX.bed, .bim and .fam."""
    variants, people = counts.shape
    codes = np.zeros((variants, -(-people // 4) * 4), np.uint8)
    codes[:, :people] = BED_CODE[counts]  # −1 is the last
    packed = codes[:, 0::4] | codes[:, 1::4] << 2 | codes[:, 2::4] << 4 | codes[:, 3::4] << 6
    prefix.with_suffix(".bed").write_bytes(bytes([0x6C, 0x1B, 1]) + packed.tobytes())
    names = names or [f"v{i}" for i in range(variants)]
    rows = (f"1\t{name}\t0\t{at}\tA\tG\n" for name, at in zip(names, positions, strict=True))
    prefix.with_suffix(".bim").write_text("".join(rows))
    prefix.with_suffix(".fam").write_text("".join(f"p{i} p{i} 0 0 0 -9\n" for i in range(people)))


def run(program, *arguments, out: Path):
    """Run it, keeping the variants in their order; its log when it fails."""
    command = [need(program), *map(str, arguments), "--out", str(out), "--threads", "1", "--memory", "700"]
    if "1.9" in program:
        command.append("--keep-allele-order")
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read_columns(path: Path):
    """A table of PLINK, fields between spaces: column name → list of texts."""
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    return {name: [line[i] for line in lines[1:]] for i, name in enumerate(lines[0])}
