"""One generation of the search index, opened: its tables, and what is read off them without any question.

How it was written, and which file holds what, stands in `search.generation`. Files are mapped: what is
touched is in memory, and is given back by the system when it needs room.
"""

from __future__ import annotations

import mmap
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple, Self, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.model.errors import InputError, NotFoundError
from nexome.search.generation import KIND, RELATIONS, VERSION, Encodes
from nexome.search.keys import SortedKeys, mapped
from nexome.search.lexical import LexicalIndex
from nexome.search.lexicon import Relations
from nexome.search.ranking import NAMED, Tables
from nexome.search.records import OPEN
from nexome.search.scope import EVERYTHING, Scope
from nexome.search.segments import Segments
from nexome.search.text import words
from nexome.search.vectors import VectorIndex
from nexome.store.disk import read_stamped

Floats = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_SCOPES_KEPT: Final = 64
_FEW: Final = 60_000  # records of a restricted search that are all compared


class Reach(NamedTuple):
    """What a scope may find: which records, and which by meaning (variants mean nothing); None: all.

    `few`: where the vectors of those found by meaning lie, if they are few.
    """

    allowed: Bools | None
    meant: Bools | None
    few: Int64s | None


@dataclass(frozen=True, eq=False)
class Opened:
    """An opened generation. Safe to read from several threads."""

    facts: dict[str, Any]
    encoder: Encodes
    records: pa.Table
    names: pa.Table
    keys: SortedKeys
    lexical: LexicalIndex
    means: VectorIndex
    tables: Tables
    crowd: Floats
    usage: Floats
    record_of: npt.NDArray[np.int32]
    chinese_names: Int64s
    relations: dict[str, Relations]
    segments: Segments | None
    codes: dict[str, tuple[list[str], Any]]
    """Of kind, visibility and vocabulary: the values, and which each record has."""
    _reaches: OrderedDict[Scope, Reach] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def open(cls, folder: Path, encoder: Encodes) -> Self:
        """The generation in a folder. Raises InputError where it was built with another encoder."""
        facts = read_stamped(folder / "index.json", kind=KIND, version=VERSION)
        if (facts["model"], facts["revision"]) != (encoder.model, encoder.revision):
            raise InputError(
                f"an index built with the encoder {facts['model']} {facts['revision']}",
                where=str(folder),
                expected=f"{encoder.model} {encoder.revision}, the one in use",
                todo="Build it again: nexome search index.",
            )
        records = _table(folder / "records.arrow")
        first = mapped(folder / "first.npy")
        relations = {name: Relations.open(folder, name, things=len(first) - 1) for name in RELATIONS}
        means = VectorIndex.open(folder / "means")
        tables = _tables(folder, first, means, relations["equal"])
        return cls(
            facts=facts,
            encoder=encoder,
            records=records,
            names=_table(folder / "names.arrow"),
            keys=SortedKeys.open(folder / "keys"),
            lexical=LexicalIndex.open(folder / "words"),
            means=means,
            tables=tables,
            crowd=mapped(folder / "crowd.npy"),
            usage=np.log1p(records["weight"].to_numpy()).astype(np.float32),
            record_of=np.repeat(np.arange(len(first) - 1, dtype=np.int32), np.diff(first)),
            chinese_names=np.add.reduceat(tables.chinese, first[:-1], dtype=np.int64),
            relations=relations,
            segments=Segments.open(folder),
            codes={name: _codes(records[name]) for name in ("kind", "visibility")}
            | {"vocabulary": _vocabularies(records["id"])},
        )

    def __len__(self) -> int:
        return len(self.records)

    @cached_property
    def _columns(self) -> dict[str, Any]:
        return {name: _whole(self.records[name]) for name in self.records.column_names}

    @cached_property
    def _texts(self) -> Any:
        return _whole(self.names["text"])

    @cached_property
    def name_kinds(self) -> tuple[list[str], Any, Floats]:
        """The kinds of names; which each name has; what a text that equals a name of each kind is worth."""
        kinds, codes = _codes(self.names["kind"])
        return kinds, codes, np.array([NAMED.get(kind, 0.5) for kind in kinds], np.float32)

    # ------------------------------------------------------------ reading

    def row(self, record: int) -> dict[str, Any]:
        """A record's own columns."""
        return {name: column[record].as_py() for name, column in self._columns.items()}

    def rows(self, records: Sequence[int] | Int64s) -> list[dict[str, Any]]:
        """The columns of some records."""
        taken = pa.array(records, pa.int64())
        columns = {name: column.take(taken) for name, column in self._columns.items()}
        return cast("list[dict[str, Any]]", pa.table(columns).to_pylist())

    def name_text(self, name: int) -> str:
        """The text of a name."""
        return str(self._texts[name].as_py())

    def name_texts(self, names: Sequence[int] | Int64s) -> list[str]:
        """The texts of some names."""
        return cast("list[str]", self._texts.take(pa.array(names, pa.int64())).to_pylist())

    def label(self, record: int) -> str:
        """The label of a record."""
        return str(self._columns["label"][record].as_py())

    def names_of(self, record: int) -> range:
        """The names of a record."""
        return range(int(self.tables.first[record]), int(self.tables.first[record + 1]))

    def place(self, kind: str, identifier: str) -> int:
        """The record of a kind with an identifier. Raises NotFoundError where there is none."""
        for name in self.keys.equal(" ".join(words(identifier))).tolist():
            record = int(self.record_of[name])
            row = self.row(record)
            if (row["kind"], row["id"]) == (kind, identifier):
                return record
        raise NotFoundError(
            f"no {kind} {identifier[:100]!r}",
            todo="Search for it by name; load its vocabulary if it is missing.",
        )

    # ------------------------------------------------------------ who may find what

    def allowed(self, scope: Scope) -> Bools | None:
        """Which records a scope may find, bool [R]; None for all."""
        return self.reach(scope).allowed

    def reach(self, scope: Scope) -> Reach:
        """What a scope may find, kept for the scopes asked last."""
        with self._lock:
            if scope in self._reaches:
                self._reaches.move_to_end(scope)
                return self._reaches[scope]
        found = self._reach(scope)
        with self._lock:
            self._reaches[scope] = found
            while len(self._reaches) > _SCOPES_KEPT:
                self._reaches.popitem(last=False)
        return found

    def _reach(self, scope: Scope) -> Reach:
        allowed = meant = self._allowed(scope)
        kinds, rows = self.codes["kind"]
        if "variant" in kinds:
            others = np.array([kind != "variant" for kind in kinds], np.bool_)[rows]
            meant = others if allowed is None else allowed & others
        few = None
        if meant is not None and np.count_nonzero(meant) <= _FEW:
            few = np.sort(self.tables.places[meant]).astype(np.int64)
        return Reach(allowed, meant, few)

    def _allowed(self, scope: Scope) -> Bools | None:
        allowed = np.ones(len(self), np.bool_)
        chosen = {
            "visibility": None if scope.visible is None else scope.visible | {OPEN},
            "kind": scope.kinds,
            "vocabulary": scope.vocabularies,
        }
        for name, wanted in chosen.items():
            if wanted is not None:
                values, rows = self.codes[name]
                allowed &= np.array([value in wanted for value in values], np.bool_)[rows]
        if scope.ids is not None:
            listed = pc.is_in(self.records["id"], pa.array(sorted(scope.ids), pa.string()))
            allowed &= listed.to_numpy(zero_copy_only=False)
        return None if allowed.all() else allowed

    def named(self, key: str, scope: Scope = EVERYTHING) -> list[int]:
        """Names and identifiers that are written as a key, of records that may be found; no pinyin."""
        allowed = self.allowed(scope)
        found = dict.fromkeys(self.keys.equal(key).tolist())
        may = [n for n in found if allowed is None or allowed[self.record_of[n]]]
        return [n for n in may if " ".join(words(self.name_text(n))) == key or self._identifies(n, key)]

    def _identifies(self, name: int, key: str) -> bool:
        return " ".join(words(self._columns["id"][int(self.record_of[name])].as_py())) == key

    def vocabularies(self, scope: Scope = EVERYTHING) -> dict[str, int]:
        """Vocabularies of what may be found, by prefix, and how many things of each; the largest first."""
        prefixes, rows = self.codes["vocabulary"]
        allowed = self.allowed(scope)
        counts = np.bincount(rows if allowed is None else rows[allowed], minlength=len(prefixes))
        told = zip(prefixes, counts.tolist(), strict=True)
        return {prefix: n for prefix, n in sorted(told, key=lambda one: (-one[1], one[0])) if prefix and n}


def _tables(folder: Path, first: Any, means: VectorIndex, equal: Relations) -> Tables:
    tables = Tables(
        first=first,
        codes=mapped(folder / "codes.npy"),
        scales=mapped(folder / "scales.npy"),
        places=np.argsort(means.rows).astype(np.int32),
        mean_codes=means.codes,
        mean_scales=means.scales,
        spans=mapped(folder / "spans.npy"),
        equal_offsets=equal.offsets,
        equal_values=equal.values,
        equal_spans=mapped(folder / "equal_spans.npy"),
        chinese=mapped(folder / "chinese.npy"),
    )
    return Tables(*(np.asarray(array) for array in tables))


def _table(path: Path) -> pa.Table:
    with path.open("rb") as stream:
        whole = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    return pa.ipc.open_file(pa.py_buffer(whole)).read_all()


def _whole(column: Any) -> Any:
    """A column as one array: an element of it is found at once."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _codes(column: Any) -> tuple[list[str], Any]:
    coded = column.combine_chunks()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    if not pa.types.is_dictionary(coded.type):
        coded = coded.dictionary_encode()
    return cast("list[str]", coded.dictionary.to_pylist()), coded.indices.to_numpy()


def _vocabularies(ids: Any) -> tuple[list[str], Any]:
    """The prefix of each identifier, '' where it has none."""
    return _codes(pc.if_else(pc.match_substring(ids, ":"), pc.replace_substring_regex(ids, ":.*", ""), ""))
