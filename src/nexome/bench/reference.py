"""How long a reference set takes to build, on a cohort that is there; asked through the public build."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

from nexome.access.centre import Centre
from nexome.access.reference.build import BuildOptions, build_reference

NAME: Final = "bench"
GOALS: Final = {"reference_build_s": 120.0, "reference_build_bytes": 6 << 30}


def build_once(root: Path, cohort: str) -> dict[str, Any]:
    """Build a set of all numbers of a cohort by sex and ten years of age; seconds, variables, rows.

    Compiling and packing are part of the time when they were not done before. For `machine.in_own_process`,
    which tells the memory it took.
    """
    with Centre.open(root) as centre:
        view = centre.owner_view()
        began = time.perf_counter()
        entry = build_reference(view, NAME, BuildOptions(cohort))
        seconds = time.perf_counter() - began
        percentiles = view.reference_table(NAME, "percentiles").num_rows
        curves = view.reference_table(NAME, "curves").num_rows
    return {
        "reference_build_s": round(seconds, 2),
        "variables": entry.variables,
        "seconds_a_variable": round(seconds / max(entry.variables, 1), 4),
        "percentiles": percentiles,
        "curve_rows": curves,
    }
