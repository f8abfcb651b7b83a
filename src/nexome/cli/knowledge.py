"""`nexome knowledge`: load, fetch, list, show, export and withdraw sources of knowledge."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nexome.cli.following import publishes
from nexome.cli.options import counted, echo_json, print_rows, root_option

if TYPE_CHECKING:
    from nexome.ingest.knowledge_list import PinnedSource
    from nexome.model.terms import Access
    from nexome.store.knowledge import NewSource, TermRecord

_PACKED = (".gz", ".bgz", ".zst", ".xz", ".bz2", ".zip")


@click.command()
@root_option
@click.option("--sources", "listed", type=click.Path(path_type=Path), help="A sources.yaml: load all of it.")
@click.option("--downloads", type=click.Path(path_type=Path), help="Where `fetch` put the files of the list.")
@click.option("--source", help="One name for all FILEs as one source.  [default: one a file, named as it is]")
@click.option("--version", "release", default="", help="The source's own name of its release.")
@click.option("--licence", default="", help="Its licence, by name or address.")
@click.option("--url", default="", help="Where it comes from.")
@click.option(
    "--redistribution",
    type=click.Choice(["allowed", "forbidden"]),
    help="Whether it may be exported.  [default: what the licence is known to allow]",
)
@click.option(
    "--access",
    type=click.Choice(["open", "private"]),
    help="private: its owner alone sees it.  [default: as before; open, unless the licence begins 'private']",
)
@click.option("--as", "format_", default="", help="Its format, where it is not recognised.")
@click.option("--prefix", default="", help="Vocabulary of bare codes: ICD10 makes I21 ICD10:I21.")
@click.option(
    "--language", default="", help="Language of labels.  [default: zh of Chinese characters, else en]"
)
@click.option("--predicate", default="", help="Predicate of a list of pairs or edges that names none.")
@click.option("--map", "mapping", multiple=True, metavar="TERM=COLUMN", help="Which column holds what.")
@click.option("--json", "as_json", is_flag=True, help="The receipts, as JSON.")
@click.argument("files", metavar="[FILE|FOLDER]...", type=click.Path(path_type=Path), nargs=-1)
@publishes
def load(
    root: Path,
    listed: Path | None,
    downloads: Path | None,
    source: str | None,
    release: str,
    licence: str,
    url: str,
    redistribution: str | None,
    access: Access | None,
    format_: str,
    prefix: str,
    language: str,
    predicate: str,
    mapping: tuple[str, ...],
    as_json: bool,
    files: tuple[Path, ...],
) -> None:
    """Load ontologies, term tables, mappings, translations, annotations: any file of knowledge.

    Formats are told by their content (docs/knowledge.md lists them). Each file becomes a source in a new
    version, visible as a whole or not at all; what was refused stands in its receipt by rule and line. Of
    a FOLDER all files are loaded. A file that cannot be read stops nothing: it is told at the end.

    \b
    Examples:
      nexome knowledge load hp.obo.gz hp-zh.babelon.tsv
      nexome knowledge load ontologies/ annotations/
      nexome knowledge load codes.csv --prefix ICD10 --map id=编码 --map label=名称 --licence "CC BY 4.0"
      nexome knowledge load --sources sources.yaml --downloads downloads
    """
    from nexome.formats.knowledge import KnowledgeOptions  # noqa: PLC0415
    from nexome.ingest.knowledge_list import check_pinned, read_sources  # noqa: PLC0415
    from nexome.store.knowledge import NewSource  # noqa: PLC0415

    if bool(listed) == bool(files):
        raise click.UsageError("Give files, or --sources LIST.")
    if listed:
        pinned = read_sources(listed, downloads)
        _load_all(root, [(p.new, partial(check_pinned, p)) for p in pinned], as_json=as_json)
        return
    said: dict[str, Any] = {
        "version": release,
        "licence": licence,
        "url": url,
        "redistribution": None if redistribution is None else redistribution == "allowed",
        "access": access,
        "options": KnowledgeOptions(format_, prefix, language, _pairs(mapping), predicate),
    }
    found = [file for path in files for file in _files_of(path)]
    named = [(source, found)] if source else [(_name_of(file), [file]) for file in found]
    _refuse_twice(named)
    _load_all(root, [(NewSource(name, of, **said), None) for name, of in named], as_json=as_json)


@click.command()
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("downloads"),
    show_default=True,
    help="Folder for the files.",
)
@click.option("--only", multiple=True, metavar="NAME", help="This source alone; may be given again.")
@click.argument("sources", type=click.Path(path_type=Path))
def fetch(into: Path, only: tuple[str, ...], sources: Path) -> None:
    """Download what a sources.yaml names. What stopped half-way goes on; checksums are compared.

    \b
    Example:
      nexome knowledge fetch docs/examples/sources.yaml --only hp --only mondo
    """
    from nexome.ingest.knowledge_list import fetch_source, read_sources  # noqa: PLC0415
    from nexome.model.errors import NexomeError, NotFoundError  # noqa: PLC0415

    listed = [source for source in read_sources(sources, into) if source.urls]
    if unknown := set(only) - {source.new.name for source in listed}:
        raise NotFoundError(f"no source {', '.join(sorted(unknown))}", where=str(sources))
    failed = 0
    for source in listed:
        if only and source.new.name not in only:
            continue
        try:
            path = fetch_source(source)
        except NexomeError as error:
            failed += 1
            click.echo(f"{source.new.name}: {error}", err=True)
            continue
        click.echo(f"{source.new.name}: {path} ({_checked(source)})")
    if failed:
        raise click.exceptions.Exit(1)


@click.command("sources")
@root_option
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@click.option("--receipt", metavar="NAME", help="The receipt of one source: what was kept and refused.")
def list_sources(root: Path, as_json: bool, receipt: str | None) -> None:
    """List all sources with release, licence and how much they hold.

    \b
    Examples:
      nexome knowledge sources
      nexome knowledge sources --receipt hp
    """
    from dataclasses import asdict  # noqa: PLC0415

    from nexome.store.knowledge import Knowledge  # noqa: PLC0415

    knowledge = Knowledge.open(_opened(root))
    if receipt:
        echo_json(knowledge.receipt(receipt))
        return
    records = knowledge.sources()
    if as_json:
        echo_json([asdict(record) for record in records])
        return
    if not records:
        click.echo("No knowledge yet: nexome knowledge load --help")
        return
    rows = [
        (
            *(r.name, str(r.version), r.release[:20] or "-", f"{r.terms:,}", f"{r.names:,}", f"{r.edges:,}"),
            *(f"{r.problems:,}", "yes" if r.redistribution else "no", r.access, r.licence or "unknown"),
        )
        for r in records
    ]
    counts = ("terms", "names", "statements", "problems")
    head = ("source", "version", "release", *counts, "export", "access", "licence")
    print_rows(head, rows)


@click.command()
@root_option
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@click.argument("term")
def show(root: Path, as_json: bool, term: str) -> None:
    """Show a term: its names in all languages, its definition, what it is the same as, and who says so.

    Obsolete and alternative identifiers show the term that took their place.

    \b
    Examples:
      nexome knowledge show HP:0001250
      nexome knowledge show http://www.orpha.net/ORDO/Orphanet_558
    """
    from dataclasses import asdict  # noqa: PLC0415

    from nexome.store.knowledge import Knowledge  # noqa: PLC0415

    knowledge = Knowledge.open(_opened(root))
    record = knowledge.term(term)
    same = knowledge.equivalents(record.id)
    licences = {s.name: s.licence or "unknown" for s in knowledge.sources() if s.name in record.sources}
    if as_json:
        told = {"equivalents": [dict(zip(("id", "predicate", "source"), s, strict=True)) for s in same]}
        echo_json({**asdict(record), **told, "licences": licences})
        return
    _print_term(record)
    for other, predicate, stated_by in same:
        click.echo(f"  {predicate:<16}{other}  ({stated_by})")
    for name, licence in licences.items():
        click.echo(f"  source          {name} (licence: {licence})")


@click.command()
@root_option
@click.argument("source")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def export(root: Path, source: str, folder: Path) -> None:
    """Write a source's terms, names and statements as Parquet, where its licence allows that.

    \b
    Example:
      nexome knowledge export mondo mondo-tables
    """
    from nexome.store.knowledge.export import export_source  # noqa: PLC0415

    for path in export_source(_opened(root), source, folder):
        click.echo(str(path))


@click.command("access")
@root_option
@click.argument("source")
@click.argument("access", type=click.Choice(["open", "private"]))
@publishes
def switch_access(root: Path, source: str, access: Access) -> None:
    """Let everyone see a source, or its owner alone: its terms, names and statements.

    \b
    Example:
      nexome knowledge access hospital-codes private
    """
    from nexome.store.disk import RootLock  # noqa: PLC0415
    from nexome.store.knowledge import switch_source_access  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    opened = open_root(root)
    with RootLock(root):
        switch_source_access(opened, source, access)
    click.echo(f"{source} is {access}.")


@click.command()
@root_option
@click.argument("source")
@click.option("--reason", required=True, help="Why, for the event log.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@publishes
def withdraw(root: Path, source: str, reason: str, yes: bool) -> None:
    """Take a source and all its versions away; backups made before still hold it.

    \b
    Example:
      nexome knowledge withdraw hp-old --reason "superseded"
    """
    from nexome.store.disk import RootLock  # noqa: PLC0415
    from nexome.store.knowledge import Knowledge, withdraw_source  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    opened = open_root(root)
    record = Knowledge.open(opened.path).source(source)
    if not yes:
        click.confirm(f"Withdraw {source} ({record.terms:,} terms, {record.edges:,} statements)?", abort=True)
    with RootLock(root):
        withdraw_source(opened, source, reason=reason)
    click.echo(f"{source} is withdrawn.")


# ---------------------------------------------------------------- what they share


def _load_all(root: Path, wanted: Iterable[tuple[NewSource, Any]], *, as_json: bool) -> None:
    """Load each source; tell counts, and at the end what failed."""
    from nexome.model.errors import NexomeError  # noqa: PLC0415
    from nexome.store.disk import RootLock  # noqa: PLC0415
    from nexome.store.knowledge import load_source  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    opened = open_root(root)
    receipts: list[dict[str, Any]] = []
    failed: list[str] = []
    started = time.monotonic()
    with RootLock(root):
        for new, check in wanted:
            try:
                if check is not None:
                    check()
                receipts.append(load_source(opened, new))
            except NexomeError as error:
                failed.append(f"{new.name}: {error}")
                continue
            if not as_json:
                click.echo(_line(receipts[-1]))
    if as_json:
        echo_json({"receipts": receipts, "failed": failed})
    else:
        totals = {name: sum(r[name] for r in receipts) for name in ("terms", "names", "edges")}
        click.echo(
            f"{len(receipts)} sources: {totals['terms']:,} terms, {totals['names']:,} names, "
            f"{totals['edges']:,} statements in {time.monotonic() - started:.0f} s."
        )
    for text in failed:
        click.echo(f"nexome: not loaded: {text}", err=True)
    if failed:
        raise click.exceptions.Exit(1)


def _line(receipt: dict[str, Any]) -> str:
    if receipt["unchanged"]:
        return f"{receipt['source']}: as it was loaded before (version {receipt['source_version']})."
    formats = ", ".join(sorted({file["format"] for file in receipt["files"]}))
    told = (
        f"{receipt['source']}: {receipt['terms']:,} terms, {receipt['names']:,} names, "
        f"{receipt['edges']:,} statements ({formats})."
    )
    refused = {rule: p["count"] for rule, p in receipt["problems"].items() if not p["kept"]}
    noted = {rule: p["count"] for rule, p in receipt["problems"].items() if p["kept"]}
    told += f" Refused: {counted(refused)}." if refused else ""
    return told + (f" Noted: {counted(noted)}." if noted else "")


def _files_of(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))


def _name_of(file: Path) -> str:
    """The name of a source that was given none: its file's, without how it is packed and its last ending."""
    name = file.name
    for ending in _PACKED:
        name = name.removesuffix(ending)
    return name.rpartition(".")[0] or name


def _refuse_twice(named: list[tuple[str, list[Path]]]) -> None:
    from nexome.model.errors import InputError  # noqa: PLC0415

    seen: dict[str, Path] = {}
    for name, files in named:
        if name in seen:
            raise InputError(
                f"{seen[name]} and {files[0]} would both be source {name}",
                todo="Load them one at a time with --source, or rename one.",
            )
        seen[name] = files[0]


def _pairs(mapping: tuple[str, ...]) -> dict[str, str]:
    wrong = [text for text in mapping if "=" not in text]
    if wrong:
        raise click.UsageError(f"--map {wrong[0]}: write TERM=COLUMN.")
    return {term: column for term, _, column in (text.partition("=") for text in mapping)}


def _opened(root: Path) -> Path:
    from nexome.store.root import open_root  # noqa: PLC0415

    return open_root(root).path


def _checked(source: PinnedSource) -> str:
    return "checksum as pinned" if source.sha256 else "no checksum is pinned"


def _print_term(record: TermRecord) -> None:
    was = f" (asked as {record.asked})" if record.asked != record.id else ""
    click.echo(
        f"{record.id}  {record.label or 'without a label'}{' (obsolete)' if record.obsolete else ''}{was}"
    )
    for text in (record.definition, record.definition_zh):
        if text:
            click.echo(f"  {text}")
    for text, kind, language, source in record.names:
        click.echo(f"  {kind:<16}{text}  [{language}] ({source})")
    for name, values in (("alternative ids", record.alternatives), ("replaced by", record.replaced_by)):
        if values:
            click.echo(f"  {name:<16}{', '.join(values)}")
