"""sources.yaml: which knowledge a centre takes, pinned by version and checksum; and fetching it.

    sources:
      - name: hp
        version: "2025-01-16"
        url: https://…/hp.obo          or files: [hp.obo.gz]   (beside this list)
        sha256: 64 digits              optional; checked after a download and before a load
        licence: …
        redistribution: allowed | forbidden
        access: open | private
        format, prefix, language, predicate, map: {id: code}     as `nexome knowledge load` has them

A download goes to `<folder>/<file>.part` and goes on where it stopped; it is renamed when it is whole and
its checksum fits. Only http and https are followed.
"""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from nexome.formats.knowledge import KnowledgeOptions
from nexome.model.errors import DamagedError, FormatError, InputError, NotFoundError
from nexome.store.checksums import sha256_file
from nexome.store.disk import fsync_path, space_errors
from nexome.store.knowledge import NewSource

_CHUNK: Final = 1 << 20
_TIMEOUT_S: Final = 60.0
_ATTEMPTS: Final = 5
_KEYS: Final = frozenset(
    (
        *("name", "version", "title", "url", "files", "sha256", "licence", "redistribution", "access"),
        *("format", "prefix", "language", "predicate", "map", "note"),
    )
)
_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")
_REDISTRIBUTION: Final = {"allowed": True, "forbidden": False, None: None}

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class PinnedSource:
    """One source of a list. `files`: where it lies, or will lie once fetched."""

    new: NewSource
    sha256: str = ""
    urls: tuple[str, ...] = field(default=())


def read_sources(path: Path, downloads: Path | None = None) -> list[PinnedSource]:
    """The sources of a list, files beside it or in `downloads` where they are fetched to.

    Raises NotFoundError, FormatError naming what is wrong with which source.
    """
    if not path.is_file():
        raise NotFoundError("there is no such file", where=str(path))
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise FormatError("not YAML", where=f"{path}{place}", expected="a list under 'sources'") from None
    listed = content.get("sources") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        raise FormatError("no list under 'sources'", where=str(path), expected="sources: [{name: …}]")
    sources = [_source(path, number, entry, downloads) for number, entry in enumerate(listed, 1)]
    names = [source.new.name for source in sources]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise FormatError(f"named twice: {', '.join(twice)}", where=str(path), expected="each source once")
    return sources


def _source(path: Path, number: int, entry: Any, downloads: Path | None) -> PinnedSource:
    where = f"{path}, source {number}"
    if not isinstance(entry, dict) or not entry.get("name"):
        raise FormatError("no name", where=where, expected="name, and url or files")
    if unknown := sorted(set(entry) - _KEYS):
        raise FormatError(f"unknown: {', '.join(unknown)}", where=where, expected=", ".join(sorted(_KEYS)))
    said = entry.get("redistribution")
    if said not in _REDISTRIBUTION:
        raise FormatError(f"redistribution {said!r}", where=where, expected="allowed or forbidden")
    access = entry.get("access")
    if access not in ("open", "private", None):
        raise FormatError(f"access {access!r}", where=where, expected="open or private")
    url = str(entry.get("url") or "")
    folder = downloads or path.parent
    files = [path.parent / str(file) for file in entry.get("files") or ()]
    if not files and not url:
        raise FormatError("neither url nor files", where=where, expected="where it comes from")
    files = files or [folder / _file_name(url, where)]
    options = KnowledgeOptions(
        **{name: str(entry.get(name) or "") for name in ("format", "prefix", "language", "predicate")},
        mapping=_mapping(entry.get("map"), where),
    )
    told = {name: str(entry.get(name) or "") for name in ("version", "title", "licence")}
    checksum = entry.get("sha256") or ""
    if checksum and not (isinstance(checksum, str) and _SHA256.fullmatch(checksum)):
        raise FormatError("sha256 is none", where=where, expected="64 hexadecimal digits, in quotes")
    new = NewSource(
        str(entry["name"]),
        files,
        url=url,
        redistribution=_REDISTRIBUTION[said],
        access=access,
        options=options,
        **told,
    )
    return PinnedSource(new, checksum.lower(), (url,) if url else ())


def _mapping(value: Any, where: str) -> Mapping[str, str]:
    if value is not None and not isinstance(value, dict):
        raise FormatError("map is no mapping", where=where, expected="map: {id: column}")
    return {str(term): str(column) for term, column in (value or {}).items()}


def _file_name(url: str, where: str) -> str:
    parts = urllib.parse.urlsplit(url)
    name = Path(parts.path).name
    if parts.scheme not in {"http", "https"} or not name or name.startswith("."):
        raise FormatError(f"url {url[:120]!r}", where=where, expected="http(s)://…/file")
    return name


def check_pinned(source: PinnedSource) -> None:
    """Raises DamagedError where a file is not the one that the list pins."""
    if source.sha256 and len(source.new.files) == 1 and source.new.files[0].is_file():
        found = sha256_file(source.new.files[0])
        if found != source.sha256:
            raise _other_bytes(source, found, source.new.files[0])


def fetch_source(source: PinnedSource, progress: Progress | None = None) -> Path:
    """Download a source unless it is there already, going on where an earlier attempt stopped.

    Returns its file. Raises NotFoundError, InputError for what the server refuses, DamagedError where the
    checksum is another (the bytes are then thrown away), SpaceError.
    """
    if not source.urls:
        raise InputError(f"source {source.new.name} has no url", expected="a url, or files beside the list")
    target = source.new.files[0]
    if target.is_file() and (not source.sha256 or sha256_file(target) == source.sha256):
        return target
    part = target.with_name(f"{target.name}.part")
    with space_errors(part):
        part.parent.mkdir(parents=True, exist_ok=True)
        _download(source.urls[0], part, source.new.name, progress)
        fsync_path(part)
    if source.sha256 and (found := sha256_file(part)) != source.sha256:
        part.unlink()
        raise _other_bytes(source, found, target)
    part.replace(target)
    fsync_path(target.parent)
    return target


def _download(url: str, part: Path, name: str, progress: Progress | None) -> None:
    """Append what is missing to `part`; a connection that breaks is taken up again."""
    for attempt in range(_ATTEMPTS):
        try:
            _continue(url, part, name, progress)
        except urllib.error.HTTPError as error:
            raise _refused(url, f"HTTP {error.code} {error.reason}") from None
        except (http.client.IncompleteRead, ConnectionError, TimeoutError, urllib.error.URLError) as error:
            if attempt == _ATTEMPTS - 1:
                raise _refused(url, f"{getattr(error, 'reason', error)}") from None
        else:
            return


def _continue(url: str, part: Path, name: str, progress: Progress | None) -> None:
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-", "Accept-Encoding": "identity"} if have else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  checked: http and https alone
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_S)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            return  # it was whole already
        raise
    with response:
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        have = have if resumed else 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length and length.isdigit() else None
        with part.open("ab" if resumed else "wb") as out:
            while chunk := response.read(_CHUNK):
                out.write(chunk)
                have += len(chunk)
                if progress is not None:
                    progress(name, have, total)
        if total is not None and have < total:
            raise http.client.IncompleteRead(b"", total - have)


def _refused(url: str, found: str) -> InputError:
    return InputError(
        found,
        where=url,
        expected="the file",
        todo="Try again later: what was fetched is kept. Or get it elsewhere and name it under 'files'.",
    )


def _other_bytes(source: PinnedSource, found: str, path: Path) -> DamagedError:
    return DamagedError(
        f"SHA-256 {found}",
        where=str(path),
        expected=f"{source.sha256} (pinned for {source.new.name})",
        todo="The release has changed, or the file is damaged: compare with the publisher's checksum.",
    )
