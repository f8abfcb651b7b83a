"""Credible sets, colocalisation and comparison through a View: what they give, and what they say instead."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.access.centre import Centre
from nexome.access.pairs import match_features
from nexome.access.signals import WARNINGS, SignalOptions
from nexome.methods.coloc import Priors
from nexome.methods.finemap import log_bayes_factors, posteriors
from nexome.model.errors import InputError, NexomeError, NotFoundError, QueryError
from nexome.model.genome import allele_key, assembly_from_contigs, hash_text, locus_of
from nexome.model.terms import Study, Trait
from nexome.store.associations import AssociationStore, Block
from nexome.store.catalogue import Catalogue
from nexome.store.root import create_root, open_root

ASSEMBLY = assembly_from_contigs("toy", "Homo sapiens", [("1", 20_000_000), ("2", 15_000_000)])
SIZE = 3_000
CAUSAL = 700  # row of the shared signal, on contig 1
REGION = "1:7800000-9500000"
N = 60_000.0
PAIRS = ("AG", "CT", "AC", "GT", "AT", "CG")  # the last two are palindromic


def _places():
    """Loci, alleles and frequencies of the features that most studies here have."""
    rng = np.random.default_rng(17)
    first = np.sort(rng.choice(np.arange(10_000, 19_000_000), SIZE // 2, replace=False))
    second = np.sort(rng.choice(np.arange(10_000, 14_000_000), SIZE // 2, replace=False))
    locus = [locus_of(0, int(p)) for p in first] + [locus_of(1, int(p)) for p in second]
    pairs = [PAIRS[int(k)] for k in rng.integers(0, len(PAIRS), SIZE)]
    pairs[CAUSAL], pairs[2_000] = "AG", "CT"
    return np.array(locus, np.uint64), pairs, rng.uniform(0.05, 0.95, SIZE)


LOCUS, ALLELES, FREQUENCY = _places()


def _z(seed, peaks, *, share=0.0):
    """Noise with peaks that neighbours share; `share` of the noise is that of every other study."""
    own = np.random.default_rng(seed).standard_normal(SIZE)
    z = np.sqrt(1 - share) * own + np.sqrt(share) * np.random.default_rng(1).standard_normal(SIZE)
    for row, height in peaks.items():
        rows = np.arange(row - 15, row + 16)
        z[rows] += height * 0.7 ** np.abs(rows - row)
    return z


def _block(z, *, sd=1.0, turned=(), rows=None, missing=(), trait=None):
    """A block of `z`; features of `turned` rows are stored with their alleles the other way around."""
    kept = np.arange(SIZE) if rows is None else np.asarray(rows)
    keys, sign, frequency = [], np.ones(SIZE), FREQUENCY.copy()
    for row in kept.tolist():
        ref, alt = ALLELES[row] if row not in turned else ALLELES[row][::-1]
        keys.append(allele_key(ref, alt))
    at = np.array(sorted(turned), int)
    sign[at], frequency[at] = -1.0, 1 - FREQUENCY[at]
    se = sd / np.sqrt(2 * N * FREQUENCY * (1 - FREQUENCY))
    blank = {name: np.full(len(kept), np.nan, np.float32) for name in missing}
    values = {
        "z": (z * sign)[kept].astype(np.float32),
        "se": se[kept].astype(np.float32),
        "eaf": frequency[kept].astype(np.float32),
    } | blank
    return Block(
        locus=LOCUS[kept],
        allele=np.array(keys, np.uint64),
        rsid=(kept + 1).astype(np.uint32),
        trait=None if trait is None else np.full(len(kept), trait, np.uint32),
        **values,
    )


def _study(name, *, scale="linear", unit="SD", access="open", traits=(), **more):
    own = traits or (Trait(name.lower(), name.title(), n=N),)
    facts = {"ancestry": "East Asian", "effect_scale": scale, "effect_unit": unit, **more}
    return Study(name, title=name, access=access, traits=own, **facts)


def _studies():
    """Name → study and blocks."""
    both = {CAUSAL: 11.0, 2_000: 8.0, 300: 7.0, 1_200: 8.5, 2_600: -8.0}
    turned = frozenset(range(CAUSAL - 40, CAUSAL + 40))
    cases = Trait("disease", "Disease", n=N, n_cases=6_000, n_controls=54_000)
    traits = (Trait("p0", "Protein 0", n=N), Trait("p1", "Protein 1", n=N))
    return {
        "A": (_study("A"), [_block(_z(2, both))]),
        "B": (_study("B"), [_block(_z(3, both | {CAUSAL: 9.0, 2_000: -7.5, 300: 6.0}, share=0.3))]),
        "TURNED": (_study("TURNED"), [_block(_z(4, {CAUSAL: 9.0}), turned=turned)]),
        "OTHER": (_study("OTHER"), [_block(_z(5, {CAUSAL + 24: 9.0}))]),
        "LITRES": (_study("LITRES", unit="L"), [_block(_z(6, both), sd=2.5)]),
        "DISEASE": (
            _study("DISEASE", scale="log_odds", unit="", traits=(cases,), ancestry="European"),
            [_block(_z(7, both))],
        ),
        "NO-SE": (_study("NO-SE", scale="z_score", unit=""), [_block(_z(8, both), missing=("se",))]),
        "BARE": (
            _study("BARE", scale="z_score", unit=""),
            [_block(_z(8, both), missing=("se", "eaf"))],
        ),
        "QUIET": (_study("QUIET"), [_block(np.clip(_z(9, {}), -3.5, 3.5))]),
        "PART": (_study("PART"), [_block(_z(10, both), rows=np.arange(CAUSAL - 12, CAUSAL + 13))]),
        "ELSEWHERE": (_study("ELSEWHERE"), [_block(_z(11, {}), rows=np.arange(SIZE // 2, SIZE))]),
        "TWO": (
            _study("TWO", traits=traits),
            [_block(_z(12 + k, both), trait=k) for k in range(2)],
        ),
        "SECRET": (_study("SECRET", access="private"), [_block(_z(14, both))]),
    }


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    path: Path = tmp_path_factory.mktemp("interpreting") / "root"
    create_root(path, assembly=ASSEMBLY)
    store = AssociationStore.open(path)
    for study, blocks in _studies().values():
        staged = store.stage(study)
        for block in blocks:
            staged.add(block)
        staged.publish({"study": study.id})
    cpg = Study("CPG", access="open", feature_kind="cpg", traits=(Trait("cpg", "CpG"),))
    names = [f"cpg:cg{k:08d}" for k in range(5)]
    staged = store.stage(cpg)
    staged.add(
        Block(
            locus=LOCUS[:5] + np.uint64(3),
            allele=np.array([hash_text(name) for name in names], np.uint64),
            spelled={hash_text(name): name for name in names},
            **{k: np.full(5, 0.5, np.float32) for k in ("z", "se", "eaf")},
        )
    )
    staged.publish({"study": "CPG"})
    return path


@pytest.fixture(scope="module")
def centre(root, tmp_path_factory):
    opened = open_root(root)
    catalogue = Catalogue.open("", folder=tmp_path_factory.mktemp("catalogue"))
    with Centre(opened, AssociationStore(opened), catalogue, owner_token="nxm_owner") as made:
        yield made


@pytest.fixture(scope="module")
def view(centre):
    return centre.view_for(None)


# ---------------------------------------------------------------- credible sets


def test_the_credible_set_of_a_region_is_that_of_its_rows(view):
    (found,) = view.credible_sets("A", where=REGION)
    rows = view.region(REGION, studies=["A"])
    z = np.array(rows["beta"]) / np.array(rows["standard_error"])
    variance = np.array(rows["standard_error"], np.float64) ** 2
    expected = posteriors(log_bayes_factors(z, variance, prior_sd=0.15))
    assert found.posterior == pytest.approx(expected, rel=1e-3, abs=1e-12)
    table = found.table()
    assert table["base_pair_location"][0].as_py() == int(LOCUS[CAUSAL]) & 0xFFFFFFFF
    assert table["cumulative_probability"].to_pylist()[-1] >= 0.95
    assert found.signal_probability > 0.999
    assert found.signal.basis.sd_from == "unit"
    assert set(found.warnings) <= set(WARNINGS)
    whole = found.table(whole=True)
    assert whole.num_rows == rows.num_rows
    assert sum(whole["posterior_probability"].to_pylist()) == pytest.approx(1)


def test_every_locus_has_its_set(view):
    found = view.credible_sets("A")
    leads = view.loci("A")["base_pair_location"].to_pylist()
    assert [int(one.table()["base_pair_location"][0].as_py()) for one in found] == leads
    assert view.credible_sets("QUIET") == ()


def test_a_higher_coverage_never_takes_a_member_away(view):
    (narrow,) = view.credible_sets("B", where=REGION, coverage=0.5)
    (wide,) = view.credible_sets("B", where=REGION, coverage=0.999)
    assert set(narrow.members) <= set(wide.members)


def test_the_trait_sd_is_estimated_given_or_of_the_unit(view):
    (estimated,) = view.credible_sets("LITRES", where=REGION)
    assert estimated.signal.basis.sd_from == "estimated"
    assert estimated.signal.basis.trait_sd == pytest.approx(2.5, rel=0.02)
    assert "sd_estimated" in estimated.warnings
    (given,) = view.credible_sets("LITRES", where=REGION, options=SignalOptions(trait_sd=2.5))
    assert given.signal.basis.sd_from == "given"
    assert given.posterior == pytest.approx(estimated.posterior, rel=0.05, abs=1e-6)


def test_without_standard_errors_frequency_and_n_stand_in(view):
    (found,) = view.credible_sets("NO-SE", where=REGION)
    (full,) = view.credible_sets("A", where=REGION)
    assert found.signal.basis.variance_from == "frequency"
    assert {"variance_from_frequency"} <= set(found.warnings)
    assert int(found.members[0]) == int(full.members[0])


def test_without_any_variance_it_is_refused_and_says_what_is_needed(view):
    with pytest.raises(InputError, match="allele frequencies and sample size"):
        view.credible_sets("BARE", where=REGION)


def test_log_odds_have_their_own_prior(view):
    (found,) = view.credible_sets("DISEASE", where=REGION)
    assert (found.signal.basis.prior_sd, found.signal.basis.sd_from) == (0.2, "")
    (narrow,) = view.credible_sets("DISEASE", where=REGION, options=SignalOptions(prior_sd=0.01))
    assert narrow.signal.basis.prior_sd == 0.01


def test_noise_is_said_to_be_noise(view):
    (found,) = view.credible_sets("QUIET", where=REGION)
    assert "no_signal" in found.warnings
    assert found.signal_probability < 0.5
    (few,) = view.credible_sets("PART", where=REGION)
    assert "few_variants" in few.warnings


# ---------------------------------------------------------------- colocalisation


def test_one_signal_of_two_traits_is_one(view):
    found = view.coloc("A", "B", REGION)
    assert found.likeliest == "H4"
    assert found.found.posterior.sum() == pytest.approx(1)
    table = found.table()
    assert table["base_pair_location"][0].as_py() == int(LOCUS[CAUSAL]) & 0xFFFFFFFF
    assert {"single_signal", "overlap_unknown"} <= set(found.warnings)


def test_two_neighbouring_signals_are_two(view):
    assert view.coloc("A", "OTHER", REGION).likeliest == "H3"
    assert view.coloc("A", "QUIET", REGION).likeliest == "H1"
    assert view.coloc("QUIET", "A", REGION).likeliest == "H2"


def test_swapping_the_studies_swaps_h1_and_h2(view):
    there, back = view.coloc("A", "OTHER", REGION), view.coloc("OTHER", "A", REGION)
    assert back.found.posterior == pytest.approx(there.found.posterior[[0, 2, 1, 3, 4]])


def test_alleles_stored_the_other_way_around_are_the_same_variants(view):
    found = view.coloc("A", "TURNED", REGION)
    assert found.likeliest == "H4"
    assert found.turned.any()
    first = found.table().slice(0, 1).to_pylist()[0]
    assert first["beta_a"] * first["beta_b"] > 0
    assert first["effect_allele_frequency_b"] == pytest.approx(first["effect_allele_frequency_a"], abs=0.01)
    palindromic = sum(ALLELES[r] in {"AT", "CG"} for r in range(CAUSAL - 40, CAUSAL + 40))
    assert palindromic > 0
    assert found.found.variants == len(found.first.z) - palindromic


def test_all_loci_are_the_regions_one_by_one(view):
    table = view.coloc_loci("A", "B")
    assert table["base_pair_location"].to_pylist() == view.loci("A")["base_pair_location"].to_pylist()
    for row in table.to_pylist():
        place = (
            f"{row['chromosome']}:{row['base_pair_location'] - 500_000}-{row['base_pair_location'] + 500_000}"
        )
        one = view.coloc("A", "B", place)
        assert row["variants"] == one.found.variants
        assert [row[f"posterior_h{k}"] for k in range(5)] == pytest.approx(one.found.posterior.tolist())
    alone = view.coloc_loci("A", "ELSEWHERE").to_pylist()
    assert [row["variants"] == 0 for row in alone] == [row["chromosome"] == "1" for row in alone]
    assert view.coloc_loci("QUIET", "A").num_rows == 0


def test_an_answer_that_hangs_on_the_prior_says_so(view):
    told = [view.coloc("A", "PART", REGION, priors=Priors(p12=p)) for p in (1e-6, 1e-5, 1e-4)]
    changes = len({one.likeliest for one in told}) > 1
    assert ("prior_sensitive" in told[1].warnings) is changes
    assert told[1].by_p12.sum(axis=1) == pytest.approx(np.ones(len(told[1].p12_grid)))
    assert "few_shared" in told[1].warnings


# ---------------------------------------------------------------- comparison


def test_a_comparison_counts_what_a_slow_reading_counts(view):
    found = view.compare("A", "B")
    a, b = (view.region(f"{c}:1-19999999", studies=[s]) for s in ("A", "B") for c in ("1",))
    one = dict(zip(a["rsid"].to_pylist(), a["beta"].to_pylist(), strict=True))
    two = dict(zip(b["rsid"].to_pylist(), b["beta"].to_pylist(), strict=True))
    assert set(one) == set(two)
    assert found.overlap.shared == SIZE
    assert (found.overlap.only_first, found.overlap.only_second, found.overlap.turned) == (0, 0, 0)
    more = [
        dict(zip(*(t[n].to_pylist() for n in ("rsid", "beta")), strict=True))
        for t in (view.region("2:1-14999999", studies=["A"]), view.region("2:1-14999999", studies=["B"]))
    ]
    one, two = one | more[0], two | more[1]
    same = sum(one[name] * two[name] > 0 for name in one)
    assert found.overlap.same_sign == same
    assert found.overlap.null_correlation == pytest.approx(0.3 * 0.55, abs=0.17)  # shared noise, cut range
    assert found.lambda_shared[0] == pytest.approx(found.first.lambda_gc, abs=0.02)


def test_effects_are_compared_at_leads_that_both_have(view):
    found = view.compare("A", "B")
    rows = {row["rsid"]: row for row in found.table().to_pylist()}
    lead = rows[f"rs{CAUSAL + 1}"]
    assert lead["selected_in"] == "both"
    assert (lead["beta_a"] > 0, lead["beta_b"] > 0) == (True, True)
    other = rows["rs2001"]
    assert (other["beta_a"] > 0, other["beta_b"] > 0) == (True, False)
    union = found.agreements[0]
    assert union.signs.tested == int(found.leads.union.sum())
    assert found.scale == "effect"
    assert {"distance_based", "winners_curse"} <= set(found.warnings)


def test_a_comparison_the_other_way_around_is_its_mirror(view):
    there, back = view.compare("A", "B"), view.compare("B", "A")
    assert there.overlap.shared == back.overlap.shared
    assert there.agreements[0].signs == back.agreements[0].signs
    assert there.agreements[0].line.q == pytest.approx(back.agreements[0].line.q, rel=1e-5)
    assert there.agreements[1].signs == back.agreements[2].signs


def test_turned_alleles_are_matched_and_ambiguous_ones_left_out(view):
    found = view.compare("A", "TURNED")
    rows = range(CAUSAL - 40, CAUSAL + 40)
    palindromic = sum(ALLELES[r] in {"AT", "CG"} for r in rows)
    assert (found.overlap.turned, found.overlap.ambiguous) == (80 - palindromic, palindromic)
    assert found.overlap.shared == SIZE - palindromic
    assert "ambiguous_left_out" in found.warnings
    lead = next(r for r in found.table().to_pylist() if r["rsid"] == f"rs{CAUSAL + 1}")
    assert lead["beta_a"] * lead["beta_b"] > 0
    assert abs(lead["effect_allele_frequency_a"] - lead["effect_allele_frequency_b"]) < 0.02


@pytest.mark.parametrize(
    ("other", "scale"), [("LITRES", "z"), ("DISEASE", "z"), ("NO-SE", "z"), ("B", "effect")]
)
def test_effects_on_other_scales_are_compared_as_z_and_that_is_said(view, other, scale):
    found = view.compare("A", other)
    assert found.scale == scale
    assert ("z_used" in found.warnings) is (scale == "z")


def test_other_people_and_parts_are_said(view):
    assert "ancestry_differs" in view.compare("A", "DISEASE").warnings
    half = view.compare("A", "ELSEWHERE")
    assert (half.overlap.shared, half.overlap.only_first) == (SIZE // 2, SIZE // 2)
    none = view.compare("QUIET", "ELSEWHERE")
    assert "no_leads" in none.warnings
    assert none.table().num_rows == 0
    assert none.agreements[0].signs.tested == 0


def test_a_trait_of_several_is_named(view):
    found = view.compare(("TWO", "p0"), ("TWO", "p1"))
    assert found.overlap.shared == SIZE
    assert view.coloc(("TWO", "p0"), "A", REGION).likeliest == "H4"


ASKS = {
    "credible_sets": lambda v, name: v.credible_sets(name, where=REGION),
    "coloc": lambda v, name: v.coloc("A", name, REGION),
    "coloc_loci": lambda v, name: v.coloc_loci("A", name),
    "compare": lambda v, name: v.compare("A", name),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_what_cannot_be_asked_says_what_to_do(view, centre, ask):
    for name, error in (("SECRET", NotFoundError), ("NONE", NotFoundError), ("TWO", QueryError)):
        with pytest.raises(error) as told:
            ask(view, name)
        assert told.value.todo
    hidden, absent = (_error(lambda n=n: ask(view, n)) for n in ("SECRET", "NONE"))
    assert hidden.replace("SECRET", "NONE") == absent
    ask(centre.owner_view(), "SECRET")


def _error(ask):
    with pytest.raises(NexomeError) as told:
        ask()
    return str(told.value)


def test_the_same_trait_twice_is_refused(view):
    for ask in (ASKS["coloc"], ASKS["coloc_loci"], ASKS["compare"]):
        with pytest.raises(QueryError, match="twice"):
            ask(view, "A")


def test_nothing_in_common_says_so(view):
    with pytest.raises(NotFoundError, match="no feature in common"):
        view.compare("A", "CPG")
    with pytest.raises(NotFoundError, match="no number of elsewhere"):
        view.coloc("A", "ELSEWHERE", REGION)


# ---------------------------------------------------------------- matching, by property

KEYS = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from(["AG", "GA", "CT", "TC", "AT", "TA"])), unique=True
)


@settings(max_examples=200)
@given(KEYS, KEYS)
def test_matching_is_that_of_a_slow_reader(first, second):
    sides = []
    for rows in (first, second):
        keys = sorted((locus_of(0, p), allele_key(*pair), pair) for p, pair in rows)
        sides.append(keys)
    arrays = [np.array([k[i] for k in keys], np.uint64) for keys in sides for i in (0, 1)]
    match = match_features(*arrays)
    known = {(locus, key): row for row, (locus, key, _) in enumerate(sides[1])}
    plain = {row: known[locus, key] for row, (locus, key, _) in enumerate(sides[0]) if (locus, key) in known}
    turned, ambiguous = {}, 0
    for row, (locus, _, pair) in enumerate(sides[0]):
        at = known.get((locus, allele_key(*pair[::-1])))
        if row in plain or at is None or at in plain.values():
            continue
        if pair in {"AT", "TA"}:
            ambiguous += 1
        else:
            turned[row] = at
    told = {int(a): int(b) for a, b in zip(match.first, match.second, strict=True)}
    assert told == plain | turned
    assert {int(a) for a, t in zip(match.first, match.turned, strict=True) if t} == set(turned)
    assert match.ambiguous == ambiguous
