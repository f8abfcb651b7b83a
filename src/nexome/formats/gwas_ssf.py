"""GWAS-SSF, the GWAS Catalog's format: 0.1 (hm_ columns of harmonised files), 1.0, 1.1, and its YAML.

The sidecar lies beside the table as NAME-meta.yaml (or is given). Effects are beta, odds_ratio,
hazard_ratio or z_score; p as p_value or neg_log_10_p_value; missing is #NA or NA. Positions are
1-based. The writer makes version 1.1 with its sidecar. A harmonised file (hm_ columns, or hm_code beside
plain ones) is on GRCh38 unless its sidecar says otherwise; rows whose hm_code says they could not be
harmonised (9, 14 to 18) are set aside.
Source: Hayhurst et al. 2022, the specification of the GWAS Catalog, and the codes of its harmoniser.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import yaml
from pyarrow import csv

from nexome.formats.columns import TERMS, Spelling
from nexome.formats.delimited import Header
from nexome.formats.reader import RawBatch, ReadOptions
from nexome.formats.stream import ByteStream
from nexome.formats.table_format import Finish, Private, TableFormat, drop_rows, keys_of, signature
from nexome.model.errors import FormatError, InputError

SIDECAR_SUFFIX: Final = "-meta.yaml"
MAX_SIDECAR_BYTES: Final = 4 << 20

# The order the specification asks for; other columns follow.
COLUMN_ORDER: Final = (
    "chromosome", "base_pair_location", "effect_allele", "other_allele", "beta", "odds_ratio", "hazard_ratio",
    "z_score", "standard_error", "effect_allele_frequency", "p_value", "neg_log_10_p_value", "ci_upper",
    "ci_lower", "rsid", "variant_id", "info", "ref_allele", "n",
)  # fmt: skip

_COLUMNS: Final = (*COLUMN_ORDER, "n_cases", "n_controls")
_HARMONISED: Final = {
    "chromosome": "hm_chrom", "base_pair_location": "hm_pos", "effect_allele": "hm_effect_allele",
    "other_allele": "hm_other_allele", "beta": "hm_beta", "odds_ratio": "hm_odds_ratio",
    "ci_lower": "hm_ci_lower", "ci_upper": "hm_ci_upper", "rsid": "hm_rsid", "variant_id": "hm_variant_id",
    "effect_allele_frequency": "hm_effect_allele_frequency",
}  # fmt: skip

_NOT_HARMONISED: Final = (9, 14, 15, 16, 17, 18)  # codes of the Catalog's harmoniser


def _spelling(term: str) -> Spelling:
    names = (_HARMONISED[term], term) if term in _HARMONISED else (term,)
    return Spelling(term, names, TERMS[term].meaning)


def read_sidecar(path: Path) -> dict[str, Any]:
    """A -meta.yaml file as plain values. Raises FormatError when it is not a YAML mapping."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}", where=str(path)) from None
    if len(raw) > MAX_SIDECAR_BYTES:
        raise FormatError(f"{len(raw):,} bytes", where=str(path), expected="a small YAML file")
    try:
        values = yaml.safe_load(raw.decode())
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        raise FormatError("this is not YAML", where=where, expected="a GWAS-SSF metadata file") from None
    if not isinstance(values, dict):
        raise FormatError("no 'name: value' lines", where=str(path), expected="a GWAS-SSF metadata file")
    return {str(name): value for name, value in values.items()}


def find_sidecar(name: str, options: ReadOptions) -> Path | None:
    """The sidecar of a table: as said, or beside it (a.tsv.gz: a.tsv.gz-meta.yaml, a.tsv-meta.yaml …)."""
    if options.sidecar:
        return options.sidecar
    path = Path(name)
    stems = dict.fromkeys((path.name, path.name.removesuffix(".gz"), path.name.split(".")[0]))
    candidates = (path.with_name(stem + SIDECAR_SUFFIX) for stem in stems)
    return next((c for c in candidates if c.is_file()), None)


def metadata_of(sidecar: Mapping[str, Any]) -> dict[str, Any]:
    """What a sidecar says, under the names all readers use: build, trait, n, ancestry, sex and more."""
    samples = [s for s in sidecar.get("samples") or [] if isinstance(s, Mapping)]
    sizes = [size for s in samples if isinstance(size := s.get("sample_size"), int)]
    ancestries = [t for s in samples for t in _listed(s.get("sample_ancestry"))]
    found = {
        "build": sidecar.get("genome_assembly"),
        "trait": "; ".join(_listed(sidecar.get("trait_description"))),
        "ontology": _listed(sidecar.get("ontology_mapping")),
        "n": sum(sizes) if sizes else None,
        "ancestry": "; ".join(dict.fromkeys(ancestries)),
        "sex": sidecar.get("sex"),
        "study_id": sidecar.get("gwas_id"),
        "coordinate_system": sidecar.get("coordinate_system"),
        "software": sidecar.get("analysis_software"),
        "md5": sidecar.get("data_file_md5sum"),
        "sidecar": dict(sidecar),
    }
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def write_ssf(path: Path, batches: Iterable[pa.Table], metadata: Mapping[str, Any]) -> None:
    """Write tables of canonical columns as GWAS-SSF 1.1 (.tsv or .tsv.gz) with its sidecar.

    Columns come in the specification's order, missing values as #NA. `metadata` goes into the
    sidecar, with the file's name, type and MD5 sum.
    """
    options = csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
    with gzip.open(path, "wb", compresslevel=4) if path.suffix == ".gz" else path.open("wb") as sink:
        header: list[str] | None = None
        for table in batches:
            if header is None:
                header = _ordered(table.column_names)
                sink.write("\t".join(header).encode() + b"\n")
            if table.num_rows:
                csv.write_csv(_spelled(table.select(header)), sink, options)
    with path.open("rb") as written:
        md5 = hashlib.file_digest(written, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    about = {
        "data_file_name": path.name,
        "file_type": "GWAS-SSF v1.1",
        "data_file_md5sum": md5,
        "coordinate_system": "1-based",
    }
    sidecar = path.with_name(path.name + SIDECAR_SUFFIX)
    sidecar.write_text(yaml.safe_dump(about | dict(metadata), allow_unicode=True, sort_keys=False))


def _ordered(names: list[str]) -> list[str]:
    return [n for n in COLUMN_ORDER if n in names] + [n for n in names if n not in COLUMN_ORDER]


def _spelled(table: pa.Table) -> pa.Table:
    """Every column as text, missing values and NaN as #NA."""
    return pa.table([_spelled_column(c) for c in table.columns], names=table.column_names)


def _spelled_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return pc.fill_null(column.cast(pa.string()), "#NA")


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]


def _version(keys: frozenset[str]) -> str:
    if "hm_chrom" in keys:
        return "0.1 harmonised"
    if "hm_code" in keys:
        return "1.0 harmonised"
    return "1.1" if keys & {"neg_log_10_p_value", "z_score"} else "1.0"


def _describe(stream: ByteStream, header: Header, options: ReadOptions) -> dict[str, Any]:
    known = {"build": "GRCh38"} if keys_of(header) & {"hm_chrom", "hm_code"} else {}
    if stream.source_size is None and options.sidecar is None:
        return known  # standard input has nothing beside it
    sidecar = find_sidecar(stream.name, options)
    return known | (metadata_of(read_sidecar(sidecar)) if sidecar else {})


def _finish(_options: ReadOptions, _header: Header) -> Finish:
    def finish(batch: RawBatch) -> RawBatch:
        if "_code" not in batch.table.column_names:
            return batch
        for code in _NOT_HARMONISED:
            mask = pc.fill_null(pc.equal(batch.table["_code"], code), fill_value=False)
            batch = drop_rows(batch, mask.to_numpy(), f"hm_code {code}: not harmonised by the GWAS Catalog")
        return batch

    return finish


FORMAT: Final = TableFormat(
    name="gwas-ssf",
    title="GWAS-SSF",
    program="GWAS Catalog 0.1, 1.0, 1.1",
    signature=signature(
        *(
            f"chromosome base_pair_location effect_allele other_allele {effect} {p}"
            for effect in ("beta", "odds_ratio", "hazard_ratio", "z_score")
            for p in ("p_value", "neg_log_10_p_value")
        ),
        "hm_chrom hm_pos hm_effect_allele hm_other_allele p_value",
    ),
    spellings=tuple(_spelling(term) for term in _COLUMNS),
    private=(Private("_code", ("hm_code",), "number", "rows not harmonised are set aside"),),
    version=_version,
    finish=_finish,
    describe=_describe,
)
