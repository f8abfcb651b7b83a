"""The arrays of a stored set: VCF Zarr (specification 0.4) in Zarr v3, written and read through TensorStore.

    call_genotype         int8 [variants, samples, ploidy]   −1 not known, −2 no allele
    call_genotype_mask    bool, where call_genotype < 0
    call_genotype_phased  bool [variants, samples]
    call_DS               float32 [variants, samples]         where the source has dosages
    variant_contig int32, variant_position int32, variant_length int32, variant_allele string [variants, 2],
    variant_id string, variant_id_mask bool, variant_quality float32, variant_filter bool [variants, filters],
    variant_rsid uint32 (0 unknown)
    sample_id, contig_id, filter_id string; contig_length int64

Calls are Blosc (zstd, bit shuffle) chunks of at most 1,024 variants, sharded; texts are vlen-utf8 chunks.
sgkit, vcztools and zarr-python read them. What the numbers mean beyond VCF is not known here.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import tensorstore as ts
import zstandard

from nexome.model.errors import DamagedError
from nexome.store.associations.arrays import array_metadata, write_group
from nexome.store.disk import space_errors

VCF_ZARR: Final = "0.4"
CHUNK_VARIANTS: Final = 1024
CHUNK_PEOPLE: Final = 8192
BLOCK_BYTES: Final = 32 << 20  # calls held while writing one band of shards
MAX_SHARD_CHUNKS: Final = 8  # a shard is what must be rewritten, and fetched from S3, at once

TEXT_CHUNK: Final = 65_536
_TYPES: Final = {"int8": np.int8, "bool": np.bool_, "float32": np.float32}
_TEXT_CODECS: Final[list[dict[str, Any]]] = [
    {"name": "vlen-utf8", "configuration": {}},
    {"name": "zstd", "configuration": {"level": 3, "checksum": False}},
]


@dataclass(frozen=True, slots=True)
class Band:
    """How many variants are written at once, and the chunk of calls inside."""

    rows: int
    chunk: int
    people: int

    @classmethod
    def of(cls, people: int) -> Band:
        """Bands and chunks for a set of that many people: memory stays flat, however many they are."""
        fits = max(64, BLOCK_BYTES // (2 * max(1, people)))
        chunk = min(CHUNK_VARIANTS, 1 << (fits.bit_length() - 1))
        return cls(chunk * max(1, min(MAX_SHARD_CHUNKS, fits // chunk)), chunk, min(people, CHUNK_PEOPLE))


class CallArray:
    """One array of calls [V, S] or [V, S, 2], being written band by band, or read by rows."""

    def __init__(self, path: Path, store: Any) -> None:
        self.path = path
        self._store = store

    @classmethod
    def create(cls, path: Path, dtype: str, shape: tuple[int, ...], band: Band) -> CallArray:
        """A new array; `shape` begins with variants, people."""
        dimensions = ["variants", "samples", "ploidy"][: len(shape)]
        inner = [band.chunk, band.people, *shape[2:]]
        shuffle = "bitshuffle" if dtype != "float32" else "shuffle"
        size = np.dtype(_TYPES[dtype]).itemsize
        blosc = {"cname": "zstd", "clevel": 3, "shuffle": shuffle, "typesize": size, "blocksize": 0}
        codecs = [
            {"name": "bytes"} if size == 1 else {"name": "bytes", "configuration": {"endian": "little"}}
        ]
        codecs += [{"name": "blosc", "configuration": blosc}, {"name": "crc32c"}]  # a flipped bit is an error
        sharding = {
            "chunk_shape": inner,
            "codecs": codecs,
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
            "index_location": "end",
        }
        metadata = {
            "shape": list(shape),
            "data_type": dtype,
            "dimension_names": dimensions,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [band.rows, *inner[1:]]}},
            "codecs": [{"name": "sharding_indexed", "configuration": sharding}],
        }
        spec = {"driver": "zarr3", "kvstore": _kvstore(path), "metadata": metadata, "create": True}
        return cls(path, ts.open(spec).result())

    @classmethod
    def open(cls, path: Path) -> CallArray:
        """An array to read from. Raises DamagedError when its metadata cannot be read."""
        try:
            return cls(path, ts.open({"driver": "zarr3", "kvstore": _kvstore(path)}, open=True).result())
        except (ValueError, OSError) as error:
            raise _damaged(path, error) from error

    def write(self, first: int, values: npt.NDArray[Any]) -> None:
        """Write rows from `first` on; whole bands at a time."""
        with space_errors(self.path):
            try:
                self._store[first : first + len(values)].write(values).result()
            except ValueError as error:
                if "No space left" in str(error):  # TensorStore says it in words alone
                    raise OSError(28, "No space left on device") from error
                raise

    def read(self, rows: slice | npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Rows of the array. Raises DamagedError when a chunk cannot be decoded."""
        try:
            return np.asarray(self._store[rows].read().result())
        except ValueError as error:
            raise _damaged(self.path, error) from error


def _kvstore(path: Path) -> dict[str, str]:
    return {"driver": "file", "path": f"{path}/"}


def _damaged(path: Path, error: Exception) -> DamagedError:
    return DamagedError(
        f"cannot be read as Zarr ({type(error).__name__})",
        where=str(path),
        todo="Run `nexome verify`, then restore it from a backup.",
    )


def write_texts(path: Path, values: Sequence[str], *, dimensions: Sequence[str], columns: int = 0) -> None:
    """Write a string array: [N], or [N / columns, columns] from values in C order."""
    width = max(1, columns)
    rows = len(values) // width
    shape = (rows, columns) if columns else (rows,)
    chunk = (min(TEXT_CHUNK, max(1, rows)), *shape[1:])
    metadata = array_metadata(shape, "string", chunk=chunk, codecs=_TEXT_CODECS)
    metadata |= {"fill_value": "", "dimension_names": list(dimensions)}
    path.mkdir(parents=True)
    (path / "zarr.json").write_bytes(orjson.dumps(metadata, option=orjson.OPT_INDENT_2))
    for number, start in enumerate(range(0, rows, chunk[0])):
        part = list(values[start * width : (start + chunk[0]) * width])
        part += [""] * (chunk[0] * width - len(part))  # a chunk at the edge is whole in Zarr
        file = path.joinpath("c", str(number), *(["0"] if columns else []))
        file.parent.mkdir(parents=True, exist_ok=True)
        with space_errors(file):
            file.write_bytes(zstandard.compress(_vlen_encode(part), 3))


def read_texts(path: Path) -> list[str]:
    """All values of a string array, in C order. Raises DamagedError when it cannot be read."""
    try:
        metadata = orjson.loads((path / "zarr.json").read_bytes())
        shape, chunk = metadata["shape"], metadata["chunk_grid"]["configuration"]["chunk_shape"]
        values: list[str] = []
        for number in range(-(-shape[0] // chunk[0])):
            file = path.joinpath("c", str(number), *(["0"] if len(shape) > 1 else []))
            values += _vlen_decode(zstandard.decompress(file.read_bytes()))
    except (OSError, ValueError, KeyError, struct.error, zstandard.ZstdError) as error:
        raise _damaged(path, error) from error
    return values[: int(np.prod(shape))]


def _vlen_encode(values: Sequence[str]) -> bytes:
    # numcodecs' VLenUTF8: a count, then length and bytes of each, all uint32 little endian
    parts = [struct.pack("<I", len(values))]
    for value in values:
        content = value.encode()
        parts += (struct.pack("<I", len(content)), content)
    return b"".join(parts)


def _vlen_decode(content: bytes) -> list[str]:
    (count,) = struct.unpack_from("<I", content)
    values, at = [], 4
    for _ in range(count):
        (length,) = struct.unpack_from("<I", content, at)
        values.append(content[at + 4 : at + 4 + length].decode())
        at += 4 + length
    return values


def write_numbers(path: Path, values: npt.NDArray[Any], *, dimensions: Sequence[str]) -> None:
    """Write a small whole array as one zstd chunk."""
    dtype = values.dtype.name
    chunk = tuple(max(1, n) for n in values.shape)
    codecs = [{"name": "bytes", "configuration": {"endian": "little"}}]
    codecs.append({"name": "zstd", "configuration": {"level": 3, "checksum": False}})
    metadata = array_metadata(values.shape, dtype, chunk=chunk, codecs=codecs)
    metadata |= {"dimension_names": list(dimensions), "fill_value": False if dtype == "bool" else 0}
    if dtype == "float32":
        metadata["fill_value"] = "NaN"
    path.mkdir(parents=True)
    (path / "zarr.json").write_bytes(orjson.dumps(metadata, option=orjson.OPT_INDENT_2))
    if 0 in values.shape:
        return
    file = path.joinpath("c", *["0"] * values.ndim)
    file.parent.mkdir(parents=True)
    with space_errors(file):
        file.write_bytes(zstandard.compress(np.ascontiguousarray(values).tobytes(), 3))


def read_numbers(path: Path) -> npt.NDArray[Any]:
    """A whole array that `write_numbers` wrote. Raises DamagedError when it cannot be read."""
    try:
        metadata = orjson.loads((path / "zarr.json").read_bytes())
        shape, dtype = tuple(metadata["shape"]), np.dtype(metadata["data_type"])
        if 0 in shape:
            return np.zeros(shape, dtype)
        content = zstandard.decompress(path.joinpath("c", *["0"] * len(shape)).read_bytes())
        return np.frombuffer(content, dtype).reshape(shape)
    except (OSError, ValueError, KeyError, zstandard.ZstdError) as error:
        raise _damaged(path, error) from error


def write_set_group(path: Path, *, attributes: dict[str, Any], phased: bool, dosages: bool) -> None:
    """Make `path` the group of a set, with what VCF Zarr asks for."""
    ds = '##FORMAT=<ID=DS,Number=A,Type=Float,Description="Dosage of the alternate allele">'
    meta = [["FORMAT", '<ID=GT,Number=1,Type=String,Description="Genotype">']]
    meta += [["FORMAT", ds.removeprefix("##FORMAT=")]] if dosages else []
    vcf = {"vcf_zarr_version": VCF_ZARR, "source": "nexome", "vcf_meta_information": meta}
    write_group(path, {**vcf, **attributes, "phased": phased, "dosages": dosages})
