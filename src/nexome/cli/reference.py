"""`nexome reference`: build, list, show and export sets of reference values, and place a value among them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nexome.cli.options import counted, echo_json, open_centre, print_rows, root_option

if TYPE_CHECKING:
    from nexome.access.reference.placing import Placement
    from nexome.store.reference import ReferenceEntry

_JSON = click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
_NAME = click.argument("name")


@click.command()
@root_option
@_NAME
@click.option("--cohort", required=True, help="Cohort it is made of; a harmonised one as a rule.")
@click.option("--version", type=int, help="Version of the cohort.  [default: the newest]")
@click.option("--variables", default="", help="Names, separated by commas.  [default: all numbers]")
@click.option("--by", default="sex,age", show_default=True, help="What groups are made by: sex, age, both.")
@click.option(
    "--age-bands",
    default="10",
    show_default=True,
    help="Width in years, or edges: 18,30,45,60 (the last band is open).",
)
@click.option("--healthy", default="", metavar="EXPR", help="Only people of whom this holds.")
@click.option(
    "--weights", default="", help="Variable with survey weights; - for none.  [default: that of role weight]"
)
@click.option(
    "--outliers",
    type=click.Choice(["none", "tukey", "dixon"]),
    default="none",
    show_default=True,
    help="Rule by which outliers of each group are left out; told in the data sheet.",
)
@click.option(
    "--access",
    type=click.Choice(["open", "private"]),
    default="private",
    show_default=True,
    help="Who may see the set: everyone, or the owner.",
)
@click.option("--title", default="", help="Title for people.")
@click.option("--title-zh", default="", help="Title in Chinese.")
@click.option("--licence", default="", help="Licence of the set.  [default: the cohort's]")
def build(root: Path, name: str, variables: str, by: str, **choices: Any) -> None:
    """Build a set of reference values of a cohort: the next version of NAME.

    For each variable by sex and age: n, mean, SD, percentiles 1 to 99 and reference limits with intervals,
    curves over age (LMS), tests of partitions. Disclosure control holds for all of it. See
    docs/reference-values.md.

    \b
    Examples:
      nexome reference build adults --cohort harmonised
      nexome reference build healthy --cohort nhanes --variables ldl,hdl --age-bands 18,30,45,60 \\
          --healthy "smoker = no and bmi < 30 kg/m2" --weights wtmec2yr --access open
    """
    from nexome.access.reference.build import BuildOptions  # noqa: PLC0415

    listed = tuple(v.strip() for v in variables.split(",") if v.strip())
    options = BuildOptions(variables=listed, by=tuple(_words(by)), **choices)
    _tell(_build(root, name, options))


@click.command()
@root_option
@_NAME
def rebuild(root: Path, name: str) -> None:
    """Build a set again with the choices of its newest version, of the people as they are now.

    Needed after a participant has withdrawn: until then the set is stale and tells nothing. Stale versions
    are taken off the disk. Where the cohort has a newer version, that is used.

    \b
    Example:
      nexome reference rebuild adults
    """
    from nexome.access.reference.build import options_of  # noqa: PLC0415
    from nexome.store.reference import ReferenceStore  # noqa: PLC0415

    _tell(_build(root, name, options_of(ReferenceStore.open(root).get(name))))


@click.command("list")
@root_option
@_JSON
def list_sets(root: Path, *, as_json: bool) -> None:
    """List all reference sets: version, cohort, variables, state.

    \b
    Example:
      nexome reference list
    """
    with open_centre(root) as centre:
        rows = centre.owner_view().reference_sets().to_pylist()
    if as_json:
        echo_json(rows)
        return
    if not rows:
        click.echo("No reference sets yet: nexome reference build --help")
        return
    head = ("set", "version", "access", "state", "variables", "cohort", "published", "title")
    names = ("reference_set", "set_version", "access", "set_state", "variables_count", "cohort", "published")
    print_rows(head, [(*(str(r[n]) for n in names), r["title"] or "") for r in rows])


@click.command()
@root_option
@_NAME
@click.option("--variable", help="One variable: its groups, limits, percentiles.")
@click.option(
    "--language",
    type=click.Choice(["en", "zh"]),
    default="en",
    show_default=True,
    help="Language of the data sheet.",
)
@click.option("--receipt", is_flag=True, help="The receipt: what was run, on which bytes.")
@_JSON
def show(root: Path, name: str, variable: str | None, language: str, *, receipt: bool, as_json: bool) -> None:
    """Show a set: its data sheet, or the reference values of one variable.

    \b
    Examples:
      nexome reference show adults --language zh
      nexome reference show adults --variable ldl
    """
    with open_centre(root) as centre:
        view = centre.owner_view()
        opened = view.reference_set(name)
        if receipt:
            echo_json(opened.receipt())
        elif variable is None:
            echo_json(dict(opened.facts)) if as_json else click.echo(opened.sheet(language), nl=False)
        elif as_json:
            tables = ("reference", "percentiles", "curves", "partitions")
            echo_json({t: view.reference_table(name, t, variable).to_pylist() for t in tables})
        else:
            _print_groups(view.reference_table(name, "reference", variable).to_pylist())


@click.command()
@root_option
@_NAME
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new folder.")
def export(root: Path, name: str, to: Path) -> None:
    """Copy a set to a folder: Parquet, CSV, data sheets, receipt, checksums.

    \b
    Example:
      nexome reference export adults --to adults-reference
    """
    import shutil  # noqa: PLC0415

    from nexome.model.errors import InputError  # noqa: PLC0415
    from nexome.store.disk import space_errors  # noqa: PLC0415

    if to.exists():
        raise InputError("there is something already", where=str(to), expected="a new folder")
    with open_centre(root) as centre:
        opened = centre.owner_view().reference_set(name)
        opened.check_current()
        with space_errors(to):
            shutil.copytree(opened.folder, to)
    click.echo(f"{name}, version {opened.entry.version}: {sum(1 for _ in to.iterdir())} files in {to}.")


@click.command()
@root_option
@_NAME
@click.option("--reason", required=True, help="Why, for the event log.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def withdraw(root: Path, name: str, reason: str, *, yes: bool) -> None:
    """Take a set and all its versions away; backups made before still hold them.

    \b
    Example:
      nexome reference withdraw adults --reason "superseded"
    """
    from nexome.store.reference import ReferenceStore, withdraw_reference  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    entry = ReferenceStore.open(root).get(name).entry
    if not yes:
        click.confirm(f"Withdraw {name} ({entry.title}, version {entry.version} the newest)?", abort=True)
    withdraw_reference(open_root(root), name, reason=reason)
    click.echo(f"{name} is withdrawn.")


@click.command()
@root_option
@click.option("--variable", required=True, help="Name, label or term of the variable.")
@click.option("--sex", help="female or male, in English or Chinese.")
@click.option("--age", type=float, help="Age in years.")
@click.option("--value", type=float, required=True, help="The value.")
@click.option("--unit", default="", help="Its unit: UCUM or as people write it.")
@click.option("--set", "reference", help="The set.  [default: the newest that has the variable]")
@_JSON
def place(
    root: Path,
    variable: str,
    sex: str | None,
    age: float | None,
    value: float,
    unit: str,
    reference: str | None,
    *,
    as_json: bool,
) -> None:
    """Tell where a value lies among people of the same sex and age.

    The unit is converted; an unknown one is refused, and so is an age that the set has no people of.

    \b
    Examples:
      nexome reference place --variable ldl --sex female --age 52 --value 4.1 --unit mmol/L
      nexome reference place --variable ldl --sex 女 --age 52 --value 160 --unit mg/dL --json
    """
    from dataclasses import asdict  # noqa: PLC0415

    with open_centre(root) as centre:
        found = centre.owner_view().place(variable, sex, age, value=value, unit=unit, reference=reference)
    if as_json:
        echo_json(asdict(found))
    else:
        _print_placement(found)


# ---------------------------------------------------------------- printing


def _build(root: Path, name: str, options: Any) -> ReferenceEntry:
    from nexome.access.reference.build import build_reference  # noqa: PLC0415
    from nexome.cli.upkeep import progress  # noqa: PLC0415

    with open_centre(root) as centre:
        view = centre.owner_view()
        entry = build_reference(view, name, options, progress())
        left: dict[str, str] = view.reference_set(name).facts["left_out"]
    if left:
        reasons = counted(Counter(left.values()))
        click.echo(f"{len(left):,} variables left out ({reasons}); the data sheet names them.")
    return entry


def _tell(entry: ReferenceEntry) -> None:
    click.echo(
        f"{entry.name}: version {entry.version}, {entry.variables:,} variables of {entry.cohort} "
        f"(version {entry.cohort_version}), {entry.access}."
    )


def _print_groups(rows: list[dict[str, Any]]) -> None:
    from nexome.access.reference.summary import ages_text  # noqa: PLC0415

    head = ("sex", "age", "n", "mean", "SD", "lower limit (90 % CI)", "upper limit (90 % CI)", "method")
    shown = []
    for row in rows:
        group = (row["sex"] or "all", ages_text(row["age_from"], row["age_to"]) or "all")
        if row["withheld"]:
            shown.append((*group, "", "", "", "", "", f"withheld: {row['withheld']}"))
            continue
        limits = (_limit(row, "lower"), _limit(row, "upper"))
        numbers = (f"{row['participants']:,}", f"{row['mean']:g}", f"{row['standard_deviation'] or 0:g}")
        shown.append((*group, *numbers, *limits, row["limit_method"]))
    if rows:
        click.echo(f"{rows[0]['variable']} ({rows[0]['unit'] or 'no unit'})")
    print_rows(head, shown)


def _limit(row: dict[str, Any], side: str) -> str:
    value, low, high = (row[f"{side}_limit{end}"] for end in ("", "_low", "_high"))
    return "" if value is None else f"{value:g} ({low:g}–{high:g})"


def _print_placement(found: Placement) -> None:
    who = " ".join(filter(None, [found.sex, f"{found.age:g} years" if found.age is not None else ""]))
    own = "" if found.unit == found.unit_of_set else f" = {found.value_in_set:.6g} {found.unit_of_set}"
    click.echo(f"{found.variable}: {found.value:g} {found.unit}{own}, {who or 'everyone'}")
    if found.beyond:
        click.echo(f"{found.beyond} the {found.percentile:g} percentile, the outermost that may be shown")
    else:
        low, high = found.percentile_low, found.percentile_high
        click.echo(f"percentile {found.percentile:g} (95 % interval {low:g} to {high:g})")
    if found.lower_limit is not None:
        limits = f"{found.lower_limit:g} to {found.upper_limit:g} {found.unit_of_set}"
        click.echo(f"reference limits {limits} ({found.limit_method})")
    z = "" if found.z is None else f", z {found.z:g}"
    click.echo(
        f"by {found.method}{z}; about {found.participants:,} people; set {found.reference} version "
        f"{found.version} of {found.published[:10]}, {found.state}, from {found.cohort}"
    )


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip() and word.strip() != "-"]
