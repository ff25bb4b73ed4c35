"""`notify:` of rig.yaml: who is told when something happens to a run, and by which way.

These words are read on their own, so that a slip elsewhere in the file keeps nobody from being told.
Passwords and tokens are looked up where a notice is sent, and nowhere else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from nakctl.device.events import NEWS
from nakctl.errors import Fault, NakctlError, RigError, typed
from nakctl.text.faults import Problem, did_you_mean, problems
from nakctl.text.reader import read_file

KINDS = ("mail", "webhook", "command")
PORTS = {"starttls": 587, "tls": 465, "none": 25}
_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+", re.ASCII)
_SERVER = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(?::(\d{1,5}))?")
_SECRET = re.compile(r"(env|file) +(\S.*)")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SCRIPTS = (".py", ".ps1", ".sh", ".bat", ".cmd", ".js", ".pl")
_SHOWN = re.compile(
    r"""(\b(?:password|token|url|webhook)['"]?\s*:\s*)(?:'[^']*'|"[^"]*"|[^\s{,}'"][^\s,}]*)"""
)
_OF_THIS_COMPUTER = ("localhost", "127.0.0.1", "[::1]", "::1")

Event = Literal["start", "end", "alarm", "ask", "gap", "low disk", "taken over", "dead", "hung"]
Text = Annotated[str, Field(min_length=1)]


class Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class MailWords(Words):
    """smtp: `server` or `server:port`; tls: starttls unless the port is 465."""

    to: list[str] = Field(min_length=1)
    from_: str = Field(alias="from")
    smtp: str
    user: Text | None = None
    password: SecretStr | None = None
    password_from: str | None = None
    tls: Literal["starttls", "tls", "none"] | None = None

    @property
    def server(self) -> tuple[str, int]:
        found = _SERVER.fullmatch(self.smtp)
        assert found is not None  # it was checked
        return found[1].strip("[]"), int(found[2] or PORTS[self.security])

    @property
    def security(self) -> str:
        if self.tls is not None:
            return self.tls
        return "tls" if self.smtp.endswith(":465") else "starttls"


class WebhookWords(Words):
    """token goes into `Authorization: Bearer`; url_from, token_from: `env NAME` or `file PATH`."""

    url: SecretStr | None = None
    url_from: str | None = None
    token: SecretStr | None = None
    token_from: str | None = None
    headers: dict[str, str] = {}


class WayWords(Words):
    """One of mail, webhook and command; on: what of (all but start); channels: of which (all)."""

    mail: MailWords | None = None
    webhook: str | WebhookWords | None = None
    command: list[Text] | None = Field(None, min_length=1)
    on: list[Event] | None = Field(None, min_length=1)
    channels: list[str] | None = Field(None, min_length=1)

    @property
    def kinds(self) -> list[str]:
        return [kind for kind in KINDS if kind in self.model_fields_set]

    @property
    def hook(self) -> WebhookWords:
        if isinstance(self.webhook, WebhookWords):
            return self.webhook
        return WebhookWords(url=SecretStr(self.webhook or ""))


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody is told.

    number  in the list of the rig, from 1; folder: of the rig file, in which names of files begin
    label   what people call it; it holds no secret
    """

    number: int
    kind: str
    label: str
    words: WayWords
    folder: Path

    @property
    def on(self) -> tuple[str, ...]:
        return tuple(self.words.on or NEWS[1:])

    @property
    def channels(self) -> tuple[str, ...] | None:
        """None: all."""
        return None if self.words.channels is None else tuple(self.words.channels)


def read_ways(file: Path) -> list[Way]:
    """Of this rig file. RigError without a line of it, because it may be written down."""
    try:
        data = read_file(file, RigError).data
        ways, found = read_notify(data.get("notify"), file)
    except RigError:
        ways, found = [], [Problem((), "")]
    if found:
        check = f"nakctl rig check {typed(file)}"
        raise RigError(f"{file}: who is to be told cannot be read; what is wrong: {check}")
    return ways


def read_notify(
    written: Any, file: Path, channels: Iterable[str] | None = None
) -> tuple[list[Way], list[Problem]]:
    """The ways, and everything that is wrong with them. channels: that there are; None: nobody knows."""
    if written is None:
        return [], []
    data = {"notify": written}
    try:
        words = _Section.model_validate(data).notify
    except ValidationError as error:
        return [], problems(error, data, _Section, {}, "notify")
    found = [problem for number, way in enumerate(words) for problem in _wrong(number, way, channels)]
    if found:
        return [], found
    return ways_of(words, file), []


def ways_of(words: Iterable[WayWords], file: Path) -> list[Way]:
    """Of words that were checked."""
    folder = file.resolve().parent
    return [Way(n, way.kinds[0], _label(way), way, folder) for n, way in enumerate(words, 1)]


def without_secrets(faults: Iterable[Fault]) -> list[Fault]:
    """Their lines are shown, and copied into letters and tickets."""
    return [replace(fault, text=_SHOWN.sub(r"\1***", fault.text)) for fault in faults]


class _Section(Words):
    notify: list[WayWords]


def secret(said: SecretStr | None, looked_up: str | None, folder: Path) -> str | None:
    """A password or a token; None: there is none. NakctlError: it cannot be had."""
    if looked_up is None:
        return None if said is None else said.get_secret_value()
    found = _SECRET.fullmatch(looked_up)
    assert found is not None  # it was checked
    where, name = found[1], found[2].strip()
    if where == "env":
        if not (value := os.environ.get(name)):
            raise NakctlError(f"the environment variable {name} is not set, or is empty")
        return value
    try:
        value = (folder / Path(name).expanduser()).read_text(encoding="utf-8").strip()
    except (OSError, ValueError, RuntimeError) as error:
        raise NakctlError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not value or "\n" in value:
        raise NakctlError(f"{name} must hold the secret and nothing else, on one line")
    return value


def _label(way: WayWords) -> str:
    match way.kinds[0]:
        case "mail":
            assert way.mail is not None
            return f"mail to {', '.join(way.mail.to)}"
        case "webhook":
            hook = way.hook
            url = urlsplit(hook.url.get_secret_value()) if hook.url else None
            return f"webhook {url.hostname if url else hook.url_from}"
        case _:
            return f"command {' '.join(_program(way.command or []))}"


def _program(words: list[str]) -> list[str]:
    """Its name, and that of the script it runs: what follows may hold a token."""
    return [Path(words[0]).name, *(Path(word).name for word in words[1:2] if Path(word).suffix in _SCRIPTS)]


# --- what may be wrong ---------------------------------------------------------------------------------


def _wrong(number: int, way: WayWords, channels: Iterable[str] | None) -> Iterator[Problem]:
    at = ("notify", number)
    kinds = way.kinds
    if len(kinds) != 1:
        ways = " and ".join(kinds) + " are ways of their own: begin a new one with `- `"
        text = ways if kinds else f"needs one of the words {', '.join(KINDS)}"
        yield Problem((*at, kinds[1]) if kinds else at, text, at_key=bool(kinds))
        return
    if getattr(way, kinds[0]) is None:
        yield Problem((*at, kinds[0]), f"{kinds[0]} says nothing")
        return
    checks: dict[str, Callable[[WayWords], Iterator[tuple[str, str]]]] = {
        "mail": _wrong_mail,
        "webhook": _wrong_hook,
        "command": _wrong_command,
    }
    for word, text in checks[kinds[0]](way):
        loc = (*at, kinds[0], word) if word else (*at, kinds[0])
        yield Problem(loc, text)
    known = None if channels is None else list(channels)
    for place, name in enumerate(way.channels or ()):
        if known is not None and name not in known:
            hint = did_you_mean(name, known)
            yield Problem((*at, "channels", place), f"there is no channel {name}{hint}")


def _wrong_mail(way: WayWords) -> Iterator[tuple[str, str]]:
    mail = way.mail
    assert mail is not None
    for word, addresses in (("to", mail.to), ("from", [mail.from_])):
        for address in addresses:
            if not _ADDRESS.fullmatch(address):
                yield word, f"{address!r} is no mail address, such as anna@lab.example"
    server = _SERVER.fullmatch(mail.smtp)
    if server is None or not 0 < int(server[2] or 1) < 65536:
        yield "smtp", f"{mail.smtp!r} is no server, such as mail.lab.example or mail.lab.example:587"
        return
    yield from _wrong_secret("password", mail.password, mail.password_from)
    has_password = mail.password is not None or mail.password_from is not None
    if has_password and mail.user is None:
        yield "", "a password needs the word user beside it"
    if mail.user is not None and not has_password:
        yield "user", "user needs the word password or password_from beside it"
    if has_password and mail.security == "none" and server[1].lower() not in _OF_THIS_COMPUTER:
        yield "tls", "with tls: none everybody on the way reads the password: use starttls or tls"


def _wrong_hook(way: WayWords) -> Iterator[tuple[str, str]]:
    hook = way.hook
    plain = not isinstance(way.webhook, WebhookWords)
    yield from _wrong_secret("url", hook.url, hook.url_from)
    yield from _wrong_secret("token", hook.token, hook.token_from)
    if hook.url is None and hook.url_from is None:
        yield "", "webhook needs the word url or url_from"
    if hook.url is not None and not is_web_address(hook.url.get_secret_value()):
        yield "" if plain else "url", "must be an address such as https://hooks.lab.example/T0/B1"
    for name, value in hook.headers.items():
        if not _HEADER.fullmatch(name) or not value.isprintable() or not value.isascii():
            yield "headers", f"{name}: names and values of headers are one line of ASCII"


def _wrong_command(way: WayWords) -> Iterator[tuple[str, str]]:
    if any("\0" in part for part in way.command or ()):
        yield "", "no part of a command may hold a NUL"


def _wrong_secret(word: str, said: SecretStr | None, looked_up: str | None) -> Iterator[tuple[str, str]]:
    if said is not None and looked_up is not None:
        yield f"{word}_from", f"{word} is given already: give one of them"
    if looked_up is not None and not _SECRET.fullmatch(looked_up):
        yield f"{word}_from", "must be `env NAME` or `file PATH`: where it is looked up"


def is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.username is None  # urllib would take it for a port, and say it aloud
            and parts.port != 0
            and url.isascii()
            and url.isprintable()
            and " " not in url
        )
    except ValueError:
        return False
