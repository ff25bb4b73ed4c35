"""Every kind of trouble that can be asked for, and what a program sees of it."""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable
from typing import Any

import pytest
from eclib_bench import Api, bench
from eclib_rows import samples
from eclib_techniques import cplimit, ocv

from nakctl.errors import RigError
from nakctl_sim.instrument.calls import CALLS
from nakctl_sim.instrument.codes import Code
from nakctl_sim.instrument.faults import Fault, fault
from nakctl_sim.instrument.habits import Habits
from nakctl_sim.instrument.library import connect

OUT = (c.c_char * 4096)()
SIXTEEN = (c.c_uint8 * 16)(1)
ROOM = c.c_uint32(255)
ARGUMENTS: dict[str, Callable[[Api], tuple[Any, ...]]] = {
    "BL_Connect": lambda api: (api.address.encode(), 5, OUT, OUT),
    "BL_Disconnect": lambda api: (api.device,),
    "BL_TestConnection": lambda api: (api.device,),
    "BL_GetChannelsPlugged": lambda api: (api.device, OUT, 16),
    "BL_GetChannelBoardType": lambda api: (api.device, 0, OUT),
    "BL_GetChannelInfos": lambda api: (api.device, 0, OUT),
    "BL_LoadFirmware": lambda api: (api.device, SIXTEEN, OUT, 16, False, False, None, None),
    "BL_GetHardConf": lambda api: (api.device, 0, OUT),
    "BL_GetOptErr": lambda api: (api.device, 0, OUT, OUT),
    "BL_GetMessage": lambda api: (api.device, 0, OUT, c.byref(ROOM)),
    "BL_GetExperimentInfos": lambda api: (api.device, 0, OUT),
    "BL_SetExperimentInfos": lambda api: (api.device, 0, OUT),
    "BL_StartChannel": lambda api: (api.device, 0),
    "BL_StartChannels": lambda api: (api.device, SIXTEEN, OUT, 16),
    "BL_StopChannel": lambda api: (api.device, 0),
    "BL_StopChannels": lambda api: (api.device, SIXTEEN, OUT, 16),
    "BL_GetCurrentValues": lambda api: (api.device, 0, OUT),
    "BL_GetData": lambda api: (api.device, 0, OUT, OUT, OUT),
}


@pytest.mark.parametrize("code", [code.value for code in Code if code])
def test_every_code_from_every_call(code: int) -> None:
    with bench(faults=[f"{name}={code}@call2-2" for name in CALLS if not CALLS[name].local]) as (api, _clock):
        for name, arguments in ARGUMENTS.items():
            connected = name == "BL_Connect"
            codes = [api(name, *arguments(api)) for _ in range(1 if connected else 2)]
            assert codes[-1] == code
            if name == "BL_Disconnect":
                api.connect()
        records = [api.load("ocv4.ecc", ocv()[1]) for _ in range(2)]
        assert records == [0, code]
        assert [api.update(0, "ocv4.ecc", ocv()[1][:1]) for _ in range(2)] == [0, code]


FORMS = [
    ("BL_GetData=-200@call17", Fault("BL_GetData", "-200", None, 17, 17)),
    ("BL_GetData=-200@call17-20", Fault("BL_GetData", "-200", None, 17, 20)),
    ("BL_GetData=-200:5s@call3", Fault("BL_GetData", "-200:5s", None, 3, 3)),
    ("BL_StopChannel=-104", Fault("BL_StopChannel", "-104")),
    ("cable=10s@t120", Fault("cable", "10s", 120.0)),
    ("cable=5calls@call9", Fault("cable", "5calls", None, 9, 9)),
    ("missing=2", Fault("missing", "2")),
    ("option=301:2@t0.5", Fault("option", "301:2", 0.5)),
    ("message=hello world@t60", Fault("message", "hello world", 60.0)),
    ("guest", Fault("guest")),
    ("BL_StopChannel=-104:10s@t60", Fault("BL_StopChannel", "-104:10s", 60.0)),
    ("stop-ignored=1:10s@t60", Fault("stop-ignored", "1:10s", 60.0)),
    ("hang=BL_GetData:25s@call17", Fault("hang", "BL_GetData:25s", None, 17, 17)),
    ("hang=BL_GetData@t60", Fault("hang", "BL_GetData", 60.0)),
    ("lost-reply@call3-4", Fault("lost-reply", "", None, 3, 4)),
    ("lost-reply=BL_StopChannel@t5", Fault("lost-reply", "BL_StopChannel", 5.0)),
]
NO_FAULTS = [
    *("", "cabel", "cable=10", "missing", "missing=x", "option=301", "message", "BL_GetData", "BL_GetData=x"),
    *("BL_Nothing=-1", "BL_GetLibVersion=-4", "eclab=a", "eclab=1@call7", "cable=10s@120", "guest@tomorrow"),
    *(
        "hang",
        "hang=cable",
        "hang=BL_GetLibVersion:5s",
        "hang=BL_GetData:5",
        "lost-reply=rows",
        "stopped=1@call7",
    ),
    *("BL_GetData=-200:5s@call3-4", "BL_GetData=-200:5", "stop-ignored=1:5", "stopped=1:5s@t6"),
]


@pytest.mark.parametrize(("text", "made"), FORMS)
def test_forms(text: str, made: Fault) -> None:
    assert fault(text) == made


@pytest.mark.parametrize("text", NO_FAULTS)
def test_no_faults(text: str) -> None:
    with pytest.raises(RigError):
        fault(text)


def test_a_missing_channel_is_a_hole_in_the_map() -> None:
    with bench("VMP-3", cells={1: "randles", 2: "randles", 3: "randles"}, faults=["missing=2"]) as (api, _):
        plugged = (c.c_uint8 * 16)()
        assert api("BL_GetChannelsPlugged", api.device, plugged, 16) == 0
        assert list(plugged)[:4] == [1, 0, 1, 0]
        assert [api("BL_IsChannelPlugged", api.device, n) for n in range(4)] == [True, False, True, False]
        assert api.start(1) == -3
        assert api.start(16) == -4
        results = (c.c_int32 * 16)()
        assert api("BL_StopChannels", api.device, (c.c_uint8 * 16)(1, 1, 1), results, 16) == 0
        assert list(results)[:3] == [0, -3, 0]


def test_eclab_firmware_comes_and_goes() -> None:
    with bench(faults=["eclab=1@t2"]) as (api, clock):
        api.load_chain("SP-300", ocv(10.0))
        api.start()
        clock.sleep(1.6)
        assert api.data().infos["NbRows"] == 4
        clock.sleep(1.0)
        assert api.data().code == -9
        assert api.channel_infos()[1]["FirmwareCode"] == 1
        assert api("BL_LoadFirmware", api.device, SIXTEEN, OUT, 16, False, False, None, None) == 0
        assert api.channel_infos()[1]["FirmwareCode"] == 5
        assert api.start() == -6  # nothing is loaded any more


FIRMWARE = [
    (None, None, 0),
    (b"kernel4.bin", b"Vmp_iv_0395_aa.xlx", 0),
    (rb"c:\oem\kernel4.bin", None, 0),
    (b"kernel.bin", None, -302),
    (b"kernel9.bin", None, -300),
    (None, b"vmp_ii_0437_a6.xlx", -306),
    (None, b"nothing.xlx", -304),
]


@pytest.mark.parametrize(("kernel", "fpga", "code"), FIRMWARE)
def test_firmware_files(kernel: bytes | None, fpga: bytes | None, code: int) -> None:
    with bench(habits=Habits(kernel=False)) as (api, _):
        assert api.load_chain("SP-300", ocv()) == [-308]
        assert api("BL_LoadFirmware", api.device, SIXTEEN, OUT, 16, False, False, kernel, fpga) == code
        assert api.load_chain("SP-300", ocv()) == [0 if code == 0 else -308]


def test_firmware_is_loaded_where_it_is_needed() -> None:
    nobody, results = (c.c_uint8 * 16)(), (c.c_int32 * 16)(*[9] * 16)
    with bench() as (api, _clock):
        api.load_chain("SP-300", ocv(10.0))
        api.start()
        assert api("BL_LoadFirmware", api.device, SIXTEEN, results, 16, False, False, None, None) == 0
        assert api.values()["State"] == 1  # it had it already
        assert api("BL_LoadFirmware", api.device, SIXTEEN, results, 16, False, True, None, None) == 0
        assert api.values()["State"] == 0  # forced: a restart
        assert api("BL_LoadFirmware", api.device, nobody, results, 16, False, True, None, None) == -7
        assert (
            api("BL_LoadFirmware", api.device, (c.c_uint8 * 16)(1, 1), results, 16, False, False, None, None)
            == 0
        )
        assert list(results)[:2] == [0, -3]


def test_a_kernel_of_another_package() -> None:
    with bench(faults=["kernel=1"]) as (api, _):
        results = (c.c_int32 * 16)()
        assert api.load_chain("SP-300", ocv()) == [-309]
        assert api("BL_LoadFirmware", api.device, SIXTEEN, results, 16, False, True, None, None) == 0
        assert results[0] == -309


def test_another_program_is_connected() -> None:
    with bench(faults=["guest@t1"]) as (api, clock):
        assert api.connect()[1][-1] == 1
        clock.sleep(1.0)
        api("BL_TestConnection", api.device)
        assert api.connect()[1][-1] == 2


def test_another_program_takes_the_channel() -> None:
    with bench(faults=["taken=1@t2"]) as (api, clock):
        api.load_chain("SP-300", cplimit(seconds=10.0))
        api("BL_SetExperimentInfos", api.device, 0, b"\1" * 272)
        api.start()
        clock.sleep(1.0)
        assert {buffer.infos["TechniqueID"] for buffer in api.drain()} == {155}
        clock.sleep(1.0)
        assert api.drain() == []  # the rows since then are gone, and its own begin
        clock.sleep(1.0)
        assert {buffer.infos["TechniqueID"] for buffer in api.drain()} == {100}
        kept = (c.c_char * 272)()
        api("BL_GetExperimentInfos", api.device, 0, kept)
        assert kept.raw == bytes(272)
        assert api.load("ocv4.ecc", ocv()[1]) == -13


def test_another_program_fetches_rows() -> None:
    with bench(faults=["stolen=1@t2"]) as (api, clock):
        api.load_chain("SP-300", ocv(4.0, 0.5))
        buffers = api.run(clock, poll_s=2.5)
        assert samples(buffers)[:, 0] == pytest.approx([2.5, 3.0, 3.5, 4.0])
        assert {buffer.infos["IRQskipped"] for buffer in buffers} == {0}


def test_a_stop_that_is_refused_or_ignored() -> None:
    with bench(faults=["BL_StopChannel=-104@call1"]) as (api, _):
        api.load_chain("SP-300", ocv(10.0))
        api.start()
        assert (api.stop(), api.values()["State"]) == (-104, 1)
        assert (api.stop(), api.values()["State"]) == (0, 0)
    with bench(faults=["stop-ignored=1"]) as (api, _clock):
        api.load_chain("SP-300", ocv(10.0))
        api.start()
        assert (api.stop(), api.values()["State"]) == (0, 1)


def test_option_errors() -> None:
    with bench(faults=["option=301:2@t1"]) as (api, clock):
        code, position = c.c_int32(), c.c_int32()
        assert (api.values()["OptErr"], api.values()["OptPos"]) == (0, 0)
        clock.sleep(1.0)
        assert (api.values()["OptErr"], api.values()["OptPos"]) == (301, 2)
        assert api("BL_GetOptErr", api.device, 0, c.byref(code), c.byref(position)) == 0
        assert (code.value, position.value) == (301, 2)


def test_messages_come_one_at_a_time() -> None:
    with bench(faults=["message=one", "message=two", "overload=1@t5"]) as (api, clock):
        assert [api.message() for _ in range(3)] == ["one", "two", ""]
        clock.sleep(6.0)
        assert api.message().startswith("I overflow")
        assert api.values()["Iover"] == 1


@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
def test_what_a_healthy_device_says(like: str) -> None:
    with bench(like, cells={2: "randles"}) as (api, _):
        code, infos = api.connect()
        assert (code, infos[0], infos[3], infos[-1]) == (0, {"SP-300": 16, "VMP-3": 5}[like], 1, 1)
        board = c.c_uint32()
        assert api("BL_GetChannelBoardType", api.device, 1, c.byref(board)) == 0
        assert board.value == {"SP-300": 2, "VMP-3": 1}[like]
        channel = api.channel_infos(1)[1]
        assert (channel["Channel"], channel["FirmwareCode"], channel["State"]) == (1, 5, 0)
        assert (channel["MinIRange"], channel["MaxIRange"]) == ({"SP-300": 2, "VMP-3": 5}[like], 10)
        conf = (c.c_int32 * 2)()
        assert api("BL_GetHardConf", api.device, 1, conf) == (0 if like == "SP-300" else -14)


@pytest.mark.parametrize(
    ("address", "code"),
    [("sim://inprocess/bench", 0), ("inprocess/bench", 0), ("10.0.0.7", -201), ("", -203)],
)
def test_connecting_elsewhere(address: str, code: int) -> None:
    with bench() as (first, _):
        api = Api(connect(first.address), address)
        assert api.connect()[0] == code
        assert (api.device >= 0) == (code == 0)
