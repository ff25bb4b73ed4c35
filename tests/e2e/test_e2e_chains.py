"""How many techniques a channel holds in one chain, no data say for certain: a run finds out before it begins."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import pytest
from command_line import nakctl
from virtual_bench import CH, Bench, text_of

MANY = """\
nakctl: 1
name: Many
record: {every: 1 s}
limits: {Ewe: [-1 V, 1 V], I: 1 mA, time: 1000 h}
steps:
  - rest: 10 s
  - repeat: 2
    steps:
      - {strip: 10 uA, for: 10 s, trigger_out: 1 ms}
      - {rest: 5 s}
      - {strip: 20 uA, for: 10 s}
      - {rest: 5 s}
      - {plate: 10 uA, for: 10 s, trigger_out: 1 ms}
finally: rest
"""
PULSE_AND_SPECTRUM = """\
nakctl: 1
name: A pulse, a test of the limits and a spectrum belong together
limits: {Ewe: [-1 V, 1 V], I: 1 mA, time: 1 h}
steps:
  - {geis: {frequencies: [10 Hz], amplitude: 10 uA}, during: {strip: 50 uA}, trigger_out: 1 ms}
finally: rest
"""


@pytest.mark.slow
def test_a_channel_that_holds_too_little_is_told_before_anything_starts(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "--habit", "chain_length=2")
    try:
        (tmp_path / "one.yaml").write_text(PULSE_AND_SPECTRUM, encoding="utf-8")
        said = nakctl("run", "one.yaml", *CH, "--out", "x.h5", cwd=tmp_path)
    finally:
        bench.end()
    assert said.code == 2, said
    assert (
        "one step needs a chain of 3 techniques, 1 of them the trigger pulse; the SP-300 holds 2" in said.err
    )
    assert not [*tmp_path.glob("x.h5*")]


@pytest.mark.slow
def test_a_channel_that_holds_less_than_was_thought_gets_shorter_chains(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "--habit", "chain_length=4")
    try:
        (tmp_path / "many.yaml").write_text(MANY, encoding="utf-8")
        said = nakctl("run", "many.yaml", *CH, "--out", "x.h5", cwd=tmp_path)
        assert said.code == 0, said
        assert "bench/ch1 takes no longer chains than 4 techniques" in said.out + said.err
    finally:
        bench.end()
    assert text_of(tmp_path / "x.h5", "run_status") == "completed"
    with h5py.File(tmp_path / "x.h5", "r") as file:
        events = [json.loads(text) for text in file["entry/events/json"].asstr()[()]]
        labels = [label.split()[0] for label in file["entry/steps/label"].asstr()[()]]
    assert [event["code"] for event in events].count("shorter_chains") == 1
    assert labels == ["1", *2 * ["2.1", "2.2", "2.3", "2.4", "2.5"]]
