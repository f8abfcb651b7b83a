"""Making a set of reference values of a cohort, variable by variable, under disclosure control.

A set is a publication: whoever may see it may keep it, so that the strict rules of a controlled reader hold
for all of it, also when the owner builds it for a private centre. Of a participant with several visits the
first with a value counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.access.disclosure import Cells, Guard, Question, Split, guard_of
from nexome.access.identity import OWNER
from nexome.access.policy import REASONS
from nexome.access.reference.layout import Bools, Group, Layout, lay_out
from nexome.access.reference.sheet import Described, data_sheet
from nexome.access.reference.summary import Permit, VariableSummary, rounded_count, summarise
from nexome.methods.reference.histograms import Histogram, choose_grid, count_people
from nexome.methods.reference.outliers import OUTLIER_RULES, OutlierRule
from nexome.model.cohorts import Variable
from nexome.model.errors import InputError, NexomeError, RefusedError
from nexome.model.expressions import bind, evaluate, is_true, names, parse
from nexome.model.fields import schema_of
from nexome.model.terms import Access
from nexome.store.cohorts import CohortStore, CohortTable
from nexome.store.disk import now_iso
from nexome.store.reference import (
    CURVE_COLUMNS,
    PARTITION_COLUMNS,
    PERCENTILE_COLUMNS,
    REFERENCE_COLUMNS,
    NewReferenceSet,
    ReferenceEntry,
    ReferenceSet,
    check_set_name,
    publish_reference,
)

if TYPE_CHECKING:
    from nexome.access.centre import Centre
    from nexome.access.view import View

WORKERS_MOST: Final = 4

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What a set is made of. `by`: 'sex', 'age'; `age_bands`: a width or edges in years.

    `variables`: names, all numbers of the cohort where none is given. `healthy`: an expression that people
    must meet; `weights`: a variable, else the one whose role is weight, '-' for none; `outliers`: a rule.
    """

    cohort: str
    version: int | None = None
    variables: tuple[str, ...] = ()
    by: tuple[str, ...] = ("sex", "age")
    age_bands: str = "10"
    healthy: str = ""
    weights: str = ""
    outliers: OutlierRule = "none"
    access: Access = "private"
    title: str = ""
    title_zh: str = ""
    licence: str = ""


@dataclass(frozen=True)
class _Built:
    """One variable as tables, and what set.json tells of it."""

    tables: Mapping[str, pa.Table]
    told: Mapping[str, Any]


@dataclass(frozen=True)
class _Work:
    """What all variables of a build share. `left_out`: why a variable is not in the set (or 'empty')."""

    table: CohortTable
    options: BuildOptions
    layout: Layout
    band: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float64] | None
    guard: Guard
    counts: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def build_reference(
    view: View, name: str, options: BuildOptions, progress: Progress | None = None
) -> ReferenceEntry:
    """Build a set from the newest version of a cohort (or the one asked) and publish it as its next version.

    Raises RefusedError for anyone but the owner, NotFoundError, InputError for choices that cannot be.
    """
    if view.principal.kind != "owner":
        raise RefusedError(REASONS["owner_only"], reason="owner_only", where=f"reference set {name[:80]}")
    check_set_name(name)
    centre = view._centre  # noqa: SLF001  a build is part of the view's room
    table = CohortStore.open(centre.root.path).get(options.cohort, options.version)
    work = prepare(table, options, publishing_guard(centre))
    chosen = _chosen(table, options.variables)
    built = summarise_all(work, chosen, progress)
    return publish_reference(centre.root, _new_set(name, work, built))


def publishing_guard(centre: Centre) -> Guard:
    """The guard of what is published once and for all: the rules of a controlled reader, in no project."""
    return replace(guard_of(centre, OWNER), reader="controlled", project="")


def options_of(opened: ReferenceSet) -> BuildOptions:
    """The choices a set was built with, for the newest version of its cohort."""
    choices = dict(opened.receipt()["choices"])
    for name in ("variables", "by"):
        choices[name] = tuple(choices[name])
    return BuildOptions(**(choices | {"version": None}))


def prepare(table: CohortTable, options: BuildOptions, guard: Guard) -> _Work:
    """Who counts and in which group; the columns that all variables share."""
    if options.outliers not in OUTLIER_RULES:
        raise InputError(
            f"outliers {options.outliers[:40]!r}", where="outliers", expected=", ".join(OUTLIER_RULES)
        )
    kept = _healthy(table, options.healthy)
    layout = lay_out(table, options.by, options.age_bands, kept)
    work = _Work(table, options, layout, layout.band_of_rows(), _weights(table, options.weights), guard)
    work.counts["people"] = table.people
    work.counts["healthy"] = len(np.unique(table.participants[kept]))
    work.counts["grouped"] = len(np.unique(table.participants[layout.cell >= 0]))
    return work


def summarise_all(
    work: _Work, variables: Sequence[Variable], progress: Progress | None = None
) -> dict[str, _Built]:
    """Every variable, some at a time on threads; one without a number is left out, and told.

    Raises RefusedError or InputError where all are.
    """
    made: dict[str, _Built] = {}
    workers = min(WORKERS_MOST, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        for at, (variable, built) in enumerate(
            zip(variables, pool.map(lambda v: _summarise_one(work, v), variables), strict=True)
        ):
            if built is not None:
                made[variable.name] = built
            if progress is not None:
                progress("variables", at + 1, len(variables))
    if not made:
        raise _nothing_left(work)
    return made


def _nothing_left(work: _Work) -> NexomeError:
    where = f"cohort {work.table.id}"
    reasons = [reason for reason in work.left_out.values() if reason in REASONS]
    if not reasons:
        return InputError("no variable with a value", where=where, expected="numbers of people who count")
    return RefusedError(
        REASONS[reasons[0]],
        reason=reasons[0],
        where=where,
        expected=f"groups of at least {work.guard.rules.min_cell} people",
        todo="Build it by wider bands of ages, or by fewer groups.",
    )


# ---------------------------------------------------------------- one variable


def _summarise_one(work: _Work, variable: Variable) -> _Built | None:
    values = np.asarray(work.table.column(variable.name).values, np.float64)
    standing = _standing(work, values)
    grid = choose_grid(values[standing >= 0])
    if grid is None:
        work.left_out[variable.name] = "empty"
        return None
    cells = np.where(standing >= 0, work.layout.cell, np.int32(-1))
    histogram = count_people(values, cells, work.layout.cells, grid=grid, weights=work.weights)
    permits = _permits(work, variable, values, standing=standing, histogram=histogram)
    if all(permit.reason for permit in permits.values()):
        work.left_out[variable.name] = next(iter(permits.values())).reason
        return None
    summary = summarise(histogram, work.layout, permits, outliers=work.options.outliers)
    return _Built(_tables(variable, summary), _told(variable, summary, grid.rounding))


def _standing(work: _Work, values: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Group of each row that stands for its participant, −1 for all others [rows]."""
    held = (work.band >= 0) & np.isfinite(values)
    table = work.table
    if work.weights is not None:
        held &= np.isfinite(work.weights) & (work.weights > 0)
    if table.people < table.rows:
        rows = np.flatnonzero(held)
        keys = table.participants[rows]
        held[rows[1:][keys[1:] == keys[:-1]]] = False
    return np.where(held, work.band, np.int32(-1))


def _permits(
    work: _Work,
    variable: Variable,
    values: npt.NDArray[np.float64],
    *,
    standing: npt.NDArray[np.int32],
    histogram: Histogram,
) -> dict[Group, Permit]:
    """What disclosure control says of each group that has people, those of all ages behind their bands."""
    groups = work.layout.banded_groups()
    cells = Cells(
        work.table.participants,
        standing,
        groups,
        values,
        work.weights,
        (len(work.layout.sexes), len(groups) // len(work.layout.sexes)),
    )
    try:
        released = work.guard.release(_question(work, variable), cells, of=work.table)
        reasons = {cell.label: cell.reason for cell in released.cells}
    except RefusedError as error:
        reasons = dict.fromkeys(groups, error.reason)
    people = {g: int(histogram.people[g.cells].sum()) for g in groups}
    permits: dict[Group, Permit] = {}
    for index in range(len(work.layout.sexes)):
        bands = [g for g in work.layout.groups_of(index) if people[g]]
        permits.update({g: Permit(reasons[g]) for g in bands})
        whole = work.layout.whole_group(index)
        if whole is not None and bands:
            permits.update(_permit_of_all(whole, bands, reasons))
    return permits


def _permit_of_all(whole: Group, bands: Sequence[Group], reasons: Mapping[Group, str]) -> dict[Group, Permit]:
    """All ages of one sex: the bands that are shown and no one else; withheld where others lie between.

    So the whole is the sum of what is shown, and what is withheld cannot be worked out by subtraction.
    """
    shown = [g for g in bands if not reasons[g]]
    if not shown:
        return {whole: Permit(reasons[bands[0]])}
    between = [g for g in bands if reasons[g] and shown[0].first < g.first < shown[-1].first]
    reach = Group(whole.sex, None, None, shown[0].first, shown[-1].behind)
    return {reach: Permit("suppressed" if between else "")}


def _question(work: _Work, variable: Variable) -> Question:
    options, layout = work.options, work.layout
    by = []
    dictionary = work.table.dictionary
    if "sex" in options.by and (sex := dictionary.of_role("sex")) is not None:
        by.append(Split(sex.name, codes=tuple(str(s) for s in layout.sexes)))
    if layout.by_age and (age := dictionary.of_role("age")) is not None:
        by.append(Split(age.name, cuts=tuple(low for low, *_ in layout.bands)))
    where = f" where {options.healthy}" if options.healthy else ""
    return Question(
        "reference",
        work.table.id,
        work.table.version,
        f"reference values of {variable.name} by {', '.join(options.by) or 'nothing'}{where}",
        variables=(variable.name,),
        conditions=None if options.healthy else (),
        by=tuple(by),
    )


def _tables(variable: Variable, summary: VariableSummary) -> dict[str, pa.Table]:
    named = {"variable": variable.name, "unit": variable.unit}
    return {
        "reference": _rows(summary.groups, REFERENCE_COLUMNS, named),
        "percentiles": _blocks(summary.percentiles, named),
        "curves": _rows(summary.curves, CURVE_COLUMNS, named),
        "partitions": _rows(summary.partitions, PARTITION_COLUMNS, named),
    }


def _rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], named: Mapping[str, Any]) -> pa.Table:
    given = {name: value for name, value in named.items() if name in columns}
    return pa.Table.from_pylist([given | dict(row) for row in rows], schema=schema_of(columns))


def _blocks(blocks: Sequence[Mapping[str, Any]], named: Mapping[str, Any]) -> pa.Table:
    """Blocks whose columns are arrays of one length, or one value for all of it, one below the other."""
    schema = schema_of(PERCENTILE_COLUMNS)
    parts = []
    for block in blocks:
        length = len(block["percentile"])
        columns = []
        for column in schema:
            value = {**named, **block}[column.name]
            columns.append(
                pa.array(value, column.type)
                if isinstance(value, np.ndarray)
                else pa.repeat(pa.scalar(value, column.type), length)
            )
        parts.append(pa.Table.from_arrays(columns, schema=schema))
    return pa.concat_tables(parts) if parts else schema.empty_table()


def _told(variable: Variable, summary: VariableSummary, rounding: float | None) -> dict[str, Any]:
    """What set.json says of a variable."""
    return {
        "label": variable.label,
        "label_zh": variable.label_zh,
        "unit": variable.unit,
        "type": variable.type,
        "terms": list(variable.terms),
        "rounding": rounding,
        "curves": summary.fits,
        "outliers": rounded_count(summary.outliers),
        "withheld": sum(1 for row in summary.groups if row.get("withheld")),
    }


# ---------------------------------------------------------------- what is chosen


def _chosen(table: CohortTable, asked: Sequence[str]) -> list[Variable]:
    """The variables asked, else all numbers that measure something. Raises NotFoundError, InputError."""
    if not asked:
        return [v for v in table.variables if v.numeric and not v.role and v.sensitivity != "identifying"]
    chosen = [table.variable(name) for name in dict.fromkeys(asked)]
    for variable in chosen:
        if not variable.numeric or variable.sensitivity == "identifying":
            kind = "a variable that identifies" if variable.numeric else f"of type {variable.type}"
            raise InputError(f"{variable.name} is {kind}", where="variables", expected="numbers")
    return chosen


def _healthy(table: CohortTable, text: str) -> Bools:
    """The rows that meet the expression [rows]; those of which it cannot be said do not."""
    if not text.strip():
        return np.ones(table.rows, bool)
    bound = bind(parse(text), {v.name: v for v in table.variables})
    if bound.kind != "condition":
        raise InputError(f"an expression that is a {bound.kind}", where="healthy", expected="a condition")
    columns = {name: table.column(name) for name in names(bound.expression)}
    return np.asarray(is_true(evaluate(bound.expression, columns, table.rows)))


def _weights(table: CohortTable, asked: str) -> npt.NDArray[np.float64] | None:
    if asked == "-":
        return None
    variable = table.variable(asked) if asked else table.dictionary.of_role("weight")
    if variable is None:
        return None
    if not variable.numeric:
        raise InputError(f"{variable.name} is {variable.type}", where="weights", expected="a number")
    return np.asarray(table.column(variable.name).values, np.float64)


# ---------------------------------------------------------------- the set


def _new_set(name: str, work: _Work, built: Mapping[str, _Built]) -> NewReferenceSet:
    table, options = work.table, work.options
    facts = _facts(work, built)
    described = Described(name, table.cohort, facts)
    return NewReferenceSet(
        name=name,
        access=options.access,
        title=options.title or name,
        title_zh=options.title_zh,
        cohort=table.id,
        cohort_version=table.version,
        cohort_digest=table.digest,
        tables={key: pa.concat_tables([b.tables[key] for b in built.values()]) for key in _tables_of(built)},
        facts=facts,
        receipt={
            "choices": asdict(options),
            "cohort": {"id": table.id, "version": table.version, "digest": table.digest},
            "versions": {"nexome": metadata.version("nexome"), "numpy": np.__version__},
            "disclosure": {
                "min_cell": work.guard.rules.min_cell,
                "tail_people": work.guard.rules.tail_people,
            },
        },
        sheet=lambda version, published: data_sheet(described, version, published),
        published=now_iso(),
    )


def _tables_of(built: Mapping[str, _Built]) -> list[str]:
    return list(next(iter(built.values())).tables)


def _facts(work: _Work, built: Mapping[str, _Built]) -> dict[str, Any]:
    table, options, layout = work.table, work.options, work.layout
    left = {
        "people": rounded_count(work.counts["people"]),
        "excluded_by_rule": rounded_count(work.counts["people"] - work.counts["healthy"]),
        "without_group": rounded_count(work.counts["healthy"] - work.counts["grouped"]),
    }
    weight = options.weights or getattr(table.dictionary.of_role("weight"), "name", "")
    return {
        "title": options.title or "",
        "title_zh": options.title_zh,
        "cohort": table.id,
        "cohort_version": table.version,
        "by": list(options.by),
        "bands": [[low, None if np.isinf(high) else high] for low, high, *_ in layout.bands],
        "sexes": [sex for sex in layout.sexes if sex],
        "completed_years": layout.completed_years,
        "healthy": options.healthy,
        "weights": "" if weight == "-" else weight,
        "outliers": options.outliers,
        "licence": options.licence or table.cohort.licence,
        "min_cell": work.guard.rules.min_cell,
        "counts": left,
        "left_out": dict(sorted(work.left_out.items())),
        "variables": {name: dict(one.told) for name, one in built.items()},
    }
