"""Answering to the funders: budget and target papers, read and checked.

paper          what a paper says (frozen records)
read_paper     a file becomes a paper; the other read_… modules know one layout each
records        a paper as flat rows and as JSON, and back
checks         all rules over a paper; rules_… hold them; compare sets two years side by side

Measuring, linking indicators to measures, and scoring are not here yet.
"""

from nexome.report.paper import Paper
from nexome.report.read_paper import read_paper

__all__ = ["Paper", "read_paper"]
