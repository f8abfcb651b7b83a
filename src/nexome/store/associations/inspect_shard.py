"""Which inner chunks of a sharded Zarr array a stretch of damaged bytes belongs to.

Reads the shard's index (behind its chunks) as any Zarr reader does. Used by `verify` alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson

from nexome.store.checksums import Damage

_MOST: Final = 4  # chunks named one by one


def name_chunks(folder: Path, damage: Damage) -> str:
    """The damaged file in words: 'plane z, shard 0/2, chunk 5/1 (rows 1280–1535, columns 2112–2175)'.

    For a file that is no shard, or whose index cannot be read, its path inside the folder.
    """
    relative = damage.path.relative_to(folder)
    name = relative.as_posix()
    parts = relative.parts
    if "c" not in parts or not damage.stretches:
        return name
    cut = parts.index("c")
    plane, shard = "/".join(parts[:cut]), [int(p) for p in parts[cut + 1 :]]
    geometry = _geometry(folder.joinpath(*parts[:cut]))
    if geometry is None:
        return name
    title = f"plane {plane}, shard {'/'.join(map(str, shard))}"
    chunks = _chunks_hit(damage, geometry)
    if chunks is None:
        return f"{title}, its index"
    texts = [_chunk_text(chunk, shard, geometry) for chunk in chunks[:_MOST]]
    more = f" and {len(chunks) - _MOST} more" if len(chunks) > _MOST else ""
    return f"{title}, " + "; ".join(texts) + more


def _geometry(
    array: Path,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]] | None:
    """Shapes of the array, a shard and an inner chunk; None when the array is not sharded."""
    try:
        meta: dict[str, Any] = orjson.loads((array / "zarr.json").read_bytes())
        codec = meta["codecs"][0]
        inner = codec["configuration"]["chunk_shape"] if codec["name"] == "sharding_indexed" else None
        shard = meta["chunk_grid"]["configuration"]["chunk_shape"]
    except (OSError, ValueError, KeyError, IndexError):
        return None
    return None if inner is None else (np.array(meta["shape"]), np.array(shard), np.array(inner))


def _chunks_hit(damage: Damage, geometry: Any) -> list[tuple[int, ...]] | None:
    """Inner chunks that share a byte with the damage; None when the index itself is hit."""
    _, shard, inner = geometry
    grid = tuple((shard // inner).tolist())
    content = damage.path.read_bytes()
    start = len(content) - 16 * int(np.prod(grid)) - 4
    if start < 0:
        return None
    index = np.frombuffer(content[start:-4], "<u8").reshape(-1, 2)
    hit = np.zeros(len(index), bool)
    first, size = index[:, 0].astype(np.float64), index[:, 1].astype(np.float64)
    for low, high in damage.stretches:
        hit |= (first <= high) & (first + size > low)
    if not hit.any():
        return None
    return [tuple(int(i) for i in np.unravel_index(n, grid)) for n in np.flatnonzero(hit)]


def _chunk_text(chunk: tuple[int, ...], shard: list[int], geometry: Any) -> str:
    shape, per_shard, inner = geometry
    first = np.array(shard) * per_shard + np.array(chunk) * inner
    last = np.minimum(first + inner, shape) - 1
    axes = ("rows", "columns") if len(shape) == 2 else ("values",)
    spans = [f"{a} {low}–{high}" for a, low, high in zip(axes, first.tolist(), last.tolist(), strict=True)]
    return f"chunk {'/'.join(map(str, chunk))} ({', '.join(spans)})"
