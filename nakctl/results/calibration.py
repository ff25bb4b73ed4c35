"""The paper's observations, measured on result files and set beside what the paper reports.

What is expected stands in `paper.toml`, and nowhere else: the functions here only measure. Each gives some
rows of the table by their keys; None where a run does not show the thing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from nakctl.record.read import Run
from nakctl.results.capacity import critical_capacity_mAh_cm2, rises, seconds_to_cutoff
from nakctl.results.drt import FAST_INTERFACE, GRAIN_BOUNDARY, INTERFACE
from nakctl.results.inventory import sodium_mAh_cm2
from nakctl.results.relaxation import mean_relaxation, plateau_s
from nakctl.results.shorts import shorted
from nakctl.results.spectra import Spectra
from nakctl.results.spectrum import Spectrum
from nakctl.results.summary import summary
from nakctl.results.threshold import levels, linearity, threshold_mA_cm2

Value = float | str | None
Runs = Mapping[str, Run]
Found = dict[str, Value]
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that the table needs: a shipped protocol, a cell, parameters as for --set."""

    protocol: str
    cell: str
    set: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Band:
    """What a value has to be: above and below (exclusive), or exactly a word."""

    above: float | None = None
    below: float | None = None
    word: str | None = None

    def holds(self, value: Value) -> bool:
        if value is None or isinstance(value, str):
            return value is not None and value == self.word
        over = self.above is None or value > self.above
        return self.word is None and over and (self.below is None or value < self.below)

    def __str__(self) -> str:
        if self.word is not None:
            return self.word
        if self.above is not None and self.below is not None:
            return f"{self.above:g} - {self.below:g}"
        return f"> {self.above:g}" if self.above is not None else f"< {self.below:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    paper: str
    band: Band
    value: Value

    @property
    def in_band(self) -> bool:
        return self.band.holds(self.value)


def asked() -> dict[str, Asked]:
    """Every run of the table, by its name."""
    return {name: Asked(**words) for name, words in _paper()["runs"].items()}


def table(runs: Runs) -> list[Row]:
    """All rows in the order of `paper.toml`. runs: those of `asked`, by name."""
    found: Found = {}
    for measure in MEASURES:
        with suppress(LookupError):  # a run that ended early has no spectra of its later levels: no values
            found |= measure(runs)
    return [_row(words, found.get(key)) for key, words in _paper()["rows"].items()]


def _row(words: dict[str, Any], value: Value) -> Row:
    band = words["band"]
    shown = float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
    return Row(
        words["name"], words["paper"], Band(band.get("above"), band.get("below"), band.get("is")), shown
    )


@cache
def _paper() -> dict[str, Any]:
    return tomllib.loads(files("nakctl.results").joinpath("paper.toml").read_text("utf-8"))


# --- staircase stripping, and the rest after it --------------------------------------------------------


def _voltages(runs: Runs) -> Found:
    j, V = levels(runs["strip_NaK50"])
    return {
        "threshold_NaK50": threshold_mA_cm2(j, V),
        "threshold_NaK65": threshold_mA_cm2(*levels(runs["strip_NaK65"])),
        "cutoff_NaK80": seconds_to_cutoff(runs["strip_NaK80"]),
        "completes_NaK50": _yes(runs["strip_NaK50"].header.status == "completed" and np.isclose(j[-1], 1.0)),
        "voltage_ratio": float(np.interp(1.0, j, V) / np.interp(0.5, j, V)),
    }


def _staircase(runs: Runs) -> Found:
    spectra = Spectra(runs["strip_NaK50"])
    low, half, full = (spectra.at(j) for j in (0.05, 0.5, 1.0))
    grains = [one.drt().top(GRAIN_BOUNDARY).area_ohm_cm2 for one in spectra.between(0.05, 1.0)]
    return {
        "GB_tau": spectra[0].drt().top(GRAIN_BOUNDARY).tau_s,
        "GB_change": max(abs(area / grains[0] - 1.0) for area in grains),
        "int_tau": spectra[0].drt().top(INTERFACE).tau_s,
        "int_growth_half": _height(half) / _height(low),
        "int_growth_full": _height(full) / _height(low),
        "int_shift": full.drt().top(INTERFACE).tau_s / low.drt().top(INTERFACE).tau_s,
        "fast_share_stable": max(map(_fast_share, spectra.between(0.05, 0.5))),
        "fast_share_unstable": min(map(_fast_share, spectra.between(0.9, 1.0))),
        "fast_tau": full.drt().top(FAST_INTERFACE).tau_s,
    }


def _rest(runs: Runs) -> Found:
    spectra = Spectra(runs["strip_NaK50"])
    pristine, soon, late = spectra[0], *_rest_ends(spectra)
    return {
        "rest_fast_share": _fast_share(soon),
        "rest_int_tau": soon.drt().top(INTERFACE).tau_s / pristine.drt().top(INTERFACE).tau_s,
        "rest_int_height": _height(soon) / _height(pristine),
        "rest_int_height_15h": _height(late) / _height(pristine),
    }


# --- pulses --------------------------------------------------------------------------------------------


def _capacities(runs: Runs) -> Found:
    capacity = {name: critical_capacity_mAh_cm2(runs[name]) for name in ("direct", *PULSES)}
    return {
        "direct": capacity["direct"],
        "pulses_100ms_gain": _over(capacity["pulses_100ms"], capacity["direct"]),
        **{name: capacity[name] for name in PULSES[1:]},
        "pulses_gain": _over(capacity["pulses_10s"], capacity["pulses_5s"]),
        "plateau": plateau_s(*mean_relaxation(runs["relaxation"])),
        "quarter_direct_V": _highest_V(runs["quarter_direct"]),
        "quarter_pulses_V": _highest_V(runs["quarter_pulses"]),
    }


PULSES = ("pulses_100ms", "pulses_1s", "pulses_2s", "pulses_5s", "pulses_10s")


def _highest_V(run: Run) -> Value:
    """None if the cutoff potential ended the run before its capacity did."""
    return None if critical_capacity_mAh_cm2(run) is not None else float(run.samples["Ewe"].max())


# --- critical current density and plating --------------------------------------------------------------


def _shorts(runs: Runs) -> Found:
    rise = rises(runs["ccd_NaK50"])
    ccd = summary(runs["ccd_NaK50"])
    return {
        "rise_50uA": rise.get(0.05),
        "rise_100uA": rise.get(0.1),
        "rise_200uA": rise.get(0.2),
        "rise_400uA": rise.get(0.4),
        "ccd_short_while": ccd.get("short_while"),
        "ccd_short_at": ccd.get("short_at_mA_cm2"),
        "ccd_Na": summary(runs["ccd_Na"]).get("ccd_mA_cm2"),
        "plate_700uA": summary(runs["plate_700uA"]).get("short_at_mAh_cm2"),
        "plate_400uA": _shorted(runs["plate_400uA"]),
    }


def _plating(runs: Runs) -> Found:
    spectra = Spectra(runs["plate_NaK50"])
    pristine, soon, late = spectra[0], *_rest_ends(spectra)
    heights = [_height(one) for one in spectra.between(-1.0, -0.05)]
    tenths = [float(np.mean(part)) for part in np.array_split(heights, 10)]
    return {
        "plate_linear": linearity(*levels(runs["plate_NaK50"])),
        "plate_short": _shorted(runs["plate_NaK50"]),
        "plate_int": _height(spectra.at(-1.0)) / _height(spectra.at(-0.05)),
        "plate_falls": _yes(bool((np.diff(tenths) < 0).all())),
        "plate_rest": _height(soon) / _height(spectra.at(-1.0)),
        "plate_rest_15h": _height(late) / _height(pristine),
    }


def _potassium(runs: Runs) -> Found:
    spectra = Spectra(runs["plate_K"])
    plated = spectra[spectra.resting()[0] - 1]
    return {
        "K_int": _height(plated) / _height(spectra[0]),
        "K_int_15h": _height(spectra[-1]) / _height(spectra[0]),
    }


def _compositions(runs: Runs) -> Found:
    pristine = [_height(Spectra(runs[f"strip_{alloy}"])[0]) for alloy in ("NaK50", "NaK65", "NaK80")]
    total, usable = sodium_mAh_cm2(runs["strip_NaK50"])
    return {
        "pristine_65_50": pristine[1] / pristine[0],
        "pristine_80_65": pristine[2] / pristine[1],
        "sodium": total,
        "sodium_to_liquidus": usable,
    }


MEASURES: tuple[Callable[[Runs], Found], ...] = (
    _voltages,
    _staircase,
    _rest,
    _capacities,
    _shorts,
    _plating,
    _potassium,
    _compositions,
)


def _rest_ends(spectra: Spectra) -> Iterable[Spectrum]:
    """The first and the last spectrum at rest."""
    resting = spectra.resting()
    return spectra[resting[0]], spectra[resting[-1]]


def _height(spectrum: Spectrum) -> float:
    return spectrum.drt().top(INTERFACE).height_ohm_cm2


def _fast_share(spectrum: Spectrum) -> float:
    """Of the resistance of the interface, what relaxes fast."""
    fast, slow = (spectrum.drt().top(window).area_ohm_cm2 for window in (FAST_INTERFACE, INTERFACE))
    return fast / (fast + slow)


def _over(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one / other


def _shorted(run: Run) -> Value:
    """None if something else ended the run before its end."""
    return _yes(shorted(run)) if run.header.status == "completed" else None


def _yes(answer: bool | np.bool_) -> str:
    return "yes" if answer else "no"
