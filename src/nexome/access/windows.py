"""Windows of a trait: from the whole genome to one base, as many points as a screen can show.

`parse_window` reads where; `answer_window` asks the store on behalf of an Allowance. View.window is the
door to both.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from nexome.model.errors import QueryError
from nexome.model.fields import schema_of
from nexome.model.genome import MAX_POSITION, Assembly, Interval, Stretch, parse_interval
from nexome.store.associations import feature_column
from nexome.store.associations.window import WindowPoints, read_window

if TYPE_CHECKING:
    from nexome.access.allowance import Allowance
    from nexome.store.associations import Features

WINDOW_COLUMNS: Final = (
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "rsid",
    "feature_name",
    "z",
    "neg_log_10_p_value",
    "stands_for_bin",
)
GENOME: Final = "genome"
POINTS: Final = 2_000
POINTS_MAX: Final = 20_000

_ACROSS: Final = re.compile(
    r"(?P<first>[\w.*]+):(?P<start>[^:-]+)(?:-|–|\.\.)(?P<last>[\w.*]+):(?P<end>[^:]+)"
)
_FEATURE_COLUMNS: Final = frozenset(WINDOW_COLUMNS[:6])


@dataclass(frozen=True, slots=True)
class WindowAnswer:
    """What a window of one trait shows.

    `table` holds WINDOW_COLUMNS of `features`, by position. `bin_width_bp` is 0 when every cell inside was
    read, and `cells` then counts them; else features weaker than p = 1e-4 are represented by the strongest of
    each bin (`stands_for_bin`), and `cells` is None. `left_out` points lie under stronger ones.
    """

    study: str
    trait: str
    where: Stretch
    features: Features
    table: pa.Table
    bin_width_bp: int
    cells: int | None
    left_out: int


def parse_window(text: str, assembly: Assembly, find: Callable[[str], Interval]) -> Stretch:
    """The stretch a text means: 'genome', an interval or gene (by `find`), or '1:2Mb-3:50kb' across contigs.

    Ends beyond a contig are cut. Raises QueryError for a window that begins behind its contig's end or
    behind its own end, and what `find` raises.
    """
    clean = text.strip()
    if clean.lower() in {"", GENOME}:
        last = len(assembly.contigs) - 1
        return Stretch(0, 1, last, assembly.contigs[last].length_bp or MAX_POSITION)
    if across := _ACROSS.fullmatch(clean):
        first = parse_interval(f"{across['first']}:{across['start']}", assembly)
        last_place = parse_interval(f"{across['last']}:{across['end']}", assembly)
        found = Stretch(first.contig, first.start, last_place.contig, last_place.end)
    else:
        interval = find(clean)
        found = Stretch(interval.contig, interval.start, interval.contig, interval.end)
    if (found.first, found.start) > (found.last, found.end):
        raise QueryError(f"window {clean[:80]!r} starts behind its end", expected="start before end")
    return _inside(found, assembly)


def _inside(where: Stretch, assembly: Assembly) -> Stretch:
    """A stretch cut at the ends of its contigs. Raises QueryError when it begins behind one."""
    contig = assembly.contigs[where.first]
    if contig.length_bp and where.start > contig.length_bp:
        raise QueryError(
            f"the region begins at {where.start:,} of {contig.name}",
            expected=f"at most {contig.length_bp:,}, where {contig.name} ends in {assembly.name}",
            todo="Positions of another assembly must be lifted over first.",
        )
    end = min(where.end, assembly.contigs[where.last].length_bp or where.end)
    return Stretch(where.first, where.start, where.last, end)


def window_text(where: Stretch, assembly: Assembly) -> str:
    """A window as `parse_window` reads it."""
    first, last = assembly.contig_name(where.first), assembly.contig_name(where.last)
    if where.first == where.last:
        return f"{first}:{where.start}-{where.end}"
    ends = assembly.contigs[-1].length_bp or MAX_POSITION
    if (where.first, where.start) == (0, 1) and where.last == len(assembly.contigs) - 1 and where.end >= ends:
        return GENOME
    return f"{first}:{where.start}-{last}:{where.end}"


def answer_window(
    allowance: Allowance, study: str, ordinal: int, *, where: Stretch, points: int
) -> WindowAnswer:
    """A window of a trait (ordinal within the study).

    Raises NotFoundError or RefusedError as every question about cells, QueryError for too many points.
    """
    if not 1 <= points <= POINTS_MAX:
        raise QueryError(f"points {points}", where="points", expected=f"1 to {POINTS_MAX:,}")
    published = allowance.require(study, "read_cells")
    found = read_window(allowance.snapshot, study, ordinal, where=where, points=points)
    return WindowAnswer(
        study=study,
        trait=published.study.traits[ordinal].id,
        where=where,
        features=found.features,
        table=_table(found, allowance.snapshot.assembly),
        bin_width_bp=found.bin_width_bp,
        cells=found.cells if found.cells >= 0 else None,
        left_out=found.left_out,
    )


def _table(found: WindowPoints, assembly: Assembly) -> pa.Table:
    numbers = {"z": found.z, "neg_log_10_p_value": found.neg_log10_p, "stands_for_bin": found.bin_best}
    schema = schema_of(WINDOW_COLUMNS)
    arrays = [
        feature_column(found.features, assembly, field.name)
        if field.name in _FEATURE_COLUMNS
        else pa.array(numbers[field.name]).cast(field.type, safe=False)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
