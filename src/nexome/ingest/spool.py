"""Rows on their way: appended batch by batch in any order, given back sorted by trait and position.

One scratch file holds the rows as records; memory holds only where each bucket's rows lie in it.

    bucket   trait ordinal << 40 | contig rank << 8 | position >> 24     (16 Mb of one contig, one trait)
    record   locus, allele, z, se, eaf, line, change, and n, info, rsid, trait where the file has them

Within a batch the records are written in bucket order, so that a bucket is a few slices of the file.
`blocks` joins neighbouring small buckets and sorts each block by (trait, locus). The file is removed at
`close`; nothing in it outlives the import.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Self

import numba
import numpy as np
import numpy.typing as npt

from nexome.model.errors import DamagedError

Rows = npt.NDArray[Any]

_ALWAYS: Final = (
    ("locus", "<u8"),
    ("allele", "<u8"),
    ("line", "<u8"),
    ("z", "<f4"),
    ("se", "<f4"),
    ("eaf", "<f4"),
    ("change", "<u4"),
)
_SOMETIMES: Final = {"n": "<f4", "info": "<f4", "rsid": "<u4", "trait": "<u4"}
_CONTIG_MAX: Final = (1 << 32) - 1
BLOCK_ROWS: Final = 1_000_000


def row_type(extra: tuple[str, ...]) -> np.dtype[Any]:
    """The record of one row, with the named optional fields."""
    return np.dtype([*_ALWAYS, *((name, kind) for name, kind in _SOMETIMES.items() if name in extra)])


class Spool:
    """The scratch file of one source file."""

    def __init__(self, path: Path, dtype: np.dtype[Any]) -> None:
        self.path, self.dtype = path, dtype
        self.rows = 0
        self._file = path.open("wb")
        self._bucket: list[npt.NDArray[np.uint64]] = []
        self._start: list[npt.NDArray[np.int64]] = []
        self._count: list[npt.NDArray[np.int64]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, rows: Rows) -> None:
        """Write the records of one batch."""
        if not len(rows):
            return
        buckets = bucket_of(rows)
        if len(buckets) > 1 and (buckets[1:] < buckets[:-1]).any():
            order = np.argsort(buckets, kind="stable")
            rows, buckets = rows[order], buckets[order]
        starts = np.flatnonzero(np.append(True, buckets[1:] != buckets[:-1]))
        self._bucket.append(buckets[starts])
        self._start.append(starts + self.rows)
        self._count.append(np.diff(np.append(starts, len(rows))))
        self._file.write(rows.view(np.uint8).data)
        self.rows += len(rows)

    def blocks(
        self, *, traits: npt.NDArray[np.uint32] | None = None, most: int = BLOCK_ROWS
    ) -> Iterator[Rows]:
        """Blocks of whole buckets of the given traits (ascending; None: all), sorted by (trait, locus).

        A block holds at most about `most` rows, unless one bucket alone holds more.
        """
        self._file.flush()
        if not self.rows:
            return
        bucket, start, count = self._index()
        if traits is not None:
            wanted = np.isin(bucket >> np.uint64(40), traits)
            bucket, start, count = bucket[wanted], start[wanted], count[wanted]
        with self.path.open("rb") as held:
            for first, behind in _groups(bucket, count, most):
                yield _sorted(self._read(held.fileno(), start[first:behind], count[first:behind]))

    def _read(self, handle: int, start: npt.NDArray[np.int64], count: npt.NDArray[np.int64]) -> Rows:
        """The records of some slices, one after another; read, not mapped: mapped pages count as memory."""
        rows = np.empty(int(count.sum()), self.dtype)
        room = memoryview(rows.view(np.uint8))  # type: ignore[arg-type]
        size, at = self.dtype.itemsize, 0
        for first, length in zip((start * size).tolist(), (count * size).tolist(), strict=True):
            done = 0
            while done < length:
                read = os.preadv(handle, [room[at + done : at + length]], first + done)
                if read == 0:
                    raise DamagedError("the scratch file is shorter than written", where=str(self.path))
                done += read
            at += length
        return rows

    def close(self) -> None:
        """Remove the scratch file."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _index(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        bucket, start = np.concatenate(self._bucket), np.concatenate(self._start)
        order = np.lexsort((start, bucket))
        return bucket[order], start[order], np.concatenate(self._count)[order]


def bucket_of(rows: Rows) -> npt.NDArray[np.uint64]:
    """Bucket number of each record."""
    locus = rows["locus"]
    # 28 bits for the contig: features without a position (rank 2³²−1) come last.
    contig = np.minimum(locus >> np.uint64(32), np.uint64((1 << 28) - 1))
    buckets = np.bitwise_or(contig << np.uint64(8), (locus & np.uint64(_CONTIG_MAX)) >> np.uint64(24))
    buckets |= np.uint64(0)
    if "trait" in (rows.dtype.names or ()):
        return np.asarray(rows["trait"].astype(np.uint64) << np.uint64(40) | buckets)
    return buckets


def _groups(
    bucket: npt.NDArray[np.uint64], count: npt.NDArray[np.int64], most: int
) -> Iterator[tuple[int, int]]:
    """Runs of slices that make one block: whole buckets, up to `most` rows together."""
    edges = np.append(np.flatnonzero(np.append(True, bucket[1:] != bucket[:-1])), len(bucket)).tolist()
    sums = np.append(0, np.cumsum(count))
    first = 0
    for at in range(1, len(edges)):
        last = at == len(edges) - 1
        if last or sums[edges[at + 1]] - sums[edges[first]] > most:
            if edges[at] > edges[first]:
                yield edges[first], edges[at]
            first = at


def _sorted(rows: Rows) -> Rows:
    """Records by trait and locus; those of one place stay in the order of the file."""
    locus = np.ascontiguousarray(rows["locus"])
    if "trait" in (rows.dtype.names or ()):
        trait = np.ascontiguousarray(rows["trait"])
        if _in_order(trait, locus):
            return rows
        return rows[np.lexsort((rows["line"], locus, trait))]
    if (locus[1:] >= locus[:-1]).all():
        return rows
    return rows[np.lexsort((rows["line"], locus))]


@numba.njit(cache=True, nogil=True)
def _in_order(trait: Any, locus: Any) -> bool:
    for i in range(1, len(locus)):
        if trait[i] < trait[i - 1] or (trait[i] == trait[i - 1] and locus[i] < locus[i - 1]):
            return False
    return True
