"""Participants: their keys, the identifiers behind them, and who has withdrawn.

    <root>/cohorts/key                          32 random bytes, mode 0600; keys are made with it
    <root>/cohorts/identities/<people>.parquet  participant uint64, identifier text; mode 0600; sorted by key
    <root>/cohorts/withdrawn.jsonl             {"key": 16 hex digits, "people", "when", "reason"}; append-only

A key is the first 64 bits of HMAC-SHA256(key of the root, people + NUL + identifier): without the root's
key nobody can tell from a list of identifiers who is in a table. The same people and identifier give the
same key in every cohort of a root, in none of another root.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nexome.model.errors import DamagedError, InputError
from nexome.store.cohorts.manifest import FOLDER, IDENTITIES
from nexome.store.disk import fsync_path, mend_log, now_iso, space_errors, write_atomic

KEY_NAME: Final = "key"
WITHDRAWN_NAME: Final = "withdrawn.jsonl"
KEY_BYTES: Final = 32
_SHA_BLOCK: Final = 64
IDENTITY: Final = pa.schema([("participant", pa.uint64()), ("identifier", pa.string())])

Keys = npt.NDArray[np.uint64]


def root_key(root: Path) -> bytes:
    """The key of a root, made when it is first asked for. Raises DamagedError for one of another length."""
    path = root / FOLDER / KEY_NAME
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        return _make_key(path)
    if len(found) != KEY_BYTES:
        raise DamagedError(
            f"{len(found)} bytes",
            where=str(path),
            expected=f"{KEY_BYTES} bytes",
            todo="Restore it from a backup: without it nobody's rows can be found again.",
        )
    return found


def _make_key(path: Path) -> bytes:
    with space_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".key.{secrets.token_hex(4)}")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, secrets.token_bytes(KEY_BYTES))
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(beside, path)  # fails where another process was first: then theirs is the key
        except FileExistsError:
            pass
        finally:
            beside.unlink()
        fsync_path(path.parent)
    return path.read_bytes()


def participant_key(root: Path, people: str, identifier: str) -> int:
    """The key of one person: uint64. `people` as in `CohortEntry.people_of`."""
    message = people.encode() + b"\0" + identifier.strip().encode()
    return int.from_bytes(hmac.digest(root_key(root), message, "sha256")[:8], "big")


def identifier_texts(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Identifiers as text without blanks around them; '' is null; 12.0 of a number column is '12'."""
    if pa.types.is_floating(column.type):
        whole = pc.cast(column, pa.int64(), safe=False)
        if pc.all(pc.equal(pc.cast(whole, pa.float64()), column)).as_py() is not False:
            column = whole
    texts = pc.utf8_trim_whitespace(pc.cast(column, pa.string()))
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


class KeyMaker:
    """Makes keys of many identifiers, each once, and keeps who they stand for."""

    def __init__(self, root: Path, people: str) -> None:
        self.people = people
        padded = root_key(root).ljust(_SHA_BLOCK, b"\0")  # HMAC, RFC 2104
        inner, outer = (hashlib.sha256(bytes(b ^ pad for b in padded)) for pad in (0x36, 0x5C))
        inner.update(people.encode() + b"\0")
        self._states = (inner, outer)
        self._keys: list[Keys] = []
        self._identifiers: list[pa.Array] = []

    def keys(self, identifiers: pa.Array) -> Keys:
        """uint64 key of each identifier (`identifier_texts`, no null)."""
        encoded = identifiers.dictionary_encode()
        texts = encoded.dictionary.to_pylist()
        keys = np.frombuffer(self._digests(texts), ">u8").astype(np.uint64)
        self._keys.append(keys)
        self._identifiers.append(encoded.dictionary)
        return keys[encoded.indices.to_numpy(zero_copy_only=False)]

    def _digests(self, texts: list[str]) -> bytes:
        """The first 8 bytes of each HMAC; the padded keys are hashed once (half the time of hmac.digest)."""
        inner, outer = self._states
        made = []
        for text in texts:
            within, around = inner.copy(), outer.copy()
            within.update(text.encode())
            around.update(within.digest())
            made.append(around.digest()[:8])
        return b"".join(made)

    def identities(self) -> pa.Table:
        """All keys made with their identifiers, sorted by key, each once.

        Raises InputError when two identifiers have the same key (for 10⁶ people: once in 10⁷ roots).
        """
        keys = np.concatenate(self._keys) if self._keys else np.zeros(0, np.uint64)
        texts = pa.concat_arrays(self._identifiers) if self._identifiers else pa.array([], pa.string())
        return unique_identities(pa.table([pa.array(keys), texts], schema=IDENTITY))


def unique_identities(table: pa.Table) -> pa.Table:
    """A table of IDENTITY sorted by key, each pair once. Raises InputError for two people of one key."""
    table = table.sort_by("participant").combine_chunks()
    keys = table["participant"].to_numpy()
    same = np.flatnonzero(keys[1:] == keys[:-1])
    texts = table["identifier"]
    if len(same) and not pc.all(pc.equal(texts.take(same), texts.take(same + 1))).as_py():
        raise InputError(
            "two participants have the same key by chance",
            where="cohort identities",
            expected="each identifier its own key",
            todo="Import into a new root: it has another key.",
        )
    first = np.ones(len(keys), bool)
    first[1:] = keys[1:] != keys[:-1]
    return table.filter(pa.array(first))


# ---------------------------------------------------------------- identities


def identities_path(root: Path, people: str) -> Path:
    """Where the identifiers of some people lie."""
    return root / FOLDER / IDENTITIES / f"{people}.parquet"


def read_identities(root: Path, people: str) -> pa.Table:
    """Keys and identifiers of some people, sorted by key; empty where there are none."""
    path = identities_path(root, people)
    if not path.exists():
        return IDENTITY.empty_table()
    try:
        return pq.read_table(path, schema=IDENTITY)
    except (pa.ArrowInvalid, OSError) as error:
        raise DamagedError(
            type(error).__name__, where=str(path), expected="keys and identifiers", todo="Restore it."
        ) from None


def write_identities(root: Path, people: str, table: pa.Table) -> None:
    """Put the identifiers of some people in place, mode 0600. Call it under the root's lock."""
    path = identities_path(root, people)
    with space_errors(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sink = BytesIO()
    pq.write_table(table, sink, compression="zstd")
    previous = os.umask(0o077)
    try:
        write_atomic(path, sink.getvalue())
    finally:
        os.umask(previous)


def add_identities(root: Path, people: str, fresh: pa.Table) -> None:
    """Add identifiers to those kept. Raises InputError when two people have one key."""
    kept = read_identities(root, people)
    joined = unique_identities(pa.concat_tables([kept, fresh]))
    if joined.num_rows != kept.num_rows:
        write_identities(root, people, joined)


# ---------------------------------------------------------------- who has withdrawn


def withdrawn_path(root: Path) -> Path:
    """Where the list of withdrawn participants lies."""
    return root / FOLDER / WITHDRAWN_NAME


def read_withdrawn(root: Path) -> Keys:
    """Keys of all who have withdrawn, sorted, each once; a torn last line is left out."""
    return np.unique(
        np.array([int(line["key"], 16) for line in withdrawn_lines(withdrawn_path(root))], np.uint64)
    )


def digest_of(keys: Keys) -> str:
    """Names a list of withdrawn participants, whatever its order; '' for nobody."""
    return hashlib.sha256(np.unique(keys).astype("<u8").tobytes()).hexdigest()[:32] if len(keys) else ""


def withdrawn_lines(path: Path) -> list[Mapping[str, str]]:
    """The lines of a list of withdrawn participants. Raises DamagedError naming one that is none."""
    lines: list[Mapping[str, str]] = []
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return lines
    for number, line in enumerate(content.splitlines(keepends=True), 1):
        if not line.endswith(b"\n"):
            break
        try:
            values = orjson.loads(line)
            int(values["key"], 16)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise DamagedError(
                "a line that names no participant key",
                where=f"{path}, line {number}",
                expected='{"key": "16 hex digits", …}',
                todo="Restore the list from a backup: it keeps withdrawn people out.",
            ) from None
        lines.append(values)
    return lines


def append_withdrawn(root: Path, lines: list[Mapping[str, str]]) -> None:
    """Add lines to the list and flush them to the disk."""
    path = withdrawn_path(root)
    with space_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            mend_log(stream)
            for line in lines:
                stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            stream.flush()
            os.fsync(stream.fileno())
        fsync_path(path.parent)


def withdrawal(key: int, people: str, *, reason: str) -> dict[str, str]:
    """One line of the list."""
    return {"key": f"{key:016x}", "people": people, "when": now_iso(), "reason": reason}
