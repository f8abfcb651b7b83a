"""Routes of what is drawn beside associations: tracks, transcripts, recombination, cytogenetic bands.

Intervals and points come in pages, none left out; a signal comes as means of bins, whose number and width
`meta` tells. The bigWig itself is served by ranges to whoever may see the track.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from nexome.access.tracks import (
    BAND_COLUMNS,
    BINS,
    BINS_MAX,
    INTERVAL_COLUMNS,
    RECOMBINATION_COLUMNS,
    SIGNAL_COLUMNS,
    TRACK_COLUMNS,
    TRANSCRIPT_COLUMNS,
)
from nexome.model.errors import QueryError
from nexome.store.tracks import TrackRecord
from nexome.web.api.answers import offset_of, offset_page
from nexome.web.api.declare import Answer, Asked, Parameter, Route, Rows, Whole
from nexome.web.api.parameters import PAGE, table_parameters

BIGWIG: Final = "application/octet-stream"

_REGION: Final = Parameter(
    "region",
    "text",
    "A region, a whole contig, or the symbol of a gene.",
    "区间、整条染色体，或基因符号。",
    "2:168400000-169400000",
    required=True,
)
_TRACK: Final = Parameter("track", "text", "Name of the track.", "轨道名称。", "enhancers", place="path")
_BINS: Final = Parameter(
    "bins",
    "integer",
    f"Into how many equal parts the region is cut, up to {BINS_MAX}.",
    f"区间等分的份数，至多 {BINS_MAX}。",
    str(BINS),
)
_CHROMOSOME: Final = Parameter("chromosome", "text", "Only this contig.", "只看这条染色体。", "7")
_TABLE: Final = table_parameters("start,end")
_PAGED: Final = (*PAGE, *_TABLE)


def answer_tracks(asked: Asked) -> Answer:
    """Tracks this reader may know of."""
    return _page(asked, asked.view.tracks())


def answer_features(asked: Asked) -> Answer:
    """Intervals of a track that overlap a region, page by page."""
    record = _of_kind(asked, "intervals")
    return _page(asked, asked.view.track(record.name, asked["region"]), record)


def answer_signal(asked: Asked) -> Answer:
    """Means of a signal over equal parts of a region; parts without a value have no row."""
    record = _of_kind(asked, "signal")
    bins = BINS if asked["bins"] is None else int(asked["bins"])
    place = asked.view.interval(asked["region"])
    table = asked.view.track(record.name, place, bins)
    width = (place.end - place.start + 1) / bins
    return Rows(table, {**_told(record), "bins": bins, "bin_width_bp": width, "summary": "mean"})


def answer_signal_file(asked: Asked) -> Answer:
    """The bigWig of a signal as it was imported, whole or by ranges."""
    record = _of_kind(asked, "signal")
    path = asked.view.signal_file(record.name)
    scope = asked.view.scope if record.access == "open" else ""
    return Whole(path, BIGWIG, f"{record.name}.{record.version}.bw", scope)


def answer_transcripts(asked: Asked) -> Answer:
    """Transcripts that overlap a region."""
    return _page(asked, asked.view.transcripts_in(asked["region"]))


def answer_recombination(asked: Asked) -> Answer:
    """Points of the recombination map in a region, and the nearest on either side."""
    return _page(asked, asked.view.recombination(asked["region"]))


def answer_cytobands(asked: Asked) -> Answer:
    """Cytogenetic bands."""
    return _page(asked, asked.view.cytobands(asked["chromosome"]))


def _page(asked: Asked, table: pa.Table, record: TrackRecord | None = None) -> Rows:
    begin = offset_of(asked)
    meta = {"total": table.num_rows, **(_told(record) if record else {})}
    return offset_page(asked, table.slice(begin, asked.page_size + 1), begin, meta=meta)


def _told(record: TrackRecord) -> dict[str, object]:
    return {
        "track": record.name,
        "title": record.title,
        "title_zh": record.title_zh,
        "track_version": record.version,
        "imported": record.imported,
    }


def _of_kind(asked: Asked, kind: str) -> TrackRecord:
    record = asked.view.track_record(asked["track"])
    if record.kind != kind:
        doors = {"intervals": "features", "signal": "signal"}
        raise QueryError(
            f"track {record.name} is of kind {record.kind}",
            where="track",
            expected=f"one of kind {kind}",
            todo=f"Ask /tracks/{record.name}/{doors[record.kind]}."
            if record.kind in doors
            else f"Ask /{record.kind}.",
        )
    return record


TRACK_ROUTES: Final[tuple[Route, ...]] = (
    Route("/tracks", "Tracks", "轨道列表", answer_tracks, _PAGED, TRACK_COLUMNS, steady=False),
    Route(
        "/tracks/{track}/features",
        "Intervals of a track that overlap a region, in order of position",
        "轨道中与区间重叠的特征（按位置排序）",
        answer_features,
        (_TRACK, _REGION, *_PAGED),
        INTERVAL_COLUMNS,
        steady=False,
    ),
    Route(
        "/tracks/{track}/signal",
        "A signal as means over equal parts of a region",
        "信号在区间各等分内的均值",
        answer_signal,
        (_TRACK, _REGION, _BINS, *_TABLE),
        SIGNAL_COLUMNS,
        steady=False,
    ),
    Route(
        "/tracks/{track}/file",
        "The bigWig of a signal as it was imported; ranges are served",
        "信号的原始 bigWig 文件，支持按范围读取",
        answer_signal_file,
        (_TRACK,),
        stream=True,
        steady=False,
    ),
    Route(
        "/transcripts",
        "Transcripts that overlap a region, with their exons and coding parts",
        "与区间重叠的转录本及其外显子、编码区",
        answer_transcripts,
        (_REGION, *_PAGED),
        TRANSCRIPT_COLUMNS,
        steady=False,
    ),
    Route(
        "/recombination",
        "The recombination map of a region, with the nearest point on either side",
        "区间的重组图谱（含两侧最近的点）",
        answer_recombination,
        (_REGION, *_PAGED),
        RECOMBINATION_COLUMNS,
        steady=False,
    ),
    Route(
        "/cytobands",
        "Cytogenetic bands of a contig, or of all",
        "一条或全部染色体的染色体带",
        answer_cytobands,
        (_CHROMOSOME, *_PAGED),
        BAND_COLUMNS,
        steady=False,
    ),
)
