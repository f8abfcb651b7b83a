"""Files of statistics programs, read by pyreadstat: SAS, Stata, SPSS.

    xpt   SAS transport (NHANES)      sas7bdat  SAS data set
    dta   Stata                       sav zsav por   SPSS

Labels, value labels, formats of dates and user-missing values are read; a user-missing code stays a code
(SPSS: -9; Stata and SAS: .a as 'a'), it is not thrown together with the empty cell. Ranges of missing values
are read where they list whole numbers (-9 thru -7); others are told and read as values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from nexome.formats.cohorts.cells import cell_text, column_of
from nexome.formats.cohorts.header import name_columns
from nexome.formats.cohorts.reader import CohortOptions, CohortReader, Note, RawTable
from nexome.formats.cohorts.typed import typed_table
from nexome.formats.cohorts.units import unit_of_header
from nexome.formats.stream import sha256_of
from nexome.model.cohorts import Category, Dictionary, Variable, VariableType
from nexome.model.errors import FormatError

READERS: Final[Mapping[str, str]] = {
    "xpt": "read_xport",
    "sas7bdat": "read_sas7bdat",
    "dta": "read_dta",
    "sav": "read_sav",
    "zsav": "read_sav",
    "por": "read_por",
}
_KEEPS_CODES: Final = frozenset({"sas7bdat", "dta", "sav", "zsav"})  # formats with missing codes of their own
_CELLS: Final = 2_000_000
_CHECKED_ROWS: Final = 10_000
_MOST_LISTED: Final = 20  # missing values in one range
_MOST_CODES: Final = 40
_DATES: Final = (
    "DATE",
    "TIME",
    "YYMMDD",
    "DDMMYY",
    "MMDDYY",
    "ADATE",
    "EDATE",
    "SDATE",
    "E8601",
    "%TD",
    "%TC",
)


@dataclass(frozen=True)
class _File:
    path: Path
    kind: str
    encoding: str
    date_order: str

    def read(self, *, rows: int = 0, skip: int = 0, names: Sequence[str] | None = None) -> tuple[Any, Any]:
        """(columns by name as lists, metadata); `rows` 0: the metadata alone."""
        import pyreadstat  # noqa: PLC0415  heavy, and only these files need it

        options: dict[str, Any] = {"row_limit": rows, "row_offset": skip} if rows else {"metadataonly": True}
        if self.kind in _KEEPS_CODES:
            options["user_missing"] = True
        if self.encoding and self.kind != "por":
            options["encoding"] = self.encoding.upper()
        if names is not None:
            options["usecols"] = list(names)
        try:
            return getattr(pyreadstat, READERS[self.kind])(self.path, output_format="dict", **options)
        except (
            pyreadstat.ReadstatError,
            pyreadstat.PyreadstatError,
            UnicodeDecodeError,
            ValueError,
        ) as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> FormatError:
        text = str(error)
        if "onver" in text or "byte sequence" in text or isinstance(error, UnicodeDecodeError):
            found, todo = "text in another encoding than the file says", "Say it: --encoding gb18030."
        elif "expected number of rows" in text:
            found, todo = "fewer rows than the file says it has", "It was cut off: fetch it again."
        else:
            found, todo = "a damaged or cut file", "Fetch it again; if it opens in its program, save it anew."
        return FormatError(
            found, where=str(self.path), expected=f"a whole {self.kind.upper()} file", todo=todo
        )


def open_statistics(path: Path, kind: str, options: CohortOptions) -> CohortReader:
    """Open a file of a statistics program (a key of READERS). Raises FormatError where it is damaged."""
    file = _File(path, kind, options.encoding, options.date_order)
    _, about = file.read()
    first, _ = file.read(rows=_CHECKED_ROWS)
    notes: list[Note] = []
    columns = name_columns(about.column_names, None, file=str(path), notes=notes)
    labels = [label or "" for label in about.column_labels]
    columns = tuple(
        replace(c, unit=c.unit or unit_of_header(label)[1]) for c, label in zip(columns, labels, strict=True)
    )
    source = {c.name: own for c, own in zip(columns, about.column_names, strict=True)}
    variables = tuple(_variable(name, own, about, first[own], notes) for name, own in source.items())
    return CohortReader(
        name=str(path),
        format=kind,
        columns=columns,
        dictionary=Dictionary(variables, confirmed=False),
        notes=notes,
        tables=lambda dictionary: _tables(file, about, dictionary, source),
        sampled=lambda rows: _as_table(file.read(rows=rows)[0], source),
        sha256=lambda: sha256_of(path),
        progress=lambda: (0, path.stat().st_size),
        close=lambda: None,
        types_known=True,
        facts={"title": about.file_label or ""},
    )


def _variable(name: str, own: str, about: Any, values: Sequence[object], notes: list[Note]) -> Variable:
    label = dict(zip(about.column_names, about.column_labels, strict=True)).get(own) or ""
    labels = {cell_text(k): str(v) for k, v in about.variable_value_labels.get(own, {}).items()}
    missing = _missing_codes(own, about, notes)
    if _numeric(own, about):  # .a to .z of Stata and SAS, labelled or met
        missing |= {c for c in (*labels, *map(cell_text, _strings(values))) if len(c) == 1 and c.isalpha()}
    kind = _type(own, about, values, [code for code in labels if code not in missing])
    listed = list(dict.fromkeys([*labels, *sorted(missing)]))
    if kind == "category":
        here = {cell_text(v) for v in values if v not in (None, "")}
        listed += sorted(here - set(listed))
    elif kind != "text":
        left_out = [code for code in listed if code not in missing]
        if left_out:
            text = f"Column {name}: it holds numbers; labels of {len(left_out)} of them are left out."
            notes.append(Note(text, f"{name} 列为数值：其中 {len(left_out)} 个取值的标签未保留。", name))
        listed = [code for code in listed if code in missing]
    categories = tuple(Category(code, labels.get(code, ""), missing=code in missing) for code in listed)
    chinese = any("\u3400" <= sign <= "\u9fff" for sign in label)
    return Variable(
        name,
        kind,
        label="" if chinese else label,
        label_zh=label if chinese else "",
        categories=categories,
        question=label,
    )


def _strings(values: Sequence[object]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _numeric(own: str, about: Any) -> bool:
    return about.readstat_variable_types.get(own) != "string"


def _type(own: str, about: Any, values: Sequence[object], labels: Sequence[str]) -> VariableType:
    """By the storage, the format of dates, and value labels, which must name (nearly) all that occurs."""
    written = str(about.original_variable_types.get(own) or "").upper()
    if _numeric(own, about) and written.startswith(_DATES):
        return "date"
    distinct = {cell_text(v) for v in values if v not in (None, "")}
    if len(labels) > 1:
        unlabelled = distinct - set(labels)
        if len(distinct) <= _MOST_CODES and len(unlabelled) <= max(1, len(distinct) // 4):
            return "category"
    if not _numeric(own, about):
        return "text"
    whole = "int" in str(about.readstat_variable_types.get(own))
    return "integer" if whole else "decimal"


def _missing_codes(own: str, about: Any, notes: list[Note]) -> set[str]:
    codes = {cell_text(code) for code in about.missing_user_values.get(own, ())}
    for span in about.missing_ranges.get(own, ()):
        low, high = span["lo"], span["hi"]
        if low == high:
            codes.add(cell_text(low))
        elif _listed(low, high):
            codes |= {cell_text(float(n)) for n in range(int(low), int(high) + 1)}
        else:
            text = f"Column {own}: a whole range is declared missing; it is read as values. List its codes."
            notes.append(Note(text, f"{own} 列声明了一段缺失值区间；现按普通取值读取，请列出缺失代码。", own))
    return codes


def _listed(low: object, high: object) -> bool:
    numbers = isinstance(low, float | int) and isinstance(high, float | int)
    return numbers and low % 1 == 0 == high % 1 and 0 < high - low < _MOST_LISTED  # type: ignore[operator]


def _tables(file: _File, about: Any, dictionary: Dictionary, source: Mapping[str, str]) -> Iterator[RawTable]:
    names = {v.name: source[v.name] for v in dictionary}
    rows, line = max(1_000, _CELLS // max(len(names), 1)), 0
    while True:
        columns, _ = file.read(rows=rows, skip=line, names=list(names.values()))
        table = _as_table(columns, names)
        if not table.num_rows:
            break
        lines = np.arange(line + 1, line + 1 + table.num_rows, dtype=np.uint64)
        line += table.num_rows
        arrays = {name: table[name].combine_chunks() for name in names}
        yield typed_table(arrays, dictionary, lines, date_order=file.date_order)
    if not line:
        raise FormatError("no rows", where=str(file.path), expected="at least one row")
    if about.number_rows is not None and 0 <= about.number_rows != line:
        raise FormatError(
            f"{line:,} rows",
            where=str(file.path),
            expected=f"{about.number_rows:,}, as the file says",
            todo="Fetch it again.",
        )


def _as_table(columns: Mapping[str, Sequence[object]], names: Mapping[str, str]) -> pa.Table:
    return pa.table(
        {name: column_of([v if v != "" else None for v in columns[own]]) for name, own in names.items()}
    )
