"""Checks of how long a step lasts, how often it is recorded, and what ends it before its time."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nakctl.checks.findings import Finding, error, warning
from nakctl.device.ends import LEAST_ROWS_OF_SLOPE, way
from nakctl.device.program import Eis
from nakctl.device.techniques import change_of, kind_of, loaded_as, timebase_of
from nakctl.plan import plan as p
from nakctl.plan.ends import opposite
from nakctl.plan.scene import Leaf, Scene, dc_A
from nakctl.text.numbers import count, duration, plural, si

LONG_s = 10.0  # what lasts longer cannot wait in the channel's memory
FEW_ROWS_OF_SLOPE, GOOD_ROWS_OF_SLOPE = 10, 60
NOISES_OF_SLOPE = 2.0  # a slope of less than so many times its noise is met by chance
TIGHT_REACTIONS = 10  # a step shorter than this many reactions of the host is gone before it can act well


def unknown(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """What the instrument has no technique for."""
    for kind in dict.fromkeys(kind_of(technique) for technique in scene.techniques(leaf)):
        if kind.loaded not in scene.instrument.timebase_s:
            what = {"P": "constant power", "R": "a constant load"}.get(kind.imposes, kind.name)
            message = f"{leaf.label}: the {scene.instrument.name} has no technique for {what}"
            help = "the VMP-3 family has one; else say it as a current, `cp` or a staircase of them"
            yield error("no-technique", leaf.mark, message, help)


def timebase(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """Steps and record intervals shorter than the instrument can count."""
    for technique in scene.techniques(leaf):
        if isinstance(technique, Eis) or loaded_as(technique) not in scene.instrument.timebase_s:
            continue
        base_s = timebase_of(technique, scene.instrument)
        floor = f"shorter than the time base of {si(base_s, 's')}"
        if technique.duration_s < base_s:
            message = f"{leaf.label} lasts {si(technique.duration_s, 's')}, {floor}"
            yield error("timebase", leaf.mark, message)
        elif leaf.record.every_s < base_s:
            message = f"{leaf.label}: a row every {si(leaf.record.every_s, 's')} is {floor}"
            yield error("record-interval", leaf.mark, message)


def rows(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """More rows than a channel can hand over, or none to speak of."""
    if not isinstance(leaf, p.Hold):
        return
    rate, most = 1 / leaf.record.every_s, scene.instrument.rows_per_s
    what = f"{leaf.label}: a row every {si(leaf.record.every_s, 's')}"
    if rate > most and leaf.duration_s > LONG_s:
        message = f"{what} for {duration(leaf.duration_s)}; a channel delivers about {count(most)} rows/s"
        yield error("row-rate", leaf.mark, message, f"record every {si(1 / most, 's')} or slower")
    elif rate > most:
        message = f"{what} is {count(rate)} rows/s, more than a channel delivers for long ({count(most)})"
        yield warning("row-rate", leaf.mark, message, "rows may be lost; the record would say so")
    if leaf.record.every_s > leaf.duration_s and leaf.spectra is None:
        message = f"{what} in a step of {duration(leaf.duration_s)} keeps one row of it"
        yield warning("few-rows", leaf.mark, message)


def record_change(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """A dE or dI below the resolution is met by noise alone: every time base a row."""
    for technique in scene.techniques(leaf):
        E, I = scene.E_range(technique.hardware.E_range), scene.I_range(technique.hardware.I_range)
        change, of = change_of(technique), kind_of(technique).changes
        if change is not None and of == "Ewe" and E is not None:
            step_V = (E.high_V - E.low_V) * scene.instrument.E_step
            yield from _change(leaf, "dE", change, step_V, "V", E.name)
        if change is not None and of == "I" and I is not None:
            yield from _change(leaf, "dI", change, I.full_A * scene.instrument.I_step, "A", I.name)


def _change(leaf: Leaf, word: str, value: float, step: float, unit: str, name: str) -> Iterator[Finding]:
    if value < step:
        message = f"{leaf.label}: {word} {si(value, unit)} is below the resolution of the {name} range"
        help = f"noise alone would keep a row every time base; ask for {si(step, unit, 2)} or more"
        yield warning("record-change", leaf.mark, message, help)


def cutoffs(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """Cutoffs that can never act, because the run ends before, and those that all of the window meets."""
    for cutoff in leaf.cutoffs:
        limit = scene.plan.limits.limit(cutoff.quantity, cutoff.side)
        if limit is not None and way(cutoff.side) * (cutoff.value - limit.value) > 0:
            message = f"{cutoff.text} is beyond {limit.named}"
            yield warning("cutoff", cutoff.mark, message, "the limit ends the run before this cutoff acts")
        across = scene.plan.limits.limit(cutoff.quantity, opposite(cutoff.side))
        if across is not None and way(cutoff.side) * (across.value - cutoff.value) > 0:
            message = f"{cutoff.text} is met by all that {across.named} allows"
            yield warning("cutoff", cutoff.mark, message, "the step would end at its first row")


def wrong_side(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """Cutoffs on the side that the current drives Ewe away from: met at the first row, or never."""
    current_A = dc_A(leaf)
    if isinstance(leaf, p.Hold) and leaf.of_profile_A is not None:
        return  # its lines go both ways
    if not current_A or (isinstance(leaf, p.Spectrum) and leaf.bias is None):
        return
    way, wrong, now = ("up", "below", "below") if current_A > 0 else ("down", "above", "above")
    for cutoff in leaf.cutoffs:
        if cutoff.quantity == "Ewe" and cutoff.side == wrong:
            message = f"{leaf.label} drives Ewe {way}, and {cutoff.text} is on the other side"
            help = f"if Ewe is {now} it already, the step ends at its first row; else it does not get there"
            yield warning("wrong-side", cutoff.mark, message, help)


def host_cutoffs(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """Cutoffs of steps so short that the host may see them too late."""
    reaction_s = scene.instrument.reaction_s
    if not isinstance(leaf, p.Hold) or leaf.duration_s >= TIGHT_REACTIONS * reaction_s:
        return
    for cutoff in scene.program.ends_of(leaf.step_id, "cutoff"):
        if cutoff.by == "host":
            message = (
                f"{leaf.label} lasts {duration(leaf.duration_s)}, and the host sees its {cutoff.quantity} "
            )
            message += f"{duration(reaction_s)} late"
            yield warning("host-cutoff", cutoff.mark, message, "the instrument cannot hold this cutoff")


def slopes(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """Slopes that are fitted to too few rows, told apart from noise by too little, or never judged."""
    for cutoff in leaf.cutoffs:
        if cutoff.over_s == 0 or not isinstance(leaf, p.Hold):
            continue
        of_rows = cutoff.over_s / leaf.record.every_s
        if cutoff.over_s >= leaf.duration_s:
            message = f"{cutoff.text}: the step lasts {duration(leaf.duration_s)}, so there is no such slope"
            yield error("slope", cutoff.mark, message, "a shorter `over`, or a longer step")
        elif of_rows < FEW_ROWS_OF_SLOPE:
            every = f"a row every {si(leaf.record.every_s, 's')}"
            message = f"{cutoff.text}: with {every} it is fitted to {plural(of_rows, 'row')}"
            help = f"record every {si(cutoff.over_s / GOOD_ROWS_OF_SLOPE, 's', 2)}, or a longer `over`"
            yield (error if of_rows < LEAST_ROWS_OF_SLOPE else warning)("slope", cutoff.mark, message, help)
        else:
            yield from _noise(cutoff, of_rows, leaf, scene)


def _noise(cutoff: p.Cutoff, of_rows: float, leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """A reading is off by about a step of its range; of a line through n of them the slope is known to
    step * sqrt(12 / n) / over."""
    for hardware in dict.fromkeys(each.hardware for each in scene.techniques(leaf)):
        E, I = scene.E_range(hardware.E_range), scene.I_range(hardware.I_range)
        if cutoff.quantity == "dEwe/dt" and E is not None:
            step, unit, name = (E.high_V - E.low_V) * scene.instrument.E_step, "V", E.name
        elif cutoff.quantity == "dI/dt" and I is not None:
            step, unit, name = I.full_A * scene.instrument.I_step, "A", I.name
        else:
            continue
        noise = step * math.sqrt(12 / of_rows) / cutoff.over_s
        if cutoff.value < NOISES_OF_SLOPE * noise:
            message = f"{cutoff.text}: in the {name} range noise alone is about {si(noise * 3600, unit, 2)}/h"
            yield warning("slope-noise", cutoff.mark, message, "a longer `over`, or rows more often")


TIME_CHECKS = (unknown, timebase, rows, record_change, cutoffs, wrong_side, host_cutoffs, slopes)
