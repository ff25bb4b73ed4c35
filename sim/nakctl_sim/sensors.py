"""Simulated sensors for rehearsals: a chamber and a press that follow set-points and an operator's hand.

A simulated cell comes to the temperature of a chamber (see `nakctl_sim.chamber`), and feels no press. The
entry point `sim` of nakctl.sensors.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nakctl.device.driver import ClockLike
from nakctl.device.sensor import Raw, SensorKind, SensorSpec, Source
from nakctl.text import faults
from nakctl.text.faults import Problem
from nakctl.text.quantities import Quantity, quantity
from nakctl.text.reader import Loc
from nakctl.text.units import UnitError, parse, scale_of

FELT = {
    "chamber": "simulated; a simulated cell with activation energies comes to its temperature",
    "press": "simulated; the simulated cell does not feel it",
}
Time = Annotated[Quantity, quantity("time", refs=False)]


@dataclass(frozen=True, slots=True)
class Model:
    """What stands on the bench.

    usual  what it shows at the start; table: how one is written
    time_constant_s  how slowly it follows
    """

    dimension: str
    unit: str
    usual: str
    table: str
    time_constant_s: float


_MODELS = {
    "chamber": Model("temperature", "degC", "25 degC", "[[0 s, 25 degC], [10 min, 60 degC]]", 600.0),
    "press": Model("pressure", "MPa", "10 MPa", "[[0 s, 2 MPa], [10 min, 10 MPa]]", 30.0),
}


class SimWords(BaseModel):
    """A simulated chamber or press. start and table are read by `_wrong_values` and `_spec`."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, arbitrary_types_allowed=True)

    kind: Literal["sim"]
    model: Literal["chamber", "press"]
    start: Any = Field(
        None, description="what it shows at first; left out: what the table says for 0 s, or what is usual"
    )
    table: Any = Field(
        None, description="pairs [time of the run, value]: then an operator's hand moves its target"
    )
    time_constant: Time | None = Field(
        None, description="time to come within 37 % of the way to where it is set"
    )
    every: Time = Quantity(1.0, "time", "1 s")
    note: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """From one move of the target to the next: what it showed at the beginning, and where it goes."""

    since_s: float
    start: float
    target: float

    def at(self, time_s: float, time_constant_s: float) -> float:
        gone_s = max(0.0, time_s - self.since_s)
        return self.target + (self.start - self.target) * math.exp(-gone_s / time_constant_s)

    def moved(self, time_s: float, target: float, time_constant_s: float) -> Piece:
        return Piece(time_s, self.at(time_s, time_constant_s), target)


class Lagging:
    """A value that runs after its target like a body that exchanges heat: first order, without noise.

    Set-points move the target, and so does an operator's hand at the times of `table`; the last move counts.
    Only moves change what is kept, so that a value does not depend on when others were read.
    """

    listens = False

    def __init__(
        self, start: float, time_constant_s: float, table: Iterable[tuple[float, float]], clock: ClockLike
    ) -> None:
        self.clock, self.time_constant_s = clock, time_constant_s
        self.piece = Piece(0.0, start, start)
        self.to_come = deque(table)

    def value(self) -> float:
        now_s = self.clock.now_s()
        return self._reached(now_s).at(now_s, self.time_constant_s)

    def read(self) -> Raw:
        now = time.perf_counter()
        return Raw(self.value(), now, now)

    def set(self, raw: float) -> None:
        now_s = self.clock.now_s()
        self.piece = self._reached(now_s).moved(now_s, raw, self.time_constant_s)

    def close(self) -> None:
        """There is nothing to let go of."""

    def _reached(self, now_s: float) -> Piece:
        """The piece of now, after what the operator did until then."""
        while self.to_come and self.to_come[0][0] <= now_s:
            self.piece = self.piece.moved(*self.to_come.popleft(), self.time_constant_s)
        return self.piece


class SimKind:
    simulated = True

    def spec(self, name: str, words: Mapping[str, Any]) -> tuple[SensorSpec | None, list[Problem]]:
        found = list(_wrong_values(words))
        try:
            said = SimWords.model_validate(words)
        except ValidationError as error:
            return None, [*faults.problems(error, dict(words), SimWords, {}, "a sensor of kind sim"), *found]
        return (None, found) if found else (_spec(name, said), [])

    def open(self, spec: SensorSpec, clock: ClockLike) -> Source:
        options = spec.options
        return Lagging(options["start"], options["time_constant_s"], options["table"], clock)


def _wrong_values(words: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with start and table, also where other words are wrong."""
    model = _MODELS.get(str(words.get("model")))
    shown = (model.dimension,) if model else tuple(each.dimension for each in _MODELS.values())
    if words.get("start") is not None:
        yield from _wrong(words["start"], shown, ("start",))
    table = words.get("table")
    if table is None:
        return
    example = (model or _MODELS["press"]).table
    if not isinstance(table, list) or not table:
        yield Problem(("table",), f"must be pairs of a time and a value, such as {example}")
        return
    for k, pair in enumerate(table):
        if not isinstance(pair, list) or len(pair) != 2:
            yield Problem(("table", k), f"must be a time and a value in [ ], as in {example}")
            continue
        yield from _wrong(pair[0], ("time",), ("table", k, 0))
        yield from _wrong(pair[1], shown, ("table", k, 1))
    yield from _out_of_order(table)


def _wrong(said: Any, dimensions: tuple[str, ...], loc: Loc) -> Iterator[Problem]:
    try:
        _si(said, dimensions)
    except UnitError as error:
        yield Problem(loc, str(error))


def _out_of_order(table: list[Any]) -> Iterator[Problem]:
    """Times that do not rise. What is no time is told elsewhere."""
    timed = [
        (k, pair[0])
        for k, pair in enumerate(table)
        if isinstance(pair, list) and len(pair) == 2 and not [*_wrong(pair[0], ("time",), ())]
    ]
    for (_, before), (k, after) in pairwise(timed):
        if _si(after, ("time",)) <= _si(before, ("time",)):
            text = f"{after} stands after {before}: times must rise from pair to pair"
            yield Problem(("table", k, 0), text)


def _si(said: Any, dimensions: tuple[str, ...]) -> float:
    """The value in SI; 0 will do. UnitError."""
    return parse(said, dimensions, zero=True).value


def _spec(name: str, said: SimWords) -> SensorSpec:
    model = _MODELS[said.model]
    _, factor, offset = scale_of(model.unit, (model.dimension,))

    def shown(value: Any) -> float:
        return float(f"{(_si(value, (model.dimension,)) - offset) / factor:.12g}")

    table = [(_si(at, ("time",)), shown(value)) for at, value in said.table or []]
    at_once = [value for time_s, value in table if time_s == 0]
    start = shown(said.start or model.usual)
    return SensorSpec(
        name=name,
        kind="sim",
        address=f"simulated {said.model}",
        unit=model.unit,
        dimension=model.dimension,
        SI_factor=factor,
        SI_offset=offset,
        every_s=said.every.value,
        timeout_s=1.0,
        settable=True,
        simulated=True,
        about="; ".join(filter(None, [FELT[said.model], said.note])),
        options={
            "start": at_once[0] if at_once and said.start is None else start,
            "time_constant_s": said.time_constant.value if said.time_constant else model.time_constant_s,
            "table": table,
        },
    )


kind: SensorKind = SimKind()
