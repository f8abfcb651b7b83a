"""Sharded planes on a local disk: their metadata, their writing and where each inner chunk lies.

<segment>/<plane>/zarr.json      Zarr v3, uint16 [V, T], `sharding_indexed`: inner chunk 256 × 64, Blosc LZ4
                                 with bitshuffle; index behind the chunks with its CRC-32C
<segment>/<plane>/c/<i>/<j>      one shard

Written a full shard at a time, packed by `pack`; read by memory map: `locate` gives the addresses
that the compiled passes of `chunks` read from. What the words mean is `dense`'s affair.
"""

from __future__ import annotations

import errno
import itertools
import mmap
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import orjson

from nexome.store.associations.arrays import RAW_CODECS, advise_range, array_metadata
from nexome.store.associations.chunks import BLOCK_BYTES, CHUNK_COLUMNS, CHUNK_ROWS
from nexome.store.associations.segment import Window
from nexome.store.associations.shard_file import NEVER_WRITTEN, map_shard, write_index
from nexome.store.disk import space_errors

SHARD_COLUMNS: Final = 1024
SHARD_ROWS: Final = 16_384
SHARD_CELLS: Final = SHARD_ROWS * 4096  # of all shards of one band of rows: bounds the memory of a writer

_HELD_BYTES: Final = 64 << 20  # of a plane read since its pages were last let go: bounds a server's memory


def shard_shape(traits: int) -> tuple[int, int]:
    """Shape of the shards of a plane with T columns: fewer rows when there are very many columns."""
    columns = min(SHARD_COLUMNS, -(-traits // CHUNK_COLUMNS) * CHUNK_COLUMNS)
    rows = min(SHARD_ROWS, max(CHUNK_ROWS, SHARD_CELLS // traits // CHUNK_ROWS * CHUNK_ROWS))
    return rows, columns


def plane_metadata(features: int, traits: int, *, dtype: str = "uint16") -> dict[str, Any]:
    """The zarr.json of one plane of V features × T traits."""
    block = BLOCK_BYTES if dtype == "uint16" else 0
    blosc = {"cname": "lz4", "clevel": 1, "shuffle": "bitshuffle", "blocksize": block}
    blosc["typesize"] = np.dtype(dtype).itemsize
    index = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
    sharding = {
        "chunk_shape": [CHUNK_ROWS, CHUNK_COLUMNS],
        "codecs": [*RAW_CODECS, {"name": "blosc", "configuration": blosc}],
        "index_codecs": index,
        "index_location": "end",
    }
    codecs = [{"name": "sharding_indexed", "configuration": sharding}]
    return array_metadata((features, traits), dtype, chunk=shard_shape(traits), codecs=codecs)


class PlaneWriter:
    """Writes the shards of a new plane. `write_shard` may be called from several threads."""

    def __init__(self, path: Path, features: int, traits: int) -> None:
        self.path = path
        self.shard = shard_shape(traits)
        self.grid = (self.shard[0] // CHUNK_ROWS, self.shard[1] // CHUNK_COLUMNS)
        path.mkdir(parents=True)
        metadata = plane_metadata(features, traits)
        (path / "zarr.json").write_bytes(orjson.dumps(metadata, option=orjson.OPT_INDENT_2))

    def write_shard(
        self, i: int, j: int, content: npt.NDArray[np.uint8], index: npt.NDArray[np.uint64]
    ) -> None:
        """Write shard (i, j): compressed chunks, uint8, and the index [A, B, 2] of those it has.

        Chunks beyond the edge of the plane are entered as never written.
        """
        whole = np.full((*self.grid, 2), NEVER_WRITTEN, "<u8")
        whole[: index.shape[0], : index.shape[1]] = index
        path = self.path / "c" / str(i) / str(j)
        with space_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as stream:
                stream.write(content.data)
                write_index(stream, whole)


class MappedPlane:
    """One plane, its shards mapped when first touched.

    `locate(rows, columns)` gives addresses and lengths of compressed chunks.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        meta = orjson.loads((path / "zarr.json").read_bytes())
        self.shape: tuple[int, int] = tuple(meta["shape"])
        shard = meta["chunk_grid"]["configuration"]["chunk_shape"]
        self._grid = (shard[0] // CHUNK_ROWS, shard[1] // CHUNK_COLUMNS)
        self._shards: dict[tuple[int, int], tuple[mmap.mmap | None, npt.NDArray[np.uint64]]] = {}
        self._held = 0

    def locate(
        self, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        """Addresses and lengths, uint64 [A, B], of chunk rows [A] × chunk columns [B], both sorted.

        Address 0 means never written. The memory stays mapped as long as this object lives.
        """
        address = np.empty((len(rows), len(columns)), np.uint64)
        length = np.empty_like(address)
        for i, in_row, at_row in _groups(rows, self._grid[0]):
            for j, in_column, at_column in _groups(columns, self._grid[1]):
                found = self._shard(i, j)[in_row[:, None], in_column]
                address[at_row, at_column] = found[..., 0]
                length[at_row, at_column] = found[..., 1]
        self._held += _read_ahead(address, length)
        if self._held > _HELD_BYTES:
            self._held = 0
            self._let_go()
        return address, length

    def _let_go(self) -> None:
        """Give the pages read so far back to the system's cache; whoever reads them finds them there."""
        for mapped, _ in list(self._shards.values()):
            if mapped is not None:
                mapped.madvise(mmap.MADV_DONTNEED)

    def _shard(self, i: int, j: int) -> npt.NDArray[np.uint64]:
        if (known := self._shards.get((i, j))) is None:
            # Two threads may map the same shard: the first one stays, so that no address handed out is freed.
            found = map_shard(self.path / "c" / str(i) / str(j), self._grid)
            if found[0] is not None:
                found[0].madvise(mmap.MADV_RANDOM)  # `locate` says what will be read; around it nothing will
            known = self._shards.setdefault((i, j), found)
        return known[1]


def _read_ahead(address: npt.NDArray[np.uint64], length: npt.NDArray[np.uint64]) -> int:
    """Tell the kernel which bytes will be read; how many they are.

    Chunks uint64 [A, B], those of a row together if they touch.
    """
    size = np.where(address > 0, length, np.uint64(0))
    end = address + size
    firsts = np.where(address > 0, address, NEVER_WRITTEN).min(axis=1)
    total = size.sum(axis=1)
    extents = zip(firsts.tolist(), end.max(axis=1).tolist(), total.tolist(), strict=True)
    for row, (first, last, wanted) in enumerate(extents):
        if wanted and last - first <= 2 * wanted:
            advise_range(first, last)
        elif wanted:
            for start, stop in zip(address[row].tolist(), end[row].tolist(), strict=True):
                advise_range(start, stop)
    return int(total.sum())


def _groups(numbers: npt.NDArray[np.int64], size: int) -> list[tuple[int, npt.NDArray[Any], slice]]:
    """Sorted chunk numbers by shard: (shard, chunk numbers inside it, where they stand)."""
    shard, inside = np.divmod(numbers, size)
    bounds = np.flatnonzero(np.diff(shard, prepend=-1, append=-1))
    return [(int(shard[a]), inside[a:b], slice(a, b)) for a, b in itertools.pairwise(bounds.tolist())]


def as_os_error(error: ValueError, path: Path) -> Exception:
    """TensorStore reports a full disk as a ValueError with the system's words in it."""
    text = str(error)
    if "No space left" in text or "RESOURCE_EXHAUSTED" in text or "File too large" in text:
        return OSError(errno.ENOSPC, text, str(path))
    return error


class FloatPlane:
    """A sharded float32 plane (n, info) through TensorStore: few segments have one, speed is no matter."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, features: int, traits: int) -> Self:
        """A new plane of NaN."""
        plane = cls(path)
        metadata = plane_metadata(features, traits, dtype="float32")
        del metadata["attributes"]
        plane._store = plane._open(metadata=metadata, create=True)
        return plane

    def write(self, first_row: int, values: npt.NDArray[np.float32]) -> None:
        """Write rows from `first_row` on: float32 [R, T]."""
        with space_errors(self.path):
            try:
                self._store[first_row : first_row + len(values)].write(values).result()
            except ValueError as error:  # TensorStore's word for what the system refused
                raise as_os_error(error, self.path) from error

    def read(self, window: Window, out: npt.NDArray[np.float32]) -> None:
        """Read a window into `out` [·, ·]."""
        rows, columns = window.rows, window.columns
        part = self._store[int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]
        values = part.read().result()
        picked = values[np.ix_(rows - rows[0], columns - columns[0])]
        out[np.ix_(window.out_rows, window.out_columns)] = picked

    @cached_property
    def _store(self) -> Any:
        return self._open()

    def _open(self, **how: Any) -> Any:
        import tensorstore  # noqa: PLC0415  readers of ordinary planes never pay for it

        # Files are flushed when their folder is published; nothing is cached: the system does that.
        context = tensorstore.Context({"cache_pool": {"total_bytes_limit": 0}, "file_io_sync": False})
        spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(self.path)}, **how}
        return tensorstore.open(spec, context=context).result()
