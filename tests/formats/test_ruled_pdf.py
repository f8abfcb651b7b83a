"""A paper as its issuer makes it: a Word document with tables, printed to PDF by LibreOffice, read back."""

import shutil
import subprocess

import docx
import pytest

from nexome.formats.document import read_document
from nexome.report import read_paper
from nexome.report.checks import check_paper
from tests.report.test_rules import SMALL, paper

OFFICE = shutil.which("soffice")
pytestmark = pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not here")


def printed(folder, text):
    """The PDF of a text whose tabbed lines are ruled tables."""
    made, block = docx.Document(), []
    for row in [*(line.split("\t") for line in text.split("\n")), [""]]:
        if len(row) > 1:
            block.append(row)
            continue
        if block:
            table = made.add_table(len(block), max(map(len, block)), style="Table Grid")
            for cells, given in zip(table.rows, block, strict=True):
                for cell, content in zip(cells.cells, given, strict=False):
                    cell.text = content
            if block[-1][-1].endswith("合并"):
                table.cell(len(block) - 1, 0).merge(table.cell(len(block) - 1, len(block[-1]) - 1))
            block = []
        made.add_paragraph(row[0])
    made.save(folder / "paper.docx")
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    words = [
        OFFICE,
        profile,
        "--headless",
        "--convert-to",
        "pdf",
        "--outdir",
        str(folder),
        str(folder / "paper.docx"),
    ]
    subprocess.run(words, check=True, capture_output=True, timeout=200)
    return folder / "paper.pdf"


def words(table):
    return [(leaf.level1, leaf.level2, leaf.name, leaf.value, leaf.weight) for leaf in table.indicators]


def test_a_printed_paper_is_the_paper(tmp_path):
    read, expected = read_paper(printed(tmp_path, SMALL)), paper(SMALL)
    assert [words(table) for table in read.targets] == [words(table) for table in expected.targets]
    assert [f.amount.yuan for f in read.targets[0].funds] == [2_000_000, 1_500_000, 500_000]
    rows = [
        [(row.codes, row.name, [a and a.yuan for a in row.amounts]) for row in p.budgets[0].rows]
        for p in (read, expected)
    ]
    assert rows[0] == rows[1]
    assert read.unread == ()
    assert check_paper(read) == []
    # the line set close below the rule of a table is there too
    assert "关于一般公共预算支出表的说明" in [
        line.text for line in read_document(tmp_path / "paper.pdf").lines
    ]


def test_a_table_over_three_pages_and_a_merged_cell(tmp_path):
    many = "\n".join(f"20602{i:02}\t某项{i}\t1.00\t1.00\t" for i in range(10, 99))
    long = SMALL.replace("2060201\t机构运行\t100.00\t100.00\n", f"{many}\n").replace(
        "合计\t\t300.00", "合计\t\t89.00"
    )
    file = printed(tmp_path, f"{long}\n附\n甲\t乙\t丙\n说明\t\t合并\n")
    read = read_paper(file)
    assert max(line.page for line in read_document(file).lines) >= 3
    assert [row.code for row in read.budgets[0].rows if row.name.startswith("某项")] == [
        f"20602{i}" for i in range(10, 99)
    ]
    assert [line.cells for line in read_document(file).lines if "说明合并" in line.text] == [
        ["说明合并", "", ""]
    ]
