"""Real settings, imported and exported again, are the same settings; what is not kept is listed here."""

from __future__ import annotations

import pytest
from converting import exported, imported, plan_of, same_plan, table
from eclab_files import REAL

from nakctl.convert.settings import read

# Per file: rows that differ afterwards, and why that is all the same.
HOLDS_NOTHING = {"dtq (s)", "dq"}  # of a sequence without a hold
AVERAGED = {"record"}  # <Ewe> averages between samples; nakctl does not
OLDER = {"current/potential", "charge/discharge_1", "Apply I/C_1", "N1", "ctrl_tM"}  # rows that 11.50 has
NOT_COUNTED = {"lim1_seq", "lim2_seq", "lim1_Q", "lim2_Q", "lim2_comp", "lim1_comp", "lim1_type", "lim2_type",
               "lim2_action", "lim1_action", "rec1_type", "ctrl_TO_t", "lim1_value", "rec1_value"}  # fmt: skip
EXPECTED: dict[str, set[str]] = {
    "cp-geis": set(),
    "ocv-ca": set(),
    "peis-gcpl": HOLDS_NOTHING,
    "cp-limits": set(),
    "ca-limits": set(),
    "ocv-peis-loop": AVERAGED,
    "modulo-bat": OLDER,
    "ocv-cv": set(),
    "lsv": set(),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_settings_come_back(name: str) -> None:
    before = read(REAL[name], "x.mps")
    after = read(exported(imported(REAL[name])), "x.mps")
    assert [each for each, _ in table(before)] == [each for each, _ in table(after)]
    for (_, one), (_, other) in zip(table(before), table(after), strict=True):
        for column, again in zip(one, other, strict=True):
            used = _used(column) if name == "modulo-bat" else set(column) | set(again)
            differ = {row for row in used if column.get(row) != again.get(row)}
            assert differ <= EXPECTED[name], [(row, column.get(row), again.get(row)) for row in differ]


def _used(column: dict[str, object]) -> set[str]:
    """Rows of a Modulo Bat that its sequence uses: limits and records are counted, a loop has neither."""
    counts = {
        "lim": int(float(str(column.get("lim_nb", 0)))),
        "rec": int(float(str(column.get("rec_nb", 0)))),
    }
    return {
        row for row in column
        if not (row[:3] in counts and row[3:4].isdigit() and int(row[3]) > counts[row[:3]])
    }  # fmt: skip


def test_gcpl6_comes_back_as_gcpl_since_a_cell_of_two_electrodes_has_one_potential() -> None:
    raw = REAL["geis-gcpl6"]
    before, after = table(read(raw, "x.mps")), table(read(exported(imported(raw), "VMP-3"), "x.mps"))
    assert [name.removesuffix(" 6") for name, _ in before] == [name for name, _ in after]
    for (_, one), (_, other) in zip(before, after, strict=True):
        for column, again in zip(one, other, strict=True):
            assert {row for row in column if column[row] != again.get(row)} <= HOLDS_NOTHING


@pytest.mark.parametrize("name", REAL)
def test_the_plan_comes_back(name: str) -> None:
    on = "VMP-3" if name == "geis-gcpl6" else "SP-300"
    text = imported(REAL[name])
    same_plan(plan_of(text), plan_of(imported(exported(text, on))))


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("on", ["SP-300", "VMP-3"])
def test_what_is_imported_can_be_planned_and_checked(name: str, on: str) -> None:
    """Findings are about the instrument; the protocol itself stands."""
    from nakctl.checks.check import check
    from nakctl.device.instrument import instrument
    from nakctl.plan.lower import lower

    plan = plan_of(imported(REAL[name]))
    check(plan, lower(plan, instrument(on)), instrument(on))
