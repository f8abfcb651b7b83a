"""Plain Zarr v3 arrays of one uncompressed chunk: written with NumPy, read by memory map.

    <array>/zarr.json    metadata
    <array>/c/0/…        the chunk: C order, little endian

Anything that reads Zarr v3 reads them; so does `numpy.fromfile`. Used for axes, columns and the small
tables of segments. Sharded planes of dense segments are written in `dense`.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson

from nexome.model.errors import DamagedError
from nexome.store.disk import space_errors

_NAMES: Final = {
    "int8": "<i1",
    "uint8": "<u1",
    "int16": "<i2",
    "uint16": "<u2",
    "int32": "<i4",
    "uint32": "<u4",
    "int64": "<i8",
    "uint64": "<u8",
    "float32": "<f4",
    "float64": "<f8",
}
_madvise: Final = ctypes.CDLL(None).madvise
_madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)

RAW_CODECS: Final = [{"name": "bytes", "configuration": {"endian": "little"}}]


def array_metadata(
    shape: tuple[int, ...],
    dtype: str,
    *,
    chunk: tuple[int, ...],
    codecs: list[dict[str, Any]] | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The zarr.json of an array, as plain values; `dtype` is a Zarr data type name."""
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunk)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0 if "int" in dtype else "NaN",
        "codecs": RAW_CODECS if codecs is None else codecs,
        "attributes": dict(attributes or {}),
    }


def write_group(folder: Path, attributes: Mapping[str, Any]) -> None:
    """Make `folder` a Zarr v3 group with these attributes."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder, {"zarr_format": 3, "node_type": "group", "attributes": dict(attributes)})


def read_attributes(folder: Path) -> dict[str, Any]:
    """The attributes of a group or array. Raises DamagedError when its zarr.json is not one."""
    return dict(_read_json(folder)["attributes"])


def write_array(folder: Path, values: npt.NDArray[Any], attributes: Mapping[str, Any] | None = None) -> None:
    """Write a whole array as one chunk."""
    with create_array(folder, values.shape, values.dtype.name, attributes) as target:
        target[...] = values


@contextmanager
def create_array(
    folder: Path, shape: tuple[int, ...], dtype: str, attributes: Mapping[str, Any] | None = None
) -> Iterator[npt.NDArray[Any]]:
    """A new one-chunk array to fill in place, mapped from its file; flushed on leaving."""
    folder.mkdir(parents=True, exist_ok=True)
    chunk = tuple(max(1, n) for n in shape)
    _write_json(folder, array_metadata(shape, dtype, chunk=chunk, attributes=attributes))
    if 0 in shape:  # no chunk at all: nothing to keep
        yield np.empty(shape, _NAMES[dtype])
        return
    path = _chunk_path(folder, len(shape))
    path.parent.mkdir(parents=True, exist_ok=True)
    size = np.dtype(_NAMES[dtype]).itemsize * int(np.prod(shape, dtype=np.int64))
    with space_errors(path):
        # Room is taken before mapping: a full disk is then an error here, not a bus error later.
        with path.open("wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, size)
        mapped = np.memmap(path, dtype=_NAMES[dtype], mode="r+", shape=shape)
        yield np.asarray(mapped)
        mapped.flush()


def open_array(folder: Path) -> npt.NDArray[Any]:
    """A one-chunk array, mapped read-only. Raises DamagedError when the file is missing or cut.

    Only what is touched is read from the disk: say `read_soon` before reading a long stretch.
    """
    meta = _read_json(folder)
    shape = tuple(meta["shape"])
    dtype = np.dtype(_NAMES[meta["data_type"]])
    if 0 in shape:
        return np.empty(shape, dtype)
    path = _chunk_path(folder, len(shape))
    expected = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    try:
        found = path.stat().st_size
    except FileNotFoundError:
        found = -1
    if found != expected:
        raise DamagedError(
            "no such file" if found < 0 else f"{found} bytes",
            where=str(path),
            expected=f"{expected} bytes",
            todo="Run `nexome verify`, then restore the store from a backup.",
        )
    values = np.asarray(np.memmap(path, dtype=dtype, mode="r", shape=shape))
    _madvise(values.ctypes.data, values.nbytes, mmap.MADV_RANDOM)
    return values


def read_soon(values: npt.NDArray[Any]) -> None:
    """Tell the kernel that this stretch of a mapped array will be read now."""
    advise_range(values.ctypes.data, values.ctypes.data + values.nbytes)


def advise_range(start: int, stop: int) -> None:
    """Tell the kernel that the mapped bytes at these addresses will be read now."""
    page = start - start % mmap.PAGESIZE
    _madvise(page, stop - page, mmap.MADV_WILLNEED)


def _chunk_path(folder: Path, dimensions: int) -> Path:
    return folder.joinpath("c", *["0"] * dimensions)


def _write_json(folder: Path, values: dict[str, Any]) -> None:
    with space_errors(folder):
        (folder / "zarr.json").write_bytes(orjson.dumps(values, option=orjson.OPT_INDENT_2))


def _read_json(folder: Path) -> dict[str, Any]:
    path = folder / "zarr.json"
    try:
        return dict(orjson.loads(path.read_bytes()))
    except (OSError, orjson.JSONDecodeError) as error:
        raise DamagedError(
            f"cannot be read as Zarr metadata ({type(error).__name__})",
            where=str(path),
            todo="Run `nexome verify`, then restore the store from a backup.",
        ) from error
