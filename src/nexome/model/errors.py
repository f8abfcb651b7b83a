"""Every error a user of Nexome can meet.

    NexomeError
    ├── InputError (ValueError)            what was given cannot be used as it is
    │   ├── FormatError                    a file is not what its format asks for
    │   ├── QueryError                     a question cannot be understood
    │   └── SettingsError                  a setting is unknown or out of range
    ├── NotFoundError (LookupError)        nothing is kept under that name
    ├── RefusedError (PermissionError)     this reader may not; carries a reason code
    └── StoreError (RuntimeError)          what is kept cannot be read or written
        ├── DamagedError                   stored bytes are not the bytes written
        ├── NewerVersionError              written by a newer Nexome
        ├── BusyError                      another writer holds the root
        └── SpaceError                     the disk is, or would be, full

A message says where, what was found, what was expected and what to do next; it never
holds a value from a person's record. `code` names the kind for HTTP and for translation.
"""

from __future__ import annotations

from typing import ClassVar


class NexomeError(Exception):
    """The root of all errors raised on purpose by Nexome.

    Parameters: `where` (file, line, column, route …), `found`, `expected`, `todo`; all but
    `found` may be empty. `str(error)` joins them into one line of plain text.
    """

    code: ClassVar[str] = "error"
    http_status: ClassVar[int] = 500

    def __init__(self, found: str, *, where: str = "", expected: str = "", todo: str = "") -> None:
        self.found = found
        self.where = where
        self.expected = expected
        self.todo = todo
        super().__init__(found)

    def __str__(self) -> str:
        text = f"{self.where}: {self.found}" if self.where else self.found
        if self.expected:
            text += f"; expected {self.expected}"
        if self.todo:
            text += f". {self.todo}"
        return text

    def at(self, where: str) -> NexomeError:
        """Return this error with `where` put in front of its place (for `raise error.at(…)`)."""
        self.where = f"{where}, {self.where}" if self.where else where
        return self

    def as_dict(self) -> dict[str, str]:
        """The error as the one JSON shape of every route: code, message and its four parts."""
        return {
            "code": self.code,
            "message": str(self),
            "where": self.where,
            "found": self.found,
            "expected": self.expected,
            "todo": self.todo,
        }


class InputError(NexomeError, ValueError):
    """What was given cannot be used as it is."""

    code = "input"
    http_status = 400


class FormatError(InputError):
    """A file is not what its format asks for (truncated, wrong delimiter, missing column …)."""

    code = "format"


class QueryError(InputError):
    """A question cannot be understood (spelling of a variant, an interval, a parameter …)."""

    code = "query"


class SettingsError(InputError):
    """A setting is unknown or its value is out of range."""

    code = "settings"


class NotFoundError(NexomeError, LookupError):
    """Nothing is kept under that name, or nothing this reader may know of."""

    code = "not_found"
    http_status = 404


class RefusedError(NexomeError, PermissionError):
    """The reader may not do this. `reason` is a stable code that pages translate.

    `coarser` is a question that would be answered instead, as it would be asked; '' where none is known.
    """

    code = "refused"
    http_status = 403

    def __init__(self, found: str, *, reason: str, coarser: str = "", **parts: str) -> None:
        super().__init__(found, **parts)
        self.reason = reason
        self.coarser = coarser

    def as_dict(self) -> dict[str, str]:
        """As for every error, with the reason code beside, and the coarser question where there is one."""
        said = super().as_dict() | {"reason": self.reason}
        return said | {"coarser": self.coarser} if self.coarser else said


class StoreError(NexomeError, RuntimeError):
    """What is kept cannot be read or written."""

    code = "store"


class DamagedError(StoreError):
    """Stored bytes are not the bytes that were written (flipped bit, cut file, missing part)."""

    code = "damaged"


class NewerVersionError(StoreError):
    """A stored thing was written by a newer Nexome than this one."""

    code = "newer_version"


class BusyError(StoreError):
    """Another process is writing to this root; the message says which and since when."""

    code = "busy"
    http_status = 503


class SpaceError(StoreError):
    """The disk is full, or would be."""

    code = "space"
    http_status = 507
