"""Workbooks written by openpyxl: titles, merged headers, dates, error cells, and what is refused."""

import zipfile
from datetime import date

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.formats.cohorts import CohortOptions, open_cohort
from nexome.model.errors import FormatError, InputError
from tests.formats.cohorts.reading import at, read_all, told, variable, written

THOUSANDTHS = st.integers(-(10**12), 10**12).map(lambda n: n / 1000)  # a workbook keeps 15 digits


def book(path, rows, *, merged=(), title="Data"):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for span in merged:
        sheet.merge_cells(span)
    workbook.save(path)
    return path


def test_a_title_and_merged_header_cells(tmp_path):
    rows = [
        ["Table 1. Blood pressure"],
        ["ID", "Blood pressure (mmHg)", None, "血糖（mmol/L）"],
        [None, "systolic", "diastolic", None],
        ["P1", 120, 80, 5.1],
        [],
        ["P2", 131.5, None, 4.9],
    ]
    path = book(tmp_path / "c.xlsx", rows, merged=("B2:C2", "A2:A3", "D2:D3"))
    with open_cohort(path) as reader:
        assert [(c.name, c.unit) for c in reader.columns] == [
            ("ID", ""),
            ("Blood pressure (mmHg) systolic", "mmHg"),
            ("Blood pressure (mmHg) diastolic", "mmHg"),
            ("血糖（mmol/L）", "mmol/L"),
        ]
        (raw,) = reader.read(type(reader.dictionary)(tuple(variable(n, "decimal") for n in reader.names[1:])))
        assert raw.lines.tolist() == [4, 6]
        assert raw.table.to_pydict()["Blood pressure (mmHg) systolic"] == [120.0, 131.5]
    notes = [n.text for n in reader.notes]
    assert notes[0].startswith("Row 1 holds a title")
    assert notes[1].startswith("The header takes 2 rows")


def test_dates_are_dates_and_errors_are_told(tmp_path):
    rows = [
        ["id", "day", "x", "yes"],
        [1, date(2020, 1, 31), "#DIV/0!", True],
        [2, at(2020, 2, 1, 8, 30), 5, False],
        [3, "2020年3月1日", "high", None],
    ]
    path = book(tmp_path / "c.xlsx", rows)
    kinds = (
        variable("id", "text"),
        variable("day", "date"),
        variable("x", "decimal"),
        variable("yes", "boolean"),
    )
    values, problems, _, _ = read_all(path, *kinds)
    assert values["id"] == ["1", "2", "3"]
    assert values["day"] == [at(2020, 1, 31), at(2020, 2, 1, 8, 30), at(2020, 3, 1)]
    assert values["x"] == [None, 5.0, None]
    assert values["yes"] == [True, False, None]
    assert told(problems) == [("x", "an error cell", [2]), ("x", "text", [4])]


@given(
    rows=st.lists(
        st.tuples(
            st.none() | THOUSANDTHS, st.none() | st.integers(-(2**50), 2**50), st.text("ab男 ,;", max_size=5)
        ),
        min_size=1,
        max_size=20,
    )
)
def test_what_is_written_is_read(rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("x") / "c.xlsx"
    book(path, [["x", "n", "words", "last"], *([*row, "end"] for row in rows)])
    kinds = [variable("x", "decimal"), variable("n", "integer"), variable("words", "text")]
    values, problems, _, _ = read_all(path, *kinds)
    assert values["x"] == [row[0] for row in rows]
    assert values["n"] == [row[1] for row in rows]
    assert values["words"] == [row[2].strip() or None for row in rows]
    assert not problems


def test_sheets_are_named_or_told(tmp_path):
    workbook = openpyxl.Workbook()
    workbook.active.title = "Empty"
    for title in ("First", "Second"):
        sheet = workbook.create_sheet(title)
        sheet.append(["a", "b"])
        sheet.append([title, 1])
    path = tmp_path / "c.xlsx"
    workbook.save(path)
    values, _, _, notes = read_all(path)
    assert values["a"] == ["First"]
    assert notes == ["Sheet First is read; the workbook has others: Second."]
    assert read_all(path, sheet="Second")[0]["a"] == ["Second"]
    with pytest.raises(InputError, match=r"no sheet 'Third'.*one of Empty, First, Second"):
        open_cohort(path, CohortOptions(sheet="Third"))


def test_units_in_the_second_row_and_no_header(tmp_path):
    path = book(tmp_path / "u.xlsx", [["id", "chol"], [None, "mmol/L"], [1, 5.2], [2, 4.1]])
    with open_cohort(path) as reader:
        assert [c.unit for c in reader.columns] == ["", "mmol/L"]
        assert [raw.lines.tolist() for raw in reader] == [[3, 4]]
    path = book(tmp_path / "n.xlsx", [[1, 5.2], [2, 4.1]])
    with open_cohort(path) as reader:
        assert reader.names == ("column_1", "column_2")
        assert sum(raw.table.num_rows for raw in reader) == 2


def test_a_formula_without_its_value_is_refused(tmp_path):
    path = book(tmp_path / "c.xlsx", [["id", "x"], [1, "=A2*2"]])
    with pytest.raises(FormatError, match=r"cell B2: a formula whose value was never stored"):
        open_cohort(path)


def test_merged_values_are_told(tmp_path):
    path = book(tmp_path / "c.xlsx", [["id", "x"], [1, 5], [2, None], [3, 6]], merged=("B2:B3",))
    with open_cohort(path) as reader:
        assert "1 merged cells among the values (the first in row 2)" in reader.notes[0].text


def test_a_broken_workbook_is_refused(tmp_path):
    whole = book(tmp_path / "c.xlsx", [["a", "b"], *([i, i / 7] for i in range(3000))]).read_bytes()
    cut = written(tmp_path / "cut.xlsx", whole[: len(whole) // 2])
    with pytest.raises(FormatError, match="not a whole ZIP archive"):
        open_cohort(cut)
    damaged = tmp_path / "damaged.xlsx"
    with zipfile.ZipFile(tmp_path / "c.xlsx") as old, zipfile.ZipFile(damaged, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content[:4000] if name.endswith("sheet1.xml") else content)
    with pytest.raises(FormatError, match="breaks off or is damaged"):
        read_all(damaged)


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path):
    whole = book(tmp_path / "c.xlsx", [["a"], [1]])
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        new.writestr("xl/worksheets/sheet2.xml", b" " * (64 << 20))
    with pytest.raises(FormatError, match="an archive that unpacks to"):
        open_cohort(bomb)


def test_an_empty_workbook_is_refused(tmp_path):
    with pytest.raises(FormatError, match="no sheet holds anything"):
        open_cohort(book(tmp_path / "c.xlsx", []))
    with pytest.raises(FormatError, match="a header and no rows"):
        read_all(book(tmp_path / "d.xlsx", [["a", "b"]]))
