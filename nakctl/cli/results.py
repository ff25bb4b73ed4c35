"""What is done with result files: `show`, `recover`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from nakctl.cli.json_output import print_json
from nakctl.errors import ExitCode, InputError, typed
from nakctl.text.numbers import duration

LOOK_s = 0.1


def goes_on(file: Path, channel: str) -> str:
    return (
        f"the program of {file} died, and its chain may go on on {channel}, with rows that wait there: "
        f"nakctl stop {typed(file)} switches the cell off and makes the file whole"
    )


def show(file: Path, as_json: bool) -> int:
    recover_if_killed(file)
    from nakctl.record.read import open_run
    from nakctl.results.conclude import concluded
    from nakctl.results.summary import summary, told

    with open_run(file) as run:
        found = {"file": str(file)} | summary(run, concluded(run))
        header = run.header
    if as_json:
        print_json(found)
        return ExitCode.DONE
    print(found["title"])  # begins with SIMULATED if the run was
    area = f"{found['area_cm2']:g} cm2" if found["area_cm2"] else "area unknown, so nothing areal follows"
    print(f"cell {found['cell'] or 'not named'}, {area}, protocol {header.protocol_file}")
    started = found["start_time"] or "at a time that is not known"
    print(f"started {started}, lasted {duration(found['duration_s'])}")
    end = f": {found['end_reason']}" if found["end_reason"] else ""
    print(f"{found['status']}{end}")
    if header.recovery:
        print(f"recovered: {header.recovery}")
    if header.unbooked:
        print(f"not whole: {header.unbooked}")
    for line in told(found):
        print(line)
    if header.note:
        print(f"note: {header.note}")
    if not header.sealed:
        print(f"not sealed: {_why_unsealed(file)}")
    return ExitCode.DONE


def _why_unsealed(file: Path) -> str:
    from nakctl.record import files
    from nakctl.record.recover import is_running

    if is_running(file):
        return "the run goes on"
    if files.journal_of(file).exists():
        return "what was recorded is in its journal; here it is as far as it was shown to others"
    return "its journal is gone, and with it its end"


def recover_if_killed(file: Path) -> None:
    """The first command that meets the file of a killed run makes it whole, unless its channel goes on."""
    from nakctl.record import files, lock
    from nakctl.record.fence import may_go_on
    from nakctl.record.recover import is_running
    from nakctl.record.recover import recover as make_whole

    while lock.is_held(files.sealer_of(file)):  # it is being made whole
        time.sleep(LOOK_s)
    if not files.journal_of(file).exists() or is_running(file):
        return
    if channel := may_go_on(file):
        print(goes_on(file, channel), file=sys.stderr)
    else:
        print(f"{file} was left unsealed: {make_whole(file).message}", file=sys.stderr)


def recover(file: Path, as_json: bool, *, again: bool, as_it_is: bool = False) -> int:
    """as_it_is: also where a channel may go on, or has rows that would have no file any more."""
    from nakctl.record import files
    from nakctl.record.fence import may_go_on
    from nakctl.record.recover import is_running
    from nakctl.record.recover import recover as make_whole

    is_left = files.journal_of(file).exists() and not is_running(file)
    if is_left and not as_it_is and (channel := may_go_on(file)):
        leave_it = "nakctl recover --as-it-is seals what is recorded, and leaves the channel to itself"
        raise InputError(f"{goes_on(file, channel)}; {leave_it}")
    done = make_whole(file, again=again)
    if as_json:
        print_json(
            {"file": str(done.path), "status": done.status, "rows": done.rows, "message": done.message}
        )
    else:
        print(done.message)
    return ExitCode.DONE
