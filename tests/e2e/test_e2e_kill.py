"""kill -9 of everything that belongs to a run, at random moments from its start to its end."""

from __future__ import annotations

import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest
from command_line import Command, processes, until
from conftest import SHORT

from nakctl.errors import InputError
from nakctl.record.recover import recover, unsealed

pytestmark = [pytest.mark.skipif(os.name != "posix", reason="process groups and SIGKILL"), pytest.mark.slow]
KILLS, AT_A_TIME = 12, 6
LONGEST_s = 2.0  # the run takes about 1.3 s at its pace: some are killed while they are sealed, or after
MOST_PER_POLL = 40  # a look at 100 times the pace: 5 rows when all is well, more on a busy machine
ARGUMENTS = ["run", "short.yaml", "--set", "rest=100 s", "--speed", "100", "--quiet"]


@dataclass(frozen=True, slots=True)
class Killed:
    """What a kill left. kept: samples that the journal was known to have; polls: appends that returned."""

    path: Path
    kept: int
    polls: int


def kill_one(folder: Path, k: int, moment_s: float) -> Killed:
    """Kill one run: every fourth so long after its start, the others so long after their first row."""
    path = folder / f"{k}.h5"
    witness = f"{path.name}.witness"
    run = Command(*ARGUMENTS, "--out", path.name, cwd=folder, witness=witness)
    if k % 4:
        until(lambda: (folder / witness).exists())
    time.sleep(moment_s)
    kill(run.pid, path.name)
    run.communicate()
    return left(path)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> list[Killed]:
    """Many runs, several at a time."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "short.yaml").write_text(SHORT, encoding="utf-8")
    chance = random.Random(2025)
    moments_s = [chance.uniform(0.0, LONGEST_s) for _ in range(KILLS)]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(kill_one, [folder] * KILLS, range(KILLS), moments_s))


def kill(group: int, name: str) -> None:
    """The run, and those it has started for its file; nothing if it is over."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    for helper in processes(f"\0{name}\0"):
        with suppress(ProcessLookupError):
            os.kill(helper, signal.SIGKILL)


def left(path: Path) -> Killed:
    witness = Path(f"{path}.witness")
    lines = witness.read_text(encoding="ascii").splitlines() if witness.exists() else []
    return Killed(path, int(lines[-1]) if lines else 0, len(lines))


def test_every_one_becomes_a_file_that_opens_plainly(killed: list[Killed]) -> None:
    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(recovered_status, killed))
    assert statuses.count("recovered") > KILLS // 4  # the others: not begun yet, or at their end already
    folder = killed[0].path.parent
    assert unsealed(folder) == []
    assert not [path for path in folder.iterdir() if ".journal" in path.name]


def recovered_status(run: Killed) -> str:
    """Recover one, and compare it with what was known to be recorded."""
    try:
        recover(run.path)
    except InputError:
        assert run.kept == 0
        return "not begun"
    with h5py.File(run.path, "r") as file:
        entry = file["entry"]
        time_s = entry["samples/time"][()]
        assert np.all(np.diff(time_s) >= 0)
        assert np.all(np.diff(entry["samples/step_count"][()].astype(np.int64)) >= 0)
        assert {len(column) for column in entry["samples"].values()} == {len(time_s)}
        assert len(time_s) >= run.kept  # nothing that was acknowledged is lost ...
        assert len(time_s) <= run.kept + MOST_PER_POLL  # ... and one poll more may be there at most
        assert entry["spectra/row_count"][()].sum() <= len(entry["impedance/time"])
        return str(entry["run_status"].asstr()[()])
