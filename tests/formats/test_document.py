"""Papers in every kind of file, and files that are none: what is told, and that nothing is guessed."""

import zipfile

import docx
import openpyxl
import pytest

from nexome.formats import document
from nexome.formats.document import read_document
from nexome.model.errors import FormatError
from nexome.report import read_paper
from tests.report.test_rules import SMALL, paper


def rows():
    return [line.split("\t") for line in SMALL.split("\n")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_text_in_the_usual_encodings(tmp_path, encoding):
    file = tmp_path / "paper.txt"
    file.write_text(SMALL, encoding=encoding)
    assert read_paper(file).targets == paper(SMALL).targets


def test_xlsx_gives_the_same_tables(tmp_path):
    book = openpyxl.Workbook()
    for row in rows():
        book.active.append(row)
    book.save(tmp_path / "paper.xlsx")
    read = read_paper(tmp_path / "paper.xlsx")
    assert [t.indicators[0].name for t in read.targets] == ["收录变异数"]
    assert [row.code for row in read.budgets[0].rows][:3] == ["206", "20602", "2060201"]


def test_docx_gives_the_same_tables_and_a_merged_cell_stands_once(tmp_path):
    made = docx.Document()
    block = []
    for row in [*rows(), [""]]:
        if len(row) > 1:
            block.append(row)
            continue
        if block:
            table = made.add_table(len(block), max(map(len, block)))
            for i, cells in enumerate(block):
                for j, cell in enumerate(cells):
                    table.cell(i, j).text = cell
            block = []
        made.add_paragraph(row[0])
    merged = made.add_table(1, 3)
    merged.cell(0, 0).merge(merged.cell(0, 1)).text = "合并"
    made.save(tmp_path / "paper.docx")
    read = read_paper(tmp_path / "paper.docx")
    assert read.targets[0].indicators[2].name == "用户满意度"
    assert read.budgets[0].total.amounts[0].printed == "300.00"
    lines = read_document(tmp_path / "paper.docx").lines
    assert [line.cells for line in lines if "合并" in line.text] == [["合并", "", ""]]


def small_pdf(path, text):
    """A PDF of one page by hand; no text at all when `text` is empty."""
    content = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode() if text else b"0 0 100 100 re f"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    path.write_bytes(out + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % start)


def test_pdf_text_comes_line_by_line_with_its_page(tmp_path):
    small_pdf(tmp_path / "paper.pdf", "Budget 2026")
    line = read_document(tmp_path / "paper.pdf").lines[0]
    assert (line.text, line.page) == ("Budget 2026", 1)


def test_a_scanned_pdf_is_told_plainly(tmp_path):
    small_pdf(tmp_path / "scan.pdf", "")
    with pytest.raises(FormatError, match="a scan"):
        read_document(tmp_path / "scan.pdf")


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("empty.txt", b"", "an empty file"),
        ("blank.txt", b" \n\n", "no readable text"),
        ("odd.txt", b"\xff\xfe\x00\x01\x80", "no readable text"),
        ("cut.txt", "收支总表\n单位：万元".encode()[:-1], "line 2: the file ends within a character"),
        ("wrong.txt", b"one\ntwo\nth\xffree", "line 3: a byte that is no text, 0xff"),
        ("story.txt", "今天天气很好。".encode(), "no budget or target table"),
        ("paper.doc", b"x", "a file of kind .doc"),
        ("paper.docm", b"x", "macros"),
        ("broken.pdf", b"%PDF-1.4 nothing", "cannot be read|a scan"),
        ("broken.docx", b"PK nothing", "not a whole ZIP"),
        ("broken.xlsx", b"nothing", "not a whole ZIP"),
        ("broken.json", b'{"a": ', "cannot be read"),
        ("broken.yaml", b"a: [1\nb: 2", "line 2"),
        ("broken.csv", b'record,name\n"paper', "cannot be read"),
        ("uneven.csv", b"record,name\npaper\n", "line"),
        ("broken.parquet", b"PAR1", "whole Parquet"),
    ],
)
def test_what_is_no_paper_is_refused_with_its_name(tmp_path, name, content, found):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FormatError, match=found) as raised:
        read_paper(tmp_path / name)
    assert name in str(raised.value)


@pytest.mark.parametrize(
    ("name", "part"),
    [("a.docx", "word/document.xml"), ("a.xlsx", "xl/worksheets/sheet1.xml"), ("a.xlsx", "xl/workbook.xml")],
)
def test_a_file_with_a_part_cut_in_half_is_told(tmp_path, name, part):
    whole = tmp_path / f"whole-{name}"
    (docx.Document() if name.endswith("docx") else openpyxl.Workbook()).save(whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(tmp_path / name, "w") as target:
        for member in source.namelist():
            content = source.read(member)
            target.writestr(member, content[: len(content) // 2] if member == part else content)
    with pytest.raises(FormatError, match="a broken part inside") as raised:
        read_document(tmp_path / name)
    assert name in raised.value.where


def test_macros_inside_a_docx_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "paper.docx", "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
        archive.writestr("word/vbaProject.bin", "x")
    with pytest.raises(FormatError, match="macros"):
        read_document(tmp_path / "paper.docx")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "paper.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b"0" * (50 << 20))
    with pytest.raises(FormatError, match="unpacks to"):
        read_document(tmp_path / "paper.xlsx")


def test_a_file_of_200_mb_is_refused_unread(tmp_path, monkeypatch):
    file = tmp_path / "big.txt"
    with file.open("wb") as stream:
        stream.truncate(200 << 20)
    monkeypatch.setattr(document, "import_module", lambda name: pytest.fail(f"{name} was asked to read"))
    with pytest.raises(FormatError, match="210 MB"):
        read_document(file)


@pytest.mark.parametrize("lines", [12, 14, 18, 21])
def test_a_table_cut_off_is_refused_with_its_line(tmp_path, lines):
    (tmp_path / "cut.txt").write_text("\n".join(SMALL.split("\n")[:lines]), encoding="utf-8")
    text = "\n".join(SMALL.split("\n")[:lines])
    if "项目名称" not in text:
        assert read_paper(tmp_path / "cut.txt").targets == ()
        return
    with pytest.raises(FormatError, match=r"cut off.*expected"):
        read_paper(tmp_path / "cut.txt")


def test_an_unknown_table_is_listed_line_by_line(tmp_path):
    (tmp_path / "more.txt").write_text("某新表\n甲	乙	丙\n1	2	3\n\n" + SMALL, encoding="utf-8")
    read = read_paper(tmp_path / "more.txt")
    assert [item.line for item in read.unread] == [2, 3]
