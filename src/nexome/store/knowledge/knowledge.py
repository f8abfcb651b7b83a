"""Knowledge as it answers: the terms of all sources as one, with obsolete and alternative ids resolved.

The newest version of each source counts. Of several sources that describe a term, the one that describes
its vocabulary best gives its label: of those with at least half as many labels as the fullest, the newest
release. What others call it are further names. Sources are read once and held until the manifest changes
(200,000 terms and 500,000 names: about 300 MB). Thread-safe; nothing is written here.
"""

from __future__ import annotations

import bisect
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nexome.model.errors import DamagedError, NexomeError, NotFoundError
from nexome.model.knowledge import EXACT, NamedTerm, identify
from nexome.model.terms import Access
from nexome.store.checksums import Damage, find_damage
from nexome.store.disk import read_stamped
from nexome.store.knowledge.lexicon import named_terms
from nexome.store.knowledge.manifest import KnowledgeManifest, manifest_path, version_path
from nexome.store.knowledge.merge import Merged, merge
from nexome.store.knowledge.writer import (
    RECEIPT_KIND,
    RECEIPT_NAME,
    SOURCE_KIND,
    SOURCE_NAME,
    VERSION,
)

_NAMES_KIND_ORDER: Final = ("label", "exact", "abbreviation", "translation", "layperson", "related")


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One source: what it is, its release, licence, how much it holds (newest version), who may see it."""

    name: str
    version: int
    release: str
    title: str
    url: str
    licence: str
    redistribution: bool
    loaded: str
    terms: int
    names: int
    edges: int
    problems: int
    access: Access


@dataclass(frozen=True, slots=True)
class TermRecord:
    """A term. `asked`: the identifier it was asked by; `names`: (text, kind, language, source).

    `replaced_by`: successors of an obsolete term that has none or several, so that it answers itself.
    """

    id: str
    asked: str
    vocabulary: str
    label: str
    definition: str
    definition_zh: str
    obsolete: bool
    replaced_by: tuple[str, ...]
    alternatives: tuple[str, ...]
    names: tuple[tuple[str, str, str, str], ...]
    sources: tuple[str, ...]


class Knowledge:
    """The knowledge of a root, as its manifest has it at each question.

    `open_only`: as if private sources had not been loaded; see `open_part`.
    """

    def __init__(self, root: Path, *, open_only: bool = False) -> None:
        self._root = root
        self._open_only = open_only
        self._open_part = self if open_only else Knowledge(root, open_only=True)
        self._lock = threading.Lock()
        self._seen: tuple[int, int] = (0, 0)
        self._manifest = KnowledgeManifest()
        self._merged: tuple[str, Merged] | None = None

    @classmethod
    def open(cls, root: Path) -> Self:
        """The knowledge of a root; also of one that has none yet."""
        return cls(root)

    @property
    def sequence(self) -> int:
        """Counts up with every source loaded or withdrawn; 0 where there never was one."""
        return self._read_manifest().sequence

    @property
    def open_part(self) -> Knowledge:
        """What others than the owner may know: no term, name, label or successor of a private source."""
        manifest = self._read_manifest()
        return self if manifest.open_part() is manifest else self._open_part

    @property
    def source_names(self) -> frozenset[str]:
        """Names of all sources."""
        return frozenset(self._read_manifest().sources)

    @property
    def digest(self) -> str:
        """Names what is answered from; what is derived from it (graph, index) keeps this name."""
        return self._read_manifest().digest

    # ------------------------------------------------------------ sources

    def sources(self) -> list[SourceRecord]:
        """All sources, by name. Raises DamagedError, NewerVersionError."""
        return [self.source(name) for name in sorted(self._read_manifest().sources)]

    def source(self, name: str) -> SourceRecord:
        """One source. Raises NotFoundError naming those there are."""
        folder = self._folder(name)
        facts = read_stamped(folder / SOURCE_NAME, kind=SOURCE_KIND, version=VERSION)
        receipt = self.receipt(name)
        said = {k: facts[k] for k in ("release", "title", "url", "licence", "redistribution", "loaded")}
        counts = {k: receipt[k] for k in ("terms", "names", "edges")}
        problems = sum(p["count"] for p in receipt["problems"].values())
        access = self._read_manifest().sources[name].access
        return SourceRecord(name, facts["source_version"], **said, **counts, problems=problems, access=access)

    def receipt(self, name: str) -> dict[str, Any]:
        """What was kept and refused when the newest version of a source was loaded."""
        return read_stamped(self._folder(name) / RECEIPT_NAME, kind=RECEIPT_KIND, version=VERSION)

    def table(self, source: str, name: str) -> pa.Table:
        """Rows of one source as loaded: 'terms', 'names' or 'edges'."""
        return _read(self._folder(source) / f"{name}.parquet")

    def edges(self, *, rows: int = 1 << 20) -> Iterator[tuple[str, pa.RecordBatch]]:
        """All statements, source by source, in batches; subject and object are resolved."""
        merged = self._answers()
        for source in sorted(self._read_manifest().sources):
            file = pq.ParquetFile(self._folder(source) / "edges.parquet", memory_map=True)
            for batch in file.iter_batches(rows):
                yield source, merged.resolve_edges(batch)

    # ------------------------------------------------------------ terms

    def resolve(self, text: str) -> str:
        """The identifier that answers for one in any spelling; '' where the text is none."""
        curie = identify(text).curie
        return self._answers().successor.get(curie, curie)

    def term(self, text: str) -> TermRecord:
        """One term, by its own, an alternative or an obsolete identifier. Raises NotFoundError."""
        merged = self._answers()
        asked = identify(text).curie
        curie = merged.successor.get(asked, asked)
        row = _find(merged.ids, curie)
        if row is None:
            raise NotFoundError(
                f"no term {text[:80]!r}",
                expected="an identifier such as HP:0001250",
                todo="nexome knowledge sources lists what is loaded.",
            )
        facts = merged.terms.slice(row, 1).to_pylist()[0]
        names = merged.names_of(curie)
        ordered = sorted(names, key=lambda n: _kind_order(n[1]))
        told: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in facts.items()}
        return TermRecord(asked=asked, names=tuple(ordered), **told)

    def terms(self) -> pa.Table:
        """All terms, sorted by id: id, vocabulary, label, definitions, obsolete, …, sources."""
        return self._answers().terms

    def terms_in(self, vocabulary: str) -> pa.Table:
        """The terms of one vocabulary, by its prefix."""
        terms = self._answers().terms
        return terms.filter(pc.equal(terms["vocabulary"], vocabulary))

    def names(self) -> pa.Table:
        """All names, each once a term: term (resolved), text, kind, language, source (that gave it first)."""
        return self._answers().names

    def equivalents(self, text: str) -> list[tuple[str, str, str]]:
        """What a term is the same as elsewhere: (identifier, predicate, source), stated either way round."""
        curie = self.resolve(text)
        return self._answers().matches_of(curie, (EXACT,))

    def lexicon_terms(self, vocabularies: tuple[str, ...] = ()) -> Iterator[NamedTerm]:
        """Terms with names, parents and equivalents, obsolete ones left out: what an encoder learns from.

        `vocabularies`: prefixes; none: all. See `lexicon` for what counts as equivalent.
        """
        return named_terms(self._answers(), self.edges(), vocabularies)

    # ------------------------------------------------------------ what is held

    def _read_manifest(self) -> KnowledgeManifest:
        """The manifest of now; read again only when its file is another."""
        try:
            status = manifest_path(self._root).stat()
        except FileNotFoundError:
            return KnowledgeManifest()
        seen = (status.st_mtime_ns, status.st_ino)
        with self._lock:
            if seen != self._seen:
                manifest = KnowledgeManifest.load(self._root)
                self._manifest = manifest.open_part() if self._open_only else manifest
                self._seen = seen
            return self._manifest

    def _folder(self, name: str) -> Path:
        sources = self._read_manifest().sources
        if name not in sources:
            known = ", ".join(sorted(sources)[:20]) or "none yet: nexome knowledge load --help"
            raise NotFoundError(f"no source {name[:80]!r}", expected=known)
        return version_path(self._root, name, sources[name].newest)

    def _answers(self) -> Merged:
        digest = self.digest
        with self._lock:
            if self._merged is not None and self._merged[0] == digest:
                return self._merged[1]
        made = merge({name: self._tables(name) for name in sorted(self._read_manifest().sources)})
        with self._lock:
            self._merged = (digest, made)
        return made

    def _tables(self, name: str) -> Mapping[str, Any]:
        folder = self._folder(name)
        facts = read_stamped(folder / SOURCE_NAME, kind=SOURCE_KIND, version=VERSION)
        matches = _read_matches(folder / "edges.parquet")
        return {
            "release": facts["release"],
            "terms": _read(folder / "terms.parquet"),
            "names": _read(folder / "names.parquet"),
            "matches": matches,
        }


def find_damage_in_knowledge(root: Path) -> Iterator[Damage]:
    """What differs from the checksums of each version that the manifest names."""
    for path, digest in KnowledgeManifest.load(root).digests.items():
        try:
            yield from find_damage(root / path, digest=digest)
        except NexomeError as error:
            yield Damage(root / path, str(error))


def _read(path: Path) -> pa.Table:
    with _damage(path):
        return pq.read_table(path, memory_map=True)


def _read_matches(path: Path) -> pa.Table:
    """Exact matches among statements, group of rows by group: most statements of most sources are none."""
    columns = ["subject", "predicate", "object"]
    with _damage(path):
        file = pq.ParquetFile(path, memory_map=True)
        found = [
            batch.filter(pc.equal(batch["predicate"], EXACT))
            for batch in file.iter_batches(1 << 17, columns=columns)
        ]
        return pa.Table.from_batches(found, pa.schema([(name, pa.string()) for name in columns]))


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise DamagedError(
            f"cannot be read ({type(error).__name__})",
            where=str(path),
            expected="a table of knowledge in Parquet",
            todo="Restore it from a backup (nexome restore), or load the source again.",
        ) from error


def _find(ids: pa.Array, curie: str) -> int | None:
    row = bisect.bisect_left(ids, curie, key=lambda scalar: scalar.as_py())
    return row if row < len(ids) and ids[row].as_py() == curie else None


def _kind_order(kind: str) -> int:
    return _NAMES_KIND_ORDER.index(kind) if kind in _NAMES_KIND_ORDER else len(_NAMES_KIND_ORDER)
