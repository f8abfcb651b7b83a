"""Checksums of published folders: which file is not what was written, and where in it.

    SHA256SUMS    '<64 digits>  <path>' a line, as coreutils write it: `sha256sum -c` checks it anywhere
    BLOCKSUMS     one line of JSON ({"block": 4096, "files": [[path, bytes], …]}), then the CRC-32 of each
                  block of 4,096 bytes of each of these files, uint32 little endian; it stands in SHA256SUMS

The SHA-256 of SHA256SUMS identifies the whole folder; the manifest keeps it. Nothing is mended here.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson

from nexome.store.disk import damaged, space_errors, write_atomic

SUMS_NAME: Final = "SHA256SUMS"
BLOCKS_NAME: Final = "BLOCKSUMS"
BLOCK_BYTES: Final = 4096

_READ_BYTES: Final = 1 << 20
_THREADS: Final = 2

Blocks = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Damage:
    """One file that is not what was written. `stretches`: first and last byte of each."""

    path: Path
    found: str
    stretches: tuple[tuple[int, int], ...] = ()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file as 64 hexadecimal digits, read in pieces."""
    return _digest_file(path)[0]


def _digest_file(path: Path) -> tuple[str, Blocks, int]:
    """SHA-256, CRC-32 of each block, and size of a file, in one reading."""
    digest, blocks, size = hashlib.sha256(), [], 0
    with path.open("rb", buffering=0) as stream:
        while piece := _read_fully(stream):
            digest.update(piece)
            view = memoryview(piece)
            blocks += [zlib.crc32(view[at : at + BLOCK_BYTES]) for at in range(0, len(view), BLOCK_BYTES)]
            size += len(piece)
    return digest.hexdigest(), np.array(blocks, "<u4"), size


def _digest_files(paths: list[Path]) -> list[tuple[str, Blocks, int]]:
    """The digests of several files, on threads when there is more to read than a thread costs."""
    if sum(path.stat().st_size for path in paths) <= _READ_BYTES:
        return [_digest_file(path) for path in paths]
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(_digest_file, paths))


def _read_fully(stream: object) -> bytes:
    """The next _READ_BYTES, or what is left: a raw read may give less, and blocks must not shift."""
    parts, left = [], _READ_BYTES
    while left and (part := stream.read(left)):  # type: ignore[attr-defined]
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def list_files(folder: Path) -> list[str]:
    """Relative paths ('a/b') of all files below a folder, sorted; the two lists themselves are left out."""
    found = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return sorted(name for name in found if name not in {SUMS_NAME, BLOCKS_NAME})


def write_checksums(folder: Path) -> str:
    """Write SHA256SUMS and BLOCKSUMS for all files below `folder`; returns the folder's digest.

    Reads every file once, two at a time. Raises SpaceError when the disk is full.
    """
    names = list_files(folder)
    digests = _digest_files([folder / n for n in names])
    sizes = [[n, d[2]] for n, d in zip(names, digests, strict=True)]
    head = orjson.dumps({"block": BLOCK_BYTES, "files": sizes}, option=orjson.OPT_APPEND_NEWLINE)
    with space_errors(folder), (folder / BLOCKS_NAME).open("wb") as stream:
        stream.write(head)
        for _, blocks, _ in digests:
            stream.write(blocks.tobytes())
    lines = [(n, d[0]) for n, d in zip(names, digests, strict=True)]
    lines = sorted([*lines, (BLOCKS_NAME, sha256_file(folder / BLOCKS_NAME))])
    text = "".join(f"{value}  {name}\n" for name, value in lines).encode()
    write_atomic(folder / SUMS_NAME, text)
    return hashlib.sha256(text).hexdigest()


def read_checksums(folder: Path, *, digest: str = "") -> dict[str, str]:
    """Relative path → SHA-256 from a folder's SHA256SUMS.

    Raises DamagedError when the list is missing, malformed or, with `digest` given, not the list
    that was published.
    """
    path = folder / SUMS_NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise damaged(path, "no such file", "the folder's list of checksums") from None
    if digest and hashlib.sha256(content).hexdigest() != digest:
        raise damaged(path, "a list that is not the one published", f"SHA-256 {digest}")
    sums: dict[str, str] = {}
    for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
        value, _, name = line.partition("  ")
        if len(value) != 64 or not name:
            raise damaged(path, f"line {number} is malformed", "'<64 digits>  <path>'")
        sums[name] = value
    return sums


def find_damage(folder: Path, *, digest: str = "") -> Iterator[Damage]:
    """Compare a folder with its lists; yields what differs, nothing when all is whole.

    Raises DamagedError when the list itself is missing or not the one published.
    """
    expected = read_checksums(folder, digest=digest)
    present = [name for name in expected if (folder / name).is_file()]
    found = dict(zip(present, _digest_files([folder / n for n in present]), strict=True))
    blocks = _read_blocks(folder) if found.get(BLOCKS_NAME, ("",))[0] == expected.get(BLOCKS_NAME) else {}
    for name, value in expected.items():
        if name not in found:
            yield Damage(folder / name, "missing")
        elif found[name][0] != value:
            yield _describe(folder / name, found[name], blocks.get(name))
    for name in list_files(folder):
        if name not in expected:
            yield Damage(folder / name, "not in the list of checksums")


def _describe(path: Path, found: tuple[str, Blocks, int], known: tuple[int, Blocks] | None) -> Damage:
    if known is None:
        return Damage(path, "changed")
    size, blocks = known
    if found[2] != size:
        return Damage(path, f"{found[2]} bytes instead of {size}")
    bad = np.flatnonzero(found[1] != blocks)
    edges = np.flatnonzero(np.diff(bad, prepend=-2) != 1)
    runs = np.split(bad, edges[1:])
    stretches = tuple((int(r[0]) * BLOCK_BYTES, min(size, (int(r[-1]) + 1) * BLOCK_BYTES) - 1) for r in runs)
    text = ", ".join(f"{first}–{last}" for first, last in stretches[:5])
    return Damage(path, f"changed in bytes {text}", stretches)


def _read_blocks(folder: Path) -> dict[str, tuple[int, Blocks]]:
    """Size and block sums of each file, from a BLOCKSUMS known to be whole."""
    content = (folder / BLOCKS_NAME).read_bytes()
    head, _, rest = content.partition(b"\n")
    sums, at, known = np.frombuffer(rest, "<u4"), 0, {}
    for name, size in orjson.loads(head)["files"]:
        count = -(-size // BLOCK_BYTES)
        known[name] = (size, sums[at : at + count])
        at += count
    return known
