"""Between two chains the cell is open, and nobody may start the next one who knows that it is to end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hand_made import end, info, points, program, rest, rows
from test_supervisor import Bench, Kept

from nakctl.booking import layout
from nakctl.booking.entry import Entry
from nakctl.booking.event import Event
from nakctl.device.channel import Look, Reading, State, Visit, Watch
from nakctl.device.program import Segment
from nakctl.errors import RecordError
from nakctl.run.clock import WallClock
from nakctl.run.logbook import Logbook
from nakctl.run.recording import Beside
from nakctl.run.run import run

TWO_CHAINS = program(
    Segment((rest(1),)), Segment((rest(2),)), steps=[info(1), info(2)],
    ends=(end(1, "Ewe", "above", 3.0, kind="limit"), end(2, "Ewe", "above", 0.2)),
)  # fmt: skip


class Chains(Bench):
    """A row a second, on a clock of its own: each chain lasts for ten. `far`: where Ewe goes to at the third."""

    starts = 0
    far = 0.1
    takes = 0  # reads between the stop and the last one
    over = False

    def start(self) -> None:
        self.starts += 1
        self.stopped.clear()
        self.reads = 0

    def read(self, watch: Watch) -> Reading:
        visit = Visit(0, 0, 0.0)
        if self.stopped.is_set():
            self.takes -= 1
            state = State.RUNNING if self.takes >= 0 else State.STOPPED
            self.over = state is State.STOPPED
            return Reading(state, rows(), points(), look=self.shown(), visit=visit)
        self.reads += 1
        row = rows((self.reads, self.far if self.reads == 3 else 0.1, 0.0, 0, 0))
        if self.reads == 10:
            self.stopped.set()
        return Reading(State.RUNNING, row, points(), look=self.shown(), visit=visit)

    def shown(self) -> Look:
        return Look(not self.stopped.is_set(), 0.1, 0.0, self.reads * 1.0)


class Steps(Chains):
    """A cutoff ends the step, and the stop takes its time."""

    far, takes = 0.3, 3


def is_stopping(channel: Chains) -> bool:
    return channel.stopped.is_set()


def is_over(channel: Chains) -> bool:
    return channel.over


@pytest.mark.parametrize(("kind", "comes"), [(Chains, is_over), (Steps, is_stopping), (Steps, is_over)])
def test_the_operator_s_stop_does_not_wait_for_the_next_chain(
    kind: type[Chains], comes: Callable[[Chains], bool]
) -> None:
    channel, sink = kind(), Kept()
    outcome = run(
        TWO_CHAINS, channel, WallClock(), sink, poll_s=0.0,  # type: ignore[arg-type]
        stop_asked=lambda: "stopped by the operator" if comes(channel) else None,
    )  # fmt: skip
    assert (outcome.status, outcome.end_kind, channel.starts) == ("aborted", "operator", 1)
    assert [entry.facts["verb"] for entry in sink.entries if entry.kind == "asked"] == ["stop"]


def test_without_a_record_nothing_further_is_started() -> None:
    class Lost(Kept):
        def append(self, entries: Sequence[Entry], *, durable: bool = False) -> Sequence[Event]:
            if any(entry.facts.get("verb") == "load" and entry.segment == 2 for entry in entries):
                raise RecordError("the disk is gone")
            return super().append(entries)

    channel = Chains()
    outcome = run(TWO_CHAINS, channel, WallClock(), Lost(), poll_s=0.0)  # type: ignore[arg-type]
    assert (outcome.status, outcome.reason, channel.starts) == ("interrupted", "the disk is gone", 1)
    assert outcome.cell_open


def test_a_record_that_is_lost_is_not_called_late() -> None:
    class Lost(Kept):
        def append(self, entries: Sequence[Entry], *, durable: bool = False) -> Sequence[Event]:
            raise RecordError("the disk is gone")

    logbook = Logbook(TWO_CHAINS, Beside(Lost()), layout.SAMPLES, lambda: 0.0, lambda: None)
    logbook.meant("start", durable=True)
    assert str(logbook.lost) == "the disk is gone"
    assert logbook.progress(points(), ()).news == ()
