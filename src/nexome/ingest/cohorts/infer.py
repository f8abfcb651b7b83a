"""A dictionary worked out from a cohort's own file: types, categories, units, roles, missing codes.

What the file itself says (labels of SPSS, types of SAS, comment lines) is kept; the rest is guessed from a
sample of rows, each guess with its reason in both languages and how sure it is. The dictionary is marked
`confirmed=False`: it is shown to a person, never silently trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from nexome.formats.cohorts import CohortReader, Note, SourceColumn
from nexome.formats.cohorts.cells import cell_text
from nexome.formats.cohorts.reader import SAMPLE_ROWS
from nexome.formats.cohorts.units import unit_of_last_word
from nexome.ingest.cohorts import words
from nexome.ingest.cohorts.guess_codes import with_header_codes
from nexome.ingest.cohorts.guess_roles import guess_roles
from nexome.ingest.cohorts.guess_values import Guess, ValueGuess, guess_values
from nexome.ingest.cohorts.out_of_range import unit_that_fits
from nexome.ingest.cohorts.profile import Profile, profile
from nexome.model.analytes import Analyte, analyte_of
from nexome.model.cohorts import NUMERIC, Dictionary, Sensitivity, Variable
from nexome.model.errors import InputError
from nexome.model.ucum import converter, read_unit

_DIGITS: Final = 6  # significant digits of a range converted into another unit
# What the types that files state may mean: programs call a code a number, and a word a string.
_WITHIN: Final = {
    "decimal": frozenset({"integer", "decimal", "category", "boolean"}),
    "integer": frozenset({"integer", "category", "boolean"}),
    "text": frozenset({"text", "category", "boolean", "date"}),
}
_OPEN: Final = frozenset(_WITHIN)
_MOST_OUTSIDE: Final = 0.2  # share of values outside the plausible range that puts the unit in doubt


@dataclass(frozen=True)
class Inference:
    """A dictionary to be confirmed, the guesses it rests on, and what should be known of the file.

    `rows`: how many rows were looked at.
    """

    dictionary: Dictionary
    guesses: tuple[Guess, ...]
    notes: tuple[Note, ...]
    rows: int

    def of(self, variable: str) -> tuple[Guess, ...]:
        """The guesses about one variable."""
        return tuple(g for g in self.guesses if g.variable == variable)


def infer_dictionary(reader: CohortReader, rows: int = SAMPLE_ROWS) -> Inference:
    """A dictionary for the file's columns, worked out from its first rows, which stay in the file."""
    sample = reader.sample(rows)
    columns = [profile(name, sample[name]) for name in sample.column_names]
    named = {column.name: column for column in reader.columns}
    stated = reader.dictionary.by_name
    units = {name: _unit(source, stated[name]) for name, source in named.items()}
    values = {c.name: _values(c, reader, units[c.name], named[c.name]) for c in columns}
    roles = _roles(reader, columns, values)
    variables, guesses = [], []
    for column in columns:
        told = [*values[column.name].guesses, *filter(None, (units[column.name], roles.get(column.name)))]
        variable = _variable(stated[column.name], named[column.name], values[column.name], told)
        variable, more = _known_analyte(variable, column)
        variables.append(variable)
        guesses += [*told, *more]
    dictionary = Dictionary(tuple(variables), confirmed=False)
    doubts = (g for g in guesses if g.what == "range" and not g.value)
    doubted = (
        Note(f"Column {g.variable}: {g.why}.", f"{g.variable} 列：{g.why_zh}。", reader.name) for g in doubts
    )
    notes = (*reader.notes, *doubted, *_repeated(dictionary, columns))
    return Inference(dictionary, tuple(guesses), notes, sample.num_rows)


def _repeated(dictionary: Dictionary, columns: list[Profile]) -> list[Note]:
    """A participant with several rows that no visit and no date tells apart."""
    person = dictionary.of_role("participant")
    if person is None or dictionary.of_role("visit") or dictionary.of_role("date"):
        return []
    found = next(c for c in columns if c.name == person.name)
    if len(found.values) == found.filled:
        return []
    return [
        Note(
            f"Column {person.name}: {len(found.values)} identifiers in {found.filled} rows, and no column of "
            "visits or dates tells the rows of one participant apart: the import asks for --visit COLUMN, or "
            "for --duplicates first where they are copies.",
            f"{person.name} 列：{found.filled} 行中只有 {len(found.values)} 个编号，"
            "且没有随访或日期列来区分同一参与者的各行：导入时请用 --visit 指明随访列；"
            "若为重复行，用 --duplicates first。",
        )
    ]


def _roles(
    reader: CohortReader, columns: list[Profile], values: Mapping[str, ValueGuess]
) -> dict[str, Guess]:
    """The roles that the file states, and guesses of the others."""
    stated = {v.role: v.name for v in reader.dictionary if v.role}
    guessed = guess_roles(columns, values, {c.name: c.bare or c.name for c in reader.columns})
    found = {n: g for n, g in guessed.items() if g.value not in stated and n not in stated.values()}
    return found | {
        name: Guess(name, "role", role, "the file says so", "文件中写明", "sure")
        for role, name in stated.items()
    }


def _unit(source: SourceColumn, stated: Variable) -> Guess | None:
    """The unit in the file's own words: its dictionary, brackets in the header, the header's last word."""
    wording, sureness = stated.unit or source.unit, "sure"
    where, where_zh = "the header says", "列名中写明"
    if not wording:
        wording, sureness = unit_of_last_word(source.header)[1], "likely"
        where, where_zh = "the last word of the header is", "列名末尾为"
    if not wording:
        return None
    code = read_unit(wording)
    why, why_zh = f"{where} {wording!r}", f"{where_zh}“{wording}”"
    if not code:
        why += ", which is no unit that is known: left empty"
        return Guess(source.name, "unit", "", why, why_zh + "，但不是已知单位：留空", "unsure")
    return Guess(source.name, "unit", code, why, why_zh, "sure" if sureness == "sure" else "likely")


def _values(column: Profile, reader: CohortReader, unit: Guess | None, source: SourceColumn) -> ValueGuess:
    """Type and categories: as the file states them, else as the values say.

    A stated type that says 'number' leaves open which codes stand for no answer, and which for words.
    """
    stated = reader.dictionary.by_name[column.name]
    name = words.key(source.bare or source.header)
    guess = guess_values(
        column,
        unit=unit.value if unit else "",
        sex=name in words.SEX,
        identifying=any(word in name for word in words.IDENTIFYING),
    )
    guess = with_header_codes(column, guess, source.codes)
    said = reader.types_known or stated.type != "text"
    if not said or (stated.type in _OPEN and not stated.categories and guess.type in _WITHIN[stated.type]):
        return guess
    told = Guess(column.name, "type", stated.type, "the file says so", "文件中写明", "sure")
    return ValueGuess(stated.type, stated.categories, (told,))


def _variable(stated: Variable, source: SourceColumn, values: ValueGuess, told: list[Guess]) -> Variable:
    by_kind: Mapping[str, Guess] = {guess.what: guess for guess in told}
    bare = source.bare or source.header
    chinese = bool(words.CHINESE.search(bare))
    role = by_kind["role"].value if "role" in by_kind else ""
    sensitivity = stated.sensitivity if stated.sensitivity != "personal" else _sensitivity(source, role)
    if sensitivity != "personal":
        told.append(_told_sensitivity(source.name, sensitivity))
    return replace(
        stated,
        type=values.type,
        label=stated.label or ("" if chinese or stated.label_zh else bare),
        label_zh=stated.label_zh or (bare if chinese and not stated.label else ""),
        unit=by_kind["unit"].value if "unit" in by_kind and values.type in NUMERIC else "",
        categories=values.categories,
        role=role,  # type: ignore[arg-type]  # a guess of a role is one of them
        sensitivity=sensitivity,
    )


def _sensitivity(source: SourceColumn, role: str) -> Sensitivity:
    name = words.key(source.header)
    if role == "participant" or any(word in name for word in words.IDENTIFYING):
        return "identifying"
    return "sensitive" if any(word in name for word in words.SENSITIVE) else "personal"


def _told_sensitivity(name: str, sensitivity: Sensitivity) -> Guess:
    if sensitivity == "identifying":
        why, why_zh = "it may tell who somebody is", "可能识别出个人"
    else:
        why, why_zh = "its name speaks of what people keep to themselves", "列名涉及敏感内容"
    return Guess(name, "sensitivity", sensitivity, why, why_zh, "likely")


def _known_analyte(variable: Variable, column: Profile) -> tuple[Variable, list[Guess]]:
    """The plausible range of a known analyte, in the variable's unit; none without a unit.

    Nor where most values lie outside it: then the unit is doubtful, and a range would take the values away.
    """
    if not variable.numeric or not variable.unit or variable.role or variable.minimum is not None:
        return variable, []
    analyte = analyte_of([variable.label, variable.label_zh, variable.name])
    limits = _limits(analyte, variable.unit) if analyte else None
    if analyte is None or limits is None:
        return variable, []
    shown = f"{limits[0]:g} to {limits[1]:g} {variable.unit}"
    coded = np.array([cell_text(n) in variable.missing_codes for n in column.numbers.tolist()], bool)
    outside = ~coded & ((column.numbers < limits[0]) | (column.numbers > limits[1]))
    if column.share(outside) > _MOST_OUTSIDE:
        return variable, [_doubt(variable, analyte, shown, _numbers(column, ~coded))]
    why = f"what is possible for {analyte.label}, read from its name and unit"
    why_zh = f"按列名和单位判断为{analyte.label_zh}，此为其可能范围"
    guess = Guess(variable.name, "range", shown, why, why_zh, "likely")
    return replace(variable, minimum=limits[0], maximum=limits[1]), [guess]


def _doubt(variable: Variable, analyte: Analyte, shown: str, values: npt.NDArray[np.float64]) -> Guess:
    """The unit of the header is doubted, and the one told that the values fit."""
    unit = unit_that_fits(values, variable)
    fits = unit not in {"", variable.unit}
    why = f"{analyte.label} is possible from {shown}, where few of the values lie: " + (
        f"they fit the unit {unit}, not {variable.unit}" if fits else "the unit may be another"
    )
    why_zh = f"{analyte.label_zh}的可能范围为 {shown.replace(' to ', '–')}，而多数数值在此之外：" + (
        f"数值符合 {unit}，而不是 {variable.unit}" if fits else "单位可能有误"
    )
    return Guess(variable.name, "range", "", why, why_zh, "unsure")


def _numbers(column: Profile, which: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """The numbers among some distinct values of a column, each as often as it stands."""
    kept = which & ~np.isnan(column.numbers)
    return np.repeat(column.numbers[kept], column.counts[kept])


def _limits(analyte: Analyte, unit: str) -> tuple[float, float] | None:
    try:
        conversion = converter(analyte.unit, unit, analyte)
    except InputError:
        return None
    factor, offset = float(conversion.factor), float(conversion.offset)
    low, high = (float(f"{v * factor + offset:.{_DIGITS}g}") for v in (analyte.minimum, analyte.maximum))
    return min(low, high), max(low, high)
