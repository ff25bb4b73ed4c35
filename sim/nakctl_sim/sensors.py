"""Simulated sensors: a chamber and a press that follow their set-points, for rehearsals and tests.

The simulated cell does not feel them: its temperature and pressure are those of its model. The entry point
`sim` of nakctl.sensors.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nakctl.device.driver import ClockLike
from nakctl.device.sensor import Raw, SensorKind, SensorSpec, Source
from nakctl.text import faults
from nakctl.text.faults import Problem
from nakctl.text.quantities import Quantity, quantity
from nakctl.text.units import parse, scale_of

NOT_FELT = "simulated; the simulated cell does not feel it"
Time = Annotated[Quantity, quantity("time")]
# What each is at the start, its unit, and how slowly it follows.
_MODELS = {"chamber": ("temperature", "degC", "25 degC", 600.0), "press": ("pressure", "MPa", "10 MPa", 30.0)}


class SimWords(BaseModel):
    """A simulated chamber or press."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    kind: Literal["sim"]
    model: Literal["chamber", "press"]
    start: Annotated[Quantity, quantity("temperature", "pressure")] | None = Field(
        None, description="what it shows before the first set-point"
    )
    time_constant: Time | None = Field(None, description="time to come within 37 % of the way to a set-point")
    every: Time = Quantity(1.0, "time", "1 s")
    note: str = ""


class Lagging:
    """A value that runs after its set-point like a body that exchanges heat: first order, without noise."""

    listens = False

    def __init__(self, start: float, time_constant_s: float, clock: ClockLike) -> None:
        self.clock, self.time_constant_s = clock, time_constant_s
        self.since_s, self.start, self.target = clock.now_s(), start, start

    def value(self) -> float:
        gone_s = max(0.0, self.clock.now_s() - self.since_s)
        return self.target + (self.start - self.target) * math.exp(-gone_s / self.time_constant_s)

    def read(self) -> Raw:
        now = time.perf_counter()
        return Raw(self.value(), now, now)

    def set(self, raw: float) -> None:
        self.start, self.since_s, self.target = self.value(), self.clock.now_s(), raw

    def close(self) -> None:
        """There is nothing to let go of."""


class SimKind:
    simulated = True

    def spec(self, name: str, words: Mapping[str, Any]) -> tuple[SensorSpec | None, list[Problem]]:
        try:
            said = SimWords.model_validate(words)
        except ValidationError as error:
            return None, faults.problems(error, dict(words), SimWords, {}, "a sensor of kind sim")
        dimension, unit, usual, time_constant_s = _MODELS[said.model]
        start = said.start or parse(usual, (dimension,))
        if start.dimension != dimension:
            return None, [Problem(("start",), f"{start}: a {said.model} has {dimension}, such as {usual}")]
        _, factor, offset = scale_of(unit, (dimension,))
        constant_s = said.time_constant.value if said.time_constant else time_constant_s
        return SensorSpec(
            name=name,
            kind="sim",
            address=f"simulated {said.model}",
            unit=unit,
            dimension=dimension,
            SI_factor=factor,
            SI_offset=offset,
            every_s=said.every.value,
            timeout_s=1.0,
            settable=True,
            simulated=True,
            about="; ".join(filter(None, [NOT_FELT, said.note])),
            options={
                "start": float(f"{(start.value - offset) / factor:.12g}"),
                "time_constant_s": constant_s,
            },
        ), []

    def open(self, spec: SensorSpec, clock: ClockLike) -> Source:
        return Lagging(spec.options["start"], spec.options["time_constant_s"], clock)


kind: SensorKind = SimKind()
