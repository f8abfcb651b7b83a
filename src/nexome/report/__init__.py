"""Answering to the funders: budget and target papers, read and checked.

paper          what a paper says (frozen records)
read_paper     a file becomes a paper; the other read_… modules know one layout each
records        a paper as flat rows and as JSON, and back
checks         all rules over a paper; rules_… hold them; compare sets two years side by side
links          what measures each indicator; recording changes it, propose proposes, link_values tells its value on a day
scoring        points by a rule (scoring_rule, completion, weights); progress by quarter; kept_scores for papers of a root
write_report   the self-assessment as XLSX, DOCX or PDF (self_assessment, default_template, template_xlsx, template_docx)
"""

from nexome.report.paper import Paper
from nexome.report.read_paper import read_paper

__all__ = ["Paper", "read_paper"]
