"""Studies leave as files others read: GWAS-SSF with its YAML sidecar, or Parquet.

GWAS-SSF holds one trait a file: a study of several goes to a folder, one file a trait. Parquet holds
the whole study, one row a cell, under the names of `model.fields`. Rows go out in key order, in
batches: memory is that of one batch. A file appears under its name when it is whole. Strength is
−log₁₀ p, which never underflows; effects are those stored, per copy of the effect allele.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa

from nexome.formats.gwas_ssf import SIDECAR_SUFFIX, write_ssf
from nexome.formats.parquet import write_parquet
from nexome.model.errors import InputError, NotFoundError
from nexome.model.terms import Study, Trait
from nexome.store.associations.query import study_batches
from nexome.store.associations.snapshot import Snapshot
from nexome.store.associations.types import Cells, Features
from nexome.store.disk import now_iso, space_errors

Format = Literal["gwas-ssf", "parquet"]
Progress = Callable[[int, int], None]

BATCH_ROWS: Final = 250_000
_DESCRIPTORS: Final = ("chromosome", "base_pair_location", "effect_allele", "other_allele")
_PARQUET_COLUMNS: Final = (
    *_DESCRIPTORS,
    "rsid",
    "feature_name",
    "study_id",
    "trait_id",
    "trait",
    "beta",
    "standard_error",
    "z",
    "neg_log_10_p_value",
    "effect_allele_frequency",
    "n",
    "info",
)


def export_study(
    snapshot: Snapshot,
    study_id: str,
    path: Path,
    *,
    format: Format = "gwas-ssf",  # noqa: A002  the word users know it by
    trait_id: str | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Write a study, or one of its traits; returns the files written (sidecars included).

    `path` is a file (.tsv, .tsv.gz, .parquet), or, for GWAS-SSF of several traits, a folder.
    `progress(rows, of)` is called after each batch. Raises NotFoundError for an unknown study or
    trait, InputError for a path that does not fit, SpaceError when the disk is full.
    """
    if study_id not in snapshot.studies:
        raise NotFoundError(f"no study {study_id!r} in this store", todo="See `nexome status`.")
    study = snapshot.studies[study_id].study
    traits = [t for t in study.traits if trait_id in (None, t.id)]
    if not traits:
        raise NotFoundError(f"no trait {trait_id!r} in study {study_id}")
    if format == "parquet":
        return [_write_whole(snapshot, study, traits, path, progress)]
    if study.feature_kind != "variant":
        raise InputError(
            f"features of study {study_id} are not variants ({study.feature_kind})",
            expected="variants, for GWAS-SSF",
            todo="Export it as Parquet.",
        )
    single = len(traits) == 1 and not path.is_dir()
    targets = [path] if single else [path / f"{t.id}.tsv.gz" for t in traits]
    written: list[Path] = []
    told = _counting(progress, snapshot.studies[study_id].cells)
    for trait, target in zip(traits, targets, strict=True):
        written += _write_trait(snapshot, study, trait, target, told)
    return written


def _counting(progress: Progress | None, total: int) -> Callable[[int], None]:
    done = 0

    def add(rows: int) -> None:
        nonlocal done
        done += rows
        if progress is not None:
            progress(done, total)

    return add


def _write_trait(
    snapshot: Snapshot, study: Study, trait: Trait, path: Path, told: Callable[[int], None]
) -> list[Path]:
    """One trait as GWAS-SSF beside its sidecar; both appear when both are whole."""
    with _Beside(path) as staged, space_errors(path):
        write_ssf(staged, _ssf_tables(snapshot, study, trait, told), sidecar_of(snapshot, study, trait))
        sidecar = staged.with_name(staged.name + SIDECAR_SUFFIX)
        target = path.with_name(path.name + SIDECAR_SUFFIX)
        sidecar.replace(target)
        staged.replace(path)
    return [path, target]


def _write_whole(
    snapshot: Snapshot, study: Study, traits: list[Trait], path: Path, progress: Progress | None
) -> Path:
    told = _counting(progress, snapshot.studies[study.id].cells)

    def tables() -> Iterator[pa.Table]:
        empty = True
        for trait in traits:
            for cells in study_batches(snapshot, study.id, trait.id, rows=BATCH_ROWS):
                empty = False
                yield cells.table(_PARQUET_COLUMNS)
                told(cells.shape[0])
        if empty:
            yield _no_cells(snapshot, study).table(_PARQUET_COLUMNS)

    with _Beside(path) as staged, space_errors(path):
        write_parquet(staged, tables())
        staged.replace(path)
    return path


def _ssf_tables(
    snapshot: Snapshot, study: Study, trait: Trait, told: Callable[[int], None]
) -> Iterator[pa.Table]:
    some = False
    for cells in study_batches(snapshot, study.id, trait.id, rows=BATCH_ROWS):
        some = True
        yield _ssf_table(cells, study, trait, has_info=_has_info(snapshot, study))
        told(cells.shape[0])
    if not some:
        yield _ssf_table(_no_cells(snapshot, study), study, trait, has_info=False)


def _has_info(snapshot: Snapshot, study: Study) -> bool:
    segments = snapshot.manifest.studies[study.id].segments
    return any("info" in snapshot.segments[name].planes for name in segments)


def _ssf_table(cells: Cells, study: Study, trait: Trait, *, has_info: bool) -> pa.Table:
    """Canonical columns; for a study of z scores alone, z instead of beta and its error."""
    plain_z = study.effect_scale == "z_score"
    effect = ("z", "standard_error") if plain_z else ("beta", "standard_error")
    names = [*_DESCRIPTORS, *effect, "effect_allele_frequency", "neg_log_10_p_value", "rsid"]
    table = cells.table([*names, "info"] if has_info else names)
    if plain_z:
        table = table.rename_columns(["z_score" if n == "z" else n for n in table.column_names])
    # Every table of a file has the same columns, so what is known of one trait decides.
    n = cells.column("n")[:, 0]
    if trait.n is not None or np.isfinite(n).any():
        whole = pa.array(np.where(np.isfinite(n), np.rint(n), 0), mask=~np.isfinite(n))
        table = table.append_column("n", whole.cast(pa.int64()))
    return table


def _no_cells(snapshot: Snapshot, study: Study) -> Cells:
    """An answer without rows, so that a file of an empty trait still has its columns."""
    nothing = np.zeros(0, np.uint64)
    codes = np.zeros((0, 1), np.int16)
    return Cells(
        snapshot.assembly,
        Features(nothing, nothing, nothing.astype(np.uint32)),
        snapshot.select([study.id]).trait_table,
        np.zeros(1, np.int32),
        codes,
        codes,
        codes,
    )


def sidecar_of(snapshot: Snapshot, study: Study, trait: Trait) -> dict[str, Any]:
    """GWAS-SSF metadata of one trait; what is not known is left out, not guessed."""
    sample = {
        "sample_size": None if trait.n is None else round(trait.n),
        "case_count": None if trait.n_cases is None else round(trait.n_cases),
        "control_count": None if trait.n_controls is None else round(trait.n_controls),
        "sample_ancestry": [study.ancestry] if study.ancestry else None,
    }
    sample = {k: v for k, v in sample.items() if v is not None}
    about = {
        "gwas_id": study.id,
        "trait_description": [trait.label or trait.id],
        "ontology_mapping": list(trait.ontology),
        "genome_assembly": snapshot.assembly.name,
        "samples": [sample] if sample else [],
        "sex": study.sex,
        "licence": study.licence,
        "publication": study.publication,
        "effect_scale": study.effect_scale,
        "effect_unit": study.effect_unit,
        "is_harmonised": True,
        "is_sorted": True,
        "date_metadata_last_modified": now_iso()[:10],
    }
    return {name: value for name, value in about.items() if value not in ("", [], None)}


class _Beside:
    """A path of the same name in a new folder beside the target; the folder is gone afterwards."""

    def __init__(self, target: Path) -> None:
        self._folder = target.parent / f".export-{secrets.token_hex(4)}"
        self._target = target

    def __enter__(self) -> Path:
        self._folder.mkdir(parents=True)
        return self._folder / self._target.name

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
