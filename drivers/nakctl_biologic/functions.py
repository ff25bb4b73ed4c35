"""The vendor's functions with our own prototypes. Source: vendor header BLFunctions.h.

Structures that the header passes by value and that fit no register (TEccParams, TExperimentInfos) are
passed by reference, which is what the convention of 64-bit Windows does with them; THardwareConf fits.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_bool, c_char_p, c_float, c_int32, c_uint8, c_uint32
from typing import Any

from nakctl_biologic.structures import (
    ChannelInfos,
    CurrentValues,
    DataInfos,
    DeviceInfos,
    EccParam,
    EccParams,
    ExperimentInfos,
    HardwareConf,
)

Types = tuple[Any, ...]

_id, _channel, _text, _size = c_int32, c_uint8, c_char_p, POINTER(c_uint32)
_bytes, _results = POINTER(c_uint8), POINTER(c_int32)

# name: result, arguments
PROTOTYPES: dict[str, tuple[Any, Types]] = {
    "BL_GetLibVersion": (c_int32, (_text, _size)),
    "BL_GetErrorMsg": (c_int32, (c_int32, _text, _size)),
    "BL_Connect": (c_int32, (_text, c_uint8, POINTER(c_int32), POINTER(DeviceInfos))),
    "BL_Disconnect": (c_int32, (_id,)),
    "BL_TestConnection": (c_int32, (_id,)),
    "BL_GetChannelsPlugged": (c_int32, (_id, _bytes, c_uint8)),
    "BL_GetChannelBoardType": (c_int32, (_id, _channel, POINTER(c_uint32))),
    "BL_GetChannelInfos": (c_int32, (_id, _channel, POINTER(ChannelInfos))),
    "BL_LoadFirmware": (c_int32, (_id, _bytes, _results, c_uint8, c_bool, c_bool, _text, _text)),
    "BL_GetHardConf": (c_int32, (_id, _channel, POINTER(HardwareConf))),
    "BL_SetHardConf": (c_int32, (_id, _channel, HardwareConf)),
    "BL_DefineSglParameter": (c_int32, (_text, c_float, c_int32, POINTER(EccParam))),
    "BL_DefineIntParameter": (c_int32, (_text, c_int32, c_int32, POINTER(EccParam))),
    "BL_DefineBoolParameter": (c_int32, (_text, c_bool, c_int32, POINTER(EccParam))),
    "BL_LoadTechnique": (c_int32, (_id, _channel, _text, POINTER(EccParams), c_bool, c_bool, c_bool)),
    "BL_UpdateParameters": (c_int32, (_id, _channel, c_int32, POINTER(EccParams), _text)),
    "BL_StartChannel": (c_int32, (_id, _channel)),
    "BL_StopChannel": (c_int32, (_id, _channel)),
    "BL_GetCurrentValues": (c_int32, (_id, _channel, POINTER(CurrentValues))),
    "BL_GetData": (c_int32, (_id, _channel, _size, POINTER(DataInfos), POINTER(CurrentValues))),
    "BL_GetMessage": (c_int32, (_id, _channel, _text, _size)),
    "BL_GetOptErr": (c_int32, (_id, _channel, POINTER(c_int32), POINTER(c_int32))),
    "BL_GetExperimentInfos": (c_int32, (_id, _channel, POINTER(ExperimentInfos))),
    "BL_SetExperimentInfos": (c_int32, (_id, _channel, POINTER(ExperimentInfos))),
    "BL_FindEChemDev": (c_int32, (_text, _size, _size)),
    "BL_FindEChemEthDev": (c_int32, (_text, _size, _size)),
    "BL_FindEChemUsbDev": (c_int32, (_text, _size, _size)),
}

# Not in every release of the library, or not for every board: done without where they are missing.
OPTIONAL = {
    "BL_GetChannelBoardType",
    "BL_GetOptErr",
    "BL_GetMessage",
    "BL_UpdateParameters",
    "BL_GetHardConf",
    "BL_SetHardConf",
    "BL_GetExperimentInfos",
    "BL_SetExperimentInfos",
    "BL_FindEChemDev",
    "BL_FindEChemEthDev",
    "BL_FindEChemUsbDev",
}


def bind(name: str, address: int) -> Any:
    """The function at this address, with its prototype. 64-bit Windows has one calling convention."""
    result, arguments = PROTOTYPES[name]
    return ctypes.CFUNCTYPE(result, *arguments)(address)
