"""Every function of the library that is offered, with its arguments in order.

Sources: the public header BLFunctions.h and the vendor's Delphi unit; the functions that came after 6.04
from the exports of the newer releases as public wrappers declare them. Structures that do not fit a register
are passed by pointer on every platform. A device is an int32, a channel a uint8 that counts from 0.
"""

from __future__ import annotations

from ctypes import c_bool, c_float, c_int32, c_uint8, c_uint32
from dataclasses import dataclass
from typing import Any

from nakctl_sim.instrument.abi import TExperimentInfos, THardwareConf
from nakctl_sim.instrument.arguments import CHANNEL_MAP, Argument, Buffer, In, Out, Records, Text, Value

U8, U32, I32, BOOL = Value(c_uint8), Value(c_uint32), Value(c_int32), Value(c_bool)
ID, CH, OUT, TEXT, BUFFER = I32, U8, Out(), Text(), Buffer()


@dataclass(frozen=True, slots=True)
class Call:
    """A function: its arguments and the type of its result.

    local: answered by the library itself, without an instrument.
    """

    arguments: tuple[Argument, ...]
    local: bool = False
    result: Any = c_int32


def _define(value: Value) -> Call:
    return Call((TEXT, value, I32, OUT), local=True)


def _find() -> Call:
    return Call((BUFFER, OUT), local=True)


CALLS: dict[str, Call] = {
    "BL_GetLibVersion": Call((BUFFER,), local=True),
    "BL_GetErrorMsg": Call((I32, BUFFER), local=True),
    "BL_DefineSglParameter": _define(Value(c_float)),
    "BL_DefineIntParameter": _define(I32),
    "BL_DefineBoolParameter": _define(U8),
    "BL_ConvertNumericIntoSingle": Call((U32, OUT), local=True),
    "BL_ConvertChannelNumericIntoSingle": Call((U32, OUT, U32), local=True),
    "BL_ConvertTimeChannelNumericIntoSeconds": Call((In(c_uint32, 2), OUT, Value(c_float), U32), local=True),
    "BL_GetUSBdeviceinfos": Call((U32, BUFFER, BUFFER, BUFFER), local=True, result=c_bool),
    "BL_FindEChemDev": _find(),
    "BL_FindEChemEthDev": _find(),
    "BL_FindEChemUsbDev": _find(),
    "BL_Connect": Call((TEXT, U8, OUT, OUT)),
    "BL_Disconnect": Call((ID,)),
    "BL_TestConnection": Call((ID,)),
    "BL_GetChannelsPlugged": Call((ID, OUT, U8)),
    "BL_IsChannelPlugged": Call((ID, CH), result=c_bool),
    "BL_GetChannelBoardType": Call((ID, CH, OUT)),
    "BL_GetChannelInfos": Call((ID, CH, OUT)),
    "BL_LoadFirmware": Call((ID, CHANNEL_MAP, OUT, U8, BOOL, BOOL, TEXT, TEXT)),
    "BL_GetHardConf": Call((ID, CH, OUT)),
    "BL_SetHardConf": Call((ID, CH, Value(THardwareConf))),
    "BL_GetOptErr": Call((ID, CH, OUT, OUT)),
    "BL_GetMessage": Call((ID, CH, BUFFER)),
    "BL_GetExperimentInfos": Call((ID, CH, OUT)),
    "BL_SetExperimentInfos": Call((ID, CH, In(TExperimentInfos))),
    "BL_LoadTechnique": Call((ID, CH, TEXT, Records(), BOOL, BOOL, BOOL)),
    "BL_UpdateParameters": Call((ID, CH, I32, Records(), TEXT)),
    "BL_GetTechniqueInfos": Call((ID, CH, I32, OUT)),
    "BL_StartChannel": Call((ID, CH)),
    "BL_StartChannels": Call((ID, CHANNEL_MAP, OUT, U8)),
    "BL_StopChannel": Call((ID, CH)),
    "BL_StopChannels": Call((ID, CHANNEL_MAP, OUT, U8)),
    "BL_GetCurrentValues": Call((ID, CH, OUT)),
    "BL_GetData": Call((ID, CH, OUT, OUT, OUT)),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A return code, and what to write behind each pointer that comes out (None, or missing: nothing)."""

    code: int
    out: tuple[bytes | None, ...] = ()


def values_of(name: str, fields: tuple[bytes, ...]) -> list[Any]:
    """The arguments of a call as Python values; those that only come out are left out."""
    arguments = zip(CALLS[name].arguments, fields, strict=True)
    return [argument.read(data) for argument, data in arguments if not isinstance(argument, Out)]
