"""How /studies/{study}/window is answered: the points of one screen, and on request their LD with a lead."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from nexome.access.windows import POINTS, WINDOW_COLUMNS, WindowAnswer, window_text
from nexome.model.fields import FIELDS
from nexome.web.api.declare import Answer, Asked, Parameter, Rows

WINDOW_ANSWER_COLUMNS: Final = (*WINDOW_COLUMNS, "r2")
LD_PARAMETERS: Final = (
    Parameter(
        "ld", "text", "Give the r² of each point with this variant.", "给出各点与此变异的 r²。", "rs4988235"
    ),
    Parameter("panel", "text", "Set of genotypes for LD.", "计算 LD 所用的基因型集。", "1000G-EAS"),
    Parameter("population", "text", "A population of it, or all.", "其中的人群，或 all（全部）。", "EAS"),
)


def answer_window(asked: Asked) -> Answer:
    """A window of a trait; r² with the variant `ld`, null where it is not known or none is named."""
    view = asked.view
    points = POINTS if asked["points"] is None else int(asked["points"])
    found = view.window(asked["study"], asked["trait"], asked["region"] or "genome", points=points)
    r2 = _r2(asked, found)
    column = pa.array(r2, pa.float32(), mask=np.isnan(r2))
    meta: dict[str, Any] = {
        "region": window_text(found.where, view.assembly),
        "trait_id": found.trait,
        "bin_width_bp": found.bin_width_bp,
        "cells": found.cells,
        "left_out": found.left_out,
    }
    return Rows(found.table.append_column(FIELDS["r2"].arrow, column), meta)


def _r2(asked: Asked, found: WindowAnswer) -> Any:
    if not asked["ld"]:
        return np.full(found.table.num_rows, np.nan, np.float32)
    keys = [found.features.key(row) for row in range(len(found.features))]
    return asked.view.ld_to(
        asked["ld"], keys, panel=asked["panel"], population=asked["population"], study=asked["study"]
    )
