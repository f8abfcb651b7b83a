"""Errors on pages of another language: every sentence that pages can meet has its translation."""

import ast
import re
from pathlib import Path

import pytest

import nexome
from nexome.web.pages.language import languages
from nexome.web.pages.sentences import Sentence, translate

HOME = Path(nexome.__file__).parent
ERRORS = {"NotFoundError", "QueryError", "InputError", "RefusedError", "NexomeError"}
# What a page asks: the doors of a View and what they ask in turn. Errors of imports are of the command line.
SOURCES = [
    *sorted((HOME / "access").glob("*.py")),
    *sorted((HOME / "access/disclosure").glob("*.py")),
    *sorted((HOME / "web/pages").glob("*.py")),
    HOME / "access/reference/doors.py",
    HOME / "access/reference/placing.py",
    HOME / "store/reference.py",
    HOME / "model/genome.py",
    HOME / "store/genes.py",
    HOME / "methods/finemap.py",
    HOME / "methods/coloc.py",
]
OTHERS = [code for code in languages() if code != "en"]


def texts_of(node):
    """What an argument may say, its facts written as 'X'; nothing where it is not written out here."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return ["".join(p.value if isinstance(p, ast.Constant) else "X" for p in node.values)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [a + b for a in texts_of(node.left) for b in texts_of(node.right) or ["X"]]
    if isinstance(node, ast.IfExp):
        return texts_of(node.body) + texts_of(node.orelse)
    if isinstance(node, ast.BoolOp):
        return [text for value in node.values for text in texts_of(value)]
    return []


def sentences():
    """(place, sentence) of every error raised in SOURCES with words written at the place."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ERRORS:
                parts = [
                    *node.args[:1],
                    *(k.value for k in node.keywords if k.arg in {"where", "expected", "todo"}),
                ]
                for part in parts:
                    for text in texts_of(part):
                        yield f"{path.relative_to(HOME)}:{node.lineno}", text


@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_a_page_can_meet_is_translated(code):
    found = [(place, text) for place, text in sentences() if re.search("[a-z]{3}", text)]
    assert len(found) > 60  # the sources are still read
    assert [(place, text) for place, text in found if translate(text, code).english] == []


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_keeps_the_facts(code):
    for _, text in sentences():
        marked = text.replace("X", "Qx7", 1)
        if marked != text and not (said := translate(marked, code)).english:
            assert "Qx7" in said.text, text


def test_what_has_no_translation_stays_english_and_says_so():
    assert translate("never said here", "zh") == Sentence("never said here", english=True)
    assert translate("no study 'X'", "en") == Sentence("no study 'X'")
    assert translate("", "zh") == Sentence("")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/zh/studies/nothing", ["没有研究 'nothing'", "请看研究列表"]),
        ("/zh/variants/what%20is%20this", ["不是可识别的变异写法", "rs 编号（rs4988235）"]),
        ("/zh/variants/rs999999999", ["没有 'rs999999999' 的关联结果", "可能已在 dbSNP 中并入其他编号"]),
        ("/zh/variants/1-5-A-G", ["请核对位置是否属于本库参考基因组 GRCh38"]),
        ("/zh/variants/chrQ-5-A-G", ["没有序列 'chrQ'"]),
        ("/zh/genes/NOTHING", ["没有基因 'NOTHING'"]),
        ("/zh/studies?page=9999", ["页码：第 9999 页", "1 到 1 之间的数"]),
        ("/zh/studies?sort=taste", ["排序方式 'taste'", "以下之一"]),
        ("/zh/traits?category=Taste", ["没有类别 'Taste'", "请看类别列表"]),
        ("/zh/nowhere", ["没有页面"]),
    ],
)
def test_a_page_of_an_error_speaks_chinese(browser, path, words):
    answer = browser.get(path)
    assert answer.status_code in {400, 404}
    text = answer.text.replace("&#39;", "'")
    assert [word for word in words if word not in text] == []
    card = text[text.index("<main") : text.index("</main")]
    assert 'lang="en"' not in card
