"""`nexome import cohort`, `nexome cohort …` and `nexome withdraw participant` as a user types them."""

import json
import shutil

import pytest

from nexome.cli.demo_cohorts import write_cohorts
from nexome.store.cohorts import CohortStore
from nexome.store.root import open_root

ROWS = "id,sex,chol\nP-1,1,5.2\nP-2,2,-9\nP-3,1,400\n"
DICTIONARY = (
    "name,type,label,unit,categories,missing,minimum,maximum,role,confirmed\n"
    "id,text,,,,,,,participant,yes\n"
    "sex,category,Sex,,1=male|2=female,,,,sex,yes\n"
    "chol,decimal,Cholesterol,mmol/L,,-9=refused,1,20,,yes\n"
)


@pytest.fixture
def folder(tmp_path, monkeypatch, nexome):
    """A folder with a root, a table and its dictionary, in which one stands."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "town.csv").write_text(ROWS)
    (tmp_path / "town.dictionary.csv").write_text(DICTIONARY)
    nexome("init", "root")
    monkeypatch.setenv("NEXOME_ROOT", "root")
    return tmp_path


@pytest.fixture
def town(folder, nexome):
    words = ("import", "cohort", "town.csv", "--cohort", "town", "--dictionary", "town.dictionary.csv")
    nexome(*words, "--title", "Town study", "--title-zh", "城镇研究")
    return folder


def test_a_cohort_is_imported_listed_and_shown(town, nexome):
    assert "town" in nexome("cohort", "list").output
    assert json.loads(nexome("cohort", "list", "--json").output)[0]["people"] == 3
    shown = nexome("cohort", "show", "town").output
    assert "Town study" in shown
    assert "城镇研究" in shown
    facts = json.loads(nexome("cohort", "show", "town", "--json").output)
    assert (facts["people"], facts["people_of"], facts["versions"]) == (3, "town", [1])
    receipt = json.loads(nexome("cohort", "show", "town", "--receipt").output)
    assert {r["rule"]: r["count"] for r in receipt["rules"]} == {"missing_code": 1, "out_of_range": 1}
    told = nexome("cohort", "variables", "town").output
    assert "mmol/L" in told
    assert "1=male" in told


def test_status_and_verify_know_it(town, nexome):
    assert "town (3 people, 2 variables)" in nexome("status").output
    assert "1 versions of cohorts, 3 rows" in nexome("verify").output
    values = town / "root" / "cohorts" / "town" / "1" / "values.parquet"
    whole = bytearray(values.read_bytes())
    whole[len(whole) // 2] ^= 1
    values.write_bytes(whole)
    assert "values.parquet" in nexome("verify", code=1).output


def test_rebuild_packs_again(town, nexome):
    shutil.rmtree(town / "root" / "cohorts" / "packed")
    assert "1 versions of cohorts packed" in nexome("rebuild").output
    assert (town / "root" / "cohorts" / "packed" / "town" / "1" / "columns.bin").exists()


def test_a_dictionary_worked_out_is_shown_and_nothing_is_imported(folder, nexome):
    (folder / "town.dictionary.csv").unlink()
    words = ("import", "cohort", "town.csv", "--cohort", "town")
    told = nexome(*words, code=1).output
    assert "sex" in told
    assert "nothing is imported" in told
    assert not CohortStore.open(folder / "root").cohorts()
    written = folder / "town.dictionary.csv"
    given = (*words, "--dictionary", written, "--participant", "id")
    assert "nobody has confirmed" in nexome(*given, code=1).output
    assert "is there already" in nexome(*words, code=1).output
    written.write_text(written.read_text().replace('"no"', '"yes"'))
    assert "3 rows of 3 people" in nexome(*given).output
    receipt = CohortStore.open(folder / "root").get("town").receipt()
    assert receipt["dictionary_confirmed"] is True


def test_an_inferred_dictionary_may_be_accepted_and_is_marked(folder, nexome):
    words = ("import", "cohort", "town.csv", "--cohort", "town", "--participant", "id", "--accept-inferred")
    nexome(*words)
    assert CohortStore.open(folder / "root").get("town").receipt()["dictionary_confirmed"] is False


def test_a_unit_that_does_not_fit_the_values_stops_the_import_and_is_told(folder, nexome):
    write_cohorts(folder)
    words = ("import", "cohort", "lakeside.csv", "--cohort", "lakeside")
    told = nexome(*words, code=1).output
    assert "Column Uric acid (umol/L): Uric acid is possible from" in told
    assert "they fit the unit mg/dL, not umol/L" in told
    assert "they fit the unit mg/dL" in nexome(*words, "--accept-inferred").output
    given = (folder / "lakeside.dictionary.csv").read_text(encoding="utf-8-sig")
    written = [line.split(",") for line in given.splitlines()]
    low, high = (written[0].index(name) for name in ('"minimum"', '"maximum"'))
    for line in written:
        if line[0].startswith('"Uric acid'):
            line[low], line[high] = "80", "1800"
    (folder / "ranged.csv").write_text("\n".join(map(",".join, written)))
    words = (*words, "--dictionary", "ranged.csv", "--yes")
    told = nexome(*words, code=1).output
    assert "lakeside.csv, column Uric acid (umol/L)" in told
    assert "values lie outside the dictionary's range; they fit the unit mg/dL, not umol/L" in told
    assert "version 2" in nexome(*words, "--bad-values", "missing").output


def test_files_that_are_visits(folder, nexome):
    (folder / "later.csv").write_text(ROWS.replace("5.2", "6.1"))
    words = ("import", "cohort", "town.csv", "later.csv", "--cohort", "town")
    given = (*words, "--dictionary", "town.dictionary.csv")
    assert "2 names" not in nexome(*given, code=1).output  # the same rows twice, without visits
    told = nexome(*given, "--visit-name", "1", code=1).output
    assert "1 names of visits for 2 files; expected one for each file" in told
    assert "6 rows of 3 people" in nexome(*given, "--visit-name", "1", "--visit-name", "2").output
    assert "visit" in nexome("cohort", "variables", "town").output
    inferred = (*words, "--accept-inferred", "--visit-name", "1", "--visit-name", "2", "--yes")
    assert "6 rows of 3 people" in nexome(*inferred).output


def test_a_folder_of_phenopackets_is_a_cohort(folder, nexome):
    packets = folder / "packets"
    packets.mkdir()
    assert "no phenopacket" in nexome("import", "cohort", "packets", "--cohort", "rare", code=1).output
    for name, sex in (("P1", "FEMALE"), ("P2", "MALE")):
        packet = {
            "id": name,
            "subject": {"id": name, "sex": sex},
            "phenotypicFeatures": [{"type": {"id": "HP:0001250", "label": "Seizure"}}],
            "metaData": {"phenopacketSchemaVersion": "2.0"},
        }
        (packets / f"{name}.json").write_text(json.dumps(packet))
    words = ("import", "cohort", "packets", "--cohort", "rare")
    assert "HP:0001250" in nexome(*words, code=1).output
    assert "2 rows of 2 people" in nexome(*words, "--accept-inferred").output
    table = CohortStore.open(folder / "root").get("rare")
    assert table.receipt()["files"][0]["bytes"] == sum(f.stat().st_size for f in packets.glob("*.json"))
    nexome(*words, "--accept-inferred", "--visit-name", "first", "--yes")
    assert CohortStore.open(folder / "root").get("rare").dictionary.of_role("visit").name == "visit"


def test_a_second_version_is_asked_for(town, nexome):
    words = ("import", "cohort", "town.csv", "--cohort", "town", "--dictionary", "town.dictionary.csv")
    nexome(*words, text="n\n", code=1)
    assert CohortStore.open(town / "root").get("town").version == 1
    assert "version 2" in nexome(*words, "--yes").output
    assert "would be imported" in nexome(*words, "--dry-run").output
    assert CohortStore.open(town / "root").get("town").version == 2


def test_what_is_known_of_a_cohort_comes_from_yaml(folder, nexome):
    (folder / "about.yaml").write_text(
        "title: Old\ncountry: NO\nyears: 2009-2012\npurposes: ['DUO:0000042']\n"
    )
    words = ("import", "cohort", "town.csv", "--cohort", "town", "--dictionary", "town.dictionary.csv")
    nexome(*words, "--about", "about.yaml", "--title", "New")
    found = CohortStore.open(folder / "root").get("town").cohort
    assert (found.title, found.years, found.purposes) == ("New", "2009-2012", ("DUO:0000042",))
    (folder / "about.yaml").write_text("colour: red\n")
    assert "about.yaml" in nexome(*words, "--about", "about.yaml", code=1).output
    (folder / "about.yaml").write_text("title: [\n")
    assert "about.yaml, line" in nexome(*words, "--about", "about.yaml", code=1).output


def test_export_and_dictionary_give_the_source_back(town, nexome):
    nexome("cohort", "export", "town", "-o", "out.csv", "--identifiers")
    nexome("cohort", "dictionary", "town", "-o", "d.csv")
    lines = sorted(line.replace('"', "") for line in (town / "out.csv").read_text().splitlines()[1:])
    assert lines == ["P-1,1,5.2", "P-2,2,-9", "P-3,1,"]
    words = ("import", "cohort", "out.csv", "--cohort", "again", "--dictionary", "d.csv", "--people", "town")
    nexome(*words)
    store = CohortStore.open(town / "root")
    assert store.get("again").table().equals(store.get("town").table())


def test_a_cohort_is_opened_and_made_private(town, nexome):
    assert "town is open now" in nexome("cohort", "access", "town", "open").output
    assert "town is open already" in nexome("cohort", "access", "town", "open").output
    assert CohortStore.open(town / "root").get("town").access == "open"
    assert "private now" in nexome("cohort", "access", "town", "private").output


def test_an_export_is_in_the_event_log(town, nexome):
    nexome("cohort", "export", "town", "-o", "out.csv", "--variable", "chol")
    (event,) = open_root(town / "root").read_events(kinds=["cohort-exported"])
    assert event.values["variables"] == ["chol"]
    assert event.values["identifiers"] is False


def test_a_cohort_is_withdrawn(town, nexome):
    nexome("cohort", "withdraw", "town", "--reason", "a test", "--yes")
    assert "No cohort yet" in nexome("cohort", "list").output


def test_a_participant_is_withdrawn(town, nexome):
    (town / "root" / "cohorts" / "samples.csv").write_text(
        "set,sample_id,people,identifier\nchip,S7,town,P-2\n"
    )
    nexome("backup", "root", "kept")
    words = ("withdraw", "participant", "P-2", "--cohort", "town", "--reason", "asked")
    nexome(*words, text="n\n", code=1)
    assert CohortStore.open(town / "root").get("town").people == 3
    told = nexome(*words, "--yes").output
    assert "1 rows are gone from 1 versions" in told
    assert "sample S7 of the genotypes chip" in told
    assert CohortStore.open(town / "root").get("town").people == 2
    assert (
        "nobody of that identifier"
        in nexome(
            "withdraw", "participant", "P-7", "--people", "town", "--reason", "asked", "--yes", code=1
        ).output
    )
    nexome("restore", "kept", "again", "--withdrawn", "root/cohorts/withdrawn.jsonl")
    assert CohortStore.open(town / "again").get("town").people == 2
    nexome("withdraw", "participant", "P-1", "--reason", "asked", "--yes", code=2)


def test_withdrawing_a_study_is_typed_as_before(folder, nexome):
    assert "no study 'T2D'" in nexome("withdraw", "T2D", "--reason", "x", "--yes", code=1).output
    assert "no study 'T2D'" in nexome("withdraw", "--root", "root", "T2D", "--reason", "x", code=1).output
    assert "participant" in nexome("withdraw", "--help").output


def test_no_value_of_a_person_is_told(folder, nexome):
    (folder / "town.csv").write_text(ROWS.replace("5.2", "secret-5551234"))
    told = nexome(
        *("import", "cohort", "town.csv", "--cohort", "town", "--dictionary", "town.dictionary.csv"), code=1
    ).output
    assert "town.csv, line 2, column chol" in told
    assert "secret" not in told
