"""Experiments about the end: what a stop leaves, how soon, and which way the current ran."""

from __future__ import annotations

from collections.abc import Iterator

from nakctl.device.inspection import Lesson
from nakctl.errors import ChannelError
from nakctl_biologic.codes import STOP
from nakctl_biologic.first_day.bench import HOLD_V, Bench
from nakctl_biologic.first_day.chains import SHORT_s, data_file

STOP_LOOKS = 100
NOISE_A = 2e-8  # below that nothing can be said of a current


def stopping(bench: Bench) -> Iterator[Lesson]:
    """Stopped while a potential is held: what flows then, how soon, and whether the rows are all there."""
    bench.start(bench.chain(bench.hold(60.0)))
    try:
        bench.await_begin()
        bench.clock.sleep(SHORT_s)
        held, before_s = bench.values(), bench.clock.now_s()
    finally:
        bench.device.stop(bench.number)
    looks = next((n for n in range(STOP_LOOKS) if bench.values().State == STOP), STOP_LOOKS)
    took_s, after = bench.clock.now_s() - before_s, bench.values()
    yield _cell_after_stop(held.I, after.I, after.State == STOP)
    yield _sign(held.Ewe, held.I)
    reaction_s = bench.instrument.reaction_s
    yield Lesson(
        "How long does a stop take?",
        f"{data_file(bench.instrument)}: reaction_s",
        reaction_s,
        round(took_s, 4),
        "confirmed" if took_s <= reaction_s else "changed",
        "" if took_s <= reaction_s else f"Set reaction_s to {took_s:.2g}: guards of the host are that slow.",
        {"reads_until_STOP": looks},
    )
    if after.State != STOP:
        raise ChannelError(
            "the channel went on after a stop: take the dummy cell off; the first day ends here"
        )
    rows = sum(block.n_rows for block in bench.drain(0.0))
    yield Lesson(
        "Are rows from before a stop still handed over after it?",
        "driver: reads after a stop hand over what is left",
        "yes",
        f"{rows} rows" if rows else "no",
        "confirmed" if rows else "changed",
        "" if rows else "The last moments before a stop are lost on this instrument: report it.",
    )
    yield Lesson(
        "May a chain be started again without loading it?",
        "driver: it always loads anew",
        "either",
        "yes" if bench.starts_again() else "no",
        "confirmed",
    )


def _cell_after_stop(held_A: float, after_A: float, stopped: bool) -> Lesson:
    question, rests_on = "Is the cell open after a stop?", "driver: a stop leaves the cell open"
    if abs(held_A) < NOISE_A:
        advice = "Take a dummy cell through which 50 mV drive a current, such as 1 kohm."
        return Lesson(question, rests_on, "open", "no current flowed before", "unsettled", advice)
    opened = stopped and abs(after_A) < max(NOISE_A, 0.01 * abs(held_A))
    return Lesson(
        question,
        rests_on,
        "open",
        "open" if opened else f"{after_A:.3g} A go on flowing",
        "confirmed" if opened else "changed",
        "" if opened else "Do not leave cells on this instrument after a stop, and report it.",
        {"held_A": held_A, "after_A": after_A},
    )


def _sign(Ewe_V: float, I_A: float) -> Lesson:
    """Through a passive cell the current has the sign of the potential."""
    told = {"Ewe_V": Ewe_V, "I_A": I_A}
    question, rests_on = (
        "Which sign has an oxidising current?",
        "program: I > 0 oxidises the working electrode",
    )
    if abs(I_A) < NOISE_A or Ewe_V < HOLD_V / 2:
        advice = "Take a passive dummy cell through which 50 mV drive a current."
        return Lesson(question, rests_on, "+", "too little flowed to tell", "unsettled", advice, told)
    return Lesson(
        question,
        rests_on,
        "+",
        "+" if I_A > 0 else "-",
        "confirmed" if I_A > 0 else "changed",
        "" if I_A > 0 else "Every current would run the wrong way: start no run, check the cable, report it.",
        told,
    )
