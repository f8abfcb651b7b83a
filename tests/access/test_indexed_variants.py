"""Variants found by what they are about: those of knowledge, and the leads that a reader may read of."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from nexome.access.centre import Centre
from nexome.access.identity import Principal
from nexome.access.indexing import build_index, follow, is_behind
from nexome.access.view import View
from nexome.model.genome import allele_key
from nexome.model.terms import Access, Study, Trait
from nexome.search.records import Match
from nexome.store.associations import Block
from nexome.store.disk import RootLock
from nexome.store.knowledge import NewSource, load_source, withdraw_source
from nexome.store.root import open_root
from nexome.testing.small_centre import make_small_centre
from nexome.testing.small_search import make_small_search

TERMS = """format-version: 1.2
ontology: nxdemo

[Term]
id: NXDEMO:6
name: diabetes mellitus
synonym: "diabetes" EXACT []

[Term]
id: NXDEMO:7
name: type 2 diabetes
is_a: NXDEMO:6

[Term]
id: NXDEMO:4
name: blood lipid
"""
GWAS = """PUBMEDID\tSNPS\tP-VALUE\tMAPPED_TRAIT\tMAPPED_TRAIT_URI\tREPORTED GENE(S)
1\trs7903146\t2E-80\ttype 2 diabetes\tNXDEMO:7\tTCF7L2
2\trs7903146\t2E-90\ttype 2 diabetes\tNXDEMO:7\tTCF7L2
3\trs5219\t2E-20\tdiabetes mellitus\tNXDEMO:6\tKCNJ11
4\trs662799\t2E-30\tblood lipid\tNXDEMO:4\tAPOA5
"""
CLINVAR = """#VariationID\tName\tGeneID\tClinicalSignificance\tRS# (dbSNP)\tPhenotypeIDS\tReviewStatus
11\tNM_000207.3(INS):c.94G>A (p.Gly32Ser)\t3630\tPathogenic\t80356664\tNXDEMO:6\tcriteria provided
12\tNM_000207.3(INS):c.-22G>A\t3630\tBenign\t-1\tNXDEMO:6\tcriteria provided
13\tNM_000525.4(KCNJ11):c.602G>A (p.Arg201His)\t3767\tPathogenic\t-1\tNXDEMO:7\treviewed by expert panel
"""
CHANGE = allele_key("A", "G")


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = make_small_centre(tmp_path / "root", variants=300)
    make_small_search(made.path)
    with Centre.open(made.path) as opened:
        load(opened, "nxdemo.obo", TERMS)
        build_index(opened)
        yield opened


def load(centre: Centre, name: str, text: str, access: Access = "open") -> None:
    file = centre.root.path.parent / name
    file.write_text(text, encoding="utf-8")
    with RootLock(centre.root.path):
        load_source(open_root(centre.root.path), NewSource(name.partition(".")[0], [file], access=access))


def publish(centre: Centre, name: str, leads: dict[int, tuple[int, float]], **study: str) -> None:
    """A study of type 2 diabetes: position on chromosome 10 → rs number and z; all else is quiet."""
    access: Access = "private" if study.get("access") == "private" else "open"
    trait = Trait("t", "Adult sugar trouble", ontology=(study.get("term", "NXDEMO:7"),), n=10_000.0)
    position = np.array(sorted({*leads, *range(100_000_000, 100_050_000, 1_000)}), np.uint64)
    size = len(position)
    told = [leads.get(int(at), (0, 0.5)) for at in position]
    staged = centre.store.stage(Study(name, title=f"Study {name}", access=access, traits=(trait,)))
    block = Block(
        locus=(np.uint64(9) << np.uint64(32)) | position,
        allele=np.full(size, CHANGE, np.uint64),
        z=np.array([z for _, z in told], np.float32),
        se=np.full(size, 0.05, np.float32),
        eaf=np.full(size, 0.3, np.float32),
        rsid=np.array([rsid for rsid, _ in told], np.uint32),
        trait=np.zeros(size, np.uint32),
    )
    staged.add(block)
    staged.publish({"rows": {"in": size, "kept": size, "dropped": 0}})


def variants(view: View, text: str, limit: int = 40) -> dict[str, Match]:
    return {m.id: m for m in view.find(text, limit=limit) if m.kind == "variant"}


def test_variants_of_knowledge_are_found_by_what_they_are_about(centre: Centre) -> None:
    load(centre, "catalog.tsv", GWAS)
    assert is_behind(centre)
    follow(centre)
    view = centre.view_for(None)
    found = variants(view, "diabetes")
    assert {name: (m.why, m.through) for name, m in found.items()} == {
        "rs5219": ("about", "diabetes mellitus"),
        "rs7903146": ("subtype", "type 2 diabetes"),
    }
    assert found["rs7903146"].note == "TCF7L2"
    assert set(variants(view, "blood lipid")) == {"rs662799"}
    assert [s.id for s in view.completions("rs7903")] == ["rs7903146"]
    hit = next(hit for hit in view.search("diabetes") if hit.kind == "variant" and hit.id == "rs7903146")
    assert (hit.label, hit.why, hit.through) == ("rs7903146", "subtype", "type 2 diabetes")
    with RootLock(centre.root.path):
        withdraw_source(open_root(centre.root.path), "catalog", reason="a test")
    follow(centre)
    assert variants(view, "diabetes") == {}
    assert variants(view, "rs7903146") == {}


def test_variations_of_clinvar_are_variants_with_the_names_of_the_source(centre: Centre) -> None:
    load(centre, "clinvar.tsv", CLINVAR)
    follow(centre)
    view = centre.view_for(None)
    assert set(variants(view, "diabetes")) == {"rs80356664", "ClinVar:13"}  # a benign one is about nothing
    for text in ("NM_000207.3(INS):c.94G>A (p.Gly32Ser)", "INS c.94G>A", "INS p.Gly32Ser", "rs80356664"):
        assert view.find(text)[0].id == "rs80356664"
    assert view.find("KCNJ11 p.Arg201His")[0].id == "ClinVar:13"
    assert variants(view, "rs80356664")["rs80356664"].note == "INS"
    assert not any(
        m.kind == "term" and m.id.startswith("ClinVar:") for m in view.find("INS c.94G>A", limit=50)
    )


def test_leads_of_studies_come_and_go_with_them(centre: Centre) -> None:
    view = centre.view_for(None)
    leads = {
        1_000_000: (7_903_146, 20.0),
        5_000_000: (0, 9.0),
        9_000_000: (44, 5.0),
    }  # the last is suggestive
    publish(centre, "T2D", leads)
    assert variants(view, "diabetes") == {}
    follow(centre)
    found = variants(view, "diabetes")
    assert list(found) == ["rs7903146", "10-5000000-A-G"]
    assert found["rs7903146"].note == "10-1000000-A-G"
    assert {m.why for m in found.values()} == {"subtype"}
    assert set(variants(view, "type 2 diabetes")) == {"rs7903146", "10-5000000-A-G"}
    (study,) = [m for m in view.find("diabetes", kinds=("study",)) if m.why == "subtype"]
    assert (study.id, study.through) == ("T2D", "type 2 diabetes")
    centre.store.withdraw("T2D", reason="a test")
    assert variants(view, "diabetes") == {}  # at once
    follow(centre)
    assert variants(view, "diabetes") == variants(centre.owner_view(), "diabetes") == {}


def test_a_lead_is_found_by_who_may_read_the_study_it_leads_in(centre: Centre) -> None:
    """One variant leads in an open study of lipids and a private one of diabetes, another in the latter."""
    publish(centre, "LIPID", {1_000_000: (7_700_001, 12.0)}, term="NXDEMO:4")
    publish(centre, "SECRET", {1_000_000: (7_700_001, 15.0), 6_000_000: (8_800_001, 9.0)}, access="private")
    follow(centre)
    everyone = centre.view_for(None)
    knows = View(centre, Principal("holder", "see", grants=frozenset({("SECRET", "see")})))
    reads = View(centre, Principal("holder", "read", grants=frozenset({("SECRET", "read")})))
    for view in (everyone, knows):  # that there is a study is not what it found
        assert variants(view, "diabetes") == {}
        assert set(variants(view, "blood lipid")) == {"rs7700001"}
        assert variants(view, "rs8800001") == {}
        assert [s.id for s in view.completions("rs8800001")] == []
        assert view.completions("rs7700001")[0].note == "10-1000000-A-G"
    for view in (reads, centre.owner_view()):
        assert list(variants(view, "diabetes")) == ["rs7700001", "rs8800001"]
        assert [s.id for s in view.completions("rs8800001")] == ["rs8800001"]
        assert [s.id for s in view.completions("rs7700001")] == ["rs7700001"]  # once, though it leads twice


def test_a_private_study_changes_nothing_that_others_are_told(centre: Centre) -> None:
    publish(centre, "T2D", {1_000_000: (7_700_001, 12.0)})
    follow(centre)
    everyone = centre.view_for(None)
    told = [_told(everyone, text) for text in ("diabetes", "rs7700001", "type 2 diabetes", "10-1000000-A-G")]
    publish(centre, "SECRET", {1_000_000: (7_700_001, 30.0), 6_000_000: (8_800_001, 9.0)}, access="private")
    follow(centre)
    assert [
        _told(everyone, t) for t in ("diabetes", "rs7700001", "type 2 diabetes", "10-1000000-A-G")
    ] == told


def _told(view: View, text: str) -> list[object]:
    found = [(m.id, m.why, m.note) for m in view.find(text) if m.kind == "variant" and m.why != "similar"]
    return [*found, *((s.id, s.note) for s in view.completions(text) if s.kind == "variant")]


def test_variants_take_a_share_of_what_is_shown_and_all_where_asked_for(centre: Centre) -> None:
    rows = "".join(f"{n}\trs{n}\t2E-20\ttype 2 diabetes\tNXDEMO:7\tNR\n" for n in range(100, 160))
    load(centre, "catalog.tsv", GWAS + rows)
    follow(centre)
    view = centre.view_for(None)
    matches = view.find("diabetes", limit=20)
    assert sum(m.kind == "variant" for m in matches) == 5
    assert next(m for m in matches if m.kind == "term").id == "NXDEMO:6"
    only = view.find("diabetes", limit=50, kinds=("variant",))
    assert len(only) == 50
    assert {m.kind for m in only} == {"variant"}
    assert only[0].id == "rs5219"  # about the thing itself; then subtypes, those most is known of first
    assert only[1].id == "rs7903146"


def test_how_many_are_in_is_a_setting_and_a_change_of_it_is_followed(centre: Centre) -> None:
    load(centre, "catalog.tsv", GWAS)
    publish(centre, "T2D", {1_000_000: (7_700_001, 12.0), 5_000_000: (8_800_001, 9.0)})
    (centre.root.path / "nexome.toml").write_text("search_variants = 1\nsearch_leads = 1\n", "utf-8")
    with Centre.open(centre.root.path) as few:
        assert is_behind(few)
        follow(few)
        view = few.view_for(None)
        assert set(variants(view, "diabetes")) == {"rs7903146", "rs7700001"}
        assert not is_behind(few)
    assert is_behind(centre)


def test_what_private_sources_say_of_variants_is_their_owners(centre: Centre) -> None:
    load(centre, "catalog.tsv", GWAS, "private")
    follow(centre)
    assert variants(centre.view_for(None), "diabetes") == {}
    assert set(variants(centre.owner_view(), "diabetes")) == {"rs5219", "rs7903146"}


def test_one_command_builds_the_same_index_again(centre: Centre) -> None:
    load(centre, "catalog.tsv", GWAS)
    load(centre, "clinvar.tsv", CLINVAR)
    publish(centre, "T2D", {1_000_000: (7_903_146, 20.0), 5_000_000: (8_800_001, 9.0)})
    follow(centre)
    texts = ("diabetes", "type 2 diabetes", "rs7903146", "INS c.94G>A", "how do I import a cohort")
    asked = [_all(centre.owner_view(), text) for text in texts]
    assert any(kind == "variant" for kind, *_ in asked[0])
    for path in (centre.root.path / "search").iterdir():
        if path.name != "encoder":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    with Centre.open(centre.root.path) as again:
        build_index(again)
        assert [_all(again.owner_view(), text) for text in texts] == asked
        told = json.loads((again.root.path / "search" / "made-of.json").read_text("utf-8"))
        assert told["made_of"]["variants"] == [200_000, 20]


def _all(view: View, text: str) -> list[tuple[object, ...]]:
    return [(m.kind, m.id, m.why, m.note, round(m.score, 4)) for m in view.find(text, limit=30)]
