"""`nexome search` finds variants and sections of the documentation, and follows what commands publish."""

import pytest

from nexome.testing.small_search import make_small_search

TERMS = """id\tlabel\tsynonyms\tparents
NXDEMO:6\tdiabetes mellitus\tdiabetes\t
NXDEMO:7\ttype 2 diabetes\t\tNXDEMO:6
"""
CATALOG = """PUBMEDID\tSNPS\tP-VALUE\tMAPPED_TRAIT\tMAPPED_TRAIT_URI\tREPORTED GENE(S)
1\trs7903146\t2E-80\ttype 2 diabetes\tNXDEMO:7\tTCF7L2
"""
HEAD = (
    *("chromosome", "base_pair_location", "effect_allele", "other_allele", "beta", "standard_error"),
    *("effect_allele_frequency", "p_value", "rsid"),
)


@pytest.fixture
def root(own, tmp_path, nexome):
    make_small_search(own.path)
    (tmp_path / "terms.tsv").write_text(TERMS, "utf-8")
    nexome("knowledge", "load", tmp_path / "terms.tsv", "--root", own.path)
    nexome("search", "index", "--root", own.path)
    return own.path


def found(nexome, root, text, kind):
    """Why each thing of a kind was found, and through what; those only alike in meaning apart."""
    head, *rows = nexome("search", "find", text, "--kind", kind, "--root", root).stdout.splitlines()
    told = [dict(zip(head.split("\t"), row.split("\t"), strict=True)) for row in rows]
    return {row["id"]: (row["why"], row["through"]) for row in told if row["why"] != "similar"}


def test_a_source_that_is_loaded_and_withdrawn_is_followed(root, tmp_path, nexome):
    assert found(nexome, root, "diabetes", "variant") == {}
    (tmp_path / "catalog.tsv").write_text(CATALOG, "utf-8")
    said = nexome("knowledge", "load", tmp_path / "catalog.tsv", "--root", root)
    assert "Search index built again" in said.stderr
    assert found(nexome, root, "diabetes", "variant") == {"rs7903146": ("subtype", "type 2 diabetes")}
    nexome("knowledge", "withdraw", "catalog", "--root", root, "--reason", "a test", "--yes")
    assert found(nexome, root, "diabetes", "variant") == {}


def test_a_study_that_is_imported_and_withdrawn_is_followed(root, tmp_path, nexome):
    rows = [f"10\t{1000 * n}\tG\tA\t0.01\t0.02\t0.3\t0.62\trs{n}\n" for n in range(1, 60)]
    rows.append("10\t112998590\tT\tC\t0.3\t0.02\t0.3\t7e-51\trs7903146\n")
    (tmp_path / "t2d.tsv").write_text("\t".join(HEAD) + "\n" + "".join(rows), "utf-8")
    words = ("import", "associations", "--root", root, "--study", "T2D", "--assembly", "GRCh38", "--n", 9000)
    nexome(*words, "--trait", "Sugar", "--ontology", "NXDEMO:7", tmp_path / "t2d.tsv")
    assert found(nexome, root, "diabetes", "variant") == {"rs7903146": ("subtype", "type 2 diabetes")}
    assert found(nexome, root, "diabetes", "study")["T2D"] == ("subtype", "type 2 diabetes")
    nexome("withdraw", "T2D", "--root", root, "--reason", "a test", "--yes")
    assert found(nexome, root, "diabetes", "variant") == {}


@pytest.mark.parametrize("text", ["how do I import a cohort", "怎么导入队列", "导入队列"])
def test_a_question_finds_the_section_that_answers_it(root, nexome, text):
    first = next(iter(found(nexome, root, text, "page")))
    assert first in ("docs/cohorts#importing", "docs/cohorts")
