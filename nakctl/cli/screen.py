"""What a run shows while it goes on: one moving block on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from nakctl.cli.prepare import Prepared
from nakctl.plan.numbers import areal_current, duration, si
from nakctl.record.journal import Event
from nakctl.run.keeper import Progress

PLAIN_LINE_EVERY_s = 10.0
_C_PER_Ah = 3600.0


class Screen:
    """Says nothing: --quiet, --json."""

    def __init__(self, ready: Prepared, out: Path, start: datetime) -> None:
        self.ready, self.out, self.start = ready, out, start

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def update(self, progress: Progress) -> None:
        pass

    def sealing(self) -> None:
        pass

    def tell(self, report: dict[str, Any]) -> None:
        pass

    # --- shared by the speaking ones -------------------------------------------------------------------

    def say(self, *lines: str) -> None:
        """Whoever listened may be gone (`| head`): no reason to lose an experiment."""
        try:
            for line in lines:
                print(line, flush=True)
        except OSError:
            sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115

    @property
    def head(self) -> str:
        ready = self.ready
        mark = "SIMULATED  " if ready.simulated else ""
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
            f"{duration(progress.time_s)} {rest}   "
            f"samples {progress.samples}, spectra {progress.spectra}{last}",
            *(["   ".join(progress.bench)] if progress.bench else []),
        ]


class Lines(Screen):
    """For pipes and logs: a line at the start, one every few seconds, the end."""

    def __enter__(self) -> Self:
        self.say(self.head, f"recording into {self.out}")
        self.next_s = 0.0
        return self

    def update(self, progress: Progress) -> None:
        self.say(*map(_told, progress.news))
        now_s = time.monotonic()
        if now_s >= self.next_s:
            self.next_s = now_s + PLAIN_LINE_EVERY_s
            self.say(" | ".join(self.state(progress)))

    def tell(self, report: dict[str, Any]) -> None:
        self.say(*closing_lines(report))


class Moving(Screen):
    """For people: one block that stays in place."""

    def __enter__(self) -> Self:
        self.live = Live(console=Console(), refresh_per_second=8, transient=True)
        self.live.console.print(Text(self.head, style="bold"))
        self.live.console.print(Text(f"recording into {self.out}"))
        self.live.start()
        self.live.update(Text("starting the channel ..."), refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # the terminal may be closed
            self.live.stop()

    def update(self, progress: Progress) -> None:
        for event in progress.news:
            self.live.console.print(Text(_told(event), style="bold red" if event.severity > 1 else "yellow"))
        mark = [Text("SIMULATED", style="reverse")] if self.ready.simulated else []
        self.live.update(Group(*mark, *(Text(line) for line in self.state(progress)), Text("Ctrl-C stops")))

    def sealing(self) -> None:
        self.live.update(Text("sealing the file ..."), refresh=True)

    def tell(self, report: dict[str, Any]) -> None:
        self.say(*closing_lines(report))


def screen(ready: Prepared, out: Path, start: datetime, silent: bool) -> Screen:
    kind = Screen if silent else Moving if sys.stdout.isatty() else Lines
    return kind(ready, out, start)


def _told(event: Event) -> str:
    return f"{duration(event.time_s)}  {'ALARM' if event.severity > 1 else 'note'}: {event.message}"


def _last_spectrum(progress: Progress) -> str:
    if len(progress.points) == 0:
        return ""
    point = progress.points[-1]
    z_ohm = complex(point["Z_re_ohm"], point["Z_im_ohm"])
    return f"; {si(float(point['frequency_Hz']), 'Hz')}: |Z| {abs(z_ohm):.4g} ohm"


def closing_lines(report: dict[str, Any]) -> list[str]:
    """The end of a run in a few lines: how, what came out, where it is."""
    from nakctl.results.summary import told

    lines = [f"{report['status']}: {report['end_reason']}"]
    lines += told(report)
    if report.get("message"):
        lines.append(report["message"])
    lines.append(f"{'file' if report['sealed'] else 'unsealed file'} {report['file']}")
    return lines
