"""A root: made, opened, its events and its assembly."""

import base64
import gzip
import hashlib
import subprocess
import sys

import pytest

from nexome.model.errors import DamagedError, FormatError, InputError, NotFoundError, SettingsError
from nexome.model.genome import assembly_from_contigs
from nexome.store.root import (
    create_root,
    known_assemblies,
    load_assembly,
    open_root,
    read_assembly,
    sequence_digest,
)

SMALL = assembly_from_contigs("small", "Mus musculus", [("1", 100), ("X", 50)])


@pytest.fixture
def root(tmp_path):
    return create_root(tmp_path / "root", assembly=SMALL, settings={"port": 9000, "title_zh": '库 "一"'})


def test_a_root_opens_as_it_was_made(root):
    again = open_root(root.path)
    assert (again.id, again.assembly, again.settings.port) == (root.id, SMALL, 9000)
    assert again.settings.title_zh == '库 "一"'


def test_a_root_is_not_made_over_something(root, tmp_path):
    with pytest.raises(InputError, match="something is there already"):
        create_root(root.path, assembly=SMALL)
    with pytest.raises(NotFoundError, match="nexome init"):
        open_root(tmp_path)


def test_the_home_assembly_cannot_be_swapped(root):
    path = root.path / "root.json"
    path.write_text(path.read_text().replace("100", "101"))
    with pytest.raises(DamagedError, match="home assembly"):
        open_root(root.path)


def test_settings_come_from_the_file_then_the_environment(root, monkeypatch):
    monkeypatch.setenv("NEXOME_PORT", "9001")
    monkeypatch.setenv("NEXOME_CRASH_AT", "")
    assert open_root(root.path).settings.port == 9001
    monkeypatch.setenv("NEXOME_PORT", "x")
    with pytest.raises(SettingsError, match="NEXOME_PORT"):
        open_root(root.path)
    monkeypatch.delenv("NEXOME_PORT")
    (root.path / "nexome.toml").write_text("prot = 1\n")
    with pytest.raises(SettingsError, match=r"nexome\.toml.*'prot'|'prot'"):
        open_root(root.path)
    (root.path / "nexome.toml").write_text("port = = 1\n")
    with pytest.raises(SettingsError, match="line 1"):
        open_root(root.path)


def test_events_are_numbered_and_a_torn_line_is_mended(root):
    assert list(root.read_events()) == []
    assert root.append_event("a", n=0) == 1
    assert root.append_events("a", [{"n": 1}, {"n": 2}]) == [2, 3]
    with (root.path / "events.jsonl").open("ab") as stream:
        stream.write(b'{"sequence": 4, "ti')
    assert [e.sequence for e in root.read_events()] == [1, 2, 3]
    assert root.append_event("b", text="线" * 50_000) == 4
    assert root.append_event("c") == 5
    assert [(e.sequence, e.kind) for e in root.read_events(after=2)] == [(3, "a"), (4, "b"), (5, "c")]


def test_a_log_of_one_torn_line_begins_anew(root):
    (root.path / "events.jsonl").write_bytes(b'{"seq')
    assert root.append_event("a") == 1


def test_a_broken_event_is_named_by_its_line(root):
    root.append_event("a")
    path = root.path / "events.jsonl"
    path.write_bytes(b"broken\n" + path.read_bytes())
    with pytest.raises(DamagedError, match="line 1"):
        list(root.read_events())


def test_processes_append_events_side_by_side(root):
    code = (
        "import sys; from pathlib import Path; from nexome.store.root import open_root\n"
        "r = open_root(Path(sys.argv[1]))\n"
        "for i in range(25): r.append_event('x')"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, str(root.path)]) for _ in range(3)]
    assert [c.wait() for c in children] == [0, 0, 0]
    assert [e.sequence for e in root.read_events()] == list(range(1, 76))


def test_known_assemblies_have_lengths_and_digests():
    assert known_assemblies() == ["GRCh37", "GRCh38"]
    old, new = load_assembly("hg19"), load_assembly("grch38")
    assert (len(old.contigs), len(new.contigs)) == (25, 25)
    # Sums of the primary chromosomes and MT, from the NCBI assembly reports.
    assert sum(c.length_bp for c in old.contigs) == 3_095_693_981
    assert sum(c.length_bp for c in new.contigs) == 3_088_286_401
    assert old.digest != new.digest
    assert all(len(c.digest) == 35 and c.digest.startswith("SQ.") for a in (old, new) for c in a.contigs)
    assert old.contigs[-1].digest == new.contigs[-1].digest
    with pytest.raises(NotFoundError, match="GRCh37, GRCh38"):
        load_assembly("GRCz11")


def test_the_refget_digest_of_the_specification():
    # The example of the GA4GH refget specification, section on GA4GH identifiers.
    assert sequence_digest(b"acgt") == "SQ.aKF498dAxcJAqme6QYQ7EZ07-fiw8Kw2"


def slow_digest(text):
    return "SQ." + base64.urlsafe_b64encode(hashlib.sha512(text.encode()).digest()[:24]).decode()


@pytest.mark.parametrize("packed", [False, True])
def test_an_assembly_is_read_from_a_fasta(tmp_path, packed):
    text = b">1 first\nACgt\nNN\n\n>weird|2\nA*-\n"
    path = tmp_path / ("m.fa.gz" if packed else "m.fa")
    path.write_bytes(gzip.compress(text) if packed else text)
    read = read_assembly(path, species="Mus musculus")
    assert read.name == "m"
    assert [(c.name, c.length_bp, c.digest) for c in read.contigs] == [
        ("1", 6, slow_digest("ACGTNN")),
        ("weird|2", 3, slow_digest("A*-")),
    ]


def test_an_assembly_is_read_from_an_index_or_lengths(tmp_path):
    (tmp_path / "m.fai").write_text("1\t1000\t6\t60\t61\n2\t2,000\t10\t60\t61\n# note\n\n")
    assert [(c.name, c.length_bp) for c in read_assembly(tmp_path / "m.fai").contigs] == [
        ("1", 1000),
        ("2", 2000),
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("1\tx\n", "line 1"),
        ("", "no contigs"),
        ("1 5\n1 6\n", "twice"),
        (">a\nAC1\n", "line 2"),
        (">\nA\n", "line 1"),
    ],
)
def test_an_unreadable_assembly_is_named_by_its_line(tmp_path, text, place):
    (tmp_path / "bad").write_text(text)
    with pytest.raises(FormatError, match=place):
        read_assembly(tmp_path / "bad")
