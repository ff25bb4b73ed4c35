"""One run per channel: a real one is claimed by a lock while a run is on it; beside the lock stands whose.

The system lets go of the lock when the process ends, however it ends. It holds among all programs of this
computer, whatever folder they work in and whatever their rig files call the channel; other computers are
told by the instrument (`nakctl doctor` counts them). Places without an address exist as often as one likes.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from getpass import getuser
from pathlib import Path

from nakctl.device.driver import Place
from nakctl.errors import ChannelError
from nakctl.record import lock

FOLDER_VARIABLE = "NAKCTL_CLAIMS"  # where claims are kept, if not where they usually are


@dataclass(frozen=True, slots=True)
class Claim:
    """Who has a channel, and what for.

    what   what runs there, as people call it; file: the result it records into
    since  local time with its offset, ISO 8601
    """

    channel: str
    what: str
    file: str
    pid: int
    user: str
    since: str

    def __str__(self) -> str:
        return (
            f"{self.what}, {self.file} (process {self.pid} of {self.user or 'somebody'}, since {self.since})"
        )


@contextmanager
def claimed(place: Place, what: str, file: Path) -> Iterator[None]:
    """Hold the channel of a place while `file` is recorded. ChannelError: somebody else holds it."""
    path = _path(place.driver, place.options.get("address"), place.channel)
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _share(path.parent, 0o777)
    try:
        held = lock.hold(path)
    except OSError:
        other = holder(place.driver, place.options.get("address"), place.channel)
        raise ChannelError(
            f"{place.name} is in use: {other or 'another program holds ' + str(path)}"
        ) from None
    with held:
        _share(path, 0o666)
        note = _note(path)
        claim = Claim(place.name, what, str(file.resolve()), os.getpid(), _user(), _now())
        with suppress(OSError):  # of another user who was killed: Windows lets nobody else write it
            note.write_text(json.dumps(asdict(claim)), encoding="utf-8")
            _share(note, 0o666)
        try:
            yield
        finally:
            with suppress(OSError):  # somebody may be reading it; without the lock it means nothing
                note.unlink()


def holder(driver: str, address: object, channel: int) -> Claim | None:
    """Who holds the channel now; None: nobody, or somebody who has not written it down yet."""
    path = _path(driver, address, channel)
    if path is None or not lock.is_held(path):
        return None
    try:
        return Claim(**json.loads(_note(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _path(driver: str, address: object, channel: int) -> Path | None:
    if not address:
        return None
    plain = re.sub(r"[^\w.]+", "_", str(address).strip().lower())
    return _folder() / f"{driver}_{plain}_ch{channel}.lock"


def _note(path: Path) -> Path:
    """Apart from the lock: Windows lets nobody read what is locked."""
    return path.with_suffix(".json")


def _folder() -> Path:
    """One for all users of this computer."""
    if asked := os.environ.get(FOLDER_VARIABLE):
        return Path(asked)
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", tempfile.gettempdir())) / "nakctl" / "claims"
    return Path(tempfile.gettempdir()) / "nakctl-claims"


def _share(path: Path, mode: int) -> None:
    """Other users claim channels too. Who does not own the path cannot, and need not, change it."""
    with suppress(PermissionError):
        path.chmod(mode)


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError, ImportError):  # an account without a name, in a container
        return ""


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
