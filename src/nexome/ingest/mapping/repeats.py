"""Persons found twice in one table: under one identifier, or word for word under two.

Two rows of one identifier may be two visits, the same row entered twice, or two persons under one number:
what differs between them tells. Two equal rows under different identifiers are one person only when they
hold more than chance explains: each column's value counts −log2 of its frequency, and the number of pairs
expected by chance must stay below 0.01. Columns that go together (height, weight, BMI) make that count too
high, so a group is a question to the source, never joined by itself. Equality is exact; misspelt names and
dates are not looked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from nexome.model.errors import InputError

_CHANCE: Final = 0.01  # expected pairs of unrelated people that would agree so well
_SHOWN: Final = 200  # columns named at most as differing
Codes = NDArray[np.int32]
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Repeats:
    """Rows and persons of a table, and who stands in it more than once. Counts alone, no identifiers.

    copies: rows that repeat an earlier row of the same identifier in every column.
    differing: identifiers whose rows are not all equal; `differs`: in which columns, with how many
    identifiers. twins: groups of equal rows under different identifiers that chance does not explain;
    `twin_rows` in them. largest: the most rows one identifier has. `first`: [rows] True for the row that
    stays when copies go.
    """

    rows: int
    identifiers: int
    repeated: int
    copies: int
    differing: int
    differs: tuple[tuple[str, int], ...]
    largest: int
    twins: int
    twin_rows: int
    first: NDArray[np.bool_]

    def as_dict(self) -> dict[str, Any]:
        """The counts as plain JSON values, for a receipt."""
        kept = ("rows", "identifiers", "repeated", "copies", "differing", "largest", "twins", "twin_rows")
        return {name: getattr(self, name) for name in kept} | {"differs": [list(d) for d in self.differs]}


def find_repeats(table: pa.Table, identifier: str) -> Repeats:
    """Who stands in `table` more than once, by its `identifier` column.

    A null equals a null. Rows without an identifier are persons of their own. Raises InputError where the
    column is absent.
    """
    if identifier not in table.column_names:
        raise InputError(
            f"no column {identifier[:80]!r}", where="repeats", expected="one of the table's columns"
        )
    person = _persons(table[identifier])
    looked = _look(table, [name for name in table.column_names if name != identifier], person)
    both = _pairs(person, looked.content)
    first = np.zeros(person.size, bool)
    first[np.unique(both, return_index=True)[1]] = True
    sizes = np.bincount(person) if person.size else np.zeros(0, np.int64)
    odd = looked.content != looked.content[_leaders(person)]
    twins, twin_rows = _twins(looked, first)
    return Repeats(
        rows=person.size,
        identifiers=int(sizes.size),
        repeated=int((sizes > 1).sum()),
        copies=int(person.size - first.sum()),
        differing=int(np.unique(person[odd]).size),
        differs=looked.differs,
        largest=int(sizes.max(initial=0)),
        twins=twins,
        twin_rows=twin_rows,
        first=first,
    )


@dataclass(frozen=True)
class _Looked:
    """All columns gone through. content [rows]: the number of each row's group of equal rows.

    `bits` [rows]: how unlikely a row is. `differs`: columns, with how many identifiers differ in them.
    """

    content: Codes
    bits: NDArray[np.float64]
    differs: tuple[tuple[str, int], ...]


def _look(table: pa.Table, names: list[str], person: Codes) -> _Looked:
    """Two passes over the columns, one column held at a time: hashes, then what they cannot prove."""
    rows = person.size
    hashes = np.zeros(rows, np.uint64)
    for name in names:
        hashes = (hashes ^ _codes(table[name]).astype(np.int64).view(np.uint64)) * _MIX
        hashes ^= hashes >> np.uint64(29)
    _, leaders, group = np.unique(hashes, return_index=True, return_inverse=True)
    leader, of_person = leaders[group], _leaders(person)
    wrong, bits, differs = np.zeros(rows, bool), np.zeros(rows), []
    for name in names:
        codes = _codes(table[name])
        wrong |= codes != codes[leader]
        if people := int(np.unique(person[codes != codes[of_person]]).size):
            differs.append((name, people))
        share = np.bincount(codes + 1)[codes + 1] / max(rows, 1)
        bits -= np.where(codes >= 0, np.log2(share), 0.0)
    content = group.astype(np.int32)  # two rows of one hash that are not equal are set apart
    content[wrong] = content.max(initial=-1) + 1 + np.arange(int(wrong.sum()), dtype=np.int32)
    differs.sort(key=lambda item: -item[1])
    return _Looked(content, bits, tuple(differs[:_SHOWN]))


def _codes(column: pa.ChunkedArray) -> Codes:
    """Small integers [rows] equal where the values are; null is −1."""
    encoded = pc.dictionary_encode(column.combine_chunks())
    chunk = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    indices = pc.fill_null(chunk.indices, -1)
    return np.array(indices.to_numpy(zero_copy_only=False), np.int32)


def _persons(column: pa.ChunkedArray) -> Codes:
    """A number a person [rows], from 0; a row without identifier is its own."""
    codes = _codes(column)
    absent = codes < 0
    codes[absent] = codes.max(initial=-1) + 1 + np.arange(int(absent.sum()), dtype=np.int32)
    return codes


def _pairs(one: Codes, other: Codes) -> NDArray[np.int64]:
    """A number [rows] that is equal where both are."""
    return one.astype(np.int64) * (int(other.max(initial=0)) + 1) + other


def _leaders(groups: Codes) -> NDArray[np.int64]:
    """The first row of each row's group [rows]."""
    _, first, back = np.unique(groups, return_index=True, return_inverse=True)
    return first[back]


def _twins(looked: _Looked, first: NDArray[np.bool_]) -> tuple[int, int]:
    """Groups of equal rows under several identifiers that chance does not explain, and the rows in them."""
    content = looked.content
    people = np.bincount(content[first], minlength=int(content.max(initial=-1)) + 1)
    n = float(first.sum())
    unlikely = n * (n - 1) / 2 * np.exp2(-looked.bits) < _CHANCE
    member = first & (people[content] > 1) & unlikely
    return int(np.unique(content[member]).size), int(member.sum())
