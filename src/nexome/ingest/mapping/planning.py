"""A mapping settled against its sources: columns exist, units convert, every code has an answer.

All of a mapping is settled before a value is read, so that a mistake in its last line costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from nexome.ingest.mapping.rules import MISSING, REFUSE, Mapping, Rule, Source
from nexome.model.analytes import analyte_of
from nexome.model.cohorts import NUMERIC, Category, Variable
from nexome.model.errors import InputError, NexomeError
from nexome.model.expressions import Bound, Expression, Name, bind, names, parse
from nexome.model.expressions.binding import nearest, truth_of
from nexome.model.ucum import Conversion, conversion_between, parse_unit
from nexome.store.cohorts import CohortStore, CohortTable

SAME: Final = Conversion(Fraction(1))


@dataclass(frozen=True, slots=True)
class PlannedRule:
    """One rule ready to run: the bound expression, what its codes become, its conversion and range.

    `codes`: source code → target code ('' missing, None refused), where values are codes; `by_code`: whether
    they are read as codes at all. `reads`: the source columns. `combine`: which visit counts.
    """

    rule: Rule
    variable: Variable
    bound: Bound
    reads: tuple[str, ...]
    conversion: Conversion = SAME
    unit_from: str = ""
    by_code: bool = False
    codes: tuple[tuple[str, str | None], ...] = ()
    otherwise: str = REFUSE
    combine: str = ""
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """One source ready to run: its table, its rules, and the expression that chooses its rows."""

    source: Source
    table: CohortTable
    rules: tuple[PlannedRule, ...]
    where: Expression | None
    order: str
    reads: tuple[str, ...]


def plan(store: CohortStore, mapping: Mapping) -> tuple[PlannedSource, ...]:
    """Every source with its rules settled. InputError, NotFoundError name file, line, nearest names."""
    return tuple(_source(store, mapping, source) for source in mapping.sources)


def _place(mapping: Mapping, source: Source, rule: Rule | None = None) -> str:
    line = rule.line if rule else source.line
    keys = f"sources.{source.name}" + (f".variables.{rule.target}" if rule else "")
    return f"{mapping.file}, line {line}, {keys}" if line else f"{mapping.file}, {keys}"


def _source(store: CohortStore, mapping: Mapping, source: Source) -> PlannedSource:
    place = _place(mapping, source)
    try:
        table = store.get(source.cohort, source.version)
    except NexomeError as error:
        raise error.at(place) from None
    if table.id == mapping.target.id:
        raise InputError(f"the target {table.id} as its own source", where=place, expected="other cohorts")
    variables = {v.name: v for v in table.variables}
    for name in (
        *(source.same_persons.columns if source.same_persons else ()),
        *filter(None, [source.order]),
    ):
        _known(name, variables, place)
    where = _where(source, variables, place)
    rules = tuple(_rule(mapping, source, rule, variables) for rule in source.rules)
    order = source.order or _order(table)
    _check_visits(mapping, rules, place)
    _check_nearest(source, variables.get(order), place)
    reads = [name for rule in rules for name in rule.reads]
    reads += [
        *(names(where) if where else ()),
        *(source.same_persons.columns if source.same_persons else ()),
        order,
    ]
    return PlannedSource(source, table, rules, where, order, tuple(dict.fromkeys(filter(None, reads))))


def _order(table: CohortTable) -> str:
    for role in ("date", "visit"):
        found = table.dictionary.of_role(role)
        if found is not None:
            return found.name
    return ""


def _check_visits(mapping: Mapping, rules: Sequence[PlannedRule], place: str) -> None:
    visit = mapping.dictionary.of_role("visit")
    if visit is not None and visit.name not in {rule.variable.name for rule in rules}:
        raise InputError(
            f"no rule for {visit.name}, the visit",
            where=place,
            expected="a rule, or constant: for a source of one visit",
        )


def _check_nearest(source: Source, order: Variable | None, place: str) -> None:
    wanted = [source.combine, *(rule.combine for rule in source.rules)]
    if "nearest" not in wanted:
        return
    if order is None or order.type != "date":
        raise InputError(
            "combine: nearest without a date", where=place, expected="order: the column of the visit's date"
        )
    without = source.nearest is None and any(
        r.combine == "nearest" and r.nearest is None for r in source.rules
    )
    if without or (source.combine == "nearest" and source.nearest is None):
        raise InputError("combine: nearest to nothing", where=place, expected="nearest: a date as 2010-05-01")


def _known(name: str, variables: dict[str, Variable], place: str) -> Variable:
    if name not in variables:
        near = nearest(name, variables)
        todo = f"Did you mean {' or '.join(near)}?" if near else f"There are {len(variables):,} columns."
        raise InputError(
            f"no column {name[:80]!r} in the source",
            where=place,
            expected="a column of the source",
            todo=todo,
        )
    return variables[name]


def _where(source: Source, variables: dict[str, Variable], place: str) -> Expression | None:
    if not source.where:
        return None
    try:
        bound = bind(parse(source.where), variables)
    except InputError as error:
        raise error.at(f"{place}.where") from None
    if bound.kind != "condition":
        raise InputError(f"a {bound.kind}", where=f"{place}.where", expected="a condition")
    if bound.variable is not None:
        return bind(parse(f"({source.where}) = true"), variables).expression
    return bound.expression


def _rule(mapping: Mapping, source: Source, rule: Rule, variables: dict[str, Variable]) -> PlannedRule:
    place, variable = _place(mapping, source, rule), mapping.dictionary.by_name[rule.target]
    bound = _bound(rule, variable, variables, place)
    _check_combine(source, rule, variable, place)
    combine = "" if mapping.keeps_visits else _combine(source, rule, variable)
    reads = names(bound.expression)
    made = PlannedRule(rule, variable, bound, reads, otherwise=rule.otherwise, combine=combine)
    if rule.otherwise not in {REFUSE, MISSING}:
        _target_code(rule.otherwise, variable, f"{place}.otherwise")
    if rule.combine == "count":
        return made  # whatever is counted, it has no unit and no range
    if rule.recode or variable.type in {"category", "boolean"}:
        return _by_code(made, place)
    if variable.type in NUMERIC:
        return _number(mapping, made, place)
    wanted = {"date": {"date"}, "text": {"text", "category"}}[variable.type]
    if bound.kind not in wanted:
        raise InputError(f"a {bound.kind} for {variable.name}", where=place, expected=f"a {variable.type}")
    return made


def _bound(rule: Rule, variable: Variable, variables: dict[str, Variable], place: str) -> Bound:
    """What the rule reads, with the unit the rule states for it."""
    if rule.how == "constant":
        text = rule.text if variable.type in NUMERIC else "'" + rule.text.replace("'", "''") + "'"
        return _settled(text, {}, place)
    if rule.how == "derive":
        return _settled(rule.text, variables, place)
    _known(rule.text, variables, place)
    return bind(Name(rule.text), variables)


def _settled(text: str, variables: dict[str, Variable], place: str) -> Bound:
    try:
        return bind(parse(text), variables)
    except InputError as error:
        raise error.at(place) from None


def _combine(source: Source, rule: Rule, variable: Variable) -> str:
    """The rule's own way, else the source's where it suits the variable, else the first."""
    how = rule.combine or source.combine
    return how if rule.combine or variable.numeric or how in {"first", "last", "nearest"} else "first"


def _check_combine(source: Source, rule: Rule, variable: Variable, place: str) -> None:
    combine = rule.combine or source.combine
    if combine in {"mean", "median", "min", "max"} and variable.type not in NUMERIC and rule.combine:
        raise InputError(
            f"combine: {combine} of a {variable.type}", where=place, expected="first, last or nearest"
        )
    if combine in {"mean", "median"} and variable.type == "integer" and rule.decimals != 0:
        raise InputError(
            f"combine: {combine} of whole numbers", where=place, expected="type decimal, or round: 0"
        )
    if combine == "count" and variable.type != "integer" and rule.combine:
        raise InputError(f"combine: count into a {variable.type}", where=place, expected="type integer")


def _number(mapping: Mapping, made: PlannedRule, place: str) -> PlannedRule:
    rule, variable, bound = made.rule, made.variable, made.bound
    if bound.kind != "number":
        raise InputError(
            f"a {bound.kind} for {variable.name}, a number",
            where=place,
            expected="a number, or recode: code: number",
        )
    low, high = _range(rule, variable)
    unit = parse_unit(rule.unit) if rule.unit else None if bound.free else bound.unit
    if unit is None or not variable.unit:
        if unit is None and variable.unit and not bound.free:
            raise InputError(
                f"{rule.text[:80]} has no unit",
                where=place,
                expected=f"a unit that converts to {variable.unit}",
                todo="Say it: unit: …",
            )
        return _with(made, minimum=low, maximum=high, unit_from=unit.code if unit else "")
    said = rule.analyte or dict(mapping.analytes).get(variable.name, "")
    analyte = (
        said
        or bound.analyte
        or analyte_of((*variable.terms, variable.name, variable.label, variable.label_zh))
        or ""
    )
    try:
        conversion = conversion_between(unit, parse_unit(variable.unit), analyte)
    except InputError as error:
        raise error.at(place) from None
    return _with(made, minimum=low, maximum=high, unit_from=unit.code, conversion=conversion)


def _range(rule: Rule, variable: Variable) -> tuple[float | None, float | None]:
    """What is kept, in the target's unit: as the rule says, else the plausible range."""
    if rule.any_range or not variable.numeric:
        return None, None
    return (rule.minimum, rule.maximum) if rule.minimum is not None else (variable.minimum, variable.maximum)


def _with(made: PlannedRule, **values: object) -> PlannedRule:
    from dataclasses import replace  # noqa: PLC0415

    return replace(made, **values)  # type: ignore[arg-type]


def _by_code(made: PlannedRule, place: str) -> PlannedRule:
    """What becomes of each code: as the mapping says, else by equal words."""
    rule, variable, source = made.rule, made.variable, made.bound.variable
    stated = dict(rule.recode)
    for target in stated.values():
        _target_code(target, variable, f"{place}.recode")
    known = _source_codes(made.bound)
    if known is not None and (unknown := [code for code in stated if code not in known]):
        labels = {c.label: c.code for c in known.values() if c.label} | {
            c.label_zh: c.code for c in known.values() if c.label_zh
        }
        for code in unknown:
            if code not in labels:
                listed = ", ".join(_told(c) for c in list(known.values())[:12])
                raise InputError(
                    f"the code {code[:60]!r}", where=f"{place}.recode", expected=f"one of {listed}"
                )
            stated[labels[code]] = stated.pop(code)
    if known is None:
        if not stated:
            _refuse_unsaid(made, place)
        codes: dict[str, str | None] = {
            code: "" if target == MISSING else target for code, target in stated.items()
        }
    else:
        codes = _all_codes(made, known, stated, place)
    low, high = _range(rule, variable)
    unit = "" if source is None else source.unit
    return _with(made, by_code=True, codes=tuple(codes.items()), unit_from=unit, minimum=low, maximum=high)


def _refuse_unsaid(made: PlannedRule, place: str) -> None:
    kind = made.bound.kind
    raise InputError(
        f"a {kind} for {made.variable.name}, a {made.variable.type}",
        where=place,
        expected="recode: source value: target code",
    )


def _all_codes(
    made: PlannedRule, known: dict[str, Category], stated: dict[str, str], place: str
) -> dict[str, str | None]:
    codes: dict[str, str | None] = {}
    unsaid = []
    for code, category in known.items():
        target = stated.get(code) or ("" if stated else _same_word(category, made.variable))
        if target:
            codes[code] = "" if target == MISSING else target
        elif made.otherwise == REFUSE:
            codes[code] = None
            unsaid.append(_told(category))
        else:
            codes[code] = "" if made.otherwise == MISSING else made.otherwise
    if unsaid and not stated:
        raise InputError(
            f"no answer for {', '.join(unsaid[:12])}",
            where=place,
            expected=f"recode to {', '.join(_told(c) for c in _target_codes(made.variable).values())[:300]}",
            todo="Write recode, or otherwise: missing.",
        )
    return codes


def _source_codes(bound: Bound) -> dict[str, Category] | None:
    """The codes values may have; None where any number or text may come."""
    variable = bound.variable
    if bound.kind == "condition":
        return {"true": Category("true", "yes", "是"), "false": Category("false", "no", "否")}
    if variable is not None and variable.type == "category":
        return {c.code: c for c in variable.categories if not c.missing}
    if variable is None and bound.kind in {"text", "category"}:
        return {code: Category(code) for code in _texts(bound)}
    return None


def _texts(bound: Bound) -> list[str]:
    """The texts an expression may give."""
    from nexome.model.expressions import walk  # noqa: PLC0415
    from nexome.model.expressions.tree import Binary, In, Text  # noqa: PLC0415

    compared = {id(p) for part in walk(bound.expression) if isinstance(part, Binary | In) for p in walk(part)}
    return list(
        dict.fromkeys(
            p.value for p in walk(bound.expression) if isinstance(p, Text) and id(p) not in compared
        )
    )


def _target_codes(variable: Variable) -> dict[str, Category]:
    if variable.type == "boolean":
        return {"true": Category("true", "yes", "是"), "false": Category("false", "no", "否")}
    return {c.code: c for c in variable.categories if not c.missing}


def _target_code(code: str, variable: Variable, place: str) -> None:
    if code == MISSING:
        return
    if variable.type in NUMERIC:
        try:
            float(code)
        except ValueError:
            raise InputError(
                f"{code[:60]!r} for {variable.name}", where=place, expected="a number, or missing"
            ) from None
        return
    allowed = (*_target_codes(variable), *(("yes", "no") if variable.type == "boolean" else ()))
    if variable.type in {"category", "boolean"} and code not in allowed:
        raise InputError(
            f"the target code {code[:60]!r}",
            where=place,
            expected="one of " + ", ".join(_target_codes(variable)),
        )


def _same_word(category: Category, variable: Variable) -> str:
    """The target's code of the same meaning: by label, word or yes and no; '' where none is sure.

    A bare number as code says nothing: 1 is male here and female there.
    """
    own = {w.lower() for w in (category.label, category.label_zh) if w} or (
        set() if _is_number(category.code) else {category.code.lower()}
    )
    found = [
        code
        for code, target in _target_codes(variable).items()
        if own
        & {target.label.lower(), target.label_zh.lower(), *(() if _is_number(code) else (code.lower(),))}
        - {""}
    ]
    if not found:
        truth = {truth_of(word) for word in own} - {None}
        found = [
            code
            for code, t in _target_codes(variable).items()
            if len(truth) == 1 and truth_of(t.label or code) in truth
        ]
    return found[0] if len(found) == 1 else ""


def _is_number(code: str) -> bool:
    try:
        float(code)
    except ValueError:
        return False
    return True


def _told(category: Category) -> str:
    return (
        f"{category.code} ({category.label})"
        if category.label and category.label != category.code
        else category.code
    )
