"""Every stored and answered field, declared once: name, type, unit, missing value, meaning.

Names follow GWAS-SSF where it has one. Stores, answers, pages, the OpenAPI document and the
reference in docs are all made from this table. No input or output here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `type` is an Arrow type as text ('float32', 'string' …), `missing` how it is absent."""

    name: str
    type: str
    unit: str
    missing: str
    title_en: str
    title_zh: str
    meaning_en: str
    meaning_zh: str

    @property
    def arrow(self) -> pa.Field:
        """The field as an Arrow field, with unit and meaning in its metadata."""
        text = {"unit": self.unit, "meaning": self.meaning_en, "meaning_zh": self.meaning_zh}
        return pa.field(self.name, _TYPES[self.type], metadata={k: v for k, v in text.items() if v})


_TYPES: Final[dict[str, pa.DataType]] = {
    "float32": pa.float32(),
    "float64": pa.float64(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "uint32": pa.uint32(),
    "bool": pa.bool_(),
    "string": pa.string(),
    "dictionary": pa.dictionary(pa.int32(), pa.string()),
}


def _f(
    name: str, type_: str, unit: str, missing: str, title: tuple[str, str], meaning: tuple[str, str]
) -> Field:
    return Field(name, type_, unit, missing, title[0], title[1], meaning[0], meaning[1])


_ALL: Final = (
    _f(
        "chromosome",
        "dictionary",
        "",
        "null",
        ("Chromosome", "染色体"),
        ("Contig of the feature in the home assembly.", "特征所在的参考序列（本库参考基因组）。"),
    ),
    _f(
        "base_pair_location",
        "uint32",
        "bp",
        "null",
        ("Position", "位置"),
        ("1-based position in the home assembly.", "在本库参考基因组上的位置，从 1 起计。"),
    ),
    _f(
        "end",
        "uint32",
        "bp",
        "null",
        ("End", "终点"),
        ("Last base of a feature longer than one base.", "特征的末位碱基（长于一个碱基时）。"),
    ),
    _f(
        "effect_allele",
        "string",
        "",
        "null",
        ("Effect allele", "效应等位基因"),
        (
            "Allele whose effect is given; the alternate allele of the stored variant.",
            "效应值所对应的等位基因，即所存变异的替代等位基因。",
        ),
    ),
    _f(
        "other_allele",
        "string",
        "",
        "null",
        ("Other allele", "另一等位基因"),
        (
            "The allele compared with; the reference allele of the stored variant.",
            "作为对照的等位基因，即所存变异的参考等位基因。",
        ),
    ),
    _f(
        "rsid",
        "string",
        "",
        "null",
        ("rsID", "rs 编号"),
        ("dbSNP identifier as given by a source.", "来源给出的 dbSNP 编号。"),
    ),
    _f(
        "feature_name",
        "string",
        "",
        "null",
        ("Feature", "特征"),
        (
            "Name of a feature that is not a variant: gene, CpG site, protein, interval.",
            "非变异特征的名称：基因、CpG 位点、蛋白、区间。",
        ),
    ),
    _f("study_id", "dictionary", "", "never", ("Study", "研究"), ("Identifier of the study.", "研究编号。")),
    _f(
        "trait_id",
        "dictionary",
        "",
        "never",
        ("Trait", "性状编号"),
        ("Identifier of the trait within its study.", "性状在其研究内的编号。"),
    ),
    _f("trait", "dictionary", "", "never", ("Trait", "性状"), ("Label of the trait.", "性状名称。")),
    _f(
        "beta",
        "float32",
        "effect unit of the study",
        "NaN",
        ("Effect", "效应值"),
        (
            "Effect of one more copy of the effect allele; log odds where the study says so.",
            "每多一个效应等位基因的效应；若研究注明为对数比值，则为对数比值。",
        ),
    ),
    _f(
        "standard_error",
        "float32",
        "as beta",
        "NaN",
        ("Standard error", "标准误"),
        ("Standard error of beta.", "效应值的标准误。"),
    ),
    _f(
        "z",
        "float32",
        "",
        "NaN",
        ("z", "z 值"),
        (
            "Beta divided by its standard error, or from p and sign.",
            "效应值除以标准误，或由 p 值与方向得出。",
        ),
    ),
    _f(
        "neg_log_10_p_value",
        "float32",
        "",
        "NaN",
        ("−log₁₀ p", "−log₁₀ p"),
        (
            "Two-sided p as −log₁₀, from z in log space; never underflows.",
            "双侧 p 值的 −log₁₀，由 z 在对数空间算出，不会下溢。",
        ),
    ),
    _f(
        "p_value",
        "float64",
        "",
        "NaN",
        ("p", "p 值"),
        (
            "Two-sided p from z; 0 below 5e-324, where −log₁₀ p still tells.",
            "由 z 得出的双侧 p 值；小于 5e-324 时为 0，此时请看 −log₁₀ p。",
        ),
    ),
    _f(
        "effect_allele_frequency",
        "float32",
        "",
        "NaN",
        ("Frequency", "频率"),
        ("Frequency of the effect allele in the study, 0 to 1.", "效应等位基因在研究人群中的频率，0 至 1。"),
    ),
    _f(
        "n",
        "float32",
        "people",
        "NaN",
        ("n", "样本量"),
        (
            "Number of people: of the cell where given, else of the trait.",
            "样本量：有逐点数据则用之，否则为性状样本量。",
        ),
    ),
    _f(
        "info",
        "float32",
        "",
        "NaN",
        ("Info", "填补质量"),
        ("Imputation quality as the source gave it, 0 to 1.", "来源给出的基因型填补质量，0 至 1。"),
    ),
    _f(
        "nearest_gene",
        "string",
        "",
        "null",
        ("Nearest gene", "最近基因"),
        (
            "Symbol of the gene nearest to the feature, when genes are loaded.",
            "最近基因的符号（已导入基因时）。",
        ),
    ),
    _f(
        "locus_start",
        "uint32",
        "bp",
        "null",
        ("Locus start", "位点起点"),
        ("First base of the locus a lead feature stands for.", "先导特征所代表位点的首位碱基。"),
    ),
    _f(
        "locus_end",
        "uint32",
        "bp",
        "null",
        ("Locus end", "位点终点"),
        ("Last base of the locus a lead feature stands for.", "先导特征所代表位点的末位碱基。"),
    ),
    _f(
        "features_in_locus",
        "int32",
        "",
        "never",
        ("Features in locus", "位点内特征数"),
        ("Features with p below the locus threshold inside the locus.", "位点内 p 值低于阈值的特征数。"),
    ),
)

FIELDS: Final[dict[str, Field]] = {f.name: f for f in _ALL}


def schema_of(names: Iterable[str]) -> pa.Schema:
    """Arrow schema of the named fields, in the order given. Raises KeyError for an undeclared name.

    >>> schema_of(["z"]).field("z").type
    DataType(float)
    """
    return pa.schema([FIELDS[name].arrow for name in names])
