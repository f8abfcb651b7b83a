"""Completing the event log: a publish killed between its manifest and its event left no line.

The manifest is the truth; the log tells when and how it became so. What the manifest holds and the
log does not tell is added here, marked `recovered`.
"""

from __future__ import annotations

from typing import Final

from nexome.store.associations.manifest import Manifest
from nexome.store.root import Root

PUBLISHED: Final = "study-published"


def complete_events(root: Root, manifest: Manifest) -> int:
    """Append an event for each study version of the manifest that the log does not tell of.

    Returns how many were missing. Call it under the root's lock: a publish in another process may be
    about to append its own. Reads the whole log, so it belongs into housekeeping.
    """
    told = {
        (e.values.get("study"), e.values.get("version")) for e in root.read_events() if e.kind == PUBLISHED
    }
    missing = [s for s in manifest.studies.values() if (s.id, s.version) not in told]
    if missing:
        told_now = [
            {"study": s.id, "version": s.version, "cells": s.cells, "recovered": True} for s in missing
        ]
        root.append_events(PUBLISHED, told_now)
    return len(missing)
