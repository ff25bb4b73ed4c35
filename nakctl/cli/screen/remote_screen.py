"""The run's end of a screen that is a process of its own (`screen_process`): nothing here makes it wait."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from nakctl import isolated
from nakctl.cli import console
from nakctl.cli.screen.drawing import sentences
from nakctl.cli.screen.mailbox import Mail, Mailbox
from nakctl.cli.screen.screen_process import HEARD, TOLD

MAIL_EVERY_s = 0.1  # a state is drawn eight times a second
RESTARTS = 3
PATIENCE_s = 5.0  # for the last lines, after which the program goes on to its end
_SHOW_CURSOR = "\x1b[?25h"


class Remote:
    """A `drawing.View` that draws elsewhere. Of what is not drawn in time only sentences are kept."""

    def __init__(self, kind: str, file: Path) -> None:
        self._hello = {"view": kind, "file": str(file), "encoding": sys.stdout.encoding}
        self._stdout = sys.stdout.fileno()
        self._terminal = kind == "moving"
        self._box = Mailbox()
        self._leaving = threading.Event()  # the end has been put into the box, or there is none
        self._over = threading.Event()  # the end has been drawn, or nobody is there who could draw it
        self._given_up = False
        self._said: set[str] = set()
        self._process: subprocess.Popen[str] | None = None
        sys.stdout.flush()
        threading.Thread(target=self._feed, daemon=True).start()

    def draw(self, mail: Mail) -> None:
        """Returns at once; but with the end of the run, when that is shown, or PATIENCE_s later."""
        self._box.put(mail)
        if mail.end is not None and not self._leaving.is_set():
            self._leaving.set()
            self._over.wait(PATIENCE_s)
            self._see_that_it_was_told(mail.end)

    def close(self) -> None:
        """Without an end there is nothing more to say: an error will be told elsewhere."""
        if not self._leaving.is_set():
            self.draw(Mail(end=()))
        self._box.close()

    def _see_that_it_was_told(self, end: tuple[str, ...]) -> None:
        process = self._process
        if TOLD in self._said:
            return
        if HEARD in self._said and process is not None and process.poll() is None:
            console.leave_standing()  # the terminal stands still: it is told when that goes on
            return
        self._given_up = True
        if process is not None:
            process.kill()
        unsaid = self._box.take(wait=False) or Mail()
        restored = [_SHOW_CURSOR] if self._terminal else []
        console.say(*restored, *sentences(unsaid), *end)

    # --- a thread of its own ------------------------------------------------------------------------------

    def _feed(self) -> None:
        """Write into the pipe what is in the box. Another viewer takes over from one that died."""
        mail: Mail | None = Mail()
        for _ in range(1 + RESTARTS):
            process = self._started()
            if process is None or self._given_up:
                break
            with suppress(OSError), process.stdin as pipe:  # type: ignore[union-attr]
                pipe.write(json.dumps(self._hello) + "\n")
                while mail is not None:
                    pipe.write(mail.line())
                    pipe.flush()
                    self._leaving.wait(MAIL_EVERY_s)
                    mail = self._box.take()
                return
        self._over.set()

    def _started(self) -> subprocess.Popen[str] | None:
        try:
            process = isolated.start(
                "nakctl.cli.screen.screen_process", stdin=subprocess.PIPE, stdout=self._stdout, console=True
            )
        except OSError:
            return None
        self._process = process
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        return process

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr as pipe:
            for line in pipe:
                self._said.add(line.strip())
                if TOLD in self._said:
                    self._over.set()
        process.wait()
        if self._leaving.is_set():
            self._over.set()
