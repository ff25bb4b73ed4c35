"""Where easy_biologic is wrong in ways that change an experiment or its data, and that we are right there.

Its own code runs, against a virtual instrument. Each test would fail if the defect came into the driver.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from biologic_bench import SP300, Bench, bench, chain, cp, drain, eis, ocv, run
from easy_bench import Easy, easy_biologic

from nakctl.device.program import Hardware, Test
from nakctl.plan import plan as p
from nakctl.plan.ends import Context, EndTable
from nakctl_biologic import params
from nakctl_biologic.codes import Board
from nakctl_biologic.errors import failure

ADDRESS = "sim://inprocess/bench"


@pytest.fixture
def ours() -> Bench:
    return bench("SP-300")


@pytest.fixture
def easy(ours: Bench) -> Iterator[Easy]:
    with easy_biologic(ADDRESS) as package:
        yield package


# 1. StartTime


def test_linked_techniques_go_on_in_time(ours: Bench, easy: Easy) -> None:
    """Its TDataInfos is not packed, so StartTime is read from the wrong place and everything starts at 0."""
    chained = chain(ocv(2.0), cp(1e-4, 2.0))
    times_s = run(ours, chained).samples["time_s"]
    assert times_s[-1] == pytest.approx(4.0, abs=SP300.timebase_s["CPLIMIT"])

    ours.channel.load(chained)
    ours.channel.start()
    ours.clock.sleep(5.0)
    device, _ = easy.ec_lib.connect(ADDRESS)
    starts = {}
    while True:
        _, info, _ = easy.ec_lib.get_data(device, 0)
        if info.NbRows == 0:
            break
        starts[info.TechniqueIndex] = info.StartTime
    assert set(starts) == {0, 1}
    assert starts[1] != pytest.approx(2.0)


# 2. the index of a parameter


def test_a_second_technique_gets_its_own_first_step(
    ours: Bench, easy: Easy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It adds the position in the chain to the index of the step."""
    device = easy.device.BiologicDevice(ADDRESS)
    easy.watch_loads(monkeypatch)
    steps = {"Current_step": [1e-4], "Duration_step": [1.0], "Step_number": 0}
    device.connect()
    device.load_techniques(0, ["cp", "cp"], [steps, steps])
    assert [{index for _, _, _, index in records} for records in easy.loads] == [{0}, {1}]

    loaded = params.chain(chain(cp(), cp()), SP300, Board.PREMIUM)
    assert [{param.index for param in entry.params} for entry in loaded] == [{0}, {0}]


# 3. the spacing of frequencies


def test_log_means_log(ours: Bench, easy: Easy) -> None:
    sent = easy.ec_lib.cast_parameters({"sweep": "log"}, easy.fields.GEIS)
    assert sent["sweep"] is True  # linear
    with pytest.raises(AttributeError):
        easy.programs.GEIS(None, {"sweep": "log"}, channels=[0])

    loaded = params.load_as(eis(), SP300, Board.PREMIUM)
    assert next(param.value for param in loaded.params if param.label == "sweep") == 0
    frequencies = run(ours, chain(eis(n=5))).points["frequency_Hz"]
    assert np.allclose(np.diff(np.log10(frequencies)), -1.0, atol=1e-3)


# 4. the current range


def test_the_range_covers_the_bias(ours: Bench, easy: Easy) -> None:
    """It looks at the amplitude alone: a bias of 5 mA would be measured in the 100 uA range."""
    device = easy.device.BiologicDevice(ADDRESS)
    asked = {
        "current": 5e-3, "amplitude_current": 5e-6, "initial_frequency": 1e5, "final_frequency": 10.0,
        "frequency_number": 5, "duration": 0,
    }  # fmt: skip
    device.connect()
    program = easy.programs.GEIS(device, asked, channels=[0])
    assert program.params[0]["current_range"] is easy.ec_lib.IRange.u100

    context = Context(SP300, p.Limits(()), EndTable(), ())
    hardware = context.hardware(p.Ranges(), 5e-3 + 5e-6, 5e-6)
    sent = {param.label: param.value for param in params.hardware(hardware, SP300)}
    assert (hardware.I_range, sent["I_Range"]) == ("10 mA", 8)


def test_a_current_is_never_controlled_in_an_automatic_range() -> None:
    codes = [
        param.value
        for each in SP300.I_ranges
        for param in params.hardware(Hardware(each.name, "5 V", 5), SP300)
    ]
    assert 12 not in codes


# 5. types of parameters


def test_a_whole_number_is_sent_as_the_type_of_its_label(easy: Easy) -> None:
    """A label it spells wrong gets no cast: a value that is a whole number would go out as an integer."""
    assert "Step_nuber" in easy.fields.CPLIMIT.__members__
    cast = easy.ec_lib.cast_parameters({"Record_every_dE": 1}, easy.fields.GEIS)
    assert type(cast["Record_every_dE"]) is int

    loaded = params.load_as(cp(1, 1, Test("Ewe", "above", 3)), SP300, Board.PREMIUM)
    kinds = {param.label: param.kind for param in loaded.params}
    assert {kinds["Current_step"], kinds["Duration_step"], kinds["Test1_Value"]} == {"single"}
    assert kinds["Step_number"] == "int"


# 6. reading


def test_words_behind_the_rows_are_not_looked_at(
    ours: Bench, easy: Easy, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours.channel.load(chain(cp(1e-4, 1.0)))
    ours.channel.start()
    ours.clock.sleep(2.0)
    device, _ = easy.ec_lib.connect(ADDRESS)
    data, info, _ = easy.ec_lib.get_data(device, 0)
    assert info.NbRows > 0
    converted = []
    convert = easy.ec_lib.convert_numeric
    monkeypatch.setattr(easy.ec_lib, "convert_numeric", lambda word: converted.append(word) or convert(word))
    info.TechniqueID = 102  # the technique without limits: 155 it does not know
    fields = easy.data_parser.SP300_Fields.CP
    rows = easy.data_parser.parse(data, info, fields)
    assert len(converted) == 400  # of the whole buffer
    assert len(rows) == info.NbRows


def test_the_technique_with_limits_is_known(ours: Bench, easy: Easy) -> None:
    with pytest.raises(ValueError, match="155"):
        easy.ec_lib.TechniqueId(155)
    assert set(run(ours, chain(cp(1e-4, 1.0))).samples["technique"]) == {0}


def test_its_own_values_where_it_is_right(ours: Bench, easy: Easy) -> None:
    """The first technique of a chain: both read the same numbers."""
    done = run(ours, chain(cp(1e-4, 1.0)))
    other = bench("SP-300")
    other.channel.load(chain(cp(1e-4, 1.0)))
    other.channel.start()
    other.clock.sleep(2.0)
    block, values = other.channel._link.device.data(0)
    table = block.words.reshape(block.n_rows, block.n_columns)
    for row, sample in zip(table.tolist(), done.samples, strict=True):
        assert easy.ec_lib.convert_numeric(row[2]) == sample["Ewe_V"]
        assert easy.ec_lib.convert_numeric(row[3]) == sample["I_A"]
        assert values.TimeBase * row[1] == pytest.approx(sample["time_s"], rel=1e-6)


# 7. errors, stop, end


@pytest.mark.parametrize("code", range(-307, -299))
def test_every_code_has_its_name(easy: Easy, code: int) -> None:
    """It has no entry for these: another error takes the place of the real one."""
    with pytest.raises(ValueError, match="Unknown error value"):
        easy.errors.EcError(code)
    assert failure("BL_LoadFirmware", code).name.startswith("FIRM_")


def test_a_stop_is_told_to_the_channel() -> None:
    """It only leaves its loop, and the cell stays under current."""
    one = bench()
    one.channel.load(chain(cp(1e-4, 1000.0)))
    one.channel.start()
    one.clock.sleep(1.0)
    one.channel.read(None)  # type: ignore[arg-type]
    one.channel.stop()
    board = one.instrument.boards[0]
    assert not board.running
    drain(one)
