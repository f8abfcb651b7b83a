"""The one door: a View answers every question of one principal, and nothing that principal may not see.

Decisions are made once for each (manifest, principal) and kept with the Selection of the studies
whose cells may be read (`allowance`), so that a question pays for its cells, not for the policy. A
study that a principal may not know of is as unknown as one that does not exist: NotFoundError in
both cases, and no count, position or suggestion tells of it. RefusedError, with a reason code, is
for what may be known of but not read.

Tables hold the columns named in `access.answers`, declared in `model.fields`, one row a cell;
missing cells have no row.

The doors by topic; those of a topic with a module of its own are mixed in:

    what there is       studies, traits, study, summary, study_summary, top, loci, receipt      here
    cells               variant, phewas, region, lookup, associations, interval                 here
    genes, search       gene, genes_in, search, suggestions                                     here
    overview            outcomes, newest, doubts, categories, traits_in, transcripts_of         overview
    a screen            window, stretch, strongest_in, gene_places, nearest_genes               looking
    LD                  ld_panels, ld, ld_to, ld_matrix, proxies, clump                         ld
    interpreting        credible_sets, coloc, coloc_loci, compare                               interpreting
    reference values    reference_sets, reference_set, reference_table, curves, place           reference
    tracks              tracks, track, transcripts_in, recombination, cytobands                 tracks
    meaning             find, normalise, completions, term_place, term_record                   meaning
    cohorts             cohorts, variables, grid, count, means, percentiles, histogram, compare cohorts
    knowledge           term, neighbours, around, ancestors, paths, common, explain …           knowledge

What a question is about comes first and by position: (study, trait), then `where`, a region, a gene or
an Interval. How it is answered (limit, panel, population, options) is named. `*_planes` give the same
cells as the door without it, decoded when a column is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nexome.access.allowance import Allowance, scope_of
from nexome.access.answers import (
    ASSOCIATION_COLUMNS,
    LOCUS_COLUMNS,
    TOP_COLUMNS,
    FeatureAnswer,
    GeneAnswer,
    SearchHit,
    StudyAnswer,
    VariantAnswer,
)
from nexome.access.cells import drop_empty_rows, rows_with_cells, strongest_cells
from nexome.access.cohorts import Counting
from nexome.access.finding import (
    describe_feature,
    find_features,
    found_keys,
    key_of,
    known_features,
    neighbours,
    unknown_variant,
)
from nexome.access.identity import Principal
from nexome.access.interpreting import Interpreting
from nexome.access.knowledge import Knowing
from nexome.access.ld import Linkage
from nexome.access.looking import Looking
from nexome.access.meaning import Meaning
from nexome.access.overview import Overview
from nexome.access.policy import Action, decide
from nexome.access.reference.doors import Referenced
from nexome.access.searching import join_completions, join_meanings, search_hits
from nexome.access.signals import chosen_trait
from nexome.access.tables import hit_table, nearest_symbols, study_table, trait_table
from nexome.access.tracks import Tracked
from nexome.model.errors import NotFoundError, QueryError
from nexome.model.fields import schema_of
from nexome.model.genome import Assembly, Interval, parse_interval
from nexome.store.associations import Features, query
from nexome.store.genes import GENE_COLUMNS, Genes

if TYPE_CHECKING:
    from nexome.access.centre import Centre
    from nexome.store.associations import FeatureHit, FeatureKey, Planes, PublishedStudy, Selection
    from nexome.store.associations.summaries import Summary, TraitSummary

Order = Literal["p", "position"]

BATCH_ROWS: Final = 131_072


class View(Counting, Interpreting, Knowing, Linkage, Looking, Meaning, Overview, Referenced, Tracked):
    """All questions one principal may ask. Made by `Centre.view_for` or `nexome.open`; cheap to make.

    Thread-safe. Each question reads the newest published manifest. `with` closes the centre that
    `nexome.open` opened for it.
    """

    def __init__(self, centre: Centre, principal: Principal, *, purpose: str = "read") -> None:
        self._centre = centre
        self.principal = principal
        self.purpose = purpose

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the root. For a view of one's own from `nexome.open`; a served view is not closed."""
        self._centre.close()

    @property
    def assembly(self) -> Assembly:
        """The home assembly: all positions in questions and answers are in it."""
        return self._centre.root.assembly

    @property
    def sequence(self) -> int:
        """Number of the manifest that the next answer comes from; grows with every publication."""
        return self._centre.store.snapshot().sequence

    @property
    def scope(self) -> str:
        """Short text naming what this principal may see: equal scopes get equal answers.

        'open' for everyone without more rights; such answers may be kept by shared caches.
        """
        return scope_of(self.principal)

    @property
    def stamp(self) -> str:
        """Text that changes when any answer to this principal may have: made for an ETag."""
        genes = self._centre.genes
        version = genes.version if genes else 0
        tracks, genotypes = self._centre.tracks.sequence, self._centre.genotypes.manifest().sequence
        held = f"{version}-{tracks}-{genotypes}-{self._centre.cohorts.manifest().sequence}"
        known = f"{self._knowledge.digest}-{self._search_index.stamp}"
        return f"{self._centre.root.id}-{self.sequence}-{held}-{known}-{self.scope}"

    # ------------------------------------------------------------ studies and traits

    def studies(self, search: str | None = None, *, limit: int | None = None, offset: int = 0) -> pa.Table:
        """Studies this principal may know of (STUDY_COLUMNS).

        By identifier; with `search`, likeliest first.
        """
        visible = self._allowance().visible
        names: Iterator[str] = iter(visible)
        if search is not None and search.strip():
            found = self._catalogue().search(search)
            names = (hit.study for hit in found if not hit.trait and hit.study in visible)
        stop = None if limit is None else offset + limit
        return study_table(visible[name] for name in islice(names, offset, stop))

    def traits(
        self,
        study: str | None = None,
        *,
        search: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> pa.Table:
        """Traits of a study, or of all known ones (TRAIT_COLUMNS), in the study's own order.

        With `search`, likeliest first. Raises NotFoundError for an unknown study.
        """
        allowance = self._allowance()
        studies = list(allowance.visible) if study is None else [allowance.published(study).study.id]
        records = ((p.study, t) for p in map(allowance.published, studies) for t in p.study.traits)
        if search is not None and search.strip():
            wanted = set(studies)
            found = [h for h in self._catalogue().search(search) if h.trait and h.study in wanted]
            known = {name: _traits_by_id(allowance.visible[name]) for name in {h.study for h in found}}
            records = (known[h.study][h.trait] for h in found if h.trait in known[h.study])
        stop = None if limit is None else offset + limit
        return trait_table(islice(records, offset, stop))

    def study(self, study: str) -> StudyAnswer:
        """Everything known of a study, and what this principal may do with it. Raises NotFoundError."""
        published = self._allowance().published(study)
        read, export, receipt = (
            decide(self.principal, action, published.study)
            for action in ("read_cells", "export", "read_receipt")
        )
        return StudyAnswer(
            study=published.study,
            version=published.version,
            published=published.published,
            cells=published.cells,
            may_read=read.allowed,
            may_export=export.allowed,
            may_see_receipt=receipt.allowed,
            reason_read="" if read.allowed else read.reason,
            reason_export="" if export.allowed else export.reason,
            reason_receipt="" if receipt.allowed else receipt.reason,
        )

    # ------------------------------------------------------------ cells

    def variant(self, text: str) -> VariantAnswer:
        """The variant a text means (every spelling of `model.genome.parse_variant`, or a feature's name).

        Raises QueryError for a text that is no variant, NotFoundError where no readable study has a
        cell of it.
        """
        allowance = self._allowance()
        hits = known_features(allowance, find_features(allowance.snapshot, text))
        if not hits:
            raise unknown_variant(text, self.assembly)
        first = hits[0]
        beside = known_features(allowance, [*hits, *neighbours(allowance.snapshot, first)])
        others = sorted((hit for hit in beside if hit.key != first.key), key=lambda hit: hit.key)
        self._count("variant")
        return VariantAnswer(
            text=text,
            feature=describe_feature(first, self.assembly),
            swapped=first.swapped,
            others=tuple(describe_feature(hit, self.assembly) for hit in others),
            nearest_gene=self._nearest_gene(first),
        )

    def phewas(
        self,
        variant: str | FeatureAnswer,
        *,
        studies: Sequence[str] | None = None,
        min_neg_log_10_p: float | None = None,
    ) -> pa.Table:
        """One variant across all readable traits (ASSOCIATION_COLUMNS).

        A text that fits several features (two alternate alleles at a position) answers for each of
        them; the alleles stand in each row. Raises as `variant`, and NotFoundError for a study in
        `studies` that this principal may not know of.
        """
        return _long(self.phewas_planes(variant, studies=studies), min_neg_log_10_p)

    def phewas_planes(self, variant: str | FeatureAnswer, *, studies: Sequence[str] | None = None) -> Planes:
        """As `phewas`, as planes: the features the text fits × traits, decoded when a column is asked for."""
        allowance = self._allowance()
        selection = allowance.select(studies)
        if isinstance(variant, FeatureAnswer):
            keys, text = [key_of(variant)], variant.id
        else:
            keys, text = [hit.key for hit in find_features(allowance.snapshot, variant)], variant
        planes = self._planes_of(allowance, keys, selection)
        if not rows_with_cells(planes).any() and not self._is_known(allowance, keys, studies):
            raise unknown_variant(text, self.assembly)
        self._count("phewas")
        return planes

    def region(
        self,
        where: str | Interval,
        *,
        studies: Sequence[str] | None = None,
        min_neg_log_10_p: float | None = None,
    ) -> pa.Table:
        """All cells of a region, '2:165000000-166000000' or a gene's symbol, as one long table.

        For many traits ask `region_planes`, which is not spelled out until asked.
        """
        return _long(self.region_planes(where, studies=studies), min_neg_log_10_p)

    def region_planes(self, where: str | Interval, *, studies: Sequence[str] | None = None) -> Planes:
        """As `region`, as planes: features (V) × traits (T), decoded when a column is asked for."""
        allowance = self._allowance()
        selection = allowance.select(studies)
        planes = query.region(allowance.snapshot, self.interval(where), selection)
        self._count("region")
        return drop_empty_rows(planes) if allowance.partial else planes

    def interval(self, where: str | Interval) -> Interval:
        """The place a text names: a region, a whole contig, or a gene.

        Raises QueryError for a text that is none of these, NotFoundError for an unknown contig or gene.
        """
        if isinstance(where, Interval):
            return where
        try:
            return parse_interval(where, self.assembly)
        except (QueryError, NotFoundError):
            genes = self._centre.genes
            if genes is None or ":" in where:
                raise
            gene = genes.find(where)
            return Interval(self.assembly.rank(gene.chromosome), gene.start, gene.end)

    def lookup(self, variants: Sequence[str], *, studies: Sequence[str] | None = None) -> pa.Table:
        """Many variants across studies as one long table; unknown variants have no row.

        Rows come in the order asked. `unknown_variants` tells which ones have none.
        """
        return _long(self.lookup_planes(variants, studies=studies), None)

    def lookup_planes(self, variants: Sequence[str], *, studies: Sequence[str] | None = None) -> Planes:
        """As `lookup`, as planes: the found features in the order asked × traits."""
        allowance = self._allowance()
        selection = allowance.select(studies)
        keys, _ = found_keys(allowance, variants)
        planes = query.lookup(allowance.snapshot, keys, selection)
        self._count("lookup")
        return drop_empty_rows(planes) if allowance.partial else planes

    def unknown_variants(self, variants: Sequence[str]) -> list[str]:
        """Those of `variants` that no readable study has a cell of, in the order given."""
        allowance = self._allowance()
        keys, places = found_keys(allowance, variants)
        held = rows_with_cells(query.lookup(allowance.snapshot, keys, allowance.selection)).tolist()
        known = (any(held[place] for place in each) for each in places)
        return [text for text, there in zip(variants, known, strict=True) if not there]

    def associations(
        self,
        study: str,
        trait: str | None = None,
        *,
        interval: str | Interval | None = None,
        batch_rows: int = BATCH_ROWS,
    ) -> Iterator[pa.RecordBatch]:
        """A study, or one trait of it, in batches of at most `batch_rows` rows (ASSOCIATION_COLUMNS).

        By trait, then position. Memory is that of one batch. A whole study is a download; inside an
        `interval` reading is enough. Raises before the first batch.
        """
        allowance = self._allowance()
        published = allowance.require(study, "export" if interval is None else "read_cells")
        if trait is not None:
            _ordinal(published, trait)
        place = None if interval is None else self.interval(interval)
        if interval is None:
            self._audit("export", published, trait=trait or "")
        parts = query.study_batches(allowance.snapshot, study, trait, interval=place, rows=batch_rows)
        return _batches(parts, batch_rows)

    # ------------------------------------------------------------ summaries

    def top(
        self, study: str, *, trait: str | None = None, limit: int | None = None, order: Order = "p"
    ) -> pa.Table:
        """Associations with p < 1e-4 of a study or one of its traits (TOP_COLUMNS).

        Strongest first, or by (trait and) position. Read from the summary made at publication: costs
        nothing that grows with the study.
        """
        published = self._summarised(study)
        hits = published.summary().hits(_ordinal(published, trait), order=order, limit=limit)
        return self._hits(published, hits, TOP_COLUMNS)

    def loci(self, study: str, *, trait: str | None = None, limit: int | None = None) -> pa.Table:
        """Lead variants of the study's loci, strongest first (LOCUS_COLUMNS)."""
        published = self._summarised(study)
        leads = published.summary().loci(_ordinal(published, trait), limit=limit)
        return self._hits(published, leads, LOCUS_COLUMNS)

    def summary(self, study: str, trait: str | None = None) -> TraitSummary:
        """λGC, counts, Manhattan and QQ of a trait, made at publication; not an Arrow table.

        `trait` may be left out where the study has one. Raises QueryError where it has more.
        """
        published = self._summarised(study)
        ordinal, _ = chosen_trait(published, trait)
        return published.summary().trait(ordinal)

    def study_summary(self, study: str) -> Summary:
        """As `summary`, of all traits of a study: totals, and the numbers of each as columns."""
        return self._summarised(study).summary()

    def receipt(self, study: str) -> dict[str, Any]:
        """The receipt of the study's import. Raises RefusedError unless granted: it holds file names."""
        published = self._allowance().require(study, "read_receipt")
        self._audit("read_receipt", published)
        return published.receipt()

    # ------------------------------------------------------------ genes and search

    def gene(self, symbol: str, *, flank_bp: int = 0) -> GeneAnswer:
        """A gene by symbol or identifier, with the best association of each readable trait in it.

        Raises NotFoundError for an unknown gene and where no genes are imported (it says how).
        """
        gene = self._genes().find(symbol)
        contig = self.assembly.rank(gene.chromosome)
        place = Interval(contig, max(1, gene.start - flank_bp), gene.end + flank_bp)
        allowance = self._allowance()
        planes = query.region(allowance.snapshot, place, allowance.selection)
        best = strongest_cells(planes).table(ASSOCIATION_COLUMNS)
        self._count("gene")
        return GeneAnswer(gene, flank_bp, best.sort_by([("neg_log_10_p_value", "descending")]))

    def genes_in(self, where: str | Interval) -> pa.Table:
        """Genes that overlap a region, by position (GENE_COLUMNS); no rows where none are imported."""
        place = self.interval(where)
        genes = self._centre.genes
        return schema_of(GENE_COLUMNS).empty_table() if genes is None else genes.overlapping(place)

    def search(self, text: str, *, limit: int = 20, kinds: Sequence[str] = ()) -> list[SearchHit]:
        """What a text in the one search box may mean, likeliest first.

        rs numbers, chrom:pos, chrom-pos-ref-alt, regions, genes, and words of studies and traits in
        English or Chinese; Latin words may be unfinished. Where a search index was built, what is found
        by meaning follows (`find`): variants too that no readable study has, if something is known of them.
        With `kinds` only hits of these, as many as asked for.
        """
        allowance = self._allowance()
        catalogue = self._catalogue()
        hits = search_hits(allowance, text, genes=self._centre.genes, catalogue=catalogue, limit=limit)
        hits = [hit for hit in hits if not kinds or hit.kind in kinds]
        if len(hits) >= limit or not self._search_index.exists or any(hit.certain for hit in hits):
            return hits
        found = self.find(text, limit=limit, kinds=kinds)
        return join_meanings(hits, found, allowance, limit=limit)

    def suggestions(self, text: str, *, limit: int = 8) -> list[SearchHit]:
        """As `search`, a few, while the person still types; pinyin and its initials are understood too."""
        if len(text.strip()) < 2:
            return []
        allowance = self._allowance()
        catalogue = self._catalogue()
        hits = search_hits(allowance, text, genes=self._centre.genes, catalogue=catalogue, limit=limit)
        if not self._search_index.exists:
            return hits
        found = self.completions(text, limit=limit)
        return join_completions(hits, found, allowance, limit=limit, text=text)

    # ------------------------------------------------------------ inner

    def _allowance(self) -> Allowance:
        return self._centre.allowance(self.principal)

    def _catalogue(self) -> Any:
        return self._centre.searchable(self._centre.store.snapshot())

    def _genes(self) -> Genes:
        genes = self._centre.genes
        if genes is None:
            raise NotFoundError(
                "no genes are imported", todo="The owner imports them: nexome import genes FILE"
            )
        return genes

    def _nearest_gene(self, hit: FeatureHit) -> str:
        locus, allele = (np.array([number], np.uint64) for number in hit.key)
        features = Features(locus, allele, np.zeros(1, np.uint32))
        return nearest_symbols(features, self._centre.genes)[0].as_py() or ""

    def _planes_of(self, allowance: Allowance, keys: Sequence[FeatureKey], selection: Selection) -> Planes:
        if len(keys) == 1:
            return query.phewas(allowance.snapshot, keys[0], selection)
        planes = query.lookup(allowance.snapshot, keys, selection)
        return drop_empty_rows(planes) if allowance.partial else planes

    def _is_known(
        self, allowance: Allowance, keys: Sequence[FeatureKey], studies: Sequence[str] | None
    ) -> bool:
        """Whether some readable study outside of `studies` has a cell of a feature."""
        if studies is None or not keys:
            return False
        return bool(rows_with_cells(query.lookup(allowance.snapshot, keys, allowance.selection)).any())

    def _summarised(self, study: str) -> PublishedStudy:
        return self._allowance().require(study, "read_summary")

    def _hits(self, published: PublishedStudy, hits: Any, columns: Sequence[str]) -> pa.Table:
        genes = self._centre.genes
        return hit_table(hits, published.study, columns=columns, assembly=self.assembly, genes=genes)

    def _count(self, kind: str) -> None:
        if self.principal.kind != "owner":
            self._centre.catalogue.accounts.count(kind)

    def _audit(self, action: Action, published: PublishedStudy, **detail: str) -> None:
        """Before a private study's answer leaves to anyone but its owner, say so in the audit log."""
        study = published.study
        if study.access == "private" and self.principal.kind != "owner":
            actor = self.principal.name or self.principal.kind
            detail |= {"purpose": self.purpose, "version": str(published.version)}
            self._centre.catalogue.accounts.audit(actor, action, study.id, **detail)


def _long(planes: Planes, min_neg_log_10_p: float | None) -> pa.Table:
    table = planes.table(ASSOCIATION_COLUMNS)
    if min_neg_log_10_p is None:
        return table
    return table.filter(pc.greater_equal(table["neg_log_10_p_value"], min_neg_log_10_p))


def _batches(parts: Iterator[Planes], batch_rows: int) -> Iterator[pa.RecordBatch]:
    for part in parts:
        yield from part.table(ASSOCIATION_COLUMNS).to_batches(max_chunksize=batch_rows)


def _traits_by_id(published: PublishedStudy) -> dict[str, Any]:
    return {trait.id: (published.study, trait) for trait in published.study.traits}


def _ordinal(published: PublishedStudy, trait: str | None) -> int | None:
    if trait is None:
        return None
    for ordinal, known in enumerate(published.study.traits):
        if known.id == trait:
            return ordinal
    raise NotFoundError(f"no trait {trait[:100]!r}", where=f"study {published.study.id}")
