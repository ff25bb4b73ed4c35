"""What the channel says of itself, and what its memory does when it is full."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from nakctl.device.inspection import Lesson
from nakctl_biologic.first_day.bench import Bench
from nakctl_biologic.first_day.chains import SHORT_s, data_file
from nakctl_biologic.layouts import OPEN, TIMES
from nakctl_biologic.memory import WORD_BYTES

ALL_RANGES = range(11)  # fixed ones, 100 pA to 1 A; beyond are boosters and automatic ranges
MANY_ROWS = 500  # more than one block
OVERFULL = 1.2  # how far the memory is filled, if it were endless
LONGEST_s = 60.0


def board(bench: Bench) -> Iterator[Lesson]:
    """Ranges and bandwidths."""
    _, infos = bench.device.channel_infos(bench.number)
    data, file = bench.instrument, data_file(bench.instrument)
    codes = [each.code for each in data.I_ranges]
    same = min(codes) == infos.MinIRange and max(codes) == infos.MaxIRange
    yield Lesson(
        "Which current ranges does the board have?",
        f"{file}: I_ranges",
        f"codes {min(codes)} to {max(codes)}",
        f"codes {infos.MinIRange} to {infos.MaxIRange}",
        "confirmed" if same else "changed",
        "" if same else "Add or take away ranges in I_ranges, if all boards of the lab are like this one.",
    )
    wide = infos.MaxBandwidth == data.bandwidth_max
    yield Lesson(
        "Which bandwidths does the board have?",
        f"{file}: bandwidth_max",
        data.bandwidth_max,
        infos.MaxBandwidth,
        "confirmed" if wide else "changed",
        "" if wide else f"Set bandwidth_max to {infos.MaxBandwidth}.",
    )


def narrower(bench: Bench) -> Iterator[Lesson]:
    """A range that the board does not have: loaded, never started."""
    _, infos = bench.device.channel_infos(bench.number)
    question = "Is a range that the board does not have refused when it is loaded?"
    rests_on = "driver: it refuses such a range before it loads anything"
    entry = bench.chain(bench.zero_current(SHORT_s))[0]
    beyond = next((code for code in (infos.MinIRange - 1, infos.MaxIRange + 1) if code in ALL_RANGES), None)
    if beyond is None:
        yield Lesson(question, rests_on, "yes", "it has all there are", "unsettled")
        return
    params = tuple(replace(p, value=beyond) if p.label == "I_Range" else p for p in entry.params)
    taken = bench.takes((replace(entry, params=params),))
    bench.takes(bench.chain(bench.rest(SHORT_s)))  # leave something harmless loaded
    yield Lesson(
        question,
        rests_on,
        "yes",
        f"no: code {beyond} is taken" if taken else "yes",
        "changed" if taken else "confirmed",
        "Write no range into I_ranges that the board does not have: nothing else stops it." if taken else "",
        {"code": beyond},
    )


def filled(bench: Bench) -> Iterator[Lesson]:
    """Rows of a rest that nobody read for a while, then one block of them."""
    rest_s = 10 * SHORT_s
    bench.start(bench.chain(bench.rest(rest_s, rest_s / MANY_ROWS)))
    try:
        bench.await_end(rest_s)
        before_bytes = bench.values().MemFilled
        block, values = bench.data()
        bench.drain(0.0)
    finally:
        bench.device.stop(bench.number)
    taken_bytes = WORD_BYTES * len(block.words)
    told = {before_bytes - taken_bytes: "what is left", before_bytes: "what was there before"}
    found = told.get(values.MemFilled, "something else")
    known = found == "what is left"
    yield Lesson(
        "What does MemFilled beside a block count?",
        "driver: more rows wait if it is not 0",
        "what is left",
        found,
        "confirmed" if known else "changed",
        "" if known else "A read that brought rows is followed by one in vain: nothing to do, but report it.",
        {"before": before_bytes, "block": taken_bytes, "beside": values.MemFilled},
    )


def memory(bench: Bench) -> Iterator[Lesson]:
    """A rest recorded as fast as it goes and not read, until the memory should be full."""
    _, infos = bench.device.channel_infos(bench.number)
    timebase_s = bench.instrument.timebase_s["OCV"]
    row_bytes = WORD_BYTES * len(TIMES + OPEN[bench.board])
    duration_s = OVERFULL * infos.MemSize / row_bytes * timebase_s
    question = "What becomes of rows when the memory is full?"
    rests_on = "driver: rows lost, or a chain that ends early, are recorded as a gap"
    if not 0 < duration_s <= LONGEST_s:
        told = f"not tried: {infos.MemSize} bytes take {duration_s:.0f} s to fill"
        yield Lesson(question, rests_on, "unknown", told, "unsettled", facts={"MemSize": infos.MemSize})
        return
    trace = bench.run(bench.chain(bench.rest(duration_s, timebase_s)), duration_s, unread_s=0.1)
    times_s = bench.samples(trace, 0, "OCV")["time_s"]
    first_s, last_s = (float(times_s[0]), float(times_s[-1])) if len(times_s) else (math.inf, 0.0)
    told = {
        (True, False): "the oldest are overwritten",
        (False, True): "the channel stops, or drops the newest",
        (False, False): "none is lost: the memory holds more than it says",
    }.get((first_s > 10 * timebase_s, last_s < 0.95 * duration_s), "rows at both ends are lost")
    yield Lesson(
        question,
        rests_on,
        "unknown",
        told,
        "confirmed",
        facts={
            "MemSize": infos.MemSize,
            "rows": len(times_s),
            "first_s": first_s,
            "last_s": last_s,
            "IRQskipped": trace.lost,
        },
    )
