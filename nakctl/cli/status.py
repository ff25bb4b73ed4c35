"""`nakctl status`: every run of this computer, as it is seen from outside. Asks no run, and holds none up.

On its way lie no numpy, no h5py and no pydantic: it answers at once.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from nakctl.cli.health import Seen, ago, clock, look, unix_since_s
from nakctl.cli.json_output import print_json
from nakctl.cli.which_run import find_run, known_runs
from nakctl.errors import ExitCode, InputError
from nakctl.notify import log
from nakctl.text.numbers import WIDTH, si

EVERY_s = 1.0
LOOK_AGAIN_s = 0.25  # at who seems to hang: this computer may have slept, and nobody had his turn yet
_MOST_LETTERS = 16
_GAP = "  "
_CLEAR = "\x1b[H\x1b[J"

# Every column there may be, and which of them are left out last.
COLUMNS = (
    "run", "channel", "state", "protocol", "cell", "step", "what", "cycle", "Ewe", "I", "mAh/cm2", "last row",
    "ends",
)  # fmt: skip
DEAREST = (
    "channel", "state", "Ewe", "step", "cycle", "mAh/cm2", "I", "run", "ends", "last row", "protocol", "cell",
    "what",
)  # fmt: skip


def status(names: list[str], as_json: bool, watch: bool) -> int:
    """names: of runs; without any, all. InputError: there is no such run."""
    if as_json and watch:
        raise InputError("--watch draws again and again, --json prints one object: give one of them")
    if watch:
        return _watch(names)
    found = _look(names)
    if as_json:
        print_json({"runs": [_object(seen) for seen in found], "not_told": log.complaints()})
    else:
        print("\n".join([*told(found, _width()), *_not_told(names)]))
    return ExitCode.DONE


def _watch(names: list[str]) -> int:
    """Until Ctrl-C. On a terminal that can do it, in place."""
    in_place = sys.stdout.isatty() and os.environ.get("TERM", "dumb" if os.name == "posix" else "") != "dumb"
    if in_place and sys.platform == "win32":
        os.system("")  # which makes a console understand what clears it
    try:
        while True:
            lines = [f"{datetime.now().strftime('%H:%M:%S')}  Ctrl-C ends this view, and no run", ""]
            lines += [*told(_look(names), _width()), *_not_told(names)]
            print((_CLEAR if in_place else "") + "\n".join(lines), flush=True)
            time.sleep(EVERY_s)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def _look(names: list[str]) -> list[Seen]:
    runs = [find_run(name) for name in names] if names else known_runs()
    found = [look(run) for run in runs]
    if any(seen.health.word == "HUNG" for seen in found):
        time.sleep(LOOK_AGAIN_s)
        found = [look(seen.run) if seen.health.word == "HUNG" else seen for seen in found]
    return found


def _object(seen: Seen) -> dict[str, Any]:
    health = seen.health
    run = {name: value for name, value in asdict(seen.run).items() if name not in ("path", "drive", "rig")}
    return {
        "file": str(seen.run.path),
        **run,
        "health": health.word,
        "message": health.text,
        "held": seen.held,
        "last_row_s": seen.since_s("sampled"),
        "told_s": seen.since_s("told"),
        "end": None if seen.end is None else dict(seen.end),
        "state": None if seen.state is None else dict(seen.state),
    }


# --- for people --------------------------------------------------------------------------------------------


def told(found: Sequence[Seen], width: int) -> list[str]:
    """A table of as many columns as fit, a line per run; then what there is to say of some of them."""
    if not found:
        return ["no run is going on, and none was left unsealed"]
    cells = [_cells(seen) for seen in found]
    wide = {name: max(len(name), *(len(line[name]) for line in cells)) for name in COLUMNS}
    shown = _fitting(wide, width)
    head = {name: name for name in COLUMNS}
    lines = [_GAP.join(f"{line[name]:<{wide[name]}}" for name in shown).rstrip() for line in (head, *cells)]
    return [*lines, *(line for seen in found for line in _sentences(seen, width))]


def _fitting(wide: dict[str, int], width: int) -> list[str]:
    """Those without which nobody knows anything are there in any case."""
    shown: set[str] = set()
    taken = -len(_GAP)
    for name in DEAREST:
        needs = wide[name] + len(_GAP)
        if taken + needs <= width or name in DEAREST[:2]:
            shown.add(name)
            taken += needs
    return [name for name in COLUMNS if name in shown]


def _cells(seen: Seen) -> dict[str, str]:
    run, state = seen.run, dict(seen.state or {})
    if not state.get("step_id"):  # no row came yet
        state = dict.fromkeys(state) | {"steps": None}
    return {
        "run": run.short_id,
        "channel": _short(run.place),
        "state": seen.health.word,
        "protocol": _short(run.protocol),
        "cell": _short(run.cell),
        "step": _of(state.get("step_id"), state.get("steps")),
        "what": _short(str(state.get("step") or "").partition(" ")[2], 2 * _MOST_LETTERS),
        "cycle": _of(state.get("cycle"), state.get("cycles")),
        "Ewe": _number(state.get("Ewe_V"), lambda Ewe_V: f"{Ewe_V:+.4f} V"),
        "I": _number(state.get("I_A"), lambda I_A: si(I_A, "A")),
        "mAh/cm2": _number(state.get("Q_mAh_cm2"), lambda Q_mAh_cm2: f"{Q_mAh_cm2:+.4g}"),
        "last row": ago(seen.since_s("sampled")),
        "ends": clock(run.ends) if seen.held and seen.health.word not in ("ended", "paused") else "-",
    }


def _sentences(seen: Seen, width: int) -> Iterator[str]:
    run, health, state = seen.run, seen.health, seen.state or {}
    alarm = state.get("alarm")
    said = [f"{health.word}: {health.text}"] if health.text else []
    if isinstance(alarm, dict):
        said.append(f"last alarm, {ago(unix_since_s(state.get('alarm_unix_s')))}: {alarm.get('text')}")
    for text in said:
        first = f"{run.place or run.path.name}, run {run.short_id}: {text}"
        yield from textwrap.wrap(
            first, max(width, 20), subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )


def _not_told(names: list[str]) -> list[str]:
    """Who should have heard of something last, and did not: no matter of single runs."""
    return [] if names else log.complaints()


def _short(text: str, most: int = _MOST_LETTERS) -> str:
    text = " ".join(text.split())
    return (text if len(text) <= most else f"{text[: most - 2]}..") or "-"


def _of(number: object, many: object) -> str:
    if number is None:
        return "-"
    return f"{number}/{many}" if many else f"{number}"


def _number(value: object, tell: Any) -> str:
    return str(tell(value)) if isinstance(value, int | float) else "-"


def _width() -> int:
    return shutil.get_terminal_size((WIDTH, 24)).columns
