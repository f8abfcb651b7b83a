"""The OpenAPI document of /api/v1, made from the routes and from `model.fields`; nothing is written twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any, Final

from nexome.model.fields import FIELDS
from nexome.web.api.declare import Parameter, Route
from nexome.web.api.encode import ARROW, JSON, TSV

PREFIX: Final = "/api/v1"

_ERROR_TEXTS: Final = ("code", "message", "where", "found", "expected", "todo")
_ABOUT: Final = (
    "Associations of features (variants, genes, CpG sites, proteins) with traits, as this reader may see "
    "them. Answers in JSON are column-oriented: `data` is a data frame in R and pandas as it stands. "
    "A missing value is null. Long answers come in pages: follow `next` (or the Link header) until it "
    "is null. Open answers carry an ETag; answers that need a token are never to be stored. A token is "
    "sent as `Authorization: Bearer …`, never in the address."
)


def openapi(routes: Iterable[Route], *, title: str) -> dict[str, Any]:
    """The document as plain JSON values (OpenAPI 3.1)."""
    paths = {_plain(r.path): {m.lower(): _operation(r, m) for m in r.methods} for r in routes}
    paths["/openapi.json"] = {"get": _own_operation()}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version("nexome"), "description": _ABOUT},
        "servers": [{"url": PREFIX}],
        "paths": paths,
        "components": {
            "schemas": {"Error": _error_schema(), **{f"field_{n}": _field(n) for n in FIELDS}},
            "responses": {"Error": _content("What was wrong, and what to do.", _ref("Error"))},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _plain(path: str) -> str:
    return re.sub(r":path}", "}", path)


def _operation(route: Route, method: str) -> dict[str, Any]:
    posted = method == "POST"
    parameters = [_parameter(p) for p in route.parameters if not (posted and p in route.lists)]
    name = re.sub(r"\W+", "_", _plain(route.path)).strip("_")
    operation: dict[str, Any] = {
        "operationId": f"{method.lower()}_{name}",
        "summary": route.summary_en,
        "x-summary-zh": route.summary_zh,
        "parameters": parameters,
        "responses": _responses(route),
    }
    if posted:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": _posted(route.lists)}}}
    return operation


def _responses(route: Route) -> dict[str, Any]:
    error = {"$ref": "#/components/responses/Error"}
    if route.stream:
        file = {"schema": {"type": "string", "format": "binary"}}
        content = {"application/gzip": file, "application/vnd.apache.parquet": file}
        good: dict[str, Any] = {"description": route.summary_en, "content": content}
    else:
        good = _content(route.summary_en, _answer_schema(route))
        if route.columns:
            good["content"] |= {TSV: {"schema": {"type": "string"}}, ARROW: {"schema": {"type": "string"}}}
            good["headers"] = {"Link": {"schema": {"type": "string"}, "description": "rel=next, as `next`"}}
    codes = dict.fromkeys(("400", "401", "403", "404", "405", "500"), error)
    if route.columns:
        codes["406"] = error
    return {"200": good, "304": {"description": "The client holds this version already."}, **codes}


def _answer_schema(route: Route) -> dict[str, Any]:
    if route.columns:
        columns = {n: {"type": "array", "items": _column_items(n)} for n in route.columns}
        inner: dict[str, Any] = {"type": "object", "properties": columns}
    else:
        inner = {"type": "object"}
    properties = {
        "data": inner,
        "meta": {
            "type": "object",
            "properties": {
                "assembly": {"type": "string"},
                "sequence": {"type": "integer"},
                "rows": {"type": "integer"},
            },
        },
        "next": {"type": ["string", "null"], "description": "Address of the next page."},
    }
    return {"type": "object", "required": list(properties), "properties": properties}


def _column_items(name: str) -> dict[str, Any]:
    if name in FIELDS:
        return _ref(f"field_{name}")
    return {"type": ["boolean", "string", "null"]}


def _field(name: str) -> dict[str, Any]:
    field = FIELDS[name]
    kinds = {"float": "number", "int": "integer", "uint": "integer", "bool": "boolean"}
    many, _, inner = field.type.rstrip(">").rpartition("<")
    kind = "array" if many else kinds.get(inner.rstrip("0123456789"), "string")
    schema: dict[str, Any] = {
        "title": field.title_en,
        "description": field.meaning_en + (f" Unit: {field.unit}." if field.unit else ""),
        "x-title-zh": field.title_zh,
        "x-description-zh": field.meaning_zh,
        "type": [kind, "null"] if field.missing != "never" else kind,
    }
    if many:
        schema["items"] = {"type": kinds.get(inner.rstrip("0123456789"), "string")}
    return schema


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": {"text": "string", "list": "array"}.get(parameter.kind, parameter.kind)}
    if parameter.kind == "list":
        schema["items"] = {"type": "string"}
    if parameter.choices:
        schema["enum"] = list(parameter.choices)
    described = {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required or parameter.place == "path",
        "description": parameter.en,
        "x-description-zh": parameter.zh,
        "schema": schema,
    }
    if parameter.kind == "list":
        described |= {"style": "form", "explode": False}
    if parameter.example:
        described["example"] = parameter.example
    return described


def _posted(lists: Sequence[Parameter]) -> dict[str, Any]:
    texts = {"type": "array", "items": {"type": "string"}}
    properties = {p.name: {**texts, "description": p.en} for p in lists}
    return {"type": "object", "required": [lists[0].name], "properties": properties}


def _error_schema() -> dict[str, Any]:
    texts: dict[str, Any] = {name: {"type": "string"} for name in _ERROR_TEXTS}
    texts["reason"] = {"type": "string", "description": "Why a reader was refused; a stable code."}
    inner = {"type": "object", "required": list(_ERROR_TEXTS), "properties": texts}
    return {"type": "object", "required": ["error"], "properties": {"error": inner}}


def _own_operation() -> dict[str, Any]:
    good = _content("This document.", {"type": "object"})
    return {"operationId": "get_openapi", "summary": "This document", "responses": {"200": good}}


def _content(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {JSON: {"schema": schema}}}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}
