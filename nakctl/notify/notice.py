"""What people are told: one notice, in words that help whoever reads it in bed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Protocol

from nakctl.errors import typed
from nakctl.record.registry import KnownRun
from nakctl.text.numbers import si

Found = Mapping[str, Any]
UNDER_CURRENT = "MAY STILL BE UNDER CURRENT"
_TITLE_LETTERS = 120


class Health(Protocol):
    @property
    def word(self) -> str: ...
    @property
    def text(self) -> str: ...


class Seen(Protocol):
    """What a look at a run has found, see `nakctl.cli.health`."""

    @property
    def run(self) -> KnownRun: ...
    @property
    def held(self) -> bool: ...
    @property
    def state(self) -> Found | None: ...
    @property
    def end(self) -> Found | None: ...
    @property
    def sealed(self) -> bool: ...
    @property
    def health(self) -> Health: ...


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened to a run.

    id        of the notice: it is told by several ways, and each may be tried again
    event     one of `device.events.NEWS`; code: of the event of the run, "" if it told none
    severity  0 good to know, 1 a warning, 2 somebody should look
    title     one line; text: all there is to say, several lines
    unix_s    when it happened
    Ewe_V, I_A, step  what was read last, None where nothing is known
    """

    event: str
    severity: int
    title: str
    text: str
    unix_s: float
    code: str = ""
    run_id: str = ""
    file: str = ""
    channel: str = ""
    cell: str = ""
    protocol: str = ""
    simulated: bool = False
    step: str | None = None
    Ewe_V: float | None = None
    I_A: float | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Found) -> Notice:
        """Words that a later version has besides are left out."""
        return cls(**{each.name: told[each.name] for each in fields(cls) if each.name in told})


def made(
    event: str,
    what: str,
    run: KnownRun,
    state: Found | None,
    *,
    severity: int,
    unix_s: float,
    cell: str,
    does: str,
    code: str = "",
    short: str = "",
) -> Notice:
    """what: happened, in a sentence; short: the same for a title, if that is long; cell: what it is in; does:
    what nakctl does about it."""
    word = ("", "", "ALARM: ")[severity] if event != "end" else ""
    state = state or {}
    has_rows = bool(state.get("step_id"))
    where = ", ".join(
        part for part in (run.place or run.path.stem, run.cell and f"cell {run.cell}", run.protocol) if part
    )
    title = _one_line(f"{word}{short or what}")
    lines = [
        f"{word}{what}",
        "",
        f"Run:     {run.short_id}, {where}{' (simulated)' if run.simulated else ''}",
        f"File:    {run.path}",
        f"When:    {clock(unix_s)}",
        f"Cell:    {cell}",
        f"Nakctl:  {does}",
        f"You can: {_can(event, run)}",
    ]
    return Notice(
        event=event,
        severity=severity,
        title=f"{_cut(title, _TITLE_LETTERS)} ({_cut(_one_line(where), _TITLE_LETTERS // 2)})",
        text="\n".join(lines),
        unix_s=unix_s,
        code=code,
        run_id=run.run_id,
        file=str(run.path),
        channel=run.place,
        cell=run.cell,
        protocol=run.protocol,
        simulated=run.simulated,
        step=str(state.get("step")) if has_rows else None,
        Ewe_V=state.get("Ewe_V") if has_rows else None,
        I_A=state.get("I_A") if has_rows else None,
    )


def _can(event: str, run: KnownRun) -> str:
    if event == "end":
        return f"nakctl show {typed(run.path)}"
    if event == "dead" and not run.outlives:
        return f"nakctl recover {typed(run.path)} makes its file whole"
    return f"nakctl status {run.short_id}; nakctl stop {run.short_id} switches the cell off"


def readings(state: Found | None) -> str:
    """`step 3/12 (strip 1 mA/cm2), Ewe +0.0123 V, I 1 mA`; "" if no row came."""
    if not state or not state.get("step_id"):
        return ""
    many = f"/{state['steps']}" if state.get("steps") else ""
    said = [f"step {state['step_id']}{many} ({str(state.get('step')).partition(' ')[2]})"]
    for name, key, unit in (("Ewe", "Ewe_V", "V"), ("I", "I_A", "A")):
        if isinstance(value := state.get(key), int | float):
            said.append(f"{name} {si(value, unit)}")
    return ", ".join(said)


def clock(unix_s: float) -> str:
    try:
        return datetime.fromtimestamp(unix_s).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
    except (ValueError, OverflowError, OSError):
        return "at an unknown time"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 3]}..."
