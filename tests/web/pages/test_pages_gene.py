"""The page of a gene: all its places, its best associations, its model; and the pages of traits beside it."""

import re

import pyarrow as pa
import pytest
from markupsafe import escape

from nexome.access.centre import Centre
from nexome.app import create_app
from nexome.model.genome import Interval, assembly_from_contigs
from nexome.store.genes import import_genes
from nexome.store.root import create_root
from nexome.testing.small_centre import PRIVATE

TOY = assembly_from_contigs("toy", "Homo sapiens", [("X", 90_000), ("Y", 60_000)])
TWICE = [
    {
        "gene_symbol": "PLCXD1",
        "gene_id": gene,
        "gene_type": "protein_coding",
        "chromosome": chromosome,
        "start": 1_000,
        "end": 9_000,
        "strand": "+",
    }
    for gene, chromosome in (("ENSG00000182378.15", "X"), ("ENSG00000182378.15_PAR_Y", "Y"))
]


@pytest.fixture(scope="module")
def twice(tmp_path_factory, browser_of):
    """A centre without studies, with a gene on X and Y."""
    path = tmp_path_factory.mktemp("twice") / "root"
    create_root(path, assembly=TOY)
    import_genes(path, TOY, pa.Table.from_pylist(TWICE), source="test", sha256="0" * 64)
    with Centre.open(path) as centre:
        yield browser_of(create_app(centre))


@pytest.fixture
def best(centre, small):
    """The strongest p of each trait in the gene and 10 kb beside it, by a plain walk over all cells."""
    view = centre.view_for(None)
    (gene,) = view.genes_named(small.gene)
    rank = view.assembly.rank(gene.chromosome)
    rows = view.region(Interval(rank, max(1, gene.start - 10_000), gene.end + 10_000)).to_pylist()
    found = {}
    for row in rows:
        key = (row["study_id"], row["trait_id"])
        found[key] = max(found.get(key, 0.0), row["neg_log_10_p_value"])
    return found


def rows_of_table(page):
    card = page[page.index("Best association of each trait") :]
    body = card[card.index("<tbody>") : card.index("</tbody>")]
    return re.findall(r"<tr>.*?</tr>", body, re.DOTALL)


def test_the_best_association_of_each_trait_is_listed_strongest_first(browser, small, best):
    page = browser.get(f"/en/genes/{small.gene}").text
    links = [re.findall(r'href="/en/studies/([^"?]+)\?trait=([^"]+)"', row)[0] for row in rows_of_table(page)]
    assert set(links) == set(best)
    strengths = [best[link] for link in links]
    assert strengths == sorted(strengths, reverse=True)
    strong = sum(p >= 7.30103 for p in best.values())
    assert f"{strong} of {len(best)} traits are associated" in page


def test_hidden_studies_are_not_in_it(browser, small):
    address = f"/en/genes/{small.gene}"
    assert PRIVATE not in browser.get(address).text
    assert PRIVATE in browser.get(address, owner=True).text


def test_the_model_has_its_exons_and_the_table_its_transcripts(browser, small, centre):
    svg = browser.get(f"/en/genes/{small.gene}/figure.svg").text
    assert svg.count('class="bar-gene"') == 6  # three exons, each with its coding part
    (gene,) = centre.owner_view().genes_named(small.gene)
    (transcript,) = centre.owner_view().transcripts_of(gene).to_pylist()
    assert transcript["gene_symbol"] == small.gene
    assert transcript["transcript_id"] in browser.get(f"/zh/genes/{small.gene}").text


def test_more_beside_the_gene_gives_more_variants(browser, small):
    counts = [
        browser.get(f"/en/genes/{small.gene}/figure.tsv?flank={flank}").text.count("\n")
        for flank in ("0", "10kb", "50kb", "250kb")
    ]
    assert counts == sorted(counts)
    assert counts[-1] >= counts[0] >= 2  # the head and at least the variant the gene was made around


def test_an_identifier_and_the_search_box_lead_to_the_gene(browser, small, centre):
    (gene,) = centre.owner_view().genes_named(small.gene)
    assert f'<h1 class="gene">{small.gene}</h1>' in browser.get(f"/en/genes/{gene.id}").text
    found = browser.get(f"/en/search?q={small.gene}")
    assert found.status_code == 200 or found.headers["location"] == f"/en/genes/{small.gene}"
    assert f"/en/genes/{small.gene}" in found.text + found.headers.get("location", "")


def test_a_gene_at_two_places_shows_both(twice, markup):
    page = twice.get("/en/genes/plcxd1").text
    assert "PLCXD1 lies at 2 places of the genome" in page
    assert "X:1,000–9,000" in page
    assert "Y:1,000–9,000" in page
    assert "PLCXD1 在基因组上有 2 处" in twice.get("/zh/genes/PLCXD1").text
    assert len(markup(page).all("figure")) == 2
    assert len({a.get("id") for a in markup(page).all("figure")}) == 2
    for place in ("0", "1"):
        assert twice.get(f"/en/genes/PLCXD1/figure.svg?place={place}").status_code == 200
    assert twice.get("/en/genes/PLCXD1/figure.svg?place=2").status_code == 400


def test_links_that_leave_say_so_and_take_nothing_along(twice, markup):
    page = twice.get("/en/genes/PLCXD1").text
    leaving = [a for a in markup(page).all("a") if a["href"].startswith("http")]
    assert {a["href"] for a in leaving} == {
        "https://www.ensembl.org/id/ENSG00000182378",
        "https://platform.opentargets.org/target/ENSG00000182378",
    }
    assert all("noreferrer" in a["rel"] and "external" in a["rel"] for a in leaving)
    assert "leaves this centre" in page


def test_an_unknown_gene_names_its_neighbours_in_the_alphabet(browser, small):
    answer = browser.get(f"/en/genes/{small.gene[:-1]}Q")
    assert answer.status_code == 404
    near = browser.get("/en/genes/GENE1QQ")
    assert near.status_code == 404
    none = browser.get(f"/en/genes/{small.gene}/figure.json")
    assert none.status_code == 404
    assert browser.get(f"/en/genes/{small.gene}?flank=2kb").status_code == 400


@pytest.mark.parametrize("owner", [False, True])
def test_traits_are_listed_by_category(browser, centre, owner):
    view = centre.owner_view() if owner else centre.view_for(None)
    page = browser.get("/en/traits", owner=owner).text
    for category, count in view.categories().items():
        shown = str(escape(category)) or "without a category"
        assert re.search(rf">{re.escape(shown)} <span>{count}</span>", page), category
        listed = browser.get("/en/traits", owner=owner, params={"category": category or "-"}).text
        body = listed[listed.index("<tbody>") :]
        assert body.count("<tr>") == count
        assert owner or PRIVATE not in listed


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("n", lambda view, study: view.outcomes()[study].people),
        ("loci", lambda view, study: view.outcomes()[study].loci),
        ("lambda", lambda view, study: view.outcomes()[study].lambda_gc),
    ],
)
def test_studies_are_sorted_by_what_they_found(browser, centre, sort, value):
    page = browser.get(f"/en/studies?sort={sort}").text
    studies = re.findall(r'<th scope="row"><a href="/en/studies/([^"]+)"', page)
    view = centre.view_for(None)
    known = [s for s in studies if s in view.outcomes()]
    assert studies[: len(known)] == known  # those of several traits stand last
    values = [value(view, study) for study in known]
    assert values == sorted(values, reverse=True)
    assert len(known) > 15
