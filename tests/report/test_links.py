"""Links: checked before they are kept, carried over a corrected paper, whole after a crash."""

import json
import os
import subprocess
import sys
from datetime import date, timedelta

import pytest

from nexome.model.errors import DamagedError, InputError, NotFoundError
from nexome.model.units import unit_of
from nexome.report.kept_scores import today
from nexome.report.links import find_item, find_project, kept_projects, load_links, not_carried, projects_of
from nexome.report.propose import propose_links
from nexome.report.recording import (
    Choice,
    Given,
    confirm_link,
    record_payment,
    record_value,
    remove_link,
    withdraw_entry,
)
from nexome.store.backup import backup_root, restore_root
from nexome.store.disk import CRASH_VARIABLE
from nexome.store.links import EVENT, MAX_EVIDENCE_BYTES, check_evidence, read_links
from nexome.store.root import open_root
from tests.report.scored import SMALL, evidence, item, keep, made_root, project, record


@pytest.fixture
def root(tmp_path):
    return made_root(tmp_path)


def tie(root, name, source, of, **more):
    one = project(root)
    return confirm_link(root, one, item(one, name), Choice(source, of, **more), by="tester")


def test_a_measure_a_series_and_a_formula(root):
    assert tie(root, "访问量", "measure", "visits").takes == "rise"
    record(root, "标准数量", "2")
    tie(root, "用户满意度", "formula", "downloads ÷ visits")
    sources = {link.words.name: link.source for link in load_links(root.path, "small").links}
    assert sources == {"访问量": "measure", "标准数量": "series", "用户满意度": "formula"}


@pytest.mark.parametrize(
    ("name", "source", "of", "found"),
    [
        ("访问量", "measure", "bytes_held", ("By", "次")),
        ("标准数量", "formula", "bytes_held ÷ 2", ("information", "项")),
        ("用户满意度", "formula", "visits", ("events", "%")),
        ("访问量", "measure", "nothing", ("no measure 'nothing'",)),
        ("访问量", "formula", "visits + nothing", ("names 'nothing'", "a measure, a series")),
        ("访问量", "formula", "visits +", ("the end",)),
        ("影响力提升", "measure", "visits", ("judged by level", "manual series")),
        ("完成时间", "formula", "visits", ("judged by its date",)),
        ("标准数量", "series", "survey", ("no series 'survey'", "none yet")),
    ],
)
def test_what_does_not_fit_is_refused(root, name, source, of, found):
    with pytest.raises((InputError, NotFoundError)) as error:
        tie(root, name, source, of)
    assert all(part in str(error.value) for part in found)
    assert load_links(root.path, "small").links == ()


def test_a_formula_in_a_circle_is_shown(root):
    one = project(root)
    visits, faults = item(one, "访问量").id, item(one, "故障次数").id
    record(root, "访问量", "10")
    tie(root, "故障次数", "formula", f"{visits} ÷ 2")
    with pytest.raises(InputError) as error:
        tie(root, "访问量", "formula", f"{faults} × 2")
    assert f"{visits} → {faults} → {visits}" in str(error.value)
    with pytest.raises(InputError, match="leads back"):
        tie(root, "访问量", "formula", f"{visits} + 1[次]")


@pytest.mark.parametrize(
    ("name", "value", "unit", "day", "found"),
    [
        ("标准数量", "-1", "", "2024-05-01", "0 or more"),
        ("标准数量", "many", "", "2024-05-01", "'many'; expected a number"),
        ("标准数量", "nan", "", "2024-05-01", "a number"),
        ("标准数量", "1e999999", "", "2024-05-01", "at most 18 digits"),
        ("标准数量", "2", "万元", "2024-05-01", "the unit 万元, which counts money; expected the unit 项"),
        ("标准数量", "2", "斗", "2024-05-01", "the unit '斗'"),
        ("标准数量", "2", "", "May", "a day such as 2025-06-30"),
        ("完成时间", "30", "", "2024-05-01", "a day such as"),
        ("影响力提升", "101", "", "2024-05-01", "0 to 100"),
        ("影响力提升", "9", "项", "2024-05-01", "in % of the full points"),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_leaves_nothing(root, name, value, unit, day, found):
    with pytest.raises(InputError) as error:
        record(root, name, value, unit=unit, day=day)
    assert found in str(error.value)
    assert read_links(root.path, "small") == {}
    assert not list((root.path / "papers" / "small").glob("evidence/*"))


def test_days_and_judgements_are_not_added_up(root):
    record(root, "影响力提升", "60", takes="mean")
    for name, value in (("影响力提升", "60"), ("完成时间", "2024-05-01")):
        with pytest.raises(InputError, match="takes 'sum'; expected"):
            record(root, name, value, takes="sum")


def test_a_day_to_come_is_refused(root):
    tomorrow = today() + timedelta(days=2)
    with pytest.raises(InputError, match="to come"):
        record(root, "标准数量", "2", day=tomorrow.isoformat())
    with pytest.raises(InputError, match="to come"):
        record(root, "完成时间", tomorrow.isoformat())


def test_evidence_missing_empty_or_of_200_mb_is_refused(root, tmp_path):
    one = project(root)
    big = tmp_path / "big.pdf"
    with big.open("wb") as stream:
        stream.truncate(200 << 20)  # a hole: no byte is written
    (tmp_path / "empty.pdf").touch()
    for name, found in (("big.pdf", "210 MB"), ("none.pdf", "no such file"), ("empty.pdf", "an empty file")):
        given = Given("2", "", "2024-05-01", "tester", files=(tmp_path / name,))
        with pytest.raises(InputError) as error:
            record_value(root, one, item(one, "标准数量"), given)
        assert name in error.value.where
        assert found in error.value.found
        assert f"{MAX_EVIDENCE_BYTES / 1e6:,.0f} MB" in error.value.expected
    assert read_links(root.path, "small") == {}


def test_evidence_is_kept_once_by_its_content_and_damage_is_told(root):
    entry, _ = record(root, "标准数量", "1", day="2024-03-01")
    record(root, "标准数量", "2")
    kept = list((root.path / "papers" / "small" / "evidence").iterdir())
    assert [path.name for path in kept] == [entry.evidence[0].sha256]
    assert check_evidence(root.path, "small", kept[0].name).read_text(encoding="utf-8") == "a scanned page"
    kept[0].write_text("changed", encoding="utf-8")
    with pytest.raises(DamagedError):
        check_evidence(root.path, "small", kept[0].name)
    kept[0].unlink()
    with pytest.raises(NotFoundError):
        check_evidence(root.path, "small", kept[0].name)


def test_every_change_is_in_the_log_and_nothing_is_rewritten(root):
    tie(root, "访问量", "measure", "visits")
    record(root, "标准数量", "1")
    one = project(root)
    withdraw_entry(root, one, 1, item=item(one, "标准数量"), reason="counted twice", by="tester")
    remove_link(root, one, item(one, "访问量").id, by="tester")
    events = [event.values for event in root.read_events() if event.kind == EVENT]
    assert [(e["what"], e["revision"]) for e in events] == [
        ("confirmed", 1), ("recorded", 2), ("withdrawn", 3), ("removed", 4),
    ]  # fmt: skip
    series = load_links(root.path, "small").series[0]
    assert [entry.withdrawn for entry in series.entries] == ["counted twice"]
    assert series.valid == []
    with pytest.raises(NotFoundError):
        withdraw_entry(root, one, 1, item=item(one, "标准数量"), reason="again", by="tester")
    with pytest.raises(NotFoundError):
        remove_link(root, one, item(one, "访问量").id, by="tester")


def test_a_changed_links_file_is_damage(root):
    tie(root, "访问量", "measure", "visits")
    path = root.path / "papers" / "small" / "links.json"
    path.write_bytes(path.read_bytes().replace(b"visits", b"robots"))
    with pytest.raises(DamagedError):
        load_links(root.path, "small")


def test_links_stay_when_a_corrected_paper_is_imported(root):
    tie(root, "访问量", "measure", "visits")
    record(root, "标准数量", "2")
    record(root, "示范数量", "4")
    corrected = (
        SMALL.replace("=2 项", "=3 项")
        .replace("示范数量", "示范推广数量")
        .replace("变异知识库绩效", "  变异知识库绩效")
    )
    keep(root, corrected, sha256="1")
    links = load_links(root.path, "small")
    one = project(root)
    assert one.version == 2
    assert links.link(item(one, "访问量").id).of == "visits"
    assert item(one, "标准数量").indicator.value == "=3 项"
    lost = not_carried(root.path, "small")
    assert [(link.words.name, near) for link, near in lost] == [
        ("示范数量", None)
    ]  # two others stand at its level
    keep(root, corrected.replace("质量指标	故障次数", "时效指标	故障次数"), sha256="2")
    record(root, "访问量", "1")
    assert len(load_links(root.path, "small").links) == 3


def test_a_link_that_lost_its_level_names_the_indicator_most_like_it(root):
    record(root, "故障次数", "2")
    keep(root, SMALL.replace("质量指标	故障次数", "可持续影响指标	故障次数"), sha256="1")
    ((lost, near),) = not_carried(root.path, "small")
    assert near.words.name == "故障次数"
    one = project(root)
    link = confirm_link(root, one, near, Choice("series", lost.of), by="tester")
    assert load_links(root.path, "small").link(near.id) == link


def test_links_and_evidence_are_in_a_backup(root, tmp_path):
    entry, _ = record(root, "标准数量", "2")
    backup_root(root.path, tmp_path / "backup")
    restore_root(tmp_path / "backup", tmp_path / "again")
    assert load_links(tmp_path / "again", "small") == load_links(root.path, "small")
    assert check_evidence(tmp_path / "again", "small", entry.evidence[0].sha256).exists()


CRASH = """
import sys
from pathlib import Path
from nexome.store.root import open_root
from tests.report.scored import record
record(open_root(Path(sys.argv[1])), sys.argv[2], "2")
"""


@pytest.mark.parametrize("at", ["evidence-kept", "links-written"])
def test_a_crash_leaves_evidence_and_links_whole(root, at):
    record(root, "标准数量", "1")
    before = load_links(root.path, "small")
    words = [sys.executable, "-c", CRASH, str(root.path), "示范数量"]
    done = subprocess.run(words, env={**os.environ, CRASH_VARIABLE: at}, check=False)
    assert done.returncode == -9
    after = load_links(root.path, "small")
    assert (after == before) == (at == "evidence-kept")
    assert not [p for p in (root.path / "papers" / "small" / "evidence").iterdir() if p.name.startswith(".")]
    again = open_root(root.path)
    record(again, "培训人次", "90")
    revisions = [event.values["revision"] for event in again.read_events() if event.kind == EVENT]
    assert revisions == list(range(1, read_links(root.path, "small")["revision"] + 1))


def test_projects_are_found_by_code_name_or_part_and_doubles_are_named(root):
    keep(root, SMALL.replace("文章", "论文"), name="other", sha256="1")
    assert find_project(root.path, "变异知识库", paper="small").paper == "small"
    with pytest.raises(InputError) as error:
        find_project(root.path, "变异知识库")
    assert "--paper other 变异知识库 (line 1); --paper small" in str(error.value)
    with pytest.raises(NotFoundError):
        find_project(root.path, "样本库")
    one = project(root)
    assert find_item(one, "2") == find_item(one, "标准数量") == find_item(one, "标准") == one.items[1]
    with pytest.raises(InputError, match="2 标准数量; 3 示范数量"):
        find_item(one, "数量")
    with pytest.raises(NotFoundError):
        find_item(one, "99")


def test_two_projects_of_one_name_in_one_paper_have_keys_of_their_own(root):
    keep(root, SMALL + "\n" + SMALL, name="double", sha256="1")
    assert [one.key for one in kept_projects(root.path, "double")] == ["变异知识库", "变异知识库#2"]
    assert find_project(root.path, "变异知识库#2", paper="double").table.line > 1
    with pytest.raises(InputError, match="--paper double 变异知识库#2"):
        find_project(root.path, "知识库", paper="double")


@pytest.mark.parametrize(
    ("unit", "source", "found"),
    [("个", "", "the unit 个"), ("元", "彩票", "财政拨款, 上年结转"), ("元", "", "0 or more")],
)
def test_a_payment_that_cannot_be_is_refused(root, unit, source, found):
    amount = "-5" if not source and unit == "元" else "5"
    with pytest.raises(InputError) as error:
        record_payment(root, project(root), Given(amount, unit, "2024-02-01", "tester"), source=source)
    assert found in str(error.value)


def test_a_second_value_in_another_unit_converts_and_a_wrong_one_does_not(root):
    record(root, "培训人次", "90")
    record(root, "培训人次", "0.01", unit="万人次", day="2024-06-01")
    assert len(load_links(root.path, "small").named(item(project(root), "培训人次").id).valid) == 2
    with pytest.raises(InputError, match="the unit 人,"):
        record(root, "培训人次", "3", unit="人")


# ---------------------------------------------------------------- the four public papers


def test_ids_of_all_indicators_are_their_own_and_do_not_change(papers):
    for paper in papers.values():
        items = [one for project in projects_of(paper) for one in project.items]
        assert len({one.id for one in items}) == len(items) == paper.indicators
    again = projects_of(papers["002"])
    assert [p.items for p in again] == [p.items for p in projects_of(papers["002"])]


def test_proposals_on_all_indicators_are_those_reviewed_by_hand(papers):
    found = [
        (name, project.items[proposal.number - 1].indicator.name, proposal.of)
        for name, paper in papers.items()
        for project in projects_of(paper)
        for proposal in propose_links(project)
    ]
    assert found == [
        ("000", "预算成本", "spent"),
        *[("002", "系统正常运行率", "uptime")] * 7,
        ("004", "预算执行率", "execution"),
        ("004", "预算执行率", "execution"),
        ("004", "访问量", "visits"),
        ("004", "注册用户数", "users"),
        ("004", "预算执行率", "execution"),
    ]


def test_every_proposal_says_why_in_both_languages_and_can_be_confirmed(papers, root):
    for project_ in projects_of(papers["004"]):
        for proposal in propose_links(project_):
            assert proposal.en.endswith(".")
            assert proposal.zh.endswith("。")
            assert 0 < proposal.score <= 1


def test_every_unit_of_the_public_papers_is_known_but_those_that_say_too_little(papers):
    printed = {leaf.unit for paper in papers.values() for table in paper.targets for leaf in table.indicators}
    unknown = {
        unit
        for unit in printed
        if unit_of(unit).dimension[:1] and unit_of(unit).dimension[0][0].startswith("unit ")
    }
    assert unknown == {"date", "M", "工作日", "其他"}


def test_the_log_of_links_is_json_that_tells_what_was_linked(root):
    tie(root, "访问量", "measure", "visits", note="the site's own")
    event = next(event for event in root.read_events() if event.kind == EVENT)
    assert json.loads(json.dumps(event.values))["note"] == "the site's own"
    assert event.values["project"] == "变异知识库"
    assert date.fromisoformat(event.time[:10])
    assert evidence(root).exists()
