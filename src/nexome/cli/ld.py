"""`nexome query ld`, `proxies`, `ld-matrix`, `ld-panels` and `nexome clump`: LD as tables.

What was computed from (panel, population, people) goes to stderr, one line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nexome.cli.query import asked_view, question, write_answer

if TYPE_CHECKING:
    from nexome.access.ld_panels import PanelChoice

Command = TypeVar("Command", bound=Callable[..., Any])

_STUDY = click.option("--study", metavar="ID", help="Choose the population nearest to this study's ancestry.")


def _choice(command: Command) -> Command:
    """Give a command `--panel` and `--population`."""
    panel = click.option("--panel", metavar="NAME", help="Set of genotypes; else the best with the variant.")
    population = click.option("--population", metavar="NAME", help="A population of it, or all.")
    return panel(population(command))


@click.command("ld-panels")
@question
def panels(**asked: Any) -> None:
    """List the sets of genotypes that LD is computed from, and their populations.

    \b
    Examples:
      nexome query ld-panels
    """
    with asked_view(asked) as view:
        write_answer(view.ld_panels(), asked)


@click.command()
@click.argument("variant")
@click.option("--region", metavar="REGION", help="A region or gene; else 500 kb on both sides.")
@_choice
@_STUDY
@question
def ld(
    variant: str,
    region: str | None,
    panel: str | None,
    population: str | None,
    study: str | None,
    **asked: Any,
) -> None:
    """Show the LD of a variant with all others of a region: r, r², |D′|.

    r is of the allele named last (2-135851076-G-A: A) with each `effect_allele`.

    \b
    Examples:
      nexome query ld rs4988235 --population EAS
      nexome query ld 2-135851076-G-A --region 2:135000000-136500000 -o ld.parquet
    """
    with asked_view(asked) as view:
        found = view.ld(variant, region, panel=panel, population=population, study=study)
        write_answer(found.table(), asked)
    _say(found.choice)


@click.command()
@click.argument("variant")
@click.option("--r2", type=click.FloatRange(0, 1), default=0.8, show_default=True, help="Least r².")
@click.option(
    "--window", type=click.IntRange(1), default=500_000, show_default=True, help="Bases, each side."
)
@_choice
@_STUDY
@question
def proxies(
    variant: str,
    r2: float,
    window: int,
    panel: str | None,
    population: str | None,
    study: str | None,
    **asked: Any,
) -> None:
    """Show the variants that can stand for one, best first.

    \b
    Examples:
      nexome query proxies rs4988235
      nexome query proxies rs4988235 --r2 0.5 --window 250000 --panel 1000G
    """
    with asked_view(asked) as view:
        found = view.ld(variant, flank_bp=window, panel=panel, population=population, study=study)
        write_answer(found.proxies(r2), asked)
    _say(found.choice)


@click.command("ld-matrix")
@click.argument("variants", nargs=-1)
@click.option("--file", "file", type=click.File("r"), help="Variants, one a line; '-': from a pipe.")
@click.option("--region", metavar="REGION", help="All variants of a region or gene instead.")
@_choice
@_STUDY
@question
def matrix(
    variants: tuple[str, ...],
    file: Any,
    region: str | None,
    panel: str | None,
    population: str | None,
    study: str | None,
    **asked: Any,
) -> None:
    """Show the LD of all pairs of variants, each pair once. Variants that are not held are named on stderr.

    \b
    Examples:
      nexome query ld-matrix rs4988235 rs182549 rs3754689
      nexome query ld-matrix --region 2:135840000-135860000 --format json
    """
    names = list(variants) + [line.strip() for line in file or () if line.strip()]
    if bool(names) == bool(region):
        raise click.UsageError("Give variants, or a --file of them, or a --region.")
    chosen = {"panel": panel, "population": population, "study": study}
    with asked_view(asked) as view:
        found = view.ld_matrix(names or None, region, **chosen)
        write_answer(found.table(), asked)
    _say(found.choice)
    _name_missing(found.missing, "variants are not in the panel")


@click.command()
@click.argument("study_id", metavar="STUDY")
@click.option("--trait", help="The trait, where the study has several.")
@click.option("--p1", type=float, default=1e-4, show_default=True, help="Most p of an index variant.")
@click.option("--p2", type=float, default=1e-2, show_default=True, help="A member has p below this.")
@click.option("--r2", type=float, default=0.5, show_default=True, help="Least r² with the index.")
@click.option("--window", type=int, default=250_000, show_default=True, help="Members lie nearer, in bases.")
@_choice
@question
def clump(
    study_id: str,
    trait: str | None,
    p1: float,
    p2: float,
    r2: float,
    window: int,
    panel: str | None,
    population: str | None,
    **asked: Any,
) -> None:
    """Clump a study's associations by LD: one index variant a signal, with its members (as PLINK --clump).

    The population is the one nearest to the study's ancestry unless named. Index variants alone:
    the rows with index_variant true.

    \b
    Examples:
      nexome clump T2D
      nexome clump T2D --p1 5e-8 --p2 1e-5 --r2 0.1 --window 500000 --population EAS -o clumps.tsv
    """
    from nexome.access.ld import ClumpOptions  # noqa: PLC0415  `--help` must not wait for it

    options = ClumpOptions(p1, p2, r2, window)
    with asked_view(asked) as view:
        found = view.clump(study_id, trait, options=options, panel=panel, population=population)
        write_answer(found.table, asked)
    _say(found.choice)
    _name_missing(found.missing, f"variants with p ≤ {p1:g} are not in the panel and in no clump")
    if not found.clumps:
        click.echo(f"nexome: no variant of the panel has p ≤ {p1:g} in study {study_id}.", err=True)


def _say(choice: PanelChoice) -> None:
    """Say on stderr what LD was computed from."""
    who = choice.population or "everyone"
    how = {"asked": "", "everyone": "", "ancestry": ", nearest to the study's ancestry"}[choice.why]
    kind = "haplotypes" if choice.panel.phased else "allele counts"
    text = f"LD from panel {choice.panel.name} version {choice.panel.version}, {who}{how}: "
    click.echo(f"nexome: {text}{choice.people:,} people, by {kind}.", err=True)


def _name_missing(names: tuple[str, ...], what: str) -> None:
    if names:
        shown = ", ".join(names[:10]) + (" …" if len(names) > 10 else "")
        click.echo(f"nexome: {len(names)} {what}: {shown}", err=True)
