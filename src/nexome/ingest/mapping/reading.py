"""A mapping read from YAML, every mistake told with its file and line.

docs/formats/mapping.md says what may stand. Nothing of the sources is known here: that a column is absent
is found by `planning`.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, Final, cast

from nexome.ingest.mapping.located import Place, read_located, read_located_file
from nexome.ingest.mapping.rules import (
    COMBINE,
    KEEP,
    MISSING,
    PERSONS,
    REFUSE,
    SOURCE,
    Combine,
    Keep,
    Mapping,
    Persons,
    Rule,
    SamePersons,
    Source,
)
from nexome.model.analytes import ANALYTES, analyte_of
from nexome.model.cohorts import (
    HGR_CLASSES,
    ROLES,
    SENSITIVITIES,
    VARIABLE_TYPES,
    Category,
    Cohort,
    Dictionary,
    Variable,
)
from nexome.model.errors import InputError, NexomeError
from nexome.model.expressions import parse
from nexome.model.ucum import read_unit

_TOP: Final = ("target", "variables", "dictionary", "sources", "persons")
_VARIABLE: Final = (*(f.name for f in fields(Variable)), "analyte")
_CATEGORY: Final = tuple(f.name for f in fields(Category))
_SOURCE: Final = (
    "cohort",
    "version",
    "where",
    "same_persons",
    "combine",
    "nearest",
    "order",
    "variables",
    "absent",
    "because",
)
_RULE: Final = (
    "take", "derive", "constant", "unit", "analyte", "recode", "otherwise", "combine", "nearest", "range",
    "round", "because",
)  # fmt: skip
_HOW: Final = ("take", "derive", "constant")


def read_mapping(path: Path) -> Mapping:
    """A mapping from a YAML file. InputError, FormatError name file, line and what was expected."""
    top, text = read_located_file(Path(path))
    return _mapping(top, text, Path(path).parent)


def parse_mapping(text: str, *, name: str = "mapping") -> Mapping:
    """A mapping from the text of its YAML; `name` stands for the file in messages."""
    return _mapping(read_located(text, name), text, None)


def _mapping(top: Place, text: str, folder: Path | None) -> Mapping:
    keys = top.keys(_TOP)
    for needed in ("target", "sources"):
        if needed not in keys:
            raise top.wrong(f"no {needed}", f"the key {needed}")
    dictionary, analytes = _dictionary(keys, top, folder)
    sources = tuple(_source(name, place, dictionary) for name, place in keys["sources"].keys().items())
    if not sources:
        raise keys["sources"].wrong("no source", "at least one")
    persons = keys["persons"].one_of(PERSONS) if "persons" in keys else "join"
    return Mapping(
        target=_cohort(keys["target"]),
        dictionary=dictionary,
        sources=sources,
        persons=cast("Persons", persons),
        analytes=analytes,
        file=top.file,
        text=text,
    )


def _cohort(place: Place) -> Cohort:
    if place.is_text:
        values: dict[str, Any] = {"id": place.text()}
    else:
        keys = place.keys(f.name for f in fields(Cohort))
        values = {
            name: [p.text() for p in each.items()] if name == "purposes" else each.text()
            for name, each in keys.items()
        }
    if not values.get("id"):
        raise place.wrong("no id", "the id of the cohort to make")
    return _made(Cohort.from_dict, values, place)


def _made(make: Any, values: dict[str, Any], place: Place) -> Any:
    """What `make` makes of values; its error gets the place."""
    try:
        return make(values)
    except InputError as error:
        raise error.at(place.where) from None


def _dictionary(
    keys: dict[str, Place], top: Place, folder: Path | None
) -> tuple[Dictionary, tuple[tuple[str, str], ...]]:
    if ("variables" in keys) == ("dictionary" in keys):
        raise top.wrong(
            "no variables" if "variables" not in keys else "two dictionaries",
            "the key variables, or dictionary",
        )
    if "dictionary" in keys:
        variables, analytes = list(_read_dictionary(keys["dictionary"], folder)), dict[str, str]()
    else:
        variables, analytes = _variables(keys["variables"])
    place = keys.get("variables") or keys["dictionary"]
    if any(v.name == SOURCE for v in variables):
        raise place.wrong(f"a variable {SOURCE}", "another name: this one says where a row is from")
    made = _made(lambda values: Dictionary(tuple(values["variables"])), {"variables": variables}, place)
    return made, tuple(analytes.items())


def _read_dictionary(place: Place, folder: Path | None) -> Dictionary:
    """The dictionary of a file beside the mapping."""
    from nexome.formats.dictionary import read_dictionary  # noqa: PLC0415  only where a file is named

    if folder is None:
        raise place.wrong("a file, in a mapping that is none itself", "the key variables")
    try:
        return read_dictionary(folder / place.text())
    except NexomeError as error:
        raise error.at(place.where) from None


def _variables(place: Place) -> tuple[list[Variable], dict[str, str]]:
    named = (
        [(key, each) for key, each in place.keys().items()]
        if not place.is_list
        else [("", each) for each in place.items()]
    )
    variables, analytes = [], {}
    for key, each in named:
        keys = each.keys(_VARIABLE)
        name = key or (keys["name"].text() if "name" in keys else "")
        if not name:
            raise each.wrong("a variable without name", "name: …")
        variables.append(_variable(name, keys, each))
        if "analyte" in keys:
            analytes[name] = _analyte(keys["analyte"])
    return variables, analytes


def _variable(name: str, keys: dict[str, Place], place: Place) -> Variable:
    values: dict[str, Any] = {"name": name, "type": "decimal"}
    allowed = {"type": VARIABLE_TYPES, "sensitivity": SENSITIVITIES, "hgr_class": HGR_CLASSES, "role": ROLES}
    for key, each in keys.items():
        if key in {"name", "analyte"}:
            continue
        if key in allowed:
            values[key] = each.one_of(allowed[key])
        elif key in {"minimum", "maximum"}:
            values[key] = each.number()
        elif key == "unit":
            values[key] = _unit(each)
        elif key == "terms":
            values[key] = [t.text() for t in each.items()]
        elif key == "categories":
            values[key] = _categories(each)
        else:
            values[key] = each.text()
    return cast("Variable", _made(Variable.from_dict, values, place))


def _categories(place: Place) -> list[dict[str, Any]]:
    """Codes as `code: label`, `code: {label, label_zh, missing}`, a list of codes, or a list of mappings."""
    if place.is_list:
        found = [_category("", each) for each in place.items()]
    else:
        found = [_category(code, each) for code, each in place.keys().items()]
    return found


def _category(code: str, place: Place) -> dict[str, Any]:
    if place.is_text:
        return {"code": code, "label": place.text()} if code else {"code": place.text()}
    said: dict[str, Any] = {key: each.text() for key, each in place.keys(_CATEGORY).items()}
    missing = str(said.get("missing", "")).lower() in {"true", "yes", "1"}
    return {"code": code} | said | {"missing": missing}


def _unit(place: Place) -> str:
    if not place.text():
        return ""
    code = read_unit(place.text())
    if not code:
        raise place.wrong(
            f"the unit {place.text()[:60]!r}",
            "a UCUM code such as mmol/L, mm[Hg], kg/m2, or a usual spelling",
        )
    return code


def _analyte(place: Place) -> str:
    found = ANALYTES.get(place.text()) or analyte_of(place.text())
    if found is None:
        raise place.wrong(
            f"the analyte {place.text()[:60]!r}", "a name of model.analytes, a LOINC code or a usual word"
        )
    return found.name


def _source(name: str, place: Place, dictionary: Dictionary) -> Source:
    keys = place.keys(_SOURCE)
    targets = [v.name for v in dictionary if v.role != "participant"]
    rules = _rules(keys["variables"], targets) if "variables" in keys else ()
    if not rules:
        raise place.wrong("no variables", "at least one target variable with its rule")
    version = keys["version"].number() if "version" in keys else None
    if version is not None and (version < 1 or version != int(version)):
        raise keys["version"].wrong("no version", "a whole number from 1, or leave it out for the newest")
    combine = keys["combine"].one_of(COMBINE) if "combine" in keys else "first"
    return Source(
        name=name,
        cohort=keys["cohort"].text() if "cohort" in keys else name,
        version=None if version is None else int(version),
        where=_expression(keys["where"]) if "where" in keys else "",
        same_persons=_same_persons(keys["same_persons"]) if "same_persons" in keys else None,
        combine=cast("Combine", combine),
        nearest=keys["nearest"].day() if "nearest" in keys else None,
        order=keys["order"].text() if "order" in keys else "",
        rules=rules,
        absent=_absent(keys["absent"], targets) if "absent" in keys else (),
        because=keys["because"].text() if "because" in keys else "",
        line=place.line,
    )


def _same_persons(place: Place) -> SamePersons:
    if place.is_text or place.is_list:
        return SamePersons(tuple(each.text() for each in place.items()))
    keys = place.keys(("columns", "keep"))
    if "columns" not in keys:
        raise place.wrong("no columns", "the columns in which rows of one person agree")
    keep = keys["keep"].one_of(KEEP) if "keep" in keys else "first"
    return SamePersons(tuple(each.text() for each in keys["columns"].items()), cast("Keep", keep))


def _absent(place: Place, targets: list[str]) -> tuple[tuple[str, str], ...]:
    if place.is_list or place.is_text:
        return tuple((each.one_of(targets), "") for each in place.items())
    return tuple((name, each.text()) for name, each in place.keys(targets).items())


def _rules(place: Place, targets: list[str]) -> tuple[Rule, ...]:
    return tuple(_rule(name, each) for name, each in place.keys(targets).items())


def _rule(target: str, place: Place) -> Rule:
    """One rule; `ldl: LBDLDL` is short for `ldl: {take: LBDLDL}`."""
    if place.is_text:
        if not place.text():
            raise place.wrong("nothing", "the name of a source column, or a rule")
        return Rule(target, "take", place.text(), line=place.line)
    keys = place.keys(_RULE)
    how = [key for key in _HOW if key in keys]
    if len(how) != 1:
        raise place.wrong(" and ".join(how) or "no rule", "one of take, derive, constant")
    said = keys[how[0]]
    low, high, any_range = _range(keys["range"]) if "range" in keys else (None, None, False)
    return Rule(
        target,
        how[0],
        _expression(said) if how[0] == "derive" else said.text(),
        unit=_unit(keys["unit"]) if "unit" in keys else "",
        analyte=_analyte(keys["analyte"]) if "analyte" in keys else "",
        recode=_recode(keys["recode"]) if "recode" in keys else (),
        otherwise=keys["otherwise"].text() if "otherwise" in keys else REFUSE,
        combine=cast("Combine", keys["combine"].one_of(COMBINE)) if "combine" in keys else "",
        nearest=keys["nearest"].day() if "nearest" in keys else None,
        minimum=low,
        maximum=high,
        any_range=any_range,
        decimals=_decimals(keys["round"]) if "round" in keys else None,
        because=keys["because"].text() if "because" in keys else "",
        line=place.line,
    )


def _recode(place: Place) -> tuple[tuple[str, str], ...]:
    pairs = tuple((code, each.text() or MISSING) for code, each in place.keys().items())
    if not pairs:
        raise place.wrong("no code", "source code: target code")
    return pairs


def _range(place: Place) -> tuple[float | None, float | None, bool]:
    if place.is_text and place.text() == "any":
        return None, None, True
    ends = place.items()
    if len(ends) != 2:
        raise place.wrong(f"{len(ends)} values", "[lowest, highest], or any")
    low, high = (end.number() for end in ends)
    if low > high:
        raise place.wrong("a lowest above the highest", "[lowest, highest]")
    return low, high, False


def _decimals(place: Place) -> int:
    number = place.number()
    if number != int(number) or not 0 <= number <= 12:
        raise place.wrong("no number of decimals", "a whole number from 0 to 12")
    return int(number)


def _expression(place: Place) -> str:
    text = place.text()
    try:
        parse(text)
    except InputError as error:
        raise error.at(place.where) from None
    return text
