"""Long one-dimensional arrays in compressed shards: written as a stream, read by memory map.

    <vector>/zarr.json    Zarr v3, [N], `sharding_indexed`: inner chunk 8,192, Blosc LZ4 with bitshuffle
    <vector>/c/<i>        one shard of 4,194,304 values (a shorter vector is one shard of whole chunks)

Used for the cells of ragged segments, where a question wants a short run out of very many values.
Writers hold one shard in memory; a reader decompresses only the chunks its run touches. What the
values mean is not known here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
from numba import njit
from numcodecs import blosc

from nexome.store.associations import chunks
from nexome.store.associations.arrays import RAW_CODECS, array_metadata
from nexome.store.associations.shard_file import NEVER_WRITTEN, damaged, map_shard, write_index
from nexome.store.disk import space_errors

CHUNK: Final = 8192
SHARD: Final = CHUNK * 512


def shard_length(length: int) -> int:
    """Values of one shard of a vector: SHARD, or as many whole chunks as a short one needs."""
    return min(SHARD, max(CHUNK, -(-length // CHUNK) * CHUNK))


def vector_metadata(length: int, dtype: str) -> dict[str, Any]:
    """The zarr.json of a vector of `length` values of a Zarr data type."""
    blosc = {
        "cname": "lz4",
        "clevel": 1,
        "shuffle": "bitshuffle",
        "typesize": np.dtype(dtype).itemsize,
        "blocksize": 0,
    }
    sharding = {
        "chunk_shape": [CHUNK],
        "codecs": [*RAW_CODECS, {"name": "blosc", "configuration": blosc}],
        "index_codecs": [*RAW_CODECS, {"name": "crc32c"}],
        "index_location": "end",
    }
    codecs = [{"name": "sharding_indexed", "configuration": sharding}]
    return array_metadata((length,), dtype, chunk=(shard_length(length),), codecs=codecs)


class VectorWriter:
    """Writes a new vector of known length, front to back, in pieces of any size; then `close`.

    Raises SpaceError when the disk is full.
    """

    def __init__(self, path: Path, length: int, dtype: str) -> None:
        metadata = vector_metadata(length, dtype)
        with space_errors(path):
            (path / "c").mkdir(parents=True)
            (path / "zarr.json").write_bytes(orjson.dumps(metadata, option=orjson.OPT_INDENT_2))
        self._path = path
        self._held = np.zeros(shard_length(length), dtype)
        self._length = length
        self._filled = 0
        self._written = 0
        self._shards = 0

    def append(self, values: npt.NDArray[Any]) -> None:
        """Add values at the end."""
        at = 0
        while at < len(values):
            count = min(len(values) - at, len(self._held) - self._filled)
            self._held[self._filled : self._filled + count] = values[at : at + count]
            at += count
            self._filled += count
            if self._filled == len(self._held):
                self._flush()
        self._written += len(values)

    def close(self) -> None:
        """Write the rest. Raises ValueError when more or fewer values came than were announced."""
        if self._written != self._length:
            raise ValueError(f"{self._written} values written to {self._path}, announced {self._length}")
        if self._filled:
            self._flush()

    def _flush(self) -> None:
        """Write the held values as one shard: compressed chunks, then the index and its CRC-32C."""
        self._held[self._filled :] = 0
        index = np.full((len(self._held) // CHUNK, 2), NEVER_WRITTEN, "<u8")
        path = self._path / "c" / str(self._shards)
        with space_errors(path), path.open("wb") as stream:
            for chunk, start in enumerate(range(0, self._filled, CHUNK)):
                packed = blosc.compress(self._held[start : start + CHUNK], b"lz4", 1, blosc.BITSHUFFLE, 0)
                index[chunk] = (stream.tell(), len(packed))
                stream.write(packed)
            write_index(stream, index)
        self._filled = 0
        self._shards += 1


@njit(cache=True, nogil=True)
def _read_run(address: Any, length: Any, first: int, words: Any, out: Any) -> int:
    """Copy a run out of chunks (address, length: uint64 [A]) into out; `first` counts from the first chunk.

    `words` is scratch of one chunk. Returns −1, or the number of the first damaged chunk.
    """
    size = np.zeros(3, np.uint64)
    done = 0
    for a in range(address.shape[0]):
        if not chunks.unpack(address[a], length[a], words, size):
            return a
        start = first - a * words.shape[0] if a == 0 else 0
        count = min(words.shape[0] - start, out.shape[0] - done)
        out[done : done + count] = words[start : start + count]
        done += count
    return -1


class MappedVector:
    """One vector; its shards are mapped when first touched. `vector[a:b]` decompresses that run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            meta = orjson.loads((path / "zarr.json").read_bytes())
        except (OSError, orjson.JSONDecodeError) as error:
            raise damaged(path / "zarr.json", f"cannot be read ({type(error).__name__})") from error
        self._length = int(meta["shape"][0])
        self._shard_chunks = int(meta["chunk_grid"]["configuration"]["chunk_shape"][0]) // CHUNK
        self.dtype = np.dtype(meta["data_type"])
        self._shards: dict[int, tuple[Any, npt.NDArray[np.uint64]]] = {}

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, run: slice) -> npt.NDArray[Any]:
        """Values of a run. Raises DamagedError naming the shard and chunk when its bytes are damaged."""
        start, stop, _ = run.indices(self._length)
        out = np.empty(max(stop - start, 0), self.dtype)
        if not len(out):
            return out
        per = self._shard_chunks
        numbers = range(start // CHUNK, -(-stop // CHUNK))
        where = np.array([self._shard(n // per)[n % per] for n in numbers])
        words = np.empty(CHUNK, self.dtype)
        bad = _read_run(where[:, 0].copy(), where[:, 1].copy(), start % CHUNK, words, out)
        if bad >= 0:
            number = numbers[bad]
            raise damaged(self.shard_path(number // per), f"chunk {number % per} is damaged")
        return out

    def shard_path(self, shard: int) -> Path:
        """File of a shard."""
        return self.path / "c" / str(shard)

    def _shard(self, shard: int) -> npt.NDArray[np.uint64]:
        if (known := self._shards.get(shard)) is None:
            known = self._shards[shard] = map_shard(self.shard_path(shard), (self._shard_chunks,))
        return known[1]
