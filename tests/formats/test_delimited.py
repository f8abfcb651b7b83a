"""The engine under all tables: delimiters, missing values, exact p, line numbers, bad input."""

import io
from decimal import Decimal, getcontext

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.formats.delimited import MAX_COLUMNS, MISSING, Plan, Wanted, neg_log_10, read_header, read_rows
from nexome.formats.reader import ReadOptions
from nexome.formats.stream import open_stream
from nexome.model.errors import FormatError, InputError

KINDS = {"chr": "category", "pos": "position", "p_value": "number", "name": "text"}


def parse(content, *, block_bytes=1 << 20, **said):
    """Header and batches of a table's bytes, columns read by KINDS."""
    options = ReadOptions(**said)
    stream = open_stream("-", stdin=io.BytesIO(content))
    header = read_header(stream, options)
    wanted = tuple(Wanted(i, n, n, KINDS[n]) for i, n in enumerate(header.names) if n in KINDS)
    plan = Plan("file", header, wanted, options.encoding, block_bytes)
    return header, list(read_rows(stream, plan))


def rows_of(batches):
    return [row for b in batches for row in b.table.to_pylist()]


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        (b"chr\tpos\tname\n1\t5\ta b\n", "tab"),
        (b"chr,pos,name\n1,5,a b\n", "comma"),
        (b"chr;pos;name\n1;5;a b\n", "semicolon"),
        (b"chr,pos,name\r\n1,5,a b\r\n", "comma"),
        (b"\xef\xbb\xbfchr\tpos\tname\n1\t5\ta b", "tab"),
        (b'"chr","pos","name"\n"1",5,"a b"\n', "comma"),
        (b'"chr"\t"pos"\t"name"\n"1"\t5\t"a b"\n', "tab"),
        (b'"chr" "pos" "name"\n"1" 5 "a b"\n', "spaces"),
    ],
)
def test_the_delimiter_is_told_by_the_header(content, delimiter):
    header, batches = parse(content)
    assert header.delimiter == delimiter
    assert rows_of(batches) == [{"chr": "1", "pos": 5, "name": "a b"}]


def test_runs_of_blanks_and_tabs_are_one_delimiter():
    _, batches = parse(b"  chr    pos  name \n   1      5     x\n  22  \t  60   y  \n")
    assert rows_of(batches) == [{"chr": "1", "pos": 5, "name": "x"}, {"chr": "22", "pos": 60, "name": "y"}]


def test_comment_lines_are_kept_apart_and_a_hash_header_is_a_header():
    header, batches = parse(b"##made by\n# a word about it\n#chr\tpos\n1\t5\n")
    assert header.comments == ("##made by", "# a word about it")
    assert header.names == ("chr", "pos")
    assert header.line == 3
    assert batches[0].first_line == 4


@pytest.mark.parametrize("missing", MISSING)
def test_every_spelling_of_missing_is_null(missing):
    _, batches = parse(f"chr\tpos\tp_value\tname\n{missing}\t{missing}\t{missing}\t{missing}\n".encode())
    assert all(v is None for v in rows_of(batches)[0].values())


def test_a_dash_is_a_value_of_text_and_missing_for_numbers():
    _, batches = parse(b"chr\tpos\tp_value\tname\n-\t-\t-\t-\n")
    assert rows_of(batches)[0] == {
        "chr": "-",
        "pos": None,
        "p_value": None,
        "name": "-",
        "neg_log_10_p_value": None,
    }
    assert batches[0].problems == ()


def test_positions_may_be_written_as_floats():
    _, batches = parse(b"chr\tpos\n1\t1e5\n1\t+7\n1\t12.0\n1\t007\n")
    assert [r["pos"] for r in rows_of(batches)] == [100_000, 7, 12, 7]


@pytest.mark.parametrize("bad", ["-5", "1.5", "abc", "1e300", "0x10", "1_000"])
def test_a_bad_position_is_a_problem_with_its_line(bad):
    _, batches = parse(f"chr\tpos\n1\t5\n\n1\t{bad}\n1\t6\n".encode())
    assert [r["pos"] for r in rows_of(batches)] == [5, None, 6]
    (problem,) = batches[0].problems
    assert (problem.line, problem.column, problem.found) == (4, "pos", repr(bad))
    assert batches[0].lines().tolist() == [2, 4, 5]


def test_p_values_below_float64_keep_their_size():
    _, batches = parse(b"chr\tp_value\n1\t0.5\n1\t1e-308\n1\t3.2e-400\n1\t0\n1\t0.0e0\n1\tNA\n")
    exact = [r["neg_log_10_p_value"] for r in rows_of(batches)]
    assert exact[0] is None
    assert exact[5] is None
    assert exact[1] == pytest.approx(308)
    assert exact[2] == pytest.approx(400 - np.log10(3.2))
    assert exact[3:5] == [np.inf, np.inf]


@given(
    st.integers(1, 10**17),
    st.integers(-5000, 5),
    st.sampled_from(["{}e{}", "{}E{:+05d}", "0.{}e{}", "00{}.0e{}", ".{}e{}"]),
)
def test_neg_log_10_agrees_with_decimal_arithmetic(mantissa, exponent, form):
    getcontext().prec = 40
    text = form.format(mantissa, exponent)
    assert neg_log_10(text) == pytest.approx(float(-Decimal(text).log10()), rel=1e-13, abs=1e-12)


def test_blocks_of_any_size_give_the_same_rows():
    content = b"chr\tpos\tp_value\n" + b"".join(
        b"%d\t%d\t%g\n" % (i % 22, i, 0.5 / i) for i in range(1, 3000)
    )
    whole = rows_of(parse(content)[1])
    assert len(whole) == 2999
    for size in (20, 1000, 7777):
        _, batches = parse(content, block_bytes=size)
        assert rows_of(batches) == whole
        assert np.concatenate([b.lines() for b in batches]).tolist() == list(range(2, 3001))


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"", None, "empty"),
        (b"\n\n\n", None, "empty"),
        (b"## only\n", None, "comment"),
        (b"chr\tpos\n", 1, "no rows"),
        (b"chr\tpos\n\n\n", 1, "no rows"),
        (b"onlyone\n1\n", 1, "one column"),
        (b"#\n#\n", None, "comment"),
        (b"#\n\n7\n", 3, "one column"),
        (b"chr\tpos\tpos\n1\t2\t3\n", 1, "given twice"),
        (b"chr\tpos\n1\t2\n3\n", 3, "1 columns"),
        (b"chr\tpos\n1\t2\n3\t4\t5\n", 3, "3 columns"),
        (b"chr\tpos\n1,2\n", 2, "1 columns"),
        (b"chr\tpos\n1\t2\n3\t\x004\n", 3, "NUL"),
        (b"ch\0r\tpos\n1\t2\n", 1, "NUL"),
        (b'chr,name\n1,"open\n2,b\n', 2, "quote"),
        (b"chr\tname\n1\ta\n1\t\xc4\xe3\n", 3, "UTF-8"),
        (b"chr\tn\xc4\xe3me\n1\ta\n", 1, "UTF-8"),
    ],
)
def test_bad_input_is_named_with_its_line(content, line, words):
    with pytest.raises(FormatError, match=words) as caught:
        parse(content)
    assert caught.value.expected
    if line:
        assert caught.value.where.endswith(f"line {line}") or f"line {line}," in caught.value.where


def test_a_ragged_line_is_found_in_any_block_and_what_stood_before_comes_first():
    rows = [b"1\t%d\n" % i for i in range(1000)]
    rows[700] = b"1\t2\t3\n"
    stream = open_stream("-", stdin=io.BytesIO(b"chr\tpos\n" + b"".join(rows)))
    header = read_header(stream, ReadOptions())
    wanted = (Wanted(0, "chr", "chr", "category"), Wanted(1, "pos", "pos", "position"))
    batches = read_rows(stream, Plan("file", header, wanted, "utf-8", 500))
    seen = []
    with pytest.raises(FormatError, match="line 702"):
        seen.extend(b.table.num_rows for b in batches)
    assert 500 < sum(seen) <= 700


def test_wide_matrices_are_refused_plainly():
    content = b"\t".join(b"s%d" % i for i in range(100_000)) + b"\n" + b"\t".join([b"0"] * 100_000) + b"\n"
    with pytest.raises(FormatError, match="100,000 columns") as caught:
        parse(content)
    assert f"{MAX_COLUMNS:,}" in caught.value.expected


def test_chinese_windows_text_is_read_when_said():
    content = "chr,pos,name\n1,5,身高\n".encode("gb18030")
    with pytest.raises(FormatError, match="gb18030"):
        parse(content)
    assert rows_of(parse(content, encoding="gb18030")[1])[0]["name"] == "身高"
    with pytest.raises(InputError, match="encoding"):
        parse(content, encoding="klingon")


def test_text_in_a_number_is_null_and_told_once_a_cell():
    _, batches = parse(b"chr\tp_value\n1\tsignificant\n2\t0.1\n3\t<1e-5\n")
    assert rows_of(batches)[1]["p_value"] == 0.1
    assert [(p.line, p.found) for p in batches[0].problems] == [(2, "'significant'"), (4, "'<1e-5'")]


numbers = st.floats(allow_nan=False, allow_infinity=False)
names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters='"\t\x85\u2028\u2029'),
    min_size=1,
    max_size=8,
)


@given(
    st.lists(st.tuples(st.integers(0, 2**40), numbers, names), min_size=1, max_size=30), st.integers(10, 400)
)
def test_what_is_written_is_read_back(rows, block_bytes):
    content = "pos\tp_value\tname\n" + "".join(f"{a}\t{b!r}\t{c}\n" for a, b, c in rows)
    _, batches = parse(content.encode(), block_bytes=block_bytes)
    found = [(r["pos"], r["p_value"], r["name"]) for r in rows_of(batches)]
    assert found == [(a, b, None if c in MISSING else c) for a, b, c in rows]


def test_types_are_those_declared():
    _, batches = parse(b"chr\tpos\tp_value\tname\n1\t5\tx\ta\n")
    types = [f.type for f in batches[0].table.schema]
    assert types == [
        pa.dictionary(pa.int32(), pa.string()),
        pa.int64(),
        pa.float64(),
        pa.string(),
        pa.float64(),
    ]
