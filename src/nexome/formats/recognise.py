"""Which format a file of associations is in, and its reader. One table names them all.

Formats are tried from the most particular to the least; a header fits the first whose columns it
holds. What fits none is read as any table: certain columns by name, the others asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Final

from nexome.formats import (
    any_table,
    bbj,
    besd,
    bolt,
    finngen,
    gcta,
    gwas_catalog,
    gwas_ssf,
    gwas_vcf,
    metal,
    plink,
    qtl,
    regenie,
    saige,
    twosamplemr,
    ukb_neale,
)
from nexome.formats.delimited import Header, read_header
from nexome.formats.reader import Reader, ReadOptions
from nexome.formats.stream import open_stream
from nexome.formats.table_format import TableFormat, keys_of, read_table
from nexome.model.errors import FormatError, InputError

TABLES: Final[tuple[TableFormat, ...]] = (
    gwas_ssf.FORMAT,
    regenie.FORMAT,
    plink.PLINK2,
    plink.PLINK1,
    saige.FORMAT,
    bolt.FORMAT,
    metal.FORMAT,
    besd.FORMAT,
    gcta.FORMAT,
    twosamplemr.EXPOSURE,
    twosamplemr.OUTCOME,
    finngen.FORMAT,
    ukb_neale.FORMAT,
    bbj.FORMAT,
    qtl.EQTL_CATALOGUE,
    qtl.EQTL_CREDIBLE_SETS,
    qtl.GTEX,
    gwas_catalog.FORMAT,
    any_table.FORMAT,
)
FORMATS: Final[tuple[str, ...]] = (gwas_vcf.NAME, *(form.name for form in TABLES))


def open_associations(
    path: Path | str, options: ReadOptions | None = None, *, stdin: IO[bytes] | None = None
) -> Reader:
    """Open a file of associations ('-': standard input) of any known format.

    Raises FormatError when it is none, or when columns must be asked for; NotFoundError when there
    is no file; InputError for an unknown option.
    """
    options = options or ReadOptions()
    if options.format and options.format not in FORMATS:
        raise InputError(f"--format {options.format!r}", expected="one of " + ", ".join(FORMATS))
    stream = open_stream(path, stdin=stdin)
    try:
        if options.format == gwas_vcf.NAME or (not options.format and gwas_vcf.detects(stream)):
            return gwas_vcf.read(stream, options)
        header = read_header(stream, options)
        form = _form_of(header, options, stream.name)
        if form is regenie.FORMAT:
            return regenie.read(stream, header, options)
        return read_table(form, stream, header, options)
    except BaseException:
        stream.close()
        raise


def _form_of(header: Header, options: ReadOptions, file: str) -> TableFormat:
    if not options.format:
        return next((form for form in TABLES if form.detects(header)), any_table.FORMAT)
    form = next(form for form in TABLES if form.name == options.format)
    if form.signature and not form.detects(header):
        keys = keys_of(header)
        missing = min((needed - keys for needed in form.signature), key=len)
        raise FormatError(
            f"no columns {', '.join(sorted(missing))}",
            where=f"{file}, line {header.line}",
            expected=f"a file of {form.title}, as --format {form.name} says",
            todo="Leave --format out, or say --format table and --map.",
        )
    return form
