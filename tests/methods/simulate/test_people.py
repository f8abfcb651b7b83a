"""The made-up genome and its people."""

import numpy as np
import pytest

from nexome.methods.simulate.people import GROUPS, simulate_assembly, simulate_population
from nexome.model.genome import loci_of


@pytest.fixture(scope="module")
def population():
    return simulate_population(1, people=300, variants=2_000)


def test_same_seed_same_people(population):
    again = simulate_population(1, people=300, variants=2_000)
    other = simulate_population(2, people=300, variants=2_000)
    assert np.array_equal(population.genotypes, again.genotypes)
    assert population.ref == again.ref
    assert np.array_equal(population.age, again.age)
    assert not np.array_equal(population.genotypes, other.genotypes)


def test_variants_are_sorted_placed_and_named(population):
    assembly = simulate_assembly()
    assert population.genotypes.shape == (2_000, 300)
    assert set(np.unique(population.genotypes)) == {0, 1, 2}
    assert (np.diff(loci_of(population.contig, population.position).astype(np.int64)) > 0).all()
    length = np.array([c.length_bp for c in assembly.contigs])
    assert (population.position <= length[population.contig]).all()
    assert len(set(population.rsid.tolist())) == 2_000
    assert population.rsid.max() < 2**32


def test_alleles_are_a_reference_and_another(population):
    for ref, alt in zip(population.ref, population.alt, strict=True):
        assert ref != alt
        assert set(ref + alt) <= set("ACGT")
        assert len(ref) == 1 or len(alt) == 1
        assert len(ref) == len(alt) or ref[0] == alt[0]
    indels = sum(len(r) != len(a) for r, a in zip(population.ref, population.alt, strict=True))
    assert 0.02 < indels / 2_000 < 0.09


def test_groups_differ_in_frequency(population):
    frequency = [population.genotypes[:, population.group == g].mean(axis=1) / 2 for g in range(len(GROUPS))]
    apart = np.abs(frequency[0] - frequency[1]).mean()
    mixed = (frequency[0] + frequency[1]) / 2
    assert apart > 0.05
    assert np.abs(frequency[2] - mixed).mean() < apart


def test_covariates_have_no_holes(population):
    covariates = population.covariates()
    assert covariates.shape == (300, 5)
    assert np.isfinite(covariates).all()
    assert np.linalg.matrix_rank(covariates) == 5


def test_genes_are_in_order_and_inside(population):
    genes = population.genes
    assert genes.name[0] == "SIM1"
    assert (np.diff(loci_of(genes.contig, genes.start).astype(np.int64)) >= 0).all()
    assert (genes.start >= 1).all()
    assert (genes.end > genes.start).all()
    length = np.array([c.length_bp for c in population.assembly.contigs])
    assert (genes.end <= length[genes.contig]).all()
