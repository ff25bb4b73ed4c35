"""What a terminal shows: one line a result, in the order of the files, and which runs go on meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from typing import TextIO
from unicodedata import category

from nakctl.cli.ci.outcome import Everything, LeftOut, Looked, Outcome, faults_of
from nakctl.cli.ci.runs import Going
from nakctl.text.numbers import duration, plural

_VERDICT = 8
LESS = "protects the cell less, or disturbs it more, than at"
_UNSEEN = ("Cc", "Cf", "Zl", "Zp")  # controls, marks of direction, ends of lines
_REASONS = 3  # files named of those that were left out


def outcome_lines(outcome: Outcome) -> list[str]:
    """`ok  protocols/ccd.yaml on C7: short after 7 h 57 min, ccd 0.2 mA/cm2`, and what is wrong below it."""
    head = f"{outcome.verdict:<{_VERDICT}} {outcome.name}"
    told = came_to(outcome)
    took = f"  [{duration(outcome.wall_s)}]" if outcome.report else ""
    lines = [f"{head}{f': {told}' if told else ''}{took}"]
    return [
        *lines,
        *(f"  {line}" for fault in faults_of(outcome.troubles) for line in str(fault).splitlines()),
    ]


def came_to(outcome: Outcome) -> str:
    """How it ended, and what was expected and came."""
    if outcome.case.skipped and not outcome.troubles:
        return f"no dry run: {outcome.case.skipped}"
    if not outcome.report:
        return ""
    met = [str(one) for one in outcome.judged if one.met and one.word not in ("ends", "duration")]
    return ", ".join([f"{outcome.report['end_reason']} after {duration(outcome.report['duration_s'])}", *met])


def looked_lines(looked: Looked) -> list[str]:
    verdict = "FAULT" if looked.troubles else "ok"
    lines = [f"{verdict:<{_VERDICT}} {looked.file}{f': {looked.told}' if looked.told else ''}"]
    return [
        *lines,
        *(f"  {line}" for fault in faults_of(looked.troubles) for line in str(fault).splitlines()),
    ]


def closing_lines(everything: Everything) -> Iterator[str]:
    """What there is to say in the end."""
    yield from (f"warning: {fault}".partition("\n")[0] for fault in everything.warnings)
    yield from left_out_lines(everything.left_out, everything.since)
    if everything.removed:
        yield f"gone since {everything.since}: {', '.join(everything.removed)}"
    for one in everything.differences:
        if one.alarming:
            yield f"{one.file} {LESS} {everything.since}: see nakctl diff"
    if everything.why:
        yield f"compared with nothing, so everything was run: {everything.why}"
    yield headline(everything) + f", in {duration(everything.wall_s)}"


def left_out_lines(left_out: Sequence[LeftOut], since: str) -> Iterator[str]:
    """Why they were."""
    for why in dict.fromkeys(one.why for one in left_out):
        names = [one.file for one in left_out if one.why == why]
        more = f" and {len(names) - _REASONS} more" if len(names) > _REASONS else ""
        of_them = "it" if len(names) == 1 else "they"
        yield f"left out: {', '.join(names[:_REASONS])}{more}: {why.format(they=of_them, since=since)}"


def headline(everything: Everything) -> str:
    """`3 of 5 as expected, 1 with faults, 1 not as expected`"""
    outcomes = everything.outcomes
    count = {verdict: sum(one.verdict == verdict for one in outcomes) for verdict in dict.fromkeys(
        one.verdict for one in outcomes
    )}  # fmt: skip
    files = sum(bool(one.troubles) for one in everything.looked)
    told = [f"{count.get('ok', 0)} of {len(outcomes)} as expected" if outcomes else "nothing to run"]
    told += [f"{count['FAULT']} with faults"] if "FAULT" in count else []
    told += [f"{count['STOPPED']} stopped"] if "STOPPED" in count else []
    told += [f"{count['NOT MET']} not as expected"] if "NOT MET" in count else []
    told += [f"{count['skipped']} not run"] if "skipped" in count else []
    told += [f"{plural(files, 'rig or cell', 'rigs and cells')} with faults"] if files else []
    told += [f"interrupted with {everything.undone} to go"] if everything.interrupted else []
    return ", ".join(told)


class Shown:
    """Lines on a stream, in order, whatever ends first. moving: the runs that go on stand below them."""

    def __init__(self, stream: TextIO | None, *, moving: bool) -> None:
        self._stream, self._moving = stream, moving
        self._waiting: dict[int, Outcome] = {}
        self._next = 0
        self._line = ""

    def say(self, lines: Sequence[str]) -> None:
        self._clear()
        for line in lines if self._stream is not None else ():
            print(_harmless(line), file=self._stream, flush=True)

    def ended(self, number: int, outcome: Outcome) -> None:
        self._waiting[number] = outcome
        while self._next in self._waiting:
            self.say(outcome_lines(self._waiting.pop(self._next)))
            self._next += 1

    def going(self, going: Going) -> None:
        if self._moving and self._stream is not None:
            line = _harmless(going_line(going))[: shutil.get_terminal_size().columns - 1]
            if line != self._line:
                self._stream.write(f"\r\x1b[K{line}")
                self._stream.flush()
                self._line = line

    def close(self) -> None:
        """Also what ended after something that is missing."""
        for number in sorted(self._waiting):
            self.say(outcome_lines(self._waiting.pop(number)))
        self._clear()

    def _clear(self) -> None:
        if self._line and self._stream is not None:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._line = ""


def _harmless(line: str) -> str:
    """One line, whatever a file is called: a second one could be a command to who reads along."""
    return "".join(
        sign.encode("unicode_escape").decode() if category(sign) in _UNSEEN else sign for sign in line
    )


def going_line(going: Going) -> str:
    return "; ".join(f"{one.name}{_part(one, state.get('time_s'))}" for one, state in going)


def _part(one: Outcome, time_s: float | None) -> str:
    if time_s is None:
        return ""
    whole = f" of {duration(one.planned_s)}" if one.planned_s else ""
    return f" at {duration(time_s)}{whole}"
