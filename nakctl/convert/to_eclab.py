"""A plan as a settings file of EC-Lab: simple techniques where they can say it, else a Modulo Bat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nakctl.convert import to_mb, to_rows
from nakctl.convert.notation import DECIMALS, fixed
from nakctl.convert.settings import write
from nakctl.convert.to_rows import Technique, Writing
from nakctl.convert.windows import window_for
from nakctl.device.cell import Cell
from nakctl.device.instrument import Instrument
from nakctl.device.program import SetPoint
from nakctl.errors import Fault, LimitError, Mark
from nakctl.plan import plan as p
from nakctl.text.numbers import duration
from nakctl.text.reader import Document


def settings(
    plan: p.Plan, document: Document, cell: Cell, instrument: Instrument, name: str, decimal: str
) -> tuple[bytes, tuple[Fault, ...]]:
    """The bytes of the file, and what a person should know. LimitError with all that EC-Lab cannot say.

    name     of the file, for its header
    decimal  a key of DECIMALS
    """
    export = _Export(plan, document, instrument)
    techniques = export.techniques()
    if export.faults:
        raise LimitError(sorted(set(export.faults), key=lambda fault: (fault.mark, fault.message)))
    header = export.header(cell, name)
    raw = write(header, [(each.name, each.rows()) for each in techniques], DECIMALS[decimal])
    told = (document.fault(mark, message) for mark, message in export.to.told)
    return raw, tuple(sorted(set(told), key=lambda fault: (fault.mark, fault.message)))


MOST_SEQUENCES = 99


RELATIVE = "written to EC-Lab as a potential it would be another one: write the potential itself"


class _Export:
    def __init__(self, plan: p.Plan, document: Document, instrument: Instrument) -> None:
        self.plan = plan
        self.document = document
        self.instrument = instrument
        self.faults: list[Fault] = []
        low, high = plan.limits.Ewe_min_V, plan.limits.Ewe_max_V
        window = window_for(-2.5 if low is None else low, 2.5 if high is None else high)
        self.to = Writing(instrument, window, self.fault)
        self.made: list[Technique] = []

    def fault(self, mark: Mark, message: str) -> None:
        self.faults.append(self.document.fault(mark, message))

    def techniques(self) -> list[Technique]:
        self.refuse_rules()
        steps = list(self.sayable(self.plan.steps))
        ends_run = any(c.then == "end run" for leaf in p.leaves(steps) for c in leaf.cutoffs)
        if ends_run and steps:  # whether Stop ends the technique or the run is the same in a file of one
            self.made.append(to_mb.technique(steps, self.to))
        else:
            self.steps(steps)
        self.weigh_time(steps)
        for made in self.made:
            if len(made.columns) > MOST_SEQUENCES:
                message = f"{len(made.columns)} sequences: EC-Lab's {made.name} holds {MOST_SEQUENCES}"
                self.fault(made.mark, f"{message}; write a repeat, or fewer levels")
        return self.made

    # --- what EC-Lab has no word for -------------------------------------------------------------------

    def refuse_rules(self) -> None:
        stop = self.plan
        if stop.capacity is not None:
            text = f"a capacity that {stop.capacity.label} measures: EC-Lab measures none; write what it is"
            self.fault(stop.capacity.mark, text)
        if stop.short is not None:
            at = self.document.key_mark(("stop_when", "short"))
            self.fault(at, "a short circuit: EC-Lab has no such rule; leave it out, or limit Ewe")
        for goal in stop.goals:
            self.fault(
                goal.mark,
                "stop_when: EC-Lab has no rule for the whole run; write `until: {..., then: end run}`",
            )
        for limit in stop.limits.sensors:
            self.fault(limit.mark, f"a limit on the sensor {limit.sensor}: EC-Lab does not see it")

    def sayable(self, steps: Sequence[p.Step]) -> Iterator[p.Step]:
        """Staircases written out, and without what is refused."""
        for step in steps:
            self.tell_of_pulse(step)
            match step:
                case p.Staircase():
                    self.refuse_leaving(step)
                    for one_pass in step.passes:
                        yield from self.sayable(one_pass)
                case p.Repeat():
                    yield from self.loop(step)
                case SetPoint():
                    self.fault(
                        step.mark, f"a set-point of {step.sensor}: EC-Lab does not set it from a protocol"
                    )
                case p.Hold():
                    if self.is_sayable(step):
                        yield step
                case p.Spectrum() if step.relative is not None:
                    self.fault(step.mark, f"{step.relative.text}: {RELATIVE}")
                case p.Spectrum():
                    yield step
                case _:
                    self.fault(step.mark, "nothing in EC-Lab's files is known to do this: leave it out")

    def tell_of_pulse(self, step: p.Step) -> None:
        if isinstance(step, p.Hold | p.Spectrum) and step.trigger_s:
            message = "trigger_out is not in the file: put EC-Lab's Trigger Out before this technique"
            self.to.told.append((step.mark, message))

    def loop(self, step: p.Repeat) -> Iterator[p.Repeat]:
        if step.times is None:
            self.fault(step.mark, "EC-Lab counts its loops: give a number instead of forever")
        if step.until is not None:
            self.fault(
                step.until.mark, f"until {step.until}: EC-Lab's loops ask nothing; give a number alone"
            )
        inner = tuple(self.sayable(step.steps))
        if inner:
            yield p.Repeat(step.label, inner, step.times or 1, step.mark)

    def refuse_leaving(self, step: p.Staircase) -> None:
        """Its levels are written out, one step after the other: nothing is left that could be left."""
        if step.is_loop and any(p.may_leave(one_pass) for one_pass in step.passes):
            message = "`then: end loop` leaves this staircase: EC-Lab has none; write `then: end run`"
            self.fault(step.mark, f"{message}, or a repeat")

    def is_sayable(self, hold: p.Hold) -> bool:
        if hold.relative is not None:
            self.fault(hold.mark, f"{hold.relative.text}: {RELATIVE}")
            return False
        if hold.same is not None:
            self.fault(
                hold.same.mark, f"{hold.same}: EC-Lab counts no charge from an earlier step: write the charge"
            )
            return False
        if hold.kind in ("power", "load") or (hold.kind == "cp" and hold.to is not None):
            what = "a ramp of the current" if hold.kind == "cp" else f"constant {hold.kind}"
            self.fault(hold.mark, f"{what}: no public file shows how EC-Lab writes it; set it up in EC-Lab")
            return False
        if hold.to is not None and hold.cutoffs:
            self.fault(
                hold.cutoffs[0].mark, "EC-Lab holds no cutoff during a scan: leave it out, or limit Ewe"
            )
            return False
        if hold.settle is not None:
            self.fault(hold.mark, f"a wait for {hold.settle.sensor}: EC-Lab does not see it; write a rest")
            return False
        if hold.spectra is not None:
            self.fault(
                hold.mark,
                "spectra during a step: EC-Lab measures them only between steps; write a repeat of a short "
                "step and a geis or peis with `during`",
            )
            return False
        return True

    def weigh_time(self, steps: Sequence[p.Step]) -> None:
        """EC-Lab has no longest run: what is sure to end before it loses nothing."""
        limit = self.plan.limits.limit("time", "above")
        if limit is None:
            return
        lasts_s = _lasts_s(steps)
        if lasts_s > limit.value:
            message = (
                f"{limit.value_text}: EC-Lab has no longest run, and these steps take {duration(lasts_s)}"
            )
            self.fault(limit.mark, f"limits.time of {message}; shorten them")
        else:
            message = f"the steps take {duration(lasts_s)} beside their spectra"
            self.to.told.append((limit.mark, f"limits.time is not in the file: EC-Lab has none; {message}"))

    # --- techniques ------------------------------------------------------------------------------------

    def steps(self, steps: Sequence[p.Step]) -> None:
        run: list[p.Hold] = []
        for step in steps:
            match step:
                case p.Hold() if step.to is not None:
                    before = run.pop() if run and _is_rest(run[-1]) else None
                    self.holds(run)
                    run = []
                    self.made.append(to_rows.lsv(step, before, self.to))
                case p.Hold():
                    run.append(step)
                case p.Spectrum():
                    held = run.pop() if run and _same_bias(run[-1], step) else None
                    self.holds(run)
                    run = []
                    self.spectrum(step, held)
                case p.Repeat():
                    self.holds(run)
                    run = []
                    self.repeat(step)
                case _:
                    raise AssertionError(f"{step} was not written out")
        self.holds(run)

    def spectrum(self, step: p.Spectrum, held: p.Hold | None) -> None:
        if step.cutoffs:
            self.fault(step.cutoffs[0].mark, "EC-Lab holds no cutoff during a spectrum: leave it out")
        self.made.append(to_rows.eis(step, held, self.to))

    def repeat(self, step: p.Repeat) -> None:
        """Inside of its technique if one holds it all; with Loop around others; else in a Modulo Bat."""
        if _is_cv(step):
            self.made.append(to_rows.cv(step, self.to))
            return
        start, told = len(self.made), len(self.to.told)
        if any(cutoff.then == "end loop" for leaf in p.leaves(step.steps) for cutoff in leaf.cutoffs):
            self.made.append(to_mb.technique([step], self.to))
            return
        self.steps(step.steps)
        made = self.made[start:]
        times = (step.times or 1) - 1
        if not times or not made:
            return
        loaded = any(isinstance(leaf, p.Spectrum) or leaf.to is not None for leaf in p.leaves(step.steps))
        if len(made) == 1 and made[0].loops:
            made[0].repeat(times)
            made[0].loops = False
        elif loaded:
            self.made.append(to_rows.loop(start + 1, times, step.mark))
        else:  # with techniques of their own each pass would load them anew
            del self.made[start:], self.to.told[told:]
            self.made.append(to_mb.technique([step], self.to))

    def holds(self, run: list[p.Hold]) -> None:
        """Steps without a spectrum between them."""
        if not run:
            return
        sequences = _sequences(run)
        if sequences is not None:
            self.cycling(sequences)
        elif not all(map(_is_plain, run)):
            self.made.append(to_mb.technique(run, self.to))
        else:
            for kind, holds in _grouped(run):
                if kind == "rest":
                    self.made += [to_rows.ocv(hold, self.to) for hold in holds]
                else:
                    self.made.append((to_rows.cp if kind == "cp" else to_rows.ca)(holds, self.to))

    def cycling(self, sequences: list[to_rows.Sequence]) -> None:
        for each in sequences:
            if each.hold is not None:
                self.to.told.append(
                    (each.hold.mark, "EC-Lab holds this potential only if the current before it reached it")
                )
        self.made.append(to_rows.gcpl(sequences, self.to))

    # --- the header ------------------------------------------------------------------------------------

    def header(self, cell: Cell, name: str) -> list[str]:
        low, high = self.to.window_V
        vmp3 = self.instrument.family == "VMP3"
        limits = self.plan.limits
        safety = [
            *(f"\tEwe {end} = {fixed(value, 3)} V" for end, value in
              (("min", limits.Ewe_min_V), ("max", limits.Ewe_max_V)) if value is not None),
            *([] if limits.I_max_A is None else [f"\t|I| = {fixed(limits.I_max_A * 1000, 3)} mA"]),
        ]  # fmt: skip
        return [
            f"Filename : {name}",
            "",
            f"Device : {'VMP3' if vmp3 else self.instrument.name}",
            *(["CE vs. WE compliance from -10 V to 10 V"] if vmp3 else []),
            "Electrode connection : standard",
            "Potential control : Ewe",
            f"Ewe ctrl range : min = {fixed(low, 2)} V, max = {fixed(high, 2)} V",
            *([] if vmp3 else ["Ewe,I filtering : <None>"]),
            "Safety Limits :",
            *safety,
            "\tfor t > 0 ms",
            "\tDo not start on E overload",
            *([] if vmp3 else ["Channel : Grounded"]),
            f"Electrode material : {cell.working}",
            "Initial state : ",
            f"Electrolyte : {cell.electrolyte}",
            f"Comments : {self.plan.name}",
            *([] if vmp3 else ["Cable : standard"]),
            f"Electrode surface area : {fixed(cell.area_cm2, 3)} cm\u00b2",
            "Characteristic mass : 0.001 g",
            "Equivalent Weight : 0.000 g/eq.",
            "Density : 0.000 g/cm3",
            "Volume (V) : 0.001 cm\u00b3",
            "Cycle Definition : Charge/Discharge alternance",
            "Do not turn to OCV between techniques",
        ]


def _lasts_s(steps: Sequence[p.Step]) -> float:
    """Of the holds; spectra last as long as the instrument takes."""
    total_s = 0.0
    for step in steps:
        if isinstance(step, p.Hold):
            total_s += step.duration_s
        elif isinstance(step, p.Repeat):
            total_s += (step.times or 1) * _lasts_s(step.steps)
    return total_s


def _is_cv(step: p.Repeat) -> bool:
    first = step.steps[0]
    return step.times == 1 and isinstance(first, p.Hold) and first.technique == "CV"


def _is_rest(hold: p.Hold) -> bool:
    """For a time, or until Ewe is steady."""
    steady = [("dEwe/dt", "below", "next step")]
    return hold.kind == "rest" and [(c.quantity, c.side, c.then) for c in hold.cutoffs] in ([], steady)


def _same_bias(hold: p.Hold, spectrum: p.Spectrum) -> bool:
    """The hold is what EC-Lab's spectrum begins with."""
    wanted = "cp" if spectrum.sweep.control == "geis" else "ca"
    same = hold.kind == wanted and hold.level == spectrum.bias and hold.ranges == spectrum.sweep.ranges
    return same and not hold.cutoffs


def _is_plain(hold: p.Hold) -> bool:
    """OCV, CP or CA say it: at most one end of each sort, on the side they test."""
    if hold.kind == "rest":
        return _is_rest(hold)
    seen = [(cutoff.quantity, cutoff.side) for cutoff in hold.cutoffs]
    if any(cutoff.then != "next step" for cutoff in hold.cutoffs) or len(set(seen)) < len(seen):
        return False
    if hold.kind == "ca":
        return all(each in (("|I|", "above"), ("charge", "above")) for each in seen)
    return not seen or (
        bool(hold.level) and seen == [("Ewe", "above" if (hold.level or 0.0) > 0 else "below")]
    )


def _sequences(run: list[p.Hold]) -> list[to_rows.Sequence] | None:
    """The run as sequences of GCPL, if it is that: currents to a potential, then holds or rests."""
    found: list[to_rows.Sequence] = []
    at = 0
    follows = False
    while at < len(run):
        current = run[at] if run[at].kind == "cp" else None
        hold = rest = None
        at += current is not None
        if current is not None:
            if not (_is_plain(current) and current.cutoffs):
                return None
            if at < len(run) and _holds_on(current, run[at]):
                hold = run[at]
                at += 1
        if at < len(run) and _is_rest(run[at]):
            rest = run[at]
            at += 1
        elif current is None:
            return None
        follows = follows or (current is not None and (hold is not None or rest is not None))
        found.append(to_rows.Sequence(current, hold, rest))
    return found if follows else None


def _holds_on(current: p.Hold, hold: p.Hold) -> bool:
    """The potential that the current reached is held, at most until the current has fallen."""
    if hold.kind != "ca" or hold.level != current.cutoffs[0].value or hold.ranges != current.ranges:
        return False
    ends = [(cutoff.quantity, cutoff.side, cutoff.then) for cutoff in hold.cutoffs]
    return ends in ([], [("|I|", "below", "next step")])


def _grouped(run: list[p.Hold]) -> Iterator[tuple[str, list[p.Hold]]]:
    """Neighbours of one kind."""
    group: list[p.Hold] = []
    for hold in run:
        if group and hold.kind != group[0].kind:
            yield group[0].kind, group
            group = []
        group.append(hold)
    if group:
        yield group[0].kind, group
