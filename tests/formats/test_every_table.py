"""Every format that is a table, written by its own list of columns and read back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.formats.columns import TERMS
from nexome.formats.recognise import TABLES

from .reading import read

# The GWAS Catalog's effects and the position in GTEx names are made, not copied: their own tests hold them.
COPIED = [form for form in TABLES if form.spellings and form.name != "gwas-catalog"]

VALUES = {
    "text": st.from_regex(r"\Ars[1-9][0-9]{0,8}\Z"),
    "category": st.sampled_from(["A", "C", "G", "T", "1", "X"]),
    "position": st.integers(0, 2**32),
    "number": st.one_of(st.none(), st.floats(1e-200, 1e200)),
}


def header_of(form, keys):
    """Columns of a file of this format: one per spelling, and whatever else its signature asks for."""
    by_key = {s.names[0]: s.term for s in form.spellings}
    for spelling in form.spellings:  # where the signature names another spelling, write that one
        for name in spelling.names:
            if name in keys and spelling.names[0] not in keys:
                by_key.pop(spelling.names[0], None)
                by_key[name] = spelling.term
    return by_key, [*by_key, *sorted(k for k in keys if k not in by_key)]


@pytest.mark.parametrize(
    ("form", "keys"),
    [(f, k) for f in COPIED for k in f.signature if "beta_y1" not in k],
    ids=lambda v: getattr(v, "name", ""),
)
@settings(max_examples=15)
@given(st.data())
def test_what_is_written_is_read_back(form, keys, data):
    terms, names = header_of(form, keys)
    kinds = {n: TERMS[t].kind for n, t in terms.items()}
    if form.name == "plink1" and "a2" not in names:
        names.append("a2")
    rows = data.draw(
        st.lists(st.fixed_dictionaries({n: VALUES[kinds[n]] for n in terms}), min_size=1, max_size=6)
    )
    filler = {"test": "ADD", "errcode": "."}
    lines = [
        "\t".join("NA" if (v := row.get(n, filler.get(n, "1"))) is None else str(v) for n in names)
        for row in rows
    ]
    found = read(
        "\t".join(names) + "\n" + "\n".join(lines) + "\n", format=form.name if form.name == "gcta" else ""
    )
    assert found.reader.format == form.name
    assert found.problems == []
    for name, term in terms.items():
        assert found.column(term) == [row[name] for row in rows], name
