"""The server guide works as written: its unit file is sound, and its nginx passes pages and tokens on."""

from __future__ import annotations

import configparser
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "install"
NEXOME = str(Path(sys.executable).with_name("nexome"))
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def block(language: str) -> str:
    """The one fenced block of that language in the server guide."""
    found = re.findall(
        rf"```{language}\n(.*?)```", (GUIDES / "server.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(found) == 1
    return str(found[0])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(*command: str, port: int) -> Iterator[None]:
    """A program that listens on a port of this machine, stopped at the end."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            for _ in range(600):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.1):
                    break
                assert process.poll() is None, process.stdout.read().decode()  # type: ignore[union-attr]
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.communicate(timeout=30)


def get(url: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_the_unit_file_names_real_commands_and_settings():
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(block("ini"))
    words = unit["Service"]["ExecStart"].split()
    help_text = subprocess.run(
        [NEXOME, words[1], "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert [w for w in words if w.startswith("--") and w not in help_text] == []


@pytest.mark.skipif(NGINX is None, reason="nginx is not here")
def test_nginx_in_front_passes_pages_and_keeps_the_host(tmp_path: Path):
    root, behind, front = tmp_path / "root", free_port(), free_port()
    subprocess.run([NEXOME, "init", str(root)], check=True, capture_output=True)
    (root / "nexome.toml").write_text('allowed_hosts = "data.example.org"\ntrusted_proxy = "127.0.0.1"\n')
    server = re.sub(r"^\s*ssl_certificate.*$", "", block("nginx"), flags=re.MULTILINE)
    server = server.replace("listen 443 ssl", f"listen 127.0.0.1:{front}").replace("8321", str(behind))
    paths = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"pid {tmp_path}/pid; error_log stderr; daemon off;\nevents {{}}\n"
        f"http {{ access_log off;\n{paths}{server} }}\n"
    )
    serve = (NEXOME, "serve", str(root), "--port", str(behind), "--no-owner-token")
    assert NGINX is not None
    with running(*serve, port=behind), running(NGINX, "-c", str(config), port=front):
        assert get(f"http://127.0.0.1:{front}/api/v1/health", Host="data.example.org")[0] == 200
        status, page = get(f"http://127.0.0.1:{front}/zh/", Host="data.example.org")
        assert (status, "<html" in page) == (200, True)
        assert get(f"http://127.0.0.1:{front}/api/v1/health", Host="evil.example.net")[0] == 421
        wrong = get(
            f"http://127.0.0.1:{front}/api/v1/studies", Host="data.example.org", Authorization="Bearer x"
        )
        assert wrong[0] in {401, 403}
