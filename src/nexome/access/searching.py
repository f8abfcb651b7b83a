"""What the one search box understands: variants, positions, regions, genes, studies and traits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from nexome.access.allowance import Allowance
from nexome.access.answers import HitKind, SearchHit
from nexome.access.finding import describe_feature, find_features, known_features
from nexome.formats.handbook import pages, titles
from nexome.model.errors import NexomeError, NotFoundError
from nexome.model.genome import Assembly, Interval, parse_interval
from nexome.model.terms import Study, Trait
from nexome.search.records import TERMS, Match, Suggestion
from nexome.store.genes import GeneRecord, Genes

if TYPE_CHECKING:
    from nexome.store.catalogue import Catalogue

WORTH_SHOWING: Final = 0.05  # sureness; less is a guess that only the search by meaning itself tells
_NAMED: Final[tuple[HitKind, ...]] = (
    *("term", "publication", "dataset", "gene", "variant", "track", "variable", "page"),
)
_UNSEEN: Final = {**dict.fromkeys((*range(32), *range(127, 160)), " "), 0xFEFF: None}
LONGEST_QUESTION: Final = 500  # characters of a text that are read
AROUND_BP: Final = 50_000  # shown on either side of a position that no study has


def read_question(text: str, longest: int) -> str:
    """The beginning of a text: control characters are blanks, halves of characters '?', a BOM is nothing."""
    return text[:longest].translate(_UNSEEN).encode("utf-8", "replace").decode("utf-8")


def read_note(text: str, longest: int) -> str:
    """As `read_question`, with every character at its place, and lines as they are."""
    seen = text[:longest].translate(_UNSEEN | {0xFEFF: " ", 10: "\n", 13: "\r"})
    return seen.encode("utf-8", "replace").decode("utf-8")


def search_hits(
    allowance: Allowance, text: str, *, genes: Genes | None, catalogue: Catalogue, limit: int
) -> list[SearchHit]:
    """What a text may mean, likeliest first; only what the allowance may know of."""
    text = read_question(text, LONGEST_QUESTION).strip()
    if not text:
        return []
    hits = chain(_places(allowance, text), _genes(genes, text, limit), _studies(allowance, catalogue, text))
    unique: dict[tuple[str, str], SearchHit] = {}
    for hit in islice(hits, 4 * limit):
        unique.setdefault((hit.kind, hit.id), hit)
    return sorted(unique.values(), key=lambda hit: not hit.certain)[:limit]


def join_meanings(
    hits: Sequence[SearchHit], matches: Iterable[Match], allowance: Allowance, *, limit: int
) -> list[SearchHit]:
    """Hits by words and places, then what was found by meaning; each thing once."""
    known = {(hit.kind, hit.id) for hit in hits}
    found = (_of_match(match, allowance) for match in matches if match.sureness >= WORTH_SHOWING)
    new = [hit for hit in found if hit is not None and (hit.kind, hit.id) not in known]
    return [*hits, *new][:limit]


def join_completions(
    hits: Sequence[SearchHit],
    completions: Iterable[Suggestion],
    allowance: Allowance,
    *,
    limit: int,
    text: str = "",
) -> list[SearchHit]:
    """Half of them hits by words and places, the rest completions from the index; each thing once.

    A variant that the whole `text` names is among the hits under its place, in the index under its rs number.
    """
    shown = {(hit.kind, hit.id) for hit in hits}
    if any(hit.kind == "variant" for hit in hits):
        shown.add(("variant", text.strip().casefold()))
    found = (_of_completion(completion, allowance) for completion in completions)
    new = [hit for hit in found if hit is not None and (hit.kind, hit.id) not in shown]
    kept = max(limit // 2, limit - len(new))
    return [*hits[:kept], *new][:limit]


def _of_match(match: Match, allowance: Allowance) -> SearchHit | None:
    known = _held(match.kind, match.id, allowance)
    hit = known or _named(match, match.note)
    if hit is None:
        return None
    return replace(hit, why=match.why, through=match.through, through_zh=match.through_zh)


def _of_completion(completion: Suggestion, allowance: Allowance) -> SearchHit | None:
    known = _held(completion.kind, completion.id, allowance)
    return known or _named(completion, completion.note)


def _named(found: Match | Suggestion, note: str) -> SearchHit | None:
    """A thing that is what the index says of it; None for studies and traits, which are asked anew."""
    kind = next((kind for kind in _NAMED if kind == found.kind), None)
    if kind is None:
        return None
    label, label_zh = found.label or found.label_zh, found.label_zh or found.label
    told = [found.id] if kind in TERMS else [note] if note else []
    if found.name not in (label, label_zh, found.id):
        told.append(found.name)
    told_zh = [_page_of(found.id), *told[1:]] if kind == "page" and note else []
    notes = (" · ".join(told), " · ".join(text for text in told_zh if text))
    return SearchHit(kind, found.id, label, label_zh, notes[0], certain=False, note_zh=notes[1])


def _page_of(section: str) -> str:
    """The Chinese title of the page of documentation that a section ('docs/import#many-files') stands on."""
    name = section.removeprefix("docs/").partition("#")[0]
    return titles(name)[1] if name in pages() else ""


def _held(kind: str, identifier: str, allowance: Allowance) -> SearchHit | None:
    """The study or trait of now that the index knew, or None where it is no more or may not be seen."""
    name, _, trait_id = identifier.partition("/")
    published = allowance.visible.get(name) if kind in ("study", "trait") else None
    if published is None:
        return None
    if kind == "study":
        return _study(published.study, certain=False)
    trait = next((t for t in published.study.traits if t.id == trait_id), None)
    return None if trait is None else _trait(published.study, trait)


def _places(allowance: Allowance, text: str) -> Iterator[SearchHit]:
    assembly = allowance.snapshot.assembly
    try:
        hits = known_features(allowance, find_features(allowance.snapshot, text))
    except NexomeError:
        hits = []
    for hit in hits:
        feature = describe_feature(hit, assembly)
        note = feature.rsid if feature.rsid.casefold() != text.casefold() else ""
        yield SearchHit("variant", feature.id, feature.id, feature.id, note, certain=len(hits) == 1)
    if not hits and (interval := _interval(text, assembly)) is not None:
        yield _region(interval, assembly)


def _interval(text: str, assembly: Assembly) -> Interval | None:
    """The region a text names; a wide one around a single base. A bare contig is left to other meanings."""
    if ":" not in text:
        return None
    try:
        interval = parse_interval(text, assembly)
    except NexomeError:
        return None
    if interval.start < interval.end:
        return interval
    return Interval(interval.contig, max(1, interval.start - AROUND_BP), interval.end + AROUND_BP)


def _region(interval: Interval, assembly: Assembly) -> SearchHit:
    text = f"{assembly.contig_name(interval.contig)}:{interval.start}-{interval.end}"
    return SearchHit("region", text, text, text, "", certain=True)


def _genes(genes: Genes | None, text: str, limit: int) -> Iterator[SearchHit]:
    if genes is None:
        return
    exact = None
    try:
        exact = genes.find(text)
        yield _gene(exact, certain=True)
    except NotFoundError:
        pass
    for gene in genes.starting_with(text, limit=limit):
        if gene != exact:
            yield _gene(gene, certain=False)


def _gene(gene: GeneRecord, *, certain: bool) -> SearchHit:
    note = f"{gene.chromosome}:{gene.start}-{gene.end}"
    return SearchHit("gene", gene.symbol, gene.symbol, gene.symbol, note, certain=certain)


def _studies(allowance: Allowance, catalogue: Catalogue, text: str) -> Iterator[SearchHit]:
    for found in catalogue.search(text):
        published = allowance.visible.get(found.study)
        if published is None:
            continue
        study = published.study
        if not found.trait:
            yield _study(study, certain=study.id.casefold() == text.casefold())
            continue
        trait = next((t for t in study.traits if t.id == found.trait), None)
        if trait is not None:
            yield _trait(study, trait)


def _study(study: Study, *, certain: bool) -> SearchHit:
    title = study.title or study.title_zh or study.id
    return SearchHit("study", study.id, title, study.title_zh or title, study.id, certain=certain)


def _trait(study: Study, trait: Trait) -> SearchHit:
    label = trait.label or trait.label_zh or trait.id
    note = study.title or study.id
    label_zh = trait.label_zh or label
    return SearchHit(
        "trait", f"{study.id}/{trait.id}", label, label_zh, note, certain=False, note_zh=study.title_zh
    )
