"""A run whose program died: what is asked for it, and where its channel is."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from nakctl.booking.ending import Ending, interrupted
from nakctl.cli import console
from nakctl.cli.signals import StopAsked
from nakctl.device.cell import Cell
from nakctl.device.channel import Channel, Look
from nakctl.device.driver import Driver, Place
from nakctl.errors import (
    ChannelError,
    ChannelGone,
    ChannelTaken,
    InputError,
    LinkLost,
    RigError,
    typed,
)
from nakctl.record.asked import who_asks
from nakctl.record.journal_reader import JournalReader
from nakctl.rig import RIG_FILE, find_rig, load_driver
from nakctl.rig.claim import claimed
from nakctl.run import successor
from nakctl.run.clock import WallClock
from nakctl.run.successor import Chain
from nakctl.text.numbers import duration, si


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for a run whose program died. why: somebody comes after it: died, hung, boot or asked.

    mine     the channel is to be switched off whosever it seems: then no row of it is taken
    anew     where nothing of the run is on the channel any more, what is left of it is begun
    allowed  for that: load_firmware, discard_rows, as on the command line of a run
    standing only a chain that has come to its end by itself is cleared up: one that runs is left alone
    """

    mine: bool = False
    standing: bool = False
    anew: bool = False
    allowed: tuple[str, ...] = ()
    rig: Path | None = None
    why: str = "asked"

    def ending(self, chain: Chain) -> Ending:
        """Of a run that is not gone on with."""
        unwatched = duration(unwatched_s(chain))
        if self.standing:
            died = f"its program had died {unwatched} before, and nobody went on with it"
            return interrupted(died, "trouble")
        reason = f"stopped by {who_asks()}; its program had died, and nobody watched for {unwatched}"
        return Ending("end run", reason, "aborted", "operator")


def unwatched_s(chain: Chain) -> float:
    """For how long, at the most, as far as the wall clock tells."""
    return 0.0 if math.isnan(chain.unix_s) else max(0.0, time.time() - chain.unix_s)


class SealAsItIs(Exception):
    """There is nothing to fetch, or nothing that could be kept, and the cell is open: the file is sealed as
    it is. reason: why the run ended, as far as its journal tells.
    """

    def __init__(self, why: str, reason: str = "") -> None:
        super().__init__(why)
        self.reason = reason or why


@dataclass(frozen=True, slots=True)
class DeadRun:
    path: Path
    held: BinaryIO
    journal: JournalReader
    asked: Asked
    signals: StopAsked

    @property
    def header(self) -> Mapping[str, Any]:
        return self.journal.header

    @property
    def speed(self) -> float:
        return float(self.header.get("speed") or 1.0)


def say(case: DeadRun, line: str) -> None:
    console.say(line, to=sys.stderr)


@contextmanager
def opened(case: DeadRun, what: str, *, adopting: bool = True) -> Iterator[Channel]:
    """Connected, with nothing loaded, started or stopped, and let go as it is then. what: it is for.
    ChannelError: nothing has changed.

    adopting  something may run there; else it is opened as for a new run
    """
    driver, place, cell = where(case.header, case.asked.rig)
    place = replace(place, options={**place.options, **dict.fromkeys(case.asked.allowed, True)})
    with claimed(place, f"{what} {case.path.name}", case.path):
        try:
            channel = driver.open(place, cell, WallClock(case.speed), 0, adopting=adopting)
        except ChannelGone as gone:
            raise SealAsItIs(str(gone)) from None
        except ChannelTaken as error:
            recover_it = f"what was recorded: nakctl recover --as-it-is {typed(case.path)}"
            raise ChannelTaken(f"{error} What runs there now is left alone; {recover_it}") from None
        except ChannelError as error:
            kind = LinkLost if isinstance(error, LinkLost) else ChannelError
            raise kind(f"{nothing_changed(case)}: {error}") from None
        try:
            yield channel
        finally:
            with suppress(ChannelError):  # whether the cell is open was asked before
                channel.leave()


def nothing_changed(case: DeadRun) -> str:
    return f"{case.path.name} stays as it is, and its cell may be under current; try again"


def refuse_old(case: DeadRun) -> None:
    """InputError: its journal does not say enough."""
    if "journal" not in case.header:
        raise InputError(
            f"{case.path} was recorded by an older nakctl, which did not keep how its channel is gone on "
            f"with: stop that in the maker's program, then nakctl recover {typed(case.path)}"
        )


# --- whose it is ----------------------------------------------------------------------------------------


def recognised(case: DeadRun, chain: Chain, channel: Channel) -> Look | None:
    """How the channel is, if what is on it is this run's. ChannelTaken: it is not, or nobody knows."""
    mark, look = asked_whose(case, channel)
    whose = successor.owner(mark, str(case.header["run_id"]), chain)
    is_before = whose == "this run, before" or chain.number <= 1
    if whose == "this run" or (is_before and not chain.is_begun):
        return look
    raise ChannelTaken(left_alone(case, mark, look))


def asked_whose(case: DeadRun, channel: Channel) -> tuple[str, Look | None]:
    """The mark that is on the channel, and how it is. LinkLost: nothing has changed."""
    try:
        return channel.whose(), channel.look()
    except LinkLost as error:
        raise LinkLost(f"{nothing_changed(case)}: {error}") from None


def adopt(case: DeadRun, chain: Chain, channel: Channel) -> None:
    """LinkLost: nothing has changed."""
    try:
        channel.adopt(chain.segment, chain.memo, chain.mark)
    except LinkLost as error:
        raise LinkLost(f"{nothing_changed(case)}: {error}") from None


def left_alone(case: DeadRun, mark: str, look: Look | None) -> str:
    file = typed(case.path)
    return (
        f"the channel of {case.path.name} is {shown(look)}, and says that it is of {named(mark)}, not "
        f"of this run: it is left alone. nakctl stop --mine {file} switches it off all the same, and takes "
        f"none of its rows; what {case.path.name} had recorded: nakctl recover --as-it-is {file}"
    )


def named(mark: str) -> str:
    return f'"{mark}"' if mark else "nobody: it has no mark"


def shown(look: Look | None) -> str:
    if look is None:
        return "which does not answer now"
    values = f"{si(look.Ewe_V, 'V')}, {si(look.I_A, 'A')}"
    return f"under current or at rest in a step ({values})" if look.running else f"stopped ({values})"


# --- where its channel is -------------------------------------------------------------------------------


def where(header: Mapping[str, Any], rig_file: Path | None) -> tuple[Driver, Place, Cell]:
    """The channel that a run was on: as its journal says, what that lacks as rig.yaml says. RigError."""
    sample = header.get("sample") or {}
    cell = Cell(str(sample.get("name", "")), float(sample.get("area_cm2") or 0.0) or 1.0)
    told = header.get("place")
    if told is None:
        told = _place_of_old(header, rig_file)
    place = Place(
        told["name"], told["driver"], told["instrument"], int(told["channel"]), dict(told["options"])
    )
    return load_driver(place.driver), place, cell


def is_on(path: Path, place: Place) -> bool:
    """Whether an unsealed run was on this very channel, whatever it was called."""
    with closing(JournalReader(path)) as journal:
        _, mine, _ = where(journal.header, None)
    return _seat(mine) == _seat(place)


def _seat(place: Place) -> tuple[str, str, int]:
    return place.driver, str(place.options.get("address", "")).strip().lower(), place.channel


def _place_of_old(header: Mapping[str, Any], rig_file: Path | None) -> dict[str, Any]:
    """Of a journal that says less: the rest stands in the rig, under the name of the channel."""
    about = header.get("instrument") or {}
    facts, name, driver = about.get("facts") or {}, str(about.get("channel", "")), about.get("driver")
    rig = find_rig(rig_file)
    row = rig.places.get(name)
    if driver is None or (row is not None and row.driver != driver):
        raise RigError(f"{name} of {rig.file or RIG_FILE} is no channel of the driver that recorded this run")
    options: dict[str, Any] = {} if row is None else dict(row.options)
    if "address" in facts:
        options["address"] = facts["address"]
    elif row is None and load_driver(driver).outlives:
        raise RigError(
            f"the journal does not say where {name} is, and {RIG_FILE} has no channel of that name"
        )
    model = about["model"] if row is None else row.instrument
    number = facts.get("channel_number", 1 if row is None else row.channel)
    return {"name": name, "driver": driver, "instrument": model, "channel": number, "options": options}
