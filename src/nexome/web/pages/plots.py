"""From a View to the figures of a page: what is read for each plot, its words, and its files.

A figure page part is a `Figure`; the same plot is answered as SVG, JSON (for the island) and TSV.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
from markupsafe import Markup

from nexome.access.view import View
from nexome.methods.loci import GENOME_WIDE
from nexome.methods.manhattan import POINTS_MAX, PositionBins, level_runs, position_bins, thin_points
from nexome.methods.quantiles import QuantilePoints, quantile_points
from nexome.model.errors import QueryError
from nexome.model.genome import Assembly
from nexome.web.pages import figures
from nexome.web.pages.associations import Association
from nexome.web.pages.figures import Lead, Manhattan, Phewas, PhewasPoint, Wording
from nexome.web.pages.numbers import MISSING, is_missing
from nexome.web.pages.page import Ask, Download, rows_of, variant_id
from nexome.web.pages.svg import Picture

FORMATS: Final = ("svg", "json", "tsv")
PHEWAS_ALPHA: Final = 0.05
TABLE_ROWS: Final = 25  # of a figure's numbers on the page; its TSV file has all


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as a page shows it.

    `title` is a claim or question, `subtitle` the unit, `sentence` the whole for who cannot see it,
    `svg` the drawing without scripts, `note` what was merged or folded, `source` where and when it is
    from; `files` are addresses of its SVG, JSON (where an island can draw it) and TSV by ending; `api`
    the API route with the same numbers; `table` the numbers themselves; `shape` a class of the plot.
    """

    id: str
    title: str
    subtitle: str
    sentence: str
    svg: Markup
    note: str
    source: str
    files: Mapping[str, str]
    api: str = ""
    table: FigureTable | None = None
    shape: str = ""


@dataclass(frozen=True, slots=True)
class FigureTable:
    """The first rows of a figure's numbers: names of columns, cells as text, which columns are numbers.

    `total`: rows the TSV file has.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """One plot, ready to be written in any of FORMATS."""

    picture: Callable[[], Picture]
    json: Callable[[], dict[str, Any]]
    table: Callable[[], Mapping[str, Sequence[Any]]]

    def file(self, name: str, ending: str) -> Download:
        """The plot as a file; QueryError for an ending that is none of FORMATS."""
        if ending == "svg":
            return Download(self.picture().for_file().encode(), "image/svg+xml", f"{name}.svg")
        if ending == "json":
            return Download(orjson.dumps(self.json()), "application/json", f"{name}.json")
        if ending == "tsv":
            text = figures.as_columns(self.table())
            return Download(text.encode(), "text/tab-separated-values; charset=utf-8", f"{name}.tsv")
        raise QueryError(f"a figure as {ending[:20]!r}", expected="one of " + ", ".join(FORMATS))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a figure stands: its identifier, the address its files begin with, their query, its API route."""

    id: str
    stem: str
    api: str
    query: str = ""
    endings: tuple[str, ...] = FORMATS
    shape: str = ""


def figure_of(drawn: Drawn, wording: Wording, place: Place, *, subtitle: str, source: str) -> Figure:
    """A plot as a page shows it, with its files, its API route and its table."""
    query = f"?{place.query}" if place.query else ""
    return Figure(
        id=place.id,
        title=wording.title,
        subtitle=subtitle,
        sentence=wording.sentence,
        svg=Markup(drawn.picture().for_page()),  # noqa: S704 - made by svg.py, which escapes every text
        note=wording.note,
        source=source,
        files={ending: f"{place.stem}.{ending}{query}" for ending in place.endings},
        api=place.api,
        table=table_of(drawn.table()),
        shape=place.shape,
    )


def table_of(columns: Mapping[str, Sequence[Any]]) -> FigureTable:
    """The first TABLE_ROWS rows of a plot's numbers."""
    shown = {name: list(values[:TABLE_ROWS]) for name, values in columns.items()}
    return FigureTable(
        columns=tuple(shown),
        rows=tuple(zip(*([_cell(v) for v in values] for values in shown.values()), strict=True)),
        numeric=tuple(all(isinstance(v, int | float) for v in values) for values in shown.values()),
        total=max((len(values) for values in columns.values()), default=0),
    )


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return MISSING if is_missing(value) else f"{value:.4g}".replace("-", "−")
    return f"{value:,}" if isinstance(value, int) else str(value)


def read_manhattan(ask: Ask, study: str, trait: str) -> Manhattan:
    """The Manhattan plot of a trait from its summary, at most POINTS_MAX points."""
    view = ask.view
    bins = position_bins(view.assembly)
    run_bin, low, high = level_runs(view.summary(study, trait).manhattan)
    top = view.top(study, trait=trait)
    x = _places(view.assembly, bins.offset_bp, top)
    y = top["neg_log_10_p_value"].to_numpy().astype(np.float64)
    kept = thin_points(x, y, most=POINTS_MAX - min(len(run_bin), POINTS_MAX // 2))
    kept = kept[np.argsort(-y[kept], kind="stable")]
    rows = rows_of(top.select(_NAMES).take(kept))
    names = [variant_id(row) for row in rows]
    run_x = run_bin * bins.width_bp + bins.width_bp // 2
    contigs, width_bp = _contigs(view.assembly, bins, [run_x, x])
    return Manhattan(
        contigs=contigs,
        width_bp=width_bp,
        run_x=run_x,
        run_low=low,
        run_high=high,
        x=x[kept],
        y=y[kept],
        id=names,
        name=[row["rsid"] or name for row, name in zip(rows, names, strict=True)],
        href=[ask.href("variants", name) for name in names],
        leads=(),
    )


_NAMES: Final = [
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "rsid",
    "feature_name",
]


def with_leads(plot: Manhattan, ask: Ask, loci: Sequence[Mapping[str, Any]]) -> Manhattan:
    """The plot with the leads of its loci named by their nearest gene, rs number or place."""
    place = dict(zip(plot.id, plot.x.tolist(), strict=True))
    leads = [
        Lead(
            place[name],
            row["neg_log_10_p_value"],
            row.get("nearest_gene") or row["rsid"] or name,
            ask.href("variants", name),
        )
        for row in loci
        if (name := variant_id(row)) in place and row["neg_log_10_p_value"] >= GENOME_WIDE
    ]
    return replace(plot, leads=leads)


def read_qq(view: View, study: str, trait: str) -> QuantilePoints:
    """The QQ points of a trait from its summary."""
    return quantile_points(view.summary(study, trait).qq)


def draw_manhattan(plot: Manhattan, wording: Wording) -> Drawn:
    """The Manhattan plot in its formats; the table holds the features drawn one by one."""
    return Drawn(
        picture=lambda: figures.manhattan_picture(plot, wording),
        json=lambda: figures.manhattan_json(plot, wording),
        table=lambda: {
            "feature": plot.id,
            "rsid_or_name": plot.name,
            "neg_log_10_p_value": np.round(plot.y, 4).tolist(),
        },
    )


def draw_qq(points: QuantilePoints, wording: Wording) -> Drawn:
    """The QQ plot in its formats."""
    return Drawn(
        picture=lambda: figures.qq_picture(points, wording),
        json=lambda: figures.qq_json(points, wording),
        table=lambda: {
            "expected_neg_log_10_p_value": np.round(points.expected, 5).tolist(),
            "observed_neg_log_10_p_value": np.round(points.observed, 5).tolist(),
            "features": points.count.tolist(),
        },
    )


def phewas_of(rows: Sequence[Association], *, tests: int) -> Phewas:
    """The PheWAS plot of associations, by category, strongest first; `tests` sets the threshold."""
    known = sorted(rows, key=lambda r: (r.category == "", r.category, -r.neg_log_10_p_value))
    points = [
        PhewasPoint(r.trait, r.study, r.category_name, r.neg_log_10_p_value, r.beta > 0, r.trait_href)
        for r in known
        if not np.isnan(r.neg_log_10_p_value)
    ]
    return Phewas(points, float(-np.log10(PHEWAS_ALPHA / max(tests, 1))))


def draw_phewas(plot: Phewas, wording: Wording) -> Drawn:
    """The PheWAS plot in its formats; its table has the strongest first."""
    strongest = sorted(plot.points, key=lambda p: -p.neg_log_10_p)
    return Drawn(
        picture=lambda: figures.phewas_picture(plot, wording),
        json=lambda: figures.phewas_json(plot, wording),
        table=lambda: {
            "trait": [p.label for p in strongest],
            "study_id": [p.study for p in strongest],
            "category": [p.category for p in strongest],
            "neg_log_10_p_value": [round(p.neg_log_10_p, 4) for p in strongest],
            "direction": ["+" if p.rises else "-" for p in strongest],
        },
    )


def _places(assembly: Assembly, offset_bp: Any, table: pa.Table) -> Any:
    """Place of each row on the drawn genome, bases from its left end."""
    names = table["chromosome"].combine_chunks()
    if not pa.types.is_dictionary(names.type):
        names = names.dictionary_encode()
    ranks = np.array([assembly.rank(name) for name in names.dictionary.to_pylist()], np.int64)
    rank = ranks[names.indices.to_numpy(zero_copy_only=False)] if len(ranks) else np.zeros(0, np.int64)
    position = table["base_pair_location"].to_numpy().astype(np.int64)
    return offset_bp[rank] + position - 1


def _contigs(
    assembly: Assembly, bins: PositionBins, drawn: Sequence[Any]
) -> tuple[list[tuple[str, int, int]], int]:
    """Contigs (name, first base on the plot, length) in order, and the width of the plot in bases.

    Those with bins of their own are drawn always, so that plots of one assembly look alike; the small
    ones behind them (scaffolds, MT) only as far as there are points.
    """
    far = max([0, *(int(places.max()) for places in drawn if len(places))])
    placed = sorted(zip(bins.offset_bp.tolist(), assembly.contigs, strict=True), key=lambda p: p[0])
    shown = [(c.name, at, c.length_bp) for at, c in placed if c.length_bp > bins.width_bp or at <= far]
    return shown, max([1, far, *(at + length for _, at, length in shown)])
