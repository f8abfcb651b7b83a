"""GWAS-VCF 1.x: associations as a VCF, one sample column a study, one FORMAT field a statistic.

ALT is the effect allele, REF the other. Fields read: ES effect, SE its standard error, LP −log₁₀ p,
AF frequency of ALT, SS people, NC cases, SI imputation quality, EZ z, ID the variant's name. A row
of several ALT alleles becomes one row an allele. Several samples come long, with the sample's name
as `trait_id`; cells without any value are set aside. FILTER is not judged.
Source: Lyon et al. 2021, Genome Biology 22:32, and its specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.formats.columns import TERMS
from nexome.formats.delimited import Header, Plan, Wanted, convert_text, read_rows
from nexome.formats.reader import ColumnUse, Problem, RawBatch, Reader, ReadOptions
from nexome.formats.stream import ByteStream
from nexome.formats.table_format import drop_rows, set_column, text_of
from nexome.model.errors import FormatError

NAME: Final = "gwas-vcf"
FIELDS: Final = {
    "ES": ("beta", "effect of ALT"),
    "SE": ("standard_error", "standard error of ES"),
    "LP": ("neg_log_10_p_value", "−log₁₀ p"),
    "AF": ("effect_allele_frequency", "frequency of ALT"),
    "SS": ("n", "people"),
    "NC": ("n_cases", "cases"),
    "SI": ("info", "imputation quality"),
    "EZ": ("z_score", "z of ALT"),
}
_FIXED: Final = (
    (0, "CHROM", "chromosome", "chromosome"),
    (1, "POS", "base_pair_location", "position, 1-based"),
    (2, "ID", "variant_id", "name of the variant"),
    (3, "REF", "other_allele", "REF is the other allele"),
    (4, "ALT", "effect_allele", "ALT is the effect allele"),
)
_FIRST_SAMPLE: Final = 9
_TODO_NOT_GWAS: Final = "Individual genotypes are not associations: run a scan first and give its output."


def detects(stream: ByteStream) -> bool:
    """Whether a stream starts as a VCF."""
    first = stream.peek_lines(1)
    return bool(first) and first[0].startswith(b"##fileformat=VCF")


def read(stream: ByteStream, options: ReadOptions) -> Reader:
    """Read a GWAS-VCF. Raises FormatError when it is another kind of VCF."""
    header, contents = _read_header(stream)
    fields = [f for f in FIELDS if f in contents["FORMAT"]]
    samples = header.names[_FIRST_SAMPLE:]
    if not samples or not {"ES", "EZ"} & set(fields):
        raise FormatError(
            "a VCF without effects (no FORMAT field ES or EZ)" if samples else "a VCF without sample columns",
            where=f"{stream.name}, line {header.line}",
            expected="a GWAS-VCF: one sample column a study, FORMAT fields ES, SE, LP …",
            todo=_TODO_NOT_GWAS,
        )
    wanted = [Wanted(i, source, term, TERMS[term].kind) for i, source, term, _ in _FIXED]
    wanted.append(Wanted(8, "FORMAT", "_format", "category"))
    wanted += [Wanted(_FIRST_SAMPLE + i, s, f"_sample{i}", "text") for i, s in enumerate(samples)]
    plan = Plan(stream.name, header, tuple(wanted), options.encoding, options.block_bytes)
    unfold = _Unfold(tuple(samples), tuple(fields))
    uses = [ColumnUse(source, term, rule) for _, source, term, rule in _FIXED]
    uses += [ColumnUse(f"FORMAT/{f}", *FIELDS[f]) for f in fields]
    uses += [ColumnUse(s, "trait_id", "the sample's name") for s in samples if len(samples) > 1]
    return Reader(
        format=NAME,
        version=contents["version"],
        stream=stream,
        columns=tuple(uses),
        unused=("QUAL", "FILTER", "INFO"),
        schema=unfold.schema(),
        metadata=_metadata(contents, samples),
        batches=_unfolded(read_rows(stream, plan), unfold),
    )


def _unfolded(rows: Iterator[RawBatch], unfold: _Unfold) -> Iterator[RawBatch]:
    for batch in rows:
        yield unfold.batch(batch)


def _read_header(stream: ByteStream) -> tuple[Header, dict[str, Any]]:
    contents: dict[str, Any] = {"FORMAT": set(), "contigs": [], "samples": {}, "version": "", "lines": {}}
    while (raw := stream.read_line()) is not None:
        text = raw.decode(errors="replace")
        if text.startswith("##"):
            _note(text, contents)
            continue
        names = tuple(text.removeprefix("#").split("\t"))
        if (
            names[:9]
            != ("CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")[: len(names)]
        ):
            break
        if len(set(names)) < len(names):
            raise FormatError(
                "two samples of one name",
                where=f"{stream.name}, line {stream.line}",
                expected="each name once",
            )
        return Header(names, stream.line, "tab", quoted=False), contents
    raise FormatError(
        "no header line",
        where=f"{stream.name}, line {stream.line}",
        expected="#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT and samples, separated by tabs",
        todo="Fetch the file again if it is cut short.",
    )


def _note(text: str, contents: dict[str, Any]) -> None:
    """Keep what a '##' line says: FORMAT fields, contigs, SAMPLE records, plain name=value lines."""
    name, _, value = text[2:].partition("=")
    record = dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|[^,>]*)', value)) if value.startswith("<") else {}
    record = {k: v.strip('"') for k, v in record.items()}
    if name == "FORMAT":
        contents["FORMAT"].add(record.get("ID", ""))
    elif name == "contig":
        contents["contigs"].append(record)
    elif name == "SAMPLE":
        contents["samples"][record.get("ID", "")] = record
    elif name == "fileformat":
        contents["version"] = value
    elif not record:
        contents["lines"][name] = value


def _metadata(contents: dict[str, Any], samples: Sequence[str]) -> dict[str, Any]:
    builds = dict.fromkeys(c["assembly"] for c in contents["contigs"] if c.get("assembly"))
    lengths = {
        c["ID"]: int(c["length"]) for c in contents["contigs"] if c.get("length", "").isdigit() and "ID" in c
    }
    found = {
        "build": ", ".join(builds) or contents["lines"].get("reference", ""),
        "contigs": lengths,
        "traits": list(samples),
        "samples": contents["samples"],
    }
    if len(samples) == 1:
        about = contents["samples"].get(samples[0], {})
        for name, key in (
            ("n_cases", "TotalCases"),
            ("n_controls", "TotalControls"),
            ("study_type", "StudyType"),
        ):
            if key in about:
                found[name] = about[key]
    return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class _Unfold:
    """Turns rows with FORMAT and sample texts into one row a sample and alternate allele."""

    samples: tuple[str, ...]
    fields: tuple[str, ...]

    def schema(self) -> pa.Schema:
        """Schema of a batch, less `line`."""
        columns = [term for _, _, term, _ in _FIXED] + [FIELDS[f][0] for f in self.fields] + ["rsid"]
        columns += ["trait_id"] if len(self.samples) > 1 else []
        return pa.schema([TERMS[c].arrow for c in columns])

    def batch(self, batch: RawBatch) -> RawBatch:
        """One batch unfolded."""
        rows, allele, alts = _alternates(text_of(batch.table, "effect_allele"))
        lines = batch.lines()[rows]
        shared = batch.table.take(pa.array(rows))
        shared = set_column(shared, "effect_allele", alts)
        parts = [self._of_sample(i, shared, allele, lines) for i in range(len(self.samples))]
        tables = pa.concat_tables([p.table for p in parts]).unify_dictionaries().combine_chunks()
        return RawBatch(
            batch.first_line,
            tables,
            batch.problems + tuple(p for part in parts for p in part.problems),
            batch.dropped + tuple(d for part in parts for d in part.dropped),
        )

    def _of_sample(
        self, number: int, shared: pa.Table, allele: npt.NDArray[np.int64], lines: npt.NDArray[np.uint64]
    ) -> RawBatch:
        texts = _fields(text_of(shared, "_format"), text_of(shared, f"_sample{number}"), (*self.fields, "ID"))
        table = shared.select([term for _, _, term, _ in _FIXED])
        problems: list[Problem] = []
        empty = np.ones(len(lines), bool)
        for field in self.fields:
            values, unread, expected = convert_text(_of_allele(texts[field], allele), "number")
            column = f"FORMAT/{field}"
            problems += [
                Problem(int(lines[i]), column, repr(texts[field][i].as_py()), expected) for i in unread
            ]
            empty &= values.is_null().to_numpy(zero_copy_only=False)
            empty[unread] = False
            table = set_column(table, FIELDS[field][0], values)
        table = table.append_column("rsid", _rsid(text_of(table, "variant_id"), texts["ID"]))
        if len(self.samples) > 1:
            names = pa.array([self.samples[number]] * table.num_rows, pa.string())
            table = set_column(table, "trait_id", names)
        table = table.append_column("line", pa.array(lines))
        found = RawBatch(0, table, tuple(problems))
        return drop_rows(found, empty, f"no value for sample {self.samples[number]}")


def _alternates(
    alts: pa.StringArray,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], pa.StringArray]:
    """Rows repeated once an alternate allele, the allele's number in its row, the allele itself."""
    pieces = pc.split_pattern(alts, ",")
    counts = pc.fill_null(pc.list_value_length(pieces), 1).to_numpy(zero_copy_only=False).astype(np.int64)
    rows = np.repeat(np.arange(len(alts)), counts)
    if len(rows) == len(alts):
        return rows, np.zeros(len(rows), np.int64), alts
    starts = np.cumsum(counts) - counts
    allele = np.arange(len(rows)) - starts[rows]
    flat = [a for row in pieces.to_pylist() for a in (row or [None])]
    return rows, allele, pa.array(flat, pa.string())


def _fields(
    formats: pa.StringArray, texts: pa.StringArray, wanted: Sequence[str]
) -> dict[str, pa.StringArray]:
    """Each wanted FORMAT field of a sample's texts; null where a row has it not."""
    coded = formats.dictionary_encode()
    found: dict[str, list[Any]] = {name: [] for name in wanted}
    order = []
    for code, spelling in enumerate([*coded.dictionary.to_pylist(), None]):
        mask = pc.equal(coded.indices, code) if spelling is not None else pc.is_null(coded)
        rows = np.flatnonzero(pc.fill_null(mask, fill_value=False).to_numpy(zero_copy_only=False))
        if len(rows):
            order.append(rows)
            keys = (spelling or "").split(":")
            matrix = _split(texts.take(pa.array(rows)), len(keys))
            for name in wanted:
                none = pa.nulls(len(rows), pa.string())
                found[name].append(matrix[keys.index(name)] if name in keys else none)
    back = pa.array(np.argsort(np.concatenate(order), kind="stable") if order else np.empty(0, np.int64))
    empty = [pa.array([], pa.string())]
    return {name: pa.concat_arrays(parts or empty).take(back) for name, parts in found.items()}


def _split(texts: pa.StringArray, width: int) -> list[pa.StringArray]:
    """Texts cut at ':' into `width` columns; trailing fields may be left out, as VCF allows."""
    texts = pc.fill_null(texts, ".")
    lengths = pc.add(pc.count_substring(texts, ":"), 1).to_numpy()
    if (lengths != width).any():
        padded = [
            ":".join((t.split(":") + ["."] * width)[:width]) if n != width else t
            for t, n in zip(texts.to_pylist(), lengths.tolist(), strict=True)
        ]
        texts = pa.array(padded, pa.string())
    flat = pc.split_pattern(texts, ":").flatten()
    return [flat.take(pa.array(np.arange(k, len(flat), width))) for k in range(width)]


def _of_allele(texts: pa.StringArray, allele: npt.NDArray[np.int64]) -> pa.StringArray:
    """Of texts that list a value an allele, this row's."""
    listed = pc.fill_null(pc.match_substring(texts, ","), fill_value=False)
    if not pc.any(listed, min_count=0).as_py():
        return texts
    values = texts.to_pylist()
    for row in np.flatnonzero(listed.to_numpy(zero_copy_only=False)).tolist():
        parts = values[row].split(",")
        values[row] = parts[allele[row]] if allele[row] < len(parts) else values[row]
    return pa.array(values, pa.string())


def _rsid(names: pa.StringArray, own: pa.StringArray) -> pa.StringArray:
    """Rs numbers from the row's ID, else from the sample's ID field."""
    nothing = pa.scalar(None, pa.string())
    first, second = (pc.if_else(pc.match_substring_regex(t, r"^rs\d+$"), t, nothing) for t in (names, own))
    return pc.coalesce(first, second)
