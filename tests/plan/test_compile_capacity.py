"""C-rates and parts of a capacity: where they may stand, what they come to, and where no capacity is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from compiling import CELL, HEAD, compiled

from nakctl.errors import ProtocolError
from nakctl.plan.plan import Hold, Repeat, leaves

FULL = replace(CELL, capacity_C=7.56)  # 2.1 mAh
IN_FILE = HEAD.replace("steps:", "capacity: 4.2 mAh/cm2\nsteps:")  # 2.1 mAh on 0.5 cm2


@pytest.mark.parametrize(
    ("rate", "level_A"),
    [
        ("C/10", 210e-6),
        ("0.1 C", 210e-6),
        ("0.1C", 210e-6),
        ("1C", 2.1e-3),
        ("2C", 4.2e-3),
        ("1C/10", 210e-6),
    ],
)
def test_a_c_rate_is_a_current(rate: str, level_A: float) -> None:
    for cell, head in ((FULL, HEAD), (CELL, IN_FILE)):
        [strip, plate, cp] = compiled(
            f"- {{strip: {rate}, for: 1 h}}\n- {{plate: {rate}, for: 1 h}}\n- {{cp: -{rate}, for: 1 h}}",
            cell, head,
        ).steps  # fmt: skip
        assert isinstance(strip, Hold) and isinstance(plate, Hold) and isinstance(cp, Hold)
        assert [strip.level, plate.level, cp.level] == [level_A, -level_A, -level_A]


def test_the_protocol_goes_before_the_cell() -> None:
    [hold] = compiled("- {strip: 1C, for: 1 h}", replace(CELL, capacity_C=1.0), IN_FILE).steps
    assert isinstance(hold, Hold) and hold.level == 2.1e-3


def test_a_label_keeps_the_rate() -> None:
    steps = compiled(
        """
        - {strip: C/10, for: 1 h}
        - {cp: -0.5 C, for: 1 h}
        - {geis: g, during: {plate: C/5}}
        - {pulse: {strip: 1C}, on: 1 s, off: 1 s, repeat: 2}
        - {strip: 1 mA, for: 1 h}
        """,
        FULL,
    ).steps
    labels = [leaf.label for leaf in leaves(steps)]
    assert labels == [
        "1 strip C/10",
        "2 cp -0.5 C",
        "3 geis plate C/5",
        "4.1 pulse strip 1C",
        "4.2 rest",
        "5 strip 2 mA/cm2",
    ]


def test_a_charge_is_a_part_of_the_capacity() -> None:
    [hold, loop] = compiled(
        """
        - {strip: 1C, for: 10 % of capacity, until: {charge: 50 % of the capacity, then: end run}}
        - {repeat: forever, until: {charge: 20% of capacity}, steps: [{strip: 1C, for: 5 % of capacity}]}
        """,
        FULL,
    ).steps
    assert isinstance(hold, Hold) and isinstance(loop, Repeat)
    assert hold.duration_s == pytest.approx(360.0)
    assert hold.cutoffs[0].value == pytest.approx(3.78)
    assert hold.cutoffs[0].text == "charge above 50 % of the capacity (1.05 mAh)"
    assert loop.times == 4


def test_cutoffs_and_limits_say_what_a_rate_comes_to() -> None:
    plan = compiled("- {ca: 1 V, for: 1 h, until: {I_below: C/20}}", FULL, HEAD.replace("I: 10 mA", "I: 5C"))
    [hold] = leaves(plan.steps)
    assert (hold.cutoffs[0].value, hold.cutoffs[0].text) == (105e-6, "|I| below C/20 (105 uA)")
    limit = plan.limits.limit("|I|", "above")
    assert limit is not None and (limit.value, limit.value_text) == (10.5e-3, "5C (10.5 mA)")


@pytest.mark.parametrize(
    ("levels", "level_A"),
    [
        ("C/10, C/5, 1C", [210e-6, 420e-6, 2.1e-3]),
        ("0.5, 1, 2 C", [1.05e-3, 2.1e-3, 4.2e-3]),
        ("{from: 0.5C, to: 1C, step: 0.25C}", [1.05e-3, 1.575e-3, 2.1e-3]),
        ("[C/10, 0.1 C]", [210e-6, 210e-6]),
    ],
)
def test_levels_may_be_rates(levels: str, level_A: list[float]) -> None:
    plan = compiled(f"- staircase: {levels}\n  steps: [{{strip: $level, for: 1 h}}]", FULL)
    assert [leaf.level for leaf in leaves(plan.steps) if isinstance(leaf, Hold)] == pytest.approx(level_A)


def test_where_no_capacity_is_known_each_place_is_told_what_to_write() -> None:
    with pytest.raises(ProtocolError) as caught:
        compiled(
            """
            - {strip: C/10, for: 1 h}
            - ca: 1 V
              for: 1 h
              until: {I_below: C/20}
            - {strip: 1 mA, for: 10 % of capacity}
            """
        )
    head = len(HEAD.splitlines())
    faults = caught.value.faults
    assert [fault.mark.line for fault in faults] == [head + 2, head + 5, head + 6]
    for fault, rate in zip(faults, ("C/10", "C/20", "10 % of capacity"), strict=True):
        assert fault.message == (
            f"{rate} is of a capacity, and none is known: write `capacity: 2.1 mAh` at the top of the protocol, "
            "or in the entry of cell test in rig.yaml (or in its own file)"
        )


@pytest.mark.parametrize(
    ("step", "phrase"),
    [
        ("{rest: C/10}", "C/10 is a C-rate: expected a time"),
        ("{strip: C/0, for: 1 h}", "nothing can be divided by zero"),
        ("{strip: -C/10, for: 1 h}", "directions already"),
        ("{strip: C/10, for: C/10}", "C/10 is a C-rate: expected a time"),
        (
            "{strip: 10 % of capacity, for: 1 h}",
            "10 % of capacity is a part of the capacity: expected a current",
        ),
        ("{strip: C/10, for: 0 % of capacity}", "must be greater than zero"),
    ],
)
def test_where_they_cannot_stand(step: str, phrase: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        compiled(f"- {step}", FULL)
    assert phrase in str(caught.value)


def test_charging_oxidises_the_positive_electrode() -> None:
    steps = """
        - {charge: C/10, for: 1 h}
        - {discharge: 1 mA, for: 10 % of capacity}
        - {geis: g, during: {charge: 1C}}
        - {pulse: {discharge: 1C}, on: 1 s, off: 1 s, repeat: 2}
        """
    signs = {
        side: [
            leaf.level if isinstance(leaf, Hold) else leaf.bias
            for leaf in leaves(compiled(steps, replace(FULL, working_is=side)).steps)
        ]  # type: ignore[arg-type]
        for side in ("positive", "negative")
    }
    assert signs["positive"] == [210e-6, -1e-3, 2.1e-3, -2.1e-3, None]
    assert signs["negative"] == [-210e-6, 1e-3, -2.1e-3, 2.1e-3, None]
    plan = compiled(steps, replace(FULL, working_is="negative"))
    labels = [
        "1 charge C/10",
        "2 discharge 2 mA/cm2",
        "3 geis charge 1C",
        "4.1 pulse discharge 1C",
        "4.2 rest",
    ]
    assert [leaf.label for leaf in leaves(plan.steps)] == labels


def test_a_cell_that_does_not_say_which_electrode_is_which_cannot_be_charged() -> None:
    with pytest.raises(ProtocolError) as caught:
        compiled("- {charge: C/10, for: 1 h}\n- {geis: g, during: {discharge: 1C}}", FULL)
    assert len(caught.value.faults) == 2
    assert "charge: which electrode of the cell is WE is not known: write `working_is: positive`" in str(
        caught.value
    )
