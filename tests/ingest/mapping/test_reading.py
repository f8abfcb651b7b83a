"""Mappings are read; every mistake is told by file and line."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from nexome.formats.dictionary import write_dictionary
from nexome.ingest.mapping.reading import parse_mapping, read_mapping
from nexome.model.errors import InputError, NotFoundError
from tests.ingest.mapping.making import BOTH, LAKE_RULES, TARGET, TOWN_RULES

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs/formats/mapping.schema.json").read_text(encoding="utf-8")
)


def test_what_is_said_is_read(tmp_path):
    path = tmp_path / "both.yaml"
    path.write_text(BOTH, encoding="utf-8")
    mapping = read_mapping(path)
    assert mapping.target.title == "Town and lake"
    assert [v.name for v in mapping.dictionary] == ["sex", "age", "ldl", "bmi", "diabetes", "smoking", "born"]
    assert mapping.dictionary.by_name["sex"].categories[1].label_zh == "女"
    town, lake = mapping.sources
    assert (town.cohort, town.version, town.combine) == ("town", None, "first")
    assert town.rule("bmi").how == "derive"
    assert town.rule("smoking").recode == (("1", "never"), ("2", "former"), ("3", "current"))
    assert lake.rule("ldl").combine == "mean"
    assert lake.rule("bmi") is None
    assert mapping.text == BOTH


def test_yaml_words_stay_words():
    """`no`, `1.0` and `on` are codes here, not values of YAML 1.1."""
    text = TARGET.replace("[never, former, current]", "[no, on, 1.0]")
    rule = "{take: s, recode: {yes: on, no: 1.0, 3: ~}}"
    mapping = parse_mapping(f"{text}sources:\n  town:\n    variables:\n      smoking: {rule}\n")
    assert [c.code for c in mapping.dictionary.by_name["smoking"].categories] == ["no", "on", "1.0"]
    assert mapping.sources[0].rules[0].recode == (("yes", "on"), ("no", "1.0"), ("3", "missing"))


def town(rules):
    return f"{TARGET}sources:\n  town:\n{rules}"


WRONG = [
    ("", "nothing"),
    ("target: [", "line 1"),
    ("a: 1\n", "line 1, a: 'a'; expected one of target, variables, dictionary"),
    ("target: x\nvariables: {}\n", "no sources"),
    ("target: x\nsources: {a: {variables: {y: z}}}\n", "no variables"),
    ("target: no good\nvariables: {a: {}}\nsources: {s: {variables: {a: b}}}\n", "line 1"),
    (TARGET + "dictionary: d.csv\nsources:\n" + TOWN_RULES, "two dictionaries"),
    ("target: x\ndictionary: d.csv\nsources: {s: {variables: {a: b}}}\n", "a mapping that is none itself"),
    (TARGET + TARGET + "sources:\n" + TOWN_RULES, "'target' for the second time"),
    (TARGET + "sources: &x\n  a: *x\n", "an alias"),
    (town("    variabels:\n      sex: Sex\n"), "line 17, sources.town.variabels.*Did you mean variables"),
    (town("    variables:\n      sexx: Sex\n"), "line 18, .*Did you mean sex"),
    (town("    variables:\n      sex: {take: Sex, derive: Sex}\n"), "take and derive; expected one of"),
    (town("    variables:\n      sex: {because: so}\n"), "no rule"),
    (town("    variables:\n      sex: [Sex]\n"), "a list"),
    (town("    variables:\n      sex:\n"), "nothing"),
    (
        town("    variables:\n      bmi: {derive: wt /}\n"),
        "line 18, sources.town.variables.bmi.derive, expression, character 5",
    ),
    (town("    variables:\n      ldl: {take: x, unit: mg per something}\n"), "the unit 'mg per something'"),
    (town("    variables:\n      ldl: {take: x, analyte: unobtainium}\n"), "the analyte 'unobtainium'"),
    (town("    variables:\n      ldl: {take: x, range: [3, 1]}\n"), "lowest above the highest"),
    (town("    variables:\n      ldl: {take: x, range: [3]}\n"), "1 values"),
    (town("    variables:\n      ldl: {take: x, combine: newest}\n"), "'newest'; expected one of first"),
    (town("    variables:\n      ldl: {take: x, nearest: May}\n"), "a date as 2010-05-01"),
    (town("    variables:\n      ldl: {take: x, round: 1.5}\n"), "no number of decimals"),
    (town("    variables:\n      smoking: {take: x, recode: {}}\n"), "no code"),
    (town("    version: 0\n    variables:\n      sex: Sex\n"), "no version"),
    (town("    where: Age >\n    variables:\n      sex: Sex\n"), "character 6"),
    (town("    absent: [nothing]\n    variables:\n      sex: Sex\n"), "'nothing'; expected one of"),
    (
        TARGET.replace("type: boolean", "type: bool") + "sources:\n" + TOWN_RULES,
        "line 12, variables.diabetes.type: 'bool'",
    ),
    (
        TARGET.replace("unit: mmol/L", "unit: mmmol/L") + "sources:\n" + TOWN_RULES,
        "line 10, variables.ldl.unit",
    ),
    (TARGET.replace("  born:", "  source:") + "sources:\n" + LAKE_RULES, "a variable source"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_mistakes_are_told_by_line(text, said):
    with pytest.raises(InputError, match=said) as caught:
        parse_mapping(text, name="m.yaml")
    assert caught.value.where.startswith("m.yaml")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_mapping(tmp_path / "none.yaml")
    (tmp_path / "m.yaml").write_bytes("目标: 甲".encode("gb18030"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_mapping(tmp_path / "m.yaml")


def test_a_dictionary_in_a_file(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(f"target: x\ndictionary: d.yaml\nsources:\n{TOWN_RULES}", encoding="utf-8")
    with pytest.raises(NotFoundError, match=r"m\.yaml, line 2, dictionary.*d\.yaml"):
        read_mapping(path)
    write_dictionary(tmp_path / "d.yaml", parse_mapping(BOTH).dictionary)
    assert read_mapping(path).dictionary == parse_mapping(BOTH).dictionary


def test_the_schema_says_what_the_reader_says():
    """Whatever is read is of the schema, and what the schema's keys allow is what the reader allows."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.validate(yaml.load(BOTH, Loader=yaml.BaseLoader))
    for text, _ in WRONG[2:5]:
        assert not validator.is_valid(yaml.load(text, Loader=yaml.BaseLoader))
    from nexome.ingest.mapping import reading  # noqa: PLC0415

    keys = SCHEMA["$defs"]
    assert set(keys["rule"]["oneOf"][1]["properties"]) == set(reading._RULE)
    assert set(keys["source"]["properties"]) == set(reading._SOURCE)
    assert set(keys["variable"]["properties"]) == set(reading._VARIABLE)
    assert set(SCHEMA["properties"]) == set(reading._TOP)
