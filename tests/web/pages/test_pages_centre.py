"""The centre's own pages: who may see them, and that they show what report and store say."""

import re
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.access.centre import Centre
from nexome.access.identity import new_token, token_hash
from nexome.app import create_app
from nexome.model.measures import MEASURES
from nexome.report.compare import Change
from nexome.report.paper import Amount, BudgetRow, BudgetTable
from nexome.report.standing import standings, years_of
from nexome.testing.example_plan import BUILD, SHARE, make_example_plan
from nexome.testing.small_centre import MARKUP, PRIVATE, make_small_centre
from nexome.web.pages import budget
from nexome.web.pages.drawings import Stream, bar, flow, spark, states_bar
from nexome.web.pages.language import languages
from nexome.web.pages.money import amount_text, measure_text, money_text, share_text

OWNER = "nxm_owner-token-of-the-page-tests"  # as conftest's browser sends it
CODES = sorted(languages())
AMOUNTS = st.just(0.0) | st.floats(0.01, 1e9)  # money has cents


@pytest.fixture(scope="module")
def plan(tmp_path_factory, browser_of):
    folder = tmp_path_factory.mktemp("centre")
    small = make_small_centre(folder / "root", variants=1_000)
    paper = make_example_plan(small.path, folder / "files")
    with Centre.open(small.path, owner_token=OWNER) as centre:
        yield browser_of(create_app(centre)), centre, paper


def paths(paper):
    project = f"/papers/{paper}/projects/{SHARE}"
    return ["/cockpit", "/papers", f"/papers/{paper}", f"/papers/{paper}/budget", project]


@pytest.mark.parametrize("code", CODES)
def test_the_owner_sees_them_and_nobody_keeps_them(plan, code):
    browser, _, paper = plan
    for path in paths(paper):
        answer = browser.get(f"/{code}{path}", owner=True)
        assert answer.status_code == 200, path
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("code", CODES)
def test_anyone_else_is_refused_and_learns_nothing(plan, code):
    browser, _, paper = plan
    for path in [*paths(paper), "/papers/no-such-paper"]:
        answer = browser.get(f"/{code}{path}")
        assert answer.status_code == 403, path
        assert languages()[code]("reason.needs_director") in answer.text
        assert "示例组学" not in answer.text
        assert languages()[code]("nav.cockpit") not in answer.text  # nor is it led there


def test_a_director_sees_them_and_no_private_study(plan):
    browser, centre, paper = plan
    token = new_token()
    centre.catalogue.accounts.add_token("director", token_hash(token), role="holder")
    centre.catalogue.accounts.grant("director", "@centre", "read")
    asked = {"headers": {"Authorization": f"Bearer {token}"}}
    assert all(browser.get(f"/en{path}", **asked).status_code == 200 for path in paths(paper))
    assert browser.get(f"/en/studies/{PRIVATE}", **asked).status_code == 404


def test_the_cockpit_shows_every_project_and_what_is_late(plan, markup):
    browser, centre, _ = plan
    html = browser.get("/en/cockpit", owner=True).text
    found = standings(centre.root, years_of(centre.root.path)[0])
    late = [score.name for s in found for score, step in s.indicators if step.state in {"behind", "missed"}]
    assert late
    for name in [BUILD, SHARE, *late]:
        assert name in html
    for standing in found:
        assert f"{standing.score.total.value:.1f}" in html
    assert "CNY 3.60 million" in html  # 260 and 100 万元
    texts = " ".join(markup(html).texts)
    assert "21" in texts  # the studies of this centre


def test_a_project_page_shows_targets_values_money_and_evidence(plan, markup):
    browser, _, paper = plan
    html = browser.get(f"/zh/papers/{paper}/projects/{SHARE}", owner=True).text
    for text in ("≥60 人次", "64 人次", "人工填报", "尚未关联数据", "62.0 %", "training.txt", "voucher.txt"):
        assert text in html, text
    files = [a["href"] for a in markup(html).all("a") if "/evidence/" in a.get("href", "")]
    answer = browser.get(files[0], owner=True)
    assert "示例培训签到汇总" in answer.content.decode()
    assert answer.headers["content-disposition"].startswith("attachment")
    assert browser.get(files[0]).status_code == 403


def test_damaged_evidence_does_not_leave(plan, markup):
    browser, centre, paper = plan
    folder = centre.root.path / "papers" / paper / "evidence"
    kept = next(path for path in folder.iterdir())
    content = kept.read_bytes()
    kept.write_bytes(content + b"!")
    try:
        assert browser.get(f"/en/papers/{paper}/evidence/{kept.name}", owner=True).status_code == 500
    finally:
        kept.write_bytes(content)


def test_a_finding_stands_beside_its_line(plan, markup):
    browser, _, paper = plan
    html = browser.get(f"/zh/papers/{paper}", owner=True).text
    noted = re.search(r'<li id="l\d+" class="noted">.*?</ul>', html, re.DOTALL)
    assert noted
    assert "占61.36%" in noted[0]
    assert "63.16" in noted[0]
    whole = browser.get(f"/zh/papers/{paper}?text=whole", owner=True).text
    assert "本文本为演示用的虚构示例" in whole
    assert "本文本为演示用的虚构示例" not in html
    assert "61.36" not in browser.get(f"/zh/papers/{paper}?text=warning", owner=True).text


def test_a_budget_stands_beside_that_of_the_year_before(plan):
    browser, _, paper = plan
    html = browser.get(f"/zh/papers/{paper}/budget", owner=True).text
    for text in ("600.00", "540.00", "+11.1 %", "一般公共预算拨款收入", "住房保障支出"):
        assert text in html, text
    assert html.count('class="flow"') == 2
    alone = browser.get(f"/zh/papers/{paper}/budget?with=none", owner=True).text
    assert alone.count('class="flow"') == 1
    assert "540.00" not in alone


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/papers/none", 404),
        ("/papers/{paper}/projects/none", 404),
        ("/papers/{paper}/evidence/" + "0" * 64, 404),
        ("/papers/{paper}?text=nothing", 400),
        ("/papers/{paper}/budget?with=none-such", 400),
        ("/cockpit?year=1066", 400),
    ],
)
def test_what_is_not_there_is_said(plan, path, status):
    browser, _, paper = plan
    assert browser.get("/en" + path.format(paper=paper), owner=True).status_code == status


def test_a_centre_without_papers_says_how_to_begin(browser):
    for path in ("/en/cockpit", "/zh/papers"):
        assert "nexome targets import" in browser.get(path, owner=True).text


# ---------------------------------------------------------------- drawings and numbers


@given(st.lists(AMOUNTS, min_size=1, max_size=9), st.lists(AMOUNTS, min_size=1, max_size=9))
def test_names_of_streams_never_stand_on_each_other(sources, uses):
    drawn = flow(
        [Stream("来源", a, "1") for a in sources], [Stream("用途", a, "1") for a in uses], sentence="s"
    )
    for anchor in ("start", "end"):
        heights = [
            float(y) for y in re.findall(rf'<text x="[\d.]+%" y="([\d.]+)"[^>]*text-anchor="{anchor}"', drawn)
        ]
        assert all(b - a >= 23.8 for a, b in pairwise(heights))
    total = float(re.search(r'class="flow" width="100%" height="(\d+)"', drawn)[1])
    assert all(0 <= float(y) <= total + 6 for y in re.findall(r'<text x="[\d.]+%" y="([\d.]+)"', drawn))


@given(st.lists(AMOUNTS, min_size=1, max_size=9))
def test_streams_are_as_thick_as_their_money(amounts):
    drawn = flow([Stream("x", a, "") for a in amounts], [Stream("y", sum(amounts), "")], sentence="s")
    thick = [float(h) for h in re.findall(r'class="node in"[^>]*height="([\d.]+)"', drawn)]
    whole = sum(amounts) or 1
    for height, amount in zip(thick, amounts, strict=True):
        assert height == pytest.approx(max(420 * amount / whole, 1), abs=0.06)


@given(st.floats(-1, 5), st.none() | st.floats(-1, 5))
def test_a_bar_stays_inside(share, time):
    drawn = str(bar(share, time=time, state="behind", sentence="a & b"))
    assert all(0 <= float(w) <= 100 for w in re.findall(r'(?:width|x1)="([\d.]+)%"', drawn))
    assert "a &amp; b" in drawn


def test_drawings_escape_what_they_are_told():
    streams = [Stream(MARKUP, 1, MARKUP)]
    for drawn in (flow(streams, streams, sentence=MARKUP), spark([1, 2], sentence=MARKUP)):
        assert "<script" not in drawn
    assert "<script" not in states_bar({"reached": 1}, sentence=MARKUP)
    assert spark([], sentence="") == ""


def test_money_is_written_as_people_of_a_language_do():
    english, chinese = languages()["en"], languages()["zh"]
    assert money_text(Decimal(12_345_678), chinese) == "1,234.57 万元"
    assert money_text(Decimal(12_345_678), english) == "CNY 12.35 million"
    assert amount_text(Decimal(-10_000), chinese) == "−1.00"
    assert money_text(None, english) == "–"
    assert share_text(Decimal("-0.125"), sign=True) == "−12.5 %"


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        (1_570_084, "associations", "1,570,084"),
        (18_820_330, "bytes_held", "18.8 MB"),
        (12, "bytes_held", "12 B"),
        (99.95, "uptime", "100.0 %"),
        (4.47, "response_p50", "4.47 ms"),
        (354.8, "response_p95", "354.8 ms"),
        (0.25, "backup_age", "0.25 d"),
        (None, "uptime", "–"),
    ],
)
def test_measures_are_written_with_their_unit(value, name, text):
    assert measure_text(value, MEASURES[name]) == text


def test_rows_of_a_budget_stand_by_code_and_what_is_gone_at_its_old_place():
    def change(name: str, before: int, after: int) -> Change:
        return Change("budget", "expenditure", name, "grew", Decimal(before), Decimal(after), before, after)

    coded = [
        change("206 科学", 3, 3),
        change("合计", 9, 9),
        change("20602 基础", 0, 4),
        change("205 教育", 2, 0),
    ]
    assert [c.name for c in budget._ordered(coded)] == ["205 教育", "206 科学", "20602 基础", "合计"]
    plain = [change("收入甲", 1, 1), change("收入乙", 2, 0), change("合计", 3, 3), change("收入丙", 0, 2)]
    assert [c.name for c in budget._ordered(plain)] == ["收入甲", "收入乙", "收入丙", "合计"]


def test_what_is_carried_over_is_a_use_of_money():
    def row(name: str, yuan: int, code: str = "") -> BudgetRow:
        amount = Amount(Decimal(yuan), str(yuan), "元", 1)
        return BudgetRow((code,) if code else (), name, "" if code else "expenditure", (amount,), 1)

    spending = BudgetTable("expenditure", "支出总表", "元", ("合计",), (row("科学技术支出", 70, "206"),), 1)
    overview = BudgetTable(
        "balance", "收支总表", "元", ("预算数",), (row("科学技术支出", 70), row("结转下年", 30)), 1
    )
    assert budget.uses_of(spending) == [("科学技术支出", 70)]
    assert budget.uses_of(spending, overview) == [("科学技术支出", 70), ("结转下年", 30)]
