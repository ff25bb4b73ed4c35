"""The runner: one process for one run on a wall clock, apart from every terminal.

Started by `apart`, with which it shares a folder until the record is there. After that it speaks to nobody:
how it goes lies beside the file of the run, for everybody. It can be ended at any instant: another one takes
over.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from nakctl import isolated
from nakctl.cli import keeper
from nakctl.cli.apart import JOB, STOP
from nakctl.cli.beginning import refuse_changed
from nakctl.cli.one_run import Options, run_one
from nakctl.cli.prepare import Wishes, prepare
from nakctl.cli.report import LEFT_BEHIND
from nakctl.cli.signals import StopAsked
from nakctl.errors import ExitCode, NakctlError, place_of
from nakctl.host.awake import awake
from nakctl.host.end_of_session import told_of_the_end
from nakctl.record.slot import state_of
from nakctl.run import outside

if TYPE_CHECKING:
    from nakctl.run.logbook import Progress

_GARBAGE_AFTER = 50_000  # see `nakctl.cli.main`
KEEPER_EVERY_s = 10.0
CHANGED_HIS_MIND_s = 0.1  # how often that is looked for
GOING_DOWN_s = 4.5  # Windows gives five


class Apart:
    """As `one_run.Show`: speaks to the starter until the record is there. path: where it is then.

    is_wanted  by the starter: a new run, as long as he waits for it. Nobody stops another one by not waiting
               for who goes on with it.
    """

    def __init__(self, folder: Path, signals: StopAsked) -> None:
        self.folder, self.signals = folder, signals
        self.path: Path | None = None
        self.is_wanted = False

    def about_to_begin(self) -> None:
        self._hear()

    def recording(self, path: Path) -> None:
        """From here on the run is found by its files."""
        self._hear()  # then nothing is loaded
        self.path = path.resolve()  # before its starter hears of it, and removes the folder
        self._tell(begun=str(path))
        self._let_go()
        threading.Thread(target=_look_for_the_keeper, name="keeper", daemon=True).start()

    def failed(self, error: BaseException, code: int) -> None:
        if self.path is None:
            self._tell(failed=str(error), code=int(code))
            self._let_go()

    def warn(self, sentence: str) -> None:
        if self.path is None:
            self._tell(say=sentence)

    def update(self, progress: Progress) -> None: ...
    def sealing(self) -> None: ...
    def tell(self, report: dict[str, Any]) -> None: ...

    def listen(self) -> None:
        """In a thread of its own: whoever started it may change his mind until the run has begun."""
        while self.path is None and not self._hear():
            time.sleep(CHANGED_HIS_MIND_s)

    def _hear(self) -> bool:
        """Whether he has."""
        if not self.is_wanted:
            return False
        has_changed = (self.folder / STOP).exists() or not self.folder.exists()
        if has_changed and self.path is None and not self.signals.count():
            self.signals.ask()
        return has_changed

    def _tell(self, **facts: Any) -> None:
        with suppress(OSError, ValueError):
            print(f"\n{json.dumps(facts)}", flush=True)  # a library may have begun a line

    def _let_go(self) -> None:
        """Nothing of ours is held open there: whoever started it may be gone, and leave the folder to us."""
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for stream in (sys.stdout, sys.stderr):
                os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        shutil.rmtree(self.folder, ignore_errors=True)


def main() -> NoReturn:
    gc.set_threshold(_GARBAGE_AFTER)
    isolated.begin()
    signals = StopAsked()
    show = Apart(Path(sys.argv[1]), signals)
    signal.signal(signal.SIGTERM, lambda number, frame: _goes_down(show, "its process was told to end"))
    job = json.loads((show.folder / JOB).read_text(encoding="utf-8"))
    if job["do"] == "run":
        show.is_wanted = True
        threading.Thread(target=show.listen, name="starter", daemon=True).start()
    code = int(ExitCode.FAILED)
    try:
        with awake("a run of nakctl goes on"), told_of_the_end(lambda why: _is_ended(show, why)):
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
    os._exit(code)  # a thread may still wait for something


def _run(job: dict[str, Any], signals: StopAsked, show: Apart) -> dict[str, Any] | None:
    sys.argv[1:] = job["command_line"]  # of whoever asked for it: the file keeps it
    ready, options = prepare(job["file"], Wishes.load(job["wishes"])), Options.load(job["options"])
    ready.require_no_errors()
    refuse_changed(ready, options.seed, job["made_of"])
    return run_one(ready, Path(job["out"]), options, signals, show)


def _take_over(job: dict[str, Any], signals: StopAsked, show: Apart) -> dict[str, Any]:
    from nakctl.cli.dead_run import Asked
    from nakctl.cli.take_over import take_over

    asked = Asked(anew=job.get("anew", False), allowed=tuple(job.get("allowed", ())), why=job["why"])
    return take_over(Path(job["path"]), asked, signals, show)


def _stop(job: dict[str, Any], signals: StopAsked, show: Apart) -> dict[str, Any]:
    """A run that nobody can go on with, and whose channel shall not be left alone."""
    from nakctl.cli.dead_run import Asked
    from nakctl.cli.stop_dead import finish_dead

    return finish_dead(Path(job["path"]), Asked(why=job["why"]), signals)


DOES: dict[str, Callable[[dict[str, Any], StopAsked, Apart], dict[str, Any] | None]] = {
    "run": _run,
    "take over": _take_over,
    "stop": _stop,
}


# --- the computer goes down ------------------------------------------------------------------------------


def _goes_down(show: Apart, why: str) -> None:
    """A channel that may be left alone is: whoever comes after goes on with it. Another one is stopped; one
    that is being stopped already is no less so."""
    state = {} if show.path is None else state_of(show.path) or {}
    goes_on = state.get("state") in (outside.RUNNING, outside.WAITING, outside.PAUSED)
    if goes_on and state.get("outlives") and keeper.may_be_alone(state):
        os._exit(ExitCode.INTERRUPTED)
    show.signals.ask(f"stopped: {why}")


def _is_ended(show: Apart, why: str) -> None:
    """By Windows, when this returns."""
    _goes_down(show, why)
    until = time.monotonic() + GOING_DOWN_s
    while show.path is not None and time.monotonic() < until:
        if (state_of(show.path) or {}).get("state") == "ended":
            return
        time.sleep(CHANGED_HIS_MIND_s)


def _look_for_the_keeper() -> None:
    """It may be killed, or end, at any time."""
    while True:
        keeper.start_if_gone()
        time.sleep(KEEPER_EVERY_s)


if __name__ == "__main__":
    main()
