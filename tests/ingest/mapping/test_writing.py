"""A mapping written from proposals is read back as the same rules, whatever names and codes are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nexome.ingest.mapping.propose import Proposal
from nexome.ingest.mapping.reading import parse_mapping
from nexome.ingest.mapping.writing import mapping_text
from nexome.model.cohorts import Category, Dictionary, Variable

names = st.text(
    st.characters(
        min_codepoint=33, max_codepoint=0x9FFF, exclude_categories=("Cs", "Cc", "Cn", "Co", "Zl", "Zp", "Zs")
    ),
    min_size=1,
    max_size=12,
)


@given(
    st.lists(names, min_size=1, max_size=4, unique=True),
    st.dictionaries(names, st.sampled_from(["x", "y"]), max_size=3),
)
def test_names_and_codes_come_back(columns: list[str], codes: dict[str, str]) -> None:
    categories = (
        Category("x", "yes", "是"),
        Category("y", "no", "否"),
        Category("-9", "refused", missing=True),
    )
    dictionary = Dictionary(
        (
            Variable("age", "decimal", "Age: in years", "年龄", "a", minimum=0, maximum=120.5, role="age"),
            Variable("kind", "category", categories=categories, terms=("LOINC:1-8",)),
        )
    )
    proposals = [
        Proposal(
            "one", columns[0], "age", 0.9, unit="a", reasons=(("it's “so”: # yes", "是"),), accepted=True
        ),
        Proposal(
            "one",
            columns[-1],
            "kind",
            0.8,
            codes=tuple(codes.items()),
            warnings=(("!", "！"),),
            accepted=True,
        ),
        Proposal("one", "other", "kind", 0.5),
        Proposal("two", columns[0], "age", 0.9, accepted=True),
    ]
    mapping = parse_mapping(mapping_text("made", dictionary, proposals))
    assert mapping.target.id == "made"
    assert mapping.dictionary.variables == dictionary.variables
    one, two = mapping.sources
    assert [(r.target, r.text, r.unit) for r in one.rules] == [
        ("age", columns[0], "a"),
        ("kind", columns[-1], ""),
    ]
    assert dict(one.rules[1].recode) == codes
    assert [r.target for r in two.rules] == ["age"]
    assert [name for name, _ in two.absent] == ["kind"]
