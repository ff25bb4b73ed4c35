"""Other programs on the channel, and every code that the library may answer with."""

from __future__ import annotations

from contextlib import suppress

import pytest
from biologic_bench import (
    NOTHING,
    Bench,
    bench,
    calls_of,
    chain,
    cp,
    interrupted,
    ocv,
    run,
)

from nakctl.device.channel import State
from nakctl.device.program import Segment
from nakctl.errors import ChannelError, ChannelTaken, ExitCode, LinkLost
from nakctl_biologic.errors import NO_KERNEL, EclibError, failure
from nakctl_biologic.link import REFUSED_s
from nakctl_biologic.remedies import BUSY, ECLIB, LINK


def test_another_program_on_the_channel() -> None:
    """Its rows fit nothing, and its mark is not ours: then there is nothing of ours to stop either."""
    with pytest.raises(ChannelTaken, match="another program"):
        interrupted("taken=1@t1.2", chain(cp(1e-4, 100.0)))


@pytest.mark.parametrize(
    "ours",
    [
        chain(ocv(100.0)),
        chain(ocv(0.5), cp(1e-4, 100.0)),
        chain(cp(1e-4, 0.3), ocv(0.3), cp(-1e-4, 0.3), ocv(100.0)),
    ],
    ids=["its technique", "its first", "others"],
)
def test_another_program_whose_rows_would_fit(ours: Segment) -> None:
    """It is known by its mark, before its first row is taken for ours; and it is not stopped."""
    one = bench(faults=["taken=1@t1.2"])
    with pytest.raises(ChannelTaken, match="another program loaded channel 1"):
        run(one, ours)
    assert one.instrument.boards[0].running
    assert calls_of(one)["BL_StopChannel"] == 0


def test_another_program_whose_values_are_looked_at() -> None:
    """They are not ours to judge: our limits would stop its experiment."""
    one = bench(faults=["taken=1@t1.2"])
    one.channel.load(chain(ocv(100.0)), "me")
    one.channel.start()
    one.clock.sleep(1.0)
    assert one.channel.look() is not None
    one.clock.sleep(0.3)
    with pytest.raises(ChannelTaken, match="another program loaded channel 1"):
        one.channel.look()


def test_another_program_while_the_link_was_down() -> None:
    one = bench(faults=["cable=2s@t1", "taken=1@t2"])
    with pytest.raises(ChannelError, match="another program"):
        run(one, chain(ocv(100.0)))


def test_eclab_takes_the_channel() -> None:
    with pytest.raises(EclibError, match="EC-Lab") as caught:
        interrupted("eclab=1@t1", chain(cp(1e-4, 100.0)))
    assert caught.value.exit_code is ExitCode.INSTRUMENT


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("option=301:2@t1", "option", "10A5V at position 2: over-temperature"),
        ("message=hello@t1", "instrument", "hello"),
        ("overload=1@t1", "overload", "I beyond the range"),
    ],
)
def test_what_the_experiment_survives_is_noticed(fault: str, code: str, words: str) -> None:
    done = interrupted(fault, chain(cp(1e-4, 3.0)))
    assert words in " ".join(notice.message for notice in done.notices if notice.code == code)
    assert done.samples["time_s"][-1] == pytest.approx(3.0, abs=1e-3)


def test_a_channel_that_is_somebody_elses_is_left_alone() -> None:
    """Its stop would be another program's."""
    one = bench(faults=["cable=2s@t1", "taken=1@t2"])
    with pytest.raises(ChannelError, match="another program loaded channel 1"):
        run(one, chain(ocv(100.0)))
    before = calls_of(one)["BL_StopChannel"]
    for doing in (one.channel.stop, one.channel.look, lambda: one.channel.read(NOTHING)):
        with pytest.raises(ChannelError, match="what runs there now is left alone"):
            doing()
    one.channel.close()
    assert one.instrument.boards[0].running
    assert calls_of(one)["BL_StopChannel"] == before


PASSING = {code for code in ECLIB if failure("BL_GetData", code).passing}
COMMANDS = ["BL_LoadTechnique", "BL_StartChannel", "BL_StopChannel"]


def everything(one: Bench) -> None:
    run(one, chain(ocv(0.5)))
    one.channel.load(chain(ocv(0.5)))
    one.channel.start()
    one.channel.stop()


@pytest.mark.parametrize(
    ("call", "code"),
    [
        *((call, code) for call in COMMANDS for code in sorted(ECLIB)),
        *(("BL_GetData", code) for code in sorted(set(ECLIB) - PASSING)),
    ],
)
def test_every_command_may_fail_with_every_code(call: str, code: int) -> None:
    """One clear sentence with the call and the code; afterwards the instrument is let go."""
    one = bench(faults=[f"{call}={code}"])
    with pytest.raises(ChannelError, match=rf"{call} on channel 1: .*{code}") as caught:
        everything(one)
    again = LINK | BUSY if call in ("BL_StopChannel", "BL_GetData") else LINK | BUSY | PASSING | NO_KERNEL
    assert isinstance(caught.value, LinkLost) is (code in again)
    with suppress(ChannelError):  # a stop that fails is told, but lets go
        one.channel.close()
    assert one.instrument.connected == 0


@pytest.mark.parametrize("code", sorted(PASSING))
def test_reads_may_fail_for_ever(code: int) -> None:
    one = bench(faults=[f"BL_GetData={code}"])
    one.channel.load(chain(ocv(0.5)))
    one.channel.start()
    for _ in range(100):
        reading = one.channel.read(NOTHING)
        assert (reading.state, reading.look) == (State.RUNNING, None)
        one.clock.sleep(1.0)
    one.channel.close()
    assert one.instrument.connected == 0


@pytest.mark.parametrize("code", sorted(ECLIB))
def test_messages_may_fail_for_ever(code: int) -> None:
    one = bench(faults=[f"BL_GetMessage={code}"])
    assert len(run(one, chain(ocv(0.5))).samples) == 2


@pytest.mark.parametrize("code", sorted(ECLIB))
def test_looks_may_fail_for_ever(code: int) -> None:
    one = bench(faults=[f"BL_GetCurrentValues={code}"])
    assert len(run(one, chain(ocv(0.5))).samples) == 2
    if code in PASSING:
        assert one.channel.look() is None
        return
    if code in NO_KERNEL:  # which the channel itself does not say: that is told once it lasts
        assert one.channel.look() is None
        one.clock.sleep(REFUSED_s)
    with pytest.raises(ChannelError, match=rf"BL_GetCurrentValues on channel 1: .*{code}"):
        one.channel.look()


@pytest.mark.parametrize("code", sorted(NO_KERNEL))
def test_that_the_kernel_is_gone_is_believed_if_the_channel_says_so(code: int) -> None:
    """A cell is connected there: who takes one answer for the end leaves it so."""
    expected = run(bench(), chain(cp(1e-4, 3.0)))
    done = interrupted(f"BL_GetData={code}@call7", chain(cp(1e-4, 3.0)))
    assert done.samples.tobytes() == expected.samples.tobytes()
    one = bench(faults=[f"BL_GetData={code}"])
    with pytest.raises(ChannelError, match=rf"BL_GetData on channel 1: .*{code}") as caught:
        run(one, chain(cp(1e-4, 100.0)))
    assert not isinstance(caught.value, ChannelTaken)  # so it is stopped
    one.channel.close()
    assert not one.instrument.boards[0].running


def test_a_channel_that_comes_back_is_asked_twice_before_it_is_given_up() -> None:
    expected = run(bench(), chain(cp(1e-4, 3.0)))
    one = bench(faults=["BL_GetData=-1@call7", "BL_GetChannelInfos=-103@call2"])
    assert run(one, chain(cp(1e-4, 3.0))).samples.tobytes() == expected.samples.tobytes()
