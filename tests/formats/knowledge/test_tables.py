"""Tables, trees, mappings and translations: read by their columns, refused by line."""

import orjson
import pytest

from nexome.formats.knowledge import FORMATS, RULES
from nexome.model.errors import FormatError, InputError
from tests.formats.knowledge.reading import read_path, read_text

SSSOM = """# curie_map:
#   MONDO: http://purl.obolibrary.org/obo/MONDO_
#   mine: http://www.orpha.net/ORDO/Orphanet_
# license: https://creativecommons.org/publicdomain/zero/1.0/
# mapping_set_version: http://x/releases/2026-08-04/x.tsv
subject_id\tsubject_label\tpredicate_id\tobject_id\tobject_label\tmapping_justification\tconfidence
MONDO:0000001\tdisease\tskos:exactMatch\tmine:1\tDisease\tsemapv:ManualMappingCuration\t0.9
MONDO:0000002\tother\tskos:exactMatch\tnowhere:1\t\tsemapv:ManualMappingCuration\t
MONDO:0000003\tthird\tskos:broadMatch\tMSH:D1\t\tsemapv:ManualMappingCuration\thigh
MONDO:0000004\tfourth\tskos:exactMatch\tsssom:NoTermFound\t\tx\t
one\ttwo
"""


def test_sssom(tmp_path):
    read = read_text(tmp_path, SSSOM)
    assert read.format == "sssom"
    assert read.facts["licence"].endswith("zero/1.0/")
    assert read.triples == {
        ("MONDO:0000001", "skos:exactMatch", "Orphanet:1"),
        ("MONDO:0000003", "skos:broadMatch", "MESH:D1"),
    }
    assert read.labels == {"MONDO:0000001": "disease", "Orphanet:1": "Disease", "MONDO:0000003": "third"} | {
        "MONDO:0000002": "other",
        "MONDO:0000004": "fourth",
    }
    assert read.edges[0]["score"] == pytest.approx(0.9)
    assert read.edges[0]["method"] == "semapv:ManualMappingCuration"
    assert read.at("undeclared_prefix") == [8]
    assert read.at("bad_number") == [9]
    assert read.at("broken_line") == [11]


def test_babelon(tmp_path):
    read = read_text(
        tmp_path,
        "source_language\ttranslation_language\tsubject_id\tpredicate_id\tsource_value\ttranslation_value"
        "\ttranslation_status\n"
        "en\tzh\tHP:0000001\trdfs:label\tAll\t所有词汇\tOFFICIAL\n"
        "en\tzh\tHP:0000002\tIAO:0000115\tx\t身高的异常\tOFFICIAL\n"
        "en\tzh\tHP:0000003\trdfs:label\tx\t\tOFFICIAL\n"
        "en\tzh\tHP:0000004\trdfs:label\tx\t未译\tNOT_TRANSLATED\n",
    )
    assert read.format == "babelon"
    assert read.said == {("HP:0000001", "所有词汇", "translation", "zh")}
    assert read.terms[0]["definition_zh"] == "身高的异常"
    assert read.at("missing_text") == [4]


def test_layperson_report(tmp_path):
    read = read_text(
        tmp_path,
        "?term\t?term_label\t?layperson\n"
        '<http://purl.obolibrary.org/obo/HP_0002648>\t"Odd form"\t"Odd \\"skull\\""\n',
    )
    assert read.labels == {"HP:0002648": "Odd form"}
    assert ("HP:0002648", 'Odd "skull"', "layperson", "en") in read.said


def test_a_term_table_by_its_columns(tmp_path):
    read = read_text(
        tmp_path,
        "id,shorthand,label,description\n"
        'DUO:0000021,IRB,"ethics approval, required",Must provide documentation.\n'
        ",X,nobody,\n",
    )
    assert read.format == "term-table"
    assert read.labels == {"DUO:0000021": "ethics approval, required"}
    assert read.terms[0]["definition"] == "Must provide documentation."
    assert ("DUO:0000021", "IRB", "abbreviation", "en") in read.said
    assert read.at("missing_id") == [3]


def test_bare_codes_and_chinese_labels_are_told_by_their_shape(tmp_path):
    read = read_text(tmp_path, "code\tdisease\nA00\t霍乱\nI21.0\t前壁急性透壁性心肌梗死\n", name="codes.csv")
    assert read.labels == {"ICD10:A00": "霍乱", "ICD10:I21.0": "前壁急性透壁性心肌梗死"}
    assert {name["language"] for name in read.names} == {"zh"}


def test_names_in_two_languages_are_a_label_and_its_translation(tmp_path):
    head = "code\tlabel\tlabel_zh\tdefinition\tdefinition_zh"
    read = read_text(tmp_path, f"{head}\nX:1\tgout\t痛风\tPain.\t疼痛。\nX:2\t湿疹\t湿疹\t\t\n")
    assert read.labels == {"X:1": "gout", "X:2": "湿疹"}
    assert {said for said in read.said if said[2] != "label"} == {("X:1", "痛风", "translation", "zh")}
    assert [term["definition_zh"] for term in read.terms] == ["疼痛。", ""]
    chinese = read_text(tmp_path, "编码,中文名称,英文名称\nM10,痛风,gout\n")
    assert chinese.labels == {"ICD10:M10": "gout"}
    assert ("ICD10:M10", "痛风", "translation", "zh") in chinese.said


def test_columns_and_prefix_may_be_said(tmp_path):
    text = "诊断编号,诊断,上位\n1,心肌梗死,\n2,急性心肌梗死,1\n"
    mapping = {"id": "诊断编号", "label": "诊断", "parent": "上位"}
    read = read_text(tmp_path, text, format="term-table", prefix="our", mapping=mapping)
    assert read.labels == {"our:1": "心肌梗死", "our:2": "急性心肌梗死"}
    assert read.triples == {("our:2", "is_a", "our:1")}
    assert read.rules["unknown_prefix"] == 4


def test_a_long_csv_is_read_to_its_last_line(tmp_path):
    lines = [f'x,"label {n}, quoted",http://www.ebi.ac.uk/efo/EFO_{n:07}' for n in range(60_000)]
    read = read_text(tmp_path, "efo.type,efo.value,efo.id\n" + "\n".join(lines) + "\n")
    assert len(read.terms) == 60_000
    assert read.terms[-1]["line"] == 60_001


def test_lists_without_a_head(tmp_path):
    read = read_text(tmp_path, "D000003\tAbattoirs\tAbattoir|Slaughter Houses\nD000004\tAbbreviations\t\n")
    assert read.format == "term-list"
    assert ("MESH:D000003", "Slaughter Houses", "exact", "en") in read.said
    read = read_text(tmp_path, "GO:0000001\tmitochondrion inheritance\nGO:0000005\tobsolete chaperone\n")
    assert [term["obsolete"] for term in read.terms] == [False, True]


def test_a_tree(tmp_path):
    tree = [{"value": "A00-B99", "label": "某些传染病", "children": [{"value": "A00", "label": "霍乱"}]}]
    read = read_text(tmp_path, "\ufeff" + orjson.dumps(tree).decode())
    assert read.format == "term-tree"
    assert read.triples == {("ICD10:A00", "is_a", "ICD10:A00-B99")}


def test_records(tmp_path):
    record = {"id": "0000001", "name": "factor", "namespace": "efo", "synonyms": ["F"], "xrefs": ["MO:10"]}
    read = read_text(tmp_path, orjson.dumps([record, {"name": "nobody"}]))
    assert read.labels == {"EFO:0000001": "factor"}
    assert read.triples == {("EFO:0000001", "oboInOwl:hasDbXref", "MO:10")}
    assert read.rules == {"unknown_prefix": 1, "missing_id": 1}


def test_pairs_hierarchies_and_lists_of_identifiers(tmp_path):
    pairs = read_text(
        tmp_path, "http://purl.obolibrary.org/obo/MONDO_0006677\thttp://www.ebi.ac.uk/efo/EFO_1\ta\tb\n"
    )
    assert pairs.triples == {("MONDO:0006677", "skos:exactMatch", "EFO:1")}
    above = read_text(tmp_path, "efo.id,parent_efo.id\nEFO:1,EFO:2\n")
    assert above.triples == {("EFO:1", "is_a", "EFO:2")}
    used = read_text(tmp_path, "EFO_1\nEFO_2\nEFO_1\n", name="traits.tsv")
    assert {(e["subject"], e["object"], e["score"]) for e in used.edges} == {
        ("EFO:1", "list:traits", 2.0),
        ("EFO:2", "list:traits", 1.0),
    }


def test_texts_lose_control_characters_and_say_so(tmp_path):
    read = read_text(tmp_path, b"id\tlabel\nHP:1\theart\x07 attack\n" + b"HP:2\tcaf\xe9\n")
    assert read.labels == {"HP:1": "heart  attack", "HP:2": "caf\ufffd"}
    assert read.rules == {"control_characters": 1, "not_utf8": 1}
    assert (read.at("control_characters"), read.at("not_utf8")) == ([2], [3])


def test_what_is_no_knowledge_is_refused(tmp_path):
    with pytest.raises(FormatError, match="no known format"):
        read_text(tmp_path, "once upon a time\nthere was a file\n")
    with pytest.raises(InputError, match="a format 'nonsense'"):
        read_text(tmp_path, "id\tlabel\n", format="nonsense")
    with pytest.raises(FormatError, match="line 1, column"):
        read_text(tmp_path, '{"graphs": [', format="obo-graphs")


def test_every_format_and_rule_says_what_it_is():
    assert all(format_.title and format_.name == name for name, format_ in FORMATS.items())
    assert all(rule.meaning for rule in RULES.values())


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "format_", "terms"),
    [  # zcat FILE | wc -l, less the head where there is one
        ("efo_nodes_2021_02_01.csv.gz", "term-table", 25_390),
        ("icd10_cn_2017_disease.csv.gz", "term-table", 1_586),  # no line end behind the last line
        ("mesh_id_label_mappings.tsv.gz", "term-list", 29_351),
        ("hgnc_entries_2017.tsv.gz", "hgnc", 45_406),
    ],
)
def test_real_tables_lose_no_row(shared, name, format_, terms):
    read = read_path(shared.parent / "ontologies" / name)
    assert (read.format, len(read.terms)) == (format_, terms)


@pytest.mark.shared
def test_every_real_mapping_of_mondo_is_an_edge(shared):
    # zcat mondo_exactmatch_doid.sssom.tsv.gz | grep -c '^MONDO:' → 11966; … omim → 10045
    for name, rows in (("doid", 11_966), ("omim", 10_045)):
        read = read_path(shared.parent / "ontologies" / f"mondo_exactmatch_{name}.sssom.tsv.gz")
        assert len(read.edges) == rows
        assert not read.problems
