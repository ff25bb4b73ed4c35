"""EC-Lab's recordings -> a sealed result file, so that old data get the same figures."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nakctl import __version__
from nakctl.booking import layout
from nakctl.booking.event import Event
from nakctl.errors import InputError
from nakctl.exchange import read_mpr, read_mpt
from nakctl.exchange.eclab_ranges import named
from nakctl.exchange.joined import Joined
from nakctl.exchange.merging import order
from nakctl.exchange.quantities import ECE, quantities
from nakctl.exchange.recording import KNOWN, Recording
from nakctl.exchange.to_tables import tables

READ = (".mpr", ".mpt")
STATUS = "imported"
END_REASON = "of EC-Lab, whose files do not tell how a measurement ended"
_PART = re.compile(r"_\d\d_[A-Za-z]+\d*(_C\d+)?$")  # with which EC-Lab names what it records of a chain
_SIMULATED = re.compile(r"^simulated: yes", re.MULTILINE)  # as our own exports say


@dataclass(frozen=True)
class Made:
    """What becomes of the files: header, rows by table, events; notes: what the user should know."""

    header: dict[str, Any]
    tables: dict[str, Any]
    events: tuple[Event, ...]
    notes: tuple[str, ...]


def stem_of(files: Sequence[Path]) -> str:
    """Of the result file. Of several files what they share."""
    stem = files[0].stem
    return (_PART.sub("", stem) or stem) if len(files) > 1 else stem


def read(file: Path) -> Recording:
    """InputError with what would be right."""
    kind = file.suffix.lower()
    if kind == ".mps":
        raise InputError(
            f"{file} holds settings of EC-Lab and no data: nakctl import-mps makes a protocol of it"
        )
    if kind not in READ:
        raise InputError(
            f"{file}: nakctl import reads what EC-Lab recorded, {' and '.join(READ)} "
            f"({', '.join(KNOWN)}); other data cannot be read"
        )
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file") from None
    except OSError as problem:
        raise InputError(f"{file} cannot be read: {problem.strerror}") from None
    if not raw:
        raise InputError(f"{file} is empty")
    is_text = kind == ".mpt" or read_mpt.is_text(raw)  # by what it is: names are changed by hand
    read_it = read_mpt.read if is_text and not read_mpr.is_binary(raw) else read_mpr.read
    return read_it(raw, file.name)


def made_of(recordings: Sequence[Recording], title: str, area_cm2: float | None, cell: str) -> Made:
    """area_cm2, cell: None and "" for what the files say. InputError if they are not of one experiment."""
    recorded = [quantities(each) for each in recordings]
    joined = Joined(recorded, order(recorded))
    rows = tables(joined)
    three = any(each.find(*ECE) is not None for each in recordings)
    area = (
        area_cm2
        if area_cm2 is not None
        else next((each.area_cm2 for each in recordings if each.area_cm2), None)
    )
    start = joined.order.start
    names = ", ".join(each.name for each in recordings)
    header: dict[str, Any] = {
        "format": layout.FORMAT,
        "run_id": str(uuid.uuid5(uuid.NAMESPACE_OID, " ".join(each.sha256 for each in recordings))),
        "start_time": "" if start is None else start.isoformat(timespec="milliseconds"),
        "title": title,
        "simulated": any(_SIMULATED.search(str(each.facts.get("comments", ""))) for each in recordings),
        "user": {"name": _fact(recordings, "user")},
        "sample": _sample(recordings, area, cell),
        "instrument": _instrument(recorded),
        "protocol": {"type": "text/plain", "file_name": names},
        "environment": {"nakctl": __version__, "galvani": version("galvani")},
        "three_electrode": three,
        "I_ranges": named(rows["samples"]["I_range"]),
    }
    told = Event(0.0, 0, "imported", 0, f"from {names}", {})
    return Made(header, rows, (told,), tuple(_notes(recordings, area, start is not None)))


def _fact(recordings: Sequence[Recording], name: str) -> str:
    """Of the first file that tells."""
    return next((str(each.facts[name]) for each in recordings if each.facts.get(name)), "")


def _sample(recordings: Sequence[Recording], area_cm2: float | None, cell: str) -> dict[str, Any]:
    told = ("mass_of_active_material", "characteristic_mass", "battery_capacity", "comments")
    facts = {name: _fact(recordings, name) for name in told}
    return {
        "name": cell or _fact(recordings, "electrode_material"),
        "area_cm2": area_cm2,
        "working": _fact(recordings, "electrode_material"),
        "reference": _fact(recordings, "reference_electrode"),
        "electrolyte": _fact(recordings, "electrolyte"),
        "facts": {name: text for name, text in facts.items() if text} or None,
    }


def _instrument(recorded: Sequence[Any]) -> dict[str, Any]:
    recordings = [each.recording for each in recorded]
    imported = [
        {
            "file": each.recording.name,
            "sha256": each.recording.sha256,
            "technique": each.recording.technique or "not told",
            "columns_left_out": list(each.left_out),
        }
        | {name: text for name, text in each.recording.facts.items() if name != "comments"}
        for each in recorded
    ]
    return {
        "model": _fact(recordings, "device") or "not told",
        "channel": _fact(recordings, "channel"),
        "driver": "EC-Lab, imported",
        "facts": {"imported_from": imported},
    }


def _notes(recordings: Sequence[Recording], area_cm2: float | None, dated: bool) -> list[str]:
    told = []
    if area_cm2 is None:
        told.append("no electrode area is known (EC-Lab's own 0.001 cm2 is none): give it with --area")
    if not dated:
        told.append("no file says when it was recorded, so the result file does not either")
    if any(not each.technique for each in recordings):
        told.append("a file does not say which technique it is of: its rows tell, as far as they do")
    return told
