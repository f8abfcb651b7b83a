"""The page of a variant, or any feature: its names, its effects across traits, how frequent it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import quote

import numpy as np
from markupsafe import Markup

from nexome.access.answers import FeatureAnswer, VariantAnswer
from nexome.model.errors import NotFoundError
from nexome.web.pages import plots
from nexome.web.pages.associations import Association, associations_of
from nexome.web.pages.figures import Wording
from nexome.web.pages.numbers import p_text
from nexome.web.pages.page import API, Ask, Card, Download, Link, Page, Paging, card_of, paging_of, rows_of
from nexome.web.pages.plots import Drawn, Figure

ROWS: Final = 100
FREQUENCIES: Final = 12
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


@dataclass(frozen=True)
class Phewas:
    """The PheWAS of the variant: figure, filters and sorts as links, rows of this page, what was tested."""

    figure: Figure
    categories: tuple[Link, ...]
    sorts: dict[str, Link]
    rows: tuple[Association, ...]
    paging: Paging
    tests: int
    frequencies: tuple[Frequency, ...]
    frequencies_left: int


@dataclass(frozen=True)
class VariantPage(Page):
    """A feature of the store.

    `heading` names it, `feature` holds its place and alleles, `swapped` says that the reader wrote the
    alleles the other way, `others` are features the same words fit, `spellings` ways to write it,
    `gene` the nearest one, `region` a link to the strongest associations around.
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
    api: str


def build_variant(ask: Ask, *, variant: str) -> VariantPage:
    """The page of the variant a text means; parameters category, sort and page choose the rows."""
    answer = ask.view.variant(variant)
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
        api=f"{API}/variants/{quote(feature.id, safe=':')}/phewas",
    )


def build_variant_figure(ask: Ask, *, variant: str, ending: str) -> Download:
    """The PheWAS plot as SVG, JSON or TSV, with parameter `category` as on the page."""
    feature = ask.view.variant(variant).feature
    _, shown = _chosen(ask, associations_of(ask, ask.view.phewas(feature)))
    drawn, _ = _draw(ask, feature, shown)
    return drawn.file(f"{feature.id.replace(':', '-')}-phewas", ending)


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
    return Link(gene, ask.href("search", q=gene)) if gene else None


def _region(ask: Ask, feature: FeatureAnswer, *, flank_bp: int = 250_000) -> Link | None:
    if not feature.position:
        return None
    start, end = max(1, feature.position - flank_bp), feature.position + flank_bp
    text = f"{feature.chromosome}:{start / 1e6:.2f}–{end / 1e6:.2f} Mb"
    return Link(text, ask.href("search", q=f"{feature.chromosome}:{start}-{end}"))


def _chosen(ask: Ask, rows: Sequence[Association]) -> tuple[str, list[Association]]:
    """Parameter `category` and the rows in it; all rows without one. NotFoundError for an unknown one."""
    category = ask.query.get("category", "")
    if category and category not in {r.category for r in rows}:
        raise NotFoundError(f"no category {category[:60]!r} among the traits of this variant")
    return category, [r for r in rows if not category or r.category == category]


def _phewas(ask: Ask, feature: FeatureAnswer) -> Phewas:
    rows = associations_of(ask, ask.view.phewas(feature))
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
    )


def _categories(ask: Ask, rows: Sequence[Association], now: str) -> tuple[Link, ...]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.category] = counts.get(row.category, 0) + 1
    named = sorted((c for c in counts if c), key=str.casefold)
    if not named:
        return ()
    every = Link(ask.t("studies.all"), ask.again(category=None, page=None), not now, len(rows))
    return (every, *(Link(c, ask.again(category=c, page=None), c == now, counts[c]) for c in named))


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
    stem = ask.href("variants", feature.id, "phewas")
    query = f"?category={quote(category)}" if category else ""
    return Figure(
        id="phewas",
        title=wording.title,
        subtitle=ask.t("phewas.subtitle", allele=feature.effect_allele or _name(feature)),
        sentence=wording.sentence,
        svg=Markup(drawn.picture().for_page()),  # noqa: S704 - made by svg.py, which escapes every text
        note=wording.note,
        source=ask.t(
            "figure.source_centre", studies=len({r.study for r in rows}), assembly=ask.view.assembly.name
        ),
        files={ending: f"{stem}.{ending}{query}" for ending in plots.FORMATS},
    )


def _frequencies(ask: Ask, rows: Sequence[Association]) -> list[Frequency]:
    """One frequency a study, commonest first; studies that give none are left out."""
    ancestry = {
        r["study_id"]: r["ancestry"] or ""
        for r in rows_of(ask.view.studies().select(["study_id", "ancestry"]))
    }
    found: dict[str, Frequency] = {}
    for row in rows:
        if not np.isnan(row.effect_allele_frequency):
            href = ask.href("studies", row.study)
            of = Frequency(row.study, href, ancestry.get(row.study, ""), row.effect_allele_frequency, row.n)
            found.setdefault(row.study, of)
    return sorted(found.values(), key=lambda f: -f.frequency)


def _or_low(value: float) -> float:
    return float("-inf") if np.isnan(value) else value
