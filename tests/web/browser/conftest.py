"""A served small centre, and Chromium to visit it: skipped, saying why, where a part is missing."""

import json
import os
import shutil
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from nexome.access.centre import Centre
from nexome.app import create_app
from nexome.testing.small_centre import make_small_centre
from nexome.web.pages.render import static_files

REPOSITORY = Path(__file__).resolve().parents[3]
VISIT = Path(__file__).with_name("visit.mjs")
OWNER = "nxm_owner-token-of-the-browser-tests"
SERVER_SECONDS = 30


def pytest_addoption(parser):
    parser.addoption(
        "--screenshots", metavar="FOLDER", help="write the pictures that documents show into FOLDER"
    )
    parser.addoption("--gallery", metavar="FOLDER", help="write pictures of every kind of page into FOLDER")


@pytest.fixture(scope="session")
def chromium():
    found = os.environ.get("NEXOME_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found or not shutil.which("node"):
        pytest.skip("Chromium (or NEXOME_CHROMIUM) and Node are needed")
    if not static_files():
        pytest.skip("the bundle is not built: make web")
    if not (REPOSITORY / "web/node_modules/playwright-core").is_dir():
        pytest.skip("the web part's developer tools are not installed: npm ci in web/")
    return found


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    return make_small_centre(tmp_path_factory.mktemp("browser") / "root", variants=60_000)


@contextmanager
def served(path):
    """Address of a server over a root, on a free port of this machine."""
    with Centre.open(path, owner_token=OWNER) as centre:
        config = uvicorn.Config(
            create_app(centre), host="127.0.0.1", port=0, log_level="error", lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        deadline = time.monotonic() + SERVER_SECONDS
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def serve():
    """`with serve(root) as address`: any root behind a server of this process."""
    return served


@pytest.fixture(scope="session")
def address(small):
    """Address of a server over the small centre."""
    with served(small.path) as found:
        yield found


@pytest.fixture(scope="session")
def owner_token():
    return OWNER


@pytest.fixture(scope="session")
def visit(chromium, address):
    """visit([{"name", "path", …}]): what Chromium met on each page, by name (see visit.mjs)."""

    def all_of(visits):
        job = {
            "chromium": chromium,
            "modules": str(REPOSITORY / "web"),
            "visits": [
                {"width": 1280, "height": 900, "url": v.get("address", address) + v["path"], **v}
                for v in visits
            ],
        }
        done = subprocess.run(
            ["node", str(VISIT)],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            timeout=560,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return {answer["name"]: answer for answer in json.loads(done.stdout)}

    return all_of
