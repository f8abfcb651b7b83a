"""Our store on the bench: built through the public writer, asked through an anonymous View."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from nexome.access.centre import Centre
from nexome.bench.machine import folder_bytes
from nexome.bench.questions import (
    ANSWER,
    QUESTIONS,
    TOP_LIMIT,
    Cells,
    Ints,
    Targets,
    Timing,
    ask_cold,
    ask_warm,
    drop_pages,
)
from nexome.bench.synthetic import Rows, SyntheticStore
from nexome.model.genome import Assembly, unpack_alleles
from nexome.store.associations import AssociationStore, Features, Planes
from nexome.store.root import create_root, load_assembly

BLOCK_ROWS: Final = 4_096
AUTOSOMES: Final = 22
COMPARED: Final = ("phewas", "region_one", "lookup_10x100")
COMPARED_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Asking:
    """How often and how long to ask: rounds a question, and the seconds after which one stops."""

    warm_rounds: int = 200
    cold_rounds: int = 10
    budget_s: float = 10.0


class TimedBlocks:
    """The blocks of a synthetic store, with the seconds their making took."""

    def __init__(self, synthetic: SyntheticStore, height: int = BLOCK_ROWS) -> None:
        self.seconds = 0.0
        self._blocks = synthetic.blocks(height)

    def __iter__(self) -> Iterator[Rows]:
        while True:
            start = time.perf_counter()
            rows = next(self._blocks, None)
            self.seconds += time.perf_counter() - start
            if rows is None:
                return
            yield rows


def private_every(traits: int) -> int:
    """Every how-many-th study is private: 1 in 100, and one at least in a small store."""
    return max(2, min(100, traits))


def readable_studies(traits: int) -> Ints:
    """Ordinals of the studies everyone may read."""
    every = private_every(traits)
    return np.flatnonzero(np.arange(traits) % every != every - 1)


def home_assembly() -> Assembly:
    """GRCh38."""
    return load_assembly("GRCh38")


def axis_of(synthetic: SyntheticStore) -> Features:
    """The features of a synthetic store, over the autosomes of GRCh38."""
    lengths = [c.length_bp for c in home_assembly().contigs[:AUTOSOMES]]
    return synthetic.features(np.array(lengths, np.int64))


def build(folder: Path, features: int, traits: int) -> dict[str, Any]:
    """Make a root in `folder` and write the standard store into it; seconds and bytes."""
    synthetic = SyntheticStore(features, traits)
    create_root(folder, assembly=home_assembly())
    store = AssociationStore.open(folder)
    studies = synthetic.studies(private_every=private_every(traits))
    began, cpu = time.perf_counter(), time.process_time()
    axis = axis_of(synthetic)
    blocks = TimedBlocks(synthetic)
    blocks.seconds = time.perf_counter() - began
    staged = store.stage_matrix(studies, axis)
    for rows in blocks:
        staged.add_rows(rows.z, rows.se, rows.eaf)
    staged.publish({"source": f"standard synthetic store, seed {synthetic.seed}"})
    wall = time.perf_counter() - began
    held, cells = folder_bytes(folder), features * traits
    return {
        "cells": cells,
        "bytes": held,
        "bytes_per_cell": round(held / cells, 4),
        "wall_s": round(wall, 3),
        "generate_s": round(blocks.seconds, 3),
        "write_s": round(wall - blocks.seconds, 3),
        "write_cells_per_s": round(cells / (wall - blocks.seconds)),
        "cpu_s": round(time.process_time() - cpu, 3),
    }


class ThroughView:
    """Our store asked as an anonymous reader: variants by spelling, studies by identifier."""

    def __init__(self, root: Path, features: Features, traits: int) -> None:
        self._features = features
        self._assembly = home_assembly()
        self._traits = traits
        self._centre = Centre.open(root)
        self._view = self._centre.view_for(None)

    def close(self) -> None:
        """Close the root."""
        self._centre.close()

    def phewas(self, feature: int) -> pa.Table:
        """One variant × all readable traits, as a table."""
        return self._view.phewas(self.variant(feature))

    def region(self, start: int, stop: int, study: int) -> pa.Table:
        """A region of one study, as a table."""
        return self._view.region(self._region(start, stop), studies=[study_id(study)])

    def region_all(self, start: int, stop: int) -> tuple[Planes, dict[str, Any]]:
        """A region × all readable traits, as decoded planes."""
        planes = self._view.region_planes(self._region(start, stop))
        return planes, planes.columns(ANSWER)

    def top(self, study: int) -> pa.Table:
        """The strongest of a study, from its summary."""
        return self._view.top(study_id(study), limit=TOP_LIMIT)

    def lookup(self, features: Sequence[int], studies: Sequence[int]) -> pa.Table:
        """Variants × studies, as a long table."""
        wanted = [self.variant(f) for f in features]
        return self._view.lookup(wanted, studies=[study_id(s) for s in studies])

    def whole(self, study: int) -> int:
        """A whole study in batches; their rows."""
        return sum(batch.num_rows for batch in self._view.associations(study_id(study)))

    def cells(self, answer: Any) -> Cells:
        """Ordinals and columns of a table or of planes."""
        if isinstance(answer, tuple):
            planes, columns = answer
            feature = np.searchsorted(self._features.locus, planes.features.locus)
            studies = [int(ref.study.id[1:]) for ref in planes.traits]
            return Cells(feature.astype(np.int64), np.array(studies, np.int64), columns)
        ranks = [self._assembly.rank(name) for name in answer["chromosome"].to_pylist()]
        loci = np.array(ranks, np.uint64) << np.uint64(32) | answer["base_pair_location"].to_numpy()
        feature = np.searchsorted(self._features.locus, loci).astype(np.int64)
        studies = [int(name[1:]) for name in answer["study_id"].to_pylist()]
        return Cells(feature, np.array(studies, np.int64), {n: answer[n].to_numpy() for n in ANSWER})

    def variant(self, feature: int) -> str:
        """'chromosome-position-ref-alt' of a feature."""
        contig = self._assembly.contig_name(int(self._features.contig[feature]))
        alleles = unpack_alleles(int(self._features.allele[feature])) or ("", "")
        return "-".join((contig, str(self._features.position[feature]), *alleles))

    def _region(self, start: int, stop: int) -> str:
        contig = self._assembly.contig_name(int(self._features.contig[start]))
        low, high = self._features.position[start], self._features.position[stop - 1]
        return f"{contig}:{low}-{high}"


def study_id(ordinal: int) -> str:
    """Identifier of a synthetic study."""
    return f"S{ordinal:05d}"


def targets_for(features: Features, traits: int, asking: Asking) -> Targets:
    """The random targets of a run: studies among the readable ones."""
    count = max(asking.warm_rounds, asking.cold_rounds, 120)  # 100 different variants for one look-up
    return Targets.draw(features.locus, readable_studies(traits).tolist(), seed=1, count=count)


def ask(root: Path, features: int, traits: int, asking: Asking) -> dict[str, Any]:
    """All questions warm, then cold; and some answers for peers to be held against."""
    axis = axis_of(SyntheticStore(features, 1))
    targets = targets_for(axis, traits, asking)

    def reopen() -> ThroughView:
        drop_pages(root)
        return ThroughView(root, axis, traits)

    warm, answers = _ask_warm(root, axis, targets, traits, asking)
    os.sync()
    cold = ask_cold(reopen, targets, rounds=asking.cold_rounds, budget_s=asking.budget_s)
    return {"warm": [t.as_dict() for t in warm], "cold": [t.as_dict() for t in cold], "answers": answers}


def _ask_warm(
    root: Path, axis: Features, targets: Targets, traits: int, asking: Asking
) -> tuple[list[Timing], dict[tuple[str, int], Cells]]:
    answerer = ThroughView(root, axis, traits)
    warm = ask_warm(answerer, targets, rounds=asking.warm_rounds, budget_s=asking.budget_s)
    answers = {
        (question.name, k): answerer.cells(question.ask(answerer, targets, k))
        for question in QUESTIONS
        if question.name in COMPARED
        for k in range(COMPARED_ROUNDS)
    }
    answerer.close()
    return warm, answers
