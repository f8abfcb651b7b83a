"""The page of a variant, or any feature: its names, its effects across traits, how frequent it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import quote

import numpy as np

from nexome.access.answers import ASSOCIATION_COLUMNS, FeatureAnswer, VariantAnswer
from nexome.access.finding import RS_NUMBER
from nexome.access.overview import PanelFrequency
from nexome.access.quality import judge_variant
from nexome.model.errors import NotFoundError
from nexome.web.pages import plots
from nexome.web.pages.associations import Association, associations_of
from nexome.web.pages.doubts import Said, said_of
from nexome.web.pages.figures import Wording
from nexome.web.pages.forest import Forest, draw_forest, forest_of, units_of
from nexome.web.pages.numbers import p_text
from nexome.web.pages.page import (
    API,
    Ask,
    Card,
    Download,
    Link,
    Page,
    Paging,
    Redirect,
    card_of,
    paging_of,
    rows_of,
    variant_id,
)
from nexome.web.pages.plots import Drawn, Figure
from nexome.web.pages.ties import is_tied

ROWS: Final = 100
FREQUENCIES: Final = 12
PROXIES: Final = 20
SORTS: Final = {
    "p": lambda r: -_or_low(r.neg_log_10_p_value),
    "effect": lambda r: -_or_low(abs(r.beta)),
    "n": lambda r: -_or_low(r.n),
    "trait": lambda r: r.trait.casefold(),
    "study": lambda r: r.study,
}


@dataclass(frozen=True, slots=True)
class Frequency:
    """Frequency of the effect allele in one study's people (None: not given), with their ancestry."""

    study: str
    href: str
    ancestry: str
    frequency: float
    n: float


@dataclass(frozen=True, slots=True)
class ForestPart:
    """The forest figure and its units as links, where there are several."""

    figure: Figure
    units: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Proxy:
    """A variant in LD with this one: its page, how far off, r² and D′, its frequency in the panel."""

    variant: Link
    distance_bp: int
    r2: float
    d_prime: float
    frequency: float


@dataclass(frozen=True, slots=True)
class Proxies:
    """The variants that can stand for this one, in whom, and how many more there are."""

    rows: tuple[Proxy, ...]
    left_out: int
    where: str


@dataclass(frozen=True)
class Phewas:
    """The PheWAS of the variant: figure, filters and sorts as links, rows of this page, what was tested.

    `frequencies` by study; `doubts` what to know before trusting it; `forest` its effects side by side.
    """

    figure: Figure
    categories: tuple[Link, ...]
    sorts: dict[str, Link]
    rows: tuple[Association, ...]
    paging: Paging
    tests: int
    frequencies: tuple[Frequency, ...]
    frequencies_left: int
    doubts: tuple[Said, ...]
    forest: Card[ForestPart | None]


@dataclass(frozen=True)
class VariantPage(Page):
    """A feature of the store.

    `heading` names it, `feature` holds its place and alleles, `swapped` says that the reader wrote the
    alleles the other way, `others` are features the same words fit, `spellings` ways to write it,
    `gene` the nearest one, `region` a link to the explorer around it. `panels`: its frequency in the
    people LD is computed from; `proxies`: None where there are no such people. `known`: what sources of
    knowledge say of its rs number.
    """

    template: ClassVar[str] = "variant.html"
    script: ClassVar[str] = "figures.js"
    heading: str
    feature: FeatureAnswer
    swapped: bool
    others: tuple[Link, ...]
    spellings: tuple[str, ...]
    gene: Link | None
    region: Link | None
    phewas: Card[Phewas]
    panels: Card[tuple[PanelFrequency, ...]]
    proxies: Card[Proxies] | None
    known: Link | None
    api: str


def build_variant(ask: Ask, *, variant: str) -> VariantPage | Redirect:
    """The page of the variant a text means; parameters category, sort and page choose the rows.

    One that no study here has leads to what sources of knowledge say of it.
    """
    try:
        answer = ask.view.variant(variant)
    except NotFoundError:
        known = _known(ask, variant)
        if known is None:
            raise
        return Redirect(known.href)
    feature = answer.feature
    return VariantPage(
        title=_name(feature),
        heading=_name(feature),
        feature=feature,
        swapped=answer.swapped,
        others=tuple(Link(_other(f), ask.href("variants", f.id)) for f in answer.others),
        spellings=_spellings(feature),
        gene=_gene(ask, answer),
        region=_region(ask, feature),
        phewas=card_of(lambda: _phewas(ask, feature)),
        panels=card_of(lambda: ask.view.panel_frequencies(feature)),
        proxies=_proxies(ask, feature),
        known=_known(ask, feature.rsid),
        api=_api(feature),
    )


def build_variant_figure(ask: Ask, *, variant: str, ending: str) -> Download:
    """The PheWAS plot as SVG, JSON or TSV, with parameter `category` as on the page."""
    feature = ask.view.variant(variant).feature
    _, shown = _chosen(ask, _rows(ask, feature))
    drawn, _ = _draw(ask, feature, shown)
    return drawn.file(f"{feature.id.replace(':', '-')}-phewas", ending)


def build_forest_figure(ask: Ask, *, variant: str, ending: str) -> Download:
    """The forest plot as SVG or TSV, with parameter `unit` as on the page."""
    feature = ask.view.variant(variant).feature
    rows = _rows(ask, feature)
    unit = ask.query.get("unit", next(iter(units_of(rows)), ""))
    drawn, _, _ = _draw_forest(ask, feature, rows, unit)
    if ending == "json":
        raise NotFoundError("the forest has no JSON of its own", expected="svg or tsv", todo="Ask the API.")
    return drawn.file(f"{feature.id.replace(':', '-')}-forest", ending)


def _rows(ask: Ask, feature: FeatureAnswer) -> list[Association]:
    planes = ask.view.phewas_planes(feature)
    return associations_of(ask, planes.table(ASSOCIATION_COLUMNS), planes.trait_table)


def _doubts(ask: Ask, rows: Sequence[Association]) -> tuple[Said, ...]:
    n, frequency = (
        np.array([getattr(r, name) for r in rows], np.float64) for name in ("n", "effect_allele_frequency")
    )
    return said_of(ask, judge_variant(n, frequency, ancestry=[r.ancestry for r in rows]))


def _name(feature: FeatureAnswer) -> str:
    return feature.rsid or feature.name or feature.id


def _other(feature: FeatureAnswer) -> str:
    return f"{feature.rsid} · {feature.id}" if feature.rsid else feature.id


def _spellings(feature: FeatureAnswer) -> tuple[str, ...]:
    """Ways to write the feature that the search box understands, besides its heading."""
    if not feature.effect_allele:
        return (feature.id,)
    chromosome, position = feature.chromosome, feature.position
    ref, alt = feature.other_allele, feature.effect_allele
    ways = (
        feature.id,
        f"chr{chromosome.removeprefix('chr')}:{position}:{ref}:{alt}",
        f"{chromosome}:{position:,}",
    )
    return tuple(dict.fromkeys(w for w in ways if len(w) <= 120))


def _gene(ask: Ask, answer: VariantAnswer) -> Link | None:
    gene = answer.nearest_gene
    return Link(gene, ask.href("genes", gene)) if gene else None


def _region(ask: Ask, feature: FeatureAnswer, *, flank_bp: int = 250_000) -> Link | None:
    if not feature.position:
        return None
    start, end = max(1, feature.position - flank_bp), feature.position + flank_bp
    text = f"{feature.chromosome}:{start / 1e6:.2f}–{end / 1e6:.2f} Mb"
    region = f"{feature.chromosome}:{start}-{end}"
    return Link(text, ask.href("explore", region=region, ld=feature.id))


def _known(ask: Ask, rsid: str) -> Link | None:
    if not RS_NUMBER.fullmatch(rsid.strip()):
        return None
    term = f"dbSNP:{rsid.strip().lower()}"
    return Link(term, ask.href("terms", term)) if is_tied(ask, term) else None


def _proxies(ask: Ask, feature: FeatureAnswer) -> Card[Proxies] | None:
    if not feature.effect_allele or not any(ask.view.ld_panels()["usable"].to_pylist()):
        return None
    return card_of(lambda: _read_proxies(ask, feature))


def _read_proxies(ask: Ask, feature: FeatureAnswer) -> Proxies:
    table = ask.view.proxies(feature.id)
    told = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
    rows = tuple(_proxy(ask, row) for row in rows_of(table.slice(0, PROXIES)))
    where = " · ".join(p for p in (told.get("panel", ""), told.get("population", "")) if p)
    return Proxies(rows, max(0, table.num_rows - PROXIES), where)


def _proxy(ask: Ask, row: dict[str, Any]) -> Proxy:
    name = variant_id(row)
    link = Link(row["rsid"] or name, ask.href("variants", name))
    return Proxy(link, row["distance_bp"], row["r2"], row["d_prime"], row["panel_frequency"])


def _chosen(ask: Ask, rows: Sequence[Association]) -> tuple[str, list[Association]]:
    """Parameter `category` and the rows in it; all rows without one. NotFoundError for an unknown one."""
    category = ask.query.get("category", "")
    if category and category not in {r.category for r in rows}:
        raise NotFoundError(f"no category {category[:60]!r} among the traits of this variant")
    return category, [r for r in rows if not category or r.category == category]


def _phewas(ask: Ask, feature: FeatureAnswer) -> Phewas:
    rows = _rows(ask, feature)
    category, shown = _chosen(ask, rows)
    sort = ask.choice("sort", SORTS, "p")
    shown.sort(key=SORTS[sort])
    paging = paging_of(ask, total=len(shown), size=ROWS)
    frequencies = _frequencies(ask, rows)
    return Phewas(
        figure=_figure(ask, feature, shown),
        categories=_categories(ask, rows, category),
        sorts={s: Link(ask.t(f"column.{s}"), ask.again(sort=s, page=None), s == sort) for s in SORTS},
        rows=tuple(shown[max(paging.first - 1, 0) : paging.last]),
        paging=paging,
        tests=len(shown),
        frequencies=tuple(frequencies[:FREQUENCIES]),
        frequencies_left=max(0, len(frequencies) - FREQUENCIES),
        doubts=_doubts(ask, rows),
        forest=card_of(lambda: _forest(ask, feature, rows)),
    )


def _categories(ask: Ask, rows: Sequence[Association], now: str) -> tuple[Link, ...]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.category] = counts.get(row.category, 0) + 1
    named = sorted((c for c in counts if c), key=str.casefold)
    if not named:
        return ()
    every = Link(ask.t("studies.all"), ask.again(category=None, page=None), not now, len(rows))
    links = (
        Link(ask.t.of("traits.category", c), ask.again(category=c, page=None), c == now, counts[c])
        for c in named
    )
    return (every, *links)


def _draw(ask: Ask, feature: FeatureAnswer, rows: Sequence[Association]) -> tuple[Drawn, Wording]:
    plot, t = plots.phewas_of(rows, tests=len(rows)), ask.t
    past = [p for p in plot.points if p.neg_log_10_p >= plot.threshold]
    name = _name(feature)
    sentence = t("phewas.sentence", variant=name, tests=len(plot.points), n=len(past))
    if past:
        best = max(past, key=lambda p: p.neg_log_10_p)
        sentence += t("phewas.strongest", trait=best.label, p=p_text(best.neg_log_10_p))
    wording = Wording(
        title=t("phewas.title", variant=name, tests=len(plot.points), n=len(past)),
        sentence=sentence,
        x=t("phewas.x"),
        y=t("axis.neg_log_10_p"),
        threshold=t("phewas.threshold", p=p_text(plot.threshold)),
        note=t("figure.folded") if plot.scale.folded else "",
    )
    return plots.draw_phewas(plot, wording), wording


def _figure(ask: Ask, feature: FeatureAnswer, rows: Sequence[Association]) -> Figure:
    drawn, wording = _draw(ask, feature, rows)
    category = ask.query.get("category", "")
    return plots.figure_of(
        drawn,
        wording,
        plots.Place(
            "phewas",
            ask.href("variants", feature.id, "phewas"),
            _api(feature),
            f"category={quote(category)}" if category else "",
        ),
        subtitle=ask.t("phewas.subtitle", allele=feature.effect_allele or _name(feature)),
        source=source_of(ask, (row.study for row in rows)),
    )


def _api(feature: FeatureAnswer) -> str:
    return f"{API}/phewas/{quote(feature.id, safe=':')}"


def _forest(ask: Ask, feature: FeatureAnswer, rows: Sequence[Association]) -> ForestPart | None:
    """The effects in the unit of parameter `unit`, else the commonest; None where there are none."""
    units = units_of(rows)
    if not units:
        return None
    unit = ask.query.get("unit", next(iter(units)))
    if unit not in units:
        raise NotFoundError(f"no effects in {unit[:60]!r}", expected="one of " + ", ".join(units))
    drawn, wording, forest = _draw_forest(ask, feature, rows, unit)
    figure = plots.figure_of(
        drawn,
        wording,
        plots.Place(
            "forest",
            ask.href("variants", feature.id, "forest"),
            _api(feature),
            f"unit={quote(unit)}",
            ("svg", "tsv"),
            forest.shape,
        ),
        subtitle=ask.t("forest.subtitle", allele=feature.effect_allele or _name(feature)),
        source=source_of(ask, (row.study for row in rows)),
    )
    links = [
        Link(u or ask.t("forest.no_unit"), ask.again(unit=u) + "#forest", u == unit, n)
        for u, n in units.items()
    ]
    return ForestPart(figure, tuple(links) if len(links) > 1 else ())


def _draw_forest(
    ask: Ask, feature: FeatureAnswer, rows: Sequence[Association], unit: str
) -> tuple[Drawn, Wording, Forest]:
    forest, t = forest_of(rows, unit), ask.t
    apart = [r for r in forest.rows if r.low > 0 or r.high < 0]
    name, shown = _name(feature), unit or t("forest.no_unit")
    wording = Wording(
        title=t("forest.title", variant=name, n=len(apart), total=len(forest.rows)),
        sentence=t("forest.sentence", variant=name, unit=shown, n=len(apart), total=len(forest.rows)),
        x=t("forest.x", unit=shown),
        y="",
        note=t("forest.left", n=forest.left_out) if forest.left_out else "",
    )
    return draw_forest(forest, wording), wording, forest


def source_of(ask: Ask, names: Iterable[str]) -> str:
    """Where the numbers of several studies are from: how many, the newest publication among them."""
    studies = set(names)
    return ask.t(
        "figure.source_centre",
        n=len(studies),
        studies=len(studies),
        assembly=ask.view.assembly.name,
        date=ask.view.newest(studies)[:10] or "–",
    )


def _frequencies(ask: Ask, rows: Sequence[Association]) -> list[Frequency]:
    """One frequency a study, commonest first; studies that give none are left out."""
    found: dict[str, Frequency] = {}
    for row in rows:
        if not np.isnan(row.effect_allele_frequency):
            href = ask.href("studies", row.study)
            of = Frequency(row.study, href, row.ancestry, row.effect_allele_frequency, row.n)
            found.setdefault(row.study, of)
    return sorted(found.values(), key=lambda f: -f.frequency)


def _or_low(value: float) -> float:
    return float("-inf") if np.isnan(value) else value
