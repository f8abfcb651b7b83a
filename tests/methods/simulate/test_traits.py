"""Simulated traits hold what their design states, and a scan finds their causes."""

import numpy as np
import pytest

from nexome.methods.inflation import lambda_gc
from nexome.methods.loci import find_loci
from nexome.methods.normal import neg_log10_p_from_z
from nexome.methods.scan import scan_linear, scan_logistic
from nexome.methods.simulate.catalogue import TRAITS, TraitDesign
from nexome.methods.simulate.people import simulate_population
from nexome.methods.simulate.traits import simulate_phenotypes
from nexome.model.genome import loci_of
from nexome.model.terms import check_identifier


@pytest.fixture(scope="module")
def population():
    return simulate_population(3, people=1_500, variants=6_000)


@pytest.fixture(scope="module")
def phenotypes(population):
    return simulate_phenotypes(population, 3)


def test_forty_traits_in_two_languages():
    assert len(TRAITS) == len({t.id for t in TRAITS}) == 40
    for trait in TRAITS:
        check_identifier(trait.id)
        assert trait.label
        assert trait.label_zh
        assert sum(trait.major) <= trait.heritability
    assert {t.kind for t in TRAITS} == {"quantitative", "binary"}
    assert sum(t.gene is not None for t in TRAITS) == 10


def test_same_seed_same_values(population, phenotypes):
    again = simulate_phenotypes(population, 3)
    assert np.array_equal(phenotypes.values, again.values, equal_nan=True)
    assert phenotypes.causes == again.causes


def test_values_are_on_the_scale_of_the_design(phenotypes):
    for trait, column in zip(phenotypes.traits, phenotypes.values.T, strict=True):
        known = column[~np.isnan(column)]
        if trait.kind == "binary":
            assert set(np.unique(known)) == {0.0, 1.0}
            assert known.mean() == pytest.approx(trait.prevalence, abs=0.01)
        else:
            assert known.mean() == pytest.approx(trait.mean, abs=0.15 * trait.sd)
            assert known.std() == pytest.approx(trait.sd, rel=0.35)


def test_samples_are_missing_together(phenotypes):
    for sample in ("blood", "plasma"):
        columns = [i for i, t in enumerate(phenotypes.traits) if t.sample == sample]
        absent = np.isnan(phenotypes.values[:, columns])
        assert 0 < absent.mean() < 0.2
        assert (absent == absent[:, :1]).all()


def test_heritability_is_as_stated(population):
    design = TraitDesign("t", "t", "t", "x", heritability=0.5, major=(0.2, 0.1))
    found = simulate_phenotypes(population, 5, traits=[design])
    major = [
        np.corrcoef(population.genotypes[c.variant], found.values[:, 0])[0, 1] * c.sign for c in found.causes
    ]
    assert major == pytest.approx([np.sqrt(0.2), np.sqrt(0.1)], abs=0.1)
    assert found.values.std() == pytest.approx(1.0, abs=0.05)


def test_a_protein_has_its_first_cause_beside_its_gene(population, phenotypes):
    genes = population.genes
    for trait in (t for t in phenotypes.traits if t.gene is not None):
        cause = next(c for c in phenotypes.causes if c.trait == trait.id)
        assert population.contig[cause.variant] == genes.contig[trait.gene]
        position = population.position[cause.variant]
        assert genes.start[trait.gene] - 50_001 <= position <= genes.end[trait.gene] + 50_001


def test_a_scan_finds_the_causes_and_nothing_in_the_controls(population, phenotypes):
    locus = loci_of(population.contig, population.position)
    covariates = population.covariates()
    for cause in phenotypes.causes:
        design = phenotypes.traits[phenotypes.column(cause.trait)]
        if cause.share < 0.08 or design.kind == "binary":
            continue  # too small for 1,500 people
        column = phenotypes.values[:, [phenotypes.column(cause.trait)]]
        result = scan_linear(population.genotypes, column, covariates)
        strength = neg_log10_p_from_z(result.z[:, 0])
        loci = find_loci(locus, strength)
        position, contig = population.position[cause.variant], population.contig[cause.variant]
        inside = (population.contig[loci.lead] == contig) & (loci.start <= position) & (position <= loci.end)
        assert inside.any(), cause
        assert np.sign(result.beta[cause.variant, 0]) == cause.sign


def test_controls_are_not_inflated(population, phenotypes):
    # 6,000 variants in LD are about 1,000 independent ones: the standard error of λGC is near 0.08
    covariates = population.covariates()
    number = phenotypes.values[:, [phenotypes.column("random_number")]]
    coin = phenotypes.values[:, [phenotypes.column("coin_toss")]]
    for result in (
        scan_linear(population.genotypes, number, covariates),
        scan_logistic(population.genotypes, coin, covariates),
    ):
        assert lambda_gc(result.z) == pytest.approx(1.0, abs=0.2)
        assert np.nanmax(neg_log10_p_from_z(result.z)) < 7.3
