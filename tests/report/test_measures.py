"""Measures of a centre, beside plain counts of what lies on its disk and in its catalogue."""

import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nexome.access.centre import Centre
from nexome.access.identity import new_token, token_hash
from nexome.model.genome import allele_key
from nexome.model.measures import GROUPS, MEASURES, UNITS
from nexome.report import measures
from nexome.report.measures import bytes_by_store, measure
from nexome.store import usage
from nexome.store.backup import backup_root, restore_root
from nexome.store.genotypes import GenotypeBlock, GenotypeStore, people_table
from nexome.store.genotypes.types import Kind
from nexome.store.knowledge import NewSource, load_source
from nexome.testing.small_centre import SmallCentre, make_small_centre
from nexome.testing.small_cohort import CLINIC, CLINIC_DICTIONARY, clinic_rows, make_small_cohorts


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SmallCentre:
    return make_small_centre(tmp_path_factory.mktemp("measures") / "root", variants=1_000)


@pytest.fixture
def root(made: SmallCentre, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made.path, tmp_path / "root"))


def values(root: Path, *, fresh: bool = False) -> dict[str, float | None]:
    with Centre.open(root) as centre:
        return {reading.name: reading.value for reading in measure(centre, fresh=fresh)}


def test_every_measure_is_whole_in_both_languages():
    for declared in MEASURES.values():
        texts = (
            declared.title_en,
            declared.title_zh,
            declared.meaning_en,
            declared.meaning_zh,
            declared.unit_zh,
        )
        assert all(texts), declared.name
        assert declared.unit in UNITS
        assert (declared.kind == "counter") == (declared.aggregation == "rise")
    assert [name for names in GROUPS.values() for name in names] == list(MEASURES)


def test_what_has_a_source_has_a_query_and_nothing_else():
    queried = {name for name, there in measures.sources_of().items() if there}
    assert queried == {name for name, declared in MEASURES.items() if declared.source}


def test_what_is_held_is_what_the_view_counts(root: Path):
    with Centre.open(root) as centre:
        view = centre.owner_view()
        studies, traits = view.studies(), view.traits()
    found = values(root)
    assert found["studies"] == studies.num_rows
    assert found["associations"] == sum(studies["cell_count"].to_pylist())
    assert found["traits"] == traits.num_rows
    largest: dict[str, float] = {}
    for row in traits.to_pylist():
        n = 0.0 if row["n"] is None or math.isnan(row["n"]) else row["n"]
        largest[row["study_id"]] = max(largest.get(row["study_id"], 0.0), n)
    assert found["samples"] == sum(largest.values())
    assert found["largest_sample"] == max(largest.values())


def test_a_withdrawn_study_is_no_longer_measured(root: Path):
    before = values(root)
    with Centre.open(root) as centre:
        gone = centre.owner_view().study("SC0001")
        centre.store.withdraw("SC0001", reason="a test")
    after = values(root)
    assert before["studies"] is not None
    assert after["studies"] == before["studies"] - 1
    assert after["associations"] == before["associations"] - gone.cells
    assert after["traits"] == before["traits"] - len(gone.study.traits)


def stage_genotypes(root: Path, name: str, *, kind: Kind, people: int) -> None:
    store = GenotypeStore.open(root)
    table = people_table({"sample_id": [f"{name}-{i}" for i in range(people)]})
    locus = (np.uint64(1) << np.uint64(32)) + np.arange(1, 6, dtype=np.uint64)
    allele = np.full(5, allele_key("A", "G"), np.uint64)
    calls = np.zeros((5, people, 2), np.int8)
    with store.stage(name, table, kind=kind) as staged:
        staged.add(GenotypeBlock(locus=locus, allele=allele, calls=calls, phased=np.ones((5, people), bool)))
        staged.publish({"source": "a test"})


def test_genotyped_samples_are_those_of_sets_that_are_no_panels(root: Path):
    before = values(root)["genotype_samples"]
    stage_genotypes(root, "panel", kind="ld-panel", people=12)
    assert values(root)["genotype_samples"] == before
    stage_genotypes(root, "people", kind="samples", people=7)
    assert values(root)["genotype_samples"] == (before or 0) + 7


OBO = """format-version: 1.2
ontology: hp

[Term]
id: HP:0000001
name: All

[Term]
id: HP:0001250
name: Seizure
is_a: HP:0000001

[Term]
id: HP:0000002
name: Gone
is_obsolete: true
"""


def test_terms_are_those_of_loaded_knowledge_that_are_not_obsolete(root: Path, tmp_path: Path):
    assert values(root)["terms"] == 0
    path = tmp_path / "hp.obo"
    path.write_text(OBO, encoding="utf-8")
    with Centre.open(root) as centre:
        load_source(centre.root, NewSource("hp", [path], licence="CC0-1.0"))
        first, again = ({r.name: r for r in measure(centre)}["terms"] for _ in range(2))
    assert (first.value, dict(first.parts)) == (2, {"HP": 2})
    assert again.parts == first.parts


def test_bytes_are_those_of_the_files(root: Path):
    derived = ("measures-cache.json", "lock", "serving")
    files = [p for p in root.rglob("*") if p.is_file() and p.relative_to(root).parts[0] not in derived]
    assert sum(bytes_by_store(root).values()) == sum(p.stat().st_size for p in files)
    genes = parts(root)["genes"]
    (root / "genes" / "more.txt").write_bytes(b"x" * 12_345)
    assert parts(root)["genes"] == genes  # kept for an hour
    assert parts(root, fresh=True)["genes"] == genes + 12_345


def parts(root: Path, *, fresh: bool = False) -> dict[str, float]:
    with Centre.open(root) as centre:
        return dict(next(r for r in measure(centre, fresh=fresh) if r.name == "bytes_held").parts)


@pytest.mark.parametrize("content", [b"", b"{", b'{"kind": "other"}'])
def test_a_damaged_cache_is_made_anew(root: Path, content: bytes):
    before = values(root)
    (root / "measures-cache.json").write_bytes(content)
    after = values(root)
    assert {n: v for n, v in after.items() if n != "bytes_held"} == {
        n: v for n, v in before.items() if n != "bytes_held"
    }


def test_a_root_that_is_new_measures_nothing_and_invents_nothing(tmp_path: Path, root: Path):
    found = values(root)
    for name in ("visits", "downloads", "api_calls", "incidents", "backups_made", "cohorts", "participants"):
        assert found[name] == 0
    for name in ("uptime", "response_p95", "backup_age", "runs"):
        assert found[name] is None


def test_people_of_cohorts_count_once(root: Path):
    make_small_cohorts(root)
    found = values(root)
    assert (found["cohorts"], found["variables"], found["participants"]) == (2, 12, 900)
    with Centre.open(root) as centre:
        shared = replace(CLINIC, id="again", people="clinic")  # the same identifiers are the same people
        staged = centre.cohorts.stage(shared, CLINIC_DICTIONARY)
        staged.add(clinic_rows())
        staged.publish({})
    assert (values(root)["cohorts"], values(root)["participants"]) == (3, 900)


def test_users_are_names_with_a_live_token(root: Path):
    with Centre.open(root) as centre:
        accounts = centre.catalogue.accounts
        for name, expires in (("li", ""), ("li", ""), ("wang", ""), ("zhao", "2020-01-01T00:00:00Z")):
            accounts.add_token(name, token_hash(new_token()), role="holder", expires=expires)
        accounts.revoke_tokens("wang")
    assert values(root)["users"] == 1


def test_counters_add_up_over_days(root: Path):
    with Centre.open(root) as centre:
        accounts = centre.catalogue.accounts
        counts = {
            (day, usage.API, route): 2 for day in ("2026-01-01", "2026-01-02") for route in ("/a", "/b")
        }
        accounts.add_counts(
            {**counts, ("2026-01-01", usage.STATUS, "5xx"): 3, ("2026-01-02", "phewas", ""): 7}
        )
        accounts.flush_counts()
        readings = {reading.name: reading for reading in measure(centre)}
    assert (readings["api_calls"].value, readings["api_calls"].parts) == (8, {"/a": 4, "/b": 4})
    assert (readings["server_errors"].value, readings["incidents"].value) == (3, 3)
    assert (readings["queries"].value, readings["queries"].parts) == (7, {"phewas": 7})


def test_backups_and_restores_are_told(root: Path, tmp_path: Path):
    backup_root(root, tmp_path / "backup")
    backup_root(root, tmp_path / "backup")
    found = values(root)
    assert (found["backups_made"], found["backups_restored"]) == (2, 0)
    assert found["backup_age"] is not None
    assert found["backup_age"] < 0.01
    restore_root(tmp_path / "backup", tmp_path / "restored")
    assert values(tmp_path / "restored")["backups_restored"] == 1
