"""How a run ended, from its journal into its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import h5py
import numpy as np

from nakctl.record.describe import fields, group, last_time_s, read_fields
from nakctl.record.ended import UNITS, condition
from nakctl.record.hdf5_writer import Hdf5Writer
from nakctl.record.journal_reader import JournalDamage, JournalReader
from nakctl.record.view import Beyond

UNBOOKED = (
    "not all that was recorded could be booked, through a fault of nakctl ({}); all of it is kept in "
    "this file: with a mended nakctl, nakctl recover --again makes it whole"
)
UNCLOSED = "the process that recorded it ended without closing the run"


@dataclass(frozen=True, slots=True)
class Ending:
    """How the run ended, as far as the journal tells. damage: why it could not be read further.

    end_kind, end_id, end_value  end_reason as codes; "" in a journal that has none
    """

    status: str
    end_reason: str
    facts: dict[str, Any]
    recovery: str = ""
    damage: str = ""
    end_kind: str = ""
    end_id: int = 0
    end_value: float | None = None


def ending_of(
    journal: JournalReader, writer: Hdf5Writer, damage: str, beyond: Beyond, missing: str
) -> Ending:
    """beyond: what of the rows the journal did not give; missing: what nobody has, as a sentence."""
    try:
        end = journal.end()
    except JournalDamage as error:
        end, damage = None, damage or error.reason
    if end is not None and not damage and end["entries"] != writer.seq:
        damage = f"{end['entries']} entries were written"
    if end is None:
        return Ending("recovered", UNCLOSED, {}, _recovery_note(writer, damage, beyond, missing), damage)
    codes = {name: end[name] for name in ("end_kind", "end_id", "end_value") if name in end}
    if damage:
        note = _recovery_note(writer, damage, beyond, missing)
        return Ending("recovered", end["end_reason"], end["facts"], note, damage, **codes)
    return Ending(end["status"], end["end_reason"], end["facts"], **codes)


def ending_told(file: h5py.File, end: Mapping[str, Any] | None) -> Ending:
    """As a file says it that was sealed before. end: what its journal had said."""
    told = read_fields(file["entry"])
    value = told.get("end_value")
    return Ending(
        told["run_status"],
        told.get("end_reason", ""),
        {} if end is None else end["facts"],
        told.get("recovery", ""),
        told.get("damage", ""),
        told.get("end_kind", ""),
        told.get("end_id", 0),
        None if value is None else value["value"],
    )


def _recovery_note(writer: Hdf5Writer, damage: str, beyond: Beyond, missing: str) -> str:
    samples = writer.tables["samples"].group
    note = f"recovered from the journal up to entry {writer.seq}"
    if count := len(samples["time"]) - beyond.rows.get("samples", 0):
        note += f", last sample at {samples['time'][count - 1]:.6g} s in step {samples['step_id'][count - 1]}"
    further = (damage and f"the journal is damaged after that: {damage}", beyond.note, missing)
    return "; ".join((note, *filter(None, further)))


def write_ending(writer: Hdf5Writer, ending: Ending, start_time: str | None) -> None:
    file, entry = writer.file, writer.entry
    duration_s = last_time_s(entry)
    entry["run_status"][()] = ending.status
    fields(
        entry,
        end_reason=ending.end_reason,
        **_codes(entry, ending),
        recovery=ending.recovery or None,
        booked_again=writer.booked_again or None,
        unbooked=(writer.unbooked and UNBOOKED.format(writer.unbooked)) or None,
        damage=ending.damage or None,
        duration={"value": duration_s, "units": "s"},
        end_time=_end_time(start_time, duration_s),
    )
    fields(group(entry, "results", "NXcollection"), **ending.facts)
    file.attrs["file_time"] = datetime.now().astimezone().isoformat(timespec="seconds")
    file.attrs["sealed"] = np.uint8(1)


def _codes(entry: h5py.Group, ending: Ending) -> dict[str, Any]:
    """As `ended` reads them."""
    if not ending.end_kind:
        return {}
    quantity, _ = condition(entry, ending.end_id)
    value = ending.end_value
    seen = None if value is None else {"value": value, "units": UNITS.get(quantity, "")}
    return {"end_kind": ending.end_kind, "end_id": ending.end_id, "end_value": seen}


def _end_time(start_time: str | None, duration_s: float) -> str | None:
    try:
        return (datetime.fromisoformat(start_time or "") + timedelta(seconds=duration_s)).isoformat()
    except (ValueError, TypeError, OverflowError):  # nobody said when, or beyond the year 9999
        return None
