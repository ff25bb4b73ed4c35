"""Protocols made at random: exported and imported they give the same plan, or they are refused in sentences."""

from __future__ import annotations

import sys
from pathlib import Path

from converting import exported, imported, plan_of, same_plan
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[1] / "plan"))
from generated import protocol

from nakctl.convert.settings import MAGIC, read
from nakctl.errors import InputError, LimitError

CURRENTS = st.sampled_from(["10 uA", "0.25 mA", "-33 uA", "1.5 mA", "-250 nA"])
POTENTIALS = st.integers(-1900, 1900).map(lambda mV: f"{mV} mV")
TIMES = st.sampled_from(["0.5 s", "7 s", "90 s", "1.5 h", "20 h"])
RECORD = st.sampled_from(["", ", record: {every: 0.1 s}", ", record: {every: 10 s}"])


@st.composite
def holds(draw: st.DrawFn) -> str:
    lasts, record = draw(TIMES), draw(RECORD)
    match draw(st.sampled_from(["rest", "cp", "until", "ca", "cccv", "geis", "peis"])):
        case "rest":
            return f"- {{rest: {lasts}{record}}}"
        case "cp":
            return f"- {{cp: {draw(CURRENTS)}, for: {lasts}{record}}}"
        case "until":
            current = draw(CURRENTS)
            side = "below" if current.startswith("-") else "above"
            return f"- {{cp: {current}, for: {lasts}, until: {{Ewe_{side}: {draw(POTENTIALS)}}}{record}}}"
        case "ca":
            return f"- {{ca: {draw(POTENTIALS)}, for: {lasts}{record}}}"
        case "cccv":
            level = draw(POTENTIALS)
            taper = draw(st.sampled_from(["", ", until: {I_below: 10 uA}"]))
            return f"- {{cp: 1 mA, for: {lasts}, until: {{Ewe_above: {level}}}}}\n- {{ca: {level}, for: 1 h{taper}}}"
        case "geis":
            current = draw(CURRENTS)
            return f"- {{cp: {current}, for: 5 s}}\n- {{geis: g, during: {{cp: {current}}}}}"
        case _:
            return "- peis: p"


@st.composite
def protocols(draw: st.DrawFn) -> str:
    """Simple ones: EC-Lab can say them all."""
    blocks = []
    for block in draw(st.lists(st.lists(holds(), min_size=1, max_size=4), min_size=1, max_size=3)):
        text = "\n".join(block)
        passes = draw(st.integers(1, 3))
        blocks.append(text if passes == 1 else f"- repeat: {passes}\n  steps:\n" + _in(text, "    "))
    return (
        "nakctl: 1\nname: made\nlimits: {Ewe: [-2 V, 2 V], I: 5 mA}\nfinally: rest\nspectra:\n"
        "  g: {kind: geis, amplitude: 5 uA, from: 100 kHz, to: 10 Hz, per_decade: 5}\n"
        "  p: {kind: peis, amplitude: 10 mV, from: 100 kHz, to: 10 Hz, per_decade: 5}\nsteps:\n"
        + _in("\n".join(blocks), "  ") + "\n"
    )  # fmt: skip


def _in(text: str, indent: str) -> str:
    return "\n".join(indent + line for line in text.splitlines())


@given(protocols(), st.sampled_from(["SP-300", "VMP-3"]), st.sampled_from(["point", "comma"]))
def test_simple_protocols_come_back(text: str, on: str, decimal: str) -> None:
    same_plan(plan_of(text), plan_of(imported(exported(text, on, decimal=decimal))))


@given(st.integers(0, 100_000))
def test_any_protocol_comes_back_or_is_refused(seed: int) -> None:
    text = protocol(seed)
    try:
        raw = exported(text)
    except LimitError as error:
        assert error.faults
        return
    if b"closes the loop" in raw or _closes(raw):
        return
    same_plan(plan_of(text), plan_of(imported(raw)))


def _closes(raw: bytes) -> bool:
    """A rest of 1 s was added, where a loop that can end early was the last of a Modulo Bat."""
    return any(
        row.label.endswith("_action") and any(value.text == "Goto sequence" for value in row.values)
        for technique in read(raw, "x").techniques for row in technique.rows
    )  # fmt: skip


@given(st.binary(max_size=400), st.integers(0, 3000))
def test_any_bytes_are_read_or_refused_in_sentences(noise: bytes, at: int) -> None:
    from eclab_files import PEIS_GCPL

    for raw in (noise, MAGIC.encode() + noise, PEIS_GCPL[:at] + noise + PEIS_GCPL[at + len(noise) :]):
        try:
            imported(raw)
        except InputError as error:
            assert str(error)
