"""The worker: one process for many runs in virtual time, one after the other, started by `many_runs`.

On its standard input stand lines of JSON, on its standard output its answers (and whatever a library prints):

    {"run": {file, wishes, out, options, command_line}}   -> {"state": where it is} a few times a second
        then {"report": as of `run_one`}, {"failed": why, "code": 2} or {"nothing": why}
        or, in the place of file and wishes, `ready`: the run as it was prepared, pickled and in base 64; and
        `cell`: the text of the file of its simulated cell, if it has one
    {"stop": reason}     the run that goes on ends in order, and no further one is begun

The end of its input means the same as a stop; nobody wants the run that goes on then, and it is removed.
"""

from __future__ import annotations

import base64
import gc
import json
import os
import pickle
import queue
import shutil
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nakctl import isolated

if TYPE_CHECKING:
    from nakctl.cli.prepare import Prepared
    from nakctl.cli.signals import StopAsked
    from nakctl.run.logbook import Progress

_GARBAGE_AFTER = 50_000  # see `nakctl.cli.main`
_EVERY_s = 0.4
# Several processes share the cores: libraries that start a thread for each would be in each other's way.
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class Told:
    """As `one_run.Show`: where the run is."""

    def __init__(self, area_cm2: float) -> None:
        self._area_cm2, self._next_s = area_cm2, 0.0

    def about_to_begin(self) -> None: ...
    def recording(self, path: Path) -> None: ...
    def warn(self, sentence: str) -> None: ...
    def sealing(self) -> None: ...
    def tell(self, report: dict[str, Any]) -> None: ...

    def update(self, progress: Progress) -> None:
        from nakctl.run.outside import where

        now_s = time.monotonic()
        if now_s >= self._next_s:
            self._next_s = now_s + _EVERY_s
            _say(state=where(progress, self._area_cm2))


def main() -> None:
    gc.set_threshold(_GARBAGE_AFTER)
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    isolated.begin()
    from nakctl.cli.signals import StopAsked

    signals, wanted = StopAsked(), queue.SimpleQueue[Mapping[str, Any] | None]()
    threading.Thread(target=_listen, args=(signals, wanted), daemon=True).start()
    folder = Path(os.devnull)
    while (run := wanted.get()) is not None:
        folder = Path(run["out"]).parent
        if not signals.count():
            _say(**_done(run, signals))
    shutil.rmtree(folder, ignore_errors=True)  # it is there if nobody could take what is in it
    os._exit(0)


def _listen(signals: StopAsked, wanted: queue.SimpleQueue[Mapping[str, Any] | None]) -> None:
    for line in sys.stdin:
        told = json.loads(line)
        if "stop" in told:
            signals.ask(told["stop"])
        else:
            wanted.put(told["run"])
    signals.ask("the program that wanted it is gone")
    wanted.put(None)


def _done(run: Mapping[str, Any], signals: StopAsked) -> dict[str, Any]:
    from nakctl.cli.one_run import Options, run_one
    from nakctl.errors import ExitCode, NakctlError, place_of

    sys.argv[1:] = run["command_line"]  # of whoever asked for it: the file keeps it
    try:
        ready = _prepared(run)
        show = Told(ready.cell.area_cm2)
        report = run_one(ready, Path(run["out"]), Options.load(run["options"]), signals, show)
    except NakctlError as error:
        return {"failed": str(error), "code": int(error.exit_code)}
    except OSError as error:
        return {"failed": f"{run['out']}: {error.strerror or error}", "code": int(ExitCode.FAILED)}
    except Exception as error:  # noqa: BLE001  (it is one run, and others wait)
        return {"failed": f"a fault of nakctl itself ({place_of(error)})", "code": int(ExitCode.FAILED)}
    return {"nothing": "stopped"} if report is None else {"report": report}


def _prepared(run: Mapping[str, Any]) -> Prepared:
    from nakctl.cli.prepare import Wishes, prepare

    ready: Prepared
    if "ready" not in run:
        ready = prepare(run["file"], Wishes.load(run["wishes"]))
        ready.require_no_errors()
        return ready
    ready = pickle.loads(base64.b64decode(run["ready"]))
    if "cell" in run:  # there may be no such file on this computer
        file = Path(run["out"]).with_name("cell.yaml")
        file.write_text(run["cell"], encoding="utf-8")
        _, number, chosen = ready.cell.simulated_as.partition("#")
        ready = replace(ready, cell=replace(ready.cell, simulated_as=f"{file}{number}{chosen}"))
    return ready


def _say(**message: Any) -> None:
    with suppress(OSError):  # nobody listens, which is heard
        print(f"\n{json.dumps(message)}", flush=True)  # a library may have begun a line


if __name__ == "__main__":
    main()
