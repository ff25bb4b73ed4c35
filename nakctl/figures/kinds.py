"""The kinds of figures: what each shows, what the paper calls it, and what a run needs for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nakctl.figures import (
    cycling,
    nyquist,
    over_time,
    processes,
    pulses,
    relaxation_times,
    scans,
    staircase,
    sweeps,
    temperatures,
    titrations,
)
from nakctl.figures.choice import ALL, Choice
from nakctl.figures.figure import Figure
from nakctl.record.read import Run

RUN = "run"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind.

    paper  where Wu & Hatzell 2025 show such a figure; "" if they do not
    about  one sentence
    lacks  what a run lacks for it; "" if it suits
    make   of runs that suit. InputError if nothing is left of what was chosen
    """

    name: str
    paper: str
    about: str
    lacks: Callable[[Run], str]
    draw: Callable[[Sequence[Run], Choice], Figure]

    @property
    def is_of_spectra(self) -> bool:
        """Whether single ones can be chosen."""
        return self.lacks is sweeps.lacks_spectra or self.name == RUN

    def suits(self, run: Run) -> bool:
        return len(run.samples) > 0 and not self.lacks(run)

    def make(self, runs: Sequence[Run], choice: Choice = ALL) -> Figure:
        return self.draw(runs, choice)


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            RUN,
            "",
            "potential and current against time, potential against charge, spectra through the run",
            over_time.lacks_samples,
            over_time.overview,
        ),
        Kind(
            "voltage",
            "Fig. 1a",
            "potential, current and charge against time, sensors below; several runs overlaid",
            over_time.lacks_samples,
            over_time.voltage,
        ),
        Kind(
            "charge",
            "Fig. 2b, 4a",
            "potential against the charge that was moved; of pulses, at the end of each",
            over_time.lacks_samples,
            over_time.against_charge,
        ),
        Kind(
            "drt-map",
            "Fig. 1b-e, 3a, 5a",
            "distribution of relaxation times through the run, as colours",
            sweeps.lacks_spectra,
            relaxation_times.drt_map,
        ),
        Kind(
            "drt",
            "Fig. 3c, 5c, S7, S9",
            "distributions of relaxation times overlaid: pristine, under current, at rest; or several cells",
            sweeps.lacks_spectra,
            relaxation_times.drt_overlay,
        ),
        Kind(
            "peaks",
            "Fig. 3, 5",
            "where the peaks of the relaxation times lie through the run, and how large they are",
            sweeps.lacks_spectra,
            processes.peaks,
        ),
        Kind(
            "nyquist",
            "Fig. S2, S5, S8",
            "spectra with equal axes, chosen or spread through the run; or the first ones of several cells",
            sweeps.lacks_spectra,
            nyquist.nyquist,
        ),
        Kind(
            "bode",
            "",
            "size and phase of the impedance against frequency",
            sweeps.lacks_spectra,
            nyquist.bode,
        ),
        Kind(
            "staircase",
            "Fig. 3b, 5b, S4, S6",
            "potential and relaxation times against the current of a staircase, its threshold marked",
            staircase.lacks_staircase,
            staircase.staircase,
        ),
        Kind(
            "pulse",
            "Fig. 4b",
            "some pulses magnified, and how the potential relaxes after them",
            pulses.lacks_pulses,
            pulses.pulse,
        ),
        Kind(
            "capacity",
            "Fig. 4c",
            "critical stripping capacity against the rest between pulses, over several files",
            pulses.lacks_capacity,
            pulses.capacity,
        ),
        Kind(
            "cycling",
            "",
            "capacity and efficiency against the number of the cycle",
            cycling.lacks_cycles,
            cycling.capacities,
        ),
        Kind(
            "dqdv",
            "",
            "dQ/dV against potential, of some cycles",
            cycling.lacks_dq_dv,
            cycling.dq_dvs,
        ),
        Kind(
            "cv",
            "",
            "current against potential of scans, with their peaks",
            scans.lacks_scans,
            scans.voltammogram,
        ),
        Kind(
            "gitt",
            "",
            "titration: potential with its rests, against charge, and diffusion over the squared length",
            titrations.lacks_titration,
            titrations.titrations,
        ),
        Kind(
            "arrhenius",
            "",
            "resistance against 1/T, with the activation energy",
            temperatures.lacks_temperatures,
            temperatures.arrhenius,
        ),
    )
}  # fmt: skip
