"""The import of one file: recognised, read into the spool, planned as studies, settled and published.

`FileImport` holds the reader and what was collected; `read` goes once over the file, `studies` plans,
`publish` writes one study. What is not certain is refused here with the option that settles it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from nexome.formats.reader import RawBatch, Reader
from nexome.formats.recognise import open_associations
from nexome.ingest.choices import Chosen, choose, choose_letters
from nexome.ingest.harmonise.alleles import StrandEvidence
from nexome.ingest.harmonise.frequency import LEAST_COMPARED
from nexome.ingest.known import Known, store_sites, with_table
from nexome.ingest.metadata import PlannedStudy, plan_studies, read_trait_table, study_id_of
from nexome.ingest.prepare import Collected, Plan, prepare
from nexome.ingest.progress import Report
from nexome.ingest.realign import realign
from nexome.ingest.receipt import choices_of, write_receipt
from nexome.ingest.requests import ImportOptions, ImportRequest
from nexome.ingest.resources import LiftMap, Reference, SitesTable, load_lift, load_reference, load_sites
from nexome.ingest.settle import Evidence, Settlement, gather_evidence, settle_block
from nexome.ingest.spool import Rows, Spool
from nexome.ingest.tally import Tally, counts_of
from nexome.model.errors import InputError
from nexome.model.genome import Assembly
from nexome.store.associations import AssociationStore, Block, PublishedStudy

_MOST_COMPARED: Final = 300_000  # variants tell a study's frequency; more would tell the same, slowly
_RULES_NAMED: Final = 3  # in the error of a file of which no row was kept


class Resources:
    """Help files of one import, each opened when first needed and then kept."""

    def __init__(self, options: ImportOptions, home: Assembly) -> None:
        self._options, self._home = options, home
        self._lifts: dict[str, LiftMap] = {}

    @cached_property
    def sites(self) -> SitesTable | None:
        """The sites table, if one was given."""
        return load_sites(self._options.sites, self._home) if self._options.sites else None

    @cached_property
    def reference(self) -> Reference | None:
        """The reference sequence, if one was given."""
        return load_reference(self._options.fasta, self._home) if self._options.fasta else None

    @cached_property
    def traits(self) -> dict[str, dict[str, str]]:
        """The traits table, empty without one."""
        return read_trait_table(self._options.traits) if self._options.traits else {}

    def lift(self, source: str) -> LiftMap | None:
        """The chain, if one was given, from the build `source`."""
        if self._options.chain is None:
            return None
        if source not in self._lifts:
            self._lifts[source] = load_lift(self._options.chain, self._home, source_name=source)
        return self._lifts[source]


class FileImport:
    """One file on its way in. A context manager: leaving it closes the source and removes the spool."""

    def __init__(
        self,
        store: AssociationStore,
        request: ImportRequest,
        options: ImportOptions,
        *,
        resources: Resources,
        report: Report,
    ) -> None:
        self.store, self.request, self.options = store, request, options
        self.resources, self.report = resources, report
        read = replace(
            options.read,
            mapping={**options.read.mapping, **request.mapping},
            format=request.format or options.read.format,
        )
        self.reader: Reader = open_associations(request.path, read)
        self.collected = Collected(one_study=bool(request.study.get("id")))
        try:
            home = store.root.assembly
            self.chosen: Chosen = choose(self.reader, request, options, resources=resources, home=home)
        except BaseException:
            self.reader.close()
            raise
        self._spool: Spool | None = None
        self._strand = StrandEvidence()
        self._letters = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()
        if self._spool is not None:
            self._spool.close()

    def known_study(self) -> str:
        """The study's identifier when it is known before the rows are read; '' else."""
        return (
            study_id_of(self.request, self.reader.metadata)
            if not self._has("study_id") or self.request.study.get("id")
            else ""
        )

    def read(self, scratch: Path) -> None:
        """Read the file once: prepared rows go to the spool, all others are counted.

        Raises FormatError where the file ends (or cannot be read) too early, InputError when no row can
        be kept or the positions are in another build.
        """
        plan = self.chosen.plan
        self._spool = Spool(scratch, plan.dtype)
        for number, batch in enumerate(self.reader):
            if number == 0:
                plan = self.with_letters(plan, batch)
            self._spool.append(prepare(batch, plan, self.collected))
            stream = self.reader.stream
            self.report.tell(
                "read", done=stream.source_bytes, total=stream.source_size or 0, rows=self._rows_in()
            )
        self._check_rows()
        self.chosen.check_build(
            self.collected.build, store_assembly=self.store.root.assembly, where=self.request.path
        )
        if self.resources.reference is not None and not plan.named:
            self._realign(self.resources.reference, scratch)

    def studies(self) -> list[PlannedStudy]:
        """The studies of this file, after `read`."""
        return plan_studies(
            self.request,
            self.collected.traits,
            file_says=self.reader.metadata,
            terms=frozenset(self.reader.schema.names),
            trait_rows=self.collected.traits.rows.tolist(),
            trait_table=self.resources.traits,
        )

    def tally_of(self, planned: PlannedStudy) -> Tally:
        """The counts of one study."""
        return self.collected.tally("" if planned.source_name == "*" else planned.source_name)

    def publish(self, planned: PlannedStudy) -> PublishedStudy:
        """Settle, stage and publish one study; InputError when frequencies or duplicates are refused."""
        study = replace(planned.study, assembly_source=self.chosen.assembly_source)
        evidence = self._evidence(planned)
        settlement = self._settlement(planned, evidence)
        staged = self.store.stage(study, exact=self.options.exact, new=not self.options.replace)
        try:
            for block in self.settled(planned, settlement):
                staged.add(block)
            self.report.tell("publish", done=0, total=0, rows=self._rows_of(planned))
            return staged.publish(self._receipt(planned, evidence, self.tally_of(planned)))
        except BaseException:
            staged.abandon()
            raise

    def settled(self, planned: PlannedStudy, settlement: Settlement) -> Iterator[Block]:
        """The rows of one study as they are kept, in the store's order; all others are counted."""
        tally, done, rows = self.tally_of(planned), 0, self._rows_of(planned)
        for block in self._blocks(planned):
            done += len(block)
            if len(made := settle_block(block, settlement, tally, self.collected.spelled)):
                yield made
            self.report.tell("write", done=done, total=rows, rows=done)

    def settlement(
        self, planned: PlannedStudy, known: Known, *, strand: str, turn_frequency: bool
    ) -> Settlement:
        """How the rows of one study are settled, once it is known on which strand its alleles are."""
        traits = self.collected.traits
        numbers = None
        if len(planned.ordinals) > 1:
            numbers = np.zeros(len(traits), np.uint32)
            numbers[list(planned.ordinals)] = np.arange(len(planned.ordinals), dtype=np.uint32)
        return Settlement(
            known=known,
            palindromic=self.options.palindromic,
            strand=strand,
            duplicates=self.options.duplicates,
            turn_frequency=turn_frequency,
            variants=not self.chosen.plan.named,
            has_n=any(
                traits.constant("n", o) is None and traits.largest("n", o) is not None
                for o in planned.ordinals
            ),
            trait_numbers=numbers,
            where=self.request.path,
        )

    def _rows_of(self, planned: PlannedStudy) -> int:
        return int(self.collected.traits.rows[list(planned.ordinals)].sum())

    def _has(self, term: str) -> bool:
        return term in self.reader.schema.names

    def _rows_in(self) -> int:
        return sum(t.rows_in for t in self.collected.tallies.values())

    def with_letters(self, plan: Plan, batch: RawBatch) -> Plan:
        """The plan, with the spelling of alleles told by the first batch."""
        if plan.named:
            return plan
        letters = choose_letters(batch.table, self.options, where=self.request.path)
        self._letters = letters
        return replace(plan, letters=letters)

    def _check_rows(self) -> None:
        if self._spool is None or self._spool.rows:
            return
        counts = counts_of(self.collected.tallies.values())
        rules = sorted(counts["dropped_by"].items(), key=lambda item: -item[1])[:_RULES_NAMED]
        told = "; ".join(f"{name}: {number:,}" for name, number in rules) or "the file has no rows"
        todo = (
            "Give a sites table with rs numbers and positions (--sites)."
            if "no_position" in dict(rules)
            else ""
        )
        raise InputError(
            f"none of {counts['in']:,} rows can be kept ({told})",
            where=self.request.path,
            expected="rows with a feature and an effect",
            todo=todo,
        )

    def _realign(self, reference: Reference, scratch: Path) -> None:
        assert self._spool is not None  # noqa: S101  `read` has made it
        source = self._spool
        target = Spool(scratch.with_suffix(".aligned"), source.dtype)

        def count(drop: Any, rows: Rows) -> None:
            traits = rows["trait"] if "trait" in (rows.dtype.names or ()) else np.zeros(len(rows), np.uint32)
            for ordinal in np.unique(traits[drop > 0]).tolist():
                here = (traits == ordinal) & (drop > 0)
                self.collected.tally(self.collected.traits.pairs[ordinal][0]).drop_by(
                    drop[here], rows["line"][here]
                )
                self.collected.traits.rows[ordinal] -= int(here.sum())

        self._spool = target
        with source:
            self._strand = realign(
                source,
                target,
                fetch=reference.fetch,
                assembly=self.store.root.assembly,
                spelled=self.collected.spelled,
                count=count,
            )
        self._check_rows()

    def _blocks(self, planned: PlannedStudy) -> Any:
        assert self._spool is not None  # noqa: S101  `read` has made it
        every = len(planned.ordinals) == len(self.collected.traits)
        return self._spool.blocks(traits=None if every else np.array(planned.ordinals, np.uint32))

    @cached_property
    def known(self) -> Known:
        """Known sites and frequencies, without the studies of this very file."""
        if self.chosen.plan.named:
            return Known()
        planned = self.studies()
        known = store_sites(
            self.store.snapshot(),
            ancestry=planned[0].study.ancestry if planned else "",
            without=frozenset(p.study.id for p in planned),
        )
        table = self.resources.sites
        return with_table(known, table.sites, table.path) if table else known

    def _evidence(self, planned: PlannedStudy) -> Evidence:
        evidence = Evidence(strand=self._strand)
        if self.chosen.plan.named or not self.known:
            return evidence
        rows = 0
        enough = self._rows_of(planned) >= LEAST_COMPARED
        for block in self._blocks(planned):
            more = enough and evidence.frequency.compared < _MOST_COMPARED
            evidence += gather_evidence(block, self.known, self.collected.spelled, frequencies=more)
            rows += len(block)
            self.report.tell("check", done=rows, total=0, rows=rows)
        return evidence

    def _settlement(self, planned: PlannedStudy, evidence: Evidence) -> Settlement:
        other = evidence.frequency.verdict == "other allele"
        if other and self.options.eaf_other_allele == "refuse":
            raise self._other_frequency(evidence)
        turn = other and self.options.eaf_other_allele == "fix"
        return self.settlement(planned, self.known, strand=evidence.strand.verdict, turn_frequency=turn)

    def _other_frequency(self, evidence: Evidence) -> InputError:
        frequency = evidence.frequency
        return InputError(
            f"the frequency looks like that of the other allele: of {frequency.compared:,} variants compared "
            f"{frequency.share_other:.1%} lie nearer 1 − f than f (correlation {frequency.correlation:.2f})",
            where=self.request.path,
            expected=f"those of the effect allele, as in {', '.join(self.known.sources) or 'the store'}",
            todo="Say --eaf-other-allele fix to turn them all, or --eaf-other-allele keep to leave them.",
        )

    def _receipt(self, planned: PlannedStudy, evidence: Evidence, tally: Tally) -> dict[str, Any]:
        outside = self.collected.tallies.get("") if planned.source_name not in {"", "*"} else None
        return write_receipt(
            study=planned.study,
            reader=self.reader,
            choices=choices_of(self.request, self.options),
            decisions={
                **self.chosen.decisions,
                "alleles": "1234" if self._letters == "1234" else "letters",
                "unreadable_cells": self.collected.problems,
                "command": self.options.command,
            },
            evidence=evidence,
            tally=tally,
            outside=outside,
        )
