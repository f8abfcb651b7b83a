"""The demo's files are what their formats ask for, and hold what the scan found."""

import csv
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from nexome.cli.demo_files import (
    CAUSES,
    MANIFEST,
    PLINK2_TRAIT,
    PRIVATE,
    PROTEIN_TRAITS,
    PROTEINS,
    REGENIE_TRAIT,
    file_of,
    scan_traits,
    write_files,
)
from nexome.cli.demo_tracks import BANDS, CAUSES_BED, GENES, MAP
from nexome.formats.genes import read_gene_file
from nexome.formats.intervals import read_cytobands, read_intervals
from nexome.formats.recognise import open_associations
from nexome.formats.recombination import read_recombination_map
from nexome.methods.simulate.people import simulate_population
from nexome.methods.simulate.traits import simulate_phenotypes


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Population, phenotypes, scans and the folder written."""
    folder = tmp_path_factory.mktemp("demo") / "files"
    steps = []
    population = simulate_population(7, people=300, variants=2_000)
    phenotypes = simulate_phenotypes(population, 7)
    scans = scan_traits(population, phenotypes, lambda *step: steps.append(step))
    write_files(folder, population, phenotypes, scans, lambda *step: steps.append(step))
    assert ("scan", 40, 40) in steps
    assert ("write", 40, 40) in steps
    return population, phenotypes, scans, folder


def read(path):
    with open_associations(path) as reader:
        return reader, pa.concat_tables([b.table for b in reader]).combine_chunks()


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.parametrize("trait", ["height", "asthma", REGENIE_TRAIT, PLINK2_TRAIT])
def test_every_format_holds_the_scan(made, trait):
    population, phenotypes, scans, folder = made
    design = phenotypes.traits[phenotypes.column(trait)]
    scan = scans[trait]
    reader, table = read(folder / file_of(design))
    known = np.isfinite(scan.z)
    assert reader.format == {REGENIE_TRAIT: "regenie", PLINK2_TRAIT: "plink2"}.get(trait, "gwas-ssf")
    assert table["base_pair_location"].to_pylist() == population.position[known].tolist()
    assert table["effect_allele"].to_pylist() == np.array(population.alt)[known].tolist()
    assert table["other_allele"].to_pylist() == np.array(population.ref)[known].tolist()
    beta = np.log(table["odds_ratio"]) if "odds_ratio" in table.column_names else table["beta"].to_numpy()
    assert beta == pytest.approx(scan.beta[known], rel=1e-5, abs=1e-5)
    assert table["standard_error"].to_numpy() == pytest.approx(scan.standard_error[known], rel=1e-5)
    frequency = table["effect_allele_frequency"].to_numpy()
    assert frequency == pytest.approx(scan.frequency[known], rel=1e-5)


def test_proteins_are_near_their_gene_or_strong(made):
    _, phenotypes, _, folder = made
    reader, table = read(folder / PROTEINS)
    assert reader.format == "eqtl-catalogue"
    counts = Counter(table["trait_id"].to_pylist())
    places = {row["trait_id"]: row for row in rows_of(folder / PROTEIN_TRAITS)}
    assert set(counts) == set(places) == {t.id for t in phenotypes.traits if t.gene is not None}
    position, trait_id = table["base_pair_location"].to_numpy(), np.array(table["trait_id"].to_pylist())
    chromosome = np.array(table["chromosome"].to_pylist())
    p = table["p_value"].to_numpy()
    for name, place in places.items():
        own = trait_id == name
        near = (
            (chromosome == place["contig"])
            & (position >= int(place["start"]) - 500_000)
            & (position <= int(place["end"]) + 500_000)
        )
        assert (near[own] | (p[own] <= 1.0001e-5)).all()


def test_manifest_names_each_file_once(made):
    folder = made[3]
    rows = rows_of(folder / MANIFEST)
    assert len(rows) == len({r["file"] for r in rows}) == len({r["study"] for r in rows}) == 30
    for row in rows:
        assert (folder / row["file"]).is_file()
        assert "simulated" in row["title"]
        assert "模拟" in row["title_zh"]
        assert (row["access"] == "private") == (row["trait_id"] in PRIVATE)
        if row["effect_scale"] == "log_odds":
            assert int(row["n_cases"]) + int(row["n_controls"]) == int(row["n"])


def test_causes_are_among_the_variants(made):
    population, phenotypes, _, folder = made
    names = [c.name for c in population.assembly.contigs]
    places = set(zip([names[c] for c in population.contig], population.position.tolist(), strict=True))
    rows = rows_of(folder / CAUSES)
    assert len(rows) == len(phenotypes.causes)
    assert all((r["chromosome"], int(r["base_pair_location"])) in places for r in rows)


def test_genes_are_read_as_genes(made):
    population, _, _, folder = made
    read = read_gene_file(folder / GENES)
    assert (read.format, read.set_aside) == ("gff3", {})
    assert read.genes["gene_symbol"].to_pylist() == population.genes.name
    assert read.genes["start"].to_pylist() == population.genes.start.tolist()
    assert read.genes["strand"].to_pylist() == population.genes.strand
    assert read.transcripts is not None
    whole = [t for t in read.transcripts.to_pylist() if t["canonical"]]
    assert [t["start"] for t in whole] == population.genes.start.tolist()
    assert [t["end"] for t in whole] == population.genes.end.tolist()


def test_the_map_is_the_rate_people_were_recombined_with(made):
    population, _, _, folder = made
    table = read_recombination_map(folder / MAP)
    assert set(table["recombination_rate"].to_pylist()) == {1.0}  # 1e-8 a base is 1 cM/Mb
    longest = max(c.length_bp for c in population.assembly.contigs)
    assert table["genetic_position"].to_numpy().max() == pytest.approx(longest / 1e6, abs=1e-5)


def test_bands_cover_each_contig_and_causes_lie_where_they_are(made):
    population, phenotypes, _, folder = made
    bands = read_cytobands(folder / BANDS)
    for contig in population.assembly.contigs:
        own = [b for b in bands.to_pylist() if b["chromosome"] == contig.name]
        assert [b["start"] for b in own[1:]] == [b["end"] + 1 for b in own[:-1]]
        assert (own[0]["start"], own[-1]["end"]) == (1, contig.length_bp)
    causes = read_intervals(folder / CAUSES_BED).table
    assert causes["start"].to_pylist() == [int(population.position[c.variant]) for c in phenotypes.causes]
    assert causes["start"].to_pylist() == causes["end"].to_pylist()
