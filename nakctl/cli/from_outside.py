"""What others find a run by, and what they may see of it while it goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
        born_s=born_s(),
        unwatched=place.unwatched,
        unwatched_for_s=place.unwatched_for_s,
        ends="" if ends is None else ends.isoformat(timespec="seconds"),
        rig="" if ready.rig is None else str(ready.rig.resolve()),
    )


def born_s() -> float:
    """When this process began, as the system tells it: by that and its number it is known."""
    import psutil

    return float(psutil.Process().create_time())


def outside(
    recorder: Recorder,
    known: KnownRun,
    header: Mapping[str, Any],
    *,
    free: bool = False,
    news: Sequence[Any] = (),
) -> Outside:
    """What others see of the run. free: in virtual time; news: that a program told which died."""
    from nakctl.run.outside import Outside

    facts = {name: value for name, value in asdict(known).items() if name not in ("path", "drive", "rig")}
    facts |= {"instrument": header["instrument"]["model"], "planned_s": header.get("planned_s")}
    return Outside(recorder.tell, facts, held_alone(header), news=news, virtual=free)


def held_alone(header: Mapping[str, Any]) -> Callable[[int], dict[str, str]]:
    """What holds in a step without the program, by its step_id, and what does not."""
    told: Mapping[str, list[str]] = header.get("held_alone") or {}

    def of_step(step_id: int) -> dict[str, str]:
        alone, not_alone = told.get(str(step_id), ["", ""])
        return {"alone": alone, "not_alone": not_alone}

    return of_step
