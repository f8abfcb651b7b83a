"""Encodings: found out where that is sure, told where guessed, asked for where it would be a lottery."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.formats.cohorts.encoding import everyday_chinese
from nexome.model.errors import FormatError
from tests.formats.cohorts.reading import read_all, variable, written

TEXT = "编号,姓别,备注\n1,男,身体健康\n2,女,高血压\n"
NAMES = (variable("编号", "integer"), variable("姓别", "text"), variable("备注", "text"))
EXPECTED = {"编号": [1, 2], "姓别": ["男", "女"], "备注": ["身体健康", "高血压"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_one_encoding_is_found_out(tmp_path, encoding):
    text = TEXT if encoding not in {"utf-16-le", "utf-16-be"} else "id,sex,remark\n" * 3 + "1,m,x\n" * 20
    path = written(tmp_path / "c.csv", text, encoding)
    values, _, _, notes = read_all(path, *(NAMES if text == TEXT else ()))
    if text == TEXT:
        assert values == EXPECTED
        assert notes == (["Read as GB18030 (not UTF-8)."] if encoding == "gb18030" else [])
    else:
        assert values["sex"][-1] == "m"


def test_two_encodings_in_one_file_are_told_with_their_lines(tmp_path):
    lines = TEXT.splitlines(keepends=True)
    content = lines[0].encode() + lines[1].encode() + lines[2].encode("gb18030") + "3,男,无\n".encode()
    values, _, _, notes = read_all(written(tmp_path / "c.csv", content), *NAMES)
    assert values["备注"] == ["身体健康", "高血压", "无"]
    assert notes == ["Two encodings in one file: 1 lines are GB18030 (3), the others UTF-8."]


@pytest.mark.parametrize("text", ["Müller,1", "caf\xe9,2", "Größe über Weiß,3"])
def test_latin_is_never_guessed(tmp_path, text):
    path = written(tmp_path / "c.csv", "name,n\nx,1\n" + text + "\n", "latin-1")
    with pytest.raises(
        FormatError, match=r"line 3: bytes that are neither UTF-8 nor Chinese.*--encoding cp1252"
    ):
        read_all(path)
    values, *_ = read_all(path, encoding="cp1252")
    assert values["name"][1] == text.partition(",")[0]


def test_a_said_encoding_that_is_wrong_is_told(tmp_path):
    path = written(tmp_path / "c.csv", TEXT, "gb18030")
    with pytest.raises(FormatError, match="line 1: bytes that are not UTF-8 text"):
        read_all(path, encoding="utf-8")


def test_utf_16_cut_within_a_sign_is_told(tmp_path):
    path = written(tmp_path / "c.csv", TEXT.encode("utf-16")[:-1])
    with pytest.raises(FormatError, match="not UTF-16 text"):
        read_all(path)


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5, codec="gb2312"), min_size=1))
def test_chinese_of_gb2312_is_recognised(text):
    assert everyday_chinese(text.encode("gb18030")) == text


@given(st.lists(st.sampled_from(["Müller", "José", "naïve", "Ångström", "déjà", "Straße"]), min_size=1))
def test_western_words_are_not_taken_for_chinese(words):
    assert everyday_chinese(" ".join(words).encode("latin-1")) is None
