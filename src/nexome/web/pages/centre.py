"""The centre's own pages and their paths: cockpit, papers, projects, budgets. For the owner and directors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from nexome.web.pages.budget import build_budget
from nexome.web.pages.cockpit import build_cockpit
from nexome.web.pages.page import Download, Page
from nexome.web.pages.papers import build_paper, build_papers
from nexome.web.pages.project import build_evidence, build_project

CENTRE_PAGES: Final[tuple[tuple[str, Callable[..., Page | Download]], ...]] = (
    ("/cockpit", build_cockpit),
    ("/papers", build_papers),
    ("/papers/{paper}/budget", build_budget),
    ("/papers/{paper}/evidence/{sha256}", build_evidence),
    ("/papers/{paper}/projects/{project:path}", build_project),
    ("/papers/{paper}", build_paper),
)
