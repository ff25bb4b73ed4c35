"""kill -9 of everything that belongs to a run, at random moments from its start to its end."""

from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from killing import Killed, Rows, kill_one, recovered_status, undisturbed
from short_run import SHORT

from nakctl.record.recover import unsealed

pytestmark = [pytest.mark.skipif(os.name != "posix", reason="process groups and SIGKILL"), pytest.mark.slow]
KILLS, AT_A_TIME = 12, 6
LONGEST_s = 3.0  # the run takes about 2.6 s at its pace: some are killed while they are sealed, or after
RUN = ["run", "short.yaml", "--set", "rest=100 s", "--quiet"]
PACED = [*RUN, "--speed", "50"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, Rows]:
    """The same run, undisturbed: in virtual time, whose rows are the same."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "short.yaml").write_text(SHORT, encoding="utf-8")
    return undisturbed(folder, "whole.h5", RUN)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> list[Killed]:
    """Many runs, several at a time; every fourth is killed so long after its start, not its first row."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "short.yaml").write_text(SHORT, encoding="utf-8")
    chance = random.Random(2025)
    moments_s = [chance.uniform(0.0, LONGEST_s) for _ in range(KILLS)]

    def one(k: int) -> Killed:
        return kill_one(folder, f"{k}.h5", moments_s[k], PACED, begun=bool(k % 4))

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(one, range(KILLS)))


def test_every_one_becomes_a_file_that_holds_what_was_recorded(
    killed: list[Killed], whole: tuple[Rows, Rows]
) -> None:
    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(partial(recovered_status, whole=whole), killed))
    assert statuses.count("recovered") > KILLS // 4  # the others: not begun yet, or at their end already
    folder = killed[0].path.parent
    assert unsealed(folder) == []
    left = [path.name for path in folder.iterdir() if not path.name.endswith((".h5", ".yaml", ".witness"))]
    assert left == []
