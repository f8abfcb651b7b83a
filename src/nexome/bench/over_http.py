"""PheWAS over HTTP: the real server in a process of its own, asked from this machine.

Two measurements: as many requests as a few keep-alive connections bring through, and the response
times at a steady 50 requests a second, each counted from when it was due. The client is a small one
of its own (asyncio streams, HTTP/1.1 with Content-Length), so that it does not take the server's
processor; it speaks to the loopback address only, for a bounded time.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

from nexome.bench.machine import PROGRAM
from nexome.model.errors import StoreError

HOST: Final = "127.0.0.1"
CONNECTIONS: Final = 4
STEADY_RATE: Final = 50.0
STEADY_CONNECTIONS: Final = 8
START_S: Final = 60.0
ANSWER_S: Final = 30.0
MOST_REQUESTS: Final = 50_000


@contextmanager
def running_server(root: Path) -> Iterator[int]:
    """`nexome serve` for a root on a free port of the loopback address; ends with the block."""
    port = _free_port()
    command = [*PROGRAM, "serve", str(root), "--port", str(port)]
    with (root.parent / "server.log").open("wb") as log:
        server = subprocess.Popen(  # noqa: S603 - our own interpreter and our own program
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            _wait_until_up(server, port, Path(log.name))
            yield port
        finally:
            _stop(server)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_until_up(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.1)
    tail = log.read_text(encoding="utf-8", errors="replace")[-400:]
    raise StoreError(f"the server did not start: {tail}", where=str(log))


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def measure(port: int, paths: Sequence[str], *, seconds: float) -> dict[str, Any]:
    """Both measurements, asking for `paths` in turn, each for at most `seconds`. JSON values."""
    return asyncio.run(_measure(port, paths, seconds))


async def _measure(port: int, paths: Sequence[str], seconds: float) -> dict[str, Any]:
    warm = await _flood(port, paths, seconds=min(2.0, seconds))
    flood = await _flood(port, paths, seconds=seconds)
    steady = await _steady(port, paths, seconds=seconds)
    return {
        "connections": CONNECTIONS,
        "requests": flood["requests"],
        "requests_per_s": flood["requests_per_s"],
        "answer_bytes": flood["bytes"] // max(1, flood["requests"]),
        "errors": warm["errors"] + flood["errors"] + steady["errors"],
        "steady_rate": STEADY_RATE,
        "steady_requests": steady["requests"],
        "steady_p50_ms": steady["p50_ms"],
        "steady_p95_ms": steady["p95_ms"],
    }


async def _flood(port: int, paths: Sequence[str], *, seconds: float) -> dict[str, Any]:
    """CONNECTIONS clients, each asking again as soon as it was answered."""
    until = time.perf_counter() + seconds
    done: list[tuple[int, int]] = []

    async def client(offset: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        k = offset
        while time.perf_counter() < until and len(done) < MOST_REQUESTS:
            done.append(await get(reader, writer, paths[k % len(paths)]))
            k += CONNECTIONS
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client(i) for i in range(CONNECTIONS)))
    took = time.perf_counter() - began
    return {
        "requests": len(done),
        "requests_per_s": round(len(done) / took, 1),
        "bytes": sum(size for _, size in done),
        "errors": sum(status != 200 for status, _ in done),
    }


async def _steady(port: int, paths: Sequence[str], *, seconds: float) -> dict[str, Any]:
    """One request every 1/STEADY_RATE s; a late answer delays no other as long as connections are free."""
    pool: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(STEADY_CONNECTIONS):
        pool.put_nowait(await asyncio.open_connection(HOST, port))
    took: list[float] = []
    errors = 0
    count = int(seconds * STEADY_RATE)
    began = time.perf_counter()

    async def one(k: int) -> None:
        nonlocal errors
        due = began + k / STEADY_RATE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        connection = await pool.get()
        status, _ = await get(*connection, paths[k % len(paths)])
        took.append(time.perf_counter() - due)
        errors += status != 200
        pool.put_nowait(connection)

    await asyncio.gather(*(one(k) for k in range(count)))
    while not pool.empty():
        pool.get_nowait()[1].close()
    p50, p95 = np.percentile(np.asarray(took) * 1e3, [50, 95])
    return {
        "requests": count,
        "errors": errors,
        "p50_ms": round(float(p50), 3),
        "p95_ms": round(float(p95), 3),
    }


async def ask_once(port: int, path: str, *, accept: str = "application/json") -> tuple[int, int]:
    """Status and length of the body of one answer over a connection of its own."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        return await get(reader, writer, path, accept=accept)
    finally:
        writer.close()


async def get(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    path: str,
    *,
    accept: str = "application/json",
    packed: bool = False,
) -> tuple[int, int]:
    """Status and length of the body of one answer; the body is read and let go. `packed`: gzip is taken."""
    takes = "Accept-Encoding: gzip\r\n" if packed else ""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept: {accept}\r\n{takes}\r\n".encode())
    async with asyncio.timeout(ANSWER_S):
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        size = int(fields["content-length"])
        await reader.readexactly(size)
    return int(lines[0].split()[1]), size
