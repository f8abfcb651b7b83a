"""Columns of any Arrow type as the RawTable that a dictionary asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.formats.cohorts.cells import Cells, Unread, read_cells
from nexome.formats.cohorts.reader import ARROW_TYPES, Problem, RawTable
from nexome.model.cohorts import Dictionary, Variable


def typed_table(
    columns: Mapping[str, pa.Array],
    dictionary: Dictionary,
    lines: npt.NDArray[np.uint64],
    *,
    date_order: str = "",
    unread: Mapping[str, Sequence[Unread]] | None = None,
) -> RawTable:
    """The variables of a dictionary from columns [rows] of any type.

    `unread`: what a format could not give.
    """
    variables = list(dictionary)
    cells = []
    for variable in variables:
        read = read_cells(columns[variable.name], variable, date_order=date_order)
        before = tuple(unread.get(variable.name, ())) if unread else ()
        cells.append(Cells(read.values, (*before, *read.unread), read.codes))
    return raw_table(variables, cells, lines)


def raw_table(
    variables: Sequence[Variable], cells: Sequence[Cells], lines: npt.NDArray[np.uint64]
) -> RawTable:
    """Columns that were read, with the lines of their rows, as one table."""
    problems = tuple(
        Problem(variable.name, unread.found, unread.expected, lines[unread.rows])
        for variable, column in zip(variables, cells, strict=True)
        for unread in column.unread
    )
    schema = pa.schema([(v.name, ARROW_TYPES[v.type]) for v in variables])
    table = pa.Table.from_arrays([column.values for column in cells], schema=schema)
    codes = {v.name: c.codes for v, c in zip(variables, cells, strict=True) if c.codes is not None}
    return RawTable(table, lines, problems, codes)
