"""Routes that interpret: credible sets, colocalisation, comparison of two studies.

A table answers each, with what was assumed and concluded in `meta`; codes of warnings come with a sentence.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa

from nexome.access.coloc import COLOC_COLUMNS, COLOC_LOCUS_COLUMNS, ColocAnswer
from nexome.access.compare import LEAD_COLUMNS, Agreement, Comparison, Side
from nexome.access.credible import CREDIBLE_COLUMNS, CredibleSet
from nexome.access.signals import WARNINGS, Signal, SignalOptions
from nexome.methods.coloc import HYPOTHESES, Priors
from nexome.model.fields import schema_of
from nexome.model.genome import Interval
from nexome.web.api.declare import Answer, Asked, Parameter, Route, Rows
from nexome.web.api.parameters import STUDY, TRAIT, table_parameters
from nexome.web.regions import check_length

_REGION: Final = Parameter(
    "region", "text", "A region, or the symbol of a gene.", "区间，或基因符号。", "2:168400000-169400000"
)
_PRIOR_SD: Final = Parameter(
    "prior_sd",
    "number",
    "Standard deviation of true effects; by default 0.15 (in those of the trait) or 0.2 (log odds).",
    "真实效应的先验标准差；默认连续性状为 0.15（以性状标准差计），对数比值为 0.2。",
    "0.15",
)
_TRAIT_SD: Final = Parameter(
    "trait_sd",
    "number",
    "Standard deviation of the trait in the unit of its effects; by default 1 or estimated.",
    "性状的标准差（以效应单位计）；默认取 1 或由数据估计。",
    "1",
)
_A: Final = Parameter(
    "a", "text", "Identifier of the first study.", "第一个研究的编号。", "T2D", required=True
)
_B: Final = Parameter(
    "b", "text", "Identifier of the second study.", "第二个研究的编号。", "FG", required=True
)
_TRAITS: Final = (
    Parameter("trait_a", "text", "A trait of the first study.", "第一个研究的性状。"),
    Parameter("trait_b", "text", "A trait of the second study.", "第二个研究的性状。"),
)
_PRIORS: Final = (
    Parameter(
        "p1",
        "number",
        "Prior that a variant is causal for the first alone.",
        "仅对 a 致因的先验概率。",
        "1e-4",
    ),
    Parameter(
        "p2",
        "number",
        "Prior that a variant is causal for the second alone.",
        "仅对 b 致因的先验概率。",
        "1e-4",
    ),
    Parameter(
        "p12", "number", "Prior that a variant is causal for both.", "对两者均致因的先验概率。", "1e-5"
    ),
)
_TABLE: Final = table_parameters("rsid,posterior_probability")


def answer_credible_sets(asked: Asked) -> Answer:
    """The credible set of a region, or of each locus of a trait."""
    coverage = 0.95 if asked["coverage"] is None else asked["coverage"]
    where = None if asked["region"] is None else _place(asked, asked["region"])
    found = asked.view.credible_sets(
        asked["study"], asked["trait"], where, coverage=coverage, options=_options(asked)
    )
    tables = [one.table(number=k) for k, one in enumerate(found, 1)]
    whole = pa.concat_tables(tables).unify_dictionaries() if tables else _none(CREDIBLE_COLUMNS)
    meta = {"coverage": coverage, "credible_sets": [_set_record(one, k) for k, one in enumerate(found, 1)]}
    return Rows(whole, meta)


def answer_coloc(asked: Asked) -> Answer:
    """Colocalisation of two traits in a region."""
    found = asked.view.coloc(*_two(asked), _place(asked, asked["region"]), priors=_priors(asked))
    return Rows(found.table(), coloc_record(found))


def answer_coloc_loci(asked: Asked) -> Answer:
    """Colocalisation of two traits at every locus of the first."""
    priors = _priors(asked)
    table = asked.view.coloc_loci(*_two(asked), priors=priors)
    return Rows(table, {"priors": {name: getattr(priors, name) for name in priors.__slots__}})


def answer_compare(asked: Asked) -> Answer:
    """Two traits compared at the leads of their loci."""
    found = asked.view.compare(*_two(asked))
    return Rows(found.table(), comparison_record(found))


def _options(asked: Asked) -> SignalOptions:
    given = {name: asked[name] for name in ("prior_sd", "trait_sd") if asked[name] is not None}
    return SignalOptions(**given)


def _priors(asked: Asked) -> Priors:
    return Priors(**{name: asked[name] for name in ("p1", "p2", "p12") if asked[name] is not None})


def _two(asked: Asked) -> tuple[tuple[str, str | None], tuple[str, str | None]]:
    return (asked["a"], asked["trait_a"]), (asked["b"], asked["trait_b"])


def _place(asked: Asked, text: str) -> Interval:
    """The region asked for; refused when longer than the site allows."""
    return check_length(asked.view.interval(text), asked.settings.region_max_bp)


def _none(columns: tuple[str, ...]) -> pa.Table:
    return schema_of(columns).empty_table()


# ---------------------------------------------------------------- answers as plain values


def coloc_record(found: ColocAnswer) -> dict[str, Any]:
    """What was concluded and assumed, as JSON values."""
    priors = found.found.priors
    return {
        "region": _region(found.first),
        "variants": found.found.variants,
        "posterior": dict(zip(HYPOTHESES, found.found.posterior.tolist(), strict=True)),
        "likeliest": found.likeliest,
        "priors": {name: getattr(priors, name) for name in priors.__slots__},
        "a": _signal_record(found.first),
        "b": _signal_record(found.second),
        "sensitivity": {
            "p12": found.p12_grid.tolist(),
            **{name: found.by_p12[:, k].tolist() for k, name in enumerate(HYPOTHESES)},
        },
        "warnings": _warnings(found.warnings),
    }


def comparison_record(found: Comparison) -> dict[str, Any]:
    """What was counted and concluded, as JSON values."""
    overlap, shared = found.overlap, found.lambda_shared
    return {
        "a": _side_record(found.first) | {"lambda_gc_shared": shared[0]},
        "b": _side_record(found.second) | {"lambda_gc_shared": shared[1]},
        "features": {
            "shared": overlap.shared,
            "alleles_turned": overlap.turned,
            "ambiguous": overlap.ambiguous,
            "only_a": overlap.only_first,
            "only_b": overlap.only_second,
            "signed": overlap.signed,
            "same_sign": overlap.same_sign,
            "null": overlap.null_count,
            "null_z_correlation": _number(overlap.null_correlation),
        },
        "scale": found.scale,
        "unit": found.unit or None,
        "clumping": found.clumping,
        "agreement": {one.chosen: _agreement_record(one) for one in found.agreements},
        "qq": {
            side: {name: getattr(points, name) for name in points.__slots__}
            for side, points in zip("ab", found.quantiles, strict=True)
        },
        "warnings": _warnings(found.warnings),
    }


def _set_record(found: CredibleSet, number: int) -> dict[str, Any]:
    return {
        "credible_set": number,
        "region": _region(found.signal),
        "size": len(found.members),
        "signal_probability": _number(found.signal_probability),
        **_signal_record(found.signal),
        "warnings": _warnings(found.warnings),
    }


def _signal_record(signal: Signal) -> dict[str, Any]:
    basis = signal.basis
    return {
        "study_id": signal.study.id,
        "trait_id": signal.trait.id,
        "study_version": signal.version,
        "variants": len(signal.z),
        "left_out": signal.left_out,
        "effect_scale": basis.scale,
        "variance_from": basis.variance_from,
        "prior_sd": basis.prior_sd,
        "trait_sd": _number(basis.trait_sd),
        "trait_sd_from": basis.sd_from or None,
    }


def _side_record(side: Side) -> dict[str, Any]:
    return {
        "study_id": side.study.id,
        "trait_id": side.trait.id,
        "study_version": side.version,
        "cell_count": side.cells,
        "lambda_gc": _number(side.lambda_gc),
        "leads": side.leads,
        "leads_shared": side.leads_shared,
    }


def _agreement_record(found: Agreement) -> dict[str, Any]:
    parts: dict[str, Any] = {"signs": found.signs, "line": found.line, "z_correlation": found.z}
    return {
        key: {name: _number(getattr(part, name)) for name in part.__slots__} for key, part in parts.items()
    }


def _warnings(codes: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"code": code, "message": WARNINGS[code]} for code in codes]


def _region(signal: Signal) -> str:
    place = signal.interval
    return f"{signal.assembly.contig_name(place.contig)}:{place.start}-{place.end}"


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


INTERPRETING_ROUTES: Final = (
    Route(
        "/studies/{study}/credible-sets",
        "Credible set of a region, or of each locus of a trait, under one causal variant each",
        "某区间或各位点的可信集（假定每处仅一个致因变异）",
        answer_credible_sets,
        (
            STUDY,
            TRAIT,
            _REGION,
            Parameter(
                "coverage", "number", "Probability that a set should hold.", "可信集应覆盖的概率。", "0.95"
            ),
            _PRIOR_SD,
            _TRAIT_SD,
            *_TABLE,
        ),
        CREDIBLE_COLUMNS,
    ),
    Route(
        "/coloc",
        "Whether two traits share their causal variant in a region (coloc.abf)",
        "两个性状在某区间内是否共享致因变异（coloc.abf）",
        answer_coloc,
        (_A, _B, *_TRAITS, replace(_REGION, required=True), *_PRIORS, *_TABLE),
        COLOC_COLUMNS,
        steady=False,
    ),
    Route(
        "/coloc/loci",
        "Colocalisation of two traits at every locus of the first",
        "在第一个研究的每个位点对两个性状做共定位",
        answer_coloc_loci,
        (_A, _B, *_TRAITS, *_PRIORS, *_TABLE),
        COLOC_LOCUS_COLUMNS,
        steady=False,
    ),
    Route(
        "/compare",
        "Two studies compared: shared features, leads with both effects, agreement of signs and effects",
        "两个研究的比较：共有特征、先导变异的双方效应、方向与效应的一致性",
        answer_compare,
        (_A, _B, *_TRAITS, *_TABLE),
        LEAD_COLUMNS,
    ),
)
