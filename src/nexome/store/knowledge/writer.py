"""Loading a source of knowledge: read, checked as a whole, staged, published by one rename, then named.

    <root>/knowledge/<source>/<version>/terms.parquet, names.parquet, edges.parquet
    <root>/knowledge/<source>/<version>/source.json     kind "nexome-knowledge-source", sealed
    <root>/knowledge/<source>/<version>/receipt.json    kind "nexome-knowledge-receipt", sealed
    <root>/knowledge/<source>/<version>/SHA256SUMS, BLOCKSUMS

Rows have the columns of model.knowledge and `file`, the number of the file in source.json. Statements are
written as they are read, so memory holds the terms and names of one source. The caller holds the lock.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nexome.formats.knowledge import RULES, KnowledgeOptions, KnowledgeReader, open_knowledge
from nexome.model.errors import FormatError, InputError, NotFoundError
from nexome.model.knowledge import EDGES, IS_A, NAMES, PART_OF, TERMS
from nexome.model.terms import Access
from nexome.store.checksums import sha256_file
from nexome.store.disk import now_iso, read_stamped, step, write_stamped
from nexome.store.knowledge.licences import access_of_licence, allows_redistribution
from nexome.store.knowledge.manifest import (
    DERIVED,
    FOLDER,
    KnowledgeManifest,
    SourceEntry,
    version_path,
)
from nexome.store.knowledge.settle import settle
from nexome.store.root import Root
from nexome.store.versions import publish_version, remove_unnamed

SOURCE_KIND: Final = "nexome-knowledge-source"
RECEIPT_KIND: Final = "nexome-knowledge-receipt"
VERSION: Final = 1
SOURCE_NAME: Final = "source.json"
RECEIPT_NAME: Final = "receipt.json"
TABLES: Final = {"terms": TERMS, "names": NAMES, "edges": EDGES}
FIRST_SHOWN: Final = 20  # places a receipt names of each broken rule

_FILE: Final = pa.field("file", pa.int16())
_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,79}")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_UNPACKED: Final = 12  # how many times larger than its file a source may become, at most
_HIERARCHY: Final = ("subject", "predicate", "object", "line", "file")

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class NewSource:
    """What is loaded as one source. What is empty is taken from the files where they say it.

    `version`: the source's own name of its release. `redistribution`: None asks the licence. `access`: None
    is that of the version before, of a new source what its licence says.
    """

    name: str
    files: Sequence[Path]
    version: str = ""
    title: str = ""
    url: str = ""
    licence: str = ""
    redistribution: bool | None = None
    access: Access | None = None
    options: KnowledgeOptions = field(default_factory=KnowledgeOptions)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name in DERIVED:
            raise InputError(
                f"a source's name {self.name[:100]!r}",
                expected="letters, digits, '-', '_', '.', at most 80",
            )
        if not self.files:
            raise InputError(f"source {self.name} has no file", expected="one file or more")


@dataclass
class _Tally:
    """What is counted while a source is read."""

    counts: Counter[str] = field(default_factory=Counter)
    predicates: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    first: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)

    def add_problem(self, rule: str, file: str, line: int, found: str, *, times: int = 1) -> None:
        self.problems[rule] += times
        places = self.first.setdefault(rule, [])
        if len(places) < FIRST_SHOWN:
            places.append({"file": file, "line": line, "found": found})


def load_source(root: Root, new: NewSource, progress: Progress | None = None) -> dict[str, Any]:
    """Publish files as the next version of a source; returns its receipt.

    Files that were loaded so before, by their checksums, make no new version: the receipt then says
    'unchanged'. Raises FormatError, NotFoundError, SpaceError; nothing of the source is then visible.
    """
    for path in new.files:
        if not path.is_file():
            raise NotFoundError("there is no such file", where=str(path))
    manifest = KnowledgeManifest.load(root.path)
    before = manifest.sources.get(new.name)
    if before is not None and (kept := _unchanged(root.path, before, new)):
        if new.access not in (None, before.access):
            switch_source_access(root, new.name, new.access)
        return kept
    version = before.newest + 1 if before else 1
    tally = _Tally()
    final = version_path(root.path, new.name, version)
    size = sum(path.stat().st_size for path in new.files)
    digest = publish_version(
        final,
        lambda folder: _write(folder, new, version, tally=tally, progress=progress),
        needed_bytes=_UNPACKED * size,
        what="knowledge",
    )
    source = read_stamped(final / SOURCE_NAME, kind=SOURCE_KIND, version=VERSION)
    digests = {**(before.digests if before else {}), version: digest}
    access = new.access or (before.access if before else access_of_licence(source["licence"]))
    entry = SourceEntry(new.name, version, source["licence"], source["redistribution"], digests, access)
    manifest.with_source(entry).save(root.path)
    step("knowledge-named")
    receipt = read_stamped(final / RECEIPT_NAME, kind=RECEIPT_KIND, version=VERSION)
    counts = {name: receipt[name] for name in TABLES}
    root.append_event("knowledge-loaded", source=new.name, source_version=version, **counts)
    return receipt


def switch_source_access(root: Root, name: str, access: Access) -> None:
    """Let everyone see a source, or its owner alone. Raises NotFoundError. The caller holds the lock."""
    manifest = KnowledgeManifest.load(root.path)
    entry = _require(manifest, name)
    if entry.access != access:
        manifest.with_source(replace(entry, access=access)).save(root.path)
        root.append_event("knowledge-access", source=name, access=access)


def withdraw_source(root: Root, name: str, *, reason: str) -> None:
    """Take a source and all its versions away. Raises NotFoundError."""
    manifest = KnowledgeManifest.load(root.path)
    _require(manifest, name)
    manifest.without(name).save(root.path)
    step("knowledge-withdrawn")
    root.append_event("knowledge-withdrawn", source=name, reason=reason)
    clean_knowledge(root.path)


def clean_knowledge(root: Path) -> list[str]:
    """Remove folders of sources that no manifest names; returns their paths. The caller holds the lock."""
    return remove_unnamed(root, FOLDER, named=KnowledgeManifest.load(root).digests, kept=DERIVED)


def _require(manifest: KnowledgeManifest, name: str) -> SourceEntry:
    if name not in manifest.sources:
        known = ", ".join(sorted(manifest.sources)[:20]) or "none"
        raise NotFoundError(f"no source {name[:80]!r}", expected=known)
    return manifest.sources[name]


def _unchanged(root: Path, entry: SourceEntry, new: NewSource) -> dict[str, Any] | None:
    """The receipt of the newest version where it was made of the same bytes, said to be the same."""
    folder = version_path(root, entry.name, entry.newest)
    source = read_stamped(folder / SOURCE_NAME, kind=SOURCE_KIND, version=VERSION)
    if source["said"] != _said(new) or len(source["files"]) != len(new.files):
        return None
    if any(
        kept["sha256"] != sha256_file(path) for kept, path in zip(source["files"], new.files, strict=True)
    ):
        return None
    return {**read_stamped(folder / RECEIPT_NAME, kind=RECEIPT_KIND, version=VERSION), "unchanged": True}


def _said(new: NewSource) -> dict[str, Any]:
    """What a person said of a source, as it is kept."""
    options = new.options
    return {
        **{name: getattr(new, name) for name in ("version", "title", "url", "licence", "redistribution")},
        **{name: getattr(options, name) for name in ("format", "prefix", "language", "predicate")},
        "mapping": dict(options.mapping),
    }


# ---------------------------------------------------------------- reading and writing


def _write(folder: Path, new: NewSource, version: int, *, tally: _Tally, progress: Progress | None) -> None:
    held: dict[str, list[pa.Table]] = {"terms": [], "names": [], "hierarchy": []}
    with pq.ParquetWriter(folder / "edges.parquet", EDGES.append(_FILE), compression="zstd") as writer:
        for number, path in enumerate(new.files):
            with open_knowledge(path, new.options) as reader:
                _read_file(reader, path, number, held=held, tally=tally, writer=writer, progress=progress)
    terms, names, hierarchy = (
        pa.concat_tables(held[name]) if held[name] else schema.append(_FILE).empty_table()
        for name, schema in (("terms", TERMS), ("names", NAMES), ("hierarchy", EDGES))
    )
    if not (terms.num_rows or names.num_rows or tally.counts["edges"]) and tally.problems:
        raise _nothing(tally)
    settled = settle(terms, names, hierarchy.select(_HIERARCHY))
    for finding in settled.findings:
        file = new.files[finding.file].name
        tally.add_problem(finding.rule, file, finding.line, finding.found, times=finding.times)
    pq.write_table(settled.terms, folder / "terms.parquet", compression="zstd")
    pq.write_table(settled.names, folder / "names.parquet", compression="zstd")
    tally.counts |= {"terms": settled.terms.num_rows, "names": settled.names.num_rows}
    source = _source(new, version, tally)
    write_stamped(folder / SOURCE_NAME, source, kind=SOURCE_KIND, version=VERSION, sealed=True)
    receipt = _receipt(source, settled.terms, tally)
    write_stamped(folder / RECEIPT_NAME, receipt, kind=RECEIPT_KIND, version=VERSION, sealed=True)


def _read_file(
    reader: KnowledgeReader,
    path: Path,
    number: int,
    *,
    held: dict[str, list[pa.Table]],
    tally: _Tally,
    writer: pq.ParquetWriter,
    progress: Progress | None,
) -> None:
    """Read one file: its terms and names are held, its statements written."""
    counts: Counter[str] = Counter()
    for batch in reader:
        for problem in batch.problems:
            tally.add_problem(problem.rule, path.name, problem.line, problem.found)
            counts["problems"] += 1
        tally.unknown.update(batch.unknown)
        for name, table in (("terms", batch.terms), ("names", batch.names), ("edges", batch.edges)):
            counts[name] += table.num_rows
            numbered = table.append_column(_FILE, pa.array([number] * table.num_rows, pa.int16()))
            if name != "edges":
                held[name].append(numbered)
            elif table.num_rows:
                writer.write_table(numbered)
                _count_edges(numbered, held["hierarchy"], tally)
        if progress is not None:
            progress(path.name, sum(counts.values()))
    tally.counts["edges"] += counts["edges"]
    for name, fact in reader.facts.items():
        tally.facts.setdefault(name, fact)
    facts = {"name": path.name, "sha256": sha256_file(path), "format": reader.format.name}
    tally.files.append({**facts, **{n: counts[n] for n in (*TABLES, "problems")}})


def _count_edges(edges: pa.Table, hierarchy: list[pa.Table], tally: _Tally) -> None:
    for pair in pc.value_counts(edges["predicate"]).to_pylist():
        tally.predicates[pair["values"]] += pair["counts"]
    above = pc.is_in(edges["predicate"], value_set=pa.array([IS_A, PART_OF]))
    hierarchy.append(edges.filter(above))


def _source(new: NewSource, version: int, tally: _Tally) -> dict[str, Any]:
    licence = new.licence or tally.facts.get("licence", "")
    release = new.version or tally.facts.get("release", "")
    date = _DATE.search(release)
    allowed = allows_redistribution(licence) if new.redistribution is None else new.redistribution
    return {
        "name": new.name,
        "source_version": version,
        "release": date[0] if date and not new.version else release,
        "title": new.title or tally.facts.get("title", ""),
        "url": new.url,
        "licence": licence,
        "redistribution": allowed,
        "loaded": now_iso(),
        "files": [{name: facts[name] for name in ("name", "sha256", "format")} for facts in tally.files],
        "said": _said(new),
    }


def _receipt(source: Mapping[str, Any], terms: pa.Table, tally: _Tally) -> dict[str, Any]:
    vocabularies = {p["values"]: p["counts"] for p in pc.value_counts(terms["vocabulary"]).to_pylist()}
    return {
        "source": source["name"],
        "source_version": source["source_version"],
        "release": source["release"],
        **{name: tally.counts[name] for name in TABLES},
        "vocabularies": dict(sorted(vocabularies.items(), key=lambda item: -item[1])),
        "predicates": dict(tally.predicates.most_common()),
        "unknown_prefixes": dict(tally.unknown.most_common()),
        "problems": {
            rule: {**RULES[rule]._asdict(), "count": count, "first": tally.first[rule]}
            for rule, count in tally.problems.most_common()
        },
        "files": tally.files,
        "unchanged": False,
    }


def _nothing(tally: _Tally) -> FormatError:
    rule, count = tally.problems.most_common(1)[0]
    place = tally.first[rule][0]
    return FormatError(
        f"nothing can be kept: {count:,} times {RULES[rule].meaning} (first: {place['found']!r})",
        where=f"{place['file']}, line {place['line']}",
        expected="terms, names or statements",
        todo="Say the format with --as, the prefix of bare codes with --prefix, columns with --map.",
    )
