"""The page of tracks: a table of them, and with scripts the same in igv.js, from this server alone.

The genome igv draws is made of the assembly's contig lengths and the imported bands, without sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import orjson

from nexome.model.errors import NotFoundError
from nexome.model.genome import MAX_POSITION, Assembly, Interval
from nexome.web.pages.page import API, Ask, Download, Page

if TYPE_CHECKING:
    from nexome.store.tracks import TrackRecord

START_BP: Final = 2_000_000  # of the first contig, where no region is asked for
TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class TrackRow:
    """One track: its titles and facts, and where its rows in the region shown, or its file, are."""

    name: str
    title: str
    kind: str
    features: int
    version: int
    imported: str
    source: str
    href: str


@dataclass(frozen=True)
class BrowsePage(Page):
    """Tracks as `rows`; `region` is what is shown, `config` what the island needs ('' without lengths)."""

    template: ClassVar[str] = "browse.html"
    script: ClassVar[str] = "browse.js"
    inline_styles: ClassVar[bool] = True  # igv.js writes its style sheet into the page
    region: str
    rows: tuple[TrackRow, ...]
    transcripts: str
    config: str


def build_browse(ask: Ask) -> BrowsePage:
    """The page of tracks, at parameter region (a place or a gene)."""
    assembly = ask.view.assembly
    asked = ask.query.get("region", "").strip()
    place = ask.view.interval(asked) if asked else Interval(0, 1, min(START_BP, _length(assembly, 0)))
    end = min(place.end, _length(assembly, place.contig))
    region = f"{assembly.contig_name(place.contig)}:{place.start}-{end}"
    records = ask.view.track_records()
    return BrowsePage(
        title=ask.t("browse.title"),
        region=region,
        rows=tuple(_row(ask, record, region) for record in records),
        transcripts=f"{API}/transcripts?region={region}&format=tsv" if ask.view.has_transcripts else "",
        config=_config(ask, records, region) if any(c.length_bp for c in assembly.contigs) else "",
    )


def build_chrom_sizes(ask: Ask) -> Download:
    """Names and lengths of the assembly's contigs, as UCSC's chrom.sizes."""
    lines = [f"{c.name}\t{c.length_bp}\n" for c in ask.view.assembly.contigs if c.length_bp]
    return Download("".join(lines).encode(), TEXT, "chrom.sizes")


def build_band_table(ask: Ask) -> Download:
    """The imported bands as UCSC's cytoBand table. Raises NotFoundError where there are none."""
    bands = ask.view.cytobands().to_pylist()
    if not bands:
        raise NotFoundError(
            "no bands are imported", todo="The owner imports them: nexome import cytobands FILE"
        )
    lines = [
        f"{b['chromosome']}\t{b['start'] - 1}\t{b['end']}\t{b['band'] or ''}\t{b['stain'] or 'gneg'}\n"
        for b in bands
    ]
    return Download("".join(lines).encode(), TEXT, "cytoBand.txt")


def _length(assembly: Assembly, contig: int) -> int:
    return assembly.contigs[contig].length_bp or MAX_POSITION


def _row(ask: Ask, record: TrackRecord, region: str) -> TrackRow:
    title = ask.t.field(record, "title")
    doors = {
        "intervals": f"/tracks/{record.name}/features?region={region}&format=tsv",
        "signal": f"/tracks/{record.name}/file",
        "recombination": f"/recombination?region={region}&format=tsv",
        "cytobands": f"/cytobands?chromosome={region.partition(':')[0]}&format=tsv",
    }
    return TrackRow(
        record.name,
        title,
        ask.t.of("browse.kind", record.kind),
        record.features,
        record.version,
        record.imported[:10],
        record.source,
        API + doors[record.kind],
    )


def _config(ask: Ask, records: list[TrackRecord], region: str) -> str:
    """What the island needs: genome, region, and each track with its address below the API."""
    paths = {
        "intervals": "/tracks/{}/features",
        "signal": "/tracks/{}/file",
        "recombination": "/recombination",
    }
    tracks: list[dict[str, Any]] = [
        {
            "name": ask.t.field(record, "title"),
            "kind": record.kind,
            "path": paths[record.kind].format(record.name),
        }
        for record in records
        if record.kind in paths
    ]
    if ask.view.has_transcripts:
        tracks.insert(0, {"name": ask.t("browse.genes"), "kind": "transcripts", "path": "/transcripts"})
    banded = any(record.kind == "cytobands" for record in records)
    config = {
        "assembly": ask.view.assembly.name,
        "sizes": ask.href("browse", "chrom.sizes"),
        "bands": ask.href("browse", "cytoBand.txt") if banded else None,
        "locus": region,
        "tracks": tracks,
    }
    return orjson.dumps(config).decode()
