"""One shard file of a Zarr array: chunks, then their index and its CRC-32C; mapped, never read whole.

Both sharded planes (`shards`) and vectors (`vectors`) are made of such files. What the chunks hold is
not known here.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt

from nexome.model.errors import DamagedError
from nexome.store.associations import chunks

NEVER_WRITTEN: Final = np.uint64(0xFFFFFFFFFFFFFFFF)


def write_index(stream: BinaryIO, index: npt.NDArray[np.uint64]) -> None:
    """Write the index [.., 2] of a shard (offset and length of each chunk) behind its chunks."""
    entries = index.reshape(-1).view(np.uint8)
    stream.write(entries.data)
    stream.write(int(chunks.crc32c(entries)).to_bytes(4, "little"))


def map_shard(path: Path, grid: tuple[int, ...]) -> tuple[mmap.mmap | None, npt.NDArray[np.uint64]]:
    """Map a shard of a grid of chunks: the map, to be kept alive, and (address, length) uint64 [*grid, 2].

    Address 0 is a chunk never written; a shard that is absent has no other. Raises DamagedError when
    the index does not hold.
    """
    shape = (*grid, 2)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # a shard of missing cells alone is never written
        return None, np.zeros(shape, np.uint64)
    try:
        size = os.fstat(handle).st_size
        index_bytes = 8 * int(np.prod(shape))
        if size < index_bytes + 4:
            raise damaged(path, f"{size} bytes", f"at least {index_bytes + 4}")
        mapped = mmap.mmap(handle, 0, access=mmap.ACCESS_READ)
        mapped.madvise(mmap.MADV_RANDOM)  # the index alone is read now, not the megabytes before it
        tail_at = (size - index_bytes - 4) // mmap.PAGESIZE * mmap.PAGESIZE
        mapped.madvise(mmap.MADV_WILLNEED, tail_at, size - tail_at)
    finally:
        os.close(handle)
    content = np.frombuffer(mapped, np.uint8)
    tail = content[size - index_bytes - 4 :]
    if chunks.crc32c(tail[:-4]) != int(tail[-4:].view("<u4")[0]):
        raise damaged(path, "an index that does not fit its checksum")
    index = tail[:-4].view("<u8").reshape(shape).copy()
    written = index[..., 0] != NEVER_WRITTEN
    if (index[written].sum(axis=1) > size).any():
        raise damaged(path, "a chunk behind the end of its shard")
    index[..., 0] = np.where(written, index[..., 0] + np.uint64(content.ctypes.data), 0)
    mapped.madvise(mmap.MADV_NORMAL)
    return mapped, index


def damaged(path: Path, found: str, expected: str = "the bytes that were written") -> DamagedError:
    """A DamagedError for a file of the store, saying what to do."""
    return DamagedError(
        found,
        where=str(path),
        expected=expected,
        todo="Run `nexome verify`, then restore the store from a backup.",
    )
