"""What a server does beside answering: writes its counts, keeps the watch, samples the measures once a day.

It also lets the search index follow what is published (`web.following`).

One thread, a beat every few seconds. Of several servers of one root the one that holds the watch counts
uptime and samples; another takes over when it is gone. A beat that fails is tried again at the next; readers
never notice.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Final

from nexome.access.centre import Centre
from nexome.model.errors import NexomeError
from nexome.report.measures import measure
from nexome.store.disk import now_iso
from nexome.store.measures import append_readings, last_sample
from nexome.store.serving import Watch
from nexome.web.counting import AccessCounter
from nexome.web.following import IndexFollower

BEAT_SECONDS: Final = 5.0
UP_SECONDS: Final = 60.0  # uptime is written this often: at most this much of it is lost in a crash
_STOP_SECONDS: Final = 30.0
_log: Final = logging.getLogger(__name__)


class Heartbeat:
    """The thread, from `start` to `stop`."""

    def __init__(self, centre: Centre, counter: AccessCounter, *, beat_s: float = BEAT_SECONDS) -> None:
        self._centre, self._counter, self._beat_s = centre, counter, beat_s
        self._watch = Watch(centre.root.path)
        self._follower = IndexFollower(centre)
        self._counted = 0.0
        self._told = ""
        self._sampled = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nexome-heartbeat", daemon=True)

    def start(self) -> None:
        """Begin; the first beat comes at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after a last beat that writes everything, and say that the server stopped."""
        self._over.set()
        self._thread.join(_STOP_SECONDS)
        if self._watch.held:
            self._count_up(time.monotonic())
        self._follower.stop()
        self._try(self._counter.flush)
        if self._watch.held:
            self._try(lambda: self._centre.root.append_event("server-stopped"))
            self._watch.release()

    def _run(self) -> None:
        self._try(self.beat)
        while not self._over.wait(self._beat_s):
            self._try(self.beat)

    def beat(self) -> None:
        """Write the counts; as the one that holds the watch, count uptime and sample where it is time."""
        self._counter.flush()
        now = time.monotonic()
        if not self._watch.held:
            self._take(now)
        else:
            self._watch.beat()
        if self._watch.held:
            if now - self._counted >= UP_SECONDS:
                self._count_up(now)
            self._sample_once_a_day()
            self._follower.beat()

    def _take(self, now: float) -> None:
        left = self._watch.take()
        if left is None:
            return
        self._counted = now
        root = self._centre.root
        if left:
            values: dict[str, Any] = {name: left.get(name, "") for name in ("since", "seen")}
            root.append_event("server-lost", **values)
        root.append_event("server-started")

    def _count_up(self, now: float) -> None:
        seconds = int(now - self._counted)
        self._counted += seconds
        self._counter.count_seconds_up(seconds)

    def _sample_once_a_day(self) -> None:
        today = now_iso()[:10]
        if self._sampled == today:
            return
        root = self._centre.root.path
        if last_sample(root)[:10] != today:
            append_readings(root, measure(self._centre, fresh=True))
        self._sampled = today

    def _try(self, work: Any) -> None:
        """Do something that may fail for a while (a busy catalogue, a full disk); told once, not always."""
        try:
            work()
        except (NexomeError, OSError) as error:
            if str(error) != self._told:
                _log.warning("not counted or sampled just now: %s", error)
            self._told = str(error)
        except Exception:  # noqa: BLE001 - a mistake of ours must not end the counting
            _log.exception("the heartbeat failed")
        else:
            self._told = ""
