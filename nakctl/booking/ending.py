"""Why a step or a run ends, and what follows: the value that guard, book and file agree on."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nakctl.device.ends import CONSEQUENCE, End, Follows

Status = Literal["completed", "stopped", "aborted", "interrupted"]


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a step or the run ends, and what follows. `go on`: the chain alone is over, and its step goes on.

    status  that of the run if it ends here: `completed` as wanted, `stopped` by a safety limit, `aborted` by
            the operator, `interrupted` by trouble
    kind    a key of `device.ends.ENDED_BY`; end_id: the End of the program behind it, 0: none
    value   what was read of its quantity, NaN where no reading decided
    """

    then: Follows
    reason: str
    status: Status = "completed"
    kind: str = "duration"
    end_id: int = 0
    value: float = math.nan

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"value": None if math.isnan(self.value) else self.value}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Ending:
        value = told["value"]
        return cls(**told | {"value": math.nan if value is None else value})


def ending_of(end: End, value: float) -> Ending:
    """What it means that an End was met."""
    kind = "duration" if end.kind == "asked" else end.kind
    status: Status = "stopped" if end.kind == "limit" else "completed"
    return Ending(end.then, end.sentence, status, kind, end.id, value)


def interrupted(reason: str, kind: str = "interrupted") -> Ending:
    """The end that nobody asked for; nothing further is started."""
    return Ending("end run", reason, "interrupted", kind)


def gravest(*endings: Ending | None) -> Ending | None:
    """The one that ends most; of several that end as much, the first."""
    found = [ending for ending in endings if ending is not None]
    return min(found, key=lambda ending: CONSEQUENCE[ending.then], default=None)
