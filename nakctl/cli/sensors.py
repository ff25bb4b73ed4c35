"""`nakctl sensors`: what is on the bench, what it shows now, and how to get a new one into rig.yaml."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from nakctl.cli.json_output import print_json
from nakctl.device.sensor import Proposal, SensorSpec, SensorTrouble, load_service
from nakctl.errors import ExitCode, InputError, RigError
from nakctl.rig import RIG_FILE, find_rig
from nakctl.rig.sensors import NAME


def list_all(rig: Path | None, as_json: bool) -> int:
    """Every sensor of the rig, read once. Its exit code says whether all of them answered."""
    found = find_rig(rig)
    if found.file is None:
        raise RigError(f"there is no {RIG_FILE} here, so no sensors; nakctl sensors probe PORT begins one")
    shown = [_read(spec) for spec in found.sensors.values()]
    if as_json:
        print_json(shown)
    elif not shown:
        print(f"{found.file} has no sensors")
    for one in [] if as_json else shown:
        if one["error"]:
            print(f"{one['name']:<16} {one['error']}")
        else:
            value = f"{one['value']:.6g} {one['unit']}"
            print(f"{one['name']:<16} {value:<24} {one['kind']} {one['address']}")
    return ExitCode.INSTRUMENT if any(one["error"] for one in shown) else ExitCode.DONE


def _read(spec: SensorSpec) -> dict[str, Any]:
    about = {"name": spec.name, "kind": spec.kind, "address": spec.address, "unit": spec.unit}
    try:
        raw = load_service().read_once(spec)
    except SensorTrouble as trouble:
        return about | {"value": None, "error": str(trouble)}
    return about | {"value": spec.calibrated(raw.value), "error": ""}


def dialogues(as_json: bool) -> int:
    """The ready ones, with where each was written from."""
    ready = load_service().dialogues()
    if as_json:
        print_json(ready)
        return ExitCode.DONE
    for name, words in ready.items():
        print(f"{name:<16} {words['kind']:<7} {words['source']}")
    return ExitCode.DONE


def ports() -> int:
    """The serial ports, with the names that their adapters keep."""
    there = load_service().ports()
    for port in there:
        print(f"{port.device:<16} {port.usb:<24} {port.description}".rstrip())
    if not there:
        print("this computer has no serial ports; nakctl sensors probe takes VISA addresses, too")
    return ExitCode.DONE


def probe(where: str, name: str, known: dict[str, str], rig: Path | None, write: bool) -> int:
    """Find out how to talk to what stands there, and say or write its entry."""
    if not NAME.fullmatch(name):
        raise InputError(f"--name {name}: begin with a letter, and use letters, digits and _ only")
    proposal = load_service().probe(where, known, lambda line: print(line, file=sys.stderr))
    for line, made in proposal.heard:
        print(f"# {line}  ->  {made}")
    print(f"# {proposal.remark}")
    lines = entry(name, proposal)
    if not write:
        print("\n".join(["sensors:", *lines]))
        if proposal.doubt:
            print(f"# not ready: {proposal.doubt}")
        return ExitCode.DONE
    if proposal.doubt:
        raise InputError(f"nothing is written: {proposal.doubt}")
    file = rig or Path(RIG_FILE)
    _add(file, name, lines)
    print(f"{file}: added {name}; nakctl sensors reads it")
    return ExitCode.DONE


def entry(name: str, proposal: Proposal) -> list[str]:
    """The lines that go under `sensors:`."""
    import yaml

    text = yaml.safe_dump(
        proposal.words, sort_keys=False, allow_unicode=True, default_flow_style=False, width=1000
    )
    return [f"  {name}:", *(f"    {line}" for line in text.splitlines())]


def _add(file: Path, name: str, lines: list[str]) -> None:
    """Put an entry at the head of `sensors:`, leaving every other line of the file as it is."""
    known = find_rig(file).sensors if file.exists() else {}
    if name in known:
        raise InputError(f"{file} has a sensor {name} already: choose another --name")
    text = file.read_text(encoding="utf-8") if file.exists() else "nakctl-rig: 1\n"
    had = text.splitlines()
    at = next((k + 1 for k, line in enumerate(had) if line.split("#")[0].rstrip() == "sensors:"), None)
    if at is None:
        if any(line.startswith("sensors:") for line in had):
            raise InputError(f"{file}: write `sensors:` with one sensor per line, then this can add to it")
        had, at = [*had, "sensors:"], len(had) + 1
    made = "\n".join([*had[:at], *lines, *had[at:]]) + "\n"
    file.write_text(made, encoding="utf-8")
    try:
        find_rig(file)
    except RigError:
        file.write_text(text, encoding="utf-8") if had else None
        raise
