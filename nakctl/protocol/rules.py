"""Rules of the language that one word alone cannot know. Pure: data in, problems out.

They read the data as written, not the model: so a protocol hears of its broken rules and of its broken words
at once. What the model refuses is passed over here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from nakctl.protocol import expect_rules, level_rules
from nakctl.protocol.model import KINDS, kind_of
from nakctl.protocol.written import one_of, quantity, words
from nakctl.text.faults import Problem, did_you_mean
from nakctl.text.quantities import as_same_charge, parse_many
from nakctl.text.reader import Loc
from nakctl.text.sentences import nearest, words_of
from nakctl.text.units import SENSED, UnitError

SLOPES = ("dEwe_dt_above", "dEwe_dt_below", "dI_dt_above", "dI_dt_below")
OF_THREE = ("Ece_above", "Ece_below", "Ewe_minus_Ece_above", "Ewe_minus_Ece_below")
CONDITIONS = ("Ewe_above", "Ewe_below", "I_above", "I_below", "charge", *SLOPES, "short", *OF_THREE)
CURRENT_WORDS = ("strip", "plate", "charge", "discharge", "cp")
HELD_WORDS = ("ca", "power", "load")
_NO_CURRENT = "no current flows at rest"
_SET_CURRENT = "the current is set here; only in ca, peis, cv, lsv, power and load can it rise or fall"
_NO_SHORT = {
    "rest": "no current flows at rest, and a short shows under current",
    "ca": "the potential is held here, so it cannot fall: use I_above",
    "peis": "the potential is held here, so it cannot fall: use I_above",
    "cv": "the potential is scanned here",
    "lsv": "the potential is scanned here",
    "pulse": "the host would have to begin every pulse itself: a short ends the run under stop_when",
}
_NO_SLOPE = {
    "ca": "the potential is set here; what changes is the current: dI_dt_above or dI_dt_below",
    "geis": "a sweep swings Ewe itself: take it in a step of its own, before or after",
    "peis": "a sweep swings Ewe itself: take it in a step of its own, before or after",
    "cv": "the potential is scanned here",
    "lsv": "the potential is scanned here",
    "pulse": "a pulse is over too soon to be followed: use Ewe_above or Ewe_below",
}


def problems(data: dict[str, Any]) -> list[Problem]:
    """What is wrong with a protocol whose words may each be right."""
    sweeps = words(data.get("spectra"))
    found = [
        *_empty(data, ()),
        *_limits(data),
        *_short(data),
        *_electrodes(data),
        *expect_rules.problems(data),
    ]
    for name, sweep in sweeps.items():
        found += _sweep(words(sweep), ("spectra", name), words(sweep).get("kind"))
    short_is_told = any("short" in words(data.get(word)) for word in ("rules", "stop_when"))
    for place in _steps(data.get("steps"), ("steps",), False, short_is_told):
        found += _step(place, sweeps)
        found += _lasting(place, words(data.get("limits")))
    return found


def _empty(value: Any, loc: Loc) -> Iterator[Problem]:
    """A word without a value is a line that somebody forgot to finish."""
    if value is None:
        yield Problem(loc, f"{loc[-1] if loc else 'the file'} has no value: give it one, or delete the line")
    if isinstance(value, dict):
        for word, part in value.items():
            if loc or word != "params":
                yield from _empty(part, (*loc, word))
    if isinstance(value, list):
        for i, part in enumerate(value):
            yield from _empty(part, (*loc, i))


@dataclass(frozen=True, slots=True)
class _Place:
    """A step, its kind, where it stands, whether a loop is around it, and whether the protocol says what a
    short is."""

    loc: Loc
    step: dict[str, Any]
    kind: str
    in_loop: bool
    short_is_told: bool = False


def _steps(steps: Any, loc: Loc, in_loop: bool, short_is_told: bool) -> Iterator[_Place]:
    for i, step in enumerate(steps if isinstance(steps, list) else []):
        kind = kind_of(step) if isinstance(step, dict) else None
        if kind is not None:
            yield _Place((*loc, i), step, kind, in_loop or kind == "pulse", short_is_told)
            if kind in ("repeat", "staircase"):
                yield from _steps(step.get("steps"), (*loc, i, "steps"), True, short_is_told)
            elif kind == "if":
                for word in ("then", "else"):
                    yield from _steps(step.get(word), (*loc, i, word), in_loop, short_is_told)


def _step(place: _Place, sweeps: dict[str, Any]) -> Iterator[Problem]:
    yield from _cutoffs(place)
    yield from _record(place)
    match place.kind:
        case "rest" | "strip" | "plate" | "charge" | "discharge" | "cp" | "ca":
            yield from _operando(place, sweeps)
            yield from _same_charge(place)
        case "geis" | "peis":
            yield from _spectrum(place, sweeps)
        case "pulse" | "ramp" as kind:
            yield from one_of(place.step[kind], (*place.loc, kind), CURRENT_WORDS, kind)
        case "cv":
            yield from _vertices(place)
        case "repeat":
            yield from _loop_end(place)
        case "wait":
            yield from _wait(place)
        case "staircase":
            yield from level_rules.staircase(place.step["staircase"], (*place.loc, "staircase"))


def _lasting(place: _Place, limits: dict[str, Any]) -> Iterator[Problem]:
    """A step without `for` needs something that ends it, and the time that it may last at most."""
    open_rest = place.kind == "rest" and place.step["rest"] == "forever"
    if not open_rest and (place.kind not in (*CURRENT_WORDS, *HELD_WORDS) or "for" in place.step):
        return
    if any("for" in nearest(word, words_of(KINDS[place.kind])) for word in place.step):
        return  # it is misspelt, and that is told
    what = "rest: forever" if open_rest else f"{place.kind} without the word for"
    if not open_rest and not place.step.get("until"):
        extent = "a time" if place.kind in HELD_WORDS else "a time or a charge"
        message = f"{place.kind} needs the word for ({extent}), or an until that ends it"
        yield Problem(place.loc, message)
    elif "time" not in limits:
        yield Problem(
            place.loc,
            f"{what} lasts at most as long as the whole run may, and limits does not say how long that is: "
            "write `limits: {..., time: 100 h}`" + ("" if open_rest else ", or give this step a `for`"),
        )


def _cutoffs(place: _Place) -> Iterator[Problem]:
    until, loc = place.step.get("until"), (*place.loc, "until")
    if place.kind == "repeat":
        return
    numbered = (
        [((*loc, i), one) for i, one in enumerate(until)] if isinstance(until, list) else [(loc, until)]
    )
    for at, cutoff in numbered:
        yield from one_of(cutoff, at, CONDITIONS, "a cutoff")
        yield from _cutoff(words(cutoff), at, place)


def _cutoff(cutoff: dict[str, Any], loc: Loc, place: _Place) -> Iterator[Problem]:
    for word in cutoff:
        current = word in ("I_above", "I_below", "dI_dt_above", "dI_dt_below")
        if place.kind == "rest" and (current or word == "charge"):
            yield Problem((*loc, word), f"{word}: {_NO_CURRENT}", at_key=True)
        elif current and place.kind not in ("ca", "peis", "cv", "lsv", "power", "load"):
            yield Problem((*loc, word), f"{word}: {_SET_CURRENT}", at_key=True)
        elif word in SLOPES and place.kind in _NO_SLOPE and (place.kind != "ca" or not current):
            yield Problem((*loc, word), f"{word}: {_NO_SLOPE[place.kind]}", at_key=True)
    yield from _short_as_cutoff(cutoff, loc, place)
    yield from _slope(cutoff, loc)
    if cutoff.get("then") == "end loop" and place.kind == "cv":
        yield Problem((*loc, "then"), "end loop: in cv a cutoff turns the scan over, or ends the run")
    elif cutoff.get("then") == "end loop" and not place.in_loop:
        yield Problem((*loc, "then"), "end loop: no repeat, staircase or pulse is around this step")


def _short_as_cutoff(cutoff: dict[str, Any], loc: Loc, place: _Place) -> Iterator[Problem]:
    if "short" in cutoff and place.kind in _NO_SHORT:
        yield Problem((*loc, "short"), f"short: {_NO_SHORT[place.kind]}", at_key=True)
    elif "short" in cutoff and not place.short_is_told:
        text = "short: what counts as one? Say it under rules, such as "
        text += "`rules: {short: {Ewe_falls_by: 75 %, within: 2 min, below: 15 mV}}`"
        yield Problem((*loc, "short"), text, at_key=True)


def _slope(cutoff: dict[str, Any], loc: Loc) -> Iterator[Problem]:
    slope = next((word for word in SLOPES if word in cutoff), None)
    if slope is not None and "over" not in cutoff:
        text = f"{slope}: a slope needs the time that it is fitted to, such as `over: 10 min`"
        yield Problem((*loc, slope), text, at_key=True)
    if slope is None and "over" in cutoff:
        yield Problem((*loc, "over"), "over: only dEwe_dt and dI_dt look back over a time", at_key=True)


def _loop_end(place: _Place) -> Iterator[Problem]:
    """By a charge, or by how a step ended, which takes both its words."""
    said, loc = words(place.step.get("until")), (*place.loc, "until")
    if not said:
        return
    if "charge" in said and ("step" in said or "ended_by" in said):
        text = "a repeat ends by a charge, or by how a step of it ended: give one of them"
        yield Problem((*loc, "charge"), text, at_key=True)
    elif "charge" not in said and not ("step" in said and "ended_by" in said):
        text = "until, in repeat, needs `charge: 1 mAh/cm2` or `step: LABEL, ended_by: cutoff`"
        yield Problem(loc, text)


def _record(place: _Place) -> Iterator[Problem]:
    useless = {"ca": ("dE",), "ramp": ("dE",), "geis": ("dE", "dI"), "peis": ("dE", "dI")}.get(
        place.kind, ("dI",)
    )
    for name in ("record", "record_off"):
        for word in useless:
            if word in words(place.step.get(name)):
                by_change = {"ca": "dI or ", "ramp": "dI or ", "geis": "", "peis": ""}.get(
                    place.kind, "dE or "
                )
                hint = f"use {by_change}every"
                yield Problem(
                    (*place.loc, name, word), f"{word} says nothing in {place.kind}: {hint}", at_key=True
                )


def _operando(place: _Place, sweeps: dict[str, Any]) -> Iterator[Problem]:
    spectra, loc = place.step.get("spectra"), (*place.loc, "spectra")
    if isinstance(spectra, dict):
        yield from _times_of_spectra(spectra, loc)
        spectra, loc = spectra.get("use"), (*loc, "use")
    wanted = {"rest": None, "ca": "peis"}.get(place.kind, "geis")
    yield from _known(spectra, loc, sweeps, wanted, f"under {place.kind}")


def _same_charge(place: _Place) -> Iterator[Problem]:
    """Its time is known when the chain is loaded: spectra need it before; another charge is another time."""
    same, until = as_same_charge(place.step.get("for")), place.step.get("until")
    if same is None or place.kind not in CURRENT_WORDS:
        return
    if "spectra" in place.step:
        text = f"spectra: with `for: {same}` nobody knows before how many there will be: write the charge "
        text += "itself, or a `geis` step of its own before or after"
        yield Problem((*place.loc, "spectra"), text, at_key=True)
    if any("charge" in words(each) for each in (until if isinstance(until, list) else [until])):
        text = f"charge: `for: {same}` is one already, so leave it out of `until`"
        yield Problem((*place.loc, "until"), text)


def _times_of_spectra(given: dict[str, Any], loc: Loc) -> Iterator[Problem]:
    if "at" in given and ("every" in given or "growing_by" in given):
        yield Problem((*loc, "at"), "at lists the times of all spectra: leave every and growing_by out", True)
    elif "growing_by" in given and "every" not in given:
        yield Problem(loc, "growing_by needs every, the first distance: {every: 10 s, growing_by: 2}")
    try:
        starts = parse_many(given.get("at"), ("time",)).values
    except UnitError:
        return  # the model says so
    late = next((one for one, other in pairwise(starts) if one.value >= other.value), None)
    if late is not None:
        yield Problem((*loc, "at"), f"{late} comes too early: times of a step stand in order")


def _spectrum(place: _Place, sweeps: dict[str, Any]) -> Iterator[Problem]:
    written, loc = place.step[place.kind], (*place.loc, place.kind)
    if isinstance(written, dict):
        yield from _sweep(written, loc, place.kind)
    else:
        yield from _known(written, loc, sweeps, place.kind, f"for {place.kind}")
    bias = CURRENT_WORDS if place.kind == "geis" else ("ca",)
    yield from one_of(place.step.get("during"), (*place.loc, "during"), bias, f"during, in {place.kind},")


def _known(name: Any, loc: Loc, sweeps: dict[str, Any], kind: str | None, where: str) -> Iterator[Problem]:
    """The named sweep exists and is of the kind needed."""
    if not isinstance(name, str):
        return
    if name not in sweeps:
        listed = ", ".join(sweeps) or "none yet"
        hint = did_you_mean(name, sweeps) or ";"
        yield Problem(loc, f"{name} is not declared under spectra{hint} declared are: {listed}")
        return
    found = words(sweeps[name]).get("kind")
    if kind is not None and found in ("geis", "peis") and found != kind:
        yield Problem(loc, f"{name} is a {found} sweep: {where} a sweep of kind {kind} is needed")


def _sweep(sweep: dict[str, Any], loc: Loc, kind: Any) -> Iterator[Problem]:
    yield from _amplitude(sweep, loc, kind)
    if "frequencies" in sweep:
        for word in ("from", "to", "per_decade", "points", "spacing"):
            if word in sweep:
                yield Problem((*loc, word), f"{word}: frequencies lists them all already", at_key=True)
        return
    missing = [word for word in ("from", "to") if word not in sweep]
    if missing:
        yield Problem(loc, f"a sweep needs from and to, or frequencies; {' and '.join(missing)} is missing")
    wanted = ("points",) if sweep.get("spacing") == "linear" else ("per_decade", "points")
    yield from one_of(sweep, loc, wanted, "a linear sweep" if len(wanted) == 1 else "a sweep")


def _vertices(place: _Place) -> Iterator[Problem]:
    loc = (*place.loc, "cv")
    try:
        vertices = parse_many(place.step["cv"], ("potential",)).values
    except UnitError:
        return
    if len(vertices) != 2:
        yield Problem(loc, "cv goes between two potentials, such as `cv: 5 V, -0.2 V`")
    elif vertices[0].value == vertices[1].value:
        yield Problem(loc, f"the two potentials are the same: {vertices[0]}")


def _amplitude(sweep: dict[str, Any], loc: Loc, kind: Any) -> Iterator[Problem]:
    amplitude = quantity(sweep.get("amplitude"), ("current", "areal current", "potential"))
    if amplitude is None or kind not in ("geis", "peis"):
        return
    if (amplitude.dimension == "potential") != (kind == "peis"):
        wanted = "a current, such as 5 uA" if kind == "geis" else "a potential, such as 10 mV"
        yield Problem((*loc, "amplitude"), f"{amplitude}: the amplitude of {kind} is {wanted}")


def _limits(data: dict[str, Any]) -> Iterator[Problem]:
    for word, name in (("Ewe", "Ewe"), ("Ece", "Ece"), ("Ewe_minus_Ece", "Ewe - Ece")):
        window = words(data.get("limits")).get(word)
        if isinstance(window, list) and len(window) == 2:
            low, high = (quantity(end, ("potential",)) for end in window)
            if low is not None and high is not None and low.value >= high.value:
                yield Problem(("limits", word), f"the lowest {name} stands first: {low} is not below {high}")
    for name, ends in words(words(data.get("limits")).get("sensors")).items():
        yield from _sensor_limits(ends, ("limits", "sensors", name))


def _electrodes(data: dict[str, Any]) -> Iterator[Problem]:
    if data.get("three_electrodes") is False:
        text = "three_electrodes: the cell says how many there are; leave the line out, or write true"
        yield Problem(("three_electrodes",), text)


def _sensor_limits(ends: Any, loc: Loc) -> Iterator[Problem]:
    if not (isinstance(ends, list) and len(ends) == 2):
        return
    low, high = (quantity(end, SENSED) for end in ends)
    if low is None or high is None:
        return
    if low.dimension != high.dimension:
        yield Problem(loc, f"{low} and {high} are not of one kind")
    elif low.value >= high.value:
        yield Problem(loc, f"the lowest value stands first: {low} is not below {high}")


def _wait(place: _Place) -> Iterator[Problem]:
    given, loc = words(place.step["wait"]), (*place.loc, "wait")
    of, within = (quantity(given.get(word), SENSED) for word in ("of", "within"))
    if of is not None and within is not None and of.dimension != within.dimension:
        yield Problem((*loc, "within"), f"{within} is no distance from {of}")
    stay, longest = (quantity(given.get(word), ("time",)) for word in ("for", "at_most"))
    if stay is not None and longest is not None and stay.value > longest.value:
        yield Problem((*loc, "at_most"), f"{longest} is over before it can have stayed there for {stay}")


def _short(data: dict[str, Any]) -> Iterator[Problem]:
    told = [word for word in ("rules", "stop_when") if "short" in words(data.get(word))]
    for word in told:
        loc = (word, "short", "Ewe_falls_by")
        fall = quantity(words(words(data[word]).get("short")).get("Ewe_falls_by"), ("fraction",))
        if fall is not None and fall.value > 1:
            yield Problem(loc, f"{fall}: |Ewe| cannot fall by more than 100 %")
    if len(told) > 1:
        text = "short is told twice: the one under stop_when is also that of `until: {short: true}`"
        yield Problem(("rules", "short"), text, at_key=True)
