"""The routes of /api/v1: what each takes and what it answers. All of them read through a View.

Adding a route here adds it to the server, to its OpenAPI document and to the test of all routes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any, Final

import pyarrow as pa

from nexome.access.answers import (
    ASSOCIATION_COLUMNS,
    LOCUS_COLUMNS,
    STUDY_COLUMNS,
    TOP_COLUMNS,
    TRAIT_COLUMNS,
    FeatureAnswer,
    SearchHit,
    StudyAnswer,
)
from nexome.methods.manhattan import level_runs, position_bins
from nexome.methods.quantiles import quantile_points
from nexome.model.errors import QueryError, RefusedError
from nexome.model.fields import FIELDS, schema_of
from nexome.model.genome import MAX_POSITION, UNPLACED, Interval, parse_interval
from nexome.web.api.declare import Answer, Asked, Parameter, Record, Route, Rows, Stream
from nexome.web.api.download import GZIP, PARQUET, parquet_chunks, ssf_chunks
from nexome.web.api.encode import records_as_table
from nexome.web.api.paging import Place, cut_page, page_by_position, read_cursor, write_cursor

LOOKUP_MAX: Final = 1000  # variants of one look-up
SEARCH_MAX: Final = 100  # hits of one search

# ---------------------------------------------------------------- answers


def answer_health(asked: Asked) -> Answer:
    """The server is up and can read its manifest."""
    return Record({"status": "ok", "version": version("nexome"), "sequence": asked.view.sequence})


def answer_fields(_: Asked) -> Answer:
    """Every field of every answer."""
    names = ("name", "type", "unit", "missing", "title_en", "title_zh", "meaning_en", "meaning_zh")
    schema = pa.schema([(name, pa.string()) for name in names])
    return Rows(records_as_table([{n: getattr(f, n) for n in names} for f in FIELDS.values()], schema))


def answer_studies(asked: Asked) -> Answer:
    """Studies this reader may know of."""
    begin, size = _offset(asked), asked.page_size
    return _offset_page(asked, asked.view.studies(asked["search"], limit=size + 1, offset=begin), begin)


def answer_traits(asked: Asked) -> Answer:
    """Traits of one study."""
    begin, size = _offset(asked), asked.page_size
    traits = asked.view.traits(asked["study"], search=asked["search"], limit=size + 1, offset=begin)
    return _offset_page(asked, traits, begin)


def answer_study(asked: Asked) -> Answer:
    """All that is known of one study."""
    return Record(_study_record(asked.view.study(asked["study"])))


def answer_receipt(asked: Asked) -> Answer:
    """What the import of a study kept, changed and dropped."""
    return Record(asked.view.receipt(asked["study"]))


def answer_summary(asked: Asked) -> Answer:
    """λGC, counts, the points of a QQ plot and the lines of a Manhattan plot below p = 1e-4."""
    found = asked.view.summary(asked["study"], asked["trait"])
    points = quantile_points(found.qq)
    bins = position_bins(asked.view.assembly)
    bin_, low, high = level_runs(found.manhattan)
    return Record(
        {
            "lambda_gc": found.lambda_gc,
            "cell_count": found.cells,
            "missing_count": found.missing,
            "hit_count": found.hit_count,
            "qq": {name: getattr(points, name) for name in points.__slots__},
            "manhattan": {
                "genome_position": bin_ * bins.width_bp,
                "neg_log_10_p_from": low,
                "neg_log_10_p_to": high,
                "bin_width_bp": bins.width_bp,
                "chromosome": [c.name for c in asked.view.assembly.contigs],
                "chromosome_offset": bins.offset_bp,
            },
        }
    )


def answer_top(asked: Asked) -> Answer:
    """Associations with p < 1e-4."""
    begin, size = _offset(asked), asked.page_size
    top = asked.view.top(
        asked["study"], trait=asked["trait"], limit=begin + size + 1, order=asked["order"] or "p"
    )
    return _offset_page(asked, top.slice(begin), begin)


def answer_loci(asked: Asked) -> Answer:
    """Lead variants of loci."""
    begin, size = _offset(asked), asked.page_size
    loci = asked.view.loci(asked["study"], trait=asked["trait"], limit=begin + size + 1)
    return _offset_page(asked, loci.slice(begin), begin)


def answer_associations(asked: Asked) -> Answer:
    """A study's cells in order of position, page by page."""
    study, size = asked.view.study(asked["study"]), asked.page_size
    begin = Place.from_cursor(asked["cursor"], version=study.version)
    assembly = asked.view.assembly
    if asked["region"] is None and begin is None:
        batches = asked.view.associations(study.study.id, asked["trait"], batch_rows=size + 1)
        pages = _take_rows(batches, size)
        pages, behind = cut_page(pages, size, begin=None, assembly=assembly) if pages else ([], None)
    else:
        pages, behind = _associations_from(asked, study.study.id, begin)
    return _place_page(asked, pages, behind, study.version)


def answer_download(asked: Asked) -> Answer:
    """A whole study as one file."""
    study = asked.view.study(asked["study"])
    if not study.may_export:
        raise RefusedError(
            f"study {study.study.id} may not be downloaded by this reader", reason=study.reason_export
        )
    kind = asked["format"] or "ssf"
    batches = asked.view.associations(study.study.id, asked["trait"])
    name = study.study.id + (f".{asked['trait']}" if asked["trait"] else "")
    if kind == "parquet":
        schema = schema_of(ASSOCIATION_COLUMNS)
        return Stream(parquet_chunks(batches, schema), PARQUET, f"{name}.parquet")
    return Stream(ssf_chunks(batches), GZIP, f"{name}.tsv.gz")


def answer_variant(asked: Asked) -> Answer:
    """What a spelling of a variant means here."""
    found = asked.view.variant(asked["variant"])
    return Record(
        {
            **_feature_record(found.feature),
            "text": found.text,
            "swapped": found.swapped,
            "nearest_gene": found.nearest_gene or None,
            "others": [_feature_record(f) for f in found.others],
        }
    )


def answer_phewas(asked: Asked) -> Answer:
    """One variant across all traits."""
    begin, size = _offset(asked), asked.page_size
    table = asked.view.phewas(
        asked["variant"], studies=asked["studies"], min_neg_log_10_p=asked["min_neg_log_10_p"]
    )
    return _offset_page(asked, table.slice(begin, size + 1), begin)


def answer_region(asked: Asked) -> Answer:
    """All cells of a region, page by page in order of position."""
    view, sequence = asked.view, asked.view.sequence
    interval = _interval(asked, asked["region"])
    begin = _place_within(asked, interval, version=sequence)

    def read(part: Interval) -> Iterator[pa.Table]:
        yield view.region(part, studies=asked["studies"], min_neg_log_10_p=asked["min_neg_log_10_p"])

    stretch = Interval(interval.contig, begin.position if begin else interval.start, interval.end)
    pages, behind = page_by_position(read, stretch, begin=begin, rows=asked.page_size, assembly=view.assembly)
    return _place_page(asked, pages, behind, sequence)


def answer_lookup(asked: Asked) -> Answer:
    """Many variants across studies."""
    variants = asked["variants"]
    if not 1 <= len(variants) <= LOOKUP_MAX:
        raise QueryError(f"{len(variants)} variants", where="variants", expected=f"1 to {LOOKUP_MAX}")
    planes = asked.view.lookup_planes(variants, studies=asked["studies"])
    cells, most = planes.shape[0] * planes.shape[1], asked.settings.page_size_max
    if cells > most:
        raise QueryError(
            f"{cells:,} cells",
            where="variants",
            expected=f"at most {most:,} (variants held × traits)",
            todo="Ask for fewer variants, or for some studies only.",
        )
    return Rows(planes.table(ASSOCIATION_COLUMNS), {"unknown": asked.view.unknown_variants(variants)})


def answer_gene(asked: Asked) -> Answer:
    """A gene and the best association of each trait in it."""
    flank = asked["flank"] or 0
    if not 0 <= flank <= asked.settings.region_max_bp:
        raise QueryError(f"flank {flank}", where="flank", expected=f"0 to {asked.settings.region_max_bp}")
    begin, size = _offset(asked), asked.page_size
    found = asked.view.gene(asked["gene"], flank_bp=flank)
    gene = found.gene
    meta = {"gene": {n: getattr(gene, n) for n in gene.__slots__}, "flank_bp": found.flank_bp}
    return _offset_page(asked, found.best.slice(begin, size + 1), begin, meta=meta)


def answer_search(asked: Asked) -> Answer:
    """What a text may mean."""
    return Rows(_hits_table(asked.view.search(asked["q"], limit=_hits_asked(asked, 20))))


def answer_suggest(asked: Asked) -> Answer:
    """What an unfinished text may mean."""
    return Rows(_hits_table(asked.view.suggestions(asked["q"], limit=_hits_asked(asked, 8))))


# ---------------------------------------------------------------- parts of answers


def _offset(asked: Asked) -> int:
    cursor = read_cursor(asked["cursor"], o=int)
    if cursor is None:
        return 0
    if not 0 <= cursor["o"] < 2**40:
        raise QueryError("a cursor that this question did not give", where="cursor")
    return int(cursor["o"])


def _offset_page(asked: Asked, table: pa.Table, begin: int, *, meta: dict[str, Any] | None = None) -> Rows:
    """The page of a table that begins with row `begin` and holds a row more where there are more."""
    size = asked.page_size
    cursor = write_cursor(o=begin + size) if table.num_rows > size else None
    return Rows(table.slice(0, size), meta or {}, cursor)


def _place_page(asked: Asked, pages: list[pa.Table], behind: Place | None, version_: int) -> Rows:
    table = pa.concat_tables(pages) if pages else schema_of(ASSOCIATION_COLUMNS).empty_table()
    return Rows(table.slice(0, asked.page_size), {}, behind.as_cursor(version_) if behind else None)


def _take_rows(batches: Iterator[pa.RecordBatch], rows: int) -> list[pa.Table]:
    """Tables until more than `rows` rows are held."""
    held: list[pa.Table] = []
    count = 0
    for batch in batches:
        held.append(pa.Table.from_batches([batch]))
        count += batch.num_rows
        if count > rows:
            break
    return held


def _associations_from(asked: Asked, study: str, begin: Place | None) -> tuple[list[pa.Table], Place | None]:
    """A page of a study's region, or of all of it from a cursor on, contig after contig."""
    size, view = asked.page_size, asked.view
    pages: list[pa.Table] = []
    for stretch in _stretches(asked, begin):
        left = size - sum(p.num_rows for p in pages)

        def read(part: Interval, left: int = left) -> Iterator[pa.Table]:
            batches = view.associations(study, asked["trait"], interval=part, batch_rows=left + 1)
            return (pa.Table.from_batches([b]) for b in batches)

        here = begin if begin and begin.contig == stretch.contig else None
        found, behind = page_by_position(read, stretch, begin=here, rows=left, assembly=view.assembly)
        pages += found
        if behind:
            return pages, behind
    return pages, None


def _stretches(asked: Asked, begin: Place | None) -> Iterator[Interval]:
    if asked["region"] is not None:
        interval = _interval(asked, asked["region"])
        if begin and not (
            begin.contig == interval.contig and interval.start <= begin.position <= interval.end
        ):
            raise QueryError("a cursor of another region", where="cursor", todo="Ask again without cursor.")
        yield Interval(interval.contig, begin.position if begin else interval.start, interval.end)
        return
    contigs = asked.view.assembly.contigs
    if begin and begin.contig != UNPLACED and begin.contig >= len(contigs):
        raise QueryError("a cursor of another assembly", where="cursor", todo="Ask again without cursor.")
    first = begin.contig if begin else 0
    for rank in range(first, len(contigs)):
        start = begin.position if begin and rank == first else 1
        yield Interval(rank, start, contigs[rank].length_bp or MAX_POSITION)
    yield Interval(UNPLACED, 0, 0)


def _interval(asked: Asked, text: str) -> Interval:
    """A region as the URL spells it: an interval, or a gene's symbol; refused when too long."""
    interval = _named_interval(asked, text)
    length, most = interval.end - interval.start + 1, asked.settings.region_max_bp
    if length > most:
        raise QueryError(
            f"a region of {length:,} bases",
            where="region",
            expected=f"at most {most:,} (setting region_max_bp)",
            todo="Ask for a part of it, or download the study.",
        )
    return interval


def _named_interval(asked: Asked, text: str) -> Interval:
    if ":" in text or asked.view.assembly.find_contig(text) is not None:
        return parse_interval(text, asked.view.assembly)
    gene = asked.view.gene(text).gene
    return Interval(asked.view.assembly.rank(gene.chromosome), gene.start, gene.end)


def _place_within(asked: Asked, interval: Interval, *, version: int) -> Place | None:
    begin = Place.from_cursor(asked["cursor"], version=version)
    if begin and (begin.contig != interval.contig or not interval.start <= begin.position <= interval.end):
        raise QueryError("a cursor of another region", where="cursor", todo="Ask again without cursor.")
    return begin


def _study_record(answer: StudyAnswer) -> dict[str, Any]:
    facts = answer.study.as_dict()
    traits = facts.pop("traits")
    doors = {n: getattr(answer, n) for n in answer.__slots__ if n.startswith(("may_", "reason_"))}
    return {
        "study_id": facts.pop("id"),
        **facts,
        "study_version": answer.version,
        "published": answer.published,
        "trait_count": len(traits),
        "cell_count": answer.cells,
        **doors,
    }


def _feature_record(feature: FeatureAnswer) -> dict[str, Any]:
    """A feature without its key: the two 64-bit numbers are the store's own and JSON cannot hold them."""
    return {
        "id": feature.id,
        "chromosome": feature.chromosome or None,
        "base_pair_location": feature.position or None,
        "effect_allele": feature.effect_allele or None,
        "other_allele": feature.other_allele or None,
        "rsid": feature.rsid or None,
        "feature_name": feature.name or None,
    }


def _hits_asked(asked: Asked, default: int) -> int:
    limit = default if asked["limit"] is None else int(asked["limit"])
    if not 1 <= limit <= SEARCH_MAX:
        raise QueryError(f"limit {limit}", where="limit", expected=f"1 to {SEARCH_MAX}")
    return limit


def _hits_table(hits: Sequence[SearchHit]) -> pa.Table:
    names = ("kind", "id", "label", "label_zh", "note")
    schema = pa.schema([*((n, pa.string()) for n in names), ("certain", pa.bool_())])
    return records_as_table([{n: getattr(hit, n) for n in schema.names} for hit in hits], schema)


def keep_columns(table: pa.Table, asked: Sequence[str] | None) -> pa.Table:
    """The columns named by `?columns=`, in that order; QueryError for one the answer does not have."""
    if not asked:
        return table
    if unknown := [name for name in asked if name not in table.column_names]:
        raise QueryError(
            f"no column {unknown[0][:80]!r}", where="columns", expected=", ".join(table.column_names)
        )
    return table.select(asked)


# ---------------------------------------------------------------- what each route takes

_STUDY: Final = Parameter(
    "study", "text", "Identifier of the study.", "研究编号。", "GCST90002369", place="path"
)
_VARIANT: Final = Parameter(
    "variant",
    "text",
    "An rs number, a position, a position with alleles, or the name of a feature.",
    "rs 编号、位置、位置加等位基因，或特征名称。",
    "2-135851076-G-A",
    place="path",
)
_SEARCH: Final = Parameter("search", "text", "Words to look for.", "要查找的词。", "glucose")
_TRAIT: Final = Parameter(
    "trait",
    "text",
    "Identifier of a trait; may be left out where the study has one.",
    "性状编号；研究只有一个性状时可省略。",
)
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
_COLUMNS: Final = Parameter(
    "columns", "list", "Only these columns, in this order.", "只要这些列，按此次序。", "trait,beta"
)
_FORMAT: Final = Parameter(
    "format",
    "text",
    "Format of the answer; stronger than the Accept header.",
    "回答的格式，优先于 Accept 头。",
    "tsv",
    choices=("json", "tsv", "arrow"),
)
_PAGE: Final = (
    Parameter("page_size", "integer", "Most rows of one page.", "每页最多行数。", "1000"),
    Parameter("cursor", "text", "Where the page begins: from `next`.", "本页起点：取自 `next`。"),
)
_TABLE: Final = (_COLUMNS, _FORMAT)
_PAGED: Final = (*_PAGE, *_TABLE)
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
_HIT_COLUMNS: Final = ("kind", "id", "label", "label_zh", "note", "certain")

ROUTES: Final[tuple[Route, ...]] = (
    Route("/health", "Whether the server answers", "服务是否正常", answer_health, steady=False),
    Route("/fields", "Every field of every answer", "所有字段的说明", answer_fields, _TABLE, _FIELD_COLUMNS),
    Route("/studies", "Studies", "研究列表", answer_studies, (_SEARCH, *_PAGED), STUDY_COLUMNS, steady=False),
    Route("/studies/{study}", "One study", "一个研究", answer_study, (_STUDY,)),
    Route(
        "/studies/{study}/traits",
        "Traits of a study",
        "研究的性状",
        answer_traits,
        (_STUDY, _SEARCH, *_PAGED),
        TRAIT_COLUMNS,
    ),
    Route(
        "/studies/{study}/receipt",
        "What the import kept, changed and dropped",
        "导入时保留、修改与剔除的内容",
        answer_receipt,
        (_STUDY,),
    ),
    Route(
        "/studies/{study}/summary",
        "Genomic inflation, QQ points and Manhattan lines of a trait, made when the study was published",
        "性状的基因组膨胀系数、QQ 点与曼哈顿图线段（研究发布时已算好）",
        answer_summary,
        (_STUDY, _TRAIT),
    ),
    Route(
        "/studies/{study}/top",
        "Associations with p < 1e-4, made when the study was published",
        "p < 1e-4 的关联（研究发布时已算好）",
        answer_top,
        (
            _STUDY,
            _TRAIT,
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
        (_STUDY, _TRAIT, *_PAGED),
        LOCUS_COLUMNS,
        steady=False,
    ),
    Route(
        "/studies/{study}/associations",
        "All associations of a study in order of position, or those of a region",
        "研究的全部关联（按位置排序），或某区间内的关联",
        answer_associations,
        (
            _STUDY,
            _TRAIT,
            Parameter("region", "text", "Only this region.", "只看此区间。", "2:165000000-166000000"),
            *_PAGED,
        ),
        ASSOCIATION_COLUMNS,
    ),
    Route(
        "/studies/{study}/download",
        "A whole study as one file: GWAS-SSF (.tsv.gz) or Parquet",
        "整个研究的文件：GWAS-SSF（.tsv.gz）或 Parquet",
        answer_download,
        (
            _STUDY,
            _TRAIT,
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
)
