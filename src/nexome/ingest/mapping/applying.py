"""Rules applied to whole columns, visits combined, persons counted once: arrays in, arrays out.

Rows of a source come sorted by participant. A value that a rule cannot keep becomes missing and is counted
with the reason; nothing is dropped unsaid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nexome.ingest.mapping.planning import PlannedRule, PlannedSource
from nexome.ingest.mapping.rules import MISSING, REFUSE, SamePersons
from nexome.model.cohorts import Variable
from nexome.model.expressions import Column, evaluate, is_true, rounded
from nexome.store.cohorts import CohortTable
from nexome.store.cohorts.columns import valid_codes

Bools = NDArray[np.bool_]
Rows = NDArray[np.int64]
MOST_DECIMALS: Final = 9
_UNIX_EPOCH: Final = date(1970, 1, 1).toordinal()


@dataclass
class Counts:
    """What became of the values of one column of one source."""

    taken: int = 0
    changed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    given: int = 0
    decimals: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The counts as plain JSON values."""
        return {
            "taken": self.taken,
            "changed": self.changed,
            "refused": dict(sorted(self.refused.items())),
            "given": self.given,
        } | ({} if self.decimals is None else {"decimals": self.decimals})


@dataclass
class Block:
    """Rows of one source in the target's variables. keys uint64 [n], sorted; `order`: what orders visits."""

    keys: NDArray[np.uint64]
    columns: dict[str, Column]
    counts: dict[str, Counts]
    rows: Counter[str] = field(default_factory=Counter)
    order: Column | None = None


def apply_source(planned: PlannedSource) -> Block:
    """The rows of a source, each rule applied to each; see `combine_visits` for one row a person."""
    table = planned.table
    rows, told = _chosen(planned)
    columns = {name: _taken(table, name, rows) for name in planned.reads}
    made, counts = {}, {}
    for rule in planned.rules:
        made[rule.variable.name], counts[rule.variable.name] = apply_rule(rule, columns, len(rows))
    block = Block(np.asarray(table.participants)[rows], made, counts, told)
    return _ordered(block, columns[planned.order]) if planned.order and len(rows) else block


def _taken(table: CohortTable, name: str, rows: Rows) -> Column:
    column = table.column(name)
    if len(rows) == table.rows:
        return Column(column.values, column.missing, tuple(column.categories))
    return Column(column.values[rows], column.missing[rows], tuple(column.categories))


def _chosen(planned: PlannedSource) -> tuple[Rows, Counter[str]]:
    table, told = planned.table, Counter[str]()
    rows = np.arange(table.rows)
    told["read"] = table.rows
    if planned.where is not None:
        columns = {name: table.column(name) for name in planned.reads}
        kept = is_true(evaluate(planned.where, columns, table.rows))
        rows = rows[kept]
        told["not chosen by where"] = table.rows - len(rows)
    same = planned.source.same_persons
    if same is not None and len(rows):
        kept = _one_a_person(table, rows, same)
        told["the same person again"] = int((~kept).sum())
        rows = rows[kept]
    return rows, told


def _one_a_person(table: CohortTable, rows: Rows, same: SamePersons) -> Bools:
    """Which rows stay: one of those that agree in all columns; rows lacking one of the values all stay."""
    columns = [_taken(table, name, rows) for name in same.columns]
    lacking = np.logical_or.reduce([column.missing for column in columns])
    group = np.zeros(len(rows), dtype=np.int64)
    for column in columns:
        _, values = np.unique(np.where(column.missing, 0, column.values), return_inverse=True)
        _, group = np.unique(group * (int(values.max()) + 1) + values, return_inverse=True)
    group = np.where(lacking, int(group.max()) + 1 + np.arange(len(rows)), group)
    arrival = np.arange(len(rows))
    rank = -arrival if same.keep == "last" else arrival
    if same.keep == "fullest":
        filled = np.sum([~_taken(table, v.name, rows).missing for v in table.variables], axis=0)
        order = np.lexsort((arrival, -filled, group))
    else:
        order = np.lexsort((rank, group))
    kept = np.zeros(len(rows), dtype=bool)
    first = np.ones(len(rows), dtype=bool)
    first[1:] = group[order][1:] != group[order][:-1]
    kept[order[first]] = True
    return kept


def apply_rule(planned: PlannedRule, columns: Mapping[str, Column], rows: int) -> tuple[Column, Counts]:
    """One target column [rows] of source columns, and what became of its values."""
    given = evaluate(planned.bound.expression, columns, rows)
    counts = Counts(taken=int(rows - given.missing.sum()))
    if planned.rule.combine == "count":
        made = given
    elif planned.by_code:
        made = _recoded(planned, given, counts)
    elif planned.variable.numeric:
        made = _number(planned, given, counts)
    else:
        made = given
    counts.given = int(rows - made.missing.sum())
    return made, counts


def _number(planned: PlannedRule, given: Column, counts: Counts) -> Column:
    values, missing = given.values.astype(np.float64, copy=False), given.missing
    if not planned.conversion.same:
        counts.decimals = decimals_of(values[~missing])
        values = planned.conversion.apply(values)
        counts.changed = int(np.sum((values != given.values) & ~missing))
    averaged = planned.combine in {"mean", "median"}
    if planned.rule.decimals is not None and not averaged:
        values = rounded(values, np.asarray(planned.rule.decimals))
        counts.changed = int(np.sum((values != given.values) & ~missing))
    missing = _limited(planned, values, missing, counts)
    if planned.variable.type == "integer" and not averaged:
        broken = ~missing & (values != np.round(values))
        _count(counts, "not a whole number", broken)
        missing = missing | broken
    return Column(values, missing)


def _limited(planned: PlannedRule, values: NDArray[np.float64], missing: Bools, counts: Counts) -> Bools:
    unit = f" {planned.variable.unit}" if planned.variable.unit not in {"", "1"} else ""
    if planned.minimum is not None:
        low = ~missing & (values < planned.minimum)
        _count(counts, f"below {planned.minimum:g}{unit}", low)
        missing = missing | low
    if planned.maximum is not None:
        high = ~missing & (values > planned.maximum)
        _count(counts, f"above {planned.maximum:g}{unit}", high)
        missing = missing | high
    return missing


def _count(counts: Counts, why: str, refused: Bools) -> None:
    if number := int(refused.sum()):
        counts.refused[why] += number


def _recoded(planned: PlannedRule, given: Column, counts: Counts) -> Column:
    """Codes of the target for codes of the source; what has no answer is refused."""
    texts, places = _as_texts(given)
    answers, stated = dict(planned.codes), planned.otherwise
    default = None if stated == REFUSE else "" if stated == MISSING else stated
    outcome = [answers.get(text, default) for text in texts]
    variable = planned.variable
    table, codes = _answers(outcome, variable)
    lost = np.array([answer is None or answer == "" for answer in outcome] + [True])
    refused = np.array([answer is None for answer in outcome] + [False])
    _count(counts, "a code without an answer", refused[places] & ~given.missing)
    changed = np.array(
        [answer not in {None, "", text} for text, answer in zip(texts, outcome, strict=True)] + [False]
    )
    counts.changed = int(changed[places].sum())
    missing = given.missing | lost[places]
    values = table[places]
    return _with_range(planned, Column(values, missing, codes), counts)


def _with_range(planned: PlannedRule, column: Column, counts: Counts) -> Column:
    return (
        replace(column, missing=_limited(planned, column.values, column.missing, counts))
        if planned.variable.numeric
        else column
    )


def _answers(outcome: list[str | None], variable: Variable) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The target's value for each place of a source code, and one more for none."""
    if variable.numeric:
        return np.array([float(answer) if answer else 0.0 for answer in outcome] + [0.0]), ()
    if variable.type == "boolean":
        return np.array([answer in {"true", "yes"} for answer in outcome] + [False]), ()
    codes = (
        valid_codes(variable) if variable.type == "category" else tuple(dict.fromkeys(filter(None, outcome)))
    )
    number = {code: place for place, code in enumerate(codes)}
    return np.array([number.get(answer or "", 0) for answer in outcome] + [0], dtype=np.int32), codes


def _as_texts(given: Column) -> tuple[list[str], NDArray[np.int64]]:
    """The distinct values as texts and each row's place among them; missing rows point behind the last."""
    if given.coded:
        texts = list(given.categories)
        return texts, np.where(given.missing, len(texts), given.values).astype(np.int64)
    if given.values.dtype == bool:
        return ["false", "true"], np.where(given.missing, 2, given.values.astype(np.int64))
    distinct, inverse = np.unique(np.where(given.missing, 0.0, given.values), return_inverse=True)
    return [f"{value:.15g}" for value in distinct], np.where(given.missing, len(distinct), inverse)


def decimals_of(values: NDArray[np.float64]) -> int | None:
    """How many decimals written numbers had, 0 to 9; None where they are no short decimal fractions."""
    for decimals in range(MOST_DECIMALS + 1):
        scaled = values * 10.0**decimals
        if np.array_equal(np.round(scaled) / 10.0**decimals, values):
            return decimals
    return None


# ------------------------------------------------------------ visits


def _ordered(block: Block, order: Column) -> Block:
    """Rows by participant, then by the column that orders visits, those without it last."""
    if len(starts_of(block.keys)) == len(block.keys):
        return replace(block, order=order)
    rows = np.lexsort((np.where(order.missing, 0, order.values), order.missing, block.keys))
    columns = {name: take(column, rows) for name, column in block.columns.items()}
    return replace(block, keys=block.keys[rows], columns=columns, order=take(order, rows))


def take(column: Column, rows: Rows) -> Column:
    """Some rows of a column."""
    return Column(column.values[rows], column.missing[rows], column.categories)


def combine_visits(block: Block, planned: PlannedSource) -> Block:
    """One row a participant: each column combined as its rule, else its source, says."""
    starts = starts_of(block.keys)
    made = dict(block.columns)
    for rule in planned.rules:
        how, name = rule.combine, rule.variable.name
        if len(starts) < len(block.keys) or how == "count":
            nearest = rule.rule.nearest or planned.source.nearest
            distance = _distance(block, nearest) if how == "nearest" else None
            made[name] = combine_column(block.columns[name], starts, how, distance)
        if how in {"mean", "median"} and rule.rule.decimals is not None:
            mean = rounded(made[name].values, np.asarray(rule.rule.decimals))
            made[name] = replace(made[name], values=mean)
    block.rows["combined into a row of the same participant"] = len(block.keys) - len(starts)
    return replace(block, keys=block.keys[starts], columns=made)


def _distance(block: Block, day: date | None) -> NDArray[np.float64]:
    """Days between each visit and a day; infinite for a visit without date. A plan has both."""
    if block.order is None or day is None:
        raise AssertionError
    days = np.abs(block.order.values - (day.toordinal() - _UNIX_EPOCH))
    return np.where(block.order.missing, np.inf, days)


def starts_of(keys: NDArray[np.uint64]) -> Rows:
    """Where each participant's rows begin."""
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    return np.flatnonzero(first)


def combine_column(
    column: Column, starts: Rows, how: str, distance: NDArray[np.float64] | None = None
) -> Column:
    """One value a group of rows; missing values are passed over. `distance` [rows] for nearest."""
    values, missing = column.values, column.missing
    rows = len(values)
    if how in {"first", "last", "nearest"}:
        picked = _picked(missing, starts, how, distance)
        gone = (picked < 0) | (picked >= rows)
        at = np.where(gone, 0, picked)
        return Column(values[at], gone, column.categories)
    number = np.add.reduceat((~missing).astype(np.int64), starts)
    if how == "count":
        return Column(number.astype(np.float64), np.zeros(len(starts), dtype=bool))
    gone = number == 0
    if how in {"min", "max"}:
        join, empty = (np.minimum, np.inf) if how == "min" else (np.maximum, -np.inf)
        return Column(np.where(gone, 0.0, join.reduceat(np.where(missing, empty, values), starts)), gone)
    if how == "mean":
        total = np.add.reduceat(np.where(missing, 0.0, values), starts)
        return Column(total / np.maximum(number, 1), gone)
    return _median(column, starts, number)


def _picked(missing: Bools, starts: Rows, how: str, distance: NDArray[np.float64] | None) -> Rows:
    rows = len(missing)
    places = np.arange(rows)
    if how == "last":
        return np.asarray(np.maximum.reduceat(np.where(missing, -1, places), starts))
    if how == "first":
        return np.asarray(np.minimum.reduceat(np.where(missing, rows, places), starts))
    if distance is None:
        raise AssertionError
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, rows)))
    order = np.lexsort((places, np.where(missing, np.inf, distance), missing, group))
    picked = order[starts]
    return np.where(missing[picked], rows, picked)


def _median(column: Column, starts: Rows, number: Rows) -> Column:
    rows = len(column.values)
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, rows)))
    order = np.lexsort((column.values, column.missing, group))
    low = order[starts + np.maximum(number - 1, 0) // 2]
    high = order[np.minimum(starts + number // 2, rows - 1)]
    return Column((column.values[low] + column.values[high]) / 2, number == 0)


# ------------------------------------------------------------ to the store


def to_arrow(column: Column, variable: Variable, rows: slice) -> pa.Array:
    """Rows of a column as the store takes them: numbers, bools, seconds or codes, null where missing."""
    values, missing = column.values[rows], column.missing[rows]
    if variable.type == "decimal":
        return pa.array(values, mask=missing)
    if variable.type == "integer":
        return pa.array(np.where(missing, 0, values).astype(np.int64), mask=missing)
    if variable.type == "boolean":
        return pa.array(values.astype(bool), mask=missing)
    if variable.type == "date":
        seconds = np.round(np.where(missing, 0, values) * 86_400).astype(np.int64)
        return pa.array(seconds, mask=missing).cast(pa.timestamp("s"))
    codes = pa.array(np.where(missing, 0, values).astype(np.int32), mask=missing)
    coded = pa.DictionaryArray.from_arrays(codes, pa.array(column.categories, pa.string()))
    return coded if variable.type == "category" else coded.cast(pa.large_string())
