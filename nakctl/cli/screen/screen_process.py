"""The screen of a run as a process of its own: it may freeze, die, or be unable to write a letter.

Started by `remote_screen`. A line on standard input says how to draw, then comes one mail a line. On standard
error it answers with a word a line: `heard` once the end of the run has come in, `told` once that has been
drawn.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import suppress

from nakctl import isolated
from nakctl.cli.screen.drawing import view
from nakctl.cli.screen.mailbox import Mail, Mailbox

STDERR = 2
HEARD, TOLD = "heard", "told"
GONE = "the process of this run is gone, and nobody watches the cell: nakctl recover {file}"


def main() -> None:
    isolated.begin()
    how = json.loads(sys.stdin.readline() or "{}")
    if not how:
        return
    sys.stdout.reconfigure(encoding=how["encoding"], errors="backslashreplace")  # type: ignore[union-attr]
    box = Mailbox()
    threading.Thread(target=_listen, args=(box,), daemon=True).start()
    shown = view(how["view"])
    while (mail := box.take()) is not None:
        shown.draw(mail)
        if mail.end is not None:
            break
    else:
        shown.draw(Mail(end=(GONE.format(file=how["file"]),)))
    shown.close()
    _answer(TOLD)
    os._exit(0)  # the thread may still wait for more


def _listen(box: Mailbox) -> None:
    """Take in whatever comes, even while the terminal takes nothing."""
    for line in sys.stdin:
        mail = Mail.from_line(line)
        box.put(mail)
        if mail.end is not None:
            _answer(HEARD)
    box.close()


def _answer(word: str) -> None:
    """Straight into the pipe: `sys.stderr` is the view's, which shows what is written there."""
    with suppress(OSError):  # the run is over
        os.write(STDERR, f"{word}\n".encode())


if __name__ == "__main__":
    main()
