"""What goes wrong in an address or in data ends in a page that says what happened, in both languages."""

from html import unescape

import numpy as np
import pytest

from nexome.access.centre import Centre
from nexome.app import create_app
from nexome.model.genome import allele_key, locus_of, parse_variant
from nexome.store.genotypes import GenotypeBlock, GenotypeStore, people_table
from nexome.store.root import open_root
from nexome.testing.small_centre import QUIET, make_small_centre
from nexome.web.pages.language import languages

CODES = sorted(languages())

ASKED = {  # address: status, words in English, words in Chinese
    "explore?region=1:999000000-999100000": (400, "248,956,422", "末端"),
    "explore?region=1:2000000-1000000": (400, "start ≤ end", "起点不大于终点"),
    "explore?region=chr77:1-1000": (404, "chr77", "chr77"),
    "explore?region=1:1-100000&assembly=GRCh37": (400, "Lift them over first", "请先转换坐标"),
    "variants/rs4294967000": (404, "merged into another", "并入其他编号"),
    "variants/1-100-A-T": (404, "both alleles are right", "等位基因是否正确"),
    "genes/NO-SUCH-GENE": (404, "NO-SUCH-GENE", "NO-SUCH-GENE"),
    f"explore?region=1:1-100000&studies={QUIET}": (200, "10⁻⁴", "10⁻⁴"),
    f"studies/{QUIET}/credible-sets": (200, "no variant here has p < 10⁻⁵", "没有变异达到 p < 10⁻⁵"),
    f"coloc?a={QUIET}&b=SC0001": (200, "p < 10⁻⁵", "请指定区间"),
}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("asked", ASKED)
def test_what_happened_is_said(browser, code, asked):
    status, english, chinese = ASKED[asked]
    answer = browser.get(f"/{code}/{asked}")
    assert answer.status_code == status
    assert (chinese if code == "zh" else english) in unescape(answer.text)
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("code", CODES)
def test_ten_thousand_studies_on_one_page_are_cut_to_six_and_that_is_said(browser, code):
    names = ",".join(["SC0001", "SC0002", *(f"S{i}" for i in range(500))])
    answer = browser.get(f"/{code}/explore?region=1:1-100000&studies={names}")
    assert answer.status_code == 200
    assert "496" in answer.text  # of 502
    shown = answer.text.count('class="panel"') + answer.text.count("<figure")
    assert shown < 20


@pytest.fixture(scope="module")
def flat(tmp_path_factory, browser_of):
    """A centre whose panel has one variant that does not vary and one in which nobody is called."""
    made = make_small_centre(tmp_path_factory.mktemp("flat") / "root", variants=500)
    assembly = open_root(made.path).assembly
    one = parse_variant(made.variant, assembly)
    locus = np.full(2, locus_of(one.contig, one.position), np.uint64)
    locus[1] += np.uint64(1)
    calls = np.zeros((2, 30, 2), np.int8)
    calls[1] = -1
    block = GenotypeBlock(locus, np.full(2, allele_key(one.ref, one.alt), np.uint64), calls)
    people = people_table({"sample_id": [f"P{i}" for i in range(30)]})
    with GenotypeStore.open(made.path).stage("FLAT", people, kind="ld-panel", access="open") as staged:
        staged.add(block)
        staged.publish({"source": "test"})
    with Centre.open(made.path) as centre:
        yield f"{assembly.contigs[one.contig].name}", one, browser_of(create_app(centre))


WORDS = {"en": "does not vary", "zh": "没有变异"}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("beside", [0, 1], ids=["monomorphic", "missing"])
def test_a_variant_that_tells_nothing_colours_nothing_and_the_page_says_so(flat, code, beside):
    contig, one, browser = flat
    lead = f"{contig}-{one.position + beside}-{one.ref}-{one.alt}"
    region = f"{contig}:{max(1, one.position - 50_000)}-{one.position + 50_000}"
    answer = browser.get(f"/{code}/explore?region={region}&studies=SC0001&ld={lead}&panel=FLAT")
    assert answer.status_code == 200
    assert WORDS[code] in answer.text
