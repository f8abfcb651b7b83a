"""Every stored and answered field, declared once: name, type, unit, missing value, meaning.

Names follow GWAS-SSF where it has one. Stores, answers, pages, the OpenAPI document and the
reference in docs are all made from this table. No input or output here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
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
    "list<uint32>": pa.list_(pa.uint32()),
}


def _f(
    name: str, type_: str, unit: str, missing: str, title: tuple[str, str], meaning: tuple[str, str]
) -> Field:
    return Field(name, type_, unit, missing, title[0], title[1], meaning[0], meaning[1])


_HYPOTHESES: Final = (
    ("neither trait has a causal variant in the region.", "两性状在该区间内都没有致因变异。"),
    ("only the first trait has one.", "只有第一个性状有。"),
    ("only the second trait has one.", "只有第二个性状有。"),
    ("both have one, two different variants.", "两者都有，但为不同变异。"),
    ("both have one, the same variant.", "两者都有，且为同一变异。"),
)


def _of_side(side: str, en: str, zh: str) -> tuple[Field, ...]:
    """What is told of a feature in each of two studies, its effect always of the same allele."""
    numbers = (
        ("beta", "float32", "effect unit of the study", "Effect", "效应值"),
        ("standard_error", "float32", "as beta", "Standard error", "标准误"),
        ("neg_log_10_p_value", "float32", "", "−log₁₀ p", "−log₁₀ p"),
        ("effect_allele_frequency", "float32", "", "Frequency", "频率"),
        ("log_bayes_factor", "float64", "", "ln BF", "ln 贝叶斯因子"),
    )
    return tuple(
        _f(
            f"{name}_{side}",
            type_,
            unit,
            "NaN",
            (f"{title} ({side})", f"{title_zh}（{side}）"),
            (
                f"{title} in the {en} study, for the effect allele of the row.",
                f"{zh}研究中的{title_zh}，以本行效应等位基因计。",
            ),
        )
        for name, type_, unit, title, title_zh in numbers
    )


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
    _f(
        "stands_for_bin",
        "bool",
        "",
        "never",
        ("Strongest of its bin", "区段内最强"),
        (
            "The feature is the strongest of a bin of bases and stands for all weaker ones in it.",
            "该特征是所在区段内最强的一个，代表区段内其余较弱的特征。",
        ),
    ),
    _f(
        "title",
        "string",
        "",
        "null",
        ("Title", "标题"),
        ("Title of the study as its owner gave it.", "研究所有者给出的标题。"),
    ),
    _f(
        "title_zh",
        "string",
        "",
        "null",
        ("Title (Chinese)", "中文标题"),
        ("Title of the study in Chinese.", "研究的中文标题。"),
    ),
    _f(
        "access",
        "dictionary",
        "",
        "never",
        ("Access", "访问权限"),
        (
            "'open': everyone may read it; 'private': the owner and who was granted it.",
            "open：任何人可读；private：仅所有者与获授权者可读。",
        ),
    ),
    _f(
        "ancestry",
        "string",
        "",
        "null",
        ("Ancestry", "祖源"),
        ("Ancestry of the people studied, free text.", "研究人群的祖源，自由文本。"),
    ),
    _f(
        "sex",
        "string",
        "",
        "null",
        ("Sex", "性别"),
        ("Sex of the people studied, where only one was.", "研究人群的性别（仅限单一性别时）。"),
    ),
    _f(
        "licence",
        "string",
        "",
        "null",
        ("Licence", "许可"),
        ("Licence under which the numbers may be used.", "数据的使用许可。"),
    ),
    _f(
        "publication",
        "string",
        "",
        "null",
        ("Publication", "文献"),
        ("Publication the study belongs to.", "研究所属的文献。"),
    ),
    _f(
        "source",
        "string",
        "",
        "null",
        ("Source", "来源"),
        ("Where the study's files came from.", "研究文件的来源。"),
    ),
    _f(
        "effect_unit",
        "string",
        "",
        "null",
        ("Unit of effect", "效应单位"),
        ("What one unit of beta is.", "效应值一个单位的含义。"),
    ),
    _f(
        "effect_scale",
        "dictionary",
        "",
        "never",
        ("Scale of effect", "效应尺度"),
        (
            "What beta is: linear, log_odds, log_hazard, z_score or unknown.",
            "效应值的尺度：linear 线性、log_odds 对数比值、log_hazard 对数风险、z_score z 值、unknown 未知。",
        ),
    ),
    _f(
        "feature_kind",
        "dictionary",
        "",
        "never",
        ("Kind of feature", "特征类型"),
        (
            "What a row of the study is: variant, gene, cpg, protein, interval or other.",
            "研究中一行代表什么：变异、基因、CpG 位点、蛋白、区间或其他。",
        ),
    ),
    _f(
        "assembly_source",
        "string",
        "",
        "null",
        ("Source assembly", "来源参考基因组"),
        (
            "Assembly of the source file, before lift-over to the home assembly.",
            "来源文件所用的参考基因组（坐标转换之前）。",
        ),
    ),
    _f(
        "study_version",
        "int32",
        "",
        "never",
        ("Version", "版本"),
        ("Version of the study; each replacement counts one up.", "研究的版本号，每次替换加一。"),
    ),
    _f(
        "published",
        "string",
        "",
        "never",
        ("Published", "发布时间"),
        ("When this version was published here, ISO 8601, UTC.", "该版本在本库的发布时间（ISO 8601，UTC）。"),
    ),
    _f(
        "trait_count",
        "int32",
        "",
        "never",
        ("Traits", "性状数"),
        ("Number of traits in the study.", "研究包含的性状数。"),
    ),
    _f(
        "cell_count",
        "int64",
        "",
        "never",
        ("Associations", "关联数"),
        ("Number of cells (feature × trait) stored for the study.", "研究所存的关联数（特征 × 性状）。"),
    ),
    _f(
        "trait_zh",
        "string",
        "",
        "null",
        ("Trait (Chinese)", "中文性状名"),
        ("Label of the trait in Chinese.", "性状的中文名称。"),
    ),
    _f(
        "category",
        "dictionary",
        "",
        "null",
        ("Category", "类别"),
        ("Group the trait is shown in.", "性状所属的类别。"),
    ),
    _f(
        "ontology",
        "string",
        "",
        "null",
        ("Ontology", "本体"),
        (
            "Ontology terms of the trait as CURIEs, separated by spaces.",
            "性状的本体术语（CURIE），以空格分隔。",
        ),
    ),
    _f(
        "n_cases",
        "float32",
        "people",
        "NaN",
        ("Cases", "病例数"),
        ("Number of people with the condition.", "病例人数。"),
    ),
    _f(
        "n_controls",
        "float32",
        "people",
        "NaN",
        ("Controls", "对照数"),
        ("Number of people without the condition.", "对照人数。"),
    ),
    _f(
        "start",
        "uint32",
        "bp",
        "null",
        ("Start", "起点"),
        (
            "First base of a feature longer than one base, 1-based.",
            "特征的首位碱基（长于一个碱基时），从 1 起计。",
        ),
    ),
    _f(
        "measure",
        "string",
        "",
        "never",
        ("Measure", "计量"),
        ("Name of a measure of the centre.", "本中心一项计量的名称。"),
    ),
    _f(
        "measure_title",
        "string",
        "",
        "never",
        ("Title", "名称（英文）"),
        ("What a measure is called, in English.", "计量的英文名称。"),
    ),
    _f(
        "measure_title_zh",
        "string",
        "",
        "never",
        ("Title, Chinese", "名称"),
        ("What a measure is called, in Chinese.", "计量的中文名称。"),
    ),
    _f(
        "measure_kind",
        "string",
        "",
        "never",
        ("Kind", "类型"),
        ("gauge: a state; counter: only ever grows.", "gauge 为状态值；counter 只增不减。"),
    ),
    _f(
        "aggregation",
        "string",
        "",
        "never",
        ("Over a period", "期间汇总"),
        (
            "How samples tell of a period: last, rise (end minus start) or mean.",
            "取样如何说明一段期间：last 取期末值，rise 取期末减期初，mean 取均值。",
        ),
    ),
    _f(
        "value",
        "float64",
        "",
        "null",
        ("Value", "数值"),
        (
            "Number of a measure; of a track, the mean of its signal over the bases of a row that have one.",
            "计量的数值；对轨道而言，为该行范围内有信号的碱基的均值。",
        ),
    ),
    _f("unit", "string", "", "never", ("Unit", "单位"), ("Unit of a value, UCUM.", "数值的单位（UCUM）。")),
    _f(
        "time",
        "string",
        "",
        "never",
        ("Time", "时间"),
        ("When it was read, ISO 8601 in UTC.", "读取时间（ISO 8601，UTC）。"),
    ),
    _f("note", "string", "", "null", ("Note", "说明"), ("Why there is no value.", "没有数值的原因。")),
    _f(
        "gene_symbol",
        "string",
        "",
        "never",
        ("Gene", "基因"),
        ("Symbol of the gene in the imported gene table.", "基因符号（取自所导入的基因表）。"),
    ),
    _f(
        "gene_id",
        "string",
        "",
        "null",
        ("Gene ID", "基因编号"),
        ("Identifier of the gene in the imported gene table.", "基因编号（取自所导入的基因表）。"),
    ),
    _f(
        "gene_type",
        "dictionary",
        "",
        "null",
        ("Gene type", "基因类型"),
        ("Biotype of the gene, as its source gives it.", "基因的生物型，按来源原样给出。"),
    ),
    _f(
        "strand",
        "dictionary",
        "",
        "null",
        ("Strand", "链"),
        ("Strand of the gene: + or −.", "基因所在的链：+ 或 −。"),
    ),
    _f(
        "log_bayes_factor",
        "float64",
        "",
        "NaN",
        ("ln BF", "ln 贝叶斯因子"),
        (
            "Natural logarithm of Wakefield's approximate Bayes factor: an effect against none.",
            "Wakefield 近似贝叶斯因子的自然对数（有效应对无效应）。",
        ),
    ),
    _f(
        "posterior_probability",
        "float64",
        "",
        "NaN",
        ("Posterior", "后验概率"),
        (
            "Probability that this is the causal variant, were there exactly one and it among those given.",
            "若区间内恰有一个致因变异且已被检测，该变异即为致因变异的概率。",
        ),
    ),
    _f(
        "cumulative_probability",
        "float64",
        "",
        "NaN",
        ("Cumulative", "累计概率"),
        (
            "Posterior of this variant and all more probable ones of the region together.",
            "该变异与区间内所有后验概率更高的变异的概率之和。",
        ),
    ),
    _f(
        "credible_set",
        "int32",
        "",
        "never",
        ("Credible set", "可信集"),
        ("Number of the credible set within the answer, from 1.", "可信集在本次回答中的序号，从 1 起。"),
    ),
    _f(
        "selected_in",
        "dictionary",
        "",
        "never",
        ("Lead in", "先导于"),
        (
            "Which study the variant leads a locus of: a, b or both.",
            "该变异在哪个研究中为位点先导：a、b 或 both（两者）。",
        ),
    ),
    *(
        field
        for side, en, zh in (("a", "first", "第一个"), ("b", "second", "第二个"))
        for field in _of_side(side, en, zh)
    ),
    _f(
        "variants",
        "int32",
        "",
        "never",
        ("Variants", "变异数"),
        ("Variants of the region with numbers in both studies.", "区间内两个研究都有数据的变异数。"),
    ),
    *(
        _f(
            f"posterior_h{k}",
            "float64",
            "",
            "never",
            (f"H{k}", f"H{k}"),
            (f"Posterior probability of H{k}: {en}", f"H{k} 的后验概率：{zh}"),
        )
        for k, (en, zh) in enumerate(_HYPOTHESES)
    ),
    _f(
        "shared_posterior",
        "float64",
        "",
        "NaN",
        ("Posterior if shared", "共享时的后验概率"),
        (
            "Probability that this variant is the shared one, were there one shared causal variant (H4).",
            "若两性状共享同一致因变异（H4），该变异即为它的概率。",
        ),
    ),
    _f(
        "description",
        "string",
        "",
        "null",
        ("Description", "描述"),
        ("What a gene is, in the words of its source.", "来源对基因的描述。"),
    ),
    _f(
        "synonyms",
        "string",
        "",
        "null",
        ("Synonyms", "别名"),
        ("Other symbols of a gene, separated by spaces.", "基因的其他符号，以空格分隔。"),
    ),
    _f(
        "transcript_id",
        "string",
        "",
        "never",
        ("Transcript", "转录本"),
        (
            "Identifier of the transcript, with its version where the source has one.",
            "转录本编号（来源带版本号时一并给出）。",
        ),
    ),
    _f(
        "biotype",
        "dictionary",
        "",
        "null",
        ("Biotype", "生物型"),
        ("Biotype of the transcript, as its source gives it.", "转录本的生物型，按来源原样给出。"),
    ),
    _f(
        "canonical",
        "bool",
        "",
        "never",
        ("Canonical", "代表性转录本"),
        (
            "Whether the source marks it as the gene's transcript of choice (MANE Select, Ensembl canonical …).",
            "来源是否将其标为该基因的代表性转录本（MANE Select、Ensembl canonical 等）。",
        ),
    ),
    _f(
        "tags",
        "string",
        "",
        "null",
        ("Tags", "标签"),
        ("Marks the source gives a transcript, separated by spaces.", "来源给转录本的标签，以空格分隔。"),
    ),
    _f(
        "exon_starts",
        "list<uint32>",
        "bp",
        "never",
        ("Exon starts", "外显子起点"),
        (
            "First bases of the exons, 1-based, in genome order.",
            "各外显子的首位碱基，从 1 起计，按基因组次序。",
        ),
    ),
    _f(
        "exon_ends",
        "list<uint32>",
        "bp",
        "never",
        ("Exon ends", "外显子终点"),
        ("Last bases of the exons.", "各外显子的末位碱基。"),
    ),
    _f(
        "cds_start",
        "uint32",
        "bp",
        "null",
        ("CDS start", "编码区起点"),
        (
            "First coding base in genome order, the stop codon included.",
            "编码区在基因组上的首位碱基（含终止密码子）。",
        ),
    ),
    _f(
        "cds_end",
        "uint32",
        "bp",
        "null",
        ("CDS end", "编码区终点"),
        (
            "Last coding base in genome order, the stop codon included.",
            "编码区在基因组上的末位碱基（含终止密码子）。",
        ),
    ),
    _f(
        "track",
        "string",
        "",
        "never",
        ("Track", "轨道"),
        ("Name of the track in this centre.", "轨道在本库中的名称。"),
    ),
    _f(
        "track_kind",
        "dictionary",
        "",
        "never",
        ("Kind of track", "轨道类型"),
        (
            "intervals, signal, recombination or cytobands.",
            "intervals 区间、signal 信号、recombination 重组图谱或 cytobands 染色体带。",
        ),
    ),
    _f(
        "track_version",
        "int32",
        "",
        "never",
        ("Version", "版本"),
        (
            "Version of the track; each import of its name counts one up.",
            "轨道的版本号，同名再次导入时加一。",
        ),
    ),
    _f(
        "imported",
        "string",
        "",
        "never",
        ("Imported", "导入时间"),
        ("When this version was imported, ISO 8601, UTC.", "该版本的导入时间（ISO 8601，UTC）。"),
    ),
    _f(
        "feature_count",
        "int64",
        "",
        "never",
        ("Features", "特征数"),
        ("Number of intervals, points, bands or values of a track.", "轨道所含区间、点、带或数值的数目。"),
    ),
    _f(
        "score",
        "float32",
        "",
        "NaN",
        ("Score", "分值"),
        ("Score of an interval, as its source gives it.", "区间的分值，按来源原样给出。"),
    ),
    _f(
        "colour",
        "string",
        "",
        "null",
        ("Colour", "颜色"),
        ("Colour the source gives an interval, as red,green,blue.", "来源给区间的颜色（红,绿,蓝）。"),
    ),
    _f(
        "thick_start",
        "uint32",
        "bp",
        "null",
        ("Thick start", "粗段起点"),
        ("First base of the part drawn thick.", "粗线绘制部分的首位碱基。"),
    ),
    _f(
        "thick_end",
        "uint32",
        "bp",
        "null",
        ("Thick end", "粗段终点"),
        ("Last base of the part drawn thick.", "粗线绘制部分的末位碱基。"),
    ),
    _f(
        "block_starts",
        "list<uint32>",
        "bp",
        "null",
        ("Block starts", "区块起点"),
        ("First bases of the blocks of an interval, 1-based.", "区间内各区块的首位碱基，从 1 起计。"),
    ),
    _f(
        "block_ends",
        "list<uint32>",
        "bp",
        "null",
        ("Block ends", "区块终点"),
        ("Last bases of the blocks of an interval.", "区间内各区块的末位碱基。"),
    ),
    _f(
        "recombination_rate",
        "float64",
        "cM/Mb",
        "NaN",
        ("Recombination rate", "重组率"),
        ("Rate from this position to the next of the map.", "由此位置至图谱下一位置的重组率。"),
    ),
    _f(
        "genetic_position",
        "float64",
        "cM",
        "NaN",
        ("Genetic position", "遗传位置"),
        ("Position on the genetic map.", "在遗传图谱上的位置。"),
    ),
    _f(
        "band",
        "string",
        "",
        "null",
        ("Band", "染色体带"),
        ("Name of the cytogenetic band, without its chromosome.", "染色体带的名称（不含染色体号）。"),
    ),
    _f(
        "stain",
        "dictionary",
        "",
        "null",
        ("Stain", "染色"),
        (
            "Giemsa stain as UCSC writes it: gneg, gpos25 … acen, gvar, stalk.",
            "吉姆萨染色，按 UCSC 写法：gneg、gpos25、acen、gvar、stalk 等。",
        ),
    ),
    _f(
        "panel",
        "dictionary",
        "",
        "never",
        ("Panel", "参考面板"),
        ("Set of genotypes that LD is computed from.", "计算连锁不平衡所用的基因型集。"),
    ),
    _f(
        "panel_kind",
        "dictionary",
        "",
        "never",
        ("Kind of panel", "面板类型"),
        (
            "ld-panel: a reference panel; samples: people of a study.",
            "ld-panel：参考面板；samples：研究样本。",
        ),
    ),
    _f(
        "panel_version",
        "int32",
        "",
        "never",
        ("Version of panel", "面板版本"),
        ("Version of the set of genotypes, from 1.", "基因型集的版本，从 1 起计。"),
    ),
    _f(
        "population",
        "dictionary",
        "",
        "null",
        ("Population", "人群"),
        (
            "Population or superpopulation of a panel; empty: everyone in it.",
            "面板中的人群或大区人群；空则为全部样本。",
        ),
    ),
    _f(
        "people",
        "int32",
        "people",
        "never",
        ("People", "人数"),
        ("People of the population.", "该人群的人数。"),
    ),
    _f(
        "variant_count",
        "int64",
        "",
        "never",
        ("Variants", "变异数"),
        ("Variants of the panel.", "面板中的变异数。"),
    ),
    _f(
        "phased",
        "bool",
        "",
        "never",
        ("Phased", "已定相"),
        (
            "Whether haplotypes are known, so that LD is counted rather than estimated.",
            "单体型是否已知；已知则 LD 为直接计数而非估计。",
        ),
    ),
    _f(
        "usable",
        "bool",
        "",
        "never",
        ("Usable", "可用"),
        ("Whether this reader may ask for LD in it.", "当前读者能否查询其连锁不平衡。"),
    ),
    _f(
        "distance_bp",
        "int32",
        "bp",
        "never",
        ("Distance", "距离"),
        ("Position less that of the asked or index variant.", "与所查变异（或索引变异）的位置差。"),
    ),
    _f(
        "panel_frequency",
        "float32",
        "",
        "NaN",
        ("Frequency in panel", "面板频率"),
        (
            "Frequency of the effect allele in the population of the panel, 0 to 1.",
            "效应等位基因在面板该人群中的频率，0 至 1。",
        ),
    ),
    _f(
        "r",
        "float32",
        "",
        "NaN",
        ("r", "r"),
        (
            "Correlation with the asked variant: above 0 where the two effect alleles go together.",
            "与所查变异的相关系数；大于 0 表示两个效应等位基因倾向同时出现。",
        ),
    ),
    _f(
        "r2",
        "float32",
        "",
        "NaN",
        ("r²", "r²"),
        ("Square of the correlation, 0 to 1.", "相关系数的平方，0 至 1。"),
    ),
    _f(
        "d_prime",
        "float32",
        "",
        "NaN",
        ("|D′|", "|D′|"),
        (
            "Size of D over the largest the two frequencies allow (Lewontin), 0 to 1; its sign is that of r.",
            "D 与两个频率所允许的最大值之比（Lewontin）的绝对值，0 至 1；符号同 r。",
        ),
    ),
    _f(
        "people_called",
        "int32",
        "people",
        "never",
        ("Called in both", "两处均有分型"),
        ("People of the population with a genotype at both variants.", "该人群中两个变异均有基因型的人数。"),
    ),
    _f(
        "ld_state",
        "dictionary",
        "",
        "never",
        ("LD", "LD 状态"),
        (
            "measured; monomorphic: one of the two does not vary in these people; too_few: under two people called.",
            "measured：已计算；monomorphic：其一在这些人中无变异；too_few：两处均有分型者不足两人。",
        ),
    ),
    _f(
        "variant_1",
        "string",
        "",
        "never",
        ("Variant", "变异"),
        (
            "First variant of a pair, chromosome-position-other-effect.",
            "一对变异中的第一个：染色体-位置-另一等位基因-效应等位基因。",
        ),
    ),
    _f(
        "variant_2",
        "string",
        "",
        "never",
        ("Other variant", "另一变异"),
        ("Second variant of a pair.", "一对变异中的第二个。"),
    ),
    _f(
        "term",
        "string",
        "",
        "never",
        ("Term", "术语"),
        ("Identifier of a term or thing, as a CURIE.", "术语或事物的编号（CURIE）。"),
    ),
    _f(
        "term_label",
        "string",
        "",
        "null",
        ("Label", "名称"),
        ("What a term is called; null where no source describes it.", "术语的名称；没有来源描述时为空。"),
    ),
    _f(
        "term_label_zh",
        "string",
        "",
        "null",
        ("Chinese label", "中文名称"),
        ("What a term is called in Chinese.", "术语的中文名称。"),
    ),
    _f(
        "predicate",
        "string",
        "",
        "never",
        ("Predicate", "关系"),
        (
            "How subject and object are related; 'not …' where the source denies it.",
            "主体与客体之间的关系；来源予以否定时以 not 开头。",
        ),
    ),
    _f(
        "direction",
        "string",
        "",
        "never",
        ("Direction", "方向"),
        (
            "out: the asked term is the subject of the statement; in: it is the object.",
            "out：所问术语为陈述的主体；in：为客体。",
        ),
    ),
    _f(
        "strength",
        "float32",
        "",
        "null",
        ("Strength", "强度"),
        (
            "Score of a statement, brought to 0 to 1 in 8 bits; null where the source gives none.",
            "陈述的分值，折算到 0 至 1（8 位）；来源未给出时为空。",
        ),
    ),
    _f(
        "sources",
        "string",
        "",
        "never",
        ("Sources", "来源"),
        ("Sources that say so, separated by |.", "作此陈述的来源，以 | 分隔。"),
    ),
    _f(
        "publications",
        "string",
        "",
        "null",
        ("Publications", "文献"),
        (
            "Publications a statement rests on, as CURIEs, separated by |.",
            "陈述所依据的文献（CURIE），以 | 分隔。",
        ),
    ),
    _f(
        "through",
        "string",
        "",
        "never",
        ("Through", "经由"),
        (
            "The identifier that is tied: the asked one, or one that means the same.",
            "实际相连的编号：所问的编号，或与其同义的编号。",
        ),
    ),
    _f(
        "hops",
        "int32",
        "",
        "never",
        ("Hops", "步数"),
        ("Steps from the asked term, the fewest there are.", "距所问术语的最少步数。"),
    ),
    _f(
        "clump",
        "int32",
        "",
        "never",
        ("Clump", "聚块"),
        ("Number of the clump, strongest first, from 1.", "聚块序号，由强到弱，从 1 起计。"),
    ),
    _f(
        "index_variant",
        "bool",
        "",
        "never",
        ("Index", "索引变异"),
        (
            "Whether this is the variant that the clump is named after, its strongest.",
            "是否为该聚块中最强、用以命名的变异。",
        ),
    ),
)

FIELDS: Final[dict[str, Field]] = {f.name: f for f in _ALL}


def schema_of(names: Iterable[str]) -> pa.Schema:
    """Arrow schema of the named fields, in the order given. Raises KeyError for an undeclared name.

    >>> schema_of(["z"]).field("z").type
    DataType(float)
    """
    return _schema_of(tuple(names))


@lru_cache(maxsize=256)  # 30 µs made anew, of the 800 that a PheWAS takes
def _schema_of(names: tuple[str, ...]) -> pa.Schema:
    return pa.schema([FIELDS[name].arrow for name in names])
