"""Knowledge by the commands a user types: loaded, listed, shown, exported, withdrawn."""

import gzip
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest

ONTOLOGY = """format-version: 1.2
data-version: 2025-01-16

[Term]
id: HP:0001250
name: Seizure
alt_id: HP:0001275
def: "A sudden event." []
synonym: "Epilepsy" EXACT layperson []
"""
CODES = "诊断编号,诊断\nG40,癫痫\n"


@pytest.fixture
def root(nexome, tmp_path):
    nexome("init", tmp_path / "root", "--assembly", "GRCh38")
    return tmp_path / "root"


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "files"
    (folder / "more").mkdir(parents=True)
    (folder / "hp.obo.gz").write_bytes(gzip.compress(ONTOLOGY.encode()))
    (folder / "more" / "codes.tsv").write_text("id\tlabel\nMONDO:1\tone\nno id\ttwo\n", encoding="utf-8")
    return folder


def test_a_folder_is_loaded_and_told(nexome, root, files):
    told = nexome("knowledge", "load", "--root", root, files).output
    assert "hp: 1 terms, 2 names, 0 statements (obo)." in told
    assert "codes: 1 terms, 1 names, 0 statements (term-table). Refused: bad_identifier 1." in told
    assert "2 sources: 2 terms, 3 names, 0 statements" in told
    assert "as it was loaded before" in nexome("knowledge", "load", "--root", root, files).output
    assert "2 sources with 0 statements" in nexome("status", root).output
    assert "All is as it was written" in nexome("verify", root).output


def test_one_bad_file_stops_no_other(nexome, root, files):
    (files / "story.txt").write_text("once upon a time\n", encoding="utf-8")
    done = nexome("knowledge", "load", "--root", root, files, code=1)
    assert "2 sources: 2 terms" in done.output
    assert "nexome: not loaded: story:" in done.output
    assert "no known format of knowledge" in done.output


def test_a_term_is_shown_with_its_sources(nexome, root, files):
    nexome("knowledge", "load", "--root", root, files / "hp.obo.gz", "--licence", "HPO licence")
    told = nexome("knowledge", "show", "--root", root, "HP:0001275").output
    assert "HP:0001250  Seizure (asked as HP:0001275)" in told
    assert "layperson       Epilepsy  [en] (hp)" in told
    assert "hp (licence: HPO licence)" in told
    facts = orjson.loads(nexome("knowledge", "show", "--root", root, "HP:0001250", "--json").output)
    assert facts["definition"] == "A sudden event."
    assert facts["licences"] == {"hp": "HPO licence"}
    assert "no term" in nexome("knowledge", "show", "--root", root, "HP:7", code=1).output


def test_what_a_table_needs_may_be_said(nexome, root, tmp_path):
    (tmp_path / "codes.csv").write_text(CODES, encoding="utf-8")
    words = ["--as", "term-table", "--prefix", "ICD10", "--map", "id=诊断编号", "--map", "label=诊断"]
    nexome("knowledge", "load", "--root", root, tmp_path / "codes.csv", *words, "--source", "icd")
    assert "癫痫  [zh] (icd)" in nexome("knowledge", "show", "--root", root, "ICD10:G40").output
    assert (
        "TERM=COLUMN"
        in nexome("knowledge", "load", "--root", root, tmp_path / "codes.csv", "--map", "id", code=2).output
    )


def test_sources_receipt_export_and_withdraw(nexome, root, files, tmp_path):
    assert "No knowledge yet" in nexome("knowledge", "sources", "--root", root).output
    nexome("knowledge", "load", "--root", root, files / "hp.obo.gz", "--licence", "CC BY 4.0")
    assert "CC BY 4.0" in nexome("knowledge", "sources", "--root", root).output
    [record] = orjson.loads(nexome("knowledge", "sources", "--root", root, "--json").output)
    assert (record["name"], record["release"], record["terms"]) == ("hp", "2025-01-16", 1)
    receipt = orjson.loads(nexome("knowledge", "sources", "--root", root, "--receipt", "hp").output)
    assert receipt["files"][0]["format"] == "obo"
    nexome("knowledge", "export", "--root", root, "hp", tmp_path / "out")
    assert (tmp_path / "out" / "terms.parquet").is_file()
    nexome("knowledge", "withdraw", "--root", root, "hp", "--reason", "a test", "--yes")
    assert "No knowledge yet" in nexome("knowledge", "sources", "--root", root).output


def test_what_forbids_redistribution_is_not_exported(nexome, root, files, tmp_path):
    nexome("knowledge", "load", "--root", root, files / "hp.obo.gz", "--licence", "affiliates only")
    done = nexome("knowledge", "export", "--root", root, "hp", tmp_path / "out", code=1)
    assert "may not be passed on (licence: affiliates only)" in done.output
    assert not (tmp_path / "out").exists()


def test_who_may_see_a_source_is_said_and_changed(nexome, root, files):
    def access():
        [record] = orjson.loads(nexome("knowledge", "sources", "--root", root, "--json").output)
        return record["access"]

    load = ("knowledge", "load", "--root", root, files / "hp.obo.gz")
    nexome(*load, "--licence", "private: of this hospital")
    assert access() == "private"
    nexome(*load, "--licence", "private: of this hospital", "--access", "open")  # the same bytes
    assert access() == "open"
    assert "hp is private" in nexome("knowledge", "access", "hp", "private", "--root", root).output
    (files / "hp.obo.gz").write_bytes(gzip.compress(ONTOLOGY.replace("Seizure", "Fit").encode()))
    nexome(*load)  # a new version keeps what was said
    assert access() == "private"
    assert "no source" in nexome("knowledge", "access", "mp", "open", "--root", root, code=1).output


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_a_list_is_fetched_and_loaded(nexome, root, files, tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(files)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    listed = tmp_path / "sources.yaml"
    listed.write_text(
        f"sources:\n  - {{name: hp, version: '2025', url: '{address}/hp.obo.gz', licence: CC0}}\n"
        f"  - {{name: gone, url: '{address}/gone.obo'}}\n",
        encoding="utf-8",
    )
    downloads = tmp_path / "downloads"
    done = nexome("knowledge", "fetch", listed, "--into", downloads, code=1)
    assert "hp.obo.gz (no checksum is pinned)" in done.output
    assert "gone: " in done.output
    assert "HTTP 404" in done.output
    server.shutdown()
    server.server_close()
    thread.join()
    done = nexome("knowledge", "load", "--root", root, "--sources", listed, "--downloads", downloads, code=1)
    assert "1 sources: 1 terms" in done.output
    assert "not loaded: gone: " in done.output
    [record] = orjson.loads(nexome("knowledge", "sources", "--root", root, "--json").output)
    assert (record["release"], record["licence"], record["redistribution"]) == ("2025", "CC0", True)


def test_files_or_a_list_but_not_both(nexome, root, tmp_path):
    assert "Give files, or --sources" in nexome("knowledge", "load", "--root", root, code=2).output


@pytest.mark.shared
@pytest.mark.slow
def test_everything_in_shared_is_loaded(nexome, root, shared):
    folders = [shared.parent / "ontologies", shared / "knowledge"]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    told = orjson.loads(nexome("knowledge", "load", "--root", root, *folders, "--json").output)
    assert told["failed"] == []
    assert len(told["receipts"]) == len(files)
    empty = [r["source"] for r in told["receipts"] if not r["terms"] + r["names"] + r["edges"]]
    assert empty == ["hp-tw.synonyms"]  # a template without a row
