"""A small centre to look at: a root with studies of every kind, made up from a seed in a second or two.

    SC0001 …     16 one-trait studies in four categories and three ancestries, open, on one axis
    SC-…        more of them: one private, one small, one without any association, one with missing values
    PROTEINS    one study of several traits (cis results of six proteins), some rows of it missing
    SC-PANEL    genotypes of 200 people in three populations, for LD (small_panel)
    HOSTILE     a study whose texts try to be markup

The numbers are random and mean nothing; the layout, strengths and sizes are those of real results.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.model.genome import Assembly, allele_key, loci_of
from nexome.model.terms import Access, Study, Trait
from nexome.store.associations import AssociationStore, Block, Features
from nexome.store.genes import import_genes
from nexome.store.root import create_root, load_assembly, open_root
from nexome.testing.small_panel import make_small_panel
from nexome.testing.small_tracks import make_small_tracks

MARKUP: Final = '<script>alert("x")</script><img src=x onerror=alert(1)> & "quoted" \'too\''
PRIVATE: Final = "SC-PRIVATE"
QUIET: Final = "SC-QUIET"
SMALL: Final = "SC-SMALL"
GAPS: Final = "SC-GAPS"
PROTEINS: Final = "SC-PROTEINS"
HOSTILE: Final = "SC-HOSTILE"

# (identifier, label, Chinese label, category, unit): traits people know, so that pages read like real ones.
_TRAITS: Final = (
    ("height", "Standing height", "身高", "Anthropometric", "SD"),
    ("bmi", "Body mass index", "体质指数", "Anthropometric", "SD"),
    ("whr", "Waist–hip ratio", "腰臀比", "Anthropometric", "SD"),
    ("glucose", "Fasting glucose", "空腹血糖", "Metabolic", "mmol/L"),
    ("hba1c", "Glycated haemoglobin", "糖化血红蛋白", "Metabolic", "mmol/mol"),
    ("ldl", "LDL cholesterol", "低密度脂蛋白胆固醇", "Metabolic", "SD"),
    ("hdl", "HDL cholesterol", "高密度脂蛋白胆固醇", "Metabolic", "SD"),
    ("urate", "Serum urate", "血尿酸", "Metabolic", "SD"),
    ("sbp", "Systolic blood pressure", "收缩压", "Cardiovascular", "mmHg"),
    ("dbp", "Diastolic blood pressure", "舒张压", "Cardiovascular", "mmHg"),
    ("pulse", "Resting pulse", "静息心率", "Cardiovascular", "beats/min"),
    ("cad", "Coronary artery disease", "冠心病", "Cardiovascular", ""),
    ("rbc", "Red cell count", "红细胞计数", "Blood cells", "SD"),
    ("wbc", "White cell count", "白细胞计数", "Blood cells", "SD"),
    ("plt", "Platelet count", "血小板计数", "Blood cells", "SD"),
    ("mcv", "Mean corpuscular volume", "平均红细胞体积", "Blood cells", "fL"),
)
_ANCESTRIES: Final = ("East Asian", "European", "South Asian")
_SHARED: Final = 12  # causal places of every category: what makes a PheWAS plot worth drawing


@dataclass(frozen=True, slots=True)
class SmallCentre:
    """Where it lies, a variant with strong associations, and the identifiers of all its studies."""

    path: Path
    variant: str
    rsid: str
    gene: str
    studies: tuple[str, ...]


def make_small_centre(
    path: Path, *, variants: int = 20_000, seed: int = 1, hostile: bool = False
) -> SmallCentre:
    """Make the centre in an empty folder; the HOSTILE study only where asked for."""
    rng = np.random.default_rng(seed)
    assembly = load_assembly("GRCh38")
    create_root(path, assembly=assembly)
    axis, frequency = _axis(assembly, variants, rng)
    _genes(path, assembly, axis)
    make_small_tracks(open_root(path), path.parent / f"{path.name}-tracks")
    store = AssociationStore.open(path)
    centre = _causal(len(axis), rng)
    studies = _studies() + ([_hostile()] if hostile else [])
    planes = [_planes(study, at, centre, frequency, rng) for at, study in enumerate(studies)]
    staged = store.stage_matrix(studies, axis)
    staged.add_rows(*(np.stack([p[k] for p in planes], axis=1) for k in range(3)))
    staged.publish([_receipt(len(axis)) for _ in studies])
    _proteins(store, axis, frequency, rng)
    make_small_panel(path, axis, frequency, np.random.default_rng(seed + 1))
    row = next(int(r) for r in centre[0] if axis.rsid[int(r)])
    position = f"{assembly.contig_name(int(axis.contig[row]))}-{int(axis.position[row])}"
    return SmallCentre(
        path=path,
        variant=position + "-" + axis.text(row).replace("/", "-"),
        rsid=f"rs{int(axis.rsid[row])}",
        gene=f"GENE{row // 10 * 10}",
        studies=(*(s.id for s in studies), PROTEINS),
    )


def _axis(assembly: Assembly, variants: int, rng: np.random.Generator) -> tuple[Features, Any]:
    """Variants spread over chromosomes 1 to 22 and X by length, some of them indels, with frequencies."""
    lengths = np.array([c.length_bp for c in assembly.contigs[:23]], np.float64)
    contig = rng.choice(23, variants, p=lengths / lengths.sum())
    position = (rng.random(variants) * (lengths[contig] - 20_000) + 10_000).astype(np.int64)
    locus = np.unique(loci_of(contig, position))
    alleles = [("A", "G"), ("C", "T"), ("G", "A"), ("T", "C"), ("A", "C"), ("CT", "C"), ("G", "GAA")]
    keys = np.array([allele_key(*pair) for pair in alleles], np.uint64)
    shares = [0.24, 0.24, 0.2, 0.2, 0.08, 0.02, 0.02]
    allele = keys[rng.choice(len(keys), len(locus), p=shares)]
    rsid = np.cumsum(rng.integers(1, 90, len(locus))).astype(np.uint32) + np.uint32(1_000)
    rsid[rng.random(len(locus)) < 0.03] = 0
    frequency = np.clip(rng.beta(0.6, 1.4, len(locus)), 0.002, 0.998)
    return Features(locus, allele, rsid), frequency


def _genes(path: Path, assembly: Assembly, axis: Features) -> None:
    """A made-up gene around every tenth variant."""
    rows = np.arange(0, len(axis), 10)
    table = pa.table(
        {
            "gene_symbol": [f"GENE{r}" for r in rows],
            "gene_id": [f"SC{r:08d}" for r in rows],
            "gene_type": ["protein_coding"] * len(rows),
            "chromosome": [assembly.contig_name(int(axis.contig[r])) for r in rows],
            "start": np.maximum(axis.position[rows].astype(np.int64) - 9_000, 1),
            "end": axis.position[rows].astype(np.int64) + 9_000,
            "strand": ["+"] * len(rows),
        }
    )
    import_genes(
        path, assembly, table, source="small centre", sha256="0" * 64, transcripts=_transcripts(table)
    )


def _transcripts(genes: pa.Table) -> pa.Table:
    """One transcript a gene, of three exons."""
    start, end = (genes[name].to_numpy() for name in ("start", "end"))
    third = (end - start) // 3
    rows = [
        {
            "transcript_id": f"{gene}.1",
            "biotype": "protein_coding",
            "canonical": True,
            "tags": None,
            "exon_starts": [int(s), int(s + t), int(e - 500)],
            "exon_ends": [int(s + 400), int(s + t + 300), int(e)],
            "cds_start": int(s + 100),
            "cds_end": int(e - 200),
        }
        for gene, s, e, t in zip(genes["gene_id"].to_pylist(), start, end, third, strict=True)
    ]
    beside = pa.Table.from_pylist(rows)
    for name in ("gene_id", "gene_symbol", "chromosome", "start", "end", "strand"):
        beside = beside.append_column(name, genes[name])
    return beside


def _causal(variants: int, rng: np.random.Generator) -> list[npt.NDArray[np.int64]]:
    """Causal places: some shared by everything, some of each category."""
    shared = rng.integers(50, variants - 50, _SHARED)
    return [np.concatenate([shared, rng.integers(50, variants - 50, 10)]) for _ in range(4)]


def _studies() -> list[Study]:
    studies = [_study(at, *row) for at, row in enumerate(_TRAITS)]
    special: tuple[tuple[str, Access, int, str, str], ...] = (
        (PRIVATE, "private", 91_000, "Unpublished glucose study", "未发表的血糖研究"),
        (QUIET, "open", 5_200, "A trait without any association", "没有任何关联的性状"),
        (SMALL, "open", 430, "A first look at a rare disease", "一种罕见病的初步研究"),
        (GAPS, "open", 12_000, "A study with many missing values", "缺失值很多的研究"),
    )
    for id_, access, n, title, title_zh in special:
        trait = Trait(id_.lower(), title, title_zh, category="Other", n=n)
        studies.append(Study(id_, title=title, title_zh=title_zh, access=access, traits=(trait,)))
    return studies


def _hostile() -> Study:
    return Study(
        HOSTILE,
        title=MARKUP,
        access="open",
        ancestry=MARKUP,
        licence=MARKUP,
        publication="javascript:alert(1)",
        source=MARKUP,
        effect_unit=MARKUP,
        traits=(Trait("hostile", MARKUP, category=MARKUP, n=9_000),),
    )


def _study(at: int, id_: str, label: str, label_zh: str, category: str, unit: str) -> Study:
    disease = not unit
    n = 40_000.0 + 17_000 * (at % 5)
    trait = Trait(
        id_,
        label,
        label_zh,
        category=category,
        n=n,
        n_cases=n * 0.12 if disease else None,
        n_controls=n * 0.88 if disease else None,
    )
    return Study(
        f"SC{at + 1:04d}",
        title=f"{label} in {_ANCESTRIES[at % 3]} adults",
        title_zh=f"{label_zh}（成年人）",
        access="open",
        ancestry=_ANCESTRIES[at % 3],
        licence="CC0-1.0",
        effect_unit=unit,
        effect_scale="log_odds" if disease else "linear",
        assembly_source="GRCh37",
        traits=(trait,),
    )


def _planes(
    study: Study, at: int, causal: list[npt.NDArray[np.int64]], frequency: Any, rng: np.random.Generator
) -> tuple[Any, Any, Any]:
    """z, se and eaf of one study: noise alike among neighbours, with peaks at its causal places."""
    size = len(frequency)
    z = rng.standard_normal(size)
    for _ in range(2):  # neighbours share part of their noise, as variants in LD do
        z[1:] = 0.6 * z[:-1] + 0.8 * z[1:]
    z /= z.std() / 1.02
    if study.id not in {QUIET, HOSTILE}:
        own = causal[at // 4 % 4]
        height = rng.gamma(2.0, 2.2, len(own)) * rng.choice([-1, 1], len(own))
        height[0] = rng.choice([-1, 1]) * rng.uniform(8, 31)
        for place, peak in zip(own.tolist(), height.tolist(), strict=True):
            rows = np.arange(max(0, place - 12), min(size, place + 13))
            z[rows] += peak * 0.72 ** np.abs(rows - place)
    else:
        z = np.clip(z, -4.0, 4.0)
    n = study.traits[0].n or 10_000.0
    eaf = np.clip(frequency + rng.normal(0, 0.03, size), 0.001, 0.999)
    se = 1 / np.sqrt(2 * n * eaf * (1 - eaf))
    if study.id == GAPS:
        eaf = np.full(size, np.nan)
        z[rng.random(size) < 0.4] = np.nan
        se[np.isnan(z)] = np.nan
    return z.astype(np.float32), se.astype(np.float32), eaf.astype(np.float32)


def _proteins(store: AssociationStore, axis: Features, frequency: Any, rng: np.random.Generator) -> None:
    """A study of six proteins, each with results around its own gene only."""
    rows = rng.integers(100, len(axis) - 100, 6)
    traits = tuple(
        Trait(f"P{k}", f"Protein {k}", f"蛋白 {k}", category="Protein", n=3_301) for k in range(len(rows))
    )
    study = Study(PROTEINS, title="Plasma proteins", title_zh="血浆蛋白", access="open", traits=traits)
    staged = store.stage(study)
    for k, place in enumerate(rows.tolist()):
        near = np.arange(place - 40, place + 41)
        z = rng.standard_normal(81) + 14 * 0.8 ** np.abs(near - place)
        block = Block(
            locus=axis.locus[near],
            allele=axis.allele[near],
            z=z.astype(np.float32),
            se=np.full(81, 0.05, np.float32),
            eaf=frequency[near].astype(np.float32),
            rsid=axis.rsid[near],
            trait=np.full(81, k, np.uint32),
        )
        staged.add(block)
    staged.publish(_receipt(81 * len(rows)))


def _receipt(rows: int) -> dict[str, Any]:
    """What an import of `rows` kept rows may have written."""
    return {
        "rows": {"in": rows + 17, "kept": rows, "dropped": 17},
        "dropped": [{"rule": "no_position", "count": 17}],
        "changed": [{"rule": "alleles_swapped", "count": rows // 3}],
    }
