"""Routes of linkage disequilibrium. `meta` says which panel, whose genotypes and what kind of r² it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from nexome.access.ld import FLANK_BP, PROXY_R2, ClumpOptions, LdAnswer, describe_choice
from nexome.access.ld_answers import CLUMP_COLUMNS, LD_COLUMNS, MATRIX_COLUMNS
from nexome.access.ld_panels import PANEL_COLUMNS
from nexome.methods.ld.clump import P1, P2, R2, WINDOW_BP
from nexome.model.errors import QueryError
from nexome.web.api.answers import feature_record
from nexome.web.api.declare import Answer, Asked, Parameter, Route, Rows
from nexome.web.api.parameters import table_parameters

_VARIANT: Final = Parameter(
    "variant",
    "text",
    "An rs number, a position, or a position with alleles; the last one is the allele that r is of.",
    "rs 编号、位置，或位置加等位基因；r 以最后一个等位基因为准。",
    "2-135851076-G-A",
    required=True,
)
_REGION: Final = Parameter(
    "region",
    "text",
    f"A region or a gene; by default {FLANK_BP // 1000} kb on both sides.",
    f"区间或基因；默认两侧各 {FLANK_BP // 1000} kb。",
    "2:135000000-136500000",
)
_CHOICE: Final = (
    Parameter(
        "panel",
        "text",
        "Set of genotypes; by default the best that has the variant.",
        "基因型集；默认取含该变异的最佳者。",
        "1000G-EAS",
    ),
    Parameter(
        "population", "text", "A population of the panel, or all.", "面板中的人群，或 all（全部）。", "EAS"
    ),
)
_NEAR: Final = Parameter(
    "study",
    "text",
    "Choose the population nearest to this study's ancestry.",
    "按此研究的祖源选择最接近的人群。",
    "GCST90002369",
)
_WINDOW: Final = Parameter("window", "integer", "Bases on both sides.", "两侧的碱基数。", str(FLANK_BP))
_TABLE: Final = table_parameters("rsid,r2")


def answer_panels(asked: Asked) -> Answer:
    """Sets of genotypes that LD may be asked in, and their populations."""
    return Rows(asked.view.ld_panels())


def answer_ld(asked: Asked) -> Answer:
    """One variant with a region."""
    found = asked.view.ld(asked["variant"], asked["region"], **_chosen(asked))
    return Rows(found.table(), _meta(asked, found))


def answer_proxies(asked: Asked) -> Answer:
    """Variants that can stand for one."""
    flank = FLANK_BP if asked["window"] is None else int(asked["window"])
    least = PROXY_R2 if asked["r2"] is None else asked["r2"]
    found = asked.view.ld(asked["variant"], flank_bp=flank, **_chosen(asked))
    return Rows(found.proxies(least), _meta(asked, found) | {"min_r2": least})


def answer_matrix(asked: Asked) -> Answer:
    """All pairs of some variants, or of a region."""
    found = asked.view.ld_matrix(asked["variants"] or None, asked["region"], **_chosen(asked))
    count = len(found.variants)
    _refuse_long(asked, count * (count - 1) // 2, what="pairs")
    meta = describe_choice(found.choice) | {
        "variants": [variant.id for variant in found.variants],
        "missing": list(found.missing),
    }
    return Rows(found.table(), meta)


def answer_clumps(asked: Asked) -> Answer:
    """Clumps of a trait."""
    asked_for = {name: asked[name] for name in ("p1", "p2", "r2") if asked[name] is not None}
    if asked["window"] is not None:
        asked_for["window_bp"] = int(asked["window"])
    options = ClumpOptions(**asked_for)
    chosen = {name: asked[name] for name in ("panel", "population")}
    found = asked.view.clump(asked["study"], asked["trait"], options=options, **chosen)
    _refuse_long(asked, found.table.num_rows, what="rows")
    meta: dict[str, Any] = describe_choice(found.choice) | {
        "trait_id": found.trait,
        "clumps": found.clumps,
        "missing": list(found.missing),
        "options": {name: getattr(options, name) for name in options.__slots__},
    }
    return Rows(found.table, meta)


def _chosen(asked: Asked) -> dict[str, Any]:
    return {name: asked[name] for name in ("panel", "population", "study")}


def _meta(asked: Asked, found: LdAnswer) -> dict[str, Any]:
    place = found.where
    return describe_choice(found.choice) | {
        "variant": feature_record(found.variant),
        "alleles_turned": found.swapped,
        "region": f"{asked.view.assembly.contig_name(place.contig)}:{place.start}-{place.end}",
    }


def _refuse_long(asked: Asked, rows: int, *, what: str) -> None:
    most = asked.settings.page_size_max
    if rows > most:
        raise QueryError(
            f"{rows:,} {what}",
            expected=f"at most {most:,} (setting page_size_max)",
            todo="Ask for fewer, or from Python or the command line.",
        )


def _number(name: str, en: str, zh: str, example: float) -> Parameter:
    return Parameter(name, "number", en, zh, f"{example:g}")


LD_ROUTES: Final = (
    Route(
        "/ld/panels",
        "Sets of genotypes that LD is computed from, and their populations",
        "可计算连锁不平衡的基因型集及其人群",
        answer_panels,
        _TABLE,
        PANEL_COLUMNS,
        steady=False,
    ),
    Route(
        "/ld",
        "LD of one variant with all variants of a region: r, r², |D′|",
        "一个变异与区间内全部变异的连锁不平衡：r、r²、|D′|",
        answer_ld,
        (_VARIANT, _REGION, *_CHOICE, _NEAR, *_TABLE),
        LD_COLUMNS,
        steady=False,
    ),
    Route(
        "/ld/proxies",
        "Variants that can stand for one, best first",
        "可替代某变异的变异，由优到次",
        answer_proxies,
        (
            _VARIANT,
            _number("r2", "Least r².", "r² 的下限。", PROXY_R2),
            _WINDOW,
            *_CHOICE,
            _NEAR,
            *_TABLE,
        ),
        LD_COLUMNS,
        steady=False,
    ),
    Route(
        "/ld/matrix",
        "LD of all pairs of some variants, or of all variants of a region; each pair once",
        "若干变异（或区间内全部变异）两两之间的连锁不平衡，每对一行",
        answer_matrix,
        (
            Parameter(
                "variants",
                "list",
                "Variants, separated by commas.",
                "变异，以逗号分隔。",
                "rs4988235,rs182549",
            ),
            replace(_REGION, en="Or all variants of a region.", zh="或某区间内的全部变异。"),
            *_CHOICE,
            _NEAR,
            *_TABLE,
        ),
        MATRIX_COLUMNS,
        steady=False,
    ),
    Route(
        "/studies/{study}/clumps",
        "Associations of a trait clumped by LD (as PLINK --clump): each index variant and its members",
        "按连锁不平衡聚块的关联（同 PLINK --clump）：各索引变异及其成员",
        answer_clumps,
        (
            Parameter(
                "study", "text", "Identifier of the study.", "研究编号。", "GCST90002369", place="path"
            ),
            Parameter(
                "trait",
                "text",
                "Identifier of a trait; may be left out where the study has one.",
                "性状编号；研究只有一个性状时可省略。",
            ),
            _number("p1", "An index variant has p of this or less.", "索引变异的 p 值上限（含）。", P1),
            _number("p2", "A member has p below this.", "成员的 p 值须小于此值。", P2),
            _number("r2", "Least r² with the index.", "与索引变异 r² 的下限。", R2),
            replace(
                _WINDOW,
                en="Members lie nearer than this, in bases.",
                zh="成员与索引变异的距离须小于此值（碱基数）。",
                example=str(WINDOW_BP),
            ),
            *_CHOICE,
            *_TABLE,
        ),
        CLUMP_COLUMNS,
        steady=False,
    ),
)
