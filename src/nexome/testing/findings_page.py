"""Writes docs/targets/findings.md: every finding on the four shared papers beside a verdict given by hand.

    python -m nexome.testing.findings_page ../shared/papers docs/targets

The verdicts stand in docs/targets/verdicts.csv by paper, line and rule. A finding without a verdict is an
error, and so is a verdict without a finding: the page never says what nobody looked at.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from nexome.model.errors import InputError
from nexome.report import read_paper
from nexome.report.checks import check_paper

Key = tuple[str, int, str]

HEAD = """# Findings on four public papers

Made by `python -m nexome.testing.findings_page ../shared/papers docs/targets`; the last column is written
by hand after reading the place in the paper, and kept in `verdicts.csv`. Lines are those of the text files.

| paper | line | severity | rule | finding | 说明 | verdict |
|---|---|---|---|---|---|---|
"""


def findings_page(papers: Path, verdicts: Path) -> str:
    """The page as Markdown; InputError names findings without a verdict and verdicts without a finding."""
    judged = _verdicts(verdicts)
    seen: set[Key] = set()
    rows = []
    for path in sorted(papers.glob("*.txt")):
        for finding in check_paper(read_paper(path)):
            key = (path.name[:3], finding.line, finding.rule)
            seen.add(key)
            places = f"{finding.line}" + (f", {finding.other_line}" if finding.other_line else "")
            cells = (path.name[:3], places, finding.severity, finding.rule, finding.en, finding.zh)
            rows.append("| " + " | ".join(_cell(text) for text in (*cells, judged.get(key, ""))) + " |\n")
    if odd := sorted(seen ^ set(judged)):
        raise InputError(f"{odd}", where=str(verdicts), expected="one verdict for each finding, and no other")
    return HEAD + "".join(rows)


def _verdicts(path: Path) -> dict[Key, str]:
    with path.open(encoding="utf-8", newline="") as stream:
        return {
            (row["paper"], int(row["line"]), row["rule"]): row["verdict"] for row in csv.DictReader(stream)
        }


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    page = findings_page(Path(sys.argv[1]), folder / "verdicts.csv")
    (folder / "findings.md").write_text(page, encoding="utf-8")
