"""Building the search index of a root from what its manifests name now, and telling whether it is behind.

    <root>/search/made-of.json   kind "nexome-search-made-of": what the index was built from (`made_of`)
    <root>/search/building       held by flock while an index is built: one builder at a time

The index has no list of changes of its own: it is behind when what is published (studies, sources, genes,
tracks, cohorts, the encoder) is not what it was made of. Where a root has a private source of knowledge a
second generation, with what that source says, is made for its owner: readers' scores and neighbours come from
an index that never held it. An index of chosen vocabularies, or without names held out, is left as it is.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nexome.access.finding import describe_feature
from nexome.formats.handbook import handbook_digest
from nexome.model.errors import NexomeError, NotFoundError
from nexome.search.generation import current_generation
from nexome.search.index import SearchIndex
from nexome.search.pages import page_records
from nexome.search.records import Kind
from nexome.search.sources import (
    FOLDER,
    OWNER_FOLDER,
    encoder_files,
    gene_records,
    index_root,
    mentions,
    records_of,
    variable_records,
)
from nexome.search.variants import (
    MOST_OF_A_STUDY,
    VOCABULARIES,
    KnownVariants,
    Lead,
    lead_records,
)
from nexome.store.associations import FeatureHit, PublishedStudy
from nexome.store.disk import read_stamped, write_stamped

if TYPE_CHECKING:
    from nexome.access.centre import Centre
    from nexome.store.knowledge import Knowledge

_log: Final = logging.getLogger(__name__)
KIND: Final = "nexome-search-made-of"
VERSION: Final = 1
NAME: Final = "made-of.json"
_KINDS: Final[dict[str, Kind]] = {
    **dict.fromkeys(("pubmed", "openalex", "bibtex", "ris"), "publication"),
    **dict.fromkeys(("datacite", "json-ld"), "dataset"),
}
"""Format of a source's file → what its terms are."""


def build_index(
    centre: Centre, vocabularies: tuple[str, ...] = (), *, exclude: Collection[str] = ()
) -> SearchIndex:
    """A new generation over what a centre knows and holds now; the open one, where its owner has another.

    Waits while another process builds. Raises NotFoundError where no encoder was trained.
    """
    with _building(centre.root.path):
        return _build(centre, vocabularies, exclude)


def follow(centre: Centre) -> SearchIndex | None:
    """Build the index again where it is behind; None where it is not, or the root has none."""
    if not is_behind(centre):
        return None
    with _building(centre.root.path):
        return _build(centre, (), ()) if is_behind(centre) else None  # another may have built it meanwhile


def is_behind(centre: Centre) -> bool:
    """Whether a root has an index that is not made of what is published now."""
    folder = centre.root.path / FOLDER
    if current_generation(folder) is None:
        return False
    try:
        told = read_stamped(folder / NAME, kind=KIND, version=VERSION)
    except NotFoundError:
        return True  # an index of before this was written down
    return not told["limited"] and told["made_of"] != made_of(centre)


def made_of(centre: Centre) -> dict[str, Any]:
    """What an index built now would be made of, in a few words: versions and digests of what is published."""
    studies = sorted(
        (name, published.version, published.study.access)
        for name, published in centre.store.snapshot().studies.items()
    )
    tracks = sorted((track.name, track.version, track.access) for track in centre.tracks.records())
    genes = centre.genes
    cohorts = sorted((c.id, c.version, c.access, c.digest) for c in centre.cohorts.cohorts())
    settings = centre.settings
    return {
        "studies": _digest(studies),
        "tracks": _digest(tracks),
        "cohorts": _digest(cohorts),
        "knowledge": [centre.knowledge.digest, centre.knowledge.open_part.digest],
        "genes": genes.version if genes else 0,
        "variants": [settings.search_variants, settings.search_leads],
        "encoder": _encoder_of(centre.root.path),
        "pages": [version("nexome"), handbook_digest()],
    }


def _build(centre: Centre, vocabularies: tuple[str, ...], exclude: Collection[str]) -> SearchIndex:
    path, known = centre.root.path, centre.knowledge
    made = made_of(centre)
    if known.open_part is known:
        shutil.rmtree(path / OWNER_FOLDER, ignore_errors=True)
    else:
        _build_one(centre, known, OWNER_FOLDER, vocabularies=vocabularies, exclude=exclude)
    index = _build_one(centre, known.open_part, FOLDER, vocabularies=vocabularies, exclude=exclude)
    told = {"made_of": made, "limited": bool(vocabularies or exclude)}
    write_stamped(path / FOLDER / NAME, told, kind=KIND, version=VERSION)
    return index


def _build_one(
    centre: Centre,
    known: Knowledge,
    folder: str,
    *,
    vocabularies: tuple[str, ...],
    exclude: Collection[str],
) -> SearchIndex:
    snapshot, genes = centre.store.snapshot(), centre.genes
    chosen = not vocabularies or not frozenset(VOCABULARIES).isdisjoint(vocabularies)
    variants = KnownVariants(known.edges, centre.settings.search_variants if chosen else 0)
    records = records_of(
        variants.other_than_these(known.lexicon_terms(vocabularies)),
        studies=[published.study for published in snapshot.studies.values()],
        tracks=centre.tracks.records(),
        usage=mentions(known.edges()),
        exclude=exclude,
        kinds=_kinds_of(known),
    )
    tables = (centre.cohorts.get(entry.id) for entry in centre.cohorts.cohorts())
    variables = (record for table in tables for record in variable_records(table.cohort, table.dictionary))
    more = chain(variables, gene_records(genes.records()) if genes else (), page_records())
    leads = ((p.study, _leads(p, centre)) for _, p in sorted(snapshot.studies.items()))
    more = chain(more, lead_records(leads), variants.records())
    return index_root(centre.root.path, chain(records, more), sequence=snapshot.sequence, folder=folder)


def _leads(published: PublishedStudy, centre: Centre) -> list[Lead]:
    """The strongest lead variants of each trait of a study, genome-wide significant ones, strongest first."""
    most, assembly = centre.settings.search_leads, centre.root.assembly
    try:
        found = published.summary().loci(limit=None if most else 0)
    except NexomeError as error:  # told by `nexome verify`; the rest of the index does not wait for it
        _log.warning("leads of %s are not in the search index: %s", published.study.id, error)
        return []
    traits: dict[FeatureHit, list[int]] = {}
    told: Counter[int] = Counter()
    for row in range(len(found)):
        trait = int(found.trait[row])
        if found.suggestive[row] or told[trait] == most:
            continue
        told[trait] += 1
        features = found.features
        hit = FeatureHit(features.key(row), int(features.rsid[row]), features.text(row))
        if hit in traits or len(traits) < MOST_OF_A_STUDY:
            traits.setdefault(hit, []).append(trait)
    described = ((describe_feature(hit, assembly), of) for hit, of in traits.items())
    return [Lead(feature.id, feature.rsid, tuple(of)) for feature, of in described]


def _kinds_of(known: Knowledge) -> dict[str, Kind]:
    """The identifiers that are publications or data sets, by the sources that describe them."""
    found: dict[str, Kind] = {}
    for name in sorted(known.source_names):
        kinds = {_KINDS.get(file["format"]) for file in known.receipt(name)["files"]}
        kind = kinds.pop() if len(kinds) == 1 else None
        if kind is not None:
            found |= dict.fromkeys(known.table(name, "terms")["id"].to_pylist(), kind)
    return found


def _digest(rows: Collection[tuple[Any, ...]]) -> str:
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]


def _encoder_of(root: Path) -> list[str]:
    """What names the encoder: its facts with its revision, or the choice of another."""
    return [hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in encoder_files(root)]


@contextmanager
def _building(root: Path) -> Iterator[None]:
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    handle = os.open(folder / "building", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
