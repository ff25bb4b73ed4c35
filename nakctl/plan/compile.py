"""Protocol + cell -> plan: areal to absolute, words to signs, charges to times, levels to steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal, cast

from nakctl.device.cell import Cell
from nakctl.device.ends import Side
from nakctl.device.program import Ask, SetPoint, ShortRule, Slope
from nakctl.errors import ProtocolError
from nakctl.plan import plan as p
from nakctl.plan.holds import Holds
from nakctl.plan.profiles import profile
from nakctl.plan.same_charge import Earlier, settled
from nakctl.plan.scans import Scans
from nakctl.plan.scene import dc_A
from nakctl.plan.stairs import levels_of
from nakctl.plan.sweeps import Env, Scope, resolve
from nakctl.protocol import model as m
from nakctl.protocol.load import Loaded
from nakctl.text.quantities import Quantity, Ref
from nakctl.text.reader import Loc
from nakctl.text.sentences import did_you_mean
from nakctl.text.units import DIMENSIONS, RATE_OF

OF_WINDOW: dict[str, Literal["Ewe", "Ece", "Ewe-Ece"]] = {
    "Ewe": "Ewe",
    "Ece": "Ece",
    "Ewe_minus_Ece": "Ewe-Ece",
}


def compile_protocol(loaded: Loaded, cell: Cell) -> p.Plan:
    """The plan of a protocol for one cell. ProtocolError with every fault and its line."""
    plan = _compiled(loaded, cell, 1.0)
    if plan.capacity is None:
        return plan
    less, more = (_compiled(loaded, cell, 1 + way * plan.capacity.within) for way in (-1, 1))
    return replace(plan, capacity=replace(plan.capacity, less=less, more=more))


def _compiled(loaded: Loaded, cell: Cell, of_planned: float) -> p.Plan:
    """of_planned: the part of the planned capacity that one which is measured may come to."""
    compiler = _Compiler(loaded, cell, of_planned)
    plan = compiler.plan()
    if compiler.scope.faults:
        raise ProtocolError(sorted(set(compiler.scope.faults), key=lambda fault: fault.mark))
    return plan


class _Compiler:
    """One walk over the steps. A faulty value is noted, replaced by a harmless one, and the walk goes on."""

    def __init__(self, loaded: Loaded, cell: Cell, of_planned: float) -> None:
        self.loaded = loaded
        self.cell = cell
        self.scope = Scope(loaded, cell, of_planned)
        self.holds = Holds(loaded.protocol, self.scope)
        self.scans = Scans(self.holds)
        self.gapless: list[p.Gapless] = []
        self.holds.short = self.short(loaded.protocol.rules.short or loaded.protocol.stop_when.short)

    def plan(self) -> p.Plan:
        protocol = self.loaded.protocol
        if protocol.three_electrodes:
            self.scope.need_three_electrodes(("three_electrodes",), "three_electrodes")
        limits = self.limits(protocol.limits)
        goals, short = self.goals(protocol.stop_when), self.short(protocol.stop_when.short)
        steps = self.steps(protocol.steps, ("steps",), {}, "")
        if limits.time_s is None and not goals and short is None:
            self.require_ends(steps)
        self.require_labels(steps)
        steps = settled(steps, limits.time_s, self.scope)
        self.insist(protocol, steps, (), "the protocol")
        return p.Plan(
            name=protocol.name,
            file=self.loaded.document.file,
            source=protocol.source or "",
            cell=self.cell.name,
            area_cm2=self.cell.area_cm2,
            params=dict(self.loaded.params),
            limits=limits,
            goals=goals,
            short=short,
            steps=steps,
            limits_mark=self.scope.mark(("limits",)),
            short_of_steps=self.holds.short,
            three_electrodes=self.cell.three_electrodes,
            gapless=tuple(self.gapless),
            capacity=self.capacity(steps),
        )

    # --- the whole run -------------------------------------------------------------------------------

    def limits(self, words: m.Limits) -> p.Limits:
        scope, mark = self.scope, self.scope.mark
        found = self.window("Ewe", words.Ewe)
        for word in ("Ece", "Ewe_minus_Ece"):
            asked = getattr(words, word)
            if asked is not None:
                scope.need_three_electrodes(("limits", word), f"limits.{word}")
                found += self.window(word, asked)
        if words.I is not None:
            scope.here = ("limits", "I")
            text = scope.told(words.I, {})
            most_A = abs(scope.current_A(words.I, {}))
            found.append(p.Limit("|I|", "above", most_A, f"|I| above {text}", text, mark(("limits", "I"))))
        if words.time is not None:
            longest = resolve(words.time, {})
            at = mark(("limits", "time"))
            found.append(
                p.Limit("time", "above", longest.value, f"{longest.text} of run time", longest.text, at)
            )
        for name, ends in words.sensors.items():
            at = mark(("limits", "sensors", name))
            sides: tuple[Side, Side] = ("below", "above")
            for side, end in zip(sides, ends, strict=True):
                found.append(
                    p.Limit("sensor", side, end.value, f"{name} {side} {end.text}", end.text, at, name)
                )
        return p.Limits(tuple(found))

    def capacity(self, steps: tuple[p.Step, ...]) -> p.MeasuredCapacity | None:
        """The step that measures it is one that a run goes on from, whatever it comes to."""
        words = self.scope.measured
        if words is None:
            return None
        label, mark = words.measured_in, self.scope.mark(("capacity", "measured_in"))
        earlier = Earlier(steps)
        if label not in earlier.labels:
            listed = ", ".join(earlier.labels)
            hint = did_you_mean(label, earlier.labels) or ":"
            self.scope.fault_at(mark, f"there is no step with the label {label}{hint} labels are {listed}")
        for leaf in (each for each in p.leaves(steps) if p.label_of(each) == label):
            if leaf.step_id in earlier.in_tables or not isinstance(leaf, p.Hold) or leaf.kind == "rest":
                text = (
                    f"{label} measures no capacity: name a step under one current, power, load or potential"
                )
                self.scope.fault_at(mark, text)
            if any(cutoff.then == "end loop" for cutoff in leaf.cutoffs):
                text = (
                    f"{label} may end its loop, and nothing asks then what it moved: write `then: next step`"
                )
                self.scope.fault_at(mark, text)
        about, within = resolve(words.about, {}), resolve(words.within, {}).value
        if within >= 1:
            self.scope.fault(("capacity", "within"), "within: a capacity may be off by less than 100 %")
            within = 0.5
        return p.MeasuredCapacity(label, self.scope.charge_C(words.about, {}), within, about.text, mark)

    def window(self, word: str, ends: tuple[Quantity | Ref, Quantity | Ref]) -> list[p.Limit]:
        quantity: Literal["Ewe", "Ece", "Ewe-Ece"] = OF_WINDOW[word]
        sides: tuple[Side, Side] = ("below", "above")
        found = []
        for place, side in enumerate(sides):
            end, mark = resolve(ends[place], {}), self.scope.mark(("limits", word, place))
            found.append(p.Limit(quantity, side, end.value, f"{quantity} {side} {end.text}", end.text, mark))
        return found

    def goals(self, words: m.StopWhen) -> tuple[p.Goal, ...]:
        found = []
        for side, value in (("above", words.Ewe_above), ("below", words.Ewe_below)):
            if value is not None:
                known, mark = resolve(value, {}), self.scope.mark(("stop_when", f"Ewe_{side}"))
                found.append(p.Goal(cast(Side, side), known.value, f"Ewe {side} {known.text}", mark))
        return tuple(found)

    def short(self, words: m.Short | None) -> ShortRule | None:
        if words is None:
            return None
        asked = (words.Ewe_falls_by, words.within, words.below)
        fall, within_s, below_V = (self.scope.value(v, {}) for v in asked)
        return ShortRule(fall, within_s, below_V, words.samples)

    def require_ends(self, steps: tuple[p.Step, ...]) -> None:
        """An endless repeat needs something that can end it."""
        for step in p.repeats(steps):
            ends = any(cutoff.then != "next step" for leaf in p.leaves(step.steps) for cutoff in leaf.cutoffs)
            if step.times is None and step.until is None and not ends:
                self.scope.fault_at(
                    step.mark,
                    "nothing ends this repeat: give a number, an `until` with `then: end loop`, a rule "
                    "under `stop_when`, or `limits: {time: ...}`",
                )

    def require_labels(self, steps: tuple[p.Step, ...]) -> None:
        """What is asked of how a step ended: there is such a step, and only one of each level."""
        known = sorted({leaf.label.partition(" ")[2] for leaf in p.leaves(steps)})
        for step in p.walk(steps):
            if isinstance(step, p.If) and step.when.label not in known:
                hint = did_you_mean(step.when.label, known) or ":"
                listed = ", ".join(known)
                text = f"if: there is no step with the label {step.when.label}{hint} labels are {listed}"
                self.scope.fault_at(step.when.mark, text)

    # --- steps -----------------------------------------------------------------------------------------

    def steps(
        self, steps: list[m.Step], loc: Loc, env: Env, number: str, before: int = 0
    ) -> tuple[p.Step, ...]:
        """before: so many of the same numbering stand before them."""
        return tuple(
            made
            for index, step in enumerate(steps)
            for made in self.step(step, (*loc, index), env, f"{number}{before + index + 1}")
        )

    def set_points(self, step: m.Set, loc: Loc, env: Env, number: str) -> Iterator[SetPoint]:
        for name, asked in step.set.items():
            at = (*loc, "set", name)
            value = resolve(asked.to if isinstance(asked, m.SetRamp) else asked, env)
            slope = self.slope(asked, value, at, env) if isinstance(asked, m.SetRamp) else None
            label = f"{number} {step.label or f'set {name} {value.text}'}"
            yield SetPoint(name, value.value, value.text, label, self.scope.mark(at), slope)

    def slope(self, asked: m.SetRamp, to: Quantity, loc: Loc, env: Env) -> Slope:
        rate = resolve(asked.rate, env)
        start = None if asked.from_ is None else resolve(asked.from_, env)
        shown = DIMENSIONS[to.dimension].noun
        expected = DIMENSIONS[RATE_OF[to.dimension]]
        if rate.dimension != RATE_OF[to.dimension]:
            text = f"{rate.text} is {DIMENSIONS[rate.dimension].noun}, and {to.text} {shown}"
            self.scope.fault((*loc, "rate"), f"{text}: write {expected.noun}, such as {expected.example}")
        if start is not None and start.dimension != to.dimension:
            text = f"{start.text} is {DIMENSIONS[start.dimension].noun}, and {to.text} {shown}"
            self.scope.fault((*loc, "from"), text)
        if start is None:
            return Slope(rate.value, rate.text)
        return Slope(rate.value, rate.text, start.value, start.text)

    def step(self, step: m.Step, loc: Loc, env: Env, number: str) -> Iterator[p.Step]:
        """What a step becomes: one step of the plan, or a set-point for each sensor of `set`."""
        self.scope.here = loc
        match step:
            case m.Set():
                yield from self.set_points(step, loc, env, number)
            case m.Repeat() | m.Staircase() | m.Pulse() | m.If():
                yield self.holding(step, loc, env, number)
            case m.Ask():
                label = f"{number} {step.label or 'ask'}"
                yield Ask(" ".join(step.ask.split()), label, self.scope.mark((*loc, "ask")))
            case m.Wait():
                yield self.holds.wait(step, loc, env, number)
            case m.Geis() | m.Peis():
                yield self.holds.spectrum(step, loc, env, number)
            case m.Profile():
                yield profile(step, self.holds, self.loaded, loc, env, number)
            case m.Cv() | m.Lsv() | m.Ramp():
                yield self.scans.compile(step, loc, env, number)
            case _:
                yield self.holds.compile(step, loc, env, number)

    def holding(
        self, step: m.Repeat | m.Staircase | m.Pulse | m.If, loc: Loc, env: Env, number: str
    ) -> p.Step:
        """One that holds others."""
        match step:
            case m.Repeat():
                return self.repeat(step, loc, env, number)
            case m.Staircase():
                return self.staircase(step, loc, env, number)
            case m.Pulse():
                return self.pulse(step, loc, env, number)
            case m.If():
                return self.branch(step, loc, env, number)

    # --- loops -----------------------------------------------------------------------------------------

    def pulse(self, step: m.Pulse, loc: Loc, env: Env, number: str) -> p.Repeat:
        """A pulse train is a repeat of a current step and a rest; its cutoffs end the train."""
        holds = self.holds
        level_A = holds.signed_current_A(step.pulse, env)
        on_s, off_s = self.scope.value(step.on, env), self.scope.value(step.off, env)
        cutoffs = holds.cutoffs(step.until, (*loc, "until"), env)
        times = _count(step.repeat)
        for cutoff in cutoffs:
            if cutoff.quantity == "charge":
                if cutoff.then == "end run":
                    message = (
                        "a charge ends the train after whole pulses, and the run goes on to the next step"
                    )
                    self.scope.fault_at(
                        cutoff.mark, f"{message}: leave `then` out, and make this the last step"
                    )
                times = self.passes_for(cutoff.value, level_A * on_s, (*loc, "until"), times)
        label = f"pulse {holds.label('cp', level_A, step.pulse, env)}"
        on_words = m.HoldWords(label=label, record=step.record)
        on = holds.hold(on_words, "cp", level_A, on_s, step.ranges, loc, env, f"{number}.1")
        on = replace(on, cutoffs=tuple(_leaving_the_train(c) for c in cutoffs if c.quantity != "charge"))
        off_words = m.HoldWords(record=step.record if step.record_off is None else step.record_off)
        off = holds.hold(off_words, "rest", None, off_s, m.Ranges(), loc, env, f"{number}.2")
        return p.Repeat(f"{number} {step.label or 'pulse train'}", (on, off), times, on.mark)

    def repeat(self, step: m.Repeat, loc: Loc, env: Env, number: str) -> p.Repeat:
        steps = self.steps(step.steps, (*loc, "steps"), env, f"{number}.")
        if not any(True for _ in p.leaves([each for each in steps if not isinstance(each, p.If)])):
            text = "nothing in this repeat takes time in any case: it needs a step beside set, ask and if"
            self.scope.fault(loc, text)
        times, until = _count(step.repeat), None
        if step.until is not None and step.until.step is not None and step.until.ended_by is not None:
            until = p.EndedBy(step.until.step, step.until.ended_by, self.scope.mark((*loc, "until")))
        elif step.until is not None and step.until.charge is not None:
            self.scope.here = at = (*loc, "until", "charge")
            asked_C = self.scope.charge_C(step.until.charge, env)
            times = self.passes_for(asked_C, self.charge_of_pass_C(steps, at), at, times)
        label, mark = f"{number} {step.label or 'repeat'}", self.scope.mark(loc)
        if until is not None and not p.labelled(steps, until.label):
            inside = sorted({leaf.label.partition(" ")[2] for leaf in p.leaves(steps)})
            hint = did_you_mean(until.label, inside) or ":"
            text = f"until: {until.label} is no step of this repeat{hint} its steps are {', '.join(inside)}"
            self.scope.fault_at(until.mark, text)
        self.insist(step, steps, loc, label)
        return p.Repeat(label, steps, times, mark, until=until)

    def insist(
        self, words: m.Repeat | m.Staircase | m.Protocol, steps: Sequence[p.Step], loc: Loc, label: str
    ) -> None:
        """The steps that nothing may come between."""
        if words.gapless:
            found = frozenset(leaf.step_id for leaf in p.leaves(steps))
            self.gapless.append(p.Gapless(found, label, self.scope.mark((*loc, "gapless"))))

    def branch(self, step: m.If, loc: Loc, env: Env, number: str) -> p.If:
        """Steps of both sides are numbered on, so that no number comes twice."""
        when = p.EndedBy(step.if_.step, step.if_.ended_by, self.scope.mark((*loc, "if")))
        then = self.steps(step.then, (*loc, "then"), env, f"{number}.")
        otherwise = self.steps(step.otherwise or [], (*loc, "else"), env, f"{number}.", len(step.then))
        return p.If(f"{number} {step.label or 'if'}", when, then, otherwise, self.scope.mark(loc))

    def passes_for(self, asked_C: float, of_pass_C: float, loc: Loc, times: int | None) -> int | None:
        """Whole passes that move at least asked_C (a rounding error is no reason for one more)."""
        if of_pass_C == 0:
            self.scope.fault(loc, "the passes move no net charge, so a charge cannot end them")
            return 1
        passes = max(1, math.ceil(asked_C / abs(of_pass_C) * (1 - 1e-9)))
        return passes if times is None else min(times, passes)

    def charge_of_pass_C(self, steps: tuple[p.Step, ...], loc: Loc) -> float:
        total_C = 0.0
        for step in steps:
            match step:
                case p.Hold() if step.kind in ("rest", "cp") and step.to is None:
                    if any(cutoff.then == "next step" for cutoff in step.cutoffs):
                        self.scope.fault(
                            loc, "a cutoff may shorten the passes, so their charge is not known before"
                        )
                    if step.same is not None:
                        self.scope.fault(loc, f"{step.same}: so the charge of the passes is not known before")
                    total_C += (step.level or 0.0) * step.duration_s
                case SetPoint() | Ask():
                    pass
                case p.Spectrum() if dc_A(step) == 0:
                    pass
                case _:
                    self.scope.fault(loc, "the charge of a pass is known only for rest, strip, plate and cp")
        return total_C

    def staircase(self, step: m.Staircase, loc: Loc, env: Env, number: str) -> p.Staircase:
        levels = levels_of(step.staircase, (*loc, "staircase"), self.scope, env)
        passes, around = [], self.scope.level
        for at, level in enumerate(levels):
            self.scope.level = at, len(levels)
            passes.append(self.steps(step.steps, (*loc, "steps"), {**env, step.as_: level}, f"{number}."))
        self.scope.level = around
        texts = tuple(level.text for level in levels)
        label = f"{number} {step.label or f'staircase {step.as_}'}"
        self.insist(step, [each for one_pass in passes for each in one_pass], loc, label)
        return p.Staircase(label, texts, tuple(passes), self.scope.mark(loc))


def _count(words: int | Literal["forever"]) -> int | None:
    return None if words == "forever" else words


def _leaving_the_train(cutoff: p.Cutoff) -> p.Cutoff:
    return cutoff if cutoff.then == "end run" else replace(cutoff, then="end loop")
