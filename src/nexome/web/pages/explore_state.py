"""What an address of the explorer asks for: where, which studies, coloured by LD with what.

    /{language}/explore?region=…&studies=A,B/trait,…&ld=VARIANT&panel=…&population=…

`region` is 'genome', a region, a stretch across contigs, a gene or a variant. The same reading serves the
page, its pictures and its tables, so that a link shows the same in each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nexome.access.answers import StudyAnswer
from nexome.access.view import View
from nexome.access.windows import GENOME, window_text
from nexome.model.errors import NexomeError, NotFoundError, QueryError, RefusedError
from nexome.model.genome import Assembly, Stretch
from nexome.model.terms import Trait
from nexome.store.genes import GeneRecord
from nexome.web.pages.page import Ask

STUDIES_MOST: Final = 6
NAMES_MOST: Final = 200  # names of studies that are looked at; behind them nothing is read
GENE_FLANK_BP: Final = 50_000
VARIANT_FLANK_BP: Final = 100_000


@dataclass(frozen=True, slots=True)
class Pick:
    """One study shown, by one of its traits."""

    answer: StudyAnswer
    trait: Trait

    @property
    def name(self) -> str:
        """As it stands in the address: the study, with the trait where it has several."""
        study = self.answer.study
        return f"{study.id}/{self.trait.id}" if len(study.traits) > 1 else study.id


@dataclass(frozen=True, slots=True)
class State:
    """A reading of an address.

    `asked` is the region as typed and `places` the loci of a gene that has several (then `where` is the
    first). `cut` says that the region reached beyond its contig. `picks` are the studies shown, `left_out`
    how many more were named, `refused` those that may not be read (name, error).
    """

    where: Stretch
    asked: str
    gene: GeneRecord | None
    places: tuple[GeneRecord, ...]
    cut: bool
    picks: tuple[Pick, ...]
    left_out: int
    refused: tuple[tuple[str, NexomeError], ...]
    ld: str
    panel: str
    population: str


def read_state(ask: Ask) -> State:
    """The state of this request. Raises QueryError or NotFoundError for a region that means nothing here."""
    check_assembly(ask)
    asked = ask.query.get("region", "").strip()[:200]
    where, gene, places = find_region(ask.view, asked)
    named = [n.strip() for n in ask.query.get("studies", "").split(",", NAMES_MOST) if n.strip()]
    picks, refused = [], []
    for name in list(dict.fromkeys(named))[:STUDIES_MOST]:
        try:
            picks.append(find_pick(ask.view, name))
        except (NotFoundError, RefusedError, QueryError) as error:
            refused.append((name, error))
    if not picks and not refused:
        picks = default_picks(ask.view)
    return State(
        where=where,
        asked=asked,
        gene=gene,
        places=places,
        cut=_is_cut(asked, where, ask.view.assembly),
        picks=tuple(picks),
        left_out=max(0, len(set(named)) - STUDIES_MOST),
        refused=tuple(refused),
        ld=ask.query.get("ld", "").strip()[:200],
        panel=ask.query.get("panel", "").strip()[:100],
        population=ask.query.get("population", "").strip()[:100],
    )


def check_assembly(ask: Ask) -> None:
    """Refuse coordinates that say they are of another assembly than this centre's."""
    named, home = ask.query.get("assembly", "").strip(), ask.view.assembly.name
    aliases = {"hg19": "grch37", "hg38": "grch38", "b37": "grch37"}
    plain = aliases.get(named.lower(), named.lower())
    if named and plain != aliases.get(home.lower(), home.lower()):
        raise QueryError(
            f"positions of {named[:40]}",
            where="assembly",
            expected=f"positions of {home}, the home assembly here",
            todo="Lift them over first (UCSC liftOver, bcftools +liftover), or ask by rs number or gene: "
            "those are found in any assembly.",
        )


def find_region(view: View, text: str) -> tuple[Stretch, GeneRecord | None, tuple[GeneRecord, ...]]:
    """The stretch a text means, the gene it names, and all loci of that gene where it has several."""
    if not text or text.lower() == GENOME:
        return view.stretch(GENOME), None, ()
    genes = () if ":" in text or view.assembly.find_contig(text) is not None else view.gene_places(text)
    if genes:
        return gene_stretch(genes[0], view.assembly), genes[0], genes if len(genes) > 1 else ()
    try:
        return view.stretch(text), None, ()
    except (QueryError, NotFoundError) as error:
        try:
            feature = view.variant(text).feature
        except NexomeError:
            raise error from None
        if not feature.position:
            raise error from None
        contig = view.assembly.rank(feature.chromosome)
        return _around(contig, feature.position, feature.position, VARIANT_FLANK_BP, view.assembly), None, ()


def gene_stretch(gene: GeneRecord, assembly: Assembly) -> Stretch:
    """A gene with what lies beside it."""
    flank = max(GENE_FLANK_BP, (gene.end - gene.start) // 2)
    return _around(assembly.rank(gene.chromosome), gene.start, gene.end, flank, assembly)


def find_pick(view: View, name: str) -> Pick:
    """A study, or a trait of it ('STUDY/TRAIT'). Raises NotFoundError, RefusedError."""
    try:
        answer, trait = view.study(name), ""
    except NotFoundError:
        study, slash, trait = name.rpartition("/")
        if not slash:
            raise
        answer = view.study(study)
    if not answer.may_read:
        raise RefusedError(f"study {answer.study.id} may not be read", reason=answer.reason_read)
    known = {t.id: t for t in answer.study.traits}
    if trait and trait not in known:
        raise NotFoundError(f"no trait {trait[:100]!r} in study {answer.study.id}")
    return Pick(answer, known[trait] if trait else answer.study.traits[0])


def default_picks(view: View) -> list[Pick]:
    """The readable study published last, where none is named; none where there is none."""
    table = view.studies().select(["study_id", "published"]).sort_by([("published", "descending")])
    for name in table["study_id"].to_pylist():
        try:
            return [find_pick(view, name)]
        except RefusedError:
            continue
    return []


def query_of(state: State, assembly: Assembly, **changes: str | None) -> dict[str, str]:
    """The parameters that give a state again, some of them changed; empty ones drop out."""
    query: dict[str, str | None] = {
        "region": window_text(state.where, assembly),
        "studies": ",".join(p.name for p in state.picks),
        "ld": state.ld,
        "panel": state.panel,
        "population": state.population,
    }
    return {k: v for k, v in (query | changes).items() if v}


def _around(contig: int, start: int, end: int, flank: int, assembly: Assembly) -> Stretch:
    last = assembly.contigs[contig].length_bp or end + flank
    return Stretch(contig, max(1, start - flank), contig, min(end + flank, last))


def _is_cut(text: str, where: Stretch, assembly: Assembly) -> bool:
    """Whether a typed end lies beyond the contig."""
    digits = text.replace(",", "").replace("–", "-").rpartition("-")[2].rpartition(":")[2]
    end = assembly.contigs[where.last].length_bp
    return bool(end and digits.isdecimal() and "-" in text.replace("–", "-") and int(digits) > end)
