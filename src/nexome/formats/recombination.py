"""Recombination maps: where on the genetic map a position lies, and the rate from there to the next.

    HapMap    Chromosome  Position(bp)  Rate(cM/Mb)  Map(cM)
    Eagle     chr  position  COMBINED_rate(cM/Mb)  Genetic_Map(cM)
    IMPUTE    position  COMBINED_rate(cM/Mb)  Genetic_Map(cM)   of one chromosome: said, or in the file's name
    SHAPEIT   pos  chr  cM
    PLINK     chromosome  name  cM  position, no header (.map; Beagle's maps too)
    deCODE    Chr  Begin  End  cMperMb  cM      cM at End of the window

Told apart by their columns. Rows may come in any order; along a chromosome cM must not fall. Where a file
has no rate, it is taken from the difference to the next row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.formats.columns import Kind, key_of
from nexome.formats.delimited import Header, Plan, Wanted, read_header, read_rows, split_line
from nexome.formats.reader import ReadOptions
from nexome.formats.stream import ByteStream, open_stream
from nexome.model.errors import FormatError

SCHEMA: Final = pa.schema(
    [
        ("chromosome", pa.string()),
        ("base_pair_location", pa.int64()),
        ("recombination_rate", pa.float64()),
        ("genetic_position", pa.float64()),
    ]
)
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "chromosome": ("chromosome", "chr", "chrom"),
    "begin": ("begin",),
    "position": ("position_bp", "position", "pos", "end", "bp", "physical_position"),
    "rate": ("rate_cm_mb", "combined_rate_cm_mb", "combined_rate", "cmpermb", "rate", "recomb_rate"),
    "map": ("map_cm", "genetic_map_cm", "genetic_map", "cm", "map", "genetic_position"),
}
_KINDS: Final[dict[str, Kind]] = {
    "begin": "position",
    "position": "position",
    "rate": "number",
    "map": "number",
}
_PLINK: Final = ("chromosome", "name", "map", "position")
_IN_NAME: Final = re.compile(r"(?i)chr(?:omosome)?_?([0-9]{1,2}[a-z]?|[XYZW]|MT?)(?![0-9a-z])")
_SLACK_CM: Final = 1e-6  # what rounding to six decimals may take back

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Columns:
    """A file's rows: chromosome texts, positions, window begins (None: points), rate (NaN), cM, lines."""

    chromosome: pa.Array
    position: npt.NDArray[np.int64]
    begin: npt.NDArray[np.int64] | None
    rate: Floats
    cm: Floats
    lines: npt.NDArray[np.uint64]


def read_recombination_map(path: Path | str, *, chromosome: str = "") -> pa.Table:
    """The points of a map (SCHEMA), by chromosome as the file spells it, then position.

    `chromosome` is for files of one chromosome that do not say which (else the name of the file is asked).
    Raises FormatError naming the line where cM falls, a position comes twice, or a number cannot be read.
    """
    stream = open_stream(path)
    try:
        columns = _read(stream, chromosome)
    finally:
        stream.close()
    names = columns.chromosome.dictionary_encode()
    parts = []
    for code, name in enumerate(names.dictionary.to_pylist()):
        rows = np.flatnonzero(names.indices.to_numpy() == code)
        rows = rows[np.argsort(columns.position[rows], kind="stable")]
        position, rate, cm = _points(columns, rows, stream.name)
        parts.append(pa.table([pa.array([name] * len(position)), position, rate, cm], schema=SCHEMA))
    return pa.concat_tables(parts)


def _read(stream: ByteStream, chromosome: str) -> _Columns:
    plan = _plan(stream)
    tables, lines = [], []
    for batch in read_rows(stream, plan):
        if batch.problems:
            problem = batch.problems[0]
            raise FormatError(
                f"{problem.found} in column {problem.column}",
                where=f"{stream.name}, line {problem.line}",
                expected=problem.expected,
            )
        tables.append(batch.table.select([w.name for w in plan.wanted]))
        lines.append(batch.lines())
    table, line = pa.concat_tables(tables).combine_chunks(), np.concatenate(lines)
    for name in ("position", "map"):
        if table[name].null_count:
            row = int(np.flatnonzero(table[name].is_null().to_numpy())[0])
            raise FormatError(f"no {name}", where=f"{stream.name}, line {line[row]}", expected="a number")
    if "chromosome" in table.column_names:
        texts = table["chromosome"].combine_chunks()
    else:
        texts = pa.array([_one_chromosome(stream, chromosome)] * len(table))
    if not np.any(table["map"].to_numpy()):
        raise FormatError("every cM is 0", where=stream.name, expected="a genetic map", todo="Fill it in.")
    begin = table["begin"].to_numpy() if "begin" in table.column_names else None
    rate = pc.fill_null(table["rate"], np.nan).to_numpy() if "rate" in table.column_names else None
    cm = table["map"].to_numpy()
    unknown = np.full(len(cm), np.nan)
    return _Columns(texts, table["position"].to_numpy(), begin, unknown if rate is None else rate, cm, line)


def _plan(stream: ByteStream) -> Plan:
    """Which columns are read, by header or, without one, as PLINK writes them."""
    first = next((line for line in stream.peek_lines(200) if line.strip() and line[:1] != b"#"), b"")
    text = first.decode("utf-8", "replace")
    delimiter = "tab" if "\t" in text else "spaces"
    cells = split_line(text.strip(), delimiter)
    if len(cells) == 4 and re.fullmatch(r"[\d.eE+-]+", cells[2]) and cells[3].isdigit():
        wanted = [Wanted(at, n, n, _KINDS.get(n, "text")) for at, n in enumerate(_PLINK) if n != "name"]
        return Plan(stream.name, Header(_PLINK, 1, delimiter, quoted=False), tuple(wanted), notes=(b"#",))
    header = read_header(stream, ReadOptions())
    keys = [key_of(name).strip("#_") for name in header.names]
    keys = [re.sub(r"[^a-z]+", "_", key).strip("_") for key in keys]
    found = []
    for term, names in _NAMES.items():
        if (at := next((keys.index(name) for name in names if name in keys), None)) is not None:
            found.append(Wanted(at, header.names[at], term, _KINDS.get(term, "text")))
    if missing := {"position", "map"} - {w.name for w in found}:
        raise FormatError(
            f"no column for {', '.join(sorted(missing))}",
            where=f"{stream.name}, line {header.line}",
            expected="a recombination map: HapMap, Eagle, IMPUTE, SHAPEIT, PLINK (.map) or deCODE",
        )
    return Plan(stream.name, header, tuple(found), notes=(b"#",))


def _one_chromosome(stream: ByteStream, chromosome: str) -> str:
    if chromosome:
        return chromosome
    if match := _IN_NAME.search(Path(stream.name).name):
        return match[1]
    raise FormatError(
        "no column for the chromosome",
        where=stream.name,
        expected="a column chr, or 'chr7' in the file's name",
        todo="Say it: --chromosome 7.",
    )


def _points(
    columns: _Columns, rows: npt.NDArray[np.int64], file: str
) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Position, rate to the next, and cM of one chromosome, checked."""
    position, cm, rate = columns.position[rows], columns.cm[rows], columns.rate[rows]
    twice = np.flatnonzero(np.diff(position) == 0)
    falls = np.flatnonzero(np.diff(cm) < -_SLACK_CM)
    for at, found, expected in (
        *((at, f"position {position[at + 1]} twice", "each position once") for at in twice[:1]),
        *((at, f"{cm[at + 1]:g} cM after {cm[at]:g} cM", "cM that do not fall") for at in falls[:1]),
    ):
        line = columns.lines[rows[at + 1]]
        raise FormatError(found, where=f"{file}, line {line}", expected=expected, todo="Mend the map.")
    cm = np.maximum.accumulate(cm)
    if columns.begin is not None:  # a window's cM stands at its end, its rate holds from its begin
        begin = columns.begin[rows]
        start_cm = cm[0] - (position[0] - begin[0]) * 1e-6 * (0 if np.isnan(rate[0]) else rate[0])
        position = np.concatenate([begin[:1], position])
        cm = np.concatenate([[max(0.0, start_cm)], cm])
        rate = np.concatenate([rate, [np.nan]])
    derived = np.full(len(position), np.nan)
    derived[:-1] = np.diff(cm) / np.diff(position) * 1e6
    return position, np.where(np.isnan(rate), derived, rate), cm
