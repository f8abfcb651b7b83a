"""The demo's vocabulary: whole in both languages, every simulated trait in it, nothing said twice."""

import csv
from collections import Counter

import nexome
from nexome.cli.demo_vocabulary import STATEMENTS, _rows, term_of_trait, write_vocabulary
from nexome.methods.simulate.catalogue import TRAITS
from nexome.methods.simulate.people import simulate_population
from nexome.methods.simulate.traits import simulate_phenotypes
from tests.cli.test_demo import made, view  # noqa: F401  the small demo


def test_each_term_has_a_name_and_a_definition_in_both_languages():
    rows = _rows()
    assert len(rows) > 100
    assert all(row[name] for row in rows for name in ("label", "label_zh", "definition", "definition_zh"))
    known = {row["id"] for row in rows}
    assert len(known) == len(rows)
    assert all(parent in known for row in rows for parent in row["parents"].split(";") if parent)
    assert [row["id"] for row in rows if not row["parents"]] == ["NXDEMO:0001"]


def test_no_name_means_two_things():
    names = Counter()
    for row in _rows():
        texts = {row["label"], row["label_zh"]}
        for column in ("synonyms", "layperson", "synonyms_zh"):
            texts |= set(filter(None, row[column].split(";")))
        names.update(text.casefold() for text in texts)
    assert [name for name, count in names.items() if count > 1] == []


def test_every_simulated_trait_has_its_term():
    assert [trait.id for trait in TRAITS if trait.gene is None and not term_of_trait(trait.id)] == []


def test_statements_are_those_of_the_simulation(tmp_path):
    population = simulate_population(5, people=300, variants=2_000)
    phenotypes = simulate_phenotypes(population, 5)
    write_vocabulary(tmp_path, population, phenotypes)
    with (tmp_path / STATEMENTS).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert {row["method"] for row in rows} == {"true in the simulation alone"}
    stated = [row for row in rows if row["predicate"] == "biolink:genetically_associated_with"]
    assert len(stated) == len(phenotypes.causes)
    shares = sorted(float(row["score"]) for row in stated)
    assert shares == sorted(float(f"{cause.share:.6g}") for cause in phenotypes.causes)
    assert all(row["subject_label"] in population.genes.name for row in stated)


def test_the_demo_is_searched_in_both_languages(made, view):  # noqa: F811
    root, output = made
    assert "nexome search train --root" in output
    for text, term in (
        ("heart attack", "NXDEMO:0051"),
        ("心梗", "NXDEMO:0051"),
        ("T2DM", "NXDEMO:0041"),
        ("二型糖尿病", "NXDEMO:0041"),
        ("high blood presure", "NXDEMO:0049"),
        ("bad cholesterol", "NXDEMO:0018"),
        ("抽烟", "NXDEMO:0100"),
    ):
        assert view.search(text)[0].id == term, text
    found = {(hit.kind, hit.id, hit.why) for hit in view.search("sugar sickness")}
    assert ("study", "sim-type_2_diabetes", "subtype") in found
    assert next(hit.id for hit in view.suggestions("xinjig") if hit.kind == "term") == "NXDEMO:0051"
    assert view.neighbours("NXDEMO:0045")["term"].to_pylist()[0] == "NXDEMO:0027"  # gout, from urate
    with nexome.open(root, anonymous=True) as anonymous:
        found = {(hit.kind, hit.id) for hit in anonymous.search("migraine")}
    assert ("term", "NXDEMO:0070") in found
    assert not any(kind in ("study", "trait") for kind, _ in found)  # that study is private
