"""What is told of instruments: `devices`, `doctor`, `channels`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nakctl.cli.json_output import print_json
from nakctl.device.inspection import ChannelState, Chassis, Diagnosis
from nakctl.errors import ExitCode, NakctlError
from nakctl.rig import Rig, find_rig, survey
from nakctl.rig.claim import Claim, holder
from nakctl.rig.survey import Seen
from nakctl.text.numbers import si


def words(sdk_path: Path | None) -> dict[str, object]:
    """What the command line tells a driver."""
    return {} if sdk_path is None else {"sdk_path": str(sdk_path)}


# --- devices ---------------------------------------------------------------------------------------------


def devices(addresses: list[str], sdk_path: Path | None, rig_file: Path | None, as_json: bool) -> int:
    """Exit 3 if somebody who was asked by name did not answer, or if there was no way to search."""
    seen = look(addresses, sdk_path, find_rig(rig_file))
    if as_json:
        print_json({"devices": [_seen(each) for each in seen]})
    else:
        _print_seen(seen)
    return ExitCode.INSTRUMENT if any(each.trouble for each in seen) else ExitCode.DONE


def look(addresses: list[str], sdk_path: Path | None, rig: Rig) -> list[Seen]:
    """Ask the addresses given; without any, search, and ask all that the rig names."""
    if not addresses:
        return list(survey.everything(rig, words(sdk_path)))
    return [survey.ask(survey.chassis(rig, address, words(sdk_path))) for address in addresses]


def _seen(seen: Seen) -> dict[str, Any]:
    told: dict[str, Any] = {"address": seen.address, "driver": seen.driver, "rig": seen.rig}
    return told | ({"trouble": seen.trouble} if seen.found is None else asdict(seen.found))


def _print_seen(seen: list[Seen]) -> None:
    there = [each for each in seen if each.found is not None]
    if there:
        print_table(("address", "kind", "serial", "link", "in the rig"), map(_row, there))
    elif not any(each.trouble for each in seen):
        print("nobody answers: is the instrument on, in this network, and the firewall open for its finder?")
    for each in seen:
        if each.trouble:
            print(f"{each.address or f'search ({each.driver})'}: {each.trouble}")


def _row(seen: Seen) -> tuple[str, ...]:
    found = seen.found
    assert found is not None
    return (found.address, found.kind, found.serial or "-", found.link, seen.rig or "-")


def print_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    lines = [head, *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    for line in lines:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


# --- doctor ----------------------------------------------------------------------------------------------


def doctor(target: str | None, sdk_path: Path | None, rig_file: Path | None, as_json: bool) -> int:
    """Exit 3 if anything is found that keeps a run from starting."""
    patients = _patients(target, sdk_path, find_rig(rig_file))
    reports = [_examine(patient, quiet=as_json) for patient in patients]
    findings = [each for _, found in reports for each in found]
    errors = sum(each.severity == "error" for each in findings)
    warnings = sum(each.severity == "warning" for each in findings)
    if as_json:
        told = [_report(patient, found) for patient, found in reports]
        print_json({"ok": errors == 0, "errors": errors, "warnings": warnings, "devices": told})
    else:
        print(f"{errors} error(s), {warnings} warning(s)")
    return ExitCode.INSTRUMENT if errors else ExitCode.DONE


def _patients(target: str | None, sdk_path: Path | None, rig: Rig) -> list[Chassis]:
    """The one named, else all of the rig, else what the drivers themselves need."""
    if target is not None:
        return [survey.chassis(rig, target, words(sdk_path))]
    if rig.devices:
        return list(rig.devices.values())
    return [Chassis(name, name, "", {}, words(sdk_path)) for name in survey.inspectors()]


def _examine(patient: Chassis, *, quiet: bool) -> tuple[Chassis, list[Diagnosis]]:
    """Told as it comes: a connection that fails takes its time."""
    if not quiet:
        at = f" at {patient.address}" if patient.address not in ("", patient.name) else ""
        print(f"{patient.name}{at}", flush=True)
    found = []
    for each in survey.inspector(patient.driver).inspect(patient):
        found.append(each)
        if not quiet:
            print(f"  {each.severity:<7}  {each.about}: {each.fact}", flush=True)
            if each.remedy:
                print(f"           -> {each.remedy}", flush=True)
    return patient, found


def _report(patient: Chassis, found: list[Diagnosis]) -> dict[str, Any]:
    return {"name": patient.name, "address": patient.address, "findings": [asdict(each) for each in found]}


# --- channels --------------------------------------------------------------------------------------------


def channels(rig_file: Path | None, as_json: bool) -> int:
    """Exit 3 if a device of the rig does not answer."""
    rig = find_rig(rig_file)
    rows = list(_channels(rig))
    if as_json:
        print_json({"channels": rows})
    else:
        print_table(("channel", "instrument", "state", "Ewe", "I", "who"), map(_channel_row, rows))
    return ExitCode.INSTRUMENT if any("trouble" in row for row in rows) else ExitCode.DONE


def _channels(rig: Rig) -> Iterator[dict[str, Any]]:
    """The rig's channels device by device, then those that need no device."""
    seated: set[str] = set()
    for device in rig.devices.values():
        seated.update(device.channels.values())
        yield from _of_device(device)
    for name, place in rig.places.items():
        if name not in seated:
            yield {"channel": name, "instrument": place.instrument, "state": "simulated"}


def _of_device(device: Chassis) -> Iterator[dict[str, Any]]:
    trouble, found = "", {}
    try:
        found = survey.states(device)
    except NakctlError as error:
        trouble = str(error)
    for number, name in sorted(device.channels.items()):
        claim = holder(device.driver, device.address, number)
        row: dict[str, Any] = {"channel": name, "instrument": device.model, "number": number}
        if trouble:
            yield row | {"state": "does not answer", "trouble": trouble, **_owner(claim, None)}
        elif number not in found:
            yield row | {"state": "not plugged", "trouble": f"{device.name} has no channel {number}"}
        else:
            yield row | asdict(found[number]) | _owner(claim, found[number])


def _owner(claim: Claim | None, state: ChannelState | None) -> dict[str, Any]:
    """Who runs there: a run of this computer, else what stands on the instrument."""
    if claim is not None:
        return {"owner": str(claim), "run": asdict(claim)}
    return {"owner": state.owner if state is not None and state.state == "running" else ""}


def _channel_row(row: dict[str, Any]) -> tuple[str, ...]:
    Ewe_V, I_A = row.get("Ewe_V"), row.get("I_A")
    firmware = row.get("firmware", "kernel")
    state = row["state"] if firmware in ("", "kernel") else f"{row['state']} (firmware: {firmware})"
    return (
        row["channel"],
        row["instrument"],
        state,
        "-" if Ewe_V is None else f"{Ewe_V:+.4f} V",
        "-" if I_A is None else si(I_A, "A"),
        row.get("owner") or row.get("trouble") or "-",
    )
