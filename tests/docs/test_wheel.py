"""A wheel built from the sources holds the documentation, and an installation of it shows every page."""

import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
NEEDED = ("pyproject.toml", "setup.py", "README.md", "LICENSE")
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
ASK = """
import nexome
from nexome.formats import handbook
from nexome.search.pages import handbook_records
assert nexome.__file__.startswith(r"{folder}"), nexome.__file__
assert handbook.handbook_folder().parent.name == "nexome"
assert handbook.pages() == handbook.PAGES
assert handbook.read_page("tutorial", "zh").language == "zh"
assert handbook.picture("images/cockpit-en-wide.png")
print(len(list(handbook_records())))
"""


@pytest.mark.skipif(int(version("setuptools").partition(".")[0]) < 77, reason="setuptools is too old")
def test_a_wheel_holds_the_documentation(tmp_path):
    sources, installed = tmp_path / "sources", tmp_path / "installed"
    sources.mkdir()
    for name in NEEDED:
        shutil.copy(REPOSITORY / name, sources)
    for name in ("src", "docs"):
        shutil.copytree(
            REPOSITORY / name, sources / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    _run("-c", BUILD, str(tmp_path), cwd=sources)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    ask = f"import sys; sys.path.insert(0, r'{installed}')" + ASK.format(folder=installed)
    assert int(_run("-c", ask, cwd=tmp_path)) > 100


def _run(*words, cwd):
    done = subprocess.run(
        [sys.executable, *words], cwd=cwd, capture_output=True, text=True, check=False, timeout=250
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout
