"""The self-assessment as XLSX, DOCX and PDF: read back, opened by LibreOffice, templates of one's own."""

import io
import shutil
import subprocess
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import docx
import openpyxl
import pdfplumber
import pytest

from nexome.model.errors import FormatError, InputError, NotFoundError
from nexome.report.kept_scores import circumstances_of
from nexome.report.links import Entry, Links, Series, kind_of, make_link, projects_of, unit_needed, with_link
from nexome.report.recording import Given, record_payment
from nexome.report.scoring import Circumstances, score_project
from nexome.report.self_assessment import ROWS, WORDS
from nexome.report.write_report import report_bytes, template_bytes
from nexome.store.links import Evidence
from tests.report.scored import made_root, project, record

LONGEST = 8  # sheets of a kind, of each paper, that LibreOffice opens
OFFICE = shutil.which("soffice")
needs_office = pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not here")


@pytest.fixture
def scored(tmp_path):
    root = made_root(tmp_path)
    record(root, "标准数量", "1")
    record(root, "示范数量", "4", shown=False)
    record(root, "影响力提升", "88")
    record_payment(root, project(root), Given("170", "万元", "2024-04-01", "t"), source="财政拨款")
    return project(root), score_project(project(root), circumstances_of(root, "small", year=2024))


def sheets(content):
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book}


def rows_of(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


def test_the_workbook_holds_the_scores(scored):
    rows = sheets(report_bytes(*scored, ending=".xlsx"))["自评表"]
    assert rows[0][0] == "项目支出绩效自评表"
    assert rows[1][0] == "（2024年度）"
    named = {row[2]: row for row in rows}
    assert named["标准数量"][3:8] == ["=2 项", "1项", "10", "5.00", "【偏差超过30%，未说明原因】"]
    assert named["示范数量"][7] == "【人工填报值缺少佐证材料】"
    assert named["影响力提升"][4] == "达成预期指标（88%）"
    assert named["访问量"][4] == "未填报"
    funds = [row for row in rows if row[1] in {"年度资金总额", "其中：财政拨款", "其中：上年结转"}]
    assert [row[3:9] for row in funds] == [
        ["200.00", "200.00", "170.00", "10", "85.00%", "8.50"],
        ["150.00", "150.00", "170.00", "—", "113.33%", "—"],
        ["50.00", "50.00", "0.00", "—", "0.00%", "—"],
    ]
    assert next(row for row in rows if row[0] == "总分")[5:8] == ["100", "32.30", "差"]  # 5 + 10 + 8.8 + 8.5


def test_every_number_has_its_source_with_checksum(scored):
    _, score = scored
    rows = sheets(report_bytes(*scored, ending=".xlsx"))["数据来源"]
    assert rows[2][:2] == ["得分项", "得分"]
    by_label = {row[0]: row for row in rows[3:] if row[0]}
    standard = by_label["2. 标准数量"]
    checksum = score.indicators[1].value.inputs[0].evidence[0].sha256
    assert standard[1:6] == [
        "5.00",
        "得分 10 × 0.5；完成率 1 ÷ 2；完成值 年内最新值",
        "人工填报",
        "1 项",
        "2024-05-31",
    ]
    assert standard[6] == f"evidence.pdf SHA-256 {checksum}"
    assert by_label["预算执行率"][2] == "10 × min(1, 1700000 ÷ 2000000)"
    assert by_label["总分"][2] == "8.5 + 0 + 5 + 10 + 0 + 0 + 0 + 8.8 + 0"
    assert {row[0].split(". ")[-1] for row in rows[3:] if row[0]} >= {leaf.name for leaf in score.indicators}


def test_word_and_workbook_say_the_same(scored):
    workbook = sheets(report_bytes(*scored, ending=".xlsx"))
    document = docx.Document(io.BytesIO(report_bytes(*scored, ending=".docx")))
    form, sources = document.tables
    words = {text for row in rows_of(form) for text in row if text}
    cells = {str(value) for row in workbook["自评表"][2:] for value in row if value}
    notes = {value for value in cells if value.startswith(("待完善事项", "计分规则", "目标表："))}
    assert words == cells - notes
    assert notes <= {paragraph.text for paragraph in document.paragraphs}
    assert len(sources.rows) == len(workbook["数据来源"]) - 2


def test_equal_levels_are_one_cell(scored):
    sheet = openpyxl.load_workbook(io.BytesIO(report_bytes(*scored, ending=".xlsx")))["自评表"]
    first = next(row[0].row for row in sheet.iter_rows() if row[2].value == "访问量")
    merged = {str(r) for r in sheet.merged_cells.ranges}
    assert {f"A{first}:A{first + 5}", f"B{first}:B{first + 3}"} <= merged  # six outputs, four of them counts
    assert f"H{first + 3}:I{first + 3}" in merged


@needs_office
@pytest.mark.parametrize("ending", [".xlsx", ".docx", ".pdf"])
def test_libreoffice_opens_it(scored, tmp_path, ending):
    content = report_bytes(*scored, ending=ending)
    (tmp_path / f"report{ending}").write_bytes(content)
    if ending != ".pdf":
        convert(tmp_path, [tmp_path / f"report{ending}"])
    with pdfplumber.open(tmp_path / "report.pdf") as pdf:
        text = "".join("".join((page.extract_text() or "").split()) for page in pdf.pages)
    for word in ("项目支出绩效自评表", "标准数量", "32.30", "数据来源", "偏差超过30%"):
        assert word in text


def convert(folder: Path, files: list[Path]) -> None:
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    words = [OFFICE, profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder), *map(str, files)]
    subprocess.run(words, check=True, capture_output=True, timeout=280)


def test_without_libreoffice_a_pdf_is_refused_plainly(scored, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotFoundError) as error:
        report_bytes(*scored, ending=".pdf")
    assert "no LibreOffice" in error.value.found
    assert ".xlsx or .docx" in error.value.todo


# ---------------------------------------------------------------- templates of one's own


@pytest.mark.parametrize("ending", [".xlsx", ".docx"])
def test_our_template_given_back_is_our_report(scored, tmp_path, ending):
    path = tmp_path / f"ours{ending}"
    path.write_bytes(template_bytes(ending))
    again = report_bytes(*scored, ending=ending, template=path)
    ours = report_bytes(*scored, ending=ending)
    if ending == ".xlsx":
        assert sheets(again) == sheets(ours)
    else:
        tables = [docx.Document(io.BytesIO(c)).tables for c in (again, ours)]
        assert [rows_of(t) for t in tables[0]] == [rows_of(t) for t in tables[1]]


def test_a_template_with_every_placeholder(scored, tmp_path):
    book = openpyxl.Workbook()
    for name in WORDS:
        book.active.append([name, f"<{{{{ {name} }}}}>"])
    for group, names in ROWS.items():
        book.active.append([f"{{{{{group}.{name}}}}}" for name in names])
        book.active.append([f"after {group}"])
    book.active["B1"].font = openpyxl.styles.Font(bold=True)
    book.save(tmp_path / "own.xlsx")
    rows = sheets(report_bytes(*scored, ending=".xlsx", template=tmp_path / "own.xlsx"))["Sheet"]
    words = {row[0]: row[1] for row in rows[: len(WORDS)]}
    assert words["project"] == "<变异知识库>"
    assert words["total"] == "<32.30>"
    assert not any("{{" in str(value) for row in rows for value in row)
    afters = [i for i, row in enumerate(rows) if str(row[0]).startswith("after")]
    assert afters[0] == len(WORDS) + 3  # three funds
    assert afters[1] == afters[0] + 1 + 8  # eight indicators


def test_a_placeholder_that_a_word_processor_split_over_runs(scored, tmp_path):
    document = docx.Document()
    paragraph = document.add_paragraph("项目：")
    for part in ("{{pro", "ject", "}}，", "{{total}} 分"):
        paragraph.add_run(part)
    document.save(tmp_path / "own.docx")
    made = docx.Document(io.BytesIO(report_bytes(*scored, ending=".docx", template=tmp_path / "own.docx")))
    assert made.paragraphs[-1].text == "项目：变异知识库，32.30 分"


def test_tables_within_tables_and_heads_are_filled_and_a_field_is_told(scored, tmp_path):
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "{{year}}"
    inner = document.add_table(1, 1).cell(0, 0).add_table(1, 2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "{{indicator.name}}", "{{indicator.points}}"
    document.save(tmp_path / "own.docx")
    made = docx.Document(io.BytesIO(report_bytes(*scored, ending=".docx", template=tmp_path / "own.docx")))
    assert rows_of(made.tables[0].cell(0, 0).tables[0])[1] == ["标准数量", "5.00"]
    assert made.sections[0].header.paragraphs[0].text == "2024"
    paragraph = document.add_paragraph()
    link = docx.oxml.parser.OxmlElement("w:hyperlink")
    link.append(paragraph.add_run("{{total}}")._r)
    paragraph._p.append(link)
    document.save(tmp_path / "own.docx")
    with pytest.raises(FormatError, match="a link or field"):
        report_bytes(*scored, ending=".docx", template=tmp_path / "own.docx")


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.xlsx", "no braces", "a template without placeholders"),
        ("a.docx", "no braces", "a template without placeholders"),
        ("a.xlsx", "{{nothing}}", "the placeholder {{nothing}}"),
        ("a.docx", "{{indicator.colour}}", "the placeholder {{indicator.colour}}"),
    ],
)
def test_a_template_that_cannot_be_filled_is_told(scored, tmp_path, name, text, found):
    path = tmp_path / name
    if name.endswith("xlsx"):
        book = openpyxl.Workbook()
        book.active["B3"] = text
        book.save(path)
    else:
        document = docx.Document()
        document.add_paragraph(text)
        document.save(path)
    with pytest.raises(FormatError) as error:
        report_bytes(*scored, ending=path.suffix, template=path)
    assert found in error.value.found
    assert str(path) in error.value.where
    assert "{{project}}" in error.value.expected or "project" in error.value.expected


@pytest.mark.parametrize(
    ("ending", "template"),
    [(".xlsx", "a.docx"), (".txt", None), (".docx", "none.docx"), (".pdf", "a.txt"), (".xlsx", "bad.xlsx")],
)
def test_other_files_are_refused(scored, tmp_path, ending, template):
    (tmp_path / "a.docx").write_bytes(template_bytes(".docx"))
    (tmp_path / "bad.xlsx").write_bytes(b"PK no archive")
    with pytest.raises(InputError) as error:
        report_bytes(*scored, ending=ending, template=tmp_path / template if template else None)
    assert error.value.expected


def test_a_formula_in_a_value_stays_text(scored):
    one, score = scored
    evil = replace(score, indicators=(replace(score.indicators[0], reason="=1+1"), *score.indicators[1:]))
    book = openpyxl.load_workbook(io.BytesIO(report_bytes(one, evil, ending=".xlsx")))
    cell = next(row[7] for row in book["自评表"].iter_rows() if row[2].value == "访问量")
    assert cell.data_type == "s"
    assert cell.value.startswith("=1+1")


# ---------------------------------------------------------------- the four public papers


def answered(project_, year):
    """Links and values for every indicator of a project: its own target, a day in June, 85 of 100."""
    links, shown = Links(), (Evidence("0" * 64, "a.pdf", 1),)
    for item in project_.items:
        leaf, kind = item.indicator, kind_of(item, project_.year)
        unit = unit_needed(item, project_.year)
        value = {"date": f"{year}-06-01", "level": "85"}.get(kind, str(leaf.low))
        entry = Entry(1, f"{year}-06-30", value, unit, "", "t", evidence=shown)
        links = replace(links, series=(*links.series, Series(item.id, unit, (entry,))))
        links = with_link(
            links, make_link(project_, item, links, source="series", of=item.id, takes="", by="t")
        )
    budget = str(
        sum(f.amount.yuan for f in project_.table.funds if f.role == "total" or f.name == "项目当年预算")
    )
    spent = Series(project_.key, "元", (Entry(1, f"{year}-06-30", budget, "元", "", "t", evidence=shown),))
    return replace(links, spending=(spent,))


@pytest.mark.slow
@needs_office
@pytest.mark.parametrize(("name", "year"), [("000", 2023), ("001", 2025), ("002", 2026), ("004", 2019)])
def test_every_project_of_the_public_papers_has_a_sheet_that_opens(papers, tmp_path, name, year):
    files = []
    for number, one in enumerate(projects_of(papers[name], name=name)):
        given = Circumstances(answered(one, year), {}, year, date(year, 12, 31))
        score = score_project(one, given)
        levels = sum(leaf.weight for leaf in score.indicators if leaf.kind == "level")
        # every target is met to the letter, and each qualitative one by 85 %: to the cent of each rounding
        assert abs(score.total.value - (100 - levels * Decimal("0.15"))) <= Decimal("0.01") * len(
            score.indicators
        )
        assert not {flag for leaf in score.indicators for flag in leaf.flags} - {"reason-needed"}
        files.append(tmp_path / f"{number}{('.xlsx', '.docx')[number % 2]}")
        files[-1].write_bytes(report_bytes(one, score, ending=files[-1].suffix))
    longest = []  # LibreOffice takes a third of a second a file: it opens the longest of each kind
    for ending, whole in ((".xlsx", openpyxl.load_workbook), (".docx", docx.Document)):
        kind = sorted((file for file in files if file.suffix == ending), key=lambda file: file.stat().st_size)
        assert all(whole(file) for file in kind)
        longest += kind[-LONGEST:]
    convert(tmp_path, longest)
    made = sorted(path.stem for path in tmp_path.glob("*.pdf"))
    assert made == sorted(file.stem for file in longest)
    assert all(path.stat().st_size > 10_000 for path in tmp_path.glob("*.pdf"))
