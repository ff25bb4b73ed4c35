"""kill -9 at any moment: what was recorded comes back, as a file that anything opens."""

from __future__ import annotations

import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import record_rows as rows
from forked_helpers import python
from paced_writer import PER_POLL
from patience import until

from nakctl.record.recover import recover, unsealed

WRITER = Path(__file__).with_name("paced_writer.py").read_text(encoding="utf-8")
KILLS = 6
pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups and SIGKILL")


def start_writer(path: Path, polls: int = 10_000, pause_s: float = 0.003, watched: bool = True) -> Any:
    """One that leads its own group."""
    how = (str(path), str(polls), str(pause_s), "watched" if watched else "alone")
    return python(WRITER, *how)


def killed_run(path: Path, after_s: float, watched: bool = True) -> int:
    """Kill the whole process group of a run; returns how many rows it was known to have recorded."""
    writer = start_writer(path, watched=watched)
    writer.stdout.readline()
    time.sleep(after_s)
    os.killpg(writer.pid, signal.SIGKILL)
    said, _ = writer.communicate()
    announced = [int(line) for line in said.splitlines() if line.strip().isdigit()]
    return announced[-1] if announced else 0


def check_recovered(path: Path, recorded: int) -> None:
    with h5py.File(path, "r") as file:
        table = file["entry/samples"]
        time_s = table["time"][()]
        expected = rows.samples(0, len(time_s))
        assert recorded <= len(time_s) <= recorded + PER_POLL
        for name in expected.dtype.names:
            np.testing.assert_array_equal(table[name][()], expected[name])
        assert np.all(np.diff(time_s) > 0)
        assert file["entry/run_status"].asstr()[()] == "recovered"
        last = f"last sample at {time_s[-1]:.6g} s" if len(time_s) else "up to entry "
        assert last in file["entry/recovery"].asstr()[()]
        steps = file["entry/steps"]
        count = -(-len(time_s) // rows.PER_PASS)  # the one that was under way among them
        np.testing.assert_array_equal(steps["step_count"][()], np.arange(1, count + 1))
        assert steps["end_kind"][()].tolist() == [b"duration"] * (count - 1) + [b"unclosed"] * bool(count)


@pytest.mark.slow
def test_kills_lose_at_most_the_poll_that_was_not_yet_recorded(tmp_path: Path) -> None:
    chance = random.Random(1)

    def one(k: int) -> None:
        path = tmp_path / f"{k}.h5"
        recorded = killed_run(path, chance.uniform(0.0, 0.5), watched=k % 2 == 0)
        recovered = recover(path)
        assert recovered.status == "recovered"
        check_recovered(path, recorded)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(KILLS)))
    # a helper that outlived its run looks in once more
    until(lambda: rows.names_in(tmp_path) == [f"{k}.h5" for k in range(KILLS)])
    assert unsealed(tmp_path) == []
