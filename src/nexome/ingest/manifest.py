"""A manifest of many files: one line (or YAML item) a file, with what is said of its study.

    file        path, relative to the manifest; the only column that must be there
    study       identifier;  title, title_zh, access, ancestry, sex, licence, publication, source,
                effect_unit, effect_scale, feature_kind
    trait       label; trait_id, trait_zh, ontology, category, n, n_cases, n_controls, contig, start, end
    assembly    build of the file's positions;  format: of the file;  map: "term=column; term=column"

Tab- or comma-separated with a header, or YAML: a list of mappings (or `files:` with such a list).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from nexome.ingest.metadata import STUDY_FIELDS, TRAIT_FIELDS
from nexome.ingest.requests import ImportRequest
from nexome.model.errors import FormatError, NotFoundError

_TRAIT_NAMES: Final[Mapping[str, str]] = {
    "trait": "label",
    "trait_id": "id",
    "trait_zh": "label_zh",
    **{name: name for name in TRAIT_FIELDS if name not in {"label", "label_zh"}},
}
COLUMNS: Final = ("file", "study", *STUDY_FIELDS, *_TRAIT_NAMES, "assembly", "format", "map")


def read_manifest(path: Path) -> list[ImportRequest]:
    """The requests of a manifest, in its order. Raises FormatError with the line, or NotFoundError."""
    if not path.is_file():
        raise NotFoundError("no such manifest", where=str(path))
    rows = _yaml_rows(path) if path.suffix.lower() in {".yaml", ".yml"} else _table_rows(path)
    if not rows:
        raise FormatError(
            "no files",
            where=str(path),
            expected="a line for each file",
            todo=f"Columns: {', '.join(COLUMNS)}",
        )
    return [_request(values, path, line) for line, values in rows]


def _table_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as text:
        first = text.readline()
        text.seek(0)
        reader = csv.DictReader(text, delimiter="\t" if "\t" in first else ",", strict=True)
        rows = []
        try:
            for row in reader:
                if None in row or None in row.values():
                    raise FormatError(
                        "another number of cells than the header", where=f"{path}, line {reader.line_num}"
                    )
                rows.append((reader.line_num, {k.strip(): v.strip() for k, v in row.items()}))
        except (csv.Error, UnicodeDecodeError) as error:
            raise FormatError(f"not a table ({error})", where=f"{path}, line {reader.line_num}") from None
    return rows


def _yaml_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FormatError(f"not YAML ({str(error).splitlines()[0]})", where=str(path)) from None
    items = document.get("files") if isinstance(document, Mapping) else document
    if not isinstance(items, list) or not all(isinstance(i, Mapping) for i in items):
        raise FormatError(
            "no list of files", where=str(path), expected="`files:` and a list of mappings with `file:`"
        )
    return [(number, {str(k): v for k, v in item.items()}) for number, item in enumerate(items, 1)]


def _request(values: dict[str, Any], path: Path, line: int) -> ImportRequest:
    where = f"{path}, line {line}"
    if unknown := sorted(set(values) - set(COLUMNS)):
        raise FormatError(
            f"columns {', '.join(unknown)}", where=where, expected="any of " + ", ".join(COLUMNS)
        )
    if not values.get("file"):
        raise FormatError("no file", where=where, expected="a path in the column `file`")
    given = {k: v for k, v in values.items() if v not in (None, "")}
    study = {k: given[k] for k in STUDY_FIELDS if k in given}
    if "study" in given:
        study["id"] = str(given["study"])
    file = Path(str(given["file"]))
    return ImportRequest(
        path=str(file if file.is_absolute() else path.parent / file),
        study=study,
        trait={field: given[name] for name, field in _TRAIT_NAMES.items() if name in given},
        assembly=str(given.get("assembly", "")),
        mapping=read_mapping(given.get("map", ""), where=where),
        format=str(given.get("format", "")),
        line=line,
    )


def read_mapping(text: str | Mapping[str, str], *, where: str) -> dict[str, str]:
    """'term=column; term=column' (or a mapping) as {term: column}; raises FormatError for anything else."""
    if isinstance(text, Mapping):
        return {str(k): str(v) for k, v in text.items()}
    found = {}
    for part in (p.strip() for p in str(text).split(";")):
        if not part:
            continue
        term, sign, column = part.partition("=")
        if not sign or not term.strip() or not column.strip():
            raise FormatError(
                f"map {part!r}", where=where, expected="term=column, for example effect_allele=A1"
            )
        found[term.strip()] = column.strip()
    return found
