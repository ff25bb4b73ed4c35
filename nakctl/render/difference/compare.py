"""Two plans compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from nakctl.plan import plan as p
from nakctl.plan.meaning import meaning
from nakctl.render.difference.changes import changes
from nakctl.render.difference.entries import Entry, entries
from nakctl.render.difference.matching import pairs, whole
from nakctl.render.difference.value import Became, Change, Difference, StepChange
from nakctl.render.difference.whole_run import limits, run
from nakctl.render.view import View


def compare(before: View, after: View, was: str = "", now: str = "") -> Difference:
    """was, now: what the two are called; empty: by their files."""
    one, other = before.scene, after.scene
    same = meaning(one.program) == meaning(other.program)
    found = Difference(
        before=was or Path(one.plan.file).name,
        after=now or Path(other.plan.file).name,
        on=f"{other.instrument.name}, cell {other.plan.cell}",
        same=same,
        notes=tuple(_notes(one.plan, other.plan)),
    )
    if same:
        return found
    of_run = changes(tuple(run(before)), tuple(run(after)))
    return replace(
        found,
        limits=tuple(changes(limits(one.plan), limits(other.plan))),
        steps=tuple(_steps(entries(before), entries(after))),
        run=tuple(each for each in of_run if each.before != each.after),
    )


def _notes(before: p.Plan, after: p.Plan) -> Iterator[str]:
    """What makes no difference to the cell."""
    if before.name != after.name:
        yield f"the title was {before.name}"
    gone = [name for name in before.params if name not in after.params]
    come = [name for name in after.params if name not in before.params]
    if gone:
        yield f"no parameter any more: {', '.join(gone)}"
    if come:
        yield f"new parameter: {', '.join(come)}"


# --- steps -------------------------------------------------------------------------------------------------


def _steps(before: Sequence[Entry], after: Sequence[Entry]) -> Iterator[StepChange]:
    """Those that differ; of one that stands elsewhere now only that."""
    found = pairs(before, after)
    gone = [was for was, now in found if now is None and was is not None]
    come = [now for was, now in found if was is None and now is not None]
    moved = _moved(gone, come)
    elsewhere = {id(was) for was, _ in moved}, {id(now): was for was, now in moved}
    for was, now in found:
        if was is not None and now is not None:
            differ = tuple(changes(was.facts, now.facts))
            if differ:
                yield StepChange("changed", now.name, was.number, now.number, differ)
            yield from _steps(was.inner, now.inner)
        elif was is not None and id(was) not in elsewhere[0]:
            yield from _all_of(was, "removed")
        elif now is not None and id(now) in elsewhere[1]:
            yield StepChange("moved", now.name, elsewhere[1][id(now)].number, now.number, ())
        elif now is not None:
            yield from _all_of(now, "new")


def _moved(gone: list[Entry], come: list[Entry]) -> list[tuple[Entry, Entry]]:
    found = []
    left = list(come)
    for was in gone:
        now = next((each for each in left if whole(each) == whole(was)), None)
        if now is not None:
            left.remove(now)
            found.append((was, now))
    return found


def _all_of(entry: Entry, became: Became) -> Iterator[StepChange]:
    """A step that is new or gone, and all that it holds."""
    is_new = became == "new"
    told = tuple(
        Change(fact.name, "", fact.text, values_after=fact.value, unit=fact.unit, is_setting=fact.is_setting)
        if is_new
        else Change(
            fact.name, fact.text, "", values_before=fact.value, unit=fact.unit, is_setting=fact.is_setting
        )
        for fact in entry.facts
    )
    number = ("", entry.number) if is_new else (entry.number, "")
    yield StepChange(became, entry.name, *number, told)
    for inner in entry.inner:
        yield from _all_of(inner, became)
