"""Sources of knowledge: all or nothing, one answer from several, nothing lost in silence."""

import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from nexome.formats.knowledge import KnowledgeOptions
from nexome.model.errors import FormatError, InputError, NotFoundError, RefusedError
from nexome.model.genome import assembly_from_contigs
from nexome.search.lexicon import Lexicon
from nexome.store.backup import backup_root, restore_root
from nexome.store.disk import RootLock
from nexome.store.knowledge import (
    Knowledge,
    KnowledgeManifest,
    NewSource,
    clean_knowledge,
    find_damage_in_knowledge,
    load_source,
    withdraw_source,
)
from nexome.store.knowledge.export import export_source
from nexome.store.knowledge.licences import allows_redistribution
from nexome.store.root import Root, create_root, open_root

ONTOLOGY = """format-version: 1.2
data-version: hp/releases/2025-01-16

[Term]
id: HP:0000001
name: All

[Term]
id: HP:0000707
name: Abnormality of the nervous system
is_a: HP:0000001 ! All

[Term]
id: HP:0001250
name: Seizure
alt_id: HP:0001275
synonym: "Seizures" EXACT []
synonym: "Epilepsy" EXACT layperson []
xref: UMLS:C0036572
is_a: HP:0000707

[Term]
id: HP:0009999
name: obsolete Fit
is_obsolete: true
replaced_by: HP:0001275
"""


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return create_root(tmp_path / "root", assembly=assembly_from_contigs("toy", "Zea mays", [("1", 100)]))


@pytest.fixture
def load(root, tmp_path):
    def loaded(name, text, **said):
        file = tmp_path / f"{name}.txt"
        file.write_text(text, encoding="utf-8")
        with RootLock(root.path):
            return load_source(root, NewSource(name, [file], **said))

    return loaded


def test_a_source_is_answered_as_it_was_loaded(root, load):
    receipt = load("hp", ONTOLOGY, licence="CC BY 4.0")
    assert (receipt["terms"], receipt["names"], receipt["edges"]) == (4, 6, 3)
    assert receipt["vocabularies"] == {"HP": 4}
    assert receipt["predicates"] == {"is_a": 2, "oboInOwl:hasDbXref": 1}
    knowledge = Knowledge.open(root.path)
    record = knowledge.source("hp")
    assert (record.release, record.licence, record.redistribution) == ("2025-01-16", "CC BY 4.0", True)
    term = knowledge.term("HP_0001250")
    assert (term.label, term.sources) == ("Seizure", ("hp",))
    assert term.names == (
        ("Seizure", "label", "en", "hp"),
        ("Seizures", "exact", "en", "hp"),
        ("Epilepsy", "layperson", "en", "hp"),
    )
    assert knowledge.terms_in("HP").num_rows == 4
    [event] = root.read_events(kinds=["knowledge-loaded"])
    assert event.values["source"] == "hp"


@pytest.mark.parametrize("asked", ["HP:0001275", "HP:0009999", "http://purl.obolibrary.org/obo/HP_0001275"])
def test_alternative_and_obsolete_identifiers_lead_to_the_term(root, load, asked):
    load("hp", ONTOLOGY)
    term = Knowledge.open(root.path).term(asked)
    assert term.id == "HP:0001250"
    assert term.asked != term.id


def test_what_is_not_there_is_said(root, load):
    load("hp", ONTOLOGY)
    with pytest.raises(NotFoundError, match="no term 'HP:1'"):
        Knowledge.open(root.path).term("HP:1")
    with pytest.raises(NotFoundError, match="expected hp"):
        Knowledge.open(root.path).source("mp")


def test_the_newest_version_answers_and_the_same_files_make_none(root, load):
    load("hp", ONTOLOGY)
    assert load("hp", ONTOLOGY)["unchanged"]
    load("hp", ONTOLOGY.replace("name: Seizure", "name: Seizure (new)").replace("2025-01-16", "2026-01-01"))
    knowledge = Knowledge.open(root.path)
    assert knowledge.term("HP:0001250").label == "Seizure (new)"
    assert knowledge.source("hp").version == 2
    assert set(KnowledgeManifest.load(root.path).sources["hp"].digests) == {1, 2}


def test_of_two_sources_the_newer_release_names_a_term_and_the_other_adds_names(root, load):
    load("old", ONTOLOGY.replace("name: Seizure", "name: Convulsion").replace("2025-01-16", "2019-01-01"))
    load("new", ONTOLOGY)
    load("list", "id\tlabel\nHP:0001250\tFits\n")
    names = Knowledge.open(root.path).term("HP:0001250").names
    assert names[0] == ("Seizure", "label", "en", "new")
    assert {("Convulsion", "exact", "en", "old"), ("Fits", "exact", "en", "list")} < set(names)


def test_an_alternative_identifier_that_is_still_described_stays_a_term(root, load):
    load("hp", ONTOLOGY + "\n[Term]\nid: HP:0001275\nname: Still here\n")
    assert Knowledge.open(root.path).term("HP:0001275").label == "Still here"


def test_names_of_alternative_identifiers_belong_to_the_term(root, load):
    load("hp", ONTOLOGY)
    load("older", "id\tlabel\nHP:0001275\tFitting\n")
    knowledge = Knowledge.open(root.path)
    assert ("Fitting", "exact", "en", "older") in knowledge.term("HP:0001250").names


def test_rules_that_need_the_whole_source(root, load):
    text = ONTOLOGY.replace("is_a: HP:0000001 ! All", "is_a: HP:0001250\nis_a: HP:7777777\nis_a: HP:0009999")
    text += "\n[Term]\nid: HP:0000001\nname: Everything\n"
    problems = load("hp", text)["problems"]
    assert problems["cycle"]["first"] == [
        {"file": "hp.txt", "line": 11, "found": "2 terms: HP:0000707, HP:0001250"}
    ]
    assert problems["dangling"]["first"][0]["line"] == 12
    assert problems["obsolete_parent"]["first"][0]["line"] == 13
    assert problems["duplicate_id"]["first"][0]["found"].startswith("HP:0000001: 'Everything'")
    assert all(problems[rule]["kept"] for rule in ("cycle", "dangling", "obsolete_parent", "duplicate_id"))
    assert ("Everything", "exact", "en", "hp") in Knowledge.open(root.path).term("HP:0000001").names
    kept = {edge["object"] for edge in Knowledge.open(root.path).table("hp", "edges").to_pylist()}
    assert {"HP:0001250", "HP:7777777", "HP:0009999"} < kept


def test_a_name_told_twice_is_kept_once_and_counted(root, load):
    again = ONTOLOGY.replace('synonym: "Seizures" EXACT []', 'synonym: "Seizures" EXACT []\n' * 3)
    problems = load("hp", again)["problems"]
    assert problems["repeated"]["count"] == 2
    assert Knowledge.open(root.path).table("hp", "names").num_rows == 6


def test_a_circle_of_successors_ends(root, load):
    text = "format-version: 1.2\n"
    for here, there in (("HP:1", "HP:2"), ("HP:2", "HP:1")):
        text += f"\n[Term]\nid: {here}\nname: obsolete\nis_obsolete: true\nreplaced_by: {there}\n"
    load("hp", text)
    assert Knowledge.open(root.path).term("HP:1").obsolete


def test_merges_across_vocabularies_are_statements_with_their_source(root, load):
    load("hp", ONTOLOGY)
    load(
        "mondo",
        "subject_id\tsubject_label\tpredicate_id\tobject_id\nMONDO:1\tseizure\tskos:exactMatch\tHP:0001275\n",
    )
    knowledge = Knowledge.open(root.path)
    assert knowledge.equivalents("MONDO:1") == [("HP:0001250", "skos:exactMatch", "mondo")]
    assert knowledge.equivalents("HP:0001250") == [("MONDO:1", "skos:exactMatch", "mondo")]
    edges = [(source, row) for source, batch in knowledge.edges() for row in batch.to_pylist()]
    assert ("mondo", "HP:0001250") in {(source, row["object"]) for source, row in edges}


def test_the_lexicon_has_parents_and_what_means_the_same(root, load):
    load("hp", ONTOLOGY)
    xref = "id\tlabel\txrefs\nEFO:0000474\tepilepsy\tUMLS_CUI:C0036572\n"
    load("efo", xref)
    load("wide", "".join(["id\tlabel\txrefs\n", *(f"NCIT:C{n}\tx{n}\tUMLS:C9\n" for n in range(7))]))
    icd = "subject_id\tpredicate_id\tobject_id\nEFO:0000474\tskos:exactMatch\tICD10CM:G40\n"
    load("icd", icd)
    load("icd10", "code\tdisease\nG40\t癫痫\n")
    terms = {term.id: term for term in Knowledge.open(root.path).lexicon_terms()}
    assert terms["HP:0001250"].parents == ["HP:0000707"]
    assert terms["HP:0001250"].equivalents == ["EFO:0000474"]
    assert terms["EFO:0000474"].equivalents == ["HP:0001250", "ICD10:G40"]
    assert terms["NCIT:C1"].equivalents == []
    assert "HP:0009999" not in terms
    assert terms["HP:0001250"].names[0].kind == "label"
    lexicon = Lexicon.build(terms.values())
    assert len(lexicon.terms) == len(terms)
    assert {t.id for t in Knowledge.open(root.path).lexicon_terms(("HP",))} == {
        "HP:0000001",
        "HP:0000707",
        "HP:0001250",
    }


def test_a_source_that_cannot_be_read_leaves_nothing(root, load):
    with pytest.raises(FormatError, match=r"missing_id|nothing can be kept"):
        load("bad", "id\tlabel\nno id\tx\n")
    with pytest.raises(FormatError, match="no known format"):
        load("bad", "once upon a time\n")
    with pytest.raises(InputError, match="a source's name"):
        load("../x", ONTOLOGY)
    assert Knowledge.open(root.path).sources() == []
    assert not [p for p in (root.path / "knowledge").rglob("*") if p.is_file()]


@pytest.mark.parametrize("step", ["knowledge-staged", "knowledge-published", "knowledge-named"])
def test_a_half_loaded_source_is_never_seen(root, load, tmp_path, step):
    load("hp", ONTOLOGY)
    newer = tmp_path / "newer.obo"
    newer.write_text(ONTOLOGY.replace("name: Seizure", "name: Seizure (new)"), encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from nexome.store.root import open_root;"
        "from nexome.store.knowledge import NewSource, load_source;"
        "load_source(open_root(Path(sys.argv[1])), NewSource('hp', [Path(sys.argv[2])]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root.path), str(newer)],
        env={"NEXOME_CRASH_AT": step, "PATH": ""},
        check=False,
    )
    assert done.returncode == -9
    seen = Knowledge.open(root.path).term("HP:0001250").label
    assert seen == ("Seizure (new)" if step == "knowledge-named" else "Seizure")
    clean_knowledge(root.path)
    versions = {p.name for p in (root.path / "knowledge" / "hp").iterdir()}
    assert versions == ({"1", "2"} if step == "knowledge-named" else {"1"})
    load("hp", newer.read_text(encoding="utf-8"))
    assert Knowledge.open(root.path).term("HP:0001250").label == "Seizure (new)"


def test_withdrawn_is_gone_and_the_graph_beside_it_stays(root, load):
    load("hp", ONTOLOGY)
    (root.path / "knowledge" / "graph" / "x").mkdir(parents=True)
    with RootLock(root.path):
        withdraw_source(root, "hp", reason="a test")
    assert Knowledge.open(root.path).sources() == []
    assert not (root.path / "knowledge" / "hp").exists()
    assert (root.path / "knowledge" / "graph" / "x").is_dir()
    with pytest.raises(NotFoundError):
        withdraw_source(root, "hp", reason="again")


def test_backup_verify_and_restore(root, load, tmp_path):
    load("hp", ONTOLOGY)
    backup_root(root.path, tmp_path / "backup")
    restore_root(tmp_path / "backup", tmp_path / "again")
    again = Knowledge.open(open_root(tmp_path / "again").path)
    assert again.term("HP:0001250").label == "Seizure"
    assert again.digest == Knowledge.open(root.path).digest
    assert list(find_damage_in_knowledge(root.path)) == []
    file = root.path / "knowledge" / "hp" / "1" / "names.parquet"
    content = bytearray(file.read_bytes())
    content[20] ^= 1
    file.write_bytes(content)
    [damage] = find_damage_in_knowledge(root.path)
    assert damage.path.name == "names.parquet"


def test_only_what_may_be_passed_on_is_exported(root, load, tmp_path):
    load("open", ONTOLOGY, licence="https://creativecommons.org/publicdomain/zero/1.0/")
    load("closed", ONTOLOGY, licence="SNOMED CT affiliate licence")
    load("said", ONTOLOGY, licence="CC0", redistribution=False)
    written = export_source(root.path, "open", tmp_path / "out")
    assert pq.read_table(written[0]).num_rows == 4
    for name in ("closed", "said"):
        with pytest.raises(RefusedError, match="may not be passed on") as refused:
            export_source(root.path, name, tmp_path / name)
        assert refused.value.reason == "licence"
        assert not (tmp_path / name).exists()
    with pytest.raises(InputError, match="something is there"):
        export_source(root.path, "open", tmp_path / "out")


def test_the_open_part_has_nothing_of_a_private_source(root, load):
    load("hp", ONTOLOGY)
    knowledge = Knowledge.open(root.path)
    assert knowledge.open_part is knowledge
    secret = ONTOLOGY.replace("name: Seizure", 'name: Codeword\ndef: "A secret." []\nalt_id: HP:0000009')
    load("mine", secret.replace("2025-01-16", "2026-01-16"), access="private")
    assert (knowledge.term("HP:0000009").label, knowledge.term("HP:0001250").definition) == (
        "Codeword",
        "A secret.",
    )
    part = knowledge.open_part
    assert [record.name for record in part.sources()] == ["hp"]
    term = part.term("HP:0001250")
    assert (term.label, term.definition, term.sources) == ("Seizure", "", ("hp",))
    assert part.resolve("HP:0000009") == "HP:0000009"
    assert "Codeword" not in part.names()["text"].to_pylist()
    with pytest.raises(NotFoundError):
        part.source("mine")


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("CC BY 4.0", True),
        ("CC-BY-SA 4.0", True),
        ("https://creativecommons.org/licenses/by/3.0/", True),
        ("CC BY-NC 4.0", False),
        ("CC BY-ND", False),
        ("https://creativecommons.org/licenses/by-nc/4.0/", False),
        ("https://hpo.jax.org/app/license", False),
        ("", False),
    ],
)
def test_licences(licence, allowed):
    assert allows_redistribution(licence) is allowed


def test_several_files_are_one_source(root, tmp_path):
    (tmp_path / "a.tsv").write_text("id\tlabel\nMONDO:1\tone\n", encoding="utf-8")
    (tmp_path / "b.tsv").write_text("id\tlabel\nMONDO:2\ttwo\nMONDO:1\tuno\n", encoding="utf-8")
    new = NewSource("both", [tmp_path / "a.tsv", tmp_path / "b.tsv"], options=KnowledgeOptions(language="en"))
    receipt = load_source(root, new)
    assert receipt["terms"] == 2
    assert receipt["problems"]["duplicate_id"]["first"] == [
        {"file": "b.tsv", "line": 3, "found": "MONDO:1: 'uno', before that 'one'"}
    ]


@pytest.mark.shared
def test_the_real_hpo_and_its_translation(root, shared):
    folder = shared / "knowledge"
    for name in ("hp.obo.gz", "hp_zh_translation.tsv.gz"):
        load_source(root, NewSource(name.partition(".")[0], [folder / name]))
    knowledge = Knowledge.open(root.path)
    live = list(knowledge.lexicon_terms(("HP",)))
    # zcat hp.obo.gz | grep -c '^is_obsolete: true' → 450, of 19484 terms
    assert len(live) == 19484 - 450
    assert ("癫痫发作", "translation", "zh", "hp_zh_translation") in knowledge.term("HP:0001250").names
    # zcat hp.obo.gz | grep -c '^alt_id' counts identifiers that answer by another term
    assert knowledge.term("HP:0001275").id == "HP:0001250"
