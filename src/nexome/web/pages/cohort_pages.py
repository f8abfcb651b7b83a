"""The pages of cohorts and their paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from nexome.web.pages.cohort_builder import build_builder
from nexome.web.pages.cohorts import build_cohort, build_cohort_figure, build_cohorts
from nexome.web.pages.harmonisation import build_harmonisation, build_harmonisation_figure
from nexome.web.pages.page import Download, Page
from nexome.web.pages.place import build_place, build_place_figure
from nexome.web.pages.variable import build_variable, build_variable_figure

COHORT_PAGES: Final[tuple[tuple[str, Callable[..., Page | Download]], ...]] = (
    ("/cohorts", build_cohorts),
    ("/cohorts/{cohort}/people.{ending}", build_cohort_figure),
    ("/cohorts/{cohort}/variables/{variable:path}/distribution.{ending}", build_variable_figure),
    ("/cohorts/{cohort}/variables/{variable:path}", build_variable),
    ("/cohorts/{cohort}", build_cohort),
    ("/harmonisation/{cohort}/sources/{variable:path}.{ending}", build_harmonisation_figure),
    ("/harmonisation/{cohort}", build_harmonisation),
    ("/cohort-builder", build_builder),
    ("/place/curves.{ending}", build_place_figure),
    ("/place", build_place),
)
