"""The routes of /api/v1 and what each takes; `answers` says how each is answered.

A route added here is added to the server, to its OpenAPI document, to the reference and to the tests
that hold for every route.
"""

from __future__ import annotations

from typing import Final

from nexome.access.answers import (
    ASSOCIATION_COLUMNS,
    LOCUS_COLUMNS,
    STUDY_COLUMNS,
    TOP_COLUMNS,
    TRAIT_COLUMNS,
)
from nexome.access.windows import POINTS, POINTS_MAX
from nexome.web.api.answers import (
    LOOKUP_MAX,
    SEARCH_MAX,
    answer_associations,
    answer_download,
    answer_fields,
    answer_gene,
    answer_health,
    answer_loci,
    answer_lookup,
    answer_phewas,
    answer_receipt,
    answer_region,
    answer_search,
    answer_studies,
    answer_study,
    answer_suggest,
    answer_summary,
    answer_top,
    answer_traits,
    answer_variant,
)
from nexome.web.api.cohorts import COHORT_ROUTES
from nexome.web.api.declare import Parameter, Route
from nexome.web.api.interpreting import INTERPRETING_ROUTES
from nexome.web.api.knowledge import KNOWLEDGE_ROUTES
from nexome.web.api.ld import LD_ROUTES
from nexome.web.api.meaning import MEANING_ROUTES
from nexome.web.api.measures import HISTORY_COLUMNS, MEASURE_COLUMNS, answer_history, answer_measures
from nexome.web.api.parameters import PAGE, STUDY, TRAIT, table_parameters
from nexome.web.api.reference import REFERENCE_ROUTES
from nexome.web.api.tracks import TRACK_ROUTES
from nexome.web.api.windows import LD_PARAMETERS, WINDOW_ANSWER_COLUMNS, answer_window

_VARIANT: Final = Parameter(
    "variant",
    "text",
    "An rs number, a position, a position with alleles, or the name of a feature.",
    "rs 编号、位置、位置加等位基因，或特征名称。",
    "2-135851076-G-A",
    place="path",
)
_SEARCH: Final = Parameter("search", "text", "Words to look for.", "要查找的词。", "glucose")
_STUDIES: Final = Parameter(
    "studies", "list", "Only these studies, separated by commas.", "只看这些研究，以逗号分隔。"
)
_MIN_P: Final = Parameter(
    "min_neg_log_10_p",
    "number",
    "Only associations at least this strong (−log₁₀ p).",
    "只要不弱于此值的关联（−log₁₀ p）。",
    "5",
)
_TABLE: Final = table_parameters("trait,beta")
_PAGED: Final = (*PAGE, *_TABLE)
_VARIANTS: Final = Parameter(
    "variants",
    "list",
    f"Up to {LOOKUP_MAX} variants, separated by commas.",
    f"至多 {LOOKUP_MAX} 个变异，以逗号分隔。",
    "rs4988235,7-44189469-G-A",
    required=True,
)
_LIMIT: Final = Parameter(
    "limit", "integer", f"Most hits, up to {SEARCH_MAX}.", f"最多条数，至多 {SEARCH_MAX}。", "20"
)
_TEXT: Final = Parameter("q", "text", "What was typed.", "输入的文字。", "rs4988235", required=True)

_FIELD_COLUMNS: Final = (
    "name",
    "type",
    "unit",
    "missing",
    "title_en",
    "title_zh",
    "meaning_en",
    "meaning_zh",
)
_HIT_COLUMNS: Final = ("kind", "id", "label", "label_zh", "note", "certain", "why", "through", "through_zh")

_MEASURE: Final = Parameter("measure", "text", "Name of the measure.", "指标名称。", "visits", place="path")

ROUTES: Final[tuple[Route, ...]] = (
    Route("/health", "Whether the server answers", "服务是否正常", answer_health, steady=False),
    Route("/fields", "Every field of every answer", "所有字段的说明", answer_fields, _TABLE, _FIELD_COLUMNS),
    Route(
        "/measures",
        "What the centre can tell of itself; for its owner and directors",
        "本中心的各项计量值；限所有者与中心负责人",
        answer_measures,
        _TABLE,
        MEASURE_COLUMNS,
        steady=False,
    ),
    Route(
        "/measures/{measure}/history",
        "All samples of a measure, oldest first; for its owner and directors",
        "一项计量的全部历史取样，由早到晚；限所有者与中心负责人",
        answer_history,
        (_MEASURE, *_TABLE),
        HISTORY_COLUMNS,
        steady=False,
    ),
    Route("/studies", "Studies", "研究列表", answer_studies, (_SEARCH, *_PAGED), STUDY_COLUMNS, steady=False),
    Route("/studies/{study}", "One study", "一个研究", answer_study, (STUDY,)),
    Route(
        "/studies/{study}/traits",
        "Traits of a study",
        "研究的性状",
        answer_traits,
        (STUDY, _SEARCH, *_PAGED),
        TRAIT_COLUMNS,
    ),
    Route(
        "/studies/{study}/receipt",
        "What the import kept, changed and dropped",
        "导入时保留、修改与剔除的内容",
        answer_receipt,
        (STUDY,),
    ),
    Route(
        "/studies/{study}/summary",
        "Genomic inflation, QQ points and Manhattan lines of a trait, made when the study was published",
        "性状的基因组膨胀系数、QQ 点与曼哈顿图线段（研究发布时已算好）",
        answer_summary,
        (STUDY, TRAIT),
    ),
    Route(
        "/studies/{study}/top",
        "Associations with p < 1e-4, made when the study was published",
        "p < 1e-4 的关联（研究发布时已算好）",
        answer_top,
        (
            STUDY,
            TRAIT,
            Parameter(
                "order", "text", "Strongest or first first.", "按强度或按位置排序。", "p", ("p", "position")
            ),
            *_PAGED,
        ),
        TOP_COLUMNS,
        steady=False,
    ),
    Route(
        "/studies/{study}/loci",
        "Lead variants of the study's loci",
        "研究各位点的先导变异",
        answer_loci,
        (STUDY, TRAIT, *_PAGED),
        LOCUS_COLUMNS,
        steady=False,
    ),
    Route(
        "/studies/{study}/associations",
        "All associations of a study in order of position, or those of a region",
        "研究的全部关联（按位置排序），或某区间内的关联",
        answer_associations,
        (
            STUDY,
            TRAIT,
            Parameter("region", "text", "Only this region.", "只看此区间。", "2:165000000-166000000"),
            *_PAGED,
        ),
        ASSOCIATION_COLUMNS,
    ),
    Route(
        "/studies/{study}/window",
        "What a screen shows of a trait, from the whole genome to one base",
        "一屏所见：从全基因组到单个碱基的关联点",
        answer_window,
        (
            STUDY,
            TRAIT,
            Parameter(
                "region",
                "text",
                "A region, a gene, a stretch across contigs (1:2Mb-3:50kb) or 'genome', as when left out.",
                "区间、基因、跨染色体的一段（1:2Mb-3:50kb）或 genome（全基因组，默认）。",
                "2:165000000-166000000",
            ),
            Parameter(
                "points",
                "integer",
                f"About how many points the screen can show, up to {POINTS_MAX:,}.",
                f"屏幕大约能显示的点数，至多 {POINTS_MAX:,}。",
                str(POINTS),
            ),
            *LD_PARAMETERS,
            *_TABLE,
        ),
        WINDOW_ANSWER_COLUMNS,
        steady=False,
    ),
    Route(
        "/studies/{study}/download",
        "A whole study as one file: GWAS-SSF (.tsv.gz) or Parquet",
        "整个研究的文件：GWAS-SSF（.tsv.gz）或 Parquet",
        answer_download,
        (
            STUDY,
            TRAIT,
            Parameter("format", "text", "Kind of file.", "文件格式。", "ssf", ("ssf", "parquet")),
        ),
        stream=True,
    ),
    Route(
        "/variants/{variant:path}",
        "What a spelling of a variant means here",
        "某种写法所指的变异",
        answer_variant,
        (_VARIANT,),
        steady=False,
    ),
    Route(
        "/phewas/{variant:path}",
        "One variant across all traits",
        "一个变异与全部性状的关联",
        answer_phewas,
        (_VARIANT, _STUDIES, _MIN_P, *_PAGED),
        ASSOCIATION_COLUMNS,
    ),
    Route(
        "/regions/{region}",
        "All associations of a region in order of position",
        "一个区间内的全部关联（按位置排序）",
        answer_region,
        (
            Parameter(
                "region",
                "text",
                "A region, or the symbol of a gene.",
                "区间，或基因符号。",
                "2:165000000-166000000",
                place="path",
            ),
            _STUDIES,
            _MIN_P,
            *_PAGED,
        ),
        ASSOCIATION_COLUMNS,
        steady=False,
    ),
    Route(
        "/lookup",
        "Many variants across studies; POST takes the lists as JSON",
        "多个变异在各研究中的关联；POST 以 JSON 传入列表",
        answer_lookup,
        (_VARIANTS, _STUDIES, *_TABLE),
        ASSOCIATION_COLUMNS,
        methods=("GET", "POST"),
    ),
    Route(
        "/genes/{gene}",
        "A gene, and the strongest association of each trait in it",
        "一个基因，以及各性状在其中最强的关联",
        answer_gene,
        (
            Parameter("gene", "text", "Symbol or identifier.", "基因符号或编号。", "G6PC2", place="path"),
            Parameter("flank", "integer", "Bases on both sides.", "两侧延伸的碱基数。", "50000"),
            *_PAGED,
        ),
        ASSOCIATION_COLUMNS,
        steady=False,
    ),
    Route(
        "/search",
        "What a text may mean",
        "文字可能所指",
        answer_search,
        (_TEXT, _LIMIT, *_TABLE),
        _HIT_COLUMNS,
        steady=False,
    ),
    Route(
        "/suggest",
        "As search, while one types",
        "边输入边提示",
        answer_suggest,
        (_TEXT, _LIMIT, *_TABLE),
        _HIT_COLUMNS,
        steady=False,
    ),
    *COHORT_ROUTES,
    *TRACK_ROUTES,
    *INTERPRETING_ROUTES,
    *KNOWLEDGE_ROUTES,
    *LD_ROUTES,
    *MEANING_ROUTES,
    *REFERENCE_ROUTES,
)
