"""Who asks: nobody in particular, the owner, or the holder of a named token.

A token is 256 random bits, shown once, kept only as its SHA-256 (a slow hash would add nothing to
256 random bits). The catalogue keeps tokens and grants; nothing is read or written here.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final, Literal

PrincipalKind = Literal["anonymous", "owner", "holder"]
GrantLevel = Literal["see", "read", "download"]

# Each level holds the ones before it.
GRANT_LEVELS: Final[tuple[GrantLevel, ...]] = ("see", "read", "download")
ALL_STUDIES: Final = "*"
CENTRE: Final = "@centre"  # a grant on it is the director's; no study can be called so
EVERYONE: Final = "everyone"  # grants under this name count for anonymous readers too
TOKEN_PREFIX: Final = "nxm_"  # noqa: S105 - public; tells a person, or a scanner, what a found text is


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `grants` are (study identifier, '*' or CENTRE, level) pairs; only holders have any."""

    kind: PrincipalKind
    name: str = ""
    grants: frozenset[tuple[str, GrantLevel]] = frozenset()


ANONYMOUS: Final = Principal("anonymous")
OWNER: Final = Principal("owner", "owner")


def new_token() -> str:
    """A new token: the prefix and 256 random bits, safe in URLs and headers."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is kept of a token: SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(token.encode()).hexdigest()
