"""Every text exists in every language, and every text asked for is declared."""

import re
import string
from pathlib import Path
from types import SimpleNamespace

import pytest

import nexome.web
from nexome.access.policy import REASONS
from nexome.access.signals import WARNINGS
from nexome.ingest.harmonise.rules import CHANGED, DROPPED
from nexome.model.terms import ACCESS, EFFECT_SCALES, FEATURE_KINDS
from nexome.web.pages.coloc import FIGURES as COLOC_FIGURES
from nexome.web.pages.compare import FIGURES as COMPARE_FIGURES
from nexome.web.pages.language import choose_language, languages
from nexome.web.pages.problem import TOKEN_REASONS

WEB = Path(nexome.web.__file__).parent
SOURCES = [*WEB.glob("templates/*.html"), *WEB.glob("pages/*.py")]
CODES = sorted(languages())


def asked():
    """(texts asked for by name, beginnings of names that are put together) in templates and pages."""
    names, families = set(), set()
    for path in SOURCES:
        text = path.read_text()
        names |= set(re.findall(r"""\bt\(\s*["']([a-z_]+(?:\.[a-z_0-9]+)+)["']\s*[,)]""", text))
        families |= set(re.findall(r"""\bt\(\s*f["']([a-z_.]+)\{""", text))
        families |= set(re.findall(r"""\bt\(\s*["']([a-z_.]+)["']\s*~""", text))
        families |= {f"{family}." for family in re.findall(r"""\bt\.of\(\s*["']([a-z_.]+)["']""", text)}
        families |= {f"{family}." for family in re.findall(r"""\bt\.of\(f["']([a-z_]+)\.\{""", text)}
    return names, families


def test_every_text_is_there_in_every_language():
    every = {code: set(language.texts) for code, language in languages().items()}
    missing = {code: sorted(set().union(*every.values()) - own) for code, own in every.items()}
    assert missing == {code: [] for code in CODES}


def test_every_text_asked_for_is_declared():
    names, _ = asked()
    assert len(names) > 80  # the pattern still finds them
    assert sorted(names - set(languages()["en"].texts)) == []


def test_no_text_is_declared_that_no_page_asks_for():
    names, families = asked()
    # t(f"{kind}.subtitle") of study.py, t.of(f.id, "name") of parts.html
    named_by_figure = {"manhattan.subtitle", "qq.subtitle", "credible_set.name"}
    named_by_figure |= {f"{figure}.name" for figure in ("manhattan", "qq", "phewas", "forest")}
    interpreting = (*COMPARE_FIGURES, *COLOC_FIGURES)
    named_by_figure |= {f"{figure}.{what}" for figure in interpreting for what in ("name", "subtitle")}
    people = ("cohort_people", "curves_female", "curves_male", "distribution", "sources")
    named_by_figure |= {f"{figure}.name" for figure in people}
    named_by_figure |= {f"place.{how}" for how in ("above", "among", "among_all", "below")}  # place.py
    known = names | named_by_figure
    unused = {k for k in languages()["en"].texts if k not in known and not k.startswith(tuple(families))}
    assert sorted(unused) == []


def fields(text):
    texts = [text] if isinstance(text, str) else list(text.values())
    return {name for t in texts for _, name, _, _ in string.Formatter().parse(t) if name}


def test_a_text_is_filled_in_with_the_same_values_in_every_language():
    first, *others = (languages()[code] for code in CODES)
    for other in others:
        for key, text in first.texts.items():
            extra = fields(other.texts[key]) ^ fields(text)
            assert extra <= {"n", "tests"}, (key, extra)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    ("family", "members"),
    [
        ("rule", [*(r.label for r in DROPPED), *(r.label for r in CHANGED)]),
        ("reason", [r for r in REASONS if r.startswith("needs") or r == "owner_only"]),
        ("reason", sorted(TOKEN_REASONS)),
        ("warning", sorted(WARNINGS)),
        ("access", ACCESS),
        ("effect_scale", [s for s in EFFECT_SCALES if s != "unknown"]),
        ("studies.feature_kind", FEATURE_KINDS),
    ],
)
def test_words_of_the_house_are_translated(code, family, members):
    assert [m for m in members if f"{family}.{m}" not in languages()[code].texts] == []


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9", "en"),
        ("fr,de;q=0.9", "en"),
        ("en;q=0.2, zh-TW;q=0.7", "zh"),
        ("zh;q=0, en", "en"),
        ("", "en"),
        ("zh;q=notanumber,,;", "en"),
    ],
)
def test_the_browsers_wish_decides_the_language(header, code):
    assert choose_language(header).code == code


def test_numbers_decide_between_one_and_other():
    assert languages()["en"]("count.traits", n=1) == "1 trait"
    assert languages()["en"]("count.traits", n=12_000) == "12,000 traits"
    assert languages()["zh"]("count.traits", n=1) == "1 个性状"


@pytest.mark.parametrize(
    ("plain", "chinese", "english", "in_chinese"),
    [
        ("Age", "年龄", "Age", "年龄"),
        ("Age", "", "Age", "Age"),
        (None, "年龄", "年龄", "年龄"),
        ("", None, "?", "?"),
    ],
)
def test_a_name_is_told_in_ones_own_language_else_in_the_other(plain, chinese, english, in_chinese):
    row = {"label": plain, "label_zh": chinese}
    said = {code: languages()[code].named(row, "label", "?") for code in ("en", "zh")}
    assert said == {"en": english, "zh": in_chinese}
    for code, own in said.items():
        assert languages()[code].field(SimpleNamespace(**row), "label") == own.replace("?", "")
        assert languages()[code].either(plain, chinese) == own.replace("?", "")
