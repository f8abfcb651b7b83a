"""The explorer without scripts: what each address shows, in every language, and what it says of bad ones."""

import re
from dataclasses import replace
from html import unescape
from itertools import pairwise
from urllib.parse import urlencode

import numpy as np
import pytest

from nexome.access.centre import Centre
from nexome.app import create_app
from nexome.model.genome import Stretch, assembly_from_contigs
from nexome.store.genes import import_genes
from nexome.store.root import open_root
from nexome.testing.associations import tiny_block, tiny_root, tiny_study
from nexome.testing.ld_root import make_ld_root
from nexome.testing.small_centre import HOSTILE, PRIVATE, PROTEINS, SMALL, make_small_centre
from nexome.testing.small_tracks import make_small_tracks
from nexome.web.pages.explore_pictures import GeneBar, Points, place_genes
from nexome.web.pages.explore_scale import GenomeScale, base_text, place_text, stretch_at, zoomed
from nexome.web.pages.language import languages

CODES = sorted(languages())
TWO = assembly_from_contigs("two", "", [("1", 1_000_000), ("2", 400_000)])


def explore(browser, code="en", *, owner=False, path="", **query):
    return browser.get(f"/{code}/explore{path}?{urlencode(query)}", owner=owner)


@pytest.fixture
def place(small):
    """A region around a strong variant."""
    chromosome, position, *_ = small.variant.split("-")
    return f"{chromosome}:{max(1, int(position) - 400_000)}-{int(position) + 400_000}"


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    "region", ["genome", "place", "3", "1:200000000-3:20000000", "5:1000-1060", "gene", "rsid"]
)
def test_every_width_has_pictures_a_table_and_links(browser, small, markup, place, code, region):
    asked = {"place": place, "gene": small.gene, "rsid": small.rsid}.get(region, region)
    answer = explore(browser, code, region=asked, studies="SC0001,SC0002")
    assert answer.status_code == 200, answer.text
    page = markup(answer.text)
    assert len(page.all("h1")) == 1
    assert len([a for a in page.all("figure") if "region" in a["class"]]) == 2
    assert not any("style" in a or any(n.startswith("on") for n in a) for _, a in page.elements)
    steps = [a["href"] for a in page.all("a") if a.get("class", "").startswith("step-")]
    assert len(steps) >= {"genome": 1, "3": 3}.get(region, 4)
    for href in steps:
        assert browser.get(href).status_code == 200
    sentence = re.search(r'class="sentence"[^>]*>([^<]+)<', answer.text)
    assert sentence
    assert "SC0001" not in sentence[1]  # the study's own title, not its identifier


def test_the_picture_shows_what_the_table_says(browser, small, place):
    answer = explore(browser, region=place, studies="SC0001")
    tsv = explore(browser, path="/figures/1.tsv", region=place, studies="SC0001")
    assert tsv.headers["content-type"].startswith("text/tab-separated-values")
    lines = [line.split("\t") for line in tsv.text.splitlines()]
    names, rows = lines[0], [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    assert {"rsid", "neg_log_10_p_value", "r2", "stands_for_bin"} <= set(names)
    strongest = max(rows, key=lambda r: float(r["neg_log_10_p_value"]))
    first = re.search(r'<th scope="row"><a href="[^"]*">([^<]+)</a>', answer.text)
    assert first[1] == strongest["rsid"]
    svg = explore(browser, path="/figures/1.svg", region=place, studies="SC0001")
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert svg.text.startswith("<svg")
    assert explore(browser, path="/figures/2.svg", region=place, studies="SC0001").status_code == 404
    assert explore(browser, path="/figures/1.png", region=place, studies="SC0001").status_code == 400


def test_other_studies_with_something_here_are_named_and_added(browser, markup, place):
    page = markup(explore(browser, region=place, studies="SC0001").text)
    adds = [a["href"] for a in page.all("a") if "studies=SC0001%2C" in a.get("href", "")]
    assert adds
    added = markup(browser.get(adds[0]).text)
    assert len([a for a in added.all("figure") if "region" in a["class"]]) == 2


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    ("region", "status"),
    [
        ("1:300000000-310000000", 400),  # behind the end of chromosome 1
        ("1:2000-1000", 400),
        ("99:1-1000", 404),
        ("what is this", 404),
        ("1:999999999999", 400),
        ("NOSUCHGENE7", 404),
        ("rs999999999", 404),
    ],
)
def test_a_region_that_means_nothing_is_said_to_mean_nothing(browser, code, region, status):
    answer = explore(browser, code, region=region)
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    assert languages()[code](f"problem.{'query' if status == 400 else 'not_found'}.title") in answer.text


@pytest.mark.parametrize("code", CODES)
def test_what_was_cut_left_out_or_is_weak_is_said(browser, small, code):
    t = languages()[code]
    cut = explore(browser, code, region="1:248000000-300000000", studies="SC0001").text
    assert t("explore.cut", contig="1", end=248_956_422, assembly="GRCh38") in cut
    many = ",".join([*(s for s in small.studies if s.startswith("SC0")), *(f"X{i}" for i in range(2_000))])
    crowded = explore(browser, code, region="2:1000000-2000000", studies=many)
    assert crowded.status_code == 200
    assert crowded.text.count('class="figure region"') == 6
    assert "6" in re.search(r'class="flag wide-flag">([^<]+)<', crowded.text)[1]
    assert t("studies.small") in explore(browser, code, region="1", studies=SMALL).text
    empty = explore(browser, code, region="1:1-2", studies="SC0001").text
    assert "explore" in empty


@pytest.mark.parametrize("code", CODES)
def test_a_study_of_chance_alone_is_said_to_be_one(tmp_path, browser_of, code):
    store = tiny_root(tmp_path / "root")
    block = tiny_block(1)
    for seed, scale in ((1, 0.02), (2, 3.0)):
        staged = store.stage(replace(tiny_study(seed), access="open"))
        staged.add(replace(block, z=np.clip(block.z * scale, -9, 9)))
        staged.publish({})
    with Centre.open(tmp_path / "root") as centre:
        browser, t = browser_of(create_app(centre)), languages()[code]
        assert t("explore.no_hits", study="Study 1") in unescape(explore(browser, code, studies="S1").text)
        assert t("explore.no_hits", study="Study 2") not in unescape(
            explore(browser, code, studies="S2").text
        )
        page = explore(browser, code, studies="S1", region="1:1-400000").text
        assert t("explore.no_panel") in page
        assert t("explore.no_genes") in page


@pytest.mark.parametrize("code", CODES)
def test_another_assemblys_positions_are_refused_with_a_way_on(browser, code):
    answer = explore(browser, code, region="1:1000-2000", assembly="hg19")
    assert answer.status_code == 400
    assert "GRCh38" in answer.text
    assert explore(browser, code, region="1:1000-2000", assembly="hg38").status_code == 200


@pytest.mark.parametrize("code", CODES)
def test_a_private_study_is_as_unknown_as_none(browser, place, code):
    private = explore(browser, code, region=place, studies=PRIVATE)
    nothing = explore(browser, code, region=place, studies="SC-NOTHING")
    assert private.status_code == nothing.status_code == 200
    assert private.text.replace(PRIVATE, "") == nothing.text.replace("SC-NOTHING", "")
    owner = explore(browser, code, region=place, studies=PRIVATE, owner=True)
    assert 'class="figure region"' in owner.text
    assert owner.headers["cache-control"] == "no-store"
    assert explore(browser, path="/figures/1.tsv", region=place, studies=PRIVATE).status_code == 404


def test_texts_that_try_to_be_markup_stay_texts(browser):
    answer = explore(browser, region="1", studies=f"{HOSTILE},<script>alert(1)</script>", ld="<img src=x>")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text


def test_a_trait_of_many_is_named_behind_its_study(browser):
    answer = explore(browser, region="genome", studies=f"{PROTEINS}/P3")
    assert "Protein 3" in answer.text
    assert explore(browser, region="genome", studies=f"{PROTEINS}/P99").text.count("wide-flag") == 1


def test_the_island_is_told_what_it_needs(browser, small):
    around = explore(browser, path="/around.json", region=small.gene).json()
    assert around["genes"]
    assert {"start", "end", "exons", "symbol", "strand", "href"} == set(around["genes"][0])
    assert not around["too_wide"]
    assert explore(browser, path="/around.json", region="genome").json() == {
        "genes": [],
        "too_wide": True,
        "tracks": [],
        "recombination": {"x": [], "y": []},
    }


# ---------------------------------------------------------------- LD, genes with two loci


@pytest.fixture(scope="module")
def linked(tmp_path_factory, browser_of):
    """A centre with LD panels, and a gene on two loci."""
    import pyarrow as pa  # noqa: PLC0415

    made = make_ld_root(tmp_path_factory.mktemp("explore-ld") / "root")
    assembly = open_root(made.path).assembly
    contig = assembly.contigs[0].name
    rows = {
        "gene_symbol": ["TWICE", "TWICE", "ONCE"],
        "gene_id": ["G1", "G2", "G3"],
        "chromosome": [contig] * 3,
        "start": [1_000, 60_000, 20_000],
        "end": [3_000, 62_000, 24_000],
        "strand": ["+", "-", "+"],
    }
    import_genes(made.path, assembly, pa.table(rows), source="test", sha256="0" * 64)
    with Centre.open(made.path) as centre:
        yield made, browser_of(create_app(centre)), centre


@pytest.mark.parametrize("code", CODES)
def test_a_gene_on_two_loci_offers_both(linked, code):
    _, browser, _ = linked
    answer = explore(browser, code, region="TWICE")
    assert answer.status_code == 200
    assert languages()[code]("explore.two_loci") in answer.text
    assert "1,000–3,000" in answer.text
    assert "60,000–62,000" in answer.text
    assert languages()[code]("explore.two_loci") not in explore(browser, code, region="ONCE").text


def test_points_are_coloured_by_the_ld_that_the_view_gives(linked):
    _, browser, centre = linked
    view = centre.view_for(None)
    study = view.studies()["study_id"][0].as_py()
    region = f"{view.assembly.contigs[0].name}:1-{view.assembly.contigs[0].length_bp}"
    window = view.window(study, None, region, points=2_000)
    strongest = int(np.nanargmax(window.table["neg_log_10_p_value"].to_numpy()))
    tsv = explore(browser, path="/figures/1.tsv", region=region, studies=study).text.splitlines()
    rows = [dict(zip(tsv[0].split("\t"), line.split("\t"), strict=True)) for line in tsv[1:]]
    name = rows[strongest]["rsid"] or "-".join(
        rows[strongest][n] for n in ("chromosome", "base_pair_location", "other_allele", "effect_allele")
    )
    keys = [window.features.key(i) for i in range(len(window.features))]
    expected = view.ld_to(name, keys, study=study)
    told = [float(r["r2"]) if r["r2"] else np.nan for r in rows]
    np.testing.assert_allclose(told, expected, atol=1e-4)
    assert np.isfinite(told).sum() > 10
    assert float(rows[strongest]["r2"]) == pytest.approx(1)
    page = explore(browser, region=region, studies=study).text
    assert 'class="mark lead"' in page
    assert "r² ≥ 0.8" in page
    assert 'class="mark lead"' not in explore(browser, region=region, studies=study, ld="none").text


def test_a_lead_that_is_nowhere_is_said_to_be(linked):
    _, browser, centre = linked
    contig = centre.view_for(None).assembly.contigs[0].name
    answer = explore(browser, region=f"{contig}:1-100000", ld="rs4294967000")
    assert answer.status_code == 200
    assert "Not coloured by LD" in answer.text


def test_tracks_and_recombination_lie_under_the_same_axis(tmp_path, browser_of):
    small = make_small_centre(tmp_path / "root", variants=500)
    root = open_root(small.path)
    make_small_tracks(root, tmp_path / "files")
    with Centre.open(small.path, owner_token="nxm_owner-token-of-the-page-tests") as centre:
        browser, view = browser_of(create_app(centre)), centre.view_for(None)
        region = "1:1000001-2000000"
        page = explore(browser, region=region, studies="SC0001").text
        assert "Made-up peaks" in page
        assert "Made-up signal" in page
        assert ">hidden<" not in page  # private
        assert ">hidden<" in explore(browser, region=region, studies="SC0001", owner=True).text
        told = explore(browser, path="/around.json", region=region).json()
        peaks = next(t for t in told["tracks"] if t["title"] == "Made-up peaks")
        kept = view.track("peaks", region)
        starts = np.maximum(kept["start"].to_numpy().astype(float) - 1, 1_000_000)
        np.testing.assert_allclose(peaks["ends"][0], starts, atol=1.5)
        signal = next(t for t in told["tracks"] if t["title"] == "Made-up signal")
        values = view.track("signal", region, 600)["value"].to_numpy()
        np.testing.assert_allclose(np.array(signal["heights"]) * signal["top"], values, rtol=1e-5)
        rates = view.recombination(region)
        assert len(told["recombination"]["x"]) == 2 * rates.num_rows
        assert max(told["recombination"]["y"]) == pytest.approx(
            min(1, max(rates["recombination_rate"].to_pylist()) / 100)
        )


# ---------------------------------------------------------------- arithmetic


def test_windows_zoom_and_move_on_the_genome():
    where = Stretch(0, 400_001, 0, 500_000)
    assert zoomed(where, TWO, factor=2) == Stretch(0, 425_000, 0, 474_999)
    assert zoomed(where, TWO, factor=1, shift=-0.5) == Stretch(0, 350_000, 0, 449_999)
    assert zoomed(where, TWO, factor=1, shift=-99) == Stretch(0, 1, 0, 100_000)
    assert zoomed(where, TWO, factor=1 / 20) == Stretch(0, 1, 0, 1_000_000)
    assert zoomed(Stretch(0, 1, 0, 1_000_000), TWO, factor=1 / 3) == Stretch(0, 1, 1, 400_000)
    whole = GenomeScale(Stretch(0, 1, 1, 400_000), TWO)
    assert stretch_at(whole.left, whole.right, whole.contigs) == Stretch(0, 1, 1, 400_000)
    for step in range(1, 40):
        where = zoomed(where, TWO, factor=1.7)
        assert where.end - where.start + 1 >= 20, step


def test_ticks_lie_where_they_say():
    scale = GenomeScale(Stretch(1, 100_001, 1, 200_000), TWO)
    for share, text in scale.ticks():
        position = float(text.removesuffix(" Mb")) * 1e6
        assert share == pytest.approx((position - 100_000.5) / 100_000, abs=1e-6)
    assert base_text(12_345, 5) == "12,345"
    assert place_text(Stretch(1, 100_001, 1, 110_000), TWO) == "2:100,001–110,000"


def test_genes_do_not_overlap_and_points_have_their_class():
    rng = np.random.default_rng(1)
    starts = np.sort(rng.random(80))
    bars = [GeneBar(s, s + 0.01, (), f"GENE{i}", "+", "") for i, s in enumerate(starts.tolist())]
    rows = place_genes(bars, most=5)
    assert len(rows) == 5
    for row in rows:
        assert all(a.end < b.start for a, b in pairwise(row))
    points = Points(np.zeros(6), np.zeros(6), np.array([0.0, 0.2, 0.41, 0.6, 0.95, np.nan]))
    assert points.ld_class().tolist() == [0, 1, 2, 3, 4, -1]
