"""The Task Scheduler of Windows, asked by its own command line."""

from __future__ import annotations

import csv
import ctypes
import io
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from nakctl.errors import NakctlError
from nakctl.host import tools
from nakctl.host.tools import Tool

_NAME_SAM_COMPATIBLE = 2  # secext.h: DOMAIN\name
_NEVER_RAN = "267011"  # SCHED_S_TASK_HAS_NOT_RUN; then the date of the last time is one of long ago
_RUNS = "267009"  # SCHED_S_TASK_RUNNING
# Columns of `/Query /V /FO CSV`, by place: their names are in the language of the system.
_NEXT, _LAST, _CODE = 2, 5, 6


class Refused(NakctlError):
    """The scheduler did not do it."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task that is known to it. last, next: times as the system writes them, "" if there are none.

    code  with which it ended the last time; None: it never ran, or runs now
    """

    last: str = ""
    next: str = ""
    code: int | None = None


def create(name: str, xml: str, ask: Tool = tools.ask) -> None:
    """Or replace it."""
    handle, place = tempfile.mkstemp(prefix="nakctl-", suffix=".xml")
    os.close(handle)
    file = Path(place)
    try:
        file.write_text(xml, encoding="utf-16")  # with a mark of the byte order, or it is not read
        _do(ask, "/Create", "/TN", name, "/XML", str(file), "/F")
    finally:
        file.unlink(missing_ok=True)


def run(name: str, ask: Tool = tools.ask) -> None:
    _do(ask, "/Run", "/TN", name)


def delete(name: str, ask: Tool = tools.ask) -> None:
    """What it has started goes on."""
    _do(ask, "/Delete", "/TN", name, "/F")


def find(name: str, ask: Tool = tools.ask) -> Task | None:
    """None: there is no such task."""
    said = ask("schtasks", "/Query", "/TN", name, "/FO", "CSV", "/NH", "/V")
    if said.code:
        return None
    row = next(csv.reader(io.StringIO(said.out.strip())), [])
    if len(row) <= _CODE:
        return Task()
    code, last = row[_CODE], row[_LAST]
    if code == _NEVER_RAN:
        return Task(next=row[_NEXT])
    ended = int(code) if code.lstrip("-").isdigit() and code != _RUNS else None
    return Task(last, row[_NEXT], ended)


def user() -> str:
    """This user as DOMAIN\\name. Not by the environment: a remote session may have a wrong one there."""
    if sys.platform == "win32":
        name, size = ctypes.create_unicode_buffer(512), ctypes.c_ulong(512)
        if ctypes.WinDLL("secur32").GetUserNameExW(_NAME_SAM_COMPATIBLE, name, ctypes.byref(size)):
            return name.value
    domain, name_only = os.environ.get("USERDOMAIN", ""), os.environ.get("USERNAME", "")
    return f"{domain}\\{name_only}" if domain else name_only


def is_administrator() -> bool:
    """Whether this process may do what only an administrator may."""
    return sys.platform == "win32" and bool(ctypes.WinDLL("shell32").IsUserAnAdmin())


def _do(ask: Tool, *words: str) -> None:
    if complaint := ask("schtasks", *words).complaint:
        raise Refused(f"the Task Scheduler says: {complaint}")
