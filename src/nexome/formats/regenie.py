"""REGENIE step 2: one trait a file (.regenie), or several in columns BETA.Y1, SE.Y1 … (--no-split).

ALLELE1 is the effect allele, A1FREQ its frequency, LOG10P is −log₁₀ p. Rows of tests other than ADD
(ADD-INT, DOM, joint tests of genes …) are set aside and counted. Several traits come long, with the
suffix (Y1 …) as `trait_id`; REGENIE's .Ydict file says what each stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa

from nexome.formats.columns import ARROW_TYPES, Spelling, key_of
from nexome.formats.delimited import Header, Plan, Wanted, read_rows
from nexome.formats.reader import ColumnUse, RawBatch, Reader, ReadOptions
from nexome.formats.resolve import resolve
from nexome.formats.stream import ByteStream
from nexome.formats.table_format import (
    Private,
    TableFormat,
    keep_test,
    read_table,
    set_column,
    signature,
    wanted_of,
)
from nexome.model.errors import FormatError

_SHARED: Final = (
    Spelling("chromosome", ("chrom",), "chromosome"),
    Spelling("base_pair_location", ("genpos",), "position, 1-based"),
    Spelling("variant_id", ("id",), "name in the genotype file"),
    Spelling("other_allele", ("allele0",), "the allele compared with"),
    Spelling("effect_allele", ("allele1",), "the effect allele"),
    Spelling("effect_allele_frequency", ("a1freq",), "frequency of ALLELE1"),
    Spelling("eaf_cases", ("a1freq_cases",), "frequency of ALLELE1 in cases"),
    Spelling("eaf_controls", ("a1freq_controls",), "frequency of ALLELE1 in controls"),
    Spelling("info", ("info",), "imputation quality"),
    Spelling("n", ("n",), "people tested"),
    Spelling("n_cases", ("n_cases",), "cases tested"),
    Spelling("n_controls", ("n_controls",), "controls tested"),
)
_OWN: Final = (
    Spelling("beta", ("beta",), "effect of ALLELE1; log odds for a binary trait"),
    Spelling("standard_error", ("se",), "standard error of BETA"),
    Spelling("neg_log_10_p_value", ("log10p",), "−log₁₀ p"),
)

FORMAT: Final = TableFormat(
    name="regenie",
    title="REGENIE step 2",
    program="REGENIE 2, 3, 4",
    signature=signature("chrom genpos id allele0 allele1 log10p", "chrom genpos id allele0 allele1 beta_y1"),
    spellings=(*_SHARED, *_OWN),
    private=(Private("_test", ("test",), "category", "only ADD is kept (or --test)"),),
    version=lambda keys: "several traits" if "beta_y1" in keys else "one trait",
    finish=keep_test,
)


def read(stream: ByteStream, header: Header, options: ReadOptions) -> Reader:
    """Read a REGENIE file of either layout."""
    if not any(key_of(n) == "beta_y1" for n in header.names):
        return read_table(FORMAT, stream, header, options)
    return _read_wide(stream, header, options)


def _read_wide(stream: ByteStream, header: Header, options: ReadOptions) -> Reader:
    shared = resolve(header.names, options, where=f"{stream.name}, line {header.line}", spellings=_SHARED)
    traits = _trait_columns(header)
    _check_same(traits, f"{stream.name}, line {header.line}")
    tests = [ColumnUse(n, "_test", "only ADD is kept") for n in header.names if key_of(n) == "test"]
    own = tuple(use for uses in traits.values() for use in uses)
    wanted = wanted_of(header, (*shared, *tests), FORMAT) + tuple(
        Wanted(header.names.index(u.source), u.source, u.source, "number") for u in own
    )
    keep = keep_test(options, header)
    plan = Plan(stream.name, header, wanted, options.encoding, options.block_bytes)
    names = [u.term for u in shared]
    empty = pa.table({w.name: pa.array([], ARROW_TYPES[w.kind]) for w in wanted})
    used = {use.source for use in (*shared, *tests, *own)}
    return Reader(
        format=FORMAT.name,
        version="several traits",
        stream=stream,
        columns=(*shared, *tests, *own),
        unused=tuple(n for n in header.names if n not in used),
        schema=_long(RawBatch(1, empty), names, traits).table.drop_columns(["line"]).schema,
        metadata={"traits": list(traits)},
        batches=_each(read_rows(stream, plan), keep, names, traits),
    )


def _each(rows: Iterator[RawBatch], keep: Any, names: list[str], traits: Any) -> Iterator[RawBatch]:
    for batch in rows:
        yield _long(keep(batch), names, traits)


def _trait_columns(header: Header) -> dict[str, tuple[ColumnUse, ...]]:
    """Each trait's suffix, and how its own columns are read."""
    terms = {s.names[0]: s for s in _OWN}
    found: dict[str, tuple[ColumnUse, ...]] = {}
    for name in header.names:
        match = re.fullmatch(r"(?i)(beta|se|log10p)[._](.+)", name)
        if match:
            spelling = terms[match[1].lower()]
            found[match[2]] = (*found.get(match[2], ()), ColumnUse(name, spelling.term, spelling.rule))
    return found


def _check_same(traits: dict[str, tuple[ColumnUse, ...]], where: str) -> None:
    """Every trait must have the same columns: BETA, SE and LOG10P."""
    wanted = {s.term for s in _OWN}
    for trait, uses in traits.items():
        if missing := wanted - {use.term for use in uses}:
            raise FormatError(
                f"trait {trait} has no column for {', '.join(sorted(missing))}",
                where=where,
                expected=f"BETA.{trait}, SE.{trait} and LOG10P.{trait}",
            )


def _long(batch: RawBatch, names: list[str], traits: dict[str, tuple[ColumnUse, ...]]) -> RawBatch:
    """One row a trait, trait after trait."""
    lines = pa.array(batch.lines())
    shared = batch.table.select(names).append_column("line", lines)
    parts = []
    for trait, uses in traits.items():
        part = shared
        for use in uses:
            part = part.append_column(use.term, batch.table[use.source])
        parts.append(set_column(part, "trait_id", pa.array([trait] * part.num_rows, pa.string())))
    return replace(batch, table=pa.concat_tables(parts).unify_dictionaries().combine_chunks())
