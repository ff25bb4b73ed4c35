"""What others find a run by, and what they may see of it while it goes on."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from nakctl import __version__
from nakctl.cli.prepare import Prepared
from nakctl.record.boot import boot_id
from nakctl.record.registry import KnownRun
from nakctl.text.numbers import clock_time

if TYPE_CHECKING:
    from nakctl.record.recorder import Recorder
    from nakctl.run.outside import Outside


def known_run(ready: Prepared, recorder: Recorder, start: datetime, speed: float | None) -> KnownRun:
    """speed: how many times as fast as real time; None: it keeps real time, or none at all."""
    place, duration_s = ready.place, ready.estimate.duration_s
    ends = None if duration_s is None else clock_time(start, duration_s / (speed or 1.0))
    return KnownRun(
        run_id=recorder.run_id,
        path=recorder.path.resolve(),
        place=place.name,
        protocol=ready.plan.name,
        cell=ready.cell.name,
        pid=os.getpid(),
        started=start.isoformat(timespec="milliseconds"),
        protocol_file=Path(ready.loaded.document.file).name,
        boot=boot_id(),
        driver=place.driver,
        address=str(place.options.get("address") or ""),
        channel=place.channel,
        version=__version__,
        area_cm2=ready.cell.area_cm2,
        simulated=ready.simulated,
        outlives=ready.driver.outlives,
        ends="" if ends is None else ends.isoformat(timespec="seconds"),
        rig="" if ready.rig is None else str(ready.rig.resolve()),
    )


def outside(ready: Prepared, recorder: Recorder, known: KnownRun, *, free: bool) -> Outside:
    """free: in virtual time."""
    from nakctl.plan.held import held
    from nakctl.plan.plan import leaves
    from nakctl.plan.scene import Scene
    from nakctl.run.outside import Outside

    @cache
    def alone(step_id: int) -> str:
        """The limits that hold without this program, which takes a moment to find out."""
        mine = [leaf for leaf in leaves(ready.plan.steps) if leaf.step_id == step_id]
        always = held(mine, Scene(ready.plan, ready.program, ready.instrument)).always
        return ", ".join(end.text for end in always)

    facts = {name: value for name, value in asdict(known).items() if name not in ("path", "drive", "rig")}
    return Outside(recorder.tell, facts, alone, virtual=free)
