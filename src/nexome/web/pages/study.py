"""The page of a study: facts, Manhattan, QQ, loci, receipt, ways to take it along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from nexome.access.answers import StudyAnswer
from nexome.access.quality import FEW_CELLS
from nexome.methods.loci import GENOME_WIDE
from nexome.model.errors import DamagedError, NotFoundError
from nexome.web.pages import plots
from nexome.web.pages.associations import Association, association_of
from nexome.web.pages.doubts import Said, said_of
from nexome.web.pages.figures import Wording
from nexome.web.pages.numbers import count_text, p_text, ratio_text
from nexome.web.pages.page import API, Ask, Card, Download, Link, Page, Paging, card_of, paging_of, rows_of
from nexome.web.pages.plots import Drawn, Figure
from nexome.web.pages.studies import sample_of

LOCI: Final = 25
TRAITS: Final = 20
LOCUS_FLANK_BP: Final = 100_000  # shown beside a locus in the explorer


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of the study: its name, its value, a page where the value is one."""

    name: str
    value: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Locus:
    """One locus: its lead association, its stretch, how many features it holds; `region` to explore."""

    lead: Association
    start: int
    end: int
    features: int
    region: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the receipt: what was done, to how many rows."""

    name: str
    rows: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """Rows of the source file: in, kept, and what was changed and dropped, by rule."""

    rows_in: int
    rows_kept: int
    changed: tuple[Rule, ...]
    dropped: tuple[Rule, ...]


@dataclass(frozen=True)
class StudyPage(Page):
    """A study, one of its traits at a time.

    `heading`, `facts` say what it is, `doubts` what to know before trusting it; `trait` names the one
    shown (`shown` in the explorer's words), `traits` the choice when there are several (`trait_words`
    typed to find one). `may_read` is False when only the facts may be seen, `reason` then says why. The
    cards each hold their own failure.
    """

    template: ClassVar[str] = "study.html"
    script: ClassVar[str] = "figures.js"
    id: str
    heading: str
    trait: str
    traits: tuple[Link, ...]
    trait_words: str
    trait_paging: Paging | None
    shown: str
    doubts: tuple[Said, ...]
    facts: tuple[Fact, ...]
    may_read: bool
    reason: str
    manhattan: Card[Figure]
    qq: Card[Figure]
    loci: Card[tuple[Locus, ...]]
    receipt: Card[Receipt] | None
    downloads: tuple[Link, ...]
    api: str
    citation: str


def build_study(ask: Ask, *, study: str) -> StudyPage:
    """The page of a study by its identifier and, where it has several traits, parameter `trait`."""
    answer = ask.view.study(study)
    trait = _trait_row(ask, answer)
    count = len(answer.study.traits)
    several = count > 1
    found, paging = _traits(ask, study, trait["trait_id"], count=count) if several else ((), None)
    name = trait["trait_id"]
    return StudyPage(
        title=ask.t.field(answer.study, "title") or study,
        id=study,
        heading=ask.t.field(answer.study, "title") or study,
        trait=_label(ask, trait),
        traits=found,
        trait_words=ask.query.get("traits", ""),
        trait_paging=paging,
        shown=f"{study}/{name}" if several else study,
        doubts=_doubts(ask, answer, name),
        facts=_facts(ask, answer, trait),
        may_read=answer.may_read,
        reason=answer.reason_read,
        manhattan=_if_read(answer, lambda: _figure(ask, answer, trait, "manhattan")),
        qq=_if_read(answer, lambda: _figure(ask, answer, trait, "qq")),
        loci=_if_read(answer, lambda: _loci(ask, study, name)),
        receipt=card_of(lambda: _receipt(ask, study)) if answer.may_see_receipt else None,
        downloads=_downloads(ask, study, name, several=several) if answer.may_export else (),
        api=f"{API}/studies/{study}",
        citation=_citation(ask, answer),
    )


def build_figure(ask: Ask, *, study: str, figure: str, ending: str) -> Download:
    """A figure of the study as a file: 'manhattan' or 'qq' as SVG, JSON or TSV."""
    answer = ask.view.study(study)
    trait = _trait_row(ask, answer)
    if figure not in _DRAW:
        raise NotFoundError(f"no figure {figure[:40]!r}", expected=" or ".join(_DRAW))
    drawn, _ = _DRAW[figure](ask, study, trait)
    return drawn.file(f"{study}-{trait['trait_id']}-{figure}", ending)


def _doubts(ask: Ask, answer: StudyAnswer, trait: str) -> tuple[Said, ...]:
    """What to know before trusting the trait; nothing where its numbers may not be read or cannot be."""
    if not answer.may_read:
        return ()
    judged = card_of(lambda: ask.view.doubts(answer.study.id, trait))
    return said_of(ask, judged.content or ())


def _if_read(answer: StudyAnswer, build: Callable[[], Any]) -> Card[Any]:
    return card_of(build) if answer.may_read else Card()


def _trait_row(ask: Ask, answer: StudyAnswer) -> dict[str, Any]:
    """The trait that is shown: parameter `trait`, else the first. NotFoundError for an unknown one."""
    wanted = ask.query.get("trait")
    traits = answer.study.traits
    found = next((t for t in traits if t.id == wanted), None) if wanted else (traits[0] if traits else None)
    if found is None:
        raise NotFoundError(
            f"no trait {(wanted or '')[:100]!r} in study {answer.study.id}",
            todo="See the list of its traits on the page of the study.",
        )
    sizes = {name: getattr(found, name) for name in ("n", "n_cases", "n_controls", "category")}
    return {"trait_id": found.id, "label": found.label, "label_zh": found.label_zh, **sizes}


def _label(ask: Ask, trait: dict[str, Any]) -> str:
    return trait.get(f"label_{ask.t.code}") or trait["label"] or trait["trait_id"]


def _traits(ask: Ask, study: str, current: str, *, count: int) -> tuple[tuple[Link, ...], Paging]:
    """Traits of the study by parameter `traits` (words), a page of them; it has `count` in all."""
    words = ask.query.get("traits") or None
    if words:
        table = ask.view.traits(study, search=words)
        paging = paging_of(ask, total=table.num_rows, size=TRAITS)
        table = table.slice(max(0, paging.first - 1), TRAITS)
    else:
        paging = paging_of(ask, total=count, size=TRAITS)
        table = ask.view.traits(study, limit=TRAITS, offset=max(0, paging.first - 1))
    rows = rows_of(table)
    links = [
        Link(
            row.get(f"trait_{ask.t.code}") or row["trait"] or row["trait_id"],
            ask.again(trait=row["trait_id"]),
            row["trait_id"] == current,
        )
        for row in rows
    ]
    return tuple(links), paging


def _facts(ask: Ask, answer: StudyAnswer, trait: dict[str, Any]) -> tuple[Fact, ...]:
    """Facts that are known, in the order a reader asks for them; unknown ones are left out."""
    t, study = ask.t, answer.study
    cases = ""
    sample = sample_of(trait)
    if sample.n_cases is not None and sample.n_controls is not None:
        cases = t("study.cases_controls", cases=round(sample.n_cases), controls=round(sample.n_controls))
    effect = t.of("effect_scale", study.effect_scale) if study.effect_scale != "unknown" else ""
    facts = (
        Fact("n", count_text(sample.n) if sample.n is not None else ""),
        Fact("cases", cases),
        Fact("ancestry", t.of("studies.ancestry", study.ancestry)),
        Fact("sex", study.sex),
        Fact("category", t.of("traits.category", trait["category"] or "")),
        Fact("effect", " · ".join(p for p in (effect, study.effect_unit) if p)),
        Fact("features", f"{answer.cells:,}"),
        Fact("assembly_source", study.assembly_source),
        Fact("version", f"{answer.version} · {answer.published[:10]}"),
        Fact("access", t.of("access", study.access)),
        Fact("licence", study.licence),
        Fact("publication", study.publication, _publication_href(study.publication)),
        Fact("source", study.source),
    )
    return tuple(Fact(t(f"study.fact.{f.name}"), f.value, f.href) for f in facts if f.value)


def _publication_href(text: str) -> str:
    """Address of a publication given as a DOI, PMID or https address; '' for anything else."""
    clean = text.strip()
    if clean.lower().startswith("https://"):
        return clean
    bare = clean.lower().removeprefix("doi:").strip()
    if bare.startswith("10.") and "/" in bare and " " not in bare:
        return f"https://doi.org/{bare}"
    number = clean.upper().removeprefix("PMID").lstrip(": ")
    return f"https://pubmed.ncbi.nlm.nih.gov/{number}/" if number.isdecimal() else ""


def _draw_manhattan(ask: Ask, study: str, trait: dict[str, Any]) -> tuple[Drawn, Wording]:
    loci = rows_of(ask.view.loci(study, trait=trait["trait_id"]))
    plot = plots.with_leads(plots.read_manhattan(ask, study, trait["trait_id"]), ask, loci)
    t, label = ask.t, _label(ask, trait)
    strong = [row for row in loci if row["neg_log_10_p_value"] >= GENOME_WIDE]
    sentence = t("manhattan.sentence", n=len(strong), trait=label)
    if strong:
        lead = association_of(ask, strong[0])
        name = lead.gene or lead.variant
        sentence += t("manhattan.strongest", name=name, p=p_text(lead.neg_log_10_p_value))
    wording = Wording(
        title=t("manhattan.title", n=len(strong), trait=label),
        sentence=sentence,
        x=t("manhattan.x"),
        y=t("axis.neg_log_10_p"),
        threshold=t("manhattan.threshold"),
        note=_note(
            ask, study, trait, t("manhattan.thinned") + (t("figure.folded") if plot.scale.folded else "")
        ),
    )
    return plots.draw_manhattan(plot, wording), wording


def _draw_qq(ask: Ask, study: str, trait: dict[str, Any]) -> tuple[Drawn, Wording]:
    points = plots.read_qq(ask.view, study, trait["trait_id"])
    summary = ask.view.summary(study, trait["trait_id"])
    inflation = ratio_text(summary.lambda_gc)
    t = ask.t
    wording = Wording(
        title=t("qq.title", value=inflation),
        sentence=t("qq.sentence", value=inflation, trait=_label(ask, trait)),
        x=t("qq.x"),
        y=t("qq.y"),
        note=_note(ask, study, trait, t("qq.few") if summary.cells < FEW_CELLS else ""),
    )
    return plots.draw_qq(points, wording), wording


def _note(ask: Ask, study: str, trait: dict[str, Any], text: str) -> str:
    """The note under a figure; it says when the plot is of all traits, as studies of thousands have it."""
    own = ask.view.summary(study, trait["trait_id"]).summary.has_plots
    return text if own else ask.t("figure.all_traits") + text


_DRAW: Final = {"manhattan": _draw_manhattan, "qq": _draw_qq}


def _figure(ask: Ask, answer: StudyAnswer, trait: dict[str, Any], kind: str) -> Figure:
    study = answer.study.id
    drawn, wording = _DRAW[kind](ask, study, trait)
    return plots.figure_of(
        drawn,
        wording,
        plots.Place(
            kind,
            ask.href("studies", study, "figures", kind),
            f"{API}/studies/{study}/summary?trait={trait['trait_id']}",
            f"trait={trait['trait_id']}",
        ),
        subtitle=ask.t(f"{kind}.subtitle", assembly=ask.view.assembly.name),
        source=ask.t("figure.source", study=study, version=answer.version, date=answer.published[:10]),
    )


def _loci(ask: Ask, study: str, trait: str) -> tuple[Locus, ...]:
    rows = rows_of(ask.view.loci(study, trait=trait, limit=LOCI))
    return tuple(
        Locus(association_of(ask, r), r["locus_start"], r["locus_end"], r["features_in_locus"], _region(r))
        for r in rows
    )


def _region(row: dict[str, Any]) -> str:
    """The stretch of a locus with LOCUS_FLANK_BP on both sides."""
    start, end = row["locus_start"], row["locus_end"]
    return f"{row['chromosome']}:{max(1, start - LOCUS_FLANK_BP)}-{end + LOCUS_FLANK_BP}"


def _receipt(ask: Ask, study: str) -> Receipt:
    """The receipt's counts; DamagedError when it does not hold them."""
    receipt = ask.view.receipt(study)
    try:
        rows = receipt["rows"]
        return Receipt(
            rows_in=rows["in"],
            rows_kept=rows["kept"],
            changed=_rules(receipt["changed"]),
            dropped=_rules(receipt["dropped"]),
        )
    except (KeyError, TypeError) as error:
        raise DamagedError(
            "a receipt without its counts",
            where=f"study {study}",
            expected="rows, changed and dropped",
            todo="Run `nexome verify`.",
        ) from error


def _rules(found: list[dict[str, Any]]) -> tuple[Rule, ...]:
    """Rules of a receipt, the commonest first."""
    rules = [Rule(rule["rule"], rule["count"]) for rule in found]
    return tuple(sorted(rules, key=lambda rule: -rule.rows))


def _downloads(ask: Ask, study: str, trait: str, *, several: bool) -> tuple[Link, ...]:
    of = f"&trait={trait}" if several else ""
    base = f"{API}/studies/{study}/download"
    return (
        Link(ask.t("study.download.ssf"), f"{base}?format=ssf{of}"),
        Link(ask.t("study.download.parquet"), f"{base}?format=parquet{of}"),
    )


def _citation(ask: Ask, answer: StudyAnswer) -> str:
    """One line to cite these numbers by."""
    parts = [answer.study.publication, ask.t.field(answer.study, "title")]
    site = getattr(ask.settings, f"title_{ask.t.code}", ask.settings.title_en)
    head = ". ".join(p for p in parts if p)
    today = datetime.now(UTC).date().isoformat()
    return ask.t(
        "study.citation", head=head, study=answer.study.id, version=answer.version, site=site, date=today
    )
