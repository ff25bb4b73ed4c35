"""A pulse at the trigger output is an entry of the channel beside the techniques of the chain: no row notices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from biologic_bench import FAMILIES, MIXED, PULSES, SP300, bench, chain, cp, eis, ocv, pulsed, run
from compiling import lowered
from headers import header_of

from nakctl.device import program_json
from nakctl.device.program import Loop, Segment
from nakctl.record.read import open_run
from nakctl.record.recorder import Recorder
from nakctl.record.recover import recover
from nakctl.run.run import run as run_program
from nakctl_biologic import params
from nakctl_biologic.entries import entries_of, techniques_of
from nakctl_biologic.raw import NO_ROWS


@pytest.mark.parametrize(("like", "suffix"), [("SP-300", "4"), ("VMP-3", "")])
def test_what_is_loaded(like: str, suffix: str) -> None:
    """Loops lead back to the pulse of what they begin with."""
    segment = pulsed(chain(ocv(), cp(), ocv(), Loop(1, 5, passes=True), cp()), 1, 4)
    board = FAMILIES[like]
    loaded = params.chain(segment, SP300, board)
    entries = entries_of(segment.techniques, loaded, board)
    names = ["ocv", "TO", "cplimit", "ocv", "loop", "TO", "cplimit"]
    assert [entry.file for entry in entries] == [f"{name}{suffix}.ecc" for name in names]
    assert [(each.label, each.value) for each in entries[1].params] == [
        ("Trigger_Logic", 1), ("Trigger_Duration", 1e-3),
    ]  # fmt: skip
    assert ("protocol_number", 1) in [(each.label, each.value) for each in entries[4].params]
    assert techniques_of(segment.techniques) == (0, 1, 1, 2, 3, 4, 4)


SEGMENTS = [
    (MIXED, (0, 2, 4)),
    (PULSES, (0,)),
    (PULSES, (0, 1)),
    (chain(eis(n=3), cp(), eis("PEIS", n=3, bias=0.01)), (0, 1, 2)),
]


@pytest.mark.parametrize("like", FAMILIES)
@pytest.mark.parametrize(("segment", "places"), SEGMENTS)
def test_rows_are_what_they_are_without(segment: Segment, places: tuple[int, ...], like: str) -> None:
    plain, found = run(bench(like), segment), bench(like)
    with_pulses = run(found, pulsed(segment, *places))
    loaded = found.instrument.board(0).chain
    assert [each.file.name for each in loaded].count("to") == len(places)
    for rows, expected in ((with_pulses.samples, plain.samples), (with_pulses.points, plain.points)):
        assert rows.tobytes() == expected.tobytes()
    assert with_pulses.codes() == plain.codes()


STEPS = """
- {strip: 0.2 mA, for: 10 s, trigger_out: 1 ms}
- {geis: g, during: {strip: 0.1 mA}, trigger_out: 1 ms}
- repeat: 2
  steps:
    - {rest: 2 s}
    - {plate: 0.1 mA, for: 3 s, trigger_out: 100 us}
"""


def test_the_instruments_words_are_kept_as_they_came_and_booked_anew(tmp_path: Path) -> None:
    one, program = bench("SP-300", "NaK50"), lowered(STEPS)
    about: dict[str, Any] = {"model": "SP-300", "driver": "biologic", "facts": one.channel.info.facts}
    path = tmp_path / "run.h5"
    recorder = Recorder.create(path, header_of("pulses", instrument=about), program_json.dump(program))
    outcome = run_program(program, one.channel, one.clock, recorder, poll_s=0.5)
    one.channel.close()
    assert recorder.finish(outcome.status, outcome.reason).sealed
    assert outcome.status == "completed"
    with open_run(path) as made:
        labels, before = list(made.steps.label), np.array(made.samples.Ewe)
    assert labels == [
        "1 strip 0.4 mA/cm2", "2 geis strip 0.2 mA/cm2",
        "3.1 rest", "3.2 plate 0.2 mA/cm2", "3.1 rest", "3.2 plate 0.2 mA/cm2",
    ]  # fmt: skip
    recover(path, again=True)
    said = recover(path, again=True).message
    assert "none differs" in said
    with open_run(path) as made:
        np.testing.assert_array_equal(made.samples.Ewe, before)


def test_a_block_of_what_was_not_loaded_fits_nothing() -> None:
    one = bench()
    one.channel.load(pulsed(PULSES, 0))
    visits = one.channel._visits
    block = replace(NO_ROWS, n_rows=1, technique=7)
    assert visits.placed(block).technique >= len(PULSES.techniques)
    assert visits.placed(replace(block, technique=2)).technique == 1
