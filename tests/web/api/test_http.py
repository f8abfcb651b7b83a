"""What holds for every route: one error shape, ETags, caching, tokens, limits, and a complete document."""

import logging
from dataclasses import replace

import pytest

from nexome.access.view import View
from nexome.model.errors import BusyError
from nexome.testing import small_centre
from nexome.web.api.routes import ROUTES

OWNERS = ("/measures", "/measures/{measure}/history")  # for the owner and directors alone
STUDY = "SC0004"
SHAPE = {"code", "message", "where", "found", "expected", "todo"}


def _error(answer, status, code):
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert set(error) - {"reason"} == SHAPE
    assert all(isinstance(value, str) for value in error.values())
    assert error["code"] == code
    assert error["message"]
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    return error


def test_an_unknown_route_has_the_shape(ask):
    _error(ask("nothing/here"), 404, "not_found")


def test_a_wrong_method_has_the_shape_and_says_which(client):
    answer = client.request("DELETE", "studies")
    error = _error(answer, 405, "method")
    assert "GET" in answer.headers["allow"]
    assert "GET" in error["expected"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("studies", {"page_size": "many"}),
        ("studies", {"page_size": "0"}),
        ("studies", {"page_size": "10000000"}),
        ("studies", {"cursor": "xyz"}),
        ("studies", {"unknown": "1"}),
        ("studies", {"format": "xml"}),
        ("studies", {"columns": "nope"}),
        (f"studies/{STUDY}/top", {"order": "size"}),
        (f"studies/{STUDY}/associations", {"region": "1:2-1"}),
        ("phewas/what is this", {}),
        ("phewas/rs1", {"min_neg_log_10_p": "nan"}),
        ("regions/1:1-200000000", {}),
        ("lookup", {}),
        ("lookup", {"variants": ",".join(f"rs{i}" for i in range(1, 1002))}),
        ("search", {}),
        ("search", {"q": "a", "limit": "1000"}),
    ],
)
def test_a_question_that_cannot_be_understood_is_a_400(ask, path, query):
    assert _error(ask(path, **query), 400, "query")["expected"] or "cursor" in query


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"variants": "rs1"}', b'{"variants": [1]}', b'{"variants": ["rs1"], "x": 1}']
)
def test_a_posted_body_of_another_shape_is_a_400(client, body):
    _error(client.request("POST", "lookup", content=body), 400, "query")


def test_a_posted_body_too_long_is_a_413(client):
    _error(client.request("POST", "lookup", content=b" " * 1_000_001), 413, "too_large")


def test_what_is_not_there_is_a_404(ask):
    for path in ("studies/NO-SUCH", "phewas/rs999999999999", "genes/NOGENE", "regions/77:1-2"):
        _error(ask(path), 404, "not_found")


def test_a_format_nobody_writes_is_a_406(ask):
    _error(ask("studies", headers={"Accept": "image/png"}), 406, "not_acceptable")


@pytest.mark.parametrize("token", ["nonsense", "nxm_" + "x" * 43])
def test_a_token_that_opens_nothing_is_refused_not_anonymous(client, token):
    answer = client.request("GET", "studies", headers={"Authorization": f"Bearer {token}"})
    assert _error(answer, 401, "refused")["reason"] == "token_unknown"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_in_the_address_is_not_a_token(ask):
    assert "Authorization" in _error(ask("studies", token="nxm_x"), 400, "query")["todo"]


def test_an_error_of_ours_tells_a_reference_and_nothing_else(client, monkeypatch, caplog):
    def fail(*_args, **_kwargs):
        raise RuntimeError("/secret/path of the server")

    monkeypatch.setattr(View, "studies", fail)
    with caplog.at_level(logging.ERROR):
        answer = client.request("GET", "studies")
    error = _error(answer, 500, "internal")
    assert "secret" not in answer.text
    reference = error["todo"].split("reference ")[1].split(";")[0]
    assert reference in caplog.text
    assert "secret" in caplog.text


def test_a_path_of_the_server_is_never_told(client, monkeypatch):
    def fail(*_args, **_kwargs):
        raise BusyError("another writer", where="/secret/root/lock")

    monkeypatch.setattr(View, "studies", fail)
    answer = client.request("GET", "studies")
    _error(answer, 503, "busy")
    assert "secret" not in answer.text
    assert answer.headers["retry-after"] == "1"


def test_a_look_up_too_wide_is_refused_before_it_is_spelled_out(client, small, centre, monkeypatch):
    narrow = replace(centre.settings, page_size_max=3)
    monkeypatch.setattr(type(centre), "settings", property(lambda _: narrow))
    answer = client.request("GET", "lookup", params={"variants": small.rsid})
    assert "at most 3" in _error(answer, 400, "query")["expected"]


def test_an_open_answer_has_an_etag_and_becomes_a_304(ask, small, monkeypatch):
    first = ask(f"phewas/{small.variant}")
    assert first.headers["cache-control"] == "public, no-cache"
    assert {"Accept", "Authorization"} <= set(first.headers["vary"].split(", "))
    tag = first.headers["etag"]
    calls = []
    phewas = View.phewas
    monkeypatch.setattr(View, "phewas", lambda *a, **k: calls.append(1) or phewas(*a, **k))
    again = ask(f"phewas/{small.variant}", headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert again.content == b""
    assert calls == []
    other = ask(f"phewas/{small.variant}", headers={"If-None-Match": tag}, format="tsv")
    assert other.status_code == 200
    assert other.headers["etag"] != tag


@pytest.mark.parametrize(
    "route",
    [r for r in ROUTES if not r.stream and r.path not in {"/health", "/studies/{study}/receipt", *OWNERS}],
    ids=lambda r: r.path,
)
def test_every_open_answer_is_tagged_and_every_owners_answer_is_never_stored(ask, small, route):
    path = _filled(route, small)
    query = _required(route, small)
    answer = ask(path, **query)
    assert answer.status_code == 200, answer.text
    assert ask(path, headers={"If-None-Match": answer.headers["etag"]}, **query).status_code == 304
    owned = ask(path, owner=True, **query)
    assert owned.headers["cache-control"] == "no-store"
    assert "etag" not in owned.headers


def _required(route, small):
    """The parameters a route must have, filled in."""
    words, two = {"q": "height"}, {"a": STUDY, "b": "SC0005"}
    return {
        "/search": words,
        "/suggest": words,
        "/search/meanings": words,
        "/search/normalise": {"texts": "stature,贫血"},
        "/search/annotate": {"text": "No fever, 否认高血压。"},
        "/lookup": {"variants": small.rsid},
        "/coloc": {**two, "region": "1:1-2000000"},
        "/coloc/loci": two,
        "/cohorts/compare": {"variable": "ldl"},
        "/cohorts/search": {"q": "ldl"},
        "/cohorts/{cohort}/means": {"variable": "ldl"},
        "/cohorts/{cohort}/percentiles": {"variable": "ldl"},
        "/cohorts/{cohort}/histogram": {"variable": "ldl"},
        "/compare": two,
        "/place": {"variable": "ldl", "sex": "female", "age": "45", "value": "3", "unit": "mmol/L"},
        "/reference-curves": {"variable": "ldl"},
        "/tracks/{track}/features": {"region": "1:1-2000000"},
        "/tracks/{track}/signal": {"region": "1:1-2000000", "bins": "10"},
        "/ld": {"variant": small.variant},
        "/ld/proxies": {"variant": small.variant},
        "/ld/matrix": {"variants": small.variant},
        "/paths": {"start": "HP:0002197", "end": "HP:0000707"},
        "/common": {"terms": "HP:0002197,HP:0000707"},
        "/transcripts": {"region": "1:1-2000000"},
        "/recombination": {"region": "1:1-2000000"},
    }.get(route.path, {})


def _filled(route, small):
    values = {"track": "signal" if route.path.endswith("/signal") else "peaks"}
    values |= {"study": STUDY, "variant:path": small.variant, "region": "1:1-2000000", "gene": small.gene}
    values |= {"measure": "studies", "curie": "HP:0001250", "cohort": "town"}
    values |= {"set": "adults", "file": "reference.csv"}
    path = route.path.lstrip("/")
    for name, value in values.items():
        path = path.replace("{" + name + "}", value)
    return path


def test_no_other_site_may_read(client):
    answer = client.request("GET", "studies", headers={"Origin": "https://example.org"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_markup_in_texts_stays_text(ask):
    answer = ask(f"studies/{small_centre.HOSTILE}")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/json"


def test_the_document_names_every_route_parameter_and_column(ask):
    document = ask("openapi.json").json()
    for route in ROUTES:
        operations = document["paths"][route.path.replace(":path}", "}")]
        assert sorted(operations) == sorted(m.lower() for m in route.methods)
        shown = {p["name"] for p in operations["get"]["parameters"]}
        assert shown == {p.name for p in route.parameters}
        for parameter in operations["get"]["parameters"]:
            assert parameter["description"]
            assert parameter["x-description-zh"]
        schema = operations["get"]["responses"]["200"]["content"]
        if route.columns:
            data = schema["application/json"]["schema"]["properties"]["data"]
            assert tuple(data["properties"]) == route.columns
    references = [v["$ref"] for v in _walk(document) if isinstance(v, dict) and "$ref" in v]
    for reference in references:
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
    assert references


def _walk(node):
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _walk(child)


def test_answers_hold_the_columns_the_document_promises(ask, small):
    for route in ROUTES:
        if route.columns:
            query = _required(route, small)
            owner = route.path in OWNERS
            answer = ask(_filled(route, small), owner=owner, **query).json()
            assert tuple(answer["data"]) == route.columns, route.path
