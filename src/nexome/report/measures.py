"""The measures of a centre, read: one query for each that `model.measures` declares.

`measure` gives a Reading of every measure; where a store or counter does not exist yet there is no value, and
the note says so. Cheap by design: counts come from the manifest and counters, never from cells. Two things cost
more, the records of all studies and the sizes of all files; both are kept in <root>/measures-cache.json
(derived, may be deleted) and read anew when the manifest moved or the sizes are old.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from nexome.access.centre import Centre
from nexome.model.errors import DamagedError, NewerVersionError, NotFoundError
from nexome.model.measures import MEASURES
from nexome.store import usage
from nexome.store.associations import PublishedStudy
from nexome.store.disk import now_iso, read_stamped, write_stamped
from nexome.store.genotypes.manifest import load_manifest as load_genotypes
from nexome.store.knowledge import Knowledge
from nexome.store.measures import Reading, append_readings, read_history
from nexome.store.root import Event

__all__ = ["MEASURES", "Reading", "append_readings", "measure", "read_history", "response_times"]

CACHE_NAME: Final = "measures-cache.json"
CACHE_KIND: Final = "nexome-measures-cache"
CACHE_VERSION: Final = 1
KEPT: Final = frozenset({"studies", "sizes", "terms", "participants"})
SIZES_SECONDS: Final = 3600  # how old sizes of files may be where nobody asked for fresh ones
PERIOD_DAYS: Final = 30  # uptime and response times tell of this many days
EVENT_KINDS: Final = ("server-started", "server-lost", "backup-made", "backup-restored")
DERIVED: Final = frozenset({CACHE_NAME, "lock", "serving"})  # not held for anyone

NO_SOURCE: Final = "no source yet"
_NOTHING_YET: Final = "nothing yet"

Value = float | None
Answer = tuple[Value, Mapping[str, float]]


def measure(centre: Centre, *, fresh: bool = False) -> list[Reading]:
    """A reading of every measure, in the order they are declared. `fresh`: sizes of files are read now.

    Counts are as of the newest manifest, use as of the last flush (seconds ago). Raises StoreError
    when the catalogue or the event log cannot be read.
    """
    sources, now = _Sources(centre, fresh=fresh), now_iso()
    readings = []
    for name in MEASURES:
        query = _QUERIES.get(name)
        if query is None:
            readings.append(Reading(name, None, now, {}, NO_SOURCE))
            continue
        value, parts = query(sources)
        readings.append(Reading(name, value, now, parts, "" if value is not None else _NOTHING_YET))
    return readings


def response_times(centre: Centre, *, days: int = PERIOD_DAYS) -> dict[str, dict[int, int]]:
    """Answers of the last days (0: all) by door ('page', 'api') and bucket of response time (`store.usage`)."""
    since = _first_day(days) if days else ""
    rows = centre.catalogue.accounts.count_totals([usage.TIME], since=since)[usage.TIME]
    return {door: usage.time_buckets(rows, door) for door in ("page", "api")}


@dataclass
class _Sources:
    """What the queries read, each part once and only when asked for."""

    centre: Centre
    fresh: bool

    @cached_property
    def totals(self) -> dict[str, dict[str, int]]:
        """Counters since the root was made, by kind and subject."""
        return self.centre.catalogue.accounts.count_totals()

    @cached_property
    def recent(self) -> dict[str, dict[str, int]]:
        """Counters of the last PERIOD_DAYS days."""
        since = _first_day(PERIOD_DAYS)
        return self.centre.catalogue.accounts.count_totals([usage.TIME, usage.UP], since=since)

    @cached_property
    def events(self) -> list[Event]:
        """Events that measures are made of, oldest first."""
        return list(self.centre.root.read_events(kinds=EVENT_KINDS))

    def events_of(self, kind: str) -> list[Event]:
        """Events of one kind."""
        return [event for event in self.events if event.kind == kind]

    @cached_property
    def records(self) -> dict[str, float]:
        """What the records of all studies add up to; a version is read once and kept in the cache."""
        published = self.centre.store.snapshot().studies
        kept: dict[str, list[float]] = self._cache.get("studies", {})
        now: dict[str, list[float]] = {}
        for name, study in published.items():
            old = kept.get(name)
            now[name] = old if old is not None and old[0] == study.version else _facts_of(study)
        if now != kept:
            self._keep(studies=now)
        sizes = [size for _, _, size in now.values()]
        traits = sum(traits for _, traits, _ in now.values())
        return {"traits": traits, "samples": sum(sizes), "largest": max(sizes, default=0)}

    @cached_property
    def participants(self) -> int:
        """People of all cohorts as imported, each once; counted anew when a cohort changes."""
        manifest = self.centre.cohorts.manifest()
        kept = self._cache.get("participants", {})
        if kept.get("sequence") == manifest.sequence:
            return int(kept["people"])
        tables = [self.centre.cohorts.get(e.id) for e in manifest.newest.values() if e.kind == "source"]
        keys = [np.unique(table.participants) for table in tables]
        people = len(np.unique(np.concatenate(keys))) if keys else 0
        self._keep(participants={"sequence": manifest.sequence, "people": people})
        return people

    @cached_property
    def sizes(self) -> dict[str, float]:
        """Bytes by top-level part of the root; from the cache while it is young enough."""
        kept = self._cache.get("sizes", {})
        if not self.fresh and time.time() - kept.get("read", 0) < SIZES_SECONDS:
            return dict(kept["bytes"])
        found = bytes_by_store(self.centre.root.path)
        self._keep(sizes={"read": time.time(), "bytes": found})
        return found

    @cached_property
    def terms(self) -> dict[str, float]:
        """Terms of loaded knowledge that are not obsolete, each once, by vocabulary; read anew when a source changes."""
        knowledge = Knowledge.open(self.centre.root.path)
        if not knowledge.sequence:
            return {}
        kept = self._cache.get("terms", {})
        if kept.get("digest") == knowledge.digest:
            return dict(kept["by_vocabulary"])
        table = knowledge.terms()
        live = table.filter(pc.invert(table["obsolete"]))
        counted = pc.value_counts(live["vocabulary"]).to_pylist()
        found = {str(row["values"] or "other"): row["counts"] for row in counted}
        self._keep(terms={"digest": knowledge.digest, "by_vocabulary": found})
        return found

    @cached_property
    def _cache(self) -> dict[str, Any]:
        with suppress(NotFoundError, DamagedError, NewerVersionError):
            path = self.centre.root.path / CACHE_NAME
            return read_stamped(path, kind=CACHE_KIND, version=CACHE_VERSION)
        return {}

    def _keep(self, **parts: Any) -> None:
        self._cache.update(parts)
        body = {name: part for name, part in self._cache.items() if name in KEPT}
        with suppress(OSError):  # a root that may not be written is measured all the same
            path = self.centre.root.path / CACHE_NAME
            write_stamped(path, body, kind=CACHE_KIND, version=CACHE_VERSION)


def _facts_of(study: PublishedStudy) -> list[float]:
    """Version, traits, and people in the largest sample of a study (0: none is stated)."""
    traits = study.study.traits
    return [study.version, len(traits), max((trait.n or 0 for trait in traits), default=0)]


def bytes_by_store(root: Path) -> dict[str, float]:
    """Bytes of all files by top-level folder or file of a root; what is only derived or running is left out."""
    found: dict[str, float] = {}
    with os.scandir(root) as entries:
        for entry in entries:
            if entry.name in DERIVED or entry.name.startswith("."):
                continue
            size = _folder_bytes(entry.path) if entry.is_dir() else entry.stat().st_size
            part = entry.name.partition(".")[0]
            found[part] = found.get(part, 0) + size
    return found


def _folder_bytes(folder: str) -> int:
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # an import or a clean may be going on
                size += os.stat(os.path.join(place, name)).st_size  # noqa: PTH116, PTH118 - a hundred thousand files
    return size


def _first_day(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days - 1)).strftime("%Y-%m-%d")


# ---------------------------------------------------------------- what is held


def _studies(sources: _Sources) -> Answer:
    return len(sources.centre.store.snapshot().studies), {}


def _associations(sources: _Sources) -> Answer:
    return sum(entry.cells for entry in sources.centre.store.snapshot().manifest.studies.values()), {}


def _features(sources: _Sources) -> Answer:
    manifest = sources.centre.store.snapshot().manifest
    lists = [axis.features for axis in manifest.axes.values()]
    return max([*lists, *(segment.features for segment in manifest.segments.values())], default=0), {}


def _genotype_samples(sources: _Sources) -> Answer:
    sets = load_genotypes(sources.centre.root.path).sets.values()
    return sum(entry.people for entry in sets if entry.kind == "samples"), {}


def _cohorts(sources: _Sources) -> Answer:
    return len(sources.centre.cohorts.manifest().newest), {}


def _variables(sources: _Sources) -> Answer:
    held = {name: entry.variables for name, entry in sources.centre.cohorts.manifest().newest.items()}
    return sum(held.values()), held


def _genes(sources: _Sources) -> Answer:
    genes = sources.centre.genes
    return (len(genes), {}) if genes is not None else (None, {})


def _species(sources: _Sources) -> Answer:
    return (1, {}) if sources.centre.root.assembly.species else (None, {})


def _bytes_held(sources: _Sources) -> Answer:
    return sum(sources.sizes.values()), sources.sizes


def _users(sources: _Sources) -> Answer:
    tokens = sources.centre.catalogue.accounts.tokens()
    return len({token.name for token in tokens if not token.revoked and not token.expired}), {}


# ---------------------------------------------------------------- how it is used and kept


def _counted(kind: str) -> Callable[[_Sources], Answer]:
    """The query of a counter whose parts are its subjects."""

    def query(sources: _Sources) -> Answer:
        rows = sources.totals.get(kind, {})
        return sum(rows.values()), {subject: count for subject, count in sorted(rows.items()) if subject}

    return query


def _queries(sources: _Sources) -> Answer:
    kinds = sorted(kind for kind in sources.totals if usage.is_question(kind))
    parts = {kind: float(sum(sources.totals[kind].values())) for kind in kinds}
    return sum(parts.values()), parts


def _robots(sources: _Sources) -> Answer:
    return sources.totals.get(usage.ROBOTS, {}).get("requests", 0), {}


def _uptime(sources: _Sources) -> Answer:
    started = sources.events_of("server-started")
    if not started:
        return None, {}
    now = datetime.now(UTC)
    begin = max(_moment(started[0].time), _moment(_first_day(PERIOD_DAYS) + "T00:00:00Z"))
    passed = (now - begin).total_seconds()
    up = sum(sources.recent[usage.UP].values())
    return (min(100.0, 100 * up / passed), {}) if passed >= 1 and up else (None, {})


def _percentile(share: float) -> Callable[[_Sources], Answer]:
    def query(sources: _Sources) -> Answer:
        rows = sources.recent[usage.TIME]
        doors = {door: usage.percentile_ms(usage.time_buckets(rows, door), share) for door in ("page", "api")}
        whole = usage.percentile_ms(usage.time_buckets(rows), share)
        return whole, {door: value for door, value in doors.items() if value is not None}

    return query


def _server_errors(sources: _Sources) -> Answer:
    return sources.totals.get(usage.STATUS, {}).get("5xx", 0), {}


def _happened(kind: str) -> Callable[[_Sources], Answer]:
    return lambda sources: (len(sources.events_of(kind)), {})


def _incidents(sources: _Sources) -> Answer:
    return (_server_errors(sources)[0] or 0) + len(sources.events_of("server-lost")), {}


def _backup_age(sources: _Sources) -> Answer:
    made = sources.events_of("backup-made")
    if not made:
        return None, {}
    return (datetime.now(UTC) - _moment(made[-1].time)).total_seconds() / 86_400, {}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


_QUERIES: Final[dict[str, Callable[[_Sources], Answer]]] = {
    "studies": _studies,
    "traits": lambda sources: (sources.records["traits"], {}),
    "associations": _associations,
    "features": _features,
    "samples": lambda sources: (sources.records["samples"], {}),
    "largest_sample": lambda sources: (sources.records["largest"], {}),
    "genotype_samples": _genotype_samples,
    "cohorts": _cohorts,
    "variables": _variables,
    "participants": lambda sources: (sources.participants, {}),
    "genes": _genes,
    "assemblies": lambda _: (1, {}),
    "species": _species,
    "terms": lambda sources: (sum(sources.terms.values()), sources.terms),
    "bytes_held": _bytes_held,
    "users": _users,
    "visits": _counted(usage.VISITS),
    "visitors": _counted(usage.VISITORS),
    "page_views": _counted(usage.PAGES),
    "downloads": _counted(usage.DOWNLOADS),
    "api_calls": _counted(usage.API),
    "queries": _queries,
    "bytes_served": _counted(usage.BYTES),
    "robot_requests": _robots,
    "uptime": _uptime,
    "response_p50": _percentile(0.5),
    "response_p95": _percentile(0.95),
    "response_p99": _percentile(0.99),
    "server_errors": _server_errors,
    "lost_servers": _happened("server-lost"),
    "incidents": _incidents,
    "backups_made": _happened("backup-made"),
    "backups_restored": _happened("backup-restored"),
    "backup_age": _backup_age,
}


def sources_of(names: Iterable[str] = MEASURES) -> dict[str, bool]:
    """Whether each measure has a source in this version."""
    return {name: name in _QUERIES for name in names}
