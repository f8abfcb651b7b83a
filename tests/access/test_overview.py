"""What a View says over many studies: outcomes, categories, panel frequencies; each counted plainly."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from nexome.access.centre import Centre
from nexome.access.identity import ANONYMOUS, Principal
from nexome.access.view import View
from nexome.methods.loci import GENOME_WIDE
from nexome.model.errors import NotFoundError, RefusedError
from nexome.testing.ld_root import POPULATIONS, SWAPPED, YRI_ALONE, make_ld_root
from nexome.testing.mixed_root import STUDIES

PRIVATE = {name for name, (study, _, _) in STUDIES.items() if study.access == "private"}


@pytest.fixture(scope="module")
def ld_root(tmp_path_factory):
    return make_ld_root(tmp_path_factory.mktemp("panels") / "root")


@pytest.fixture(scope="module")
def panels(ld_root):
    with Centre.open(ld_root.path, owner_token="nxm_owner") as opened:
        yield opened


@pytest.mark.parametrize(
    "principal", [ANONYMOUS, None, Principal("holder", "a", frozenset({("PRIV1", "read")}))]
)
def test_outcomes_are_those_of_the_summaries(centre, principal):
    view = View(centre, principal) if principal else centre.owner_view()
    found = view.outcomes()
    readable = {s["study_id"] for s in view.studies().to_pylist() if view.study(s["study_id"]).may_read}
    assert set(found) == {s for s in readable if len(view.study(s).study.traits) == 1}
    if principal is ANONYMOUS:
        assert not set(found) & PRIVATE
    for study, outcome in found.items():
        loci = view.loci(study)["neg_log_10_p_value"].to_numpy()
        assert outcome.loci == np.count_nonzero(loci >= GENOME_WIDE)
        assert outcome.lambda_gc == pytest.approx(view.summary(study).lambda_gc, nan_ok=True)
        n = view.study(study).study.traits[0].n
        assert outcome.people == n if n is not None else np.isnan(outcome.people)
    assert view.outcomes() == found  # from what was kept


@pytest.mark.parametrize("owner", [False, True])
def test_categories_count_what_may_be_read(centre, owner):
    view = centre.owner_view() if owner else centre.view_for(None)
    counts = Counter(row["category"] or "" for row in view.traits().to_pylist())
    assert view.categories() == counts
    for category, size in counts.items():
        labels = [ref.trait.label for ref in view.traits_in(category, limit=size + 5)]
        assert len(labels) == size
        assert [label.lower() for label in labels] == sorted(label.lower() for label in labels)
        pages = [ref for at in range(size) for ref in view.traits_in(category, limit=1, offset=at)]
        assert [ref.trait.label for ref in pages] == labels
    assert not owner or {r.study.id for c in counts for r in view.traits_in(c, limit=99)} >= PRIVATE
    with pytest.raises(NotFoundError, match="no category"):
        view.traits_in("nothing of this kind", limit=1)


def test_doubts_of_a_hidden_study_are_hidden(centre):
    assert centre.owner_view().doubts("OPEN1", centre.owner_view().study("OPEN1").study.traits[0].id)
    with pytest.raises((NotFoundError, RefusedError)):
        centre.view_for(None).doubts("PRIV1", "t")
    with pytest.raises(NotFoundError, match="no trait"):
        centre.owner_view().doubts("OPEN1", "nothing")


def test_genes_are_found_by_any_of_their_names(centre):
    view = centre.owner_view()
    assert [g.symbol for g in view.genes_named("abc1")] == ["ABC1"]
    assert [g.symbol for g in view.genes_named("ENSG02")] == ["ABC2"]
    assert view.transcripts_of(view.genes_named("ABC1")[0]).num_rows == 0
    with pytest.raises(NotFoundError, match="ABC1, ABC2"):
        view.genes_named("ABC")


def frequency(alleles):
    return alleles[alleles >= 0].mean()


def test_frequencies_in_panels_are_counted_by_population(ld_root, panels):
    view = panels.owner_view()
    feature = view.variant(ld_root.id(10)).feature
    found = {(f.panel, f.population): f for f in view.panel_frequencies(feature)}
    ends = np.cumsum([0, *(2 * size for _, _, size in POPULATIONS)])
    assert found["EAST", ""].frequency == pytest.approx(frequency(ld_root.east[10]), abs=1e-6)
    for (name, _, size), first, last in zip(POPULATIONS, ends[:-1], ends[1:], strict=True):
        assert found["EAST", name].people == size
        assert found["EAST", name].frequency == pytest.approx(
            frequency(ld_root.east[10, first:last]), abs=1e-6
        )
    assert found["CLINIC", ""].frequency == pytest.approx(frequency(ld_root.clinic[10]), abs=1e-6)


def test_small_populations_and_private_panels_are_the_owners(ld_root, panels):
    feature = panels.owner_view().variant(ld_root.id(YRI_ALONE)).feature
    least = panels.settings.ld_min_people
    found = panels.view_for(None).panel_frequencies(feature)
    assert found
    assert {f.panel for f in found} == {"EAST"}
    assert all(f.people >= least for f in found)
    assert any(f.people < least for f in panels.owner_view().panel_frequencies(feature))


def test_a_panel_with_the_alleles_turned_gives_the_frequency_of_the_one_asked_about(ld_root, panels):
    view = panels.owner_view()
    turned = view.variant(f"1-{ld_root.positions[SWAPPED]}").feature
    east = next(f for f in view.panel_frequencies(turned) if f.panel == "EAST" and not f.population)
    assert east.frequency == pytest.approx(1 - frequency(ld_root.east[SWAPPED]), abs=1e-6)
    assert view.panel_frequencies(replace(turned, locus=turned.locus + 1)) == ()
