"""The structures of the vendor's library, as its header BLStructs.h lays them out: packed to 4 bytes.

Their sizes are checked when this module is imported: a field at a wrong place would give plausible nonsense.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, c_char, c_double, c_float, c_int32, c_uint32

MAX_CHANNELS = 16
MAX_WORDS = 1000  # of one BL_GetData


class _Packed(Structure):
    _pack_ = 4
    _layout_ = "ms"  # what _pack_ implies; newer Pythons want it said


class DeviceInfos(_Packed):
    _fields_ = (
        ("DeviceCode", c_int32),
        ("RAMSize", c_int32),  # MB
        ("CPU", c_int32),
        ("NumberOfChannels", c_int32),
        ("NumberOfSlots", c_int32),
        ("FirmwareVersion", c_int32),  # hundredths
        ("FirmwareDate_yyyy", c_int32),
        ("FirmwareDate_mm", c_int32),
        ("FirmwareDate_dd", c_int32),
        ("HTdisplayOn", c_int32),
        ("NbOfConnectedPC", c_int32),
    )


class ChannelInfos(_Packed):
    _fields_ = (
        ("Channel", c_int32),
        ("BoardVersion", c_int32),
        ("BoardSerialNumber", c_int32),
        ("FirmwareCode", c_int32),
        ("FirmwareVersion", c_int32),
        ("XilinxVersion", c_int32),
        ("AmpCode", c_int32),
        ("NbAmps", c_int32),
        ("Lcboard", c_int32),
        ("Zboard", c_int32),
        ("MUXboard", c_int32),
        ("GPRAboard", c_int32),
        ("MemSize", c_int32),  # bytes
        ("MemFilled", c_int32),  # bytes
        ("State", c_int32),
        ("MaxIRange", c_int32),
        ("MinIRange", c_int32),
        ("MaxBandwidth", c_int32),
        ("NbOfTechniques", c_int32),
    )


class CurrentValues(_Packed):
    """Its floats are ordinary ones, whatever the board. ElapsedTime is too coarse for a time axis."""

    _fields_ = (
        ("State", c_int32),
        ("MemFilled", c_int32),  # bytes
        ("TimeBase", c_float),  # s
        ("Ewe", c_float),  # V
        ("EweRangeMin", c_float),
        ("EweRangeMax", c_float),
        ("Ece", c_float),
        ("EceRangeMin", c_float),
        ("EceRangeMax", c_float),
        ("Eoverflow", c_int32),
        ("I", c_float),  # A
        ("IRange", c_int32),
        ("Ioverflow", c_int32),
        ("ElapsedTime", c_float),  # s
        ("Freq", c_float),  # Hz
        ("Rcomp", c_float),  # ohm
        ("Saturation", c_int32),
        ("OptErr", c_int32),
        ("OptPos", c_int32),
    )


class DataInfos(_Packed):
    """StartTime lies at 28, which only the packing brings about."""

    _fields_ = (
        ("IRQskipped", c_int32),
        ("NbRows", c_int32),
        ("NbCols", c_int32),
        ("TechniqueIndex", c_int32),
        ("TechniqueID", c_int32),
        ("ProcessIndex", c_int32),
        ("loop", c_int32),
        ("StartTime", c_double),  # s; NaN means 0
        ("MuxPad", c_int32),
    )


class EccParam(_Packed):
    """value holds the bits of a number of the kind that `type` names."""

    _fields_ = (("label", c_char * 64), ("type", c_int32), ("value", c_uint32), ("index", c_int32))


class EccParams(_Packed):
    _fields_ = (("len", c_int32), ("pParams", POINTER(EccParam)))


class HardwareConf(_Packed):
    _fields_ = (("Conn", c_int32), ("Ground", c_int32))


class ExperimentInfos(_Packed):
    _fields_ = (
        ("Group", c_int32),
        ("PCidentifier", c_int32),
        ("TimeHMS", c_int32),
        ("TimeYMD", c_int32),
        ("Filename", c_char * 256),
    )


DataBuffer = c_uint32 * MAX_WORDS
ChannelBytes = ctypes.c_uint8 * MAX_CHANNELS
ChannelResults = c_int32 * MAX_CHANNELS

SIZES: dict[type[Structure], int] = {
    DeviceInfos: 44,
    ChannelInfos: 76,
    CurrentValues: 76,
    DataInfos: 40,
    EccParam: 76,
    EccParams: 4 + ctypes.sizeof(ctypes.c_void_p),
    HardwareConf: 8,
    ExperimentInfos: 272,
}
for _structure, _size in SIZES.items():
    if ctypes.sizeof(_structure) != _size:
        raise ImportError(
            f"{_structure.__name__} has {ctypes.sizeof(_structure)} bytes instead of {_size} on this Python"
        )
