"""Sizes, offsets, prototypes: what the public headers of the library say, called by address alone."""

from __future__ import annotations

import ctypes as c
import math
import struct
from typing import ClassVar

import numpy as np
import pytest
from eclib_bench import PROTOTYPES, Api, HardwareConf, bench

from nakctl.errors import RigError
from nakctl_sim.instrument import abi, connect_library
from nakctl_sim.instrument.calls import CALLS, Answer
from nakctl_sim.instrument.codes import Code
from nakctl_sim.instrument.library import Library

SIZES = {
    "TDeviceInfos": 44,
    "TChannelInfos": 76,
    "TCurrentValues": 76,
    "TDataInfos": 40,
    "TEccParam": 76,
    "TEccParams": 12,
    "THardwareConf": 8,
    "TTechniqueInfos": 32,
    "TExperimentInfos": 272,
}
OFFSETS = [
    ("TDataInfos", "loop", 24),
    ("TDataInfos", "StartTime", 28),
    ("TDataInfos", "MuxPad", 36),
    ("TCurrentValues", "TimeBase", 8),
    ("TCurrentValues", "Ewe", 12),
    ("TCurrentValues", "Ece", 24),
    ("TCurrentValues", "Eoverflow", 36),
    ("TCurrentValues", "I", 40),
    ("TCurrentValues", "ElapsedTime", 52),
    ("TCurrentValues", "OptPos", 72),
    ("TEccParam", "type", 64),
    ("TEccParam", "value", 68),
    ("TEccParam", "index", 72),
    ("TEccParams", "params", 4),
    ("TChannelInfos", "MemSize", 48),
    ("TChannelInfos", "State", 56),
    ("TChannelInfos", "NbOfTechniques", 72),
    ("TDeviceInfos", "NbOfConnectedPC", 40),
]
ERROR_CODES = [
    *(0, -1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11, -12, -13, -14, -15, -101, -102, -103, -104, -105),
    *(-200, -201, -202, -203, -204, -205, -206, -207, -300, -301, -302, -303, -304, -305, -306, -307),
    *(-308, -309, -400, -401, -402, -403, -404, -405),
]


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_sizes(name: str, size: int) -> None:
    assert c.sizeof(getattr(abi, name)) == size


@pytest.mark.parametrize(("structure", "name", "offset"), OFFSETS)
def test_offsets(structure: str, name: str, offset: int) -> None:
    assert getattr(getattr(abi, structure), name).offset == offset


def test_every_function_is_called_in_the_tests_and_has_an_address() -> None:
    assert set(CALLS) == set(PROTOTYPES)
    library = connect_library("sim://127.0.0.1:1")
    addresses = {c.cast(getattr(library, name), c.c_void_p).value for name in CALLS}
    assert len(addresses) == len(CALLS)
    assert not hasattr(library, "BL_GetParamInfos")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "sim://inprocess/nobody",
        "sim://10.0.0.1:5025",
        "sim://127.0.0.1",
        "sim://127.0.0.1:0",
        "sim://example.org:80",
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(RigError):
        connect_library(address)


@pytest.fixture
def alone() -> Api:
    """The library without an instrument."""
    return Api(connect_library("sim://127.0.0.1:1"), "sim://127.0.0.1:1")


def test_version_needs_room_for_the_nul(alone: Api) -> None:
    text, size = c.create_string_buffer(b"x" * 32, 32), c.c_uint32(32)
    assert alone("BL_GetLibVersion", text, c.byref(size)) == 0
    assert (text.value, size.value) == (b"6.8.1.0", 7)
    small, size = c.create_string_buffer(b"xxxx", 7), c.c_uint32(7)
    assert alone("BL_GetLibVersion", small, c.byref(size)) == -4
    assert small.value == b"xxxx"


@pytest.mark.parametrize("code", ERROR_CODES)
def test_every_code_has_a_text(alone: Api, code: int) -> None:
    text, size = c.create_string_buffer(255), c.c_uint32(255)
    assert alone("BL_GetErrorMsg", code, text, c.byref(size)) == 0
    assert size.value == len(text.value) + 1
    assert (text.value == b"unknown error") == (code == -15)
    small, size = c.create_string_buffer(b"xxx", 4), c.c_uint32(4)
    assert alone("BL_GetErrorMsg", code, small, c.byref(size)) == -6
    assert small.raw == bytes(4)


def test_the_codes_are_those_of_the_header() -> None:
    assert sorted(code.value for code in Code) == sorted(ERROR_CODES)


@pytest.mark.parametrize(
    ("function", "value", "kind", "bits"),
    [
        ("BL_DefineSglParameter", 1.5, 2, 0x3FC00000),
        ("BL_DefineIntParameter", -1, 0, 0xFFFFFFFF),
        ("BL_DefineBoolParameter", 1, 1, 1),
        ("BL_DefineBoolParameter", 0xFF, 1, 255),
    ],
)
def test_parameters_are_encoded_without_connection(
    alone: Api, function: str, value: float, kind: int, bits: int
) -> None:
    record = (c.c_char * 76)()
    assert alone(function, b"Rest_time_T", value, 3, record) == 0
    assert record.raw == b"Rest_time_T".ljust(64, b"\0") + struct.pack("<iIi", kind, bits, 3)


@pytest.mark.parametrize(("length", "code"), [(0, -6), (1, 0), (64, 0), (65, -6)])
def test_length_of_labels(alone: Api, length: int, code: int) -> None:
    assert alone("BL_DefineIntParameter", b"x" * length, 1, 0, (c.c_char * 76)()) == code


@pytest.mark.parametrize(
    ("board", "word", "value"),
    [(1, 0xFD4CCCCD, 0.2), (2, 0, 1.0), (2, 0xF6FCED91, -0.001), (3, 0x3FC00000, 1.5)],
)
def test_words_are_converted_by_board(alone: Api, board: int, word: int, value: float) -> None:
    single = c.c_float()
    assert alone("BL_ConvertChannelNumericIntoSingle", word, c.byref(single), board) == 0
    assert single.value == np.float32(value)


@pytest.mark.parametrize(
    ("word", "value"), [(0x80000000, 0.0), (0x7F800000, -math.inf), (0x81000001, 0.0), (0x01490FDB, math.pi)]
)
def test_words_are_converted(alone: Api, word: int, value: float) -> None:
    single = c.c_float()
    assert alone("BL_ConvertNumericIntoSingle", word, c.byref(single)) == 0
    assert single.value == np.float32(value)


@pytest.mark.parametrize(("board", "words"), [(1, (2, 5)), (2, (2, 5)), (3, (5, 2))])
def test_times_are_converted_by_board(alone: Api, board: int, words: tuple[int, int]) -> None:
    seconds = c.c_double()
    assert (
        alone(
            "BL_ConvertTimeChannelNumericIntoSeconds", (c.c_uint32 * 2)(*words), c.byref(seconds), 0.5, board
        )
        == 0
    )
    assert seconds.value == (2 * 2**32 + 5) / 2


def test_without_connection(alone: Api) -> None:
    device, infos = c.c_int32(7), (c.c_int32 * 11)()
    assert alone("BL_Connect", b"sim://127.0.0.1:1", 1, c.byref(device), infos) == -201
    assert device.value == -1
    assert alone("BL_TestConnection", 0) == -1
    assert alone("BL_Disconnect", 0) == 0
    assert alone("BL_StartChannel", 0, 0) == -1
    assert alone("BL_IsChannelPlugged", 0, 0) is False


def test_a_call_while_another_is_under_way() -> None:
    class Desk:
        """Asks the library while the library asks it."""

        codes: ClassVar[list[int]] = []

        def answer(self, _name: str, _fields: tuple[bytes, ...]) -> Answer:
            self.codes.append(api("BL_TestConnection", 0))
            return Answer(0)

    api = Api(Library("sim://127.0.0.1:1", Desk()), "sim://127.0.0.1:1")
    assert api("BL_TestConnection", 0) == 0
    assert Desk.codes == [-12]


def test_null_where_a_pointer_is_needed(alone: Api) -> None:
    assert alone("BL_GetLibVersion", None, None) == -4
    assert alone("BL_ConvertNumericIntoSingle", 0, None) == -4


@pytest.mark.parametrize(
    ("function", "n"), [("BL_FindEChemDev", 1), ("BL_FindEChemEthDev", 1), ("BL_FindEChemUsbDev", 0)]
)
def test_finding(alone: Api, function: str, n: int) -> None:
    text, size, count = (c.c_char * 1024)(), c.c_uint32(1024), c.c_uint32(9)
    assert alone(function, text, c.byref(size), c.byref(count)) == 0
    devices = text.raw[: size.value].decode("utf-16-le").split("%")[:-1]
    assert len(devices) == count.value == n
    assert all(device.split("$")[:2] == ["Ethernet", "127.0.0.1:1"] for device in devices)
    assert all(len(device.split("$")) == 9 for device in devices)
    assert alone("BL_FindEChemDev", text, c.byref(c.c_uint32(4)), c.byref(count)) == -2


def test_nothing_on_usb(alone: Api) -> None:
    pairs = [item for _ in range(3) for item in (c.create_string_buffer(64), c.byref(c.c_uint32(64)))]
    assert alone("BL_GetUSBdeviceinfos", 0, *pairs) is False


def test_structures_by_value_and_by_pointer() -> None:
    with bench() as (api, _):
        assert api("BL_SetHardConf", api.device, 0, HardwareConf(2, 1)) == 0
        back = HardwareConf()
        assert api("BL_GetHardConf", api.device, 0, c.byref(back)) == 0
        assert (back.Conn, back.Ground) == (2, 1)
        infos = struct.pack("<4i256s", 1, 2, 3, 4, b"run 17")
        assert api("BL_SetExperimentInfos", api.device, 0, infos) == 0
        kept = (c.c_char * 272)()
        assert api("BL_GetExperimentInfos", api.device, 0, kept) == 0
        assert kept.raw == infos
