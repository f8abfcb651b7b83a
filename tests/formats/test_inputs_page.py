"""docs/formats/inputs.md is what the tables say now."""

from pathlib import Path

from nexome.formats.columns import AMBIGUOUS, CERTAIN, FEATURE_NAMES, TERMS, key_of
from nexome.formats.recognise import FORMATS, TABLES
from nexome.testing.inputs_page import inputs_page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats" / "inputs.md"


def test_the_page_is_fresh():
    written = PAGE.read_text(encoding="utf-8")
    assert written == inputs_page(), "stale: python -m nexome.testing.inputs_page docs/formats/inputs.md"


def test_every_format_and_term_is_on_it():
    page = inputs_page()
    assert [n for n in (*FORMATS, *TERMS) if f"`{n}`" not in page] == []


def test_no_name_is_both_certain_and_ambiguous_or_twice_certain():
    certain = [n for s in CERTAIN for n in s.names]
    asked = [n for a in AMBIGUOUS for n in a.names]
    assert len(set(certain)) == len(certain)
    assert len(set(asked)) == len(asked)
    assert not set(certain) & set(asked)
    assert not set(FEATURE_NAMES.names) & set(certain)


def test_every_name_is_written_as_names_are_compared():
    names = [n for s in CERTAIN for n in s.names] + [n for a in AMBIGUOUS for n in a.names]
    names += [n for f in TABLES for s in (*f.spellings, *f.private) for n in s.names]
    names += [n for f in TABLES for keys in f.signature for n in keys]
    assert [n for n in names if key_of(n) != n] == []


def test_every_spelling_means_a_known_term():
    spelled = [s.term for f in TABLES for s in f.spellings] + [s.term for s in CERTAIN]
    spelled += [t for a in AMBIGUOUS for t in a.terms] + [p.term for f in TABLES for p in f.private if p.term]
    assert set(spelled) <= set(TERMS)
