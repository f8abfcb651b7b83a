"""The page that compares two studies: Miami, effects against effects, two QQ plots, signs, leads."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

import numpy as np

from nexome.access.compare import Agreement, Comparison, Side
from nexome.access.credible import around
from nexome.model.errors import NotFoundError
from nexome.web.pages import compare_figures, plots
from nexome.web.pages.figures import Manhattan, Wording
from nexome.web.pages.interpreted import (
    Caution,
    Choice,
    choice_of,
    label_of,
    name_of,
    offered,
    pair_of,
    region_text,
    short_names,
    warnings_of,
)
from nexome.web.pages.layers import Layers, layers_json, layers_picture
from nexome.web.pages.numbers import count_text, effect_text, p_text, ratio_text
from nexome.web.pages.page import API, Ask, Card, Download, Link, Page, card_of, rows_of, variant_id
from nexome.web.pages.plots import Drawn, Figure

LEADS_SHOWN: Final = 50
FIGURES: Final = ("miami", "effects", "two_qq")


@dataclass(frozen=True, slots=True)
class Lead:
    """One lead that both studies have, with both effects, and where to look further."""

    variant: str
    href: str
    gene: str
    selected_in: str
    p: tuple[float, float]
    beta: tuple[float, float]
    standard_error: tuple[float, float]
    same_sign: bool
    region: str
    coloc: str


@dataclass(frozen=True, slots=True)
class Agrees:
    """One row of the table of agreement: which leads, and the numbers as text."""

    chosen: str
    points: int
    signs: str
    slope: str
    heterogeneity: str
    correlation: str


@dataclass(frozen=True)
class Compared:
    """Two studies compared: names, warnings, the sentence that answers, figures and tables."""

    names: tuple[str, str]
    links: tuple[Link, Link]
    warnings: tuple[Caution, ...]
    answer: str
    facts: tuple[tuple[str, str, str], ...]
    miami: Card[Figure]
    effects: Card[Figure]
    quantiles: Card[Figure]
    agreement: tuple[Agrees, ...]
    leads: tuple[Lead, ...]
    leads_left: int
    leads_file: str
    scale: str


@dataclass(frozen=True)
class ComparePage(Page):
    """Two studies, chosen by parameters a and b ('study' or 'study/trait'), and how they agree.

    `compared` is None until both are chosen, and holds the error where they cannot be compared.
    """

    template: ClassVar[str] = "compare.html"
    script: ClassVar[str] = "figures.js"
    choices: tuple[Choice, Choice]
    offered: tuple[Link, ...]
    compared: Card[Compared] | None
    api: str


def build_compare(ask: Ask) -> ComparePage:
    """The page for parameters `a` and `b`."""
    a, b = ask.query.get("a", "").strip(), ask.query.get("b", "").strip()
    return ComparePage(
        title=ask.t("compare.title"),
        choices=(choice_of(ask, "a"), choice_of(ask, "b")),
        offered=offered(ask),
        compared=card_of(lambda: _compared(ask)) if a and b else None,
        api=f"{API}/compare?{_api_query(a, b)}" if a and b else "",
    )


def build_compare_figure(ask: Ask, *, figure: str, ending: str) -> Download:
    """A figure of the comparison as a file, or in JSON for the island."""
    if figure not in FIGURES:
        raise NotFoundError(f"no figure {figure[:40]!r}", expected=" or ".join(FIGURES))
    found = _ask_for(ask)
    drawn, _ = _drawn(ask, found, figure)
    return drawn.file(f"{found.first.study.id}-{found.second.study.id}-{figure}", ending)


def _ask_for(ask: Ask) -> Comparison:
    return ask.view.compare(pair_of(ask.query.get("a", "")), pair_of(ask.query.get("b", "")))


def _api_query(a: str, b: str) -> str:
    (study_a, trait_a), (study_b, trait_b) = pair_of(a), pair_of(b)
    given = {"a": study_a, "trait_a": trait_a, "b": study_b, "trait_b": trait_b}
    return urlencode({k: v for k, v in given.items() if v})


def _compared(ask: Ask) -> Compared:
    found = _ask_for(ask)
    sides = found.first, found.second
    rows = rows_of(found.table())
    strongest = sorted(rows, key=lambda r: -max(r["neg_log_10_p_value_a"], r["neg_log_10_p_value_b"]))
    names = label_of(ask, sides[0].study, sides[0].trait), label_of(ask, sides[1].study, sides[1].trait)
    return Compared(
        names=names,
        links=(_study_link(ask, sides[0], names[0]), _study_link(ask, sides[1], names[1])),
        warnings=warnings_of(ask, found.warnings),
        answer=_answer(ask, found),
        facts=_facts(ask, found),
        miami=card_of(lambda: _figure(ask, found, "miami")),
        effects=card_of(lambda: _figure(ask, found, "effects")),
        quantiles=card_of(lambda: _figure(ask, found, "two_qq")),
        agreement=tuple(_agrees(one) for one in found.agreements),
        leads=tuple(_lead(ask, found, row) for row in strongest[:LEADS_SHOWN]),
        leads_left=max(0, len(rows) - LEADS_SHOWN),
        leads_file=f"{API}/compare?{_api_query(ask.query.get('a', ''), ask.query.get('b', ''))}&format=tsv",
        scale=found.scale,
    )


def _study_link(ask: Ask, side: Side, name: str) -> Link:
    return Link(name, ask.href("studies", side.study.id, trait=side.trait.id))


def _answer(ask: Ask, found: Comparison) -> str:
    """Whether effects agree, in one sentence; that there is nothing to compare, where so."""
    all_leads = found.agreements[0].signs
    if not all_leads.tested:
        return ask.t("compare.no_leads")
    return ask.t(
        "compare.answer",
        n=all_leads.tested,
        same=all_leads.same,
        share=f"{all_leads.share:.0%}",
        low=f"{all_leads.low:.0%}",
        high=f"{all_leads.high:.0%}",
    )


def _facts(ask: Ask, found: Comparison) -> tuple[tuple[str, str, str], ...]:
    """Name, value and the term to explain ('' for none) of what was counted."""
    t, overlap = ask.t, found.overlap
    lambdas = found.lambda_shared
    of_both = " / ".join
    correlation = "" if math.isnan(overlap.null_correlation) else effect_text(overlap.null_correlation)
    facts = (
        ("shared", count_text(overlap.shared), ""),
        ("only", of_both([count_text(overlap.only_first), count_text(overlap.only_second)]), ""),
        ("turned", count_text(overlap.turned) if overlap.turned else "", ""),
        ("ambiguous", count_text(overlap.ambiguous) if overlap.ambiguous else "", ""),
        ("lambda", of_both([ratio_text(lambdas[0]), ratio_text(lambdas[1])]), "lambda_gc"),
        ("leads", of_both([count_text(found.first.leads), count_text(found.second.leads)]), "lead"),
        ("leads_shared", of_both([count_text(s.leads_shared) for s in (found.first, found.second)]), ""),
        ("null", correlation, "overlap"),
        ("clumping", t.of("compare.clumping", found.clumping), "clump"),
    )
    return tuple((t(f"compare.fact.{name}"), value, term) for name, value, term in facts if value)


def _agrees(found: Agreement) -> Agrees:
    signs, line, z = found.signs, found.line, found.z
    told = signs.tested > 0
    return Agrees(
        chosen=found.chosen,
        points=signs.tested,
        signs=f"{signs.same} / {signs.tested} · {signs.share:.0%} ({signs.low:.0%}–{signs.high:.0%})"
        if told
        else "–",
        slope=_with_interval(line.slope, line.low, line.high),
        heterogeneity="–" if math.isnan(line.q) else p_text(-math.log10(max(line.p_heterogeneity, 1e-300))),
        correlation=_with_interval(z.r, z.low, z.high),
    )


def _with_interval(value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{effect_text(value)} ({effect_text(low)} – {effect_text(high)})"


def _lead(ask: Ask, found: Comparison, row: dict[str, Any]) -> Lead:
    name = variant_id(row)
    a, b = (name_of(s.study, s.trait) for s in (found.first, found.second))
    region = ""
    if row["chromosome"] is not None:
        rank = found.assembly.rank(row["chromosome"])
        region = region_text(found.assembly, around(rank, row["base_pair_location"]))
    numbers = {k: (row[f"{k}_a"], row[f"{k}_b"]) for k in ("neg_log_10_p_value", "beta", "standard_error")}
    return Lead(
        variant=row["rsid"] or name,
        href=ask.href("variants", name),
        gene=row["nearest_gene"] or "",
        selected_in=row["selected_in"],
        p=numbers["neg_log_10_p_value"],
        beta=numbers["beta"],
        standard_error=numbers["standard_error"],
        same_sign=(row["beta_a"] or 0) * (row["beta_b"] or 0) > 0,
        region=ask.href("explore", region=region, studies=f"{a},{b}") if region else "",
        coloc=ask.href("coloc", a=a, b=b, region=region) if region else "",
    )


# ---------------------------------------------------------------- figures


def _figure(ask: Ask, found: Comparison, kind: str) -> Figure:
    drawn, wording = _drawn(ask, found, kind)
    query = urlencode({"a": ask.query.get("a", ""), "b": ask.query.get("b", "")})
    place = plots.Place(
        id=kind,
        stem=ask.href("compare", "figures", kind),
        api=f"{API}/compare?{_api_query(ask.query.get('a', ''), ask.query.get('b', ''))}",
        query=query,
        shape="tall" if kind == "miami" else "",
    )
    t = ask.t
    sources = [
        t("figure.source", study=s.study.id, version=s.version, date=s.published[:10])
        for s in (found.first, found.second)
    ]
    subtitle = t(f"{kind}.subtitle", assembly=found.assembly.name, scale=t.of("compare.scale", found.scale))
    return plots.figure_of(drawn, wording, place, subtitle=subtitle, source=" ".join(sources))


def _drawn(ask: Ask, found: Comparison, kind: str) -> tuple[Drawn, Wording]:
    draw: dict[str, Callable[[Ask, Comparison], tuple[Drawn, Wording]]] = {
        "miami": _draw_miami,
        "effects": _draw_effects,
        "two_qq": _draw_quantiles,
    }
    return draw[kind](ask, found)


def drawn_layers(layers: Callable[[], Layers], wording: Wording, table: Callable[[], Any]) -> Drawn:
    """Layers in their formats."""
    return Drawn(
        picture=lambda: layers_picture(layers(), wording),
        json=lambda: layers_json(layers(), wording),
        table=table,
    )


def _draw_miami(ask: Ask, found: Comparison) -> tuple[Drawn, Wording]:
    sides = found.first, found.second
    read = [plots.read_manhattan(ask, s.study.id, s.trait.id) for s in sides]
    first, second = (
        plots.with_leads(plot, ask, rows_of(ask.view.loci(s.study.id, trait=s.trait.id)))
        for plot, s in zip(read, sides, strict=True)
    )
    names, t = short_names(ask, found.first, found.second), ask.t
    counts = [len(plot.leads) for plot in (first, second)]
    wording = Wording(
        title=t("miami.title", a=names[0], b=names[1]),
        sentence=t("miami.sentence", a=names[0], b=names[1], first=counts[0], second=counts[1]),
        x=t("manhattan.x"),
        y=t("axis.neg_log_10_p"),
        threshold=t("manhattan.threshold"),
        note=t("manhattan.thinned"),
    )
    sided = f"▲ {names[0]}", f"▼ {names[1]}"

    def layers() -> Layers:
        return compare_figures.miami(first, second, names=sided, threshold=wording.threshold)

    return drawn_layers(layers, wording, lambda: _miami_table(first, second)), wording


def _miami_table(first: Manhattan, second: Manhattan) -> dict[str, list[Any]]:
    both = (("a", first), ("b", second))
    return {
        "study": [side for side, plot in both for _ in plot.id],
        "feature": [name for _, plot in both for name in plot.id],
        "rsid_or_name": [name for _, plot in both for name in plot.name],
        "neg_log_10_p_value": [round(v, 4) for _, plot in both for v in plot.y.tolist()],
    }


def _draw_effects(ask: Ask, found: Comparison) -> tuple[Drawn, Wording]:
    points, line, names, t = (
        _effect_points(ask, found),
        found.agreements[0].line,
        short_names(ask, found.first, found.second),
        ask.t,
    )
    told = (
        ""
        if math.isnan(line.slope)
        else t(
            "effects.line",
            slope=effect_text(line.slope),
            low=effect_text(line.low),
            high=effect_text(line.high),
        )
    )
    unit = t.of("compare.scale", found.scale)
    wording = Wording(
        title=t("effects.title", a=names[0], b=names[1]),
        sentence=t("effects.sentence", n=len(points.x), a=names[0], b=names[1]) + told,
        x=f"{names[0]} · {unit}",
        y=f"{names[1]} · {unit}",
        note=t("effects.note"),
    )
    table = {
        "variant": list(points.name),
        "lead_in": [("a", "b", "both")[r] for r in points.role.tolist()],
        "a": points.x.tolist(),
        "a_error": points.x_error.tolist(),
        "b": points.y.tolist(),
        "b_error": points.y_error.tolist(),
    }
    return drawn_layers(lambda: compare_figures.effects(points, line), wording, lambda: table), wording


def _effect_points(ask: Ask, found: Comparison) -> compare_figures.EffectPoints:
    """One lead a locus, turned to the allele that raises the first trait, strongest first."""
    values, errors = found.effects()
    rows = found.leads.rows("union")
    known = np.isfinite(values[:, rows]).all(axis=0) & np.isfinite(errors[:, rows]).all(axis=0)
    rows = rows[known]
    rows = rows[np.argsort(-np.abs(found.leads.z[:, rows]).max(axis=0), kind="stable")]
    turn = np.where(values[0, rows] < 0, -1.0, 1.0)
    of = found.leads.of[:, rows]
    names = rows_of(found.table().take(rows))
    return compare_figures.EffectPoints(
        x=values[0, rows] * turn,
        y=values[1, rows] * turn,
        x_error=errors[0, rows],
        y_error=errors[1, rows],
        role=np.where(of.all(axis=0), 2, np.where(of[0], 0, 1)),
        name=[row["rsid"] or variant_id(row) for row in names],
        href=[ask.href("variants", variant_id(row)) for row in names],
    )


def _draw_quantiles(ask: Ask, found: Comparison) -> tuple[Drawn, Wording]:
    first, second = found.quantiles
    names, t = short_names(ask, found.first, found.second), ask.t
    lambdas = [ratio_text(v) for v in found.lambda_shared]
    wording = Wording(
        title=t("two_qq.title", a=names[0], b=names[1]),
        sentence=t(
            "two_qq.sentence",
            a=names[0],
            b=names[1],
            first=lambdas[0],
            second=lambdas[1],
            n=found.overlap.shared,
        ),
        x=t("qq.x"),
        y=t("qq.y"),
        note=t("two_qq.note", a=names[0], b=names[1]),
    )
    both = (("a", first), ("b", second))
    table = {
        "study": [side for side, q in both for _ in q.expected],
        "expected_neg_log_10_p_value": [round(v, 5) for _, q in both for v in q.expected.tolist()],
        "observed_neg_log_10_p_value": [round(v, 5) for _, q in both for v in q.observed.tolist()],
        "features": [n for _, q in both for n in q.count.tolist()],
    }
    return drawn_layers(
        lambda: compare_figures.two_quantiles(first, second, names=names), wording, lambda: table
    ), wording
