"""A lexicon holds names by term, both ways of an equivalence, and nothing that must stay unseen."""

import numpy as np

from nexome.search.lexicon import Lexicon, Name, NamedTerm, Relations


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
