"""The search index kept up with what is published, by a process beside the server.

At each beat of the server that holds the watch: an index that is behind, and has been so in the same way for
a whole beat (an import may be under way), is built by `nexome search index --if-behind`, at low priority in
a process of its own, so that answering never waits for it. Between two builds lies at least twice what the
last one took. The new generation is asked from the next question on.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nexome.access.indexing import is_behind, made_of

if TYPE_CHECKING:
    from nexome.access.centre import Centre

_REST: Final = 2.0  # times as long as the last build took
_NICE: Final = 10
_log: Final = logging.getLogger(__name__)


class IndexFollower:
    """Called at each beat; `stop` ends a build that is under way."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._process: subprocess.Popen[bytes] | None = None
        self._began = self._rests_until = 0.0
        self._seen: dict[str, Any] | None = None

    def beat(self) -> None:
        """Begin to build where the index is behind and nothing moves; tell of a build that failed."""
        if self._process is not None:
            if self._process.poll() is None:
                return
            self._end()
        if not self._centre.settings.follow_search or not is_behind(self._centre):
            self._seen = None
            return
        made = made_of(self._centre)
        if made != self._seen:
            self._seen = made
        elif time.monotonic() >= self._rests_until:
            self._start()

    def stop(self) -> None:
        """End a build that is under way: what is asked stays as it was."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        self._process = None

    @property
    def building(self) -> bool:
        """Whether a build is under way."""
        return self._process is not None

    def _start(self) -> None:
        root = Path(self._centre.root.path).resolve()
        words = [sys.executable, "-m", "nexome.main", "search", "index", "--if-behind", "--root", str(root)]
        null = subprocess.DEVNULL
        self._process = subprocess.Popen(words, stdin=null, stdout=null, stderr=null)  # noqa: S603  our words
        os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICE)
        self._began = time.monotonic()

    def _end(self) -> None:
        assert self._process is not None  # noqa: S101
        took = time.monotonic() - self._began
        self._rests_until = time.monotonic() + _REST * took
        if self._process.returncode:
            _log.warning("the search index is behind: building it ended with %s", self._process.returncode)
        self._process = None
