"""The questions of the bench, their random targets, and how long each takes.

A question is asked of a `Answerer` (this store through a View, or a peer) by position: features and
studies by ordinal, so that every engine is asked for the very same cells. All answers are decoded:
beta, standard error, −log₁₀ p and effect allele frequency, with what names the cells.
"""

from __future__ import annotations

import gc
import math
import os
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from nexome.methods.normal import neg_log10_p_from_z
from nexome.model.errors import InputError

REGION_BP: Final = 1_000_000
TOP_LIMIT: Final = 100
HIT_Z: Final = 3.8906  # |z| of p = 1e-4
ANSWER: Final = ("beta", "standard_error", "neg_log_10_p_value", "effect_allele_frequency")

# How far two engines may lie apart: relative, absolute.
_AGREE: Final = (
    ("standard_error", 0.03, 0.0),
    ("neg_log_10_p_value", 0.03, 0.02),
    ("effect_allele_frequency", 0.0, 0.01),
)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Cells:
    """A decoded answer: feature and study ordinals [K], and the four columns of ANSWER [K].

    A wide answer given as planes has `feature` [V], `study` [T] and columns [V, T] instead.
    """

    feature: Ints
    study: Ints
    columns: dict[str, Floats]

    @property
    def count(self) -> int:
        """Cells that are not missing."""
        return int(np.isfinite(self.columns["beta"]).sum())

    def flat(self) -> tuple[Ints, Ints, dict[str, Floats]]:
        """Feature, study and columns of the cells that are not missing, in order of both."""
        beta = self.columns["beta"]
        feature, study = self.feature, self.study
        if beta.ndim == 2:
            feature, study = (a.ravel() for a in np.meshgrid(feature, study, indexing="ij"))
        keep = np.isfinite(beta.ravel())
        order = np.flatnonzero(keep)[np.lexsort((study[keep], feature[keep]))]
        return feature[order], study[order], {n: c.ravel()[order] for n, c in self.columns.items()}


def decoded(feature: Ints, study: Ints, *, z: Floats, se: Floats, eaf: Floats) -> Cells:
    """Cells from what peers keep; the same arithmetic as everywhere else."""
    columns = {
        "beta": z * se,
        "standard_error": se,
        "neg_log_10_p_value": neg_log10_p_from_z(z),
        "effect_allele_frequency": eaf,
    }
    return Cells(feature, study, columns)


class Answerer(Protocol):
    """What can be asked. Ranges of features are half open; `study` is an ordinal.

    Answers are of the engine's own kind, decoded; `cells` makes them comparable, off the clock.
    """

    def phewas(self, feature: int) -> Any:
        """One feature × all studies."""

    def region(self, start: int, stop: int, study: int) -> Any:
        """A stretch of features × one study."""

    def region_all(self, start: int, stop: int) -> Any:
        """A stretch of features × all studies, in whatever shape the engine is quickest."""

    def top(self, study: int) -> Any:
        """The TOP_LIMIT strongest associations of a study with p < 1e-4."""

    def lookup(self, features: Sequence[int], studies: Sequence[int]) -> Any:
        """Some features × some studies."""

    def whole(self, study: int) -> Any:
        """All cells of one study, decoded; their number."""

    def cells(self, answer: Any) -> Cells:
        """An answer of this engine as ordinals and columns."""

    def close(self) -> None:
        """Let go of files and memory."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Random things to ask for; the same for every engine of a run."""

    features: Ints
    studies: Ints
    regions: list[tuple[int, int]]
    seed: int

    @classmethod
    def draw(cls, locus: npt.NDArray[np.uint64], studies: Sequence[int], *, seed: int, count: int) -> Targets:
        """`count` features, readable studies and stretches of 1 Mb of an axis with these loci [V]."""
        rng = np.random.default_rng([seed, 5])
        features = rng.integers(0, locus.size, count)
        starts = locus[rng.integers(0, locus.size, count)]
        # A region that would run over the end of its contig ends there: the next locus is far away.
        lows = np.searchsorted(locus, starts)
        highs = np.searchsorted(locus, starts + np.uint64(REGION_BP), side="right")
        regions = [(int(a), int(b)) for a, b in zip(lows, highs, strict=True)]
        return cls(features, rng.choice(np.asarray(studies), count), regions, seed)

    def some_features(self, round_: int, size: int) -> list[int]:
        """`size` different features for one look-up (fewer where the store has fewer)."""
        pool = np.unique(self.features)
        rng = np.random.default_rng([self.seed, 6, round_])
        return sorted(rng.choice(pool, min(size, pool.size), replace=False).tolist())

    def some_studies(self, round_: int, size: int) -> list[int]:
        """`size` different studies for one look-up (fewer where the store has fewer)."""
        pool = np.unique(self.studies)
        rng = np.random.default_rng([self.seed, 7, round_])
        return sorted(rng.choice(pool, min(size, pool.size), replace=False).tolist())


@dataclass(frozen=True, slots=True)
class Question:
    """One shape of question: its name, what it is in words, and how round k asks it."""

    name: str
    text: str
    ask: Callable[[Answerer, Targets, int], Any]


QUESTIONS: Final[tuple[Question, ...]] = (
    Question("phewas", "one variant × all studies", lambda a, t, k: a.phewas(int(t.features[k]))),
    Question("region_one", "1 Mb × one study", lambda a, t, k: a.region(*t.regions[k], int(t.studies[k]))),
    Question("region_all", "1 Mb × all studies, decoded", lambda a, t, k: a.region_all(*t.regions[k])),
    Question("top_hits", "100 strongest of a study", lambda a, t, k: a.top(int(t.studies[k]))),
    Question(
        "lookup_10x100",
        "10 variants × 100 studies",
        lambda a, t, k: a.lookup(t.some_features(k, 10), t.some_studies(k, 100)),
    ),
    Question(
        "lookup_100x10",
        "100 variants × 10 studies",
        lambda a, t, k: a.lookup(t.some_features(k, 100), t.some_studies(k, 10)),
    ),
    Question(
        "one_cell",
        "one variant × one study",
        lambda a, t, k: a.lookup([int(t.features[k])], [int(t.studies[k])]),
    ),
    Question("whole_study", "a whole study", lambda a, t, k: a.whole(int(t.studies[k]))),
)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one question took: milliseconds, and what was read from the disk meanwhile."""

    question: str
    rounds: int
    p50_ms: float
    p95_ms: float
    cells: int
    disk_read_bytes: int

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


def ask_warm(answerer: Answerer, targets: Targets, *, rounds: int, budget_s: float) -> list[Timing]:
    """Every question up to `rounds` times, each target once before the clock runs.

    A question that the engine refuses (InputError) is left out.
    """
    timings = []
    for question in QUESTIONS:
        if not _can(question, answerer, targets):
            continue
        held = min(rounds, len(targets.regions))
        spent = _time_rounds(question, answerer, targets, range(held), budget_s)[0]
        again = range(len(spent))
        timings.append(_timing(question, *_time_rounds(question, answerer, targets, again, budget_s)))
    return timings


def ask_cold(
    reopen: Callable[[], Answerer], targets: Targets, *, rounds: int, budget_s: float
) -> list[Timing]:
    """Every question, each on a store opened anew after its pages were dropped; opening is not timed.

    One PheWAS of the first feature is asked before, off the clock: who may read what is then decided
    and the engine at work, as in a server that has run for a while; the cells asked for are not read.
    """
    timings = []
    for question in QUESTIONS:
        took: list[float] = []
        cells, read = 0, 0
        for k in range(min(rounds, len(targets.regions))):
            if sum(took) > budget_s:
                break
            try:
                one, cells, bytes_read = _ask_once(question, reopen, targets, k)
            except InputError:
                break
            took += one
            read += bytes_read
        if took:
            timings.append(_timing(question, took, cells, read))
    return timings


def _ask_once(
    question: Question, reopen: Callable[[], Answerer], targets: Targets, k: int
) -> tuple[list[float], int, int]:
    # In a function of its own: what it opened is gone, and its pages unmapped, before the next one.
    gc.collect()
    answerer = reopen()
    try:
        answerer.phewas(0)
        return _time_rounds(question, answerer, targets, range(k, k + 1), math.inf)
    finally:
        answerer.close()


def _can(question: Question, answerer: Answerer, targets: Targets) -> bool:
    try:
        question.ask(answerer, targets, 0)
    except InputError:
        return False
    return True


def _time_rounds(
    question: Question, answerer: Answerer, targets: Targets, rounds: range, budget_s: float
) -> tuple[list[float], int, int]:
    took: list[float] = []
    answer: Any = 0
    began, read = time.perf_counter(), _disk_read_bytes()
    for k in rounds:
        del answer  # freeing the answer before is not part of the next one
        start = time.perf_counter()
        answer = question.ask(answerer, targets, k)
        took.append(time.perf_counter() - start)
        if time.perf_counter() - began > budget_s:
            break
    read = _disk_read_bytes() - read
    cells = answer if isinstance(answer, int) else answerer.cells(answer).count
    return took, cells, read


def _disk_read_bytes() -> int:
    """Bytes this process made the disk read so far, mapped files included (Linux; 512-byte blocks)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_inblock * 512


def _timing(question: Question, took: Sequence[float], cells: int, read: int) -> Timing:
    p50, p95 = np.percentile(np.asarray(took) * 1e3, [50, 95])
    return Timing(
        question.name, len(took), round(float(p50), 4), round(float(p95), 4), cells, read // len(took)
    )


def drop_pages(folder: os.PathLike[str]) -> None:
    """Ask the kernel to forget the pages of every file below `folder` (posix_fadvise DONTNEED).

    Pages still mapped by a process, or not yet written, stay: close what is open and `os.sync` first.
    """
    for base, _, names in os.walk(folder):
        for name in names:
            handle = os.open(os.path.join(base, name), os.O_RDONLY)  # noqa: PTH118 - a walk of many files
            try:
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(handle)


def disagreement(mine: Cells, theirs: Cells, readable: Ints) -> str:
    """'' when two engines gave the same cells within their error bounds, else what differs.

    `readable` are the studies both may show. Standard error and −log₁₀ p are compared to 3 % (and
    0.02), frequency to 0.01: peers round it relative to f, not to the rarer allele's frequency.
    """
    one, two = (_only(cells, readable) for cells in (mine, theirs))
    if not (np.array_equal(one[0], two[0]) and np.array_equal(one[1], two[1])):
        return f"{one[0].size} cells against {two[0].size}, or others"
    for name, relative, absolute in _AGREE:
        a, b = one[2][name].astype(float), two[2][name].astype(float)
        if not np.allclose(a, b, rtol=relative, atol=absolute):
            return f"{name} differs by up to {np.max(np.abs(a - b)):.4g}"
    return ""


def _only(cells: Cells, studies: Ints) -> tuple[Ints, Ints, dict[str, Floats]]:
    feature, study, columns = cells.flat()
    keep = np.isin(study, studies)
    return feature[keep], study[keep], {n: c[keep] for n, c in columns.items()}
