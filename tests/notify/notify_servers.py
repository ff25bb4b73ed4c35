"""Real servers on this computer that take mail and posts, and ones that do neither."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from nakctl.notify.notice import Notice
from nakctl.rig.notify import read_notify

PEM = Path(__file__).with_name("localhost.pem")
USER, PASSWORD = "rig", "geheim-42"


@dataclass
class MailBox:
    """What a mail server took; refuses: recipients to whom it does not deliver."""

    refuses: tuple[str, ...] = ()
    mails: list[EmailMessage] = field(default_factory=list)
    users: list[bytes] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuses:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"

    def login(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.users.append(data.login)
        fits = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=fits, handled=False)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return SMTP(self.handler, **self.SMTP_kwargs)


@contextmanager
def mail_server(*, tls: str = "none", refuses: tuple[str, ...] = ()) -> Iterator[MailBox]:
    """tls: none, starttls (with login), or tls from the first byte on."""
    box = MailBox(refuses, port=free_port())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    options: dict[str, Any] = {}
    if tls == "starttls":
        options = {
            "tls_context": context, "require_starttls": True, "authenticator": box.login, "auth_required": True,
        }  # fmt: skip
    secure = {"ssl_context": context} if tls == "tls" else {}
    server = _Controller(box, hostname="127.0.0.1", port=box.port, **secure, **options)
    server.start()
    try:
        yield box
    finally:
        server.stop()


@dataclass
class Hook:
    """What a web server was sent; answers: with this status."""

    answers: int = 200
    posts: list[tuple[dict[str, str], Any]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/s3cret"


@contextmanager
def web_server(answers: int = 200) -> Iterator[Hook]:
    hook = Hook(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.posts.append((dict(self.headers), json.loads(body)))
            self.send_response(hook.answers)
            if 300 <= hook.answers < 400:
                self.send_header("Location", hook.url)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.port = server.server_address[1]
    thread = threading.Thread(target=lambda: server.serve_forever(0.05))
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def silent_server() -> Iterator[int]:
    """Takes a connection, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def rig_with(folder: Path, *ways: str) -> Path:
    """A rig file with these entries of `notify:`, each in braces."""
    file = folder / "rig.yaml"
    lines = ["nakctl-rig: 1", "notify:", *(f"  - {way}" for way in ways)]
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return file


def job(rig: Path, number: int = 1, **more: Any) -> dict[str, Any]:
    """As the keeper gives it."""
    from nakctl.text.reader import read_file

    way = read_notify(read_file(rig).data["notify"], rig)[0][number - 1]
    about = {"rig": str(rig), "number": number, "kind": way.kind, "label": way.label}
    return {**about, "notice": NOTICE.as_json(), **more}


NOTICE = Notice(
    event="alarm",
    severity=2,
    title="ALARM: the channel is told to stop, and runs on (left, cell Nä7)",
    text="ALARM: the channel is told to stop, and runs on\n\nEwe 12 µV",
    unix_s=1.8e9,
    code="not_stopped",
    run_id="0000002a-0000-4000-8000-000000000000",
    file="/data/a.h5",
    channel="left",
    cell="Nä7",
    id="0123456789ab",
)
