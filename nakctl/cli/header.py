"""What a run's file says of itself before its first row."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import uuid
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from getpass import getuser
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from typing import Any

from nakctl import __version__
from nakctl.booking import layout
from nakctl.cli.prepare import Prepared
from nakctl.device.channel import ChannelInfo
from nakctl.device.driver import Place
from nakctl.device.ends import End
from nakctl.plan.estimate import Amount
from nakctl.plan.held import ahead, held
from nakctl.plan.plan import leaves
from nakctl.plan.scene import Leaf, Scene
from nakctl.render.plan_json import limits_json, plan_json, rules_json
from nakctl.render.program_text import program_text

FOR_ONE_RUN = ("load_firmware", "discard_rows")  # what a place is only allowed on the command line
LIVE_BYTES_PER_ROW = 60.0  # its columns as they are, and what belongs to them
_PACKAGES = ("numpy", "h5py", "pydantic", "typer", "PyYAML")
_OID, _NONE_YET = "# branch.oid ", "(initial)"  # as git says them


def header(
    ready: Prepared, info: ChannelInfo, start: datetime, note: str, seed: int, speed: float = 1.0
) -> dict[str, Any]:
    """As `nakctl.record.recorder` describes it. speed: of the run's clock."""
    document = ready.loaded.document
    cell = ready.cell
    told = plan_json(
        ready.plan, ready.program, ready.estimate, ready.findings, ready.instrument, start, info.simulated
    )
    plan = json.dumps(told, ensure_ascii=False)
    total = ready.estimate.total
    return {
        "format": layout.FORMAT,
        "run_id": str(uuid.uuid4()),
        "start_time": start.isoformat(timespec="milliseconds"),
        "title": ready.plan.name,
        "simulated": info.simulated,
        "user": {"name": _user()},
        "sample": {
            "name": cell.name,
            "area_cm2": cell.area_cm2,
            "working": cell.working,
            "counter": cell.counter,
            "reference": cell.reference,
            "electrolyte": cell.electrolyte,
            "source": cell.source,
            "facts": cell.facts,
            "capacity_C": cell.capacity_C,
            "working_is": cell.working_is,
            "three_electrodes": cell.three_electrodes,
        },
        "instrument": {
            "model": info.instrument,
            "channel": info.channel,
            "driver": ready.place.driver,
            "facts": info.facts,
            **({"dry_run_of": ready.place.dry_for} if ready.place.dry_for else {}),
        },
        "protocol": {
            "file_name": Path(document.file).name,
            "data": document.text,
            "sha256": hashlib.sha256(document.text.encode()).hexdigest(),
            "tables": dict(ready.loaded.texts) or None,  # the files that it names, by name
        },
        "plan": {
            "data": plan,
            "sha256": hashlib.sha256(plan.encode()).hexdigest(),
            "compiler": f"nakctl {__version__}",
        },
        "program": program_text(ready.program),
        "params": ready.plan.params,
        "rules": rules_json(ready.plan),
        "limits": limits_json(ready.plan.limits),
        "environment": _environment(),
        "command_line": " ".join(["nakctl", *sys.argv[1:]]),
        "git": _git(Path(document.file)),
        "note": note,
        "seed": seed,
        "place": _place(ready.place) if ready.driver.outlives else None,
        "speed": speed,
        "held_alone": _held_alone(ready),
        "planned_s": ready.estimate.duration_s,
        "three_electrode": ready.plan.three_electrodes,
        "I_ranges": {each.code: each.name for each in ready.instrument.I_ranges},
        "expected_bytes": 0 if total is None else _expected_bytes(total, ready.estimate.poll_s),
    }


def _place(place: Place) -> dict[str, Any]:
    """Where whoever comes after this program finds the channel, which outlives it."""
    return {
        "name": place.name, "driver": place.driver, "instrument": place.instrument, "channel": place.channel,
        "options": {name: value for name, value in place.options.items() if name not in FOR_ONE_RUN},
    }  # fmt: skip


def _held_alone(ready: Prepared) -> dict[str, list[str]]:
    """Of each step, by its step_id: the limits that hold in it while no program watches; and those that do
    not, in it or in what its chain goes on to by itself."""
    scene = Scene(ready.plan, ready.program, ready.instrument)
    by_step: dict[int, list[Leaf]] = {}
    for leaf in leaves(ready.plan.steps):
        by_step.setdefault(leaf.step_id, []).append(leaf)
    found = {step_id: held(mine, scene) for step_id, mine in by_step.items()}
    told = {}
    for step_id, one in found.items():
        missing = (found[each].missing for each in ahead(step_id, scene.chain(by_step[step_id][0])))
        told[str(step_id)] = [_texts(one.always), _texts(dict.fromkeys(chain.from_iterable(missing)))]
    return told


def _texts(ends: Iterable[End]) -> str:
    return ", ".join(end.text for end in ends)


def _expected_bytes(total: Amount, poll_s: float | None) -> int:
    """Of the journal, of the view of it that others may read meanwhile, and of the sealed file."""
    live = total.samples * LIVE_BYTES_PER_ROW
    return round(total.journal_bytes(poll_s) + live + total.file_bytes(poll_s))


def asked_by(protocol: str) -> dict[str, Any]:
    """What the header says of who asked for the run, where it is done elsewhere. protocol: its file."""
    return {"user": {"name": _user()}, "git": _git(Path(protocol))}


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError, ImportError):  # an account without a name, in a container
        return ""


def _environment() -> dict[str, str]:
    found = {"os": platform.platform(), "python": platform.python_version(), "host": platform.node()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _git(file: Path) -> dict[str, Any]:
    """Commit of the repository that the protocol's file is in; empty if it is in none, or there is no git."""
    with suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(
            [
                "git",
                "--literal-pathspecs",
                "status",
                "--porcelain=v2",
                "--branch",
                "--no-ahead-behind",
                "--",
                file.name,
            ],
            cwd=file.resolve().parent,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"},  # nobody's commit is to find the index locked by us
            capture_output=True,
            timeout=5,
            check=True,
        ).stdout.decode(errors="replace")
        lines = said.splitlines()
        commit = next((each.removeprefix(_OID) for each in lines if each.startswith(_OID)), _NONE_YET)
        if commit != _NONE_YET:
            return {"commit": commit, "dirty": any(not each.startswith("#") for each in lines)}
    return {}
