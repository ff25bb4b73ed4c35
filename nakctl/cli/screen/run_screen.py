"""What a run shows while it goes on, in words; `drawing` draws them.

A run that keeps a wall clock is shown by a process of its own: whatever becomes of the terminal, the run does
not notice. In virtual time nothing can be late, and the same views draw in line.
"""

from __future__ import annotations

import io
import math
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nakctl.booking.event import Event
from nakctl.cli.prepare import Prepared
from nakctl.cli.screen.drawing import SIMULATED, Nothing, View, view
from nakctl.cli.screen.mailbox import ALARM, HEAD, PLAIN, WARNING, Mail
from nakctl.cli.screen.remote_screen import Remote
from nakctl.run.logbook import Progress
from nakctl.run.run import UNDER_CURRENT
from nakctl.text.numbers import areal_current, duration, si

CELL_OPEN, CELL_UNSAFE = "open", "may be under current"


class Screen:
    """Tells a run to a view. Nothing here waits, but `tell` for a few seconds if nobody can be told."""

    def __init__(self, ready: Prepared, view: View) -> None:
        self.ready, self.view = ready, view

    def __enter__(self) -> Self:
        self.view.draw(Mail(said=((HEAD, self.head),), busy="starting the channel ..."))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.view.close()

    def recording(self, out: Path) -> None:
        self.view.draw(Mail(said=((PLAIN, f"recording into {out}"),)))

    def warn(self, sentence: str) -> None:
        self.view.draw(Mail(said=((WARNING, sentence),)))

    def update(self, progress: Progress) -> None:
        said = tuple((ALARM if event.severity > 1 else WARNING, _told(event)) for event in progress.news)
        self.view.draw(Mail(said=said, state=lambda: self.state(progress)))

    def sealing(self) -> None:
        self.view.draw(Mail(busy="sealing the file ..."))

    def tell(self, report: dict[str, Any]) -> None:
        self.view.draw(Mail(end=tuple(closing_lines(report))))

    @property
    def head(self) -> str:
        ready = self.ready
        mark = f"{SIMULATED}  " if ready.simulated else ""
        where = f"{ready.place.name} ({ready.instrument.name})"
        return f"{mark}{ready.plan.name}: cell {ready.cell.name}, {ready.cell.area_cm2:g} cm2, on {where}"

    def state(self, progress: Progress) -> list[str]:
        """Where the run is: position, reading, charge, time."""
        area_cm2 = self.ready.cell.area_cm2
        step = progress.step.label if progress.step else "-"
        charge = progress.Q_Ah / area_cm2 * 1000
        total_s = self.ready.estimate.duration_s
        rest = "until a cutoff" if total_s is None else f"of {duration(total_s)}"
        last = _last_spectrum(progress)
        return [
            f"step {step}   cycle {progress.cycle}",
            f"Ewe {progress.Ewe_V:+.4f} V   I {si(progress.I_A, 'A')} "
            f"({areal_current(progress.I_A, area_cm2)})   Q {charge:+.4g} mAh/cm2",
            f"{_time(progress.time_s)} {rest}   samples {progress.samples}, spectra {progress.spectra}{last}",
            *(["   ".join(progress.bench)] if progress.bench else []),
        ]


class MovingScreen(Screen):
    """The same for a block that people look at."""

    def state(self, progress: Progress) -> list[str]:
        mark = [SIMULATED] if self.ready.simulated else []
        return [*mark, *super().state(progress), "Ctrl-C stops"]


def screen(ready: Prepared, out: Path, silent: bool, free: bool) -> Screen:
    """free: in virtual time."""
    if silent or sys.stdout is None:
        return Screen(ready, Nothing())
    moving = sys.stdout.isatty()
    kind = "moving" if moving else "lines"
    shown = view(kind) if free or not _has_descriptor() else Remote(kind, out)
    return (MovingScreen if moving else Screen)(ready, shown)


def _has_descriptor() -> bool:
    """Whether another process can write there. What has none (a string) cannot stand still either."""
    try:
        sys.stdout.fileno()
    except (OSError, io.UnsupportedOperation):
        return False
    return True


def _told(event: Event) -> str:
    ways = "; Ctrl-C twice more leaves it as it is" if event.code == "not_stopped" else ""
    return f"{_time(event.time_s)}  {'ALARM' if event.severity > 1 else 'note'}: {event.message}{ways}"


def _time(seconds: float) -> str:
    return duration(seconds) if math.isfinite(seconds) else "?"


def _last_spectrum(progress: Progress) -> str:
    if len(progress.points) == 0:
        return ""
    point = progress.points[-1]
    z_ohm = complex(point["Z_re_ohm"], point["Z_im_ohm"])
    return f"; {si(float(point['frequency_Hz']), 'Hz')}: |Z| {abs(z_ohm):.4g} ohm"


def closing_lines(report: dict[str, Any]) -> list[str]:
    """The end of a run in a few lines: how, what came out, how the cell is left, where the file is."""
    lines = [f"{report['status']}: {report['end_reason']}", *report.get("text", "").splitlines()]
    if report.get("error") and report["error"] not in report["end_reason"]:
        lines.append(f"error: {report['error']}")
    lines.append("the cell is open" if report["cell_state"] == CELL_OPEN else UNDER_CURRENT)
    if report.get("message"):
        lines.append(report["message"])
    lines.append(f"{'file' if report['sealed'] else 'unsealed file'} {report['file']}")
    return lines
