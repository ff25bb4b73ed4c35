"""`nakctl devices`: the instruments that answer; and what all commands about instruments begin with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nakctl.cli.json_output import print_json
from nakctl.errors import ExitCode
from nakctl.rig import Rig, find_rig, survey
from nakctl.rig.survey import Seen


def words(sdk_path: Path | None) -> dict[str, object]:
    """What the command line tells a driver."""
    return {} if sdk_path is None else {"sdk_path": str(sdk_path)}


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
