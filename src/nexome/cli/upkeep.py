"""`nexome verify`, `compact`, `rebuild`, `backup`, `restore`: keeping a root well."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nexome.cli.options import FOLDER, format_bytes, named_root, one_root, open_centre, root_argument

if TYPE_CHECKING:
    from nexome.store.associations.verify import Finding, VerifyReport
    from nexome.store.backup import BackupReport


@click.command()
@root_argument
@click.option("--study", help="Only what this study needs.")
@click.option(
    "--source",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The file the study was imported from: compare with it too.",
)
def verify(root: Path, study: str | None, source: Path | None) -> None:
    """Compare every stored byte with its checksum, and what is stored with itself or its source.

    Looks at files, sorted keys, both directions of QTL segments, and counts all summaries anew. Names
    segment, plane, shard and chunk of whatever is damaged, and exits with 1. Changes nothing.

    With --source the file is read and harmonised again by the choices in the study's receipt, and each
    row is compared with what is stored, within the stated error of each number. Line and feature of the
    first differences are named. A file that is not the one imported is said to be another, and compared.

    \b
    Examples:
      nexome verify associations
      nexome verify associations --study T2D
      nexome verify associations --study T2D --source t2d.tsv.gz
    """
    from nexome.store.associations.verify import verify_store  # noqa: PLC0415
    from nexome.store.cohorts.verify import CohortsReport, verify_cohorts  # noqa: PLC0415
    from nexome.store.genotypes.verify import GenotypesReport, verify_genotypes  # noqa: PLC0415

    if source is not None and not study:
        raise click.UsageError("--source is the file of one study: name it with --study.")
    if source is None or study is None:
        report = verify_store(root, study=study, progress=progress())
    else:
        report = _beside_source(root, study, source)
    if study is None:
        report.findings += _beside_associations(root)
    genotypes = verify_genotypes(root, progress()) if study is None else GenotypesReport()
    cohorts = verify_cohorts(root, progress()) if study is None else CohortsReport()
    told = [f"{f.kind}: {f}" for f in report.findings]
    told += [f"{f.kind}: {f}" for f in (*genotypes.findings, *cohorts.findings)]
    for line in told:
        click.echo(line)
    looked = f"{report.folders:,} folders, {report.studies:,} studies, sequence {report.sequence}"
    if genotypes.sets:
        looked += f"; {genotypes.sets:,} sets of {genotypes.genotypes:,} genotypes"
    if cohorts.versions:
        looked += f"; {cohorts.versions:,} versions of cohorts, {cohorts.rows:,} rows"
    if not told:
        rows = f" {report.source_rows:,} associations are stored as in {source}." if source else ""
        click.echo(f"All is as it was written: {looked}.{rows}")
        return
    found = f"{len(told)} finding{'s' if len(told) > 1 else ''}"
    click.echo(f"nexome: {found} in {looked}. {_advice(report)}", err=True)
    click.get_current_context().exit(1)


def _beside_associations(root: Path) -> list[Finding]:
    """What is wrong with the files of genes, tracks and knowledge, and with the graph made of it."""
    from nexome.store.associations.verify import Finding  # noqa: PLC0415
    from nexome.store.edges import find_damage_in_graph  # noqa: PLC0415
    from nexome.store.genes import find_damage_in_genes  # noqa: PLC0415
    from nexome.store.knowledge import find_damage_in_knowledge  # noqa: PLC0415
    from nexome.store.reference import find_damage_in_reference  # noqa: PLC0415
    from nexome.store.tracks import find_damage_in_tracks  # noqa: PLC0415

    damages = [
        *find_damage_in_genes(root),
        *find_damage_in_tracks(root),
        *find_damage_in_knowledge(root),
        *find_damage_in_reference(root),
    ]
    if not damages:  # a graph is compared with what it was made of, which must be whole for that
        damages += find_damage_in_graph(root)
    return [Finding("file", d.path.relative_to(root).as_posix(), d.found) for d in damages]


def _advice(report: VerifyReport) -> str:
    if all(finding.kind == "source" for finding in report.findings) and report.findings:
        return "The store itself is whole: the source is another, or import it anew with --replace."
    return "See `nexome restore`."


def _beside_source(root: Path, study: str, source: Path) -> VerifyReport:
    """Compare with the source, and say where the files are not those of the import."""
    from nexome.cli.import_output import ProgressLine  # noqa: PLC0415
    from nexome.ingest.verify import verify_source  # noqa: PLC0415
    from nexome.store.associations import AssociationStore  # noqa: PLC0415

    with ProgressLine() as line:
        compared = verify_source(AssociationStore.open(root), study, source, progress=line.show)
    if not compared.same_file:
        click.echo(
            f"{source} is not the file that was imported (SHA-256 {compared.sha256[:16]}…; "
            f"{compared.receipt_path} had {compared.receipt_sha256[:16]}…). It is compared all the same."
        )
    for note in compared.notes:
        click.echo(f"Note: {note}.")
    return compared.report


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
    from nexome.store.cohorts import CohortStore  # noqa: PLC0415
    from nexome.store.disk import RootLock  # noqa: PLC0415
    from nexome.store.genotypes import GenotypeStore  # noqa: PLC0415
    from nexome.store.knowledge import clean_knowledge  # noqa: PLC0415
    from nexome.store.reference import clean_reference  # noqa: PLC0415
    from nexome.store.track_writer import clean_tracks  # noqa: PLC0415

    with open_centre(root) as centre:
        before = len(centre.store.snapshot().segments)
        centre.store.compact(progress())
        centre.store.clean()
        GenotypeStore(centre.root).clean()
        CohortStore(centre.root).clean()
        with RootLock(root):
            clean_tracks(root)
            clean_reference(root)
            clean_knowledge(root)
        after = len(centre.store.snapshot().segments)
    click.echo(f"{before} segments became {after}." if before != after else "Nothing is waiting.")


@click.command()
@root_argument
def rebuild(root: Path) -> None:
    """Make everything derived anew: the lists that search reads, summaries that older versions lack.

    Tokens, grants and the audit log are not derived and stay as they are. Never needed in daily life;
    after an upgrade, or when the catalogue was lost, it makes a new one.

    \b
    Example:
      nexome rebuild associations
    """
    from nexome.access.indexing import build_index  # noqa: PLC0415
    from nexome.search.sources import encoder_files  # noqa: PLC0415
    from nexome.store.associations.window import rebuild_zooms  # noqa: PLC0415
    from nexome.store.cohorts import rebuild_packed  # noqa: PLC0415
    from nexome.store.edges import rebuild_graph  # noqa: PLC0415

    with open_centre(root) as centre:
        centre.catalogue.drop_derived()
        snapshot = centre.store.snapshot()
        centre.searchable(snapshot)
        summarised = rebuild_zooms(snapshot)
        index = build_index(centre) if encoder_files(centre.root.path) else None
        graph = rebuild_graph(centre.root.path)
        tables = rebuild_packed(centre.root)
    click.echo(f"{len(snapshot.studies):,} studies indexed, sequence {snapshot.sequence}.")
    if summarised:
        click.echo(f"{summarised:,} studies summarised for wide windows.")
    if index is not None:
        click.echo(f"{len(index):,} things can be found by meaning.")
    if graph is not None:
        click.echo(f"{graph.edges:,} statements of knowledge joined to a graph.")
    if tables:
        click.echo(f"{tables:,} versions of cohorts packed for counting.")


@click.command()
@click.argument("folders", metavar="[ROOT] BACKUP", type=FOLDER, nargs=-1, required=True)
@named_root("Folder of the root, if not the first word.")
@click.option("--hard-links", is_flag=True, help="Save space on the same disk; one bad block hits both.")
def backup(folders: tuple[Path, ...], root_named: Path | None, hard_links: bool) -> None:
    """Copy a root to another folder, consistently, also while it is served or imported into.

    Made again into the same folder, only what is new is copied. A backup is a root itself: `nexome
    verify BACKUP` proves it byte by byte.

    \b
    Example:
      nexome backup associations /backup/associations
    """
    from nexome.store.backup import backup_root  # noqa: PLC0415

    root, backup_folder = _two_folders(folders, root_named, backup_first=False)
    report = backup_root(root, backup_folder, hard_links=hard_links, progress=progress())
    _tell(report, f"{backup_folder} holds sequence {report.sequence} of {root}")


@click.command()
@click.argument("folders", metavar="BACKUP [ROOT]", type=FOLDER, nargs=-1, required=True)
@named_root("Folder of the new root, if not the second word.")
@click.option(
    "--withdrawn",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="List of participants who withdrew since: cohorts/withdrawn.jsonl of the root that was, or a copy.",
)
def restore(folders: tuple[Path, ...], root_named: Path | None, withdrawn: Path | None) -> None:
    """Make a root from a backup, in a folder that is empty or absent.

    Every copied file is compared with its checksum. The restored root equals the one that was backed
    up: same identity, studies, accounts; but participants of cohorts who withdrew before the backup was
    made, or stand in the list given, are not in it.

    \b
    Examples:
      nexome restore /backup/associations associations-again
      nexome restore /backup/centre centre-again --withdrawn withdrawn.jsonl
    """
    from nexome.store.backup import restore_root  # noqa: PLC0415

    root, backup_folder = _two_folders(folders, root_named, backup_first=True)
    report = restore_root(backup_folder, root, withdrawn=withdrawn, progress=progress())
    _tell(report, f"{root} holds sequence {report.sequence} of {backup_folder}")


def _two_folders(folders: tuple[Path, ...], named: Path | None, *, backup_first: bool) -> tuple[Path, Path]:
    """(root, backup) of two words in either order, or of one word and `--root`."""
    if len(folders) == 1 and named is not None:
        return named, folders[0]
    if len(folders) != 2:
        raise click.UsageError("Give two folders: the root and the backup.")
    word, other = reversed(folders) if backup_first else folders
    return one_root(word, named) or word, other


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
