"""Runs the loop, and sees when a call of the channel does not come back.

Beside a wall clock the loop has a thread of its own, and this one, which gets the operator's signals, looks
after it: a call into the maker's library can neither be interrupted nor be tried again while it hangs. It is
an alarm while it lasts; after the channel's own patience the record is closed and the program leaves without
that thread. In virtual time nothing hangs but the computation itself, so the loop is called in line.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from nakctl.booking.event import Event
from nakctl.device.channel import POINT
from nakctl.errors import ChannelError
from nakctl.run.clock import Clock
from nakctl.run.control import Control, Outcome
from nakctl.run.pulse import GUARDING, Abandoned, Call, Pulse, alarm_after_s
from nakctl.run.recording import Beside, InLine, Recording, Sink

LOOK_s = 0.1


def supervised(
    make: Callable[[Recording, Pulse], Control],
    clock: Clock,
    sink: Sink,
    patience_s: float,
) -> Outcome:
    """Run to the end, and say how it ended. Errors of the loop are raised here."""
    pulse = Pulse()
    if math.isinf(clock.horizon_s()):
        return make(InLine(sink), pulse).until_the_end()
    return _Supervisor(make(Beside(sink), pulse), pulse, patience_s).watch()


class _Supervisor:
    def __init__(self, control: Control, pulse: Pulse, patience_s: float) -> None:
        self.control, self.pulse, self.patience_s = control, pulse, patience_s
        self.done = threading.Event()
        self.outcome: Outcome | None = None
        self.error: BaseException | None = None
        self.hanging: Call | None = None
        self.awake_s = 0.0  # for how long the present call was seen under way, by our own waking time
        self.seen: Call | None = None
        self.told: Call | None = None

    def watch(self) -> Outcome:
        threading.Thread(target=self._run, name="control", daemon=True).start()
        before = time.monotonic()
        while not self.done.wait(LOOK_s):
            now = time.monotonic()
            self._look(min(now - before, 5 * LOOK_s))  # a computer that slept gives everybody one grace
            before = now
            self.control.outside.beat(self.pulse.call)
            call = self.seen
            if self.awake_s > self.patience_s and call is not None and self.pulse.abandon(call):
                return self._leave(call.name)
        if self.error is not None:
            raise self.error
        assert self.outcome is not None
        return self.outcome

    def _run(self) -> None:
        try:
            self.outcome = self.control.until_the_end()
        except Abandoned:
            return
        except BaseException as error:  # noqa: BLE001  # raised again in the main thread
            self.error = error
        self.done.set()

    def _look(self, passed_s: float) -> None:
        call = self.pulse.call
        if call is not self.seen:
            if self.told is not None:
                text = f"{self.told.name} of the channel came back after {self.awake_s:.3g} s"
                self._tell(1, "call_back", text)
                self.told = None
            self.seen, self.awake_s = call, 0.0
            return
        if call is None:
            return
        self.awake_s += passed_s
        if self.told is None and self.awake_s > alarm_after_s(call.name):
            self.told = call
            guards = "; what the host watches is not watched meanwhile" if call.name in GUARDING else ""
            text = f"{call.name} of the channel has not come back for {self.awake_s:.3g} s{guards}"
            self._tell(2, "call_hangs", text)

    def _tell(self, severity: int, code: str, message: str) -> None:
        """While the loop stands in a call its own book stands still, so it may be read from here."""
        control = self.control
        event = Event(control.now_s(), severity, code, 0, message)
        control.logbook.tell(event)
        control.observe(control.logbook.progress_with((event,), np.empty(0, POINT), control.bench.shown))

    def _leave(self, name: str) -> Outcome:
        error = ChannelError(
            f"{name} of the channel has not come back for {self.awake_s:.3g} s and is left behind; the "
            "channel goes on by itself with what it was loaded with"
        )
        if self.control.outlives:
            return self.control.left_behind(error)
        self.control.fail(error)
        return replace(self.control.outcome(), hangs=True)
