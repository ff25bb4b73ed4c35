"""Is a chain over because it was done? Proven from what the channel said, never assumed.

In this order: which technique the last row is of, and in which pass; how long that technique lasted, by the
instrument's clock; whether its last readings meet a test. Whatever is left ended by something that the
program does not know (another program's stop, a full memory, a fault of the board), and nothing further may
be started.

Whether a row is written where a test is met, and at a technique's end, is a habit of the instrument: a row
less must not turn an end into another one, so one interval of recording is left open.
"""

from __future__ import annotations

import math

from nakctl.booking.chain import CLOCK_COARSE, ELAPSED_SLACK_s, TICK_s
from nakctl.booking.ending import Ending, ending_of, interrupted
from nakctl.booking.ledger import LastRows
from nakctl.booking.met import Met, met_by
from nakctl.booking.spectra import Sweep
from nakctl.device.channel import Visit
from nakctl.device.ends import way
from nakctl.device.program import Done, Eis, Loop, Program, Segment, Technique, Tested, is_sentinel
from nakctl.device.techniques import change_of, kind_of, stops

NOT_FED = Ending("go on", "the channel had not been given what follows", kind="not fed")


def why_over(
    program: Program,
    segment: Segment,
    last: LastRows | None,
    elapsed_s: float,
    ends_before: int | None = None,
) -> Ending | None:
    """Why a chain that nobody stopped is over; None: it was done with all its techniques.

    elapsed_s    of the instrument's clock when it said STOP; NaN where it does not say
    ends_before  as in `Reading`: the techniques before are what the chain was
    """
    if last is None:
        first = segment.techniques[0]
        return interrupted(
            f"the channel stopped before its first row: {_ended_it(program, first, seen=False)}"
        )
    technique = segment.techniques[last.visit.technique]
    assert not isinstance(technique, Loop)
    unmet = _unmet(program, segment, last, elapsed_s)
    if unmet is not None:
        return ending_of(unmet.end, unmet.value)
    is_done = is_final(segment, last.visit)
    was_last = is_done or last.visit.technique + 1 == ends_before
    if was_last and _is_whole(technique, last, elapsed_s):
        return None if is_done else NOT_FED
    met = _test_met(program, technique, last, elapsed_s)
    if met is not None and (was_last or stops(technique)):
        return ending_of(met.end, met.value)
    return interrupted(_how_far(program, segment, technique, last))


def _unmet(program: Program, segment: Segment, last: LastRows, elapsed_s: float) -> Met | None:
    """A step without a time was held for as long as its chain does that, and its cutoff is not met.

    Its sentinel says so; by the last row of the hold where the sentinel wrote none.
    """
    at = last.visit.technique
    technique = segment.techniques[at]
    if not is_sentinel(technique):
        if isinstance(technique, Loop) or not _is_whole(technique, last, elapsed_s):
            return None
        technique = segment.techniques[at + 1] if at + 1 < len(segment.techniques) else technique
    for test in getattr(technique, "tests", ()):
        value = last.Ewe_V if test.quantity == "Ewe" else last.I_A
        if test.end and program.end(test.end).kind == "unmet" and way(test.side) * (value - test.value) > 0:
            return Met(program.end(test.end), value)
    return None


def is_final(segment: Segment, visit: Visit) -> bool:
    """Whether the chain does nothing after this visit."""
    last = max(at for at, each in enumerate(segment.techniques) if not isinstance(each, Loop))
    return visit.technique == last and visit.passes + 1 == _passes(segment, last)


def _passes(segment: Segment, at: int) -> int | None:
    """How often the technique is started in all; None: for ever."""
    times = 1
    for each in segment.techniques[at + 1 :]:
        if isinstance(each, Loop) and each.to <= at:
            if each.times is None:
                return None
            times *= each.times
    return times


def _is_whole(technique: Done, last: LastRows, elapsed_s: float) -> bool:
    """It lasted as long as it should, as far as its rows and the instrument's clock can tell."""
    if isinstance(technique, Eis):
        return Sweep.of(technique).is_done(last.swept)
    lasted_s = last.time_s - last.visit.start_s
    if lasted_s < technique.duration_s - technique.every_s - TICK_s:
        return False
    known_s = _elapsed(last, elapsed_s)  # refutes only: a clock that goes on after a stop proves nothing
    return known_s is None or known_s >= technique.duration_s - ELAPSED_SLACK_s - CLOCK_COARSE * elapsed_s


def _elapsed(last: LastRows, elapsed_s: float) -> float | None:
    """Time in the last technique when the channel stopped; None if its clock says something else."""
    if math.isnan(elapsed_s) or elapsed_s < last.time_s - ELAPSED_SLACK_s - CLOCK_COARSE * last.time_s:
        return None
    return elapsed_s - last.visit.start_s


def _test_met(program: Program, technique: Done, last: LastRows, elapsed_s: float) -> Met | None:
    """The End whose test ended the technique: by its last row, or by where its last rows were going."""
    if not isinstance(technique, Tested):
        return None
    ends = [program.end(test.end) for test in technique.tests if test.end]
    found = met_by(ends, {"Ewe": last.Ewe_V, "|I|": last.I_A})
    return found or met_by(ends, _onward(technique, last, elapsed_s))


def _onward(technique: Tested, last: LastRows, elapsed_s: float) -> dict[str, float]:
    """Ewe and |I| at the end of a technique that wrote no row there, by the slope of its last two.

    No further row came, so it was less than one interval of recording, and less than the change that asks for
    a row; by a clock that stands still after a stop it is known how long it was.
    """
    if last.before is None or not last.time_s > last.before[0]:
        return {}
    known_s = _elapsed(last, elapsed_s)
    left_s = technique.every_s if known_s is None else known_s - (last.time_s - last.visit.start_s)
    share = min(max(left_s, 0.0), technique.every_s) / (last.time_s - last.before[0])
    moves = {"Ewe": (last.Ewe_V - last.before[1]) * share, "|I|": (last.I_A - last.before[2]) * share}
    change = change_of(technique)
    if change is not None:
        word = {"Ewe": "Ewe", "I": "|I|"}[kind_of(technique).changes]
        moves[word] = min(max(moves[word], -change), change)
    return {"Ewe": last.Ewe_V + moves["Ewe"], "|I|": last.I_A + moves["|I|"]}


def _how_far(program: Program, segment: Segment, technique: Done, last: LastRows) -> str:
    step = program.step(technique.step)
    lasted_s = last.time_s - last.visit.start_s
    of_s = "" if isinstance(technique, Eis) else f" of {technique.duration_s:.4g}"
    said = f"the channel stopped by itself in step {step.label}, {lasted_s:.4g}{of_s} s into it"
    passes = _passes(segment, last.visit.technique)
    if passes != 1:
        of = "" if passes is None else f" of {passes}"
        said += f", pass {last.visit.passes + 1}{of}"
    return f"{said}: {_ended_it(program, technique, seen=last.before is not None)}"


def _ended_it(program: Program, technique: Technique, *, seen: bool) -> str:
    """What may have, as a sentence. seen: it wrote the two rows by which a test that was met can be told."""
    said = "another program, a full memory or a fault of the instrument ended it"
    tests = technique.tests if isinstance(technique, Tested) and stops(technique) and not seen else ()
    texts = [program.end(test.end).text for test in tests if test.end]
    return said + (f", or before a second row one of its tests: {', '.join(texts)}" if texts else "")
