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
from nakctl.errors import ChannelError, ChannelTaken, LinkLost, RecordError
from nakctl.plan.compile import compile_protocol
from nakctl.plan.lower import lower
from nakctl.protocol.load import understand
from nakctl.record.poll import Event
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
    """A channel whose cable is pulled at the n-th read, for so many; `stop` works all the same."""

    def __init__(self, inner: Channel, at_read: int, reads: int = 1) -> None:
        self.inner, self.left, self.reads, self.stopped = inner, at_read, reads, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def stop(self) -> None:
        self.stopped = True
        self.inner.stop()

    def read(self, watch: Watch) -> Reading:
        self.left -= 1
        if -self.reads < self.left <= 0:
            raise LinkLost("no answer from the instrument")
        return self.inner.read(watch)


def done(
    steps: str,
    cell: str = "randles",
    *,
    head: str = HEAD,
    sink: Kept | None = None,
    wrap: Callable[[Channel], Any] = lambda channel: channel,
    like: str = "SP-300",
    habits: dict[str, Any] | None = None,
    trouble: list[str] | None = None,
    **options: Any,
) -> tuple[Outcome, Kept]:
    text = head + textwrap.indent(textwrap.dedent(steps), "  ")
    described = driver.cell(cell)
    program = lower(compile_protocol(understand(read_text(text, "t.yaml"), {}), described), instrument(like))
    clock = FreeClock()
    place = Place("sim", "sim", like, 1, {"habits": habits or {}, "trouble": trouble or []})
    channel = wrap(driver.open(place, described, clock, 1))
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
        ("strip 1 mA/cm2", "duration"), ("rest", "Ewe below 50 mV"), ("strip 2 mA/cm2", "duration"),
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


def test_a_silence_is_an_alarm_and_the_run_goes_on() -> None:
    """The channel goes on by itself, and what it made meanwhile is fetched when it answers again."""
    outcome, kept = done("- rest: 100 h", wrap=lambda channel: Pulled(channel, at_read=2, reads=30))
    assert (outcome.status, outcome.error, outcome.cell_open) == ("completed", None, True)
    assert [(event.code, event.severity) for event in kept.events if event.severity > 0] == [("not_heard", 2)]
    assert outcome.samples == 360_010  # nine techniques, none longer than the counter counts


def test_where_nobody_answers_a_load_is_tried_again() -> None:
    class Deaf(Pulled):
        def load(self, segment: Segment) -> None:
            self.left += 1
            if self.left < 3:
                raise LinkLost("no answer from the instrument")
            self.inner.load(segment)

    outcome, kept = done("- rest: 10 s", wrap=lambda channel: Deaf(channel, at_read=-1))
    assert outcome.status == "completed"
    assert [event.code for event in kept.events if event.severity == 2] == ["link"]


def test_what_no_experiment_survives_stops_the_channel_and_keeps_its_last_rows() -> None:
    channels: list[Pulled] = []

    class Broken(Pulled):
        def read(self, watch: Watch) -> Reading:
            self.left -= 1
            if self.left == 0:
                raise ChannelError("rows of another shape")
            return self.inner.read(replace(watch, every_s=10.0))

    def wrap(channel: Channel) -> Pulled:
        channels.append(Broken(channel, at_read=3))
        return channels[0]

    outcome, kept = done("- rest: 1000 h", wrap=wrap)
    assert (outcome.status, outcome.reason, outcome.end_kind) == (
        "interrupted",
        "rows of another shape",
        "trouble",
    )
    assert outcome.cell_open and channels[0].stopped
    assert len(kept["samples"]) == outcome.samples > 20
    assert kept.events[-1].code == "end"


def test_a_channel_that_is_no_longer_ours_is_left_alone() -> None:
    class Taken(Pulled):
        def read(self, watch: Watch) -> Reading:
            raise ChannelTaken("another program loaded channel 1")

    made: list[Taken] = []
    outcome, _ = done("- rest: 1 h", wrap=lambda channel: made.append(Taken(channel, 0)) or made[0])
    assert (outcome.status, outcome.cell_open, made[0].stopped) == ("interrupted", False, False)
    assert outcome.reason.endswith("THE CELL MAY STILL BE UNDER CURRENT")


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


class Stubborn(Pulled):
    """Ignores (or refuses) to stop a number of times."""

    refuses = False

    def stop(self) -> None:
        self.left -= 1
        if self.left <= 0:
            self.inner.stop()
        elif self.refuses:
            raise ChannelError("BL_StopChannel on channel 1: refused")

    def read(self, watch: Watch) -> Reading:
        return self.inner.read(replace(watch, every_s=0.1))


class Refusing(Stubborn):
    refuses = True


@pytest.mark.parametrize("kind", [Stubborn, Refusing])
def test_stop_means_stop_it_is_asked_for_until_it_works(kind: type[Stubborn]) -> None:
    """Meanwhile the record goes on, and everybody is told."""
    told: list[str] = []
    outcome, kept = done(
        "- rest: 1000 h", head=HEAD.replace("1000 h", "60 s"), wrap=lambda channel: kind(channel, at_read=20),
        observe=lambda progress: told.extend(event.code for event in progress.news),
    )  # fmt: skip
    assert (outcome.status, outcome.cell_open, outcome.error) == ("stopped", True, None)
    assert outcome.reason == "limit: 60 s of run time"
    alarms = [event for event in kept.events if event.code == "not_stopped"]
    assert alarms and "THE CELL MAY STILL BE UNDER CURRENT" in alarms[0].message
    assert "not_stopped" in told
    assert kept["samples"]["time"][-1] == pytest.approx(66, abs=2)  # 20 tries, 0.3 s apart


def test_or_until_the_operator_gives_up() -> None:
    tries = iter(range(1000))
    outcome, kept = done(
        "- rest: 1000 h", head=HEAD.replace("1000 h", "60 s"), wrap=lambda channel: Stubborn(channel, 10**6),
        times_asked=lambda: next(tries) // 15,
    )  # fmt: skip
    assert (outcome.status, outcome.cell_open) == ("stopped", False)
    assert isinstance(outcome.error, ChannelError)
    assert outcome.reason.endswith("THE CELL MAY STILL BE UNDER CURRENT")
    assert [event.code for event in kept.events[-3:]][-1] == "end"


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


# --- what the cell gets is what was asked for ----------------------------------------------------------

SPECTRA = "- plate: 0.1 mA/cm2\n  for: 0.01 mAh/cm2\n  spectra: g\n- rest: 5 s"


@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
@pytest.mark.parametrize("factor", [0.4, 1.0, 1.35, 10.0])
def test_no_estimate_of_a_spectrum_decides_what_the_cell_gets(like: str, factor: float) -> None:
    """Frequencies take 0.4 to 10 times as long as expected; the charge is the one asked for all the same."""
    outcome, kept = done(SPECTRA, like=like, habits={"eis_factor": factor})
    step = kept["steps"][0]
    plated = kept["samples"]["step_id"] == step["step_id"]
    charge_mAh = -1e3 * float(kept["samples"]["Q"][plated][-1])
    assert outcome.status == "completed"
    assert charge_mAh == pytest.approx(0.01, rel=4e-3)  # 0.3 s of 360 s, and the error of the current
    assert (step["end_kind"], step["end_reason"]) == (b"duration", b"duration")
    topped_up = sum(event.code == "top_up" for event in kept.events)
    assert topped_up == (1 if factor < 1 else 0)


def test_the_host_ends_the_step_the_instrument_would_go_on_with() -> None:
    _, kept = done(
        "- rest: 10 min\n  spectra: {use: g, every: 1 min}\n- strip: 1 mA\n  for: 5 s",
        habits={"eis_factor": 30.0},
    )
    first = kept["steps"][0]
    assert first["t_end"] - first["t_start"] == pytest.approx(600.3, abs=0.3)


# --- done is proven ------------------------------------------------------------------------------------

CYCLES = "- repeat: 5\n  steps:\n    - strip: 0.2 mA\n      for: 10 s\n    - plate: 0.2 mA\n      for: 10 s"


@pytest.mark.parametrize("end_row", [True, False])
@pytest.mark.parametrize("trouble", ["stopped@t33", "memory-full@t33", "early-end@t33", "lost-kernel@t33"])
def test_what_something_else_ended_is_never_completed_and_starts_nothing_further(
    trouble: str, end_row: bool
) -> None:
    steps = CYCLES + "\n- rest: 1 h\n  until: {Ewe_below: -1 V}\n- strip: 2 mA\n  for: 5 s"
    outcome, kept = done(steps, trouble=[trouble], habits={"end_row": end_row})
    assert outcome.status == "interrupted"
    assert outcome.end_kind in ("interrupted", "trouble")
    assert len(kept["chains"]) == 1
    assert not (kept["samples"]["step_id"] > 2).any()


@pytest.mark.parametrize("test_row", [True, False])
@pytest.mark.parametrize("end_row", [True, False])
def test_the_habits_of_the_instrument_do_not_change_what_a_run_makes_of_it(
    test_row: bool, end_row: bool
) -> None:
    steps = """
    - repeat: 3
      steps:
        - strip: 1 mA
          for: 1 h
          record: {every: 5 ms}
          until: {Ewe_above: 0.2 V}
        - rest: 5 s
    - strip: 1 mA
      for: 1 h
      record: {every: 5 ms}
      until: {Ewe_above: 0.25 V, then: end run}
    """
    outcome, kept = done(steps, habits={"test_row": test_row, "end_row": end_row})
    assert (outcome.status, outcome.reason, outcome.end_kind) == ("completed", "Ewe above 0.25 V", "cutoff")
    assert [reason for _, reason in kept.steps()] == ["Ewe above 0.2 V", "duration"] * 3 + [
        "Ewe above 0.25 V"
    ]


def test_a_last_row_behind_the_first_of_the_next_technique_makes_no_step() -> None:
    steps = "- strip: 1 mA\n  for: 5 s\n- rest: 5 s\n- plate: 1 mA\n  for: 5 s"
    _, kept = done(steps, habits={"late_row_s": 1e-5})
    assert [label for label, _ in kept.steps()] == ["strip 1 mA/cm2", "rest", "plate 1 mA/cm2"]


def test_a_step_that_ends_at_its_first_row_is_told() -> None:
    outcome, kept = done("- plate: 0.1 mA\n  for: 1 h\n  until: {Ewe_above: -0.5 V}\n- rest: 1 s")
    assert outcome.status == "completed"
    told = [event for event in kept.events if event.code == "ended_at_once"]
    assert [event.severity for event in told] == [1]
    assert "ended at its first row: Ewe above -0.5 V" in told[0].message


# --- limits --------------------------------------------------------------------------------------------


def test_the_chain_never_goes_on_to_the_next_level_of_a_staircase_after_a_limit() -> None:
    steps = "- staircase: 0.1, 0.2, 0.4 mA/cm2\n  as: level\n  steps:\n    - strip: $level\n      for: 10 min\n      until: {Ewe_below: -1 V}"
    outcome, kept = done(steps, head=HEAD.replace("3 V]", "50 mV]"))
    assert (outcome.status, outcome.reason) == ("stopped", "limit: Ewe above 50 mV")
    assert set(kept["samples"]["step_id"]) == {1, 2}  # 30 mV at 0.1 mA, 60 mV at 0.2 mA
    assert kept.steps()[-1] == ("strip 0.2 mA/cm2", "limit: Ewe above 50 mV")


def test_a_limit_of_the_current_holds_for_the_peaks_of_a_sweep() -> None:
    head = HEAD.replace("I: 10 mA", "I: 300 uA").replace(
        "steps:", "  p: {kind: peis, amplitude: 400 mV, from: 10 kHz, to: 1 Hz, per_decade: 3}\nsteps:"
    )
    outcome, kept = done("- peis: p", head=head)
    assert (outcome.status, outcome.end_kind) == ("stopped", "limit")
    assert outcome.end_value > 300e-6
    assert (np.abs(kept["samples"]["I"]) < 300e-6).all()  # its DC values alone say nothing


# --- rows that are not as they should be ---------------------------------------------------------------


def test_a_row_without_values_or_time_is_kept_flagged_and_adds_no_charge() -> None:
    class Bad(Pulled):
        def read(self, watch: Watch) -> Reading:
            reading = self.inner.read(replace(watch, every_s=1.0))
            if len(reading.samples) and self.left > 0:
                self.left -= 1
                reading.samples["Ewe_V"][-1] = reading.samples["I_A"][-1] = np.nan
                reading.samples["time_s"][-1] = np.nan
            return reading

    outcome, kept = done("- strip: 1 mA\n  for: 60 s", wrap=lambda channel: Bad(channel, 10))
    assert outcome.status == "completed"
    assert np.isfinite(kept["samples"]["time"]).all() and np.isfinite(kept["samples"]["Q"]).all()
    assert np.isnan(kept["samples"]["Ewe"]).sum() == 10
    assert {"no_value", "bad_time"} <= {event.code for event in kept.events if event.severity == 2}


SMALL = HEAD.replace("I: 10 mA", "I: 300 uA").replace(
    "steps:", "  p: {kind: peis, amplitude: 400 mV, from: 10 kHz, to: 1 Hz, per_decade: 3}\nsteps:"
)


@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
@pytest.mark.parametrize(
    ("steps", "label"),
    [
        ("- peis: p\n- rest: 10 s", "peis at open circuit"),
        ("- rest: 2 min\n  spectra: p", "rest"),
        ("- repeat: 5\n  steps:\n    - peis: p\n    - rest: 10 s", "peis at open circuit"),
    ],
    ids=["alone", "in a rest", "in a loop"],
)
def test_peaks_beyond_a_limit_stop_the_run_at_the_frequency_that_shows_them(
    steps: str, label: str, like: str
) -> None:
    """In virtual time as on the bench: not at the end of the chain, and in the step that met the limit."""
    outcome, kept = done(steps, head=SMALL, like=like)
    assert (outcome.status, outcome.reason) == ("stopped", "limit: |I| above 300 uA")
    assert kept.steps() == [(label, "limit: |I| above 300 uA")]
    peaks_A = abs(kept["impedance"]["I_dc"]) + kept["impedance"]["I_amp"]
    assert len(peaks_A) <= 2  # the first, and what the reaction of the host may let through
    assert peaks_A[0] > 300e-6
    assert outcome.duration_s < 5.0


def test_a_chain_that_began_late_has_its_times_from_then() -> None:
    outcome, kept = done("- rest: 10 s", trouble=["slow-start:3s"])
    _, usual = done("- rest: 10 s")
    assert kept["samples"]["time"] - usual["samples"]["time"] == pytest.approx(3.0, abs=1e-4)
    assert kept["steps"]["t_start"][0] == pytest.approx(usual["steps"]["t_start"][0] + 3.0, abs=1e-4)
    assert outcome.status == "completed"
