"""Sizes and offsets of the vendor's structures, as its header packs them."""

from __future__ import annotations

import ctypes

import pytest

from nakctl_biologic import structures
from nakctl_biologic.functions import OPTIONAL, PROTOTYPES

SIZES = {
    "DeviceInfos": 44, "ChannelInfos": 76, "CurrentValues": 76, "DataInfos": 40, "EccParam": 76, "EccParams": 12,
    "HardwareConf": 8, "ExperimentInfos": 272,
}  # fmt: skip
OFFSETS = {
    "DataInfos": {
        "IRQskipped": 0, "NbRows": 4, "NbCols": 8, "TechniqueIndex": 12, "TechniqueID": 16, "ProcessIndex": 20,
        "loop": 24, "StartTime": 28, "MuxPad": 36,
    },
    "CurrentValues": {
        "State": 0, "MemFilled": 4, "TimeBase": 8, "Ewe": 12, "EweRangeMin": 16, "EweRangeMax": 20, "Ece": 24,
        "EceRangeMin": 28, "EceRangeMax": 32, "Eoverflow": 36, "I": 40, "IRange": 44, "Ioverflow": 48,
        "ElapsedTime": 52, "Freq": 56, "Rcomp": 60, "Saturation": 64, "OptErr": 68, "OptPos": 72,
    },
    "EccParam": {"label": 0, "type": 64, "value": 68, "index": 72},
    "EccParams": {"len": 0, "pParams": 4},
    "ChannelInfos": {"FirmwareCode": 12, "AmpCode": 24, "MemSize": 48, "MemFilled": 52, "State": 56, "MaxIRange": 60},
    "DeviceInfos": {"DeviceCode": 0, "NumberOfChannels": 12, "FirmwareVersion": 20, "NbOfConnectedPC": 40},
    "HardwareConf": {"Conn": 0, "Ground": 4},
    "ExperimentInfos": {"Filename": 16},
}  # fmt: skip


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_size(name: str, size: int) -> None:
    assert ctypes.sizeof(getattr(structures, name)) == size


@pytest.mark.parametrize("name", OFFSETS)
def test_offsets(name: str) -> None:
    structure = getattr(structures, name)
    assert {field: getattr(structure, field).offset for field in OFFSETS[name]} == OFFSETS[name]


def test_buffer() -> None:
    assert ctypes.sizeof(structures.DataBuffer) == 4000


def test_every_function_has_a_result_of_32_bits() -> None:
    assert {result for result, _ in PROTOTYPES.values()} == {ctypes.c_int32}
    assert set(PROTOTYPES) >= OPTIONAL
