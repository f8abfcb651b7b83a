"""The explorer's tutorial: its commands print what it shows, without a network, and its pages in Chromium.

The commands run once, as they stand, on the real files; the pages are those of the roots that they make.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.test_tutorial import folder_beside

from nexome.testing.transcript import agrees, steps_of
from nexome.web.pages.language import languages

pytestmark = [pytest.mark.shared, pytest.mark.slow]

DOCS = Path(__file__).resolve().parents[3] / "docs"
TUTORIAL = DOCS / "tutorial-explorer.md"
CUT_OFF = ("unshare", "--map-root-user", "--net")  # a namespace without a network, not even the loopback
CODES = sorted(languages())
REGION = "7:127700000-128100000"
PAGES = {  # picture: root and address, how many figures come alive
    "compare": ("ncbi36", "/compare?a=DGI&b=FUSION", None),
    "credible": ("grch37", "/studies/SLE/credible-sets?region=22:21850000-22050000", 1),
    "explore": ("grch37", f"/explore?region={REGION}&studies=first,second,third&ld=7-127878783-G-A", None),
    "coloc": ("grch37", f"/coloc?a=first&b=third&region={REGION}", 3),
}


def cut_off():
    """What to put before a command so that it has no network; nothing where that cannot be had."""
    try:
        able = subprocess.run([*CUT_OFF, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        able = False
    return CUT_OFF if able else ()


@pytest.fixture(scope="module")
def made(shared, tmp_path_factory):
    """The folder in which all of the tutorial was typed, and beside it the page with what was printed."""
    around = tmp_path_factory.mktemp("tutorial")
    folder, page = folder_beside(shared, around), around / TUTORIAL.name
    page.write_text(TUTORIAL.read_text(encoding="utf-8"), encoding="utf-8")
    command = [*cut_off(), sys.executable, "-m", "nexome.testing.transcript", str(page), str(folder)]
    subprocess.run(command, check=True, timeout=560)
    return folder


@pytest.fixture(scope="module")
def visited(made, visit, serve, owner_token, request):
    folder = request.config.getoption("--screenshots", default=None)
    with serve(made / "ncbi36") as ncbi36, serve(made / "grch37") as grch37:
        addresses = {"ncbi36": ncbi36, "grch37": grch37}
        visits = []
        for name, (root, path, _) in PAGES.items():
            for code in CODES:
                one = {"name": f"{name}-{code}", "address": addresses[root], "path": f"/{code}{path}"}
                one["cookie"] = owner_token
                one["height"] = 1150
                if folder:
                    one["picture"] = str(Path(folder).resolve() / f"tutorial-{name}-{code}-wide.png")
                visits.append(one)
        return visit(visits)


def test_the_tutorial_is_true(made):
    before, after = (
        steps_of(page.read_text(encoding="utf-8")) for page in (TUTORIAL, made.parent / TUTORIAL.name)
    )
    assert len(before) > 30
    assert [step.command for step in after] == [step.command for step in before]
    for printed, shown in zip(after, before, strict=True):
        assert agrees(list(printed.expected), shown.expected), f"$ {shown.command}"


@pytest.mark.browser
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_tutorial_is_quiet_and_self_contained(visited, name, code):
    met = visited[f"{name}-{code}"]
    assert met["status"] == 200
    assert met["errors"] == []
    assert met["foreign"] == []
    assert met["violations"] == []
    live = PAGES[name][2]
    assert live is None or met["live"] == live


@pytest.mark.parametrize("ending", ["md", "zh.md"])
def test_each_picture_that_the_tutorial_shows_is_made_here(ending):
    text = (DOCS / f"tutorial-explorer.{ending}").read_text(encoding="utf-8")
    shown = re.findall(r"\]\(images/tutorial-(\w+)-(\w+)-wide\.png\)", text)
    assert {name for name, _ in shown} == set(PAGES)
    assert {code for _, code in shown} == {"zh" if ending == "zh.md" else "en"}
