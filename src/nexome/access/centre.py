"""One opened root: its store, catalogue, genes and settings, and the views into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nexome.model.settings import Settings

if TYPE_CHECKING:
    from nexome.access.view import View


class Centre:
    """What `app` gives to web and `nexome.open`: `settings`, and `view_for`, the only way to an answer."""

    settings: Settings

    def view_for(self, token: str | None, *, purpose: str = "read") -> View:
        """The view of a token's holder; of the anonymous reader without one.

        Raises RefusedError (reason 'token_unknown', 'token_expired' or 'token_revoked') for a token
        that opens nothing: a wrong token is never quietly anonymous.
        """
        raise NotImplementedError

    def owner_view(self, *, purpose: str = "read") -> View:
        """The owner's view: for who opens a root on a disk of their own."""
        raise NotImplementedError

    def close(self) -> None:
        """Write what is counted but not yet kept, and close the catalogue."""
        raise NotImplementedError
