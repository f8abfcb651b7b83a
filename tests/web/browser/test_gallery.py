"""Every kind of page in one walk: small scripts, nobody else asked, Tab comes to all; --gallery: pictures.

`pytest tests/web/browser/test_gallery.py --gallery FOLDER` writes each kind in both languages, 360, 1280 and
2560 pixels wide, whole pages. Accessibility, errors and width are held by the tests of each page.
"""

from pathlib import Path

import pytest

from nexome.testing.example_plan import SHARE, make_example_plan
from nexome.testing.harmonised_cohorts import TARGET, make_harmonised_cohorts
from nexome.testing.small_centre import PROTEINS, QUIET, make_small_centre
from nexome.testing.small_knowledge import make_small_knowledge
from nexome.web.pages.language import languages

pytestmark = pytest.mark.browser

CODES = sorted(languages())
WIDTHS = {"360": 780, "1280": 900, "2560": 1440}
SCRIPT_BYTES_MAX = 300_000
AT_ONCE = 24  # pages of one visit: a busy machine takes seconds for each
OWNERS = {"cockpit", "papers", "paper", "project", "budget", "private", "harmonisation"}
SENT = {
    "read-note": {
        "fill": {"#text": "She denies any fits. Mother had a seizure.\n患者癫痫发作两次。"},
        "click": ".read button",
    },
    "read-list": {
        "fill": {"#text": "fits\nqwertz\n癫痫发作"},
        "check": "[name=way][value=list]",
        "click": ".read button",
    },
}
"""Forms that are filled in and sent before the page is looked at."""
ODD = {"nowhere": 404, "unreadable": 400}  # pages of an error
BESIDE_THE_BUDGET = {"browse"}  # igv.js is larger than all else together


@pytest.fixture(scope="module")
def pages(small, tmp_path_factory):
    """Path of every kind of page, without the language."""
    paper = make_example_plan(small.path, tmp_path_factory.mktemp("gallery"))
    chromosome, position = small.variant.split("-")[:2]
    region = f"{chromosome}:{max(1, int(position) - 500_000)}-{int(position) + 500_000}"
    return {
        "home": "/",
        "search": "/search?q=pressure",
        "search-none": "/search?q=nothing-of-that-name",
        "studies": "/studies",
        "study": "/studies/SC0004",
        "study-quiet": f"/studies/{QUIET}",
        "study-of-several": f"/studies/{PROTEINS}",
        "traits": "/traits",
        "category": "/traits?category=Metabolic",
        "variant": f"/variants/{small.variant}",
        "gene": f"/genes/{small.gene}",
        "explore-genome": "/explore?studies=SC0004,SC0007",
        "explore-region": f"/explore?region={region}&studies=SC0001,SC0002&ld={small.variant}",
        "compare": "/compare?a=SC0001&b=SC0002",
        "compare-choose": "/compare",
        "coloc": f"/coloc?a=SC0001&b=SC0002&region={region}",
        "coloc-loci": "/coloc?a=SC0001&b=SC0005",
        "credible": f"/studies/SC0004/credible-sets?region={region}",
        "browse": f"/browse?region={region}",
        "help": "/help",
        "sign-in": "/sign-in",
        "nowhere": "/no-such-page",
        "unreadable": "/explore?region=1:999000000-999100000",
        "cockpit": "/cockpit",
        "papers": "/papers",
        "paper": f"/papers/{paper}",
        "project": f"/papers/{paper}/projects/{SHARE}",
        "budget": f"/papers/{paper}/budget",
    }


@pytest.fixture(scope="module")
def people(serve, tmp_path_factory):
    """Paths of the pages of cohorts, each with the address of a root that has some."""
    folder = tmp_path_factory.mktemp("people")
    root = make_harmonised_cohorts(folder / "root", folder / "files")
    cohort = f"/cohorts/{TARGET}"
    paths = {
        "cohorts": "/cohorts",
        "cohort": cohort,
        "variable": f"{cohort}/variables/cholesterol_ldl",
        "variable-category": f"{cohort}/variables/smoking",
        "harmonisation": f"/harmonisation/{TARGET}",
        "builder": f"/cohort-builder?cohort={TARGET}&of=glucose&by=sex&by2=age",
        "builder-off-grid": f"/cohort-builder?cohort={TARGET}&where=ldl+>+4.07",
        "place": "/place?variable=cholesterol_ldl&sex=female&age=47&value=160&unit=mg/dL",
        "place-outside": "/place?variable=cholesterol_ldl&sex=male&age=97&value=3&unit=mmol/L",
    }
    with serve(root) as address:
        yield {kind: (path, address) for kind, path in paths.items()}


@pytest.fixture(scope="module")
def known(serve, tmp_path_factory):
    """Paths of the pages of what is known, each with the address of a root that knows something."""
    folder = tmp_path_factory.mktemp("known")
    made = make_small_centre(folder / "root", variants=2_000)
    make_small_knowledge(made.path, folder, gene=made.gene)
    paths = {
        "search-meaning": "/search?q=fits",
        "term": "/terms/HP:0001250",
        "term-tied": "/terms/OMIM:1",
        "term-graph": "/terms/HP:0001250/graph",
        "paths": f"/paths?start={made.gene}&end=HP:0002197",
        "paths-empty": "/paths",
        "gene-known": f"/genes/{made.gene}",
        "read": "/read",
        "read-note": "/read",
        "read-list": "/read",
    }
    with serve(made.path) as address:
        yield {kind: (path, address) for kind, path in paths.items()}


@pytest.fixture(scope="module")
def every(pages, known, people, address):
    """Path and server of every kind of page."""
    return {kind: (path, address) for kind, path in pages.items()} | known | people


def visit_of(kind, code, page, owner_token, **more):
    path, address = page
    one = {"name": f"{kind}-{code}", "path": f"/{code}{path}", "address": address, **more}
    return one | SENT.get(kind, {}) | ({"cookie": owner_token} if kind in OWNERS else {})


@pytest.fixture(scope="module")
def walked(visit, every, owner_token):
    """Each kind of page in each language, every control of it sought with Tab."""
    return visit(
        [visit_of(kind, code, page, owner_token, tabs=True) for kind, page in every.items() for code in CODES]
    )


def test_scripts_of_a_page_are_small(walked):
    sent = {name: met["scripts"] for name, met in walked.items() if name[:-3] not in BESIDE_THE_BUDGET}
    assert max(sent.values()) > 0
    assert {name: size for name, size in sent.items() if size > SCRIPT_BYTES_MAX} == {}


def test_nobody_else_is_asked_and_nothing_goes_wrong(walked):
    assert {name: met["foreign"] for name, met in walked.items() if met["foreign"]} == {}
    assert {name: met["errors"] for name, met in walked.items() if met["errors"]} == {}
    assert {
        name: met["violations"] for name, met in walked.items() if met["violations"] and "browse" not in name
    } == {}


def test_each_page_is_the_one_meant(walked):
    odd = {name: met["status"] for name, met in walked.items() if met["status"] != 200}
    assert odd == {f"{kind}-{code}": status for kind, status in ODD.items() for code in CODES}


def test_tab_comes_to_every_control(walked):
    assert {name: met["unreached"] for name, met in walked.items() if met["unreached"]} == {}


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("width", WIDTHS)
def test_pictures_of_all_kinds(visit, every, owner_token, request, width):
    folder = request.config.getoption("--gallery", default=None)
    if not folder:
        pytest.skip("no gallery asked for (--gallery)")
    Path(folder).mkdir(parents=True, exist_ok=True)
    wanted = [
        visit_of(kind, code, page, owner_token, width=int(width), height=WIDTHS[width], whole=True)
        for kind, page in every.items()
        for code in CODES
    ]
    for one in wanted:
        one["picture"] = str(Path(folder).resolve() / f"{one['name']}-{width}.png")
    met = {}
    for at in range(0, len(wanted), AT_ONCE):
        met |= visit(wanted[at : at + AT_ONCE])
    assert {name: m["scroll"] for name, m in met.items() if m["scroll"] > 0} == {}
    assert len(list(Path(folder).glob(f"*-{width}.png"))) >= len(wanted)
