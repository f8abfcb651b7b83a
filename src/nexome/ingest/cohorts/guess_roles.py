"""Which column is the participant, the visit, the date, the age, the sex: by name first, then by its values.

One column a role. Rules look at the table, not at the language of its names: the same table with Chinese
headers gives the same roles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from nexome.ingest.cohorts import words
from nexome.ingest.cohorts.guess_values import Guess, Sureness, ValueGuess
from nexome.ingest.cohorts.profile import Profile
from nexome.model.cohorts import NUMERIC, Role

_OLDEST: Final = 120.0
_BY_NAME: Final[Mapping[Role, tuple[str, ...]]] = {
    "visit": words.VISIT,
    "sex": words.SEX,
    "age": words.AGE,
    "weight": words.WEIGHT,
    "consent": words.CONSENT,
    "withdrawn": words.WITHDRAWN,
}
_TELLS_APART: Final[tuple[str, str, Sureness]] = (
    "with the participant it tells most rows apart",
    "与参与者编号一起可区分大多数行",
    "likely",
)
_ROLE_NAMES: Final[Mapping[Role, str]] = {
    "participant": "参与者",
    "visit": "随访",
    "date": "日期",
    "sex": "性别",
    "age": "年龄",
    "weight": "抽样权重",
    "consent": "知情同意",
    "withdrawn": "退出",
}


def guess_roles(
    columns: Sequence[Profile], values: Mapping[str, ValueGuess], bare: Mapping[str, str]
) -> dict[str, Guess]:
    """The roles found, by the name of their column. `bare`: each column's header without its unit."""
    keys = {c.name: words.key(bare[c.name]) for c in columns}
    found: dict[str, Guess] = {}
    person = _participant(columns, keys)
    chosen: list[tuple[Profile | None, Role, tuple[str, str, Sureness]]] = []
    if person is not None:
        chosen.append((person, "participant", _told_participant(person)))
    for role, names in _BY_NAME.items():
        column = _named(columns, keys, names, values, role)
        chosen.append((column, role, ("its name says so", f"列名即表示{_ROLE_NAMES[role]}", "sure")))
    chosen.append(
        (
            _worded_sex(columns, keys, values),
            "sex",
            ("its values are words for sexes", "取值为性别用词", "likely"),
        )
    )
    chosen.append((_visit_day(columns, keys, person), "visit", _TELLS_APART))
    chosen.append(_date(columns, keys, values, person))
    for column, role, (why, why_zh, sureness) in chosen:
        taken = any(guess.value == role for guess in found.values())
        if column is not None and column.name not in found and not taken:
            found[column.name] = Guess(column.name, "role", role, why, why_zh, sureness)
    return found


def _participant(columns: Sequence[Profile], keys: Mapping[str, str]) -> Profile | None:
    """The surest name; of equal ones the column that repeats least; a constant column names nobody."""
    named = [c for c in columns if keys[c.name] in words.PARTICIPANT and _tells_people(c)]
    if not named:
        return None
    return min(named, key=lambda c: (words.PARTICIPANT.index(keys[c.name]), -len(c.values)))


def _tells_people(column: Profile) -> bool:
    """Whether values differ as identifiers do: a column of one kit's name is called id as well."""
    return len(column.values) > column.filled // 100 and not (len(column.values) == 1 < column.filled // 2)


def _told_participant(person: Profile) -> tuple[str, str, Sureness]:
    rows, people = person.filled, len(person.values)
    if rows == people == person.rows:
        return "its name says so, and no value repeats", "列名表示编号，且取值无重复", "sure"
    empty = person.rows - rows
    why = f"its name says so; {people} identifiers in {rows} rows" + (
        f", {empty} rows without one" if empty else ""
    )
    why_zh = f"列名表示编号；{rows} 行中有 {people} 个编号" + (f"，{empty} 行没有编号" if empty else "")
    return why, why_zh, "likely"


def _named(
    columns: Sequence[Profile],
    keys: Mapping[str, str],
    names: Sequence[str],
    values: Mapping[str, ValueGuess],
    role: str,
) -> Profile | None:
    fits = [c for c in columns if keys[c.name] in names and _may_be(c, values[c.name], role)]
    return min(fits, key=lambda c: names.index(keys[c.name]), default=None)


def _may_be(column: Profile, guess: ValueGuess, role: str) -> bool:
    """Whether the values allow a role that the name suggests."""
    if role == "age":
        numbers = column.numbers[~np.isnan(column.numbers)]
        return guess.type in NUMERIC and bool(np.quantile(numbers, 0.9) <= _OLDEST)
    if role == "sex":
        return guess.type == "category" and len([c for c in guess.categories if not c.missing]) <= 4
    return role != "weight" or guess.type in NUMERIC


def _worded_sex(
    columns: Sequence[Profile], keys: Mapping[str, str], values: Mapping[str, ValueGuess]
) -> Profile | None:
    """The only column of words for sexes, whatever its name."""
    worded = [c for c in columns if _holds_sexes(values[c.name]) and keys[c.name] not in words.SEX]
    return worded[0] if len(worded) == 1 else None


def _visit_day(columns: Sequence[Profile], keys: Mapping[str, str], person: Profile | None) -> Profile | None:
    """A day or month counted from the start, where a participant has several rows."""
    if person is None or not _repeats(person):
        return None
    fits = [c for c in columns if keys[c.name] in words.VISIT_DAY and _tells_rows_apart(person, c)]
    return fits[0] if fits else None


def _date(
    columns: Sequence[Profile],
    keys: Mapping[str, str],
    values: Mapping[str, ValueGuess],
    person: Profile | None,
) -> tuple[Profile | None, Role, tuple[str, str, Sureness]]:
    """The date of the row: one that differs within participants, where they have several rows."""
    dates = [c for c in columns if values[c.name].type == "date"]
    why, why_zh = "its values are dates", "取值为日期"
    if person is not None and _repeats(person):
        dates = [c for c in dates if _tells_rows_apart(person, c)]
        why, why_zh = (
            "its values are dates, and differ within participants",
            "取值为日期，且在同一参与者内不同",
        )
    named = [c for c in dates if keys[c.name] in words.DATE]
    first = min(named, key=lambda c: words.DATE.index(keys[c.name]), default=None)
    only = dates[0] if len(dates) == 1 else None
    return first or only, "date", (why, why_zh, "likely")


def _repeats(person: Profile) -> bool:
    return len(person.values) < person.filled


def _holds_sexes(guess: ValueGuess) -> bool:
    labels = {c.label for c in guess.categories if not c.missing}
    return guess.type == "category" and labels == {"male", "female"}


def _tells_rows_apart(person: Profile, column: Profile) -> bool:
    both = (person.index >= 0) & (column.index >= 0)
    if not both.any():
        return False
    pairs = _pairs(person.index[both], column.index[both])
    return len(np.unique(pairs)) > 0.9 * int(both.sum())


def _pairs(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return one * (int(other.max(initial=0)) + 1) + other
