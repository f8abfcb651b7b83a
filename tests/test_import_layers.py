"""Imports point one way: import-linter holds the rooms of pyproject.toml."""

import subprocess
import sys
from pathlib import Path

import pytest


def test_rooms_import_downwards_only():
    pytest.importorskip("importlinter")
    root = Path(__file__).resolve().parents[1]
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
