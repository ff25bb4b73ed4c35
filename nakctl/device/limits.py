"""What an instrument can do, as data: `instruments/*.toml` hold each value with its source and confidence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CurrentRange:
    """name as on the panel ("1 mA"), code as in the vendor's library, full scale in A."""

    name: str
    code: int
    full_A: float


@dataclass(frozen=True, slots=True)
class PotentialRange:
    """name as on the panel ("5 V" means -5 V to 5 V), code as in the vendor's library."""

    name: str
    code: int
    low_V: float
    high_V: float


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of an instrument as its file states it."""

    value: object
    unit: str
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Instrument:
    """One kind of potentiostat channel.

    I_ranges           ascending
    I_step, E_step     resolution as a fraction of the range's full scale (E: of its span)
    timebase_s         per technique (OCV CP CA GEIS PEIS): the shortest record interval and step
    longest_s          longest single technique
    chain_length       techniques one chain may hold
    load_s             how long the cell stays open between two chains
    rows_per_s         what a channel can deliver for long
    poll_s, eis_poll_s how often the host reads; reaction_s: from a row to the stop it causes
    """

    name: str
    family: str
    I_ranges: tuple[CurrentRange, ...]
    E_ranges: tuple[PotentialRange, ...]
    I_step: float
    E_step: float
    I_max_A: float
    bandwidth: int
    bandwidth_max: int
    f_min_Hz: float
    f_max_Hz: float
    timebase_s: dict[str, float]
    longest_s: float
    chain_length: int
    load_s: float
    rows_per_s: float
    poll_s: float
    eis_poll_s: float
    reaction_s: float
    eis_s_per_average: float
    facts: dict[str, Fact]

    def eis_seconds(self, frequency_Hz: float, average: int, wait_periods: float) -> float:
        """Time from one row of a spectrum to the next."""
        return average * max(self.eis_s_per_average, 1 / frequency_Hz) + wait_periods / frequency_Hz
