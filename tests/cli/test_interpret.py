"""`nexome query credible-sets`, `coloc` and `compare`: what Python answers, and warnings beside it."""

import pytest

import nexome as package
from nexome.access.signals import WARNINGS
from nexome.testing.small_centre import PROTEINS, QUIET, SmallCentre
from tests.cli.test_query import rows

A, B = "SC0001", "SC0002"


@pytest.fixture(scope="module")
def region(small: SmallCentre):
    with package.open(small.path) as view:
        lead = view.loci(A, limit=1).to_pylist()[0]
    at = lead["base_pair_location"]
    return f"{lead['chromosome']}:{max(1, at - 3_000_000)}-{at + 3_000_000}"


def test_credible_sets_are_those_of_python(small: SmallCentre, nexome, region):
    result = nexome("query", "credible-sets", A, "--region", region, "--coverage", 0.9, "--root", small.path)
    with package.open(small.path) as view:
        (expected,) = view.credible_sets(A, where=region, coverage=0.9)
    found = rows(result.stdout)
    want = expected.table()["posterior_probability"].to_pylist()
    assert [float(r["posterior_probability"]) for r in found] == pytest.approx(want)
    assert [WARNINGS[code] in result.stderr for code in expected.warnings] == [True] * len(expected.warnings)


def test_every_locus_has_its_number(small: SmallCentre, nexome):
    found = rows(nexome("query", "credible-sets", A, "--root", small.path).stdout)
    with package.open(small.path) as view:
        assert len({r["credible_set"] for r in found}) == view.loci(A).num_rows
    none = nexome("query", "credible-sets", QUIET, "--root", small.path)
    assert rows(none.stdout) == []
    assert "no locus" in none.stderr


def test_coloc_in_a_region_tells_its_posteriors(small: SmallCentre, nexome, region):
    result = nexome("query", "coloc", A, B, region, "--p12", 1e-6, "--root", small.path)
    with package.open(small.path) as view:
        from nexome.methods.coloc import Priors  # noqa: PLC0415  read when the test runs

        expected = view.coloc(A, B, region, priors=Priors(p12=1e-6))
    assert len(rows(result.stdout)) == expected.found.variants
    told = dict(part.split() for part in result.stderr.splitlines()[0].split("  "))
    assert [float(told[f"H{k}"]) for k in range(5)] == pytest.approx(
        expected.found.posterior.tolist(), rel=1e-3, abs=1e-12
    )


def test_coloc_at_all_loci(small: SmallCentre, nexome):
    found = rows(nexome("query", "coloc", A, B, "--root", small.path).stdout)
    with package.open(small.path) as view:
        expected = view.coloc_loci(A, B)
    assert [int(r["variants"]) for r in found] == expected["variants"].to_pylist()


def test_compare_gives_its_numbers_or_its_leads(small: SmallCentre, nexome):
    with package.open(small.path) as view:
        expected = view.compare(A, B)
    numbers = {
        r["measure"]: r["value"] for r in rows(nexome("query", "compare", A, B, "--root", small.path).stdout)
    }
    assert float(numbers["features shared"]) == expected.overlap.shared
    assert float(numbers["all leads: same sign"]) == expected.agreements[0].signs.same
    leads = rows(nexome("query", "compare", A, B, "--leads", "--root", small.path).stdout)
    assert [r["selected_in"] for r in leads] == expected.table()["selected_in"].to_pylist()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("compare", A, A), "twice"),
        (("coloc", A, PROTEINS, "1:1-2000000"), "has 6 traits"),
        (("credible-sets", A, "--region", "1:1-2"), "no number of"),
        (("credible-sets", A, "--prior-sd", -1), "prior_sd"),
        (("coloc", A, B, "--p12", 2), "p12"),
        (("compare", A, "NOT-THERE"), "no study"),
    ],
)
def test_what_cannot_be_asked_is_one_line(small: SmallCentre, nexome, asked, told):
    result = nexome("query", *asked, "--root", small.path, code=1)
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1
