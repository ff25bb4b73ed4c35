"""Marks by which a channel is known again."""

from __future__ import annotations

import json

import pytest
from biologic_bench import (
    LONG,
    MARK,
    NOTHING,
    PULSES,
    bench,
    chain,
    ocv,
    successor,
    through_json,
    visits_of,
)

from nakctl.errors import ChannelError
from nakctl_biologic.link import LONGEST_MARK, as_kept


@pytest.mark.parametrize(
    "mark",
    [MARK, "", "x" * LONGEST_MARK, "x" * 300, "läuft", 'say "a"', "back\\slash", "two\nlines", "nul\0"],
)
def test_a_mark_stands_on_the_channel(mark: str) -> None:
    one = bench()
    one.channel.load(PULSES, mark)
    found = one.channel._link.device.signature(0)
    assert found == one.channel._link.mark
    assert found == (as_kept(mark) if mark else found)
    assert len(json.dumps(found)) <= LONGEST_MARK + 2
    one.channel.start()
    successor(one).adopt(PULSES, {}, mark or found)


def test_marks_are_kept_apart() -> None:
    assert as_kept(MARK) == MARK
    assert as_kept("x" * LONGEST_MARK) == "x" * LONGEST_MARK
    strange = ["x" * 121, "x" * 122, "ä", "ö", "?", "a\nb", "a\tb", "a?b"]
    assert len({as_kept(mark) for mark in strange}) == len(strange)
    assert [as_kept(mark) for mark in strange] == [as_kept(mark) for mark in strange]


def test_the_mark_is_written_after_the_load_and_before_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench()
    order: list[str] = []
    device = one.channel._link.device
    for name in ("load", "sign", "start"):
        done = getattr(device, name)
        monkeypatch.setattr(device, name, lambda *of, name=name, done=done: (order.append(name), done(*of)))
    one.channel.load(PULSES, MARK)
    one.channel.start()
    assert order == ["load", "sign", "start"]


@pytest.mark.parametrize("how", ["the call fails", "the library lacks it", "the text is lost"])
def test_a_channel_that_keeps_no_marks(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """What rows fit is believed."""
    one = bench(faults=["BL_SetExperimentInfos=-4"] if how == "the call fails" else [])
    if how == "the library lacks it":
        for name in ("BL_SetExperimentInfos", "BL_GetExperimentInfos"):
            monkeypatch.delitem(one.channel._link.device.eclib._functions, name)
    if how == "the text is lost":
        monkeypatch.setattr(one.channel._link.device, "sign", lambda channel, mark: None)
    one.channel.load(LONG, MARK)
    one.channel.start()
    one.clock.sleep(2.0)
    reading = one.channel.read(NOTHING)
    assert [notice.code for notice in reading.notices] == ["no_mark"]
    memo = through_json(reading.memo)
    assert memo["mark"] == ""
    channel = successor(one)
    channel.adopt(LONG, memo, MARK)
    one.clock.sleep(1.0)
    assert len(channel.read(NOTHING).samples) == 2
    other, rests = successor(one), chain(ocv(100.0))
    other.adopt(rests, {**memo, "visits": visits_of(rests).memo()})
    one.clock.sleep(1.0)
    with pytest.raises(ChannelError, match="rows come from technique 0 with the id 155"):
        for _ in range(2):
            other.read(NOTHING)
