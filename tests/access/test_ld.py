"""LD through a View: the numbers against plain ones, who may ask, and what is said where there is none."""

import threading

import numpy as np
import pyarrow.compute as pc
import pytest

from nexome.access.centre import Centre
from nexome.access.identity import ANONYMOUS, Principal
from nexome.access.ld import MATRIX_MAX, ROWS_MAX, ClumpOptions
from nexome.access.ld_answers import CLUMP_COLUMNS, LD_COLUMNS, MATRIX_COLUMNS
from nexome.access.ld_cache import LdCache, LdKey
from nexome.access.ld_panels import PANEL_COLUMNS, nearest_population
from nexome.access.policy import decide_panel, panel_subject
from nexome.access.view import View
from nexome.methods.ld.pairs import PairLd
from nexome.model.errors import NotFoundError, QueryError, RefusedError
from nexome.model.genome import allele_key, locus_of
from nexome.store.associations import FeatureKey
from nexome.store.genotypes import GenotypeBlock, GenotypeStore, people_table
from nexome.testing import mixed_root
from nexome.testing.ld_root import (
    CAUSAL,
    FIRST_RSID,
    IN_PANEL,
    NOT_IN_STUDY,
    SWAPPED,
    TWO_ALLELES,
    VARIANTS,
    YRI_ALONE,
    make_ld_root,
    mosaic_haplotypes,
)

CHB = slice(0, 120)
EAS = slice(0, 220)
ROUNDED = 0.51e-4


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_ld_root(tmp_path_factory.mktemp("ld") / "root")


@pytest.fixture
def centre(made):
    with Centre.open(made.path) as opened:
        yield opened


@pytest.fixture
def view(centre):
    return centre.owner_view()


@pytest.fixture
def anyone(centre):
    return View(centre, ANONYMOUS)


def holder_of(centre, level="read", panel="CLINIC"):
    return View(centre, Principal("holder", "li", frozenset({(panel_subject(panel), level)})))


def plain_r(alleles, i, j):
    return np.corrcoef(alleles[i].astype(float), alleles[j].astype(float))[0, 1]


# ------------------------------------------------------------ numbers


def test_a_region_of_a_phased_panel(made, view):
    found = view.ld(made.id(40), "1:1-100000", panel="EAST", population="CHB")
    place = {int(p): i for i, p in enumerate(made.positions)}
    assert found.choice.people == 60
    assert len(found.features) == IN_PANEL + 2
    for row, position in enumerate(found.features.position.tolist()):
        if position in made.positions[[TWO_ALLELES, NOT_IN_STUDY]]:
            continue
        x, y = made.east[40, CHB].astype(float), made.east[place[position], CHB].astype(float)
        assert found.frequency[row] == pytest.approx(y.mean())
        if y.std() == 0:
            assert np.isnan(found.r[row])
            continue
        assert found.r[row] == pytest.approx(np.corrcoef(x, y)[0, 1], abs=ROUNDED)
        d = (x * y).mean() - x.mean() * y.mean()
        p, q = x.mean(), y.mean()
        most = min(p * (1 - q), q * (1 - p)) if d > 0 else min(p * q, (1 - p) * (1 - q))
        assert found.d_prime[row] == pytest.approx(d / most, abs=ROUNDED)
    table = found.table()
    assert tuple(table.column_names) == LD_COLUMNS
    assert table["ld_state"].to_pylist()[YRI_ALONE] == "monomorphic"
    assert np.nanmin(table["d_prime"].to_numpy()) >= 0
    assert table["distance_bp"][found.row].as_py() == 0
    assert table["r2"][found.row].as_py() == 1


def test_an_unphased_panel_has_the_r_of_counts(made, view):
    found = view.ld(made.id(40), panel="CLINIC")
    calls = made.clinic.reshape(VARIANTS, -1, 2)
    counts = np.where((calls < 0).any(2), np.nan, calls.sum(2))
    for row in range(VARIANTS):
        both = ~np.isnan(counts[40]) & ~np.isnan(counts[row])
        if counts[row][both].std() > 0:
            wanted = np.corrcoef(counts[40][both], counts[row][both])[0, 1]
            assert found.r[row] == pytest.approx(wanted, abs=ROUNDED)
            assert found.pairs.called[row] == both.sum()
    assert not found.phased


def test_r_is_of_the_allele_named_last(made, view):
    asked = view.ld(made.id(40), panel="EAST")
    turned = view.ld(f"1-{made.positions[40]}-G-A", panel="EAST")
    assert (asked.swapped, turned.swapped) == (False, True)
    assert turned.variant.effect_allele == "A"
    np.testing.assert_array_equal(asked.r, -turned.r)
    np.testing.assert_array_equal(asked.d_prime, -turned.d_prime)
    np.testing.assert_array_equal(asked.r2, turned.r2)


def test_a_variant_is_found_by_every_spelling(made, view):
    position = made.positions[40]
    wanted = view.ld(made.id(40), panel="EAST").r
    for text in (f"rs{FIRST_RSID + position}", f"1:{position}", f"chr1:{position}:A:G"):
        np.testing.assert_array_equal(view.ld(text, panel="EAST").r, wanted)


def test_of_two_alleles_at_a_position_the_one_of_a_study_is_meant(made, view):
    found = view.ld(f"1:{made.positions[TWO_ALLELES]}", panel="EAST")
    assert found.variant.id == made.id(TWO_ALLELES)


def test_a_panel_without_rs_numbers_is_asked_by_those_of_a_study(made, view):
    by_rsid = view.ld(f"rs{FIRST_RSID + made.positions[40]}", panel="CLINIC")
    np.testing.assert_array_equal(by_rsid.r, view.ld(made.id(40), panel="CLINIC").r)


def test_colours_of_a_plot(made, view):
    planes = view.region_planes("1:1-100000", studies=["GLUCOSE"])
    keys = [planes.features.key(row) for row in range(len(planes.features))]
    r2 = np.insert(view.ld_to(made.id(40), keys, study="GLUCOSE"), NOT_IN_STUDY, np.nan)
    for row in np.delete(np.arange(VARIANTS), NOT_IN_STUDY).tolist():
        if row >= IN_PANEL or made.east[row, EAS].std() == 0:
            assert np.isnan(r2[row])
        else:
            assert r2[row] == pytest.approx(plain_r(made.east[:, EAS], 40, row) ** 2, abs=ROUNDED)
    assert r2[SWAPPED] > 0  # its alleles stand the other way in the study


def test_long_alleles_are_found_in_either_order(tmp_path):
    """The panel has the spelled-out allele as REF, the study as ALT: the key alone would not tell."""
    root = mixed_root.make_root(tmp_path / "root", ["OPEN2"])
    ref, alt = mixed_root.LONG.split("/")
    alleles, _ = mosaic_haplotypes(1, 2, 60)
    block = GenotypeBlock(
        locus=np.array([locus_of(1, 60_000 + 2), locus_of(1, 70_000)], np.uint64),
        allele=np.array([allele_key(alt, ref), allele_key("A", "G")], np.uint64),
        calls=alleles.reshape(2, -1, 2),
        phased=np.ones((2, 60), bool),
        spelled={allele_key(alt, ref): f"{alt}/{ref}"},
    )
    people = people_table({"sample_id": [f"P{i}" for i in range(60)]})
    with GenotypeStore.open(root).stage("P", people, kind="ld-panel", access="open") as staged:
        staged.add(block)
        staged.publish({})
    with Centre.open(root) as centre:
        key = FeatureKey(locus_of(1, 60_000 + 2), allele_key(ref, alt))
        r2 = centre.owner_view().ld_to("2-70000-A-G", [key])
    assert r2[0] == pytest.approx(plain_r(alleles, 0, 1) ** 2, abs=ROUNDED)


def test_all_pairs(made, view):
    rows = [3, 40, SWAPPED, 99]
    names = [made.id(3), made.id(40), f"1-{made.positions[SWAPPED]}-G-A", made.id(99), made.id(110), "rs5"]
    found = view.ld_matrix(names, panel="EAST", population="CHB")
    assert found.missing == (made.id(110), "rs5")
    sign = np.array([1, 1, -1, 1])
    for a, i in enumerate(rows):
        for b, j in enumerate(rows):
            wanted = plain_r(made.east[:, CHB], i, j) * sign[a] * sign[b]
            assert found.r[a, b] == pytest.approx(wanted, abs=ROUNDED)
    table = found.table()
    assert tuple(table.column_names) == MATRIX_COLUMNS
    assert table.num_rows == 6
    assert table["variant_1"][0].as_py() == made.id(3)


def test_all_pairs_of_a_region(made, view):
    found = view.ld_matrix(where=f"1:{made.positions[40]}-{made.positions[44]}", panel="CLINIC")
    assert [variant.position for variant in found.variants] == made.positions[40:45].tolist()


def test_proxies_are_the_strongest_first(made, view):
    table = view.proxies(made.id(40), min_r2=0.2, panel="EAST", population="CHB")
    r2 = table["r2"].to_pylist()
    assert r2 == sorted(r2, reverse=True)
    assert min(r2) >= 0.2 - ROUNDED
    whole = view.ld(made.id(40), panel="EAST", population="CHB")
    assert table.num_rows == int((whole.pairs.r2 >= 0.2).sum()) - 1
    near = view.proxies(made.id(40), min_r2=0.0, window_bp=600, panel="EAST")
    assert near.num_rows > 0
    assert max(map(abs, near["distance_bp"].to_pylist())) <= 600


def test_clumps_follow_the_causal_variants(made, view):
    options = ClumpOptions(p1=1e-4, p2=0.05, r2=0.1, window_bp=50_000)
    found = view.clump("GLUCOSE", options=options)
    assert (found.choice.population, found.choice.why) == ("EAS", "ancestry")
    table = found.table
    assert tuple(table.column_names) == CLUMP_COLUMNS
    leads = table.filter(table["index_variant"])
    assert leads["clump"].to_pylist() == list(range(1, found.clumps + 1))
    assert set(made.positions[list(CAUSAL)].tolist()) <= set(leads["base_pair_location"].to_pylist())
    members = table.filter(pc.invert(table["index_variant"]))
    assert members.num_rows > 0
    assert min(members["r2"].to_pylist()) >= 0.1 - ROUNDED
    strength = dict(zip(leads["clump"].to_pylist(), leads["neg_log_10_p_value"].to_pylist(), strict=True))
    for row in members.to_pylist():
        assert row["neg_log_10_p_value"] <= strength[row["clump"]]
    assert len(set(table["base_pair_location"].to_pylist())) == table.num_rows


def test_a_wide_p1_reads_the_whole_trait_and_finds_the_same(made, view):
    narrow = view.clump("GLUCOSE", options=ClumpOptions(p1=1e-4, p2=0.05, r2=0.1, window_bp=5_000))
    wide = view.clump("GLUCOSE", options=ClumpOptions(p1=1.1e-4, p2=0.05, r2=0.1, window_bp=5_000))
    count = narrow.table.num_rows
    first = [name for name in CLUMP_COLUMNS if name != "nearest_gene"]
    if wide.clumps == narrow.clumps:
        assert wide.table.select(first).equals(narrow.table.select(first))
    assert wide.table.num_rows >= count


def test_hits_that_the_panel_lacks_are_named(made, view):
    found = view.clump("GLUCOSE", panel="EAST", options=ClumpOptions(p1=0.5, p2=0.5))
    absent = {f"1-{p}-A-G" for p in made.positions[IN_PANEL:]}
    assert set(found.missing) <= absent
    assert found.missing
    whole = view.clump("GLUCOSE", panel="CLINIC", options=ClumpOptions(p1=0.5, p2=0.5))
    assert whole.missing == ()


def test_nothing_to_clump(view):
    found = view.clump("GLUCOSE", options=ClumpOptions(p1=1e-300, p2=1e-300))
    assert (found.clumps, found.table.num_rows) == (0, 0)
    assert tuple(found.table.column_names) == CLUMP_COLUMNS


# ------------------------------------------------------------ what is chosen


def test_the_best_panel_that_holds_the_variant_is_chosen(made, view, anyone):
    assert view.ld(made.id(40)).choice.panel.name == "EAST"
    assert view.ld(made.id(110)).choice.panel.name == "CLINIC"
    with pytest.raises(NotFoundError, match="panel EAST"):
        anyone.ld(made.id(110))


def test_a_study_chooses_the_population(made, view):
    assert view.ld(made.id(40)).choice.population == ""
    assert view.ld(made.id(40), study="GLUCOSE").choice.population == "EAS"
    assert view.ld(made.id(40), study="GLUCOSE", population="all").choice.population == ""
    assert view.ld(made.id(40), population="jpt").choice.people == 50


@pytest.mark.parametrize(
    ("ancestry", "population"),
    [
        ("East Asian", "EAS"),
        ("Han Chinese (Beijing)", "EAS"),
        ("东亚人群", "EAS"),
        ("CHB", "CHB"),
        ("European", "TSI"),
        ("sub-Saharan African", "AFR"),
        ("East Asian and European", ""),
        ("South Asian", ""),
        ("Chance", ""),
        ("", ""),
    ],
)
def test_ancestries_as_people_write_them(ancestry, population):
    sizes = {"EAS": 504, "CHB": 103, "AFR": 661, "CEU": 99, "TSI": 107}
    assert nearest_population(ancestry, sizes) == population


def test_panels_are_listed_as_one_may_use_them(centre, view, anyone):
    table = view.ld_panels()
    assert tuple(table.column_names) == PANEL_COLUMNS
    assert set(table["panel"].to_pylist()) == {"EAST", "CLINIC"}
    assert all(table["usable"].to_pylist())
    shown = anyone.ld_panels().to_pylist()
    assert {row["panel"] for row in shown} == {"EAST"}
    assert [row["population"] for row in shown if not row["usable"]] == ["FEW"]
    seen = holder_of(centre, "see").ld_panels().to_pylist()
    assert [row["usable"] for row in seen if row["panel"] == "CLINIC"] == [False]


# ------------------------------------------------------------ who may


@pytest.mark.parametrize(
    ("grants", "access", "answer"),
    [
        ((), "open", "+open"),
        ((), "private", "-unknown"),
        ((("*", "download"),), "private", "-unknown"),
        (((panel_subject("OTHER"), "read"),), "private", "-unknown"),
        (((panel_subject("P"), "see"),), "private", "-needs_panel"),
        (((panel_subject("P"), "read"),), "private", "+granted"),
        (((panel_subject("P"), "download"),), "private", "+granted"),
    ],
)
def test_who_may_ask_a_panel(grants, access, answer):
    decision = decide_panel(Principal("holder", "li", frozenset(grants)), "P", access)
    assert ("+" if decision.allowed else "-") + decision.reason == answer


def test_a_private_panel_is_as_unknown_as_none(made, centre, anyone):
    with pytest.raises(NotFoundError) as private:
        anyone.ld(made.id(40), panel="CLINIC")
    with pytest.raises(NotFoundError) as nothing:
        anyone.ld(made.id(40), panel="NOTHING")
    assert str(private.value).replace("CLINIC", "NOTHING") == str(nothing.value)
    with pytest.raises(RefusedError) as refused:
        holder_of(centre, "see").ld(made.id(40), panel="CLINIC")
    assert refused.value.reason == "needs_panel"


def test_a_granted_panel_answers_and_is_audited(made, centre):
    found = holder_of(centre).ld(made.id(40), panel="CLINIC")
    assert found.choice.people == 80
    line = centre.catalogue.accounts.audit_log()[0]
    assert (line.actor, line.action, line.subject) == ("li", "read_ld", "genotypes CLINIC")


def test_few_people_are_refused_to_all_but_the_owner(made, view, anyone):
    for ask in (anyone.ld, anyone.proxies, lambda v, **k: anyone.ld_to(v, [], **k)):
        with pytest.raises(RefusedError) as refused:
            ask(made.id(40), panel="EAST", population="FEW")
        assert refused.value.reason == "few_people"
        assert "CHB" in refused.value.todo
    assert view.ld(made.id(40), panel="EAST", population="FEW").choice.people == 20


def test_clumps_of_a_study_that_may_not_be_known_of(anyone):
    with pytest.raises(NotFoundError, match="no study 'SECRET'"):
        anyone.clump("SECRET")


def test_the_ancestry_of_a_hidden_study_chooses_nothing(made, anyone):
    with pytest.raises(NotFoundError, match="no study 'SECRET'"):
        anyone.ld(made.id(40), study="SECRET")


# ------------------------------------------------------------ what cannot be told


def test_errors_say_what_to_do(made, view):
    position = made.positions[NOT_IN_STUDY]
    with pytest.raises(QueryError, match="may be 2 variants") as several:
        view.ld(f"1:{position}", panel="EAST")
    assert f"1-{position}-A-G" in several.value.expected
    assert view.ld(f"1-{position}-A-T", panel="EAST").variant.effect_allele == "T"
    with pytest.raises(NotFoundError, match="merged"):
        view.ld("rs77", panel="EAST")
    with pytest.raises(NotFoundError, match="at this position"):
        view.ld(f"1-{made.positions[40]}-C-T", panel="EAST")
    with pytest.raises(NotFoundError, match="nearest it has") as near:
        view.ld(f"1-{made.positions[40] + 1}-A-G", panel="EAST")
    assert f"{made.id(40)} (1 bp)" in near.value.todo
    with pytest.raises(NotFoundError, match="none on this contig"):
        view.ld("2-500-A-G", panel="EAST")
    with pytest.raises(QueryError, match="does not vary") as flat:
        view.ld(made.id(YRI_ALONE), panel="EAST", population="EAS")
    assert "YRI" in flat.value.todo
    with pytest.raises(NotFoundError, match="no population 'MARS'") as nobody:
        view.ld(made.id(40), panel="EAST", population="MARS")
    assert "CHB" in nobody.value.expected


def test_places_that_cannot_be_asked(made, view):
    with pytest.raises(QueryError, match="on 2 for a variant on 1"):
        view.ld(made.id(40), "2:1-1000")
    with pytest.raises(QueryError, match="at most 10,000,000"):
        view.ld(made.id(40), "1:1-20000001")
    with pytest.raises(QueryError, match="window"):
        view.proxies(made.id(40), window_bp=0)
    with pytest.raises(QueryError, match="min_r2"):
        view.proxies(made.id(40), min_r2=1.5)
    with pytest.raises(QueryError, match="one of the two"):
        view.ld_matrix()
    with pytest.raises(QueryError, match="1,001 variants"):
        view.ld_matrix([f"1-{i}-A-G" for i in range(MATRIX_MAX + 1)])
    with pytest.raises(QueryError, match="p1 ≤ p2"):
        ClumpOptions(p1=0.1, p2=0.01)
    assert ROWS_MAX == 50_000


def test_a_root_without_genotypes(tmp_path):
    with Centre.open(mixed_root.make_root(tmp_path / "root", ["OPEN1"])) as centre:
        view = centre.owner_view()
        assert view.ld_panels().num_rows == 0
        with pytest.raises(NotFoundError, match="import ld-panel"):
            view.ld("1:5")
        with pytest.raises(NotFoundError, match="import ld-panel"):
            view.clump("OPEN1")


# ------------------------------------------------------------ the cache


def test_the_same_question_is_computed_once(made, centre, view):
    first = view.ld(made.id(40), panel="EAST")
    counts = centre.ld_cache.counts()
    again = view.ld(made.id(40), panel="EAST")
    after = centre.ld_cache.counts()
    assert again.pairs.r is first.pairs.r
    assert (after.hits, after.misses) == (counts.hits + 1, counts.misses)
    assert after.bytes > 0


def test_a_new_version_of_a_panel_drops_the_old(tmp_path):
    made = make_ld_root(tmp_path / "root")
    with Centre.open(made.path) as centre:
        view = centre.owner_view()
        view.ld(made.id(40), panel="CLINIC")
        assert centre.ld_cache.counts().entries == 1
        GenotypeStore.open(made.path).withdraw("CLINIC", reason="a test")
        view.ld(made.id(40))
        kept = centre.ld_cache.counts()
        assert kept.entries == 1
        with pytest.raises(NotFoundError, match="no panel 'CLINIC'"):
            view.ld(made.id(40), panel="CLINIC")


def test_the_cache_holds_no_more_than_it_may():
    cache = LdCache(3_000)

    def key(i):
        return LdKey("P", 1, "", i, 0, 100, "r")

    for i in range(5):
        cache.get(key(i), lambda: PairLd.empty(100))  # 1,300 bytes each
    counts = cache.counts()
    assert (counts.entries, counts.bytes) == (2, 2_600)
    cache.get(key(4), lambda: pytest.fail("it is held"))
    cache.get(key(0), lambda: PairLd.empty(1_000))  # larger than all it may hold: given, not kept
    assert cache.counts().entries == 2
    cache.keep_only({("Q", 1)})
    assert (cache.counts().entries, cache.counts().bytes) == (0, 0)


def test_many_may_ask_at_once(made, centre):
    view, found = centre.owner_view(), []

    def ask(row):
        found.append((row, view.ld(made.id(row), panel="CLINIC").r))

    threads = [threading.Thread(target=ask, args=(row % 6 + 40,)) for row in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 24
    for row, r in found:
        np.testing.assert_array_equal(r, view.ld(made.id(row), panel="CLINIC").r)
