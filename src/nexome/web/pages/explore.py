"""The explorer: one view from the whole genome to one base, of up to six studies, coloured by LD.

Complete without scripts: pictures, table and links that zoom and move. The island (web/src/explore) takes
the same address and the data in `Scene` and makes it continuous.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

import numpy as np
import orjson
from markupsafe import Markup

from nexome.access.windows import GENOME, window_text
from nexome.methods.loci import GENOME_WIDE
from nexome.model.errors import NexomeError, NotFoundError, QueryError
from nexome.model.genome import Stretch
from nexome.web.pages import explore_parts as parts
from nexome.web.pages import plots
from nexome.web.pages.associations import Association
from nexome.web.pages.explore_parts import Lead, Row, Shown
from nexome.web.pages.explore_pictures import (
    gene_picture,
    overview_picture,
    place_genes,
    region_picture,
    track_picture,
)
from nexome.web.pages.explore_scale import (
    GenomeScale,
    drawn_contigs,
    is_whole,
    place_text,
    zoomed,
)
from nexome.web.pages.explore_state import Pick, State, gene_stretch, query_of, read_state
from nexome.web.pages.figures import Wording, as_columns
from nexome.web.pages.numbers import bases_text, p_text
from nexome.web.pages.page import API, Ask, Card, Download, Link, Page, card_of, rows_of, variant_id
from nexome.web.pages.plots import Figure
from nexome.web.pages.problem import problem_of
from nexome.web.pages.studies import sample_of
from nexome.web.pages.svg import SHAPES

ENDINGS: Final = ("svg", "tsv")


@dataclass(frozen=True, slots=True)
class Panel:
    """One study shown: name and page, whether its sample is small, its picture, how to leave it out."""

    label: str
    href: str
    small: bool
    figure: Figure
    remove: str


@dataclass(frozen=True, slots=True)
class Step:
    """A link that moves or zooms: its name, its address ('' where there is nowhere to go), its key."""

    text: str
    href: str
    name: str


@dataclass(frozen=True, slots=True)
class Other:
    """Another study with something here: its strongest association, the address that adds it."""

    association: Association
    add: str


@dataclass(frozen=True)
class ExplorePage(Page):
    """The explorer of a window.

    `place` names the window, `span` its width; `notices` say what was cut, left out or is missing;
    `steps` are the links that move; `overview` is the genome above; each of `panels` one study; `genes`
    the genes below, or `genes_note` why there are none. `legend` are the steps of r², empty without a
    lead. `scene` is the JSON of all this for the island.
    """

    template: ClassVar[str] = "explore.html"
    script: ClassVar[str] = "explore.js"
    shapes: ClassVar[Mapping[str, str]] = SHAPES
    heading: str
    place: str
    span: str
    region: str
    studies: str
    ld: str
    lead: Lead | None
    ld_note: str
    panel_links: tuple[Link, ...]
    notices: tuple[str, ...]
    gene_links: tuple[Link, ...]
    steps: tuple[Step, ...]
    overview: Card[Markup]
    panels: tuple[Card[Panel], ...]
    genes: Markup | None
    gene_rows: int
    genes_note: str
    tracks: tuple[tuple[str, Markup], ...]
    sentence: str
    tables: tuple[tuple[str, Card[tuple[Row, ...]]], ...]
    others: Card[tuple[Other, ...]]
    others_note: str
    scene: str


def build_explore(ask: Ask) -> ExplorePage:
    """The explorer of this address."""
    state = read_state(ask)
    scale = GenomeScale(state.where, ask.view.assembly)
    windows = parts.read_windows(ask, state)
    lead, ld_note = _lead(ask, state, windows, scale)
    shown = [parts.show(ask, scale, found, lead) for found in windows]
    bars = parts.genes_of(ask, state, scale)
    rows = place_genes(bars) if bars else []
    whole = is_whole(state.where, ask.view.assembly)
    name = state.gene.symbol if state.gene else ""
    place = ask.t("explore.whole") if whole else place_text(state.where, ask.view.assembly)
    sentence = _sentence(ask, shown, lead, place)
    return ExplorePage(
        title=ask.t("explore.title_of", place=name or place),
        heading=name or place,
        place=place,
        span=bases_text(scale.span_bp),
        region=window_text(state.where, ask.view.assembly),
        studies=",".join(p.name for p in state.picks),
        ld=state.ld,
        lead=lead,
        ld_note=ld_note,
        panel_links=_panel_links(ask, state, lead),
        notices=_notices(ask, state, shown),
        gene_links=_gene_links(ask, state),
        steps=_steps(ask, state, whole=whole),
        overview=card_of(lambda: _overview(ask, state, scale)),
        panels=tuple(card_of(partial(_panel, ask, state, s, scale, lead=lead)) for s in shown),
        genes=_markup(gene_picture(rows, scale, _gene_sentence(ask, rows)).for_page()) if rows else None,
        gene_rows=len(rows),
        genes_note=_genes_note(ask, bars, rows),
        tracks=tuple(
            (s.title, _markup(track_picture(s.ends, s.heights, s.title).for_page()))
            for s in parts.tracks_of(ask, state, scale)
        ),
        sentence=sentence,
        tables=tuple((_label(ask, s.pick), card_of(partial(_table, ask, s))) for s in shown),
        others=card_of(lambda: _others(ask, state, scale)),
        others_note="" if scale.span_bp <= parts.OTHERS_SPAN_BP else ask.t("explore.others_wide"),
        scene=_scene(ask, state, lead),
    )


def build_explore_figure(ask: Ask, *, figure: str, ending: str) -> Download:
    """The picture of one study of an address as SVG, or its points as TSV; `figure` is its number from 1."""
    if ending not in ENDINGS:
        raise QueryError(f"a figure as {ending[:20]!r}", expected="one of " + ", ".join(ENDINGS))
    state = read_state(ask)
    if not figure.isdecimal() or not 1 <= int(figure[:4]) <= len(state.picks):
        raise NotFoundError(f"no figure {figure[:40]!r}", expected=f"a number from 1 to {len(state.picks)}")
    scale = GenomeScale(state.where, ask.view.assembly)
    windows = parts.read_windows(ask, state)
    lead, _ = _lead(ask, state, windows, scale)
    one = parts.show(ask, scale, windows[int(figure) - 1], lead)
    stem = (
        f"{one.pick.name.replace('/', '-')}-{window_text(state.where, ask.view.assembly).replace(':', '-')}"
    )
    if ending == "svg":
        recombination = parts.recombination_of(ask, state, scale)
        wording = _wording(ask, state, one, lead)
        picture = region_picture(
            one.points,
            scale,
            wording=wording,
            recombination=recombination,
            curve=ask.t("explore.live.recombination"),
        )
        return Download(picture.for_file().encode(), "image/svg+xml", f"{stem}.svg")
    text = as_columns(_columns(one))
    return Download(text.encode(), "text/tab-separated-values; charset=utf-8", f"{stem}.tsv")


def build_around(ask: Ask) -> Download:
    """Genes, recombination and bands of a window as JSON, for the island."""
    state = read_state(ask)
    scale = GenomeScale(state.where, ask.view.assembly)
    bars = parts.genes_of(ask, state, scale)
    curve = parts.recombination_of(ask, state, scale)
    width, left = scale.span_bp, scale.left
    genes = [
        {
            "start": left + g.start * width,
            "end": left + g.end * width,
            "exons": [[left + a * width, left + b * width] for a, b in g.exons],
            "symbol": g.symbol,
            "strand": g.strand,
            "href": g.href,
        }
        for g in bars or ()
    ]
    told = {
        "genes": genes,
        "too_wide": bars is None,
        "tracks": [
            {
                "title": s.title,
                "ends": (left + s.ends * width).tolist(),
                "heights": s.heights.tolist(),
                "top": None if np.isnan(s.top) else s.top,
            }
            for s in parts.tracks_of(ask, state, scale)
        ],
        "recombination": {"x": (left + curve[0] * width).tolist(), "y": curve[1].tolist()},
    }
    return Download(orjson.dumps(told), "application/json", "around.json")


# ---------------------------------------------------------------- words


def _lead(ask: Ask, state: State, windows: Sequence[Any], scale: GenomeScale) -> tuple[Lead | None, str]:
    """The lead, and a sentence where there is none, or none that was asked for."""
    if not parts.panels_of(ask):
        return None, ask.t("explore.no_panel")
    try:
        lead = parts.find_lead(ask, state, windows, scale)
    except NexomeError as error:
        return None, ask.t("explore.no_lead", why=problem_of(error, ask.t).detail.text.rstrip(".。"))
    if lead is None and state.ld != "none" and windows:
        wide = scale.span_bp > parts.LD_SPAN_BP
        return None, ask.t("explore.ld_wide") if wide else ask.t("explore.ld_none_here")
    return lead, ""


def _label(ask: Ask, pick: Pick) -> str:
    trait = ask.t.field(pick.trait, "label") or pick.trait.id
    title = ask.t.field(pick.answer.study, "title")
    return trait if len(pick.answer.study.traits) > 1 or not title else title


def _notices(ask: Ask, state: State, shown: Sequence[Shown]) -> tuple[str, ...]:
    """What the reader should know before believing the picture."""
    t, found = ask.t, []
    if state.cut:
        contig = ask.view.assembly.contigs[state.where.last]
        found.append(
            t("explore.cut", contig=contig.name, end=contig.length_bp, assembly=ask.view.assembly.name)
        )
    if state.left_out:
        found.append(t("explore.too_many", n=state.left_out, most=len(state.picks)))
    found += [f"{name[:80]}: {_why(ask, error)}" for name, error in state.refused]
    for one in shown:
        label = _label(ask, one.pick)
        if not one.window.table.num_rows:
            found.append(t("explore.nothing_here", study=label))
        elif not ask.view.summary(one.pick.answer.study.id, one.pick.trait.id).hit_count:
            found.append(t("explore.no_hits", study=label))
    if not shown and not state.refused:
        found.append(t("home.empty"))
    return tuple(found)


def _why(ask: Ask, error: NexomeError) -> str:
    reason = getattr(error, "reason", "")
    return ask.t.of("reason", reason) if reason else ask.t("problem.not_found.lead")


def _gene_links(ask: Ask, state: State) -> tuple[Link, ...]:
    """All loci of a gene that has several, to choose from."""
    assembly = ask.view.assembly
    links = []
    for number, gene in enumerate(state.places):
        where = gene_stretch(gene, assembly)
        text = f"{gene.symbol} {gene.chromosome}:{gene.start:,}–{gene.end:,}"
        links.append(Link(text, _at(ask, state, where), number == 0))
    return tuple(links)


def _panel_links(ask: Ask, state: State, lead: Lead | None) -> tuple[Link, ...]:
    """The LD panels and populations to choose from, where there are several."""
    rows = parts.panels_of(ask)
    if lead is None or len(rows) < 2:
        return ()
    now = (lead.panel, lead.population)
    links = []
    for row in rows:
        population = row["population"] or ""
        name = f"{row['panel']} · {population}" if population else row["panel"]
        href = _again(ask, state, panel=row["panel"], population=population or "all")
        links.append(Link(name, href, (row["panel"], population) == now, row["people"]))
    return tuple(links)


def _again(ask: Ask, state: State, **changes: str | None) -> str:
    return ask.href("explore", **query_of(state, ask.view.assembly, **changes))


def _at(ask: Ask, state: State, where: Stretch) -> str:
    assembly = ask.view.assembly
    region = GENOME if is_whole(where, assembly) else window_text(where, assembly)
    return _again(ask, state, region=region)


def _steps(ask: Ask, state: State, *, whole: bool) -> tuple[Step, ...]:
    """Links that move and zoom without scripts."""
    t, assembly, where = ask.t, ask.view.assembly, state.where

    def step(name: str, there: Stretch | None) -> Step:
        href = _at(ask, state, there) if there and there != where else ""
        return Step(t.of("explore.step", name), href, name)

    one = where.first == where.last
    contig = Stretch(where.first, 1, where.first, assembly.contigs[where.first].length_bp or where.end)
    moved = {name: None if whole else zoomed(where, assembly, factor=1, shift=by) for name, by in _SHIFTS}
    genome = Step(
        t.of("explore.step", "genome"), "" if whole else _again(ask, state, region=GENOME), "genome"
    )
    return (
        step("left", moved["left"]),
        step("right", moved["right"]),
        step("in", zoomed(where, assembly, factor=3)),
        step("out", None if whole else zoomed(where, assembly, factor=1 / 3)),
        step("contig", contig if one else None),
        genome,
    )


_SHIFTS: Final = (("left", -0.5), ("right", 0.5))


# ---------------------------------------------------------------- pictures


def _markup(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704 - made by svg.py, which escapes every text


def _overview(ask: Ask, state: State, scale: GenomeScale) -> Markup:
    if not state.picks:
        raise NotFoundError("no study to draw the genome of")
    first = state.picks[0]
    plot = plots.read_manhattan(ask, first.answer.study.id, first.trait.id)
    contigs = drawn_contigs(ask.view.assembly)
    links = [
        (
            (c.offset + c.length / 2) / plot.width_bp,
            c.name,
            _at(ask, state, Stretch(c.rank, 1, c.rank, c.length)),
        )
        for c in contigs
        if c.length > plot.width_bp / 60
    ]
    marked = (scale.left / plot.width_bp, scale.right / plot.width_bp)
    sentence = ask.t("explore.overview", study=_label(ask, first))
    return _markup(overview_picture(plot, marked, links, sentence).for_page())


def _panel(ask: Ask, state: State, shown: Shown, scale: GenomeScale, *, lead: Lead | None) -> Panel:
    pick, wording = shown.pick, _wording(ask, state, shown, lead)
    study = pick.answer.study
    number = state.picks.index(pick) + 1
    recombination = parts.recombination_of(ask, state, scale)
    curve = ask.t("explore.live.recombination")
    picture = region_picture(shown.points, scale, wording=wording, recombination=recombination, curve=curve)
    query = urlencode(query_of(state, ask.view.assembly))
    stem = ask.href("explore", "figures", str(number))
    region = window_text(state.where, ask.view.assembly)
    api = f"{API}/studies/{study.id}/window?{urlencode({'trait': pick.trait.id, 'region': region})}"
    left = ",".join(p.name for p in state.picks if p != pick)
    small = sample_of({n: getattr(pick.trait, n) for n in ("n", "n_cases", "n_controls")}).small
    figure = Figure(
        id="region",
        title=wording.title,
        subtitle=ask.t("explore.subtitle", assembly=ask.view.assembly.name),
        sentence=wording.sentence,
        svg=_markup(picture.for_page()),
        note=wording.note,
        source=ask.t(
            "figure.source", study=study.id, version=pick.answer.version, date=pick.answer.published[:10]
        ),
        files={"svg": f"{stem}.svg?{query}", "tsv": f"{stem}.tsv?{query}", "json": api},
    )
    href = ask.href("studies", study.id, trait=pick.trait.id if len(study.traits) > 1 else "")
    return Panel(_label(ask, pick), href, small, figure, _again(ask, state, studies=left) if left else "")


def _table(ask: Ask, shown: Shown) -> tuple[Row, ...]:
    return tuple(parts.table_of(ask, shown))


def _wording(ask: Ask, state: State, shown: Shown, lead: Lead | None) -> Wording:
    t, label, window = ask.t, _label(ask, shown.pick), shown.window
    note = []
    if window.bin_width_bp:
        note.append(t("explore.binned", width=bases_text(window.bin_width_bp)))
    if window.left_out:
        note.append(t("explore.thinned", n=window.left_out))
    if shown.points.scale.folded:
        note.append(t("figure.folded").strip())
    return Wording(
        title=label,
        sentence=_study_sentence(ask, shown, lead, place_text(state.where, ask.view.assembly)),
        x=ask.view.assembly.contig_name(state.where.first)
        if state.where.first == state.where.last
        else t("manhattan.x"),
        y=t("axis.neg_log_10_p"),
        threshold=t("manhattan.threshold"),
        note=" ".join(note),
    )


def _study_sentence(ask: Ask, shown: Shown, lead: Lead | None, place: str) -> str:
    t, y = ask.t, shown.points.y
    label = _label(ask, shown.pick)
    if not len(y):
        return t("explore.nothing_here", study=label)
    past = int((y >= GENOME_WIDE).sum())
    at = int(np.nanargmax(y))
    row = rows_of(shown.window.table.slice(at, 1))[0]
    text = t(
        "explore.sentence",
        study=label,
        place=place,
        variant=row["rsid"] or variant_id(row),
        p=p_text(y[at]),
        n=past,
    )
    if lead is not None:
        text += t("explore.sentence_ld", lead=lead.name, n=int((shown.r2 >= 0.8).sum()))
    return text


def _sentence(ask: Ask, shown: Sequence[Shown], lead: Lead | None, place: str) -> str:
    return " ".join(_study_sentence(ask, one, lead, place) for one in shown)


def _gene_sentence(ask: Ask, rows: Sequence[Sequence[Any]]) -> str:
    names = [gene.symbol for row in rows for gene in row]
    return ask.t("explore.genes_sentence", n=len(names), names=", ".join(names[:12]))


def _genes_note(ask: Ask, bars: Sequence[Any] | None, rows: Sequence[Sequence[Any]]) -> str:
    if bars is None:
        return ask.t("explore.genes_wide", width=bases_text(parts.GENES_SPAN_BP))
    if not ask.view.has_genes:
        return ask.t("explore.no_genes")
    if not bars:
        return ask.t("explore.no_gene_here")
    drawn = sum(map(len, rows))
    return ask.t("explore.genes_left", n=len(bars) - drawn) if drawn < len(bars) else ""


def _others(ask: Ask, state: State, scale: GenomeScale) -> tuple[Other, ...]:
    found = parts.others_of(ask, state, scale) or []
    now = ",".join(p.name for p in state.picks)
    return tuple(
        Other(association, _again(ask, state, studies=f"{now},{name}" if now else name))
        for association, name in found
    )


def _columns(shown: Shown) -> dict[str, list[Any]]:
    """The points of a picture as columns."""
    table = shown.window.table
    names = (
        "chromosome",
        "base_pair_location",
        "other_allele",
        "effect_allele",
        "rsid",
        "neg_log_10_p_value",
        "z",
    )
    columns: dict[str, list[Any]] = {
        name: ["" if v is None else v for v in table[name].to_pylist()] for name in names
    }
    columns["r2"] = ["" if np.isnan(v) else round(float(v), 4) for v in shown.r2]
    columns["stands_for_bin"] = [str(v).lower() for v in table["stands_for_bin"].to_pylist()]
    return columns


def _scene(ask: Ask, state: State, lead: Lead | None) -> str:
    """Everything the island needs to draw and to ask, as JSON; words in the reader's language."""
    assembly = ask.view.assembly
    contigs = drawn_contigs(assembly)
    scene = {
        "contigs": [[c.name, c.offset, c.length] for c in contigs],
        "region": window_text(state.where, assembly),
        "studies": [
            {
                "name": p.name,
                "label": _label(ask, p),
                "window": f"{API}/studies/{p.answer.study.id}/window?{urlencode({'trait': p.trait.id})}",
                "overview": ask.href("studies", p.answer.study.id, "figures", "manhattan")
                + f".json?{urlencode({'trait': p.trait.id})}",
            }
            for p in state.picks
        ],
        "ld": state.ld,
        "panel": state.panel,
        "population": state.population,
        "panels": bool(parts.panels_of(ask)),
        "ld_span": parts.LD_SPAN_BP,
        "page": ask.href("explore"),
        "around": ask.href("explore", "around.json"),
        "variants": ask.href("variants"),
        "texts": {name: ask.t.of("explore.live", name) for name in LIVE_TEXTS},
        "lead": lead.feature.id if lead else "",
        "shapes": SHAPES,
        "threshold": GENOME_WIDE,
    }
    return orjson.dumps(scene).decode()


LIVE_TEXTS: Final = ("keys", "png", "color_by", "bin", "recombination")
