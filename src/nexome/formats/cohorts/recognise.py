"""Which format a cohort's file is in, and its reader."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Final

from nexome.formats.cohorts.delimited import open_delimited
from nexome.formats.cohorts.reader import CohortOptions, CohortReader
from nexome.model.errors import InputError

FORMATS: Final = ("delimited",)


def open_cohort(
    path: Path | str, options: CohortOptions | None = None, *, stdin: IO[bytes] | None = None
) -> CohortReader:
    """Open a cohort's file ('-': standard input) of any known format.

    Raises NotFoundError when there is no file, FormatError when it is none that is read, InputError for an
    unknown option.
    """
    options = options or CohortOptions()
    if options.format and options.format not in FORMATS:
        raise InputError(f"--format {options.format[:40]!r}", expected="one of " + ", ".join(FORMATS))
    return open_delimited(path, options, stdin=stdin)
