"""Who may look: whoever has the token, from this computer, at a page that this server gave.

A page of another site can make a browser ask us (DNS rebinding, forms): so the name by which we are asked is
looked at as well, and what asks for something to be done must say from where, which no browser forges.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

from nakctl.record import files

LOOPBACK = "127.0.0.1"
_NAMES = (LOOPBACK, "localhost", "[::1]")
_LEAST = 20  # letters of a token that is believed to be one


def token(*, new: bool = False) -> str:
    """That of this user, so that a page finds the server again that was started anew. new: another one."""
    try:
        file = files.user_data_folder() / "serve.token"
        if new:
            file.unlink(missing_ok=True)
        return _kept(file)
    except (OSError, RuntimeError):  # a user without a home, or a disk that takes nothing
        return secrets.token_urlsafe(24)


def _kept(file: Path) -> str:
    with suppress(FileNotFoundError, UnicodeDecodeError):
        known = file.read_text("ascii").strip()
        if len(known) >= _LEAST:
            return known
        file.unlink()
    file.parent.mkdir(parents=True, exist_ok=True)
    made = secrets.token_urlsafe(24)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(made)
    return made


class Guard:
    """Of a server at one port."""

    def __init__(self, port: int, known: str) -> None:
        self.cookie = f"nakctl-{port}"
        # A browser gives a cookie to every port of this computer, also to what another user has at one; but
        # only below the path that the cookie was set for, and this one nobody guesses.
        self.root = f"/{hashlib.sha256(b'path ' + known.encode()).hexdigest()[:32]}"
        self._token = known
        self._hosts = {f"{name}:{port}" for name in _NAMES}

    def knows(self, given: str | None) -> bool:
        return given is not None and hmac.compare_digest(given.encode(), self._token.encode())

    def is_ours(self, host: str | None) -> bool:
        """Whether somebody of this computer asks by a name of this computer."""
        return host is not None and host.lower() in self._hosts

    def is_from_us(self, origin: str | None) -> bool:
        """Whether a page of ours asks."""
        return origin is not None and origin.lower().removeprefix("http://") in self._hosts
