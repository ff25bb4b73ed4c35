"""Tables beside a protocol."""

from __future__ import annotations

from pathlib import Path

import pytest

from nakctl.device.cell import Cell
from nakctl.device.instrument import instrument
from nakctl.device.program import Cp, HostLoop, Loop, Segment, segments
from nakctl.errors import ProtocolError
from nakctl.plan.compile import compile_protocol
from nakctl.plan.lower import lower
from nakctl.protocol.load import load
from nakctl.protocol.profiles import Profile, Unreadable, read_profile

TABLE = "time/s,I/mA\n0,0.5\n10,-0.25\n25,0\n30,0.1\n40,0\n"


@pytest.mark.parametrize(
    "text",
    [
        TABLE,
        TABLE.replace(",", ";"),
        TABLE.replace(".", "#").replace(",", ";").replace("#", ","),  # a decimal comma
        TABLE.replace(",", "\t"),
        TABLE.replace("time/s,I/mA", "Test Time / s,Current / mA"),
        TABLE.replace("time/s,I/mA", "t (s),I [mA]"),
        TABLE.replace("time/s,I/mA", "time/s,<I>/mA"),
        TABLE.replace("\n", "\r\n"),
        TABLE + "\n",
    ],
)
def test_one_table_in_many_hands(text: str) -> None:
    read = read_profile(text, "drive.csv")
    assert [level.value for level in read.levels] == pytest.approx([0.5e-3, -0.25e-3, 0.0, 0.1e-3])
    assert read.durations_s == (10.0, 15.0, 5.0, 10.0)


def test_units_count() -> None:
    read = read_profile("j/mA/cm2,time/min\n1,0\n2,1\n0,3\n", "drive.csv")
    assert (read.dimension, read.durations_s) == ("areal current", (60.0, 120.0))
    assert [level.value for level in read.levels] == pytest.approx([1e-3, 2e-3])


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "the table is empty"),
        ("time/s,I/mA\n", 1, "2 to 5001 lines of values, this one 0"),
        ("time/s,I/mA\n0,1\n", 2, "this one 1"),
        ("time,I/mA\n0,1\n1,0\n", 1, "time has no unit"),
        ("time/s,I\n0,1\n1,0\n", 1, "I has no unit"),
        ("time/s,force/N\n0,1\n1,0\n", 1, "this header says: time/s, force/N"),
        ("time/s,I/mA,E/V\n0,1,1\n1,0,1\n", 1, "one column of time and one of current or potential"),
        ("time/s,I/MA\n0,1\n1,0\n", 1, "MA is no unit"),
        ("time/V,I/mA\n0,1\n1,0\n", 1, "expected a time"),
        ("time/s,I/mA\n0,1\n0,1\n", 3, "times go on from line to line"),
        ("time/s,I/mA\n0,1\n1\n", 3, "this line has 1 values"),
        ("time/s,I/mA\n0,1\n1,abc\n", 3, "abc is no number"),
        ("time/s,I/mA\n0,1\n1,\n", 3, "nothing is no number"),
        ("time/s,I/mA\n0,inf\n1,0\n", 2, "no finite number"),
    ],
)
def test_what_is_no_table_is_refused_by_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_profile(text, "drive.csv")
    assert caught.value.line == line
    assert said in str(caught.value)


def protocol(folder: Path, steps: str, table: str | None = TABLE) -> Path:
    if table is not None:
        (folder / "drive.csv").write_text(table, encoding="utf-8")
    file = folder / "drive.yaml"
    head = "nakctl: 1\nname: drive\nlimits: {Ewe: [-3 V, 3 V], I: 10 mA, time: 9 h}\nfinally: rest\nsteps:\n"
    file.write_text(head + steps, encoding="utf-8")
    return file


def lowered(file: Path) -> tuple[Segment | HostLoop, ...]:
    plan = compile_protocol(load(file), Cell("test", 0.5))
    return lower(plan, instrument("SP-300")).nodes  # type: ignore[return-value]


def test_each_line_is_a_hold_in_one_range(tmp_path: Path) -> None:
    [segment] = lowered(protocol(tmp_path, "  - profile: drive.csv\n"))
    assert isinstance(segment, Segment)
    lines = [each for each in segment.techniques if isinstance(each, Cp)]
    assert [line.I_A for line in lines] == pytest.approx([0.5e-3, -0.25e-3, 0.0, 0.1e-3])
    assert {line.hardware.I_range for line in lines} == {"1 mA"}


def test_a_profile_in_a_loop_is_one_loop_of_the_instrument(tmp_path: Path) -> None:
    [segment] = lowered(protocol(tmp_path, "  - {repeat: forever, steps: [{profile: drive.csv}]}\n"))
    assert isinstance(segment, Segment)
    assert segment.techniques[-1] == Loop(0, None, passes=True)


def test_a_cutoff_leaves_the_profile_or_the_loop_around_it(tmp_path: Path) -> None:
    until = "until: {{Ewe_above: 1 V{}}}"
    of_profile = lowered(
        protocol(tmp_path, f"  - {{profile: drive.csv, {until.format('')}}}\n  - rest: 1 s\n")
    )
    assert isinstance(of_profile[0], HostLoop)
    assert of_profile[0].times == 1
    leaving = until.format(", then: end loop")
    [of_loop] = lowered(
        protocol(tmp_path, f"  - {{repeat: 9, steps: [{{profile: drive.csv, {leaving}}}]}}\n")
    )
    assert isinstance(of_loop, Segment)
    assert of_loop.loop
    assert {each.on_test for each in next(segments((of_loop,))).techniques if isinstance(each, Cp)} == {
        "stop"
    }


def test_what_is_wrong_beside_the_protocol_is_told_with_its_place(tmp_path: Path) -> None:
    file = protocol(tmp_path, "  - profile: drive.csv\n", table=None)
    with pytest.raises(ProtocolError, match=r"drive.yaml:6:5  profile: .*drive.csv: there is no such file"):
        load(file)
    protocol(tmp_path, "  - profile: drive.csv\n", "time/s,I/mA\n0,x\n")
    with pytest.raises(ProtocolError, match=r"drive.csv:2:1  x is no number"):
        load(file)


def test_the_table_is_kept(tmp_path: Path) -> None:
    loaded = load(protocol(tmp_path, "  - profile: drive.csv\n"))
    assert loaded.texts == {"drive.csv": TABLE}
    assert isinstance(loaded.profiles["drive.csv"], Profile)
