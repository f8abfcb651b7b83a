"""Links, values, scores and reports as a person types them."""

import json

import openpyxl
import pytest

from nexome.report.links import load_links
from nexome.store.root import read_settings
from tests.cli.conftest import Typed
from tests.report.scored import SMALL, made_root, sample

ONE = ("变异知识库", "标准", "--value", "1", "--date", "2024-01-01")


@pytest.fixture
def root(tmp_path):
    return made_root(tmp_path)


@pytest.fixture
def typed(root, nexome: Typed):
    def run(*words, code=0):
        first = 2 if words[0] == "link" else 1
        return nexome("targets", *words[:first], "--root", root.path, *words[first:], code=code).output

    return run


def test_from_link_to_report(typed, root, tmp_path):
    sample(root, "2023-12-31T00:00:00Z", visits=0)
    sample(root, "2024-12-30T00:00:00Z", visits=1200)
    (tmp_path / "a.pdf").write_text("page", encoding="utf-8")
    proposed = typed("link", "propose", "--language", "zh", "变异知识库")
    assert "1  访问量 ≥1000 次" in proposed
    assert "单位“次”与“次”一致" in proposed
    assert "measure visits (rise), in 次" in typed("link", "confirm", "--by", "某人", "变异知识库", "访问量")
    listed = typed("link", "list", "变异知识库")
    assert "measure visits (rise), 某人" in listed
    value = typed(
        "record",
        "变异知识库",
        "标准",
        "--value",
        "2",
        "--date",
        "2024-05-01",
        "--evidence",
        tmp_path / "a.pdf",
    )
    assert "entry 1, 2 项 on 2024-05-01" in value
    paid = typed(
        "spend",
        "变异知识库",
        "--amount",
        "2,000,000",
        "--date",
        "2024-05-01",
        "--evidence",
        tmp_path / "a.pdf",
    )
    assert "payment 1" in paid
    # 20 for visits (capped), 10 for the standards, 10 for execution
    assert "40.00 of 100, 差" in typed("score", "变异知识库", "--year", "2024")
    made = json.loads(typed("score", "变异知识库", "--year", "2024", "--format", "json"))
    assert made["total"]["value"] == "40.00"
    assert made["indicators"][0]["points"]["inputs"][1]["time"] == "2024-12-30T00:00:00Z"
    assert made["rule"]["execution_points"] == "10"
    whole = typed("score", "small", "--year", "2024")
    assert "small, 2024: 40.00 of 100 by money" in whole
    assert "1200次 (reached)" in typed("progress", "变异知识库", "--year", "2024")
    steps = json.loads(typed("progress", "变异知识库", "--year", "2024", "--format", "json"))["indicators"][
        0
    ]["steps"]
    assert [step["state"] for step in steps] == ["unknown"] * 3 + ["reached"]
    assert "40.00 of 100" in typed("report", "变异知识库", "--year", "2024", "-o", tmp_path / "a.xlsx")
    assert openpyxl.load_workbook(tmp_path / "a.xlsx").sheetnames == ["自评表", "数据来源"]


def test_a_value_beside_a_measure_is_kept_and_the_link_stays(typed, root):
    typed("link", "confirm", "变异知识库", "访问量", "--measure", "visits")
    said = typed("record", "变异知识库", "访问量", "--value", "5", "--date", "2024-05-01")
    assert "stays tied to measure visits" in said
    typed(
        "link", "confirm", "变异知识库", "访问量", "--series", load_links(root.path, "small").series[0].name
    )
    assert "5次" in typed("score", "变异知识库", "--year", "2024")
    assert "no longer counts" in typed(
        "withdraw", "变异知识库", "1", "--indicator", "访问量", "--reason", "typo"
    )
    assert "no value in this year" in typed("score", "变异知识库", "--year", "2024")
    assert "no longer measured" in typed("link", "remove", "变异知识库", "访问量")
    assert "a reason for 2024" in typed("reason", "变异知识库", "访问量", "--year", "2024", "--text", "改版")


def test_a_corrected_paper_tells_what_was_carried(typed, tmp_path):
    for name in ("标准数量", "示范数量"):
        typed("record", "变异知识库", name, "--value", "2", "--date", "2024-05-01")
    (tmp_path / "new.txt").write_text(SMALL.replace("示范数量", "示范推广"), encoding="utf-8")
    said = typed("import", "--name", "small", tmp_path / "new.txt")
    assert "1 of 2 links kept" in said
    assert "not carried: 变异知识库, 示范数量: series" in said
    assert "not carried: i_" in typed("link", "list", "变异知识库")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("score", "样本库", "--year", "2024"), "no project '样本库'"),
        (
            ("link", "confirm", "变异知识库", "访问量", "--measure", "bytes_held"),
            "the unit By, which counts information",
        ),
        (("link", "confirm", "变异知识库", "标准数量"), "no proposal"),
        (("link", "confirm", "变异知识库", "访问量", "--formula", "nothing × 2"), "names 'nothing'"),
        (("record", "变异知识库", "标准", "--value", "-1", "--date", "2024-01-01"), "0 or more"),
        (("record", "变异知识库", "标准", "--value", "1", "--date", "2999-01-01"), "to come"),
        (("record", *ONE, "--evidence", "none.pdf"), "none.pdf: no such file"),
        (("record", *ONE, "--series", "visits"), "a series named 'visits'"),
        (("spend", "变异知识库", "--amount", "1", "--unit", "个", "--date", "2024-01-01"), "the unit 个"),
        (("report", "变异知识库", "--year", "2024", "-o", "report.txt"), "the ending .txt"),
        (("score", "变异知识库", "--year", "2024", "--rules", "none.yaml"), "none.yaml: no such file"),
        (("score", "变异知识库", "--year", "2099"), "a year begun by"),
        (("withdraw", "变异知识库", "7", "--reason", "x"), "no entry 7"),
        (("link", "remove", "变异知识库", "访问量"), "no link"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(typed, words, found):
    said = typed(*words, code=1)
    assert found in said
    assert len(said.strip().splitlines()) == 1


def test_one_source_at_a_time_and_a_template_to_start_from(typed, nexome, tmp_path):
    both = ("变异知识库", "访问量", "--measure", "visits", "--formula", "visits")
    assert "Give one of" in typed("link", "confirm", *both, code=2)
    nexome("targets", "template", "-o", tmp_path / "ours.xlsx")
    assert "{{project}}" in str(openpyxl.load_workbook(tmp_path / "ours.xlsx")["自评表"]["B3"].value)


def test_the_rule_of_the_root_is_used(typed, root):
    (root.path / "rule.yaml").write_text("execution_points: 20\n", encoding="utf-8")
    (root.path / "nexome.toml").write_text('scoring_rules = "rule.yaml"\n', encoding="utf-8")
    assert read_settings(root.path).scoring_rules == "rule.yaml"
    typed("spend", "变异知识库", "--amount", "100", "--unit", "万元", "--date", "2024-05-01")
    assert "execution 10.00 of 20" in typed("score", "变异知识库", "--year", "2024")
