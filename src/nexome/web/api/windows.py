"""How /studies/{study}/window is answered: the points of one screen, and what was left out of it."""

from __future__ import annotations

from nexome.access.windows import POINTS, window_text
from nexome.web.api.declare import Answer, Asked, Rows


def answer_window(asked: Asked) -> Answer:
    """A window of a trait, from the whole genome to one base."""
    view = asked.view
    points = POINTS if asked["points"] is None else int(asked["points"])
    found = view.window(asked["study"], asked["trait"], asked["region"] or "genome", points=points)
    meta = {
        "region": window_text(found.where, view.assembly),
        "trait_id": found.trait,
        "bin_width_bp": found.bin_width_bp,
        "cells": found.cells,
        "left_out": found.left_out,
    }
    return Rows(found.table, meta)
