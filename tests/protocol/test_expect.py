"""What a protocol may say of its dry run: every word with its unit, and every slip with what would be right."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from nakctl.errors import ProtocolError
from nakctl.protocol import schema
from nakctl.protocol.load import Loaded, understand
from nakctl.protocol.result_names import figures
from nakctl.results.catalogue import quantities
from nakctl.text.reader import read_text

HEAD = "nakctl: 1\nname: x\nparams: {hold: 1 min, n: 2}\nlimits: {Ewe: [-3 V, 3 V], time: 1 h}\n"
SCHEMA = jsonschema.Draft202012Validator(schema.schema())
STEPS = "steps:\n  - repeat: $n\n    steps: [{rest: $hold}]\n"


def loaded(expect: str, **overrides: str) -> Loaded:
    return understand(read_text(f"{HEAD}expect: {expect}\n{STEPS}", "p.yaml", ProtocolError), overrides)


def figure(text: str) -> Any:
    [one] = loaded(f"{{{text}}}").protocol.expect[0].figures.values()
    return one


FIGURES = [
    ("ccd: [0.15, 0.45] mA/cm2", "areal current", 1.5e-4, 4.5e-4, "0.15 to 0.45 mA/cm2"),
    ("ccd: [150 uA/cm2, 0.45 mA/cm2]", "areal current", 1.5e-4, 4.5e-4, "150 uA/cm2 to 0.45 mA/cm2"),
    ("ccd: {above: 0.1 mA}", "current", 1e-4, None, "above 0.1 mA"),
    ("charge: [-1, 2] mAh/cm2", "areal charge", -3.6, 7.2, "-1 to 2 mAh/cm2"),
    ("charge: {below: −2 C}", "charge", None, -2.0, "below −2 C"),
    ("short_at: [1 h, 2 h]", "time", 3600.0, 7200.0, "1 to 2 h"),
    ("short_at: [1, 2] mA/cm2", "areal current", 1e-3, 2e-3, "1 to 2 mA/cm2"),
    ("high_frequency_resistance: [40, 60] ohm cm2", "areal resistance", 40.0, 60.0, "40 to 60 ohm cm2"),
    ("peak_2_tau: {above: 1 us, below: 1 ms}", "time", 1e-6, 1e-3, "above 1 us and below 1 ms"),
    ("activation_energy: [20, 40] kJ/mol", "kJ/mol", 20.0, 40.0, "20 to 40 kJ/mol"),
    ("transference_number: [0.3, 0.5]", "", 0.3, 0.5, "0.3 to 0.5"),
    ("cycles_coulombic_efficiency: {above: 99 %}", "", 0.99, None, "above 99 %"),
    ("peaks: [2, 4]", "", 2.0, 4.0, "2 to 4"),
]


@pytest.mark.parametrize(("text", "dimension", "low", "high", "told"), FIGURES)
def test_a_figure_has_two_ends(
    text: str, dimension: str, low: float | None, high: float | None, told: str
) -> None:
    found = figure(text)
    ends = [bound and bound.value for bound in (found.low, found.high)]
    assert (found.dimension, str(found)) == (dimension, told)
    assert ends == [pytest.approx(low) if low else low, pytest.approx(high) if high else high]


@pytest.mark.parametrize(
    ("text", "value"),
    [("cycles: 20", 20), ("short_visible: false", False), ("short_while: plating", "plating")],
)
def test_what_is_counted_or_called_is_just_that(text: str, value: object) -> None:
    assert figure(text).value == value


OTHERS = [
    "{ends: short, ccd: [0.15, 0.45] mA/cm2, at_most: 2 d}",
    "{ends: [short, all steps done], cell: C7, at_least: $hold, cycles: $n, short_visible: true}",
    "[{cells: [A, B], set: {hold: 1 min, n: 3}, short_while: plating}, {ends: limit, peaks: [1, 2]}]",
]


@pytest.mark.parametrize("expect", [*(f"{{{row[0]}}}" for row in FIGURES), *OTHERS])
def test_what_is_accepted_is_not_red_in_an_editor(expect: str) -> None:
    data = loaded(expect).document.data
    assert [error.message for error in SCHEMA.iter_errors(data)] == []


def test_a_wrong_word_is_red() -> None:
    data = loaded("{peaks: 2}").document.data | {"expect": {"ccdd": 1}}
    assert [*SCHEMA.iter_errors(data)]


SLIPS = [
    ("short", 9, "short: write `expect: {ends: short}`"),
    ("[]", 9, "needs at least 1"),
    ("{ccdd: [1, 2] mA/cm2}", 10, "ccdd is no word of expect; did you mean ccd?"),
    ("{threshold: [1, 2] mA/cm2}", 10, "did you mean strip_threshold or"),
    ("{at_mst: 1 h}", 10, "did you mean at_most?"),
    ("{ccd_mA_cm2: [1, 2]}", 10, "the unit stands in the value: write ccd: [1 mA/cm2, 2 mA/cm2]"),
    ("{ccd: [1, 2] V}", 15, "1 V is a potential: expected a current per area or a current"),
    ("{ccd: [1, 2]}", 15, "1 has no unit"),
    (
        "{ccd: 0.2 mA/cm2}",
        15,
        "from where to where? Write ccd: [1 mA/cm2, 2 mA/cm2], or ccd: {above: 1 mA/cm2}",
    ),
    ("{ccd: 0.2-0.4 mA/cm2}", 15, "write ccd: [0.2 mA/cm2, 0.4 mA/cm2]"),
    ("{ccd: '> 0.2 mA/cm2'}", 15, "write ccd: {above: 0.2 mA/cm2}"),
    ("{ccd: [0.4, 0.2] mA/cm2}", 15, "the lowest value stands first"),
    ("{ccd: [0.1 mA/cm2, 0.2 mA]}", 15, "not of one kind"),
    ("{ccd: [1, 2, 3] mA/cm2}", 15, "two values stand in brackets"),
    ("{ccd: {abov: 1 mA}}", 15, "abov is no word here; did you mean above?"),
    ("{ccd: {}}", 15, "write ccd: [1 mA/cm2, 2 mA/cm2]"),
    ("{ccd: }", 14, "has no value"),
    ("{activation_energy: [1, 2] eV}", 29, "written in kJ/mol"),
    ("{peaks: 2.5}", 17, "expected a whole number"),
    ("{short_visible: yes}", 25, "expected true or false"),
    ("{cells: C7}", 17, "must be a list"),
    ("{cell: C7, cells: [C8]}", 20, "cell and cells at once"),
    ("{set: {hodl: 1 h}}", 16, "hodl is no parameter of this protocol; did you mean hold?"),
    ("{set: {hold: 3 V}}", 22, "3 V is a potential: expected a time"),
    ("{set: {n: many}}", 19, "must be a whole number or forever"),
    ("{set: [hold]}", 15, "must be words with values"),
    ("{at_least: 2 h, at_most: 1 h}", 34, "nothing takes 2 h at least and 1 h at most"),
    ("{at_most: 2 V}", 19, "2 V is a potential"),
]


@pytest.mark.parametrize(("expect", "column", "says"), SLIPS)
def test_a_slip_is_told_where_it_is(expect: str, column: int, says: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        loaded(expect)
    [fault] = caught.value.faults
    assert (fault.mark.line, fault.mark.column) == (5, column)
    assert says in fault.message


def test_all_slips_are_told_at_once() -> None:
    with pytest.raises(ProtocolError) as caught:
        loaded("\n  - {ccdd: 1, at_most: 2 V}\n  - {ends: short, peaks: x}")
    assert [fault.mark.line for fault in caught.value.faults] == [6, 6, 7]


def test_a_parameter_that_only_expect_uses_changes_no_run() -> None:
    text = HEAD.replace("n: 2", "n: 2, most: 1 h") + "expect: {at_most: $most}\n" + STEPS
    with pytest.raises(ProtocolError, match="most is never used"):
        understand(read_text(text, "p.yaml", ProtocolError), {})


CASES = "\n  - {ends: limit}\n  - {set: {hold: 3 min}, cells: [A, B]}\n  - {set: {n: 3}}"


@pytest.mark.parametrize(
    ("overrides", "cell", "numbers"),
    [
        ({}, None, [0]),
        ({"hold": "1 min"}, "A", [0]),  # as declared
        ({"hold": "3min"}, None, [1]),
        ({"hold": "3 min"}, "B", [1]),
        ({"hold": "3 min"}, "C", []),
        ({"n": "3"}, None, [2]),
        ({"n": "3", "hold": "3 min"}, None, []),
        ({"n": "4"}, None, []),
    ],
)
def test_an_expectation_is_for_its_parameters_and_cells(
    overrides: dict[str, str], cell: str | None, numbers: list[int]
) -> None:
    assert [k for k, _ in loaded(CASES, **overrides).expected(*([cell] if cell else []))] == numbers


def test_every_figure_of_the_results_has_a_word() -> None:
    """But those of the run itself."""
    named = {one.name for those in figures().values() for one in those}
    beside = {name for name in quantities() if name not in named}
    assert beside == {
        "title", "status", "end_reason", "end_kind", "end_id", "end_value", "simulated", "sealed", "cell",
        "area_cm2", "start_time", "recovery", "sensors", "text", "results_version", "interruption_place",
    }  # fmt: skip


def test_a_word_that_means_several_is_told_apart_by_its_unit() -> None:
    for word, those in figures().items():
        assert len({one.dimension for one in those}) == len(those), word
        assert not any(word.endswith(f"_{one.unit.replace('/', '_')}") for one in those if one.unit), word
