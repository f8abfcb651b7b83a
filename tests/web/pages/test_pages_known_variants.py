"""Variants that sources of knowledge speak of: found, told why in the reader's language, led to a page."""

import re

import pytest

from nexome.access.centre import Centre
from nexome.access.indexing import build_index
from nexome.app import create_app
from nexome.store.disk import RootLock
from nexome.store.knowledge import NewSource, load_source
from nexome.store.root import open_root
from nexome.testing.small_centre import make_small_centre
from nexome.testing.small_search import make_small_search

TERMS = """id\tlabel\tsynonyms\tparents\txrefs
NXDEMO:6\tdiabetes mellitus\tdiabetes\t\t
NXDEMO:7\ttype 2 diabetes\t\tNXDEMO:6\t
NXALSO:7\tlate-onset sugar disease\t\t\tNXDEMO:7
"""
CHINESE = """source_language\ttranslation_language\tsubject_id\tpredicate_id\tsource_value\ttranslation_value
en\tzh\tNXDEMO:6\trdfs:label\tdiabetes mellitus\t糖尿病
en\tzh\tNXDEMO:7\trdfs:label\ttype 2 diabetes\t2型糖尿病
"""
CATALOG = """PUBMEDID\tSNPS\tP-VALUE\tMAPPED_TRAIT\tMAPPED_TRAIT_URI\tREPORTED GENE(S)
1\t{rsid}\t2E-80\ttype 2 diabetes\tNXDEMO:7\tTCF7L2
2\trs999000111\t2E-20\ttype 2 diabetes\tNXDEMO:7\tKCNJ11
"""
MORE = "".join(f"3\trs9990002{n:02}\t2E-9\ttype 2 diabetes\tNXDEMO:7\tNR\n" for n in range(30))
ELSEWHERE = "4\trs999000300\t2E-9\tlate-onset sugar disease\tNXALSO:7\tNR\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    small = make_small_centre(tmp_path_factory.mktemp("known") / "root", variants=300)
    make_small_search(small.path)
    files = {
        "terms.tsv": TERMS,
        "zh.tsv": CHINESE,
        "catalog.tsv": CATALOG.format(rsid=small.rsid) + MORE + ELSEWHERE,
    }
    for name, text in files.items():
        (small.path.parent / name).write_text(text, "utf-8")
        with RootLock(small.path):
            load_source(open_root(small.path), NewSource(name.partition(".")[0], [small.path.parent / name]))
    return small


@pytest.fixture(scope="module")
def known(made, browser):
    with Centre.open(made.path) as centre:
        build_index(centre)
        yield type(browser)(create_app(centre))


@pytest.mark.parametrize(
    ("language", "text", "why"),
    [
        ("en", "diabetes", "about type 2 diabetes, a kind of what was asked"),
        ("zh", "糖尿病", "关于“2型糖尿病”，属所查概念的下位"),
    ],
)
def test_a_search_finds_them_and_says_through_what_in_the_readers_language(known, made, language, text, why):
    page = known.get(f"/{language}/search", params={"q": text, "kind": "variant"}).text
    for rsid in (made.rsid, "rs999000111"):
        assert re.search(
            rf'<a href="/{language}/variants/{rsid}">{rsid}</a> <span class="quiet">[^<]*{why}', page
        )
    whole = known.get(f"/{language}/search", params={"q": text}).text
    shown = [html.count(f"/{language}/variants/rs") for html in (whole, page)]
    assert shown == [8, 32]  # the first of its kind among all; asked for alone, all
    found = known.get("/api/v1/search", params={"q": text}).json()["data"]
    assert set(found["through_zh"]) >= {"2型糖尿病"}


def test_a_term_without_a_chinese_name_is_told_by_that_of_what_means_the_same(known):
    sent = {"q": "late-onset sugar disease", "kinds": "variant", "limit": "50"}
    found = known.get("/api/v1/search/meanings", params=sent).json()["data"]
    told = dict(zip(found["id"], zip(found["through"], found["through_zh"], strict=True), strict=True))
    assert told["rs999000300"] == ("late-onset sugar disease", "2型糖尿病")


def test_a_section_of_documentation_is_found_with_its_page_in_the_readers_language(known):
    page = known.get("/zh/search", params={"q": "怎么导入队列"}).text
    link = '<a href="/zh/docs/cohorts#importing">导入队列</a> <span class="quiet">队列：受试者与变量的表 · '
    assert link in page


def test_one_that_a_study_has_leads_to_its_page_and_from_there_to_what_is_known(known, made):
    page = known.get(f"/en/variants/{made.rsid}")
    assert page.status_code == 200
    assert f'href="/en/terms/dbSNP:{made.rsid}"' in page.text
    beyond = known.get(f"/en/terms/dbSNP:{made.rsid}").text
    assert f'href="/en/variants/{made.rsid}"' in beyond
    assert "type 2 diabetes" in beyond


def test_one_that_no_study_has_leads_to_what_is_known(known):
    page = known.get("/zh/variants/rs999000111")
    assert (page.status_code, page.headers["location"]) == (303, "/zh/terms/dbSNP:rs999000111")
    page = known.get("/zh/terms/dbSNP:rs999000111")
    assert page.status_code == 200
    assert "2型糖尿病" in page.text
    assert known.get("/zh/terms/dbSNP:rs999000111/graph").status_code == 200
    for address in ("/zh/variants/rs5", "/zh/variants/dbSNP:", "/zh/terms/dbSNP:rs5", "/zh/terms/dbSNP:"):
        assert known.get(address).status_code in (400, 404)
