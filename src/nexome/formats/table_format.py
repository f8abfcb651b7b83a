"""What all formats that are delimited tables share: a signature, a table of spellings, a finishing step.

A format file states these as data; `read_table` does the reading. A finishing step turns a batch of
source columns into canonical ones: it sets rows aside (`drop_rows`), fills alleles in, splits names.
Columns whose name starts with '_' are for that step alone and do not leave the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.formats.columns import ARROW_TYPES, TERMS, Kind, Spelling, key_of
from nexome.formats.delimited import Header, Plan, Wanted, convert_text, read_rows
from nexome.formats.reader import ColumnUse, Dropped, Problem, RawBatch, Reader, ReadOptions
from nexome.formats.resolve import check_complete, resolve
from nexome.formats.stream import ByteStream
from nexome.formats.variant_names import split_names
from nexome.model.errors import FormatError, InputError

Finish = Callable[[RawBatch], RawBatch]

_IN_NAMES: Final = {
    "chromosome": "chromosome",
    "base_pair_location": "base_pair_location",
    "other_allele": "first",
    "effect_allele": "second",
    "rsid": "rsid",
}


@dataclass(frozen=True, slots=True)
class Private:
    """A source column only the finishing step sees, under a name that starts with '_'.

    `term`: the canonical column made of it, if one is.
    """

    name: str
    names: tuple[str, ...]
    kind: Kind
    rule: str
    term: str = ""


@dataclass(frozen=True, slots=True)
class TableFormat:
    """A format that is a delimited table.

    `signature`: the file is of this format when its header holds all keys of one of these sets.
    `spellings`: what its columns mean. `private`: columns the finishing step needs. `version` tells
    the version from the header's keys. `finish` makes the finishing step for one file. `describe`
    gives what the file says about itself. `needs`: columns, as named after reading, without which the
    finishing step cannot work.
    """

    name: str
    title: str
    program: str
    signature: tuple[frozenset[str], ...]
    spellings: tuple[Spelling, ...]
    private: tuple[Private, ...] = ()
    version: Callable[[frozenset[str]], str] = lambda _keys: ""
    finish: Callable[[ReadOptions, Header], Finish] | None = None
    describe: Callable[[ByteStream, Header, ReadOptions], dict[str, Any]] | None = None
    needs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def detects(self, header: Header) -> bool:
        """Whether a header is this format's."""
        keys = keys_of(header)
        return any(needed <= keys for needed in self.signature)


def keys_of(header: Header) -> frozenset[str]:
    """The header's names as spellings compare them."""
    return frozenset(key_of(n) for n in header.names)


def signature(*sets: str) -> tuple[frozenset[str], ...]:
    """Signature from sets of keys separated by spaces."""
    return tuple(frozenset(keys.split()) for keys in sets)


def read_table(form: TableFormat, stream: ByteStream, header: Header, options: ReadOptions) -> Reader:
    """Read a table of a known format; raises FormatError for missing or uncertain columns."""
    where = f"{stream.name}, line {header.line}"
    uses = resolve(header.names, options, where=where, spellings=form.spellings)
    private = _private_uses(form, header, uses)
    _check_needs(form, {use.term for use in (*uses, *private)}, where)
    try:
        finish = form.finish(options, header) if form.finish else _unchanged
    except InputError as error:
        raise error.at(where) from None
    wanted = wanted_of(header, (*uses, *private), form)

    def finished(batch: RawBatch) -> RawBatch:
        return _public(_with_names(finish(batch)))

    schema = finished(RawBatch(0, _empty_table(wanted))).table.schema
    produced = [ColumnUse("", name, "made") for name in schema.names]
    check_complete(produced, header.names, where=where)
    plan = Plan(stream.name, header, wanted, options.encoding, options.block_bytes)
    used = {use.source for use in (*uses, *private)}
    return Reader(
        format=form.name,
        version=form.version(keys_of(header)),
        stream=stream,
        columns=(*uses, *_told(form, private)),
        unused=tuple(n for n in header.names if n not in used),
        schema=schema,
        metadata=form.describe(stream, header, options) if form.describe else {},
        batches=_finished(read_rows(stream, plan), finished),
    )


def wanted_of(header: Header, uses: Sequence[ColumnUse], form: TableFormat) -> tuple[Wanted, ...]:
    """The columns to parse, from how each is used."""
    kinds: dict[str, Kind] = {p.name: p.kind for p in form.private}
    index = {name: i for i, name in enumerate(header.names)}
    return tuple(
        Wanted(index[u.source], u.source, u.term, kinds[u.term] if u.term in kinds else TERMS[u.term].kind)
        for u in uses
    )


def drop_rows(batch: RawBatch, mask: npt.NDArray[np.bool_], rule: str) -> RawBatch:
    """Set aside the rows where `mask` (bool [rows]) is true, with their lines, by a rule in words."""
    if not mask.any():
        return batch
    lines = batch.lines()
    table = batch.table
    if "line" not in table.column_names:
        table = table.append_column("line", pa.array(lines))
    gone = set(lines[mask].tolist())
    return replace(
        batch,
        table=table.filter(pa.array(~mask)),
        problems=tuple(p for p in batch.problems if p.line not in gone),
        dropped=(*batch.dropped, Dropped(rule, lines[mask])),
    )


def text_of(table: pa.Table, name: str) -> pa.StringArray:
    """A text or category column as one plain string array."""
    column = table[name].combine_chunks()
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def set_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    """The table with a canonical column set, in its term's type; replaced where it stands already."""
    column = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    if column.type != (wanted := TERMS[name].arrow.type):
        plain = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        column = plain.dictionary_encode() if TERMS[name].kind == "category" else plain
        column = column.cast(wanted)
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, column)
    return table.append_column(name, column)


def read_cells(batch: RawBatch, name: str, use: ColumnUse, *, missing: Sequence[str] = ()) -> RawBatch:
    """Read the private text column `name` as `use.term`; `missing`: further spellings of a missing value."""
    text = text_of(batch.table, name)
    if missing:
        text = pc.if_else(pc.is_in(text, value_set=pa.array(missing)), pa.scalar(None, pa.string()), text)
    values, unread, expected = convert_text(text, TERMS[use.term].kind)
    lines = batch.lines()
    found = [
        Problem(int(lines[i]), use.source, repr(text[i].as_py()[:40]), expected) for i in unread.tolist()
    ]
    table = set_column(batch.table, use.term, values)
    return replace(batch, table=table, problems=(*batch.problems, *found))


def keep_test(options: ReadOptions, _header: Header) -> Finish:
    """Finishing step of programs with a TEST column: keep one test (ADD), set the others aside."""

    def finish(batch: RawBatch) -> RawBatch:
        if "_test" not in batch.table.column_names:
            return batch
        tests = text_of(batch.table, "_test")
        for test in pc.unique(tests).to_pylist():
            if test != options.test:
                mask = (
                    pc.is_null(tests)
                    if test is None
                    else pc.fill_null(pc.equal(tests, test), fill_value=False)
                )
                batch = drop_rows(batch, mask.to_numpy(zero_copy_only=False), f"TEST is {test or 'missing'}")
                tests = text_of(batch.table, "_test")
        return batch

    return finish


def alleles_from_names(_options: ReadOptions, _header: Header) -> Finish:
    """Finishing step of formats whose variant_id is chromosome, position, other and effect allele.

    A column the file has of its own is left as it is.
    """

    def finish(batch: RawBatch) -> RawBatch:
        parts = split_names(batch.table["variant_id"])
        table = batch.table
        for term, part in _IN_NAMES.items():
            if term not in table.column_names:
                table = set_column(table, term, parts[part])
        return replace(batch, table=table)

    return finish


def _private_uses(form: TableFormat, header: Header, uses: Sequence[ColumnUse]) -> tuple[ColumnUse, ...]:
    taken = {use.source for use in uses}
    by_key = {key_of(n): n for n in header.names if n not in taken}
    return tuple(
        ColumnUse(hit, private.name, private.rule)
        for private in form.private
        if (hit := next((by_key[n] for n in private.names if n in by_key), None))
    )


def _check_needs(form: TableFormat, terms: set[str], where: str) -> None:
    if missing := [name for name in form.needs if name not in terms]:
        own = [p for p in form.private if p.name in missing] + [
            s for s in form.spellings if s.term in missing
        ]
        raise FormatError(
            f"no column {', '.join(c.names[0] for c in own)}, or --map uses it for something else",
            where=where,
            expected=f"the columns of {form.title}",
            todo="Leave it to the format, or read the file as any table: --format table and --map.",
        )


def _told(form: TableFormat, private: Sequence[ColumnUse]) -> tuple[ColumnUse, ...]:
    """Private uses under the terms made of them."""
    terms = {p.name: p.term for p in form.private}
    return tuple(replace(use, term=terms[use.term] or use.term) for use in private)


def _unchanged(batch: RawBatch) -> RawBatch:
    return batch


def _empty_table(wanted: Sequence[Wanted]) -> pa.Table:
    table = pa.table({w.name: pa.array([], ARROW_TYPES[w.kind]) for w in wanted})
    if "p_value" in table.column_names and "neg_log_10_p_value" not in table.column_names:
        table = table.append_column("neg_log_10_p_value", pa.array([], pa.float64()))
    return table


_FROM_NAMES: Final = ("chromosome", "base_pair_location")


def _with_names(batch: RawBatch) -> RawBatch:
    """With position and rsid read from variant names, where the table has no such columns of its own."""
    table = batch.table
    names = set(table.column_names)
    if "variant_id" not in names or ("chromosome" in names and "rsid" in names):
        return batch
    if "chromosome" in names:
        starts = pc.starts_with(table["variant_id"], "rs")
        return replace(batch, table=table.append_column("rsid", _where(starts, table["variant_id"])))
    parts = split_names(table["variant_id"])
    for name in _FROM_NAMES:
        table = set_column(table, name, parts[name])
    if "rsid" not in names:
        table = table.append_column("rsid", parts["rsid"])
    return replace(batch, table=table)


def _where(mask: pa.Array, text: pa.Array) -> pa.Array:
    if pc.all(mask, min_count=0).as_py():
        return text
    return pc.if_else(mask, text, pa.scalar(None, pa.string()))


def _public(batch: RawBatch) -> RawBatch:
    private = [n for n in batch.table.column_names if n.startswith("_")]
    return replace(batch, table=batch.table.drop_columns(private)) if private else batch


def _finished(batches: Iterator[RawBatch], finish: Finish) -> Iterator[RawBatch]:
    for batch in batches:
        yield finish(batch)
