"""The machine a measurement was taken on, and work in a process of its own so that its peak is known."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# The program as a user runs it, without depending on where a console script was put.
PROGRAM: Final = (sys.executable, "-c", "from nexome.main import main; main()")

_PACKAGES: Final = ("nexome", "numpy", "numba", "pyarrow", "tensorstore", "chdb", "duckdb", "pysam")


@dataclass(frozen=True, slots=True)
class Measured:
    """What a function returned, and the most memory its process held (resident, mapped files included)."""

    value: Any
    peak_memory_bytes: int


def describe_machine(folder: Path) -> dict[str, Any]:
    """Processor, cores, memory, free disk at `folder`, system and versions: plain JSON values."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "disk_free_bytes": shutil.disk_usage(folder).free,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())


def in_own_process(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Measured:
    """`work(*args)` in a fresh process (spawned), which ends afterwards. Its errors come through."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        value, peak = pool.submit(_measured, work, args, kwargs).result()
    return Measured(value, peak)


def _measured(work: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[T, int]:
    return work(*args, **kwargs), peak_memory_bytes()


def peak_memory_bytes() -> int:
    """Most memory this process held so far; VmHWM, as ru_maxrss may be the parent's before exec."""
    return _status_bytes("VmHWM")


def anonymous_memory_bytes() -> int:
    """Memory this process holds now that is no mapped file's."""
    return _status_bytes("RssAnon")


def _status_bytes(field: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
