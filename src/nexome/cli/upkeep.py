"""`nexome verify`, `compact`, `rebuild`, `backup`, `restore`: keeping a root well."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nexome.cli.options import format_bytes, open_centre, root_argument

if TYPE_CHECKING:
    from nexome.store.backup import BackupReport

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@root_argument
@click.option("--study", help="Only what this study needs.")
def verify(root: Path, study: str | None) -> None:
    """Compare every stored byte with its checksum, and what is stored with itself.

    Looks at files, sorted keys, both directions of QTL segments, and counts all summaries anew. Names
    segment, plane, shard and chunk of whatever is damaged, and exits with 1. Changes nothing.

    \b
    Examples:
      nexome verify associations
      nexome verify associations --study T2D
    """
    from nexome.store.associations.verify import verify_store  # noqa: PLC0415

    report = verify_store(root, study=study, progress=progress())
    for finding in report.findings:
        click.echo(f"{finding.kind}: {finding}")
    looked = f"{report.folders:,} folders, {report.studies:,} studies, sequence {report.sequence}"
    if report.ok:
        click.echo(f"All is as it was written: {looked}.")
        return
    click.echo(f"nexome: {len(report.findings)} findings in {looked}. See `nexome restore`.", err=True)
    click.get_current_context().exit(1)


@click.command()
@root_argument
def compact(root: Path) -> None:
    """Merge waiting column segments into wide ones, and remove what nothing names any more.

    Studies imported one by one wait in narrow segments: quick to write, slower and larger to keep. A
    root may be served and read meanwhile. Stopped half-way nothing is lost; run it again.

    \b
    Example:
      nexome compact associations
    """
    with open_centre(root) as centre:
        before = len(centre.store.snapshot().segments)
        centre.store.compact(progress())
        centre.store.clean()
        after = len(centre.store.snapshot().segments)
    click.echo(f"{before} segments became {after}." if before != after else "Nothing is waiting.")


@click.command()
@root_argument
def rebuild(root: Path) -> None:
    """Make everything derived anew from the manifests: the lists that search reads.

    Tokens, grants and the audit log are not derived and stay as they are. Never needed in daily life;
    after an upgrade, or when the catalogue was lost, it makes a new one.

    \b
    Example:
      nexome rebuild associations
    """
    with open_centre(root) as centre:
        centre.catalogue.drop_derived()
        snapshot = centre.store.snapshot()
        centre.searchable(snapshot)
    click.echo(f"{len(snapshot.studies):,} studies indexed, sequence {snapshot.sequence}.")


@click.command()
@click.argument("root", type=FOLDER)
@click.argument("backup_folder", metavar="BACKUP", type=FOLDER)
@click.option("--hard-links", is_flag=True, help="Save space on the same disk; one bad block hits both.")
def backup(root: Path, backup_folder: Path, hard_links: bool) -> None:
    """Copy a root to another folder, consistently, also while it is served or imported into.

    Made again into the same folder, only what is new is copied. A backup is a root itself: `nexome
    verify BACKUP` proves it byte by byte.

    \b
    Example:
      nexome backup associations /backup/associations
    """
    from nexome.store.backup import backup_root  # noqa: PLC0415

    report = backup_root(root, backup_folder, hard_links=hard_links, progress=progress())
    _tell(report, f"{backup_folder} holds sequence {report.sequence} of {root}")


@click.command()
@click.argument("backup_folder", metavar="BACKUP", type=FOLDER)
@click.argument("root", type=FOLDER)
def restore(backup_folder: Path, root: Path) -> None:
    """Make a root from a backup, in a folder that is empty or absent.

    Every copied file is compared with its checksum. The restored root equals the one that was backed
    up: same identity, studies, accounts.

    \b
    Example:
      nexome restore /backup/associations associations-again
    """
    from nexome.store.backup import restore_root  # noqa: PLC0415

    report = restore_root(backup_folder, root, progress=progress())
    _tell(report, f"{root} holds sequence {report.sequence} of {backup_folder}")


def progress() -> Callable[[str, int, int], None] | None:
    """Shows what is being done, on a terminal only."""
    stream = sys.stderr
    if not stream.isatty():
        return None

    def show(what: str, done: int, total: int) -> None:
        stream.write(f"\r\x1b[K{done}/{total}  {what[:90]}")
        if done >= total:
            stream.write("\r\x1b[K")
        stream.flush()

    return show


def _tell(report: BackupReport, first: str) -> None:
    kept = f", {report.kept} were there already" if report.kept else ""
    click.echo(f"{first}: {report.copied} folders copied, {format_bytes(report.bytes)}{kept}.")
    for what in report.left_out:
        click.echo(f"Not copied: {what}.", err=True)
