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
    rows = table.num_rows
    names = [name for name in table.column_names if name != identifier]
    codes = [_codes(table[name]) for name in names]
    person = _persons(table[identifier])
    content = _groups(codes, rows)
    both = _groups([person, content], rows)
    first = np.zeros(rows, bool)
    first[np.unique(both, return_index=True)[1]] = True
    sizes = np.bincount(person) if rows else np.zeros(0, np.int64)
    differing, differs = _differing(person, content, codes, names)
    twins, twin_rows = _twins(person, content, codes, first)
    return Repeats(
        rows=rows,
        identifiers=int(sizes.size),
        repeated=int((sizes > 1).sum()),
        copies=int(rows - first.sum()),
        differing=differing,
        differs=differs,
        largest=int(sizes.max(initial=0)),
        twins=twins,
        twin_rows=twin_rows,
        first=first,
    )


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


def _groups(columns: list[Codes], rows: int) -> Codes:
    """The number of each row's group of rows equal in all columns [rows]; checked, not only hashed."""
    hashes = np.zeros(rows, np.uint64)
    for codes in columns:
        hashes = (hashes ^ codes.astype(np.int64).view(np.uint64)) * _MIX
        hashes ^= hashes >> np.uint64(29)
    _, first, group = np.unique(hashes, return_index=True, return_inverse=True)
    leader = first[group]
    wrong = np.zeros(rows, bool)
    for codes in columns:
        wrong |= codes != codes[leader]
    found = group.astype(np.int32)
    found[wrong] = found.max(initial=-1) + 1 + np.arange(int(wrong.sum()), dtype=np.int32)
    return found


def _differing(
    person: Codes, content: Codes, codes: list[Codes], names: list[str]
) -> tuple[int, tuple[tuple[str, int], ...]]:
    """How many identifiers have rows that are not equal, and how many a column differs in."""
    _, leaders, back = np.unique(person, return_index=True, return_inverse=True)
    leader = leaders[back]
    odd = content != content[leader]
    people = int(np.unique(person[odd]).size)
    counts = [
        (name, int(np.unique(person[c != c[leader]]).size)) for name, c in zip(names, codes, strict=True)
    ]
    ranked = sorted((item for item in counts if item[1]), key=lambda item: -item[1])
    return people, tuple(ranked[:_SHOWN])


def _twins(person: Codes, content: Codes, codes: list[Codes], first: NDArray[np.bool_]) -> tuple[int, int]:
    """Groups of equal rows under several identifiers that chance does not explain, and the rows in them."""
    people = np.bincount(content[first], minlength=int(content.max(initial=-1)) + 1)
    if not (people > 1).any():
        return 0, 0
    bits = np.zeros(person.size)
    for column in codes:
        counts = np.bincount(column + 1)
        share = counts[column + 1] / person.size
        bits -= np.where(column >= 0, np.log2(share), 0.0)
    n = float(first.sum())
    unlikely = n * (n - 1) / 2 * np.exp2(-bits) < _CHANCE
    member = first & (people[content] > 1) & unlikely
    return int(np.unique(content[member]).size), int(member.sum())
