"""Times as a channel counts them: nobody who asks for 0.5 s gets them exactly where the time base is 34 us."""

from __future__ import annotations

from nakctl.device.instrument import instrument

SAME_s = 1e-9  # two sums of the same ticks: what floating point leaves between them, far below any time base


def base_s(technique: str = "CPLIMIT", like: str = "SP-300") -> float:
    """The time base of a technique, named as `techniques.loaded_as` does."""
    return instrument(like).timebase_s[technique]


def counted_s(seconds: float, technique: str = "CPLIMIT", like: str = "SP-300") -> float:
    """What a duration or an interval of so many seconds becomes: the nearest whole number of time bases.

    At least one. It errs by half a time base at the most, and n intervals by n times that: row n stands at
    n * counted_s(every_s).
    """
    ticks_s = base_s(technique, like)
    return max(1, round(seconds / ticks_s)) * ticks_s
