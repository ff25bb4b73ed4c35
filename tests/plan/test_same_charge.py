"""A step that moves the charge of an earlier one: how long it may last, of which steps it is, and who says so."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from compiling import CELL, HEAD, compiled, lowered, segments

from nakctl.checks.check import check
from nakctl.device.cell import Cell
from nakctl.device.instrument import instrument
from nakctl.device.known import knowing
from nakctl.device.program import Cp, HostLoop, LaterCharge, Loop, played, referred
from nakctl.device.program_json import dump, load
from nakctl.errors import ProtocolError
from nakctl.plan import plan as p
from nakctl.plan.compile import compile_protocol
from nakctl.plan.estimate import estimate
from nakctl.plan.lower import lower
from nakctl.protocol.load import load as load_protocol
from nakctl.render.plan_json import plan_json
from nakctl.render.plan_text import plan_text
from nakctl.render.program_text import program_text

SP300 = instrument("SP-300")
OUT = "{strip: 1 mA, for: 10 s, label: out, until: {Ewe_above: 1 V}}"
OPEN = "{strip: 1 mA, label: out, until: {Ewe_above: 1 V}}"
BACK = "{plate: 0.5 mA, for: same charge as out}"
WITHOUT_TIME = HEAD.replace(", time: 100 h", "")
WITH_CAPACITY = Cell("test", 0.5, capacity_C=3.6)


def holds(plan: p.Plan) -> list[p.Hold]:
    return [leaf for leaf in p.leaves(plan.steps) if isinstance(leaf, p.Hold)]


def charges(steps: str, **more: str) -> list[LaterCharge]:
    return [each.charge for each in segments(lowered(steps, **more)) if each.charge is not None]


def text_of(plan: p.Plan) -> str:
    program = lower(plan, SP300)
    found = check(plan, program, SP300)
    return plan_text(
        plan, program, estimate(plan, program, SP300), found, SP300, datetime(2026, 1, 5), simulated=True
    )


def test_it_lasts_at_most_as_long_as_that_charge_takes() -> None:
    plan = compiled(f"- {OUT}\n- {BACK}")
    assert holds(plan)[1].duration_s == pytest.approx(20.0)
    [later] = charges(f"- {OUT}\n- {BACK}")
    assert (later.steps, later.at, later.planned_C) == ((1,), (0,), pytest.approx(10e-3))


def test_of_a_step_without_a_time_it_may_take_all_of_the_run() -> None:
    """What it is likely to take is that of the capacity, where one is known."""
    steps = f"- {OPEN}\n- {BACK}"
    held = compiled("- {ca: 1 V, for: 10 s, label: out}\n- " + BACK)
    assert estimate(held, lower(held, SP300), SP300).is_open
    assert holds(compiled(steps))[1].duration_s == 360_000.0
    for cell, likely_s in ((CELL, 360_000.0), (WITH_CAPACITY, 7200.0)):
        plan = compiled(steps, cell)
        takes = estimate(plan, lower(plan, SP300), SP300)
        assert takes.step(2).once.duration_s == pytest.approx(likely_s, rel=1e-6)
        assert takes.is_open and takes.duration_s is not None and takes.duration_s <= 360_000.0
        assert not [each for each in check(plan, lower(plan, SP300), SP300) if each.rule == "time"]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (f"- staircase: 0.1, 0.4 mA\n  steps: [{OUT.replace('1 mA', '$level')}, {BACK}]", [(1,), (3,)]),
        (f"- staircase: 0.1, 0.4 mA\n  steps: [{OUT.replace('1 mA', '$level')}]\n- {BACK}", [(1, 2)]),
        (f"- repeat: 2\n  steps: [{OUT}, {BACK}, {OUT}]", [(1,)]),
        (f"- repeat: 2\n  steps: [{BACK}, {OUT}]", [(2,)]),
        (f"- {OUT}\n- repeat: 2\n  steps: [{BACK}, {OUT}]", [(1,)]),
        (
            f"- {OUT}\n- if: {{step: out, ended_by: cutoff}}\n  then: [{OUT}]\n  else: [{OUT}, {BACK}]\n- {BACK}",
            [(3,), (1, 2, 3)],
        ),
    ],
)
def test_which_steps_may_have_been_last(steps: str, expected: list[tuple[int, ...]]) -> None:
    assert [each.steps for each in charges(steps)] == expected
    assert referred(lowered(steps).nodes) >= {step for each in expected for step in each}


def test_each_level_of_a_staircase_lasts_as_its_own_charge_takes() -> None:
    plan = compiled(f"- staircase: 0.1, 0.4 mA\n  steps: [{OUT.replace('1 mA', '$level')}, {BACK}]")
    assert [hold.duration_s for hold in holds(plan)] == pytest.approx([10, 2, 10, 8])


def test_a_chain_begins_there_and_a_loop_around_it_is_one_of_the_host() -> None:
    program = lowered(f"- {OUT}\n- {BACK}\n- {{rest: 10 s}}\n- {BACK}")
    assert [len(played(each.techniques)) for each in segments(program)] == [2, 2, 1]
    for steps in (
        f"- repeat: 3\n  steps: [{OUT}, {BACK}]",
        f"- {OUT}\n- repeat: 3\n  steps: [{BACK}, {OUT}]",
    ):
        loop = lowered(steps).nodes[-1]
        assert isinstance(loop, HostLoop) and loop.times == 3


def told(steps: str, charge_C: float, **more: str) -> tuple[object, ...]:
    program = lowered(steps, **more)
    [segment] = [each for each in segments(program) if each.charge is not None]
    return knowing(segment, [charge_C]).techniques


@pytest.mark.parametrize(
    ("charge_C", "lasts_s"), [(2e-3, 4.0), (10e-3, 20.0), (10.4e-3, 20.8), (0.0, 0.01), (1e-9, 0.01)]
)
def test_how_long_it_lasts_is_put_in(charge_C: float, lasts_s: float) -> None:
    back = BACK.replace("for:", "until: {Ewe_below: -1 V}, for:")
    plate, sentinel, strip, _ = told(f"- {OUT}\n- {back}\n- {OUT}", charge_C)
    assert isinstance(plate, Cp) and plate.duration_s == pytest.approx(lasts_s)
    assert plate.every_s <= plate.duration_s
    assert isinstance(sentinel, Cp) and sentinel.sentinel and sentinel.duration_s == 5e-3
    assert isinstance(strip, Cp) and strip.duration_s == 10.0


@pytest.mark.parametrize("back", [BACK, BACK.replace("for:", "until: {Ewe_below: -1 V}, for:")])
@pytest.mark.parametrize(
    ("hours", "planned_h"), [(1, 100), (11, 100), (13, 100), (99, 100), (104, 100), (13, 40), (1, 40)]
)
def test_no_technique_is_longer_than_the_instrument_counts_and_none_is_needless(
    hours: float, planned_h: int, back: str
) -> None:
    """11 h of an SP-300. What stands behind the step is what it was."""
    head = HEAD.replace("100 h", f"{planned_h} h")
    made = told(f"- {OPEN}\n- {back}\n- {{rest: 1 s}}", hours * 3600 * 0.5e-3, head=head)
    times = [each.times or 0 for each in made if isinstance(each, Loop)] or [1]
    parts = [each for each in made if isinstance(each, Cp) and not each.sentinel]
    assert sum(each.duration_s for each in parts) * times[0] == pytest.approx(hours * 3600)
    assert max(each.duration_s for each in parts) <= 39_600
    assert len(parts) * times[0] <= hours * 3600 // 36_000 + 1
    assert all(each.to == 0 for each in made if isinstance(each, Loop))


def test_what_goes_round_behind_it_goes_round_all_the_same() -> None:
    """The plan holds ten passes of a part of it; here one technique is enough."""
    steps = (
        f"- {OPEN}\n- {BACK}\n- repeat: 3\n  steps: [{{strip: 1 mA, for: 1 s}}, {{plate: 1 mA, for: 1 s}}]"
    )
    plate, strip, back, loop = told(steps, 1e-3)
    assert [isinstance(each, Cp) for each in (plate, strip, back)] == [True, True, True]
    assert isinstance(loop, Loop) and (loop.to, loop.times) == (1, 3)


def test_a_technique_has_room_for_what_was_moved_beyond_the_plan() -> None:
    out = "{strip: 1 mA, for: 22 h, label: out}"
    first, second = told(f"- {out}\n- {{plate: 2 mA, for: same charge as out}}", 1.04 * 22 * 3.6)
    assert isinstance(first, Cp) and first == second
    assert first.duration_s == pytest.approx(1.04 * 39_600 / 2)


def test_a_step_that_may_be_very_long_and_has_a_cutoff_fits_a_chain() -> None:
    back = BACK.replace("for:", "until: {Ewe_below: -1 V}, for:")
    plan = compiled(f"- {OPEN}\n- {back}\n- {{rest: 1 s}}", head=HEAD.replace("100 h", "5000 h"))
    program = lower(plan, SP300)
    assert not [each for each in check(plan, program, SP300) if each.severity == "error"]
    assert max(len(each.techniques) for each in segments(program)) <= 5


def test_a_program_is_read_back_with_it() -> None:
    program = lowered(f"- {OUT}\n- {BACK}")
    assert load(dump(program)) == program


FAULTS = [
    (f"- {OUT}\n- {{plate: 1 mA, for: same charge as uot}}", HEAD, "did you mean out?"),
    ("- {rest: 1 s, label: out}\n- " + BACK, HEAD, "same charge as out: no current flows in that step"),
    (f"- {OUT}\n- {{cp: 0 A, for: same charge as out}}", HEAD, "a charge never flows at 0 A"),
    (
        f"- repeat: 9\n  until: {{charge: 1 C}}\n  steps: [{OUT.replace(', until: {Ewe_above: 1 V}', '')}, {BACK}]",
        HEAD,
        "same charge as out: so the charge of the passes is not known before",
    ),
    (
        "- {ca: 1 V, for: 10 s, label: out}\n- " + BACK,
        WITHOUT_TIME,
        "how much that will be is not known before, so this step lasts at most as long as the whole run may",
    ),
]


@pytest.mark.parametrize(("steps", "head", "message"), FAULTS, ids=[message[:30] for *_, message in FAULTS])
def test_what_it_cannot_refer_to_is_told(steps: str, head: str, message: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        compiled(steps, head=head)
    [fault] = caught.value.faults
    assert message in fault.message


def test_the_last_line_of_a_table_is_no_charge_of_the_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("time/s,I/mA\n0,1\n20,2\n30,2\n", encoding="utf-8")
    text = HEAD + "  - {profile: t.csv, label: out}\n  - {plate: 1 mA, for: same charge as out}\n"
    file = tmp_path / "p.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ProtocolError, match="that of its last line would count; write the charge itself"):
        compile_protocol(load_protocol(file), CELL)


def test_a_known_charge_needs_no_longest_run() -> None:
    assert holds(compiled(f"- {OUT}\n- {BACK}", head=WITHOUT_TIME))[1].duration_s == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("steps", "is_told"),
    [
        (f"- {BACK}\n- {OUT}", True),
        (f"- repeat: 2\n  steps: [{BACK}, {OUT}]", False),
        ("- repeat: 2\n  steps: [{plate: 1 mA, for: same charge as out, label: out}]", True),
        (f"- {OUT}\n- {BACK}", False),
    ],
)
def test_a_step_that_comes_later_is_none_to_refer_to(steps: str, is_told: bool) -> None:
    plan = compiled(steps)
    found = [each for each in check(plan, lower(plan, SP300), SP300) if each.rule == "reference"]
    assert [each.message for each in found] == (
        ["same charge as out: that step does not come before this one"] if is_told else []
    )


def test_the_plan_tells_what_is_known_and_what_is_not() -> None:
    told = " ".join(text_of(compiled(f"- {OUT}\n- {BACK}")).split())
    assert "up to 20 s" in told
    assert "the charge that out moved when it was done last, at most 2.778 uAh; a chain begins here" in told
    told = " ".join(text_of(compiled(f"- {OPEN}\n- {BACK}")).split())
    assert "same charge CP" in told
    assert "the charge that out moved when it was done last, at most 4 d 4 h (limits.time)" in told


def test_machines_are_told_as_well() -> None:
    plan = compiled(f"- {OUT}\n- {BACK}")
    program = lower(plan, SP300)
    takes = estimate(plan, program, SP300)
    out, back = plan_json(plan, program, takes, (), SP300, datetime(2026, 1, 5), True)["steps"]
    assert "same_charge" not in out
    assert back["same_charge"] == {
        "label": "out", "steps": [1], "at_most_C": pytest.approx(10e-3), "is_known": True
    }  # fmt: skip
    assert "(0: as long as it takes to move the charge of step 1, planned for 0.01 C)" in program_text(
        program
    )
