"""`nexome withdraw`: a study, or a participant of cohorts, taken out of the root."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nexome.cli.following import publishes
from nexome.cli.options import root_option
from nexome.cli.studies import withdraw as withdraw_study


class StudyUnlessSaid(click.Group):
    """`nexome withdraw T2D` is `nexome withdraw study T2D`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `study` in front of what names no command."""
        named = bool(args) and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named or not args else ["study", *args])


@click.group(cls=StudyUnlessSaid)
def withdraw() -> None:
    """Take a study, or a participant of cohorts, out of the root.

    \b
    Examples:
      nexome withdraw T2D --reason "superseded by T2D-2026"
      nexome withdraw participant 10042 --cohort town --reason "consent withdrawn"
    """


@click.command()
@root_option
@click.argument("identifiers", metavar="ID…", nargs=-1, required=True)
@click.option("--cohort", help="A cohort the person is in; all who share its identifiers follow.")
@click.option("--people", help="Whose identifier it is, as said at the import.")
@click.option("--reason", required=True, help="Why, for the list of those who withdrew.")
@click.option("--unseen", is_flag=True, help="Keep out also who was never imported.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@publishes
def participant(root: Path, identifiers: tuple[str, ...], **said: Any) -> None:
    """Take people out of every version of every cohort and harmonised table, for good.

    Their rows are gone from all versions, which are written anew, and their identifiers from the root. A key
    that stands for each stays in cohorts/withdrawn.jsonl, so that no import and no restore brings them back:
    keep a copy of that list apart from the backups (nexome restore --withdrawn). Make backups again: an
    older one still holds them. Genotypes and published results are not changed; samples are told where
    cohorts/samples.csv says them.

    \b
    Example:
      nexome withdraw participant 10042 --cohort town --reason "consent withdrawn 2026-05-04"
    """
    from nexome.store.cohorts import CohortStore  # noqa: PLC0415
    from nexome.store.cohorts.withdrawing import samples_of  # noqa: PLC0415

    cohort, people = said["cohort"], said["people"]
    if (cohort is None) == (people is None):
        raise click.UsageError("Say whose identifier it is: --cohort, or --people.")
    store = CohortStore.open(root)
    people = people or store.manifest().entry(cohort).people_of
    who = "this person" if len(identifiers) == 1 else f"these {len(identifiers):,} people"
    if not said["yes"]:
        click.confirm(f"Take {who} out of everything for good? It cannot be undone.", abort=True)
    samples = [s for identifier in identifiers for s in samples_of(root, people, identifier)]
    done = store.withdraw_participants(people, identifiers, reason=said["reason"], unseen=said["unseen"])
    click.echo(f"Withdrawn: {done.rows:,} rows are gone from {len(done.versions):,} versions.")
    for version in done.versions:
        click.echo(f"  {version} is written anew")
    for name, sample in samples:
        click.echo(f"Not changed: sample {sample} of the genotypes {name}. Import that set again without it.")
    click.echo("Make your backups again: an older one still holds the rows.")


withdraw.add_command(withdraw_study, "study")
withdraw.add_command(participant)
