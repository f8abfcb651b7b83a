"""PLINK: association files of 1.9 (.assoc, .qassoc, .assoc.linear, .assoc.logistic) and 2 (.glm.*).

A1 is the effect allele in all of them. PLINK 1.9 regressions do not name the other allele: it comes
from the .bim file they were run on (--bim). PLINK 2 names it as OMITTED or AX, or REF and ALT hold
it. With an odds ratio, SE is of its logarithm. Rows of other tests (covariates, DOMDEV, GENO_2DF …)
and rows with an error code are set aside and counted.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from nexome.formats.columns import Kind, Spelling
from nexome.formats.delimited import Header, Plan, Wanted, read_rows
from nexome.formats.reader import RawBatch, ReadOptions
from nexome.formats.stream import open_stream
from nexome.formats.table_format import (
    Finish,
    Private,
    TableFormat,
    drop_rows,
    keep_test,
    keys_of,
    set_column,
    signature,
    text_of,
)
from nexome.model.errors import FormatError, InputError

_EFFECTS: Final = (
    Spelling("beta", ("beta",), "effect of A1; log odds for a binary trait"),
    Spelling("odds_ratio", ("or",), "odds ratio of A1"),
    Spelling("standard_error", ("se", "log(or)_se"), "standard error of BETA, or of the log of OR"),
    Spelling("ci_lower", ("l95",), "lower end of the 95 % interval"),
    Spelling("ci_upper", ("u95",), "upper end of the 95 % interval"),
    Spelling("p_value", ("p",), "p"),
)


def _plink2_finish(options: ReadOptions, header: Header) -> Finish:
    keep = keep_test(options, header)

    def finish(batch: RawBatch) -> RawBatch:
        batch = keep(batch)
        if "_error" in batch.table.column_names:
            codes = text_of(batch.table, "_error")
            for code in pc.unique(codes).drop_null().to_pylist():
                mask = pc.fill_null(pc.equal(codes, code), fill_value=False).to_numpy(zero_copy_only=False)
                batch = drop_rows(batch, mask, f"PLINK error code {code}")
                codes = text_of(batch.table, "_error")
        table = batch.table
        if "other_allele" in table.column_names or not {"_ref", "_alt"} <= set(table.column_names):
            return batch
        a1, ref, alt = (text_of(table, n) for n in ("effect_allele", "_ref", "_alt"))
        nothing = pa.scalar(None, pa.string())
        # A variant of several alternate alleles: REF is what each of them is compared with.
        is_alt = pc.or_(pc.equal(a1, alt), pc.match_substring(alt, ","))
        other = pc.if_else(pc.equal(a1, ref), pc.if_else(pc.match_substring(alt, ","), nothing, alt),
                           pc.if_else(is_alt, ref, nothing))  # fmt: skip
        return replace(batch, table=set_column(table, "other_allele", other))

    return finish


def _plink1_finish(options: ReadOptions, header: Header) -> Finish:
    keep = keep_test(options, header)
    if "a2" in keys_of(header) or {"other_allele", "effect_allele"} <= set(options.mapping):
        return keep
    if options.bim is None:
        raise FormatError(
            "PLINK 1.9 regressions do not name the other allele",
            expected="the .bim file the scan was run on",
            todo="Add --bim FILE.bim.",
        )
    alleles = _Alleles(options.bim)

    def finish(batch: RawBatch) -> RawBatch:
        batch = keep(batch)
        return replace(batch, table=alleles.fill(batch.table))

    return finish


class _Alleles:
    """The two alleles of each variant of a .bim file; none for names that stand twice in it."""

    def __init__(self, path: Path) -> None:
        table = read_bim(path)
        count = table.group_by("variant_id").aggregate([([], "count_all")])
        twice = count.filter(pc.greater(count["count_all"], 1))["variant_id"]
        table = table.filter(pc.invert(pc.is_in(table["variant_id"], value_set=twice)))
        self._names = table["variant_id"].combine_chunks()
        self._first = table["a1"].combine_chunks()
        self._second = table["a2"].combine_chunks()
        self._next = 0  # scans follow the order of their .bim: the next batch most likely starts here

    def fill(self, table: pa.Table) -> pa.Table:
        """The table with its other allele, and its effect allele where the file has none (.qassoc)."""
        rows = self._rows(text_of(table, "variant_id"))
        first, second = (pc.take(a, rows) for a in (self._first, self._second))
        if "effect_allele" not in table.column_names:
            table = set_column(table, "effect_allele", first)
        effect = pa.chunked_array([text_of(table, "effect_allele")])
        nothing = pa.scalar(None, pa.string())
        other = pc.if_else(
            pc.equal(effect, first), second, pc.if_else(pc.equal(effect, second), first, nothing)
        )
        return set_column(table, "other_allele", other)

    def _rows(self, names: pa.StringArray) -> pa.Array:
        """Row of the .bim of each name, null where it is not there; looks ahead before everywhere."""
        size = 2 * len(names) + 1000
        ahead = self._names.slice(self._next, size)
        rows = pc.add(pc.index_in(names, value_set=ahead), self._next)
        if rows.null_count:
            rows = pc.index_in(names, value_set=self._names)
        if (last := pc.max(rows).as_py()) is not None:
            self._next = last + 1
        return rows


def read_bim(path: Path) -> pa.Table:
    """A PLINK .bim file: columns chromosome, variant_id, base_pair_location, a1, a2."""
    names = ("chromosome", "variant_id", "centimorgan", "base_pair_location", "a1", "a2")
    kinds: tuple[Kind, ...] = ("text", "text", "number", "position", "text", "text")
    with_stream = open_stream(path)
    try:
        first = with_stream.peek_lines(1)
        cells = len(first[0].split()) if first else 0
        if cells != len(names):
            raise InputError(
                f"{cells} columns", where=f"{path}, line 1", expected="the 6 columns of a .bim file"
            )
        header = Header(names, 0, "spaces", quoted=False)
        wanted = tuple(
            Wanted(i, n, n, k) for i, (n, k) in enumerate(zip(names, kinds, strict=True)) if i != 2
        )
        plan = Plan(str(path), header, wanted)
        return pa.concat_tables(
            [b.table.select([w.name for w in wanted]) for b in read_rows(with_stream, plan)]
        ).combine_chunks()
    finally:
        with_stream.close()


PLINK1: Final = TableFormat(
    name="plink1",
    title="PLINK 1.9 association",
    program="PLINK 1.07, 1.9",
    signature=signature(
        "chr snp bp a1 test nmiss p", "chr snp bp a1 a2 chisq p or", "chr snp bp nmiss beta se r2 t p"
    ),
    spellings=(
        Spelling("chromosome", ("chr",), "chromosome; 23 X, 24 Y, 25 XY, 26 MT"),
        Spelling("base_pair_location", ("bp",), "position, 1-based"),
        Spelling("variant_id", ("snp",), "name in the .bim file"),
        Spelling("effect_allele", ("a1",), "A1 is the effect allele"),
        Spelling("other_allele", ("a2",), "A2 is the other allele"),
        Spelling("eaf_cases", ("f_a",), "frequency of A1 in cases"),
        Spelling("eaf_controls", ("f_u",), "frequency of A1 in controls"),
        Spelling("n", ("nmiss",), "people with a genotype"),
        *_EFFECTS,
    ),
    private=(Private("_test", ("test",), "category", "only ADD is kept (or --test)"),),
    version=lambda keys: "assoc" if "chisq" in keys else "qassoc" if "test" not in keys else "regression",
    finish=_plink1_finish,
    needs=("variant_id",),
    notes=("Without A2 the .bim file the scan was run on is asked for: --bim FILE.bim.",),
)

PLINK2: Final = TableFormat(
    name="plink2",
    title="PLINK 2 glm",
    program="PLINK 2.0",
    signature=signature(
        "chrom pos id a1 test obs_ct", "chrom pos id ref alt a1 p", "chrom pos id ref alt a1 beta"
    ),
    spellings=(
        Spelling("chromosome", ("chrom",), "chromosome"),
        Spelling("base_pair_location", ("pos",), "position, 1-based"),
        Spelling("variant_id", ("id",), "name in the .pvar file"),
        Spelling("effect_allele", ("a1",), "A1 is the effect allele, be it REF or ALT"),
        Spelling("other_allele", ("omitted", "ax"), "the allele left out of the model"),
        Spelling("effect_allele_frequency", ("a1_freq",), "frequency of A1"),
        Spelling("eaf_cases", ("a1_case_freq",), "frequency of A1 in cases"),
        Spelling("eaf_controls", ("a1_ctrl_freq",), "frequency of A1 in controls"),
        Spelling("info", ("mach_r2",), "imputation quality, MaCH r²"),
        Spelling("n", ("obs_ct",), "people tested"),
        Spelling("z_score", ("z_stat",), "Wald z"),
        Spelling("neg_log_10_p_value", ("neg_log10_p", "log10_p"), "−log₁₀ p (LOG10_P: its older name)"),
        *_EFFECTS,
    ),
    private=(
        Private("_test", ("test",), "category", "only ADD is kept (or --test)"),
        Private("_error", ("errcode",), "category", "rows with a code are set aside"),
        Private("_ref", ("ref",), "category", "the other allele, where A1 is ALT", "other_allele"),
        Private("_alt", ("alt", "alt1"), "category", "the other allele, where A1 is REF", "other_allele"),
    ),
    finish=_plink2_finish,
    needs=("effect_allele",),
)
