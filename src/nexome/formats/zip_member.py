"""The one file of a zip archive as a stream of bytes, read from the front: pipes and hashes work as for gzip.

Stored and deflated members are read; folders before the file are passed over. Several files, Excel
workbooks, encrypted members and other methods are refused by name. The CRC-32 is checked at the end.
Source: PKWARE APPNOTE 6.3, sections 4.3.7 (local header) and 4.3.9 (data descriptor).
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any, Final, NamedTuple

from nexome.model.errors import FormatError

MAGIC: Final = b"PK\x03\x04"
_DESCRIPTOR: Final = b"PK\x07\x08"
_HEADER: Final = struct.Struct("<4sHHHHHIIIHH")
_CHUNK: Final = 1 << 16
_MOST_UNPACKED: Final = 1 << 20
_ENCRYPTED, _CRC_FOLLOWS = 1, 8
_STORED, _DEFLATED = 0, 8
_WORKBOOK: Final = ("[Content_Types].xml", "_rels/", "docProps/", "xl/", "mimetype")


class _Header(NamedTuple):
    name: str
    flags: int
    method: int
    crc: int
    packed_size: int


class ZipMember:
    """The bytes of an archive's only file. `file`: as errors say it.

    Raises FormatError for what is no such archive, EOFError when it is cut short, zlib.error when damaged.
    """

    def __init__(self, packed: io.BufferedReader[Any], file: str) -> None:
        self._packed = packed
        self._file = file
        self._header = self._first_file()
        self._left = self._header.packed_size
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._crc = 0
        self._ended = False

    def read(self, _size: int) -> bytes:
        """The next unpacked bytes; nothing at the end."""
        while not self._ended:
            text = self._stored() if self._header.method == _STORED else self._deflated()
            self._crc = zlib.crc32(text, self._crc)
            if self._ended:
                self._check_end()
            if text:
                return text
        return b""

    def _stored(self) -> bytes:
        text = self._packed.read(min(self._left, _CHUNK))
        self._left -= len(text)
        if self._left and not text:
            raise EOFError
        self._ended = not self._left
        return text

    def _deflated(self) -> bytes:
        waiting = self._inflate.unconsumed_tail or self._packed.read1(_CHUNK)
        if not waiting:
            raise EOFError
        text = self._inflate.decompress(waiting, _MOST_UNPACKED)
        self._ended = self._inflate.eof
        return text

    def _check_end(self) -> None:
        tail = self._inflate.unused_data + self._packed.read()
        crc = self._header.crc
        if self._header.flags & _CRC_FOLLOWS:
            tail = tail.removeprefix(_DESCRIPTOR)
            if len(tail) < 12:
                raise EOFError
            crc = int.from_bytes(tail[:4], "little")
            sizes = 16 if tail[20:24] in (MAGIC, b"PK\x01\x02") else 8  # zip64 writes them twice as long
            tail = tail[4 + sizes :]
        if crc != self._crc:
            raise zlib.error("CRC-32")
        if tail.startswith(MAGIC):
            raise self._refused("a zip archive of several files", "Unpack it, and import the files you mean.")

    def _first_file(self) -> _Header:
        while (header := self._local_header()).name.endswith("/") and not header.name.startswith(_WORKBOOK):
            self._packed.read(header.packed_size)
        if header.name.startswith(_WORKBOOK):
            raise self._refused(
                "an Excel workbook (or another document)", "Save the sheet as tab-separated text."
            )
        if header.flags & _ENCRYPTED:
            raise self._refused("an encrypted zip archive", "Unpack it with its password first.")
        unsized = header.method == _STORED and header.flags & _CRC_FOLLOWS
        if header.method not in (_STORED, _DEFLATED) or unsized:
            raise self._refused(f"a zip archive packed by method {header.method}", "Unpack it first.")
        return header

    def _local_header(self) -> _Header:
        raw = self._packed.read(_HEADER.size)
        if len(raw) < _HEADER.size or not raw.startswith(MAGIC):
            raise self._refused("a zip archive without a file", "Check how it was packed.")
        _, _, flags, method, _, _, crc, packed_size, _, name_size, extra_size = _HEADER.unpack(raw)
        name = self._packed.read(name_size).decode("utf-8", "replace")
        if not name:
            raise self._refused("a zip archive without a file", "Check how it was packed.")
        self._packed.read(extra_size)
        return _Header(name, flags, method, crc, packed_size)

    def _refused(self, what: str, todo: str) -> FormatError:
        return FormatError(f"this is {what}", where=self._file, expected="one file of text", todo=todo)
