"""The library's structures and numbers, as its public header BLStructs.h declares them: packed to 4 bytes."""

from __future__ import annotations

import ctypes
from ctypes import c_char, c_double, c_float, c_int32, c_uint32, c_void_p
from enum import IntEnum

N_CHANNELS = 16
DATA_WORDS = 1000
LABEL_BYTES = 64
COMMENT_BYTES = 256


class Packed(ctypes.Structure):
    _pack_ = 4


def _ints(names: str) -> list[tuple[str, type[c_int32]]]:
    return [(name, c_int32) for name in names.split()]


class TDeviceInfos(Packed):
    _fields_ = _ints(
        "DeviceCode RAMSize CPU NumberOfChannels NumberOfSlots FirmwareVersion FirmwareDate_yyyy "
        "FirmwareDate_mm FirmwareDate_dd HTdisplayOn NbOfConnectedPC"
    )


class TChannelInfos(Packed):
    _fields_ = _ints(
        "Channel BoardVersion BoardSerialNumber FirmwareCode FirmwareVersion XilinxVersion AmpCode NbAmps "
        "Lcboard Zboard MUXboard GPRAboard MemSize MemFilled State MaxIRange MinIRange MaxBandwidth "
        "NbOfTechniques"
    )


class TCurrentValues(Packed):
    _fields_ = (
        ("State", c_int32),
        ("MemFilled", c_int32),
        ("TimeBase", c_float),
        ("Ewe", c_float),
        ("EweRangeMin", c_float),
        ("EweRangeMax", c_float),
        ("Ece", c_float),
        ("EceRangeMin", c_float),
        ("EceRangeMax", c_float),
        ("Eoverflow", c_int32),
        ("I", c_float),
        ("IRange", c_int32),
        ("Ioverflow", c_int32),
        ("ElapsedTime", c_float),
        ("Freq", c_float),
        ("Rcomp", c_float),
        ("Saturation", c_int32),
        ("OptErr", c_int32),
        ("OptPos", c_int32),
    )


class TDataInfos(Packed):
    _fields_ = (
        ("IRQskipped", c_int32),
        ("NbRows", c_int32),
        ("NbCols", c_int32),
        ("TechniqueIndex", c_int32),
        ("TechniqueID", c_int32),
        ("ProcessIndex", c_int32),
        ("loop", c_int32),
        ("StartTime", c_double),
        ("MuxPad", c_int32),
    )


class TEccParam(Packed):
    _fields_ = (
        ("label", c_char * LABEL_BYTES),
        ("type", c_int32),
        ("value", c_uint32),
        ("index", c_int32),
    )


class TEccParams(Packed):
    _fields_ = (("len", c_int32), ("params", c_void_p))


class THardwareConf(Packed):
    _fields_ = (("Conn", c_int32), ("Ground", c_int32))


class TTechniqueInfos(Packed):
    _fields_ = (
        ("id", c_int32),
        ("index", c_int32),
        ("nbParams", c_int32),
        ("nbSettings", c_int32),
        ("Params", c_void_p),
        ("HardSettings", c_void_p),
    )


class TExperimentInfos(Packed):
    _fields_ = (
        ("Group", c_int32),
        ("PCidentifier", c_int32),
        ("TimeHMS", c_int32),
        ("TimeYMD", c_int32),
        ("Comment", c_char * COMMENT_BYTES),
    )


class State(IntEnum):
    STOP = 0
    RUN = 1


class Firmware(IntEnum):
    """FirmwareCode of TChannelInfos."""

    NONE = 0
    INTERPRETER = 1  # EC-Lab's
    KERNEL = 5  # the library's


class Board(IntEnum):
    """What BL_GetChannelBoardType answers; it decides suffixes, words and columns."""

    ESSENTIAL = 1  # VMP-3 family
    PREMIUM = 2  # SP-300 family
    DIGICORE = 3


class Kind(IntEnum):
    """Type of a TEccParam."""

    INT = 0
    BOOL = 1
    SINGLE = 2
