"""OCV, CP, CA and GCPL of EC-Lab as rest, cp and ca. One column gives the steps of one sequence."""

from __future__ import annotations

from nakctl.convert import notation
from nakctl.convert.draft import Step
from nakctl.convert.reading import Amount, Column, record
from nakctl.convert.windows import E_WINDOWS, current_range_here, potential_range_here, window_for

SLOPE_OVER, SLOPE_REST_s = "10 min", 1200  # EC-Lab does not say; a rest is to be twice as long at least
_NEARLY = 2e-3  # a charge limit that EC-Lab worked out from current and time has three decimals


class Hardware:
    """What all techniques of a file share: the device, and the limits that our own choice of a range sees."""

    def __init__(self, device: str, window_V: tuple[float, float]) -> None:
        self.device = device
        self.E_window = window_for(*window_V)

    def words(self, column: Column) -> Step:
        """The word `ranges`, without what nakctl would choose in the same way."""
        words: Step = {}
        current = current_range_here(column.text("I Range"), self.device)
        if current is not None:
            words["I"] = current
        low, high = (column.amount(f"E range {end} (V)", unit="V") for end in ("min", "max"))
        if low is not None and high is not None:
            window = (float(low.value), float(high.value))
            named = potential_range_here(*window)
            if named is not None and window != self.E_window and window in E_WINDOWS:
                words["E"] = named
        if column.has("Bandwidth"):
            words["bandwidth"] = column.count("Bandwidth")
        return {"ranges": words} if words else {}


def ocv(column: Column, _: Hardware) -> list[Step]:
    return rest(column)


def rest(column: Column) -> list[Step]:
    """The rest at open circuit that OCV is, and that ends each sequence of GCPL."""
    lasts = column.seconds("tR (h:m:s)")
    every = column.number("dtR (s)")
    if not lasts:
        return []
    step: Step = {"rest": notation.duration(lasts)}
    step |= record(every, dE=column.amount("dER (mV)", unit="mV"))
    slope = column.number("dER/dt (mV/h)")
    if slope and lasts >= SLOPE_REST_s:
        step["until"] = {"dEwe_dt_below": f"{notation.plain(slope)} mV/h", "over": SLOPE_OVER}
        step["#until"] = "EC-Lab does not say over which time"
    elif slope:
        step["#rest"] = f"EC-Lab ends it when |dEwe/dt| < {notation.plain(slope)} mV/h"
        column.notes.tell(
            column.at("dER/dt (mV/h)"),
            f"dER/dt {notation.plain(slope)} mV/h is left out: this rest is too short for a slope over "
            f"{SLOPE_OVER}, and lasts its whole time",
        )
    return [step]


def cp(column: Column, hardware: Hardware) -> list[Step]:
    lasts = column.seconds("ts (h:m:s)", "ti (h:m:s)")
    level = current(column, "Is")
    words = hardware.words(column)
    kept = record(column.number("dts (s)"), dE=column.amount("dEs (mV)", unit="mV"))
    ends = [end for end in (potential_end(column, level), charge_end(column, level, float(lasts))) if end]
    if not lasts or level is None:
        return []
    return [{"cp": level.text, "for": notation.duration(lasts)} | _until(ends) | kept | words]


def current(column: Column, label: str) -> Amount | None:
    """A current that is set. Relative ones are refused."""
    column.required(label)
    level = column.amount(label, f"unit {label}")
    reference = column.text("vs.")
    if reference not in ("", "<None>"):
        column.fault(
            "vs.", f"a current vs. {reference}: nakctl sets currents outright; write the current itself"
        )
    if level is None and column.text(label) in ("", "pass"):
        column.fault(label, f"{label} {column.text(label)}: this sequence sets no current")
    return level


def potential_end(column: Column, level: Amount | None) -> Step | None:
    """EM: EC-Lab tests it in the direction of the current."""
    limit = column.amount("EM (V)", unit="V")
    if limit is None or level is None:
        return None
    if not level.value:
        if column.number("EM (V)"):
            message = (
                f"EM {column.text('EM (V)')} V at 0 A is left out: a zero current has no direction to test in"
            )
            column.notes.tell(column.at("EM (V)"), message)
        return None
    return {"Ewe_above" if level.value > 0 else "Ewe_below": limit.text}


def charge_end(column: Column, level: Amount | None, lasts_s: float) -> Step | None:
    """dQM, unless it is only what the current moves in its time."""
    limit = column.amount("dQM", "unit dQM")
    if limit is None or not limit.value:
        return None
    if level is not None and abs(level.si) * lasts_s / 3600 <= abs(limit.si) * (1 + _NEARLY):
        return None
    return {"charge": limit.size}


def _until(ends: list[Step]) -> Step:
    if not ends:
        return {}
    return {"until": ends[0] if len(ends) == 1 else ends}


def ca(column: Column, hardware: Hardware) -> list[Step]:
    lasts = column.seconds("ti (h:m:s)", "ts (h:m:s)")
    level = potential(column, "Ei (V)")
    words = hardware.words(column)
    column.asked |= {"dI", "dt (s)"}  # of which one way of recording needs neither
    averaged = column.text("record") == "<I>"
    kept = (
        record(column.number("dta (s)"))
        if averaged
        else record(column.number("dt (s)"), dI=column.amount("dI", "unit dI"))
    )
    ends = [*_current_ends(column), *filter(None, [charge_end(column, None, 0.0)])]
    if not lasts or level is None:
        return []
    return [{"ca": level, "for": notation.duration(lasts)} | _until(ends) | kept | words]


def potential(column: Column, label: str, nth: int = 0) -> str | None:
    """A potential against the reference."""
    column.required(label)
    level = column.amount(label, unit="V")
    against = column.text("vs.", nth)
    if level is None:
        column.fault(label, f"{label} {column.text(label)}: this sequence sets no potential")
        return None
    if against not in ("Ref", "Ce", ""):
        column.fault(
            "vs.",
            f"{column.text(label)} V vs. {against}: nakctl cannot yet say a potential against what the cell "
            "shows; set `Ref` in EC-Lab, or write the potential itself",
            nth,
        )
    return level.text


def _current_ends(column: Column) -> list[Step]:
    """Imax and Imin are signed, our words are of |I|."""
    most, least = column.amount("Imax", "unit Imax"), column.amount("Imin", "unit Imin")
    for label, limit in (("Imax", most), ("Imin", least)):
        if limit is not None and not limit.value:
            column.notes.tell(column.at(label), f"{label} 0 is taken for no limit")
    if most is not None and least is not None and most.value and least.value:
        if most.si == -least.si:
            return [{"I_above": most.text}]
        column.fault("Imin", "Imax and Imin of different size: nakctl's I_above and I_below are of |I|")
        return []
    if most is not None and most.value:
        return [{"I_above": most.text}] if most.value > 0 else [{"I_below": most.size}]
    if least is not None and least.value:
        return [{"I_below": least.text}] if least.value > 0 else [{"I_above": least.size}]
    return []


def gcpl(column: Column, hardware: Hardware) -> list[Step]:
    """A current until EM, EM held, and a rest."""
    column.require_nothing({
        "dI/dt": "the hold cannot end on dI/dt yet: end it with Im",
        "dxM": "nakctl does not know the intercalated amount: write the charge",
        "delta SoC (%)": "nakctl does not know the state of charge: write the charge",
        "EL (V)": "a jump on Ewe after the rest cannot be said: write the steps out",
    })  # fmt: skip
    column.asked |= {"N", "I sign", "Set I/C"}
    lasts = column.seconds("t1 (h:m:s)")
    ranges = hardware.words(column)
    steps: list[Step] = []
    level = _gcpl_current(column) if lasts else None
    if not lasts:
        column.asked |= {"Is", "vs.", "EM (V)", "dQM", "tM (h:m:s)", "Im", "dE1 (mV)", "dt1 (s)"}
    elif level is not None:
        kept = record(column.number("dt1 (s)"), dE=column.amount("dE1 (mV)", unit="mV"))
        ends = [e for e in (potential_end(column, level), charge_end(column, level, float(lasts))) if e]
        steps.append({"cp": level.text, "for": notation.duration(lasts)} | _until(ends) | kept | ranges)
        steps += _held(column, ranges)
    return [*steps, *rest(column)]


def _held(column: Column, ranges: Step) -> list[Step]:
    lasts = column.seconds("tM (h:m:s)")
    end = column.amount("Im", "unit Im")
    level = column.amount("EM (V)", unit="V")
    every = column.number("dtq (s)")
    if not lasts:
        return []
    if level is None:
        column.fault("EM (V)", "a hold (tM) without a potential (EM)")
        return []
    until = {"until": {"I_below": end.size}} if end is not None and end.value else {}
    step: Step = {"ca": level.text, "#ca": "EC-Lab holds only if the current reached EM"}
    return [step | {"for": notation.duration(lasts)} | until | record(every) | ranges]


def _gcpl_current(column: Column) -> Amount | None:
    """The current itself, or that of C / N and C x N."""
    mode = column.text("Set I/C")
    if mode in ("I", ""):
        return current(column, "Is")
    capacity = column.notes.settings.said("Battery capacity")
    value, _, unit = capacity.partition(" ")
    try:
        charge = Amount(notation.number(value), unit)
        notation.our_unit(unit)
    except notation.NotationError:
        charge = None
    if charge is None or not charge.value:
        column.fault("Set I/C", f"{mode} without a battery capacity in the file: set the current itself (I)")
        return None
    n = column.number("N", 1)
    size = charge.value / n if mode == "C / N" else charge.value * n
    sign = -1 if column.text("I sign") == "< 0" else 1
    return Amount(sign * round(size, 6), unit.replace("A.h", "A"))
