"""What the run hears of the sensors' process: lines as `told` makes them, and nothing else.

Apart from that, because whoever checks shapes loads more than a process needs that has to be back soon.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from nakctl.device.sensor import Latest, SensorNotice

_Latest = tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat, str, FiniteFloat]
_Severity = Annotated[int, Field(ge=0, le=2)]
_Notice = tuple[str, _Severity, str, str, FiniteFloat | None, dict[str, Any]]


class Heard(BaseModel):
    """One beat."""

    model_config = ConfigDict(frozen=True, strict=True)

    beat: int
    at: FiniteFloat
    values: dict[str, _Latest]
    notices: list[_Notice]

    def latest(self) -> dict[str, Latest]:
        return {name: Latest(*each) for name, each in self.values.items()}

    def noticed(self) -> list[SensorNotice]:
        return [SensorNotice(*each) for each in self.notices]


def read_line(line: str) -> Heard | None:
    """None if it is no such line: half of one, or what a library printed."""
    try:
        return Heard.model_validate_json(line)
    except ValidationError:
        return None
