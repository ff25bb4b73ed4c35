"""A comparison as text for a terminal, as Markdown for a review, and as values for machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from nakctl.render.difference.value import Change, Difference, StepChange
from nakctl.text.markdown import plain
from nakctl.text.numbers import wrapped

_COLUMN = 30


def said(change: Change) -> str:
    """`current: 0.4 -> 0.5 mA/cm2 (+25 %)`, `Ewe above: 3.5 V -> 5 V: WIDER`."""
    return f"{change.what}: {_from_to(change)}{f': {change.weight.upper()}' if change.is_alarming else ''}"


def _from_to(change: Change) -> str:
    if not change.before:
        return change.after
    if not change.after:
        return f"{change.before} -> none"
    relative = f" ({change.relative})" if change.relative else ""
    return f"{_shared_unit(change.before, change.after)} -> {change.after}{relative}"


def _shared_unit(before: str, after: str) -> str:
    """`0.4` of `0.4 mA` and `0.5 mA`."""
    number, _, unit = before.rpartition(" ")
    alone = " " not in number and " " not in after.removesuffix(f" {unit}")
    return number if number and alone and after.endswith(f" {unit}") else before


def sentence(difference: Difference, same_text: bool = False) -> str:
    """What there is to say in one line."""
    if difference.same:
        return "the same text" if same_text else "means the same"
    counts = [f"{len(difference.steps)} of its steps" if difference.steps else ""]
    counts += ["what ends the run" if difference.limits else ""]
    told = " and ".join(filter(None, counts)) or "what all of it takes"
    return f"differs in {told}"


# --- a terminal --------------------------------------------------------------------------------------------


def text(difference: Difference, same_text: bool = False) -> str:
    """What protects the cell less than before comes first."""
    lines = [
        f"{difference.before} -> {difference.after}, on {difference.on}: {sentence(difference, same_text)}"
    ]
    for where, change in difference.alarming:
        lines += wrapped(
            f"{change.weight.upper()}: {where}: {change.what}: {_from_to(change)}", "  ! ", "      "
        )
    for change in difference.limits:
        lines += [] if change.is_alarming else _row("limits", change.what, change)
    for step in difference.steps:
        lines += _step(step)
    for change in difference.run:
        lines += _row("in all", change.what, change)
    lines += [line for note in difference.notes for line in wrapped(f"note: {note}", "  ", "        ")]
    return "\n".join(lines) + "\n"


def _row(group: str, what: str, change: Change) -> list[str]:
    head = f"  {group}: {what}"
    weight = f": {change.weight.upper()}" if change.weight else ""
    return wrapped(f"{head:<{_COLUMN}} {_from_to(change)}{weight}", "", " " * (_COLUMN + 1))


def _step(step: StepChange) -> list[str]:
    head = f"  step {step.number} {step.name}"
    if step.became == "moved":
        return wrapped(f"{head}: stood at {step.number_before}", "", "    ")
    if step.became != "changed":  # it is told in one go
        told = "; ".join(f"{change.what} {change.after or change.before}" for change in _shown(step))
        return wrapped(f"{head}: {step.became.upper()}: {told}", "", "      ")
    lines = wrapped(f"{head}:", "", "    ")
    for change in step.changes:
        lines += wrapped(said(change), "      ", "        ")
    return lines


def _shown(step: StepChange) -> list[Change]:
    """Of a step that is new, or gone, without its settings."""
    return [each for each in step.changes if step.became == "changed" or not each.is_setting]


# --- Markdown ----------------------------------------------------------------------------------------------


def markdown(difference: Difference, same_text: bool = False, *, heading: bool = True) -> str:
    """A heading, if wanted, and a table, as GitHub and GitLab draw them."""
    told = "" if difference.same else f" on {plain(difference.on)}"
    lines = [f"#### {plain(difference.after)}", ""] if heading else []
    lines += [f"{sentence(difference, same_text)}{told}", ""]
    for where, change in difference.alarming:
        lines += [
            f"- **{change.weight.upper()}**: {plain(where)}: {plain(f'{change.what}: {_from_to(change)}')}"
        ]
    rows = list(_rows(difference))
    if rows:
        lines += [*([""] if difference.alarming else []), "| | | before | after | |", "|---|---|---|---|---|"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
    lines += [f"\n{plain(note)}" for note in difference.notes]
    return "\n".join(lines).rstrip() + "\n"


def _rows(difference: Difference) -> Iterator[Sequence[str]]:
    for change in difference.limits:
        yield _cells("limits", change)
    for step in difference.steps:
        where = f"step {step.number} {step.name}"
        if step.became == "moved":
            yield (plain(where), "stands elsewhere", step.number_before, step.number_after, "")
        for change in _shown(step):
            yield _cells(where, change, "" if step.became == "changed" else f"**{step.became}**")
            where = ""
    for change in difference.run:
        yield _cells("in all", change)


def _cells(where: str, change: Change, became: str = "") -> Sequence[str]:
    weight = f"**{change.weight.upper()}**" if change.is_alarming else change.weight
    last = became or weight or plain(change.relative)
    return (plain(where), plain(change.what), plain(change.before), plain(change.after), last)


# --- machines ----------------------------------------------------------------------------------------------


def as_json(difference: Difference) -> dict[str, Any]:
    """Numbers in SI (with cm2 for areas), as `values_before` and `values_after`, one for each level."""
    return asdict(difference) | {
        "alarming": [{"where": where, **asdict(change)} for where, change in difference.alarming],
    }
