"""What the index of a root holds, as records: terms, works, studies, traits, tracks, variables, genes.

    <root>/search/encoder/   the encoder trained on this root's vocabularies (`nexome search train`)
    <root>/search/owner/     generations like those of <root>/search, with what private sources of knowledge
                             say; there while a root has such a source, and asked by its owner alone

Variants and pages have modules of their own (`search.variants`, `search.pages`). How often a term is used is
counted over open studies alone, so that no count tells of a private one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from nexome.formats.knowledge.statements import HAS_PHENOTYPE
from nexome.model.cohorts import Cohort, Dictionary
from nexome.model.errors import NotFoundError
from nexome.model.knowledge import Name, NamedTerm, normalise_curie
from nexome.model.terms import Study, Trait
from nexome.search.embed import CHOICE, chosen_encoder
from nexome.search.encoder import Encoder
from nexome.search.generation import Encodes, build_generation, current_generation
from nexome.search.index import SearchIndex
from nexome.search.lexicon import unseen_left_out
from nexome.search.records import Kind, SearchRecord
from nexome.search.text import fold, is_han
from nexome.store.genes import GeneRecord
from nexome.store.tracks import TrackRecord

FOLDER: Final = "search"
OWNER_FOLDER: Final = "search/owner"
ENCODER: Final = "encoder"
MENTIONED_BY: Final = "biolink:mentioned_by"
TRACK_KEY: Final = "track:"
"""Before the name of a track: its visibility key, which no study's can be."""
COHORT_KEY: Final = "cohort:"
"""Before the name of a cohort: the visibility key of its variables."""


def term_records(
    terms: Iterable[NamedTerm],
    *,
    usage: Callable[[str], int] = lambda _: 0,
    exclude: Collection[str] = (),
    kinds: Mapping[str, Kind] | None = None,
) -> Iterator[SearchRecord]:
    """Terms as records, without the names that must stay unseen (compared as `fold` writes them).

    `kinds`: of the identifiers that are no plain terms (publications, data sets).
    """
    other = kinds or {}
    unseen = {fold(text) for text in exclude}
    for term in terms:
        if names := unseen_left_out(term.names, unseen):
            kind = other.get(term.id, "term")
            yield SearchRecord(kind, term.id, names, term.parents, term.equivalents, weight=usage(term.id))


def study_records(studies: Iterable[Study]) -> Iterator[SearchRecord]:
    """Studies and their traits as records; what a trait is about are the terms it is annotated with.

    An open study too is seen by its key alone: it may be closed or withdrawn while the index stands.
    """
    for study in studies:
        about = sorted({curie for trait in study.traits for curie in _terms_of(trait)})
        title = study.title or study.title_zh or study.id
        whole = SearchRecord(
            "study", study.id, _names(title, study.title_zh), about=about, visibility=study.id
        )
        yield whole
        for trait in study.traits:
            label = trait.label or trait.label_zh or trait.id
            yield replace(
                whole,
                kind="trait",
                id=f"{study.id}/{trait.id}",
                names=_names(label, trait.label_zh),
                about=_terms_of(trait),
                note=title,
            )


def track_records(tracks: Iterable[TrackRecord]) -> Iterator[SearchRecord]:
    """Tracks as records, each seen by its key."""
    for track in tracks:
        names = _names(track.title or track.name, track.title_zh)
        yield SearchRecord("track", track.name, names, visibility=TRACK_KEY + track.name)


def variable_records(cohort: Cohort, dictionary: Dictionary) -> Iterator[SearchRecord]:
    """Variables of a cohort as records, seen by the key of the cohort; identifying ones stay unfound."""
    for variable in dictionary.variables:
        if variable.sensitivity == "identifying" or variable.role == "participant":
            continue
        names = _names(variable.label or variable.name, variable.label_zh)
        others = (text for text in (variable.name, variable.question) if text and text != names[0].text)
        terms = (normalise_curie(term) for term in variable.terms)
        yield SearchRecord(
            "variable",
            f"{cohort.id}/{variable.name}",
            [*names, *(Name(text, "exact", "zh" if is_han(text) else "en") for text in others)],
            about=[term for term in terms if term],
            visibility=COHORT_KEY + cohort.id,
            note=cohort.title or cohort.title_zh or cohort.id,
        )


def gene_records(genes: Iterable[GeneRecord]) -> Iterator[SearchRecord]:
    """Genes as records, by symbol; one that lies at several places is one."""
    told: set[str] = set()
    for gene in genes:
        if not gene.symbol or gene.symbol in told:
            continue
        told.add(gene.symbol)
        others = (text for text in (gene.description, *gene.synonyms.split()) if text)
        names = [Name(gene.symbol, "label", "en"), *(Name(text, "exact", "en") for text in others)]
        yield SearchRecord("gene", gene.symbol, names, note=gene.place)


def term_usage(studies: Iterable[Study]) -> Counter[str]:
    """How many open studies are about each term."""
    return Counter(
        curie
        for study in studies
        if study.access == "open"
        for curie in {curie for trait in study.traits for curie in _terms_of(trait)}
    )


def mentions(statements: Iterable[tuple[str, pa.RecordBatch]]) -> Counter[str]:
    """How often each term is used by what is known (Knowledge.edges).

    Counted are the times that lists of used terms give, and the diseases and genes a phenotype is stated of.
    """
    counted: Counter[str] = Counter()
    for _, batch in statements:
        rows = batch.filter(pc.equal(batch["predicate"], MENTIONED_BY))
        for term, times in zip(rows["subject"].to_pylist(), rows["score"].to_pylist(), strict=True):
            counted[term] += int(times or 1)
        stated = batch.filter(pc.equal(batch["predicate"], HAS_PHENOTYPE))["object"]
        counted.update({one["values"]: one["counts"] for one in stated.value_counts().to_pylist()})
    return counted


def load_encoder(root: Path) -> Encodes:
    """The encoder that a root chose, or its own. Raises NotFoundError where none was trained."""
    return chosen_encoder(root / FOLDER, lambda: _own_encoder(root))


def encoder_files(root: Path) -> list[Path]:
    """What says which encoder a root has: the choice of another, its own one's facts; empty without any."""
    folder = root / FOLDER
    return [path for path in (folder / CHOICE, folder / ENCODER / "encoder.json") if path.exists()]


def _own_encoder(root: Path) -> Encoder:
    folder = root / FOLDER / ENCODER
    if not folder.exists():
        raise NotFoundError(
            "no encoder", where=str(folder), todo="Train one on the loaded vocabularies: nexome search train."
        )
    return Encoder.load(folder)


def open_index(root: Path, folder: str = FOLDER) -> SearchIndex:
    """The index of a root. Raises NotFoundError where there is none, InputError for another encoder's."""
    generation = current_generation(root / folder)
    if generation is None:
        raise NotFoundError(
            "no search index", where=str(root / folder), todo="Build it: nexome search index."
        )
    return SearchIndex.open(generation, load_encoder(root))


def index_root(
    root: Path, records: Iterable[SearchRecord], *, sequence: int, folder: str = FOLDER
) -> SearchIndex:
    """Build a generation of records, and make it the one that is asked. `sequence`: of the manifest."""
    encoder = load_encoder(root)
    return SearchIndex.open(build_generation(root / folder, records, encoder, sequence=sequence), encoder)


def records_of(
    terms: Iterable[NamedTerm],
    *,
    studies: Iterable[Study],
    tracks: Iterable[TrackRecord] = (),
    usage: Mapping[str, int] | None = None,
    exclude: Collection[str] = (),
    kinds: Mapping[str, Kind] | None = None,
) -> Iterator[SearchRecord]:
    """Terms, studies with their traits, tracks. `kinds`, `exclude`: see `term_records`.

    `usage`: how often terms are used elsewhere; the open studies of here are added.
    """
    known = list(studies)
    used = term_usage(known) + Counter(usage or {})
    yield from term_records(terms, usage=lambda term: used[term], exclude=exclude, kinds=kinds)
    yield from study_records(known)
    yield from track_records(tracks)


def _names(label: str, label_zh: str) -> list[Name]:
    names = [Name(label, "label", "en")]
    return [*names, Name(label_zh, "translation", "zh")] if label_zh and label_zh != label else names


def _terms_of(trait: Trait) -> list[str]:
    found = (normalise_curie(part) for part in trait.ontology)
    return list(dict.fromkeys(curie for curie in found if curie))
