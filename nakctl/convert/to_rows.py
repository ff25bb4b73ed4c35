"""The rows of EC-Lab's techniques, as EC-Lab 11.50 writes them, from steps of a plan."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from nakctl.convert import notation
from nakctl.convert.notation import clock, fixed, scaled
from nakctl.convert.windows import current_range_for, current_range_there, scan_step_V
from nakctl.device.instrument import Instrument
from nakctl.errors import Mark
from nakctl.plan import plan as p

Cells = list[tuple[str, str]]  # label and value of one column, in order
_FREQUENCIES = "um_kM"


@dataclass
class Technique:
    """name, and the rows of each sequence. loops: it has rows that make the last sequence go back."""

    name: str
    columns: list[Cells]
    mark: Mark
    loops: bool = False

    def rows(self) -> list[tuple[str, list[str]]]:
        labels = [label for label, _ in self.columns[0]]
        rows = [(label, [column[i][1] for column in self.columns]) for i, label in enumerate(labels)]
        return [("Ns", [str(i) for i in range(len(self.columns))]), *rows] if len(self.columns) > 1 else rows

    def repeat(self, times: int) -> None:
        """The last sequence goes back to the first, `times` times."""
        self.columns[-1] = [
            (label, str(times) if label == "nc cycles" else value) for label, value in self.columns[-1]
        ]


@dataclass
class Writing:
    """What all techniques of a file share, and what is wrong with what they should say.

    fault  tells it with its place
    """

    instrument: Instrument
    window_V: tuple[float, float]
    fault: Callable[[Mark, str], None]
    told: list[tuple[Mark, str]] = field(default_factory=list)

    def volts(self, value: float, decimals: int, mark: Mark, field_: str) -> str:
        """A potential, refused if its field cuts it."""
        if notation.cut(value, decimals):
            step = f"{1000 / 10**decimals:g} mV"
            self.fault(mark, f"{value:g} V: EC-Lab keeps {field_} to {step}; round it")
        return fixed(value, decimals)

    def kept_s(self, value: float, mark: Mark) -> str:
        if notation.cut(value, 4):
            self.fault(mark, f"record every {value:g} s: EC-Lab keeps times to 0.1 ms")
        return fixed(value, 4)

    def millivolts(self, value_V: float | None, decimals: int, mark: Mark, field_: str) -> str:
        value = round((value_V or 0.0) * 1000, 9)
        if notation.cut(value, decimals):
            self.fault(mark, f"{value:g} mV: EC-Lab keeps {field_} to {10.0**-decimals:g} mV; round it")
        return fixed(value, decimals)

    def E_range(self, ranges: p.Ranges) -> Cells:
        low, high = self.window_V
        if ranges.E is not None:
            known = next((each for each in self.instrument.E_ranges if each.name == ranges.E), None)
            low, high = (low, high) if known is None else (known.low_V, known.high_V)
        return [("E range min (V)", fixed(low, 3)), ("E range max (V)", fixed(high, 3))]

    def hardware(self, ranges: p.Ranges, needed_A: float | None, mark: Mark) -> Cells:
        """needed_A: None: EC-Lab may choose the range, which it does only under potential control."""
        bandwidth = str(ranges.bandwidth or self.instrument.bandwidth)
        name = ranges.I or (None if needed_A is None else current_range_for(needed_A, self.instrument))
        if name is None and needed_A is not None:
            self.fault(mark, f"{needed_A:g} A: no current range of the {self.instrument.name} holds it")
        shown = "Auto" if name is None else current_range_there(name)
        return [*self.E_range(ranges), ("I Range", shown), ("Bandwidth", bandwidth)]


_LOOP: Cells = [("goto Ns'", "0"), ("nc cycles", "0")]
_UNSET: Cells = [("I Range min", "Unset"), ("I Range max", "Unset"), ("I Range init", "Unset")]


def ocv(rest: p.Hold, to: Writing) -> Technique:
    cells: Cells = [
        ("tR (h:m:s)", clock(rest.duration_s)),
        ("dER/dt (mV/h)", _slope(rest, to)),
        ("record", "Ewe"),
        ("dER (mV)", to.millivolts(rest.record.dE_V, 2, rest.mark, "dER")),
        ("dtR (s)", to.kept_s(rest.record.every_s, rest.mark)),
        *to.E_range(p.Ranges()),
    ]
    return Technique("Open Circuit Voltage", [cells], rest.mark)


def _slope(rest: p.Hold | None, to: Writing) -> str:
    """dER/dt, in mV/h; the time that the slope is fitted to is EC-Lab's own."""
    if rest is None or not rest.cutoffs:
        return "0.0"
    [steady] = rest.cutoffs
    to.told.append((steady.mark, "EC-Lab takes the slope over a time of its own"))
    value = float(f"{steady.value * 3.6e6:.9g}")
    if notation.cut(value, 1):
        to.fault(steady.mark, f"{value:g} mV/h: EC-Lab keeps dER/dt to 0.1 mV/h; round it")
    return fixed(value, 1)


def cp(holds: list[p.Hold], to: Writing) -> Technique:
    return Technique("Chronopotentiometry", [_cp(hold, to) for hold in holds], holds[0].mark, loops=True)


def largest_A(hold: p.Hold) -> float:
    """The current that its range has to do for: of a line of a profile, the largest of all lines."""
    return hold.of_profile_A if hold.of_profile_A is not None else abs(hold.level or 0.0)


def _cp(hold: p.Hold, to: Writing) -> Cells:
    level_A = hold.level or 0.0
    value, unit = scaled(level_A, "A")
    charge, charge_unit = scaled(float(f"{abs(level_A) * hold.duration_s / 3600:.7g}"), "A.h")
    return [
        ("Is", value), ("unit Is", unit), ("vs.", "<None>"),
        ("ts (h:m:s)", clock(hold.duration_s)),
        ("EM (V)", _limit_of(hold, to) or "pass"),
        ("dQM", charge), ("unit dQM", charge_unit),
        ("record", "Ewe"),
        ("dEs (mV)", to.millivolts(hold.record.dE_V, 2, hold.mark, "dEs")),
        ("dts (s)", to.kept_s(hold.record.every_s, hold.mark)),
        *to.hardware(hold.ranges, largest_A(hold), hold.mark),
        *_LOOP,
    ]  # fmt: skip


def _limit_of(hold: p.Hold, to: Writing) -> str | None:
    found = next((cutoff for cutoff in hold.cutoffs if cutoff.quantity == "Ewe"), None)
    return None if found is None else to.volts(found.value, 3, found.mark, "EM")


def ca(holds: list[p.Hold], to: Writing) -> Technique:
    name = "Chronoamperometry / Chronocoulometry"
    return Technique(name, [_ca(hold, to) for hold in holds], holds[0].mark, loops=True)


def _ca(hold: p.Hold, to: Writing) -> Cells:
    most = next((c.value for c in hold.cutoffs if (c.quantity, c.side) == ("|I|", "above")), None)
    moved = next((c.value for c in hold.cutoffs if c.quantity == "charge"), 0.0)
    limit, limit_unit = ("pass", "mA") if most is None else scaled(most, "A")
    charge, charge_unit = scaled(float(f"{moved / 3600:.9g}"), "A.h")
    change, change_unit = scaled(hold.record.dI_A or 0.0, "A")
    hardware = to.hardware(hold.ranges, None, hold.mark)
    return [
        ("Ei (V)", to.volts(hold.level or 0.0, 3, hold.mark, "Ei")), ("vs.", "Ref"),
        ("ti (h:m:s)", clock(hold.duration_s)),
        ("Imax", limit), ("unit Imax", limit_unit),
        ("Imin", limit if most is None else f"-{limit}"), ("unit Imin", limit_unit),
        ("dQM", charge), ("unit dQM", charge_unit),
        ("record", "I"), ("dI", change), ("unit dI", change_unit), ("dQ", "0.000"), ("unit dQ", "mA.h"),
        ("dt (s)", to.kept_s(hold.record.every_s, hold.mark)), ("dta (s)", "0.1000"),
        *hardware[:-1], *_UNSET, hardware[-1],
        *_LOOP,
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sequence:
    """One sequence of GCPL: a current until a potential, that potential held, a rest; each may miss."""

    current: p.Hold | None
    hold: p.Hold | None
    rest: p.Hold | None


def gcpl(sequences: list[Sequence], to: Writing) -> Technique:
    first = next(hold for each in sequences for hold in (each.current, each.rest) if hold is not None)
    name = "Galvanostatic Cycling with Potential Limitation"
    currents = [each.current for each in sequences if each.current is not None]
    made, follows = [], currents[0]  # a rest alone keeps the range of the current that follows it
    for each in reversed(sequences):
        follows = each.current or follows
        made.append(_gcpl(each, follows, to))
    return Technique(name, made[::-1], first.mark, loops=True)


def _gcpl(part: Sequence, follows: p.Hold, to: Writing) -> Cells:
    on, hold, rest = part.current, part.hold, part.rest
    level_A = 0.0 if on is None else on.level or 0.0
    value, unit = scaled(level_A, "A")
    taper = next((c.value for c in hold.cutoffs), 0.0) if hold is not None else 0.0
    end, end_unit = scaled(taper, "A")
    mark = (on or rest or hold).mark  # type: ignore[union-attr]
    hardware = to.hardware(follows.ranges, abs(follows.level or 0.0), mark)
    return [
        ("Set I/C", "I"), ("Is", value), ("unit Is", unit), ("vs.", "<None>"), ("N", "1.00"),
        ("I sign", "> 0"),
        ("t1 (h:m:s)", clock(on.duration_s if on else 0.0)),
        *hardware[2:],
        ("dE1 (mV)", to.millivolts(on.record.dE_V if on else 0.0, 2, mark, "dE1")),
        ("dt1 (s)", to.kept_s(on.record.every_s, mark) if on else "0.0000"),
        ("EM (V)", (_limit_of(on, to) if on else None) or "0.000"),
        ("tM (h:m:s)", clock(hold.duration_s if hold else 0.0)),
        ("Im", end), ("unit Im", end_unit), ("dI/dt", "0.000"), ("dunit dI/dt", "mA/s"),
        *hardware[:2],
        ("dq", "1.000" if on else "0.000"), ("unit dq", "mA.h"),
        ("dtq (s)", to.kept_s(hold.record.every_s, mark) if hold else "120.0000" if on else "0.0000"),
        ("dQM", "0.000"), ("unit dQM", "mA.h"), ("dxM", "0.000"), ("delta SoC (%)", "pass"),
        ("tR (h:m:s)", clock(rest.duration_s if rest else 0.0)),
        ("dER/dt (mV/h)", _slope(rest, to)),
        ("dER (mV)", to.millivolts(rest.record.dE_V if rest else 0.0, 2, mark, "dER")),
        ("dtR (s)", to.kept_s(rest.record.every_s, mark) if rest else "1.0000"),
        ("EL (V)", "pass"),
        *_LOOP,
    ]  # fmt: skip


def eis(spectrum: p.Spectrum, held: p.Hold | None, to: Writing) -> Technique:
    """held: the step before it at the same level, which EC-Lab makes part of the technique."""
    galvano = spectrum.sweep.control == "geis"
    made = (_geis if galvano else _peis)(spectrum, held, to)
    name = f"{'Galvano' if galvano else 'Potentio'} Electrochemical Impedance Spectroscopy"
    cells = [*made, ("nc cycles", "0"), ("goto Ns'", "0"), ("nr cycles", "0"), ("inc. cycle", "0")]
    return Technique(name, [cells], spectrum.mark, loops=True)


def _geis(spectrum: p.Spectrum, held: p.Hold | None, to: Writing) -> Cells:
    sweep = spectrum.sweep
    level_A = spectrum.bias or 0.0
    value, unit = scaled(level_A, "A")
    amplitude, amplitude_unit = scaled(sweep.amplitude_peak, "A")
    needed_A = max(abs(level_A) + sweep.amplitude_peak, 2 * sweep.amplitude_peak)
    return [
        ("Mode", "Single sine"), ("Is", value), ("unit Is", unit), ("vs.", "<None>"),
        ("tIs (h:m:s)", clock(held.duration_s if held else 0.0)),
        ("record", "1" if held else "0"),
        ("dE (mV)", fixed(round((held.record.dE_V or 0.0) * 1000, 6) if held else 0.0, 3)),
        ("dt (s)", fixed(held.record.every_s if held else 0.0, 3)),
        *_frequencies(sweep, to),
        ("Ia/Va", "Ia"), ("Ia", amplitude), ("unit  Ia", amplitude_unit), ("va pourcent", "0.10"),
        *_measured(sweep, to),
        *to.hardware(sweep.ranges, needed_A, sweep.mark),
    ]  # fmt: skip


def _peis(spectrum: p.Spectrum, held: p.Hold | None, to: Writing) -> Cells:
    sweep, bias_V = spectrum.sweep, spectrum.bias
    change, change_unit = scaled((held.record.dI_A or 0.0) if held else 0.0, "A")
    return [
        ("Mode", "Single sine"),
        ("E (V)", to.volts(bias_V or 0.0, 4, spectrum.mark, "E")),
        ("vs.", "Eoc" if bias_V is None else "Ref"),
        ("tE (h:m:s)", clock(held.duration_s if held else 0.0)),
        ("record", "1" if held else "0"), ("dI", change), ("unit dI", change_unit),
        ("dt (s)", fixed(held.record.every_s if held else 0.0, 3)),
        *_frequencies(sweep, to),
        ("Va (mV)", to.millivolts(sweep.amplitude_peak, 1, sweep.mark, "Va")),
        *_measured(sweep, to),
        *to.hardware(sweep.ranges, None, sweep.mark),
    ]  # fmt: skip


def _frequencies(sweep: p.Sweep, to: Writing) -> Cells:
    first, first_unit = scaled(sweep.frequencies_Hz[0], "Hz", _FREQUENCIES)
    last, last_unit = scaled(sweep.frequencies_Hz[-1], "Hz", _FREQUENCIES)
    count = len(sweep.frequencies_Hz)
    if sweep.spacing == "list":
        to.fault(
            sweep.mark, "a list of frequencies: EC-Lab spaces them evenly; write from, to and per_decade"
        )
    decade = per_decade(sweep)
    if decade is None:
        density: Cells = [("Nd", str(count)), ("Points", "from fi to ff")]
    else:
        density = [("Nd", str(decade)), ("Points", "per decade")]
    spacing = "Linear" if sweep.spacing == "linear" else "Logarithmic"
    ends: Cells = [("fi", first), ("unit fi", first_unit), ("ff", last), ("unit ff", last_unit)]
    return [*ends, *density, ("spacing", spacing)]


def per_decade(sweep: p.Sweep) -> int | None:
    """The whole number of points per decade that gives these frequencies; None: there is none."""
    decades = abs(math.log10(sweep.frequencies_Hz[0] / sweep.frequencies_Hz[-1]))
    if sweep.spacing != "log" or decades == 0:
        return None
    count = len(sweep.frequencies_Hz) - 1
    near = round(count / decades)
    return next((n for n in (near, near + 1, near - 1) if n > 0 and round(n * decades) == count), None)


def _measured(sweep: p.Sweep, to: Writing) -> Cells:
    if notation.cut(sweep.wait_periods, 2):
        to.fault(sweep.mark, f"wait_periods {sweep.wait_periods:g}: EC-Lab keeps pw to 0.01")
    return [
        ("pw", fixed(sweep.wait_periods, 2)),
        ("Na", str(sweep.average)),
        ("corr", "1" if sweep.drift_correction else "0"),
    ]


def cv(repeat: p.Repeat, to: Writing) -> Technique:
    """The scans of a cv: to the first vertex, to the second, again, and to where it ends."""
    first, second = repeat.steps[:2]
    assert isinstance(first, p.Hold) and isinstance(second, p.Hold)
    again = next((step for step in repeat.steps if isinstance(step, p.Repeat)), None)
    end = repeat.steps[-1] if len(repeat.steps) > 2 and isinstance(repeat.steps[-1], p.Hold) else None
    rate, unit = _rate(second)
    ends_V = [first.level or 0.0, first.to or 0.0, second.to or 0.0, (end.to or 0.0) if end else 0.0]
    shown = [to.volts(value, 3, repeat.mark, "potentials of CV") for value in ends_V]
    hardware = to.hardware(first.ranges, None, repeat.mark)
    cells: Cells = [
        ("Ei (V)", shown[0]), ("vs.", "Ref"), ("dE/dt", rate), ("dE/dt unit", unit), ("E1 (V)", shown[1]),
        ("vs.", "Ref"), ("Step percent", "50"), ("N", _averaged(second, to, hardware)),
        *hardware[:-1], *_UNSET, hardware[-1],
        ("E2 (V)", shown[2]), ("vs.", "Ref"), ("nc cycles", str(again.times or 0) if again else "0"),
        ("Reverse Scan", "1" if end else "0"), ("Ef (V)", shown[3]), ("vs.", "Ref"),
    ]  # fmt: skip
    return Technique("Cyclic Voltammetry", [cells], repeat.mark)


def lsv(scan: p.Hold, before: p.Hold | None, to: Writing) -> Technique:
    """before: the rest that EC-Lab makes part of it."""
    rate, unit = _rate(scan)
    first, last = (
        to.volts(value or 0.0, 3, scan.mark, "potentials of LSV") for value in (scan.level, scan.to)
    )
    hardware = to.hardware(scan.ranges, None, scan.mark)
    cells: Cells = [
        ("tR (h:m:s)", clock(before.duration_s if before else 0.0)), ("dER/dt (mV/h)", _slope(before, to)),
        ("dER (mV)", to.millivolts(before.record.dE_V if before else 0.0, 2, scan.mark, "dER")),
        ("dtR (s)", to.kept_s(before.record.every_s, scan.mark) if before else "0.0000"),
        ("dE/dt", rate), ("dE/dt unit", unit), ("Ei (V)", first), ("vs.", "Ref"), ("EL (V)", last),
        ("vs.", "Ref"), ("record", "<I>"), ("dI", "0.000"), ("unit dI", "µA"), ("tI (s)", "0.0000"),
        ("step percent", "50"), ("N", _averaged(scan, to, hardware)),
        *hardware[:-1], *_UNSET, hardware[-1],
    ]  # fmt: skip
    return Technique("Linear Sweep Voltammetry", [cells], scan.mark)


def _rate(scan: p.Hold) -> tuple[str, str]:
    """In mV/s, as EC-Lab's own files have it."""
    rate = abs((scan.to or 0.0) - (scan.level or 0.0)) / scan.duration_s * 1000
    return fixed(float(f"{rate:.9g}"), 3), "mV/s"


def _averaged(scan: p.Hold, to: Writing, hardware: Cells) -> str:
    """Over how many of EC-Lab's own steps: as many as lie between two samples."""
    low, high = (float(value) for _, value in hardware[:2])
    step_V = scan_step_V(high - low) or 100e-6
    apart_V = abs((scan.to or 0.0) - (scan.level or 0.0)) / scan.duration_s * scan.record.every_s
    n = max(1, round(apart_V / step_V))
    if abs(n * step_V - apart_V) > 0.01 * apart_V:
        message = f"samples every {apart_V * 1000:.4g} mV: EC-Lab averages over {n} of its steps instead"
        to.told.append((scan.mark, message))
    return str(n)


def loop(to: int, times: int, mark: Mark) -> Technique:
    return Technique("Loop", [[("goto Ne", str(to)), ("nt times", str(times))]], mark)
