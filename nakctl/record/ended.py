"""Why a run, and each of its steps, is over: as codes, for whoever draws conclusions from it.

The codes are those of `device.ends.ENDED_BY`. Files that were written before there were codes hold a sentence
instead; what it meant is read here, and nowhere else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from nakctl.booking.layout import ENDS

# Sentences without codes beside them, the first that fits. A goal could not be told from a cutoff.
_SENTENCES = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"duration", "duration"),
        (r"short", "rule"),
        (r"all steps done", "steps done"),
        (r"stopped by the operator", "operator"),
        (r"limit(: .+)?", "limit"),
        (r"timed out: .+", "timeout"),
        (r".+ within .+ of .+ for .+", "settled"),
        (r"(Ewe|\|I\||charge) (above|below) .+", "cutoff"),
        (r"the channel stopped by itself .+", "interrupted"),
    )
)
UNITS = {  # of the value that ended a run
    "Ewe": "V", "short": "V", "|I|": "A", "charge": "C", "time": "s", "dEwe/dt": "V/s", "dI/dt": "A/s",
    "Ece": "V", "Ewe-Ece": "V",
}  # fmt: skip
_CONDITION = re.compile(r"(?:limit: )?(Ewe|\|I\||charge) (above|below) (\S+)")


@dataclass(frozen=True, slots=True)
class Ended:
    """Why a run is over. kind: a code of ENDED_BY, "" as long as it runs or where nothing is known.

    id        row of `Run.ends` that ended it, 0: none of them
    quantity, side  of that row ("Ewe", "above"), "" where there is none
    value     what was read of the quantity, in SI; NaN where no reading ended it
    """

    kind: str = ""
    id: int = 0
    quantity: str = ""
    side: str = ""
    value: float = math.nan


def ended(entry: h5py.Group, told: Mapping[str, Any]) -> Ended:
    """told: the fields of the entry."""
    kind = told.get("end_kind")
    if not kind:
        return _from_sentence(told.get("end_reason", ""))
    end_id, value = told["end_id"], told.get("end_value")
    seen = float(value["value"]) if value else math.nan
    return Ended(kind, end_id, *condition(entry, end_id), seen)


def condition(entry: h5py.Group, end_id: int) -> tuple[str, str]:
    """Quantity and side of a row of the table `ends`; "" where there is no such row."""
    if not end_id or ENDS.name not in entry:
        return "", ""
    rows = entry[ENDS.name]
    place = np.flatnonzero(rows["end_id"][()] == end_id)
    if len(place) == 0:
        return "", ""
    return rows["quantity"][place[0]].decode(), rows["side"][place[0]].decode()


def kinds(stored: npt.NDArray[np.str_], sentences: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    """The code of each step. stored: "" where there is none, and the sentence has to tell."""
    of = {sentence: _kind(sentence) for sentence in np.unique(sentences[stored == ""]).tolist()}
    told = [kind or of[sentence] for kind, sentence in zip(stored.tolist(), sentences.tolist(), strict=True)]
    return np.array(told, "U16")


def _from_sentence(sentence: str) -> Ended:
    found = _CONDITION.match(sentence)
    quantity, side = found.group(1, 2) if found else ("", "")
    return Ended(_kind(sentence), 0, quantity, side)


def _kind(sentence: str) -> str:
    return next((kind for pattern, kind in _SENTENCES if pattern.fullmatch(sentence)), "")
