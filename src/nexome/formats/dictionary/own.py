"""Our own dictionary: one row a variable (CSV, TSV, XLSX), or a list of variables (YAML).

Columns, all but `name` and `type` may be absent or empty:

    name type label label_zh unit categories missing minimum maximum terms question sensitivity hgr_class role
    confirmed

`categories` is `code=label=标签` with `|` between: `1=male=男|2=female=女`; a sign that must stand for
itself has a backslash before it. `missing` lists the codes for no answer, with `|`; those not among the
categories may carry labels as well. `terms` are CURIEs with `|`. `confirmed` is yes where a person
approved the row; a dictionary without that column was written by a person. Other columns are ignored where
their name is one of REMARKS, refused else.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

import yaml

from nexome.formats.dictionary.rows import Rows
from nexome.model.cohorts import Category, Dictionary, Variable
from nexome.model.errors import FormatError, InputError, NotFoundError

YAML_ENDINGS: Final = frozenset({".yaml", ".yml", ".json"})
COLUMNS: Final = (
    "name", "type", "label", "label_zh", "unit", "categories", "missing", "minimum", "maximum", "terms",
    "question", "sensitivity", "hgr_class", "role", "confirmed",
)  # fmt: skip
REMARKS: Final = frozenset({"remark", "remarks", "why", "why_zh", "sureness", "备注"})
_CHINESE: Final = {
    "变量名": "name", "变量": "name", "名称": "name", "类型": "type", "英文标签": "label",
    "中文标签": "label_zh", "标签": "label_zh", "单位": "unit", "编码": "categories", "取值": "categories",
    "缺失代码": "missing",
    "最小值": "minimum", "最大值": "maximum", "术语": "terms", "题目": "question", "敏感级别": "sensitivity",
    "人遗分类": "hgr_class", "角色": "role", "已确认": "confirmed",
}  # fmt: skip
_TYPES: Final = {
    "整数": "integer", "小数": "decimal", "数值": "decimal", "分类": "category", "是否": "boolean",
    "日期": "date", "文本": "text",
}  # fmt: skip
_YES: Final = frozenset({"yes", "y", "true", "1", "是"})
_SPECIAL: Final = re.compile(r"([\\|=])")
_SHEET: Final = "variables"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def detects(rows: Rows) -> bool:
    """Whether a table has the columns of our own dictionary."""
    return {"name", "type"} <= {_column(name) for name in rows.names}


def read_table(rows: Rows) -> Dictionary:
    """The dictionary in rows of our own. Raises FormatError naming row and column."""
    names = {name: _column(name) for name in rows.names}
    for name, column in names.items():
        if column not in COLUMNS and column not in REMARKS:
            raise FormatError(
                f"an unknown column {name[:60]!r}",
                where=rows.file,
                expected=", ".join(COLUMNS),
                todo="Name it 'remark' if it is only for people.",
            )
    variables = [
        (
            _variable({names[n]: text for n, text in row.items()}, where),
            row.get(_own(names, "confirmed"), "yes"),
        )
        for where, row in rows
    ]
    confirmed = all(said.casefold() in _YES for _, said in variables)
    return _dictionary([variable for variable, _ in variables], confirmed=confirmed, where=rows.file)


def read_yaml(path: Path) -> Dictionary:
    """The dictionary in a YAML or JSON file: `variables:` as a list, `confirmed: true`."""
    try:
        values = yaml.safe_load(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise NotFoundError("there is no such file", where=str(path)) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        raise FormatError("cannot be read", where=where, expected="whole YAML in UTF-8") from None
    listed = values.get("variables") if isinstance(values, dict) else values
    if not isinstance(listed, list):
        raise FormatError("no list of variables", where=str(path), expected="variables: - name: …")
    variables = [_from_yaml(item, f"{path}, variable {i}") for i, item in enumerate(listed, 1)]
    confirmed = bool(values.get("confirmed", True)) if isinstance(values, dict) else True
    return _dictionary(variables, confirmed=confirmed, where=str(path))


def write_dictionary(path: Path, dictionary: Dictionary, remarks: Mapping[str, str] | None = None) -> None:
    """Write a dictionary by the file's ending: .csv, .tsv, .xlsx, .yaml. It reads back as the same.

    `remarks`: a text for people beside a variable (why something was guessed); not read back.
    Raises InputError for another ending, or a text that the format cannot hold.
    """
    kind = path.suffix.lower()
    if kind in YAML_ENDINGS - {".json"}:
        path.write_text(_as_yaml(dictionary), "utf-8")
        return
    rows = [
        _row(v, confirmed=dictionary.confirmed, remark=None if remarks is None else remarks.get(v.name, ""))
        for v in dictionary
    ]
    names = COLUMNS if remarks is None else (*COLUMNS, "remark")
    writers: dict[str, Callable[[], None]] = {
        ".csv": lambda: _write_text(path, names, rows, ","),
        ".tsv": lambda: _write_text(path, names, rows, "\t"),
        ".xlsx": lambda: _write_sheet(path, names, rows),
    }
    if kind not in writers:
        raise InputError(
            f"a file of kind {kind or 'none'}", where=str(path), expected=".csv, .tsv, .xlsx, .yaml"
        )
    writers[kind]()


def read_categories(text: str, where: str) -> list[Category]:
    """Categories from `code=label=标签|…`.

    >>> [c.label_zh for c in read_categories("1=male=男|2=female=女", "")]
    ['男', '女']
    """
    found = []
    for part in _split(text, "|"):
        cells = [_plain(cell).strip() for cell in _split(part, "=")]
        if not any(cells):
            continue
        if not cells[0] or len(cells) > 3:
            raise FormatError(
                f"a category {part.strip()[:60]!r}",
                where=where,
                expected="code=label=标签, with | between categories",
                todo="Write a backslash before | or = that is part of a label.",
            )
        code, label, label_zh = (*cells, "", "")[:3]
        found.append(Category(code, label, label_zh))
    return found


def _variable(row: Mapping[str, str], where: str) -> Variable:
    name = row["name"]
    if not name:
        raise FormatError("a variable without a name", where=f"{where}, column name", expected="its name")
    categories = read_categories(row.get("categories", ""), f"{where}, column categories")
    missing = {c.code: c for c in read_categories(row.get("missing", ""), f"{where}, column missing")}
    marked = [_missing(c) if c.code in missing else c for c in categories]
    codes = {c.code for c in marked}
    marked += [_missing(c) for code, c in missing.items() if code not in codes]
    texts: dict[str, Any] = {n: row.get(n, "") for n in ("label", "label_zh", "unit", "question")}
    chosen: dict[str, Any] = {n: row[n] for n in ("sensitivity", "hgr_class", "role") if row.get(n)}
    kind = _TYPES.get(row["type"], row["type"].lower())
    try:
        return Variable(
            name,
            kind,  # type: ignore[arg-type]  # checked by Variable
            categories=tuple(marked),
            minimum=_number(row, "minimum", where),
            maximum=_number(row, "maximum", where),
            terms=tuple(t.strip() for t in row.get("terms", "").split("|") if t.strip()),
            **texts,
            **chosen,
        )
    except InputError as error:
        raise error.at(where) from None


def _from_yaml(item: object, where: str) -> Variable:
    if not isinstance(item, dict) or "name" not in item or "type" not in item:
        raise FormatError("no variable", where=where, expected="name: … and type: …")
    values: dict[str, Any] = {str(k): v for k, v in item.items()}
    for name in ("name", "type", "label", "label_zh", "unit", "question"):
        if name in values:
            values[name] = str(values[name] or "")
    try:
        values["categories"] = [
            {k: v if k == "missing" else str(v) for k, v in category.items()}
            for category in values.get("categories") or ()
        ]
        return Variable.from_dict(values)
    except InputError as error:
        raise error.at(where) from None
    except (TypeError, AttributeError):
        expected = "code, label, label_zh, missing for each category"
        raise FormatError("categories that cannot be read", where=where, expected=expected) from None


def _dictionary(variables: Sequence[Variable], *, confirmed: bool, where: str) -> Dictionary:
    if not variables:
        raise FormatError("no variables", where=where, expected="one row a variable")
    try:
        return Dictionary(tuple(variables), confirmed=confirmed)
    except InputError as error:
        raise error.at(where) from None


def _number(row: Mapping[str, str], name: str, where: str) -> float | None:
    text = row.get(name, "")
    try:
        return float(text) if text else None
    except ValueError:
        raise FormatError(
            f"{text[:40]!r}", where=f"{where}, column {name}", expected="a number, or nothing"
        ) from None


def _missing(category: Category) -> Category:
    return Category(category.code, category.label, category.label_zh, missing=True)


def _column(name: str) -> str:
    return _CHINESE.get(name.strip(), name.strip().lower().replace(" ", "_"))


def _own(names: Mapping[str, str], column: str) -> str:
    return next((name for name, found in names.items() if found == column), "")


def _split(text: str, sign: str) -> Iterator[str]:
    """Parts between signs that have no backslash before them."""
    part, escaped = "", False
    for letter in text:
        if letter == sign and not escaped:
            yield part
            part = ""
            continue
        part += letter
        escaped = letter == "\\" and not escaped
    yield part


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _row(variable: Variable, *, confirmed: bool, remark: str | None) -> list[str]:
    categories = "|".join(
        "=".join(_SPECIAL.sub(r"\\\1", t) for t in _trimmed((c.code, c.label, c.label_zh)))
        for c in variable.categories
    )
    missing = "|".join(_SPECIAL.sub(r"\\\1", c.code) for c in variable.categories if c.missing)
    values = {
        "categories": categories,
        "missing": missing,
        "minimum": _shown(variable.minimum),
        "maximum": _shown(variable.maximum),
        "terms": "|".join(variable.terms),
        "confirmed": "yes" if confirmed else "no",
    }
    row = [values[n] if n in values else str(getattr(variable, n)) for n in COLUMNS]
    return row if remark is None else [*row, remark]


def _trimmed(texts: Sequence[str]) -> list[str]:
    kept = list(texts)
    while len(kept) > 1 and not kept[-1]:
        kept.pop()
    return kept


def _shown(number: float | None) -> str:
    return "" if number is None else repr(number).removesuffix(".0")


def _write_text(path: Path, names: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(names)
    writer.writerows(rows)
    # With its mark: Excel in a Chinese Windows takes a CSV without it for GBK.
    path.write_text(text.getvalue(), "utf-8-sig", newline="")


def _write_sheet(path: Path, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    import openpyxl  # noqa: PLC0415  only workbooks need it
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(_SHEET)
    for row in (names, *rows):
        cells = []
        for name, text in zip(names, row, strict=False):
            if _CONTROL.search(text):
                raise InputError(
                    "a control character",
                    where=f"{path}, column {name}",
                    expected="text",
                    todo="Write CSV or YAML.",
                )
            cell = WriteOnlyCell(sheet, value=text)
            cell.data_type = "s"  # '=1+1' is a label here, never a formula
            cells.append(cell)
        sheet.append(cells)
    book.save(path)


def _as_yaml(dictionary: Dictionary) -> str:
    listed = []
    defaults = {f.name: f.default for f in fields(Variable)}
    for variable in dictionary:
        values = {n: v for n, v in asdict(variable).items() if n in {"name", "type"} or v != defaults[n]}
        if variable.categories:
            values["categories"] = [
                {n: v for n, v in asdict(c).items() if v or n == "code"} for c in variable.categories
            ]
        if variable.terms:
            values["terms"] = list(variable.terms)
        listed.append(values)
    values = {"confirmed": dictionary.confirmed, "variables": listed}
    return yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=110)
