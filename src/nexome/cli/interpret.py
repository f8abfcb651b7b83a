"""`nexome query credible-sets`, `coloc`, `compare`: the first interpretations, as tables.

What was assumed, and what may be wrong with it, goes to stderr, a line each.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import click

from nexome.cli.query import asked_view, question, write_answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from nexome.access.compare import Comparison

_TRAIT_A: Final = click.option("--trait-a", help="A trait of the first study.")
_TRAIT_B: Final = click.option("--trait-b", help="A trait of the second study.")


@click.command("credible-sets")
@click.argument("study_id", metavar="STUDY")
@click.option("--trait", help="The trait, where the study has several.")
@click.option("--region", help="Only this region or gene; else every locus of the trait.")
@click.option(
    "--coverage",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.95,
    show_default=True,
    help="Probability that a set should hold.",
)
@click.option("--prior-sd", type=float, help="Standard deviation of true effects: 0.15, or 0.2 for log odds.")
@click.option("--trait-sd", type=float, help="Standard deviation of the trait; else 1 or estimated.")
@question
def credible_sets(
    study_id: str, trait: str | None, region: str | None, coverage: float, **asked: Any
) -> None:
    """Show which variants most probably cause the signal at each locus.

    Assumes one causal variant at each locus, among those given (Wakefield's approximate Bayes factors).

    \b
    Examples:
      nexome query credible-sets T2D --region 10:112500000-113500000
      nexome query credible-sets PROTEINS --trait IL6R --coverage 0.99 -o sets.tsv
    """
    import pyarrow as pa  # noqa: PLC0415

    from nexome.access.credible import CREDIBLE_COLUMNS  # noqa: PLC0415
    from nexome.access.signals import SignalOptions  # noqa: PLC0415
    from nexome.model.fields import schema_of  # noqa: PLC0415

    given = {name: asked[name] for name in ("prior_sd", "trait_sd") if asked[name] is not None}
    with asked_view(asked) as view:
        options = SignalOptions(**given)
        found = view.credible_sets(study_id, trait, region, coverage=coverage, options=options)
    tables = [one.table(number=k) for k, one in enumerate(found, 1)]
    whole = pa.concat_tables(tables).unify_dictionaries() if tables else None
    if not found:
        click.echo(f"nexome: study {study_id} has no locus with p < 1e-5. Give a --region.", err=True)
    _warn(code for one in found for code in one.warnings)
    write_answer(schema_of(CREDIBLE_COLUMNS).empty_table() if whole is None else whole, asked)


@click.command()
@click.argument("first", metavar="STUDY_A")
@click.argument("second", metavar="STUDY_B")
@click.argument("region", required=False)
@_TRAIT_A
@_TRAIT_B
@click.option("--p1", type=float, default=1e-4, show_default=True, help="Prior: causal for A alone.")
@click.option("--p2", type=float, default=1e-4, show_default=True, help="Prior: causal for B alone.")
@click.option("--p12", type=float, default=1e-5, show_default=True, help="Prior: causal for both.")
@question
def coloc(first: str, second: str, region: str | None, **asked: Any) -> None:
    """Show whether two studies share their causal variant in a region, or at each locus of STUDY_A.

    H0: neither has one, H1: only A, H2: only B, H3: both, different ones, H4: both, the same one. With a
    REGION the table holds its variants and H0 to H4 stand on stderr; without, a row a locus.

    \b
    Examples:
      nexome query coloc T2D FG MTNR1B
      nexome query coloc T2D FG -o loci.tsv
    """
    from nexome.methods.coloc import HYPOTHESES, Priors  # noqa: PLC0415

    priors = Priors(asked["p1"], asked["p2"], asked["p12"])
    pair = (first, asked["trait_a"]), (second, asked["trait_b"])
    with asked_view(asked) as view:
        if region is None:
            table = view.coloc_loci(*pair, priors=priors)
            _warn(["single_signal", "overlap_unknown"])
            write_answer(table, asked)
            return
        found = view.coloc(*pair, region, priors=priors)
    # Said before the table: whoever takes its first lines alone (head) closes the pipe on the rest.
    told = zip(HYPOTHESES, found.found.posterior.tolist(), strict=True)
    click.echo("  ".join(f"{name} {value:.4g}" for name, value in told), err=True)
    _warn(found.warnings)
    write_answer(found.table(), asked)


@click.command()
@click.argument("first", metavar="STUDY_A")
@click.argument("second", metavar="STUDY_B")
@_TRAIT_A
@_TRAIT_B
@click.option("--leads", is_flag=True, help="The leads with both effects, instead of the numbers.")
@question
def compare(first: str, second: str, leads: bool, **asked: Any) -> None:
    """Compare two studies: shared features, λGC, and how signs and effects agree at the leads of their loci.

    \b
    Examples:
      nexome query compare T2D FG
      nexome query compare T2D FG --leads -o leads.tsv
    """
    pair = (first, asked["trait_a"]), (second, asked["trait_b"])
    with asked_view(asked) as view:
        found = view.compare(*pair)
    _warn(found.warnings)
    write_answer(found.table() if leads else _numbers(found), asked)


def _numbers(found: Comparison) -> pa.Table:
    """What was counted and concluded, a row each: for all leads, and for those of each study."""
    import pyarrow as pa  # noqa: PLC0415

    overlap = found.overlap
    rows: list[tuple[str, float]] = [
        ("features shared", overlap.shared),
        ("features only in A", overlap.only_first),
        ("features only in B", overlap.only_second),
        ("alleles turned around", overlap.turned),
        ("λGC of A, shared features", found.lambda_shared[0]),
        ("λGC of B, shared features", found.lambda_shared[1]),
        ("correlation of z where both |z| < 1.96", overlap.null_correlation),
    ]
    names = {"union": "all leads", "a": "leads of A", "b": "leads of B"}
    for one in found.agreements:
        of = names[one.chosen]
        rows += [
            (f"{of}: points", one.signs.tested),
            (f"{of}: same sign", one.signs.same),
            (f"{of}: share of same sign", one.signs.share),
            (f"{of}: share, 95 % low", one.signs.low),
            (f"{of}: share, 95 % high", one.signs.high),
            (f"{of}: slope of {found.scale} B on A", one.line.slope),
            (f"{of}: slope, 95 % low", one.line.low),
            (f"{of}: slope, 95 % high", one.line.high),
            (f"{of}: correlation of z", one.z.r),
        ]
    values = [None if math.isnan(value) else float(value) for _, value in rows]
    return pa.table({"measure": [name for name, _ in rows], "value": pa.array(values, pa.float64())})


def _warn(codes: Iterable[str]) -> None:
    from nexome.access.signals import WARNINGS  # noqa: PLC0415

    for code in dict.fromkeys(codes):
        click.echo(f"nexome: {WARNINGS[code]}", err=True)
