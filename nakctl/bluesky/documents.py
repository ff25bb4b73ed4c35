"""What documents say of an experiment. Pure: a run and its steps -> metadata, data keys, events.

Keys begin with the name of the experiment and are called as the columns of its file; units stand beside them.
I > 0 oxidises (strips) the working electrode.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from event_model.documents.event import PartialEvent
from event_model.documents.event_descriptor import DataKey

from nakctl.bluesky.steps import Step

Readings = dict[str, dict[str, Any]]
_Of = Callable[[Step, float], Any]  # of a step, and an area in cm2


def _areal(of: Callable[[Step], float]) -> _Of:
    """In mA/cm2 of A, in mAh/cm2 of Ah; NaN if no area is known."""
    return lambda step, area_cm2: of(step) / area_cm2 * 1000 if area_cm2 else math.nan


# name -> dtype, units, what it is
NOW: Mapping[str, tuple[str, str, _Of]] = {
    "number": ("integer", "", lambda step, area_cm2: step.number),
    "step": ("string", "", lambda step, area_cm2: step.label),
    "technique": ("string", "", lambda step, area_cm2: step.technique),
    "cycle": ("integer", "", lambda step, area_cm2: step.cycle),
    "time": ("number", "s", lambda step, area_cm2: step.t1_s),
    "Ewe": ("number", "V", lambda step, area_cm2: step.Ewe_V),
    "I": ("number", "A", lambda step, area_cm2: step.I_A),
    "I_set": ("number", "A", lambda step, area_cm2: step.set_A),
    "I_set_mA_cm2": ("number", "mA/cm2", _areal(lambda step: step.set_A)),
    "Q": ("number", "A*h", lambda step, area_cm2: step.Q_Ah),
    "charge_mAh_cm2": ("number", "mAh/cm2", _areal(lambda step: step.charge_Ah)),
}
READ: Mapping[str, tuple[str, str, _Of]] = {
    **NOW,
    "number_when_triggered": ("integer", "", lambda step, area_cm2: step.number),
}
AT_ITS_END: Mapping[str, tuple[str, str, _Of]] = {
    **NOW,
    "began": ("number", "s", lambda step, area_cm2: step.t0_s),
    "end_kind": ("string", "", lambda step, area_cm2: step.end_kind),
    "end_reason": ("string", "", lambda step, area_cm2: step.end_reason),
}
Table = Mapping[str, tuple[str, str, _Of]]


def data_keys(name: str, table: Table) -> dict[str, DataKey]:
    source = f"nakctl:{name}"
    return {
        f"{name}_{key}": _data_key(source, dtype, units, _numpy(dtype))
        for key, (dtype, units, _) in table.items()
    }


def readings(name: str, step: Step, area_cm2: float, triggered: int) -> Readings:
    """Of the step that is under way, with the time of its newest sample.

    triggered  number of the one in which detectors were triggered beside it: they may have taken longer
    """
    seen = step.seen_unix_s if math.isfinite(step.seen_unix_s) else time.time()
    values = {key: of(step, area_cm2) for key, (_, _, of) in READ.items()}
    values["number_when_triggered"] = triggered
    return {f"{name}_{key}": {"value": value, "timestamp": seen} for key, value in values.items()}


def event(name: str, step: Step, area_cm2: float) -> PartialEvent:
    """Of a step that is over: its times are those of its end, but for when it began. What Bluesky makes of it
    has a `time` of its own: when it was collected."""
    data = {f"{name}_{key}": of(step, area_cm2) for key, (_, _, of) in AT_ITS_END.items()}
    stamps = dict.fromkeys(data, step.seen_unix_s) | {f"{name}_began": step.began_unix_s}
    return {"data": data, "timestamps": stamps, "time": step.seen_unix_s}


def configuration(name: str, known: Mapping[str, Any]) -> tuple[dict[str, DataKey], Readings]:
    """Whose data it is, for the descriptor of every stream; empty before anything is prepared."""
    if not known:
        return {}, {}
    values = {
        "run_id": known["run_id"],
        "file": known["file"],
        "simulated": known["simulated"],
        "protocol": known["protocol"]["name"],
        "protocol_sha256": known["protocol"]["sha256"],
        "cell": known["cell"]["name"],
        "area_cm2": known["cell"]["area_cm2"] or math.nan,
        "channel": known["channel"]["name"],
    }
    source, now = f"nakctl:{name}", time.time()
    keys = {f"{name}_{key}": _data_key(source, _dtype(value), "", "") for key, value in values.items()}
    return keys, {f"{name}_{key}": {"value": value, "timestamp": now} for key, value in values.items()}


def _dtype(value: Any) -> str:
    return "boolean" if isinstance(value, bool) else "string" if isinstance(value, str) else "number"


def _numpy(dtype: str) -> str:
    return {"number": "<f8", "integer": "<i8"}.get(dtype, "")


def _data_key(source: str, dtype: Any, units: str, dtype_numpy: str) -> DataKey:
    key: DataKey = {"source": source, "dtype": dtype, "shape": []}
    if units:
        key["units"] = units
    if dtype_numpy:
        key["dtype_numpy"] = dtype_numpy
    return key
