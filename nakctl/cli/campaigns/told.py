"""A campaign in words: the table of its runs, what begins and ends, the summary."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nakctl.campaign.order import State
from nakctl.cli.campaigns.going import Row
from nakctl.cli.campaigns.planned import Planned
from nakctl.cli.health import clock
from nakctl.cli.screen.words import SIMULATED, printable
from nakctl.text.numbers import WIDTH, duration, plural

# What a run is for, the dearest first; of one without any of them, what it moved.
KEY_NUMBERS = {
    "ccd_mA_cm2": "CCD {:g} mA/cm2",
    "critical_capacity_mAh_cm2": "critical capacity {:.4g} mAh/cm2",
    "strip_threshold_mA_cm2": "stripping unstable from {:.3g} mA/cm2",
    "plate_threshold_mA_cm2": "plating unstable from {:.3g} mA/cm2",
    "transference_number": "t+ {:.3g}",
    "activation_energy_kJ_mol": "Ea {:.3g} kJ/mol",
    "no_short_up_to_mA_cm2": "no short up to {:.4g} mA/cm2",
    "stripped_mAh_cm2": "stripped {:.4g} mAh/cm2",
    "plated_mAh_cm2": "plated {:.4g} mAh/cm2",
    "high_frequency_resistance_ohm_cm2": "R0 {:.4g} ohm cm2",
}
_GAP, _LEAST = "  ", 12
_GOES_ON = ("", "begun", "running")
_SHOWN, _IN_A_LINE = 12, 3  # runs that go on: in a block that stays in place, and in a line
Line = Sequence[str]


def key_number(report: Mapping[str, Any]) -> str:
    """ "": it has none."""
    for name, text in KEY_NUMBERS.items():
        value = report.get(name)
        if isinstance(value, int | float) and value:
            return text.format(value)
    return ""


def head(name: str, runs: Sequence[Planned], out: object) -> str:
    """All simulated, some of them, or none."""
    simulated = sum(one.ready.simulated for one in runs)
    mark = f"{SIMULATED}  " if simulated == len(runs) else f"{simulated} {SIMULATED}  " if simulated else ""
    return f"{mark}{printable(name)}: {plural(len(runs), 'run')}, results in {out}"


# --- before ------------------------------------------------------------------------------------------------


def plan_table(rows: Sequence[Row]) -> list[str]:
    heads = ("run", "channel", "cell", "at most", "state", "")
    lines = [
        (
            row.one.name,
            row.one.ready.place.name,
            row.one.ready.cell.name,
            takes(row.one),
            row.state.value,
            printable(row.why),
        )
        for row in rows
    ]
    return columns([heads, *lines])


def takes(one: Planned) -> str:
    """Cutoffs, limits and shorts may end it sooner."""
    seconds = one.ready.estimate.duration_s
    return "nobody knows" if seconds is None else duration(seconds)


def plan_of_channels(rows: Sequence[Row], order: str) -> list[str]:
    """Which channel carries what after what; nothing of those without a clock."""
    on: dict[str, list[Row]] = {}
    for row in rows:
        if row.one.channel is not None and row.state is State.MISSING:
            on.setdefault(row.one.channel, []).append(row)
    lines = [
        f"{channel}: {', then '.join(row.one.name for row in those)}{_in_all(those)}"
        for channel, those in on.items()
    ]
    free = sum(row.one.channel is None and row.state is State.MISSING for row in rows)
    if free:
        lines.append(f"without a clock: {plural(free, 'run')}, on all cores")
    return ([f"{order}, by channel:"] if len(on) > 1 else []) + lines


def _in_all(rows: Sequence[Row]) -> str:
    long = [row.one.ready.estimate.duration_s for row in rows]
    known = [each for each in long if each is not None]
    if len(known) < len(long):
        return ""
    return f" ({duration(sum(known))})"


# --- meanwhile ---------------------------------------------------------------------------------------------


def begun(row: Row) -> str:
    where = "" if row.one.channel is None else f" on {row.one.channel}"
    return f"begun: {row.one.name}{where}"


def ended(row: Row) -> str:
    how = printable(row.told)
    key = key_number(row.report or {})
    return f"{row.state.value}: {row.one.name}: {how}{f'; {key}' if key else ''}"


def block(rows: Sequence[Row]) -> list[str]:
    """Those that go on, and how many are done."""
    going = [row for row in rows if row.state is State.RUNNING]
    lines = [("run", "channel", "at", "of at most", "ends"), *map(_going, going[:_SHOWN])] if going else []
    many = f"and {len(going) - _SHOWN} more" if len(going) > _SHOWN else ""
    return [*columns(lines), *([many] if many else []), counted(rows)]


def in_a_line(rows: Sequence[Row]) -> list[str]:
    """The same where nothing stays in place."""
    going = [row for row in rows if row.state is State.RUNNING]
    told = [f"{row.one.name} {_at(row)}" for row in going[:_IN_A_LINE]]
    more = [f"and {len(going) - _IN_A_LINE} more"] if len(going) > _IN_A_LINE else []
    return [counted(rows), *told, *more]


def counted(rows: Iterable[Row]) -> str:
    """`3 done, 2 running, 1 missing`."""
    counts = Counter(row.state for row in rows)
    return ", ".join(f"{counts[state]} {state.value}" for state in State if counts[state])


def _going(row: Row) -> Line:
    planned_s = row.one.ready.estimate.duration_s
    most = duration(planned_s) if planned_s else "-"
    return (row.one.name, row.one.ready.place.name, _at(row), most, clock(row.ends))


def _at(row: Row) -> str:
    """Where it is, by its own clock; before that how it does, if it does not simply go on."""
    if not row.where.get("step"):
        return row.health
    at = f"step {row.where['step'].partition(' ')[0]}, {duration(row.where['time_s'])}"
    return at if row.health in _GOES_ON else f"{row.health}, {at}"


# --- in the end --------------------------------------------------------------------------------------------


def summary(rows: Sequence[Row]) -> list[str]:
    lines = [
        (
            row.one.name,
            row.one.ready.place.name,
            row.state.value,
            key_number(row.report or {}),
            printable(row.told),
        )
        for row in rows
    ]
    return [*columns([("run", "channel", "state", "", "how"), *lines]), counted(rows)]


def as_json(row: Row) -> dict[str, Any]:
    one = row.one
    return {
        "name": one.name, "file": str(one.out), "state": row.state.value, "why": row.why or row.error,
        "channel": one.ready.place.name, "cell": one.ready.cell.name, "protocol": one.file,
        "simulated": one.ready.simulated, "params": one.ready.plan.params, "seed": one.asked.seed,
        "planned_s": one.ready.estimate.duration_s, "report": row.report,
    }  # fmt: skip


def columns(lines: Sequence[Line]) -> list[str]:
    """On a terminal as wide as that: the first, a name, gives way at its beginning, the last at its end."""
    if not lines:
        return []
    is_shown = sys.stdout is not None and sys.stdout.isatty()
    width = max(shutil.get_terminal_size((WIDTH, 24)).columns, 40) if is_shown else sys.maxsize
    return fitted(lines, width)


def fitted(lines: Sequence[Line], width: int) -> list[str]:
    shown = [k for k in range(len(lines[0])) if any(line[k] for line in lines)]
    wide = {k: max(len(line[k]) for line in lines) for k in shown}
    before = sum(wide[k] + len(_GAP) for k in shown[:-1]) + min(_LEAST, wide[shown[-1]])
    wide[shown[0]] = min(wide[shown[0]], max(_LEAST, wide[shown[0]] - max(0, before - width)))
    return [
        _cut(_GAP.join(f"{_ending(line[k], wide[k]):<{wide[k]}}" for k in shown).rstrip(), width)
        for line in lines
    ]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 2]}.."


def _ending(text: str, width: int) -> str:
    return text if len(text) <= width else f"..{text[2 - width :]}"
