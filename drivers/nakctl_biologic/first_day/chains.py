"""Experiments about chains: how they start, loop, stop, and how long they may be."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from nakctl.device.inspection import Lesson
from nakctl.device.instrument import Instrument
from nakctl.device.program import Loop, Technique
from nakctl.device.techniques import loaded_as
from nakctl_biologic.data_words import timebase
from nakctl_biologic.first_day.bench import Bench, Trace
from nakctl_biologic.params import MOST_STEPS, Loaded, current_steps, load_as

SHORT_s = 0.2
ONE_s = 10.0  # a technique by itself takes less


def data_file(instrument: Instrument) -> str:
    """Where the data of an instrument stand."""
    return f"{''.join(filter(str.isalnum, instrument.name)).lower()}.toml"


def starting(bench: Bench) -> Iterator[Lesson]:
    """A rest, by itself: the state right after the start, the first StartTime, messages."""
    trace = bench.run(bench.chain(bench.rest(SHORT_s)), SHORT_s)
    yield Lesson(
        "Do reads right after the start say STOP?",
        "driver: such a STOP is not taken for the end",
        "possible",
        f"{trace.quiet} read(s) did",
        "confirmed",
        facts={"reads": trace.quiet},
    )
    first = trace.of(0)[0].start_s if trace.of(0) else math.nan
    yield Lesson(
        "What is StartTime of the first technique?",
        "driver: NaN counts as 0",
        "NaN or 0",
        "NaN" if math.isnan(first) else first,
        "confirmed" if math.isnan(first) or first == 0 else "changed",
        "" if math.isnan(first) or first == 0 else "Times of all rows are late by this: report it.",
    )
    yield _loading(bench, trace)
    text = bench.device.message(bench.number)
    yield Lesson(
        "What does BL_GetMessage say when there is nothing to say?",
        "driver: an empty text ends the reading of messages",
        "",
        text,
        "unsettled" if text else "confirmed",
        "Look at this message: the channel has something to say." if text else "",
    )


def _loading(bench: Bench, trace: Trace) -> Lesson:
    """It is an estimate: only much longer gaps are worth a change."""
    assumed_s, found_s = bench.instrument.load_s, round(trace.load_s, 3)
    longer = found_s > 2 * assumed_s
    return Lesson(
        "How long do loading and starting take?",
        f"{data_file(bench.instrument)}: load_s",
        assumed_s,
        found_s,
        "changed" if longer else "confirmed",
        f"Set load_s to {found_s:g}, so that plans tell the gaps between chains rightly." if longer else "",
    )


def timebases(bench: Bench) -> Iterator[Lesson]:
    """Each technique by itself, then two one after the other, read only when both are over."""
    techniques: tuple[Technique, ...] = (
        bench.rest(SHORT_s),
        bench.zero_current(SHORT_s),
        bench.hold(SHORT_s),
        bench.spectrum(1),
        bench.spectrum(1, current=True),
    )
    for technique in techniques:
        yield _timebase(bench, technique)
    both = bench.chain(bench.rest(SHORT_s), bench.hold(SHORT_s))
    blocks = bench.run(both, 2 * SHORT_s, unread_s=SHORT_s).of(0)
    own = bool(blocks) and timebase(blocks[0].timebase_s) == bench.instrument.timebase_s["OCV"]
    yield Lesson(
        "Does TimeBase belong to the rows of the buffer?",
        "driver: the time base of each technique is known beforehand, whatever the buffer says",
        "either",
        "yes" if own else "no: to the technique that runs, or ran last",
        "confirmed" if blocks else "unsettled",
    )


def _timebase(bench: Bench, technique: Technique) -> Lesson:
    assert not isinstance(technique, Loop)
    name = loaded_as(technique)
    blocks = bench.run(bench.chain(technique), ONE_s).of(0)
    question, rests_on = (
        f"What is the time base of {name}?",
        f"{data_file(bench.instrument)}: timebase_s.{name}",
    )
    assumed_s = bench.instrument.timebase_s[name]
    if not blocks:
        return Lesson(question, rests_on, assumed_s, "no row came", "unsettled")
    found_s = timebase(blocks[0].timebase_s)
    if found_s == assumed_s:
        return Lesson(question, rests_on, assumed_s, found_s, "confirmed")
    advice = f"Set timebase_s.{name} to {found_s:g} before any run: all its times depend on it."
    return Lesson(question, rests_on, assumed_s, found_s, "changed", advice)


def loops(bench: Bench) -> Iterator[Lesson]:
    """One loop, then one in another."""
    one = _counters(bench, Loop(0, 3, True))
    yield Lesson(
        "From which number does TDataInfos.loop count?",
        "driver: passes are counted by what changes, not by this number",
        "0 or 1",
        one[0] if one else None,
        "confirmed" if len(one) == 3 else "changed",
        ""
        if len(one) == 3
        else f"Three passes gave {len(one)} groups of rows: report it before using loops.",
        {"counters": one},
    )
    two = _counters(bench, Loop(0, 2, True), Loop(0, 2, True))
    patterns: dict[tuple[int, ...], str] = {
        (0, 1, 0, 1): "the innermost loop",
        (0, 0, 1, 1): "the outermost loop",
        (0, 1, 2, 3): "all passes",
    }
    base = tuple(each - min(two) for each in two) if two else ()
    yield Lesson(
        "What does TDataInfos.loop count in nested loops?",
        "driver: passes are counted by what changes, not by this number",
        "any",
        patterns.get(base, "something else"),
        "confirmed" if len(two) == 4 else "changed",
        "" if len(two) == 4 else f"Four passes gave {len(two)} groups of rows: report it before using loops.",
        {"counters": two},
    )


def _counters(bench: Bench, *loops: Loop) -> list[int]:
    """The loop counter of each pass of a short rest."""
    passes = math.prod(each.times or 1 for each in loops)
    trace = bench.run(bench.chain(bench.rest(SHORT_s / 2, 0.01), *loops), passes * SHORT_s)
    found: list[tuple[float, int]] = []
    for block in trace.of(0):
        visit = (0.0 if math.isnan(block.start_s) else block.start_s, block.loop)
        if not found or found[-1] != visit:
            found.append(visit)
    return [loop for _, loop in found]


def lengths(bench: Bench) -> Iterator[Lesson]:
    """How many techniques a chain holds, and steps a technique: loaded, never started."""
    assumed = bench.instrument.chain_length
    found = _longest(bench, assumed)
    enough = found >= assumed
    yield Lesson(
        "How many techniques does a chain hold?",
        f"{data_file(bench.instrument)}: chain_length",
        assumed,
        f"at least {found}" if found == 2 * assumed else found,
        "confirmed" if enough else "changed",
        "" if enough else f"Set chain_length to {found}: longer chains are refused when they are loaded.",
        {"longest": found},
    )
    more = bench.takes((_steps(bench, MOST_STEPS + 1),))
    yield Lesson(
        "Does CPLIMIT take more than 20 steps?",
        "driver: it never sends more than 20",
        "unknown",
        "yes" if more else "no",
        "confirmed",
    )
    bench.takes(bench.chain(bench.rest(SHORT_s)))  # leave something harmless loaded


def _longest(bench: Bench, assumed: int) -> int:
    """By halves, up to twice what is assumed."""
    one = bench.chain(bench.rest(SHORT_s))
    good, bad = 1, 2 * assumed + 1
    tried = assumed
    while bad - good > 1:
        if bench.takes(one * tried):
            good = tried
        else:
            bad = tried
        tried = 2 * assumed if good == assumed and bad > 2 * assumed else (good + bad) // 2
    return good


def _steps(bench: Bench, count: int) -> Loaded:
    """CPLIMIT of that many steps, at no current; the driver itself refuses to make more than 20."""
    step = bench.zero_current(SHORT_s)
    params = list(current_steps([step] * MOST_STEPS, bench.instrument))
    last = [each for each in params if each.index == MOST_STEPS - 1]
    grown = [replace(each, value=count - 1) if each.label == "Step_number" else each for each in params]
    grown += [replace(each, index=at) for at in range(MOST_STEPS, count) for each in last]
    return replace(load_as(step, bench.instrument, bench.board), params=tuple(grown))
