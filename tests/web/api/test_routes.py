"""Every route over a real root: what it answers is what the View answers, page by page, for each reader."""

import gzip
import io
import math

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nexome.access.answers import ASSOCIATION_COLUMNS
from nexome.model.fields import FIELDS
from nexome.testing import small_centre
from nexome.web.api.encode import ARROW, TSV
from nexome.web.api.routes import ROUTES

STUDY = "SC0004"
PRIVATE = small_centre.PRIVATE
PROTEINS = small_centre.PROTEINS


def _all_rows(ask, path, *, owner=False, **query):
    """Pages put together, following `next`; and how many there were."""
    whole, pages = None, 0
    url = path
    while url:
        answer = ask(url, owner=owner, **query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        columns = page["data"]
        if whole is None:
            whole = {name: list(values) for name, values in columns.items()}
        else:
            for name, values in columns.items():
                whole[name] += values
        pages += 1
        url, query = page["next"], {}
    return whole, pages


def _as_shown(table: pa.Table):
    frame = table.to_pydict()
    return {
        n: [None if isinstance(v, float) and math.isnan(v) else v for v in values]
        for n, values in frame.items()
    }


def _same(shown, expected):
    assert list(shown) == list(expected)
    for name, values in expected.items():
        close = [
            a == b or (isinstance(a, float) and a == pytest.approx(b))
            for a, b in zip(shown[name], values, strict=True)
        ]
        assert all(close), name


def test_health_says_version_and_sequence(ask, view):
    answer = ask("health")
    assert answer.json()["data"]["status"] == "ok"
    assert answer.json()["data"]["sequence"] == view.open.sequence
    assert answer.headers["cache-control"] == "no-store"


def test_fields_are_all_declared_ones(ask):
    assert ask("fields").json()["data"]["name"] == list(FIELDS)


def test_studies_are_those_a_reader_may_know_of(ask, small):
    shown, _ = _all_rows(ask, "studies", page_size=5)
    assert sorted(shown["study_id"]) == sorted(set(small.studies) - {PRIVATE})
    owned, pages = _all_rows(ask, "studies", owner=True, page_size=5)
    assert sorted(owned["study_id"]) == sorted(small.studies)
    assert pages == -(-len(small.studies) // 5)


def test_studies_are_searched_in_both_languages(ask):
    for words in ("glucose", "血糖"):
        assert STUDY in ask("studies", search=words).json()["data"]["study_id"]


def test_one_study_and_its_traits(ask):
    study = ask(f"studies/{STUDY}").json()["data"]
    assert study["study_id"] == STUDY
    assert study["may_read"] is True
    assert study["trait_count"] == 1
    traits, _ = _all_rows(ask, f"studies/{PROTEINS}/traits", page_size=2)
    assert len(set(traits["trait_id"])) == 6


def test_a_private_study_is_as_unknown_as_none(ask):
    for route in ROUTES:
        if "{study}" not in route.path:
            continue
        hidden = ask(route.path.replace("{study}", PRIVATE).lstrip("/"))
        absent = ask(route.path.replace("{study}", "NO-SUCH").lstrip("/"))
        assert hidden.status_code == absent.status_code == 404
        assert hidden.json()["error"]["code"] == absent.json()["error"]["code"]
        assert ask(route.path.replace("{study}", PRIVATE).lstrip("/"), owner=True).status_code == 200


def test_phewas_is_that_of_the_view(ask, view, small):
    for owner, as_seen in ((False, view.open), (True, view.owner)):
        shown, pages = _all_rows(ask, f"phewas/{small.variant}", owner=owner, page_size=7)
        _same(shown, _as_shown(as_seen.phewas(small.variant)))
        assert pages > 1
        assert (PRIVATE in shown["study_id"]) is owner


def test_phewas_understands_every_spelling_and_keeps_what_is_asked(ask, small):
    contig, position, ref, alt = small.variant.split("-")
    expected = ask(f"phewas/{small.variant}").json()["data"]
    for spelling in (small.rsid, f"chr{contig}:{position}:{ref}:{alt}", f"{contig}_{position}_{ref}/{alt}"):
        assert ask(f"phewas/{spelling}").json()["data"] == expected
    strong = ask(f"phewas/{small.variant}", min_neg_log_10_p=5, studies=STUDY, columns="beta,trait").json()[
        "data"
    ]
    assert list(strong) == ["beta", "trait"]
    assert len(strong["beta"]) <= 1


@pytest.mark.parametrize("page_size", [1, 13, 1000])
def test_a_region_in_pages_is_the_region(ask, view, small, page_size):
    contig, position = small.variant.split("-")[:2]
    region = f"{contig}:{max(1, int(position) - 2_000_000)}-{int(position) + 2_000_000}"
    studies = [STUDY, "SC0005"] if page_size == 1 else None
    query = {"studies": ",".join(studies)} if studies else {}
    shown, _ = _all_rows(ask, f"regions/{region}", page_size=page_size, **query)
    _same(shown, _as_shown(view.open.region(region, studies=studies)))


def test_a_region_may_be_a_gene(ask, small):
    gene = ask(f"genes/{small.gene}").json()["meta"]["gene"]
    region = f"{gene['chromosome']}:{gene['start']}-{gene['end']}"
    assert ask(f"regions/{small.gene}").json()["data"] == ask(f"regions/{region}").json()["data"]


def test_a_whole_study_in_pages_is_the_study(ask, view):
    expected = pa.Table.from_batches(view.open.associations(STUDY))
    shown, pages = _all_rows(ask, f"studies/{STUDY}/associations", page_size=700)
    _same(shown, _as_shown(expected))
    assert pages == -(-expected.num_rows // 700)


def test_a_region_of_a_study_in_pages(ask, view):
    expected = pa.Table.from_batches(list(view.open.associations(STUDY, interval="1")))
    shown, _ = _all_rows(ask, f"studies/{STUDY}/associations", region="1:1-10000000", page_size=3)
    inside = [p for p in expected["base_pair_location"].to_pylist() if p <= 10_000_000]
    assert shown["base_pair_location"] == inside


def test_top_and_loci_are_those_of_the_view(ask, view):
    for order in ("p", "position"):
        shown, _ = _all_rows(ask, f"studies/{STUDY}/top", order=order, page_size=3)
        _same(shown, _as_shown(view.open.top(STUDY, order=order)))
    shown, _ = _all_rows(ask, f"studies/{STUDY}/loci", page_size=2)
    _same(shown, _as_shown(view.open.loci(STUDY)))


def test_summary_has_the_numbers_and_the_plots(ask, view):
    shown = ask(f"studies/{STUDY}/summary").json()["data"]
    summary = view.open.summary(STUDY)
    assert shown["lambda_gc"] == pytest.approx(summary.lambda_gc)
    assert shown["cell_count"] == summary.cells
    assert len(shown["qq"]["expected"]) == len(shown["qq"]["observed"]) > 10
    lines = shown["manhattan"]
    assert all(a < b for a, b in zip(lines["neg_log_10_p_from"], lines["neg_log_10_p_to"], strict=True))


def test_a_receipt_is_for_its_owner(ask, view):
    assert ask(f"studies/{STUDY}/receipt", owner=True).json()["data"] == view.owner.receipt(STUDY)
    refused = ask(f"studies/{STUDY}/receipt")
    assert refused.status_code == 403
    assert refused.json()["error"]["reason"] == "needs_receipt"


def test_variant_says_what_a_spelling_means(ask, small):
    contig, position, ref, alt = small.variant.split("-")
    asked = ask(f"variants/{contig}-{position}-{alt}-{ref}").json()["data"]
    assert asked["id"] == small.variant
    assert asked["swapped"] is True
    assert asked["rsid"] == small.rsid
    assert "locus" not in asked


def test_lookup_by_get_and_post_names_the_unknown(ask, client, view, small):
    variants = [small.rsid, "1-5-A-G", small.variant]
    got = ask("lookup", variants=",".join(variants), studies=STUDY).json()
    posted = client.request("POST", "lookup", json={"variants": variants, "studies": [STUDY]}).json()
    assert got["data"] == posted["data"]
    assert got["meta"]["unknown"] == posted["meta"]["unknown"] == ["1-5-A-G"]
    _same(got["data"], _as_shown(view.open.lookup(variants, studies=[STUDY])))


def test_gene_gives_the_best_of_each_trait(ask, view, small):
    answer = ask(f"genes/{small.gene}", flank=1000).json()
    assert answer["meta"]["gene"]["symbol"] == small.gene
    _same(answer["data"], _as_shown(view.open.gene(small.gene, flank_bp=1000).best))


def test_search_and_suggest_find_what_a_text_means(ask, small):
    assert "variant" in ask("search", q=small.rsid).json()["data"]["kind"]
    assert small.gene in ask("suggest", q=small.gene[:-1]).json()["data"]["id"]
    assert PRIVATE not in ask("search", q="Unpublished glucose").json()["data"]["id"]
    assert PRIVATE in ask("search", q="Unpublished glucose", owner=True).json()["data"]["id"]


def test_tsv_and_arrow_hold_the_same_rows_and_point_on(ask, small):
    path = f"phewas/{small.variant}"
    shown = ask(path, page_size=5).json()
    tsv = ask(path, headers={"Accept": TSV}, page_size=5)
    arrow = ask(path, headers={"Accept": ARROW}, page_size=5)
    assert tsv.headers["content-type"] == TSV
    read = pd.read_csv(io.StringIO(tsv.text), sep="\t")
    assert read["trait"].tolist() == shown["data"]["trait"]
    table = pa.ipc.open_stream(arrow.content).read_all()
    assert table["trait"].to_pylist() == shown["data"]["trait"]
    assert b"unit" in table.schema.field("base_pair_location").metadata
    for answer in (tsv, arrow):
        assert answer.headers["link"] == f'<{shown["next"]}>; rel="next"'.replace(
            "?page_size=5", "?page_size=5"
        )


def test_download_as_ssf_and_parquet_is_the_whole_study(ask, view):
    expected = pa.Table.from_batches(view.open.associations(STUDY))
    ssf = ask(f"studies/{STUDY}/download")
    assert ssf.headers["content-disposition"] == f'attachment; filename="{STUDY}.tsv.gz"'
    frame = pd.read_csv(
        io.BytesIO(gzip.decompress(ssf.content)), sep="\t", na_values="#NA", dtype={"chromosome": str}
    )
    assert frame.columns[:4].tolist() == ["chromosome", "base_pair_location", "effect_allele", "other_allele"]
    assert frame["base_pair_location"].tolist() == expected["base_pair_location"].to_pylist()
    parquet = ask(f"studies/{STUDY}/download", format="parquet")
    table = pq.read_table(io.BytesIO(parquet.content))
    assert table.column_names == list(ASSOCIATION_COLUMNS)
    assert table["beta"].to_pylist() == expected["beta"].to_pylist()


def test_a_study_of_several_traits_asks_which(ask):
    answer = ask(f"studies/{PROTEINS}/associations")
    assert answer.status_code == 200 or "trait" in answer.json()["error"]["message"]
    trait = ask(f"studies/{PROTEINS}/traits").json()["data"]["trait_id"][0]
    shown = ask(f"studies/{PROTEINS}/associations", trait=trait).json()["data"]
    assert set(shown["trait_id"]) == {trait}
