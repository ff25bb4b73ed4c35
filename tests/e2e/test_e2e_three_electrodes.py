"""A cell with three electrodes through the command line: plan, run, file, show, plot; and what two cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from command_line import Said

Here = Callable[..., Said]
PROTOCOL = """\
nakctl: 1
name: three
three_electrodes: true
limits: {Ewe: [-2 V, 2 V], Ece: [-2 V, 2 V]}
steps:
  - rest: 2 s
  - {strip: 0.1 mA/cm2, for: 5 s}
  - geis: {amplitude: 20 uA, from: 1 kHz, to: 10 Hz, per_decade: 2}
finally: rest
"""
RIG = """\
nakctl-rig: 1
devices: {sim: {driver: sim, model: VMP-3}}
channels: {bench: {device: sim}}
cells:
  mine: {channel: bench, area: 1 cm2, three_electrodes: true, simulated_as: three-electrode-dummy}
  old: {channel: bench, area: 1 cm2, simulated_as: three-electrode-dummy}
  wrong: {channel: bench, area: 1 cm2, three_electrodes: true, simulated_as: randles}
"""


def test_from_the_plan_to_the_plot(tmp_path: Path, here: Here) -> None:
    (tmp_path / "three.yaml").write_text(PROTOCOL)
    (tmp_path / "rig.yaml").write_text(RIG)
    on = ("--on", "bench", "--cell")
    planned = here("plan", "three.yaml", *on, "mine")
    assert planned.code == 0
    assert "cell      three: Ece is in rows of OCV, GEIS; in CP it is only looked at" in planned.out
    ran = here("run", "three.yaml", *on, "mine", "--out", "x.h5")
    assert ran.code == 0
    assert "Ece -0.3" in ran.out
    with h5py.File(tmp_path / "x.h5") as file:
        entry = file["entry"]
        at_rest = entry["samples/step_id"][()] == 1
        assert np.allclose(entry["samples/Ece"][()][at_rest], -0.3, atol=2e-3)
        assert np.isnan(entry["samples/Ece"][()][entry["samples/step_id"][()] == 2]).all()
        assert (entry["impedance/Zce_re"][()] > 40.0).all()
        assert entry["impedance/Zce_re"].attrs["units"] == "ohm"
        assert list(entry["plot"].attrs["auxiliary_signals"]) == ["Ece", "I"]
    shown = here("show", "x.h5")
    assert "; Ece -0.3" in shown.out
    assert here("show", "x.h5", "--json").json["Ece_max_V"] < 0.0
    assert here("plot", "x.h5", "-o", "x.png").code == 0


def test_a_cell_that_says_nothing_has_two(tmp_path: Path, here: Here) -> None:
    (tmp_path / "three.yaml").write_text(PROTOCOL)
    (tmp_path / "rig.yaml").write_text(RIG)
    refused = here("check", "three.yaml", "--on", "bench", "--cell", "old")
    assert refused.code == 2
    assert "three.yaml:3:1  three_electrodes: cell old has two electrodes" in refused.err
    assert "three.yaml:4:28  limits.Ece: cell old has two electrodes" in refused.err
    wrong = here("run", "three.yaml", "--on", "bench", "--cell", "wrong", "--out", "y.h5")
    assert wrong.code == 2
    assert "cell wrong has three electrodes, its model randles two" in wrong.err
