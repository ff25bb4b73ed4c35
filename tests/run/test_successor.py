"""What a program left that died: read from its entries, not judged again."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from asking import Letters, ran, request, slowly
from dying import PLACE, Died, Half, Mortal, gone_on_with
from kept import Kept
from running import done

from nakctl.booking import layout
from nakctl.booking.book import Book, segment_of
from nakctl.booking.ending import Ending
from nakctl.booking.entry import Entry
from nakctl.decide.engine import Phase
from nakctl.device.channel import Channel, Reading, State, Watch
from nakctl.device.program import Segment
from nakctl.errors import LinkLost
from nakctl.record.asked import Request
from nakctl.run.clock import FreeClock
from nakctl.run.requests import Heard
from nakctl.run.run import Outcome, run
from nakctl.run.successor import Chain, last_chain, led_to, now_s, owner, replayed
from nakctl_sim.channel import SimChannel
from nakctl_sim.driver import driver

STEPS = """
- rest: 2 s
- strip: 1 mA
  for: 5 s
- repeat: 2
  steps:
    - plate: 1 mA
      for: 5 s
      spectra: {use: g}
"""
ASKED = Ending("end run", "somebody asked", "aborted", "operator")


@pytest.fixture(scope="module")
def whole() -> Kept:
    _, kept = done(STEPS, run_id="me")
    return kept


def test_at_every_entry_it_is_known_where_the_run_was(whole: Kept) -> None:
    verbs = [(entry.kind, entry.facts.get("verb")) for entry in whole.entries]
    for count in range(len(verbs) + 1):
        chain = last_chain(Half(whole, count))
        left = replayed(Half(whole, count), 0.0)
        before = verbs[:count]
        assert chain.number == before.count(("meant", "load"))
        assert chain.mark == (f"nakctl me {chain.number} 0" if chain.number else "")
        said = [e for e in whole.entries[:count] if e.kind == "said"]
        assert chain.block == (said[-1].block if said else 0)
        assert bool(chain.memo) == bool(said and said[-1].segment == chain.number)
        is_over = bool(said) and said[-1].segment == chain.number and bool(said[-1].facts.get("stopped"))
        assert chain.is_over == is_over
        assert left.book.ledger.rows <= sum(len(e.samples) + len(e.points) for e in said)
        assert left.state.phase in ((Phase.RUNNING,) if chain.number else (Phase.READY,))
        assert (left.called_s is not None) == (chain.is_begun and not left.book._begun)


def test_what_a_run_led_to_whose_last_chain_was_over() -> None:
    _, kept = done(STEPS.replace("spectra: {use: g}", "record: {every: 1 s}"), run_id="me")
    entries = [(entry.kind, entry.facts.get("verb")) for entry in kept.entries]
    end = entries.index(("meant", "end"))
    overs = [k for k, (kind, _) in enumerate(entries) if kind == "over"]
    for count in (end + 1, overs[-1] + 1):
        assert led_to(replayed(Half(kept, count), 0.0), ASKED).reason == "all steps done"
    for count in (0, overs[-1] - 3, *(over + 1 for over in overs[:-1])):
        assert led_to(replayed(Half(kept, count), 0.0), ASKED) == ASKED


def test_whose_a_channel_is() -> None:
    chain = Chain(number=3, mark="nakctl me 3 0")
    assert owner("nakctl me 3 0", "me", chain) == "this run"
    assert owner("nakctl me 2 0", "me", chain) == "this run, before"
    assert owner("nakctl me 4 0", "me", chain) == "another run"
    assert owner("nakctl you 3 0", "me", chain) == "another run"
    for mark in ("", "EC-Lab", "nakctl me", "nakctl me 3 0 "):
        assert owner(mark, "me", chain) == "nobody known"
    assert owner("", "me", Chain()) == "nobody known"


def test_the_time_of_the_run_goes_on_by_the_wall_clock() -> None:
    chain = Chain(time_s=100.0, unix_s=1000.0)
    assert now_s(chain, 1010.0, 1.0) == 110.0
    assert now_s(chain, 1010.0, 20.0) == 300.0
    assert now_s(chain, 900.0, 1.0) == 100.0  # it was set back
    assert now_s(Chain(time_s=5.0), 900.0, 1.0) == 5.0
    assert math.isnan(Chain().unix_s)


# the loop, begun in the place of another one


class Dying:
    """A channel whose program dies at the n-th read, before the rows are kept."""

    def __init__(self, inner: Channel, at_read: int) -> None:
        self.inner, self.at_read = inner, at_read

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def read(self, watch: Watch) -> Reading:
        self.at_read -= 1
        if self.at_read == 0:
            raise Died
        if self.at_read < 0:
            raise LinkLost("dead")
        return self.inner.read(watch)

    def stop(self) -> None:
        if self.at_read > 0:
            self.inner.stop()


def after_death(at_read: int, reason: str | None = ASKED.reason) -> tuple[Outcome, Kept, Channel]:
    """The loop of a successor on the same simulated board, after its program died at a read."""
    inner: list[Any] = []

    def dying(channel: Channel) -> Any:
        inner.append(channel)
        return Dying(channel, at_read)

    kept = Kept()
    with pytest.raises(Died):
        done(STEPS, sink=kept, wrap=dying, run_id="me")
    own = [k for k, entry in enumerate(kept.entries) if entry.kind == "over" and "fault" in str(entry.facts)]
    count = own[0] if own else len(kept.entries)
    del kept.entries[count:]
    half = Half(kept, count)
    chain = last_chain(half)
    channel = SimChannel(inner[0].board, inner[0].info)
    channel.adopt(chain.segment, chain.memo, chain.mark)
    later = Kept()
    later.program = kept.program
    clock = FreeClock()
    outcome = run(
        kept.program,
        channel,
        clock,
        later,
        poll_s=0.0,
        stop_asked=lambda: reason,
        left=replayed(half, chain.time_s),
    )
    kept.entries.extend(later.entries)
    return outcome, kept, channel


@pytest.mark.parametrize("at_read", [1, 2, 3])
def test_it_stops_what_it_finds_and_keeps_every_row(whole: Kept, at_read: int) -> None:
    outcome, kept, channel = after_death(at_read)
    assert outcome.cell_open
    assert outcome.reason == ASKED.reason
    assert (outcome.status, outcome.end_kind) == ("aborted", "operator")
    look = channel.look()
    assert look is not None
    assert not look.running
    rows = [b"".join(e.samples.tobytes() for e in one.entries if e.kind == "said") for one in (kept, whole)]
    assert rows[1].startswith(rows[0])
    verbs = [e.facts["verb"] for e in kept.entries if e.kind == "meant"]
    assert verbs[-1] == "end"
    assert verbs.count("load") == max(e.segment for e in kept.entries)


CHAINS = """
- rest: 2 s
- repeat: 3
  steps:
    - {strip: 1 mA, for: 5 s, record: {every: 0.1 s}}
    - {plate: 1 mA, for: 4 s, record: {every: 0.1 s}, until: {charge: 1 Ah, then: end loop}}
    - {geis: g, during: {strip: 0.1 mA}}
- rest: 2 s
"""


def rows_of(kept: Kept) -> list[tuple[Any, ...]]:
    """What the cell was given, row by row; what it answers depends on for how long it had rested."""
    given = [e.samples[["time_s", "I_A", "technique", "passes"]] for e in kept.entries if e.kind == "said"]
    return [row.item() for row in np.concatenate(given)]


@pytest.mark.parametrize("at", [10, 16, 25, 33, 50, 70])
def test_what_is_left_is_begun_on_an_instrument_that_was_switched_off(at: int) -> None:
    """Each step gets the time that it had not had, a spectrum comes again as a whole."""
    _, whole, _ = gone_on_with(0, heard=False, steps=CHAINS)
    channels: list[Mortal] = []

    def mortal(channel: Channel) -> Any:
        channels.append(Mortal(channel, at, heard=False))
        return channels[-1]

    kept = Kept()
    with pytest.raises(Died):
        done(CHAINS, sink=kept, wrap=mortal, run_id="me")
    fault = [k for k, e in enumerate(kept.entries) if e.kind == "over" and "fault" in str(e.facts)]
    del kept.entries[fault[0] if fault else len(kept.entries) :]
    half = Half(kept, len(kept.entries))
    chain = last_chain(half)
    anew, clock, later = driver.open(PLACE, driver.cell("randles"), FreeClock(), 1), FreeClock(), Kept()
    anew.board.clock = clock  # type: ignore[attr-defined]
    left = replace(replayed(half, chain.time_s), is_lost=chain.may_run)
    assert left.book.program is not None
    outcome = run(left.book.program, anew, clock, later, poll_s=0.0, run_id="me", left=left)
    kept.entries += later.entries
    assert (outcome.status, outcome.reason) == ("completed", "all steps done")
    assert [label for label, _ in kept.steps()] == [label for label, _ in whole.steps()]
    assert sum(whole["spectra"]["complete"]) == sum(kept["spectra"]["complete"]) == 3
    for label, lasted_s in times_of(whole).items():
        assert times_of(kept)[label] == pytest.approx(lasted_s, abs=0.75 * (1 + chain.may_run)), label
    assert ("continued" in kept.codes()) == chain.may_run


@pytest.mark.parametrize("then", ["end run", "next step"])
def test_what_was_to_be_stopped_is_over_for_that_reason_though_the_instrument_was_switched_off(
    then: Any,
) -> None:
    """Nothing goes on after a limit; and a step that a cutoff ended is not gone on with."""
    channels: list[Mortal] = []

    def mortal(channel: Channel) -> Any:
        channels.append(Mortal(channel, 20, heard=False))
        return channels[-1]

    kept = Kept()
    with pytest.raises(Died):
        done(CHAINS, sink=kept, wrap=mortal, run_id="me")
    fault = [k for k, e in enumerate(kept.entries) if e.kind == "over" and "fault" in str(e.facts)]
    del kept.entries[fault[0] :]
    ending = Ending(then, "Ewe was above 3 V", "stopped" if then == "end run" else "completed", "limit")
    facts = {"verb": "stop", "ending": ending.as_json(), "step_count": 0}
    kept.entries.append(Entry("meant", kept.entries[-1].segment, kept.entries[-1].time_s, facts=facts))
    half = Half(kept, len(kept.entries))
    chain = last_chain(half)
    assert chain.may_run and chain.stop == ending
    clock, later = FreeClock(), Kept()
    anew = driver.open(PLACE, driver.cell("randles"), clock, 1)
    left = replace(replayed(half, chain.time_s), is_lost=True)
    assert left.book.program is not None
    outcome = run(left.book.program, anew, clock, later, poll_s=0.0, run_id="me", left=left)
    loads = [entry for entry in later.entries if entry.facts.get("verb") == "load"]
    if then == "end run":
        assert (outcome.status, outcome.reason, loads) == ("stopped", "Ewe was above 3 V", [])
    else:
        assert outcome.status == "completed"
        kept.entries += later.entries
        again = [label for label, why in kept.steps() if why == "Ewe was above 3 V"]
        assert len(again) == 1
        assert "continued" not in kept.codes()


def times_of(kept: Kept) -> dict[str, float]:
    """For how long each step imposed what it had to, in all its cycles, but the one with the spectra."""
    found: dict[str, float] = {}
    for row in kept["steps"]:
        samples = kept["samples"][kept["samples"]["step_count"] == row["step_count"]]
        imposed_s = np.diff(samples["time"])
        label = row["label"].decode()
        if "geis" not in label:
            found[label] = found.get(label, 0.0) + float(imposed_s[imposed_s < 1.5].sum())
    return found


@pytest.mark.parametrize("heard", [True, False])
def test_a_run_that_dies_anywhere_is_gone_on_with(heard: bool) -> None:
    _, whole, _ = gone_on_with(0, heard=heard, steps=CHAINS)
    every, at = rows_of(whole), 0
    while True:
        at += 1 if heard else 2
        outcome, kept, dead = gone_on_with(at, heard=heard, steps=CHAINS)
        if not dead.calls >= at:
            break
        missing = 0 if not isinstance(dead.lost, Reading) else len(dead.lost.samples)
        if (
            outcome.status == "interrupted"
        ):  # with the rows that prove that the chain was done, its proof is lost
            assert isinstance(dead.lost, Reading), at
            assert dead.lost.state is State.STOPPED, at
            assert "the channel stopped by itself" in outcome.reason
            continue
        assert (outcome.status, outcome.reason) == ("completed", "all steps done"), at
        starts = [e.segment for e in kept.entries if (e.kind, e.facts.get("verb")) == ("done", "start")]
        assert len(starts) == len(set(starts)), at
        assert kept.steps() == whole.steps(), at
        found = rows_of(kept)
        assert len(found) == len(every) - missing, at
        assert missing or found == every, at
    assert at > 80


def test_a_chain_that_was_seen_never_to_have_begun_is_loaded_by_whoever_comes_next() -> None:
    """A program died before the start, and the next one before it had loaded the chain again."""
    _, kept, dead = gone_on_with(2, heard=False, steps=CHAINS)
    every = rows_of(gone_on_with(0, heard=False, steps=CHAINS)[1])
    seen = next(k for k, e in enumerate(kept.entries) if e.kind == "said" and e.facts.get("stopped"))
    assert not len(kept.entries[seen].samples)
    del kept.entries[seen + 1 :]
    half, later = Half(kept, seen + 1), Kept()
    left = replayed(half, last_chain(half).time_s)
    assert (left.chain.is_over, left.chain.may_run) == (True, False)
    channel = SimChannel(dead.inner.board, dead.inner.info)  # type: ignore[attr-defined]
    assert kept.program is not None
    outcome = run(kept.program, channel, FreeClock(), later, poll_s=0.0, run_id="me", left=left)
    assert (outcome.status, outcome.reason) == ("completed", "all steps done")
    assert [(row[0], *row[2:]) for row in rows_of(later)] == [(row[0], *row[2:]) for row in every]


# a run that was paused


PAUSE, RESUME, SKIP = request("pause"), request("resume", number=2), request("skip", number=3)


@pytest.fixture(scope="module")
def paused() -> Kept:
    """In its second step, and resumed; its last step but one is skipped."""
    _, kept, _ = ran(STEPS, (4.0, PAUSE), (20.0, RESUME), (30.0, SKIP), run_id="me")
    return kept


def test_at_every_entry_of_a_paused_run_the_right_program_is_in_force(paused: Kept) -> None:
    entries = paused.entries
    book = Book(paused.program, layout.SAMPLES.dtype)
    segment, waits = Segment(()), False
    for count, entry in enumerate(entries, 1):
        book.take([entry])
        told = (entry.kind, entry.facts.get("verb"))
        if told == ("meant", "load"):
            assert book.program is not None
            segment = segment_of(book.program, entry)
        waits = (entry.kind == "program" and entry.facts["waits"]) or (waits and told != ("asked", "resume"))
        if entry.kind == "said":  # nothing that these tests look at follows from it
            continue
        half = Half(paused, count)
        left = replayed(half, 0.0)
        assert left.chain.segment == last_chain(half).segment == segment
        assert left.book.program == book.program
        assert left.book.planned == paused.program
        assert (left.state.phase is Phase.PAUSED) is waits


def test_the_states_through_which_a_paused_run_goes(paused: Kept) -> None:
    phases = [replayed(Half(paused, count), 0.0).state.phase for count in range(1, len(paused.entries) + 1)]
    seen = [one for one, before in zip(phases, [None, *phases], strict=False) if one is not before]
    pause = [Phase.RUNNING, Phase.STOPPING, Phase.PAUSED, Phase.READY, Phase.RUNNING]
    assert seen == [*pause, Phase.STOPPING, Phase.READY, Phase.RUNNING]


def test_what_a_run_led_to_that_died_while_it_was_paused(paused: Kept) -> None:
    kinds = [entry.kind for entry in paused.entries]
    at = kinds.index("program")
    for count in (at, at + 1, at + 2):
        half = Half(paused, count)
        assert led_to(replayed(half, 0.0), ASKED) == ASKED
        assert last_chain(half).was_cut


def gone_on(kept: Kept, count: int, *letters: tuple[float, Request], reason: str | None = None) -> Any:
    """The loop of a successor of a run of which so many entries are left, on a channel that stands."""
    half = Half(kept, count)
    left = replayed(half, last_chain(half).time_s)
    assert left.book.program is not None
    opened: list[Channel] = []
    done("- rest: 1 s", wrap=lambda channel: slowly(opened.append(channel) or channel))
    post, later = Letters(list(letters)), Kept()
    outcome = run(
        left.book.program, slowly(opened[0]), FreeClock(), later, poll_s=0.0, stop_asked=lambda: reason,
        post=post, observe=post.see, heard=Heard.of(half.entries()), left=left,
    )  # fmt: skip
    whole = Kept()
    whole.program, whole.entries = kept.program, [*kept.entries[:count], *later.entries]
    return outcome, whole


def counted(kept: Kept) -> list[tuple[Any, ...]]:
    return kept["steps"][["label", "cycle", "step_count", "end_kind"]].tolist()


def test_who_comes_after_a_death_in_a_pause_goes_on_when_it_is_resumed(paused: Kept) -> None:
    _, undisturbed = done(STEPS)
    count = [entry.kind for entry in paused.entries].index("program") + 1
    outcome, kept = gone_on(paused, count, (40.0, RESUME))
    assert outcome.status == "completed"
    assert counted(kept) == counted(undisturbed)
    [resumed] = [event for event in kept.events if event.code == "resumed"]
    assert resumed.facts["who"] == "ada@pc"


def test_and_stops_at_once_if_it_is_asked_to(paused: Kept) -> None:
    count = [entry.kind for entry in paused.entries].index("program") + 1
    outcome, kept = gone_on(paused, count, reason=ASKED.reason)
    assert (outcome.reason, outcome.cell_open) == (ASKED.reason, True)
    assert [kind for *_, kind in counted(kept)] == [b"duration", b"operator"]
    assert not any(entry.facts.get("verb") == "load" for entry in kept.entries[count:])


def test_a_run_that_was_resumed_and_died_before_it_loaded_anything_goes_on(paused: Kept) -> None:
    verbs = [(entry.kind, entry.facts.get("verb")) for entry in paused.entries]
    outcome, kept = gone_on(paused, verbs.index(("asked", "resume")) + 1)
    assert outcome.status == "completed"
    assert counted(kept) == counted(done(STEPS)[1])


def test_what_was_asked_for_and_came_is_not_asked_for_again(paused: Kept) -> None:
    assert not Heard.of(paused.entries).wishes
    asked = next(k for k, entry in enumerate(paused.entries) if entry.facts.get("verb") == "pause")
    [wish] = Heard.of(paused.entries[: asked + 1]).wishes
    assert (wish.verb, wish.after, wish.who) == ("pause", "now", "ada@pc")
