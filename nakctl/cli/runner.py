"""The runner: one process for one run on a wall clock, apart from every terminal.

Started by `apart`. Standard input brings one line of JSON, which says what to do; until the record is there
`stop` may follow. On standard output it answers in lines of JSON: `say` a sentence, then `begun` where, or
`failed` why. After that it speaks to nobody: how it goes lies beside the run's file, for everybody to see.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from nakctl import isolated
from nakctl.cli import keeper
from nakctl.cli.one_run import Options, run_one
from nakctl.cli.prepare import Wishes, prepare
from nakctl.cli.report import LEFT_BEHIND
from nakctl.cli.signals import StopAsked
from nakctl.errors import ExitCode, NakctlError, place_of

if TYPE_CHECKING:
    from nakctl.run.logbook import Progress

_GARBAGE_AFTER = 50_000  # see `nakctl.cli.main`
KEEPER_EVERY_s = 10.0
CHANGED_HIS_MIND = "stop"


class Apart:
    """As `one_run.Show`: speaks to the starter until the record is there."""

    def __init__(self, signals: StopAsked) -> None:
        self.signals, self.has_begun = signals, False

    def recording(self, path: Path) -> None:
        """From here on the run is found by its files, and no pipe is held open."""
        self._tell(begun=str(path))
        self.has_begun = True
        _let_go_of(sys.stdout, sys.stderr)
        threading.Thread(target=_look_for_the_keeper, name="keeper", daemon=True).start()

    def failed(self, error: BaseException, code: int) -> None:
        if not self.has_begun:
            self._tell(failed=str(error), code=int(code))

    def warn(self, sentence: str) -> None:
        self._tell(say=sentence)

    def update(self, progress: Progress) -> None: ...
    def sealing(self) -> None: ...
    def tell(self, report: dict[str, Any]) -> None: ...

    def listen(self) -> None:
        """In a thread of its own: whoever started it may change his mind until the run has begun."""
        for line in sys.stdin:
            if line.strip() == CHANGED_HIS_MIND and not self.has_begun:
                self.signals.times += 1

    def _tell(self, **facts: Any) -> None:
        if not self.has_begun:
            with suppress(OSError, ValueError):  # whoever started it may be gone
                print(json.dumps(facts), flush=True)


def main() -> NoReturn:
    gc.set_threshold(_GARBAGE_AFTER)
    isolated.begin()
    signals = StopAsked()
    show = Apart(signals)
    signal.signal(signal.SIGTERM, lambda number, frame: signals.ask())
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=show.listen, daemon=True).start()
    code = int(ExitCode.FAILED)
    try:
        told = DOES[job["do"]](job, signals, show)
        code = int(ExitCode.INTERRUPTED if told is None else told["exit_code"])
        if told is None:
            show.failed(KeyboardInterrupt("interrupted; nothing was started"), code)
        elif told["cell_state"] == LEFT_BEHIND:
            os._exit(code)
    except NakctlError as error:
        code = int(error.exit_code)
        show.failed(error, code)
    except Exception as error:  # noqa: BLE001  (there is no terminal to show it)
        show.failed(NakctlError(f"a fault of nakctl itself ({place_of(error)}): {error}"), code)
    os._exit(code)  # `listen` may wait for ever


def _run(job: dict[str, Any], signals: StopAsked, show: Apart) -> dict[str, Any] | None:
    sys.argv[1:] = job["command_line"]  # of whoever asked for it: the file keeps it
    options = Options.load(job["options"])
    wishes = Wishes.load(job["wishes"])
    ready = prepare(job["file"], wishes)
    ready.require_no_errors()
    return run_one(ready, Path(job["out"]), options, signals, show)


def _take_over(job: dict[str, Any], signals: StopAsked, show: Apart) -> dict[str, Any]:
    from nakctl.cli.take_over import take_over

    return take_over(Path(job["path"]), job["why"], signals, show)


def _stop(job: dict[str, Any], signals: StopAsked, show: Apart) -> dict[str, Any]:
    """A run that nobody can go on with, and whose channel shall not be left alone."""
    from nakctl.cli.dead_run import Asked
    from nakctl.cli.stop_dead import finish_dead

    return finish_dead(Path(job["path"]), Asked(why=job["why"]), signals)


DOES = {"run": _run, "take over": _take_over, "stop": _stop}


def _look_for_the_keeper() -> None:
    """It may be killed, or end, at any time."""
    while True:
        keeper.start_if_gone()
        time.sleep(KEEPER_EVERY_s)


def _let_go_of(*streams: Any) -> None:
    """Whoever waits for the end of a pipe would wait for that of the run."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in streams:
            stream.flush()
            os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


if __name__ == "__main__":
    main()
