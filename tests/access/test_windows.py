"""Windows asked through a View: where they lie, who may ask, what they say; and the same over HTTP."""

import asyncio

import httpx
import numpy as np
import pytest

from nexome.access.centre import Centre
from nexome.access.windows import POINTS_MAX, WINDOW_COLUMNS, parse_window, window_text
from nexome.app import create_app
from nexome.model.errors import NotFoundError, QueryError
from nexome.model.genome import MAX_POSITION, Stretch, assembly_from_contigs, parse_interval
from nexome.testing.ld_root import make_ld_root
from nexome.testing.small_centre import PRIVATE, PROTEINS, make_small_centre

TWO = assembly_from_contigs("two", "", [("1", 1_000_000), ("2", 400_000), ("scaffold", 0)])


def find(text):
    return parse_interval(text, TWO)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("genome", Stretch(0, 1, 2, MAX_POSITION)),
        ("", Stretch(0, 1, 2, MAX_POSITION)),
        ("1", Stretch(0, 1, 0, 1_000_000)),
        ("2:5-70", Stretch(1, 5, 1, 70)),
        ("2:5kb-9Mb", Stretch(1, 5_000, 1, 400_000)),
        ("1:200,000-2:30kb", Stretch(0, 200_000, 1, 30_000)),
        ("1:900kb–2:9Mb", Stretch(0, 900_000, 1, 400_000)),
    ],
)
def test_a_window_is_read_as_people_write_it(text, where):
    assert parse_window(text, TWO, find) == where
    assert parse_window(window_text(where, TWO), TWO, find) == where


@pytest.mark.parametrize("text", ["2:400001-400002", "2:10-1:5", "1:9-1:3", "2:30-20", "1:5-2:x", "2:1-2-3"])
def test_a_window_that_is_none_is_refused(text):
    with pytest.raises(QueryError) as caught:
        parse_window(text, TWO, find)
    assert caught.value.expected


def test_an_unknown_contig_is_not_found():
    with pytest.raises(NotFoundError):
        parse_window("1:5-9:7", TWO, find)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_small_centre(tmp_path_factory.mktemp("windows") / "root", variants=4_000)


@pytest.fixture(scope="module")
def centre(small):
    with Centre.open(small.path) as opened:
        yield opened


@pytest.fixture(scope="module")
def ask(centre):
    transport = httpx.ASGITransport(create_app(centre), raise_app_exceptions=False)

    def get(path, **query):
        async def once():
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.get(f"/api/v1{path}", params=query)

        return asyncio.run(once())

    return get


def test_a_window_is_the_study_itself_where_it_is_narrow(centre):
    view = centre.view_for(None)
    found = view.window("SC0003", None, "7:1-90000000", points=POINTS_MAX)
    plain = view.region("7:1-90000000", studies=["SC0003"])
    assert found.table.column_names == list(WINDOW_COLUMNS)
    assert found.table["base_pair_location"].to_pylist() == plain["base_pair_location"].to_pylist()
    np.testing.assert_allclose(found.table["neg_log_10_p_value"], plain["neg_log_10_p_value"], rtol=1e-5)
    assert (found.cells, found.bin_width_bp, found.left_out) == (plain.num_rows, 0, 0)
    assert found.table["rsid"].to_pylist() == plain["rsid"].to_pylist()


def test_a_trait_of_several_must_be_named(centre):
    view = centre.view_for(None)
    with pytest.raises(QueryError, match="traits"):
        view.window(PROTEINS)
    assert view.window(PROTEINS, "P2").cells == 81
    with pytest.raises(NotFoundError):
        view.window(PROTEINS, "P77")


def test_a_private_study_is_as_unknown_as_none(centre):
    view = centre.view_for(None)
    for study in (PRIVATE, "SC-NOTHING"):
        with pytest.raises(NotFoundError, match="no study"):
            view.window(study)
    assert centre.owner_view().window(PRIVATE, points=50).table.num_rows


@pytest.mark.parametrize("points", [0, -1, POINTS_MAX + 1])
def test_points_have_a_limit(centre, points):
    with pytest.raises(QueryError, match="points"):
        centre.view_for(None).window("SC0001", points=points)


def test_the_strongest_of_each_trait_leads(centre, small):
    view = centre.view_for(None)
    chromosome, position, *_ = small.variant.split("-")
    where = f"{chromosome}:{int(position) - 1_000_000}-{int(position) + 1_000_000}"
    found = view.strongest_in(where, min_neg_log_10_p=4).to_pylist()
    every = view.region(where).to_pylist()
    best = {}
    for row in every:
        key = (row["study_id"], row["trait_id"])
        best[key] = max(best.get(key, 0), row["neg_log_10_p_value"])
    expected = sorted((v for v in best.values() if v >= 4), reverse=True)
    assert [r["neg_log_10_p_value"] for r in found] == pytest.approx(expected)
    assert PRIVATE not in {r["study_id"] for r in found}


def test_a_window_over_http_says_what_was_thinned(ask, centre):
    answer = ask("/studies/SC0003/window", region="genome", points=300)
    body = answer.json()
    assert answer.status_code == 200
    assert body["meta"]["region"] == "genome"
    assert len(body["data"]["chromosome"]) <= 300
    assert body["meta"]["left_out"] == body["meta"]["cells"] - len(body["data"]["chromosome"])
    assert set(body["data"]["r2"]) == {None}
    assert ask("/studies/SC0003/window", region="7:5-1").status_code == 400
    assert ask(f"/studies/{PRIVATE}/window").status_code == 404
    assert ask("/studies/SC0003/window", points=10**6).status_code == 400
    tsv = ask("/studies/SC0003/window", region="7:1-90000000", format="tsv")
    assert tsv.text.splitlines()[0].split("\t") == [*WINDOW_COLUMNS, "r2"]


def test_a_window_over_http_is_coloured_by_ld(tmp_path):
    made = make_ld_root(tmp_path / "root")
    with Centre.open(made.path) as centre:
        view = centre.view_for(None)
        study = view.studies()["study_id"][0].as_py()
        transport = httpx.ASGITransport(create_app(centre), raise_app_exceptions=False)

        async def get(**query):
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.get(f"/api/v1/studies/{study}/window", params=query)

        lead = made.id(40)
        body = asyncio.run(get(ld=lead, population="CHB")).json()
        found = view.window(study)
        keys = [found.features.key(i) for i in range(len(found.features))]
        expected = view.ld_to(lead, keys, population="CHB")
        told = np.array([np.nan if v is None else v for v in body["data"]["r2"]])
        np.testing.assert_allclose(told, expected, atol=1e-6)
        assert np.isfinite(told).sum() > 50
        assert asyncio.run(get(ld="rs4294967000")).status_code == 404
