"""`nexome import track`, `recombination-map`, `cytobands`, `nexome tracks`: what is drawn beside results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nexome.cli.following import publishes
from nexome.cli.options import counted, echo_json, print_rows, root_option

if TYPE_CHECKING:
    from nexome.store.root import Root
    from nexome.store.track_manifest import TrackKind
    from nexome.store.track_writer import NewTrack
    from nexome.store.tracks import TrackRecord

_FILE = click.Path(path_type=Path, dir_okay=False)
_NAME = click.option("--name", help="Name of the track in this centre: letters, digits, '-', '_', '.'.")
_TITLE = click.option("--title", default="", help="Title for people.")
_TITLE_ZH = click.option("--title-zh", default="", help="Title in Chinese.")


def _access(default: str | None) -> Any:
    shown = default or "private, or as the version before"
    return click.option(
        "--access",
        type=click.Choice(["open", "private"]),
        default=default,
        show_default=shown,
        help="Who may see it: everyone, or the owner.",
    )


@click.command()
@root_option
@_NAME
@_TITLE
@_TITLE_ZH
@click.option(
    "--kind",
    type=click.Choice(["intervals", "signal"]),
    help="What the file must hold: BED and its kin, or a bigWig.  [default: told by the file]",
)
@_access(None)
@click.option(
    "--first-base",
    type=click.Choice(["0", "1"]),
    default="0",
    show_default=True,
    help="How intervals count: 0 as BED does (the end left out), 1 with both ends included.",
)
@click.argument("file", type=_FILE)
@publishes
def track(
    root: Path,
    name: str | None,
    title: str,
    title_zh: str,
    kind: str | None,
    access: str | None,
    first_base: str,
    file: Path,
) -> None:
    """Bring in a track: intervals (BED3 to BED12, bedGraph, peaks, bigBed) or a signal (bigWig).

    A track is drawn beside associations and answered at /api/v1/tracks. Imported again under its name it
    gets a new version. Lines may come in any order; what lies on contigs that the home assembly does not
    have is left out and counted by contig. Private unless --access open is said.

    \b
    Examples:
      nexome import track enhancers.bed.gz --name enhancers --title "Liver enhancers" --title-zh "肝脏增强子"
      nexome import track --root maize H3K27ac.bw --name h3k27ac --access open
    """
    from nexome.formats.bbi import kind_of  # noqa: PLC0415
    from nexome.formats.intervals import read_intervals  # noqa: PLC0415
    from nexome.model.errors import InputError, NotFoundError  # noqa: PLC0415
    from nexome.store.track_writer import keep_features, keep_signal  # noqa: PLC0415

    if not file.is_file():
        raise NotFoundError("there is no such file", where=str(file))
    found: TrackKind = "signal" if kind_of(file) == "bigwig" else "intervals"
    if kind and kind != found:
        raise InputError(f"this is a file of {found}", where=str(file), expected=f"one of kind {kind}")
    named = {"title": title, "title_zh": title_zh, "access": access}
    name = name or _name_of(file)
    if found == "signal":
        record = _kept(root, name, found, [file], "bigWig", named, keep_signal)
    else:
        read = read_intervals(file, first_base=int(first_base))
        record = _kept(
            root, name, found, [file], read.format, named, lambda r, t: keep_features(r, t, read.table)
        )
    _tell(record, {"intervals": "intervals", "signal": "bases with a value"}[found])


@click.command("recombination-map")
@root_option
@click.option("--name", default="recombination", show_default=True, help="Name of the map in this centre.")
@_TITLE
@_TITLE_ZH
@_access("open")
@click.option("--chromosome", default="", help="Of a file of one chromosome that does not say which.")
@click.argument("files", metavar="FILE...", type=_FILE, nargs=-1, required=True)
@publishes
def recombination_map(
    root: Path,
    name: str,
    title: str,
    title_zh: str,
    access: str | None,
    chromosome: str,
    files: tuple[Path, ...],
) -> None:
    """Bring in a recombination map: HapMap, Eagle, IMPUTE, SHAPEIT, PLINK (.map) or deCODE, plain or gzip.

    Several files make one map, one chromosome each or not. The map is drawn in regional plots, and turns
    base pairs into centimorgans. Of several maps the one imported last is used.

    \b
    Examples:
      nexome import recombination-map genetic_map_GRCh38_merged.tab.gz
      nexome import recombination-map plink.chr*.GRCh38.map --title "HapMap, lifted to GRCh38"
    """
    import pyarrow as pa  # noqa: PLC0415

    from nexome.formats.recombination import read_recombination_map  # noqa: PLC0415
    from nexome.model.errors import InputError  # noqa: PLC0415
    from nexome.store.track_writer import keep_features  # noqa: PLC0415

    if chromosome and len(files) > 1:
        raise InputError(f"--chromosome for {len(files)} files", expected="one file")
    points = pa.concat_tables([read_recombination_map(file, chromosome=chromosome) for file in files])
    named = {"title": title, "title_zh": title_zh, "access": access}
    record = _kept(
        root,
        name,
        "recombination",
        list(files),
        "recombination map",
        named,
        lambda r, t: keep_features(r, t, points),
    )
    _tell(record, "points")


@click.command()
@root_option
@click.option("--name", default="cytobands", show_default=True, help="Name of the bands in this centre.")
@_TITLE
@_TITLE_ZH
@_access("open")
@click.argument("file", type=_FILE)
@publishes
def cytobands(root: Path, name: str, title: str, title_zh: str, access: str | None, file: Path) -> None:
    """Bring in cytogenetic bands: UCSC's cytoBand table, plain or gzip.

    \b
    Example:
      nexome import cytobands cytoBand_hg38.txt.gz
    """
    from nexome.formats.intervals import read_cytobands  # noqa: PLC0415
    from nexome.store.track_writer import keep_features  # noqa: PLC0415

    bands = read_cytobands(file)
    named = {"title": title, "title_zh": title_zh, "access": access}
    record = _kept(
        root, name, "cytobands", [file], "cytoBand", named, lambda r, t: keep_features(r, t, bands)
    )
    _tell(record, "bands")


@click.command("list")
@root_option
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
def list_tracks(root: Path, as_json: bool) -> None:
    """List all tracks: name, kind, version, what they hold, title.

    \b
    Example:
      nexome tracks list --root associations
    """
    from dataclasses import asdict  # noqa: PLC0415

    from nexome.store.root import open_root  # noqa: PLC0415
    from nexome.store.tracks import Tracks  # noqa: PLC0415

    records = Tracks.open(root, open_root(root).assembly).records()
    if as_json:
        echo_json([asdict(r) for r in records])
        return
    if not records:
        click.echo("No tracks yet: nexome import track --help")
        return
    rows = [
        (r.name, r.kind, r.access, str(r.version), f"{r.features:,}", r.imported, r.source, r.title)
        for r in records
    ]
    print_rows(("track", "kind", "access", "version", "features", "imported", "source", "title"), rows)


@click.command()
@root_option
@click.argument("name")
@click.option("--reason", required=True, help="Why, for the event log.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@publishes
def withdraw(root: Path, name: str, reason: str, yes: bool) -> None:
    """Take a track and all its versions away; backups made before still hold them.

    \b
    Example:
      nexome tracks withdraw enhancers --reason "superseded" --root associations
    """
    from nexome.store.disk import RootLock  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415
    from nexome.store.track_writer import withdraw_track  # noqa: PLC0415
    from nexome.store.tracks import Tracks  # noqa: PLC0415

    opened = open_root(root)
    record = Tracks.open(root, opened.assembly).record(name)
    if not yes:
        click.confirm(f"Withdraw {name} ({record.title}, {record.version} versions)?", abort=True)
    with RootLock(root):
        withdraw_track(opened, name, reason=reason)
    click.echo(f"{name} is withdrawn.")


def _name_of(file: Path) -> str:
    """The name of a track that was given none: that of its file without endings."""
    return file.name.partition(".")[0] or file.name


def _kept(
    root: Path,
    name: str,
    kind: TrackKind,
    files: list[Path],
    format_: str,
    named: dict[str, Any],
    keep: Any,
) -> TrackRecord:
    """Keep a track under the root's lock."""
    from nexome.store.disk import RootLock  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415
    from nexome.store.track_writer import NewTrack  # noqa: PLC0415

    opened: Root = open_root(root)
    new: NewTrack = NewTrack(name, kind, files[0], format_, sources=tuple(files), **named)
    with RootLock(root):
        record: TrackRecord = keep(opened, new)
    return record


def _tell(record: TrackRecord, what: str) -> None:
    click.echo(
        f"{record.name}: {record.features:,} {what} kept ({record.format}), version {record.version}, "
        f"{record.access}."
    )
    if record.dropped_by_contig:
        left = sum(record.dropped_by_contig.values())
        what = what if record.kind != "signal" else "contigs"
        click.echo(
            f"{left:,} {what} left out: not in the home assembly ({counted(record.dropped_by_contig)})."
        )
