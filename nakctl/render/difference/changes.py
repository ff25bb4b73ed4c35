"""Facts of one plan beside those of another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from nakctl.render.difference.value import Change, Fact, Weight

NEAR = 1e-9  # what is less is rounding
TOLD = 1e-3  # what is less is seen by nobody where both are told alike
_SCALES = ("V", "degC", "K", "degF")  # 0 is only a place on them: no value is a part of another one


def changes(before: Sequence[Fact], after: Sequence[Fact]) -> Iterator[Change]:
    """Of facts with the same name."""
    was, now = ({fact.name: fact for fact in facts} for facts in (before, after))
    for name in dict.fromkeys((*was, *now)):
        change = _change(was.get(name), now.get(name))
        if change is not None:
            yield change


def _change(was: Fact | None, now: Fact | None) -> Change | None:
    if was is None or now is None:
        known = was or now
        assert known is not None
        is_limit = known.weighs in ("more", "less")  # of others the loss is that of what they tell of
        weight: Weight = "" if not is_limit else "removed" if now is None else "added"
        return Change(
            known.name,
            "" if was is None else was.text,
            "" if now is None else now.text,
            weight=weight,
            values_before=() if was is None else was.value,
            values_after=() if now is None else now.value,
            unit=known.unit,
        )
    told_alike = was.text == now.text
    if _same(was.value, now.value, TOLD if told_alike else NEAR):
        return None
    on_scale = now.unit == "V" or now.text.rpartition(" ")[2] in _SCALES
    return Change(
        was.name,
        was.text,
        f"{now.text}, by other ones between" if told_alike else now.text,
        "" if on_scale else _relative(was.value, now.value),
        _weight(was, now),
        was.value,
        now.value,
        now.unit,
    )


def _same(one: Any, other: Any, near: float = NEAR) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(_same(a, b, near) for a, b in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=near, abs_tol=1e-15)
    return bool(one == other)


def _relative(one: Sequence[Any], other: Sequence[Any]) -> str:
    """By which part all values have grown; empty: not all by the same."""
    numbers = [*one, *other]
    if len(one) != len(other) or not one or not all(isinstance(each, float) and each for each in numbers):
        return ""
    factors = [b / a for a, b in zip(one, other, strict=True)]
    if not all(math.isclose(each, factors[0], rel_tol=1e-6) for each in factors) or factors[0] <= 0:
        return ""
    part = 100 * (factors[0] - 1)
    return f"x {float(f'{factors[0]:.3g}'):g}" if factors[0] >= 3 else f"{part:+.3g} %"


def _weight(was: Fact, now: Fact) -> Weight:
    match now.weighs:
        case "fewer":
            return "weaker" if not set(was.value) <= set(now.value) else ""
        case "often":
            return "worse" if now.value[0] > was.value[0] else ""
        case "more" | "less":
            sign = 1 if now.weighs == "more" else -1
            ways = {_way(a, b) * sign for a, b in zip(was.value, now.value, strict=False)}
            return "wider" if 1 in ways else "narrower" if -1 in ways else ""
        case _:
            return ""


def _way(one: Any, other: Any) -> int:
    """1: up."""
    if isinstance(one, tuple):
        one, other = one[0], other[0]
    return 0 if _same(one, other) else 1 if other > one else -1
