"""The summary in Markdown, for a review: what came of each run, what is wrong where, what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nakctl.checks.judged import Judged
from nakctl.cli.ci.lines import LESS, headline, left_out_lines
from nakctl.cli.ci.outcome import Everything, Looked, Outcome, faults_of
from nakctl.errors import NO_MARK, Fault
from nakctl.text.markdown import block, plain, table
from nakctl.text.numbers import areal_charge, duration

_HEADS = ["", "protocol", "cell", "ends", "duration", "charge", "expected"]
_SIGN = {"ok": "✓", "skipped": "–"}


def markdown(everything: Everything) -> str:
    return "\n".join(_lines(everything)).rstrip() + "\n"


def _lines(everything: Everything) -> Iterator[str]:
    yield from (f"## Dry runs: {plain(headline(everything))}", "")
    for one in everything.differences:
        if one.alarming:
            yield f"- **{plain(one.file)} {LESS} {plain(everything.since)}**: see below"
    yield from ([""] if any(one.alarming for one in everything.differences) else [])
    if everything.outcomes:
        yield from table(_HEADS, [_row(one) for one in everything.outcomes])
        yield ""
    yield from _troubles(everything)
    if everything.differences or everything.removed:
        yield from (f"### What changed since {plain(everything.since)}", "")
        yield from (f"- {plain(name)} is gone" for name in everything.removed)
        yield from ([""] if everything.removed else [])
        yield from (one.text for one in everything.differences)
    yield from _notes(everything)


def _row(one: Outcome) -> list[str]:
    sign = _SIGN.get(one.verdict, f"✗ **{one.verdict}**")
    return [sign, plain(one.case.file), _cell(one), _ends(one), _duration(one), _charge(one), _expected(one)]


def _cell(one: Outcome) -> str:
    """With what stands for it, and the others of which the same would come."""
    on = one.on.removeprefix(f"{one.case.cell}, ").removeprefix(f"{one.case.cell} ")
    also = f"; as {', '.join(one.case.also)}" if one.case.also else ""
    return plain(f"{one.case.label} ({on}{also})" if on else one.case.label)


def _ends(one: Outcome) -> str:
    if not one.report:
        return plain(f"no dry run: {one.case.skipped}") if one.case.skipped and not one.troubles else ""
    reason = plain(str(one.report["end_reason"]))
    return reason if one.report.get("status") == "completed" else f"**{reason}**"


def _duration(one: Outcome) -> str:
    """Of the run, else the planned one."""
    if one.report:
        return duration(one.report["duration_s"])
    return f"{duration(one.planned_s)} planned" if one.planned_s is not None else ""


def _charge(one: Outcome) -> str:
    """Each way."""
    moved = {way: one.report.get(f"{way}_mAh_cm2") for way in ("stripped", "plated")}
    ways = [f"{way} {areal_charge(3.6 * value, 1.0)}" for way, value in moved.items() if value]
    return ", ".join(ways)


def _expected(one: Outcome) -> str:
    """What came out beside what was expected."""
    return "<br>".join(_judged(each) for each in one.judged if each.entry >= 0 or not each.met)


def _judged(one: Judged) -> str:
    if one.met and one.word == "ends":
        return f"✓ ends {plain(one.expected)}"
    if one.met:
        return f"✓ {plain(one.word)} {plain(one.found)} ({plain(one.expected)})"
    return f"✗ **{plain(one.word)} {plain(one.found)}**, expected {plain(one.expected)}"


def _troubles(everything: Everything) -> Iterator[str]:
    """Every fault with its place, each once, and the line itself."""
    for stages, title in ((("check", "plan"), "Faults in files"), (("dry run", "expect"), "Not as expected")):
        found = faults_of(one for one in everything.troubles if one.stage in stages)
        if found:
            yield from (f"### {title}", "")
            places = {(fault.file, fault.mark, fault.text): None for fault in found}
            for place in places:
                yield from _place([each for each in found if (each.file, each.mark, each.text) == place])
            yield ""


def _place(faults: Sequence[Fault]) -> Iterator[str]:
    """All that is said of one place, and the line itself."""
    first = faults[0]
    mark = "" if first.mark == NO_MARK else f":{first.mark.line}:{first.mark.column}"
    yield f"- {plain(f'{first.file}{mark}')}"
    yield from (f"  - {plain(fault.message)}" for fault in faults)
    if first.text:
        yield from ("", *(f"  {line}" for line in block(f"{first.mark.line:>4} | {first.text}")), "")


def _notes(everything: Everything) -> Iterator[str]:
    """What was not looked at, and why; what to know."""
    notes = [plain(f"warning: {fault}".partition("\n")[0]) for fault in everything.warnings]
    notes += [plain(line) for line in left_out_lines(everything.left_out, everything.since)]
    if everything.why:
        notes.append(plain(f"compared with nothing, so everything was run: {everything.why}"))
    notes += [_looked(one) for one in everything.looked if not one.troubles]
    if notes:
        yield from ("<details><summary>Rigs, cells, and what was left out</summary>", "")
        yield from (f"- {note}" for note in notes)
        yield from ("", "</details>")


def _looked(one: Looked) -> str:
    return plain(f"{one.file}: {one.told}" if one.told else one.file)
