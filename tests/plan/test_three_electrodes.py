"""Three electrodes in the language, the plan, the program, the checks and the text."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from compiling import CELL

from nakctl.checks.check import check
from nakctl.device.instrument import instrument
from nakctl.device.program import Program, played, segments
from nakctl.device.techniques import timebase_of
from nakctl.errors import ProtocolError
from nakctl.plan import plan as p
from nakctl.plan.compile import compile_protocol
from nakctl.plan.estimate import estimate
from nakctl.plan.lower import lower
from nakctl.protocol.load import understand
from nakctl.render.plan_json import limits_json
from nakctl.render.plan_text import plan_text
from nakctl.render.program_text import program_text
from nakctl.text.reader import read_text

THREE = replace(CELL, three_electrodes=True)
SP300, VMP3 = instrument("SP-300"), instrument("VMP-3")
TEXT = """\
nakctl: 1
name: test
three_electrodes: true
limits: {Ewe: [-2 V, 2 V], Ece: [-1 V, 3 V], Ewe_minus_Ece: [-4 V, 2.5 V]}
steps:
  - rest: 1 min
    until: {Ece_above: 2.9 V, then: end run}
  - strip: 0.1 mA/cm2
    for: 1 h
    until:
      - {Ewe_minus_Ece_above: 2.4 V, then: end run}
      - {Ewe_above: 1.9 V}
  - geis: {amplitude: 10 uA, from: 1 kHz, to: 10 Hz, points: 3}
finally: rest
"""


def plan(text: str = TEXT, cell=THREE) -> p.Plan:  # type: ignore[no-untyped-def]
    return compile_protocol(understand(read_text(text, "test.yaml"), {}), cell)


def faults(text: str, cell=CELL) -> list[str]:  # type: ignore[no-untyped-def]
    with pytest.raises(ProtocolError) as error:
        plan(text, cell)
    return [f"{fault.mark.line}: {fault.message}" for fault in error.value.faults]


def test_limits_and_cutoffs() -> None:
    made = plan()
    assert made.three_electrodes
    assert [(limit.text, limit.value) for limit in made.limits.all] == [
        ("Ewe below -2 V", -2.0), ("Ewe above 2 V", 2.0), ("Ece below -1 V", -1.0), ("Ece above 3 V", 3.0),
        ("Ewe-Ece below -4 V", -4.0), ("Ewe-Ece above 2.5 V", 2.5),
    ]  # fmt: skip
    assert [limit.named for limit in made.limits.all][-1] == "limits.Ewe_minus_Ece of 2.5 V"
    found = [(each.quantity, each.side, each.value) for leaf in p.leaves(made.steps) for each in leaf.cutoffs]
    assert found == [("Ece", "above", 2.9), ("Ewe-Ece", "above", 2.4), ("Ewe", "above", 1.9)]
    assert limits_json(made.limits)["Ewe_minus_Ece_max_V"] == 2.5


def test_two_electrodes_have_none_of_it() -> None:
    told = faults(TEXT)
    assert [each.partition(":")[0] for each in told] == ["3", "4", "4", "7", "11"]
    for word, each in zip(
        ("three_electrodes", "limits.Ece", "limits.Ewe_minus_Ece", "Ece_above", "Ewe_minus_Ece_above"), told,
        strict=True,
    ):  # fmt: skip
        assert f" {word}: cell {CELL.name} has two electrodes" in each
        assert "write `three_electrodes: true` in its entry in rig.yaml" in each


def test_a_protocol_without_the_words_is_for_either() -> None:
    text = TEXT.replace("three_electrodes: true\n", "").replace(", Ece: [-1 V, 3 V]", "")
    text = text.replace(", Ewe_minus_Ece: [-4 V, 2.5 V]", "").replace("Ece_above: 2.9 V", "Ewe_above: 1 V")
    text = text.replace("Ewe_minus_Ece_above: 2.4 V", "Ewe_above: 1.5 V")
    assert (plan(text, CELL).three_electrodes, plan(text, THREE).three_electrodes) == (False, True)
    assert "Ece" not in program_text(lower(plan(text, CELL), SP300))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[-1 V, 3 V]", "[3 V, -1 V]", "the lowest Ece stands first: 3 V is not below -1 V"),
        ("[-4 V, 2.5 V]", "[2.5 V, 2.5 V]", "the lowest Ewe - Ece stands first"),
        ("three_electrodes: true", "three_electrodes: false", "leave the line out, or write true"),
        ("Ece_above: 2.9 V", "Ece_over: 2.9 V", "did you mean Ece_above?"),
    ],
)
def test_mistakes(old: str, new: str, message: str) -> None:
    assert message in "\n".join(faults(TEXT.replace(old, new), THREE))


# --- the program -----------------------------------------------------------------------------------------


def hardware(program: Program) -> list:  # type: ignore[type-arg]
    return [each.hardware for chain in segments(program.nodes) for each in played(chain.techniques)]


@pytest.mark.parametrize("on", [SP300, VMP3])
def test_every_technique_keeps_what_it_is_told_of_Ece(on) -> None:  # type: ignore[no-untyped-def]
    assert all(each.Ece for each in hardware(lower(plan(), on)))
    assert {each.E_range for each in hardware(lower(plan(), on))} == {"5 V"}  # limits.Ece is beyond 2.5 V


def test_a_cutoff_that_is_to_be_seen_widens_the_range_as_well() -> None:
    text = TEXT.replace(", Ece: [-1 V, 3 V]", "").replace("Ece_above: 2.9 V", "Ece_above: 6 V")
    assert {each.E_range for each in hardware(lower(plan(text), SP300))} == {"10 V"}


def test_no_instrument_holds_an_end_of_Ece() -> None:
    for on in (SP300, VMP3):
        program = lower(plan(), on)
        assert {end.by for end in program.ends if end.quantity in ("Ece", "Ewe-Ece")} == {"host"}


@pytest.mark.parametrize(("on", "alone"), [(SP300, False), (VMP3, True)])
def test_a_step_whose_Ece_is_only_shown_is_a_chain_of_its_own(on, alone: bool) -> None:  # type: ignore[no-untyped-def]
    """Else nobody could say which step it was shown in. At rest both record it."""
    chains = [{each.step for each in played(chain.techniques)} for chain in segments(lower(plan(), on).nodes)]
    assert ({2} in chains) is alone
    assert ({1} in chains) is alone  # because its neighbour is


def test_time_bases() -> None:
    told = {each.hardware.I_range: timebase_of(each, SP300) for each in _techniques(lower(plan(), SP300))}
    assert set(told.values()) <= {25e-6, 39e-6, 24e-6}
    assert {timebase_of(each, VMP3) for each in _techniques(lower(plan(), VMP3))} == {20e-6, 50e-6, 24e-6}


def _techniques(program: Program) -> list:  # type: ignore[type-arg]
    return [each for chain in segments(program.nodes) for each in played(chain.techniques)]


# --- what is said of it ----------------------------------------------------------------------------------


def told(on, text: str = TEXT) -> tuple[str, dict[str, str]]:  # type: ignore[no-untyped-def]
    made = plan(text)
    program = lower(made, on)
    findings = check(made, program, on)
    now = datetime(2026, 11, 27, 8)
    said = plan_text(made, program, estimate(made, program, on), findings, on, now, False)
    return " ".join(said.split()), {each.rule: f"{each.severity}: {each.message}" for each in findings}


def test_on_the_vmp300_family() -> None:
    said, found = told(SP300)
    assert (
        "cell three: Ece is in rows of OCV, CP; in GEIS it is only looked at, and not kept; spectra are of the working"
        in said
    )
    assert "limits Ewe -2 V .. 2 V, Ece -1 V .. 3 V, Ewe-Ece -4 V .. 2.5 V" in said
    assert "Ewe-Ece above 2.4 V: end run, by the host within 200 ms" in said
    assert found["half-cells"].startswith("warning: spectra are of the working electrode alone")
    assert "not to be used" in found["half-cells"]


def test_on_the_vmp3_family() -> None:
    said, found = told(VMP3)
    assert (
        "cell three: Ece is in rows of OCV, GEIS; in CP it is only looked at, and not kept; spectra are of both half-cells"
        in said
    )
    assert "half-cells" not in found
    assert found["Ece-rows"].startswith("warning: rows of CP have no Ece on a VMP-3: there it is judged by")


def test_an_end_that_is_never_seen() -> None:
    _, found = told(SP300, TEXT.replace("Ece: [-1 V, 3 V]", "Ece: [-1 V, 11 V]"))
    assert found["unseen-Ece"].startswith("error: 3 geis at open circuit: Ece above 11 V is not seen in")
    _, found = told(SP300, TEXT.replace("Ece_above: 2.9 V", "Ece_above: 3.5 V"))
    assert found["cutoff"] == "warning: Ece above 3.5 V is beyond limits.Ece of 3 V"


def test_of_two_electrodes_nothing_is_said() -> None:
    text = "nakctl: 1\nname: two\nlimits: {Ewe: [-2 V, 2 V]}\nsteps:\n  - rest: 1 min\nfinally: rest\n"
    made = plan(text, CELL)
    program = lower(made, SP300)
    said = plan_text(
        made, program, estimate(made, program, SP300), check(made, program, SP300), SP300,
        datetime(2026, 11, 27, 8), False,
    )  # fmt: skip
    assert "Ece" not in said
