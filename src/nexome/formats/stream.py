"""Files of the outside world as one stream of decompressed bytes, whatever they are packed in.

Packing is told by the first bytes (gzip, bgzip, zstd, xz, bzip2, zip, plain), never by a name. The SHA-256
of the source is computed while it is read. A truncated or corrupt source raises FormatError with the
last good line. Lines end with LF or CRLF. Does not look at what the bytes mean.
"""

from __future__ import annotations

import bz2
import hashlib
import io
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Protocol

import zstandard
from isal import igzip, igzip_lib

from nexome.formats import zip_member
from nexome.model.errors import FormatError, InputError, NotFoundError

STDIN: Final = "-"
MAX_LINE_BYTES: Final = 16 << 20  # a longer line is not a row of a table of associations
_HEAD_BYTES: Final = 18  # the header of a gzip member with bgzip's field
_SOURCE_CHUNK: Final = 1 << 20
_ZSTD_CHUNK: Final = 1 << 14  # compressed bytes at a time: bounds what one step may unfold to
_UNPACKED_CHUNK: Final = 1 << 20
_DAMAGE: Final[tuple[type[Exception], ...]] = (
    EOFError,
    OSError,
    zlib.error,
    lzma.LZMAError,
    igzip_lib.IsalError,  # type: ignore[assignment] # its stub declares an instance
    zstandard.ZstdError,
)

# First bytes of what people hand over by mistake, and what to do about it.
_REFUSED: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"PK\x03\x04", "a zip archive in a packed file", "Unpack the outer one."),
    (b"PAR1", "a Parquet file", "Write it as tab-separated text first."),
    (b"ARROW1", "an Arrow file", "Write it as tab-separated text first."),
    (b"\x89HDF", "an HDF5 file", "Write the associations in it as tab-separated text first."),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "Save the sheet as tab-separated text."),
    (b"%PDF", "a PDF document", "Give the table itself as text."),
    (b"BCF", "a BCF file", "Convert it with: bcftools view -Oz"),
    (b"\xff\xfe", "text in UTF-16", "Save it as UTF-8."),
    (b"\xfe\xff", "text in UTF-16", "Save it as UTF-8."),
)


class _Source(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class _Hashed(io.RawIOBase):
    """A raw byte source that hashes and counts what passes."""

    def __init__(self, source: _Source) -> None:
        self._source = source
        self.digest = hashlib.sha256()
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        chunk = self._source.read(len(view))
        if not self.count:  # a pipe may give a byte at a time; the kind is told by the first ones
            while 0 < len(chunk) < _HEAD_BYTES and (more := self._source.read(_HEAD_BYTES - len(chunk))):
                chunk += more
        view[: len(chunk)] = chunk
        self.digest.update(chunk)
        self.count += len(chunk)
        return len(chunk)


@dataclass(frozen=True, slots=True)
class LineBlock:
    """Whole lines of a stream: the number of the first (1-based), the bytes, how many lines."""

    first_line: int
    content: bytes
    lines: int


class ByteStream:
    """Decompressed bytes of one source, from the start to the end, once.

    `name`: as errors say it. `kind`: plain, gzip, bgzip, zstd, xz, bzip2 or zip. `line`: lines handed
    out so far. `source_bytes`: bytes of the source read so far; `source_size`: all of them, None for
    stdin. `sha256`: of the source; complete when the stream has come to its end.
    """

    def __init__(self, name: str, source: IO[bytes], *, size: int | None, text: bool = True) -> None:
        self.name = name
        self.source_size = size
        self.line = 0
        self._source = source
        self._hashed = _Hashed(source)
        self._packed: io.BufferedReader[Any] = io.BufferedReader(self._hashed, _SOURCE_CHUNK)
        self._pending = b""
        self._ended = False
        self.kind, self._unpack = _unpacker(self._packed, name)
        if text:
            self._refuse_other_kinds()

    @property
    def source_bytes(self) -> int:
        """Bytes of the source read so far."""
        return self._hashed.count

    @property
    def sha256(self) -> str:
        """SHA-256 of the source read so far, hexadecimal."""
        return self._hashed.digest.hexdigest()

    def close(self) -> None:
        """Close the source, stdin excepted."""
        if self._source is not sys.stdin.buffer:
            self._source.close()

    def read_line(self) -> bytes | None:
        """The next line without its line end; None at the end."""
        while (cut := self._pending.find(b"\n")) < 0 and self._more():
            self._check_line_length()
        if not self._pending:
            return None
        line, self._pending = (
            (self._pending, b"") if cut < 0 else (self._pending[:cut], self._pending[cut + 1 :])
        )
        self.line += 1
        return line.removesuffix(b"\r")

    def peek_lines(self, count: int) -> list[bytes]:
        """The next lines (at most `count`), left in the stream."""
        while self._pending.count(b"\n") < count and self._more():
            self._check_line_length()
        lines = self._pending.split(b"\n", count)
        if len(lines) <= count and not lines[-1]:
            lines.pop()  # behind the last line end there is no line
        return [line.removesuffix(b"\r") for line in lines[:count]]

    def peek_bytes(self, count: int) -> bytes:
        """The next bytes (at most `count`), left in the stream."""
        while len(self._pending) < count and self._more():
            pass
        return self._pending[:count]

    def read_bytes(self, count: int) -> bytes:
        """The next `count` bytes, fewer at the end of the stream; for binary files."""
        parts, held = [self._pending], len(self._pending)
        while held < count and (chunk := self._next_chunk()):
            parts.append(chunk)
            held += len(chunk)
        content = b"".join(parts)
        self._pending = content[count:]
        return content[:count]

    def blocks(self, size: int) -> Iterator[LineBlock]:
        """The rest of the stream as blocks of whole lines of about `size` bytes."""
        parts = [self._pending]
        self._pending = b""
        held = len(parts[0])
        wanted = size
        while True:
            while held < wanted and (chunk := self._next_chunk(parts)):
                parts.append(chunk)
                held += len(chunk)
            if not held:
                return
            text = b"".join(parts)
            cut = self._cut(text, size)
            if not cut:
                if held > MAX_LINE_BYTES:
                    raise self._too_long()
                wanted = held + 1
                parts = [text]
                continue
            yield self._block(text[:cut])
            parts, held, wanted = [text[cut:]], len(text) - cut, size

    def _cut(self, text: bytes, size: int) -> int:
        """Where a block ends: behind the last line end within `size`, else the first one; 0: none yet."""
        if cut := text.rfind(b"\n", 0, size) + 1:
            return cut
        return text.find(b"\n") + 1 or (len(text) if self._ended else 0)

    def _block(self, content: bytes) -> LineBlock:
        lines = content.count(b"\n") + (not content.endswith(b"\n"))
        first = self.line + 1
        self.line += lines
        return LineBlock(first, content, lines)

    def _more(self) -> bool:
        chunk = self._next_chunk()
        self._pending += chunk
        return bool(chunk)

    def _next_chunk(self, held: Sequence[bytes] = ()) -> bytes:
        if self._ended:
            return b""
        try:
            chunk = self._unpack(_UNPACKED_CHUNK)
        except _DAMAGE as error:
            raise self._damaged(error, [self._pending, *held]) from None
        self._ended = not chunk
        return chunk

    def _check_line_length(self) -> None:
        if len(self._pending) > MAX_LINE_BYTES and b"\n" not in self._pending[:MAX_LINE_BYTES]:
            raise self._too_long()

    def _too_long(self) -> FormatError:
        todo = "If the lines end with CR alone (old Macintosh), convert them to LF."
        if self.kind != "plain":
            todo += f" If not, the {self.kind} data is damaged: fetch the file again."
        return FormatError(
            f"no line end within {MAX_LINE_BYTES >> 20} MiB",
            where=f"{self.name}, line {self.line + 1}",
            expected="a table of one line a row",
            todo=todo,
        )

    def _damaged(self, error: Exception, held: Sequence[bytes]) -> FormatError:
        cut_short = isinstance(error, EOFError)
        good = self.line + sum(part.count(b"\n") for part in held)
        return FormatError(
            f"the {self.kind} data {'ends too early' if cut_short else 'is damaged'} "
            f"(after byte {self.source_bytes} of the file at most)",
            where=f"{self.name}, after line {good}",
            expected="a whole file",
            todo="Fetch or copy the file again and compare its checksum.",
        )

    def _refuse_other_kinds(self) -> None:
        self._more()
        for magic, what, todo in _REFUSED:
            if self._pending.startswith(magic):
                raise FormatError(f"this is {what}", where=self.name, expected="text", todo=todo)


def open_stream(path: Path | str, *, stdin: IO[bytes] | None = None, text: bool = True) -> ByteStream:
    """Open a file, or standard input for '-', as a stream of decompressed bytes.

    What is no text is refused by its first bytes, unless `text` is false.

    Raises NotFoundError when there is no such file, InputError when it cannot be opened, FormatError
    when it is nothing we read.
    """
    if str(path) == STDIN:
        return ByteStream("standard input", stdin or sys.stdin.buffer, size=None, text=text)
    path = Path(path)
    if path.is_dir():
        raise InputError("this is a folder", where=str(path), expected="a file")
    try:
        source = path.open("rb", buffering=0)
    except FileNotFoundError:
        raise NotFoundError("there is no such file", where=str(path)) from None
    except OSError as error:
        raise InputError(f"cannot open it: {error.strerror}", where=str(path)) from None
    try:
        size = path.stat().st_size if path.is_file() else None  # a named pipe has none
        return ByteStream(str(path), source, size=size, text=text)
    except BaseException:
        source.close()
        raise


def _unpacker(packed: io.BufferedReader[Any], name: str) -> tuple[str, Callable[[int], bytes]]:
    """Kind of packing by the first bytes, and a function that gives the next unpacked bytes."""
    head = packed.peek(_HEAD_BYTES)[:_HEAD_BYTES]
    if head.startswith(b"\x1f\x8b"):
        kind = "bgzip" if head[3:4] == b"\x04" and head[12:14] == b"BC" else "gzip"
        return kind, igzip.IGzipFile(fileobj=packed, mode="rb").read1
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return "zstd", _Zstd(packed).read
    if head.startswith(b"\xfd7zXZ\x00"):
        return "xz", lzma.LZMAFile(packed).read1
    if head.startswith(b"BZh") and head[4:10] == b"1AY&SY":
        return "bzip2", bz2.BZ2File(packed).read1
    if head.startswith(zip_member.MAGIC):
        return "zip", zip_member.ZipMember(packed, name).read
    return "plain", packed.read1


class _Zstd:
    """Frames of zstd one after another; raises EOFError when the last is cut short."""

    def __init__(self, packed: io.BufferedReader[Any]) -> None:
        self._packed = packed
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._inside = False

    def read(self, _size: int) -> bytes:
        while chunk := self._packed.read(_ZSTD_CHUNK):
            if text := self._feed(chunk):
                return text
        if self._inside:
            raise EOFError
        return b""

    def _feed(self, chunk: bytes) -> bytes:
        parts = []
        while chunk:
            parts.append(self._frame.decompress(chunk))
            self._inside = not self._frame.eof
            chunk = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
        return b"".join(parts)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file as it lies, hexadecimal; a ByteStream that is read to its end has its own."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
