"""`nakctl doctor --first-day`: what an instrument teaches on a dummy cell, on screen and in a file."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from nakctl import __version__
from nakctl.cli import console
from nakctl.cli.devices import words
from nakctl.cli.json_output import print_json
from nakctl.device.driver import Driver, Place, Teacher
from nakctl.device.inspection import Chassis, Lesson, Verdict
from nakctl.errors import ExitCode, InputError, RigError
from nakctl.rig import find_rig, load_driver, survey
from nakctl.rig.claim import claimed
from nakctl.run.clock import WallClock

FORMAT = "nakctl first day 1"
ASKED = "Is a dummy cell, and nothing else, connected to {where}?"


@dataclass(frozen=True, slots=True)
class Where:
    """What the command line says about the channel."""

    target: str | None
    channel: int | None
    rig: Path | None
    sdk_path: Path | None
    load_firmware: bool


def first_day(where: Where, sure: bool, out: Path, as_json: bool) -> int:
    """Whatever was learned is in the file, also if the instrument stops answering half-way."""
    if where.target is None:
        raise InputError("--first-day needs to know where: nakctl doctor --first-day ADDRESS CHANNEL")
    if out.exists():
        raise InputError(f"{out} exists already; nothing is overwritten: name another with --out")
    chassis = _chassis(where, where.target)
    place = _place(chassis, where.target, where.channel)
    driver = _teacher(chassis)
    _confirm(f"channel {place.channel} of {chassis.address or chassis.name}", sure)
    with claimed(place, "first day", out):
        learned = driver.first_day(chassis, place.channel, WallClock())
        lessons = list(_told(_kept(learned, out, place), quiet=as_json))
    if as_json:
        print_json({"file": str(out), "lessons": [plain(each) for each in lessons]})
    else:
        print(f"{_sum(lessons)}; file {out}")
    return ExitCode.DONE


def _chassis(where: Where, target: str) -> Chassis:
    found = survey.chassis(find_rig(where.rig), target, words(where.sdk_path))
    return replace(found, options={**found.options, "load_firmware": where.load_firmware})


def _place(chassis: Chassis, target: str, channel: int | None) -> Place:
    """The channel meant: its number, or its name in the rig. InputError: neither."""
    named = {name: number for number, name in chassis.channels.items()}
    number = channel if channel is not None else named.get(target)
    if number is None:
        raise InputError(f"--first-day needs a channel: nakctl doctor --first-day {target} CHANNEL")
    name = chassis.channels.get(number, f"{chassis.name}/ch{number}")
    return Place(name, chassis.driver, chassis.model, number, chassis.options)


def _teacher(chassis: Chassis) -> Teacher:
    driver: Driver = load_driver(chassis.driver)
    if isinstance(driver, Teacher):
        return driver
    raise RigError(f"the driver {chassis.driver} has no open questions to settle")


def _confirm(where: str, sure: bool) -> None:
    """Asked on a terminal; elsewhere it has to be said beforehand."""
    question = ASKED.format(where=where)
    if sure:
        return
    if not sys.stdin.isatty():
        raise InputError(f"{question} Then say so: --yes-dummy-cell")
    if console.ask(f"{question} [yes/no] ").strip().lower() != "yes":
        raise InputError("nothing was started")


def _kept(lessons: Iterable[Lesson], out: Path, place: Place) -> Iterator[Lesson]:
    """The file is written anew with each lesson."""
    about = {
        "format": FORMAT,
        "nakctl": __version__,
        "start": datetime.now().astimezone().isoformat(timespec="seconds"),
        "driver": place.driver,
        "address": place.options.get("address"),
        "channel": place.channel,
    }
    learned: list[dict[str, Any]] = []
    for lesson in lessons:
        learned.append(plain(lesson))
        text = json.dumps(about | {"lessons": learned}, indent=1, ensure_ascii=False, allow_nan=False)
        out.write_text(text + "\n", encoding="utf-8")
        yield lesson


def plain(lesson: Lesson) -> dict[str, Any]:
    """As JSON has it: without NaN and infinity, which are no numbers there."""
    told = asdict(lesson)
    facts = {key: _number(value) for key, value in lesson.facts.items()}
    return told | {"assumed": _number(lesson.assumed), "found": _number(lesson.found), "facts": facts}


def _number(value: object) -> object:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _told(lessons: Iterable[Lesson], *, quiet: bool) -> Iterator[Lesson]:
    for lesson in lessons:
        if not quiet:
            print(f"{lesson.verdict:<9}  {lesson.question}  {_text(lesson.found)}", flush=True)
            print(f"           {lesson.bears_on} (now: {_text(lesson.assumed)})", flush=True)
            if lesson.advice:
                print(f"           -> {lesson.advice}", flush=True)
        yield lesson


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "nothing" if value == "" else str(value)


def _sum(lessons: list[Lesson]) -> str:
    counts = Counter(each.verdict for each in lessons)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in get_args(Verdict))
