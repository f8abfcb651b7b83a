"""`nexome project …`, and grants on cohorts: who may ask what about people, and for which purpose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nexome.access.policy import cohort_subject, project_subject
from nexome.cli.options import open_centre, print_rows, root_option
from nexome.model.errors import InputError

if TYPE_CHECKING:
    from nexome.access.centre import Centre
    from nexome.store.ledger import Project

SUBJECT_MOST = 100  # letters the catalogue keeps of what a grant is on


def grant_on_cohort(
    centre: Centre, name: str, cohort: str, *, project: str | None, purposes: tuple[str, ...], remove: bool
) -> str:
    """Let `name` ask about a cohort, on its grid or freely in a project, or take that back; what it is on."""
    from nexome.store.ledger import open_project, read_project  # noqa: PLC0415

    table = centre.cohorts.get(cohort)
    accounts = centre.catalogue.accounts
    if project is None:
        if purposes:
            raise click.UsageError("--purpose is of a project: give --project too.")
        subject = cohort_subject(table.id)
    else:
        opened = read_project(centre.root.path, project) if remove else None
        opened = opened or open_project(centre.root.path, project, purposes=checked_purposes(purposes))
        subject = project_subject(table.id, opened.name)
    if len(subject) > SUBJECT_MOST:
        raise InputError("names too long together", where="--cohort, --project", expected="90 letters")
    if remove:
        accounts.remove_grant(name, subject)
    else:
        accounts.grant(name, subject, "read")
    accounts.audit(
        "owner", "grant_remove" if remove else "grant", subject, name=name, purposes=list(purposes)
    )
    return f"cohort {table.id}" + (f" in project {project}" if project else " on its grid")


def _state(centre: Centre, project: Project) -> str:
    from nexome.store.ledger import count_refusals  # noqa: PLC0415

    if project.closed:
        return f"closed {project.closed}"
    refused = count_refusals(centre.root.path, project.name) - project.excused
    return "paused" if refused >= centre.settings.disclosure_refusals else f"open, {refused} refusals"


def checked_purposes(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Codes of a project's purposes: DUO, and the diseases they are about. Raises InputError otherwise."""
    from nexome.access.disclosure.consent import read_codes  # noqa: PLC0415

    codes: list[str] = []
    for text in texts:
        found = read_codes(text)
        if len(found) != 1:
            raise InputError(
                f"purpose {text[:40]!r}",
                where="--purpose",
                expected="a code, as DUO:0000006 or MONDO:0005015",
            )
        codes += found
    return tuple(codes)


@click.command("list")
@root_option
def list_projects(root: Path) -> None:
    """List projects: purposes, populations answered about, who may ask.

    \b
    Example:
      nexome project list --root centre
    """
    from nexome.store.ledger import count_populations, projects  # noqa: PLC0415

    with open_centre(root) as centre:
        grants = centre.catalogue.accounts.grants()
        most = centre.settings.disclosure_populations
        rows = []
        for project in projects(centre.root.path):
            mine = [
                g for g in grants if g.study.startswith("@cohort:") and g.study.endswith(f":{project.name}")
            ]
            rows.append(
                (
                    project.name,
                    " ".join(project.purposes) or "general research use",
                    f"{count_populations(centre.root.path, project.name)} of {most}",
                    ", ".join(sorted({f"{g.name} ({g.study.split(':')[1]})" for g in mine})),
                    _state(centre, project),
                )
            )
    print_rows(("project", "purposes", "populations", "who", "state"), rows)


@click.command()
@root_option
@click.argument("project")
def resume(root: Path, project: str) -> None:
    """Let a project go on that waits because it was refused too often.

    Each refusal for what was answered before tells a little of a few people. Look first at what was asked.

    \b
    Example:
      nexome audit show --project LIPIDS-2026 --root centre
      nexome project resume LIPIDS-2026 --root centre
    """
    from nexome.store.ledger import excuse_refusals  # noqa: PLC0415

    with open_centre(root) as centre:
        found = excuse_refusals(centre.root.path, project)
        centre.catalogue.accounts.audit("owner", "project_resume", found.name, refusals=found.excused)
    click.echo(f"Project {found.name} goes on; {found.excused} refusals were looked at.")


@click.command()
@root_option
@click.argument("project")
def close(root: Path, project: str) -> None:
    """Close a project for good: nothing more is answered in it. Its ledger and audit stay.

    \b
    Example:
      nexome project close LIPIDS-2026 --root centre
    """
    from nexome.store.ledger import close_project  # noqa: PLC0415

    with open_centre(root) as centre:
        closed = close_project(centre.root.path, project)
        centre.catalogue.accounts.audit("owner", "project_close", closed.name)
    click.echo(f"Project {closed.name} is closed.")
