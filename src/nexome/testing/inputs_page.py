"""docs/formats/inputs.md, made from the tables of the readers: every format, its columns and rules.

`python -m nexome.testing.inputs_page docs/formats/inputs.md` writes it; a test fails when it is stale.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from nexome.formats import gwas_vcf, recognise
from nexome.formats.columns import AMBIGUOUS, CERTAIN, FEATURE_NAMES, TERMS
from nexome.formats.delimited import DELIMITERS, ENCODINGS, MAX_COLUMNS, MISSING
from nexome.formats.stream import MAX_LINE_BYTES
from nexome.formats.table_format import TableFormat

_OPENING: Final = """\
# Files that can be imported

<!-- Made by `python -m nexome.testing.inputs_page docs/formats/inputs.md`; do not edit. -->

`nexome import associations FILE …` takes files as programs write them. A file is recognised by its
header, never by its name. What a column means comes from the tables on this page; what they do not
settle is asked for, with the options that answer it. Nothing is guessed.
"""

_TEXT_RULES: Final = """\
## Any file

- **Packing** is told by the first bytes: plain, gzip, bgzip, zstd, xz, bzip2, a zip archive of one file;
  `-` is standard input. A file cut short or damaged is refused with the last good line. Archives of
  several files, Excel, Parquet, HDF5, BCF and UTF-16 are named and refused.
- **Delimiter**: a tab where the header has one, else a comma, a semicolon, or runs of blanks;
  `--delimiter` ({delimiters}) says otherwise. Every line must have as many columns as the header.
- **Quotes** count in comma and semicolon files, and in others when the header itself is quoted.
  A line break inside quotes is refused.
- **Encoding** is UTF-8 (a byte-order mark is skipped); `--encoding` may say {encodings}.
- **Missing** is one of: {missing}. `-` alone is missing for numbers; for alleles it is a deletion.
- **Lines** before the header that start with `##`, or with `#` and have another number of columns
  than the row below, are comments. Lines end with LF or CRLF; empty lines are skipped.
- **Limits**: {columns:,} columns, {line} MiB a line. Wider tables are matrices.
- **Numbers** that cannot be read are reported with line, column and text.
- **p-values** below 1e-300 are read from their text and kept as −log₁₀ p, so 1e-400 survives. A
  written 0 means smaller than the program could write.
- **Positions** are counted from 1. Where a table has no chromosome, it is read from names such as
  `7:1234`, `chr7_1234_A_G_b38`; names such as `rs123` are taken as rs numbers.
- **Tests**: in files with a TEST column only `ADD` is kept (or the one `--test` says); other rows
  are counted in the receipt.
"""


_KNOWN_AS: Final = (
    (
        "OpenGWAS (IEU) downloads",
        "`gwas-vcf`",
        "fields may differ from row to row; the rs number may stand in the sample",
    ),
    (
        "GWAS Catalog, harmonised",
        "`gwas-ssf`",
        "on GRCh38; rows that could not be harmonised (hm_code) are set aside",
    ),
    ("FinnGen", "`finngen`", "the build is known; nothing to say"),
    (
        "UK Biobank, Neale lab",
        "`ukb-neale`",
        "join the variant manifest by `variant` for rs numbers and imputation quality",
    ),
    ("BioBank Japan, 2017 to 2019", "`bbj`", "`--map effect_allele_frequency=Frq` once you know whose it is"),
    ("BioBank Japan, later", "`saige`, `bolt`", "as SAIGE and BOLT-LMM write them"),
    (
        "eQTL Catalogue",
        "`eqtl-catalogue`",
        "releases up to 7 (text); credible sets too; not the Parquet of release 8",
    ),
    ("SMR, OSCA (BESD)", "`besd-query`", "the text of `--query`; the binary files and .esd are not read"),
    (
        "DGI, FUSION and other cohort files",
        "`table`",
        "`--map n=N` (people); alleles coded 1 to 4 are told and read as A, C, G, T",
    ),
)


def inputs_page() -> str:
    """The whole page as Markdown."""
    rules = _TEXT_RULES.format(
        delimiters=_codes(DELIMITERS),
        encodings=_codes(ENCODINGS[1:]),
        missing=_codes(m or "(empty)" for m in MISSING),
        columns=MAX_COLUMNS,
        line=MAX_LINE_BYTES >> 20,
    )
    parts = [_OPENING, rules, _known_as(), _formats_table(), _vcf_part()]
    parts += [_format_part(form) for form in recognise.TABLES if form.spellings]
    parts += [_any_table_part(), _terms_part()]
    return "\n".join(parts)


def _known_as() -> str:
    text = "Where a file is from, the format it is read as, and what you may have to say.\n\n"
    return "## Downloads you may know\n\n" + text + _table(("from", "format", "what to know"), _KNOWN_AS)


def _formats_table() -> str:
    rows = [[f"`{gwas_vcf.NAME}`", "GWAS-VCF", "`##fileformat=VCF`, FORMAT fields ES or EZ"]]
    rows += [[f"`{f.name}`", f.title, _signature(f)] for f in recognise.TABLES]
    text = (
        "The first format whose columns a header holds is taken; `--format` says otherwise. Letter case does "
        "not matter in column names, and `.`, `-`, `_` and blanks are the same sign."
    )
    return f"## Formats\n\n{text}\n\n" + _table(("format", "what", "recognised by"), rows)


def _signature(form: TableFormat) -> str:
    sets = [_codes(sorted(keys)) for keys in form.signature]
    if len(sets) > 3:
        return f"{sets[0]} (or another effect and p)"
    return "<br>or ".join(sets) or "what is none of the others"


def _vcf_part() -> str:
    rows = [[f"`{field}`", f"`{term}`", rule] for field, (term, rule) in gwas_vcf.FIELDS.items()]
    return _part(gwas_vcf, "GWAS-VCF") + _table(("FORMAT field", "read as", "rule"), rows)


def _format_part(form: TableFormat) -> str:
    rows = [[_codes(s.names), f"`{s.term}`", s.rule] for s in form.spellings]
    rows += [[_codes(p.names), f"`{p.term}`" if p.term else "", p.rule] for p in form.private]
    modules = {
        m.split(".")[-1]: module for m, module in sys.modules.items() if m.startswith("nexome.formats.")
    }
    home = next(
        m for m in modules.values() if any(v is form for v in vars(m).values()) and m is not recognise
    )
    opening = _part(home, f"{form.title} (`{form.name}`)")
    text = f"{opening}Written by: {form.program}.\n\n"
    return text + "".join(f"{note}\n\n" for note in form.notes) + _table(("column", "read as", "rule"), rows)


def _any_table_part() -> str:
    rows = [[_codes(s.names), f"`{s.term}`", s.rule] for s in CERTAIN]
    rows.append([_codes(FEATURE_NAMES.names), f"`{FEATURE_NAMES.term}`", FEATURE_NAMES.rule])
    asked = [[_codes(a.names), _codes(a.terms), a.why] for a in AMBIGUOUS]
    return (
        "## Any other table (`table`)\n\nThese names mean one thing whoever wrote the file:\n\n"
        + _table(("column", "read as", "meaning"), rows)
        + "\nA confidence interval beside beta and its error is not read: it may be on another scale.\n"
        "\nThese are asked for. Answer with `--map TERM=COLUMN` or `--ignore COLUMN`:\n\n"
        + _table(("column", "may be", "why it is asked"), asked)
    )


def _terms_part() -> str:
    rows = [[f"`{t.name}`", t.kind, t.meaning] for t in TERMS.values()]
    return "## Terms for `--map`\n\n" + _table(("term", "kind", "meaning"), rows)


def _part(module: object, title: str) -> str:
    """Heading and the module's own words, without its first line's Markdown-breaking signs."""
    words = re.sub(r"(?<!\n)\n(?=\S)", " ", (module.__doc__ or "").strip())
    return f"## {title}\n\n{words}\n\n"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{n}`" for n in names)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join("| " + " | ".join(c.replace("|", "\\|") for c in line) + " |\n" for line in lines)


def main() -> None:
    """Write the page to the path named on the command line."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/formats/inputs.md")
    path.write_text(inputs_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
