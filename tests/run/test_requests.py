"""What people ask of a run that goes on: it is heard, kept, answered, and ends the run where it was asked to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from asking import Letters, Slowly, ends, ran, request
from running import HEAD, done

from nakctl.record.asked import Answer, Request
from nakctl.run.postman import Refused
from nakctl.run.requests import Heard
from nakctl.run.sensing import Bench


def stop_after(what: str, who: str = "ada@pc", number: int = 1) -> Request:
    return request("stop", who, number, after=what)


STRIP, PLATE, REST = ("strip 1 mA/cm2", "duration"), ("plate 1 mA/cm2", "duration"), ("rest", "duration")
PAIR = "[{strip: 1 mA, for: 4 s}, {plate: 1 mA, for: 4 s}]"
BY_HOST = "[{strip: 1 mA, for: 4 s, until: {charge: 1 Ah, then: end loop}}, {plate: 1 mA, for: 4 s}]"
THREE = f"- repeat: 3\n  steps: {PAIR}\n- rest: 20 s"
THREE_BY_HOST = f"- repeat: 3\n  steps: {BY_HOST}\n- rest: 20 s"
BY_THE_HOST = "until: {Ewe_below: -2 V}"  # at rest no instrument tests it, so the chain ends there
TWO_CHAINS = f"- rest: 4 s\n  {BY_THE_HOST}\n- plate: 1 mA\n  for: 4 s"
SWEPT = "- strip: 1 mA\n  for: 30 s\n  spectra: g\n- plate: 1 mA\n  for: 4 s"


@pytest.mark.parametrize("steps", [THREE, THREE_BY_HOST], ids=["by the instrument", "by the host"])
@pytest.mark.parametrize(
    ("after", "asked_s", "whole", "what"),
    [
        ("step", 1.0, 1, "step 1.1 strip 1 mA/cm2"),
        ("step", 5.0, 2, "step 1.2 plate 1 mA/cm2"),
        ("step", 9.0, 3, "step 1.1 strip 1 mA/cm2"),
        ("cycle", 1.0, 2, "cycle 1"),
        ("cycle", 9.0, 4, "cycle 2"),
        ("cycle", 18.5, 6, "cycle 3"),  # the loop is left, and the record begins no other cycle there
    ],
)
def test_a_stop_after_a_step_or_a_cycle_of_a_loop(
    steps: str, after: str, asked_s: float, whole: int, what: str
) -> None:
    outcome, kept, post = ran(steps, (asked_s, stop_after(after)))
    reason = f"stopped by ada@pc after {what}"
    assert (outcome.status, outcome.reason, outcome.end_kind) == ("aborted", reason, "operator")
    assert outcome.cell_open
    assert ends(kept)[:whole] == [STRIP, PLATE, STRIP, PLATE, STRIP, PLATE][:whole]
    assert len(ends(kept)) <= whole + 1  # the next one, for a moment
    for _, kind in ends(kept)[whole:]:
        assert kind == "operator"
    assert kept["samples"]["time"][-1] < 4.0 * whole + 3.0
    (state, text), *_ = post.told()
    assert state == "waits"
    assert f"after {what} (ada@pc)" in text


def test_between_two_chains_nothing_further_is_started() -> None:
    outcome, kept, _ = ran(TWO_CHAINS, (1.0, stop_after("step")))
    assert outcome.reason == "stopped by ada@pc after step 1 rest"
    assert ends(kept) == [REST]  # and it lasted as long as planned
    verbs = [each.facts["verb"] for each in kept.entries if each.kind == "meant"]
    assert verbs == ["load", "start", "end"]


def test_at_the_end_of_a_pass_that_the_host_repeats_nothing_further_is_started() -> None:
    steps = f"- repeat: 2\n  steps: [{{strip: 1 mA, for: 4 s}}, {{rest: 2 s, {BY_THE_HOST}}}]"
    outcome, kept, _ = ran(steps, (1.0, stop_after("cycle")))
    assert outcome.reason == "stopped by ada@pc after cycle 1"
    assert ends(kept) == [STRIP, REST]


def test_what_is_asked_before_the_first_row_of_a_chain_is_asked_of_its_step() -> None:
    """Rows know of the step before; the channel is in the next one."""
    started: list[bool] = []

    class Starting(Slowly):
        def start(self) -> None:
            started.append(True)
            self.inner.start()

    class Then(Letters):
        def taken(self) -> list[Request]:
            due, self.due = (self.due, []) if len(started) == 2 else ([], self.due)
            return [each for _, each in due]

    post = Then([(0.0, stop_after("step"))])
    outcome, _ = done(TWO_CHAINS, post=post, wrap=lambda channel: Starting(channel, at_read=-1))
    assert outcome.status == "completed"
    assert "after step 2 plate 1 mA/cm2 (ada@pc)" in post.told()[0][1]


@pytest.mark.parametrize("after", ["step", "cycle"])
def test_after_the_last_step_the_run_is_just_done(after: str) -> None:
    outcome, kept, post = ran(TWO_CHAINS, (6.0, stop_after(after)))
    assert (outcome.status, outcome.reason) == ("completed", "all steps done")
    assert ends(kept) == [REST, PLATE]
    assert post.told()[0][0] == "waits"


def test_a_stop_after_the_spectrum_under_way_ends_the_step_with_its_last_frequency() -> None:
    _, usual, _ = ran(SWEPT)
    first = usual["spectra"][0]
    asked_s = float(first["time"]) + 0.2
    outcome, kept, _ = ran(SWEPT, (asked_s, stop_after("spectrum")))
    assert outcome.reason == "stopped by ada@pc after spectrum 1"
    assert kept["spectra"]["complete"].tolist() == [1]
    assert kept["impedance"].tobytes() == usual["impedance"][: first["row_count"]].tobytes()
    assert ends(kept) == [("strip 1 mA/cm2", "operator")]
    assert kept["samples"]["time"][-1] - kept["impedance"]["time"][-1] < 1.0


def test_a_stop_after_a_spectrum_waits_for_the_next_one() -> None:
    outcome, kept, _ = ran("- rest: 5 s\n- geis: g\n- rest: 5 s\n- geis: g", (1.0, stop_after("spectrum")))
    assert outcome.reason == "stopped by ada@pc after spectrum 1"
    assert kept["spectra"]["complete"].tolist() == [1]


def test_after_the_last_spectrum_of_the_last_step_the_run_is_just_done() -> None:
    outcome, kept, _ = ran("- rest: 5 s\n- geis: g", (1.0, stop_after("spectrum")))
    assert outcome.status == "completed"
    assert kept["spectra"]["complete"].tolist() == [1]


def test_the_sooner_of_two_ends_wins_and_the_answer_tells_both() -> None:
    due = (
        (1.0, stop_after("cycle")),
        (1.5, stop_after("step", "bob@pc", 2)),
        (2.0, stop_after("step", "eve@pc", 3)),
    )
    outcome, _, post = ran(THREE, *due)
    assert outcome.reason == "stopped by bob@pc after step 1.1 strip 1 mA/cm2"
    for number in (2, 3):
        [(state, text)] = post.told(number)
        assert state == "waits"
        assert "after cycle 1 (ada@pc), or after step 1.1 strip 1 mA/cm2 (bob@pc)" in text


def test_what_waits_can_be_taken_back() -> None:
    outcome, _, post = ran(THREE, (1.0, stop_after("step")), (2.0, request("withdraw", number=2)))
    assert outcome.status == "completed"
    assert post.told(2) == [("done", "the run goes on as planned")]


def test_a_successor_goes_on_with_what_was_asked_for() -> None:
    """As the journal of a run tells that was killed in its third step."""
    asked = [
        (0.0, stop_after("step", number=1)),
        (0.5, request("withdraw", number=2)),
        (1.0, stop_after("cycle", number=3)),
        (2.0, request("note", number=4, text="once")),
        (3.0, stop_after("lunch", number=5)),
    ]
    _, kept, _ = ran(THREE, *asked)
    heard = Heard.of(kept.entries)
    assert heard.ids == {f"request-{number}" for number in range(1, 6)}
    assert [(wish.after, wish.who, wish.number) for wish in heard.wishes] == [("cycle", "ada@pc", 1)]
    assert heard.reason is None
    outcome, kept, post = ran(THREE, (0.0, request("note", number=4, text="once")), heard=heard)
    assert outcome.reason == "stopped by ada@pc after cycle 1"
    assert not any(event.code == "note" for event in kept.events)
    assert post.told(4) == [("done", "it was heard before")]


@pytest.mark.parametrize("by_mail", [True, False])
def test_a_successor_stops_if_the_one_before_it_was_to_stop(by_mail: bool) -> None:
    due = [(1.0, request("stop"))] if by_mail else []
    outcome, kept, _ = ran(
        "- rest: 1000 h", *due, stop_asked=lambda: None if by_mail else "stopped by the operator"
    )
    heard = Heard.of(kept.entries)
    assert heard.reason == outcome.reason
    assert ran("- rest: 1000 h", heard=heard)[0].reason == outcome.reason


def test_a_limit_comes_before_what_was_asked_for() -> None:
    head = HEAD.replace("3 V]", "0.2 V]")
    outcome, _, _ = ran("- strip: 1 mA\n  for: 1 h", (0.0, stop_after("step")), head=head)
    assert (outcome.status, outcome.reason) == ("stopped", "limit: Ewe above 0.2 V")


def test_a_stop_at_once() -> None:
    outcome, kept, post = ran("- rest: 1000 h", (3.0, request("stop")), (3.0, request("stop", "bob@pc", 2)))
    assert (outcome.status, outcome.reason) == ("aborted", "stopped by ada@pc")
    assert kept.steps() == [("rest", "stopped by ada@pc")]
    assert post.told() == [("waits", "the channel is being stopped"), ("done", "stopped by ada@pc")]
    assert post.told(2)[-1] == ("done", "stopped by ada@pc")
    assert [each.cell_open for each in post.answers if each.state == "done"] == [True, True]
    asked = [each.facts for each in kept.entries if each.kind == "asked"]
    assert [(each["who"], each["verb"], each["id"]) for each in asked] == [
        ("ada@pc", "stop", "request-1"), ("bob@pc", "stop", "request-2"),
    ]  # fmt: skip


def test_a_note_is_an_event_with_who() -> None:
    _, kept, post = ran("- rest: 10 s", (3.0, request("note", text="the lamp is on")))
    [event] = [event for event in kept.events if event.code == "note"]
    assert (event.message, event.severity) == ("ada@pc: the lamp is on", 0)
    assert event.time_s == pytest.approx(3.0, abs=1.0)
    assert post.told() == [("done", "the note is kept")]


def test_the_same_request_is_not_heard_twice() -> None:
    """Its file may come again: it could not be removed, or a successor finds it."""
    note = request("note", text="once")
    _, kept, post = ran("- rest: 10 s", (3.0, note), (5.0, replace(note, when="later")))
    assert sum(event.code == "note" for event in kept.events) == 1
    assert post.told()[1] == ("done", "it was heard before")


def test_what_was_asked_too_late_is_answered_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    class Late(Letters):
        def taken(self) -> list[Request]:
            due, self.due = (self.due, []) if is_over else ([], self.due)
            return [each for _, each in due]

    is_over: list[bool] = []
    post = Late([(0.0, stop_after("step")), (0.0, request("stop", number=2))])
    close = Bench.close

    def closed(bench: Bench) -> None:
        is_over.append(True)
        close(bench)

    monkeypatch.setattr(Bench, "close", closed)
    outcome, _ = done("- rest: 10 s", post=post)
    assert outcome.status == "completed"
    assert post.told(1) == [("refused", "the run is ending: stopped by ada@pc")]
    assert post.answers[-1] == Answer("request-2", "done", "all steps done", True)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (stop_after("lunch"), "after what? One of step, cycle, spectrum"),
        (stop_after("spectrum"), "this run measures no spectrum"),
    ],
)
def test_what_makes_no_sense_is_refused(asked: Request, text: str) -> None:
    outcome, kept, post = ran("- rest: 10 s", (1.0, asked))
    assert outcome.status == "completed"
    assert post.told() == [("refused", text)]
    assert any(event.code == "asked" and text in event.message for event in kept.events)


def test_what_its_thread_refused_and_why_it_cannot_look_are_events() -> None:
    post = Letters([], trouble="Read-only file system", shown=[Refused(3, "'x': it has another name")])
    _, kept = done("- rest: 10 s", post=post)
    told = [event.message for event in kept.events if event.code == "requests"]
    assert told == [
        "requests cannot be taken: Read-only file system",
        "3 requests were refused: 'x': it has another name",
    ]


def test_many_notes_change_no_row() -> None:
    notes = [(0.5 + k / 100, request("note", number=k, text=f"number {k}")) for k in range(300)]
    outcome, kept, post = ran(THREE, *notes)
    usual, quiet, _ = ran(THREE)
    assert outcome.status == usual.status == "completed"
    for name in ("samples", "steps"):
        assert kept[name].tobytes() == quiet[name].tobytes()
    assert len(post.answers) == 300


def test_an_operator_s_signal_stands_in_the_record_as_before() -> None:
    asked = iter([None] * 5)
    outcome, kept, _ = ran("- rest: 1000 h", stop_asked=lambda: next(asked, "stopped by the operator"))
    assert outcome.reason == "stopped by the operator"
    [entry] = [each for each in kept.entries if each.kind == "asked"]
    assert entry.facts == {"verb": "stop", "who": "operator", "reason": "stopped by the operator"}
