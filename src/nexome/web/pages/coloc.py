"""The page of colocalisation: whether two traits share their causal variant in a region, or at which loci."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

import numpy as np

from nexome.access.coloc import ColocAnswer
from nexome.access.credible import around
from nexome.methods.coloc import HYPOTHESES, Priors
from nexome.methods.finemap import credible_set
from nexome.model.errors import NotFoundError, QueryError
from nexome.model.genome import Interval
from nexome.web.pages import compare_figures, plots
from nexome.web.pages.compare import drawn_layers
from nexome.web.pages.credible import strength_panel, variant_names
from nexome.web.pages.figures import Wording
from nexome.web.pages.interpreted import (
    Assumed,
    Caution,
    Choice,
    assumed_of,
    choice_of,
    label_of,
    name_of,
    offered,
    pair_of,
    region_text,
    share_text,
    short_names,
    warnings_of,
)
from nexome.web.pages.numbers import power_text
from nexome.web.pages.page import API, Ask, Card, Download, Link, Page, card_of, rows_of, variant_id
from nexome.web.pages.plots import Drawn, Figure
from nexome.web.regions import check_length

FIGURES: Final = ("hypotheses", "signals", "sensitivity")
VARIANTS_SHOWN: Final = 20
CLEAR: Final = 0.8  # a posterior from which the page says "most likely"
_PRIORS: Final = ("p1", "p2", "p12")


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One hypothesis: its code, what it says, its posterior, whether it is the likeliest."""

    code: str
    text: str
    posterior: float
    likeliest: bool


@dataclass(frozen=True, slots=True)
class SharedVariant:
    """One variant and how probably it is the shared one, were there one."""

    variant: str
    href: str
    p: tuple[float, float]
    posterior: float


@dataclass(frozen=True, slots=True)
class LocusShared:
    """One locus of the first trait with its posteriors (None: no variant in common)."""

    variant: str
    gene: str
    href: str
    neg_log_10_p_value: float
    variants: int
    h3: float | None
    h4: float | None


@dataclass(frozen=True)
class Colocalised:
    """The region's answer: in words, hypotheses, figures, variants, assumptions of both traits."""

    answer: str
    names: tuple[str, str]
    region: str
    warnings: tuple[Caution, ...]
    hypotheses: tuple[Hypothesis, ...]
    bars: Figure
    signals: Figure
    sensitivity: Figure
    shared: tuple[SharedVariant, ...]
    assumed: tuple[tuple[Assumed, ...], tuple[Assumed, ...]]
    explore: str
    api: str


@dataclass(frozen=True)
class ColocPage(Page):
    """Two traits (parameters a and b), a region; without one, every locus of the first.

    `priors` are p1, p2 and p12 as they stand in the form.
    """

    template: ClassVar[str] = "coloc.html"
    script: ClassVar[str] = "figures.js"
    choices: tuple[Choice, Choice]
    offered: tuple[Link, ...]
    region: str
    priors: tuple[tuple[str, str], ...]
    found: Card[Colocalised] | None
    loci: Card[tuple[LocusShared, ...]] | None
    compare: str


def build_coloc(ask: Ask) -> ColocPage:
    """The page for parameters a, b, region and the priors."""
    a, b = ask.query.get("a", "").strip(), ask.query.get("b", "").strip()
    region = ask.query.get("region", "").strip()
    both = bool(a and b)
    return ColocPage(
        title=ask.t("coloc.title"),
        choices=(choice_of(ask, "a"), choice_of(ask, "b")),
        offered=offered(ask),
        region=region,
        priors=tuple((name, ask.query.get(name) or f"{getattr(Priors(), name):g}") for name in _PRIORS),
        found=card_of(lambda: _colocalised(ask)) if both and region else None,
        loci=card_of(lambda: _loci(ask)) if both and not region else None,
        compare=ask.href("compare", a=a, b=b) if both else "",
    )


def build_coloc_figure(ask: Ask, *, figure: str, ending: str) -> Download:
    """A figure of the page as a file, or in JSON for the island."""
    if figure not in FIGURES:
        raise NotFoundError(f"no figure {figure[:40]!r}", expected=" or ".join(FIGURES))
    found = _ask_for(ask)
    drawn, _ = _drawn(ask, found, figure)
    return drawn.file(f"{found.first.study.id}-{found.second.study.id}-{figure}", ending)


def _ask_for(ask: Ask) -> ColocAnswer:
    interval = _interval(ask)
    pair = pair_of(ask.query.get("a", "")), pair_of(ask.query.get("b", ""))
    return ask.view.coloc(*pair, interval, priors=_priors(ask))


def _interval(ask: Ask) -> Interval:
    interval = ask.view.interval(ask.query.get("region", "").strip())
    return check_length(interval, ask.settings.region_max_bp)


def _priors(ask: Ask) -> Priors:
    given: dict[str, float] = {}
    for name in _PRIORS:
        if text := ask.query.get(name):
            try:
                given[name] = float(text)
            except ValueError:
                raise QueryError(
                    f"{name} {text[:20]!r}", where=name, expected="a probability, as 1e-5"
                ) from None
    return Priors(**given)


def _query(ask: Ask, *, api: bool) -> str:
    """The question as parameters of this page, or of the API."""
    kept = {n: v for n in (*_PRIORS, "region") if (v := ask.query.get(n, "").strip())}
    if not api:
        return urlencode({"a": ask.query.get("a", ""), "b": ask.query.get("b", ""), **kept})
    (a, trait_a), (b, trait_b) = pair_of(ask.query.get("a", "")), pair_of(ask.query.get("b", ""))
    named = {"a": a, "trait_a": trait_a or "", "b": b, "trait_b": trait_b or "", **kept}
    return urlencode({k: v for k, v in named.items() if v})


def _colocalised(ask: Ask) -> Colocalised:
    found = _ask_for(ask)
    sides = found.first, found.second
    posterior = found.found.posterior.tolist()
    region = region_text(found.first.assembly, found.first.interval)
    names = tuple(name_of(s.study, s.trait) for s in sides)
    return Colocalised(
        answer=_answer(ask, found),
        names=(label_of(ask, sides[0].study, sides[0].trait), label_of(ask, sides[1].study, sides[1].trait)),
        region=region,
        warnings=warnings_of(ask, found.warnings),
        hypotheses=tuple(
            Hypothesis(code, _hypothesis(ask, found, code), share, code == found.likeliest)
            for code, share in zip(HYPOTHESES, posterior, strict=True)
        ),
        bars=_figure(ask, found, "hypotheses"),
        signals=_figure(ask, found, "signals"),
        sensitivity=_figure(ask, found, "sensitivity"),
        shared=_shared(ask, found),
        assumed=(assumed_of(ask, sides[0]), assumed_of(ask, sides[1])),
        explore=ask.href("explore", region=region, studies=",".join(names)),
        api=f"{API}/coloc?{_query(ask, api=True)}",
    )


def _hypothesis(ask: Ask, found: ColocAnswer, code: str) -> str:
    a, b = short_names(ask, found.first, found.second)
    return ask.t(f"hypothesis.{code.lower()}", a=a, b=b)


def _answer(ask: Ask, found: ColocAnswer) -> str:
    """The conclusion in plain words: what is most likely, or that nothing is clear."""
    a, b = short_names(ask, found.first, found.second)
    best = int(np.argmax(found.found.posterior))
    share = float(found.found.posterior[best])
    kind = f"h{best}" if share >= CLEAR else "unclear"
    told = ask.t(f"coloc.answer.{kind}", a=a, b=b, share=share_text(share))
    if best == 4 and share >= CLEAR:
        row = int(np.nanargmax(found.found.shared))
        signal = found.first.features.take(found.first_rows)
        name = variant_names(found.first, found.first_rows[[row]])[0] if len(signal) else ""
        told += ask.t("coloc.answer.variant", name=name, share=share_text(float(found.found.shared[row])))
    return told


def _shared(ask: Ask, found: ColocAnswer) -> tuple[SharedVariant, ...]:
    rows = rows_of(found.table().slice(0, VARIANTS_SHOWN))
    return tuple(
        SharedVariant(
            variant=row["rsid"] or variant_id(row),
            href=ask.href("variants", variant_id(row)),
            p=(row["neg_log_10_p_value_a"], row["neg_log_10_p_value_b"]),
            posterior=row["shared_posterior"],
        )
        for row in rows
    )


def _loci(ask: Ask) -> tuple[LocusShared, ...]:
    pair = pair_of(ask.query.get("a", "")), pair_of(ask.query.get("b", ""))
    rows = rows_of(ask.view.coloc_loci(*pair, priors=_priors(ask)))
    assembly = ask.view.assembly
    found = []
    for row in rows:
        place = around(assembly.rank(row["chromosome"]), row["base_pair_location"])
        h3, h4 = (None if math.isnan(row[n]) else row[n] for n in ("posterior_h3", "posterior_h4"))
        found.append(
            LocusShared(
                variant=row["rsid"] or variant_id(row),
                gene=row["nearest_gene"] or "",
                href=ask.again(region=region_text(assembly, place)),
                neg_log_10_p_value=row["neg_log_10_p_value"],
                variants=row["variants"],
                h3=h3,
                h4=h4,
            )
        )
    return tuple(found)


# ---------------------------------------------------------------- figures


def _figure(ask: Ask, found: ColocAnswer, kind: str) -> Figure:
    drawn, wording = _drawn(ask, found, kind)
    place = plots.Place(
        id=kind,
        stem=ask.href("coloc", "figures", kind),
        api=f"{API}/coloc?{_query(ask, api=True)}",
        query=_query(ask, api=False),
        shape="panels" if kind == "signals" else "low",
    )
    source = " ".join(
        ask.t("figure.source", study=s.study.id, version=s.version, date=s.published[:10])
        for s in (found.first, found.second)
    )
    subtitle = ask.t(f"{kind}.subtitle", n=found.found.variants)
    return plots.figure_of(drawn, wording, place, subtitle=subtitle, source=source)


def _drawn(ask: Ask, found: ColocAnswer, kind: str) -> tuple[Drawn, Wording]:
    draw = {"hypotheses": _draw_bars, "signals": _draw_signals, "sensitivity": _draw_sensitivity}
    return draw[kind](ask, found)


def _draw_bars(ask: Ask, found: ColocAnswer) -> tuple[Drawn, Wording]:
    values = found.found.posterior.tolist()
    texts = [_hypothesis(ask, found, code) for code in HYPOTHESES]
    wording = Wording(
        title=ask.t("hypotheses.title"),
        sentence=_answer(ask, found),
        x=ask.t("hypotheses.x"),
        y=ask.t("hypotheses.y"),
        note=ask.t("hypotheses.note"),
    )
    table = {"hypothesis": list(HYPOTHESES), "meaning": texts, "posterior": values}
    return drawn_layers(
        lambda: compare_figures.bars(values, HYPOTHESES, texts), wording, lambda: table
    ), wording


def _draw_signals(ask: Ask, found: ColocAnswer) -> tuple[Drawn, Wording]:
    a, b = short_names(ask, found.first, found.second)
    likely = credible_set(found.found.shared, coverage=0.95)
    panels = []
    sides = ((found.first, found.first_rows, a), (found.second, found.second_rows, b))
    for signal, rows, name in sides:
        accent = np.zeros(len(signal.z), bool)
        accent[rows[likely]] = True
        panels.append(strength_panel(ask, signal, accent, title=f"{name} · {ask.t('axis.neg_log_10_p')}"))
    ends = found.first.interval
    last = max(int(s.features.position[-1]) for s in (found.first, found.second))
    wording = Wording(
        title=ask.t("signals.title", a=a, b=b),
        sentence=ask.t("signals.sentence", a=a, b=b, n=found.found.variants),
        x=ask.t("credible_set.x", chromosome=found.first.assembly.contig_name(ends.contig)),
        y="",
        note=ask.t("signals.note", n=len(likely)),
    )

    def layers() -> Any:
        return compare_figures.stacked(panels, start=ends.start, end=min(ends.end, last + 1))

    return drawn_layers(layers, wording, lambda: found.table().to_pydict()), wording


def _draw_sensitivity(ask: Ask, found: ColocAnswer) -> tuple[Drawn, Wording]:
    grid, by = found.p12_grid, found.by_p12
    agreeing = grid[by.argmax(axis=1) == int(np.argmax(found.found.posterior))]
    span = f"{power_text(agreeing[0])} – {power_text(agreeing[-1])}" if len(agreeing) else "–"
    wording = Wording(
        title=ask.t("sensitivity.title"),
        sentence=ask.t("sensitivity.sentence", code=found.likeliest, span=span),
        x="p12",
        y=ask.t("hypotheses.y"),
        note=ask.t("sensitivity.note", used=f"{found.found.priors.p12:g}"),
    )
    table = {"p12": grid.tolist(), **{code: by[:, k].tolist() for k, code in enumerate(HYPOTHESES)}}

    def layers() -> Any:
        return compare_figures.against_prior(grid, by, used=found.found.priors.p12, names=HYPOTHESES)

    return drawn_layers(layers, wording, lambda: table), wording
