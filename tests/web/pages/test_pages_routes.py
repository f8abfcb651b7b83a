"""Every page in every language, for everyone and for the owner, through the whole application."""

import re

import pyarrow as pa
import pytest

from nexome.model.errors import DamagedError
from nexome.testing.small_centre import GAPS, HOSTILE, MARKUP, PRIVATE, PROTEINS, QUIET, SMALL
from nexome.web.pages.language import languages

CODES = sorted(languages())
PLAIN = ["/", "/studies", "/studies/SC0001", f"/studies/{PROTEINS}", "/search?q=glucose", "/sign-in"]


@pytest.fixture
def variant(small):
    return small.variant


def text_of(response):
    return response.text.replace("&#39;", "'").replace("&#34;", '"').replace("&amp;", "&")


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("path", [*PLAIN, "variant", "region", "gene"])
@pytest.mark.parametrize("owner", [False, True])
def test_every_page_answers_and_is_kept_as_it_may_be(browser, small, markup, code, path, owner):
    chromosome = small.variant.split("-")[0]
    place = {
        "variant": f"/variants/{small.variant}",
        "region": f"/search?q={chromosome}:1-200000000",
        "gene": f"/genes/{small.gene}",
    }
    answer = browser.get(f"/{code}{place.get(path, path)}", owner=owner)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-language"] == languages()[code].tag
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == ("no-store" if owner else "public, no-cache")
    assert ("etag" in answer.headers) is not owner
    page = markup(answer.text)
    assert page.all("html") == [{"lang": languages()[code].tag}]
    assert len(page.all("h1")) == 1
    # No inline script or style: the policy would refuse them.
    assert all("src" in attributes for attributes in page.all("script"))
    assert not page.all("style")
    assert not any("style" in a or any(n.startswith("on") for n in a) for _, a in page.elements)


@pytest.mark.parametrize("code", CODES)
def test_the_language_switch_keeps_the_page(browser, markup, code):
    path = "/studies?q=glucose&access=open"
    page = markup(browser.get(f"/{code}{path}").text)
    others = {a["href"] for a in page.all("a") if "hreflang" in a}
    assert others == {f"/{other}{path}" for other in CODES if other != code}


def test_the_first_address_leads_to_the_readers_language(browser):
    chosen = browser.get("/", headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert chosen.status_code == 303
    assert chosen.headers["location"] == "/zh/"
    assert chosen.headers["vary"] == "Accept-Language"
    assert browser.get("/").headers["location"] == "/en/"


def test_a_page_that_has_not_changed_is_not_sent_again(browser):
    first = browser.get("/en/studies")
    again = browser.get("/en/studies", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = browser.get("/en/studies", headers={"Accept-Encoding": "identity"})
    assert plain.headers["etag"] != first.headers["etag"]  # packed and plain are two representations
    assert plain.text == first.text


def test_a_page_is_packed_for_who_takes_it(browser):
    packed = browser.get("/en/studies/SC0001", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(packed.content) / 2
    assert "Accept-Encoding" in packed.headers["vary"]


# ---------------------------------------------------------------- who sees what


@pytest.mark.parametrize("code", CODES)
def test_a_private_study_is_as_unknown_as_none_at_all(browser, code):
    private = browser.get(f"/{code}/studies/{PRIVATE}")
    nothing = browser.get(f"/{code}/studies/SC-NOTHING")
    assert private.status_code == nothing.status_code == 404
    assert private.text.replace(PRIVATE, "") == nothing.text.replace("SC-NOTHING", "")
    assert browser.get(f"/{code}/studies/{PRIVATE}", owner=True).status_code == 200


def test_a_private_study_shows_nowhere_to_others(browser, small):
    for path in ("/en/", "/en/studies", "/en/search?q=unpublished", f"/en/variants/{small.variant}"):
        assert "Unpublished" not in browser.get(path).text
        assert PRIVATE not in browser.get(path).text
    assert PRIVATE in browser.get("/en/studies", owner=True).text
    assert PRIVATE in browser.get(f"/en/variants/{small.variant}", owner=True).text


@pytest.mark.parametrize("ending", ["svg", "json", "tsv"])
def test_figures_of_a_private_study_are_private(browser, ending):
    path = f"/en/studies/{PRIVATE}/figures/manhattan.{ending}"
    assert browser.get(path).status_code == 404
    answer = browser.get(path, owner=True)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


def test_the_receipt_tells_rows_in_kept_and_dropped_by_rule(browser):
    answer = browser.get("/en/studies/SC0001", owner=True)
    cells = re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]><td class=\"number\">([\d,]+)</td>", answer.text)
    assert ("Rows read", "2,017") in cells
    assert ("Rows kept", "2,000") in cells
    assert ("no chromosome or position", "17") in cells
    assert "缺少染色体或位置" in browser.get("/zh/studies/SC0001", owner=True).text


def test_a_token_signs_in_and_a_wrong_one_is_told(browser, owner_token):
    entered = browser.post("/en/sign-in", data={"token": owner_token})
    assert entered.status_code == 303
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    linked = browser.get(f"/zh/sign-in?token={owner_token}")
    assert (linked.status_code, linked.headers["location"]) == (303, "/zh/")
    wrong = browser.post("/en/sign-in", data={"token": "nxm_wrong"})
    assert wrong.status_code == 403
    assert "set-cookie" in wrong.headers  # a cookie that opens nothing is let go of
    assert "nxm_wrong" not in wrong.text
    foreign = browser.post(
        "/en/sign-in", data={"token": owner_token}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert foreign.status_code == 403
    assert owner_token not in foreign.headers.get("set-cookie", "")


def test_a_stale_cookie_is_let_go_of_not_quietly_anonymous(browser):
    answer = browser.get("/en/studies", headers={"Cookie": "nexome_token=nxm_gone"})
    assert answer.status_code == 403
    assert 'nexome_token=""' in answer.headers["set-cookie"]


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing/here", 404),
        ("/studies/../secrets", 404),
        ("/studies?page=0", 400),
        ("/studies?page=99", 400),
        ("/studies?page=x", 400),
        ("/studies?sort=colour", 400),
        ("/variants/rs999999999999", 404),
        ("/variants/not%20a%20variant%20at%20all", 400),
        ("/variants/99-1-A-G", 404),
        ("/studies/SC0001?trait=none", 404),
        ("/studies/SC0001/figures/pie.svg", 404),
        ("/studies/SC0001/figures/qq.exe", 400),
    ],
)
def test_what_cannot_be_answered_is_said_on_a_page(browser, code, path, status):
    answer = browser.get(f"/{code}{path}")
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    assert "Traceback" not in answer.text
    assert languages()[code]("problem.home") in answer.text


def test_a_variant_that_cannot_be_read_is_told_how_to_write_it(browser):
    answer = browser.get("/en/variants/not%20a%20variant")
    assert "rs4988235" in answer.text
    assert "2-135851076-G-A" in answer.text


def test_an_address_without_a_language_is_not_found_in_the_readers_own(browser):
    answer = browser.get("/favicon.ico", headers={"Accept-Language": "zh"})
    assert answer.status_code == 404
    assert answer.headers["content-language"] == "zh-Hans"


def test_a_mistake_of_ours_is_a_page_too(browser, monkeypatch, caplog):
    monkeypatch.setattr("nexome.access.view.View.studies", lambda *_, **__: 1 / 0)
    answer = browser.get("/en/studies")
    assert answer.status_code == 500
    assert "division" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_damage_is_told_to_the_log_and_stays_in_its_card(browser, small, monkeypatch, caplog):
    def damaged(*_, **__):
        raise DamagedError("a flipped bit", where="/srv/root/associations/chunk 3")

    monkeypatch.setattr("nexome.access.view.View.phewas_planes", damaged)
    answer = browser.get(f"/zh/variants/{small.variant}")
    assert answer.status_code == 200
    assert "这一部分未能生成" in answer.text
    assert "其他写法" in answer.text  # the rest of the page stands
    assert "/srv/root" not in answer.text
    assert "/srv/root/associations/chunk 3: a flipped bit" in caplog.text


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    "path", ["/", "/studies", f"/studies/{HOSTILE}", f"/search?q={MARKUP}", "/search?q=hostile", "variant"]
)
def test_texts_of_others_cannot_become_markup(browser, small, markup, code, path):
    answer = browser.get(f"/{code}/variants/{small.variant}" if path == "variant" else f"/{code}{path}")
    page = markup(answer.text)
    assert MARKUP in text_of(answer) or "&lt;script&gt;" in answer.text
    assert all(set(a) >= {"src"} and a["src"].startswith("/static/") for a in page.all("script"))
    assert not page.all("img")
    assert not any(a.get("href", "").startswith("javascript:") for a in page.all("a"))


# ---------------------------------------------------------------- what pages say


def test_a_study_without_hits_says_so(browser):
    page = browser.get(f"/en/studies/{QUIET}").text
    assert "0 loci reach genome-wide significance" in page
    assert "没有变异达到" in browser.get(f"/zh/studies/{QUIET}").text or "位点" in page


def test_missing_values_are_dashes_or_left_out(browser, small):
    page = browser.get(f"/en/studies/{GAPS}").text
    assert "nan" not in page.lower().replace("finance", "")
    loci = page[page.index("Top loci") :]
    assert '<td class="number">–</td>' in loci


def test_small_samples_are_flagged_in_the_list_and_at_the_top(browser):
    assert browser.get("/en/studies").text.count('class="flag"') == 1
    assert "Small sample: " in browser.get(f"/en/studies/{SMALL}").text
    assert "Small sample: " not in browser.get("/en/studies/SC0001").text


def test_the_list_is_filtered_sorted_and_searched_by_links(browser, markup):
    def studies(path):
        links = [a["href"] for a in markup(browser.get(path).text).all("a")]
        return [h.rpartition("/")[2] for h in links if re.fullmatch(r"/en/studies/[^/?]+", h)]

    assert studies("/en/studies?q=SC0003") == ["SC0003"]
    european = studies("/en/studies?ancestry=European")
    assert european == ["SC0002", "SC0005", "SC0008", "SC0011", "SC0014"]
    by_cells = studies("/en/studies?sort=cells")
    assert by_cells[-1] == PROTEINS
    assert "No study fits" in browser.get("/en/studies?q=zzzz").text


def test_a_study_of_several_traits_shows_the_one_asked_for(browser, markup):
    page = browser.get(f"/en/studies/{PROTEINS}?trait=P3").text
    assert "Protein 3" in page
    assert "/en/studies/SC-PROTEINS/figures/manhattan.json?trait=P3" in page
    found = markup(browser.get(f"/en/studies/{PROTEINS}?traits=Protein+5").text)
    assert [a["href"] for a in found.all("a") if "trait=" in a.get("href", "")]


@pytest.mark.parametrize("spelling", ["rsid", "RSID", "id", "place", "swapped"])
def test_any_spelling_of_a_variant_leads_to_its_page(browser, small, spelling):
    chromosome, position, other, effect = small.variant.split("-")
    text = {
        "rsid": small.rsid,
        "RSID": small.rsid.upper(),
        "id": small.variant,
        "place": f"chr{chromosome}:{int(position):,}",
        "swapped": f"{chromosome}-{position}-{effect}-{other}",
    }[spelling]
    answer = browser.get("/en/search", params={"q": text}, follow=True)
    assert answer.status_code == 200
    assert f"<h1>{small.rsid}</h1>" in answer.text
    if spelling == "swapped":
        direct = browser.get(f"/en/variants/{text}").text
        assert "the other way around" in direct


def test_a_study_and_words_lead_where_they_should(browser):
    unique = browser.get("/en/search?q=SC0007")
    assert (unique.status_code, unique.headers["location"]) == (303, "/en/studies/SC0007")
    several = browser.get("/en/search?q=blood pressure")
    assert several.status_code == 200
    assert "/en/studies/SC0009" in several.text
    assert "SC0010" in several.text
    none = browser.get("/en/search?q=xyzzy")
    assert "Nothing here is called" in none.text
    assert "/zh/studies/SC0004" in browser.get("/zh/search", params={"q": "血糖"}).text


def test_the_phewas_table_is_the_views_own(browser, centre, small):
    table = centre.view_for(None).phewas(small.variant)
    page = browser.get(f"/en/variants/{small.variant}").text
    assert f"{table.num_rows} traits have a number" in page
    best = max(table.to_pylist(), key=lambda row: row["neg_log_10_p_value"])
    first_row = page[page.index("<tbody>") :]
    assert first_row.index(best["trait"]) < 400
    some = browser.get(f"/en/variants/{small.variant}?category=Metabolic").text
    assert "5 traits have a number" in some
    none = browser.get(f"/en/variants/{small.variant}?category=Unknown").text
    assert "no category" in none  # told in its card; the names of the variant stay
    assert "Also written" in none


@pytest.mark.parametrize("figure", ["manhattan", "qq"])
def test_figures_come_as_svg_json_and_tsv(browser, figure):
    base = f"/en/studies/SC0004/figures/{figure}"
    drawn = browser.get(f"{base}.json").json()
    assert set(drawn) >= {"width", "x_ticks", "y_ticks", "points"}
    assert all(0 <= y <= 1 for y in drawn["points"]["y"])
    svg = browser.get(f"{base}.svg")
    assert svg.headers["content-type"] == "image/svg+xml"
    assert svg.headers["content-disposition"].startswith("attachment")
    rows = browser.get(f"{base}.tsv").text.splitlines()
    assert len(rows) == len(drawn["points"]["x"]) + 1
    assert len({row.count("\t") for row in rows}) == 1


def test_a_manhattan_plot_holds_every_hit_of_the_study(browser, centre):
    top = centre.view_for(None).top("SC0001")
    drawn = browser.get("/en/studies/SC0001/figures/manhattan.json").json()
    assert isinstance(top, pa.Table)
    assert len(drawn["points"]["x"]) == top.num_rows
    assert len(drawn["points"]["x"]) + len(drawn["runs"]["x"]) <= 20_000
    width = drawn["width"]
    assert all(0 <= x <= width for x in drawn["points"]["x"] + drawn["runs"]["x"])
