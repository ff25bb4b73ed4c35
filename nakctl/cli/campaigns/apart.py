"""A campaign that needs no terminal: a process of its own carries it out, and tells a log what it does."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from nakctl import isolated
from nakctl.cli.campaigns.carrier import is_carried_out
from nakctl.cli.campaigns.command import Choices, campaign
from nakctl.errors import ExitCode, NakctlError
from nakctl.host.detached import start_detached

LOG = "campaign.log"
_GARBAGE_AFTER = 50_000  # see `nakctl.cli.main`
_PATIENCE_s, _LOOK_s = 60.0, 0.05


def begin(file: str, choices: Choices, out: Path) -> tuple[Path, str]:
    """Its log, and what may end it all the same. NakctlError: it does not begin."""
    job = {
        "file": file,
        "choices": replace(choices, detach=False, apart=True).dump(),
        "command_line": sys.argv[1:],
    }
    log = out / LOG
    try:
        process = start_detached("nakctl.cli.campaigns.apart", json.dumps(job), output=log)
    except OSError as error:
        raise NakctlError(f"no process can be started for the campaign ({error.strerror or error})") from None
    until = time.monotonic() + _PATIENCE_s
    while not is_carried_out(out):
        if process.exit_code() not in (None, ExitCode.DONE) or time.monotonic() > until:
            raise NakctlError(f"the campaign has not begun: {_last_line(log)}")
        if process.exit_code() == ExitCode.DONE:  # all was done at once
            break
        time.sleep(_LOOK_s)
    return log, process.warning


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "it said nothing"


def main() -> NoReturn:
    gc.set_threshold(_GARBAGE_AFTER)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    isolated.begin()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a polite kill: the runs on channels go on
    job = json.loads(sys.argv[1])
    sys.argv[1:] = job["command_line"]
    try:
        code = campaign(job["file"], Choices.load(job["choices"]))
    except NakctlError as error:
        print(error, flush=True)
        code = int(error.exit_code)
    sys.exit(code)


if __name__ == "__main__":
    main()
