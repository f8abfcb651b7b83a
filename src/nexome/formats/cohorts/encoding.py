"""Text in any of the encodings that cohorts come in, as UTF-8; what was guessed is told, with its lines.

Without a word from a person: UTF-8 (with or without its mark), UTF-16 by its mark or its zero bytes, and,
for lines that are no UTF-8, GB18030 where what comes out is everyday Chinese. Anything else, Latin-1 above
all, is refused and asked for: each of its bytes is a letter, so it would never fail, only be wrong.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import Final

from nexome.formats.cohorts.reader import Note
from nexome.formats.stream import ByteStream, LineBlock
from nexome.model.errors import FormatError, InputError

ENCODINGS: Final = ("utf-8", "utf-16", "gb18030", "cp1252", "latin-1")
UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LOOK: Final = 4096
_TOLD_LINES: Final = 5


class Decoder:
    """Blocks of one file as UTF-8. `encoding`: as a person said it, '' to find out.

    Several threads may use it at once: it only collects line numbers.
    `gb18030_lines`: lines read as GB18030 among lines of UTF-8.
    """

    def __init__(self, file: str, encoding: str) -> None:
        if encoding and encoding not in ENCODINGS:
            raise InputError(f"encoding {encoding[:40]!r}", expected="one of " + ", ".join(ENCODINGS))
        self.file = file
        self.encoding = "utf-8" if encoding == "utf-16" else encoding  # the stream is transcoded already
        self.gb18030_lines: list[int] = []
        self.utf8_lines = 0

    def utf8(self, block: LineBlock) -> bytes:
        """The block's bytes as UTF-8. Raises FormatError naming the first line that is no such text."""
        content = block.content
        if b"\0" in content:
            line = block.first_line + content[: content.index(0)].count(b"\n")
            raise FormatError(
                "a NUL byte",
                where=f"{self.file}, line {line}",
                expected="text",
                todo="The file is binary or damaged; save the table as UTF-8 text.",
            )
        if content.isascii():
            return content
        if self.encoding:
            return self._as_said(block)
        if _is_utf8(content):
            self.utf8_lines += block.lines
            return content
        return b"\n".join(self._line(raw, block.first_line + i) for i, raw in enumerate(content.split(b"\n")))

    def notes(self) -> list[Note]:
        """What a person should know of the encodings met so far."""
        if not self.gb18030_lines:
            return []
        lines = sorted(self.gb18030_lines)
        if not self.utf8_lines:
            return [Note("Read as GB18030 (not UTF-8).", "该文件不是 UTF-8，已按 GB18030 读取。", self.file)]
        shown = ", ".join(map(str, lines[:_TOLD_LINES])) + (" …" if len(lines) > _TOLD_LINES else "")
        return [
            Note(
                f"Two encodings in one file: {len(lines)} lines are GB18030 ({shown}), the others UTF-8.",
                f"同一文件中有两种编码：{len(lines)} 行为 GB18030（第 {shown} 行），其余为 UTF-8。",
                self.file,
            )
        ]

    def _as_said(self, block: LineBlock) -> bytes:
        try:
            return block.content.decode(self.encoding).encode()
        except UnicodeDecodeError as error:
            line = block.first_line + block.content.count(b"\n", 0, error.start)
            raise FormatError(
                f"bytes that are not {self.encoding.upper()} text",
                where=f"{self.file}, line {line}",
                expected=f"text in {self.encoding.upper()}, as --encoding says",
                todo="Leave --encoding out, or save the file as UTF-8.",
            ) from None

    def _line(self, raw: bytes, line: int) -> bytes:
        if raw.isascii():
            return raw
        if _is_utf8(raw):
            self.utf8_lines += 1
            return raw
        text = everyday_chinese(raw)
        if text is None:
            raise FormatError(
                "bytes that are neither UTF-8 nor Chinese in GB18030",
                where=f"{self.file}, line {line}",
                expected="text in UTF-8, UTF-16 or GB18030",
                todo="If it comes from Western Windows, say --encoding cp1252; better, save it as UTF-8.",
            )
        self.gb18030_lines.append(line)
        return text.encode()


def everyday_chinese(raw: bytes) -> str | None:
    """The text of GB18030 bytes if it is of the characters of GB 2312; None else.

    Both bytes of those are 0xA1 or more. In Western text a letter with an accent stands alone between
    ASCII letters, so that hardly any pair has both: 'Müller' is no Chinese.
    """
    try:
        text = raw.decode("gb18030")
    except UnicodeDecodeError:
        return None
    wide = [sign for sign in text if ord(sign) > 127]
    everyday = sum(1 for sign in wide if _in_gb2312(sign))
    return text if everyday * 4 >= len(wide) * 3 else None


def open_text(stream: ByteStream, encoding: str) -> ByteStream:
    """The stream itself, or one of UTF-8 made from UTF-16 (by its mark, its zero bytes, or as said)."""
    head = stream.peek_bytes(_LOOK)
    named = ""
    if head.startswith(_UTF16_MARKS) or encoding == "utf-16":
        named = "utf-16"
    elif not encoding and len(head) >= 8 and b"\0" in head:
        odd, even = head[1::2].count(0), head[::2].count(0)
        named = "utf-16-le" if odd * 4 > len(head) > even * 40 else ""
        named = "utf-16-be" if even * 4 > len(head) > odd * 40 else named
    if not named:
        return stream
    return ByteStream(stream.name, _Transcoded(stream, named), size=None)  # type: ignore[arg-type]


class _Transcoded:
    """UTF-16 bytes of a stream as UTF-8 bytes."""

    def __init__(self, stream: ByteStream, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._ended = False
        self._held = b""

    def read(self, size: int = -1, /) -> bytes:
        while len(self._held) < max(size, 1) and not self._ended:
            chunk = self._stream.read_bytes(1 << 20)
            self._ended = not chunk
            try:
                self._held += self._decoder.decode(chunk, self._ended).encode("utf-8", "strict")
            except UnicodeError:
                raise FormatError(
                    "bytes that are not UTF-16 text",
                    where=self._stream.name,
                    expected="whole UTF-16 text",
                    todo="Fetch the file again, or save it as UTF-8.",
                ) from None
        given, self._held = (self._held, b"") if size < 0 else (self._held[:size], self._held[size:])
        return given

    def close(self) -> None:
        self._stream.close()


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _in_gb2312(sign: str) -> bool:
    try:
        sign.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def decode_lines(decoder: Decoder, lines: Iterable[bytes], first_line: int = 1) -> list[str]:
    """Single lines as text, by the rules of a file's decoder."""
    blocks = (LineBlock(first_line + i, raw, 1) for i, raw in enumerate(lines))
    return [decoder.utf8(block).decode() for block in blocks]
