"""The page of credible sets: which variants of a region may cause a trait's signal, and what was assumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

import numpy as np

from nexome.access.credible import CredibleSet, around
from nexome.access.signals import Signal
from nexome.methods.finemap import COVERAGES
from nexome.methods.loci import GENOME_WIDE
from nexome.methods.normal import neg_log10_p_from_z
from nexome.model.errors import NotFoundError, QueryError
from nexome.model.genome import Interval
from nexome.model.terms import Study, Trait
from nexome.web.pages import plots
from nexome.web.pages.associations import association_of
from nexome.web.pages.compare import drawn_layers
from nexome.web.pages.compare_figures import Panel, stacked
from nexome.web.pages.figures import Wording
from nexome.web.pages.interpreted import (
    Assumed,
    Caution,
    assumed_of,
    name_of,
    region_text,
    share_text,
    short_label,
    warnings_of,
)
from nexome.web.pages.numbers import p_text
from nexome.web.pages.page import API, Ask, Card, Download, Link, Page, card_of, rows_of, variant_id
from nexome.web.pages.plots import Drawn, Figure
from nexome.web.regions import check_length

MEMBERS_SHOWN: Final = 50
LOCI: Final = 25


@dataclass(frozen=True, slots=True)
class Member:
    """One variant of the set: its name and page, numbers, posterior and the sum up to it."""

    variant: str
    href: str
    position: str
    allele: str
    neg_log_10_p_value: float
    beta: float
    standard_error: float
    posterior: float
    cumulative: float


@dataclass(frozen=True, slots=True)
class LocusRow:
    """One locus of the trait: its lead, the size of its set, the best posterior; a link to its region."""

    name: str
    gene: str
    href: str
    current: bool
    neg_log_10_p_value: float


@dataclass(frozen=True)
class SetShown:
    """The credible set of the region: the sentence that answers, warnings, figure, members, assumptions."""

    answer: str
    region: str
    signal: str
    warnings: tuple[Caution, ...]
    figure: Figure
    members: tuple[Member, ...]
    left: int
    assumed: tuple[Assumed, ...]
    explore: str
    api: str


@dataclass(frozen=True)
class CrediblePage(Page):
    """Credible sets of a trait: the region of parameter `region`, else its strongest locus.

    `loci` are the trait's loci as links; `coverages` the choice of coverage; `shown` is None where the
    trait has no locus and no region is asked for.
    """

    template: ClassVar[str] = "credible.html"
    script: ClassVar[str] = "figures.js"
    study: Link
    trait: str
    region: str
    loci: Card[tuple[LocusRow, ...]]
    coverages: tuple[Link, ...]
    shown: Card[SetShown] | None


def build_credible(ask: Ask, *, study: str) -> CrediblePage:
    """The page of a study's credible sets; parameters trait, region and coverage."""
    answer = ask.view.study(study)
    chosen = _trait(ask, answer.study)
    trait = chosen.id
    coverage = _coverage(ask)
    loci = card_of(lambda: _loci(ask, study, trait))
    first = next(iter(loci.content or ()), None)
    shown = None
    if loci.error is not None or first is not None or ask.query.get("region"):
        shown = card_of(lambda: _shown(ask, study, trait))
    return CrediblePage(
        title=ask.t("credible.title"),
        study=Link(ask.t.field(answer.study, "title") or study, ask.href("studies", study, trait=trait)),
        trait=short_label(ask, chosen),
        region=ask.query.get("region", ""),
        loci=loci,
        coverages=tuple(Link(f"{c:.0%}", ask.again(coverage=c), c == coverage) for c in COVERAGES),
        shown=None if loci.error is not None and shown is None else shown,
    )


def build_credible_figure(ask: Ask, *, study: str, ending: str) -> Download:
    """The figure of the page as a file, or in JSON for the island; its table has every variant."""
    found = _found(ask, study, _trait(ask, ask.view.study(study).study).id)
    drawn, _ = _draw(ask, found)
    return drawn.file(f"{study}-{found.signal.trait.id}-credible-set", ending)


def _trait(ask: Ask, study: Study) -> Trait:
    """The trait of parameter `trait`, else the first, as the page of the study has it."""
    wanted = ask.query.get("trait")
    found = next((t for t in study.traits if not wanted or t.id == wanted), None)
    if found is None:
        raise NotFoundError(f"no trait {(wanted or '')[:100]!r}", where=f"study {study.id}")
    return found


def _coverage(ask: Ask) -> float:
    text = ask.query.get("coverage", "0.95")
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise QueryError(f"coverage {text[:20]!r}", where="coverage", expected="above 0, at most 1, as 0.95")
    return value


def _place(ask: Ask, study: str, trait: str) -> str | Interval:
    """The region asked for, else 500 kb on both sides of the strongest locus."""
    if region := ask.query.get("region", "").strip():
        return check_length(ask.view.interval(region), ask.settings.region_max_bp)
    leads = rows_of(ask.view.loci(study, trait=trait, limit=1))
    if not leads:
        raise NotFoundError("no locus with p < 1e-5", where=f"study {study}", todo="Give a region.")
    return around(ask.view.assembly.rank(leads[0]["chromosome"]), leads[0]["base_pair_location"])


def _found(ask: Ask, study: str, trait: str) -> CredibleSet:
    place = _place(ask, study, trait)
    return ask.view.credible_sets(study, trait, place, coverage=_coverage(ask))[0]


def _loci(ask: Ask, study: str, trait: str) -> tuple[LocusRow, ...]:
    now = ask.query.get("region", "").strip()
    rows = rows_of(ask.view.loci(study, trait=trait, limit=LOCI))
    found = []
    for k, row in enumerate(rows):
        if row["chromosome"] is None:
            continue
        place = around(ask.view.assembly.rank(row["chromosome"]), row["base_pair_location"])
        region = region_text(ask.view.assembly, place)
        lead = association_of(ask, row)
        current = region == now if now else k == 0
        name = lead.variant
        found.append(LocusRow(name, lead.gene, ask.again(region=region), current, lead.neg_log_10_p_value))
    return tuple(found)


def _shown(ask: Ask, study: str, trait: str) -> SetShown:
    found = _found(ask, study, trait)
    signal, t = found.signal, ask.t
    region = region_text(signal.assembly, signal.interval)
    rows = rows_of(found.table().slice(0, MEMBERS_SHOWN))
    query = {"trait": trait, "region": region, "coverage": f"{found.coverage:g}"}
    api = f"{API}/studies/{study}/credible-sets?" + urlencode({k: v for k, v in query.items() if v})
    return SetShown(
        answer=_answer(ask, found),
        region=region,
        signal=t("credible.signal", share=share_text(found.signal_probability)),
        warnings=warnings_of(ask, found.warnings),
        figure=_figure(ask, found, query, api),
        members=tuple(_member(ask, row) for row in rows),
        left=len(found.members) - len(rows),
        assumed=assumed_of(ask, signal),
        explore=ask.href("explore", region=region, studies=name_of(signal.study, signal.trait)),
        api=api,
    )


def _answer(ask: Ask, found: CredibleSet) -> str:
    best = int(found.members[0])
    return ask.t(
        "credible.answer",
        n=len(found.members),
        coverage=f"{found.coverage:.0%}",
        total=len(found.posterior),
        name=variant_names(found.signal)[best],
        share=share_text(float(found.posterior[best])),
    )


def _member(ask: Ask, row: dict[str, Any]) -> Member:
    name = variant_id(row)
    return Member(
        variant=row["rsid"] or name,
        href=ask.href("variants", name),
        position=f"{row['chromosome']}:{row['base_pair_location']:,}"
        if row["chromosome"] is not None
        else "",
        allele=row["effect_allele"] or "",
        neg_log_10_p_value=row["neg_log_10_p_value"],
        beta=row["beta"],
        standard_error=row["standard_error"],
        posterior=row["posterior_probability"],
        cumulative=row["cumulative_probability"],
    )


# ---------------------------------------------------------------- figure


def variant_names(signal: Signal, rows: np.ndarray[Any, Any] | None = None) -> list[str]:
    """Names of a signal's variants: rs number, else position and alleles."""
    features = signal.features if rows is None else signal.features.take(rows)
    contig = signal.assembly.contig_name(signal.interval.contig)
    return [
        f"rs{rsid}" if rsid else f"{contig}-{position}-{features.text(row).replace('/', '-')}"
        for row, (rsid, position) in enumerate(
            zip(features.rsid.tolist(), features.position.tolist(), strict=True)
        )
    ]


def variant_hrefs(ask: Ask, signal: Signal) -> list[str]:
    """Pages of a signal's variants."""
    contig, features = signal.assembly.contig_name(signal.interval.contig), signal.features
    return [
        ask.href("variants", f"{contig}-{position}-{features.text(row).replace('/', '-')}")
        for row, position in enumerate(features.position.tolist())
    ]


def strength_panel(ask: Ask, signal: Signal, accent: np.ndarray[Any, Any], *, title: str) -> Panel:
    """−log10 p of a signal by position; `accent` variants stand out."""
    strength = neg_log10_p_from_z(signal.z)
    return Panel(
        title=title,
        position=signal.features.position,
        height=strength,
        accent=accent,
        name=variant_names(signal),
        note=[f"p = {p_text(v)}" for v in strength.tolist()],
        href=variant_hrefs(ask, signal),
        top=max(float(strength.max()), GENOME_WIDE) * 1.08,
        rule=(GENOME_WIDE, ask.t("manhattan.threshold")),
    )


def _draw(ask: Ask, found: CredibleSet) -> tuple[Drawn, Wording]:
    signal, t = found.signal, ask.t
    accent = np.zeros(len(found.posterior), bool)
    accent[found.members] = True
    label = short_label(ask, signal.trait)
    wording = Wording(
        title=t("credible_set.title", n=len(found.members), coverage=f"{found.coverage:.0%}"),
        sentence=t("credible_set.sentence", trait=label, region=region_text(signal.assembly, signal.interval))
        + _answer(ask, found),
        x=t("credible_set.x", chromosome=signal.assembly.contig_name(signal.interval.contig)),
        y="",
        note=t("credible_set.note"),
    )
    upper = strength_panel(ask, signal, accent, title=t("axis.neg_log_10_p"))
    lower = Panel(
        title=t("credible_set.posterior"),
        position=signal.features.position[found.members],
        height=found.posterior[found.members],
        accent=np.ones(len(found.members), bool),
        name=variant_names(signal, found.members),
        note=[share_text(v) for v in found.posterior[found.members].tolist()],
        href=[upper.href[i] for i in found.members.tolist()],
        top=1.0,
        columns=True,
    )
    ends = signal.interval.start, min(signal.interval.end, int(signal.features.position[-1]) + 1)

    def layers() -> Any:
        return stacked([upper, lower], start=ends[0], end=ends[1])

    return drawn_layers(layers, wording, lambda: found.table(whole=True).to_pydict()), wording


def _figure(ask: Ask, found: CredibleSet, query: dict[str, str], api: str) -> Figure:
    drawn, wording = _draw(ask, found)
    signal = found.signal
    place = plots.Place(
        id="credible_set",
        stem=ask.href("studies", signal.study.id, "credible-set"),
        api=api,
        query=urlencode({k: v for k, v in query.items() if v}),
        shape="panels",
    )
    source = ask.t("figure.source", study=signal.study.id, version=signal.version, date=signal.published[:10])
    return plots.figure_of(drawn, wording, place, subtitle=ask.t("credible_set.subtitle"), source=source)
