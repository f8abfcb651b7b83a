"""Genotypes of a VCF: GT, and DS or GP, of any number of people; plain, gzip or bgzip (VCF 4.1 to 4.5).

Read in blocks of whole lines by compiled loops. Dosages come from DS, else from GP (P(1) + 2·P(2), of two
alleles); a genotype with a dosage and no GT gets a hard call where the dosage is within 0.1 of a whole
number. A line without any of the three is dropped and counted; a file in which no line has one is refused.
Other FORMAT fields, QUAL, FILTER and INFO are not kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.formats.genotypes.reader import (
    BATCH_BYTES,
    NO_ALTERNATE,
    NO_GENOTYPES,
    PLOIDY,
    RawGenotypes,
    hard_calls,
)
from nexome.formats.genotypes.vcf_header import VcfHeader
from nexome.formats.reader import Dropped
from nexome.formats.stream import ByteStream, LineBlock, open_stream
from nexome.model.errors import FormatError

COLUMNS: Final = 9  # before the first sample
_TEXT: Final = {"contig": 0, "position": 1, "id": 2, "ref": 3, "alt": 4, "format": 8}
_BGZF_END: Final = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")

# What `_parse` says of a row.
_OK: Final = 0
_FEW_SAMPLES: Final = 1
_MANY_SAMPLES: Final = 2
_BAD_GT: Final = 3
_POLYPLOID: Final = 4
_BAD_DOSAGE: Final = 5
_ALLELE_RANGE: Final = 6
_TOLD: Final = {
    _FEW_SAMPLES: ("fewer samples than the header", "one column a sample"),
    _MANY_SAMPLES: ("more columns than the header", "one column a sample"),
    _BAD_GT: ("a GT that cannot be read", "allele numbers parted by / or |, such as 0/1, 1|0, ./."),
    _BAD_DOSAGE: ("a dosage or probability that is no number", "a number or '.'"),
    _ALLELE_RANGE: ("a GT that names an allele the line does not have", "0 for REF, 1 for the first ALT …"),
}

Bytes = npt.NDArray[np.uint8]
Int64s = npt.NDArray[np.int64]


class VcfReader:
    """A VCF with genotypes, from start to end."""

    format = "vcf"

    def __init__(self, path: Path) -> None:
        with ExitStack() as stack:
            self._stream = stack.enter_context(closing(open_stream(path)))
            self.header = VcfHeader().read_lines(self._header_lines(), self._stream.name)
            check_bgzip_end(path, self._stream)
            stack.pop_all()
        self._seen = 0

    @property
    def streams(self) -> Sequence[ByteStream]:
        """The file."""
        return (self._stream,)

    def batches(self) -> Iterator[RawGenotypes]:
        """All variants, in the order of the file. Raises FormatError naming the line that cannot be read."""
        lines = 0
        for block in self._stream.blocks(BATCH_BYTES):
            if (batch := self._read_block(block)) is None:
                continue
            self._seen += len(batch)
            lines += block.lines
            yield batch
        if not self._seen:
            raise FormatError(
                "no genotypes in any line" if lines else "no variants",
                where=self._stream.name,
                expected="GT, DS or GP in FORMAT",
                todo="A VCF of sites alone serves as --sites.",
            )

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _header_lines(self) -> Iterator[str]:
        while (raw := self._stream.read_line()) is not None:
            yield raw.decode(errors="replace")

    def _read_block(self, block: LineBlock) -> RawGenotypes | None:
        content = np.frombuffer(block.content, np.uint8)
        starts, ends, fields = _scan(content, block.lines)
        if not len(starts):
            return None
        line = np.uint64(block.first_line) + fields[:, COLUMNS + 1].astype(np.uint64)
        self._check_columns(fields, line)
        texts = {
            n: _texts(content, fields[:, c], fields[:, c + 1] - 1)
            for n, c in _TEXT.items()
            if n != "position"
        }
        position = _numbers(content, fields[:, 1], fields[:, 2] - 1)
        if (position < 0).any():
            raise self._bad(line, position < 0, "a position that is no number", "a whole number")
        places = _format_places(texts["format"])
        told = places.max(axis=1) >= 0
        dropped = [Dropped(NO_GENOTYPES, line[~told])] if not told.all() else []
        rows, alternate, alt, gone = _unfold(texts["alt"], told)
        dropped += [Dropped(NO_ALTERNATE, line[gone])] if len(gone) else []
        many = pc.add(pc.count_substring(texts["alt"], ","), 2).to_numpy(zero_copy_only=False)
        stretches = np.stack([fields[rows, COLUMNS], ends[rows], many[rows].astype(np.int64)])
        parsed = self._parse(content, stretches, alternate, places[rows])
        return self._batch(parsed, (rows, alt), (texts, position, line), dropped)

    def _parse(self, content: Bytes, stretches: Int64s, alternate: Int64s, places: Int64s) -> Any:
        people, rows = len(self.header.people), stretches.shape[1]
        dosages = np.full((rows if (places[:, 1:] >= 0).any() else 0, people), np.nan, np.float32)
        calls, phased, status = _parse(content, stretches, alternate, places, people, dosages)
        return calls, phased, status, dosages if len(dosages) else None

    def _batch(self, parsed: Any, unfolded: Any, told: Any, dropped: list[Dropped]) -> RawGenotypes:
        calls, phased, status, dosages = parsed
        (rows, alt), (texts, position, line) = unfolded, told
        lines = line[rows]
        for code, (found, expected) in _TOLD.items():
            if (status == code).any():
                raise self._bad(lines, status == code, found, expected)
        keep = status == _OK
        if not keep.all():
            dropped.append(Dropped(PLOIDY, np.unique(lines[~keep])))
        if dosages is not None:
            calls = _completed(calls, dosages)
            dosages = dosages[keep]
        taken = pa.array(rows[keep])
        identifiers = texts["id"].take(taken)
        return RawGenotypes(
            line=lines[keep],
            contig=texts["contig"].take(taken),
            position=position[rows][keep],
            id=pc.if_else(pc.equal(identifiers, "."), "", identifiers),
            ref=texts["ref"].take(taken),
            alt=alt.filter(pa.array(keep)),
            calls=calls[keep],
            phased=phased[keep],
            dosages=dosages,
            dropped=tuple(dropped),
        )

    def _check_columns(self, fields: Int64s, line: Any) -> None:
        short = fields[:, COLUMNS] < 0
        if short.any():
            raise self._bad(
                line, short, "a line without FORMAT and samples", "as many columns as the header, by tabs"
            )

    def _bad(self, line: Any, where: Any, found: str, expected: str) -> FormatError:
        first = int(line[np.flatnonzero(where)[0]])
        return FormatError(
            found,
            where=f"{self._stream.name}, line {first}",
            expected=expected,
            todo="`bcftools view` checks and mends many such lines.",
        )


def check_bgzip_end(path: Path, stream: ByteStream) -> None:
    """Raise FormatError when a bgzip file lacks its end marker: it was cut at a block's end."""
    if stream.kind != "bgzip" or not path.is_file():
        return
    with path.open("rb") as file:
        file.seek(-min(len(_BGZF_END), path.stat().st_size), 2)
        if file.read() != _BGZF_END:
            raise FormatError(
                "the bgzip data has no end marker",
                where=str(path),
                expected="a whole file",
                todo="Fetch or copy the file again and compare its checksum.",
            )


def _completed(calls: npt.NDArray[np.int8], dosages: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
    """Hard calls where both alleles are missing and the dosage tells them."""
    wanting = (calls == -1).all(axis=2) & ~np.isnan(dosages)
    if wanting.any():
        calls[wanting] = hard_calls(dosages)[wanting]
    return calls


def _format_places(column: pa.Array) -> Int64s:
    """Where GT, DS and GP stand in FORMAT, int64 [L, 3], −1 where not."""
    coded = column.dictionary_encode()
    places = [
        [names.index(n) if n in names else -1 for n in ("GT", "DS", "GP")]
        for names in (text.split(":") for text in coded.dictionary.to_pylist())
    ]
    return np.array(places, np.int64)[coded.indices.to_numpy()]


def _unfold(alts: pa.Array, told: npt.NDArray[np.bool_]) -> tuple[Int64s, Int64s, pa.Array, Int64s]:
    """A row for each alternate allele: its line, number and text; and the lines that have none."""
    told_rows = np.flatnonzero(told)
    lists = pc.split_pattern(alts.take(pa.array(told_rows)), ",")
    sizes = pc.list_value_length(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    texts = lists.flatten()
    rows = np.repeat(told_rows, sizes)
    alternate = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1
    named = ~pc.is_in(texts, pa.array([".", "*", "<*>", "<NON_REF>", ""])).to_numpy(zero_copy_only=False)
    gone = np.setdiff1d(told_rows, rows[named])
    return rows[named], alternate[named], texts.filter(pa.array(named)), gone


def _texts(content: Bytes, starts: Int64s, ends: Int64s) -> pa.Array:
    """Text of L stretches of bytes as an Arrow column."""
    offsets, letters = _gather(content, starts, ends)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(letters)]
    return pa.Array.from_buffers(pa.string(), len(starts), buffers)


@numba.njit(cache=True, nogil=True)
def _gather(content: Bytes, starts: Int64s, ends: Int64s) -> Any:
    offsets = np.zeros(len(starts) + 1, np.int32)
    for i in range(len(starts)):
        offsets[i + 1] = offsets[i] + ends[i] - starts[i]
    letters = np.empty(offsets[-1], np.uint8)
    for i in range(len(starts)):
        letters[offsets[i] : offsets[i + 1]] = content[starts[i] : ends[i]]
    return offsets, letters


@numba.njit(cache=True, nogil=True)
def _numbers(content: Bytes, starts: Int64s, ends: Int64s) -> Int64s:
    """Whole numbers of L stretches; −1 where there is something else."""
    found = np.zeros(len(starts), np.int64)
    for i in range(len(starts)):
        if starts[i] >= ends[i] or ends[i] - starts[i] > 12:
            found[i] = -1
            continue
        for j in range(starts[i], ends[i]):
            digit = np.int64(content[j]) - 48
            if digit < 0 or digit > 9:
                found[i] = -1
                break
            found[i] = found[i] * 10 + digit
    return found


@numba.njit(cache=True, nogil=True)
def _scan(content: Bytes, lines: int) -> Any:
    """Starts and ends of lines that are not empty, and where their first ten columns begin.

    The last of the eleven columns of `fields` is the number of the line within the block.
    """
    starts = np.empty(lines, np.int64)
    ends = np.empty(lines, np.int64)
    fields = np.full((lines, 11), -1, np.int64)
    count, at, number = 0, 0, 0
    while at < len(content):
        begin = at
        column = 0
        fields[count, :10] = -1
        fields[count, 0] = begin
        while at < len(content) and content[at] != 10:
            if content[at] == 9 and column < 9:
                column += 1
                fields[count, column] = at + 1
            at += 1
        end = at
        if end > begin and content[end - 1] == 13:
            end -= 1
        at += 1
        if end > begin:
            starts[count], ends[count], fields[count, 10] = begin, end, number
            count += 1
        number += 1
    return starts[:count], ends[:count], fields[:count]


@numba.njit(cache=True, nogil=True)
def _number(content: Bytes, start: int, end: int) -> float:
    """A decimal number; NaN for '.', infinity for what is none."""
    if end <= start or (end - start == 1 and content[start] == 46):
        return np.nan
    value, scale, exponent, at = 0.0, 0.0, 0, start
    negative = content[at] == 45
    at += negative
    digits = 0
    while at < end:
        byte = content[at]
        if byte == 46 and scale == 0.0:
            scale = 1.0
        elif 48 <= byte <= 57:
            value = value * 10.0 + (byte - 48)
            scale *= 10.0
            digits += 1
        elif (byte | 32) == 101 and digits:
            minus = at + 1 < end and content[at + 1] == 45
            at += 1 + (at + 1 < end and (content[at + 1] == 45 or content[at + 1] == 43))
            if at >= end:
                return np.inf
            while at < end:
                if not 48 <= content[at] <= 57:
                    return np.inf
                exponent = min(exponent * 10 + (content[at] - 48), 400)
                at += 1
            exponent = -exponent if minus else exponent
            break
        else:
            return np.inf
        at += 1
    if not digits:
        return np.inf
    value = value / (scale if scale > 0 else 1.0) * 10.0**exponent
    return -value if negative else value


@numba.njit(cache=True, nogil=True)
def _part(content: Bytes, start: int, end: int, number: int, separator: int) -> tuple[int, int]:
    """The stretch of the part with that number; (−1, −1) when there are fewer parts."""
    at = start
    for _ in range(number):
        while at < end and content[at] != separator:
            at += 1
        if at >= end:
            return -1, -1
        at += 1
    stop = at
    while stop < end and content[stop] != separator:
        stop += 1
    return at, stop


@numba.njit(cache=True, nogil=True)
def _read_gt(
    content: Bytes, start: int, end: int, alternate: int, alleles: int, out: Any
) -> tuple[int, bool]:
    """Fill out [2] from one GT; gives the status, and whether it is phased."""
    at, count, phased, status = start, 0, False, _OK
    while at < end and status == _OK:
        value, first = -1, at
        if content[at] == 46:
            at += 1
        else:
            value = 0
            while at < end and 48 <= content[at] <= 57:
                value = min(value * 10 + (content[at] - 48), 1 << 20)
                at += 1
        more = at < end
        if at == first or (more and content[at] != 47 and content[at] != 124) or (more and at + 1 == end):
            status = _BAD_GT
        elif count == 2:
            status = _POLYPLOID
        elif value >= alleles:
            status = _ALLELE_RANGE
        else:
            out[count] = np.int8(-1) if value < 0 else np.int8(value == alternate)
            count += 1
            if more:
                phased = content[at] == 124
                at += 1
    if count == 0 and status == _OK:
        status = _BAD_GT
    if count == 1 and status == _OK:  # one allele alone is haploid; a lone '.' tells no ploidy
        out[1] = np.int8(-1) if out[0] < 0 else np.int8(-2)
        phased = False
    return status, phased


@numba.njit(cache=True, nogil=True)
def _read_dosage(content: Bytes, start: int, end: int, alternate: int, places: Int64s, ploidy: int) -> float:
    """Dosage of one sample from DS, else GP; NaN when missing, infinity when it cannot be read."""
    if places[1] >= 0:
        first, last = _part(content, start, end, places[1], 58)
        if first >= 0:
            first, last = _part(content, first, last, alternate - 1, 44)
        value = np.nan if first < 0 else _number(content, first, last)
        return value * 2.0 if ploidy == 1 else value
    first, last = _part(content, start, end, places[2], 58)
    if first < 0 or (last - first == 1 and content[first] == 46):
        return np.nan
    one, one_end = _part(content, first, last, 1, 44)
    two, two_end = _part(content, first, last, 2, 44)
    if one < 0:
        return np.nan
    if two < 0:
        return 2.0 * _number(content, one, one_end)
    return _number(content, one, one_end) + 2.0 * _number(content, two, two_end)


@numba.njit(cache=True, nogil=True)
def _parse(
    content: Bytes, stretches: Int64s, alternate: Int64s, places: Int64s, people: int, dosages: Any
) -> Any:
    """Calls [R, S, 2], phase [R, S] and status [R] of R rows; dosages [R or 0, S] are filled in place.

    `stretches` int64 [3, R]: first byte of the samples, end of the line, alleles of the line.
    """
    starts, ends, alleles = stretches[0], stretches[1], stretches[2]
    rows = len(starts)
    calls = np.full((rows, people, 2), -1, np.int8)
    phased = np.zeros((rows, people), np.bool_)
    status = np.zeros(rows, np.uint8)
    for i in range(rows):
        at = starts[i]
        told = places[i, 1] >= 0 or (places[i, 2] >= 0 and alleles[i] == 2)
        for s in range(people):
            if at > ends[i]:
                status[i] = _FEW_SAMPLES
                break
            stop = at
            while stop < ends[i] and content[stop] != 9:
                stop += 1
            if places[i, 0] >= 0:
                first, last = _part(content, at, stop, places[i, 0], 58)
                code, phase = _read_gt(content, first, last, alternate[i], alleles[i], calls[i, s])
                phased[i, s] = phase
                if code != _OK:
                    status[i] = code
                    break
            if told:
                value = _read_dosage(content, at, stop, alternate[i], places[i], 2 - (calls[i, s, 1] == -2))
                if value == np.inf:
                    status[i] = _BAD_DOSAGE
                    break
                dosages[i, s] = value
            at = stop + 1
        if status[i] == _OK and at <= ends[i]:
            status[i] = _MANY_SAMPLES
    return calls, phased, status
