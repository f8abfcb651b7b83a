"""Our own template of the self-assessment (项目支出绩效自评表), made in code as XLSX and DOCX with placeholders.

The order of its parts is the one usual since 财预〔2020〕10 号: head, money, goals, indicators, total; a second sheet (an appendix in DOCX)
traces every number to what it was measured by. A centre may write it to a file, change it, and give it back as its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

_TITLE: Final = "{{title}}"
_SOURCES: Final = "数据来源"
_COLUMNS: Final = 9
_WIDTHS: Final = (14, 11.5, 19.5, 17, 14.5, 15, 9.5, 11, 12)  # of XLSX columns, in characters
_SOURCE_WIDTHS: Final = (26, 8, 36, 22, 19, 23, 36)
# Cells of a row: (text, how many columns it spans, alignment); a row is (name, cells).
_Cells = tuple[tuple[str, int, str], ...]
_HEAD: Final[tuple[_Cells, ...]] = (
    (
        ("{{subject}}", 1, "head"),
        ("{{project}}", 4, "left"),
        ("项目编码", 1, "head"),
        ("{{code}}", 3, "left"),
    ),
    (
        ("主管部门", 1, "head"),
        ("{{department}}", 4, "left"),
        ("实施单位", 1, "head"),
        ("{{unit}}", 3, "left"),
    ),
    (("项目负责人", 1, "head"), ("{{leader}}", 4, "left"), ("联系电话", 1, "head"), ("{{phone}}", 3, "left")),
)
_FUND_HEAD: Final[_Cells] = (
    ("项目资金\n（万元）", 1, "head"), ("资金来源", 2, "head"), ("年初预算数", 1, "head"), ("全年预算数", 1, "head"),
    ("全年执行数", 1, "head"), ("分值", 1, "head"), ("执行率", 1, "head"), ("得分", 1, "head"),
)  # fmt: skip
_FUND: Final[_Cells] = (
    ("", 1, "head"), ("{{fund.name}}", 2, "left"), ("{{fund.planned}}", 1, "right"), ("{{fund.budget}}", 1, "right"),
    ("{{fund.spent}}", 1, "right"), ("{{fund.full}}", 1, "right"), ("{{fund.rate}}", 1, "right"), ("{{fund.points}}", 1, "right"),
)  # fmt: skip
_GOAL_HEAD: Final[_Cells] = (
    ("年度总体\n目标", 1, "head"),
    ("预期目标", 4, "head"),
    ("实际完成情况", 4, "head"),
)
_GOAL: Final[_Cells] = (("", 1, "head"), ("{{goals}}", 4, "left"), ("{{summary}}", 4, "left"))
_LEAF_HEAD: Final[_Cells] = (
    ("一级指标", 1, "head"), ("二级指标", 1, "head"), ("三级指标", 1, "head"), ("年度指标值", 1, "head"), ("实际完成值", 1, "head"),
    ("分值", 1, "head"), ("得分", 1, "head"), ("偏差原因分析\n及改进措施", 2, "head"),
)  # fmt: skip
_LEAF: Final[_Cells] = (
    ("{{indicator.level1|merge}}", 1, "middle"), ("{{indicator.level2|merge}}", 1, "middle"), ("{{indicator.name}}", 1, "left"),
    ("{{indicator.target}}", 1, "left"), ("{{indicator.value}}", 1, "left"), ("{{indicator.weight}}", 1, "right"),
    ("{{indicator.points}}", 1, "right"), ("{{indicator.reason}}", 2, "left"),
)  # fmt: skip
_TOTAL: Final[_Cells] = (
    ("总分", 5, "head"),
    ("100", 1, "right"),
    ("{{total}}", 1, "right"),
    ("{{grade}}", 2, "middle"),
)
_ROWS: Final = (*_HEAD, _FUND_HEAD, _FUND, _GOAL_HEAD, _GOAL, _LEAF_HEAD, _LEAF, _TOTAL)
_TALL: Final = ((_FUND_HEAD, _FUND), (_GOAL_HEAD, _GOAL))  # the first cells of these rows are one
_NOTES: Final = (
    "待完善事项：{{open}}",
    "计分规则：{{rule}}",
    "目标表：{{paper}}；数据截至 {{as_of}}。每一数字的来源见“数据来源”。",
)
_SOURCE_HEAD: Final = (
    "得分项",
    "得分",
    "计算式",
    "数据来源",
    "数值",
    "测量时间、日期或行号",
    "佐证材料及 SHA-256",
)
_SOURCE_ROW: Final = ("for|merge", "points|merge", "formula|merge", "input", "value", "time", "evidence")


def workbook() -> Any:
    """The template as an openpyxl workbook: A4, one page wide, heads repeated on every page."""
    import openpyxl  # noqa: PLC0415  half a second, and only XLSX needs it

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "自评表"
    _titles(sheet, ((_TITLE, 18), ("（{{year}}年度）", 11)), _COLUMNS)
    for cells in _ROWS:
        _add_row(sheet, cells)
    for first, last in _TALL:
        sheet.merge_cells(None, 3 + _ROWS.index(first), 1, 3 + _ROWS.index(last), 1)
    for note in _NOTES:
        _add_row(sheet, ((note, _COLUMNS, "note"),))
    _page(sheet, _WIDTHS, landscape=False)
    sources = book.create_sheet(_SOURCES)
    _titles(
        sources,
        ((_SOURCES, 16), ("{{project}}（{{year}}年度），数据截至 {{as_of}}", 10.5)),
        len(_SOURCE_HEAD),
    )
    _add_row(sources, tuple((text, 1, "head") for text in _SOURCE_HEAD))
    _add_row(sources, tuple(
        (f"{{{{source.{name}}}}}", 1, "right" if name.startswith("points") else "left") for name in _SOURCE_ROW
    ))  # fmt: skip
    _page(sources, _SOURCE_WIDTHS, landscape=True)
    sources.print_title_rows = "3:3"
    return book


def _titles(sheet: Any, titles: Sequence[tuple[str, float]], columns: int) -> None:
    from openpyxl.styles import Alignment, Font  # noqa: PLC0415

    for number, (text, size) in enumerate(titles, 1):
        cell = sheet.cell(number, 1, text)
        cell.font = Font(name="宋体", size=size, bold=number == 1)
        cell.alignment = Alignment(horizontal="center", vertical="center")
        sheet.merge_cells(None, number, 1, number, columns)
        sheet.row_dimensions[number].height = size * 1.9


def _add_row(sheet: Any, cells: _Cells) -> None:
    """A row below the last one, each cell with its borders and alignment."""
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side  # noqa: PLC0415

    at, column = sheet.max_row + 1, 1
    line = Side(style="thin", color="000000")
    for text, span, look in cells:
        for c in range(column, column + span):
            cell = sheet.cell(at, c)
            cell.font = Font(name="宋体", size=9 if look == "note" else 10.5, bold=look == "head")
            across = {"head": "center", "middle": "center", "right": "right"}.get(look, "left")
            cell.alignment = Alignment(horizontal=across, vertical="center", wrap_text=True)
            if look != "note":
                cell.border = Border(left=line, right=line, top=line, bottom=line)
            if look == "head":
                cell.fill = PatternFill("solid", fgColor="F2F2F2")
        sheet.cell(at, column).value = text
        if span > 1:
            sheet.merge_cells(None, at, column, at, column + span - 1)
        column += span
    sheet.row_dimensions[at].height = 24


def _page(sheet: Any, widths: Sequence[float], *, landscape: bool) -> None:
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    for column, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_margins.left = sheet.page_margins.right = 0.5
    sheet.page_margins.top = sheet.page_margins.bottom = 0.6
    sheet.page_margins.footer = 0.3
    sheet.print_options.horizontalCentered = True
    sheet.oddFooter.center.text = "第 &P 页，共 &N 页"


def document() -> Any:
    """The template as a python-docx document: A4, the sources as an appendix on landscape pages."""
    import docx  # noqa: PLC0415  only DOCX files need it
    from docx.enum.section import WD_ORIENT, WD_SECTION  # noqa: PLC0415
    from docx.shared import Cm  # noqa: PLC0415

    made = docx.Document()
    section = made.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(1.5)
    section.top_margin = section.bottom_margin = Cm(1.6)
    _font(made.styles["Normal"], 10)
    _paragraph(made, _TITLE, 18, centred=True, bold=True)
    _paragraph(made, "（{{year}}年度）", 11, centred=True)
    _table(made, _ROWS, _WIDTHS, Cm(18))
    for note in _NOTES:
        _paragraph(made, note, 8.5)
    appendix = made.add_section(WD_SECTION.NEW_PAGE)
    appendix.orientation = WD_ORIENT.LANDSCAPE
    appendix.page_width, appendix.page_height = Cm(29.7), Cm(21)
    _paragraph(made, f"附：{_SOURCES}", 14, centred=True, bold=True)
    head = tuple((text, 1, "head") for text in _SOURCE_HEAD)
    row = tuple(
        (f"{{{{source.{name}}}}}", 1, "right" if name.startswith("points") else "left")
        for name in _SOURCE_ROW
    )
    _table(made, (head, row), _SOURCE_WIDTHS, Cm(26.7))
    return made


def _font(style: Any, size: float) -> None:
    from docx.oxml.ns import qn  # noqa: PLC0415
    from docx.shared import Pt  # noqa: PLC0415

    style.font.name, style.font.size = "Times New Roman", Pt(size)
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "宋体")


def _paragraph(made: Any, text: str, size: float, *, centred: bool = False, bold: bool = False) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415
    from docx.shared import Pt  # noqa: PLC0415

    paragraph = made.add_paragraph()
    run = paragraph.add_run(text)
    run.bold, run.font.size = bold, Pt(size)
    paragraph.paragraph_format.space_after = Pt(3)
    if centred:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _table(made: Any, rows: Sequence[_Cells], widths: Sequence[float], whole: int) -> None:
    """A table with fixed widths; spans merged, and the first cells of the tall rows."""
    table = made.add_table(len(rows), len(widths), style="Table Grid")
    table.autofit = False
    total = sum(widths)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = int(whole * width / total)
    for row, cells in zip(table.rows, rows, strict=True):
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = int(whole * width / total)
        column = 0
        for text, span, look in cells:
            cell = row.cells[column]
            _look(cell.merge(row.cells[column + span - 1]) if span > 1 else cell, text, look)
            column += span
        if cells is not _GOAL:  # goals may be longer than a page
            _mark(row, "w:cantSplit")
    for first, last in (pair for pair in _TALL if pair[0] in rows):
        _down(table, rows.index(first), rows.index(last))
    if rows[0][0][0] == _SOURCE_HEAD[0]:
        _mark(table.rows[0], "w:tblHeader")


def _look(cell: Any, text: str, look: str) -> None:
    from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT  # noqa: PLC0415
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415
    from docx.shared import Pt  # noqa: PLC0415

    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(2)
    run = paragraph.add_run(text)
    run.bold, run.font.size = look == "head", Pt(9)
    across = {
        "head": WD_ALIGN_PARAGRAPH.CENTER,
        "middle": WD_ALIGN_PARAGRAPH.CENTER,
        "right": WD_ALIGN_PARAGRAPH.RIGHT,
    }
    paragraph.alignment = across.get(look, WD_ALIGN_PARAGRAPH.LEFT)


def _down(table: Any, first: int, last: int) -> None:
    """Join the first cells of two rows: marked as one, so that the second row can be repeated."""
    from docx.oxml.ns import qn  # noqa: PLC0415
    from docx.oxml.parser import OxmlElement  # noqa: PLC0415

    for row, value in ((first, "restart"), (last, "continue")):
        mark = OxmlElement("w:vMerge")
        mark.set(qn("w:val"), value)
        table.rows[row]._tr.tc_lst[0].get_or_add_tcPr().find(qn("w:tcW")).addnext(mark)  # noqa: SLF001


def _mark(row: Any, name: str) -> None:
    """Mark a row: not split over pages (w:cantSplit), or a head repeated on each (w:tblHeader)."""
    from docx.oxml.parser import OxmlElement  # noqa: PLC0415

    row._tr.get_or_add_trPr().append(OxmlElement(name))  # noqa: SLF001
