"""`cnnbench serve`: the page of a store, while it grows."""

from __future__ import annotations

import contextlib
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Annotated

import typer

from cnnbench.cli import flags  # noqa: TC001  Typer reads annotations
from cnnbench.errors import CnnbenchError, UsageError
from cnnbench.report.page.material import Material
from cnnbench.store.address import default_url
from cnnbench.store.database import Store
from cnnbench.store.exchange import everything

HERE = "127.0.0.1"
NAMES = (HERE, "localhost")

Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")]


def serve(port: Port = 8017, store: flags.StoreUrl = None) -> None:
    """Show the page of a store in a browser of this machine, and renew it while a campaign runs.

    It listens on this machine alone; from elsewhere, come through ssh -L. Ctrl-C ends it.

    cnnbench serve --port 8017
    """
    place = store or default_url()
    with Store.open(place, read_only=True):
        pass  # what cannot be read is told now
    pages = Pages(place)
    try:
        server = ThreadingHTTPServer((HERE, port), handler(pages))
    except OSError as error:
        raise UsageError(f"cannot listen on port {port}: {error.strerror}; give --port") from None
    with server, contextlib.suppress(KeyboardInterrupt):
        typer.echo(f"http://{HERE}:{server.server_port}/ (Ctrl-C ends it)")
        server.serve_forever()


class Pages:
    """The page of a store, made anew when the store has grown.

    Args:
        place: The store's.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._made_of = ""
        self._page = ""
        self._lock = Lock()

    def stamp(self) -> str:
        """Names the state of the store."""
        with Store.open(self._place, read_only=True) as opened:
            return opened.state()

    def page(self) -> str:
        """The page of the store as it is."""
        from cnnbench.report.page.html import page  # noqa: PLC0415  plotting takes half a second

        with self._lock, Store.open(self._place, read_only=True) as opened:
            if (state := opened.state()) != self._made_of:
                material = Material(recorded=everything(opened))
                self._page, self._made_of = page(material, live=state), state
            return self._page


def handler(pages: Pages) -> type[BaseHTTPRequestHandler]:
    """What answers requests by the pages of a store."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # A name that leads here from elsewhere's page would let that page read this one.
            if self.headers.get("Host", "").rpartition(":")[0] not in NAMES:
                self._answer(HTTPStatus.FORBIDDEN, "ask for this by its address\n", "text/plain")
                return
            try:
                if self.path == "/":
                    self._answer(HTTPStatus.OK, pages.page(), "text/html")
                elif self.path == "/stamp":
                    self._answer(HTTPStatus.OK, pages.stamp(), "text/plain")
                else:
                    self._answer(HTTPStatus.NOT_FOUND, "there is nothing here\n", "text/plain")
            except CnnbenchError as error:
                self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, f"{error}\n", "text/plain")

        def _answer(self, status: HTTPStatus, text: str, kind: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing of each request."""

    return Handler
