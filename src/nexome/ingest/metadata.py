"""What is known of a study beside its rows: said by a person or a manifest, else by the file itself.

The stronger source wins field by field: request (options, manifest), the file's own metadata (GWAS-SSF
YAML, VCF header …), what all rows agree on (one n), and for traits of a file of several the traits table.
Nothing is made up: what no source says stays empty.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from nexome.ingest.requests import ImportRequest
from nexome.ingest.traits import TraitTable, identifier_of
from nexome.model.errors import FormatError, InputError
from nexome.model.terms import Study, Trait

STUDY_FIELDS: Final = tuple(f.name for f in fields(Study) if f.name not in {"id", "traits"})
TRAIT_FIELDS: Final = tuple(f.name for f in fields(Trait) if f.name != "id")
_NUMBERS: Final = ("n", "n_cases", "n_controls")
_FROM_FILE: Final = {"ancestry": "ancestry", "sex": "sex", "licence": "licence", "publication": "publication"}
_SCALES: Final = {"odds_ratio": "log_odds", "hazard_ratio": "log_hazard"}


@dataclass(frozen=True, slots=True)
class PlannedStudy:
    """One study of a file: its record, the file's name for it ('' for a file of one), its trait ordinals."""

    study: Study
    source_name: str
    ordinals: tuple[int, ...]


def plan_studies(
    request: ImportRequest,
    traits: TraitTable,
    *,
    file_says: Mapping[str, Any],
    terms: frozenset[str],
    trait_rows: Sequence[int],
    trait_table: Mapping[str, Mapping[str, str]],
) -> list[PlannedStudy]:
    """The studies of one file, after its rows were read.

    `terms`: terms the file has columns for. `trait_rows`: rows kept of each trait ordinal; traits without
    any are left out. `trait_table`: what `read_trait_table` gave. Raises InputError when no source names
    the study.
    """
    shared = _study_fields(request, file_says, terms)
    groups = {name: [o for o in found if trait_rows[o] > 0] for name, found in traits.studies().items()}
    groups = {name: found for name, found in groups.items() if found}
    said = str(request.study.get("id", "") or "")
    if len(groups) > 1 and not said:
        return [
            _planned(identifier_of(name), name, found, (request, traits, file_says, trait_table), shared)
            for name, found in groups.items()
        ]
    ordinals = [o for found in groups.values() for o in found]
    name = next(iter(groups), "")
    study_id = said or study_id_of(request, file_says) or (identifier_of(name) if name else "")
    if not study_id:
        raise _unnamed(request)
    return [
        _planned(
            study_id,
            name if len(groups) == 1 else "*",
            ordinals,
            (request, traits, file_says, trait_table),
            shared,
        )
    ]


def study_id_of(request: ImportRequest, file_says: Mapping[str, Any]) -> str:
    """The study's identifier as the request or the file's metadata give it; '' when neither does."""
    if said := str(request.study.get("id", "") or ""):
        return said
    return identifier_of(str(file_says["study_id"])) if file_says.get("study_id") else ""


def read_trait_table(path: Path) -> dict[str, dict[str, str]]:
    """A table of traits by `trait_id`, with any of TRAIT_FIELDS beside it.

    Tab- or comma-separated, one line a trait; only `trait_id` must be there. Raises FormatError
    with the line.
    """
    with path.open(encoding="utf-8-sig", newline="") as text:
        first = text.readline()
        text.seek(0)
        reader = csv.DictReader(text, delimiter="\t" if "\t" in first else ",")
        names = [n.strip() for n in reader.fieldnames or ()]
        unknown = sorted(set(names) - {"trait_id", *TRAIT_FIELDS})
        if "trait_id" not in names or unknown:
            raise FormatError(
                f"columns {', '.join(unknown or names)}",
                where=f"{path}, line 1",
                expected="trait_id and any of " + ", ".join(TRAIT_FIELDS),
            )
        found: dict[str, dict[str, str]] = {}
        for row in reader:
            values = {k.strip(): (v or "").strip() for k, v in row.items() if k}
            _check_numbers(values, where=f"{path}, line {reader.line_num}")
            found[values["trait_id"]] = {k: v for k, v in values.items() if v}
    return found


def trait_of(values: Mapping[str, Any], trait_id: str) -> Trait:
    """A Trait from text or numbers under its field names."""
    made: dict[str, Any] = {"label": str(values.get("label") or trait_id)}
    for name in TRAIT_FIELDS[1:]:
        value = values.get(name)
        if value in (None, ""):
            continue
        if name in _NUMBERS:
            made[name] = float(value)
        elif name in {"start", "end"}:
            made[name] = int(value)
        elif name == "ontology":
            parts = value if isinstance(value, list | tuple) else str(value).replace(",", ";").split(";")
            made[name] = tuple(str(p).strip() for p in parts if str(p).strip())
        else:
            made[name] = str(value)
    return Trait(trait_id, **made)


def _study_fields(
    request: ImportRequest, file_says: Mapping[str, Any], terms: frozenset[str]
) -> dict[str, Any]:
    values: dict[str, Any] = {
        field: str(file_says[name]) for field, name in _FROM_FILE.items() if file_says.get(name)
    }
    scale = next((_SCALES[t] for t in _SCALES if t in terms and "beta" not in terms), "")
    if not scale and "z_score" in terms and not terms & {"beta", "odds_ratio", "hazard_ratio"}:
        scale = "z_score"
    if scale:
        values["effect_scale"] = scale
    values.update({k: v for k, v in request.study.items() if k in STUDY_FIELDS and v not in (None, "")})
    return values


def _planned(
    study_id: str,
    name: str,
    ordinals: Sequence[int],
    sources: tuple[ImportRequest, TraitTable, Mapping[str, Any], Mapping[str, Mapping[str, str]]],
    shared: Mapping[str, Any],
) -> PlannedStudy:
    traits = sources[1]
    made: dict[str, Trait] = {}
    for ordinal in ordinals:
        study_name, trait_name = traits.pairs[ordinal]
        raw = f"{study_name} {trait_name}".strip() if name == "*" else trait_name
        values = _trait_values(ordinal, sources, alone=len(ordinals) == 1)
        label = str(values.get("label") or raw or study_id)
        trait_id = str(values.get("id") or identifier_of(raw or study_id))
        if trait_id in made:
            trait_id = f"{trait_id[:88]}-{identifier_of(raw + ' ')[-8:]}-{ordinal}"
        made[trait_id] = trait_of({**values, "label": label}, trait_id)
    title = shared.get("title") or (next(iter(made.values())).label if len(made) == 1 else study_id)
    study = Study(study_id, **{**shared, "title": title}, traits=tuple(made.values()))
    return PlannedStudy(study, name, tuple(ordinals))


def _trait_values(ordinal: int, sources: Any, *, alone: bool) -> dict[str, Any]:
    request, traits, file_says, trait_table = sources
    name = traits.pairs[ordinal][1]
    values: dict[str, Any] = {"label": traits.labels[ordinal]}
    if alone:
        values["label"] = values["label"] or file_says.get("trait", "")
        values["ontology"] = file_says.get("ontology", ())
    for size in _NUMBERS:
        constant = traits.constant(size, ordinal)
        file_value = file_says.get(size) if alone else None
        values[size] = constant if constant is not None else file_value or traits.largest(size, ordinal)
    values.update(trait_table.get(name, {}))
    values.pop("trait_id", None)
    said = {k: v for k, v in request.trait.items() if v not in (None, "")}
    if alone:
        values.update(said)
    elif {"id", "label"} & set(said):
        raise InputError(
            "one trait is named for a file of several",
            where=request.path,
            expected="a table of traits",
            todo="Leave out --trait, and describe the traits with --traits TABLE.",
        )
    else:
        values.update(said)
    return values


def _unnamed(request: ImportRequest) -> InputError:
    return InputError(
        "nothing says which study this is",
        where=request.path,
        expected="an identifier for the study",
        todo="Name it with --study ID (or a column `study` in the manifest).",
    )


def _check_numbers(values: Mapping[str, str], *, where: str) -> None:
    for name in (*_NUMBERS, "start", "end"):
        text = values.get(name, "")
        try:
            if text:
                float(text)
        except ValueError:
            raise FormatError(f"{name} {text[:40]!r}", where=where, expected="a number") from None
