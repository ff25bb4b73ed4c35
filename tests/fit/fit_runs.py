"""Short runs of cells that a fit has to find again: what is different about them, and the protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import results_runs
from command_line import Said

STAIRS = """\
nakctl: 1
name: Short staircase
params: {levels: "0.1, 0.3, 0.5 mA/cm2"}
spectra:
  fresh: {kind: peis, amplitude: 10 mV, from: 5 MHz, to: 1 Hz, per_decade: 5}
limits: {Ewe: [-3 V, 3 V], I: 9 mA, time: 1 h}
steps:
  - rest: 5 s
  - peis: fresh
  - staircase: $levels
    steps:
      - strip: $level
        for: 4 s
        record: {every: 0.2 s}
      - rest: 8 s
        record: {every: 0.4 s}
finally: rest
"""
SPECTRUM = """\
nakctl: 1
name: Spectrum
spectra:
  fresh: {kind: peis, amplitude: 10 mV, from: 5 MHz, to: 5 Hz, per_decade: 5}
limits: {Ewe: [-3 V, 3 V], I: 9 mA, time: 1 h}
steps:
  - rest: 5 s
  - peis: fresh
finally: rest
"""
PULSE = """\
nakctl: 1
name: Spectrum and pulse
spectra:
  fresh: {kind: peis, amplitude: 10 mV, from: 1 MHz, to: 0.5 Hz, per_decade: 5}
limits: {Ewe: [-3 V, 3 V], I: 9 mA, time: 1 h}
steps:
  - rest: 5 s
  - peis: fresh
  - strip: 0.1 mA
    for: 5 s
    record: {every: 0.1 s}
  - rest: 5 s
    record: {every: 0.1 s}
finally: rest
"""
PROTOCOLS = {"stairs": STAIRS, "spectrum": SPECTRUM, "pulse": PULSE}
UNITS = {"R": "ohm cm2", "t": "s", "T": "s", "n": '"1"', "K": "mA/cm2 per mol/L", "s": '"1"'}


@dataclass(frozen=True)
class Nak:
    """A cell that is not the shipped one, and how its run was made."""

    name: str
    values: Mapping[str, float]
    percent_K: float = 50
    area_cm2: float = 0.4418
    thickness_mm: float = 1.5
    levels: str = "0.1, 0.3, 0.5 mA/cm2"
    seed: int = 1

    def text(self) -> str:
        parameters = [
            f"      {name}: {{value: {value!r}, unit: {UNITS[name[0]]}, status: A, source: made up}}"
            for name, value in self.values.items()
        ]
        return "\n".join(
            [
                "model: nak",
                "cells:",
                f"  {self.name}:",
                f"    working: NaK{self.percent_K:g}",
                f"    composition_wt_percent_K: {self.percent_K:g}",
                f"    area: {self.area_cm2} cm2",
                f"    pellet_thickness: {self.thickness_mm} mm",
                "    parameters:",
                *parameters,
            ]
        )


NEAR = Nak(
    "near",
    {"R_s": 61.0, "R_gb": 74.0, "tau_gb": 2.2e-6, "R_c": 80.0, "R_ct": 40.0, "tau_int": 0.06, "K_m": 0.09},
)
FAR = Nak(
    "far",
    {
        "R_s": 9.0, "R_gb": 420.0, "tau_gb": 2e-5, "n_gb": 0.8, "R_c": 26.0, "R_ct": 13.0, "tau_int": 0.012,
        "n_int": 0.8, "K_m": 0.05, "T_D": 2.4, "sig_m": 1.3,
    },
    area_cm2=0.785,
    thickness_mm=0.5,
    levels="0.1, 0.3 mA/cm2",
    seed=7,
)  # fmt: skip
POOR = Nak(
    "poor",
    {"R_s": 30.0, "R_gb": 160.0, "R_c": 220.0, "R_ct": 90.0, "tau_int": 0.2, "K_m": 0.16, "T_D": 0.6},
    percent_K=65,
    levels="0.1, 0.2, 0.3 mA/cm2",
    seed=3,
)
CIRCUIT = """\
model: circuit
cells:
  box:
    area: 2 cm2
    source: 0.4 V
    series: 31 ohm
    pairs:
      - {R: 260 ohm, C: 40 nF, n: 0.9}
      - {R: 700 ohm, C: 30 uF}
"""


def made(nakctl: Callable[..., Said], folder: Path) -> dict[str, Path]:
    """Result files by name."""
    for name, text in PROTOCOLS.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    wanted = {}
    for cell in (NEAR, FAR, POOR):
        (folder / f"{cell.name}-cell.yaml").write_text(cell.text(), encoding="utf-8")
    for cell in (FAR, POOR):
        wanted[cell.name] = ("stairs.yaml", cell.name, "--seed", cell.seed, "--set", f"levels={cell.levels}")
    (folder / "box-cell.yaml").write_text(CIRCUIT, encoding="utf-8")
    wanted |= {
        "spectrum": ("spectrum.yaml", "near", "--seed", 5),
        "box": ("pulse.yaml", "box"),
    }
    for name, (protocol, cell, *more) in wanted.items():
        out = folder / f"{name}.h5"
        said = nakctl(
            "run",
            folder / protocol,
            "--cell",
            folder / f"{cell}-cell.yaml",
            "--out",
            out,
            "--quiet",
            *map(str, more),
        )
        assert said.code == 0, said
    strip = results_runs.written(
        folder / "strip.h5", [results_runs.rest(5), results_runs.strip(1e-3, [0.1] * 5)]
    )
    return {name: folder / f"{name}.h5" for name in wanted} | {"strip": strip}
