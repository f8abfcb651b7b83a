"""The rule by which self-assessments are scored: every number of it can be set, and is shown with the result.

Defaults follow what is usual: 10 points for the execution of the budget and 90 for indicators (财预〔2020〕10 号 of the Ministry of Finance
scores projects so), full points where a target is reached and a share of them where it is not, three levels for qualitative ones. Where
a paper prints no weights, they are ours, by level: see `docs/targets/scoring.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

import yaml

from nexome.model.errors import SettingsError

EXACT_OVER: Final = ("ratio", "full")


@dataclass(frozen=True, slots=True)
class Level:
    """A level of a qualitative indicator: names in both languages, and its range of shares in per cent, `low` included."""

    code: str
    zh: str
    en: str
    high: Decimal
    low: Decimal


@dataclass(frozen=True, slots=True)
class ScoringRule:
    """How a project is scored; see docs/targets/scoring.md for each number."""

    execution_points: Decimal = Decimal(10)
    exact_over: str = "ratio"
    tolerance: Decimal = Decimal("0.1")
    late_days: Decimal = Decimal(365)
    reason_beyond: Decimal = Decimal("0.3")
    levels: tuple[Level, ...] = (
        Level("achieved", "达成预期指标", "achieved", Decimal(100), Decimal(80)),
        Level(
            "partly",
            "部分达成预期指标并具有一定效果",
            "partly achieved, with some effect",
            Decimal(80),
            Decimal(60),
        ),
        Level(
            "missed", "未达成预期指标且效果较差", "not achieved, with little effect", Decimal(60), Decimal(0)
        ),
    )
    weights: tuple[tuple[str, Decimal], ...] = (
        ("产出指标", Decimal(50)), ("效益指标", Decimal(30)), ("满意度指标", Decimal(10)),
    )  # fmt: skip
    weights_with_cost: tuple[tuple[str, Decimal], ...] = (
        ("成本指标", Decimal(20)), ("产出指标", Decimal(40)), ("效益指标", Decimal(20)), ("满意度指标", Decimal(10)),
    )  # fmt: skip
    weights_of_form: tuple[tuple[str, Decimal], ...] = (
        ("投入和管理目标", Decimal(20)), ("产出目标", Decimal(40)), ("效果目标", Decimal(20)), ("影响力目标", Decimal(10)),
    )  # fmt: skip
    grades: tuple[tuple[str, Decimal], ...] = (
        ("优", Decimal(90)), ("良", Decimal(80)), ("中", Decimal(60)), ("差", Decimal(0)),
    )  # fmt: skip

    @property
    def indicator_points(self) -> Decimal:
        """What all indicators share: 100 less the points for execution."""
        return 100 - self.execution_points

    def level_of(self, share: Decimal) -> Level:
        """The level a share of 0 to 100 falls into."""
        return next(level for level in self.levels if share >= level.low)

    def grade_of(self, points: Decimal) -> str:
        """The grade of a total."""
        return next(name for name, low in self.grades if points >= low)


def read_rule(path: Path) -> ScoringRule:
    """A rule from a YAML file that names what differs from the usual one. Raises SettingsError with its place."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise SettingsError(
            "no such file", where=str(path), expected="a YAML file with a scoring rule"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        first = str(error).splitlines()[0]
        raise SettingsError(f"no YAML ({first})", where=str(path), expected="names and values") from None
    if not isinstance(values, Mapping):
        raise SettingsError(f"a {type(values).__name__}", where=str(path), expected="names and values")
    return rule_of(values, where=str(path))


def rule_of(values: Mapping[str, Any], *, where: str = "rule") -> ScoringRule:
    """The usual rule with some values changed. Raises SettingsError for an unknown name or a value that does not fit."""
    known = [item.name for item in fields(ScoringRule)]
    for name in values:
        if name not in known:
            raise SettingsError(f"unknown {name!r}", where=where, expected=", ".join(known))
    changed: dict[str, Any] = {}
    for name, value in values.items():
        try:
            changed[name] = _read(name, value)
        except (InvalidOperation, TypeError, ValueError, AttributeError, KeyError):
            raise SettingsError(
                f"{name} = {value!r}", where=where, expected=f"as in {_shown(name)}"
            ) from None
    rule = replace(ScoringRule(), **changed)
    _check(rule, where)
    return rule


def _read(name: str, value: Any) -> Any:
    if name == "exact_over":
        return str(value)
    if name == "levels":
        return tuple(
            Level(str(v["code"]), str(v["zh"]), str(v["en"]), _finite(v["high"]), _finite(v["low"]))
            for v in value
        )
    if name == "grades" or name.startswith("weights"):
        return tuple((str(key), _finite(number)) for key, number in value.items())
    return _finite(value)


def _finite(value: Any) -> Decimal:
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError(value)
    return number


def _shown(name: str) -> str:
    return f"{name}: {getattr(ScoringRule(), name)}"


def _check(rule: ScoringRule, where: str) -> None:
    lows = [level.low for level in rule.levels]
    marks = [low for _, low in rule.grades]
    weights = [w for table in (rule.weights, rule.weights_with_cost, rule.weights_of_form) for _, w in table]
    wrong = (
        (not 0 <= rule.execution_points < 100, "execution_points", "0 up to 100"),
        (rule.exact_over not in EXACT_OVER, "exact_over", " or ".join(EXACT_OVER)),
        (not 0 <= rule.tolerance < 1, "tolerance", "0 up to 1"),
        (rule.late_days <= 0, "late_days", "above 0"),
        (rule.reason_beyond < 0, "reason_beyond", "0 or more"),
        (
            not lows or lows != sorted(lows, reverse=True) or lows[-1] != 0,
            "levels",
            "falling, the last from 0",
        ),
        (
            not marks or marks != sorted(marks, reverse=True) or marks[-1] != 0,
            "grades",
            "falling, the last from 0",
        ),
        (not all(weight > 0 for weight in weights), "weights", "above 0"),
    )
    for bad, name, expected in wrong:
        if bad:
            raise SettingsError(f"{name} = {getattr(rule, name)}", where=where, expected=expected)
