"""Everything put together: one application of API and pages over one root, and the command that serves it.

One process serves a root. Reads run in threads, never on the event loop. Without a token a reader is
anonymous; `serve` prints a token for the owner that is valid while it runs and kept nowhere.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from nexome.access.centre import Centre
from nexome.access.identity import new_token
from nexome.cli.options import root_argument
from nexome.model.errors import NexomeError, SettingsError, StoreError

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Receive, Scope, Send

    from nexome.access.view import View

API_PATH: Final = "/api/v1"
SHUTDOWN_SECONDS: Final = 10
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def open_view(root: str | Path, *, token: str | None = None, anonymous: bool = False) -> View:
    """A view of a root on this machine; the owner's, unless asked otherwise.

    `token` asks as its holder, `anonymous=True` as anyone without one. Use it in a `with`, or close
    it. Raises NotFoundError when there is no root, RefusedError for a token that opens nothing.
    """
    centre = Centre.open(Path(root))
    try:
        if token is None and not anonymous:
            return centre.owner_view()
        return centre.view_for(token)
    except BaseException:
        centre.close()
        raise


def create_app(centre: Centre, *, counted: bool = True) -> Starlette:
    """The whole application over an opened centre, which it closes when it shuts down.

    `counted=False` leaves the access counter out: for what the server asks itself.
    """
    from starlette.applications import Starlette  # noqa: PLC0415  not for `nexome.open`
    from starlette.concurrency import run_in_threadpool  # noqa: PLC0415
    from starlette.middleware import Middleware  # noqa: PLC0415
    from starlette.routing import Mount  # noqa: PLC0415

    from nexome.web.api import build_api  # noqa: PLC0415
    from nexome.web.counting import AccessCounter, CountingLayer  # noqa: PLC0415
    from nexome.web.heartbeat import Heartbeat  # noqa: PLC0415
    from nexome.web.metrics import metrics_route  # noqa: PLC0415
    from nexome.web.pages import mount_pages  # noqa: PLC0415

    counter = AccessCounter(centre.catalogue.accounts, centre.root.path)
    writable = counted and centre.catalogue.accounts.keeps_counts
    counting = [Middleware(CountingLayer, counter=counter)]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        heartbeat = Heartbeat(centre, counter) if writable else None
        if heartbeat:
            heartbeat.start()
        yield
        if heartbeat:
            await run_in_threadpool(heartbeat.stop)
        centre.close()

    names = frozenset(
        name.strip().lower() for name in centre.settings.allowed_hosts.split(",") if name.strip()
    )
    app = Starlette(
        routes=[metrics_route(centre), Mount(API_PATH, build_api(centre))],
        middleware=[
            *(counting if writable and centre.settings.access_counter else []),
            Middleware(HostGuard, names=names),
        ],
        lifespan=lifespan,
    )
    mount_pages(app, centre)
    return app


class HostGuard:
    """Refuse host names this server does not know, so that no other site can pose as it (DNS rebinding).

    Addresses in figures are always this machine's own; so are localhost and its own names.
    """

    def __init__(self, app: ASGIApp, *, names: frozenset[str]) -> None:
        self._app = app
        self._names = names | {"localhost", socket.gethostname().lower(), socket.getfqdn().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 421."""
        if scope["type"] == "http" and not self._known(dict(scope["headers"]).get(b"host", b"")):
            from starlette.responses import PlainTextResponse  # noqa: PLC0415

            text = "This host name is not served here. Its owner may add it to the setting allowed_hosts.\n"
            await PlainTextResponse(text, status_code=421)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _known(self, header: bytes) -> bool:
        host = header.decode("latin-1").strip().lower()
        bare = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        if bare in self._names:
            return True
        try:
            ipaddress.ip_address(bare)
        except ValueError:
            return False
        return True


@click.command()
@root_argument
@click.option("--host", help="Address to listen on; the setting `host`, else this machine alone.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port; the setting `port`, else 8321. 0: any.")
@click.option("--no-owner-token", is_flag=True, help="Make no token for the owner: for a service.")
@click.option("--access-log", is_flag=True, help="Write a line for each request to stderr.")
def serve(root: Path, host: str | None, port: int | None, no_owner_token: bool, access_log: bool) -> None:
    """Serve the pages and the API of a root, from one process.

    It listens on this machine alone unless told otherwise, and prints an address that signs its owner
    in. Everyone else sees what is open, or what a token grants. Studies may be imported meanwhile;
    they appear when they are published. Stop it with Ctrl-C: requests under way are finished.

    \b
    Examples:
      nexome serve associations
      nexome serve associations --host 0.0.0.0 --port 80 --no-owner-token
    """
    token = None if no_owner_token else new_token()
    with Centre.open(root, owner_token=token) as centre:
        listening = listen(host or centre.settings.host, centre.settings.port if port is None else port)
        with listening:
            server = make_server(centre, access_log=access_log)
            warm_up(centre)
            announce(centre, listening, token)
            server.run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises SettingsError for an address that is none, StoreError for one in use."""
    where = f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror:
        raise SettingsError(f"no address {host!r}", where="--host", expected="127.0.0.1, 0.0.0.0 …") from None
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(2048)
    except OSError as error:
        listening.close()
        todo = "Give another --port, or stop who listens there."
        raise StoreError(error.strerror or "cannot listen", where=where, todo=todo) from None
    return listening


def announce(centre: Centre, listening: socket.socket, token: str | None) -> None:
    """Say where it is served, and the owner's way in; the token is shown only here."""
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}"
    click.echo(f"Nexome serves {centre.root.path} at {address}/")
    if token is not None:
        click.echo(f"You are its owner here:  {address}/en/sign-in?token={token}")
        click.echo(f"您是所有者，由此进入：   {address}/zh/sign-in?token={token}")
    if host not in LOOPBACK:
        click.echo("Others can reach it: without a token they see the open studies only.")
    click.echo("Stop it with Ctrl-C.")


def warm_up(centre: Centre) -> None:
    """Ask the first questions oneself, so that no reader waits for what is loaded and compiled once.

    Readers that connect meanwhile wait in the socket's queue. Nothing is counted as asked. A store that
    cannot answer is served all the same: its errors are told to who asks.
    """
    import asyncio  # noqa: PLC0415  not for `nexome.open`

    try:
        paths = ["/", "/studies", *_warm_selections(centre)]
        _warm_ld(centre)
        token = new_token()  # an owner's questions are not counted; it opens this second centre alone
        with Centre.open(centre.root.path, owner_token=token) as own:
            app = create_app(own, counted=False)
            pages = [f"/{language}{path}" for path in paths for language in ("en", "zh")]
            asyncio.run(_ask(app, [*pages, *(API_PATH + path for path in paths[1:])], token))
    except NexomeError as error:
        logging.getLogger(__name__).warning("the first questions could not be answered: %s", error)
    threading.Thread(target=_warm_knowledge, args=(centre,), name="nexome-warm", daemon=True).start()


def _warm_knowledge(centre: Centre) -> None:
    """Read terms, graph and search index beside serving: of large vocabularies that takes seconds."""
    try:
        view = centre.view_for(None)
        if view.knows:
            view.labels_of([])
        if centre.search_index.exists:
            view.find("a")
    except NexomeError as error:
        logging.getLogger(__name__).warning("search by meaning is not ready: %s", error)


def _warm_selections(centre: Centre) -> list[str]:
    """Resolve what the owner and anonymous readers may ask; paths of a study and a variant as examples."""
    from nexome.store.associations import query  # noqa: PLC0415  not for `nexome.open`

    paths: list[str] = []
    for view in (centre.owner_view(), centre.view_for(None)):
        allowance = centre.allowance(view.principal)
        for study in sorted(allowance.readable)[:1]:
            first = next(query.study_batches(allowance.snapshot, study, rows=1), None)
            if first is None:
                continue
            features = first.features
            query.phewas(allowance.snapshot, features.key(0), allowance.selection).table()
            contig, position = int(features.contig[0]), int(features.position[0])
            name = features.text(0).replace("/", "-")
            variant = f"{allowance.snapshot.assembly.contig_name(contig)}-{position}-{name}"
            paths = [f"/studies/{study}", f"/variants/{variant}"]
    return paths


def _warm_ld(centre: Centre) -> None:
    """Open each panel and ask one of its first variants that vary."""
    view = centre.owner_view()
    for panel in centre.genotypes.sets().values():
        rows = slice(0, min(panel.size, 1_000))
        varying = [row for row, f in enumerate(panel.frequencies(rows).tolist()) if 0 < f < 1]
        if not varying:
            continue
        first = panel.features(rows)
        name = first.text(varying[0]).replace("/", "-")
        contig = centre.root.assembly.contig_name(int(first.contig[varying[0]]))
        view.ld(f"{contig}-{first.position[varying[0]]}-{name}", flank_bp=100_000, panel=panel.name).table()


async def _ask(app: Starlette, paths: list[str], token: str) -> None:
    """Ask an application for pages, within this process, and let the answers go."""

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: object) -> None:
        pass

    headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {token}".encode())]
    for path in paths:
        scope: dict[str, object] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
        }
        scope |= {"scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b""}
        scope |= {"root_path": "", "headers": headers, "client": None, "server": None}
        await app(scope, receive, send)


def make_server(centre: Centre, *, access_log: bool) -> uvicorn.Server:
    """A server that runs until told to stop; requests under way then have SHUTDOWN_SECONDS to end."""
    import uvicorn  # noqa: PLC0415  not for `nexome.open`

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    proxy = centre.settings.trusted_proxy
    config = uvicorn.Config(
        create_app(centre),
        log_level="info" if access_log else "warning",
        access_log=access_log,
        proxy_headers=bool(proxy),
        forwarded_allow_ips=proxy or None,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return uvicorn.Server(config)
