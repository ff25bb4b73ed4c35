"""`nakctl channels`: what each channel of the rig does, and who runs there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nakctl.cli.devices import print_table
from nakctl.cli.json_output import print_json
from nakctl.device.inspection import ChannelState, Chassis
from nakctl.errors import ExitCode, NakctlError
from nakctl.rig import Rig, find_rig, survey
from nakctl.rig.claim import Claim, holder
from nakctl.text.numbers import si


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
