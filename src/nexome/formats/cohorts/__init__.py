"""Tables of cohorts in the formats of the outside world: participants × variables, typed by a dictionary.

`open_cohort(path)` recognises the format and gives a CohortReader: its columns, what the file itself says of
them, and batches of typed rows. Readers know no cohort and keep nothing; see docs/formats/cohort-files.md.
"""

from __future__ import annotations

from nexome.formats.cohorts.added import VISIT
from nexome.formats.cohorts.reader import (
    ARROW_TYPES,
    CohortOptions,
    CohortReader,
    Note,
    Problem,
    RawTable,
    SourceColumn,
)
from nexome.formats.cohorts.recognise import FORMATS, open_cohort

__all__ = [
    "ARROW_TYPES",
    "FORMATS",
    "VISIT",
    "CohortOptions",
    "CohortReader",
    "Note",
    "Problem",
    "RawTable",
    "SourceColumn",
    "open_cohort",
]
