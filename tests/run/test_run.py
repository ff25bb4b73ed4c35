"""The loop on a simulated channel: every way a step and a run can end."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nakctl.device.channel import Channel, Notice, Reading, Watch
from nakctl.device.driver import Place
from nakctl.device.limits import instrument
from nakctl.device.program import Segment
from nakctl.errors import LinkLost, RecordError
from nakctl.plan.compile import compile_protocol
from nakctl.plan.lower import lower
from nakctl.protocol.load import understand
from nakctl.record.journal import Event
from nakctl.run.clock import FreeClock
from nakctl.run.run import Outcome, run
from nakctl.text.reader import read_text
from nakctl_sim.driver import driver

HEAD = """\
nakctl: 1
name: test
limits: {Ewe: [-3 V, 3 V], I: 10 mA, time: 1000 h}
finally: rest
spectra:
  g: {kind: geis, amplitude: 5 uA, from: 100 kHz, to: 10 Hz, per_decade: 3}
steps:
"""
# randles is 300 ohm and 1 cm2: 1 mA shows 0.3 V after a second.


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.tables: dict[str, list[Any]] = {}
        self.events: list[Event] = []
        self.appends, self.fails_at = 0, fails_at

    def append(self, tables: Mapping[str, Any], events: Sequence[Event]) -> Sequence[Event]:
        self.appends += 1
        if self.fails_at is not None and self.appends >= self.fails_at:
            raise RecordError("the disk is full")
        for name, rows in tables.items():
            self.tables.setdefault(name, []).append(rows)
        self.events += events
        return ()

    def __getitem__(self, name: str) -> np.ndarray:
        return np.concatenate(self.tables[name])

    def steps(self) -> list[tuple[str, str]]:
        """Label without number, and why it ended."""
        return [(row["label"].decode().split(" ", 1)[1], row["end_reason"].decode()) for row in self["steps"]]


class Pulled:
    """A channel whose cable is pulled at the n-th read; `stop` works if it is plugged in again."""

    def __init__(self, inner: Channel, at_read: int) -> None:
        self.inner, self.left, self.stopped = inner, at_read, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def stop(self) -> None:
        self.stopped = True
        self.inner.stop()

    def read(self, watch: Watch) -> Reading:
        self.left -= 1
        if self.left == 0:
            raise LinkLost("no answer from the instrument")
        return self.inner.read(watch)


def done(
    steps: str,
    cell: str = "randles",
    *,
    head: str = HEAD,
    sink: Kept | None = None,
    wrap: Callable[[Channel], Any] = lambda channel: channel,
    **options: Any,
) -> tuple[Outcome, Kept]:
    text = head + textwrap.indent(textwrap.dedent(steps), "  ")
    described = driver.cell(cell)
    program = lower(
        compile_protocol(understand(read_text(text, "t.yaml"), {}), described), instrument("SP-300")
    )
    clock = FreeClock()
    channel = wrap(driver.open(Place("sim", "sim", "SP-300", 1, {}), described, clock, 1))
    kept = sink or Kept()
    return run(program, channel, clock, kept, poll_s=0.0, **options), kept


def test_all_steps_done() -> None:
    outcome, kept = done("- rest: 10 s\n- strip: 1 mA\n  for: 20 s\n- geis: g")
    assert (outcome.status, outcome.reason) == ("completed", "all steps done")
    assert kept.steps() == [
        ("rest", "duration"),
        ("strip 1 mA/cm2", "duration"),
        ("geis at open circuit", "duration"),
    ]
    assert outcome.samples == len(kept["samples"])
    assert kept["spectra"]["complete"].tolist() == [1]
    assert kept["samples"]["Q"][-1] * 3600 == pytest.approx(0.02, rel=2e-3)


def test_a_cutoff_of_the_instrument_goes_on_in_the_chain() -> None:
    outcome, kept = done("- strip: 1 mA\n  for: 1 h\n  until: {Ewe_above: 0.2 V}\n- rest: 5 s")
    assert kept.steps() == [("strip 1 mA/cm2", "Ewe above 0.2 V"), ("rest", "duration")]
    assert outcome.duration_s < 60
    assert sum(event.code == "segment" for event in kept.events) == 1


def test_a_cutoff_of_the_host_goes_on_with_the_next_chain() -> None:
    """Ewe relaxes at rest, where the instrument tests nothing."""
    _, kept = done(
        "- strip: 1 mA\n  for: 5 s\n- rest: 1 h\n  record: {every: 0.1 s}\n  until: {Ewe_below: 50 mV}\n- strip: 2 mA\n  for: 5 s"
    )
    assert kept.steps() == [
        ("strip 1 mA/cm2", "duration"), ("rest", "Ewe below 0.05 V"), ("strip 2 mA/cm2", "duration"),
    ]  # fmt: skip
    rest = kept["samples"][kept["samples"]["step_id"] == 2]
    assert rest["time"][-1] - rest["time"][0] < 2.0  # the host reacts in a moment, also in virtual time
    assert sum(event.code == "segment" for event in kept.events) == 3


def test_end_loop_leaves_the_innermost_loop_only() -> None:
    steps = """
    - repeat: 2
      steps:
        - repeat: forever
          steps:
            - strip: 1 mA
              for: 2 s
              until: {Ewe_above: 0.25 V, then: end loop}
        - rest: 5 s
    """
    _, kept = done(steps)
    labels = [label for label, _ in kept.steps()]
    assert labels.count("rest") == 2
    assert kept["samples"]["cycle"][-1] >= 2


def test_the_end_of_the_run_as_wanted_and_as_feared() -> None:
    outcome, _ = done("- strip: 1 mA\n  for: 1 h\n  until: {Ewe_above: 0.2 V, then: end run}\n- rest: 5 s")
    assert (outcome.status, outcome.reason) == ("completed", "Ewe above 0.2 V")
    outcome, kept = done("- strip: 1 mA\n  for: 1 h", head=HEAD.replace("3 V]", "0.2 V]"))
    assert (outcome.status, outcome.reason) == ("stopped", "limit: Ewe above 0.2 V")
    assert kept.steps()[-1][1] == "limit: Ewe above 0.2 V"


def test_limits_hold_during_spectra() -> None:
    outcome, kept = done("- strip: 1 mA\n  for: 1 h\n  spectra: g", head=HEAD.replace("3 V]", "0.2 V]"))
    assert outcome.status == "stopped"
    assert kept["samples"]["time"][-1] < 5.0
    assert kept["spectra"]["complete"].tolist() == [0]


def test_the_time_limit_of_the_run() -> None:
    outcome, kept = done("- rest: 10 h", head=HEAD.replace("1000 h", "1 h"))
    assert outcome.status == "stopped"
    assert kept["samples"]["time"][-1] == pytest.approx(3600, abs=5)


def test_a_charge_under_potential_control() -> None:
    outcome, kept = done("- ca: 0.3 V\n  for: 10 h\n  until: {charge: 3.6 C}\n- rest: 1 s")
    assert kept.steps()[0][1] == "charge above 3.6 C"
    assert kept["samples"]["Q"][-1] * 3600 == pytest.approx(3.6, rel=0.01)
    assert outcome.status == "completed"


def test_a_short_ends_the_run_and_the_cell_is_left() -> None:
    head = HEAD.replace(
        "steps:", "stop_when: {short: {Ewe_falls_by: 75 %, within: 2 min, below: 15 mV}}\nsteps:"
    )
    outcome, kept = done("- plate: 0.7 mA/cm2\n  for: 4 mAh/cm2\n- rest: 1 h", "NaK50", head=head)
    assert (outcome.status, outcome.reason) == ("completed", "short")
    assert kept.steps()[-1] == ("plate 0.7 mA/cm2", "short")
    low = np.abs(kept["samples"]["Ewe"]) < 0.015
    assert low[-3:].all()
    assert low[-20:].sum() < 10  # seen within seconds


def test_the_operator() -> None:
    asked = iter([None, "stopped by the operator"])
    outcome, kept = done("- rest: 1000 h", stop_asked=lambda: next(asked, "again"))
    assert (outcome.status, outcome.reason) == ("aborted", "stopped by the operator")
    assert kept.steps() == [("rest", "stopped by the operator")]


def test_a_pulled_cable_ends_the_run_with_its_rows_kept() -> None:
    channels: list[Pulled] = []

    def wrap(channel: Channel) -> Pulled:
        channels.append(Pulled(channel, at_read=3))
        return channels[0]

    outcome, kept = done("- rest: 1000 h", wrap=wrap)
    assert outcome.status == "interrupted"
    assert isinstance(outcome.error, LinkLost)
    assert channels[0].stopped
    assert len(kept["samples"]) == outcome.samples > 0
    assert [event.code for event in kept.events][-1] == "end"


def test_a_full_disk_stops_the_channel() -> None:
    channels: list[Pulled] = []

    def wrap(channel: Channel) -> Pulled:
        channels.append(Pulled(channel, at_read=-1))
        return channels[0]

    outcome, _ = done("- rest: 1000 h", sink=Kept(fails_at=3), wrap=wrap)
    assert isinstance(outcome.error, RecordError)
    assert outcome.reason == "the disk is full"  # and the cell is open
    assert outcome.status == "interrupted"
    assert channels[0].stopped


def test_what_is_not_ours_is_raised_again_after_stopping() -> None:
    class Broken:
        def __init__(self, inner: Channel) -> None:
            self.inner, self.stopped = inner, False

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        def load(self, segment: Segment) -> None:
            raise ZeroDivisionError

        def stop(self) -> None:
            self.stopped = True
            self.inner.stop()

    made: list[Broken] = []
    with pytest.raises(ZeroDivisionError):
        done("- rest: 1 s", wrap=lambda channel: made.append(Broken(channel)) or made[0])
    assert made[0].stopped


def test_the_same_seed_gives_the_same_rows() -> None:
    steps = "- {pulse: {strip: 1 mA/cm2}, on: 1 s, off: 1 s, repeat: 50}\n- geis: g"
    one, two = (done(steps, "NaK50")[1] for _ in range(2))
    for name in ("samples", "impedance", "spectra", "steps"):
        assert one[name].tobytes() == two[name].tobytes()


def test_a_channel_that_does_not_stop_is_not_waited_for_without_end() -> None:
    class Stubborn(Pulled):
        def stop(self) -> None:
            self.stopped = True  # and nothing comes of it

        def read(self, watch: Watch) -> Reading:
            return super().read(Watch(every_s=1.0))

    channels: list[Stubborn] = []

    def wrap(channel: Channel) -> Stubborn:
        channels.append(Stubborn(channel, at_read=3))
        return channels[0]

    outcome, kept = done("- rest: 1000 h", wrap=wrap)
    assert (outcome.status, channels[0].stopped) == ("interrupted", True)
    assert any(event.code == "not-safe" and "runs on" in event.message for event in kept.events)
    assert outcome.reason.endswith("THE CELL MAY STILL BE UNDER CURRENT")


def test_what_a_channel_notices_stands_at_its_time_of_the_run() -> None:
    """A channel counts from the start of its chain; the second chain begins later in the run."""

    class Noticing(Pulled):
        def read(self, watch: Watch) -> Reading:
            notice = Notice(1.0, 1, "overload", "I beyond the range")
            return replace(super().read(watch), notices=(notice,))

    steps = "- rest: 1 h\n  until: {Ewe_below: -1 V}\n- rest: 10 s"
    _, kept = done(steps, wrap=lambda channel: Noticing(channel, at_read=-1))
    times = [event.time_s for event in kept.events if event.code == "overload"]
    assert times[0] == pytest.approx(1.0, abs=1.0)
    assert times[-1] > 3600
