"""Importing genotypes: files of one set read, harmonised, staged and published with their receipt.

All files are opened before the first is read, so that what does not fit together is refused at once. Memory
holds one batch of calls and the keys of all variants; calls wait in scratch beside the store.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.formats.genotypes import RULES, GenotypeReader, open_genotypes
from nexome.ingest.genotypes.build import lift_for, source_build
from nexome.ingest.genotypes.harmonise import Plan, harmonise
from nexome.ingest.genotypes.people import Merged, describe_people, merge_people
from nexome.ingest.genotypes.requests import GenotypeOptions, GenotypeReport
from nexome.ingest.harmonise.build import BuildEvidence
from nexome.ingest.progress import Progress, Report
from nexome.ingest.receipt import digest_of, program_versions
from nexome.ingest.resources import load_reference, load_sites
from nexome.ingest.tally import Tally, counts_of
from nexome.model.errors import InputError
from nexome.store.genotypes import GenotypeSet, GenotypeStore, StagedSet
from nexome.store.genotypes.kernels import census

KIND: Final = "nexome-genotypes-receipt"
VERSION: Final = 1
DUPLICATE: Final = "duplicate_variant"
LEAST_BEHIND: Final = 3  # a slip or two of the pen are counted as dropped rows
SHARE_BEHIND: Final = 0.001
_DUPLICATE_TEXT: Final = "the same variant stands in the files once more; the first is kept"
_CENSUS: Final = ("genotypes", "missing", "half_calls", "haploid_calls", "monomorphic_variants")


def import_genotypes(
    store: GenotypeStore,
    files: Sequence[Path],
    options: GenotypeOptions,
    progress: Callable[[Progress], None] | None = None,
) -> GenotypeReport:
    """Import files as one set (a new version of it with `replace`). All or nothing.

    Raises InputError or FormatError naming file and line for what cannot be used, SpaceError when the disk is
    full, BusyError when another writer holds the root.
    """
    began = time.monotonic()
    if options.name in store.manifest().sets and not options.replace:
        raise InputError(
            f"genotypes {options.name!r} are there already",
            expected="a new name",
            todo="Give another --name, or publish a new version with --replace.",
        )
    with ExitStack() as stack:
        readers = [_opened(stack, path) for path in files]
        work = _Import(store, readers, options)
        staged = stack.enter_context(
            store.stage(options.name, work.table, kind=options.kind, access=options.access)
        )
        work.read(staged, Report(progress))
        receipt = work.receipt(staged)
        made = staged.publish(receipt)
    return _report(made, work, time.monotonic() - began)


def _opened(stack: ExitStack, path: Path) -> GenotypeReader:
    reader = open_genotypes(path)
    stack.callback(reader.close)
    return reader


@dataclass
class _File:
    """One file: how to read it, and what became of its rows."""

    reader: GenotypeReader
    plan: Plan
    build: str
    tally: Tally
    lines: list[npt.NDArray[np.uint64]]

    @property
    def name(self) -> str:
        """The file as errors say it."""
        return self.reader.streams[0].name


class _Import:
    """All files of one set on their way in."""

    def __init__(
        self, store: GenotypeStore, readers: Sequence[GenotypeReader], options: GenotypeOptions
    ) -> None:
        self.options, self.home = options, store.root.assembly
        names = [reader.streams[0].name for reader in readers]
        self.merged = merge_people([r.header.people for r in readers], names, rule=options.people)
        self.table, self.people = describe_people(self.merged.people, options.sheet)
        self.sites = load_sites(options.sites, self.home) if options.sites else None
        self.reference = load_reference(options.fasta, self.home) if options.fasta else None
        self.files = [self._planned(reader, number) for number, reader in enumerate(readers)]
        self.census = np.zeros(len(_CENSUS), np.int64)
        self.counts: dict[str, Any] = {}

    def _planned(self, reader: GenotypeReader, number: int) -> _File:
        name = reader.streams[0].name
        build = source_build(reader.header, self.options, self.home, where=name)
        plan = Plan(
            home=self.home,
            header=reader.header,
            columns=_columns(self.merged, number),
            lift=lift_for(build, self.options, self.home, where=name),
            sites=self.sites,
            reference=self.reference,
            by_rsid=self.options.position_from == "rsid",
        )
        return _File(reader, plan, build, Tally(), [])

    def read(self, staged: StagedSet, report: Report) -> None:
        """Read all files into the staged set, and settle what repeats."""
        for number, file in enumerate(self.files):
            report.begin_file(file.name, number, len(self.files))
            stream, evidence, behind = file.reader.streams[0], BuildEvidence(), 0
            for batch in file.reader.batches():
                done = harmonise(batch, file.plan, file.tally)
                evidence += done.build
                behind += done.behind
                file.lines.append(done.line)
                if len(done.block):
                    self.census += census(np.ascontiguousarray(done.block.calls))
                    staged.add(done.block)
                report.tell(
                    "read", done=stream.source_bytes, total=stream.source_size or 0, rows=file.tally.rows_in
                )
            self._check_build(evidence, file)
            self._check_ends(behind, file)
        self._count_repeated(staged.settle())
        self.counts = counts_of(file.tally for file in self.files)
        if not self.counts["kept"]:
            rules = ", ".join(f"{name} {n:,}" for name, n in self.counts["dropped_by"].items())
            raise InputError(
                f"no row was kept ({rules or 'there is none'})",
                where=", ".join(file.name for file in self.files)[:300],
                expected=f"variants of {self.home.name}",
            )

    def _count_repeated(self, rows: npt.NDArray[np.int64]) -> None:
        """Rows that repeat an earlier variant, counted in their file as dropped."""
        at = 0
        for file in self.files:
            lines = np.concatenate(file.lines) if file.lines else np.zeros(0, np.uint64)
            here = rows[(rows >= at) & (rows < at + len(lines))] - at
            at += len(lines)
            if len(here):
                file.tally.drop(DUPLICATE, lines[here])
                file.tally.kept -= len(here)

    def _check_build(self, evidence: BuildEvidence, file: _File) -> None:
        if evidence.verdict not in {"another build", "mixed builds"}:
            return
        raise InputError(
            f"{evidence.agree:,} of {evidence.compared:,} rs numbers lie where the sites table has them",
            where=file.name,
            expected=f"positions in {self.home.name}",
            todo="Say the file's build with --assembly and give a chain (--chain), or take positions by "
            "rs number (--position-from rsid).",
        )

    def _check_ends(self, behind: int, file: _File) -> None:
        """A file of the build it is said to be in has no variant behind the end of a contig."""
        if behind < max(LEAST_BEHIND, file.tally.rows_in * SHARE_BEHIND):
            return
        raise InputError(
            f"{behind:,} of {file.tally.rows_in:,} positions lie behind the end of their contig",
            where=file.name,
            expected=f"positions in {file.plan.source.name}",
            todo="The file is in another build: say it with --assembly and give a chain (--chain).",
        )

    def receipt(self, staged: StagedSet) -> dict[str, Any]:
        """The receipt of the set: sources, what became of each row, choices, versions."""
        choices = self.options.as_choices()
        return {
            "kind": KIND,
            "version": VERSION,
            "set": staged.facts.name,
            "set_kind": self.options.kind,
            "files": [
                self._file(file, left) for file, left in zip(self.files, self.merged.left_out, strict=True)
            ],
            "rows": {name: self.counts[name] for name in ("in", "kept", "dropped")},
            "genotypes": dict(zip(_CENSUS, self.census.tolist(), strict=True)),
            "people": self.people,
            "assembly": {"home": self.home.name, "home_digest": self.home.digest},
            "choices": choices,
            "choices_digest": digest_of(choices),
            "versions": program_versions(),
            "repeat": self.options.command,
            "undo": f"nexome genotypes withdraw {staged.facts.name}",
        }

    def _file(self, file: _File, left_out: int) -> dict[str, Any]:
        lift = file.plan.lift
        counted = file.tally.as_dict()
        for rule in counted["dropped"]:
            rule["meaning"] = {**RULES, DUPLICATE: _DUPLICATE_TEXT}.get(rule["rule"], rule["meaning"])
        return {
            "format": file.reader.format,
            "sources": [
                {"path": s.name, "sha256": s.sha256, "bytes": s.source_bytes, "packing": s.kind}
                for s in file.reader.streams
            ],
            "build": file.build,
            "chain": {"path": str(lift.path), "sha256": lift.sha256} if lift else None,
            "reference_known": file.reader.header.reference_known,
            "people_left_out": left_out,
            **counted,
        }


def _columns(merged: Merged, number: int) -> npt.NDArray[np.int64] | None:
    columns = merged.columns[number]
    same = not merged.left_out[number] and bool((columns == np.arange(len(columns))).all())
    return None if same else columns


def _report(made: GenotypeSet, work: _Import, seconds: float) -> GenotypeReport:
    entry = made.entry
    notes = []
    if (without := work.people.get("not_described", 0)) > 0:
        notes.append(f"{without:,} people are not in the sample sheet: they belong to no population")
    if any(work.merged.left_out):
        notes.append(f"{sum(work.merged.left_out):,} people are not in all files: left out")
    return GenotypeReport(
        name=entry.name,
        version=entry.version,
        variants=entry.variants,
        people=entry.people,
        populations=made.populations,
        phased=entry.phased,
        dosages=entry.dosages,
        bytes=entry.bytes,
        seconds=seconds,
        counts=work.counts | {"genotypes": dict(zip(_CENSUS, work.census.tolist(), strict=True))},
        notes=notes,
    )
