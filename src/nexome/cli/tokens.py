"""`nexome token …` and `nexome grant`: who may come in, and what they may see."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from nexome.access.identity import ALL_STUDIES, CENTRE
from nexome.access.policy import cohort_subject, panel_subject
from nexome.cli.options import open_centre, print_rows, root_option
from nexome.cli.projects import grant_on_cohort

if TYPE_CHECKING:
    from nexome.access.centre import Centre

# Names that mean something else in grants and in the audit log.
RESERVED_NAMES: Final = ("anonymous", "everyone", "owner")
LEVELS: Final = ("see", "read", "download")


@click.command()
@root_option
@click.option("--name", required=True, help="Whose token it is; grants go to this name.")
@click.option("--expires", metavar="TIME", help="A date (2027-06-30) or a span (90d); else it never does.")
@click.option(
    "--owner", is_flag=True, help="Make its holder an owner: everything may be seen and downloaded."
)
def create(root: Path, name: str, expires: str | None, owner: bool) -> None:
    """Make a token and print it, once. Only its SHA-256 is kept: a lost token cannot be shown again.

    A token by itself opens nothing that is not open to everyone; see `nexome grant`. A name may hold
    several tokens, so that a new one can be handed out before the old one is revoked.

    \b
    Examples:
      nexome token create --root associations --name "Lab of metabolic genetics"
      nexome token create --root associations --name backup-reader --owner --expires 90d
    """
    from nexome.access.identity import new_token, token_hash  # noqa: PLC0415

    name = _checked_name(name)
    token = new_token()
    until = _expiry(expires)
    with open_centre(root) as centre:
        accounts = centre.catalogue.accounts
        accounts.add_token(name, token_hash(token), role="owner" if owner else "holder", expires=until)
        accounts.audit("owner", "token_create", name, expires=until, role="owner" if owner else "holder")
    click.echo(token)
    click.echo(f"The token of {name!r}{f', until {until}' if until else ''}. It is shown only now.", err=True)


@click.command("list")
@root_option
def list_tokens(root: Path) -> None:
    """List all tokens ever made: name, role, state. The tokens themselves are kept nowhere.

    \b
    Example:
      nexome token list --root associations
    """
    with open_centre(root) as centre:
        tokens = centre.catalogue.accounts.tokens()
    rows = []
    for token in tokens:
        state = f"revoked {token.revoked}" if token.revoked else "expired" if token.expired else "live"
        rows.append((token.name, token.role, token.created, token.expires or "never", state))
    print_rows(("name", "role", "created", "expires", "state"), rows)


@click.command()
@root_option
@click.option("--name", required=True, help="Whose tokens.")
def revoke(root: Path, name: str) -> None:
    """Revoke all live tokens of a name, for good. A served root refuses them within a second.

    \b
    Example:
      nexome token revoke --root associations --name "Lab of metabolic genetics"
    """
    with open_centre(root) as centre:
        count = centre.catalogue.accounts.revoke_tokens(name.strip())
        centre.catalogue.accounts.audit("owner", "token_revoke", name.strip(), tokens=count)
    click.echo(f"{count} token{'s' if count > 1 else ''} of {name.strip()!r} revoked.")


@click.command()
@root_option
@click.argument("study", required=False)
@click.option("--to", "name", metavar="NAME", help="Name of tokens, or 'everyone'.")
@click.option("--level", type=click.Choice(LEVELS), default="read", show_default=True, help="How far.")
@click.option("--all-studies", is_flag=True, help="Every study, also those to come.")
@click.option("--director", is_flag=True, help="The centre's own papers, measures and cockpit.")
@click.option("--panel", metavar="NAME", help="LD in a private set of genotypes; never the genotypes.")
@click.option("--cohort", metavar="NAME", help="Questions about a cohort, on its published grid.")
@click.option("--project", metavar="NAME", help="With --cohort: free questions, within this project.")
@click.option(
    "--purpose", "purposes", multiple=True, metavar="CODE", help="Of a new project: DUO, MONDO codes."
)
@click.option("--remove", is_flag=True, help="Take the grant back.")
@click.option("--list", "show", is_flag=True, help="List all grants.")
def grant(
    root: Path,
    study: str | None,
    name: str | None,
    level: str,
    all_studies: bool,
    director: bool,
    panel: str | None,
    cohort: str | None,
    project: str | None,
    purposes: tuple[str, ...],
    remove: bool,
    show: bool,
) -> None:
    """Let the holder of a token see, read or download a private study, or take that back.

    'see': know that the study is there and what it is about; 'read': ask questions of it and read its
    receipt; 'download': take all of it away. Granted to 'everyone' it counts without a token too.
    --director lets its holder see the papers, the measures and the cockpit, and no private study.
    --panel lets its holder ask for LD and frequencies in a private set of genotypes, which a grant on
    studies does not.
    --cohort lets its holder ask about a private cohort on its grid, --project freely within a project: counts
    and means, never rows, under the rules of disclosure control. A project is opened by its first grant, with
    the purposes that people's consent is held against.

    \b
    Examples:
      nexome grant --root associations T2D --to "Lab of metabolic genetics"
      nexome grant --root associations T2D --to everyone --level see
      nexome grant --root associations T2D --to everyone --remove
      nexome grant --root associations --director --to "Office of the director"
      nexome grant --root associations --panel OUR-2500 --to "Lab of metabolic genetics"
      nexome grant --root centre --cohort TOWN --project LIPIDS-2026 --purpose DUO:0000006 --to "Lab of Li"
      nexome grant --root associations --list
    """
    if show:
        _list_grants(root)
        return
    if not name or sum((bool(study), all_studies, director, bool(panel), bool(cohort))) != 1:
        raise click.UsageError(
            "Give a study (or --all-studies, --director, --panel or --cohort) and --to NAME; or --list."
        )
    if project and (not cohort or name.strip() == "everyone"):
        raise click.UsageError("--project goes with --cohort, and to a named person.")
    name = name.strip() if name.strip() == "everyone" else _checked_name(name)
    with open_centre(root) as centre:
        if cohort:
            what = grant_on_cohort(centre, name, cohort, project=project, purposes=purposes, remove=remove)
            click.echo(f"{name!r} may {'no longer ' if remove else ''}ask about {what}.")
            return
        if director:
            subject = CENTRE
        elif panel:
            subject = panel_subject(centre.genotypes.get(panel).name)
        else:
            subject = ALL_STUDIES if all_studies else centre.owner_view().study(str(study)).study.id
        _grant_on(centre, name, subject, level=level, remove=remove)


def _grant_on(centre: Centre, name: str, subject: str, *, level: str, remove: bool) -> None:
    """Give or take back a level on what can be granted by level, and say so."""
    accounts = centre.catalogue.accounts
    if remove:
        accounts.remove_grant(name, subject)
    else:
        accounts.grant(name, subject, level)
    accounts.audit("owner", "grant_remove" if remove else "grant", subject, name=name, level=level)
    what = _subject_text(subject)
    click.echo(f"{name!r} may no longer enter {what}." if remove else f"{name!r} may {level} {what}.")
    known = name == "everyone" or any(t.name == name and not t.revoked for t in accounts.tokens())
    if not known and not remove:
        click.echo(f"No token of {name!r} yet: nexome token create --name {name!r}", err=True)


def _list_grants(root: Path) -> None:
    with open_centre(root) as centre:
        grants = centre.catalogue.accounts.grants()
    rows = [(g.name, _subject_text(g.study, bare=True), g.level, g.created) for g in grants]
    print_rows(("name", "study", "level", "since"), rows)


def _subject_text(subject: str, *, bare: bool = False) -> str:
    """What a grant is on, for people: in a sentence, or `bare` in a table."""
    if subject.startswith(panel_subject("")):
        name = subject.removeprefix(panel_subject(""))
        return f"(LD in panel {name})" if bare else f"LD in panel {name}"
    if subject.startswith(cohort_subject("")):
        cohort, _, project = subject.removeprefix(cohort_subject("")).partition(":")
        text = f"cohort {cohort}" + (f" in project {project}" if project else "")
        return f"({text})" if bare else text
    special = {ALL_STUDIES: "every study", CENTRE: "the centre's papers and measures"}
    if subject in special:
        return f"({special[subject]})" if bare else special[subject]
    return subject if bare else f"study {subject}"


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > 100 or not name.isprintable() or name.casefold() in RESERVED_NAMES:
        raise click.UsageError(
            f"The name {name[:100]!r} cannot be used: 1 to 100 printable letters, and not "
            + ", ".join(RESERVED_NAMES)
        )
    return name


def _expiry(text: str | None) -> str:
    if not text:
        return ""
    if match := re.fullmatch(r"(\d{1,5})\s*d(ays?)?", text.strip()):
        moment = datetime.now(UTC) + timedelta(days=int(match[1]))
    else:
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            raise click.UsageError(
                f"--expires {text[:40]!r}: give a date (2027-06-30) or a span (90d)."
            ) from None
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    if moment <= datetime.now(UTC):
        raise click.UsageError(f"--expires {text[:40]!r} is over already.")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
