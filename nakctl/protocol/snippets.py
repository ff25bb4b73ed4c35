"""One example of each kind of step, as it is offered by an editor and printed by `nakctl words`.

What a person changes first is between << and >>. Checked by a test: each is accepted as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from nakctl.text.reader import read_text

_PLACE = re.compile(r"<<(.*?)>>")
_CHOICE = re.compile(r"[\\,|$}]")  # signs that mean something in a choice

SNIPPETS = {
    "rest": "rest: <<10 min>>",
    "strip": "strip: <<0.1 mA/cm2>>\nfor: <<1 h>>",
    "plate": "plate: <<0.1 mA/cm2>>\nfor: <<1 h>>",
    "charge": "charge: <<C/10>>\nuntil: {Ewe_above: <<4.2 V>>}",
    "discharge": "discharge: <<C/10>>\nuntil: {Ewe_below: <<3 V>>}",
    "cp": "cp: <<-0.1 mA/cm2>>\nfor: <<1 h>>",
    "ca": "ca: <<4.2 V>>\nuntil: {I_below: <<C/20>>}",
    "geis": "geis: <<operando>>\nduring: {strip: <<0.1 mA/cm2>>}",
    "peis": "peis: <<resting>>",
    "cv": "cv: <<5 V, -0.2 V>>\nfrom: <<0 V>>\nrate: <<1 mV/s>>\ncycles: <<3>>",
    "lsv": "lsv: <<6 V>>\nfrom: <<0 V>>\nrate: <<0.1 mV/s>>",
    "ramp": "ramp: {strip: <<2 mA/cm2>>}\nfrom: <<0 mA/cm2>>\nrate: <<0.05 mA/cm2/min>>",
    "power": "power: <<-5 mW/cm2>>\nuntil: {Ewe_below: <<3 V>>}",
    "load": "load: <<1 kohm>>\nfor: <<1 h>>",
    "profile": "profile: <<drive.csv>>",
    "pulse": "pulse: {strip: <<1 mA/cm2>>}\non: <<1 s>>\noff: <<5 s>>\nrepeat: <<100>>",
    "wait": "wait: {sensor: <<chamber>>, within: <<1 K>>, of: <<60 degC>>, for: <<10 min>>, "
    "at_most: <<2 h>>, then: end run}",
    "set": "set: {<<chamber>>: <<60 degC>>}",
    "ask": "ask: <<change the pressure now>>",
    "if": "if: {step: <<strip-1>>, ended_by: <<short>>}\nthen:\n  - rest: <<10 min>>",
    "repeat": "repeat: <<10>>\nsteps:\n  - charge: <<C/10>>\n    until: {Ewe_above: <<4.2 V>>}\n"
    "  - discharge: <<C/10>>\n    until: {Ewe_below: <<3 V>>}",
    "staircase": "staircase: <<0.1, 0.2, 0.5 mA/cm2>>\nsteps:\n  - strip: $level\n    for: <<1 h>>",
}

# A whole file to begin with.
FILE = """\
nakctl: 1
name: <<what this is>>
source: <<where the procedure stands>>
spectra:
  operando: {kind: geis, amplitude: 5 uA, from: 1 MHz, to: 1 Hz, per_decade: 10}
  resting: {kind: peis, amplitude: 10 mV, from: 1 MHz, to: 1 Hz, per_decade: 10}
record: {every: 1 s, dE: 5 mV}
limits: {Ewe: [<<-3 V>>, <<3 V>>], time: <<100 h>>}
steps:
  - rest: <<10 min>>
"""


def example(kind: str) -> str:
    """As it is written."""
    return _PLACE.sub(r"\1", SNIPPETS[kind])


def body(text: str, known: Mapping[str, Sequence[str]] | None = None) -> Any:
    """For an editor: places to go to, one after the other; `$name` is no place.

    known  names to choose from in a place, by what stands there
    """
    count = 0

    def place(found: re.Match[str]) -> str:
        nonlocal count
        count += 1
        names = [*(known or {}).get(found[1], ())] or [found[1]]
        chosen = ",".join(_CHOICE.sub(r"\\\g<0>", name) for name in names)
        return f"${{{count}:{names[0]}}}" if len(names) == 1 else f"${{{count}|{chosen}|}}"

    return _placed(read_text(text, "snippet").data, place)


def _placed(value: Any, place: Any) -> Any:
    if isinstance(value, dict):
        return {_placed(word, place): _placed(part, place) for word, part in value.items()}
    if isinstance(value, list):
        return [_placed(part, place) for part in value]
    return _PLACE.sub(place, value.replace("$", "\\$")) if isinstance(value, str) else value
