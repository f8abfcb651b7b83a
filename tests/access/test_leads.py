"""Leads to compare: by LD where there are genotypes, by distance where not, and no locus lost."""

import numpy as np
import pytest

from nexome.access.centre import Centre
from nexome.access.leads import DISTANCE, UNION_BP, LeadKeys, leads_by_distance, leads_by_ld
from nexome.model.genome import locus_of
from nexome.testing.ld_root import make_ld_root


@pytest.fixture(scope="module")
def centre(tmp_path_factory):
    made = make_ld_root(tmp_path_factory.mktemp("leads") / "root")
    with Centre.open(made.path) as opened:
        yield opened


@pytest.fixture
def view(centre):
    return centre.owner_view()


def published(view, study):
    return view._allowance().published(study)


def test_with_genotypes_the_leads_are_the_index_variants_of_clumps(view):
    found = view.clump("GLUCOSE")
    keys = leads_by_ld(found, leads_by_distance(published(view, "GLUCOSE"), 0), view.assembly)
    index = [row for row in found.table.to_pylist() if row["distance_bp"] == 0 and row["r2"] == 1]
    positions = sorted({row["base_pair_location"] for row in index})
    assert sorted((keys.locus & np.uint64(0xFFFFFFFF)).tolist()) == positions
    assert len(positions) == found.clumps
    assert keys.found_by.startswith("EAST")


def test_a_comparison_says_by_what_loci_are_told_apart(view, centre):
    found = view.compare("GLUCOSE", "SECRET")
    assert found.clumping.startswith("EAST")
    assert "distance_based" not in found.warnings
    assert found.first.leads == view.clump("GLUCOSE").clumps
    same = found.agreements[1].signs
    assert (same.same, same.tested) == (found.first.leads_shared, found.first.leads_shared)
    assert len(centre.genotypes.sets()) == 2


def test_a_locus_the_panel_lacks_keeps_its_lead_by_distance(view):
    found = view.clump("GLUCOSE")
    near, far = locus_of(0, 50_000), locus_of(1, 40_000)
    others = LeadKeys(np.array([near, far], np.uint64), np.array([1, 2], np.uint64))
    keys = leads_by_ld(found, others, view.assembly)
    assert far in keys.locus.tolist()
    assert near not in keys.locus.tolist()
    assert UNION_BP > 100_000  # contig 1 of that root lies within reach of any index


def test_without_genotypes_distance_decides(view):
    keys = leads_by_distance(published(view, "GLUCOSE"), 0)
    assert keys.found_by == DISTANCE
    assert len(keys.locus) == view.loci("GLUCOSE").num_rows
