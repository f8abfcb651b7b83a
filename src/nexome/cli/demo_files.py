"""The files of the demo, as other programs would hand them over: scan results in four formats.

    <files>/<trait>.tsv.gz              GWAS-SSF with its sidecar, one trait a file
    <files>/bmi.regenie.gz              REGENIE step 2
    <files>/type_2_diabetes.glm.logistic.gz   PLINK 2
    <files>/proteins.tsv.gz             eQTL Catalogue, ten proteins in one file: variants near the gene, and
                                        what is strong elsewhere; proteins.traits.tsv says where they lie
    <files>/manifest.tsv                what is known of each study, for `import associations --manifest`
    <files>/genes.gff3.gz …             genes, recombination map, bands, causes as a track (demo_tracks)
    <files>/panel.bed …                 genotypes of some of the people, for LD (demo_panel)
    <files>/vocabulary.obo …            what traits are, in two languages, for search (demo_vocabulary)
    <files>/causes.tsv                  the major causal variants: what a good scan should find

Nothing is imported here.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as arrow_csv

from nexome.cli.demo_panel import write_panel
from nexome.cli.demo_tracks import write_tracks
from nexome.cli.demo_vocabulary import term_of_trait, write_vocabulary
from nexome.formats.gwas_ssf import write_ssf
from nexome.methods.normal import neg_log10_p_from_z
from nexome.methods.scan import ScanResult, scan_linear, scan_logistic
from nexome.methods.scan.linear import neg_log10_p_from_t
from nexome.methods.simulate.catalogue import TraitDesign
from nexome.methods.simulate.people import GROUPS, Population
from nexome.methods.simulate.traits import Phenotypes

_DIGITS: Final = 6  # significant digits, as PLINK and REGENIE write
_COVARIATES: Final = 5  # of Population.covariates
_CIS_BP: Final = 500_000
_TRANS: Final = 5.0  # −log₁₀ p from which a variant far from the gene is written
REGENIE_TRAIT: Final = "bmi"
PLINK2_TRAIT: Final = "type_2_diabetes"
PROTEINS: Final = "proteins.tsv.gz"
PROTEIN_TRAITS: Final = "proteins.traits.tsv"
CAUSES: Final = "causes.tsv"
MANIFEST: Final = "manifest.tsv"
PRIVATE: Final = frozenset({"migraine", "psoriasis", "cataract"})  # so that the demo shows what is not shown

_SSF: Final = (
    "chromosome", "base_pair_location", "effect_allele", "other_allele", "beta", "standard_error",
    "effect_allele_frequency", "p_value", "rsid", "n",
)  # fmt: skip
_REGENIE: Final = {
    "CHROM": "chromosome", "GENPOS": "base_pair_location", "ID": "rsid", "ALLELE0": "other_allele",
    "ALLELE1": "effect_allele", "A1FREQ": "effect_allele_frequency", "N": "n", "TEST": "test", "BETA": "beta",
    "SE": "standard_error", "LOG10P": "neg_log_10_p_value",
}  # fmt: skip
_PLINK2: Final = {
    "#CHROM": "chromosome", "POS": "base_pair_location", "ID": "rsid", "REF": "other_allele",
    "ALT": "effect_allele", "A1": "effect_allele", "A1_FREQ": "effect_allele_frequency", "TEST": "test",
    "OBS_CT": "n", "OR": "odds_ratio", "LOG(OR)_SE": "standard_error", "Z_STAT": "z_score", "P": "p_value",
    "ERRCODE": "error_code",
}  # fmt: skip
_EQTL: Final = {
    "molecular_trait_id": "trait_id", "chromosome": "chromosome", "position": "base_pair_location",
    "ref": "other_allele", "alt": "effect_allele", "beta": "beta", "se": "standard_error",
    "pvalue": "p_value", "ac": "allele_count", "an": "alleles_counted", "rsid": "rsid",
}  # fmt: skip

Ints = npt.NDArray[np.int64]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class TraitScan:
    """Results of one trait: arrays [V] of `methods.scan.ScanResult`, p as −log₁₀, and numbers of people."""

    beta: npt.NDArray[np.float64]
    standard_error: npt.NDArray[np.float64]
    z: npt.NDArray[np.float64]
    neg_log10_p: npt.NDArray[np.float64]
    frequency: npt.NDArray[np.float64]
    n: int
    cases: int | None


def scan_traits(population: Population, phenotypes: Phenotypes, progress: Progress) -> dict[str, TraitScan]:
    """Scan every trait, linear or logistic by its kind, with sex, age, age² and group as covariates."""
    covariates = population.covariates()
    binary = np.array([t.kind == "binary" for t in phenotypes.traits])
    found: dict[str, TraitScan] = {}
    columns = np.flatnonzero(~binary)
    progress("scan", 0, binary.size)
    linear = scan_linear(population.genotypes, phenotypes.values[:, columns], covariates)
    for at, column in enumerate(columns):
        found[phenotypes.traits[column].id] = _one_trait(linear, at, phenotypes.values[:, column])
    for column in np.flatnonzero(binary):
        progress("scan", len(found), binary.size)
        values = phenotypes.values[:, [column]]
        logistic = scan_logistic(population.genotypes, values, covariates)
        found[phenotypes.traits[column].id] = _one_trait(logistic, 0, values[:, 0], cases=True)
    progress("scan", binary.size, binary.size)
    return found


def _one_trait(
    result: ScanResult, at: int, values: npt.NDArray[np.float64], *, cases: bool = False
) -> TraitScan:
    n = int(np.isfinite(values).sum())
    z = result.z[:, at]
    strength = neg_log10_p_from_z(z) if cases else neg_log10_p_from_t(z, n - _COVARIATES - 2)
    return TraitScan(
        result.beta[:, at],
        result.standard_error[:, at],
        z,
        strength,
        result.effect_allele_frequency[:, at],
        n,
        int(np.nansum(values)) if cases else None,
    )


def write_files(
    folder: Path,
    population: Population,
    phenotypes: Phenotypes,
    scans: dict[str, TraitScan],
    progress: Progress,
) -> None:
    """Write every file of the demo into `folder`; see the top of this module."""
    folder.mkdir(parents=True, exist_ok=True)
    traits = phenotypes.traits
    for done, trait in enumerate(traits):
        progress("write", done, len(traits))
        if trait.gene is None:
            _write_trait(folder, population, trait, scans[trait.id])
    _write_proteins(folder, population, phenotypes, scans)
    write_tracks(folder, population, phenotypes)
    write_panel(folder, population)
    write_vocabulary(folder, population, phenotypes)
    _write_causes(folder / CAUSES, population, phenotypes)
    _write_manifest(folder / MANIFEST, population, phenotypes, scans)
    progress("write", len(traits), len(traits))


def file_of(trait: TraitDesign) -> str:
    """Name of the file that holds a trait."""
    if trait.gene is not None:
        return PROTEINS
    return {REGENIE_TRAIT: "bmi.regenie.gz", PLINK2_TRAIT: "type_2_diabetes.glm.logistic.gz"}.get(
        trait.id, f"{trait.id}.tsv.gz"
    )


def _write_trait(folder: Path, population: Population, trait: TraitDesign, scan: TraitScan) -> None:
    path = folder / file_of(trait)
    columns = _columns(population, scan, np.flatnonzero(np.isfinite(scan.z)))
    if trait.id == REGENIE_TRAIT:
        _write_table(path, _renamed(columns, _REGENIE), " ")
    elif trait.id == PLINK2_TRAIT:
        columns["odds_ratio"] = _rounded(np.exp(columns["beta"].to_numpy()))
        _write_table(path, _renamed(columns, _PLINK2), "\t")
    else:
        write_ssf(path, [pa.table({name: columns[name] for name in _SSF})], _sidecar(population, trait, scan))


def _columns(population: Population, scan: TraitScan, rows: Ints) -> dict[str, pa.Array]:
    """Every column any of the formats writes, by its GWAS-SSF name, for some rows of a scan."""
    contigs = np.array([c.name for c in population.assembly.contigs])
    ref, alt = (np.array(alleles)[rows] for alleles in (population.ref, population.alt))
    chromosome = contigs[population.contig[rows]]
    position = population.position[rows]
    rsid = [f"rs{number}" for number in population.rsid[rows].tolist()]
    return {
        "chromosome": pa.array(chromosome),
        "base_pair_location": pa.array(position),
        "rsid": pa.array(rsid),
        "effect_allele": pa.array(alt),
        "other_allele": pa.array(ref),
        "beta": _rounded(scan.beta[rows]),
        "standard_error": _rounded(scan.standard_error[rows]),
        "z_score": _rounded(scan.z[rows]),
        "p_value": _rounded(10.0 ** -scan.neg_log10_p[rows]),
        "neg_log_10_p_value": _rounded(scan.neg_log10_p[rows]),
        "effect_allele_frequency": _rounded(scan.frequency[rows]),
        "n": pa.array(np.full(rows.size, scan.n)),
        "alleles_counted": pa.array(np.full(rows.size, 2 * scan.n)),
        "allele_count": pa.array(np.round(scan.frequency[rows] * 2 * scan.n).astype(np.int64)),
        "test": pa.array(["ADD"] * rows.size),
        "error_code": pa.array(["."] * rows.size),
    }


def _renamed(columns: dict[str, pa.Array], names: dict[str, str]) -> pa.Table:
    return pa.table({name: columns[term] for name, term in names.items()})


def _rounded(values: npt.NDArray[np.float64]) -> pa.Array:
    """Values to six significant digits, so that their text is short."""
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.floor(np.log10(np.abs(values)))
        text = [f"{v:.{_DIGITS - 1}e}" for v in values.tolist()] if (exponent < -290).any() else None
        scale = 10.0 ** (_DIGITS - 1 - np.where(np.isfinite(exponent), exponent, 0))
    return pa.array(np.array([float(t) for t in text]) if text else np.round(values * scale) / scale)


def _sidecar(population: Population, trait: TraitDesign, scan: TraitScan) -> dict[str, Any]:
    sample: dict[str, Any] = {"sample_size": scan.n, "sample_ancestry": list(GROUPS)}
    if scan.cases is not None:
        sample |= {"case_control_study": True, "case_count": scan.cases, "control_count": scan.n - scan.cases}
    return {
        "genome_assembly": population.assembly.name,
        "trait_description": [f"{trait.label} (simulated)"],
        "samples": [sample],
        "sex": "combined",
        "adjusted_covariates": ["sex", "age", "age squared", "group"],
        "analysis_software": "nexome demo",
        "is_harmonised": False,
        "is_sorted": True,
    }


def _write_proteins(
    folder: Path, population: Population, phenotypes: Phenotypes, scans: dict[str, TraitScan]
) -> None:
    """One long file of all proteins, and the table that says where each lies."""
    parts, places = [], []
    genes = population.genes
    for trait in phenotypes.traits:
        if trait.gene is None:
            continue
        scan, gene = scans[trait.id], trait.gene
        near = (
            (population.contig == genes.contig[gene])
            & (population.position >= genes.start[gene] - _CIS_BP)
            & (population.position <= genes.end[gene] + _CIS_BP)
        )
        rows = np.flatnonzero((near | (scan.neg_log10_p >= _TRANS)) & np.isfinite(scan.z))
        columns = _columns(population, scan, rows)
        columns["trait_id"] = pa.array([trait.id] * rows.size)
        parts.append(_renamed(columns, _EQTL))
        contig = population.assembly.contigs[int(genes.contig[gene])].name
        place = (contig, int(genes.start[gene]), int(genes.end[gene]))
        places.append((trait.id, f"{trait.label} (simulated)", f"{trait.label_zh}（模拟）", *place, scan.n))
    _write_table(folder / PROTEINS, pa.concat_tables(parts), "\t")
    names = ("trait_id", "label", "label_zh", "contig", "start", "end", "n")
    _write_rows(folder / PROTEIN_TRAITS, names, places)


def _write_causes(path: Path, population: Population, phenotypes: Phenotypes) -> None:
    contigs = population.assembly.contigs
    genes = {t.id: population.genes.name[t.gene] for t in phenotypes.traits if t.gene is not None}
    rows = [
        (
            cause.trait,
            contigs[int(population.contig[cause.variant])].name,
            int(population.position[cause.variant]),
            population.ref[cause.variant],
            population.alt[cause.variant],
            f"rs{population.rsid[cause.variant]}",
            cause.share,
            cause.sign,
            genes.get(cause.trait, ""),
        )
        for cause in phenotypes.causes
    ]
    places = ("trait_id", "chromosome", "base_pair_location", "ref", "alt", "rsid")
    names = (*places, "share_of_variance", "sign", "gene")
    _write_rows(path, names, rows)


def _write_manifest(
    path: Path, population: Population, phenotypes: Phenotypes, scans: dict[str, TraitScan]
) -> None:
    """One line a single-trait study; the proteins are imported by a command of their own."""
    rows = []
    for trait in (t for t in phenotypes.traits if t.gene is None):
        scan = scans[trait.id]
        binary = scan.cases is not None
        row = {
            "file": file_of(trait),
            "study": f"sim-{trait.id}",
            "title": f"{trait.label} (simulated)",
            "title_zh": f"{trait.label_zh}（模拟）",
            "access": "private" if trait.id in PRIVATE else "open",
            "ancestry": "; ".join(GROUPS),
            "sex": "combined",
            "licence": "CC0-1.0",
            "source": "nexome demo",
            "effect_unit": "log odds" if binary else trait.unit,
            "effect_scale": "log_odds" if binary else "linear",
            "trait": f"{trait.label} (simulated)",
            "trait_id": trait.id,
            "trait_zh": f"{trait.label_zh}（模拟）",
            "ontology": term_of_trait(trait.id),
            "category": trait.category,
            "n": scan.n,
            "n_cases": "" if scan.cases is None else scan.cases,
            "n_controls": "" if scan.cases is None else scan.n - scan.cases,
            "assembly": population.assembly.name,
        }
        rows.append(row)
    _write_rows(path, tuple(rows[0]), [tuple(row.values()) for row in rows])


def _write_rows(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink, delimiter="\t", lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)


def _write_table(path: Path, table: pa.Table, delimiter: str) -> None:
    """A gzip table with a header line, no quotes."""
    options = arrow_csv.WriteOptions(include_header=False, delimiter=delimiter, quoting_style="none")
    with gzip.open(path, "wb", compresslevel=4) as sink:
        sink.write(delimiter.join(table.column_names).encode() + b"\n")
        arrow_csv.write_csv(table, sink, options)
