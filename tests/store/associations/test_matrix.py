"""Many one-trait studies at once: each has a summary of its own, however many they are."""

from pathlib import Path

import numpy as np

from nexome.model.genome import allele_key, locus_of
from nexome.model.terms import Study, Trait
from nexome.store.associations import AssociationStore, Features
from nexome.store.associations.summaries import GROUPED_FROM
from nexome.store.root import create_root
from nexome.testing.associations import TINY


def test_more_studies_than_one_study_may_have_traits_keep_their_own_counts(tmp_path: Path):
    """4,097 traits of one study would be counted together; 4,097 studies must not be."""
    create_root(tmp_path / "root", assembly=TINY)
    count, rows = GROUPED_FROM + 1, 20
    locus = np.array([locus_of(0, 100 * (row + 1)) for row in range(rows)], np.uint64)
    axis = Features(locus, np.full(rows, allele_key("A", "G"), np.uint64), np.zeros(rows, np.uint32))
    studies = [Study(f"S{i}", traits=(Trait("t", "t", n=100.0),)) for i in range(count)]
    z = np.tile((np.arange(count, dtype=np.float32) % 3) + 0.5, (rows, 1))
    staged = AssociationStore.open(tmp_path / "root").stage_matrix(studies, axis)
    staged.add_rows(z, np.full_like(z, 0.1), np.full_like(z, 0.3))
    counted = staged._summary.finish()
    staged.abandon()
    assert counted.cells.tolist() == [rows] * count
    assert len(counted.qq) == count
    assert counted.qq.argmax(axis=1).tolist() == [64 * (i % 3) + 32 for i in range(count)], "bins of 1/64"
    assert counted.qq.max(axis=1).tolist() == [rows] * count
