"""Harmonising two small sources: values, lineage, twice, reversed, killed."""

import os
import subprocess
import sys
from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.ingest.mapping.lineage import as_in_source, rule_in_words
from nexome.ingest.mapping.reading import parse_mapping, read_mapping
from nexome.ingest.mapping.run import harmonise
from nexome.model.cohorts import Cohort, Dictionary, Variable
from nexome.model.errors import InputError, NotFoundError
from nexome.store.cohorts import CohortStore
from nexome.store.cohorts.verify import verify_cohorts
from nexome.store.disk import CRASH_VARIABLE
from tests.ingest.mapping.making import BOTH, LAKE_RULES, TARGET, TOWN_RULES, add, root_with, rows_by_person

LDL = 10 / 386.664  # mg/dL to mmol/L


@pytest.fixture
def root(tmp_path):
    return root_with(tmp_path)


def test_one_table_of_both(root):
    done = harmonise(root, parse_mapping(BOTH))
    assert done.fresh
    assert (done.table.kind, done.table.version, done.table.people) == ("harmonised", 1, 7)
    rows = rows_by_person(root)
    assert rows["a"] == {
        "source": "town", "sex": "male", "age": 40.0, "ldl": pytest.approx(100.5 * LDL, rel=1e-15),
        "bmi": pytest.approx(70 / 1.7**2),
        "diabetes": False, "smoking": "never", "born": datetime(1970, 1, 1),  # noqa: DTZ001
    }  # fmt: skip
    assert rows["c"]["ldl"] is None  # 9999 mg/dL is above 20 mmol/L
    assert rows["d"]["smoking"] is None  # code 7 has no answer
    assert rows["x"] == {
        "source": "lake", "sex": "male", "age": 70.0, "ldl": 2.5, "bmi": None, "diabetes": False,
        "smoking": None, "born": None,
    }  # fmt: skip
    assert rows["y"]["ldl"] == 5.5  # mean of two visits, the third has none
    assert rows["y"]["age"] == 33.0  # the first by date


def test_a_person_of_two_sources_is_one_row(root):
    mapping = parse_mapping(BOTH)
    done = harmonise(root, mapping)
    assert done.receipt["rows_of_shared_persons"] == 1
    joined = rows_by_person(root)["e"]
    assert (joined["source"], joined["age"], joined["sex"]) == ("town", 20.0, "female")  # sex from the lake
    assert joined["ldl"] == pytest.approx(80 * LDL)
    prefer = parse_mapping(BOTH + "persons: prefer\n")
    harmonise(root, prefer)
    assert rows_by_person(root)["e"]["sex"] is None
    with pytest.raises(InputError, match="1 rows of persons that an earlier source has"):
        harmonise(root, parse_mapping(BOTH + "persons: refuse\n"))


def test_the_order_of_sources_decides(root):
    turned = parse_mapping(f"{TARGET}sources:\n{LAKE_RULES}{TOWN_RULES}")
    harmonise(root, turned)
    joined = rows_by_person(root)["e"]
    assert (joined["source"], joined["ldl"]) == ("lake", 3.5)
    assert joined["bmi"] is None  # the town has no height for e


def test_lineage_tells_each_value(root):
    done = harmonise(root, parse_mapping(BOTH))
    store = CohortStore(root)
    town, lake = store.get("both").lineage("ldl")["sources"]
    assert town["source"] == "town"
    assert (town["cohort"], town["version"], town["digest"]) == ("town", 1, store.get("town").digest)
    assert (town["taken"], town["changed"], town["given"]) == (4, 4, 3)
    assert town["refused"] == {"above 20 mmol/L": 1}
    assert (town["unit"]["from"], town["unit"]["to"]) == ("mg/dL", "mmol/L")
    assert town["unit"]["factor"] == LDL
    assert "LDL cholesterol, 386.664 g/mol" in town["unit"]["steps"][0]
    assert (lake["unit"]["factor"], lake["changed"]) == (1.0, 0)
    smoking = store.get("both").lineage("smoking")["sources"]
    assert smoking[0]["refused"] == {"a code without an answer": 1}
    assert "7" not in str(smoking[0]["refused"])
    assert rule_in_words(town).startswith("LDLC; mg/dL → mmol/L: × 0.0258622")
    sex = store.get("both").lineage("sex")["sources"]
    assert sex[1]["codes"] == {"f": "female", "m": "male"}
    assert done.receipt["mapping"] == BOTH
    assert (root.path / "mappings" / "both" / "1.yaml").read_text(encoding="utf-8") == BOTH
    assert done.receipt["sources"][1]["rows"] == {
        "read": 6,
        "combined into a row of the same participant": 3,
        "kept": 3,
    }


def test_twice_is_once(root):
    mapping = parse_mapping(BOTH)
    first = harmonise(root, mapping)
    again = harmonise(root, mapping)
    assert not again.fresh
    assert (again.table.version, again.table.digest) == (1, first.table.digest)
    assert again.receipt == first.receipt
    commented = parse_mapping("# a word more\n" + BOTH)
    assert not harmonise(root, commented).fresh  # the same rules
    other = harmonise(root, parse_mapping(BOTH.replace("maximum: 20,", "maximum: 5,")))
    assert (other.fresh, other.table.version) == (True, 2)
    assert harmonise(root, mapping).table.version == 3


def test_a_new_version_of_a_source_is_followed(root):
    harmonise(root, parse_mapping(BOTH))
    fresh = {"pid": ["q"], "Sex": ["1"], "Age": [44], "LDLC": [90.0]}
    from tests.ingest.mapping.making import TOWN  # noqa: PLC0415

    add(CohortStore(root), Cohort("town", people="valley"), TOWN, fresh)
    done = harmonise(root, parse_mapping(BOTH))
    assert (done.fresh, done.table.people) == (True, 4)
    kept = parse_mapping(BOTH.replace("  town:\n", "  town:\n    version: 1\n"))
    assert harmonise(root, kept).table.people == 7


def test_a_dry_run_keeps_nothing(root):
    done = harmonise(root, parse_mapping(BOTH), dry_run=True)
    assert done.table is None
    assert done.receipt["rows"] == 7
    with pytest.raises(NotFoundError):
        CohortStore(root).get("both")
    assert not (root.path / "mappings").exists()


def test_who_withdrew_stays_out(root):
    mapping = parse_mapping(BOTH)
    harmonise(root, mapping)
    CohortStore(root).withdraw_participant("valley", "e", reason="asked")
    assert "e" not in rows_by_person(root)
    harmonise(root, mapping)
    assert set(rows_by_person(root)) == set("abcdxy")


@pytest.mark.parametrize(
    "step", ["cohorts.written", "cohorts.moved", "cohorts.before-manifest", "cohorts.after-manifest"]
)
def test_killed_half_way_the_last_version_is_whole(root, tmp_path, step):
    harmonise(root, parse_mapping(BOTH))
    before = rows_by_person(root)
    path = tmp_path / "next.yaml"
    path.write_text(BOTH.replace("maximum: 20,", "maximum: 5,"), encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from nexome.store.root import open_root; "
        "from nexome.ingest.mapping.reading import read_mapping; "
        "from nexome.ingest.mapping.run import harmonise; "
        "harmonise(open_root(Path(sys.argv[1])), read_mapping(Path(sys.argv[2])))"
    )
    words = [sys.executable, "-c", code, str(root.path), str(path)]
    assert subprocess.run(words, env={**os.environ, CRASH_VARIABLE: step}, check=False).returncode == -9
    store = CohortStore(root)
    assert store.get("both").version == (2 if step == "cohorts.after-manifest" else 1)
    assert step == "cohorts.after-manifest" or rows_by_person(root) == before
    assert verify_cohorts(root.path).ok
    done = harmonise(root, read_mapping(path))
    assert done.table.version == 2
    store.clean()
    assert verify_cohorts(root.path).ok


def test_what_cannot_be_done_is_told_before_anything_is_read(root):
    for old, new, said in (
        (
            "LDLC",
            "LDL_C",
            "m.yaml, line 20, sources.town.variables.ldl: no column 'LDL_C'.*Did you mean LDLC",
        ),
        ("wt / (ht * ht)", "wt / ht", "kg/cm measures"),
        ("wt / (ht * ht)", "wt / hts", "the name 'hts'.*Did you mean ht"),
        ("ldl: LDLC", "ldl: wt", "kg measures mass, mmol/L"),
        ("ldl: LDLC", "ldl: smoke", "smoke has no unit"),
        ("ldl: LDLC", "ldl: Sex", "a category for ldl, a number"),
        ("born: born", "born: Age", "a number for born"),
        (
            "{1: never, 2: former, 3: current}",
            "{1: always}",
            "the target code 'always'; expected one of never",
        ),
        ("{take: smoke, recode: {1: never, 2: former, 3: current}}", "smoke", "recode: source value"),
        ("{take: smoke, recode: {1: never, 2: former, 3: current}}", "Sex", r"no answer for 1 \(Male\)"),
        ("diabetes: DM", "diabetes: Sex", "no answer for"),
        ("sex: Sex", "sex: {take: Sex, recode: {3: male}}", "the code '3'"),
        ("sex: Sex", "sex: {take: Sex, combine: mean}", "combine: mean of a category"),
        ("sex: Sex", "sex: {take: Sex, combine: nearest}", "without a date"),
        ("  lake:\n", "  lake:\n    combine: nearest\n", "nearest to nothing"),
        ("  lake:\n", "  lake:\n    where: 年龄\n", "a number; expected a condition"),
        ("  lake:\n", "  lake:\n    same_persons: [年]\n", "no column '年'"),
        ("  lake:\n", "  lake:\n    cohort: sea\n", "no cohort 'sea'"),
        ("id: both", "id: town", "the target town as its own source"),
    ):
        text = BOTH.replace(old, new, 1)
        assert text != BOTH
        with pytest.raises((InputError, NotFoundError), match=said) as caught:
            harmonise(root, parse_mapping(text, name="m.yaml"))
        assert "m.yaml" in str(caught.value)
    assert [entry.id for entry in CohortStore(root).cohorts()] == ["lake", "town"]


def test_an_imported_cohort_is_never_a_target(root):
    text = TARGET.replace("id: both", "id: lake") + "sources:\n" + TOWN_RULES
    with pytest.raises(InputError, match="the cohort lake, which was imported"):
        harmonise(root, parse_mapping(text))


def test_a_stated_unit_is_used_and_told(root):
    """The dictionary says mg/dL, the mapping knows better; the lineage keeps both."""
    harmonise(
        root, parse_mapping(BOTH.replace("ldl: LDLC", "ldl: {take: LDLC, unit: mmol/L, because: seen}"))
    )
    entry = CohortStore(root).get("both").lineage("ldl")["sources"][0]
    assert entry["unit"]["dictionary_said"] == "mg/dL"
    assert entry["rule"]["because"] == "seen"
    assert entry["refused"] == {"above 20 mmol/L": 4}


def test_visits_are_kept_where_the_target_has_them(root):
    target = TARGET + "  visit: {type: integer, role: visit}\n"
    rules = (
        TOWN_RULES
        + "      visit: {constant: 1}\n"
        + LAKE_RULES.replace(", combine: mean", "")
        + "      visit: 随访\n"
    )
    done = harmonise(root, parse_mapping(f"{target}sources:\n{rules}"))
    assert done.table.rows == 10  # e of town and e of lake meet at visit 1
    assert done.table.people == 7
    with pytest.raises(InputError, match="no rule for visit"):
        harmonise(root, parse_mapping(f"{target}sources:\n{TOWN_RULES}"))


def test_a_mean_of_whole_numbers_is_rounded_once(root):
    """Visits of y have 5 and 6, e 3 and 4: the mean is rounded, not the values before it."""
    rule = "{take: 低密度脂蛋白, combine: mean, round: 0}"
    target = "target: both\nvariables: {ldl: {type: integer, unit: mmol/L}}\n"
    harmonise(root, parse_mapping(f"{target}sources: {{lake: {{variables: {{ldl: {rule}}}}}}}\n"))
    assert {name: row["ldl"] for name, row in rows_by_person(root).items()} == {"e": 4, "x": 3, "y": 6}


def test_rows_are_chosen_and_counted(root):
    mapping = BOTH.replace("  lake:\n", "  lake:\n    where: 低密度脂蛋白 >= 100 mg/dL and 性别 = 女\n")
    done = harmonise(root, parse_mapping(mapping))
    assert done.receipt["sources"][1]["rows"] == {
        "read": 6, "not chosen by where": 3, "combined into a row of the same participant": 1, "kept": 2,
    }  # fmt: skip


def test_nobody_left_is_told(root):
    with pytest.raises(InputError, match="no row to keep"):
        harmonise(
            root,
            parse_mapping(
                f"{TARGET}sources:\n  town:\n    where: Age > 200\n    variables:\n      age: Age\n"
            ),
        )


@settings(max_examples=8)  # each writes two cohorts; test_ucum tries the conversions themselves widely
@given(st.lists(st.integers(1, 99_999), min_size=1, max_size=30), st.integers(0, 3))
def test_reversing_gives_the_source_back(tmp_path_factory, digits, decimals):
    """What the source wrote is there again, to the bit, from the harmonised values and their lineage."""
    written = np.round(np.array(digits) / 10**decimals, decimals)
    root = root_with(tmp_path_factory.mktemp("reversed"))
    dictionary = Dictionary(
        (Variable("pid", "text", role="participant"), Variable("TG", "decimal", unit="mg/dL"))
    )
    store = CohortStore(root)
    source = {"pid": [str(i) for i in range(len(digits))], "TG": pa.array(written)}
    table = add(store, Cohort("lab"), dictionary, source)
    rule = "sources: {lab: {variables: {tg: TG}}}\n"
    text = "target: out\nvariables: {tg: {unit: mmol/L, label: Triglycerides}}\n" + rule
    done = harmonise(root, parse_mapping(text)).table
    back = as_in_source(done.column("tg").values, done.lineage("tg")["sources"][0])
    assert (done.participants == table.participants).all()
    assert back.tolist() == table.column("TG").values.tolist()
