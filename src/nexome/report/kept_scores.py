"""Scores of kept papers: what the root holds (links, readings, evidence, the rule of its settings) put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from nexome.model.errors import DamagedError, NexomeError, NotFoundError
from nexome.report.links import load_links
from nexome.report.scoring import Circumstances
from nexome.report.scoring_rule import ScoringRule, read_rule
from nexome.store.links import check_evidence, evidence_path
from nexome.store.measures import read_history
from nexome.store.root import Root


def today() -> date:
    """The present day in UTC, as everything kept counts its days."""
    return datetime.now(UTC).date()


def rule_of_root(root: Root, path: Path | None = None) -> ScoringRule:
    """The rule of a file, else of the setting `scoring_rules` (a file beside nexome.toml), else the usual one."""
    named = root.settings.scoring_rules
    chosen = path or (root.path / named if named else None)
    return read_rule(chosen) if chosen else ScoringRule()


def circumstances_of(
    root: Root, paper: str, *, year: int, as_of: date | None = None, rule: Path | None = None
) -> Circumstances:
    """What the scores of a paper's projects depend on, as of a day: by default today or the last day of the year.

    Raises what a damaged history, links or rule raise; damaged evidence is flagged in the score instead.
    """
    readings: dict[str, list[Any]] = {}
    for reading in read_history(root.path):
        readings.setdefault(reading.name, []).append(reading)
    day = min(as_of or today(), date(year, 12, 31))
    return Circumstances(
        load_links(root.path, paper), readings, year, day, rule_of_root(root, rule), root.created,
        _evidence_fault(root.path, paper),
    )  # fmt: skip


def _evidence_fault(root: Path, paper: str) -> Callable[[str], NexomeError | None]:
    """What is wrong with a piece of evidence, if anything."""

    def fault(sha256: str) -> NexomeError | None:
        try:
            state = evidence_path(root, paper, sha256).stat()
        except FileNotFoundError as error:
            return NotFoundError("evidence that is gone", where=str(error.filename))
        return _fault(root, paper, sha256, state.st_mtime_ns, state.st_size)

    return fault


@lru_cache(maxsize=10_000)
def _fault(root: Path, paper: str, sha256: str, *state: int) -> NexomeError | None:  # noqa: ARG001  of the cache's key
    """A file is read whole once a process, and again when its time or size changed."""
    try:
        check_evidence(root, paper, sha256)
    except (DamagedError, NotFoundError) as error:
        return error
    return None
