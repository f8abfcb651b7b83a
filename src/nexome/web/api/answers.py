"""How each route of /api/v1 is answered, through the View of who asks. What it takes stands in `routes`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any, Final

import pyarrow as pa

from nexome.access.answers import (
    ASSOCIATION_COLUMNS,
    FeatureAnswer,
    SearchHit,
    StudyAnswer,
)
from nexome.methods.manhattan import level_runs, position_bins
from nexome.methods.quantiles import quantile_points
from nexome.model.errors import QueryError, RefusedError
from nexome.model.fields import FIELDS, schema_of
from nexome.model.genome import MAX_POSITION, UNPLACED, Interval, parse_interval
from nexome.web.api.declare import Answer, Asked, Record, Rows, Stream
from nexome.web.api.download import GZIP, PARQUET, parquet_chunks, ssf_chunks
from nexome.web.api.encode import records_as_table
from nexome.web.api.paging import Place, cut_page, page_by_position, read_cursor, write_cursor
from nexome.web.regions import check_length

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
    begin, size = offset_of(asked), asked.page_size
    return offset_page(asked, asked.view.studies(asked["search"], limit=size + 1, offset=begin), begin)


def answer_traits(asked: Asked) -> Answer:
    """Traits of one study."""
    begin, size = offset_of(asked), asked.page_size
    traits = asked.view.traits(asked["study"], search=asked["search"], limit=size + 1, offset=begin)
    return offset_page(asked, traits, begin)


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
    begin, size = offset_of(asked), asked.page_size
    top = asked.view.top(
        asked["study"], trait=asked["trait"], limit=begin + size + 1, order=asked["order"] or "p"
    )
    return offset_page(asked, top.slice(begin), begin)


def answer_loci(asked: Asked) -> Answer:
    """Lead variants of loci."""
    begin, size = offset_of(asked), asked.page_size
    loci = asked.view.loci(asked["study"], trait=asked["trait"], limit=begin + size + 1)
    return offset_page(asked, loci.slice(begin), begin)


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
            **feature_record(found.feature),
            "text": found.text,
            "swapped": found.swapped,
            "nearest_gene": found.nearest_gene or None,
            "others": [feature_record(f) for f in found.others],
        }
    )


def answer_phewas(asked: Asked) -> Answer:
    """One variant across all traits."""
    begin, size = offset_of(asked), asked.page_size
    table = asked.view.phewas(
        asked["variant"], studies=asked["studies"], min_neg_log_10_p=asked["min_neg_log_10_p"]
    )
    return offset_page(asked, table.slice(begin, size + 1), begin)


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
    begin, size = offset_of(asked), asked.page_size
    found = asked.view.gene(asked["gene"], flank_bp=flank)
    gene = found.gene
    meta = {"gene": {n: getattr(gene, n) for n in gene.__slots__}, "flank_bp": found.flank_bp}
    return offset_page(asked, found.best.slice(begin, size + 1), begin, meta=meta)


def answer_search(asked: Asked) -> Answer:
    """What a text may mean."""
    return Rows(_hits_table(asked.view.search(asked["q"], limit=_hits_asked(asked, 20))))


def answer_suggest(asked: Asked) -> Answer:
    """What an unfinished text may mean."""
    return Rows(_hits_table(asked.view.suggestions(asked["q"], limit=_hits_asked(asked, 8))))


# ---------------------------------------------------------------- parts of answers


def offset_of(asked: Asked) -> int:
    """The row a page begins with, from its cursor; QueryError for one this question did not give."""
    cursor = read_cursor(asked["cursor"], o=int)
    if cursor is None:
        return 0
    if not 0 <= cursor["o"] < 2**40:
        raise QueryError("a cursor that this question did not give", where="cursor")
    return int(cursor["o"])


def offset_page(asked: Asked, table: pa.Table, begin: int, *, meta: dict[str, Any] | None = None) -> Rows:
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
    todo = "Ask for a part of it, or download the study."
    return check_length(_named_interval(asked, text), asked.settings.region_max_bp, todo=todo)


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


def feature_record(feature: FeatureAnswer) -> dict[str, Any]:
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
    more = [("certain", pa.bool_()), *((n, pa.string()) for n in ("why", "through", "through_zh"))]
    schema = pa.schema([*((n, pa.string()) for n in names), *more])
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
