"""Streams: packing by first bytes, checksums, damage named with its line, lines counted."""

import bz2
import gzip
import hashlib
import io
import lzma
import zipfile

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from nexome.formats.stream import open_stream
from nexome.model.errors import FormatError, InputError, NotFoundError

TEXT = b"".join(b"%d\tabc\n" % i for i in range(50_000))


def bgzip(content: bytes) -> bytes:
    """Blocks of gzip with the BC field, as htslib writes them."""
    parts = []
    for start in range(0, len(content), 60_000):
        packed = gzip.compress(content[start : start + 60_000])
        size = len(packed) + 6 + 2 - 1
        extra = b"\x06\x00BC\x02\x00" + size.to_bytes(2, "little")
        parts.append(packed[:3] + b"\x04" + packed[4:10] + extra + packed[10:])
    return b"".join(parts)


def zipped(content: bytes, *, folder: bool = False, method=zipfile.ZIP_DEFLATED, more=()) -> bytes:
    """A zip archive of one file, perhaps in a folder, and `more` files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        if folder:
            archive.mkdir("results")
        archive.writestr("results/scan.txt" if folder else "scan.txt", content)
        for name in more:
            archive.writestr(name, b"more")
    return packed.getvalue()


PACKED = {
    "plain": lambda content: content,
    "gzip": gzip.compress,
    "bgzip": bgzip,
    "zstd": zstandard.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zip": zipped,
}


def read_all(path):
    stream = open_stream(path)
    try:
        return stream, b"".join(block.content for block in stream.blocks(1 << 16))
    finally:
        stream.close()


@pytest.mark.parametrize("kind", PACKED)
def test_each_packing_is_told_by_its_bytes_not_its_name(tmp_path, kind):
    path = tmp_path / "wrong-name.bz2"
    path.write_bytes(PACKED[kind](TEXT))
    stream, content = read_all(path)
    assert content == TEXT
    assert stream.kind == kind
    assert stream.line == 50_000
    assert stream.source_bytes == stream.source_size == path.stat().st_size
    assert stream.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", ["gzip", "zstd", "xz", "bzip2"])
def test_members_one_after_another_are_one_file(tmp_path, kind):
    path = tmp_path / "two"
    path.write_bytes(PACKED[kind](TEXT) + PACKED[kind](TEXT))
    assert read_all(path)[1] == TEXT + TEXT


@pytest.mark.parametrize("kind", [k for k in PACKED if k not in {"plain", "zip"}])
def test_a_cut_file_is_refused_after_its_last_good_line(tmp_path, kind):
    path = tmp_path / "cut"
    packed = PACKED[kind](TEXT)
    path.write_bytes(packed[: len(packed) - 40])
    with pytest.raises(FormatError) as caught:
        read_all(path)
    assert "ends too early" in str(caught.value)
    line = int(caught.value.where.split("after line ")[1])
    assert 0 <= line <= 50_000
    assert str(path) in caught.value.where


@pytest.mark.parametrize("kind", ["gzip", "bgzip", "zstd"])
def test_a_flipped_checksum_is_damage(tmp_path, kind):
    path = tmp_path / "damaged"
    packed = bytearray(
        zstandard.ZstdCompressor(write_checksum=True).compress(TEXT) if kind == "zstd" else PACKED[kind](TEXT)
    )
    packed[-2 if kind == "zstd" else -6] ^= 0xFF
    path.write_bytes(packed)
    with pytest.raises(FormatError, match="is damaged"):
        read_all(path)


@pytest.mark.parametrize(
    ("start", "word"),
    [
        (b"PK\x03\x04", "zip archive"),
        (b"PAR1", "Parquet"),
        (b"\xff\xfea\0", "UTF-16"),
    ],
)
def test_other_kinds_of_file_are_named(tmp_path, start, word):
    path = tmp_path / "table.tsv"
    path.write_bytes(start + b"\0" * 100)
    with pytest.raises(FormatError, match=word) as caught:
        open_stream(path)
    assert caught.value.todo


@pytest.mark.parametrize("made", [{"folder": True}, {"method": zipfile.ZIP_STORED}, {}])
def test_the_one_file_of_a_zip_archive_is_read(tmp_path, made):
    path = tmp_path / "table"
    path.write_bytes(zipped(TEXT, **made))
    assert read_all(path)[1] == TEXT


class Unseekable(io.BytesIO):
    """A pipe: zip then writes sizes and checksums behind the file."""

    def seekable(self):
        return False

    def tell(self):
        raise OSError

    def seek(self, *_):
        raise OSError


def test_a_zip_archive_written_to_a_pipe_is_read(tmp_path):
    packed = Unseekable()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("scan.txt", TEXT)
    path = tmp_path / "table"
    path.write_bytes(packed.getvalue())
    assert read_all(path)[1] == TEXT
    at = packed.getvalue().index(b"PK\x07\x08") + 5
    path.write_bytes(packed.getvalue()[:at] + b"?" + packed.getvalue()[at + 1 :])
    with pytest.raises(FormatError, match="is damaged"):
        read_all(path)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (zipped(TEXT, more=["scan2.txt"]), "several files"),
        (zipped(TEXT, method=zipfile.ZIP_LZMA), "method 14"),
        (zipped(b"", more=["xl/workbook.xml"]).replace(b"scan.txt", b"xl/a.txt"), "Excel"),
        (zipped(TEXT)[:6] + b"\x01" + zipped(TEXT)[7:], "encrypted"),
        (zipped(TEXT)[:20], "without a file"),
    ],
    ids=["several files", "method", "Excel", "encrypted", "cut"],
)
def test_other_zip_archives_are_refused_by_name(tmp_path, content, word):
    path = tmp_path / "table"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=word) as caught:
        read_all(path)
    assert caught.value.todo


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_cut_zip_archive_is_refused(tmp_path, method):
    path = tmp_path / "table"
    path.write_bytes(zipped(TEXT, method=method)[:20_000])
    with pytest.raises(FormatError, match="ends too early"):
        read_all(path)


def test_standard_input_is_a_stream():
    stream = open_stream("-", stdin=io.BytesIO(gzip.compress(b"a\nb\n")))
    assert [b.content for b in stream.blocks(100)] == [b"a\nb\n"]
    assert stream.source_size is None


def test_lines_are_seen_before_they_are_read():
    stream = open_stream("-", stdin=io.BytesIO(b"\na\r\n\nb"))
    assert stream.peek_lines(2) == [b"", b"a"]
    assert stream.peek_lines(9) == [b"", b"a", b"", b"b"]
    assert [stream.read_line() for _ in range(5)] == [b"", b"a", b"", b"b", None]
    assert stream.peek_lines(1) == []


class Trickle(io.RawIOBase):
    """A pipe that gives a byte at a time."""

    def __init__(self, content):
        self.content = io.BytesIO(content)

    def read(self, size=-1):
        return self.content.read(min(size, 1))


@pytest.mark.parametrize("kind", PACKED)
def test_a_slow_pipe_is_told_apart_too(kind):
    packed = PACKED[kind](b"a\tb\n" * 20)
    stream = open_stream("-", stdin=Trickle(packed))
    assert stream.kind == kind
    assert b"".join(b.content for b in stream.blocks(100)) == b"a\tb\n" * 20
    assert stream.sha256 == hashlib.sha256(packed).hexdigest()


def test_no_file_and_folders_are_named(tmp_path):
    with pytest.raises(NotFoundError):
        open_stream(tmp_path / "none")
    with pytest.raises(InputError, match="folder"):
        open_stream(tmp_path)


def test_a_line_without_end_is_refused_in_flat_memory(tmp_path):
    path = tmp_path / "endless"
    path.write_bytes(b"a\tb\n" + b"x" * (18 << 20))
    stream = open_stream(path)
    assert stream.read_line() == b"a\tb"
    with pytest.raises(FormatError, match="no line end") as caught:
        list(stream.blocks(1 << 16))
    stream.close()
    assert "line 2" in caught.value.where


@given(
    st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"").replace(b"\r", b"")), max_size=40),
    st.integers(1, 64),
)
def test_blocks_hold_every_line_once_with_its_number(lines, size):
    content = b"".join(line + b"\n" for line in lines)
    content = b"#\n" + content  # no kind of file starts so
    lines = [b"#", *lines]
    stream = open_stream("-", stdin=io.BytesIO(content))
    seen = []
    for block in stream.blocks(size):
        assert block.first_line == len(seen) + 1
        found = block.content.removesuffix(b"\n").split(b"\n")
        assert len(found) == block.lines
        seen += found
    assert seen == lines
