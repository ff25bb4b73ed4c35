"""How a run does, by its lock, its last state and its end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fabricated import known, state

from nakctl.cli.health import HUNG_AFTER_s, OPENING_s, Seen, STANDS_AFTER_s
from nakctl.record.boot import is_same_boot

RUN = known(Path("/data/a.h5"), 1)
NOW_s = 1e6
NOBODY = 1 << 30  # a number that no process has


def seen(held: bool = True, told_s: float = 0.1, round_s: float = 0.1, **more: Any) -> Seen:
    """told_s, round_s: how long ago; more: of its state."""
    told = state(RUN, told_monotonic_s=NOW_s - told_s, round_monotonic_s=NOW_s - round_s, **more)
    return Seen(RUN, held, told, None, False, False, NOW_s, RUN.boot)


def call(name: str, since_s: float) -> dict[str, Any]:
    return {"name": name, "since_monotonic_s": NOW_s - since_s}


@pytest.mark.parametrize("word", ["opening", "running", "waiting", "stopping", "ended"])
def test_a_run_that_lives_says_it_itself(word: str) -> None:
    assert (seen(state=word).health.word, seen(state=word).health.text) == (word, "")


def test_of_a_run_that_is_paused_it_says_how_to_go_on() -> None:
    health = seen(state="paused").health
    assert health.word == "paused"
    assert health.text == f"nakctl resume {RUN.short_id} goes on with it"
    assert seen(told_s=HUNG_AFTER_s + 0.1, state="paused").health.word == "HUNG"


@pytest.mark.parametrize(
    ("look", "word"),
    [
        (seen(told_s=HUNG_AFTER_s - 0.1), "running"),
        (seen(told_s=HUNG_AFTER_s + 0.1), "HUNG"),
        (seen(told_s=HUNG_AFTER_s + 0.1, state="stopping"), "HUNG"),
        (seen(told_s=HUNG_AFTER_s + 0.1, pid=NOBODY), "adopting"),  # whoever holds it has told nothing yet
        (seen(told_s=OPENING_s - 1, state="opening"), "opening"),
        (seen(told_s=OPENING_s + 1, state="opening"), "HUNG"),
        (seen(told_s=1e5, state="ended"), "ended"),  # its file is being sealed
        (seen(told_s=1e5, virtual=True), "running"),  # in virtual time nobody tells anything
        (seen(told_s=1e5, boot="of another computer"), "running"),  # whose clock is another
        (seen(round_s=STANDS_AFTER_s - 1), "running"),
        (seen(round_s=STANDS_AFTER_s + 1), "HUNG"),
        (seen(round_s=0.9, call=call("read", 0.9)), "running"),
        (seen(round_s=1.1, call=call("read", 1.1)), "STUCK"),
        (seen(round_s=1.1, call=call("load", 1.1)), "running"),
        (seen(round_s=300, call=call("load", 16.0)), "STUCK"),
        (
            seen(told_s=60, round_s=300, call=call("read", 300)),
            "HUNG",
        ),  # the supervisor does not live, either
    ],
)
def test_who_hangs_and_who_is_stuck(look: Seen, word: str) -> None:
    assert look.health.word == word


def test_whose_clock_is_known_by_the_clock_alone_may_be_rounded_otherwise() -> None:
    assert is_same_boot("started at 600", "started at 1200")
    assert not is_same_boot("started at 600", "started at 1800")
    assert not is_same_boot("a", "b")
    assert not is_same_boot("started at 600", "started at noon")
    assert is_same_boot("a", "a")


def test_the_sentences_say_what_is_not_watched() -> None:
    assert seen(told_s=7).health.text == (
        "its program has not moved for 7 s, and nobody watches the cell (process 4001)"
    )
    assert seen(call=call("read", 9)).health.text == (
        "read of the channel has not come back for 9 s; what the host watches is not watched meanwhile"
    )
    assert seen(call=call("load", 20)).health.text == "load of the channel has not come back for 20 s"


def test_without_a_program_it_is_dead_unless_its_end_was_written() -> None:
    dead = seen(held=False).health
    assert dead.word == "DEAD"
    assert "alone the instrument holds Ewe above 3 V" in dead.text
    assert f"nakctl stop {RUN.run_id[:8]}" in dead.text
    assert f"nakctl attach {RUN.short_id} goes on" in dead.text
    assert "recover" not in dead.text  # which refuses while the channel may go on
    ended = replace(seen(held=False), end={"status": "completed", "end_reason": "all steps done"}).health
    assert ended.word == "ended"
    assert ended.text.startswith("completed: all steps done")


def test_of_a_channel_that_ends_with_its_program_there_is_nothing_to_stop() -> None:
    dead = replace(seen(held=False), run=replace(RUN, simulated=True, outlives=False)).health
    assert (dead.word, "nakctl stop" in dead.text) == ("DEAD", False)
    virtual = replace(seen(held=False), run=replace(RUN, simulated=True)).health
    assert "nakctl stop" in virtual.text  # an instrument of its own goes on


def test_a_state_that_cannot_be_read_is_said() -> None:
    assert replace(seen(), state=None).health.word == "running"
    assert "cannot be read" in replace(seen(), state=None).health.text
    assert replace(seen(held=False), state=None).health.word == "DEAD"


def test_where_nothing_can_be_seen() -> None:
    assert replace(seen(held=False), away=True).health.word == "AWAY"
    assert replace(seen(held=False), sealed=True).health.word == "sealed"
