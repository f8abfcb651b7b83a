"""Lineage told and used: how each harmonised value came about, and the way back to the source's unit.

The lineage of a column is kept in the receipt of its version (`CohortTable.lineage`): of each source the
cohort, version and digest, the rule, the unit from → to with its exact factor, the codes, and how many
values were taken, changed, refused (with the reason) and given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nexome.model.ucum import Conversion


def conversion_of(entry: Mapping[str, Any]) -> Conversion:
    """The exact conversion that a source's values went through."""
    unit = entry["unit"]
    return Conversion(Fraction(unit["factor_exact"]), Fraction(unit["offset_exact"]), tuple(unit["steps"]))


def as_in_source(values: NDArray[np.float64], entry: Mapping[str, Any]) -> NDArray[np.float64]:
    """Harmonised values [n] in the source's unit again.

    Where the source wrote up to nine decimals, the very numbers it had; else the same but for the last bits
    of a float. What a rule refused, rounded, recoded or combined does not come back: that is counted in
    `entry`.
    """
    back = conversion_of(entry).reversed().apply(values)
    decimals = entry.get("decimals")
    return back if decimals is None else np.round(back * 10.0**decimals) / 10.0**decimals


def rule_in_words(entry: Mapping[str, Any]) -> str:
    """The rule as one line: what was read, the conversion, the codes."""
    rule, unit = entry["rule"], entry["unit"]
    words = [rule["text"] if rule["how"] == "take" else f"{rule['how']} {rule['text']}"]
    if unit["factor_exact"] != "1" or unit["offset_exact"] != "0":
        offset = f" + {float(Fraction(unit['offset_exact'])):.6g}" if unit["offset_exact"] != "0" else ""
        words.append(f"{unit['from']} → {unit['to']}: × {unit['factor']:.6g}{offset}")
    if "dictionary_said" in unit:
        words.append(f"the dictionary said {unit['dictionary_said']}")
    if entry["codes"]:
        told = {None: "refused", "": "missing"}
        words.append(", ".join(f"{code} → {told.get(to, to)}" for code, to in entry["codes"].items()))
    if rule.get("combine"):
        words.append(f"visits: {rule['combine']}")
    return "; ".join(words)


def rows_of_report(lineage: Mapping[str, Any], variable: str = "") -> Iterator[tuple[str, ...]]:
    """One row a variable and source: variable, source, rule, taken, changed, refused, given."""
    for name, entries in lineage.items():
        if variable and name != variable:
            continue
        for entry in entries["sources"]:
            refused = ", ".join(f"{number:,} {why}" for why, number in entry["refused"].items())
            numbers = (f"{entry['taken']:,}", f"{entry['changed']:,}", refused or "0", f"{entry['given']:,}")
            yield (name, f"{entry['source']}/{entry['version']}", rule_in_words(entry), *numbers)
