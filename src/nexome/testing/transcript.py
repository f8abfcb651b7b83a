"""Console transcripts in documents: run as they stand, compared with what is printed, or written anew.

A block ```console holds commands behind '$ ' (continued behind '> '), each followed by what it prints,
standard error included; a line '…' stands for any lines. All blocks of a page run in one folder, in
order. Seconds of an import are not compared; what a slow machine says of its progress is left out.
`python -m nexome.testing.transcript PAGE FOLDER` runs a page in FOLDER and writes the outputs it has now.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BLOCK: Final = re.compile(r"```console\n(.*?)```", re.DOTALL)
_SECONDS: Final = re.compile(r"(?<= )\d+\.\d$")
_PROGRESS: Final = re.compile(r"\d+/\d+ .+ (?:reading|checking|writing|publishing) .*\d rows\b")
_TIMEOUT_S: Final = 120
_WIDTH: Final = "100"


@dataclass(frozen=True, slots=True)
class Step:
    """One command as typed (continuation lines joined by line breaks) and the lines it should print."""

    command: str
    expected: tuple[str, ...]


def steps_of(page: str) -> list[Step]:
    r"""The steps of all console blocks of a page, in order.

    >>> steps_of("```console\n$ echo a\na\n```")
    [Step(command='echo a', expected=('a',))]
    """
    return [step for block in _BLOCK.findall(page) for step in _steps(block)]


def _steps(block: str) -> list[Step]:
    steps: list[tuple[list[str], list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            steps.append(([line[2:]], []))
        elif line.startswith("> ") and steps and not steps[-1][1]:
            steps[-1][0].append(line[2:])
        elif steps:
            steps[-1][1].append(line)
    return [Step("\n".join(command), tuple(output)) for command, output in steps]


def run_step(step: Step, folder: Path) -> list[str]:
    """Run a command in `folder` by the shell, `nexome` and `python` being this Python's; what it prints."""
    shim = _programs(folder)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("NEXOME_")}
    environment = kept | {
        "PATH": f"{shim}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": _WIDTH,
        "LC_ALL": "C.UTF-8",
    }
    # A library of this process may have blocked it, and `… | head` would then complain as in no shell.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPIPE})
    done = subprocess.run(  # noqa: S603  a command of a page of this repository
        ["/bin/sh", "-c", step.command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_TIMEOUT_S,
        check=False,
    )
    lines = (line.rstrip() for line in done.stdout.decode().splitlines())
    return [line for line in lines if not _PROGRESS.match(line)]


def _programs(folder: Path) -> Path:
    """A folder in `folder` with `nexome` and `python`, both of them this Python's."""
    shim = (folder / ".bin").resolve()
    shim.mkdir(exist_ok=True)
    for name, more in (("nexome", " -m nexome.main"), ("python", "")):
        program = shim / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}"{more} "$@"\n')
        program.chmod(0o755)
    return shim


def agrees(printed: list[str], expected: tuple[str, ...]) -> bool:
    """Whether lines are as a page shows them.

    >>> agrees(["a", "b", "c"], ("a", "…", "c")), agrees(["a"], ("b",))
    (True, False)
    """
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "…" else re.escape(_plain(line)) + r"\n" for line in expected
    )
    return re.fullmatch(pattern, "".join(f"{_plain(line)}\n" for line in printed)) is not None


def _plain(line: str) -> str:
    return _SECONDS.sub("0.0", line.rstrip())


def rewrite(page: str, folder: Path) -> str:
    """The page with every output as it is now; outputs with a '…' stay when they still agree."""

    def block(match: re.Match[str]) -> str:
        lines = []
        for step in _steps(match[1]):
            printed = run_step(step, folder)
            first, *more = step.command.splitlines()
            lines += [f"$ {first}", *(f"> {line}" for line in more)]
            lines += step.expected if agrees(printed, step.expected) else printed
        return "```console\n" + "".join(f"{line}\n" for line in lines) + "```"

    return _BLOCK.sub(block, page)


def _main() -> None:
    path, folder = map(Path, sys.argv[1:3])
    path.write_text(rewrite(path.read_text(encoding="utf-8"), folder), encoding="utf-8")


if __name__ == "__main__":
    _main()
