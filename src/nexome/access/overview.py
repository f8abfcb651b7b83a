"""The doors of a View that look over many things at once: what studies found, categories, genes of a name.

What a study of one trait found (λGC, loci) is read from its summary and kept by study version, a few
numbers each, so that a list of 10⁴ studies is sorted without opening their summaries again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.access.finding import key_of
from nexome.access.quality import Doubt, effective_size, judge_trait
from nexome.model.errors import NexomeError, NotFoundError
from nexome.model.genome import Interval
from nexome.model.terms import Trait
from nexome.store.associations.summaries import Summary

if TYPE_CHECKING:
    from nexome.access.allowance import Allowance
    from nexome.access.answers import FeatureAnswer
    from nexome.access.centre import Centre
    from nexome.access.identity import Principal
    from nexome.store.associations import PublishedStudy
    from nexome.store.associations.types import TraitRef, TraitTable
    from nexome.store.genes import GeneRecord, Genes
    from nexome.store.genotypes import GenotypeSet

KEPT: Final = 1 << 18  # versions; then those not asked for are let go


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a study of one trait found. `people`: effective size; NaN where a number is not known.

    `loci` are genome-wide significant ones (p < 5e-8).
    """

    people: float
    lambda_gc: float
    loci: int


@dataclass(slots=True)
class OutcomeCache:
    """Outcomes by study version, about KEPT of them. Thread-safe."""

    _kept: dict[tuple[str, int], Outcome | None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, studies: Mapping[str, PublishedStudy]) -> dict[str, Outcome]:
        """Outcomes of those studies that have one trait and a summary that can be read."""
        with self._lock:
            versions = {(name, p.version): p for name, p in studies.items()}
            # None is kept too: a study of many traits is not read again at each question.
            found = {key: self._kept[key] if key in self._kept else _read(p) for key, p in versions.items()}
            self._kept = {**self._kept, **found} if len(self._kept) < KEPT else found
        return {name: outcome for (name, _), outcome in found.items() if outcome is not None}


@dataclass(frozen=True, slots=True)
class PanelFrequency:
    """How frequent the effect allele of a variant is in a panel; `population` '': everyone in it."""

    panel: str
    population: str
    people: int
    frequency: float


class CategoryIndex:
    """Readable traits by category, made once for each set of them. Thread-safe."""

    def __init__(self) -> None:
        self._made: WeakKeyDictionary[TraitTable, dict[str, npt.NDArray[np.int64]]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, traits: TraitTable) -> dict[str, npt.NDArray[np.int64]]:
        """Ordinals of the traits of each category, by label; '' are those without one."""
        with self._lock:
            if traits not in self._made:
                self._made[traits] = _by_category(traits)
            return self._made[traits]


class _Asking(Protocol):
    """What these doors need of a View."""

    _centre: Centre
    principal: Principal

    def _allowance(self) -> Allowance: ...

    def _genes(self) -> Genes: ...

    def _summarised(self, study: str) -> PublishedStudy: ...


class Overview:
    """Mixed into View."""

    def outcomes(self: _Asking) -> Mapping[str, Outcome]:
        """What each readable study of one trait found; other studies are not in it."""
        allowance = self._allowance()
        readable = {name: allowance.visible[name] for name in allowance.readable}
        return self._centre.outcomes.of(readable)

    def newest(self: _Asking, studies: Iterable[str]) -> str:
        """When the newest of these studies was published, ISO 8601; '' for none that may be known of."""
        visible = self._allowance().visible
        return max((visible[name].published for name in studies if name in visible), default="")

    def doubts(self: _Asking, study: str, trait: str) -> tuple[Doubt, ...]:
        """The rules of `access.quality` that fire for a trait. Raises as `summary`."""
        published = self._summarised(study)
        ordinal, record = _trait(published, trait)
        return judge_trait(record, published.summary().trait(ordinal))

    def categories(self: _Asking) -> dict[str, int]:
        """Categories of the readable traits, with how many each has; '' are those without one."""
        index = self._centre.categories.of(self._allowance().selection.trait_table)
        return {name: len(ordinals) for name, ordinals in index.items()}

    def traits_in(self: _Asking, category: str, *, limit: int, offset: int = 0) -> tuple[TraitRef, ...]:
        """Readable traits of a category with their studies, by label. Raises NotFoundError without such."""
        traits = self._allowance().selection.trait_table
        ordinals = self._centre.categories.of(traits).get(category)
        if ordinals is None:
            raise NotFoundError(f"no category {category[:60]!r}")
        return tuple(traits.refs[i] for i in ordinals[offset : offset + limit].tolist())

    def panel_frequencies(self: _Asking, variant: FeatureAnswer) -> tuple[PanelFrequency, ...]:
        """Frequency of the effect allele in open LD panels and their populations of `ld_min_people` or more.

        The owner sees private panels too. Panels without the variant are not in it.
        """
        owner = self.principal.kind == "owner"
        least = 0 if owner else self._centre.settings.ld_min_people
        panels = [p for p in self._centre.genotypes.sets().values() if owner or p.access == "open"]
        return tuple(f for panel in panels for f in _frequencies(panel, variant, least=least))

    def genes_named(self: _Asking, text: str) -> tuple[GeneRecord, ...]:
        """All genes of a name, by position: a symbol may stand at several places (X and Y, or copies).

        Raises NotFoundError as `gene`.
        """
        genes = self._genes()
        return genes.named(text) or (genes.find(text),)

    def transcripts_of(self: _Asking, gene: GeneRecord) -> pa.Table:
        """Transcripts of one gene (TRANSCRIPT_COLUMNS), the canonical first, then the longest; maybe none."""
        contig = self._centre.root.assembly.rank(gene.chromosome)
        table = self._genes().transcripts(Interval(contig, gene.start, gene.end))
        column, own = ("gene_id", gene.id) if gene.id else ("gene_symbol", gene.symbol)
        table = table.filter(pc.fill_null(pc.equal(table[column].cast(pa.string()), own), fill_value=False))
        length = pc.subtract(table["end"].cast(pa.int64()), table["start"].cast(pa.int64()))
        canonical = pc.fill_null(table["canonical"], fill_value=False).cast(pa.int8())
        keys = pa.table({"canonical": canonical, "length": length})
        return table.take(pc.sort_indices(keys, [("canonical", "descending"), ("length", "descending")]))


def _by_category(traits: TraitTable) -> dict[str, npt.NDArray[np.int64]]:
    coded = pa.array([r.trait.category for r in traits.refs], pa.string()).dictionary_encode()
    names = coded.dictionary.to_pylist()
    codes = coded.indices.to_numpy(zero_copy_only=False)
    labels = traits.dictionary("trait")
    found = {}
    for code in sorted(range(len(names)), key=lambda c: (names[c] == "", names[c].casefold())):
        rows = np.flatnonzero(codes == code)
        order = pc.sort_indices(pc.utf8_lower(labels.take(pa.array(rows)))).to_numpy()
        found[names[code]] = rows[order]
    return found


def _frequencies(panel: GenotypeSet, variant: FeatureAnswer, *, least: int) -> Iterator[PanelFrequency]:
    rows, swapped = panel.find_either([key_of(variant)])
    if rows[0] < 0:
        return
    for group, people in ((None, panel.people), *panel.populations.items()):
        if people >= least:
            frequency = float(panel.frequencies(rows, group)[0])
            yield PanelFrequency(panel.name, group or "", people, 1 - frequency if swapped[0] else frequency)


def _read(published: PublishedStudy) -> Outcome | None:
    """The outcome of a study; its summary is opened for this alone, since maps of 10⁴ would stay open."""
    traits = published.study.traits
    if len(traits) != 1:
        return None
    try:
        summary = Summary(published.path).trait()
        strong = int(np.count_nonzero(~summary.loci().suggestive))
        people = effective_size(traits[0].n, traits[0].n_cases, traits[0].n_controls)
        return Outcome(people, summary.lambda_gc, strong)
    except NexomeError:
        return None


def _trait(published: PublishedStudy, trait: str) -> tuple[int, Trait]:
    for ordinal, record in enumerate(published.study.traits):
        if record.id == trait:
            return ordinal, record
    raise NotFoundError(f"no trait {trait[:100]!r}", where=f"study {published.study.id}")
