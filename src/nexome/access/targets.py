"""Who may see the centre's own matters: its papers, measures, links and scores. One rule for all of them.

                       anonymous   holder of a token   with the director's grant   owner
    papers, cockpit    no          no                  yes                         yes
    measures, history  no          no                  yes                         yes
    /metrics           this machine, or metrics_open   yes, as any holder          yes

The director's grant is a grant on CENTRE; given to 'everyone' it opens these pages to all. Nothing is hidden
in part: measures count private studies too. No input or output here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nexome.access.identity import CENTRE, Principal
from nexome.access.policy import Decision
from nexome.model.errors import RefusedError

if TYPE_CHECKING:
    from nexome.access.centre import Centre
    from nexome.access.view import View

REASON: Final = "needs_director"


def decide_centre(principal: Principal) -> Decision:
    """Whether a principal may see the centre's own matters."""
    if principal.kind == "owner":
        return Decision(allowed=True, reason="owner")
    granted = any(subject == CENTRE for subject, _ in principal.grants)
    return Decision(allowed=granted, reason="granted" if granted else REASON)


def centre_of(view: View) -> Centre:
    """The centre behind a director's view, for its own matters. Raises RefusedError for anyone else's."""
    decision = decide_centre(view.principal)
    if not decision.allowed:
        raise RefusedError(
            "the centre's papers and measures are for its owner and its directors",
            reason=decision.reason,
            todo="Ask the owner of this centre: nexome grant --director --to NAME.",
        )
    return view._centre  # noqa: SLF001 - the door hands out what stands behind it, here alone
