"""A stranger reads a store with zarr-python and NumPy alone: the program of the format's own page."""

import re
from pathlib import Path

import numpy as np
import pytest

from nexome.model.genome import allele_key
from nexome.store.associations import AssociationStore, query, write
from nexome.testing.associations import make_every_layout, tiny_block, tiny_study

PAGE = Path(__file__).resolve().parents[3] / "docs" / "formats" / "association-store.md"


@pytest.fixture(scope="module")
def stranger():
    """The names that the page's program defines, run without anything of Nexome."""
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert "nexome" not in program
    names = {}
    exec(compile(program, str(PAGE), "exec"), names)
    return names


def cells_of(store):
    """{(study, trait, locus, allele): (z, se, eaf)} as Nexome answers, of the studies on axes."""
    snapshot = store.snapshot()
    select = snapshot.select()
    on_axis = {int(i) for i in select.grid}
    found = {}
    for ordinal, ref in enumerate(select.trait_table.refs):
        if ordinal not in on_axis:
            continue
        trait = ref.study.traits.index(ref.trait)
        for cells in query.study_batches(snapshot, ref.study.id, ref.trait.id):
            columns = cells.columns(["z", "standard_error", "effect_allele_frequency"])
            values = np.stack([v[:, 0] for v in columns.values()], axis=1).tolist()
            keys = zip(cells.features.locus.tolist(), cells.features.allele.tolist(), strict=True)
            found |= {(ref.study.id, trait, *k): v for k, v in zip(keys, values, strict=True)}
    return found


def test_every_cell_on_an_axis_is_read_by_the_page_alone(stranger, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "OWN_AXIS_FROM", 100)
    store = make_every_layout(tmp_path / "root")
    staged = store.stage(tiny_study(77), exact=True)
    staged.add(tiny_block(77))
    staged.publish({})
    store.withdraw("S21", reason="test")  # its column is dead, and must be left out
    read = {tuple(cell[:4]): cell[4:] for cell in stranger["read_store"](tmp_path / "root" / "associations")}
    expected = cells_of(AssociationStore.open(tmp_path / "root"))
    layouts = {entry.layout for entry in store.snapshot().segments.values()}
    assert layouts == {"dense", "column", "exact", "ragged"}
    assert read.keys() == expected.keys()
    assert not any(study == "S21" for study, *_ in read)
    cells = sorted(expected)
    np.testing.assert_allclose([read[c] for c in cells], [expected[c] for c in cells], rtol=1e-6)


def test_alleles_are_packed_as_the_page_says():
    # A/GT by hand: lengths 1 and 2, bases A=0, G=2, T=3.
    assert allele_key("A", "GT") == 1 << 57 | 2 << 52 | 0 << 4 | 2 << 2 | 3
