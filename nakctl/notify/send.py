"""A process that sends one notice by one way: `python -m nakctl.notify.send`.

It reads one JSON object on standard input: rig, number and kind of the way in it, label, notice, key, and the
log in which the outcome is written. It prints {"sent": ..., "why": ...} and ends within TOTAL_s, whatever the
other side does. The rig is read anew, so that a mended address is the one that is tried; passwords are looked
up here. No sentence holds more of the other side's answer than its number: it may repeat what we sent.
"""

from __future__ import annotations

import json
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import formatdate
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any, NoReturn
from urllib.parse import urlsplit

from nakctl import __version__, isolated
from nakctl.errors import NakctlError, place_of
from nakctl.notify import log
from nakctl.notify.notice import Notice
from nakctl.rig.notify import MailWords, Way, is_web_address, read_ways, secret

TOTAL_s = 30.0
SILENCE_s = 10.0  # of a server
COMMAND_s = 25.0  # then it is ended
_SHOWN = 300  # letters of what a command complained of, for a test


class NotSent(Exception):
    """Why, in one line without secrets. detail: what only the screen may show."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(why)
        self.detail = detail


def sent(job: Mapping[str, Any]) -> dict[str, Any]:
    """Send it, and say what became of it. Raises nothing; may take for ever."""
    try:
        notice = Notice.from_json(job["notice"])
        return {"sent": True, "why": _send(_way(job), notice)}
    except NotSent as error:
        return {"sent": False, "why": str(error), "detail": error.detail}
    except NakctlError as error:
        return {"sent": False, "why": str(error)}
    except Exception as error:  # noqa: BLE001  (its own words may hold a secret)
        return {"sent": False, "why": f"a fault of nakctl itself ({place_of(error)})"}


def _way(job: Mapping[str, Any]) -> Way:
    ways = read_ways(Path(job["rig"]))
    number = int(job["number"])
    if number > len(ways) or ways[number - 1].kind != job["kind"]:
        raise NotSent(f"{job['rig']} has no such way any more")
    return ways[number - 1]


def _send(way: Way, notice: Notice) -> str:
    """Returns what there is to say although it was sent."""
    match way.kind:
        case "mail":
            return mail(way, notice)
        case "webhook":
            return webhook(way, notice)
        case _:
            return command(way, notice)


# --- mail --------------------------------------------------------------------------------------------------


def mail(way: Way, notice: Notice) -> str:
    words = way.words.mail
    assert words is not None
    password = secret(words.password, words.password_from, way.folder)
    host, port = words.server
    try:
        with _connected(words, host, port) as server:
            if words.user is not None and password is not None:
                server.login(words.user, password)
            refused = server.send_message(_message(words, notice, way.number))
    except (OSError, ValueError) as error:  # ValueError: letters that no mail server takes
        raise NotSent(_why_no_mail(error, words, f"{host}:{port}")) from None
    return f"{host}:{port} refuses to deliver to {_refused(refused)}" if refused else ""


def _why_no_mail(error: Exception, words: MailWords, where: str) -> str:
    match error:
        case smtplib.SMTPAuthenticationError():
            return f"{where} refuses the user {words.user} or the password ({error.smtp_code})"
        case smtplib.SMTPRecipientsRefused():
            return f"{where} refuses to deliver to {_refused(error.recipients)}"
        case smtplib.SMTPSenderRefused():
            return f"{where} refuses mail from {words.from_} ({error.smtp_code})"
        case smtplib.SMTPResponseException():
            return f"{where} refuses the mail ({error.smtp_code})"
        case smtplib.SMTPNotSupportedError():
            return f"{where} offers no way to log in; does tls: fit the port?"
        case smtplib.SMTPServerDisconnected():
            if isinstance(error.__context__, TimeoutError):
                return _link(error.__context__, where)
            return f"{where} closed the connection; does tls: fit the port?"
        case OSError() if not isinstance(error, smtplib.SMTPException):
            return _link(error, where)
        case _:
            return f"{where} and nakctl do not understand each other"


def _connected(words: MailWords, host: str, port: int) -> smtplib.SMTP:
    if words.security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=SILENCE_s, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=SILENCE_s)
    if words.security == "starttls":
        try:
            server.starttls(context=ssl.create_default_context())
        except smtplib.SMTPNotSupportedError:
            server.close()
            raise NotSent(f"{host}:{port} offers no STARTTLS; does tls: fit the port?") from None
        except BaseException:
            server.close()
            raise
    return server


def _message(words: MailWords, notice: Notice, number: int) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = f"nakctl: {notice.title}"
    message["From"], message["To"] = words.from_, ", ".join(words.to)
    message["Date"] = formatdate(notice.unix_s, localtime=True)
    # always the same: a mail that is sent twice is known again
    message["Message-ID"] = f"<{notice.id}.{number}.nakctl@{words.from_.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if notice.severity > 1:
        message["Importance"] = "high"
        message["X-Priority"] = "1"
    message.set_content(notice.text)
    return message


def _refused(recipients: Mapping[str, tuple[int, bytes]]) -> str:
    return ", ".join(f"{address} ({code})" for address, (code, _) in recipients.items())


# --- webhook -----------------------------------------------------------------------------------------------


class _NoDetour(urllib.request.HTTPRedirectHandler):
    """A POST that is sent elsewhere would go there as a GET, without what it says."""

    def redirect_request(self, *_: Any) -> None:
        return None


def webhook(way: Way, notice: Notice) -> str:
    hook = way.words.hook
    url = secret(hook.url, hook.url_from, way.folder) or ""
    if not is_web_address(url):
        raise NotSent(f"{hook.url_from} holds no address such as https://hooks.lab.example/T0/B1")
    headers = {"Content-Type": "application/json", "User-Agent": f"nakctl/{__version__}", **hook.headers}
    if (token := secret(hook.token, hook.token_from, way.folder)) is not None:
        if not (token.isascii() and token.isprintable()):
            raise NotSent("the token has letters that no header takes")
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, body(notice), headers, method="POST")
    where = urlsplit(url).netloc
    try:
        with urllib.request.build_opener(_NoDetour).open(request, timeout=SILENCE_s):
            return ""
    except urllib.error.HTTPError as error:
        error.close()
        raise NotSent(f"{where} answers {_status(error.code)}") from None
    except urllib.error.URLError as error:
        reason = error.reason if isinstance(error.reason, OSError) else OSError("no connection")
        raise NotSent(_link(reason, where)) from None
    except HTTPException:
        raise NotSent(f"{where} does not answer as a web server does") from None
    except OSError as error:
        raise NotSent(_link(error, where)) from None


def body(notice: Notice) -> bytes:
    """`text` is what Slack, Mattermost and their kin show."""
    told = {"title": notice.title, "text": notice.text, "nakctl": notice.as_json()}
    return json.dumps(told).encode()


def _status(code: int) -> str:
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)


# --- command -----------------------------------------------------------------------------------------------


def command(way: Way, notice: Notice) -> str:
    words = list(way.words.command or ())
    program = Path(words[0])
    if program.name != words[0]:
        words[0] = str(way.folder / program.expanduser())
    with _scratch() as said:
        try:
            running = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=said or subprocess.DEVNULL,  # no pipe: nobody waits for what it leaves behind
                cwd=way.folder,
                env={**os.environ, **variables(notice)},
                start_new_session=os.name == "posix",
                creationflags=_own_group(),
            )
        except FileNotFoundError:
            raise NotSent(f"there is no program {program}") from None
        except (OSError, ValueError) as error:
            raise NotSent(f"{program} cannot be started: {_reason(error)}") from None
        try:
            running.communicate(json.dumps(notice.as_json()).encode(), COMMAND_s)
        except subprocess.TimeoutExpired:
            end_all_of(running)
            raise NotSent(f"has not ended within {COMMAND_s:g} s, and was ended", _shown(said)) from None
        if running.returncode:
            raise NotSent(f"left with code {running.returncode}", _shown(said))
    return ""


@contextmanager
def _scratch() -> Iterator[IO[bytes] | None]:
    """None: there is no room for it."""
    try:
        file = tempfile.TemporaryFile()  # noqa: SIM115  (closed below)
    except OSError:
        yield None
        return
    with file:
        yield file


def variables(notice: Notice) -> dict[str, str]:
    told = {
        "EVENT": notice.event,
        "SEVERITY": str(notice.severity),
        "TITLE": notice.title,
        "TEXT": notice.text,
        "RUN": notice.run_id,
        "FILE": notice.file,
        "CHANNEL": notice.channel,
        "CELL": notice.cell,
        "CODE": notice.code,
    }
    return {f"NAKCTL_{name}": value.replace("\0", "") for name, value in told.items()}


def end_all_of(running: subprocess.Popen[Any]) -> None:
    """With what it has started, as far as the system tells."""
    if sys.platform == "win32":
        with suppress(OSError, subprocess.SubprocessError):
            tree = ["taskkill", "/T", "/F", "/PID", str(running.pid)]
            subprocess.run(tree, capture_output=True, timeout=SILENCE_s, check=False)
    else:
        with suppress(OSError):
            os.killpg(running.pid, signal.SIGKILL)
    running.kill()
    with suppress(subprocess.TimeoutExpired):
        running.wait(1.0)


def _own_group() -> int:
    if sys.platform != "win32":
        return 0
    return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW


def _shown(said: IO[bytes] | None) -> str:
    if said is None:
        return ""
    said.seek(0)
    return str(said.read(1 << 16).decode("utf-8", "backslashreplace")).strip()[-_SHOWN:]


# --- why not -----------------------------------------------------------------------------------------------


def _link(error: OSError, where: str) -> str:
    match error:
        case TimeoutError():
            return f"{where} has not answered within {SILENCE_s:g} s"
        case ConnectionRefusedError():
            return f"nobody listens at {where} (connection refused)"
        case socket.gaierror():
            return f"there is no server {where}, or no network"
        case ssl.SSLCertVerificationError():
            return f"the certificate of {where} is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return f"no secure connection to {where} ({error.reason}); does tls: fit the port?"
        case _:
            return f"{where}: {_reason(error)}"


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or "it cannot be done"


# --- the process -------------------------------------------------------------------------------------------


def main() -> NoReturn:
    isolated.begin()
    job = json.loads(sys.stdin.read())
    found: dict[str, Any] = {}
    # Names are looked up, and trickles of bytes read, in calls that know no time-out of all.
    sending = threading.Thread(target=lambda: found.update(sent(job)), daemon=True)
    sending.start()
    sending.join(TOTAL_s)
    told = dict(found) or {"sent": False, "why": f"it was not done within {TOTAL_s:g} s"}
    if job.get("log"):
        written = {name: job.get(name) for name in ("rig", "number", "key")} | {"way": job["label"]}
        about = {name: job["notice"].get(name) for name in ("event", "run_id")}
        log.append(Path(job["log"]), {**written, **about, "sent": told["sent"], "why": told["why"]})
    with suppress(OSError):  # who waited for it may be gone
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
