"""What an instrument can do, as data: `instruments/*.toml` hold each value with its source and confidence.

A package may bring others along: a folder of such files, as a package under the entry point group
`nakctl.instruments`. Names of ours stay ours.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

from nakctl.errors import RigError
from nakctl.offered import offered

# Of a range is left free: readings stop at its end, so nothing can be seen beyond a value that lies there,
# and a current that fills it is read as an overload half of the time.
HEADROOM = 0.01
GROUP = "nakctl.instruments"
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class CurrentRange:
    """name as on the panel ("1 mA"), code as in the vendor's library, full scale in A."""

    name: str
    code: int
    full_A: float

    @property
    def most_A(self) -> float:
        """The largest current that it shows with head-room."""
        return self.full_A * (1 - HEADROOM)

    def shows(self, current_A: float) -> bool:
        """Whether a reading can be seen to be beyond this current."""
        return current_A <= self.most_A * (1 + _ROUNDING)


@dataclass(frozen=True, slots=True)
class PotentialRange:
    """name as on the panel ("5 V" means -5 V to 5 V), code as in the vendor's library."""

    name: str
    code: int
    low_V: float
    high_V: float

    @property
    def least_V(self) -> float:
        """The lowest potential that it shows with head-room."""
        return self.low_V + self._headroom_V

    @property
    def most_V(self) -> float:
        """The highest potential that it shows with head-room."""
        return self.high_V - self._headroom_V

    @property
    def _headroom_V(self) -> float:
        return HEADROOM * (self.high_V - self.low_V) / 2

    def shows(self, potential_V: float) -> bool:
        """Whether a reading can be seen to be beyond this potential, on either side."""
        return self.least_V - _ROUNDING <= potential_V <= self.most_V + _ROUNDING


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
    timebase_s         per technique as `techniques.loaded_as` names it (OCV CPLIMIT ...): the
                       shortest record interval and step
    longest_s          longest single technique
    chain_length       techniques one chain may hold
    feeds              a longer one can be handed over while it runs: what does not run can be changed
    connections        programs that may be connected at a time
    load_s             how long the cell stays open between two chains
    rows_per_s         what a channel can deliver for long
    poll_s, eis_poll_s how often the host reads; reaction_s: from a row to the stop it causes
    Ece_rows           techniques, named likewise, in whose rows Ece can be; Ece_timebase_s: what that adds to
                       their time bases, which then are whole microseconds
    half_cells         impedance rows tell of the counter electrode what can be used
    f_full_amplitude_Hz  above it the excitation is known to fall far below what was asked; None: not known
    facts              every value again, with where it comes from; time bases as "timebase_s.OCV"
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
    feeds: bool
    connections: int
    load_s: float
    rows_per_s: float
    poll_s: float
    eis_poll_s: float
    reaction_s: float
    eis_s_per_average: float
    Ece_rows: tuple[str, ...]
    Ece_timebase_s: float
    half_cells: bool
    facts: dict[str, Fact]
    f_full_amplitude_Hz: float | None = None

    def eis_seconds(self, frequency_Hz: float, average: int, wait_periods: float) -> float:
        """Time from one row of a spectrum to the next."""
        return average * max(self.eis_s_per_average, 1 / frequency_Hz) + wait_periods / frequency_Hz


def instrument(name: str) -> Instrument:
    """The instrument of that name, however it is spelt ("SP-300", "sp300"). RigError says what there is."""
    key = _key(name)
    found = _ours().get(key) or _others().get(key)
    if found is None:
        raise RigError(f"{name} is no instrument nakctl knows; there are: {', '.join(instruments())}")
    return found


def instruments() -> tuple[str, ...]:
    """Names of all instruments, sorted."""
    return tuple(sorted(each.name for each in (_others() | _ours()).values()))


def _key(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


@cache
def _ours() -> dict[str, Instrument]:
    return _in_folder("nakctl.device.instruments")


@cache
def _others() -> dict[str, Instrument]:
    """Those that other packages bring along. RigError: a file of theirs is none."""
    found: dict[str, Instrument] = {}
    for point in offered(GROUP):
        try:
            found |= _in_folder(point.value)
        except (ImportError, OSError, KeyError, TypeError, ValueError) as error:
            text = f"instruments of {point.value}, which is installed here, cannot be read: {error!r}"
            raise RigError(text) from error
    return found


def _in_folder(package: str) -> dict[str, Instrument]:
    texts = [entry.read_text("utf-8") for entry in files(package).iterdir() if entry.name.endswith(".toml")]
    return {_key(each.name): each for each in map(parse, texts)}


def parse(text: str) -> Instrument:
    """An instrument from the text of its file."""
    table = tomllib.loads(text)
    facts = {key: Fact(**entry) for key, entry in _entries(table)}
    values: dict[str, Any] = {key: fact.value for key, fact in facts.items()}
    values |= {
        "name": table["name"],
        "family": table["family"],
        "facts": facts,
        "I_ranges": tuple(CurrentRange(**entry) for entry in values["I_ranges"]),
        "E_ranges": tuple(PotentialRange(**entry) for entry in values["E_ranges"]),
        "timebase_s": {technique: entry["value"] for technique, entry in table["timebase_s"].items()},
        "Ece_rows": tuple(values["Ece_rows"]),
    }
    return Instrument(
        **{field.name: values[field.name] for field in fields(Instrument) if field.name in values}
    )


def _entries(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Tables that hold a value, with dotted names for nested ones."""
    for key, entry in table.items():
        if isinstance(entry, dict) and "value" in entry:
            yield prefix + key, entry
        elif isinstance(entry, dict):
            yield from _entries(entry, f"{prefix}{key}.")
