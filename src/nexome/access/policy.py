"""Who may do what with a study, and why: one pure function and the table it follows.

                    open study   private study, by grant         owner
                    everyone     none      see    read  download
    see             yes          (unknown) yes    yes   yes       yes
    read_cells      yes          (unknown) no     yes   yes       yes
    read_summary    yes          (unknown) no     yes   yes       yes
    export          yes          (unknown) no     no    yes       yes
    read_receipt    with read    (unknown) no     yes   yes       yes      a receipt holds file names
    administer      no           (unknown) no     no    no        yes

Whether a study is open stands in its record; a grant on '*' counts for every study, and a grant to
'everyone' counts for anonymous readers too. No input or output here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from nexome.access.identity import ALL_STUDIES, GRANT_LEVELS, GrantLevel, Principal
from nexome.model.terms import Access, Study

Action = Literal["see", "read_cells", "read_summary", "export", "read_receipt", "administer"]

ACTIONS: Final[tuple[Action, ...]] = (
    "see",
    "read_cells",
    "read_summary",
    "export",
    "read_receipt",
    "administer",
)

REASONS: Final = {
    "owner": "you are the owner",
    "open": "the study is open",
    "granted": "it was granted to you",
    "unknown": "no such study",
    "needs_read": "the study may be known of, but reading it needs a grant",
    "needs_download": "downloading the whole study needs a grant",
    "needs_receipt": "the receipt names files of the owner; reading it needs a grant",
    "owner_only": "only the owner may do this",
    "needs_panel": "the panel may be known of, but LD in it needs a grant",
    "few_people": "a statistic over so few could tell of one of them",
    "few_differ": "all but a few of these people have the same value",
    "dominated": "one or two people make up nearly all of this number",
    "few_beside": "the people left out of this answer are so few that it would tell of them",
    "difference": "together with earlier answers this would tell of a few people",
    "suppressed": "withheld so that a smaller number beside it cannot be worked out",
    "tail": "too few people lie beyond this percentile",
    "too_many_cells": "more cells than these people can fill",
    "too_many_parameters": "more parameters than these people can bear",
    "too_many_populations": "the project has been answered about as many populations as it may hold",
    "off_grid": "without a grant in a project, questions are answered on the published grid",
    "identifying": "a variable that identifies people is in no question",
    "needs_project": "this question needs a grant on the cohort in a project",
    "needs_permit": "human genetic resources are answered about only under a permit that the cohort names",
    "project_closed": "the project is closed",
    "project_paused": "the project was refused so often that its owner must look at the audit log first",
    "no_consent": "nobody in this cohort agreed to the purpose of the project",
    "stale": "a participant has withdrawn since these reference values were made",
}

# The level a grant on a private study needs for an action, and the reason when it is too low.
_NEEDED: Final[dict[Action, tuple[GrantLevel, str]]] = {
    "see": ("see", "unknown"),
    "read_cells": ("read", "needs_read"),
    "read_summary": ("read", "needs_read"),
    "export": ("download", "needs_download"),
    "read_receipt": ("read", "needs_receipt"),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether, and why: `reason` is one of REASONS. 'unknown' means: answer as if it did not exist."""

    allowed: bool
    reason: str


def decide(principal: Principal, action: Action, study: Study) -> Decision:
    """Whether `principal` may do `action` with `study`."""
    if principal.kind == "owner":
        return _OWNER
    level = granted_level(principal, study.id)
    if study.access == "open" and action in _OPEN_TO_ALL:
        return _OPEN
    if study.access == "private" and level < 0:
        return _UNKNOWN
    if action == "administer":
        return _OWNER_ONLY
    needed, reason = _NEEDED[action]
    return _GRANTED if level >= GRANT_LEVELS.index(needed) else Decision(allowed=False, reason=reason)


def granted_level(principal: Principal, study_id: str) -> int:
    """Index in GRANT_LEVELS of what was granted on a study; -1 for nothing."""
    grants = principal.grants
    if not grants:
        return -1
    for index in reversed(range(len(GRANT_LEVELS))):
        level = GRANT_LEVELS[index]
        if (study_id, level) in grants or (ALL_STUDIES, level) in grants:
            return index
    return -1


def panel_subject(name: str) -> str:
    """What a grant on a set of genotypes is on; no study can be called so."""
    return f"@genotypes:{name}"


def cohort_subject(name: str) -> str:
    """What a grant on a cohort is on; no study can be called so."""
    return f"@cohort:{name}"


def project_subject(cohort: str, project: str) -> str:
    """What a grant on a cohort in a project is on."""
    return f"@cohort:{cohort}:{project}"


def decide_cohort(principal: Principal, name: str, access: Access) -> Decision:
    """Whether `principal` may know of a cohort and ask about it on its grid.

    A grant on every study is none on cohorts; a grant in a project is one on its cohort too.
    """
    if principal.kind == "owner":
        return _OWNER
    if access == "open":
        return _OPEN
    own = cohort_subject(name)
    if any(subject == own or subject.startswith(f"{own}:") for subject, _ in principal.grants):
        return _GRANTED
    return _UNKNOWN


def may_use_project(principal: Principal, cohort: str, project: str) -> bool:
    """Whether `principal` may ask free questions about a cohort in a project."""
    if principal.kind == "owner":
        return True
    return any(subject == project_subject(cohort, project) for subject, _ in principal.grants)


def decide_panel(principal: Principal, name: str, access: Access) -> Decision:
    """Whether `principal` may ask for LD and frequencies in a set of genotypes; nobody may ask for genotypes.

    A grant on every study is none on genotypes: they need their own, 'read' or more.
    """
    if principal.kind == "owner":
        return _OWNER
    if access == "open":
        return _OPEN
    levels = {level for subject, level in principal.grants if subject == panel_subject(name)}
    if not levels:
        return _UNKNOWN
    return _GRANTED if levels - {"see"} else Decision(allowed=False, reason="needs_panel")


_OPEN_TO_ALL: Final = frozenset({"see", "read_cells", "read_summary", "export"})
_OWNER: Final = Decision(allowed=True, reason="owner")
_OPEN: Final = Decision(allowed=True, reason="open")
_GRANTED: Final = Decision(allowed=True, reason="granted")
_UNKNOWN: Final = Decision(allowed=False, reason="unknown")
_OWNER_ONLY: Final = Decision(allowed=False, reason="owner_only")
