"""Scores: worked by hand, properties, flags, and every number traced."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.errors import DamagedError, InputError, SettingsError
from nexome.report.completion import completion_of
from nexome.report.dates import deadline_of
from nexome.report.kept_scores import circumstances_of
from nexome.report.links import Links, kept_projects, projects_of
from nexome.report.plans import plan_of
from nexome.report.progress import progress_of
from nexome.report.recording import Choice, Given, confirm_link, give_reason, record_payment
from nexome.report.scoring import Circumstances, score_paper, score_project
from nexome.report.scoring_rule import ScoringRule, read_rule, rule_of
from nexome.report.weights import share_out, weights_of
from tests.report.scored import SMALL, item, keep, made_root, paper, project, record, sample

ONE = projects_of(paper())[0]
EMPTY = Circumstances(Links(), {}, 2024, date(2024, 12, 31))


@pytest.fixture
def root(tmp_path):
    return made_root(tmp_path)


def filled(root):
    """Every indicator of the small paper with a value."""
    one = project(root)
    sample(root, "2023-12-31T00:00:00Z", visits=500.0)
    sample(root, "2024-06-30T00:00:00Z", visits=900.0)
    sample(root, "2024-12-30T00:00:00Z", visits=1100.0)
    confirm_link(root, one, item(one, "访问量"), Choice("measure", "visits"), by="tester")
    record(root, "标准数量", "3")
    record(root, "示范数量", "4")
    record(root, "培训人次", "108")
    record(root, "故障次数", "5", shown=False)
    record(root, "完成时间", "2024-08-12", day="2024-08-12")
    record(root, "影响力提升", "75")
    record(root, "用户满意度", "81")
    record_payment(root, one, Given("120", "万元", "2024-04-01", "t"), source="财政拨款")
    record_payment(root, one, Given("500000", "元", "2024-11-01", "t"), source="上年结转")


def scored(root, *, as_of=None, rule=None):
    return score_project(project(root), circumstances_of(root, "small", year=2024, as_of=as_of, rule=rule))


# By hand, one indicator a line:
#   访问量      ≥1000, weight 20: 1100 − 500 = 600 visits in the year; 600/1000 = 0.6        → 12.00
#   标准数量    = 2, weight 10: 3 instead; 2/3                                                →  6.67
#   示范数量    3-5, weight 10: 4 lies within                                                 → 10.00
#   培训人次    ≈100, weight 10: 108 is within ±10 %                                          → 10.00
#   故障次数    ≤4, weight 10: 5; 4/5                                                         →  8.00
#   完成时间    by 30 June, weight 10: 12 August is 43 days late; 1 − 43/365 = 0.88219        →  8.82
#   影响力提升  qualitative, weight 10: 75 %                                                  →  7.50
#   用户满意度  ≥90, weight 10: 81; 81/90 = 0.9                                               →  9.00
#   execution   (120 + 50)/200 = 0.85, 10 points                                              →  8.50
#   total                                                                                     → 80.49
BY_HAND = ["12.00", "6.67", "10.00", "10.00", "8.00", "8.82", "7.50", "9.00"]


def test_a_score_worked_by_hand(root):
    filled(root)
    score = scored(root)
    assert [str(leaf.points.value) for leaf in score.indicators] == BY_HAND
    assert (str(score.execution.value), str(score.total.value), score.grade) == ("8.50", "80.49", "良")
    assert [(f.name, f.spent, f.rate) for f in score.funds] == [
        ("年度资金总额", 1_700_000, 85),
        ("财政拨款", 1_200_000, 80),
        ("上年结转", 500_000, 100),
    ]
    flags = {leaf.name: set(leaf.flags) for leaf in score.indicators}
    assert flags == {
        "访问量": {"reason-needed"},
        "标准数量": {"reason-needed"},
        "示范数量": set(),
        "培训人次": set(),
        "故障次数": {"no-evidence"},
        "完成时间": set(),
        "影响力提升": set(),
        "用户满意度": set(),
    }
    assert score.flags == ("payment-no-evidence",)


def test_every_number_is_traced_to_reading_time_value_and_evidence(root):
    filled(root)
    score = scored(root)
    visits = score.indicators[0]
    assert [(i.source, i.name, i.value, i.time) for i in visits.points.inputs] == [
        ("measure", "visits", "500.0", "2023-12-31T00:00:00Z"),
        ("measure", "visits", "1100.0", "2024-12-30T00:00:00Z"),
    ]
    assert (visits.points.formula, visits.completion.formula) == ("20 × 0.6", "600 ÷ 1000")
    standard = score.indicators[1].points.inputs[0]
    assert (standard.value, standard.time, len(standard.evidence[0].sha256)) == ("3", "2024-05-31", 64)
    assert score.execution.formula == "10 × min(1, 1700000 ÷ 2000000)"
    assert [i.line for i in score.execution.inputs if i.source == "paper"] == [5]
    assert sum(Decimal(i.value) for i in score.total.inputs) == score.total.value


def test_payments_without_a_source_leave_the_sources_open(root):
    one = project(root)
    record_payment(root, one, Given("10", "万元", "2024-04-01", "t"), source="财政拨款")
    record_payment(root, one, Given("20", "万元", "2024-04-02", "t"))
    total, fiscal, carried = scored(root).funds
    assert (total.spent, total.rate, fiscal.spent, fiscal.rate, carried.rate) == (
        300_000,
        15,
        100_000,
        None,
        None,
    )
    keep(root, SMALL.replace("	上年结转资金	50.00\n", "").replace("150.00", "200.00"), sha256="1")
    assert [(f.spent, f.rate) for f in scored(root).funds] == [(300_000, 15)] * 2  # the only source there is


def test_a_reason_clears_its_flag_and_stands_in_the_score(root):
    filled(root)
    one = project(root)
    give_reason(root, one, item(one, "访问量"), year=2024, text="网站 3 月改版", by="t")
    give_reason(root, one, item(one, "标准数量"), year=2023, text="另一年", by="t")
    score = scored(root)
    assert (score.indicators[0].reason, score.indicators[0].flags) == ("网站 3 月改版", ())
    assert score.indicators[1].flags == ("reason-needed",)
    with pytest.raises(InputError):
        give_reason(root, one, item(one, "访问量"), year=2024, text="  ", by="t")


def test_damaged_evidence_is_flagged(root):
    filled(root)
    for path in (root.path / "papers" / "small" / "evidence").iterdir():
        path.write_text("another page", encoding="utf-8")
    assert "evidence-damaged" in scored(root).indicators[1].flags


def test_progress_by_quarter_worked_by_hand(root):
    filled(root)
    made = progress_of(project(root), circumstances_of(root, "small", year=2024))
    visits, standard = made.indicators[0], made.indicators[1]
    # no reading of 2024 by 31 March; 900 − 500 = 400 of 1000 by 30 June, and the same reading in September
    assert [(s.shown, str(s.share), s.state) for s in visits.steps] == [
        ("", "0", "unknown"),
        ("400次", "0.4", "behind"),
        ("400次", "0.4", "behind"),
        ("600次", "0.6", "missed"),
    ]
    assert [s.time for s in visits.steps][:2] == [
        Decimal(91) / 366,
        Decimal(182) / 366,
    ]  # 2024 is a leap year
    # two thirds: enough for half of the year, not for three quarters of it
    assert [s.state for s in standard.steps] == ["unknown", "on-time", "behind", "missed"]
    assert made.execution == (0, 60, 60, 85)
    assert (
        len(
            progress_of(
                project(root), circumstances_of(root, "small", year=2024, as_of=date(2024, 5, 1))
            ).points
        )
        == 2
    )


def test_without_values_nothing_is_scored_and_all_is_flagged(root):
    score = scored(root)
    assert score.total.value == 0
    assert {leaf.flags for leaf in score.indicators} == {("no-link",)}
    assert score.flags == ("no-spending",)
    with pytest.raises(InputError, match="a year begun by"):
        score_project(project(root), replace(EMPTY, year=2025))


def test_another_year_and_an_open_year_are_said(root):
    record(root, "标准数量", "2")
    given_ = circumstances_of(root, "small", year=2025, as_of=date(2025, 3, 1))
    score = score_project(project(root), given_)
    assert score.flags[-2:] == ("other-year", "year-open")
    assert score.indicators[1].flags == ("no-value",)  # the value is of 2024
    assert score.flag_text("other-year", zh=True) == "目标表年度为2024，评分年度为2025"


def test_a_corrected_unit_is_converted_or_said(root):
    record(root, "标准数量", "2")
    keep(root, SMALL.replace("=2 项", "=0.0002 万项"), sha256="1")
    assert scored(root).indicators[1].points.value == 10
    keep(root, SMALL.replace("=2 项", "=2 万元"), sha256="2")
    assert scored(root).indicators[1].flags == ("not-computable",)


def test_a_formula_of_measures_and_numbers(root):
    one = project(root)
    sample(root, "2023-12-31T00:00:00Z", visits=0, downloads=10)
    sample(root, "2024-12-30T00:00:00Z", visits=400, downloads=370)
    confirm_link(root, one, item(one, "用户满意度"), Choice("formula", "downloads ÷ visits"), by="t")
    confirm_link(
        root, one, item(one, "故障次数"), Choice("formula", "max(1[次], downloads − visits)"), by="t"
    )
    score = scored(root)
    assert score.indicators[7].value.value == 90  # (370 − 10) ÷ 400
    assert len(score.indicators[7].value.inputs) == 4
    assert score.indicators[4].value.value == 1


# ---------------------------------------------------------------- weights


def test_weights_printed_scaled_shared_and_by_level():
    rule = ScoringRule()
    assert weights_of(ONE.items, rule).note == "weights-printed"
    hundred = projects_of(paper(SMALL.replace("≥1000 次	20", "≥1000 次	30")))[0]
    scaled = weights_of(hundred.items, rule)
    # the printed weights add up to 100 and are brought to 90: 30 becomes 27, each 10 becomes 9
    assert (scaled.note, scaled.weights) == ("weights-scaled", (Decimal("27.00"), *[Decimal("9.00")] * 7))
    bare = [replace(one, indicator=replace(one.indicator, weight=None)) for one in ONE.items]
    by_level = weights_of(bare, rule)
    # 产出 50 over six: 8.33 each and two cents for the first two; 效益 30, 满意度 10
    expected = [*["8.34"] * 2, *["8.33"] * 4, "30.00", "10.00"]
    assert [str(weight) for weight in by_level.weights] == expected
    assert by_level.words["levels"] == "产出指标 50 效益指标 30 满意度指标 10"
    some = weights_of([*bare[:2], *ONE.items[2:]], rule)
    assert (some.note, some.weights[:2]) == ("weights-shared", (Decimal("15.00"), Decimal("15.00")))


def test_levels_that_are_absent_leave_their_weight_to_the_others(papers):
    tables = {project.table.name: project for project in projects_of(papers["002"])}
    made = weights_of(tables["北京智源人工智能研究院建设"].items, ScoringRule())
    # 成本 20, 产出 40, 效益 20 of 80 brought to 90: 22.5, 45, 22.5
    assert made.words["levels"] == "产出指标 45 效益指标 22.5 成本指标 22.5"
    department = projects_of(papers["002"])[-1]
    assert weights_of(department.items, ScoringRule()).words["levels"].startswith("效益指标")


@given(st.lists(st.integers(1, 50).map(Decimal), min_size=1, max_size=60))
def test_shares_add_up_to_the_cent(parts):
    shares = share_out(Decimal(90), parts)
    assert sum(shares) == 90
    assert all(abs(s - 90 * p / sum(parts)) < Decimal("0.01") for s, p in zip(shares, parts, strict=True))


# ---------------------------------------------------------------- properties

numbers = st.decimals(0, 10_000, places=2, allow_nan=False)
leaves = st.builds(
    lambda sign, low, width: replace(
        ONE.items[0], indicator=replace(ONE.items[0].indicator, comparison=sign, low=low, high=low + width)
    ),
    st.sampled_from("≥≤=≈<>"),
    numbers,
    st.sampled_from([Decimal(0), Decimal(7)]),
)


@given(leaves, st.decimals(-10_000, 0, places=2))
def test_less_than_nothing_is_no_share_of_more(leaf, value):
    share = completion_of(leaf, value, rule=ScoringRule(), year="2024").share
    assert share == (
        1
        if leaf.indicator.comparison in "≤<"
        or value == leaf.indicator.low == 0
        or (leaf.indicator.comparison in "≥>=≈" and leaf.indicator.low <= value)
        else 0
    )


@given(leaves, numbers, numbers)
def test_a_share_lies_within_0_and_1_and_never_falls_on_the_way_to_the_target(leaf, one, other):
    low, high = leaf.indicator.low, leaf.indicator.high
    near, far = sorted((one, other), key=lambda v: max(low - v, v - high, Decimal(0)))
    shares = [completion_of(leaf, v, rule=ScoringRule(), year="2024").share for v in (far, near)]
    assert all(0 <= share <= 1 for share in shares)
    if (far < low) == (near < low) or (near >= low and near <= high):
        assert shares[0] <= shares[1]


@given(st.lists(numbers, min_size=8, max_size=8))
def test_a_total_lies_within_0_and_100(values):
    rule = ScoringRule()
    weights = weights_of(ONE.items, rule).weights
    total = sum(
        w
        * completion_of(
            i, min(v, Decimal(100)) if i.indicator.low is None else v, rule=rule, year="2024"
        ).share
        for i, w, v in zip(ONE.items, weights, values, strict=True)
        if deadline_of(i.indicator.value, "2024") is None
    )
    assert 0 <= total <= 90


@given(st.permutations(["标准数量", "示范数量", "培训人次", "用户满意度"]))
def test_the_order_of_links_does_not_matter(tmp_path_factory, order):
    root = made_root(tmp_path_factory.mktemp("order"))
    for name in order:
        record(root, name, "3")
    # 3 of =2: 6.67; 3 within 3-5: 10; 3 of ≈100: 0.30; 3 of ≥90: 0.33
    assert scored(root).total.value == Decimal("17.30")


# ---------------------------------------------------------------- the rule


def test_a_rule_of_ones_own_changes_the_score_and_is_shown(root, tmp_path):
    filled(root)
    path = tmp_path / "rule.yaml"
    path.write_text(
        "execution_points: 20\nexact_over: full\nlate_days: 86\ngrades: {好: 75, 差: 0}\n", encoding="utf-8"
    )
    score = scored(root, rule=path)
    # 90 is brought to 80: 20 becomes 17.78, each 10 becomes 8.89 or a cent less; 3 of "= 2" is full;
    # 43 of 86 days late is half; execution 20 × 0.85 = 17
    assert (
        score.indicators[1].points.value == score.indicators[1].weight in {Decimal("8.88"), Decimal("8.89")}
    )
    assert score.indicators[5].completion.value == Decimal("0.5")
    assert (score.execution.value, score.grade) == (17, "好")
    assert score.rule.execution_points == 20
    (root.path / "rule.yaml").write_text("tolerance: 0.05\n", encoding="utf-8")
    named = replace(root, settings=replace(root.settings, scoring_rules="rule.yaml"))
    # 108 is no longer near 100: 100/108 of 10
    assert str(scored(named).indicators[3].points.value) == "9.26"


@pytest.mark.parametrize(
    "text",
    [
        "[1]",
        "execution: 5",
        "execution_points: x",
        "execution_points: 100",
        "levels: []",
        "exact_over: some",
        "grades: {优: 90}",
        "weights: {产出指标: 0}",
        "a: [",
        "late_days: 0",
        "tolerance: .nan",
        "levels: [{code: a}]",
        "weights: 3",
    ],
)
def test_a_rule_that_cannot_be_is_told_with_its_file(tmp_path, text):
    path = tmp_path / "rule.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        read_rule(path)
    assert "rule.yaml" in error.value.where
    assert error.value.expected
    with pytest.raises(SettingsError):
        read_rule(tmp_path / "none.yaml")


def test_the_rule_in_the_docs_is_the_usual_one():
    text = (Path(__file__).parents[2] / "docs" / "targets" / "scoring.md").read_text(encoding="utf-8")
    block = text.split("```yaml\n")[1].split("```")[0]
    assert rule_of(yaml.safe_load(block)) == ScoringRule()


# ---------------------------------------------------------------- roll-up and the public papers


def test_a_paper_rolls_up_by_money(root):
    second = (
        SMALL.replace("变异知识库", "样本库")
        .replace("200.00", "50.00")
        .replace("150.00", "25.00")
        .replace("资金	50.00", "资金	25.00")
    )
    keep(root, SMALL + "\n" + second, name="two", sha256="1")
    one, two = kept_projects(root.path, "two")
    record_payment(root, one, Given("200", "万元", "2024-04-01", "t"))
    record_payment(root, two, Given("25", "万元", "2024-04-01", "t"))
    made = score_paper([one, two], circumstances_of(root, "two", year=2024))
    # points 10 and 5, money 200 and 50: (10×200 + 5×50) / 250 = 9
    assert [score.total.value for score in made.projects] == [10, 5]
    assert (made.total.value, made.grade) == (9, "差")


@pytest.mark.parametrize(("name", "year"), [("000", 2023), ("001", 2025), ("002", 2026), ("004", 2019)])
def test_every_project_of_the_public_papers_has_a_score_of_its_own(papers, name, year):
    given_ = replace(EMPTY, year=year, as_of=date(year, 12, 31))
    projects = projects_of(papers[name], name=name)
    made = score_paper(projects, given_)
    for score in (*made.projects, *([made.whole] if made.whole else [])):
        assert sum(leaf.weight for leaf in score.indicators) == 90
        assert score.total.value == 0
        assert score.funds[0].budget > 0


def test_quarterly_plans_of_forms_are_structured(papers):
    plans = {table.name: plan_of(table) for table in papers["004"].targets}
    steps = plans["上海国际生物技术与医药交流对接"]
    assert [(s.year, s.first_month, s.last_month, s.text[:6]) for s in steps] == [
        (2018, 8, 12, "制定会议方案"),
        (2019, 1, 3, "启动会议宣传"),
        (2019, 4, 5, "落实各项活动"),
        (2019, 6, 11, "会后回访、反"),
    ]
    quarters = plans["全市孵化器及在孵企业服务"][:4]
    assert [(s.first_month, s.last_month) for s in quarters] == [(1, 3), (4, 6), (7, 9), (10, 12)]
    assert plans["全市孵化器及在孵企业服务"][4].text == "发布征集通知"
    assert [step.months for step in plans["全市孵化器及在孵企业服务"][3:5]] == ["months 10-12", "month 6"]
    assert plans["研发平台数据采购及保障"] == []  # its plan names no quarters


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2023 年 12 月 31 日前", date(2023, 12, 31)),
        ("２０２４年２月", date(2024, 2, 29)),
        ("2023 年底", date(2023, 12, 31)),
        ("本年度 12月 31 日前", date(2024, 12, 31)),
        ("年底前", date(2024, 12, 31)),
        ("不低于2018年", None),
        ("项目执行期内", None),
        ("2024年13月", None),
        ("2024年2月30日", None),
    ],
)
def test_deadlines_as_they_are_worded(text, day):
    assert deadline_of(text, "2024") == day


def test_damage_in_links_is_not_scored_over(root):
    record(root, "标准数量", "2")
    path = root.path / "papers" / "small" / "links.json"
    path.write_bytes(path.read_bytes().replace(b"2024-05-31", b"2024-05-30"))
    with pytest.raises(DamagedError):
        scored(root)
