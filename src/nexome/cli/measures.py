"""`nexome measures`: what the centre can tell of itself, sampled into a history that is only added to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nexome.cli.options import echo_json, format_bytes, open_centre, print_rows, root_option

if TYPE_CHECKING:
    from nexome.store.measures import Reading

_format = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "tsv"]),
    default="text",
    show_default=True,
    help="Aligned columns, JSON or TSV.",
)


@click.group(invoke_without_command=True)
@root_option
@_format
@click.option("--fresh", is_flag=True, help="Read the sizes of all files now; else they may be an hour old.")
@click.pass_context
def measures(ctx: click.Context, root: Path, format_: str, fresh: bool) -> None:
    """Measure the centre: what it holds, how it is used, how it is kept.

    A measure without a source has no number here, and says so. `sample` writes a reading of every
    measure into the history; `history` shows it. `nexome serve` samples once a day by itself.

    \b
    Examples:
      nexome measures --root centre
      nexome measures --root centre --format json
      nexome measures sample --root centre
      nexome measures history --root centre associations
    """
    if ctx.invoked_subcommand is not None:
        return
    from nexome.report.measures import measure  # noqa: PLC0415

    with open_centre(root) as centre:
        _print(measure(centre, fresh=fresh), format_)


@measures.command()
@root_option
def sample(root: Path) -> None:
    """Write a reading of every measure into the history: for a timer, or before a report.

    Two samples of one day are both kept; nothing is ever rewritten.

    \b
    Example:
      nexome measures sample --root centre
    """
    from nexome.report.measures import measure  # noqa: PLC0415
    from nexome.store.measures import append_readings  # noqa: PLC0415

    with open_centre(root) as centre:
        readings = measure(centre, fresh=True)
    time = append_readings(root, readings)
    held = sum(reading.value is not None for reading in readings)
    click.echo(f"{held} measures sampled at {time}; {len(readings) - held} have no value yet.")


@measures.command()
@root_option
@_format
@click.argument("name")
def history(root: Path, format_: str, name: str) -> None:
    """Show all samples of one measure, oldest first.

    \b
    Example:
      nexome measures history --root centre visits
    """
    from nexome.model.errors import NotFoundError  # noqa: PLC0415
    from nexome.model.measures import MEASURES  # noqa: PLC0415
    from nexome.store.measures import read_history  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    if name not in MEASURES:
        raise NotFoundError(f"no measure {name[:60]!r}", expected=", ".join(MEASURES))
    open_root(root)
    readings = read_history(root, name)
    if format_ == "text" and not readings:
        click.echo("Nothing sampled yet: nexome measures sample")
        return
    _print(readings, format_, by_time=True)


def _print(readings: Sequence[Reading], format_: str, *, by_time: bool = False) -> None:
    from nexome.model.measures import MEASURES  # noqa: PLC0415

    if format_ == "json":
        rows = [
            {
                "measure": reading.name,
                "value": reading.value,
                "unit": MEASURES[reading.name].unit,
                "time": reading.time,
                "parts": dict(reading.parts),
                "note": reading.note,
            }
            for reading in readings
        ]
        echo_json(rows)
        return
    head = ("time", "value", "unit") if by_time else ("measure", "value", "unit", "what it is")
    if format_ == "tsv":
        click.echo("measure\tvalue\tunit\ttime")
        for r in readings:
            click.echo(f"{r.name}\t{'' if r.value is None else r.value}\t{MEASURES[r.name].unit}\t{r.time}")
        return
    lines: list[tuple[str, ...]] = []
    for r in readings:
        shown = (value_text(r), MEASURES[r.name].unit)
        lines.append((r.time, *shown) if by_time else (r.name, *shown, MEASURES[r.name].title_en))
    print_rows(head, lines)


def value_text(reading: Reading) -> str:
    """A reading for people; the note where there is no value."""
    from nexome.model.measures import MEASURES  # noqa: PLC0415

    if reading.value is None:
        return f"({reading.note})"
    if MEASURES[reading.name].unit == "By":
        return format_bytes(reading.value)
    whole = float(reading.value).is_integer()
    return f"{int(reading.value):,}" if whole else f"{reading.value:,.2f}"
