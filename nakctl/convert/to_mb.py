"""Modulo Bat of EC-Lab, for what its simple techniques cannot say: several ends, loops without a gap."""

from __future__ import annotations

from collections.abc import Sequence

from nakctl.convert.notation import fixed, scaled
from nakctl.convert.to_rows import Cells, Technique, Writing, largest_A, per_decade
from nakctl.errors import Mark
from nakctl.plan import plan as p

NAME = "Modulo Bat"
_MOST_LIMITS = 3
# Every row of a sequence, in order, with what stands there if the sequence does not need it.
_EMPTY: dict[str, str] = {
    "ctrl_type": "", "Apply I/C": "I", "current/potential": "current",
    **{f"ctrl{n}_{part}": "" for n in (1, 2, 3) for part in ("val", "val_unit", "val_vs")},
    "N": "0.00", "charge/discharge": "Charge", "charge/discharge_1": "Charge",
    "Apply I/C_1": "I", "N1": "0.00",
    **{f"ctrl{n}_{part}": "" for n in (4, 5) for part in ("val", "val_unit")},
    "ctrl_tM": "0", "ctrl_seq": "0", "ctrl_repeat": "0", "ctrl_trigger": "Falling Edge",
    "ctrl_TO_t": "0.000", "ctrl_TO_t_unit": "d", "ctrl_Nd": "6", "ctrl_Na": "2", "ctrl_corr": "0",
    "lim_nb": "0",
}  # fmt: skip
_LIMIT = {
    "type": "Time", "comp": ">", "Q": "Q limit", "value": "0.000", "value_unit": "s",
    "action": "Next sequence", "seq": "",
}  # fmt: skip
_RECORD = {"type": "Time", "value": "0.000", "value_unit": "s"}
_OF = {"cp": "CC", "ca": "CV", "rest": "Rest"}


def technique(steps: Sequence[p.Step], to: Writing) -> Technique:
    """All steps as sequences of one technique. Staircases are written out already."""
    made = _Sequences(to)
    made.add(steps)
    if made.leaves_at_end:  # where a jump out of the last loop leads to
        made.rest_of_1_s()
        to.told.append(
            (made.columns_marks[0], "a rest of 1 s closes the Modulo Bat: a loop in it can end early")
        )
    mixed = len({dict(c)["I Range"] for c in made.cells()}) > 1
    columns = [[(k, "1" if k == "auto rest" and mixed else v) for k, v in c] for c in made.cells()]
    return Technique(NAME, columns, made.columns_marks[0])


def _left(held: p.Hold) -> float | None:
    """The level that it leaves: of a scan, its end."""
    return held.level if held.to is None else held.to


class _Sequences:
    def __init__(self, to: Writing) -> None:
        self.to = to
        self.columns: list[dict[str, str]] = []
        self.hardware: list[Cells | None] = []  # None: a sequence that needs no ranges of its own
        self.columns_marks: list[Mark] = []
        self.held: p.Hold | None = None
        self.leaves_at_end = False

    def add(self, steps: Sequence[p.Step]) -> None:
        for step in steps:
            match step:
                case p.Hold():
                    self.hold(step)
                case p.Spectrum():
                    self.spectrum(step)
                case p.Repeat():
                    self.repeat(step)
                case _:
                    raise AssertionError(f"{step} was not written out")

    def put(
        self, step: p.Hold | p.Spectrum | p.Repeat, words: dict[str, str], hardware: Cells | None
    ) -> None:
        self.columns.append(words)
        self.hardware.append(hardware)
        self.columns_marks.append(step.mark)

    def hold(self, hold: p.Hold) -> None:
        if hold.to is not None:
            self.scan(hold)
            return
        words = {"ctrl_type": _OF[hold.kind]}
        needed_A = None
        if hold.kind == "cp":
            value, unit = scaled(abs(hold.level or 0.0), "A")
            way = "Discharge" if (hold.level or 0.0) < 0 else "Charge"
            needed_A = largest_A(hold)
            words |= {
                "ctrl1_val": value,
                "ctrl1_val_unit": unit,
                "ctrl1_val_vs": "<None>",
                "charge/discharge": way,
            }
        elif hold.kind == "ca":
            value = self.to.volts(hold.level or 0.0, 3, hold.mark, "the potential of a Modulo Bat")
            words |= {"ctrl1_val": value, "ctrl1_val_unit": "V", "ctrl1_val_vs": "Ref"}
        words |= self.limits(hold) | self.records(hold)
        at_rest = hold.kind == "rest"
        self.put(hold, words, None if at_rest else self.to.hardware(hold.ranges, needed_A, hold.mark))
        self.held = hold

    def scan(self, scan: p.Hold) -> None:
        """One scan of the potential: its rate, where it begins, where it ends."""
        ends = [self.to.volts(value or 0.0, 3, scan.mark, "a scan") for value in (scan.level, scan.to)]
        rate = abs((scan.to or 0.0) - (scan.level or 0.0)) / scan.duration_s * 1000
        words = {
            "ctrl_type": "VS",
            "ctrl1_val": fixed(float(f"{rate:.9g}"), 3),
            "ctrl1_val_unit": "mV/s",
        }
        for n, end in enumerate(ends, 2):
            words |= {f"ctrl{n}_val": end, f"ctrl{n}_val_unit": "V", f"ctrl{n}_val_vs": "Ref"}
        self.put(scan, words | self.records(scan), self.to.hardware(scan.ranges, None, scan.mark))
        self.held = scan

    def limits(self, hold: p.Hold) -> dict[str, str]:
        found = [{"value": fixed(hold.duration_s, 3)}, *map(self.limit, hold.cutoffs)]
        if len(found) > _MOST_LIMITS:
            self.to.fault(
                hold.mark, f"{len(hold.cutoffs)} cutoffs and a time: EC-Lab tests {_MOST_LIMITS} at most"
            )
        words = {"lim_nb": str(min(len(found), _MOST_LIMITS))}
        for n, limit in enumerate(found[:_MOST_LIMITS], 1):
            words |= {f"lim{n}_{part}": value for part, value in (_LIMIT | limit).items()}
        return words

    def limit(self, cutoff: p.Cutoff) -> dict[str, str]:
        side = ">" if cutoff.side == "above" else "<"
        if cutoff.quantity == "Ewe":
            value = self.to.volts(cutoff.value, 3, cutoff.mark, "a limit on Ewe")
            words = {"type": "Ewe", "value": value, "value_unit": "V"}
        elif cutoff.quantity == "|I|":
            value, unit = scaled(cutoff.value, "A")
            words = {"type": "|I|", "value": value, "value_unit": unit}
        elif cutoff.quantity == "charge":
            value, unit = scaled(float(f"{cutoff.value / 3600:.9g}"), "A.h", "num_")
            words = {"type": "|Q|", "value": value, "value_unit": unit}
        else:
            self.to.fault(
                cutoff.mark, f"{cutoff.text}: how EC-Lab would test this is not known; leave it out"
            )
            words = {}
        action = {"end run": "Stop", "end loop": "Goto sequence"}.get(cutoff.then, "Next sequence")
        return words | {"comp": side, "action": action}

    def records(self, hold: p.Hold) -> dict[str, str]:
        record = hold.record
        value, unit = (
            (fixed(record.every_s, 3), "s")
            if record.every_s >= 1
            else (fixed(record.every_s * 1000, 3), "ms")
        )
        found = [{"value": value, "value_unit": unit}]
        if hold.kind != "ca" and record.dE_V is not None:
            value, unit = scaled(record.dE_V, "V", "m_")
            found.append({"type": "Ewe", "value": value, "value_unit": unit})
        if hold.kind == "ca" and record.dI_A is not None:
            value, unit = scaled(record.dI_A, "A")
            found.append({"type": "I", "value": value, "value_unit": unit})
        words = {"rec_nb": str(len(found))}
        for n, each in enumerate(found, 1):
            words |= {f"rec{n}_{part}": text for part, text in (_RECORD | each).items()}
        return words

    def spectrum(self, step: p.Spectrum) -> None:
        """EC-Lab measures it at what the sequence before left; so that must be what the spectrum wants."""
        sweep, held = step.sweep, self.held
        wanted = "cp" if sweep.control == "geis" else "ca"
        at_rest = step.bias is None and (held is None or held.kind == "rest")
        if not at_rest and not (held is not None and held.kind == wanted and _left(held) == step.bias):
            before = "a rest" if step.bias is None else f"a {wanted} at the same level"
            self.to.fault(step.mark, f"in a Modulo Bat a spectrum needs {before} right before it")
        if step.cutoffs:
            self.to.fault(step.cutoffs[0].mark, "EC-Lab holds no cutoff during a spectrum")
        decade = per_decade(sweep)
        if decade is None:
            self.to.fault(
                sweep.mark, "a Modulo Bat spaces frequencies by points per decade: write per_decade"
            )
        if sweep.wait_periods != 0.1:
            self.to.told.append((sweep.mark, "a Modulo Bat has no pw: EC-Lab waits as it does by itself"))
        amplitude, unit = scaled(sweep.amplitude_peak, "A" if sweep.control == "geis" else "V")
        first, first_unit = scaled(sweep.frequencies_Hz[0], "Hz", "um_kM")
        last, last_unit = scaled(sweep.frequencies_Hz[-1], "Hz", "um_kM")
        words = {
            "ctrl_type": sweep.control.upper(),
            "current/potential": "current" if sweep.control == "geis" else "potential",
            "ctrl1_val": amplitude, "ctrl1_val_unit": unit, "ctrl2_val": first, "ctrl2_val_unit": first_unit,
            "ctrl3_val": last, "ctrl3_val_unit": last_unit, "ctrl_Nd": str(decade or 6),
            "ctrl_Na": str(sweep.average), "ctrl_corr": "1" if sweep.drift_correction else "0",
        }  # fmt: skip
        needed_A = max(abs(step.bias or 0.0) + sweep.amplitude_peak, 2 * sweep.amplitude_peak)
        self.put(
            step, words, self.to.hardware(sweep.ranges, needed_A if wanted == "cp" else None, sweep.mark)
        )

    def repeat(self, step: p.Repeat) -> None:
        start = len(self.columns)
        self.leaves_at_end = False
        self.add(step.steps)
        own = range(start, len(self.columns))
        if step.times is not None and step.times > 1:
            words = {"ctrl_type": "Loop", "ctrl_seq": str(start), "ctrl_repeat": str(step.times - 1)}
            self.put(step, words, None)
        for index in own:
            for n in range(1, _MOST_LIMITS + 1):
                column = self.columns[index]
                if column.get(f"lim{n}_action") == "Goto sequence" and not column[f"lim{n}_seq"]:
                    column[f"lim{n}_seq"] = str(len(self.columns))
                    self.leaves_at_end = True

    def rest_of_1_s(self) -> None:
        words = {"ctrl_type": "Rest", "lim_nb": "1", "rec_nb": "1"}
        words |= {f"lim1_{part}": value for part, value in (_LIMIT | {"value": "1.000"}).items()}
        words |= {f"rec1_{part}": value for part, value in (_RECORD | {"value": "1.000"}).items()}
        self.columns.append(words)
        self.hardware.append(None)

    def cells(self) -> list[Cells]:
        """Every column with the same rows: as many limits and records as the most that one has."""
        limits = max(int(words.get("lim_nb", "0")) for words in self.columns)
        records = max(int(words.get("rec_nb", "0")) for words in self.columns)
        return [self.column(i, limits, records) for i in range(len(self.columns))]

    def hardware_of(self, index: int) -> Cells:
        """A rest or a loop keeps the ranges of what follows it, so that none is switched for it."""
        found = next((each for each in [*self.hardware[index:], *self.hardware[index::-1]] if each), None)
        return found or self.to.hardware(p.Ranges(), None, self.columns_marks[0])

    def column(self, index: int, limits: int, records: int) -> Cells:
        words = self.columns[index]
        after = str(index + 1)
        rows = dict(_EMPTY)
        for n in range(1, limits + 1):
            rows |= {f"lim{n}_{part}": value for part, value in (_LIMIT | {"seq": after}).items()}
        rows["rec_nb"] = "0"
        for n in range(1, records + 1):
            rows |= {f"rec{n}_{part}": value for part, value in _RECORD.items()}
        for label, value in words.items():
            rows[label] = value if value or label not in rows or not label.endswith("_seq") else after
            if label.endswith("_action") and value == "Stop":
                rows[label.replace("action", "seq")] = "9999"
        for n in range(1, limits + 1):
            if rows[f"lim{n}_action"] == "Stop":
                rows[f"lim{n}_seq"] = "9999"
        hardware = self.hardware_of(index)
        unset: Cells = [(f"I Range {part}", "Unset") for part in ("min", "max", "init")]
        return [*rows.items(), *hardware[:-1], *unset, ("auto rest", "0"), hardware[-1]]
