"""Arrow tables of what is not a cell: studies, traits, hits of a summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.access.answers import STUDY_COLUMNS, TRAIT_COLUMNS
from nexome.methods.normal import neg_log10_p_from_z
from nexome.model.fields import schema_of
from nexome.model.genome import Assembly
from nexome.model.terms import Study, Trait
from nexome.store.associations import Features, feature_column
from nexome.store.genes import Genes

if TYPE_CHECKING:
    from nexome.store.associations import PublishedStudy
    from nexome.store.associations.summaries import HitRows

_TEXT_OF_STUDY: Final = (
    "title",
    "title_zh",
    "access",
    "ancestry",
    "sex",
    "licence",
    "publication",
    "source",
    "effect_unit",
    "effect_scale",
    "feature_kind",
    "assembly_source",
)


def study_table(studies: Iterable[PublishedStudy]) -> pa.Table:
    """One row a study (STUDY_COLUMNS)."""
    rows = []
    for published in studies:
        study = published.study
        row: dict[str, Any] = {name: getattr(study, name) or None for name in _TEXT_OF_STUDY}
        row |= {"study_id": study.id, "study_version": published.version, "published": published.published}
        row |= {"trait_count": len(study.traits), "cell_count": published.cells}
        rows.append(row)
    return _from_rows(rows, STUDY_COLUMNS)


def trait_table(traits: Iterable[tuple[Study, Trait]]) -> pa.Table:
    """One row a trait (TRAIT_COLUMNS)."""
    rows = []
    for study, trait in traits:
        row: dict[str, Any] = {"study_id": study.id, "trait_id": trait.id, "trait": trait.label or trait.id}
        row |= {"trait_zh": trait.label_zh or None, "category": trait.category or None}
        row |= {"ontology": " ".join(trait.ontology) or None, "chromosome": trait.contig or None}
        row |= {name: getattr(trait, name) for name in ("start", "end")}
        row |= {name: _number(getattr(trait, name)) for name in ("n", "n_cases", "n_controls")}
        rows.append(row)
    return _from_rows(rows, TRAIT_COLUMNS)


def hit_table(
    hits: HitRows, study: Study, *, columns: Sequence[str], assembly: Assembly, genes: Genes | None
) -> pa.Table:
    """Hits of a study's summary as a table of `columns` (TOP_COLUMNS or LOCUS_COLUMNS)."""
    used, codes = np.unique(hits.trait, return_inverse=True)  # of a million traits only those with a row
    traits = [study.traits[i] for i in used.tolist()]
    labels = {
        "study_id": [study.id] * len(traits),
        "trait_id": [t.id for t in traits],
        "trait": [t.label or t.id for t in traits],
    }
    log10_p = neg_log10_p_from_z(hits.z)
    sizes = np.array([_number(t.n) for t in traits], np.float32)
    numbers: dict[str, npt.NDArray[Any]] = {
        "beta": hits.z * hits.se,
        "standard_error": hits.se,
        "neg_log_10_p_value": log10_p,
        "p_value": np.power(10.0, -log10_p.astype(np.float64)),
        "effect_allele_frequency": hits.eaf,
        "n": sizes[codes],
        "locus_start": hits.locus_start,
        "locus_end": hits.locus_end,
        "features_in_locus": hits.features_in_locus,
    }
    indices = pa.array(codes.astype(np.int32))
    told: dict[str, Any] = {
        name: pa.DictionaryArray.from_arrays(indices, pa.array(texts, pa.string()))
        for name, texts in labels.items()
    }
    return feature_table(hits.features, told | numbers, columns=columns, assembly=assembly, genes=genes)


def feature_table(
    features: Features,
    told: Mapping[str, Any],
    *,
    columns: Sequence[str],
    assembly: Assembly,
    genes: Genes | None = None,
) -> pa.Table:
    """V features as a table of declared fields: what is `told` of each (arrays [V]) beside its names."""
    schema = schema_of(columns)
    arrays = []
    for field in schema:
        if field.name in told:
            values = told[field.name]
            held = values if isinstance(values, pa.Array) else pa.array(values)
            arrays.append(held if held.type == field.type else held.cast(field.type, safe=False))
        elif field.name == "nearest_gene":
            arrays.append(nearest_symbols(features, genes))
        else:
            arrays.append(feature_column(features, assembly, field.name))
    return pa.Table.from_arrays(arrays, schema=schema)


def nearest_symbols(features: Features, genes: Genes | None) -> pa.Array:
    """Symbol of the gene nearest to each feature [V]; null without genes or a position."""
    if genes is None or not len(genes):
        return pa.nulls(len(features), pa.string())
    return genes.symbols(genes.nearest(features.contig, features.position))


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _from_rows(rows: list[dict[str, Any]], columns: Sequence[str]) -> pa.Table:
    schema = schema_of(columns)
    arrays = []
    for field in schema:
        values = [row[field.name] for row in rows]
        if pa.types.is_dictionary(field.type):
            # from_arrays, so that a table without rows has the same type as any other
            arrays.append(pa.array(values, pa.string()).dictionary_encode().cast(field.type))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.Table.from_arrays(arrays, schema=schema)
