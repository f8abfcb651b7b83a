"""A small paper of 2024 to link and score, kept in a root; its points are worked by hand in the tests."""

import json
from pathlib import Path

from nexome.formats.document import Document, numbered
from nexome.report.links import Item, Project, kept_projects
from nexome.report.paper import Paper
from nexome.report.read_paper import paper_of
from nexome.report.recording import Given, record_value
from nexome.report.records import paper_values
from nexome.store.disk import RootLock
from nexome.store.measures import KIND, NAME, VERSION
from nexome.store.papers import keep_paper
from nexome.store.root import Root, create_root, load_assembly

SMALL = """变异知识库绩效目标表
(2024 年度)
项目名称	变异知识库
主管部门	某院	实施单位	某所
项目资金(万元)	年度资金总额:	200.00
	其中:财政拨款	150.00
	上年结转资金	50.00
总体目标	年度目标
	1. 建成变异知识库;
绩效指标	一级指标	二级指标	三级指标	指标值	分值
	产出指标	数量指标	访问量	≥1000 次	20
		数量指标	标准数量	=2 项	10
		数量指标	示范数量	3-5 个	10
		数量指标	培训人次	≈100 人次	10
		质量指标	故障次数	≤4 次	10
		时效指标	完成时间	2024年6月30日前	10
	效益指标	社会效益指标	影响力提升	显著	10
	满意度指标	服务对象满意度指标	用户满意度	≥90%	10
"""


def paper(text: str = SMALL, sha256: str = "0") -> Paper:
    return paper_of(Document("small.txt", "txt", sha256, numbered((line, 0) for line in text.split("\n"))))


def keep(root: Root, text: str = SMALL, *, name: str = "small", sha256: str = "0") -> None:
    source = root.path.parent / "small.txt"
    source.write_text(text, encoding="utf-8")
    with RootLock(root.path):
        keep_paper(root, name, source=source, values=paper_values(paper(text, sha256)))


def made_root(folder: Path, text: str = SMALL) -> Root:
    root = create_root(folder / "root", assembly=load_assembly("GRCh38"))
    keep(root, text)
    return root


def project(root: Root, name: str = "small") -> Project:
    return kept_projects(root.path, name)[0]


def item(one: Project, name: str) -> Item:
    return next(i for i in one.items if i.indicator.name == name)


def evidence(root: Root, text: str = "a scanned page") -> Path:
    path = root.path.parent / "evidence.pdf"
    path.write_text(text, encoding="utf-8")
    return path


def record(
    root: Root, name: str, value: str, *, day: str = "2024-05-31", unit: str = "", shown: bool = True, **more
):
    one = project(root)
    files = (evidence(root),) if shown else ()
    return record_value(root, one, item(one, name), Given(value, unit, day, "tester", files=files), **more)


def sample(root: Root, time: str, **values: float) -> None:
    """A line of the measures' history as of some past time, in the layout that store.measures documents."""
    line = {"kind": KIND, "version": VERSION, "time": time, "values": values, "parts": {}}
    with (root.path / NAME).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")
