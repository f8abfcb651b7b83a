"""Papers that were imported: versions that never change, the newest read by default.

    <root>/papers/<paper>/<version>/paper.json     kind "nexome-paper", sealed: the paper as JSON values
    <root>/papers/<paper>/<version>/source<ending> the file as it came
    <root>/papers/<paper>/links.json               (later) links of indicators: beside the versions, they stay

`<paper>` is a name of letters, digits, '-' and '_' chosen at import; it does not read or check papers.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nexome.model.errors import InputError, NotFoundError
from nexome.store.disk import check_free_space, now_iso, publish_folder, read_stamped, step, write_stamped
from nexome.store.root import Root

KIND: Final = "nexome-paper"
VERSION: Final = 1
FOLDER: Final = "papers"
_NAME: Final = re.compile(r"[\w-]{1,80}")
_STAGING: Final = ".staging-"


@dataclass(frozen=True, slots=True)
class KeptPaper:
    """One version of a paper: its name, number, when, folder, and values as given."""

    name: str
    version: int
    imported: str
    path: Path
    values: dict[str, Any]


def keep_paper(root: Root, name: str, *, source: Path, values: Mapping[str, Any]) -> KeptPaper:
    """Publish a new version of a paper and enter it in the event log; the caller holds the root's lock.

    A file already kept as the newest version makes no new one. Raises InputError for a name that is
    no name, SpaceError when the disk is full.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"a paper's name {name!r}", expected="letters, digits, '-' and '_', at most 80")
    folder = root.path / FOLDER / name
    versions = paper_versions(root.path, name)
    if versions and (newest := read_kept(root.path, name)).values.get("sha256") == values["sha256"]:
        return newest
    version = (versions[-1] if versions else 0) + 1
    folder.mkdir(parents=True, exist_ok=True)
    check_free_space(folder, source.stat().st_size * 4)
    staged = folder / f"{_STAGING}{secrets.token_hex(4)}"
    staged.mkdir()
    try:
        shutil.copyfile(source, staged / f"source{source.suffix.lower()}")
        body = {"imported": now_iso(), "paper": dict(values)}
        write_stamped(staged / "paper.json", body, kind=KIND, version=VERSION, sealed=True)
        step("paper-staged")
        publish_folder(staged, folder / str(version))
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    root.append_event("paper-imported", paper=name, paper_version=version, sha256=values["sha256"])
    return read_kept(root.path, name)


def paper_names(root: Path) -> list[str]:
    """The names of all papers kept, sorted."""
    folder = root / FOLDER
    return (
        sorted(path.name for path in folder.iterdir() if paper_versions(root, path.name))
        if folder.is_dir()
        else []
    )


def paper_versions(root: Path, name: str) -> list[int]:
    """The versions of a paper, oldest first; empty when there is none."""
    folder = root / FOLDER / name
    return (
        sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit()) if folder.is_dir() else []
    )


def read_kept(root: Path, name: str, *, version: int | None = None) -> KeptPaper:
    """One version of a paper, the newest by default.

    Raises NotFoundError for a paper or version that is not kept, DamagedError for one changed on disk.
    """
    versions = paper_versions(root, name) if _NAME.fullmatch(name) else []
    if not versions or (version is not None and version not in versions):
        known = (
            ", ".join(map(str, versions)) or ", ".join(paper_names(root)) or "none yet: nexome targets import"
        )
        raise NotFoundError(
            f"no paper {name[:80]!r}" + (f" version {version}" if version else ""), expected=known
        )
    chosen = version if version is not None else versions[-1]
    path = root / FOLDER / name / str(chosen)
    body = read_stamped(path / "paper.json", kind=KIND, version=VERSION)
    return KeptPaper(name, chosen, str(body["imported"]), path, body["paper"])
