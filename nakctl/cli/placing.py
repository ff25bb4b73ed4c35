"""Results of runs in virtual time get their names when they are whole: until then each lies in a hidden
folder beside its place.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nakctl.cli.workers import HIDDEN, NotRun, Task
from nakctl.errors import ExitCode, InputError, NakctlError
from nakctl.record import files, lock

if TYPE_CHECKING:
    from nakctl.cli.many_runs import Job

Report = dict[str, Any]


def placed(task: Task, told: Mapping[str, Any]) -> Report | NakctlError | None:
    """What came of it, with its file in its place. None: it was to stop before anything was started."""
    job, folder = task.job, task.folder
    assert folder is not None
    if "nothing" in told:
        return None
    if "failed" in told:
        return NotRun(as_placed(told["failed"], folder / job.out.name, job.out), told["code"])
    report = placed_report(told["report"], folder / job.out.name, job.out)
    if not report["sealed"]:
        why = report.get("message") or report["end_reason"]
        return NotRun(f"{job.out}: {why}; nothing of it is kept", max(report["exit_code"], ExitCode.FAILED))
    try:
        place(folder / job.out.name, job.out)
    except InputError as error:
        return error
    except OSError as error:
        return unwritable(job, error)
    return report


def place(file: Path, out: Path) -> None:
    """Give a whole file its name. InputError: there is one of that name; OSError."""
    try:
        os.link(file, out)  # unlike a change of its name, this never overwrites
    except FileExistsError:
        raise InputError(f"{out} was made meanwhile by somebody else; nothing is overwritten") from None
    except OSError:  # a disk without that
        files.refuse_existing(out)
        files.put_in_place(file, out)
    files.sync_folder(out.parent)


def sweep(folder: Path) -> None:
    """Remove what runs left there whose workers were killed together with the process that started them."""
    for left in folder.glob(f"{HIDDEN}{'[0-9a-f]' * 8}"):
        if not any(map(lock.is_held, left.glob("*.lock"))):
            shutil.rmtree(left, ignore_errors=True)


def placed_report(report: Report, file: Path, out: Path) -> Report:
    """As if the run had been recorded where it belongs."""
    return {
        name: as_placed(value, file, out) if isinstance(value, str) else value
        for name, value in report.items()
    }


def as_placed(text: str, file: Path, out: Path) -> str:
    return text.replace(str(file), str(out)).replace(str(file.parent), str(out.parent))


def unwritable(job: Job, error: OSError) -> NakctlError:
    return NotRun(f"{job.out} cannot be written: {error.strerror or error}")
