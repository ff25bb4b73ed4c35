"""Requests to a run that goes on, as files: `NAME.h5.asked/` is its mailbox.

    ID.request   put there by whoever asks: JSON with id, verb, arguments, who, when
    ID.answer    put there by the run: JSON with id, state, text, cell_open; then the request is removed

Both are put there by rename, so nobody sees half of one. Whatever else lies there is no request. Reading is
bounded, follows no link and waits for no writer: nothing that lies there holds anybody up.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from getpass import getuser
from itertools import islice
from pathlib import Path
from platform import node
from typing import Any, Literal

from nakctl.errors import InputError
from nakctl.record.files import asked_of, put_in_place

State = Literal["waits", "done", "refused"]
VERBS: Mapping[str, frozenset[str]] = {  # and their arguments, texts all of them
    "stop": frozenset({"after"}),
    "withdraw": frozenset(),
    "note": frozenset({"text"}),
    "pause": frozenset({"after", "why"}),
    "resume": frozenset({"why"}),
    "skip": frozenset({"why"}),
}
MOST_BYTES, MOST_FILES = 4096, 1024  # of a request; that are looked at together
MOST_TEXT_BYTES, MOST_WHY_BYTES, MOST_WHO_BYTES = 200, 80, 50  # a line of the table of events has 256
_LONGEST = {"text": MOST_TEXT_BYTES, "why": MOST_WHY_BYTES}
_REQUEST, _ANSWER = ".request", ".answer"
_ID = re.compile(r"[0-9A-Za-z-]{8,48}")


@dataclass(frozen=True, slots=True)
class Request:
    """when: local time with its offset, ISO 8601, as who asked has it."""

    id: str
    verb: str
    arguments: dict[str, str] = field(default_factory=dict)
    who: str = ""
    when: str = ""

    @property
    def is_stop(self) -> bool:
        """At once, that is."""
        return self.verb == "stop" and "after" not in self.arguments


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request. text: a sentence.

    state      waits: it was taken, and there is more to come; done; refused
    cell_open  whether the channel was seen stopped, once the run is over; None: that was not the question
    """

    id: str
    state: State
    text: str
    cell_open: bool | None = None


class NoRequest(ValueError):
    """What lies in the mailbox and is none; why."""


# --- who asks -----------------------------------------------------------------------------------------------


def new_request(verb: str, **arguments: str) -> Request:
    """Of this user, now. InputError: the text is too long, or no line."""
    for name, what, rather in (("text", "note", "make two of it"), ("why", "reason", "a note keeps more")):
        text = arguments.get(name, "x")
        if not text.strip():
            raise InputError(f"the {what} is empty")
        if not text.isprintable():
            raise InputError(f"a {what} is one line of text")
        if (many := len(text.encode())) > _LONGEST[name]:
            most = _LONGEST[name]
            raise InputError(f"a {what} has {most} bytes at the most, and this one has {many}: {rather}")
    made = f"{time.time_ns():x}-{secrets.token_hex(4)}"  # in the order in which they were made
    return Request(
        made, verb, arguments, who_asks(), datetime.now().astimezone().isoformat(timespec="seconds")
    )


def name_of(request: Request) -> str:
    return f"{request.id}{_REQUEST}"


def put(path: Path, request: Request) -> None:
    """Into the mailbox of NAME.h5. OSError: there is none (FileNotFoundError), or it takes nothing."""
    _put(asked_of(path) / name_of(request), asdict(request), durable=True)


def answer_to(path: Path, request_id: str) -> Answer | None:
    """None: there is none yet, or none any more."""
    try:
        told = json.loads(_content(asked_of(path) / f"{request_id}{_ANSWER}"))
        return Answer(**told)
    except (OSError, ValueError, TypeError):
        return None


# --- the run ------------------------------------------------------------------------------------------------


def lying_in(path: Path) -> Iterator[str]:
    """Names of what may be requests, and of what has no business there. OSError: there is no such folder."""
    with os.scandir(asked_of(path)) as entries:
        names = (entry.name for entry in entries)
        there = (name for name in names if not (name.startswith(".") or name.endswith(_ANSWER)))
        yield from islice(there, MOST_FILES)


def read(path: Path, name: str) -> Request:
    """A file of the mailbox. NoRequest: it is none; OSError: it cannot be read now, or is gone."""
    if not name.endswith(_REQUEST):
        raise NoRequest("it has another name")
    file = asked_of(path) / name
    try:
        told = json.loads(_content(file))
    except ValueError as error:
        raise NoRequest(f"it is no JSON: {error}"[:200]) from error
    except RecursionError:
        raise NoRequest("it is no JSON of a request") from None
    return _understood(told, name.removesuffix(_REQUEST))


def answer(path: Path, given: Answer) -> None:
    """In place of the request. OSError: the folder takes nothing."""
    _put(asked_of(path) / f"{given.id}{_ANSWER}", asdict(given))
    discard(path, f"{given.id}{_REQUEST}")


def discard(path: Path, name: str) -> None:
    """OSError: it stays."""
    file = asked_of(path) / name
    try:
        file.unlink(missing_ok=True)
    except OSError:
        file.rmdir()  # an empty folder is easily made


def forget(path: Path, request_id: str) -> None:
    """An answer that nobody fetched."""
    with suppress(OSError):
        (asked_of(path) / f"{request_id}{_ANSWER}").unlink()


# --- files --------------------------------------------------------------------------------------------------


def _put(file: Path, content: Mapping[str, Any], *, durable: bool = False) -> None:
    """Whole, or not at all."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with beside.open("x", encoding="utf-8") as stream:
            json.dump(content, stream)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        put_in_place(beside, file)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise


def _content(file: Path) -> str:
    """NoRequest: it is no file, or too long."""
    safe = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if not stat.S_ISREG(file.lstat().st_mode):
        raise NoRequest("it is no plain file")
    descriptor = os.open(file, os.O_RDONLY | safe)
    with os.fdopen(descriptor, "rb") as stream:
        found = stream.read(MOST_BYTES + 1)
    if len(found) > MOST_BYTES:
        raise NoRequest(f"it has more than {MOST_BYTES} bytes")
    return found.decode()


def _understood(told: Any, name: str) -> Request:
    if not isinstance(told, dict) or told.keys() != {"id", "verb", "arguments", "who", "when"}:
        raise NoRequest("it has not id, verb, arguments, who and when")
    request_id, verb, arguments = told["id"], told["verb"], told["arguments"]
    if request_id != name or not _ID.fullmatch(name):
        raise NoRequest("its id is not its name")
    if not isinstance(verb, str) or verb not in VERBS:
        raise NoRequest(f"nothing is called {str(verb)[:40]!a}")
    if not isinstance(arguments, dict) or not all(isinstance(each, str) for each in arguments.values()):
        raise NoRequest("its arguments are no texts")
    if not arguments.keys() <= VERBS[verb]:
        raise NoRequest(f"{verb} has no such argument")
    line = (told["who"], told["when"], *arguments.values())
    if not all(isinstance(each, str) and each.isprintable() for each in line):
        raise NoRequest("it holds what is no line of text")
    for name, most in _LONGEST.items():
        text = arguments.get(name, "x")
        if len(text.encode()) > most or not text.strip():
            raise NoRequest(f"its {name} is too long, or empty")
    if not told["who"] or len(told["who"].encode()) > MOST_WHO_BYTES or len(told["when"]) > 40:
        raise NoRequest("it does not say who asks, and when")
    return Request(request_id, verb, dict(arguments), told["who"], told["when"])


def who_asks() -> str:
    """user@host."""
    try:
        user = getuser()
    except (KeyError, OSError, ImportError):  # an account without a name, in a container
        user = "somebody"
    told = "".join(each for each in f"{user}@{node() or 'here'}" if each.isprintable())
    return told.encode()[:MOST_WHO_BYTES].decode(errors="ignore")
