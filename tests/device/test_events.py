"""Codes of events stand in one table, and nothing else is ever told."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from nakctl.booking import layout
from nakctl.device.events import ALARM, EVENTS, NOTE, WARNING

ROOT = Path(__file__).parents[2]
SOURCES = [file for shelf in ("nakctl", "drivers", "sim") for file in (ROOT / shelf).rglob("*.py")]
# Functions that are given a severity and a code, side by side; and those whose code gets this in front.
TELL = {
    "Notice",
    "SensorNotice",
    "Event",
    "note",
    "note_at",
    "_event",
    "add",
    "_add",
    "_say",
    "_tell",
    "_notice",
}
OF_A_SENSOR = {"health.py"}


def told() -> Iterator[tuple[Path, int, str]]:
    """File, severity and code, wherever both stand in the source as they are."""
    for file in SOURCES:
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            for severity, code in zip(call.args, call.args[1:], strict=False):
                if name in TELL and isinstance(code, ast.Constant) and isinstance(code.value, str):
                    prefix = "sensor_" if file.name in OF_A_SENSOR else ""
                    yield from ((file, each, prefix + code.value) for each in severities(severity))


def severities(given: ast.expr) -> list[int]:
    parts = (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,)
    values = [part.value for part in parts if isinstance(part, ast.Constant)]
    return [value for value in values if type(value) is int and value in (NOTE, WARNING, ALARM)]


def test_what_is_told_stands_in_the_table_with_that_severity() -> None:
    found = list(told())
    assert len(found) > 40
    unknown = {(file.name, severity, code) for file, severity, code in found if code not in EVENTS}
    assert unknown == set()
    other = {
        (file.name, severity, code)
        for file, severity, code in found
        if severity not in EVENTS[code].severities
    }
    assert other == set()


@pytest.mark.parametrize("code", EVENTS)
def test_every_code_fits_into_the_file_and_is_told_somewhere(code: str) -> None:
    assert len(code) <= layout.EVENTS.dtype["code"].itemsize
    text = "".join(file.read_text(encoding="utf-8") for file in SOURCES if file.name != "events.py")
    assert f'"{code}"' in text or f'"{code.removeprefix("sensor_")}"' in text


def test_the_file_says_what_they_mean() -> None:
    column = next(column for column in layout.EVENTS.columns if column.name == "code")
    assert column.attributes["meaning"].startswith("segment: a chain began")
    assert "frozen: readings do not change by a bit" in column.attributes["meaning"]
