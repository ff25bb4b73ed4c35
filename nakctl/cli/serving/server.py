"""How the live page is asked for: a web server on this computer's own address, that says nothing of itself.

Pages are texts, figures documents of Bokeh, and once a second a page fetches what is new. So there is no
session to be kept: any number of pages look, each is made anew by one answer, and a page whose server was
gone goes on when there is one again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tornado.web import Application, RequestHandler

from nakctl.cli.serving.errands import AFTER, Reports, Stops
from nakctl.cli.serving.guard import Guard
from nakctl.cli.serving.listening import Web
from nakctl.cli.serving.lookout import Lookout
from nakctl.page import live
from nakctl.page.document import asset, bokeh_js

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_STRANGER = "this page is for who started it: open the address that nakctl serve has printed"
_MOST_BYTES = 4096  # of what is asked
_ASSETS: dict[str, tuple[str, Callable[[], str]]] = {
    "bokeh.js": ("text/javascript", bokeh_js),
    "page.js": ("text/javascript", lambda: asset("page.js")),
    "live.js": ("text/javascript", lambda: asset("live.js")),
    "page.css": ("text/css", lambda: asset("page.css")),
}


@dataclass(slots=True)
class Server:
    """control: whether runs can be stopped from a page."""

    guard: Guard
    lookout: Lookout
    control: bool
    reports: Reports = field(default_factory=Reports)
    stops: Stops = field(default_factory=Stops)
    # One look at a time, beside the loop that answers: a drive may take its time.
    looking: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    async def see(self, look: Callable[..., Any], *what: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.looking, look, *what)


class _Handler(RequestHandler):
    """Lets nobody in who has no business here."""

    server: Server

    def initialize(self, server: Server) -> None:
        self.server = server

    def set_default_headers(self) -> None:
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")
        self.clear_header("Server")

    def prepare(self) -> None:
        guard = self.server.guard
        if not guard.is_ours(self.request.headers.get("Host")):
            self.refuse(403, "this is no name of this computer")
        elif not self.is_known():
            self.refuse(403, _STRANGER)

    def is_known(self) -> bool:
        guard = self.server.guard
        return guard.knows(self.get_cookie(guard.cookie))

    @property
    def root(self) -> str:
        return self.server.guard.root

    def refuse(self, code: int, why: str) -> None:
        self.set_status(code)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(live.sentence(why))

    def write_error(self, status_code: int, **_: Any) -> None:
        self.refuse(status_code, "there is nothing here" if status_code == 404 else "that cannot be answered")

    def give(self, page: str) -> None:
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(page)

    def tell(self, told: Any) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(_finite(told), separators=(",", ":"), allow_nan=False))


class _Door(_Handler):
    """The address that was printed: it holds the token, and no other address does."""

    def is_known(self) -> bool:
        return self.server.guard.knows(self.get_query_argument("token", None))

    def get(self) -> None:
        guard = self.server.guard
        self.set_cookie(
            guard.cookie, self.get_query_argument("token"), path=guard.root, httponly=True, samesite="Lax"
        )
        self.redirect(f"{guard.root}/")


class _Wall(_Handler):
    def get(self) -> None:
        folder = self.server.lookout.folder
        self.give(live.wall("" if folder is None else str(folder), self.root, control=self.server.control))


class _WallData(_Handler):
    async def get(self) -> None:
        self.tell(await self.server.see(self.server.lookout.wall))


class _Run(_Handler):
    async def get(self, run_id: str) -> None:
        run = await self.server.see(self.server.lookout.run, run_id)
        if run is None:
            self.refuse(404, "there is no such run any more")
        else:
            title, areal = run.protocol or "a run", bool(run.area_cm2)
            self.give(live.run(title, run_id, self.root, areal=areal, control=self.server.control))


class _RunData(_Handler):
    async def get(self, run_id: str) -> None:
        told = await self.server.see(self.server.lookout.page, run_id)
        if told is None:
            self.refuse(404, "there is no such run any more")
        else:
            self.tell({**told, "asked": self.server.stops.told(run_id)})


class _Stop(_Handler):
    async def post(self, run_id: str) -> None:
        """Only where that was allowed at the start, and from a page of ours."""
        server, after = self.server, self.request.body.decode("utf-8", "replace")
        if not server.control:
            return self.refuse(403, "this server only shows: nakctl serve --control lets runs be stopped")
        headers = self.request.headers
        if not server.guard.is_from_us(headers.get("Origin")) or "X-Nakctl" not in headers:
            return self.refuse(403, _STRANGER)
        run = await server.see(server.lookout.run, run_id)
        if run is None or after not in AFTER:
            return self.refuse(404, "there is no such run any more")
        server.stops.ask(run_id, str(run.path), after)
        return self.tell(server.stops.told(run_id))


class _Report(_Handler):
    async def get(self, run_id: str) -> None:
        file = await self.server.see(self.server.lookout.file, run_id)
        if file is None or not file.is_file():
            return self.refuse(404, "there is no such file any more")
        found = self.server.reports.page(file)
        if found is None:
            return self.give(live.sentence("the report is being drawn ...", again_s=1))
        if isinstance(found, str):
            return self.refuse(500, found)
        self.clear_header("Content-Security-Policy")  # it brings its own, stricter one
        self.set_header("Content-Type", "text/html; charset=utf-8")
        with found.open("rb") as page:
            while part := page.read(1 << 20):
                self.write(part)
                await self.flush()
        return None


class _Asset(_Handler):
    def get(self, name: str) -> None:
        kind, content = _ASSETS[name]
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.set_header("Cache-Control", "private, no-cache")  # nakctl may be another version by now
        self.finish(content())


def _finite(told: Any) -> Any:
    """JSON knows no NaN."""
    if isinstance(told, dict):
        return {name: _finite(each) for name, each in told.items()}
    if isinstance(told, list | tuple):
        return [_finite(each) for each in told]
    return None if isinstance(told, float) and told - told != 0 else told


def application(server: Server) -> Application:
    about, name, root = {"server": server}, "([0-9A-Za-z_-]{1,64})", server.guard.root
    return Application(
        [
            ("/", _Door, about),
            (f"{root}/", _Wall, about),
            (f"{root}/wall.json", _WallData, about),
            (f"{root}/run/{name}", _Run, about),
            (f"{root}/run/{name}/now.json", _RunData, about),
            (f"{root}/run/{name}/stop", _Stop, about),
            (f"{root}/report/{name}", _Report, about),
            (f"{root}/({'|'.join(_ASSETS)})", _Asset, about),
        ],
        default_handler_class=_Nothing,
        default_handler_args=about,
    )


class _Nothing(_Handler):
    def prepare(self) -> None:
        super().prepare()
        if not self._finished:
            self.refuse(404, "there is nothing here")


def serve(
    listening: socket.socket, known: str, folder: Path | None, control: bool, ready: Callable[[int], None]
) -> None:
    """Until KeyboardInterrupt. ready: is told the port, once there is somebody to answer."""
    for name in ("tornado.access", "tornado.general"):  # addresses hold the token, and what strangers like
        logging.getLogger(name).setLevel(logging.CRITICAL)
    port = int(listening.getsockname()[1])
    server = Server(Guard(port, known), Lookout(folder), control)

    async def answer() -> None:
        web = Web(
            application(server), max_body_size=_MOST_BYTES, max_header_size=16384, idle_connection_timeout=60,
            body_timeout=10,
        )  # fmt: skip
        web.add_sockets([listening])
        ready(port)
        await asyncio.Event().wait()

    try:
        asyncio.run(answer())
    finally:
        server.reports.close()
        server.looking.shutdown(wait=False, cancel_futures=True)
