"""`nexome cohort count`, `mean`, `percentiles`, `histogram`, `compare`, `matrix`, `grid`, `find`.

How a filter was read, and by which rules it was answered, goes to stderr; the table to the screen or a file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from nexome.cli.options import echo_json
from nexome.cli.query import asked_view, question, write_answer

if TYPE_CHECKING:
    from nexome.access.cohort_answers import CohortAnswer

Command = TypeVar("Command", bound=Callable[..., Any])

_PERCENTILES: Final = "5,25,50,75,95"
_json: Final = click.option("--json", "as_json", is_flag=True, help="Table and how it was read, as JSON.")
_unit: Final = click.option("--unit", metavar="UCUM", help="Unit of the answer; else the variable's.")


def _asking(command: Command) -> Command:
    """Give a command what every question over people takes."""
    by = click.option("--by", default="", metavar="NAMES", help="Groups: up to three variables, by commas.")
    project = click.option("--as-project", "--project", "project", help="Ask in this project (with --token).")
    version = click.option("--version", type=click.IntRange(1), help="Another version than the newest.")
    least = click.option("--min-cell", type=click.IntRange(0), default=0, help="A larger smallest cell.")
    return by(project(version(least(_json(question(command))))))


@click.command()
@click.argument("cohort")
@click.argument("where", metavar="[FILTER]", default="")
@_asking
def count(cohort: str, where: str, by: str, **asked: Any) -> None:
    """Count the people a filter holds for, in groups.

    A filter is as people write it: names or labels in English or Chinese, LOINC codes, units, categories by
    code or label, terms of a loaded ontology. A person counts once, by the first visit at which all fits.

    \b
    Examples:
      nexome cohort count nhanes 'sex = female and age between 40 and 60 and ldl > 4.1 mmol/L and asthma'
      nexome cohort count nhanes '性别 = 女 且 年龄 >= 40' --by sex,age
    """
    with asked_view(asked) as view:
        _tell(view.count(cohort, where, _names(by), **_how(asked)), asked)


@click.command()
@click.argument("cohort")
@click.argument("variable")
@click.argument("where", metavar="[FILTER]", default="")
@_unit
@_asking
def mean(cohort: str, variable: str, where: str, by: str, unit: str | None, **asked: Any) -> None:
    """Show mean and standard deviation of a variable, in groups.

    \b
    Examples:
      nexome cohort mean nhanes ldl --by sex,age
      nexome cohort mean nhanes LDL 'asthma = yes' --unit mg/dL
    """
    with asked_view(asked) as view:
        _tell(view.means(cohort, variable, where, _names(by), unit=unit, **_how(asked)), asked)


@click.command()
@click.argument("cohort")
@click.argument("variable")
@click.argument("where", metavar="[FILTER]", default="")
@click.option("--percent", default=_PERCENTILES, show_default=True, metavar="NUMBERS", help="Which.")
@_unit
@_asking
def percentiles(
    cohort: str, variable: str, where: str, by: str, percent: str, unit: str | None, **asked: Any
) -> None:
    """Show percentiles of a variable, in groups; never a minimum or maximum.

    \b
    Examples:
      nexome cohort percentiles nhanes ldl --by sex
      nexome cohort percentiles nhanes ldl 'age >= 40' --percent 2.5,50,97.5
    """
    try:
        shares = [float(text) / 100 for text in percent.split(",")]
    except ValueError:
        raise click.BadParameter("numbers above 0 and below 100, by commas", param_hint="--percent") from None
    with asked_view(asked) as view:
        answer = view.percentiles(
            cohort, variable, where, _names(by), probabilities=shares, unit=unit, **_how(asked)
        )
        _tell(answer, asked)


@click.command()
@click.argument("cohort")
@click.argument("variable")
@click.argument("where", metavar="[FILTER]", default="")
@_asking
def histogram(cohort: str, variable: str, where: str, by: str, **asked: Any) -> None:
    """Count people in each band of a variable, as the cohort's grid cuts it.

    \b
    Example:
      nexome cohort histogram nhanes ldl 'sex = female'
    """
    with asked_view(asked) as view:
        _tell(view.histogram(cohort, variable, where, _names(by), **_how(asked)), asked)


@click.command()
@click.argument("variable")
@click.argument("where", metavar="[FILTER]", default="")
@_unit
@click.option("--as-project", "--project", "project", help="Ask in this project (with --token).")
@question
def compare(variable: str, where: str, unit: str | None, project: str | None, **asked: Any) -> None:
    """Set a quantity of all cohorts that have it side by side, in one unit.

    \b
    Example:
      nexome cohort compare LDL --unit mmol/L
    """
    with asked_view(asked) as view:
        write_answer(view.compare_sources(variable, where, unit=unit, project=project), asked)


@click.command()
@question
def matrix(**asked: Any) -> None:
    """Show which cohort measured what: a row a quantity and cohort, the most shared first.

    \b
    Example:
      nexome cohort matrix
    """
    with asked_view(asked) as view:
        write_answer(view.variable_matrix(), asked)


@click.command()
@click.argument("cohort")
@question
def grid(cohort: str, **asked: Any) -> None:
    """Show the published grid of a cohort: the bands and categories anyone may ask by.

    \b
    Example:
      nexome cohort grid nhanes
    """
    with asked_view(asked) as view:
        write_answer(view.grid(cohort).table(), asked)


@click.command()
@click.argument("text")
@question
def find(text: str, **asked: Any) -> None:
    """Find variables of all cohorts by name, label in either language, term, or substance.

    \b
    Example:
      nexome cohort find 低密度脂蛋白
    """
    with asked_view(asked) as view:
        write_answer(view.find_variables(text), asked)


def _names(by: str) -> list[str]:
    return [name.strip() for name in by.replace("，", ",").split(",") if name.strip()]


def _how(asked: dict[str, Any]) -> dict[str, Any]:
    return {name: asked[name] for name in ("project", "version", "min_cell")}


def _tell(answer: CohortAnswer, asked: dict[str, Any]) -> None:
    if asked["as_json"]:
        echo_json({"data": answer.table().to_pylist(), "meta": answer.meta()})
        return
    write_answer(answer.table(), asked)
    for line in _notes(answer):
        click.echo(f"nexome: {line}", err=True)


def _notes(answer: CohortAnswer) -> list[str]:
    """How the answer came to be, a line a thing to know."""
    notes = [f"read as {answer.understood.text}"] if answer.understood.text else []
    notes += [f"{e.asked} ({e.term}) stands for {', '.join(e.stands_for)}" for e in answer.expansions]
    if answer.understood.taken_in:
        notes.append("without a unit: " + ", ".join(f"{n} in {u}" for n, u in answer.understood.taken_in))
    if answer.snapped:
        notes.append("fitted to the grid: " + "; ".join(answer.snapped))
    if answer.release.perturbed:
        notes.append("counts carry noise that stays the same; groups do not add up exactly")
    if answer.repeated:
        notes.append("a person counts once, by the first visit at which everything asked for fits")
    if answer.release.coarser:
        notes.append(f"this would be answered in full: {answer.release.coarser}")
    return notes
