"""Importing cohorts: what is kept, changed and refused, told by file, line and column, never by value."""

import gzip

import numpy as np
import pytest

from nexome.formats.cohorts import CohortOptions
from nexome.ingest.cohorts.requests import CohortRequest
from nexome.ingest.cohorts.run import import_cohort
from nexome.model.cohorts import Category, Cohort, Dictionary, Variable
from nexome.model.errors import FormatError, InputError
from nexome.store.cohorts import CohortStore
from nexome.store.root import create_root, load_assembly

CHOL = Variable(
    "chol",
    "decimal",
    unit="mmol/L",
    minimum=1,
    maximum=20,
    categories=(Category("-9", "refused", missing=True), Category("-8", "not done", missing=True)),
)
SEX = Variable("sex", "category", role="sex", categories=(Category("1", "male"), Category("2", "female")))
PERSON = Variable("id", "text", role="participant")
BORN = Variable("born", "date")
DICTIONARY = Dictionary((PERSON, SEX, CHOL, BORN))
GOOD = "id,sex,chol,born\nA,1,5.2,1960-01-31\nB,2,-9,1961-02-28\nC,1,4.75,\n"
SECRET = "Zhang-5551234"


@pytest.fixture
def root(tmp_path):
    return create_root(tmp_path / "root", assembly=load_assembly("GRCh38"))


@pytest.fixture
def import_text(root, tmp_path):
    def run(*texts, dictionary=DICTIONARY, encoding="utf-8", **said):
        files = []
        for number, text in enumerate(texts):
            path = tmp_path / f"rows{number}.csv"
            path.write_bytes(text.encode(encoding))
            files.append(path)
        return import_cohort(root, CohortRequest(tuple(files), Cohort("town"), dictionary, **said))

    return run


def newest(root, cohort="town"):
    return CohortStore(root).get(cohort)


def rules(report):
    return {(r["rule"], r["column"]): r["count"] for r in report.rules}


def test_a_table_is_imported(root, import_text):
    report = import_text(GOOD)
    assert (report.version, report.rows, report.people, report.variables) == (1, 3, 3, 3)
    table = newest(root)
    people = {CohortStore(root).participant_key("town", name): name for name in "ABC"}
    told = dict(
        zip([people[k] for k in table.participants.tolist()], table.column("chol").values, strict=True)
    )
    assert told["A"] == 5.2
    assert np.isnan(told["B"])
    assert told["C"] == 4.75
    rows, codes = table.missing_of("chol")
    assert [people[k] for k in table.participants[rows].tolist()] == ["B"]
    assert codes.to_pylist() == ["-9"]
    receipt = table.receipt()
    assert receipt["rows"] == {"in": 3, "kept": 3, "dropped": 0}
    assert receipt["files"][0]["path"].endswith("rows0.csv")
    assert len(receipt["files"][0]["sha256"]) == 64


def test_rows_of_several_files_are_one_table(import_text):
    other = GOOD.replace("A,", "D,").replace("B,", "E,").replace("C,", "F,")
    assert import_text(GOOD, other).people == 6


@pytest.mark.parametrize(
    ("cell", "column", "found"),
    [
        (f"A,1,{SECRET},1960-01-31", "chol", "text"),
        ("A,1,<3.1,1960-01-31", "chol", "bound"),
        (f"A,{SECRET},5.2,1960-01-31", "sex", "code that the dictionary does not have"),
        ("A,1,5.2,1961-02-30", "born", "day that the calendar does not have"),
        ("A,1,5.2,03/04/1960", "born", "cannot be told apart"),
        ("A,1,5.2,60-01-31", "born", "date with a short year"),
        (f"A,1,5.2,{SECRET}", "born", "text"),
    ],
)
def test_a_bad_cell_stops_the_import_by_its_place(root, import_text, cell, column, found):
    text = GOOD.replace("A,1,5.2,1960-01-31", cell)
    with pytest.raises(FormatError) as raised:
        import_text(text)
    told = str(raised.value)
    assert "rows0.csv, line 2" in told
    assert f"column {column}" in told
    assert found in told
    assert "--bad-values missing" in told
    for part in cell.split(",")[1:]:
        if len(part) > 3:
            assert part not in told
    assert not CohortStore(root).cohorts()


def test_bad_cells_may_be_kept_as_missing_and_are_counted(root, import_text):
    report = import_text(GOOD.replace("5.2", SECRET), bad_values="missing")
    assert rules(report)["cannot_be_read", "chol"] == 1
    text = (newest(root).path / "receipt.json").read_text()
    assert SECRET not in text
    assert np.isnan(newest(root).column("chol").values).sum() == 2


def test_numbers_out_of_range_are_missing_and_counted(root, import_text):
    report = import_text(GOOD.replace("5.2", "520"))
    assert rules(report)["out_of_range", "chol"] == 1
    told = next(r for r in report.rules if r["rule"] == "out_of_range")
    assert told["lines"] == [2]
    assert told["expected"] == "1 to 20 mmol/L"
    assert "520" not in (newest(root).path / "receipt.json").read_text()


@pytest.mark.parametrize(
    "written", ["1960-01-31", "31/01/1960", "01/31/1960", "19600131", "31.1.1960", "1960年1月31日"]
)
def test_dates_in_several_styles_are_one_day(root, import_text, written):
    import_text(GOOD.replace("1960-01-31", written))
    assert "1960-01-31T00:00:00" in [
        None if v is None else v.isoformat() for v in newest(root).table(["born"])["born"].to_pylist()
    ]


def test_repeated_rows(root, import_text):
    twice = GOOD + "A,2,6.1,\n"
    with pytest.raises(FormatError, match=r"line 5.*stands in another.*--duplicates"):
        import_text(twice)
    assert not CohortStore(root).cohorts()
    report = import_text(twice, duplicates="first")
    assert rules(report)["repeated", ""] == 1
    assert report.rows == 3
    assert 5.2 in newest(root).column("chol").values
    import_text(twice, duplicates="last")
    assert 6.1 in newest(root).column("chol").values


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            "A,1,5.2,1960-01-31\nC,1,4.75,\n",
            r"2 rows in all, of which all repeat every column; .* copies, say .* first, or last\.$",
        ),
        (
            "A,1,5.2,1960-01-31\nC,1,4.8,\n",
            r"of which 1 repeat every column, .* differ in chol alone; .*--visit COLUMN; or correct",
        ),
        ("A,1,6.1,1970-01-31\nC,1,4.8,\n", r"of which none .*--visit COLUMN \(all of them differ in chol\)"),
    ],
)
def test_what_repeated_rows_are_is_told_with_what_to_do(import_text, rows, told):
    with pytest.raises(FormatError, match=told):
        import_text(GOOD + rows)


def test_visits_make_a_long_table(root, import_text):
    text = "id,wave,chol\nA,2,5.5\nA,1,5.0\nB,1,4\n"
    dictionary = Dictionary((PERSON, Variable("wave", "integer"), CHOL))
    report = import_text(text, dictionary=dictionary, visit="wave", shape="long")
    assert (report.rows, report.people) == (3, 2)
    table = newest(root)
    key = CohortStore(root).participant_key("town", "A")
    assert table.column("chol").values[table.participants == key].tolist() == [5.0, 5.5]
    with pytest.raises(InputError, match="without a visit"):
        import_text(text, dictionary=dictionary, shape="long")
    with pytest.raises(InputError, match="wide table with the visit"):
        import_text(text, dictionary=dictionary, visit="wave", shape="wide")


def test_files_of_one_cohort_are_its_visits(root, import_text):
    again = GOOD.replace("5.2", "5.9")
    report = import_text(GOOD, again, visits=("baseline", "after a year"))
    assert (report.rows, report.people) == (6, 3)
    table = newest(root)
    assert table.dictionary.of_role("visit").name == "visit"
    key = CohortStore(root).participant_key("town", "A")
    rows = table.participants == key
    visits = table.table(["visit"])["visit"].to_pylist()
    told = {v: c for v, c, r in zip(visits, table.column("chol").values, rows, strict=True) if r}
    assert told == {"baseline": 5.2, "after a year": 5.9}
    assert table.receipt()["choices"]["visits"] == ["baseline", "after a year"]
    with pytest.raises(FormatError, match="a row whose participant and visit stand in another"):
        import_text(GOOD, again, visits=("baseline", "baseline"))


def test_named_visits_have_the_type_of_the_dictionary(root, import_text):
    codes = (Category("1", "baseline"), Category("2", "after a year"))
    dictionary = Dictionary((*DICTIONARY, Variable("visit", "category", categories=codes)))
    import_text(GOOD, GOOD, dictionary=dictionary, visits=("1", "2"))
    assert newest(root).dictionary.by_name["visit"].categories == codes
    assert newest(root).dictionary.of_role("visit").name == "visit"
    with pytest.raises(FormatError, match="column visit: a code that the dictionary does not have"):
        import_text(GOOD, GOOD, dictionary=dictionary, visits=("1", "3"))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"visits": ("1",)}, "1 names of visits for 2 files"),
        ({"visits": ("1", " ")}, "a visit without a name"),
        ({"visits": ("1", "2"), "visit": "born"}, "--visit and --visit-name"),
        (
            {
                "visits": ("1", "2"),
                "dictionary": Dictionary((PERSON, SEX, CHOL, Variable("born", "date", role="visit"))),
            },
            "the column born holds the visit",
        ),
    ],
)
def test_named_visits_that_do_not_fit_are_told(import_text, said, told):
    with pytest.raises(InputError, match=told):
        import_text(GOOD, GOOD, **said)


def test_who_withdrew_in_a_file_of_another_visit_is_gone_from_all(root, import_text):
    dictionary = Dictionary((PERSON, CHOL, Variable("out", "text", role="withdrawn")))
    import_text(
        "id,chol,out\nA,5,\nB,6,\n", "id,chol,out\nA,5,yes\n", dictionary=dictionary, visits=("1", "2")
    )
    assert newest(root).people == 1


def test_people_who_withdrew_are_not_imported(root, import_text):
    text = "id,chol,out\nA,5,\nA,6,2020-05-01\nB,4,\n"
    dictionary = Dictionary((PERSON, CHOL, Variable("out", "date", role="withdrawn")))
    report = import_text(text, dictionary=dictionary)
    assert rules(report)["withdrawn", "out"] == 2
    assert (report.rows, report.people) == (1, 1)
    assert CohortStore(root).participant_key("town", "A") not in newest(root).participants.tolist()


def test_purposes_are_duo_codes(import_text):
    dictionary = Dictionary((PERSON, Variable("use", "text", role="purposes")))
    text = "id,use\nA,DUO:0000042\nB,DUO:0000007|DUO:0000021\nC,anything\n"
    with pytest.raises(FormatError, match=r"line 4, column use: a purpose that is no DUO code"):
        import_text(text, dictionary=dictionary)
    assert import_text(text, dictionary=dictionary, bad_values="missing").rows == 3


def test_columns_and_dictionary_must_meet(import_text):
    with pytest.raises(InputError, match="1 columns are not in the dictionary: born"):
        import_text(GOOD, dictionary=Dictionary((PERSON, SEX, CHOL)))
    assert import_text(GOOD, dictionary=Dictionary((PERSON, SEX, CHOL)), extra_columns="drop").rows == 3
    more = Dictionary((*DICTIONARY, Variable("bmi", "decimal")))
    with pytest.raises(InputError, match="1 variables of the dictionary are in no file: bmi"):
        import_text(GOOD, dictionary=more)


def test_who_the_participant_is_must_be_said(import_text):
    nobody = Dictionary((Variable("id", "text"), SEX, CHOL, BORN))
    with pytest.raises(InputError, match="--participant"):
        import_text(GOOD, dictionary=nobody)
    assert import_text(GOOD, dictionary=nobody, participant="id").people == 3
    assert import_text(GOOD, dictionary=nobody, each_row_a_person=True).people == 3
    with pytest.raises(FormatError, match="line 2, column id: a row without a participant"):
        import_text(GOOD.replace("A,", " ,"))


def test_gb18030_is_read(root, import_text):
    person, note = Variable("编号", "text", role="participant"), Variable("备注", "text")
    text = "编号,备注\n甲一,正常范围内的血压\n乙二,复查后的血压偏高\n" * 1
    import_text(text, dictionary=Dictionary((person, note)), encoding="gb18030")
    assert "正常范围内的血压" in newest(root).table()["备注"].to_pylist()
    key = CohortStore(root).participant_key("town", "甲一")
    assert key in newest(root).participants.tolist()


def test_a_dry_run_publishes_nothing(root, import_text):
    report = import_text(GOOD.replace("5.2", "520"), dry_run=True)
    assert (report.version, report.rows) == (0, 3)
    assert rules(report)["out_of_range", "chol"] == 1
    assert not CohortStore(root).cohorts()


def test_a_cut_file_leaves_the_last_version(root, import_text, tmp_path):
    import_text(GOOD)
    packed = gzip.compress(
        ("id,sex,chol,born\n" + "".join(f"P{n},1,5.{n},\n" for n in range(9_000))).encode()
    )
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(FormatError, match=r"cut\.csv\.gz"):
        import_cohort(root, CohortRequest((path,), Cohort("town"), DICTIONARY))
    assert newest(root).version == 1
    assert not list((root.path / "cohorts" / "staging").glob("*"))


def test_many_columns(root, import_text):
    names = [f"c{n}" for n in range(3_000)]
    dictionary = Dictionary((PERSON, *(Variable(n, "decimal") for n in names)))
    row = ",".join(["1.5"] * len(names))
    text = f"id,{','.join(names)}\nA,{row}\nB,{row.replace('1.5', 'x', 1)}\n"
    with pytest.raises(FormatError, match="line 3, column c0"):
        import_text(text, dictionary=dictionary)
    assert import_text(text, dictionary=dictionary, bad_values="missing").variables == 3_000
    assert newest(root).column("c2999").values.tolist() == [1.5, 1.5]


def test_a_file_in_another_shape_is_told(import_text):
    with pytest.raises(FormatError, match="line 3"):
        import_text(GOOD.replace("B,2,-9,1961-02-28", "B,2,-9"), read=CohortOptions(delimiter="comma"))
