"""A pipe that is read in part is as quiet as in a shell, whatever this process has blocked."""

import signal
from pathlib import Path

from nexome.testing.transcript import Step, run_step


def test_a_reader_that_stops_early_is_no_complaint(tmp_path: Path) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
    try:
        printed = run_step(Step("seq 200000 | cut -c 1-9 | head -n 1", ("1",)), folder=tmp_path)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert printed == ["1"]
