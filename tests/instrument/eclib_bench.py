"""The library as a careful program would call it: its own prototypes, structures, parameters and decoder."""

from __future__ import annotations

import ctypes as c
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from eclib_rows import Buffer

from nakctl_sim.instrument import connect_library, forget, register
from nakctl_sim.instrument.clock import StepClock
from nakctl_sim.instrument.device import VirtualInstrument
from nakctl_sim.instrument.faults import fault
from nakctl_sim.instrument.habits import Habits
from nakctl_sim.instrument.server import Server

DATA_INFOS = struct.Struct("<7idi")  # 40 bytes: StartTime at 28, nothing between
CURRENT = struct.Struct("<2i7fif2i3f3i")  # 76 bytes
CURRENT_NAMES = [
    "State",
    "MemFilled",
    "TimeBase",
    "Ewe",
    "EweMin",
    "EweMax",
    "Ece",
    "EceMin",
    "EceMax",
    "Eover",
    "I",
    "IRange",
    "Iover",
    "Elapsed",
    "Freq",
    "Rcomp",
    "Saturation",
    "OptErr",
    "OptPos",
]
INFO_NAMES = [
    "IRQskipped",
    "NbRows",
    "NbCols",
    "TechniqueIndex",
    "TechniqueID",
    "ProcessIndex",
    "loop",
    "StartTime",
    "MuxPad",
]
CHANNEL_NAMES = [
    "Channel",
    "BoardVersion",
    "BoardSerialNumber",
    "FirmwareCode",
    "FirmwareVersion",
    "XilinxVersion",
    "AmpCode",
    "NbAmps",
    "Lcboard",
    "Zboard",
    "MUXboard",
    "GPRAboard",
    "MemSize",
    "MemFilled",
    "State",
    "MaxIRange",
    "MinIRange",
    "MaxBandwidth",
    "NbOfTechniques",
]
INT, BOOL, SINGLE = 0, 1, 2
SUFFIX = {"SP-300": "4", "VMP-3": ""}
Parameters = list[tuple[str, int, Any, int]]


class EccParams(c.Structure):
    _pack_ = 4
    _fields_ = (("len", c.c_int32), ("params", c.c_void_p))


class HardwareConf(c.Structure):
    _pack_ = 4
    _fields_ = (("Conn", c.c_int32), ("Ground", c.c_int32))


P, I, U8, U32, B, S = c.c_void_p, c.c_int32, c.c_uint8, c.c_uint32, c.c_bool, c.c_char_p
PROTOTYPES: dict[str, tuple[Any, ...]] = {
    "BL_GetLibVersion": (P, P),
    "BL_GetErrorMsg": (I, P, P),
    "BL_Connect": (S, U8, P, P),
    "BL_Disconnect": (I,),
    "BL_TestConnection": (I,),
    "BL_GetUSBdeviceinfos": (U32, P, P, P, P, P, P),
    "BL_GetChannelsPlugged": (I, P, U8),
    "BL_IsChannelPlugged": (I, U8),
    "BL_GetChannelBoardType": (I, U8, P),
    "BL_GetChannelInfos": (I, U8, P),
    "BL_LoadFirmware": (I, P, P, U8, B, B, S, S),
    "BL_DefineSglParameter": (S, c.c_float, I, P),
    "BL_DefineIntParameter": (S, I, I, P),
    "BL_DefineBoolParameter": (S, U8, I, P),
    "BL_LoadTechnique": (I, U8, S, P, B, B, B),
    "BL_UpdateParameters": (I, U8, I, P, S),
    "BL_GetTechniqueInfos": (I, U8, I, P),
    "BL_StartChannel": (I, U8),
    "BL_StartChannels": (I, P, P, U8),
    "BL_StopChannel": (I, U8),
    "BL_StopChannels": (I, P, P, U8),
    "BL_GetCurrentValues": (I, U8, P),
    "BL_GetData": (I, U8, P, P, P),
    "BL_ConvertNumericIntoSingle": (U32, P),
    "BL_ConvertChannelNumericIntoSingle": (U32, P, U32),
    "BL_ConvertTimeChannelNumericIntoSeconds": (P, P, c.c_float, U32),
    "BL_GetMessage": (I, U8, P, P),
    "BL_GetHardConf": (I, U8, P),
    "BL_SetHardConf": (I, U8, HardwareConf),
    "BL_GetOptErr": (I, U8, P, P),
    "BL_GetExperimentInfos": (I, U8, P),
    "BL_SetExperimentInfos": (I, U8, P),
    "BL_FindEChemDev": (P, P, P),
    "BL_FindEChemEthDev": (P, P, P),
    "BL_FindEChemUsbDev": (P, P, P),
}
YES_OR_NO = {"BL_IsChannelPlugged", "BL_GetUSBdeviceinfos"}


@dataclass
class Api:
    """The functions by their addresses alone, as from a library that was loaded."""

    library: Any
    address: str
    device: int = -1
    functions: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, types in PROTOTYPES.items():
            prototype = c.CFUNCTYPE(c.c_bool if name in YES_OR_NO else c.c_int32, *types)
            self.functions[name] = prototype(c.cast(getattr(self.library, name), c.c_void_p).value)

    def __call__(self, name: str, *arguments: Any) -> int:
        return self.functions[name](*arguments)

    def connect(self, timeout_s: int = 5) -> tuple[int, list[int]]:
        device, infos = c.c_int32(99), (c.c_int32 * 11)()
        code = self("BL_Connect", self.address.encode(), timeout_s, c.byref(device), c.byref(infos))
        self.device = device.value
        return code, list(infos)

    def load(
        self, file: str, parameters: Parameters, first: bool = True, last: bool = True, channel: int = 0
    ) -> int:
        records = records_of(parameters)
        params = EccParams(len(parameters), c.addressof(records))
        return self(
            "BL_LoadTechnique", self.device, channel, file.encode(), c.byref(params), first, last, False
        )

    def update(self, at: int, file: str, parameters: Parameters) -> int:
        records = records_of(parameters)
        params = EccParams(len(parameters), c.addressof(records))
        return self("BL_UpdateParameters", self.device, 0, at, c.byref(params), file.encode())

    def load_chain(self, like: str, *techniques: tuple[str, Parameters]) -> list[int]:
        last = len(techniques) - 1
        return [
            self.load(f"{name}{SUFFIX[like]}.ecc", parameters, n == 0, n == last)
            for n, (name, parameters) in enumerate(techniques)
        ]

    def start(self, channel: int = 0) -> int:
        return self("BL_StartChannel", self.device, channel)

    def stop(self, channel: int = 0) -> int:
        return self("BL_StopChannel", self.device, channel)

    def data(self, channel: int = 0) -> Buffer:
        words, infos, values = (c.c_uint32 * 1000)(), (c.c_char * 40)(), (c.c_char * 76)()
        code = self("BL_GetData", self.device, channel, c.byref(words), c.byref(infos), c.byref(values))
        return Buffer(
            code,
            dict(zip(INFO_NAMES, DATA_INFOS.unpack(infos.raw), strict=True)),
            dict(zip(CURRENT_NAMES, CURRENT.unpack(values.raw), strict=True)),
            list(words),
        )

    def values(self, channel: int = 0) -> dict[str, Any]:
        values = (c.c_char * 76)()
        assert self("BL_GetCurrentValues", self.device, channel, c.byref(values)) == 0
        return dict(zip(CURRENT_NAMES, CURRENT.unpack(values.raw), strict=True))

    def channel_infos(self, channel: int = 0) -> tuple[int, dict[str, int]]:
        infos = (c.c_int32 * 19)()
        code = self("BL_GetChannelInfos", self.device, channel, c.byref(infos))
        return code, dict(zip(CHANNEL_NAMES, list(infos), strict=True))

    def message(self) -> str:
        text, size = (c.c_char * 255)(), c.c_uint32(255)
        assert self("BL_GetMessage", self.device, 0, c.byref(text), c.byref(size)) == 0
        return text.value.decode()

    def drain(self) -> list[Buffer]:
        """Until there is nothing left."""
        buffers = []
        while (buffer := self.data()).infos["NbRows"]:
            assert buffer.code == 0
            buffers.append(buffer)
        return buffers

    def run(self, clock: Any, poll_s: float = 0.5, reads: int = 4000) -> list[Buffer]:
        """Until the channel stands and all rows are fetched."""
        assert self.start() == 0
        buffers: list[Buffer] = []
        for _ in range(reads):
            clock.sleep(poll_s)
            buffers += self.drain()
            values = self.values()
            if values["State"] == 0 and values["MemFilled"] == 0:
                return buffers
        raise AssertionError("no end")


def records_of(parameters: Parameters) -> Any:
    packed = b"".join(
        struct.pack("<64siIi", label.encode(), kind, _bits(kind, value), index)
        for label, kind, value, index in parameters
    )
    return c.create_string_buffer(packed, max(len(packed), 1))


def _bits(kind: int, value: Any) -> int:
    return struct.unpack("<I", struct.pack("<f", value))[0] if kind == SINGLE else int(value) & 0xFFFFFFFF


@contextmanager
def bench(
    like: str = "SP-300",
    cell: str = "randles",
    seed: int = 1,
    clock: Any = None,
    habits: Habits | None = None,
    faults: Iterable[str] = (),
    cells: dict[int, str] | None = None,
) -> Iterator[tuple[Api, Any]]:
    """A connected program and the clock of its instrument."""
    clock = clock or StepClock()
    instrument = VirtualInstrument(
        like, cells or {1: cell}, clock, seed, habits or Habits(), [fault(text) for text in faults]
    )
    address = register("bench", instrument)
    try:
        api = Api(connect_library(address), address)
        api.connect()
        yield api, clock
    finally:
        instrument.released.set()
        forget("bench")


@contextmanager
def serving(
    like: str = "SP-300",
    cell: str = "randles",
    seed: int = 1,
    habits: Habits | None = None,
    faults: Iterable[str] = (),
) -> Iterator[tuple[Api, StepClock]]:
    """The same behind a port, in a thread of this process, so that its clock can be stepped."""
    clock = StepClock()
    instrument = VirtualInstrument(
        like, {1: cell}, clock, seed, habits or Habits(), [fault(each) for each in faults]
    )
    with Server(instrument, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            api = Api(connect_library(server.address), server.address)
            assert api.connect()[0] == 0
            yield api, clock
        finally:
            instrument.released.set()
            server.shutdown()
            thread.join()
