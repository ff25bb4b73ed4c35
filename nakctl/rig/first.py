"""A first rig file from the instruments that answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from nakctl.device.inspection import Found
from nakctl.rig.schema import FILE as SCHEMA_FILE

HEAD = """\
# yaml-language-server: $schema=./{schema}
# Which channel is which, written by `nakctl rig init` on {day} from the instruments that answered.
# The names are yours to change: `nakctl run ccd --on NAME`. `nakctl rig check` finds slips in this file,
# `nakctl doctor` looks at the instruments.
nakctl-rig: 1
"""
CELLS = """\
# One entry per cell, with the channel it sits on; its area turns mA/cm2 into mA. Begin with a dummy cell.
# cells:
#   dummy:
#     channel: {channel}
#     area: 1 cm2
#     note: resistor of 1 kohm
"""


def rig_text(found: Iterable[tuple[str, Found]], words: dict[str, object], day: date) -> str:
    """The text of the file. found: each instrument with its driver; words: what else each driver was told."""
    devices = _named([(driver, each) for driver, each in found if each.model])
    channels = [(f"{name}/ch{number}", name, number) for name, _, each in devices for number in each.channels]
    parts = [HEAD.format(schema=SCHEMA_FILE, day=day.isoformat())]
    parts += ["devices:", *(line for row in devices for line in _device(*row, words)), ""]
    parts += [
        "channels:",
        *(f"  {name}: {{device: {of}, channel: {number}}}" for name, of, number in channels),
        "",
    ]
    return "\n".join([*parts, CELLS.format(channel=channels[0][0])])


def _named(found: list[tuple[str, Found]]) -> list[tuple[str, str, Found]]:
    """sp300, vmp3, vmp3-2: after the model, numbered where there are several."""
    named: list[tuple[str, str, Found]] = []
    for driver, each in found:
        stem = "".join(filter(str.isalnum, each.model)).lower()
        same = sum(1 for name, _, _ in named if name.partition("-")[0] == stem)
        named.append((f"{stem}-{same + 1}" if same else stem, driver, each))
    return named


def _device(name: str, driver: str, found: Found, words: dict[str, object]) -> Iterator[str]:
    serial = f", serial number {found.serial}" if found.serial else ""
    yield f"  {name}:  # {found.kind}{serial}"
    if found.kind != found.model:
        yield f"    # nakctl has no data of this kind: those of its family, of the {found.model}, are taken"
    yield f"    driver: {driver}"
    yield f"    model: {found.model}"
    yield f"    address: {found.address}"
    for word, value in words.items():
        yield f"    {word}: {_quoted(str(value))}"


def _quoted(text: str) -> str:
    """In single quotes a backslash of Windows is only that."""
    return "'" + text.replace("'", "''") + "'"
