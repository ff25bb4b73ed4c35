"""Helpers of the compiler: steps that hold something, and what refines them.

`signed_current_A` is the one place where `strip`, `plate`, `charge` and `discharge` become a sign.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Literal

from nakctl.device.ends import OF_THREE
from nakctl.device.program import Settle, ShortRule
from nakctl.plan import plan as p
from nakctl.plan.stairs import starts_of
from nakctl.plan.sweeps import Env, Scope, compile_sweep, meant_as, resolve
from nakctl.protocol import model as m
from nakctl.text.quantities import Quantity, Ref, SameCharge
from nakctl.text.reader import Loc

DEFAULT_RECORD_s = 1.0  # recording harms no cell, so this one default is allowed
MOST_STEPS = 5000
SURELY = 1.5  # capacities that no charge of one step exceeds, as far as how long a chain is may rest on it
WAYS = {"strip": 1, "plate": -1, "cp": 1}
CHARGES = {"charge": 1, "discharge": -1}  # where WE is the positive electrode


class Holds:
    """Compiles single steps of one protocol; counts them."""

    def __init__(self, protocol: m.Protocol, scope: Scope) -> None:
        self.scope = scope
        self.common = protocol.record
        self.longest = protocol.limits.time
        self.steps_made = 0
        self.short: ShortRule | None = None  # that a step may end by
        self.sweeps = {
            name: compile_sweep(name, sweep.kind, sweep, ("spectra", name), scope, {})
            for name, sweep in protocol.spectra.items()
        }

    def next_id(self, loc: Loc) -> int:
        self.steps_made += 1
        if self.steps_made == MOST_STEPS + 1:
            self.scope.fault(loc, f"more than {MOST_STEPS} steps: use repeat")
        return self.steps_made

    def compile(
        self,
        step: m.Rest | m.CurrentWords | m.Ca | m.Power | m.Load,
        loc: Loc,
        env: Env,
        number: str,
    ) -> p.Hold:
        match step:
            case m.Rest():
                duration_s = math.inf if step.rest == "forever" else self.scope.value(step.rest, env)
                return self.hold(step, "rest", None, duration_s, m.Ranges(), loc, env, number)
            case m.Power() | m.Load():
                return self.drawn(step, loc, env, number)
            case m.Ca():
                level_V, relative = self.scope.potential(step.ca, env, (*loc, "ca"))
                duration_s = math.inf if step.for_ is None else self.scope.value(step.for_, env)
                words = (
                    step
                    if relative is None
                    else step.model_copy(update={"label": step.label or f"ca {relative.text}"})
                )
                made = self.hold(words, "ca", level_V, duration_s, step.ranges, loc, env, number)
                return replace(made, relative=relative)
            case _:
                level_A = self.signed_current_A(step, env)
                if isinstance(step.for_, SameCharge):
                    return self.same(step, step.for_, level_A, loc, env, number)
                duration_s = self.duration_s(step.for_, level_A, (*loc, "for"), env)
                return self.hold(step, "cp", level_A, duration_s, step.ranges, loc, env, number)

    def same(
        self, step: m.CurrentWords, asked: SameCharge, level_A: float, loc: Loc, env: Env, number: str
    ) -> p.Hold:
        """How long it lasts at most is told when all steps are known; see `same_charge`."""
        at = (*loc, "for")
        if level_A == 0:
            self.scope.fault(at, "a charge never flows at 0 A: give a time")
        longest_s = 1.0 if self.longest is None else self.scope.value(self.longest, {})
        made = self.hold(step, "cp", level_A, longest_s, step.ranges, loc, env, number)
        return replace(made, same=p.SameCharge(asked.label, self.scope.mark(at)))

    def drawn(self, step: m.Power | m.Load, loc: Loc, env: Env, number: str) -> p.Hold:
        """Constant power or load. The current is the cell's answer, so a charge is no time."""
        kind: p.HoldKind = "power" if isinstance(step, m.Power) else "load"
        asked = step.power if isinstance(step, m.Power) else step.load
        level = self.scope.current_A(asked, env)
        words = m.HoldWords(
            label=step.label or f"{kind} {resolve(asked, env).text}", record=step.record, until=step.until
        )
        if step.for_ is None:
            return self.hold(words, kind, level, math.inf, step.ranges, loc, env, number)
        extent = resolve(step.for_, env)
        if extent.dimension != "time":
            self.scope.fault(
                (*loc, "for"),
                "a charge takes a time here that only the cell knows: "
                f"write `until: {{charge: {extent.text}}}` and, with `for`, the longest time",
            )
        duration_s = extent.value if extent.dimension == "time" else 1.0
        return self.hold(words, kind, level, duration_s, step.ranges, loc, env, number)

    def wait(self, step: m.Wait, loc: Loc, env: Env, number: str) -> p.Hold:
        """A rest that a sensor ends; at_most is its duration."""
        asked = step.wait
        of = resolve(asked.of, env)
        stay = resolve(asked.for_, env)
        settle = Settle(
            sensor=asked.sensor,
            of=of.value,
            within=asked.within.value,
            for_s=stay.value,
            then=asked.then,
            of_text=of.text,
            within_text=asked.within.text,
            for_text=stay.text,
        )
        words = m.HoldWords(label=step.label or f"wait for {asked.sensor}", record=step.record)
        longest_s = self.scope.value(asked.at_most, env)
        made = self.hold(words, "rest", None, longest_s, m.Ranges(), loc, env, number)
        return replace(made, settle=settle, mark=self.scope.mark((*loc, "wait", "sensor")))

    def signed_current_A(self, words: m.Word, env: Env) -> float:
        """The sign convention, in one place: strip oxidises WE, I > 0; plate reduces it, I < 0; to
        charge oxidises the positive electrode, whichever the cell says that is."""
        word, value = current_word(words)
        if value is None:
            raise AssertionError(f"{words} has no current")
        return self.way(word) * self.scope.current_A(value, env)

    def way(self, word: str) -> int:
        if word not in CHARGES:
            return WAYS[word]
        cell = self.scope.cell
        if not cell.working_is:
            self.scope.fault(
                self.scope.here,
                f"{word}: which electrode of the cell is WE is not known: write `working_is: positive` (or "
                f"negative) in the entry of cell {cell.name} in rig.yaml (or in its own file), or use strip, "
                "which oxidises WE, or plate",
            )
        return -CHARGES[word] if cell.working_is == "negative" else CHARGES[word]

    def duration_s(self, extent: Quantity | Ref | None, level_A: float, loc: Loc, env: Env) -> float:
        """inf: none was asked for."""
        if extent is None:
            return math.inf
        quantity = meant_as(resolve(extent, env), ("time", *m.CHARGE))
        if quantity.dimension == "time":
            return quantity.value
        charge_C = self.scope.charge_C(quantity, env)
        if level_A == 0:
            self.scope.fault(loc, "a charge never flows at 0 A: give a time")
            return 1.0
        return charge_C / abs(level_A)

    def hold(
        self,
        words: m.HoldWords,
        kind: p.HoldKind,
        level: float | None,
        duration_s: float,
        ranges: m.Ranges,
        loc: Loc,
        env: Env,
        number: str,
        to: float | None = None,
    ) -> p.Hold:
        if duration_s <= 0:
            self.scope.fault(loc, "this step lasts no time")
        cutoffs = self.cutoffs(words.until, (*loc, "until"), env)
        if kind == "cp" and level and to is None:
            cutoffs, duration_s = _charges_as_times(cutoffs, abs(level), duration_s)
        alone_s, known = None, ""
        if math.isinf(duration_s):
            I_A, is_rate = abs(level or 0.0) if kind == "cp" else 0.0, self.is_rate(words, env)
            duration_s, alone_s, known = self.without_time(I_A, self.scope.surely_C(is_rate))
        return p.Hold(
            step_id=self.next_id(loc),
            label=f"{number} {words.label or self.label(kind, level, words, env)}",
            kind=kind,
            level=level,
            duration_s=duration_s,
            record=self.record(words.record, env),
            cutoffs=cutoffs,
            spectra=self.spectra(words.spectra, duration_s, (*loc, "spectra"), env),
            ranges=self.scope.ranges(ranges, loc),
            mark=self.scope.mark(loc),
            to=to,
            alone_s=alone_s,
            known=known,
            trigger_s=self.trigger_s(words.trigger_out, env),
        )

    def trigger_s(self, asked: Quantity | Ref | None, env: Env) -> float:
        return 0.0 if asked is None else self.scope.value(asked, env)

    def is_rate(self, words: m.Word, env: Env) -> bool:
        """Whether its current is a C-rate."""
        value = current_word(words)[1]
        return value is not None and meant_as(resolve(value, env), m.CURRENT).dimension == "C-rate"

    def without_time(self, I_A: float, known_C: float | None) -> tuple[float, float, str]:
        """(duration_s, alone_s, known) of a step that a cutoff has to end. I_A: 0 where none is imposed;
        known_C: what it moves at most, as far as that is known."""
        assert self.longest is not None  # the language asks for it where a step needs it
        longest_s = self.scope.value(self.longest, {})
        if not I_A or known_C is None or (surely_s := SURELY * known_C / I_A) >= longest_s:
            return longest_s, longest_s, ""
        return longest_s, surely_s, f"{SURELY:g} x the capacity"

    def label(self, kind: str, level: float | None, words: m.Word, env: Env) -> str:
        if level is None:
            return kind
        if kind == "ca":
            return f"ca {level:.4g} V"
        word, value = current_word(words)
        how_much = f"{abs(level) / self.scope.area_cm2 * 1000:.4g} mA/cm2"
        if value is not None and meant_as(known := resolve(value, env), m.CURRENT).dimension == "C-rate":
            how_much = known.text.lstrip("+-\u2212")
        return f"{word or kind} {'-' if word == 'cp' and level < 0 else ''}{how_much}"

    def record(self, words: m.Record, env: Env) -> p.Record:
        """The step's own words before those of the protocol."""
        common, scope = self.common, self.scope
        every = words.every if words.every is not None else common.every
        dE = words.dE if words.dE is not None else common.dE
        dI = words.dI if words.dI is not None else common.dI
        return p.Record(
            every_s=DEFAULT_RECORD_s if every is None else scope.value(every, env),
            dE_V=None if dE is None else scope.value(dE, env),
            dI_A=None if dI is None else scope.current_A(dI, env),
        )

    def cutoffs(self, until: Any, loc: Loc, env: Env) -> tuple[p.Cutoff, ...]:
        if isinstance(until, list):
            return tuple(self.cutoff(words, (*loc, index), env) for index, words in enumerate(until))
        return () if until is None else (self.cutoff(until, loc, env),)

    def cutoff(self, words: m.Cutoff, loc: Loc, env: Env) -> p.Cutoff:
        """Exactly one of the words of a condition is there: the model holds that."""
        scope = self.scope
        scope.here = loc
        if words.short and self.short is not None:
            return p.Cutoff("short", "below", self.short.below_V, words.then, scope.mark(loc), "short")
        for word, quantity, side, value_of in (
            ("Ewe_above", "Ewe", "above", scope.value),
            ("Ewe_below", "Ewe", "below", scope.value),
            ("I_above", "|I|", "above", scope.current_A),
            ("I_below", "|I|", "below", scope.current_A),
            ("charge", "charge", "above", scope.charge_C),
            ("dEwe_dt_above", "dEwe/dt", "above", scope.value),
            ("dEwe_dt_below", "dEwe/dt", "below", scope.value),
            ("dI_dt_above", "dI/dt", "above", scope.current_rate),
            ("dI_dt_below", "dI/dt", "below", scope.current_rate),
            ("Ece_above", "Ece", "above", scope.value),
            ("Ece_below", "Ece", "below", scope.value),
            ("Ewe_minus_Ece_above", "Ewe-Ece", "above", scope.value),
            ("Ewe_minus_Ece_below", "Ewe-Ece", "below", scope.value),
        ):
            asked = getattr(words, word)
            if asked is not None:
                if quantity in OF_THREE:
                    scope.need_three_electrodes((*loc, word), word)
                value = value_of(asked, env)
                text = f"{quantity} {side} {scope.told(asked, env)}"
                over_s = 0.0
                if words.over is not None:
                    over_s = scope.value(words.over, env)
                    text = f"{text} over {resolve(words.over, env).text}"
                return p.Cutoff(quantity, side, value, words.then, scope.mark(loc), text, over_s)  # type: ignore[arg-type]
        raise AssertionError(f"{words} has no condition")

    def spectra(
        self, use: str | m.SpectraUse | None, duration_s: float, loc: Loc, env: Env
    ) -> p.Spectra | None:
        if use is None:
            return None
        if isinstance(use, str):
            return p.Spectra(self.sweeps[use], None)
        starts_s = starts_of(use, duration_s, loc, self.scope, env)
        every_s = None if use.every is None or starts_s else self.scope.value(use.every, env)
        return p.Spectra(self.sweeps[use.use], every_s, starts_s)

    def spectrum(self, step: m.Geis | m.Peis, loc: Loc, env: Env, number: str) -> p.Spectrum:
        kind: Literal["geis", "peis"] = "geis" if isinstance(step, m.Geis) else "peis"
        use = step.geis if isinstance(step, m.Geis) else step.peis
        if isinstance(use, str):
            sweep = self.sweeps[use]
        else:
            sweep = compile_sweep(kind, kind, use, (*loc, kind), self.scope, env)
        bias, dc, relative = self.bias(step.during, env, loc)
        return p.Spectrum(
            step_id=self.next_id(loc),
            label=f"{number} {step.label or f'{kind} {dc}'}",
            sweep=sweep,
            bias=bias,
            record=self.record(step.record, env),
            cutoffs=self.cutoffs(step.until, (*loc, "until"), env),
            mark=self.scope.mark(loc),
            relative=relative,
            trigger_s=self.trigger_s(step.trigger_out, env),
        )

    def bias(
        self, during: m.During | None, env: Env, loc: Loc
    ) -> tuple[float | None, str, p.Relative | None]:
        """The DC level of a spectrum, how a label says it, and what it is counted from."""
        if during is None:
            return None, "at open circuit", None
        if during.ca is not None:
            bias, relative = self.scope.potential(during.ca, env, (*loc, "during", "ca"))
            text = self.label("ca", bias, during, env) if relative is None else f"ca {relative.text}"
            return bias, text, relative
        bias = self.signed_current_A(during, env)
        return bias, self.label("cp", bias, during, env), None


def current_word(words: m.Word) -> tuple[str, Quantity | Ref | None]:
    """The word that says a current, and its value; "": none does."""
    found = ((word, getattr(words, word, None)) for word in (*WAYS, *CHARGES))
    return next(((word, value) for word, value in found if isinstance(value, Quantity | Ref)), ("", None))


def _charges_as_times(
    cutoffs: tuple[p.Cutoff, ...], I_A: float, duration_s: float
) -> tuple[tuple[p.Cutoff, ...], float]:
    """A charge at constant current, after which the next step follows, is nothing but a time.

    One that ends the loop or the run is graver, and stays: at the same time it comes first (see
    `techniques.lasts_s`).
    """
    times = [c for c in cutoffs if c.quantity == "charge" and c.then == "next step"]
    kept = tuple(c for c in cutoffs if c not in times)
    return kept, min([duration_s, *(c.value / I_A for c in times)])
