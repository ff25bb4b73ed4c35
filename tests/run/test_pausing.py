"""A run is paused and resumed, and steps are skipped: what is left goes on as if nobody had asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from asking import Letters, Slowly, SOON_s, ends, ran, request, slowly
from hand_made import cp, end, info, program, rest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kept import Kept
from running import HEAD, done

from nakctl.booking import layout
from nakctl.booking.book import Book
from nakctl.device.channel import Channel, Look, Reading, Watch
from nakctl.device.driver import Place
from nakctl.device.program import Cp, Segment, Settle
from nakctl.device.program_json import load_nodes
from nakctl.device.sensor import Latest, Ramp, SensorSpec
from nakctl.device.sensor import Look as Sensed
from nakctl.errors import LinkLost
from nakctl.record.asked import Answer, Request
from nakctl.run.clock import FreeClock
from nakctl.run.outside import Outside
from nakctl.run.run import run
from nakctl_sim.driver import driver

RESUME_s = 300.0
REACTION_C = 0.45e-3  # what 1 mA moves until a stop has taken effect, and between two rows
STRIP, PLATE = ("strip 1 mA/cm2", "duration"), ("plate 1 mA/cm2", "duration")
PAIR = "[{strip: 1 mA, for: 4 s}, {plate: 1 mA, for: 4 s}]"
THREE = f"- repeat: 3\n  steps: {PAIR}\n- rest: 20 s"
SWEPT = "- strip: 1 mA\n  for: 30 s\n  spectra: g\n- plate: 1 mA\n  for: 4 s"
TWO_CHAINS = "- rest: 4 s\n  until: {Ewe_below: -2 V}\n- plate: 1 mA\n  for: 4 s"


def pause(after: str | None = None, number: int = 1, **more: str) -> Request:
    return request("pause", number=number, **({} if after is None else {"after": after}), **more)


def resume(number: int = 2) -> Request:
    return request("resume", "bob@pc", number)


def counted(kept: Any) -> list[tuple[str, int, int, str]]:
    """Label, cycle, number and kind of end of each step."""
    return [
        (row["label"].decode(), int(row["cycle"]), int(row["step_count"]), row["end_kind"].decode())
        for row in kept["steps"]
    ]


def charges_C(kept: Any) -> list[float]:
    """Of each step."""
    Q_C = np.append(0.0, kept["samples"]["Q"]) * 3600
    firsts = kept["steps"]["first_row"].astype(int)
    return (Q_C[firsts + kept["steps"]["row_count"].astype(int)] - Q_C[firsts]).tolist()


def whole_spectra(kept: Any) -> int:
    return int(kept["spectra"]["complete"].sum()) if len(kept["spectra"]) else 0


def told(kept: Any, code: str) -> list[str]:
    return [event.message for event in kept.events if event.code == code]


# --- any program ---------------------------------------------------------------------------------------


def made(seed: int) -> str:
    """Steps of a given time, in loops of the instrument and of the host."""
    r = Random(seed)

    def step(*, in_loop: bool) -> str:
        current = f"{r.choice(('strip', 'plate'))}: {r.choice(('0.1 mA', '1 mA'))}"
        by_host = ", until: {charge: 1 Ah, then: end loop}" if in_loop and r.random() < 0.4 else ""
        match r.choice(("cp", "cp", "cp", "rest", "geis", "spectra")):
            case "rest":
                return f"{{rest: {r.choice(('1 s', '2 s'))}, record: {{every: 0.1 s}}}}"
            case "geis":
                return "{geis: g}"
            case "spectra":
                use = r.choice(("g", "{use: g, every: 2 s}"))
                return f"{{{current}, for: 5 s, spectra: {use}, record: {{every: 0.1 s}}{by_host}}}"
            case _:
                return f"{{{current}, for: {r.choice(('1 s', '2 s'))}, record: {{every: 0.1 s}}{by_host}}}"

    blocks = []
    for _ in range(r.randint(1, 2)):
        body = ", ".join(step(in_loop=True) for _ in range(r.randint(1, 2)))
        if r.random() < 0.3:
            body = f"{step(in_loop=True)}, {{repeat: 2, steps: [{body}]}}"
        blocks.append(f"- {{repeat: {r.randint(1, 3)}, steps: [{body}]}}\n")
    return "".join(blocks) + f"- {step(in_loop=False)}\n"


@settings(max_examples=6, deadline=None)
@given(
    st.integers(0, 10**6),
    st.floats(0.0, 1.0),
    st.sampled_from(["step", "cycle", "spectrum", None, None, None]),
)
@example(241, 0.5, None)
def test_a_run_that_was_paused_does_what_one_does_that_nobody_disturbed(
    seed: int, part: float, after: str | None
) -> None:
    _, usual, _ = ran(made(seed))
    asked_s = part * float(usual["samples"]["time"][-1])
    outcome, kept, _ = ran(made(seed), (asked_s, pause(after)), (RESUME_s, resume()))
    assert outcome.status == "completed"
    assert counted(kept) == counted(usual)
    # of a step that was given a time, a sweep that was cut may find none to begin anew
    least = whole_spectra(usual) - (after is None)
    assert least <= whole_spectra(kept) <= whole_spectra(usual)
    assert charges_C(kept) == pytest.approx(charges_C(usual), abs=REACTION_C)
    assert len(told(kept, "paused")) == len(told(kept, "resumed")) == kept_programs(kept)


def kept_programs(kept: Kept) -> int:
    return sum(entry.kind == "program" for entry in kept.entries)


# --- where it is paused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "asked_s", "paused_s", "reason"),
    [
        ("step", 1.0, 4.5, "paused by ada@pc after step 1.1 strip 1 mA/cm2"),
        ("cycle", 1.0, 8.5, "paused by ada@pc after cycle 1"),
        ("cycle", 17.0, 24.5, "paused by ada@pc after cycle 3"),
        (None, 6.0, 6.5, "paused by ada@pc"),
    ],
)
def test_at_a_boundary_or_now(after: str | None, asked_s: float, paused_s: float, reason: str) -> None:
    outcome, kept, post = ran(THREE, (asked_s, pause(after)), (RESUME_s, resume()))
    assert outcome.status == "completed"
    assert ends(kept) == [STRIP, PLATE] * 3 + [("rest", "duration")]
    [paused] = [event for event in kept.events if event.code == "paused"]
    assert paused.time_s == pytest.approx(paused_s, abs=1.5)
    assert paused.message == f"{reason}; the cell is open"
    [resumed] = [event for event in kept.events if event.code == "resumed"]
    assert resumed.facts["who"] == "bob@pc"
    assert resumed.facts["paused_s"] == pytest.approx(RESUME_s - paused.time_s, abs=3.0)
    assert kept["chains"]["open"][1] > RESUME_s - paused_s - 3.0  # the pause is in the tables
    assert post.told(1)[0][0] == "waits"
    assert post.told(1)[1:] == ([] if after else [("done", reason)])
    assert post.told(2) == [("done", "the run goes on")]


def test_after_the_spectrum_under_way_its_step_goes_on_for_the_time_that_it_lacks() -> None:
    _, usual, _ = ran(SWEPT)
    asked_s = float(usual["spectra"]["time"][0]) + 0.2
    _, kept, _ = ran(SWEPT, (asked_s, pause("spectrum")), (RESUME_s, resume()))
    assert told(kept, "paused") == ["paused by ada@pc after spectrum 1; the cell is open"]
    assert counted(kept) == counted(usual)
    assert kept["spectra"]["complete"].all()
    assert charges_C(kept) == pytest.approx(charges_C(usual), abs=REACTION_C)


class Rounds(Letters):
    """As many rounds are so much time, also where no row comes."""

    def taken(self) -> list[Request]:
        self.now_s += SOON_s
        return super().taken()


def test_how_long_a_step_was_seen_to_run_is_known_without_a_row() -> None:
    """Rows may be far apart; what the channel shows is not."""
    sparse = "- strip: 1 mA\n  for: 60 s\n  record: {every: 40 s}"
    _, kept = done(sparse, wrap=slowly, post=Rounds([(20.0, pause()), (25.0, resume())]))
    replaced = next(entry for entry in kept.entries if entry.kind == "program")
    [segment] = load_nodes(replaced.facts["program"])
    assert isinstance(segment, Segment)
    [hold] = segment.techniques
    assert isinstance(hold, Cp)
    assert hold.duration_s == pytest.approx(40.0, abs=1.0)


def test_between_two_chains_nothing_is_started_until_it_is_resumed() -> None:
    outcome, kept, _ = ran(TWO_CHAINS, (1.0, pause("step")), (RESUME_s, resume()))
    assert outcome.status == "completed"
    assert counted(kept)[0][3] == "duration"
    verbs = [(entry.kind, entry.facts.get("verb")) for entry in kept.entries]
    at = verbs.index(("program", None))
    assert ("meant", "stop") not in verbs
    assert verbs.index(("asked", "resume")) < verbs.index(("meant", "load"), at)


def test_a_pause_with_nothing_behind_it_is_none() -> None:
    outcome, kept, _ = ran(THREE, (30.0, pause("step")))
    assert (outcome.status, outcome.reason) == ("completed", "all steps done")
    assert not told(kept, "paused")


def test_paused_twice_within_one_step() -> None:
    letters = [(1.0, pause()), (100.0, resume(2)), (101.0, pause(None, 3)), (200.0, resume(4))]
    _, usual, _ = ran(THREE)
    _, kept, _ = ran(THREE, *letters)
    assert counted(kept) == counted(usual)
    assert charges_C(kept) == pytest.approx(charges_C(usual), abs=2 * REACTION_C)


# --- skipped -------------------------------------------------------------------------------------------


def test_a_step_that_is_skipped_ends_and_the_rest_of_the_loop_follows() -> None:
    outcome, kept, post = ran(THREE, (9.5, request("skip", why="it creaks")))
    assert outcome.status == "completed"
    skipped = ("strip 1 mA/cm2", "skipped")
    assert ends(kept) == [STRIP, PLATE, skipped, PLATE, STRIP, PLATE, ("rest", "duration")]
    assert kept["steps"]["cycle"].tolist() == [1, 1, 2, 2, 3, 3, 3]
    assert kept["steps"]["end_reason"][2] == b"skipped by ada@pc: it creaks"
    assert post.told() == [("done", "step 1.1 strip 1 mA/cm2 is being skipped")]


def test_of_a_step_with_spectra_the_top_up_is_skipped_too() -> None:
    outcome, kept, _ = ran(SWEPT, (3.0, request("skip")))
    assert outcome.status == "completed"
    assert ends(kept) == [("strip 1 mA/cm2", "skipped"), PLATE]


def test_to_skip_the_last_step_ends_the_run() -> None:
    outcome, kept, _ = ran(THREE, (30.0, request("skip")))
    assert (outcome.status, outcome.end_kind) == ("aborted", "operator")
    assert outcome.reason == "the last step was skipped by ada@pc"
    assert ends(kept)[-1] == ("rest", "skipped")


def test_in_a_loop_of_the_host_cycles_are_counted_on() -> None:
    by_host = THREE.replace("for: 4 s}, {plate", "for: 4 s, until: {charge: 1 Ah, then: end loop}}, {plate")
    _, kept, _ = ran(by_host, (11.0, request("skip")))
    assert [kind for _, kind in ends(kept)] == ["duration", "duration", "skipped", *["duration"] * 4]
    assert kept["steps"]["cycle"].tolist() == [1, 1, 2, 2, 3, 3, 3]


@pytest.mark.parametrize("tenths", range(8))
def test_a_step_that_is_over_by_itself_when_it_is_skipped_keeps_its_end(tenths: int) -> None:
    """Whoever comes first: nothing is skipped twice, and no other step."""
    dense = THREE.replace("for: 4 s", "for: 4 s, record: {every: 0.05 s}")
    _, usual, _ = ran(dense)
    outcome, kept, post = ran(dense, (4.0 + tenths / 10, request("skip")))
    assert outcome.status == "completed"
    first, *others = (kind for _, kind in ends(kept))
    if "1.1 strip" in post.told()[0][1]:
        assert others == ["duration"] * 6
    else:
        assert (first, others) == ("duration", ["skipped", *["duration"] * 5])
    assert charges_C(kept)[2:] == pytest.approx(charges_C(usual)[2:], abs=REACTION_C)


def test_a_cutoff_and_a_skip_in_the_same_moment() -> None:
    by_host = "- strip: 1 mA\n  for: 10 s\n  until: {charge: 5 mC}\n- rest: 5 s"
    for tenths in range(8):
        outcome, kept, _ = ran(by_host, (5.0 + tenths / 10, request("skip")))
        assert outcome.status in ("completed", "aborted")
        assert len(kept["steps"]) == 2
        stops = [
            entry for entry in kept.entries if (entry.kind, entry.facts.get("verb")) == ("meant", "stop")
        ]
        assert len(stops) <= 2


# --- what comes first ----------------------------------------------------------------------------------


def test_a_channel_that_stands_is_not_read_any_more() -> None:
    calls: list[str] = []
    post = Letters([(1.0, pause()), (100.0, request("stop", number=2))])
    done(THREE, wrap=lambda inner: Watched(inner, calls, []), post=post, observe=post.see)
    assert "read" in calls
    assert "look" in calls
    assert "read" not in calls[calls.index("look") :]


@pytest.mark.parametrize("after", [None, "step"])
def test_a_stop_ends_a_run_that_is_paused_at_once(after: str | None) -> None:
    outcome, kept, post = ran(THREE, (1.0, pause(after)), (100.0, request("stop", "bob@pc", 2)))
    assert (outcome.status, outcome.reason) == ("aborted", "stopped by bob@pc")
    assert outcome.cell_open
    assert ends(kept)[-1][1] == "operator"
    assert post.answers[-1] == Answer("request-2", "done", "stopped by bob@pc", True)


def test_a_stop_keeps_the_end_of_a_step_that_was_over_before_the_pause() -> None:
    _, kept, _ = ran(TWO_CHAINS, (1.0, pause("step")), (100.0, request("stop", number=2)))
    assert ends(kept) == [("rest", "duration")]


@pytest.mark.parametrize("tenths", range(8))
def test_a_stop_in_a_pause_ends_a_step_only_if_it_was_not_over(tenths: int) -> None:
    letters = [(3.9 + tenths / 10, pause()), (100.0, request("stop", number=2))]
    _, kept, _ = ran(TWO_CHAINS.replace("rest: 4 s", "rest: 4 s\n  record: {every: 0.05 s}"), *letters)
    whole = float(kept["steps"]["t_end"][0] - kept["steps"]["t_start"][0]) > 3.99
    assert ends(kept)[0] == ("rest", "duration" if whole else "operator")


def test_a_limit_comes_before_a_pause() -> None:
    head = HEAD.replace("3 V]", "0.2 V]")
    outcome, _, _ = ran("- strip: 1 mA\n  for: 1 h", (0.0, pause("step")), head=head)
    assert (outcome.status, outcome.reason) == ("stopped", "limit: Ewe above 0.2 V")


def test_the_time_of_the_run_goes_on_in_a_pause() -> None:
    head = HEAD.replace("1000 h", "60 s")
    outcome, _, _ = ran(THREE, (1.0, pause()), head=head)
    assert (outcome.status, outcome.reason) == ("stopped", "limit: 60 s of run time")


def test_a_cell_that_begins_anew_after_a_pause_has_not_shorted() -> None:
    """It takes a second to rise to its 0.3 V."""
    rule = "stop_when: {short: {Ewe_falls_by: 30 %, within: 2 min, below: 210 mV}}\nsteps:"
    steps = "- strip: 1 mA\n  for: 10 s\n  record: {every: 0.02 s}"
    letters = [(4.0, pause()), (30.0, resume())]
    outcome, kept, _ = ran(steps, *letters, head=HEAD.replace("steps:", rule))
    again = kept["samples"][kept["samples"]["time"] > 29.0]
    assert np.count_nonzero(np.abs(again["Ewe"]) < 0.2) >= 3
    assert outcome.reason == "all steps done"


def test_of_a_stop_and_a_pause_at_the_same_boundary_the_stop_counts() -> None:
    letters = [(1.0, pause("step")), (1.0, request("stop", number=2, after="step"))]
    outcome, _, _ = ran(THREE, *letters)
    assert outcome.reason == "stopped by ada@pc after step 1.1 strip 1 mA/cm2"


def test_a_stop_after_a_step_counts_on_over_a_pause() -> None:
    letters = [(1.0, pause()), (0.5, request("stop", number=3, after="step")), (100.0, resume())]
    outcome, kept, _ = ran(THREE, *letters)
    assert outcome.reason == "stopped by ada@pc after step 1.1 strip 1 mA/cm2"
    assert charges_C(kept)[0] == pytest.approx(4e-3, abs=REACTION_C)


# --- what makes no sense -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letters", "number", "text"),
    [
        ([(1.0, resume())], 2, "the run is not paused"),
        ([(1.0, pause("lunch"))], 1, "after what? One of step, cycle, spectrum"),
        ([(1.0, pause("spectrum"))], 1, "this run measures no spectrum"),
        ([(1.0, pause()), (50.0, pause("step", 3)), (100.0, resume())], 3, "the run is paused already"),
        ([(1.0, pause()), (50.0, request("skip", number=3)), (100.0, resume())], 3, "the run is paused"),
        ([(1.0, request("skip")), (1.0, request("skip", number=3))], 3, "is being skipped already"),
    ],
)
def test_it_is_refused_with_a_sentence(letters: list[tuple[float, Request]], number: int, text: str) -> None:
    outcome, _, post = ran(THREE, *letters)
    assert outcome.status == "completed"
    [(state, said)] = post.told(number)
    assert state == "refused"
    assert text in said


@pytest.mark.parametrize("back", ["resume", "withdraw"])
def test_a_pause_that_has_not_come_is_taken_back(back: str) -> None:
    outcome, kept, post = ran(THREE, (1.0, pause("step")), (2.0, request(back, number=2)))
    assert outcome.status == "completed"
    assert not told(kept, "paused")
    assert post.told(2)[0][0] == "done"


# --- the channel while it is paused --------------------------------------------------------------------


class Watched(Slowly):
    """A channel of which it is known what was called. looks: what it shows, one after the other."""

    def __init__(self, inner: Channel, calls: list[str], looks: list[Look | Exception | None]) -> None:
        super().__init__(inner, at_read=-1)
        self.calls, self.looks = calls, looks

    def look(self) -> Look | None:
        self.calls.append("look")
        shown = self.looks.pop(0) if self.looks else None
        if isinstance(shown, Exception):
            raise shown
        return shown

    def read(self, watch: Watch) -> Reading:
        self.calls.append("read")
        return super().read(watch)

    def load(self, *args: Any) -> None:
        self.calls.append("load")
        self.inner.load(*args)


def test_what_it_shows_is_told_now_and_then_and_judges_nothing() -> None:
    """Also where it is not heard, or shows what nobody loaded."""
    calls: list[str] = []
    at_rest, foreign = Look(False, 9.0, 0.0, 0.0), Look(True, 0.5, 1e-3, 0.0)
    looks = [at_rest, LinkLost("no answer"), foreign, foreign, None]
    post = Letters([(1.0, pause()), (101.0, resume())])
    shown: list[tuple[float, float]] = []

    def see(progress: Any) -> None:
        post.see(progress)
        if calls.count("load") == 1:
            shown.append((progress.time_s, progress.Ewe_V))

    outcome, kept = done(THREE, wrap=lambda inner: Watched(inner, calls, looks), post=post, observe=see)
    assert outcome.status == "completed"
    assert calls.count("load") == 2
    assert 5 <= calls.count("look") <= 11  # in 100 s
    assert 9.0 in [Ewe_V for _, Ewe_V in shown]
    assert told(kept, "state") == ["the run is paused, and somebody else has started its channel"]


def test_others_see_that_it_is_paused() -> None:
    words: list[str] = []
    post = Letters([(1.0, pause()), (20.0, resume())])

    class Seen(Outside):
        def round(self, state: str, progress: Any, ends: Any) -> None:
            words.append(state)

    done(THREE, wrap=slowly, post=post, observe=post.see, outside=Seen(virtual=True))
    assert list(dict.fromkeys(words)) == ["running", "paused"]
    assert words[-1] == "running"


class Press:
    """Beyond its limit from a time on, when the step that waits for it has long settled."""

    specs: Mapping[str, SensorSpec] = {
        "press": SensorSpec("press", "sim", "", "MPa", "pressure", 1.0, 0.0, every_s=1.0, timeout_s=1.0)
    }
    unseen_s: Mapping[str, float] = {"press": 0.0}

    def __init__(self, bursts_s: float) -> None:
        self.bursts_s = bursts_s

    def look(self, now_s: Callable[[], float]) -> Sensed:
        high = 13.0 if now_s() >= self.bursts_s else 10.0
        return Sensed({"press": Latest(now_s(), 10.0, 10.0, high)})

    def set(self, name: str, value: float | Ramp) -> None: ...

    def close(self) -> Sensed:
        return Sensed({})


def by_hand(settle: Settle | None = None, bursts_s: float = math.inf) -> tuple[Any, Kept]:
    """A rest of 10 s, paused after 3 s, and a hold."""
    limit = replace(end(1, "sensor", "above", 12.0, kind="limit"), sensor="press")
    steps = [replace(info(1), settle=settle), info(2)]
    of = program(Segment((rest(1),)), Segment((cp(2),)), steps=steps, ends=(limit,))
    clock, kept = FreeClock(), Kept()
    kept.program = of
    post = Letters([(3.0, pause()), (100.0, resume())])
    place = Place("sim", "sim", "SP-300", 1, {})
    channel = slowly(driver.open(place, driver.cell("randles"), clock, 1))
    outcome = run(
        of, channel, clock, kept, poll_s=0.0, post=post, observe=post.see,
        sensors=Press(bursts_s),  # type: ignore[arg-type]
    )  # fmt: skip
    return outcome, kept


def test_limits_of_sensors_are_watched_while_it_is_paused() -> None:
    outcome, kept = by_hand(bursts_s=50.0)
    assert (outcome.status, outcome.end_kind, outcome.end_value) == ("stopped", "limit", 13.0)
    [row] = kept["steps"]
    assert row["end_kind"] == b"limit"
    assert not told(kept, "resumed")


def test_a_step_that_waits_for_a_sensor_does_not_settle_in_a_pause_and_waits_anew() -> None:
    settle = Settle("press", 10.0, 1.0, 8.0, "end run", "10 MPa", "1 MPa", "8 s")
    outcome, kept = by_hand(settle)
    assert outcome.status == "completed"
    assert [kind for _, kind in ends(kept)] == ["settled", "duration"]
    [resumed] = [event for event in kept.events if event.code == "resumed"]
    assert float(kept["steps"]["t_end"][0]) - resumed.time_s > 8.0


# --- the record ----------------------------------------------------------------------------------------


def test_the_tables_are_those_of_the_entries() -> None:
    """However they are cut, by whoever books them later."""
    _, kept, _ = ran(THREE, (1.0, pause()), (50.0, resume()), (60.0, request("skip", number=3)))
    one_by_one = Book(kept.program, layout.SAMPLES.dtype)
    pages = [one_by_one.take([entry]) for entry in kept.entries] + [one_by_one.close(unclosed=False)]
    for name in ("samples", "steps", "chains"):
        rows = np.concatenate([page.tables[name] for page in pages if name in page.tables])
        assert rows.tobytes() == kept[name].tobytes()
    assert one_by_one.planned == kept.program
    assert one_by_one.program != kept.program
