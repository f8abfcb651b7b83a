"""Which study and trait each row belongs to, numbered as they appear, with what their rows say of them.

A file of one study has ordinal 0 throughout. A file with a study or trait column gives each distinct
pair an ordinal; `TraitTable` remembers the pairs, the rows kept of each, and the smallest and largest
sample size of each trait (one number for all its rows belongs to the trait, not to every cell).
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.ingest.harmonise.names import encoded
from nexome.ingest.harmonise.rules import Drop, Verdicts

Ordinals = npt.NDArray[np.uint32]


class TraitTable:
    """(study, trait) pairs of one file, in order of appearance."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []
        self.labels: list[str] = []
        self._ordinal: dict[tuple[str, str], int] = {}
        self.rows: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.sizes = {name: _Range() for name in ("n", "n_cases", "n_controls")}

    def __len__(self) -> int:
        return len(self.pairs)

    def ordinals(self, table: pa.Table, verdicts: Verdicts) -> Ordinals:
        """Ordinals of the rows of a batch; a missing study or trait drops its row, if there is a column."""
        rows = table.num_rows
        studies, study_codes = _coded(table, "study_id", rows)
        names = "trait_id" if "trait_id" in table.column_names else "trait"
        traits, trait_codes = _coded(table, names, rows)
        if len(studies) == 1 and len(traits) == 1:
            return np.full(rows, self._number(studies[0], traits[0], ""), np.uint32)
        if "study_id" in table.column_names:
            verdicts.reject(study_codes == len(studies) - 1, Drop.NO_STUDY)
        if names in table.column_names:
            verdicts.reject(trait_codes == len(traits) - 1, Drop.NO_TRAIT)
        pairs = study_codes * len(traits) + trait_codes
        seen, first, inverse = np.unique(pairs, return_index=True, return_inverse=True)
        labels, label_codes = _coded(table, "trait", rows)
        numbers = np.zeros(len(seen), np.uint32)
        for at in np.argsort(first).tolist():
            study, trait = divmod(int(seen[at]), len(traits))
            numbers[at] = self._number(studies[study], traits[trait], labels[label_codes[first[at]]])
        return numbers[inverse]

    def note_sizes(self, ordinals: Ordinals, sizes: dict[str, npt.NDArray[np.float64]]) -> None:
        """Count the rows kept of each trait, and remember the range of its n, n_cases, n_controls."""
        counts = np.bincount(ordinals, minlength=len(self.pairs))
        counts[: len(self.rows)] += self.rows
        self.rows = counts
        for name, values in sizes.items():
            self.sizes[name].note(ordinals, values, len(self.pairs))

    def constant(self, name: str, ordinal: int) -> float | None:
        """The one value of `name` in all rows of a trait; None where it varies or is missing somewhere."""
        return self.sizes[name].constant(ordinal)

    def largest(self, name: str, ordinal: int) -> float | None:
        """The largest value of `name` in the rows of a trait; None where there is none."""
        return self.sizes[name].largest(ordinal)

    def studies(self) -> dict[str, list[int]]:
        """Ordinals of each study, in order of appearance."""
        found: dict[str, list[int]] = {}
        for ordinal, (study, _) in enumerate(self.pairs):
            found.setdefault(study, []).append(ordinal)
        return found

    def _number(self, study: str, trait: str, label: str) -> int:
        key = (study, trait)
        if (number := self._ordinal.get(key)) is None:
            number = self._ordinal[key] = len(self.pairs)
            self.pairs.append(key)
            self.labels.append(label or trait)
        return number


class _Range:
    """Smallest and largest value by ordinal; a missing value makes a trait's value not constant."""

    def __init__(self) -> None:
        self.low = np.zeros(0)
        self.high = np.zeros(0)
        self.gaps = np.zeros(0, bool)

    def note(self, ordinals: Ordinals, values: npt.NDArray[np.float64], traits: int) -> None:
        more = traits - len(self.low)
        if more > 0:
            self.low = np.append(self.low, np.full(more, np.inf))
            self.high = np.append(self.high, np.full(more, -np.inf))
            self.gaps = np.append(self.gaps, np.zeros(more, bool))
        _note_range(ordinals, values, self.low, self.high, self.gaps)

    def constant(self, ordinal: int) -> float | None:
        if ordinal >= len(self.low) or self.gaps[ordinal] or self.low[ordinal] != self.high[ordinal]:
            return None
        return float(self.low[ordinal])

    def largest(self, ordinal: int) -> float | None:
        if ordinal >= len(self.high) or not np.isfinite(self.high[ordinal]):
            return None
        return float(self.high[ordinal])


def identifier_of(text: str) -> str:
    """A study or trait identifier made of any text: safe letters kept, others '_', long ones cut and hashed.

    >>> identifier_of("ieu-a-2"), identifier_of("Age at menarche (years)")
    ('ieu-a-2', 'Age_at_menarche_years')
    """
    safe = re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("_.-"))
    if not safe or len(safe) > 90 or (not text.isascii() and len(safe) < len(text)):
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        safe = f"{safe[:80].rstrip('_.-')}-{digest}".lstrip("-")
    return safe


def _coded(table: pa.Table, name: str, rows: int) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Distinct texts of a column (the last one '' for missing) and the code of each row."""
    if name not in table.column_names:
        return [""], np.zeros(rows, np.int64)
    coded = encoded(table[name])
    values = ["" if v is None else v.strip() for v in coded.dictionary.to_pylist()]
    codes = coded.indices.fill_null(len(values)).to_numpy().astype(np.int64)
    return [*values, ""], codes


@numba.njit(cache=True, nogil=True)
def _note_range(ordinals: Any, values: Any, low: Any, high: Any, gaps: Any) -> None:
    for i in range(len(ordinals)):
        trait, value = ordinals[i], values[i]
        if np.isnan(value):
            gaps[trait] = True
        else:
            low[trait] = min(low[trait], value)
            high[trait] = max(high[trait], value)
