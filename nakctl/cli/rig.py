"""What is done with rig files: `rig init`, `rig check`, `rig schema`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from nakctl.cli.check import errors
from nakctl.cli.devices import look, words
from nakctl.cli.json_output import print_json
from nakctl.device.inspection import Chassis, Found
from nakctl.errors import ChannelError, ExitCode, InputError, RigError
from nakctl.protocol import library
from nakctl.rig import SIMULATED, Rig, find_rig, survey
from nakctl.rig.first import rig_text
from nakctl.rig.schema import FILE as SCHEMA_FILE
from nakctl.rig.schema import text
from nakctl.rig.survey import Seen

NOTHING = Rig(None, {}, {}, {}, {})
ASK = "Name their addresses: nakctl rig init 192.168.0.5"
ASK_ANOTHER = "nakctl devices looks for them"


def init(addresses: list[str], sdk_path: Path | None, out: Path) -> int:
    """Nothing is written unless an instrument answered. Its schema comes beside it, for editors."""
    if out.exists():
        raise InputError(f"{out} exists already; nothing is overwritten")
    if not out.parent.is_dir():
        raise InputError(f"there is no folder {out.parent}")
    found = _answering(addresses, sdk_path)
    out.write_text(rig_text(found, words(sdk_path), datetime.now().astimezone().date()), encoding="utf-8")
    beside = out.parent / SCHEMA_FILE
    if not beside.exists():
        beside.write_bytes((library.folder() / SCHEMA_FILE).read_bytes())
    print(f"{out} (and {SCHEMA_FILE}, which editors use)")
    return check(out, as_json=False)


def _answering(addresses: list[str], sdk_path: Path | None) -> list[tuple[str, Found]]:
    """Each instrument with its driver and its channels. ChannelError: there is none."""
    seen = look(addresses, sdk_path, NOTHING)
    asked = [each if each.found is None or each.found.channels else _ask(each, sdk_path) for each in seen]
    found = [(each.driver, each.found) for each in asked if each.found is not None]
    if not any(each.model and each.channels for _, each in found):
        troubles = [each.trouble for each in asked if each.trouble]
        there = f" there; {ASK_ANOTHER}" if addresses else f". {ASK}"
        raise ChannelError("\n".join([*troubles, f"no instrument that nakctl has data of answers{there}"]))
    return found


def _ask(seen: Seen, sdk_path: Path | None) -> Seen:
    """A search tells serial numbers but no channels; the instrument itself the reverse."""
    options = {"address": seen.address, **words(sdk_path)}
    asked = survey.ask(Chassis(seen.address, seen.driver, "", {}, options))
    if asked.found is None or seen.found is None:
        return asked
    return replace(asked, found=replace(asked.found, serial=seen.found.serial, name=seen.found.name))


def check(file: Path, as_json: bool) -> int:
    """Faults with their lines, exit 2; else what the file names."""
    try:
        rig = find_rig(file)
    except RigError as error:
        if not as_json:
            raise
        print_json({"file": str(file), "ok": False, "errors": errors(error)})
        return ExitCode.BAD_INPUT
    dry = {name: rig.stand_in(cell) for name, cell in rig.cells.items()}
    named = {name: place.instrument for name, place in rig.places.items() if name not in SIMULATED}
    if as_json:
        ways = [{"way": way.label, "on": way.on, "channels": way.channels} for way in rig.ways]
        told = {"channels": named, "cells": [*rig.cells], "sensors": _sensors(rig), "notify": ways}
        told["simulated_as"] = dry
        print_json({"file": str(file), "ok": True, "errors": [], **told})
        return ExitCode.DONE
    sensors = [
        f"{name} ({each['kind']}; in a dry run: {each['dry_run'] or 'none'})"
        for name, each in _sensors(rig).items()
    ]
    cells = [f"{name} (in a dry run: {known or 'none'})" for name, known in dry.items()]
    lists = {"channels": [*named], "cells": cells, "sensors": sensors}
    if rig.ways:
        lists["notify"] = [way.label for way in rig.ways]
    told_all = [f"{what}: {', '.join(names) or 'none'}" for what, names in lists.items()]
    print(f"{file}: ok; {'; '.join(told_all)}")
    return ExitCode.DONE


def _sensors(rig: Rig) -> dict[str, dict[str, str | None]]:
    """The kind of each, and what is read in its place in virtual time; None: nothing, it is real."""
    return {
        name: {"kind": spec.kind, "dry_run": seen.address if seen.simulated else None}
        for name, spec in rig.sensors.items()
        for seen in [rig.stand_ins.get(name, spec)]
    }


def schema() -> int:
    print(text(), end="")
    return ExitCode.DONE
