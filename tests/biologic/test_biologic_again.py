"""A fault in decoding spoils no run for good: the file keeps the instrument's words, and is booked anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from biologic_bench import FAMILIES, bench
from compiling import lowered
from headers import header_of

from nakctl.device import program_json
from nakctl.record.read import open_run
from nakctl.record.recorder import Recorder
from nakctl.record.recover import recover
from nakctl.run.run import run
from nakctl_biologic import visits

STEPS = """
- {strip: 0.2 mA, for: 10 s}
- {geis: g, during: {strip: 0.1 mA}}
- repeat: 2
  steps:
    - {rest: 2 s}
    - {plate: 0.1 mA, for: 3 s}
"""


def recorded(path: Path, like: str, driver: str = "biologic") -> None:
    one = bench(like, "NaK50")
    program = lowered(STEPS, like)
    about: dict[str, Any] = {"model": like, "driver": driver, "facts": one.channel.info.facts}
    recorder = Recorder.create(path, header_of("again", instrument=about), program_json.dump(program))
    outcome = run(program, one.channel, one.clock, recorder, poll_s=0.5)
    one.channel.close()
    assert recorder.finish(outcome.status, outcome.reason).sealed
    assert outcome.status == "completed"


def columns(path: Path) -> dict[str, np.ndarray]:
    with open_run(path) as made:
        tables = {"samples": made.samples, "impedance": made.impedance, "steps": made.steps}
        return {f"{name}/{column}": table[column] for name, table in tables.items() for column in table.names}


@pytest.mark.parametrize("like", FAMILIES)
def test_what_a_driver_had_decoded_wrong_is_right_after_booking_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, like: str
) -> None:
    recorded(tmp_path / "right.h5", like)
    right = columns(tmp_path / "right.h5")
    sample_rows = visits.sample_rows

    def wrong(*given: Any) -> Any:
        rows = sample_rows(*given)
        rows["Ewe_V"] *= -1
        return rows

    path = tmp_path / "wrong.h5"
    with monkeypatch.context() as fault:  # in this process; files are made by others
        fault.setattr(visits, "sample_rows", wrong)
        recorded(path, like)
    assert not np.array_equal(columns(path)["samples/Ewe"], right["samples/Ewe"])
    said = recover(path, again=True).message
    assert "rows made anew from the instrument's words: those of" in said
    for name, values in columns(path).items():
        np.testing.assert_array_equal(values, right[name], err_msg=name)
    assert "none differs" in recover(path, again=True).message


def test_words_that_no_driver_here_can_read_leave_the_rows_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorded(path, "SP-300", driver="nobody's")
    before = columns(path)
    assert recover(path, again=True).message.startswith("booked anew by nakctl")
    for name, values in columns(path).items():
        np.testing.assert_array_equal(values, before[name], err_msg=name)
