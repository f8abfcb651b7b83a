"""What a paper costs to read, check and score, and what one ten times as long costs.

    python -m nexome.testing.paper_cost [projects] [times]

Papers are made: target tables of eight indicators each, no two alike, in the layout of central units. Prints
one line for each length: seconds of the processor for each step and the peak of memory that Python allocated.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import date
from typing import Any

from nexome.formats.document import Document, numbered
from nexome.report.checks import check_paper
from nexome.report.links import Links, projects_of
from nexome.report.read_paper import paper_of
from nexome.report.scoring import Circumstances, score_paper

STEPS = ("read", "check", "score")


def made_paper(projects: int) -> str:
    """The text of a paper with that many projects, all different."""
    return "\n".join(_table(number) for number in range(projects))


def _table(number: int) -> str:
    money, name = f"{number + 100}.00", f"项目{number}"
    rows = "\n".join(_row(number, i) for i in range(8))
    return (
        f"{name}绩效目标表\n(2024 年度)\n项目名称\t{name}\n主管部门\t某院\t实施单位\t某所\n"
        f"项目资金(万元)\t年度资金总额:\t{money}\n\t其中:财政拨款\t{money}\n总体目标\t年度目标\n"
        f"\t1. 完成{name}的全部工作;\n绩效指标\t一级指标\t二级指标\t三级指标\t指标值\t分值\n{rows}\n"
    )


def _row(number: int, i: int) -> str:
    level, weight = "产出指标" if i == 0 else "", 10 if i < 6 else 15
    return f"\t{level}\t数量指标\t第{number}项目成果{i}数量\t≥{number * 7 % 97 + i + 1} 项\t{weight}"


def measure(projects: int) -> dict[str, float]:
    """Seconds of each of STEPS and the peak `megabytes`, for a paper with that many projects."""
    lines = numbered((line, 0) for line in made_paper(projects).split("\n"))
    spent: dict[str, float] = {}
    tracemalloc.start()
    paper = _timed(spent, "read", lambda: paper_of(Document("made.txt", "txt", "0", lines)))
    _timed(spent, "check", lambda: check_paper(paper))
    given = Circumstances(Links(), {}, 2024, date(2024, 12, 31))
    _timed(spent, "score", lambda: score_paper(projects_of(paper), given))
    spent["megabytes"] = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return spent


def _timed(spent: dict[str, float], name: str, work: Callable[[], Any]) -> Any:
    start = time.process_time()
    made = work()
    spent[name] = time.process_time() - start
    return made


def main() -> None:
    """Print what a paper costs, and one `times` as long."""
    projects = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    print("projects  " + "  ".join(f"{name:>9}" for name in (*STEPS, "megabytes")))
    for count in (projects, projects * times):
        spent = measure(count)
        print(f"{count:8}  " + "  ".join(f"{spent[name]:9.2f}" for name in (*STEPS, "megabytes")))


if __name__ == "__main__":
    main()
