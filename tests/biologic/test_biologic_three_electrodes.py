"""A third electrode through the driver: what is asked for, what the columns mean, and the record of both seams."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from biologic_bench import SP300, VMP3, bench, block, c3x, ca, chain, cp, drain, eis, ocv, run
from compared import STEP_WORDS
from kept import Kept
from test_biologic_equivalence import check_impedance, check_samples
from test_biologic_feeding import MOST, begin, levels, read_on
from test_biologic_rows import point

from nakctl.booking import layout
from nakctl.device.channel import OF_COUNTER, Channel, Watch
from nakctl.device.driver import ClockLike, Place
from nakctl.device.instrument import instrument
from nakctl.device.program import Done, Segment
from nakctl.plan.compile import compile_protocol
from nakctl.plan.lower import lower
from nakctl.protocol.load import understand
from nakctl.run.clock import Clock
from nakctl.run.run import run as run_program
from nakctl.text.reader import read_text
from nakctl_biologic import params
from nakctl_biologic.codes import Board
from nakctl_biologic.decoding import Decoder
from nakctl_biologic.errors import RowError
from nakctl_biologic.layouts import layout as columns_of
from nakctl_biologic.rows import point_rows, sample_rows
from nakctl_sim.instrument.clock import StepClock
from nakctl_sim.instrument.habits import Habits

DUMMY, NOTHING = "three-electrode-dummy", Watch()
REST_ce_V, SERIES_ce_ohm, PAIR_ce_ohm = -0.3, 50.0, 400.0


def third(technique: Done) -> Done:
    return replace(technique, hardware=replace(technique.hardware, Ece=True))


def sent(technique: Done, board: Board) -> dict[str, float]:
    data = VMP3 if board is Board.ESSENTIAL else SP300
    loaded = params.load_as(third(technique), data, board)
    return {param.label: param.value for param in loaded.params}


# --- what is asked for -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("technique", "tb_us"), [(ocv(), 25), (cp(), 39), (ca(), 39)])
@pytest.mark.parametrize("board", [Board.PREMIUM, Board.DIGICORE])
def test_bit_0_and_a_longer_time_base(technique: Done, tb_us: int, board: Board) -> None:
    """5 us for the first extra value, on 20 and 34 us."""
    told = sent(technique, board)
    assert (told["xctr"], round(told["tb"] * 1e6, 6)) == (1, tb_us)


@pytest.mark.parametrize(
    ("technique", "board"), [(eis(), Board.PREMIUM), (ocv(), Board.ESSENTIAL), (cp(), Board.ESSENTIAL)]
)
def test_where_nothing_can_be_asked_for(technique: Done, board: Board) -> None:
    assert {"xctr", "tb"}.isdisjoint(sent(technique, board))


def test_two_electrodes_are_asked_for_nothing() -> None:
    labels = {param.label for param in params.load_as(cp(), SP300, Board.PREMIUM).params}
    assert {"xctr", "tb"}.isdisjoint(labels)


# --- what the columns mean -------------------------------------------------------------------------------


def test_the_extra_value_ends_a_row() -> None:
    words = [[0, 3, c3x(1.5), c3x(0.25), 2, c3x(-0.5)]]
    rows = sample_rows(block(words, 155), Board.PREMIUM, 2e-5, 5, ("Ece",))
    assert (rows["Ewe_V"][0], rows["I_A"][0], rows["Ece_V"][0]) == (1.5, 0.25, -0.5)
    assert columns_of(155, 0, Board.PREMIUM, ("Ece",)).columns[-1] == "Ece"


@pytest.mark.parametrize(("columns", "extras"), [(5, ("Ece",)), (6, ())])
def test_another_number_of_columns_than_was_asked_for_is_an_error(
    columns: int, extras: tuple[str, ...]
) -> None:
    with pytest.raises(RowError, match=rf"have {columns} columns .* expected are {11 - columns}"):
        sample_rows(block([[0] * columns], 155), Board.PREMIUM, 2e-5, 5, extras)


def test_the_counter_electrode_of_a_spectrum() -> None:
    """As in EC-Lab's files of a VMP3: a resistor has the phase 0, so Zce is -Ece/I."""
    row = [*point(), c3x(7.0)]
    row[7:11] = [c3x(0.5), c3x(0.125), c3x(-0.5), c3x(-0.25)]
    one = block([row], 107, process=1)
    [told] = point_rows(one, Board.ESSENTIAL, 7, half_cells=True)
    assert complex(told["Zce_re_ohm"], told["Zce_im_ohm"]) == pytest.approx(4.0 * np.exp(-0.5j))
    assert (told["Ece_dc_V"], told["Ece_amp_V"]) == (-0.25, 0.5)
    [untold] = point_rows(one, Board.ESSENTIAL, 7)
    assert all(math.isnan(untold[name]) for name in OF_COUNTER)


# --- over the virtual instrument -------------------------------------------------------------------------


def of_three(*techniques: Done) -> Segment:
    return chain(*map(third, techniques))  # type: ignore[arg-type]


MIXED = of_three(ocv(1.0), cp(2e-4, 1.0), ca(0.6, 1.0), eis(n=3))


@pytest.mark.parametrize(("like", "without"), [("SP-300", {3}), ("VMP-3", {1, 2})])
def test_Ece_is_in_the_rows_that_can_have_it(like: str, without: set[int]) -> None:
    done = run(bench(like, DUMMY), MIXED)
    assert done.codes() == []
    for at in range(3):
        told = done.samples["Ece_V"][done.samples["technique"] == at]
        assert len(told)
        assert np.isnan(told).all() == (at in without), at
    assert np.isnan(done.points["Zce_re_ohm"]).all() == (3 in without)
    at_rest = done.samples["technique"] == 0
    assert done.samples["Ece_V"][at_rest] == pytest.approx(REST_ce_V, abs=1e-3)


def test_the_times_of_rows_with_an_extra_value() -> None:
    """They are counted in the longer time base, which the instrument tells."""
    done = run(bench("SP-300", DUMMY), of_three(cp(2e-4, 2.0), ocv(1.0)))
    assert done.codes() == []
    [under_current] = [done.samples[done.samples["technique"] == 0]]
    ticks = under_current["time_s"] / 39e-6
    assert np.allclose(ticks, np.rint(ticks), atol=1e-6)
    assert under_current["Ece_V"][-1] == pytest.approx(
        REST_ce_V - 2e-4 * (SERIES_ce_ohm + PAIR_ce_ohm), abs=1e-3
    )


@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
def test_what_the_channel_shows_has_Ece_of_three_electrodes_alone(like: str) -> None:
    one = bench(like, DUMMY)
    for segment, is_told in ((of_three(cp(2e-4, 60.0)), True), (chain(cp(2e-4, 60.0)), False)):
        one.channel.load(segment)
        one.channel.start()
        one.clock.sleep(30.0)
        look = one.channel.look()
        assert look is not None
        assert math.isfinite(look.Ece_V) is is_told
        if is_told:
            assert look.Ece_V == pytest.approx(-0.39, abs=1e-3)
        one.channel.stop()
        drain(one)


def test_rows_are_made_anew_without_the_instrument() -> None:
    one = bench("SP-300", DUMMY)
    one.channel.load(MIXED)
    one.channel.start()
    decoder = Decoder(one.channel.info.facts, MIXED)
    for _ in range(2000):
        reading = one.channel.read(NOTHING)
        samples, points, _ = decoder.rows(reading.raw)
        assert samples.tobytes() == reading.samples.tobytes()
        assert points.tobytes() == reading.points.tobytes()
        if reading.state.value == "stopped":
            return
        if not reading.more:
            one.clock.sleep(0.05)
    raise AssertionError("no end")


@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
def test_a_chain_that_is_handed_over_while_it_runs(like: str) -> None:
    """What its rows hold at their end is the same all through."""
    segment = Segment(tuple(map(third, levels(12).techniques)))  # type: ignore[arg-type]
    one = bench(like, DUMMY, habits=Habits(chain_length=MOST))
    one.channel._most = MOST
    told = read_on(one, begin(one, segment))
    assert told.trouble == ""
    assert set(told.samples["technique"].tolist()) == set(range(24)) - {2 * k + 1 for k in range(12)}
    assert np.isfinite(told.samples["Ece_V"]).all() == (like == "SP-300")
    assert np.isfinite(told.points["Zce_re_ohm"]).all() == (like == "VMP-3")


# --- both seams ------------------------------------------------------------------------------------------

PROTOCOL = """
nakctl: 1
name: three electrodes
three_electrodes: true
limits: {Ewe: [-2 V, 2 V], Ece: [-2 V, 2 V], Ewe_minus_Ece: [-3 V, 3 V]}
spectra:
  half: {kind: geis, amplitude: 20 uA, from: 1 kHz, to: 10 Hz, per_decade: 3}
steps:
  - rest: 3 s
  - repeat: 2
    steps:
      - {strip: 0.3 mA/cm2, for: 5 s, record: {every: 200 ms}}
      - {ca: 0.7 V, for: 3 s, ranges: {I: 1 mA}}
      - {geis: half}
      - {rest: 2 s}
  - {lsv: 0.7 V, from: 0.5 V, rate: 100 mV/s, ranges: {I: 1 mA}, record: {every: 100 ms}}
  - {ramp: {strip: 0.3 mA/cm2}, from: 0.1 mA/cm2, rate: 0.1 mA/cm2/s, record: {every: 100 ms}}
finally: rest
"""


def seam(name: str, like: str, clock: ClockLike) -> Channel:
    from nakctl_biologic.driver import driver
    from nakctl_sim.driver import driver as models
    from nakctl_sim.instrument import register
    from nakctl_sim.instrument.device import VirtualInstrument

    cell = models.cell(DUMMY)
    if name == "simulated":
        return models.open(Place("x", "sim", like, 1, {}), cell, clock, 3)
    address = register("three", VirtualInstrument(like, {1: DUMMY}, clock, 3))
    return driver.open(Place("x", "biologic", like, 1, {"address": address}), cell, clock, 3)


def record(name: str, like: str, text: str = PROTOCOL, poll_s: float = 10.0) -> tuple[Any, Kept]:
    from nakctl_sim.driver import driver as models

    clock: Clock = StepClock()
    channel, kept = seam(name, like, clock), Kept(samples=layout.SAMPLES_3E)
    plan = compile_protocol(understand(read_text(text, "three.yaml"), {}), models.cell(DUMMY))
    kept.program = lower(plan, instrument(like))
    outcome = run_program(kept.program, channel, clock, kept, samples=layout.SAMPLES_3E, poll_s=poll_s)
    channel.close()
    return outcome, kept


@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
def test_the_same_record(like: str) -> None:
    (one, expected), (other, found) = (record(name, like) for name in ("simulated", "driver"))
    assert (one.status, one.reason) == (other.status, other.reason) == ("completed", "all steps done")
    assert found["steps"][STEP_WORDS].tolist() == expected["steps"][STEP_WORDS].tolist()
    check_samples(found["samples"], expected["samples"])
    check_impedance(found["impedance"], expected["impedance"])
    same(found["samples"], expected["samples"], ["Ece"])
    same(found["impedance"], expected["impedance"], ["Zce_re", "Zce_im", "Ece_dc", "Ece_amp"])
    assert np.isfinite(expected["samples"]["Ece"]).any()


def same(found: np.ndarray, expected: np.ndarray, names: Sequence[str]) -> None:
    for name in names:
        assert np.allclose(found[name], expected[name], rtol=1e-5, atol=1e-7, equal_nan=True), name


@pytest.mark.parametrize("name", ["simulated", "driver"])
def test_both_half_cells_sum_up_to_the_whole(name: str) -> None:
    """Of a circuit that is known."""
    _, kept = record(name, "VMP-3")
    rows = kept["impedance"]
    jw = 2j * np.pi * rows["frequency"]
    counter = SERIES_ce_ohm + PAIR_ce_ohm / (1 + jw * PAIR_ce_ohm * 50e-6)
    working = 100.0 + 1000.0 / (1 + jw * 1000.0 * 100e-6)
    whole = rows["Z_re"] + rows["Zce_re"] + 1j * (rows["Z_im"] + rows["Zce_im"])
    assert np.all(np.abs(rows["Zce_re"] + 1j * rows["Zce_im"] - counter) < 0.04 * np.abs(counter))
    assert np.all(np.abs(whole - counter - working) < 0.04 * np.abs(whole))
    assert rows["Ece_dc"] == pytest.approx(REST_ce_V, abs=0.02)


ENDS = """
nakctl: 1
name: ends
limits: {Ewe: [-2 V, 2 V], LIMIT}
steps:
  - {rest: 1 s}
  - strip: 0.5 mA/cm2
    for: 60 s
    record: {every: EVERY}
    CUTOFF
  - {rest: 1 s}
finally: rest
"""


def ends(limit: str, cutoff: str, every: str = "100 ms") -> str:
    """Ece comes to -0.5 V within 20 ms, and from there goes down no further than -0.525 V."""
    return ENDS.replace("LIMIT", limit).replace("CUTOFF", cutoff).replace("EVERY", every)


@pytest.mark.parametrize("name", ["simulated", "driver"])
@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
def test_a_cutoff_of_Ece_ends_the_step(name: str, like: str) -> None:
    _, kept = record(name, like, ends("time: 1 h", "until: {Ece_below: -0.5 V}"), poll_s=0.1)
    steps = kept["steps"]
    assert [row["end_kind"].decode() for row in steps] == ["duration", "cutoff", "duration"]
    assert steps["end_reason"][1] == b"Ece below -0.5 V"
    assert -0.53 < steps["end_value"][1] < -0.5
    assert steps["t_end"][1] - steps["t_start"][1] < 1.0


@pytest.mark.parametrize("name", ["simulated", "driver"])
@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
def test_a_limit_of_the_whole_cell_ends_the_run_in_time(name: str, like: str) -> None:
    """Ewe-Ece passes 1.2 V about 65 ms after the current began."""
    text = ends("Ewe_minus_Ece: [-1 V, 1.2 V]", "until: {Ewe_above: 1.9 V}", "50 ms")
    outcome, kept = record(name, like, text, poll_s=0.1)
    assert (outcome.status, outcome.reason) == ("stopped", "limit: Ewe-Ece above 1.2 V")
    assert kept["samples"]["time"][-1] - kept["steps"]["t_start"][1] < 0.065 + 3 * 0.2
