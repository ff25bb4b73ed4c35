"""Who comes after a program that died: what it left, told from the journal, and whose a channel is.

Replay books; it never judges again. What was meant and done stands in the entries, so where the run is, what
was to become of it, and what its next row is judged by, is read and not guessed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Literal, Protocol

from nakctl.booking.book import Book, in_force, segment_of
from nakctl.booking.ending import Ending
from nakctl.booking.entry import Entry, Kind, ending_in, ends_before, is_stopped, look_of, visit_of
from nakctl.decide.cut import is_cut
from nakctl.decide.engine import ChainEnded, EngineState, Finish, Frame, Phase, react
from nakctl.decide.proof import NOT_FED
from nakctl.device.channel import Look, Visit
from nakctl.device.program import Segment
from nakctl.device.sensor import Ramp

_AT_A_TIME = 1024
NO_SEGMENT = Segment(())
_MARK = re.compile(r"nakctl (?P<run>\S+) (?P<chain>\d+) \d+")


class Journal(Protocol):
    """What is asked of the journal's reading end."""

    def latest(self, *kinds: Kind) -> Iterator[Entry]: ...
    def entries(self, after: int = 0) -> Iterator[Entry]: ...
    def book(self) -> Book: ...
    def memo(self) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True, slots=True)
class Chain:
    """The one that was meant last, as the newest entries tell.

    number     from 1; 0: none was meant
    new_cycle  the host goes round a loop to come to it
    lasting_s  that it was given, if it makes up for what is missing of a step
    is_begun   its start was meant: it may have begun; is_started: its start was answered
    is_over    it was seen stopped, and all its rows are kept
    mark       by which the channel tells that it is this one
    memo       with which a channel goes on behind the newest block of it; {}: none was kept
    unix_s, time_s  of the newest entry; of the wall clock and of the run
    block, sensor_block  that the journal has
    stop       why it was to be stopped, if it was; end: the same of the run
    told       somebody told why it was over; why: what was told, None: it was done
    waits      the run is paused: nothing further is loaded before somebody resumes it; asks: what a person is
               asked for meanwhile
    known      what only the run knew, with which it was to be loaded
    """

    number: int = 0
    segment: Segment = NO_SEGMENT
    new_cycle: bool = False
    lasting_s: float | None = None
    is_begun: bool = False
    is_started: bool = False
    is_over: bool = False
    mark: str = ""
    memo: Mapping[str, Any] = field(default_factory=dict)
    unix_s: float = math.nan
    time_s: float = 0.0
    block: int = 0
    sensor_block: int = 0
    stop: Ending | None = None
    end: Ending | None = None
    told: bool = False
    why: Ending | None = None
    waits: bool = False
    asks: str = ""
    known: tuple[float, ...] = ()

    @property
    def was_cut(self) -> bool:
        """The step that it was left in may not be over, and is if the run ends now."""
        goes_on = self.why is not None and self.why.then == "go on" and self.why.kind != NOT_FED.kind
        return self.waits or goes_on

    @property
    def may_run(self) -> bool:
        """Or have rows that wait."""
        return self.is_begun and not self.is_over


def last_chain(journal: Journal) -> Chain:
    """Read from the end, so it is soon known however long the run is. JournalDamage."""
    found: dict[str, Any] = {}
    for entry in journal.latest("writer", "program", "meant", "done", "said", "over", "asked", "event"):
        found.setdefault("time_s", entry.time_s)
        if math.isfinite(entry.unix_s):
            found.setdefault("unix_s", entry.unix_s)
        for name, value in _told_by(entry, journal).items():
            found.setdefault(name, value)
        if "number" in found:
            break
    if "block" not in found:  # nothing was said of this chain yet
        found["block"] = next((entry.block for entry in journal.latest("said")), 0)
    memo, sensed = journal.memo(), next(journal.latest("sensed"), None)
    if memo is not None and memo["segment"] == found.get("number"):
        found["memo"] = memo["memo"]
    if sensed is not None:
        found["sensor_block"] = int(sensed.facts["block"])
    return Chain(**found)


def _told_by(entry: Entry, journal: Journal) -> dict[str, Any]:
    """What an entry says of the newest chain, as far as no later one did."""
    match entry.kind, entry.facts.get("verb"):
        case "said", _:
            return {"block": entry.block, "is_over": is_stopped(entry)}
        case "meant", "start":
            return {"is_begun": True}
        case "done", "start":
            return {"is_begun": True, "is_started": "refused" not in entry.facts}
        case "meant", "stop":
            return {"stop": ending_in(entry)}
        case "meant", "end":
            return {"end": ending_in(entry)}
        case "over", _:
            return {"told": True, "why": ending_in(entry)}
        case "program", _:
            return {"waits": bool(entry.facts["waits"]), "asks": entry.facts.get("asks", "")}
        case "asked", "resume" if entry.facts.get("resumed"):
            return {"waits": False}
        case "meant", "load":
            return _loaded(entry, journal)
    return {}


def _loaded(entry: Entry, journal: Journal) -> dict[str, Any]:
    """What a load that was meant says, by the program that was in force."""
    program = journal.book().program
    assert program is not None
    replaced = (each for each in journal.latest("program") if each.seq < entry.seq)
    for each in islice(replaced, 1):
        program = in_force(program, each)
    return {
        "number": entry.segment, "segment": segment_of(program, entry),
        "new_cycle": bool(entry.facts["new_cycle"]), "lasting_s": entry.facts.get("lasting_s"),
        "mark": entry.facts.get("mark", ""), "known": tuple(entry.facts.get("known", ())),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """What stands beside the cell, as its program had set it, in the units of the sensors.

    targets  by sensor; held: ramps that a pause holds where their sensors are set to
    died_s   the program's last sign of life, in the time of the run: since then nobody moves a set-point
    """

    targets: Mapping[str, float | Ramp] = field(default_factory=dict)
    held: Mapping[str, Ramp] = field(default_factory=dict)
    died_s: float = 0.0

    def moving(self) -> Iterator[tuple[str, Ramp]]:
        """Ramps that were under way."""
        for name, target in self.targets.items():
            if isinstance(target, Ramp) and not target.is_over(self.died_s):
                yield name, target

    def meant(self, facts: Mapping[str, Any]) -> Setting:
        """After an entry that says what was meant."""
        name, ramp, held = str(facts["sensor"]), facts.get("ramp"), facts.get("held")
        target = float(facts["value"]) if ramp is None else Ramp(**ramp)
        holds = {other: each for other, each in self.held.items() if other != name}
        if held is not None:
            holds[name] = replace(Ramp(**held), start=float(facts["value"]))
        return replace(self, targets={**self.targets, name: target}, held=holds)


@dataclass(frozen=True, slots=True)
class Left:
    """All that the loop needs to go on in the place of another one.

    chain      the newest, as the whole journal tells; book: of all entries
    position   where the engine is, (): before the beginning of what is left of the program
    visit      that of the newest row of the chain; look: of the newest block
    ends_before  of a chain that is over: as in `Reading`
    called_s, returned_s   of its start, in the time of the run; None: it has not begun, or is dated already
    now_s      time of the run at which it is gone on with
    is_lost    what runs, or waits, is not on the channel any more
    setting    of what stands beside the cell
    """

    chain: Chain
    book: Book
    position: tuple[Frame, ...]
    visit: Visit | None
    look: Look | None
    called_s: float | None
    returned_s: float
    now_s: float = 0.0
    is_lost: bool = False
    ends_before: int | None = None
    setting: Setting = field(default_factory=Setting)

    @property
    def state(self) -> EngineState:
        """Of the engine. A chain that was to be stopped is still to be."""
        stop = self.chain.stop
        if not self.position and (self.chain.number or self.chain.waits):
            return EngineState(Phase.PAUSED if self.chain.waits else Phase.READY)
        if stop is not None:
            return EngineState(Phase.STOPPING, self.position, stop)
        return EngineState(Phase.RUNNING if self.chain.number else Phase.READY, self.position)


def replayed(journal: Journal, now_s: float) -> Left:
    """Everything from the first entry on, booked. JournalDamage."""
    book, chain = journal.book(), last_chain(journal)
    position: tuple[Frame, ...] = ()
    visit: Visit | None = None
    look: Look | None = None
    called_s: float | None = None
    before: int | None = None
    meant_s = returned_s = 0.0
    setting = Setting(died_s=chain.time_s)
    entries = journal.entries()
    while some := list(islice(entries, _AT_A_TIME)):
        book.take(some)
        for entry in some:
            verb = entry.facts.get("verb")
            if entry.kind == "said":
                visit, look = visit_of(entry) or visit, look_of(entry) or look
                before = ends_before(entry)
            elif entry.kind == "program":
                position, visit, look, called_s = (), None, None, None
            elif (entry.kind, verb) == ("meant", "load"):
                position = tuple(Frame(index, passes) for index, passes in entry.facts["position"])
                visit = look = called_s = None
            elif (entry.kind, verb) == ("meant", "set"):
                setting = setting.meant(entry.facts)
            elif (entry.kind, verb) == ("meant", "start"):
                called_s = meant_s = returned_s = entry.time_s
            elif (entry.kind, verb) == ("done", "start"):
                called_s = float(entry.facts.get("called_s", meant_s))
                returned_s = float(entry.facts.get("returned_s", entry.time_s))
            elif entry.kind == "began":
                called_s = None
    return Left(
        chain, book, position, visit, look, called_s, returned_s, now_s, ends_before=before, setting=setting
    )


def led_to(left: Left, otherwise: Ending) -> Ending:
    """How a run ended whose newest chain was over, or never begun, when its program died.

    otherwise  if there was more to do
    """
    chain, program = left.chain, left.book.program
    if chain.is_over and chain.end is not None:
        return chain.end
    if not (chain.is_over and chain.told and left.position) or is_cut(chain.why):
        return otherwise
    assert program is not None
    at = EngineState(Phase.RUNNING, left.position)
    _, commands = react(program, at, ChainEnded(chain.why), left.book.ledger.last_times())
    return commands[0].ending if isinstance(commands[0], Finish) else otherwise


Owner = Literal["this run", "this run, before", "another run", "nobody known"]


def owner(mark: str, run_id: str, chain: Chain) -> Owner:
    """Whose the channel is, by the mark that is on it. Before: of a chain that was over when the newest one
    was meant."""
    if mark and mark == chain.mark:
        return "this run"
    found = _MARK.fullmatch(mark)
    if found is None:
        return "nobody known"
    earlier = found["run"] == run_id and int(found["chain"]) < chain.number
    return "this run, before" if earlier else "another run"


def now_s(chain: Chain, unix_s: float, speed: float) -> float:
    """The time of the run at a time of the wall clock, which may have been set back since."""
    if math.isnan(chain.unix_s):
        return chain.time_s
    return chain.time_s + max(0.0, unix_s - chain.unix_s) * speed
