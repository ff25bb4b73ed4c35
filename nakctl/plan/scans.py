"""Helpers of the compiler: what changes evenly with time, scans of the potential and ramps of the current."""

from __future__ import annotations

from dataclasses import replace

from nakctl.plan import plan as p
from nakctl.plan.holds import DEFAULT_RECORD_s, Holds, current_word
from nakctl.plan.sweeps import Env, resolve
from nakctl.protocol import model as m
from nakctl.text.quantities import Quantity, Ref, Relative
from nakctl.text.reader import Loc

NOMINAL_V = 0.1  # of a scan whose beginning is not known, where its end is what is added to that
ROWS_OF_A_SCAN = 1000  # at least, where nothing is said


class Scans:
    """Of one protocol. holds: of the same protocol, which counts the steps."""

    def __init__(self, holds: Holds) -> None:
        self.holds = holds
        self.scope = holds.scope

    def compile(self, step: m.Cv | m.Lsv | m.Ramp, loc: Loc, env: Env, number: str) -> p.Step:
        match step:
            case m.Cv():
                return self.cv(step, loc, env, number)
            case m.Lsv():
                name = step.label or f"lsv {_said(step.from_, env)} to {_said(step.lsv, env)}"
                return self.scan(step, step.from_, step.lsv, name, loc, env, number)
            case m.Ramp():
                return self.ramp(step, loc, env, number)

    def cv(self, step: m.Cv, loc: Loc, env: Env, number: str) -> p.Repeat:
        """The way to the second vertex is the first cycle; a loop of two scans makes the others."""
        one, other = step.cv.values[:2]
        counted = iter(range(1, 6))

        def scan(first: Quantity | Ref | Relative, last: Quantity | Ref) -> p.Hold:
            name = f"scan {_said(first, env)} to {_said(last, env)}"
            return self.scan(step, first, last, name, loc, env, f"{number}.{next(counted)}")

        mark = self.scope.mark(loc)
        made: list[p.Step] = [scan(step.from_, one), scan(one, other)]
        if step.cycles > 1:
            others = (scan(other, one), scan(one, other))
            made.append(p.Repeat(f"{number} other cycles", others, step.cycles - 1, mark, begins=True))
        if step.to is not None:
            made.append(scan(other, step.to))
        label = step.label or f"cv between {one.text} and {other.text}"
        return p.Repeat(f"{number} {label}", tuple(made), 1, mark)

    def ramp(self, step: m.Ramp, loc: Loc, env: Env, number: str) -> p.Hold:
        """`from` goes the way of the end: strip and plate are directions, and so is the ramp."""
        last_A = self.holds.signed_current_A(step.ramp, env)
        way = self.holds.way(current_word(step.ramp)[0])
        first_A = way * self.scope.current_A(step.from_, env)
        if way * first_A < 0 and step.ramp.cp is None:
            self.scope.fault(
                (*loc, "from"),
                "strip, plate, charge and discharge are directions already: write it without sign",
            )
        name = step.label or f"ramp {self.holds.label('cp', last_A, step.ramp, env)}"
        made = self._moving(step, "cp", (first_A, last_A), name, loc, env, number)
        return replace(made, technique="RAMP")

    def scan(
        self,
        step: m.Lsv | m.Cv,
        first: Quantity | Ref | Relative,
        last: Quantity | Ref,
        name: str,
        loc: Loc,
        env: Env,
        number: str,
    ) -> p.Hold:
        last_V = self.scope.value(last, env)
        first_V, relative = self.scope.potential(first, env, (*loc, "from"))
        if relative is not None and first_V == last_V:  # how long it takes nobody knows: some time
            last_V = first_V + NOMINAL_V
        made = self._moving(step, "ca", (first_V, last_V), name, loc, env, number)
        if relative is not None:
            relative = replace(relative, rate=self.scope.current_A(step.rate, env))
        made = replace(made, to=self.scope.value(last, env), relative=relative)
        return replace(made, technique="CV" if isinstance(step, m.Cv) else "LSV")

    def _moving(
        self,
        step: m.Lsv | m.Cv | m.Ramp,
        kind: p.HoldKind,
        ends: tuple[float, float],
        name: str,
        loc: Loc,
        env: Env,
        number: str,
    ) -> p.Hold:
        """Rows are asked for in time: of what is driven, a change is nothing else."""
        first, last = ends
        rate = self.scope.current_A(step.rate, env)  # V/s or A/s
        duration_s = abs(last - first) / rate
        words = m.HoldWords(label=name, until=step.until)
        made = self.holds.hold(words, kind, first, duration_s, step.ranges, loc, env, number, to=last)
        own, common = step.record, self.holds.common
        every = own.every if own.every is not None else common.every
        dE_dI = [(own.dE, common.dE), (own.dI, common.dI)][kind == "cp"]
        change = dE_dI[1] if dE_dI[0] is None else dE_dI[0]
        asked_s = [] if every is None else [self.scope.value(every, env)]
        asked_s += [] if change is None else [self.scope.current_A(change, env) / rate]
        if not asked_s:
            one, other = (each.value for each in step.cv.values[:2]) if isinstance(step, m.Cv) else ends
            asked_s = [DEFAULT_RECORD_s, abs(other - one) / rate / ROWS_OF_A_SCAN]
        return replace(made, record=p.Record(min(asked_s)))


def _said(value: Quantity | Ref | Relative, env: Env) -> str:
    return value.text if isinstance(value, Relative) else resolve(value, env).text
