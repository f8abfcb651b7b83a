"""How values of a variable are held: its Arrow type in values.parquet, and its codes while it is sorted.

integer int64; decimal float64 (NaN is missing); boolean bool; date a timestamp of seconds; text string;
category a dictionary of the codes in the dictionary's order (missing codes are no categories: a missing
value is null, and which code it had stands in missing.parquet). The participant's identifier is not a
column of values: `participant_key` stands in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.model.cohorts import Dictionary, Variable
from nexome.model.errors import InputError
from nexome.store.disk import space_errors

PARTICIPANT: Final = "participant_key"
GROUP_BYTES: Final = 128 << 20  # of columns sorted at once
IN_MEMORY_BYTES: Final = 1 << 30  # a larger sorted table waits in files of the staging folder

_PLAIN: Final[Mapping[str, Any]] = {
    "integer": pa.int64(),
    "decimal": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.timestamp("s"),  # a date may carry a time of day
    "text": pa.large_string(),
}


def stored_variables(dictionary: Dictionary) -> tuple[Variable, ...]:
    """The variables that have a column of values: all but the participant's identifier."""
    return tuple(v for v in dictionary if v.role != "participant")


def valid_codes(variable: Variable) -> tuple[str, ...]:
    """The codes of a category variable that stand for an answer, in order; a boolean's are false and true."""
    if variable.type == "boolean":
        return ("false", "true")
    return tuple(c.code for c in variable.categories if not c.missing) if variable.type == "category" else ()


def check_dictionary(dictionary: Dictionary, *, where: str) -> None:
    """Raise InputError for a dictionary no table can be kept by."""
    if PARTICIPANT in dictionary.by_name:
        raise InputError(f"a variable {PARTICIPANT}", where=where, expected="another name: the store uses it")
    for role in ("participant", "visit"):
        if len(same := [v.name for v in dictionary if v.role == role]) > 1:
            raise InputError(
                f"{len(same)} variables with the role {role}", where=where, expected="one at most"
            )
    for variable in dictionary:
        codes = [c.code for c in variable.categories]
        if variable.type == "category" and not codes:
            raise InputError(
                "a category without codes",
                where=f"{where}, variable {variable.name}",
                expected="its codes, or the type text",
            )
        if len(set(codes)) < len(codes):
            raise InputError("a code that stands twice", where=f"{where}, variable {variable.name}")


def working_type(variable: Variable) -> Any:
    """The Arrow type values have while they are staged: categories are their numbers."""
    if variable.type != "category":
        return _PLAIN[variable.type]
    count = len(valid_codes(variable))
    return pa.int8() if count <= 127 else pa.int16() if count <= 32767 else pa.int32()


def to_working(column: Any, variable: Variable) -> pa.Array:
    """Values as they are staged. Raises InputError when they are not what the variable's type asks for."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    kind = working_type(variable)
    try:
        if variable.type == "category":
            return _category_numbers(column, variable).cast(kind)
        if variable.type == "decimal":
            numbers = column.cast(kind)
            return (
                pc.if_else(pc.is_nan(numbers), pa.scalar(None, kind), numbers)
                if _has_nan(numbers)
                else numbers
            )
        if variable.type == "date":
            return column.cast(kind, safe=False)  # Parquet keeps milliseconds: nothing is lost
        return column if column.type == kind else column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        # Arrow's own message may quote a value
        raise InputError(
            f"values of type {column.type} that do not fit",
            where=f"variable {variable.name}",
            expected=variable.type,
        ) from None


def _has_nan(numbers: pa.Array) -> bool:
    return bool(pc.any(pc.is_nan(numbers)).as_py())


def _category_numbers(column: pa.Array, variable: Variable) -> pa.Array:
    codes = pa.array(valid_codes(variable), pa.string())
    if pa.types.is_dictionary(column.type):
        known = pc.index_in(column.dictionary.cast(pa.string()), value_set=codes)
        numbers = known.take(column.indices)
    else:
        numbers = pc.index_in(column.cast(pa.string()), value_set=codes)
    if numbers.null_count > column.null_count:
        raise InputError(
            f"{numbers.null_count - column.null_count:,} values with a code that is not in the dictionary",
            where=f"variable {variable.name}",
            expected="the codes of the dictionary",
        )
    return numbers


def to_stored(column: pa.ChunkedArray, variable: Variable) -> Any:
    """Values as values.parquet holds them, from the working form."""
    if variable.type == "category":
        codes = pa.array(valid_codes(variable), pa.string())
        return pa.chunked_array(
            [pa.DictionaryArray.from_arrays(chunk, codes) for chunk in column.chunks],
            type=pa.dictionary(column.type, pa.string()),
        )
    return column


def grouped_names(names: Iterable[str], bytes_each: int) -> Iterator[list[str]]:
    """Names of columns in groups that are sorted together."""
    chosen = list(names)
    step = max(1, GROUP_BYTES // max(1, bytes_each))
    for start in range(0, len(chosen), step):
        yield chosen[start : start + step]


def gather(
    groups: Iterable[pa.Table], rows: npt.NDArray[np.int64], scratch: Path, *, expected_bytes: int
) -> pa.Table:
    """Columns of `groups` with their rows taken in the order `rows`; mapped from `scratch` when large.

    Memory: one group and its sorted copy, beside IN_MEMORY_BYTES.
    """
    indices = pa.array(rows)
    made: list[pa.Table] = []
    for number, group in enumerate(groups):
        taken = group.combine_chunks().take(indices)
        made.append(
            taken if expected_bytes <= IN_MEMORY_BYTES else _mapped(taken, scratch / f"{number}.arrow")
        )
    columns = [column for table in made for column in table.columns]
    names = [name for table in made for name in table.column_names]
    return pa.Table.from_arrays(columns, names=names)


def _mapped(table: pa.Table, path: Path) -> pa.Table:
    with space_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
