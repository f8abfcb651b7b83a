"""What a spelling means in the part of a store that a principal may read.

A feature counts as known only when a readable study has a cell of it: an axis is shared by
studies, so its mere presence there may come from one that is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from nexome.access.allowance import Allowance
from nexome.access.answers import FeatureAnswer
from nexome.access.cells import rows_with_cells
from nexome.model.errors import NexomeError, NotFoundError, QueryError
from nexome.model.genome import UNPLACED, Assembly, VariantName, parse_variant
from nexome.model.terms import FEATURE_KINDS
from nexome.store.associations import FeatureHit, FeatureKey, Snapshot, query

RS_NUMBER: Final = re.compile(r"[rR][sS]\d+")


def find_features(snapshot: Snapshot, text: str) -> list[FeatureHit]:
    """Features of a snapshot that a text may mean, hidden ones too; best match first.

    A variant in any spelling, or a named feature with or without its kind ('cpg:cg00000029',
    'cg00000029'). Raises QueryError or NotFoundError for a text that is neither.
    """
    try:
        name = parse_variant(text, snapshot.assembly)
    except (QueryError, NotFoundError) as error:
        return _find_named(snapshot, text.strip(), error)
    hits = query.resolve(snapshot, name)
    return sorted(hits, key=lambda hit: (hit.swapped, hit.key))


def _find_named(snapshot: Snapshot, text: str, error: NexomeError) -> list[FeatureHit]:
    kind, colon, name = text.partition(":")
    kinds: Sequence[str] = [kind] if colon and kind in FEATURE_KINDS else FEATURE_KINDS[1:]
    bare = name if colon and kind in FEATURE_KINDS else text
    hits = [hit for each in kinds for hit in query.find_named(snapshot, each, bare)]
    if not hits:
        raise error
    return hits


def neighbours(snapshot: Snapshot, hit: FeatureHit) -> list[FeatureHit]:
    """All features at the position of one, in key order; the one alone when it has no position."""
    contig, position = hit.key.locus >> 32, hit.key.locus & 0xFFFFFFFF
    if contig == UNPLACED:
        return [hit]
    return query.resolve(snapshot, VariantName(contig=contig, position=position))


def known_features(allowance: Allowance, hits: Iterable[FeatureHit]) -> list[FeatureHit]:
    """Those of the features that a readable study has a cell of, in the order given."""
    hits = list({hit.key: hit for hit in reversed(list(hits))}.values())[::-1]
    if not hits:
        return []
    planes = query.lookup(allowance.snapshot, [hit.key for hit in hits], allowance.selection)
    held = rows_with_cells(planes).tolist()
    return [hit for hit, known in zip(hits, held, strict=True) if known]


def unknown_variant(text: str, assembly: Assembly) -> NotFoundError:
    """The one answer for a variant that is not there and for one that may not be known of.

    An rs number that dbSNP merged into another is not known under its old number: no table of merges is
    kept, the position finds it.
    """
    if RS_NUMBER.fullmatch(text.strip()):
        todo = (
            "The rs number may have been merged into another one in dbSNP, or no study here gives it: "
            "ask by position, for example 2:135851076."
        )
    else:
        todo = (
            f"Check that the position is of {assembly.name}, the home assembly here, "
            "and that both alleles are right."
        )
    return NotFoundError(f"no association of {text[:80]!r}", todo=todo)


def describe_feature(hit: FeatureHit, assembly: Assembly) -> FeatureAnswer:
    """A feature as an answer shows it."""
    contig, position = hit.key.locus >> 32, hit.key.locus & 0xFFFFFFFF
    chromosome = assembly.contig_name(contig)
    ref, slash, alt = hit.text.partition("/")
    name = "" if slash else hit.text
    identity = f"{chromosome}-{position}-{ref}-{alt}" if slash and chromosome else hit.text
    return FeatureAnswer(
        id=identity,
        locus=hit.key.locus,
        allele=hit.key.allele,
        chromosome=chromosome,
        position=position,
        other_allele=ref if slash else "",
        effect_allele=alt if slash else "",
        rsid=f"rs{hit.rsid}" if hit.rsid else "",
        name=name,
    )


def key_of(feature: FeatureAnswer) -> FeatureKey:
    """The store's key of an answered feature."""
    return FeatureKey(feature.locus, feature.allele)


def found_keys(allowance: Allowance, variants: Sequence[str]) -> tuple[list[FeatureKey], list[list[int]]]:
    """Keys of all features the texts may mean, each once, and for each text the places of its keys.

    Raises QueryError naming the text that is no variant; a text without features has no places.
    """
    keys: dict[FeatureKey, int] = {}
    places = []
    for number, text in enumerate(variants, 1):
        try:
            hits = find_features(allowance.snapshot, text)
        except NotFoundError:
            hits = []
        except QueryError as error:
            raise error.at(f"variant {number}") from None
        places.append([keys.setdefault(hit.key, len(keys)) for hit in hits])
    return list(keys), places
