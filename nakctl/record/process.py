"""The helpers of a run: processes that touch HDF5 on its behalf.

libhdf5 can take its process down when a disk is full (h5py issue 914), so the process that controls the cell
never loads it. A helper is `nakctl.record.NAME FILE`, started isolated. It speaks in lines of JSON:

    {"alive": what it does, "patience_s": how long it may be silent from now}
    {"answer": what came of it so far: the last one counts}

Nothing waits for a helper that is silent for longer than it said.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from nakctl import isolated

START_S = 120.0  # loading the libraries from a slow disk, and a minute for a lock of the journal
PATIENCE_S = 60.0
_SYNC_S = 600.0  # until a disk, or a share, has taken the whole file
_LONGER_S = {"concluding": 300.0, "following": 15.0, "syncing": _SYNC_S}
_SAY_EVERY_S = 0.5
_LOOK_S = 0.5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What sealing came to. rows: samples; message: a sentence for the user.

    found  what the rows mean, as it stands in /entry/results; empty if the file was sealed already
    """

    path: Path
    sealed: bool
    status: str
    rows: int
    message: str
    found: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"path": str(self.path)}

    @classmethod
    def from_json(cls, said: object) -> Outcome | None:
        """None if that is no outcome."""
        types = {"path": str, "sealed": bool, "status": str, "rows": int, "message": str, "found": dict}
        if not isinstance(said, dict) or said.keys() != types.keys():
            return None
        if not all(isinstance(said[name], kind) for name, kind in types.items()):
            return None
        return cls(**said | {"path": Path(said["path"])})


# --- in the helper ---------------------------------------------------------------------------------------


class Beat:
    """Says what the helper does, when that changes and twice a second at the most."""

    def __init__(self) -> None:
        self._doing, self._next_s = "", 0.0

    def __call__(self, doing: str) -> None:
        now_s = time.monotonic()
        if doing == self._doing and now_s < self._next_s:
            return
        self._doing, self._next_s = doing, now_s + _SAY_EVERY_S
        _say({"alive": doing, "patience_s": _LONGER_S.get(doing, PATIENCE_S)})


def answer(value: object, code: int = 0) -> NoReturn:
    """Say what came of it, and leave at once: what libhdf5 would do now could crash."""
    answer_so_far(value)
    os._exit(code)


def answer_so_far(value: object) -> None:
    """What holds if nothing more is heard from here."""
    _say({"answer": value})


def _say(message: Mapping[str, Any]) -> None:
    try:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()
    except OSError:  # who started it is gone; what it does is worth doing all the same
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123


# --- in the process that started it ----------------------------------------------------------------------


class Helper:
    """A running helper. Raises OSError if the system cannot start one.

    asked  it waits on its standard input for what `ask` tells it
    trace  what it wrote on standard error, once it is over
    """

    def __init__(self, name: str, *arguments: str, asked: bool = False) -> None:
        # A file and not a pipe: nobody reads while it runs, and a full pipe would stop it.
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115
        self.trace = ""
        stdin = subprocess.PIPE if asked else subprocess.DEVNULL
        try:
            self._process = isolated.start(
                f"nakctl.record.{name}", *arguments, stdin=stdin, stderr=self._complaints
            )
        except OSError:
            self._complaints.close()
            raise
        self._heard_s, self._patience_s = time.monotonic(), START_S
        self._answer: object = None
        self._speaker: threading.Thread | None = None
        self._over = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def is_asked(self) -> bool:
        return self._speaker is not None

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_running(self) -> bool:
        return self._process.poll() is None

    def silence(self) -> str:
        """If it says nothing for longer than it had said: for how long, as a sentence; else ""."""
        silent_s = time.monotonic() - self._heard_s
        return f"it stood still for {silent_s:.0f} s" if silent_s > self._patience_s else ""

    def ask(self, question: object) -> None:
        """Give a helper that reads its standard input to the end what it waits for. Does not wait for it."""
        self._heard_s = time.monotonic()
        self._speaker = threading.Thread(target=self._speak, args=(json.dumps(question),), daemon=True)
        self._speaker.start()

    def wait(
        self, known: Callable[[object], T | None], meanwhile: Callable[[], None] = lambda: None
    ) -> T | str:
        """Wait, as long as it shows that it works, for its last answer: that, or why there is none.

        known      what to make of an answer; None: that is none
        meanwhile  called about twice a second
        """
        while not self._over.wait(_LOOK_S):
            if trouble := self.silence():
                self.give_up()
                break
            meanwhile()
        else:
            trouble = self.complaint()
        found = known(self._answer)
        return trouble if found is None else found

    def give_up(self) -> None:
        """End it now, and do not wait for that: a process whose disk hangs cannot be ended."""
        self._process.kill()
        self._complaints.close()
        if self._process.stdin is not None and self._speaker is None:
            self._process.stdin.close()

    def complaint(self) -> str:
        """Why it ended, as far as it said so in a sentence. To be called once, when it has ended."""
        with self._complaints:
            self._complaints.seek(0)
            self.trace = self._complaints.read().decode(errors="replace").strip()
        if self.trace and "Traceback" not in self.trace:
            return self.trace.splitlines()[-1]
        return f"its helper process broke down (code {self._process.returncode})"

    def _speak(self, question: str) -> None:
        assert self._process.stdin is not None
        with suppress(OSError), self._process.stdin as pipe:  # it may be gone
            pipe.write(question)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            for line in pipe:
                self._hear(line)
        self._process.wait()
        self._over.set()

    def _hear(self, line: str) -> None:
        """Whatever else is printed in that process is not meant for us."""
        try:
            said = json.loads(line)
        except ValueError:
            return
        if not isinstance(said, dict):
            return
        self._answer = said.get("answer", self._answer)
        patience_s = said.get("patience_s")
        if isinstance(patience_s, int | float):
            self._heard_s, self._patience_s = time.monotonic(), float(patience_s)


@contextmanager
def waiting(name: str) -> Iterator[Helper | None]:
    """A helper that loads its libraries and waits to be asked; ended if there was nothing to ask.

    None if the system cannot start a process now.
    """
    try:
        helper = Helper(name, asked=True)
    except OSError:
        yield None
        return
    try:
        yield helper
    finally:
        if not helper.is_asked:
            helper.give_up()
