"""`nexome demo`: a simulated biobank from nothing to a served root, by the same commands a user types.

Beside the root <root> lies <root>-files with everything that was imported (see demo_files.py).
"""

from __future__ import annotations

import csv
import shlex
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from nexome.cli.options import FOLDER, named_root, one_root
from nexome.model.errors import InputError

if TYPE_CHECKING:
    from nexome.model.settings import Settings
    from nexome.store.root import Root

SEED: Final = 20260101
PEOPLE: Final = 2_500
VARIANTS: Final = 52_000  # from 50,000 on a study is kept on an axis, as those of a biobank are
BEGUN_EVENT: Final = "demo-begun"
FINISHED_EVENT: Final = "demo-made"
_STEPS: Final = {"scan": "scanned", "write": "written"}


@click.command()
@click.argument("root_word", metavar="[ROOT]", type=FOLDER, required=False)
@named_root("Folder of the new root, if not the first word.  [default: nexome-demo]")
@click.option("--serve", is_flag=True, help="Serve it when it is made.")
@click.option(
    "--people", type=click.IntRange(300, 20_000), default=PEOPLE, show_default=True, help="How many."
)
@click.option(
    "--variants", type=click.IntRange(2_000, 60_000), default=VARIANTS, show_default=True, help="How many."
)
@click.option("--seed", type=click.IntRange(0), default=SEED, show_default=True, help="Another seed, others.")
@click.pass_context
def demo(
    ctx: click.Context,
    root_word: Path | None,
    root_named: Path | None,
    *,
    serve: bool,
    people: int,
    variants: int,
    seed: int,
) -> None:
    """Make, scan, import and serve a simulated biobank: no data of your own, no network.

    Simulates a population with linkage disequilibrium and 40 traits of known cause, scans each trait,
    writes the results as GWAS-SSF, REGENIE, PLINK 2 and QTL files into ROOT-files, and imports those
    into the new root ROOT as anyone's files are. Two cohorts that measure the same in different units are
    harmonised to one. A small vocabulary in English and Chinese lets search go by
    meaning. A made-up centre's budget and targets come with it, tied to
    what this root measures of itself: see its cockpit. Nothing in it is of a real person. About a minute on
    two cores; the same seed gives the same data. Interrupted, it goes on when run again.

    \b
    Examples:
      nexome demo
      nexome demo ~/try --serve
    """
    from nexome.cli.demo_files import MANIFEST  # noqa: PLC0415  `--help` must not wait for it

    began = time.monotonic()
    root = one_root(root_word, root_named) or Path("nexome-demo")
    files = root.parent / f"{root.resolve().name}-files"
    opened, finished = _open_or_create(root, {"seed": seed, "people": people, "variants": variants})
    if finished:
        click.echo(f"The demo in {root} is made already; remove {root} and {files} to make it anew.")
    else:
        if opened.created_now or not (files / MANIFEST).exists():
            _simulate(files, people=people, variants=variants, seed=seed)
        click.echo("4/4 Importing them, as you would import yours:")
        _import(opened.root.path, files)
        _enrol(opened.root.path, files)
        _teach(opened.root.path, files)
        _plan(opened.root.path, files)
        opened.root.append_event(FINISHED_EVENT)
        click.echo(
            f"\nMade in {time.monotonic() - began:.0f} s. All of it is simulated; nobody's data is in it."
        )
        _tell(root, files, opened.root.settings)
    if serve:
        _serve(ctx, root)


@dataclass(frozen=True, slots=True)
class _Opened:
    root: Root
    created_now: bool


def _open_or_create(root: Path, parameters: dict[str, int]) -> tuple[_Opened, bool]:
    """The demo's root, new or begun before, and whether it was finished before."""
    from nexome.methods.simulate.people import simulate_assembly  # noqa: PLC0415
    from nexome.store.root import ROOT_NAME, create_root, open_root  # noqa: PLC0415

    if not (root / ROOT_NAME).exists():
        made = create_root(root, assembly=simulate_assembly())
        made.append_event(BEGUN_EVENT, **parameters)
        return _Opened(made, created_now=True), False
    opened = open_root(root)
    events = {event.kind: event.values for event in opened.read_events()}
    begun = events.get(BEGUN_EVENT, {})
    finished = FINISHED_EVENT in events
    if not begun or (not finished and any(begun.get(k) != v for k, v in parameters.items())):
        raise InputError(
            "another root than this demo's is there",
            where=str(root),
            expected="an empty folder, or a demo begun with the same --seed, --people and --variants",
            todo="Name another folder.",
        )
    return _Opened(opened, created_now=False), finished


def _simulate(files: Path, *, people: int, variants: int, seed: int) -> None:
    """Simulate, scan, and write the files; the manifest is the last of them."""
    from nexome.cli.demo_files import scan_traits, write_files  # noqa: PLC0415
    from nexome.methods.simulate.people import simulate_population  # noqa: PLC0415
    from nexome.methods.simulate.traits import simulate_phenotypes  # noqa: PLC0415

    click.echo(f"1/4 Simulating {people:,} people, {variants:,} variants and 40 traits …")
    population = simulate_population(seed, people=people, variants=variants)
    phenotypes = simulate_phenotypes(population, seed)
    click.echo("2/4 Scanning each trait at each variant …")
    scans = scan_traits(population, phenotypes, _show)
    click.echo(f"3/4 Writing the results into {files} …")
    write_files(files, population, phenotypes, scans, _show)


def _import(root: Path, files: Path) -> None:
    from nexome.cli.demo_files import MANIFEST, PROTEIN_TRAITS, PROTEINS  # noqa: PLC0415
    from nexome.cli.demo_panel import panel_arguments  # noqa: PLC0415
    from nexome.cli.demo_tracks import GENES, track_commands  # noqa: PLC0415
    from nexome.cli.genes import genes  # noqa: PLC0415
    from nexome.cli.genotypes import ld_panel  # noqa: PLC0415
    from nexome.cli.import_ import associations  # noqa: PLC0415
    from nexome.cli.tracks import cytobands, recombination_map, track  # noqa: PLC0415
    from nexome.cli.upkeep import compact  # noqa: PLC0415

    at: list[Any] = ["--root", root]
    proteins = ["--study", "sim-proteins", "--title", "Ten plasma proteins (simulated)", "--access", "open"]
    table = ["--assembly", "nexome-sim-1", "--traits", files / PROTEIN_TRAITS]
    beside: dict[str, click.Command] = {
        "import recombination-map": recombination_map,
        "import cytobands": cytobands,
        "import track": track,
    }
    steps: list[tuple[click.Command, str, list[Any]]] = [
        (genes, "import genes", [*at, files / GENES]),
        *((beside[name], name, [*at, *arguments]) for name, arguments in track_commands(files)),
        (associations, "import associations", [*at, "--manifest", files / MANIFEST]),
        (associations, "import associations", [*at, *proteins, *table, files / PROTEINS]),
        (ld_panel, "import ld-panel", [*at, *panel_arguments(files)]),
        (compact, "compact", [root]),
    ]
    for command, name, arguments in steps:
        words = [str(argument) for argument in arguments]
        click.echo(f"\n$ nexome {name} {shlex.join(words)}")
        command.main(words, prog_name=f"nexome {name}", standalone_mode=False)


def _enrol(root: Path, files: Path) -> None:
    """Import two cohorts measured in different units, harmonise them, build the reference values."""
    from nexome.cli.cohort_import import cohort  # noqa: PLC0415  `--help` must not wait for it
    from nexome.cli.cohort_mapping import harmonise  # noqa: PLC0415
    from nexome.cli.demo_cohorts import cohort_commands, write_cohorts  # noqa: PLC0415
    from nexome.cli.reference import build  # noqa: PLC0415

    write_cohorts(files)
    known: dict[str, click.Command] = {
        "import cohort": cohort,
        "cohort harmonise": harmonise,
        "reference build": build,
    }
    for name, arguments in cohort_commands(files):
        words = ["--root", str(root), *arguments]
        click.echo(f"\n$ nexome {name} {shlex.join(words)}")
        known[name].main(words, prog_name=f"nexome {name}", standalone_mode=False)


def _teach(root: Path, files: Path) -> None:
    """Load the demo's vocabulary, train the encoder on it, build the search index."""
    from nexome.cli.demo_vocabulary import vocabulary_commands  # noqa: PLC0415
    from nexome.cli.knowledge import load  # noqa: PLC0415
    from nexome.cli.search import index, train  # noqa: PLC0415

    known: dict[str, click.Command] = {"knowledge load": load, "search train": train, "search index": index}
    for name, arguments in vocabulary_commands(files):
        words = ["--root", str(root), *arguments]
        click.echo(f"\n$ nexome {name} {shlex.join(words)}")
        known[name].main(words, prog_name=f"nexome {name}", standalone_mode=False)


def _plan(root: Path, files: Path) -> None:
    """Import the papers of a made-up centre, and tie their targets to what this root measures of itself."""
    from nexome.cli.demo_papers import paper_commands  # noqa: PLC0415  `--help` must not wait for it
    from nexome.cli.measures import sample  # noqa: PLC0415
    from nexome.cli.target_links import confirm, record, spend  # noqa: PLC0415
    from nexome.cli.targets import import_papers  # noqa: PLC0415

    known: dict[str, click.Command] = {
        "targets import": import_papers,
        "targets link confirm": confirm,
        "targets record": record,
        "targets spend": spend,
        "measures sample": sample,
    }
    today = datetime.now(UTC).date()
    for name, arguments in paper_commands(files, today.year, today.isoformat()):
        if name in {"targets spend", "targets record"} and _recorded(root, name, arguments):
            continue  # an interrupted demo goes on: nothing is paid twice
        words = ["--root", str(root), *arguments]
        click.echo(f"\n$ nexome {name} {shlex.join(words)}")
        known[name].main(words, prog_name=f"nexome {name}", standalone_mode=False)


def _recorded(root: Path, name: str, arguments: list[str]) -> bool:
    """Whether an example payment or value is there already, from the run before."""
    from nexome.report.links import load_links  # noqa: PLC0415

    links = load_links(root, arguments[arguments.index("--paper") + 1])
    word = "--amount" if name == "targets spend" else "--value"
    value = arguments[arguments.index(word) + 1]
    series = links.spending if name == "targets spend" else links.series
    return any(entry.value == value for each in series for entry in each.entries)


def _tell(root: Path, files: Path, settings: Settings) -> None:
    """How to go on, with the strongest cause of the demo as example."""
    from nexome.cli.demo_files import CAUSES, PRIVATE  # noqa: PLC0415
    from nexome.cli.demo_papers import PAPER  # noqa: PLC0415

    year = datetime.now(UTC).year
    with (files / CAUSES).open(encoding="utf-8", newline="") as file:
        causes = list(csv.DictReader(file, delimiter="\t"))
    shown = [c for c in causes if not c["gene"] and c["trait_id"] not in PRIVATE]
    phenotype = max(shown, key=lambda c: float(c["share_of_variance"]))
    protein = next(c for c in causes if c["gene"])
    click.echo(
        f"\n  nexome query phewas {phenotype['rsid']} --root {root}"
        f"\n  nexome query top sim-{phenotype['trait_id']} --root {root}"
        f"\n  nexome query gene {protein['gene']} --root {root}"
        f"\n  nexome cohort count population 'sex = female and ldl > 4.1 mmol/L' --root {root}"
        f"\n  nexome search find 心梗 --root {root}"
        f"\n  nexome targets score --root {root} --year {year} {PAPER}{year}"
        f"\n  nexome serve {root}      then http://{settings.host}:{settings.port}/; its owner: /en/cockpit"
        "\n\nWith your own data: nexome init ROOT, nexome import associations --help, docs/tutorial.md."
    )


def _show(step: str, done: int, total: int) -> None:
    """One line that counts up on a terminal; its end only, elsewhere."""
    terminal = sys.stdout.isatty()
    start = "\r" if terminal else ""
    if terminal or done == total:
        click.echo(f"{start}    {done} of {total} traits {_STEPS[step]}", nl=done == total)


def _serve(ctx: click.Context, root: Path) -> None:
    """Call `nexome serve`, which lives above this room, by its name."""
    group = ctx.find_root().command
    command = group.get_command(ctx, "serve") if isinstance(group, click.Group) else None
    if command is None:
        raise InputError("no command serve", todo=f"Run: nexome serve {root}")
    command.main([str(root)], prog_name="nexome serve", standalone_mode=False)
