"""What is known of a run before it flies: of one that is to begin, and of one that goes on already."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from platform import node
from typing import Any
from weakref import WeakValueDictionary

from nakctl import __version__
from nakctl.bluesky.flight import Begin
from nakctl.booking import layout
from nakctl.cli.apart import started
from nakctl.cli.asked_runs import AskedRun
from nakctl.cli.beginning import asked, job_of, leftovers
from nakctl.cli.one_run import Options
from nakctl.cli.prepare import Prepared, Wishes
from nakctl.cli.which_run import find_run
from nakctl.device import program_json
from nakctl.errors import InputError, ProtocolError
from nakctl.protocol import library
from nakctl.record import peek
from nakctl.render.plan_text import plan_text
from nakctl.text.reader import read_file


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Ready:
    """begin   gets it going, and gives its file
    labels  of the steps of its plan; area_cm2: 0 if no area is known; speed: of its clock
    about   which run it is, as JSON: for the start document
    """

    begin: Begin
    labels: tuple[str, ...]
    area_cm2: float
    speed: float
    about: Mapping[str, Any]


NOTHING = Ready(lambda say, is_wanted: Path(), (), 0.0, 1.0, {})
# Files of runs that this session has made ready: nobody has begun them, and two flyers may fly at once.
_PROMISED: WeakValueDictionary[Path, Ready] = WeakValueDictionary()


def to_begin(protocol: str, wishes: Wishes, options: Options, folder: Path) -> Ready:
    """Checked and planned: it has its id and its file already. InputError and its kin: with every fault."""
    [one] = asked(protocol, wishes, [], options, folder.resolve(), _PROMISED)
    run_id, out = str(uuid.uuid4()), one.out
    speed = 1.0 if one.ready.driver.virtual_time else None  # it is to be waited for, and looked at
    options = replace(options, out=out, said={"run_id": run_id}, speed=options.speed or speed)
    ready = one.ready
    _PROMISED[out] = made = Ready(
        begin=_begin(one, options),
        labels=tuple(step.label for step in ready.program.steps),
        area_cm2=ready.cell.area_cm2 or 0.0,
        speed=options.speed or 1.0,
        about=_about(one, run_id),
    )
    return made


def under_way(run: str) -> Ready:
    """A run of this computer, as `nakctl status` names it. InputError: there is none that goes on."""
    found = find_run(run)
    header, program = peek.header(found.path), peek.program(found.path)
    if header is None or program is None:
        raise InputError(f"{found.path} does not go on: nakctl.open reads what it has")
    sample, protocol = header["sample"], header["protocol"]
    return Ready(
        begin=lambda say, is_wanted: found.path,
        labels=tuple(step.label for step in program_json.load(program).steps),
        area_cm2=sample.get("area_cm2") or 0.0,
        speed=header.get("speed", 1.0),
        about={
            "run_id": header["run_id"],
            "file": str(found.path),
            "host": node(),
            "title": layout.title(header),
            "simulated": header["simulated"],
            "protocol": {
                "name": header["title"],
                "file_name": protocol["file_name"],
                "sha256": protocol["sha256"],
                "params": header["params"],
            },
            "cell": {"name": sample["name"], "area_cm2": sample.get("area_cm2")},
            "channel": {"name": found.place, "instrument": header["instrument"]["model"]},
            "version": __version__,
        },
    )


def plan_of(ready: Prepared) -> str:
    """As `nakctl plan` prints it."""
    told = (ready.plan, ready.program, ready.estimate, ready.findings, ready.instrument)
    return plan_text(*told, datetime.now().astimezone(), ready.simulated)


def _about(one: AskedRun, run_id: str) -> dict[str, Any]:
    ready = one.ready
    plan, cell, document = ready.plan, ready.cell, ready.loaded.document
    return {
        "run_id": run_id,
        "file": str(one.out),
        "host": node(),
        "title": layout.title({"title": plan.name, "simulated": ready.simulated}),
        "simulated": ready.simulated,
        "protocol": {
            "name": plan.name,
            "file_name": Path(document.file).name,
            "sha256": hashlib.sha256(document.text.encode()).hexdigest(),
            "params": dict(plan.params),
        },
        "plan": plan_of(ready),
        "cell": {"name": cell.name, "area_cm2": cell.area_cm2},
        "channel": {"name": ready.place.name, "instrument": ready.instrument.name},
        "version": __version__,
    }


def _begin(one: AskedRun, options: Options) -> Begin:
    def begin(say: Any, is_wanted: Any) -> Path:
        _refuse_rewritten(one)
        for said in leftovers({one.out.parent}, [one.ready.place]):
            say(said)
        job = job_of(one, options, _typed(one, options))
        return started(job, say, is_wanted)

    return begin


def _refuse_rewritten(one: AskedRun) -> None:
    """The documents have told what its text is. Whether it is another run is asked by whoever runs it."""
    document = one.ready.loaded.document
    if read_file(library.find(one.file), ProtocolError).text != document.text:
        raise InputError(f"{document.file} was changed since it was prepared: prepare it again")


def _typed(one: AskedRun, options: Options) -> list[str]:
    """What a terminal would be told for the same run; the file keeps it."""
    wishes = one.wishes
    words: list[object] = ["run", one.file]
    for word, value in (("--on", wishes.on), ("--cell", wishes.cell), ("--rig", wishes.rig)):
        words += [] if value is None else [word, value]
    for name, text in wishes.sets.items():
        words += ["--set", f"{name}={text}"]
    words += ["--dry"] if wishes.dry else []
    words += [] if options.speed is None else ["--speed", f"{options.speed:g}"]
    words += ["--seed", options.seed] if options.seed else []
    words += ["--note", options.note] if options.note else []
    return [*map(str, words), "--out", str(options.out)]
