"""A lexicon holds names by term, both ways of an equivalence, and nothing that must stay unseen."""

import numpy as np

from nexome.search.lexicon import Lexicon, Name, NamedTerm, Relations, unseen_left_out


def term(identifier: str, *texts: str, **relations: tuple[str, ...]) -> NamedTerm:
    return NamedTerm(identifier, [Name(text, "label", "en") for text in texts], **relations)


def test_names_lie_by_term_label_first() -> None:
    lexicon = Lexicon.build([term("B:1", "gout", "podagra"), term("A:1", "asthma")])
    assert lexicon.terms == ["A:1", "B:1"]
    assert [lexicon.texts[row] for row in lexicon.names_of(1)] == ["gout", "podagra"]
    assert lexicon.term.tolist() == [0, 1, 1]


def test_equivalents_hold_both_ways_and_parents_one() -> None:
    lexicon = Lexicon.build(
        [term("A:1", "asthma", equivalents=("B:1", "A:1")), term("B:1", "asthma", parents=("A:1", "C:9"))]
    )
    assert lexicon.equivalents.of(0).tolist() == [1]
    assert lexicon.equivalents.of(1).tolist() == [0]
    assert lexicon.parents.of(0).tolist() == []
    assert lexicon.parents.of(1).tolist() == [0]


def test_excluded_names_and_terms_are_not_there_in_any_spelling() -> None:
    terms = [term("A:1", "Asthma", "asthma bronchiale"), term("B:1", "gout"), term("C:1", "GOUT")]
    lexicon = Lexicon.build(terms, exclude_texts=["ASTHMA BRONCHIALE", "Gout"], exclude_terms=["C:1"])
    assert lexicon.texts == ["Asthma"]
    assert lexicon.terms == ["A:1"]


def test_relations_of_several_are_those_of_each_in_turn() -> None:
    relations = Relations.from_sets([{1, 2}, set(), {0}, {0, 1, 2}])
    for asked in ([0, 1, 2, 3], [3, 0], [1], []):
        expected = [other for term in asked for other in relations.of(term).tolist()]
        assert relations.of_all(np.array(asked, np.int64)).tolist() == expected


def test_names_in_brackets_of_a_chinese_name_are_names_too() -> None:
    def told(*texts: str, unseen: tuple[str, ...] = ()) -> list[tuple[str, str]]:
        names = unseen_left_out([Name(text, "label", "zh") for text in texts], unseen)
        return [(name.text, name.kind) for name in names]

    assert told("麻风[汉森病]") == [("麻风[汉森病]", "label"), ("麻风", "exact"), ("汉森病", "related")]
    assert told("霍奇金[何杰金]淋巴瘤") == [("霍奇金[何杰金]淋巴瘤", "label"), ("霍奇金淋巴瘤", "exact")]
    assert told("麻风［汉森病］", "麻风")[1:] == [("麻风", "label"), ("汉森病", "related")]
    assert told("麻风[汉森病]", unseen=("汉森病",)) == [("麻风[汉森病]", "label"), ("麻风", "exact")]
    assert told("麻风[汉森病]", "疠", unseen=("麻风[汉森病]",)) == [("疠", "label")]
    assert told("glucose [mass/volume]", "[无]") == [("glucose [mass/volume]", "label"), ("[无]", "label")]
