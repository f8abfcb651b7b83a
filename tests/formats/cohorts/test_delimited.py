"""Delimited text: the fast path against a slow plain one, shapes, quotes, lines, bad input."""

import csv
import gzip
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.formats.cohorts import CohortOptions, delimited, open_cohort
from nexome.formats.cohorts.cells import MISSING
from nexome.model.cohorts import Dictionary
from nexome.model.errors import FormatError, InputError, NotFoundError
from tests.formats.cohorts.reading import read_all, told, variable, written

CELLS = st.one_of(
    st.sampled_from(
        ["", "NA", ".", "-9", "999", "拒答", "abc", "<5", "1,5", " 3 ", "１２", "inf", "+4", "1e3", "0x10"]
    ),
    st.integers(-1000, 1000).map(str),
    st.floats(-1e6, 1e6).map(repr),
)
ROWS = st.lists(st.tuples(CELLS, CELLS, st.text('ab"\n, 男', max_size=5)), min_size=1, max_size=12)


def plain_number(text: str, missing: dict[str, str]) -> tuple[float | None, str | None, bool]:
    """(value, missing code, whether it cannot be read), one cell at a time."""
    text = text.strip()
    if text in missing:
        return None, text, False
    if text in MISSING:
        return None, None, False
    text = text.translate({0xFF10 + i: str(i) for i in range(10)})
    if not text or any(sign not in "0123456789+-.eE" for sign in text):
        return None, None, True
    try:
        value = float(text)
    except ValueError:
        return None, None, True
    code = next((c for c in missing if c.lstrip("-").isdigit() and float(c) == value), None)
    return (None, code, False) if code else (value, None, False)


@given(rows=ROWS)
def test_a_file_reads_as_a_plain_reader_would(rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("csv") / "cohort.csv"
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([("x", "y", "words"), *rows])
    written(path, text.getvalue())
    x = variable("x", "decimal", missing=("-9", "拒答"))
    values, problems, codes, _ = read_all(
        path, x, variable("y", "decimal"), variable("words", "text"), header="yes"
    )
    expected = [plain_number(row[0], {"-9": "", "拒答": ""}) for row in rows]
    assert values["x"] == [value for value, _, _ in expected]
    assert codes.get("x", [None] * len(rows)) == [code for _, code, _ in expected]
    lines = [line for p in problems if p.column == "x" for line in p.lines.tolist()]
    starts = row_lines(text.getvalue())
    assert sorted(lines) == [starts[i + 1] for i, (_, _, bad) in enumerate(expected) if bad]
    assert values["words"] == [row[2] or None for row in rows]


def row_lines(text: str) -> list[int]:
    """The line each row of a CSV begins on, by the standard library."""
    reader = csv.reader(io.StringIO(text, newline=""))
    starts, line = [], 1
    for _ in reader:
        starts.append(line)
        line = reader.line_num + 1
    return starts


@given(
    rows=st.lists(
        st.tuples(st.floats(allow_nan=False, allow_infinity=False) | st.none(), st.integers(-(2**53), 2**53)),
        min_size=1,
    )
)
def test_numbers_written_are_numbers_read(rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("csv") / "cohort.csv"
    lines = ["x,n", *(f"{'' if x is None else repr(x)},{n}" for x, n in rows)]
    written(path, "\n".join(lines))
    values, problems, _, _ = read_all(path, variable("x", "decimal"), variable("n", "integer"), header="yes")
    assert values == {"x": [x for x, _ in rows], "n": [n for _, n in rows]}
    assert not problems


def test_only_variables_of_the_dictionary_are_read_in_its_order(tmp_path):
    path = written(tmp_path / "c.csv", "a,b,c\n1,2,3\n")
    values, *_ = read_all(path, variable("c", "integer"), variable("a", "text"), variable("absent", "text"))
    assert values == {"c": [3], "a": ["1"]}


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("a,b\n1,2\n", "csv"),
        ("a\tb\n1\t2\n", "tsv"),
        ("a;b\n1;2\n", "delimited"),
        ("a|b\n1|2\n", "delimited"),
        ("a   b\n1     2\n", "delimited"),
        ("a,b\r\n1,2\r\n", "csv"),
        ('"a","b"\n"1","2"', "csv"),
        ("﻿a,b\n1,2\n", "csv"),
    ],
)
def test_delimiters_and_line_ends(tmp_path, text, form):
    path = written(tmp_path / "c.txt", text)
    values, *_ = read_all(path, variable("a", "integer"), variable("b", "integer"))
    assert values == {"a": [1], "b": [2]}
    with open_cohort(path) as reader:
        assert reader.format == form


def test_packed_files_and_their_checksum(tmp_path):
    content = gzip.compress(b"a,b\n1,2\n")
    path = written(tmp_path / "c.csv.gz", content)
    with open_cohort(path) as reader:
        rows = [raw.table.num_rows for raw in reader]
        assert rows == [1]
        assert reader.progress()[0] == len(content)
        assert len(reader.sha256()) == 64


def test_rows_keep_their_lines_over_blank_lines_and_quoted_breaks(tmp_path):
    path = written(tmp_path / "c.csv", 'a,b\n1,"two\nlines"\n\n3,x\n')
    with open_cohort(path) as reader:
        assert [raw.lines.tolist() for raw in reader] == [[2, 5]]


def test_blocks_end_at_rows_even_within_quotes(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "_BLOCK_BYTES", 64)
    monkeypatch.setattr(delimited, "_BLOCK_BYTES_A_COLUMN", 1)
    rows = [(i, f"line one of {i}\nline two, {i}") for i in range(50)]
    text = "n,words\n" + "".join(f'{n},"{words}"\n' for n, words in rows)
    path = written(tmp_path / "c.csv", text)
    with open_cohort(path) as reader:
        tables = list(reader.read(Dictionary((variable("n", "integer"), variable("words", "text")))))
    assert len(tables) > 10
    assert [n for t in tables for n in t.table["n"].to_pylist()] == list(range(50))
    assert [w for t in tables for w in t.table["words"].to_pylist()] == [words for _, words in rows]
    assert [line for t in tables for line in t.lines.tolist()] == [2 + 2 * n for n in range(50)]


def test_problems_name_kind_column_and_lines_never_the_value(tmp_path):
    rows = ["5.1", "secret", "<0.5", "5,3", "12 mg/dL", "4-5", "1,234", "#DIV/0!", "2020-01-05", "5.2"]
    path = written(tmp_path / "c.csv", "x\tn\n" + "".join(f"{r}\t{i}.5\n" for i, r in enumerate(rows)))
    _, problems, _, _ = read_all(path, variable("x", "decimal"), variable("n", "integer"))
    assert told(problems) == [
        ("x", "text", [3]),
        ("x", "a bound (< or >)", [4]),
        ("x", "a number with a decimal comma", [5]),
        ("x", "a number with text behind it", [6]),
        ("x", "a range", [7]),
        ("x", "a number with commas between thousands", [8]),
        ("x", "an error cell", [9]),
        ("x", "a date", [10]),
        ("n", "a number that is not whole or too large", list(range(2, 12))),
    ]
    assert "secret" not in repr(problems)


def test_codes_that_the_dictionary_lacks_are_told(tmp_path):
    path = written(tmp_path / "c.csv", "sex,n\n1,1\n2.0,1\n3,1\n9,1\n,1\n１,1\n")
    sex = variable("sex", "category", missing=("9",), codes=("1", "2"))
    values, problems, codes, _ = read_all(path, sex)
    assert values["sex"] == ["1", "2", None, None, None, "1"]
    assert told(problems) == [("sex", "a code that the dictionary does not have", [4])]
    assert codes["sex"] == [None, None, None, "9", None, None]


def test_a_word_for_nothing_that_is_a_code_stays_a_code(tmp_path):
    path = written(tmp_path / "c.csv", "x,n\n.,1\nNA,1\n5,1\n,1\n")
    values, problems, codes, _ = read_all(path, variable("x", "decimal", missing=(".", "-9")))
    assert values["x"] == [None, None, 5.0, None]
    assert codes["x"] == [".", None, None, None]
    assert not problems


def test_yes_and_no(tmp_path):
    path = written(tmp_path / "c.csv", "x,n\nYes,1\nno,1\n是,1\n0,1\n1.0,1\nmaybe,1\nNA,1\n")
    values, problems, _, _ = read_all(path, variable("x", "boolean"))
    assert values["x"] == [True, False, True, False, True, None, None]
    assert told(problems) == [("x", "text", [7])]


def test_a_hundred_thousand_columns(tmp_path):
    count = 100_000
    header = ",".join(f"v{i}" for i in range(count))
    row = ",".join(str(i % 7) for i in range(count))
    path = written(tmp_path / "wide.csv", f"{header}\n{row}\n{row}\n")
    with open_cohort(path) as reader:
        assert len(reader.names) == count
        wanted = Dictionary(tuple(variable(f"v{i}", "integer") for i in (0, 5, count - 1)))
        (raw,) = reader.read(wanted)
        assert raw.table.to_pydict() == {"v0": [0, 0], "v5": [5, 5], "v99999": [4, 4]}


def test_a_sample_stays_in_the_file(tmp_path):
    path = written(tmp_path / "c.csv", "a,b\n1,x\n2,y\n3,\n")
    with open_cohort(path) as reader:
        assert reader.sample(2).to_pydict() == {"a": ["1", "2"], "b": ["x", "y"]}
        assert sum(raw.table.num_rows for raw in reader) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("\n\n", "no line with names of columns"),
        ("a,b\n", "a header and no rows"),
        ("a,b\n1,2\n3\n", "line 3: 1 cells; expected 2"),
        ("a,b\n1,2\n3,4,5\n", "line 3: 3 cells; expected 2"),
        ('a,b\n1,2\n3,"4\n', "line 3: a quote that is never closed"),
        (b"a,b\n1,\x00\n", "line 2: a NUL byte"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 60, "an old Excel workbook"),
        (b"%PDF-1.7\n", "a PDF document"),
        ("<html><body>Log in</body></html>\n", "a web page"),
        ("a,b\r1,2\r3,4\r", "lines that end with CR alone"),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(tmp_path, text, said):
    path = written(tmp_path / "c.csv", text)
    with pytest.raises(FormatError, match=said):
        read_all(path)


def test_a_broken_archive_is_told_with_the_last_good_line(tmp_path):
    lines = "".join(f"{i},{math.sin(i)}\n" for i in range(100_000))
    path = written(tmp_path / "c.csv.gz", gzip.compress(f"a,b\n{lines}".encode())[:-4000])
    with pytest.raises(FormatError, match="ends too early"):
        read_all(path)


def test_unknown_options_are_refused(tmp_path):
    path = written(tmp_path / "c.csv", "a,b\n1,2\n")
    for options in ({"delimiter": "x"}, {"header": "perhaps"}, {"encoding": "ebcdic"}, {"format": "ods"}):
        with pytest.raises(InputError):
            open_cohort(path, CohortOptions(**options))
    with pytest.raises(NotFoundError):
        open_cohort(tmp_path / "absent.csv")
