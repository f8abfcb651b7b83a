"""The one door: a View answers every question of one principal, and nothing that principal may not see.

Decisions are made once for each (manifest sequence, principal) and kept with the Selection of the
studies whose cells may be read, so that a question pays for its cells, not for the policy. A study
that a principal may not know of is as unknown as one that does not exist: NotFoundError in both
cases, and no count, position or suggestion tells of it. RefusedError, with a reason code, is for
what may be known of but not read.

Tables hold the columns named in `access.answers`, declared in `model.fields`, one row a cell, in
key order (chromosome, position, alleles), then by study and trait; missing cells have no row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from nexome.access.answers import FeatureAnswer, GeneAnswer, SearchHit, StudyAnswer, VariantAnswer
from nexome.access.identity import Principal
from nexome.model.genome import Assembly, Interval

if TYPE_CHECKING:
    from nexome.access.centre import Centre
    from nexome.store.associations.summaries import Summary, TraitSummary
    from nexome.store.associations.types import Planes

Order = Literal["p", "position"]


class View:
    """All questions one principal may ask. Made by `Centre.view_for` or `nexome.open`; cheap to make.

    Thread-safe. Each question reads the newest published manifest. `sequence` and `assembly` say what
    is answered from (an ETag is made of `sequence` and `scope`).
    """

    def __init__(self, centre: Centre, principal: Principal, *, purpose: str = "read") -> None:
        self._centre = centre
        self.principal = principal
        self.purpose = purpose

    @property
    def assembly(self) -> Assembly:
        """The home assembly: all positions in questions and answers are in it."""
        raise NotImplementedError

    @property
    def sequence(self) -> int:
        """Number of the manifest that the next answer comes from; grows with every publication."""
        raise NotImplementedError

    @property
    def scope(self) -> str:
        """Short text naming what this principal may see: equal scopes get equal answers.

        'open' for everyone without more rights; such answers may be kept by shared caches.
        """
        raise NotImplementedError

    def studies(self, search: str | None = None, *, limit: int | None = None, offset: int = 0) -> pa.Table:
        """Studies this principal may know of (STUDY_COLUMNS).

        By identifier; with `search`, likeliest first.
        """
        raise NotImplementedError

    def traits(
        self,
        study: str | None = None,
        *,
        search: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> pa.Table:
        """Traits of a study, or of all known ones (TRAIT_COLUMNS), in the study's own order."""
        raise NotImplementedError

    def study(self, study: str) -> StudyAnswer:
        """Everything known of a study, and what this principal may do with it. Raises NotFoundError."""
        raise NotImplementedError

    def variant(self, text: str) -> VariantAnswer:
        """The variant a text means (every spelling of `model.genome.parse_variant`, or a feature's name).

        Raises QueryError for a text that is no variant, NotFoundError where no readable study has a
        cell of it.
        """
        raise NotImplementedError

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
        raise NotImplementedError

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
        raise NotImplementedError

    def region_planes(self, where: str | Interval, *, studies: Sequence[str] | None = None) -> Planes:
        """As `region`, as planes: features (V) × traits (T), decoded when a column is asked for."""
        raise NotImplementedError

    def top(
        self, study: str, *, trait: str | None = None, limit: int | None = None, order: Order = "p"
    ) -> pa.Table:
        """Associations with p < 1e-4 of a study or one of its traits, strongest or first first (TOP_COLUMNS).

        Read from the summary made at publication; costs nothing that grows with the study.
        """
        raise NotImplementedError

    def loci(self, study: str, *, trait: str | None = None, limit: int | None = None) -> pa.Table:
        """Lead variants of the study's loci, strongest first (LOCUS_COLUMNS)."""
        raise NotImplementedError

    def lookup(self, variants: Sequence[str], *, studies: Sequence[str] | None = None) -> pa.Table:
        """Many variants across studies as one long table; unknown variants have no row.

        See `unknown_variants` for which ones those are.
        """
        raise NotImplementedError

    def lookup_planes(self, variants: Sequence[str], *, studies: Sequence[str] | None = None) -> Planes:
        """As `lookup`, as planes: the found features in key order × traits."""
        raise NotImplementedError

    def unknown_variants(self, variants: Sequence[str]) -> list[str]:
        """Those of `variants` that no readable study has a cell of, in the order given."""
        raise NotImplementedError

    def associations(
        self,
        study: str,
        trait: str | None = None,
        *,
        interval: str | Interval | None = None,
        batch_rows: int = 131_072,
    ) -> Iterator[pa.RecordBatch]:
        """A whole study, or one trait of it, in batches of about `batch_rows` rows (ASSOCIATION_COLUMNS).

        `trait` may be left out where the study has one. Memory is that of one batch.
        """
        raise NotImplementedError

    def summary(self, study: str, trait: str | None = None) -> TraitSummary:
        """λGC, counts, Manhattan and QQ of a trait, made at publication; not an Arrow table.

        `trait` may be left out where the study has one.
        """
        raise NotImplementedError

    def study_summary(self, study: str) -> Summary:
        """As `summary`, of all traits of a study: totals, and the numbers of each as columns."""
        raise NotImplementedError

    def receipt(self, study: str) -> dict[str, Any]:
        """The receipt of the study's import. Raises RefusedError unless granted: it holds file names."""
        raise NotImplementedError

    def gene(self, symbol: str, *, flank_bp: int = 0) -> GeneAnswer:
        """A gene by symbol or identifier, with the best association of each readable trait in it.

        Raises NotFoundError for an unknown gene and where no genes are imported (it says how).
        """
        raise NotImplementedError

    def genes_in(self, where: str | Interval) -> pa.Table:
        """Genes that overlap a region, by position (GENE_COLUMNS); no rows where none are imported."""
        raise NotImplementedError

    def search(self, text: str, *, limit: int = 20) -> list[SearchHit]:
        """What a text in the one search box may mean, likeliest first.

        rs numbers, chrom:pos, chrom-pos-ref-alt, regions, genes, and words of studies and traits in
        English or Chinese. A hit of kind 'variant' is only given when a readable study has it.
        """
        raise NotImplementedError

    def suggestions(self, text: str, *, limit: int = 8) -> list[SearchHit]:
        """As `search`, while the person still types: the last word may be unfinished."""
        raise NotImplementedError
