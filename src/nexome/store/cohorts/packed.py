"""The packed form of a version: each column as one mapped array. Derived: deleted, it is made again.

<root>/cohorts/packed/<cohort>/<version>/
    index.json     kind, version, digest of the version it was made from, rows; of each column its place
    columns.bin    the arrays, one after the other, each at a multiple of 64 bytes

Numbers are int8, int16 or int32 with a number of decimals where that is exact (13.7 is 137 with one
decimal; dividing gives back the very same float64), else float64. Categories are their place in the
dictionary; dates days since 1970-01-01 (int32, or float64 with a time of day); texts are not packed.
Missing is the smallest value of the integer type, or NaN.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.model.cohorts import Variable
from nexome.model.errors import DamagedError, NexomeError
from nexome.store.disk import publish_folder, read_stamped, remove_folder, space_errors, write_stamped

KIND: Final = "nexome-cohort-packed"
VERSION: Final = 1
COLUMNS: Final = "columns.bin"
INDEX: Final = "index.json"
PARTICIPANTS: Final = ""  # the name of the participants' keys in the index: no variable has it
MOST_DECIMALS: Final = 6
SECONDS_A_DAY: Final = 86_400

_ALIGN: Final = 64
_TRIED: Final = 2_000  # values looked at before a number of decimals is tried on all

Form = Literal["number", "code", "date", "text"]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Column:
    """One variable's values, a row each; decoded when first asked for.

    `raw` and `decimals` are as packed. `categories`: the codes that `values` of the forms code and text
    count from 0.
    """

    name: str
    form: Form
    raw: npt.NDArray[Any]
    decimals: int = 0
    categories: tuple[str, ...] = ()

    @cached_property
    def missing(self) -> Bools:
        """Where there is no value."""
        if self.raw.dtype.kind == "f":
            return np.isnan(self.raw)
        return self.raw == np.iinfo(self.raw.dtype).min

    @cached_property
    def values(self) -> Floats | Codes:
        """Numbers (and dates, days since 1970-01-01) as float64, NaN missing; codes as int32, −1 missing."""
        if self.form in {"code", "text"}:
            return np.where(self.missing, np.int32(-1), self.raw.astype(np.int32))
        if self.raw.dtype.kind == "f":
            return self.raw
        numbers = self.raw / float(10**self.decimals) if self.decimals else self.raw.astype(np.float64)
        numbers[self.missing] = np.nan
        return numbers


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a column lies in columns.bin."""

    name: str
    form: Form
    dtype: str
    decimals: int
    offset: int


@dataclass(frozen=True)
class Packed:
    """The opened packed form."""

    path: Path
    rows: int
    places: dict[str, _Place]

    @classmethod
    def open(cls, path: Path, *, digest: str) -> Self | None:
        """The packed form at `path`; None when there is none, or it was made from something else."""
        try:
            values = read_stamped(path / INDEX, kind=KIND, version=VERSION)
            if values["digest"] != digest or not (path / COLUMNS).is_file():
                return None
            places = {p[0]: _Place(*p) for p in values["columns"]}
        except (NexomeError, KeyError, TypeError):
            return None
        return cls(path, values["rows"], places)

    @cached_property
    def _bytes(self) -> npt.NDArray[np.uint8]:
        if (self.path / COLUMNS).stat().st_size == 0:
            return np.zeros(0, np.uint8)
        return np.memmap(self.path / COLUMNS, np.uint8, "r")

    def array(self, name: str) -> npt.NDArray[Any]:
        """A column as it lies in the file."""
        place = self.places[name]
        size = self.rows * np.dtype(place.dtype).itemsize
        piece = self._bytes[place.offset : place.offset + size]
        if len(piece) != size:
            raise DamagedError(
                "a cut file", where=str(self.path / COLUMNS), todo="Delete its folder: it is made again."
            )
        return piece.view(place.dtype)

    def column(self, name: str, categories: tuple[str, ...]) -> Column:
        """A variable's column."""
        place = self.places[name]
        return Column(name, place.form, self.array(name), place.decimals, categories)


def build_packed(columns: Iterable[tuple[Variable | None, pa.ChunkedArray]], target: Path) -> list[_Place]:
    """Write columns.bin of columns in working form (None: the participants' keys); `seal_packed` next."""
    places = []
    with space_errors(target):
        target.mkdir(parents=True, exist_ok=True)
        with (target / COLUMNS).open("wb") as stream:
            for variable, column in columns:
                if variable is None:
                    places.append(_write(stream, PARTICIPANTS, "number", (column.to_numpy(), 0)))
                elif variable.type != "text":
                    form: Form = form_of(variable)
                    places.append(_write(stream, variable.name, form, pack_column(column, form)))
    return places


def seal_packed(target: Path, places: list[_Place], *, rows: int, digest: str) -> None:
    """Write the index, which makes the folder a packed form of the version with that digest."""
    listed = [[p.name, p.form, p.dtype, p.decimals, p.offset] for p in places]
    write_stamped(
        target / INDEX, {"digest": digest, "rows": rows, "columns": listed}, kind=KIND, version=VERSION
    )


def publish_packed(staged: Path, path: Path) -> None:
    """Put a packed form in its place; where another process was first, theirs stays: both are the same."""
    remove_folder(path)
    with suppress(FileExistsError):
        publish_folder(staged, path)


def beside(path: Path) -> Path:
    """A name to build a packed form under, which `clean` knows as unfinished."""
    return path.with_name(f".{path.name}-{secrets.token_hex(4)}")


def form_of(variable: Variable) -> Form:
    """How a variable is packed."""
    if variable.type in {"category", "boolean"}:
        return "code"
    return "date" if variable.type == "date" else "number"


def _write(stream: BinaryIO, name: str, form: Form, packed: tuple[npt.NDArray[Any], int]) -> _Place:
    array, decimals = packed
    stream.write(b"\0" * (-stream.tell() % _ALIGN))
    place = _Place(name, form, array.dtype.str, decimals, stream.tell())
    stream.write(np.ascontiguousarray(array).data)
    return place


# ---------------------------------------------------------------- one column


def pack_column(column: pa.ChunkedArray, form: Form) -> tuple[npt.NDArray[Any], int]:
    """The narrowest array that holds a column exactly, and its decimals."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    missing = column.is_null().to_numpy() if column.null_count else None
    if form == "number" and pa.types.is_floating(column.type):
        return _pack_floats(column.to_numpy(), missing)
    if form == "date":
        return _pack_dates(column.cast(pa.int64()), missing)
    filled = pc.fill_null(column, 0) if column.null_count else column
    if form == "number":
        wide = filled.to_numpy()
        kind = _narrowest(wide)
        if kind is None:
            numbers = wide.astype(np.float64)
            if missing is not None:
                numbers[missing] = np.nan
            return numbers, 0
        return _with_missing(wide.astype(kind), missing), 0
    return _with_missing(filled.to_numpy().copy(), missing), 0


def _pack_dates(seconds: pa.ChunkedArray, missing: Bools | None) -> tuple[npt.NDArray[Any], int]:
    """Days as int32; where a date has a time of day, days and their fraction as float64."""
    filled = (pc.fill_null(seconds, 0) if missing is not None else seconds).to_numpy()
    days = filled // SECONDS_A_DAY
    if bool((days * SECONDS_A_DAY == filled).all()):
        return _with_missing(days.astype(np.int32), missing), 0
    fraction = filled / SECONDS_A_DAY
    return np.where(missing, np.nan, fraction) if missing is not None else fraction, 0


def _with_missing(array: npt.NDArray[Any], missing: Bools | None) -> npt.NDArray[Any]:
    if missing is not None:
        array[missing] = np.iinfo(array.dtype).min
    return array


def _narrowest(numbers: npt.NDArray[Any]) -> Any:
    """The narrowest integer type for whole numbers; its smallest value stays free. None: wider than int32."""
    low, high = (numbers.min(), numbers.max()) if len(numbers) else (0, 0)
    for kind in (np.int8, np.int16, np.int32):
        limits = np.iinfo(kind)
        if low > limits.min and high <= limits.max:
            return kind
    return None


def _pack_floats(numbers: Floats, missing: Bools | None) -> tuple[npt.NDArray[Any], int]:
    """Whole numbers times a power of ten where that is exact: 8 bytes become 1, 2 or 4."""
    filled = numbers if missing is None else np.where(missing, 0.0, numbers)
    spread = filled[:: max(1, len(filled) // _TRIED)]
    for decimals in range(MOST_DECIMALS + 1):
        if _scaled(spread, decimals) is not None and (whole := _scaled(filled, decimals)) is not None:
            kind = _narrowest(whole)
            if kind is not None:
                return _with_missing(whole.astype(kind), missing), decimals
    return np.where(missing, np.nan, numbers) if missing is not None else numbers, 0


def _scaled(numbers: Floats, decimals: int) -> Floats | None:
    """Whole numbers that divided by 10^decimals give the very same numbers; None where there are none."""
    scale = float(10**decimals)
    with np.errstate(over="ignore", invalid="ignore"):
        whole = np.rint(numbers * scale)
        exact = whole / scale == numbers
    negative_zero = (whole == 0) & np.signbit(numbers)
    return whole if bool(exact.all()) and not bool(negative_zero.any()) else None
