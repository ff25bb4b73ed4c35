"""`nakctl sim compare`: the paper's protocols through the whole chain, and the table of what came out."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nakctl.cli.json_output import print_json
from nakctl.cli.many_runs import Job, cores, in_parallel
from nakctl.cli.one_run import Options
from nakctl.cli.prepare import Wishes
from nakctl.cli.signals import asked_to_stop
from nakctl.errors import ExitCode, InputError, NakctlError
from nakctl.results.calibration import Asked, Row, asked, table

CHANNEL = "sim-sp300"
# The longest runs first, so that no core waits for one of them at the end.
FIRST = ("pulses_10s", "quarter_pulses", "pulses_5s")


def compare(as_json: bool, keep: Path | None) -> int:
    """Run everything, measure the files, print the table. FAILED if a row is out of its band."""
    with _folder(keep) as folder:
        try:
            rows = table(_opened(run_all(folder)))
        except KeyboardInterrupt:
            kept = f"; what was run so far is in {keep}" if keep is not None else ""
            print(f"interrupted: the table takes all runs{kept}", file=sys.stderr)
            return ExitCode.INTERRUPTED
    if as_json:
        print_json([_told(row) for row in rows])
    else:
        print("\n".join(lines(rows)))
    return ExitCode.DONE if all(row.in_band for row in rows) else ExitCode.FAILED


def run_all(folder: Path) -> dict[str, Path]:
    """Run what the table needs, as many at a time as there are cores: name -> result file."""
    runs = asked()
    order = sorted(runs, key=lambda name: name not in FIRST)
    jobs = {folder / f"{name}.h5": _job(folder / f"{name}.h5", runs[name]) for name in order}
    with asked_to_stop() as stop_asked:
        for job, told in in_parallel([*jobs.values()], cores(), stop_asked):
            if isinstance(told, NakctlError):
                raise told
            if told["status"] == "aborted":
                raise KeyboardInterrupt
            del jobs[job.out]
    if jobs:
        raise KeyboardInterrupt
    return {name: folder / f"{name}.h5" for name in runs}


def _job(out: Path, wanted: Asked) -> Job:
    wishes = Wishes(CHANNEL, wanted.cell, wanted.set, None)
    return Job(wanted.protocol, wishes, out, Options(out, 0, None, "", as_json=False, quiet=True))


def _opened(paths: dict[str, Path]) -> dict[str, Any]:
    from nakctl.record.read import open_run

    return {name: open_run(path) for name, path in paths.items()}


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Where the result files go: a folder of the user's that is new or empty, or one that vanishes."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="nakctl-compare-") as passing:
            yield Path(passing)
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise InputError(f"--keep {keep}: name a folder that is new or empty; nothing is overwritten")
    try:
        keep.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--keep {keep}: {error.strerror}") from error
    yield keep.resolve()


def _told(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "paper": row.paper,
        "band": str(row.band),
        "value": row.value,
        "in_band": row.in_band,
    }


def lines(rows: list[Row]) -> list[str]:
    """The table as text."""
    heads = ("", "paper", "band", "this version", "in band")
    cells = [heads] + [
        (row.name, row.paper, str(row.band), _shown(row.value), "yes" if row.in_band else "NO")
        for row in rows
    ]
    widths = [max(len(line[k]) for line in cells) for k in range(len(heads))]
    out = ["SIMULATED cells against Wu & Hatzell, EES Batteries 2025, 1, 1682", ""]
    out += [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    missed = sum(not row.in_band for row in rows)
    return [*out, "", f"{len(rows) - missed} of {len(rows)} rows in their bands"]


def _shown(value: float | str | None) -> str:
    return "-" if value is None else value if isinstance(value, str) else f"{value:.3g}"
