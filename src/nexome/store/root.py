"""The root: one folder that holds everything of one centre, its settings and its event log.

    <root>/root.json       stamped: id, created, home assembly with the digests of its sequences
    <root>/nexome.toml     settings, written by people; absent means the defaults
    <root>/events.jsonl    what happened, one JSON object a line: sequence, time, kind, …

A root has one home assembly for good. Events are only appended; a line torn by a crash is dropped
by the next append. What the stores hold is not described here.
"""

from __future__ import annotations

import base64
import fcntl
import gzip
import hashlib
import os
import secrets
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from nexome.model.errors import DamagedError, FormatError, InputError, NotFoundError, SettingsError
from nexome.model.genome import Assembly, Contig, assembly_from_contigs
from nexome.model.settings import Settings
from nexome.store.disk import mend_log, now_iso, read_stamped, space_errors, write_stamped

KIND: Final = "nexome-root"
VERSION: Final = 1
ROOT_NAME: Final = "root.json"
SETTINGS_NAME: Final = "nexome.toml"
EVENTS_NAME: Final = "events.jsonl"
ENVIRONMENT_PREFIX: Final = "NEXOME_"

_GZIP_MAGIC: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the event log. `values` holds what is particular to its kind."""

    sequence: int
    time: str
    kind: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Root:
    """An opened root. `id` stays the same through backups and restores."""

    path: Path
    id: str
    created: str
    assembly: Assembly
    settings: Settings

    def append_event(self, kind: str, **values: Any) -> int:
        """Append one event and flush it to the disk; returns its sequence number.

        Safe from several processes at once. Raises SpaceError when the disk is full.
        """
        return self.append_events(kind, [values])[0]

    def append_events(self, kind: str, each: Sequence[Mapping[str, Any]]) -> list[int]:
        """Append an event of one kind for each mapping, flushed to the disk once; their sequence numbers.

        Safe from several processes at once. A crash may leave the first of them only. Raises SpaceError
        when the disk is full.
        """
        path = self.path / EVENTS_NAME
        with space_errors(path), path.open("a+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            line = mend_log(stream)
            first = 1 if line is None else _parse_event(line, f"the last line of {EVENTS_NAME}").sequence + 1
            for sequence, values in enumerate(each, first):
                event = {"sequence": sequence, "time": now_iso(), "kind": kind, **values}
                stream.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))
            stream.flush()
            os.fsync(stream.fileno())
        return list(range(first, first + len(each)))

    def read_events(self, after: int = 0, *, kinds: Collection[str] = ()) -> Iterator[Event]:
        """Events with a sequence number above `after`, in order; a torn last line is left out.

        With `kinds` those alone, without reading the lines of others closely: a log of a hundred thousand
        lines costs milliseconds. Raises DamagedError naming the line when a line read cannot be.
        """
        marks = [f'"kind":"{kind}"'.encode() for kind in kinds]
        path = self.path / EVENTS_NAME
        if not path.exists():
            return
        with path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if not line.endswith(b"\n"):
                    return
                if marks and not any(mark in line for mark in marks):
                    continue
                event = _parse_event(line, f"{path}, line {number}")
                if event.sequence > after and (not kinds or event.kind in kinds):
                    yield event


def create_root(path: Path, *, assembly: Assembly, settings: Mapping[str, Any] | None = None) -> Root:
    """Make a new root in an empty or absent folder, with `assembly` as its home for good.

    `settings` are written to nexome.toml when given. Raises InputError when the folder holds
    something already.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(
            "something is there already",
            where=str(path),
            expected="an empty folder, or none",
            todo="Choose another folder, or use the root that is there.",
        )
    chosen = dict(settings or {})
    Settings.from_mapping(chosen)
    with space_errors(path):
        path.mkdir(parents=True, exist_ok=True)
        if chosen:
            (path / SETTINGS_NAME).write_text(_toml(chosen), encoding="utf-8")
    values = {"id": secrets.token_hex(8), "created": now_iso(), "assembly": assembly.as_dict()}
    write_stamped(path / ROOT_NAME, values, kind=KIND, version=VERSION)
    return open_root(path)


def open_root(path: Path) -> Root:
    """Open a root; its settings come from nexome.toml, then from NEXOME_… variables.

    Raises NotFoundError when there is no root, DamagedError when root.json is broken,
    SettingsError naming a setting that is unknown or out of range.
    """
    if not (path / ROOT_NAME).exists():
        raise NotFoundError(
            "no Nexome root there",
            where=str(path),
            expected=f"a folder with {ROOT_NAME}",
            todo="Make one with `nexome init`, or give the right folder with --root.",
        )
    values = read_stamped(path / ROOT_NAME, kind=KIND, version=VERSION)
    try:
        assembly = Assembly.from_dict(values["assembly"])
        identity, created, digest = values["id"], values["created"], values["assembly"]["digest"]
    except (KeyError, TypeError) as error:
        raise DamagedError(f"a root without {error}", where=str(path / ROOT_NAME)) from error
    if assembly.digest != digest:
        raise DamagedError(
            f"contigs with digest {assembly.digest}",
            where=str(path / ROOT_NAME),
            expected=f"the home assembly {digest}",
            todo="Restore root.json from a backup: the home assembly of a root never changes.",
        )
    return Root(path, identity, created, assembly, read_settings(path))


def read_settings(path: Path) -> Settings:
    """Settings of a root: the defaults, then nexome.toml, then the environment."""
    file = path / SETTINGS_NAME
    values: dict[str, Any] = {}
    if file.exists():
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(str(error), where=str(file), expected="TOML: name = value") from None
        Settings.from_mapping(values, where=str(file))
    known = {f.name for f in fields(Settings)}
    for variable, value in os.environ.items():
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        if variable.startswith(ENVIRONMENT_PREFIX) and name in known:
            Settings.from_mapping({name: value}, where=f"environment variable {variable}")
            values[name] = value
    return Settings.from_mapping(values, where=str(file))


def _toml(values: Mapping[str, Any]) -> str:
    lines = []
    for name, value in values.items():
        # JSON strings, whole numbers and true/false are TOML as they are.
        lines.append(f"{name} = {orjson.dumps(value).decode()}\n")
    return "".join(lines)


# ---------------------------------------------------------------- events


def _parse_event(line: bytes, where: str) -> Event:
    try:
        values = orjson.loads(line)
        return Event(values.pop("sequence"), values.pop("time"), values.pop("kind"), values)
    except (orjson.JSONDecodeError, KeyError, AttributeError):
        raise DamagedError(
            "a line that is not an event",
            where=where,
            expected="a JSON object with sequence, time and kind",
            todo="Restore events.jsonl from a backup.",
        ) from None


# ---------------------------------------------------------------- assemblies


def known_assemblies() -> list[str]:
    """Names of the assemblies that come with Nexome."""
    folder = resources.files("nexome.model").joinpath("assemblies")
    return sorted(f.name.removesuffix(".json") for f in folder.iterdir() if f.name.endswith(".json"))


def load_assembly(name: str) -> Assembly:
    """An assembly that comes with Nexome, by name or alias ('GRCh38', 'hg38').

    Raises NotFoundError listing the known names.
    """
    folder = resources.files("nexome.model").joinpath("assemblies")
    for known in known_assemblies():
        values = orjson.loads(folder.joinpath(f"{known}.json").read_bytes())
        if name.strip().lower() in {n.lower() for n in (values["name"], *values["aliases"])}:
            return Assembly.from_dict(values)
    raise NotFoundError(
        f"no assembly {name[:60]!r}",
        expected=f"one of {', '.join(known_assemblies())}",
        todo="For another genome give its FASTA, FASTA index or a file of contig names and lengths.",
    )


def read_assembly(path: Path, *, name: str = "", species: str = "") -> Assembly:
    """An assembly from a FASTA, a FASTA index (.fai), or a file of names and lengths.

    From a FASTA (plain or gzip) each contig gets its GA4GH digest; from the other two digests stay
    empty, so they identify the assembly by names and lengths alone. `name` defaults to the file's.
    Raises FormatError naming the line that cannot be read.
    """
    name = name or path.name.removesuffix(".gz").rsplit(".", 1)[0]
    with _open_text(path) as stream:
        first = stream.read(1)
        stream.seek(0)
        contigs = list(_contigs_of_fasta(stream, path) if first == b">" else _contigs_of_table(stream, path))
    if not contigs:
        raise FormatError("no contigs", where=str(path), expected="a FASTA, or lines of name and length")
    names = [c.name for c in contigs]
    if twice := sorted({n for n in names if names.count(n) > 1}) if len(set(names)) < len(names) else []:
        raise FormatError(f"contig {twice[0]!r} twice", where=str(path), expected="each contig once")
    rows = [(c.name, c.length_bp, c.digest) for c in contigs]
    return assembly_from_contigs(name, species, rows)


def sequence_digest(sequence: bytes) -> str:
    """GA4GH refget digest of a sequence: 'SQ.' and sha512t24u of its letters in upper case.

    >>> sequence_digest(b"ACGT")
    'SQ.aKF498dAxcJAqme6QYQ7EZ07-fiw8Kw2'
    """
    return _refget(hashlib.sha512(sequence.upper()))


def _refget(digest: Any) -> str:
    # sha512t24u, GA4GH computed identifiers: the first 24 bytes of SHA-512, base64url
    return "SQ." + base64.urlsafe_b64encode(digest.digest()[:24]).decode()


def _open_text(path: Path) -> BinaryIO:
    with path.open("rb") as stream:
        packed = stream.read(2) == _GZIP_MAGIC
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _contigs_of_fasta(stream: BinaryIO, path: Path) -> Iterator[Contig]:
    name, length, digest = "", 0, hashlib.sha512()
    for number, line in enumerate(stream, 1):
        text = line.strip()
        if text.startswith(b">"):
            if name:
                yield Contig(name, length, _refget(digest))
            words = text[1:].split()
            if not words:
                raise FormatError("a header without a name", where=f"{path}, line {number}")
            name, length, digest = words[0].decode(), 0, hashlib.sha512()
        elif not text.replace(b"*", b"").replace(b"-", b"").isalpha() and text:
            raise FormatError("not a sequence", where=f"{path}, line {number}", expected="letters of bases")
        else:
            length += len(text)
            digest.update(text.upper())
    if name:
        yield Contig(name, length, _refget(digest))


def _contigs_of_table(stream: BinaryIO, path: Path) -> Iterator[Contig]:
    for number, line in enumerate(stream, 1):
        words = line.decode(errors="replace").split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 2 or not words[1].replace(",", "").isdigit():
            raise FormatError(
                f"{line.decode(errors='replace').strip()[:60]!r}",
                where=f"{path}, line {number}",
                expected="a contig name and its length in bases",
            )
        yield Contig(words[0], int(words[1].replace(",", "")))
