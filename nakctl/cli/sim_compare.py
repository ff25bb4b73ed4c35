"""`nakctl sim compare`: the paper's protocols through the whole chain, and the table of what came out."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nakctl.cli.json_output import print_json
from nakctl.cli.prepare import Wishes
from nakctl.errors import ExitCode, InputError, RecordError
from nakctl.results.calibration import Asked, Row, asked, table

CHANNEL = "sim-sp300"
# The longest runs first, so that no core waits for one of them at the end.
FIRST = ("pulses_10s", "quarter_pulses", "pulses_5s")


def compare(as_json: bool, keep: Path | None) -> int:
    """Run everything, measure the files, print the table. FAILED if a row is out of its band."""
    with _folder(keep) as folder:
        rows = table(_opened(run_all(folder)))
    if as_json:
        print_json([_told(row) for row in rows])
    else:
        print("\n".join(lines(rows)))
    return ExitCode.DONE if all(row.in_band for row in rows) else ExitCode.FAILED


def run_all(folder: Path) -> dict[str, Path]:
    """Run what the table needs, as many at a time as there are cores: name -> result file."""
    runs = asked()
    order = sorted(runs, key=lambda name: name not in FIRST)
    workers = min(os.cpu_count() or 1, len(runs))
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), os.chdir, (folder,)) as pool:
        going = {name: pool.submit(_run, name, runs[name]) for name in order}
        try:
            return {name: folder / going[name].result() for name in runs}
        finally:
            pool.shutdown(cancel_futures=True)  # after Ctrl-C or a failure nothing more is begun


def _run(name: str, wanted: Asked) -> str:
    """As `nakctl run` does it, in the working folder. RecordError if the file is not whole."""
    from nakctl.cli.asked_runs import asked_runs
    from nakctl.cli.one_run import Options, run_one
    from nakctl.cli.screen.run_screen import screen
    from nakctl.cli.signals import asked_to_stop

    wishes = Wishes(CHANNEL, wanted.cell, wanted.set, None)
    [one] = asked_runs(wanted.protocol, wishes, [], Path(f"{name}.h5"))
    options = Options(one.out, 0, None, "", as_json=False, quiet=True)
    with asked_to_stop() as stop_asked, screen(one.ready, silent=True) as show:
        report = run_one(one.ready, one.out, options, stop_asked, show)
    if report is None:
        raise KeyboardInterrupt
    if not report["sealed"]:
        raise RecordError(f"{name}: {report.get('message', 'not sealed')}")
    return one.out.name


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
    keep.mkdir(parents=True, exist_ok=True)
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
