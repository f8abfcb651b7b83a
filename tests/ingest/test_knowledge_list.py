"""sources.yaml and its downloads: resumed, checked, and never half there."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from nexome.ingest.knowledge_list import check_pinned, fetch_source, read_sources
from nexome.model.errors import DamagedError, FormatError, InputError, NotFoundError

CONTENT = b"format-version: 1.2\n\n[Term]\nid: HP:1\nname: x\n" * 20_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT; /cut breaks off half-way the first time, /whole knows no ranges."""

    cut = 0
    asked: ClassVar[list] = []

    def do_GET(self):
        wanted = self.headers.get("Range")
        type(self).asked.append((self.path, wanted))
        if self.path.startswith("/missing"):
            self.send_error(404)
            return
        first = int(wanted[6:-1]) if wanted and not self.path.startswith("/whole") else 0
        if first >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(CONTENT) - first))
        self.end_headers()
        body = CONTENT[first:]
        if self.path.startswith("/cut") and type(self).cut == 0:
            type(self).cut += 1
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    Handler.cut, Handler.asked = 0, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def listed(tmp_path):
    def read(text):
        path = tmp_path / "sources.yaml"
        path.write_text(text, encoding="utf-8")
        return read_sources(path, tmp_path / "downloads")

    return read


def test_a_download_that_breaks_goes_on_where_it_stopped(server, listed):
    [source] = listed(f"sources:\n  - {{name: hp, url: '{server}/cut/hp.obo', sha256: {SHA256}}}\n")
    path = fetch_source(source)
    assert path.read_bytes() == CONTENT
    [(_, first), (_, second)] = Handler.asked
    assert first is None
    assert second.startswith("bytes=")
    assert int(second[6:-1]) > 0
    assert not path.with_name("hp.obo.part").exists()
    fetch_source(source)
    assert len(Handler.asked) == 2


@pytest.mark.parametrize("kept", [1000, len(CONTENT)])
def test_what_an_earlier_run_left_is_used(server, listed, tmp_path, kept):
    [source] = listed(f"sources:\n  - {{name: hp, url: '{server}/hp.obo', sha256: {SHA256}}}\n")
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "hp.obo.part").write_bytes(CONTENT[:kept])
    assert fetch_source(source).read_bytes() == CONTENT
    assert Handler.asked == [("/hp.obo", f"bytes={kept}-")]


def test_a_server_without_ranges_starts_again(server, listed, tmp_path):
    [source] = listed(f"sources:\n  - {{name: hp, url: '{server}/whole/hp.obo'}}\n")
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "hp.obo.part").write_bytes(b"something else")
    assert fetch_source(source).read_bytes() == CONTENT


def test_other_bytes_than_pinned_are_thrown_away(server, listed, tmp_path):
    [source] = listed(f"sources:\n  - {{name: hp, url: '{server}/hp.obo', sha256: '{'0' * 64}'}}\n")
    with pytest.raises(DamagedError, match="pinned for hp"):
        fetch_source(source)
    assert list((tmp_path / "downloads").iterdir()) == []


def test_what_the_server_refuses_is_said(server, listed):
    [source] = listed(f"sources:\n  - {{name: hp, url: '{server}/missing/hp.obo'}}\n")
    with pytest.raises(InputError, match="HTTP 404"):
        fetch_source(source)


def test_a_list_says_all_of_a_source(listed, tmp_path):
    (tmp_path / "codes.csv").write_bytes(CONTENT)
    [source] = listed(
        "sources:\n  - name: icd\n    version: '2019'\n    files: [codes.csv]\n    prefix: ICD10\n"
        f"    map: {{id: code}}\n    redistribution: forbidden\n    licence: WHO\n    sha256: {SHA256}\n"
    )
    assert source.new.options.prefix == "ICD10"
    assert source.new.options.mapping == {"id": "code"}
    assert (source.new.redistribution, source.new.version) == (False, "2019")
    check_pinned(source)
    (tmp_path / "codes.csv").write_bytes(b"other")
    with pytest.raises(DamagedError):
        check_pinned(source)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sources: {", "line 1: not YAML"),
        ("sources: 3", "no list"),
        ("sources: [{url: 'http://x/y'}]", "source 1: no name"),
        ("sources: [{name: a}]", "neither url nor files"),
        ("sources: [{name: a, url: 'ftp://x/y'}]", "url 'ftp"),
        ("sources: [{name: a, url: 'file:///etc/passwd'}]", "url 'file"),
        ("sources: [{name: a, files: [b], licens: x}]", "unknown: licens"),
        ("sources: [{name: a, files: [b], sha256: 12}]", "sha256 is none"),
        ("sources: [{name: a, files: [b], redistribution: maybe}]", "redistribution 'maybe'"),
        ("sources: [{name: a, files: [b]}, {name: a, files: [c]}]", "named twice: a"),
    ],
)
def test_what_is_wrong_with_a_list_is_named(listed, text, told):
    with pytest.raises(FormatError, match=told):
        listed(text)


def test_a_list_that_is_not_there(tmp_path):
    with pytest.raises(NotFoundError):
        read_sources(tmp_path / "none.yaml")


def test_the_example_in_docs_is_a_list():
    path = Path(__file__).parents[2] / "docs" / "examples" / "sources.yaml"
    sources = read_sources(path)
    assert {"hp", "mondo", "doid"} <= {source.new.name for source in sources}
    assert all(source.urls and source.new.licence for source in sources)
    assert not next(source for source in sources if source.new.name == "hp").new.redistribution
