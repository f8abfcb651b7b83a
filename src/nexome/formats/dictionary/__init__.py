"""Data dictionaries as files: our own table (CSV, TSV, XLSX, YAML), REDCap's, Opal's and Maelstrom's.

`read_dictionary(path)` recognises which it is; `write_dictionary(path, dictionary)` writes our own, which
reads back as the same dictionary. See docs/formats/cohort-files.md for the columns.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nexome.formats.cohorts.redcap import structure
from nexome.formats.dictionary import opal, own, redcap
from nexome.formats.dictionary.own import write_dictionary
from nexome.formats.dictionary.rows import Rows, read_rows, sheet_names
from nexome.model.cohorts import Dictionary
from nexome.model.errors import FormatError

__all__ = ["fit_to_columns", "read_dictionary", "write_dictionary"]


def read_dictionary(path: Path) -> Dictionary:
    """The dictionary in a file.

    Raises NotFoundError, FormatError naming row, column and what was expected.
    """
    if path.suffix.lower() in own.YAML_ENDINGS:
        return own.read_yaml(path)
    if "Variables" in sheet_names(path):
        return opal.read(path)
    rows = read_rows(path)
    if redcap.detects(rows):
        return redcap.read(rows)
    if own.detects(rows):
        return own.read_table(rows)
    raise _unknown(rows)


def fit_to_columns(dictionary: Dictionary, names: tuple[str, ...]) -> Dictionary:
    """A dictionary with the columns that REDCap adds to an export by itself, where the file has them.

    Events, repeats, `redcap_visit` (which gets the role of the visit), `<form>_complete`, `<form>_timestamp`.
    Nothing is added unless all columns that the dictionary lacks are such: it is no export of REDCap else.
    """
    lacking = tuple(name for name in names if name not in dictionary.by_name)
    added = [*structure(lacking), *filter(None, map(redcap.form_status, lacking))]
    if not added or len(added) != len(lacking):
        return dictionary
    visit = any(v.role == "visit" for v in dictionary)
    fitted = [replace(v, role="") if visit and v.role == "visit" else v for v in added]
    return Dictionary((*dictionary, *fitted), dictionary.confirmed)


def _unknown(rows: Rows) -> FormatError:
    # Not what stands in line 1: a table of people without a header may have been given by mistake.
    return FormatError(
        f"a table of {len(rows.names)} columns that is no data dictionary",
        where=rows.file,
        expected="columns name and type (our own), Variable / Field Name (REDCap), or sheets Variables and "
        "Categories (Opal, Maelstrom)",
        todo="See docs/formats/cohort-files.md; `nexome cohort dictionary` writes one to fill in.",
    )
