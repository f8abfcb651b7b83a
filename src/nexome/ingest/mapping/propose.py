"""Proposals: which variable of a source is which of the target, with a score and reasons in two languages.

Names, labels and terms say which quantity a variable may be (`quantities`); type and unit may forbid it; the
values say whether they could be that quantity at all, and in which unit (`evidence`); two codes of sex are
told apart by what was measured (`sexes`). Score = sureness of the words · (0.7 + 0.3 · agreement of the
values), from 0 to 1; each source variable and each target variable is used once, the best score first. A
proposal is read by a person before it is a rule: `accepted` says that it reaches the threshold, nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from nexome.ingest.cohorts.words import FEMALE, MALE, NO_WORDS, YES_WORDS, plain
from nexome.ingest.mapping.evidence import UnitEvidence, unit_evidence
from nexome.ingest.mapping.quantities import Told, quantities_of, word_key
from nexome.ingest.mapping.sexes import SexCodes, sex_words, tell_sexes
from nexome.ingest.mapping.typical import TYPICAL, Typical, typical_of
from nexome.model.analytes import ANALYTES
from nexome.model.cohorts import Category, Dictionary, Variable
from nexome.model.errors import InputError
from nexome.model.ucum import converter, units_agree

Array = NDArray[np.float64]
ACCEPTED: Final = 0.55
LISTED: Final = 0.35
_VALUES_WEIGH: Final = 0.3
_FAR: Final = 5.0  # distance of the values from the typical at which they say no
_ENOUGH: Final = 100  # values of another source, before it stands in for typical ones
_UNLIKE: Final = 0.45  # names less alike than that are not proposed


class Source(Protocol):
    """What is read of a cohort: `store.cohorts.CohortTable` is one."""

    @property
    def id(self) -> str:
        """The cohort."""

    @property
    def dictionary(self) -> Dictionary:
        """Its variables."""

    def column(self, name: str) -> Any:
        """`.values` [rows]: float64 with NaN, or int32 codes into `.categories`, −1 missing."""


@dataclass(frozen=True)
class Proposal:
    """One source variable for one target variable.

    `unit`: the unit the values are in, by the label where they agree with it, else by the values; '' for
    none. `codes`: source code -> target code of a category. `warnings`: what a person must decide before
    using it. Reasons and warnings are (English, Chinese).
    """

    source: str
    variable: str
    target: str
    score: float
    unit: str = ""
    codes: tuple[tuple[str, str], ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()
    accepted: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The proposal as plain JSON values."""
        told = {"reasons": self.reasons, "warnings": self.warnings}
        values = {name: getattr(self, name) for name in ("source", "variable", "target", "unit", "accepted")}
        return (
            values
            | {"score": round(self.score, 3), "codes": dict(self.codes)}
            | {name: [{"en": en, "zh": zh} for en, zh in pairs] for name, pairs in told.items()}
        )


@dataclass(frozen=True)
class _Asked:
    """What is known of one source while its variables are gone through."""

    source: Source
    told: Mapping[str, tuple[Told, ...]]
    sex: NDArray[np.str_] | None
    age: Array | None
    evidence: Callable[[str, str], UnitEvidence | None]


def propose(sources: Iterable[Source], target: Dictionary, *, threshold: float = ACCEPTED) -> list[Proposal]:
    """Proposals for a target dictionary, source by source, by target and score.

    Beside the accepted one, other candidates of a target variable that score at least 0.35 are listed.
    """
    found: list[Proposal] = []
    order = {variable.name: number for number, variable in enumerate(target)}
    aims = [(wanted, quantities_of(wanted)) for wanted in target]
    for source in sources:
        asked = _ask(source)
        scored = [
            proposal
            for variable in source.dictionary
            for wanted, aimed in aims
            if (proposal := _compare(asked, variable, wanted, aimed)) is not None and proposal.score >= LISTED
        ]
        assigned = _assigned(scored, asked, threshold)
        found.extend(sorted(assigned, key=lambda p: (order[p.target], -p.accepted, -p.score, p.variable)))
    return found


def units_of(source: Source, *, against: Source | None = None) -> list[tuple[str, UnitEvidence]]:
    """What the values say of the unit of each variable whose quantity is surely known.

    Compared with typical adults, or with the people of another source `against` where it measured the
    quantity too; that source's own units are taken as its values say.
    """
    asked = _ask(source)
    references = _references(against) if against is not None else {}
    found = []
    for variable in source.dictionary:
        said = asked.told[variable.name]
        if not variable.numeric or len(said) != 1 or said[0].quantity not in TYPICAL:
            continue
        quantity = said[0].quantity
        evidence = _evidence(asked, variable, quantity, references.get(quantity))
        if evidence is not None:
            found.append((variable.name, evidence))
    return found


def _references(source: Source) -> dict[str, Typical]:
    """The percentiles of a source's adults for each quantity it measured, in place of typical ones."""
    asked = _ask(source)
    return {
        quantity: typical_of(values, TYPICAL[quantity], sex=asked.sex)
        for quantity, values in _measures(asked).items()
        if np.isfinite(values).sum() >= _ENOUGH
    }


def _evidence(
    asked: _Asked, variable: Variable, quantity: str, reference: Typical | None
) -> UnitEvidence | None:
    """What the values say of the unit; None where the declared unit is of another dimension."""
    if reference is None:
        return asked.evidence(variable.name, quantity)
    values = asked.source.column(variable.name).values
    try:
        return unit_evidence(
            values, quantity, declared=variable.unit, sex=asked.sex, age=asked.age, reference=reference
        )
    except InputError:
        return None


def _ask(source: Source) -> _Asked:
    told = {v.name: quantities_of(v) for v in source.dictionary}
    sex, age = _sexes(source, told), _ages(source, told)

    @cache
    def evidence(variable: str, quantity: str) -> UnitEvidence | None:
        declared = source.dictionary.by_name[variable].unit
        values = source.column(variable).values
        try:
            return unit_evidence(values, quantity, declared=declared, sex=sex, age=age)
        except InputError:  # the declared unit is of another dimension
            return None

    return _Asked(source, told, sex, age, evidence)


def _ages(source: Source, told: Mapping[str, tuple[Told, ...]]) -> Array | None:
    """Ages in years, where one numeric variable of the source is surely the age."""
    by_role = source.dictionary.of_role("age")
    named = [v for v in source.dictionary if v.numeric and any(t.quantity == "age" for t in told[v.name])]
    for variable in filter(None, (by_role, *named)):
        if variable.numeric and variable.unit in {"", "a"}:
            return np.asarray(source.column(variable.name).values, np.float64)
    return None


def _sexes(source: Source, told: Mapping[str, tuple[Told, ...]]) -> NDArray[np.str_] | None:
    """'male', 'female' or '' [rows], where a variable of the source says so in words."""
    for variable in source.dictionary:
        named = variable.role == "sex" or any(t.quantity == "sex" for t in told[variable.name])
        if not named or variable.type != "category":
            continue
        column = source.column(variable.name)
        words = sex_words(variable, column.categories)
        if {"male", "female"} <= set(words):
            return np.array([*words, ""])[column.values]
    return None


def _compare(asked: _Asked, variable: Variable, wanted: Variable, aims: tuple[Told, ...]) -> Proposal | None:
    """The proposal of one variable for another; None where type, unit or quantity forbid it."""
    if not _types_meet(variable, wanted):
        return None
    said = asked.told[variable.name]
    if aims and said:
        return _by_quantity(asked, variable, wanted, (aims[0].quantity, said))
    if aims or said:
        return None
    return _by_likeness(asked, variable, wanted)


def _types_meet(variable: Variable, wanted: Variable) -> bool:
    if variable.role == "participant" or wanted.role == "participant":
        return False
    if wanted.numeric or variable.numeric:
        two_codes = {variable.type, wanted.type} == {"integer", "category"}
        return (wanted.numeric and variable.numeric) or two_codes
    return (variable.type == "date") == (wanted.type == "date")


def _by_quantity(
    asked: _Asked, variable: Variable, wanted: Variable, quantities: tuple[str, tuple[Told, ...]]
) -> Proposal | None:
    quantity, said = quantities
    told = next((t for t in said if t.quantity == quantity), None)
    if told is None:
        return None
    start = Proposal(
        asked.source.id, variable.name, wanted.name, told.sureness, reasons=(_words_reason(told),)
    )
    if wanted.type == "category" or not variable.numeric:
        return _with_codes(asked, start, variable, wanted)
    if not _units_meet(variable.unit, wanted.unit, quantity):
        return None
    return _with_values(asked, start, quantity, wanted)


def _words_reason(told: Told) -> tuple[str, str]:
    where = {"term": "term", "label": "label", "label_zh": "Chinese label", "name": "name"}[told.where]
    where_zh = {"term": "术语", "label": "英文标签", "label_zh": "中文标签", "name": "变量名"}[told.where]
    shown = told.text[:60]
    if told.sureness >= 1:
        return f"its {where} “{shown}” means this quantity", f"{where_zh}“{shown}”即此指标"
    return f"its {where} “{shown}” may mean this quantity", f"{where_zh}“{shown}”可能为此指标"


def _units_meet(unit: str, wanted: str, quantity: str) -> bool:
    if not unit or not wanted:
        return True
    try:
        converter(unit, wanted, quantity if quantity in ANALYTES else "")
    except InputError:
        return False
    return True


def _with_values(asked: _Asked, start: Proposal, quantity: str, wanted: Variable) -> Proposal:
    """The proposal with what the values say of quantity and unit."""
    declared = asked.source.dictionary.by_name[start.variable].unit
    found = asked.evidence(start.variable, quantity) if quantity in TYPICAL else None
    if found is None or not found.fits:
        none = ("no typical values to compare with", "没有可比对的典型值")
        agreement, added = 0.5, replace(start, unit=declared or wanted.unit, reasons=(*start.reasons, none))
    else:
        nearest = min(f.distance for f in found.fits)
        agreement = float(np.clip(1 - (nearest - 1) / (_FAR - 1), 0, 1))
        unit = found.unit or declared or wanted.unit
        added = replace(start, unit=unit, reasons=(*start.reasons, (found.reason, found.reason_zh)))
        added = replace(added, warnings=tuple(_unit_warnings(found)))
    return replace(added, score=start.score * (1 - _VALUES_WEIGH + _VALUES_WEIGH * agreement))


def _unit_warnings(found: UnitEvidence) -> Iterable[tuple[str, str]]:
    if found.verdict == "wrong":
        yield (
            f"the label says {found.declared}, the values are in {found.unit}",
            f"标注单位为 {found.declared}，数值实际以 {found.unit} 计",
        )
    if found.verdict == "unlabelled":
        yield f"no unit is given; {found.unit} is inferred", f"未标注单位；{found.unit} 系推断"
    if found.verdict == "unclear":
        yield "the values do not tell the unit", "数值不足以判断单位"
    if found.strays:
        count, unit = found.strays.count, found.strays.unit
        yield f"{count} values seem to be in {unit}", f"有 {count} 个数值似以 {unit} 计"


def _with_codes(asked: _Asked, start: Proposal, variable: Variable, wanted: Variable) -> Proposal | None:
    """The proposal with each source code's target code: by words, for sex also by what was measured."""
    column = asked.source.column(variable.name)
    codes = _codes_of(column)
    if codes is None:
        return None
    by_words = _matched_codes(variable, wanted, [str(code) for code in np.unique(codes) if code])
    known = [c.code for c in wanted.categories if not c.missing]
    sexes = dict(zip(sex_words(wanted, known), known, strict=True))
    if not {"male", "female"} <= set(sexes):
        score = start.score * (1.0 if by_words else 0.6)
        return replace(start, score=score, codes=by_words)
    measured = tell_sexes(codes, _measures(asked))
    return _with_sexes(start, by_words, measured, sexes)


def _with_sexes(
    start: Proposal, by_words: tuple[tuple[str, str], ...], measured: SexCodes, sexes: Mapping[str, str]
) -> Proposal:
    reasons, warnings = list(start.reasons), []
    codes = by_words
    told = {measured.male: sexes["male"], measured.female: sexes["female"]} if measured.male else {}
    if told:
        reasons.append((measured.reason, measured.reason_zh))
    if told and not by_words:
        codes = tuple(sorted(told.items()))
        warnings.append(("the codes are told by the values: confirm", "编码含义由数值推断，请确认"))
    elif told and any(told.get(code, kept) != kept for code, kept in by_words):
        warnings.append(("the codes' labels say the opposite of the values", "编码标签与数值所示相反"))
    elif not codes:
        warnings.append(("which code is which sex is not known", "无法判断编码对应的性别"))
    score = start.score * (1.0 if codes else 0.6)
    return replace(start, score=score, codes=codes, reasons=tuple(reasons), warnings=tuple(warnings))


def _codes_of(column: Any) -> NDArray[np.str_] | None:
    """Codes as text [rows], '' missing; None where there are too many to be codes."""
    if column.categories:
        return np.array([*column.categories, ""])[column.values]
    known = np.unique(column.values[np.isfinite(column.values)])
    if not 0 < known.size <= 20 or (known != np.rint(known)).any():
        return None
    texts = np.array([*(f"{value:.0f}" for value in known), ""])
    places = np.searchsorted(known, column.values)
    return texts[np.where(np.isfinite(column.values), places, known.size)]


def _matched_codes(variable: Variable, wanted: Variable, codes: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """(source code, target code) of codes whose words say the same; () unless every code is matched."""
    known = {c.code: c for c in variable.categories}
    if any(known[code].missing for code in codes if code in known):
        codes = [code for code in codes if not (code in known and known[code].missing)]
    aims = {meaning: c.code for c in wanted.categories if not c.missing for meaning in _meanings(c)}
    matched = []
    for code in codes:
        meant = [aims[m] for m in _meanings(known.get(code, Category(code))) if m in aims]
        if not meant:
            return ()
        matched.append((code, meant[0]))
    return tuple(matched)


def _meanings(category: Category) -> tuple[str, ...]:
    """What a category's labels mean, or its code where it has none; one word for all ways of saying it."""
    texts = [t for t in (category.label, category.label_zh) if t] or [category.code]
    groups = (("male", MALE), ("female", FEMALE), ("yes", YES_WORDS), ("no", NO_WORDS))
    meant = [next((name for name, words in groups if plain(t) in words), word_key(t)) for t in texts]
    return tuple(dict.fromkeys(meant))


def _measures(asked: _Asked) -> dict[str, Array]:
    """Values of adults, in the quantity's unit, for each quantity that one variable surely is."""
    found: dict[str, Array] = {}
    for variable in asked.source.dictionary:
        said = asked.told[variable.name]
        if not variable.numeric or len(said) != 1 or said[0].quantity not in TYPICAL:
            continue
        quantity = said[0].quantity
        evidence = asked.evidence(variable.name, quantity)
        if quantity in found or evidence is None or not evidence.unit:
            continue
        known = TYPICAL[quantity]
        values = converter(evidence.unit, known.unit, known.analyte).apply(
            asked.source.column(variable.name).values
        )
        found[quantity] = values if asked.age is None else np.where(asked.age < 18, np.nan, values)
    return found


def _by_likeness(asked: _Asked, variable: Variable, wanted: Variable) -> Proposal | None:
    """A proposal for a quantity nothing is known of: names and labels alike, units and codes that meet."""
    pairs = [(a, b) for a in _names(variable) for b in _names(wanted)]
    alike = max((likeness(a, b) for a, b in pairs), default=0.0)
    if alike < _UNLIKE or (variable.unit and wanted.unit and not units_agree(variable.unit, wanted.unit)):
        return None
    reason = (f"names are alike ({alike:.2f})", f"名称相近（{alike:.2f}）")
    start = Proposal(
        asked.source.id, variable.name, wanted.name, alike * 0.9, variable.unit, reasons=(reason,)
    )
    return start if wanted.type != "category" else _with_codes(asked, start, variable, wanted)


def _names(variable: Variable) -> list[str]:
    return [key for key in map(word_key, (variable.name, variable.label, variable.label_zh)) if key]


def likeness(one: str, other: str) -> float:
    """How alike two texts are: shared pairs of letters (Dice), 0 to 1."""
    if one == other:
        return 1.0
    a, b = ({text[i : i + 2] for i in range(len(text) - 1)} for text in (one, other))
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0


def _assigned(scored: list[Proposal], asked: _Asked, threshold: float) -> list[Proposal]:
    """Each variable and each target used once, the best score first; of equals the fuller one."""

    def filled(proposal: Proposal) -> int:
        column = asked.source.column(proposal.variable)
        return int((~column.missing).sum())

    place = {v.name: number for number, v in enumerate(asked.source.dictionary)}
    used: set[tuple[str, str]] = set()
    found = []
    for proposal in sorted(scored, key=lambda p: (-round(p.score, 2), -filled(p), place[p.variable])):
        ends = {("source", proposal.variable), ("target", proposal.target)}
        free = proposal.score >= threshold and not ends & used
        used |= ends if free else set()
        found.append(replace(proposal, accepted=free))
    return found
