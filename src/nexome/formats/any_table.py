"""Any delimited table of associations, of variants or of named features (probes, genes, proteins).

Columns are read by columns.CERTAIN, columns.FEATURE_NAMES and --map; what may mean several things
is asked for.
"""

from __future__ import annotations

from typing import Final

from nexome.formats.table_format import TableFormat

FORMAT: Final = TableFormat(
    name="table",
    title="Any delimited table",
    program="any",
    signature=(),
    spellings=(),
)
