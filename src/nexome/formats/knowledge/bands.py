"""Cytogenetic bands as terms: 17q21.31 is part of 17q21.3, 17q21, 17q and chromosome 17.

Where they lie is a track (`nexome import cytobands`); here they are places that people name.
"""

from __future__ import annotations

from collections.abc import Iterator

from nexome.formats.knowledge.rows import Problem, Row
from nexome.formats.knowledge.source_file import KnowledgeFile
from nexome.model.knowledge import PART_OF, Edge, Term


def read_bands(file: KnowledgeFile) -> Iterator[Row]:
    """Bands of UCSC's cytoBand table and all that they are part of."""
    told: set[str] = set()
    for line, text in file.lines():
        cells = text.split("\t")
        if len(cells) != 5:
            yield Problem("broken_line", line, text[:60])
            continue
        chromosome, band = cells[0].removeprefix("chr"), cells[3]
        if band:  # a patch or an unplaced piece has none
            yield from _with_parents(chromosome, band, line, told=told)


def _with_parents(chromosome: str, band: str, line: int, *, told: set[str]) -> Iterator[Row]:
    above = ""
    whole = [band[:length] for length in range(len(band) + 1) if not band[:length].endswith(".")]
    for part in whole:
        curie = f"cytoband:{chromosome}{part}"
        if curie not in told:
            told.add(curie)
            yield Term(curie, f"{chromosome}{part}" if part else f"chromosome {chromosome}", line=line)
            if above:
                yield Edge(curie, PART_OF, above, line=line)
        above = curie
