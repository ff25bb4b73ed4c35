"""The sensors of rig.yaml: each one's words are those of its kind, read by the package that brings it.

`simulated_as` is a word of all of them: what stands for a real sensor in a dry run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nakctl.device.sensor import SensorSpec, kind_names, load_kind
from nakctl.text.faults import Problem, did_you_mean
from nakctl.text.units import DIMENSIONS

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")  # as protocols name them, and groups of the file
STAND_IN = "simulated_as"


@dataclass(frozen=True, slots=True)
class Bench:
    """sensors: by name; stand_ins: what takes the place of real ones in a dry run, by the same names.

    problems  everything that is wrong with their words; locations within the rig file
    """

    sensors: dict[str, SensorSpec] = field(default_factory=dict)
    stand_ins: dict[str, SensorSpec] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


Read = tuple[SensorSpec | None, list[Problem]]


def read_sensors(written: Mapping[str, Any]) -> Bench:
    bench = Bench()
    for name, words in written.items():
        spec, found = _one(name, words)
        stand_in, of_it = _stand_in(name, words, spec)
        bench.problems.extend(_below(("sensors", name), each) for each in (*found, *of_it))
        if spec is not None:
            bench.sensors[name] = spec
        if stand_in is not None:
            bench.stand_ins[name] = stand_in
    return bench


def _below(loc: tuple[str, ...], problem: Problem) -> Problem:
    return replace(problem, loc=(*loc, *problem.loc))


def _one(name: str, words: Any) -> Read:
    if not NAME.fullmatch(name):
        text = "the name of a sensor begins with a letter and has at most 40 letters, digits and _"
        return None, [Problem((), text, at_key=True)]
    if not isinstance(words, dict):
        return None, [Problem((), "must be words with values, such as {kind: scpi, address: ...}")]
    kind, known = words.get("kind"), kind_names()
    if kind not in known:
        if kind is None:
            return None, [Problem((), f"{name} needs the word kind, one of: {', '.join(known)}")]
        hint = did_you_mean(str(kind), known) or ";"
        return None, [Problem(("kind",), f"there is no kind {kind}{hint} kinds are: {', '.join(known)}")]
    own = {word: value for word, value in words.items() if word != STAND_IN}
    spec, found = load_kind(kind).spec(name, own)
    return spec, [_hinted(each) for each in found]


def _hinted(problem: Problem) -> Problem:
    """No kind knows the word that all of them have."""
    word = str(problem.loc[-1]) if len(problem.loc) == 1 and problem.at_key else ""
    hint = did_you_mean(word, [STAND_IN])
    return replace(problem, message=f"{word} is no word of a sensor{hint}") if hint else problem


def _stand_in(name: str, words: Any, real: SensorSpec | None) -> Read:
    """What `simulated_as` says, if it is there; its faults are told beside those of the real sensor."""
    if not isinstance(words, dict) or STAND_IN not in words:
        return None, []
    if real is not None and real.simulated:
        text = f"{name} is simulated already: {STAND_IN} says what stands for a real sensor"
        return None, [Problem((STAND_IN,), text, at_key=True)]
    said = words[STAND_IN]
    if not isinstance(said, dict):
        text = "must be words with values, such as {model: press, start: 2 MPa}"
        return None, [Problem((STAND_IN,), text)]
    spec, found = load_kind("sim").spec(name, {"kind": "sim", **said})
    if spec is not None and real is not None and spec.dimension != real.dimension:
        shows, asked = (DIMENSIONS[each.dimension].noun for each in (spec, real))
        text = f"a {said['model']} shows {shows}, {name} shows {real.unit}, {asked}: they must be alike"
        found = [Problem(("model",), text)]
    if spec is None or real is None or found:
        return None, [_below((STAND_IN,), each) for each in found]
    return _in_place_of(real, spec, every_s=spec.every_s if "every" in said else real.every_s), []


def _in_place_of(real: SensorSpec, simulated: SensorSpec, every_s: float) -> SensorSpec:
    """The simulated one as the bench has the real one: in its unit, at its rate, to be set if it can be."""
    return replace(
        simulated,
        unit=real.unit,
        SI_factor=real.SI_factor,
        SI_offset=real.SI_offset,
        scale=simulated.SI_factor / real.SI_factor,
        offset=(simulated.SI_offset - real.SI_offset) / real.SI_factor,
        every_s=every_s,
        settable=real.settable,
        about=f"stands for {real.kind} {real.address} in a dry run; {simulated.about}",
    )
