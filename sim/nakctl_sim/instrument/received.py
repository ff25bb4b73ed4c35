"""Parameter records as they arrive, checked: a mistake is refused with -403 at load."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from nakctl_sim.instrument.abi import LABEL_BYTES, Kind
from nakctl_sim.instrument.codes import Code, Refused
from nakctl_sim.instrument.techniques import CV_SCAN_NUMBER, CV_VERTICES, MAX_INCREMENTS, TechniqueFile

RECORD = struct.Struct(f"<{LABEL_BYTES}siIi")
Values = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Received:
    """A technique as loaded; values by label, in the order of their index."""

    file: TechniqueFile
    values: Values

    def one(self, label: str, default: Any = None) -> Any:
        return self.values[label][0] if label in self.values else default

    @property
    def steps(self) -> int:
        """Steps, or vertices."""
        return len(next(iter(self.values[label] for label in self.file.arrays)))


def receive(file: TechniqueFile, records: bytes, scans_from: int = 2) -> Received:
    """Refused (-403): an unknown label, a wrong type or index, a parameter missing or given twice.

    scans_from: the number of vertices for which Scan_number is 0.
    """
    received = Received(file, read_records(file, records))
    if file.scalars.keys() - received.values.keys():
        refuse()
    _check_steps(received, scans_from)
    return received


def update(old: Received, records: bytes, scans_from: int = 2) -> Received:
    """With some parameters changed. Refused (-403)."""
    values = {label: list(values) for label, values in old.values.items()}
    for label, index, value in _records(old.file, records):
        if index >= len(values.setdefault(label, [None])):
            refuse()
        values[label][index] = value
    changed = Received(old.file, values)
    _check_steps(changed, scans_from)
    return changed


def refuse() -> None:
    raise Refused(Code.LOAD_TECHNIQUE_FAILED)


def read_records(file: TechniqueFile, records: bytes) -> Values:
    by_index: dict[str, dict[int, Any]] = {}
    for label, index, value in _records(file, records):
        if index in by_index.setdefault(label, {}):
            refuse()
        by_index[label][index] = value
    for given in by_index.values():
        if set(given) != set(range(len(given))):
            refuse()
    return {label: [given[n] for n in range(len(given))] for label, given in by_index.items()}


def _records(file: TechniqueFile, records: bytes) -> list[tuple[str, int, Any]]:
    return [_record(file, *fields) for fields in RECORD.iter_unpack(records)]


def _record(file: TechniqueFile, raw: bytes, kind: int, bits: int, index: int) -> tuple[str, int, Any]:
    label = raw.split(b"\0")[0].decode("latin-1")
    single = file.scalars | file.optional
    if (single | file.arrays).get(label) != kind:
        refuse()
    if index < 0 or (label in single and index > 0):
        refuse()
    return label, index, _value(Kind(kind), bits)


def _value(kind: Kind, bits: int) -> Any:
    if kind == Kind.SINGLE:
        return as_meant(bits)
    if kind == Kind.BOOL:
        if bits > 1:
            refuse()
        return bool(bits)
    return bits - (1 << 32) if bits >> 31 else bits


def as_meant(bits: int) -> float:
    """The shortest decimal that rounds to this single: 0.2 s stays 0.2 s, and is not 0.2000000030 s.

    A real instrument goes on with the single; the difference is far below what it can resolve.
    """
    single = np.frombuffer(bits.to_bytes(4, "little"), "<f4")[0]
    if math.isnan(single):
        refuse()
    return float(str(single))


def _check_steps(received: Received, scans_from: int) -> None:
    """Every per-step parameter has one value per step, or vertex."""
    file = received.file
    if not file.arrays:
        if not 0 <= received.one("Step_number", 0) <= MAX_INCREMENTS:
            refuse()
        return
    least, wanted = 1, received.one("Step_number", 0) + 1
    if "Scan_number" in file.scalars:
        least, wanted = 2, received.one("Scan_number") + scans_from
    if file.name == "cv":
        wanted = CV_VERTICES if received.one("Scan_number") == CV_SCAN_NUMBER else 0
    counts = {len(received.values.get(label, [])) for label in file.arrays}
    if counts != {wanted} or not least <= wanted <= file.most:
        refuse()
