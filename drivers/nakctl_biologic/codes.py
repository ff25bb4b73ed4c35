"""The numbers of the vendor's headers that the driver needs, by name."""

from __future__ import annotations

from enum import IntEnum


class Board(IntEnum):
    """Type of a channel's board (BL_GetChannelBoardType). It decides on files, words and rows."""

    ESSENTIAL = 1  # VMP-3 family
    PREMIUM = 2  # SP-300 family
    DIGICORE = 3  # the newest boards

    @property
    def suffix(self) -> str:
        """Of the technique files: geis.ecc, geis4.ecc, geis5.ecc."""
        return {Board.ESSENTIAL: "", Board.PREMIUM: "4", Board.DIGICORE: "5"}[self]

    @property
    def kernel(self) -> str:
        return f"kernel{self.suffix}.bin"

    @property
    def fpga(self) -> str:
        """DIGICORE boards need no FPGA file."""
        names = {Board.ESSENTIAL: "Vmp_ii_0437_a6.xlx", Board.PREMIUM: "Vmp_iv_0395_aa.xlx"}
        return names.get(self, "")


DEVICES = (
    "VMP", "VMP2", "MPG", "BISTAT", "MCS-200", "VMP-3", "VSP", "HCP-803", "EPP-400", "EPP-4000", "BISTAT2",
    "FCT-150S", "VMP-300", "SP-50", "SP-150", "FCT-50S", "SP-300", "CLB-500", "HCP-1005", "CLB-2000",
    "VSP-300", "SP-200", "MPG2", "SP-100", "MOSLED", "KINEXXX", "BCS-815", "SP-240", "MPG-205", "MPG-210",
    "MPG-220", "MPG-240", "BP-300", "VMP-3e", "VSP-3e", "SP-50e", "SP-150e",
)  # fmt: skip
"""By device code, from 0."""

PREMIUM_DEVICES = {"SP-100", "SP-200", "SP-300", "VSP-300", "VMP-300", "SP-240", "BP-300"}


def device_name(code: int) -> str | None:
    """None: a code that no header names."""
    return DEVICES[code] if 0 <= code < len(DEVICES) else None


def board_of(device: str) -> Board:
    """For libraries that cannot be asked: the board that such an instrument was sold with."""
    return Board.PREMIUM if device in PREMIUM_DEVICES else Board.ESSENTIAL


class Firmware(IntEnum):
    """TChannelInfos.FirmwareCode."""

    NONE = 0
    EC_LAB = 1
    UNKNOWN = 4
    KERNEL = 5  # the library's own: the only one that techniques can be loaded on
    INVALID = 8
    ECAL = 10
    ECAL4 = 11


STOP, RUN = 0, 1  # CurrentValues.State
STATES = {STOP: "stopped", RUN: "running", 2: "paused", 3: "waiting for others"}


class Id(IntEnum):
    """TDataInfos.TechniqueID of the techniques that the driver loads and that have rows."""

    OCV = 100
    PEIS = 104
    GEIS = 107
    POW = 110
    LOAD = 111
    SPEIS = 113
    SGEIS = 114
    CPLIMIT = 155
    ISCANLIMIT = 156
    CALIMIT = 157
    VSCANLIMIT = 158
