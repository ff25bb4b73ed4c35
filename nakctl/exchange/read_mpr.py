"""EC-Lab's own files (`.mpr`), through galvani; what that leaves out of a head, at places that yadg found."""

from __future__ import annotations

import hashlib
import io
import struct
from datetime import datetime
from typing import Any

import numpy as np

from nakctl.errors import InputError
from nakctl.exchange.recording import KNOWN, NOT_GIVEN, Floats, Recording, area_cm2, by_number, finite

# Columns that galvani 0.5 does not know, without which it cannot find the ones behind them. Numbers, types
# and names as yadg 6.2 has them; compared with the text that EC-Lab wrote of the same recordings.
_MORE_COLUMNS = {
    110: ("Energy ce/W.h", "<f8"),
    112: ("Energy we/W.h", "<f8"),
    115: ("Energy ce charge/W.h", "<f8"),
    116: ("Energy ce discharge/W.h", "<f8"),
    175: ("|Zwe-ce|/Ohm", "<f4"),
    176: ("Re(Zwe-ce)/Ohm", "<f4"),
    177: ("-Im(Zwe-ce)/Ohm", "<f4"),
    182: ("step time/s", "<f8"),
    185: ("<Ece>/V", "<f4"),
    206: ("Temperature/°C", "<f4"),
    215: ("<Ece>/V", "<f4"),
}
# Texts in the settings and in the log: a length and so many letters.
_IN_SETTINGS = {
    "comments": 0x0007,
    "electrode_material": 0x011E,
    "electrolyte": 0x01C0,
    "reference_electrode": 0x0215,
}
_IN_LOG = {"eclab_version": 0x03B7, "device_number": 0x03CF}
_CHANNEL = 0x0009
# Numbers, and a byte for their unit. Found by comparing files with the text that EC-Lab wrote of them.
_AREA, _AREA_UNIT, _AREA_UNITS = 0x0211, 0x0250, {2: "cm", 3: "mm"}
_MASS, _MASS_UNIT, _MASS_UNITS = 0x024C, 0x0251, {1: "g", 2: "mg"}
_AS_TEXT = "save it as text in EC-Lab (Experiment, Export as Text), and import the .mpt"


def is_binary(raw: bytes) -> bool:
    return raw.startswith(b"BIO-LOGIC MODULAR FILE")


def read(raw: bytes, name: str) -> Recording:
    """InputError if galvani cannot read it, or EC-Lab's technique is none of KNOWN."""
    file = _opened(raw, name)
    modules = {module["shortname"].strip(): module["data"] for module in file.modules}
    settings, log = modules[b"VMP Set"], modules.get(b"VMP LOG", b"")
    number = settings[0] if settings else 0
    columns = _columns(file)
    technique = by_number(number) or (("", "") if "mode" in columns else None)
    if technique is None:
        raise InputError(
            f"{name} was recorded by a technique of EC-Lab that is not read (number {number}); read are "
            f"{', '.join(KNOWN)}"
        )
    return Recording(
        name=name,
        sha256=hashlib.sha256(raw).hexdigest(),
        technique=technique[0],
        ours=technique[1],
        columns=columns,
        start=_start(file),
        loops=() if file.loop_index is None else tuple(k for k in file.loop_index.tolist() if k),
        area_cm2=area_cm2(_number(settings, _AREA), _AREA_UNITS.get(_byte(settings, _AREA_UNIT), "")),
        facts=_facts(settings, log),
    )


def _opened(raw: bytes, name: str) -> Any:
    from galvani import BioLogic

    for number, column in _MORE_COLUMNS.items():
        BioLogic.VMPdata_colID_dtype_map.setdefault(number, column)
    if not is_binary(raw):
        raise InputError(f"{name} is no .mpr file of EC-Lab")
    try:
        return BioLogic.MPRfile(io.BytesIO(raw))
    except NotImplementedError as trouble:
        raise InputError(f"{name} has a column that galvani does not know ({trouble}): {_AS_TEXT}") from None
    except (ValueError, AssertionError, OSError, IndexError) as trouble:
        why = " ".join(str(trouble).split()) or "its form is another than galvani expects"
        raise InputError(f"{name} cannot be read by galvani ({why[:120]}): {_AS_TEXT}") from None


def _columns(file: Any) -> dict[str, Floats]:
    found = {
        name: finite(_numbers(file.data[name])) for name in file.data.dtype.names or () if name != "flags"
    }
    return found | {name: file.get_flag(name).astype(np.float64) for name in file.flags_dict}


def _numbers(column: Any) -> Floats:
    with np.errstate(invalid="ignore"):  # a damaged number may be a NaN that signals
        found: Floats = column.astype(np.float64)
    return found


def _start(file: Any) -> datetime | None:
    """Only with a log is there a time of day."""
    found: datetime | None = getattr(file, "timestamp", None)
    return found


def _facts(settings: bytes, log: bytes) -> dict[str, Any]:
    places = ((settings, _IN_SETTINGS), (log, _IN_LOG))
    found = {name: _letters(part, place) for part, names in places for name, place in names.items()}
    if len(log) > _CHANNEL:
        found["channel"] = str(log[_CHANNEL])
    mass, unit = _number(settings, _MASS), _MASS_UNITS.get(_byte(settings, _MASS_UNIT))
    if unit and mass != NOT_GIVEN:
        found["characteristic_mass"] = f"{mass:.7g} {unit}"
    return {name: text for name, text in found.items() if text and text != "(unspecified)"}


def _byte(part: bytes, place: int) -> int:
    return part[place] if len(part) > place else 0


def _number(part: bytes, place: int) -> float:
    """As people write it; 0 where there is none that can be meant."""
    if len(part) < place + 4:
        return 0.0
    value: float = struct.unpack_from("<f", part, place)[0]
    return float(f"{value:.7g}") if 0 < value < 1e9 else 0.0


def _letters(part: bytes, place: int) -> str:
    if len(part) <= place:
        return ""
    text = part[place + 1 : place + 1 + part[place]].decode("cp1252", "replace")
    lines = [line.strip("\0 ") for line in text.splitlines()]
    return "\n".join(lines) if all(line.isprintable() for line in lines) else ""
