"""The instrument: boards in a chassis, and the sessions of the programs that are connected to it."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from nakctl.device.driver import ClockLike
from nakctl.device.instrument import instrument
from nakctl_sim.cell.models import load_model
from nakctl_sim.instrument.abi import N_CHANNELS
from nakctl_sim.instrument.abi import Board as Kind
from nakctl_sim.instrument.board import Board
from nakctl_sim.instrument.calls import Answer, values_of
from nakctl_sim.instrument.channel_calls import CHANNEL_CALLS
from nakctl_sim.instrument.codes import Code, Refused
from nakctl_sim.instrument.device_calls import DEVICE_CALLS
from nakctl_sim.instrument.faults import Fault, Troubles
from nakctl_sim.instrument.habits import Habits
from nakctl_sim.instrument.happenings import ALL_CHANNELS, HAPPENINGS, OTHER_PROGRAM

BOARDS = {"SP-300": Kind.PREMIUM, "VMP-3": Kind.ESSENTIAL}
HANDLERS = DEVICE_CALLS | CHANNEL_CALLS
DEFAULTS = Habits()
NO_DEVICE = (-1).to_bytes(4, "little", signed=True)
BEAT_s = 0.2


class VirtualInstrument:
    """A virtual SP-300 or VMP-3.

    like   "SP-300" or "VMP-3"
    cells  by number of the channel, from 1 as on the panel: the simulated cell there, by name or file
    clock  its world goes as far as the clock's horizon; a free clock it takes along (see `board`)
    seed   of the noise of the lowest channel; each further one counts on from there
    faults `faults.fault("cable=10s@t120")`, ...

    However many programs call, they are answered one at a time. ValueError: no such channel.
    released: once set, no call hangs any more.
    """

    def __init__(
        self,
        like: str,
        cells: Mapping[int, str],
        clock: ClockLike,
        seed: int = 0,
        habits: Habits = DEFAULTS,
        faults: Sequence[Fault] = (),
    ) -> None:
        data = instrument(like)
        self.kind = BOARDS[data.name]
        self.data = data
        self.habits = habits
        self.clock = clock
        self.troubles = Troubles(faults)
        self.guests = 0
        self.lock = threading.Lock()
        self.released = threading.Event()
        plugged = sorted(cells.keys() - self.troubles.missing())
        if not plugged or not all(1 <= number <= N_CHANNELS for number in plugged):
            raise ValueError(f"channels are numbered from 1 to {N_CHANNELS}, and there is at least one")
        self.boards = {
            number - 1: Board(
                self.kind, load_model(cells[number]), data, clock, seed + number - plugged[0], habits
            )
            for number in plugged
        }
        self._sessions: list[Session] = []

    def session(self, address: str) -> Session:
        """For one program (one copy of the library). address: what it may call this instrument."""
        return Session(self, address)

    @property
    def connected(self) -> int:
        """Programs that are connected, ours and others'."""
        return sum(bool(session.ids) for session in self._sessions) + self.guests

    def join(self, session: Session) -> None:
        if session not in self._sessions:
            self._sessions.append(session)

    def leave(self, session: Session) -> None:
        if session in self._sessions:
            self._sessions.remove(session)

    @property
    def now_s(self) -> float:
        horizon_s = self.clock.horizon_s()
        return horizon_s if math.isfinite(horizon_s) else self.clock.now_s()

    def board(self, channel: int) -> Board:
        """By its number in the library, from 0. Refused: -4, -3."""
        if channel >= N_CHANNELS:
            raise Refused(Code.INVALID_PARAMETERS)
        if channel not in self.boards:
            raise Refused(Code.CHANNEL_NOT_PLUGGED)
        return self.boards[channel]

    def happen(self) -> None:
        """The faults whose time has come."""
        for fault in self.troubles.events(self.now_s):
            self.guests += fault.name in OTHER_PROGRAM
            wanted = None if fault.name in ALL_CHANNELS else fault.channel
            for at, board in self.boards.items():
                if fault.name in HAPPENINGS and wanted in (None, at + 1):
                    board.go_on(fault.at_s)
                    HAPPENINGS[fault.name](board, fault)


@dataclass(eq=False)
class Session:
    """What one program sees: its connections, and calls answered one at a time.

    ids: connections, each with how often the cable had been pulled when it was made.
    still_busy: called again and again while a call hangs.
    """

    instrument: VirtualInstrument
    address: str
    ids: dict[int, int] = field(default_factory=dict)
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    still_busy: Callable[[], None] = lambda: None

    def answer(self, name: str, fields: tuple[bytes, ...]) -> Answer:
        with self.instrument.lock:
            answer = self._answer(name, fields)
            hang_s = self.instrument.troubles.hang_s(name, self.instrument.now_s)
        self._hang(hang_s)
        return answer

    def _answer(self, name: str, fields: tuple[bytes, ...]) -> Answer:
        try:
            self._meet_trouble(name)
            self.instrument.happen()
            answer = HANDLERS[name](self, *values_of(name, fields))
            if self.instrument.troubles.reply_lost(name, self.instrument.now_s):
                raise Refused(Code.COMM_FAILED)
            return answer
        except Refused as refused:
            return Answer(refused.code, (NO_DEVICE,) if name == "BL_Connect" else ())

    def _hang(self, seconds: float) -> None:
        """Of real time, whatever the instrument's clock does."""
        back_s = time.monotonic() + seconds
        while (left_s := back_s - time.monotonic()) > 0 and not self.instrument.released.is_set():
            self.instrument.released.wait(min(left_s, BEAT_s))
            self.still_busy()

    def close(self) -> None:
        """The program is gone."""
        with self.instrument.lock:
            self.ids.clear()
            self.instrument.leave(self)

    def _meet_trouble(self, name: str) -> None:
        troubles, now_s = self.instrument.troubles, self.instrument.now_s
        troubles.count(name)
        code = troubles.code_for(name, now_s)
        if code is not None:
            raise Refused(code)
        if troubles.cable_out(now_s):
            raise Refused(Code.CONNECTION_FAILED if name == "BL_Connect" else Code.COMM_FAILED)

    def check(self, device: int) -> VirtualInstrument:
        """Refused (-1): not connected, or not any more."""
        cut = self.ids.get(device) != self.instrument.troubles.cuts
        if device not in self.ids or (cut and not self.instrument.habits.cable_keeps):
            raise Refused(Code.NOT_CONNECTED)
        return self.instrument
