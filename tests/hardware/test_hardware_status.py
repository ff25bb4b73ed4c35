"""A run on an instrument that no longer answers, as it is seen from outside."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import Going, Said, virtual_instrument
from patience import until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals to one process")


def test_a_call_that_does_not_come_back_is_told_while_it_lasts(
    here: Callable[..., Said], tmp_path: Path
) -> None:
    instrument, address = virtual_instrument("--speed", "40", cwd=tmp_path)

    def seen() -> Any:
        runs = here("status", "--json").json["runs"]
        return next(
            (run for run in runs if run["file"] == str((tmp_path / "x.h5").resolve())), {"health": ""}
        )

    try:
        assert here("rig", "init", address).code == 0
        with (tmp_path / "rig.yaml").open("a", encoding="utf-8") as rig:
            rig.write("cells:\n  cell-7: {channel: sp300/ch1, area: 0.4418 cm2}\n")
        words = ("run", "ccd", "--on", "sp300/ch1", "--set", "f_max=10kHz", "--speed", "40", "--out", "x.h5")
        with Going(*words, cwd=tmp_path) as going:
            until(lambda: ((seen().get("state") or {}).get("samples") or 0) > 3)
            told = seen()
            assert (told["place"], told["address"], told["channel"]) == ("sp300/ch1", address, 1)
            assert (told["state"]["step"], told["state"]["alone"]) == ("1 rest", "")
            instrument.send_signal(signal.SIGSTOP)
            until(lambda: seen()["health"] == "STUCK")
            assert "of the channel has not come back for" in seen()["message"]
            until(lambda: (seen()["state"]["alarm"] or {}).get("code") == "call_hangs")
            instrument.send_signal(signal.SIGCONT)
            until(lambda: seen()["health"] == "running")
            os.kill(going.process.runner, signal.SIGKILL)
            until(lambda: seen()["health"] == "DEAD")
            assert "alone the instrument holds no limit" in seen()["message"]
            assert f"nakctl stop {told['run_id'][:8]}" in seen()["message"]
    finally:
        instrument.kill()
        instrument.communicate()
