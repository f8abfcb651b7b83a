"""LD over HTTP: what the View answers, for whom it answers it, and errors that say what to do."""

import io

import numpy as np
import pyarrow as pa
import pytest

from nexome.access.centre import Centre
from nexome.access.ld_answers import CLUMP_COLUMNS, LD_COLUMNS, MATRIX_COLUMNS
from nexome.access.ld_panels import PANEL_COLUMNS
from nexome.testing.ld_root import make_ld_root
from nexome.web.api.encode import ARROW

OWNER = "nxm_owner-of-the-ld-tests"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_ld_root(tmp_path_factory.mktemp("ld") / "root")


@pytest.fixture(scope="module")
def centre(made):
    with Centre.open(made.path, owner_token=OWNER) as opened:
        yield opened


@pytest.fixture(scope="module")
def get(centre, client_of):
    client = client_of(centre)

    def ask(path, *, owner=False, accept="application/json", **query):
        headers = {"Accept": accept} | ({"Authorization": f"Bearer {OWNER}"} if owner else {})
        return client.request("GET", path, params=query, headers=headers)

    return ask


def data_of(answer, columns):
    assert answer.status_code == 200, answer.text
    assert tuple(answer.json()["data"]) == columns
    return answer.json()["data"], answer.json()["meta"]


def test_panels(get):
    shown, _ = data_of(get("ld/panels"), PANEL_COLUMNS)
    assert set(shown["panel"]) == {"EAST"}
    owned, _ = data_of(get("ld/panels", owner=True), PANEL_COLUMNS)
    assert set(owned["panel"]) == {"EAST", "CLINIC"}


def test_a_region(get, made, centre):
    answer = get("ld", variant=made.id(40), region="1:10000-20000", population="CHB")
    shown, meta = data_of(answer, LD_COLUMNS)
    wanted = centre.owner_view().ld(made.id(40), "1:10000-20000", population="CHB")
    assert shown["r2"] == pytest.approx([None if np.isnan(v) else v for v in wanted.r2.tolist()], abs=1e-6)
    assert (meta["panel"], meta["population"], meta["people"]) == ("EAST", "CHB", 60)
    assert meta["method"] == "haplotypes"
    assert meta["variant"]["effect_allele"] == "G"
    assert meta["region"] == "1:10000-20000"
    arrow = get("ld", variant=made.id(40), region="1:10000-20000", population="CHB", accept=ARROW)
    table = pa.ipc.open_stream(io.BytesIO(arrow.content)).read_all()
    assert table["r2"].to_pylist() == wanted.table()["r2"].to_pylist()
    text = get("ld", variant=made.id(40), region="1:10000-20000", format="tsv", columns="rsid,r2").text
    assert text.splitlines()[0] == "rsid\tr2"


def test_the_population_nearest_to_a_study(get, made):
    _, meta = data_of(get("ld", variant=made.id(40), study="GLUCOSE"), LD_COLUMNS)
    assert (meta["population"], meta["population_chosen_by"]) == ("EAS", "ancestry")


def test_proxies(get, made):
    shown, meta = data_of(get("ld/proxies", variant=made.id(40), r2=0.3), LD_COLUMNS)
    assert shown["r2"] == sorted(shown["r2"], reverse=True)
    assert meta["min_r2"] == 0.3
    none, _ = data_of(get("ld/proxies", variant=made.id(40), r2=1, window=10), LD_COLUMNS)
    assert none["r2"] == []


def test_a_matrix(get, made):
    shown, meta = data_of(get("ld/matrix", variants=f"{made.id(3)},{made.id(40)},rs9"), MATRIX_COLUMNS)
    assert len(shown["r2"]) == 1
    assert meta["missing"] == ["rs9"]
    assert meta["variants"] == [made.id(3), made.id(40)]
    region, _ = data_of(get("ld/matrix", region="1:10000-14000"), MATRIX_COLUMNS)
    assert len(region["r2"]) > 1


def test_clumps(get, made, centre):
    shown, meta = data_of(get("studies/GLUCOSE/clumps", p2=0.05, r2=0.1), CLUMP_COLUMNS)
    assert meta["clumps"] == sum(shown["index_variant"])
    assert meta["options"] == {"p1": 1e-4, "p2": 0.05, "r2": 0.1, "window_bp": 250_000}
    assert get("studies/SECRET/clumps").status_code == 404
    assert get("studies/SECRET/clumps", owner=True).status_code == 200


def test_errors(get, made):
    few = get("ld", variant=made.id(40), population="FEW")
    assert (few.status_code, few.json()["error"]["reason"]) == (403, "few_people")
    assert get("ld", variant=made.id(40), panel="CLINIC").status_code == 404
    assert get("ld", variant="nonsense").status_code == 400
    assert get("ld").status_code == 400
    flat = get("ld", variant=made.id(7), population="EAS")
    assert (flat.status_code, "YRI" in flat.json()["error"]["todo"]) == (400, True)
    assert get("studies/GLUCOSE/clumps", p1=2).status_code == 400
    assert get("ld/matrix").status_code == 400


def test_answers_of_a_private_panel_are_not_kept(get, made):
    answer = get("ld", variant=made.id(40), panel="CLINIC", owner=True)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["cache-control"]


def test_no_answer_holds_a_person(get, made):
    """No route gives samples or genotypes; names of people are nowhere in an answer."""
    for path, query in (
        ("ld/panels", {}),
        ("ld", {"variant": made.id(40)}),
        ("ld/matrix", {"variants": f"{made.id(3)},{made.id(40)}"}),
    ):
        text = get(path, owner=True, **query).text
        assert "E12" not in text
        assert "C12" not in text
