"""Variant names that carry a position: '7:1234', 'chr7_1234_A_G_b38', '7:1234:A:G' … taken apart.

Only contigs that cannot be something else are understood: 1 to 3 digits, X, Y, Z, W, XY, M, MT, or
any name that starts with 'chr'; 'Affx-12345' is a probe, not a place.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from nexome.formats.columns import ARROW_TYPES

_NAME: Final = (
    r"^(?P<chromosome>[cC][hH][rR][\w.]+?|\d{1,3}|[XYZWxyzw]|XY|MT?)[:_\-](?P<position>\d{1,10})"
    r"(?:[:_\-](?P<first>[A-Za-z<>*]+)[:_\-/](?P<second>[A-Za-z<>*]+))?(?:[:_](?P<build>b\d+))?"
    r"(?:[:_\-;].*)?$"
)
_RSID: Final = r"^rs\d+$"


def split_names(names: pa.ChunkedArray) -> pa.Table:
    """Columns chromosome, base_pair_location, first, second (alleles), rsid of V names; null where absent."""
    names = pa.chunked_array(names).combine_chunks() if isinstance(names, pa.ChunkedArray) else names
    parts = pc.extract_regex(names, _NAME)
    texts = {name: _null_if_empty(pc.struct_field(parts, name)) for name in ("chromosome", "first", "second")}
    return pa.table(
        {
            "chromosome": texts["chromosome"].dictionary_encode().cast(ARROW_TYPES["category"]),
            "base_pair_location": _null_if_empty(pc.struct_field(parts, "position")).cast(pa.int64()),
            "first": texts["first"].dictionary_encode().cast(ARROW_TYPES["category"]),
            "second": texts["second"].dictionary_encode().cast(ARROW_TYPES["category"]),
            "rsid": pc.if_else(
                pc.match_substring_regex(names, _RSID, ignore_case=True), names, pa.scalar(None, pa.string())
            ),
        }
    )


def _null_if_empty(text: pa.StringArray) -> pa.StringArray:
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
