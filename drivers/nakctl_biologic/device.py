"""One connected instrument: the library's functions with plain arguments and results.

Channels are numbered from 0 here, as in the library; errors name them from 1, as the front panel does.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import byref
from pathlib import Path

import numpy as np

from nakctl.device.channel import Flag
from nakctl_biologic.codes import Board, board_of, device_name
from nakctl_biologic.eclib import Eclib
from nakctl_biologic.errors import NO_KERNEL, EclibError, failure
from nakctl_biologic.params import Loaded
from nakctl_biologic.records import encoded
from nakctl_biologic.remedies import LINK
from nakctl_biologic.rows import Block
from nakctl_biologic.structures import (
    MAX_CHANNELS,
    ChannelBytes,
    ChannelInfos,
    ChannelResults,
    CurrentValues,
    DataBuffer,
    DataInfos,
    DeviceInfos,
    EccParam,
    EccParams,
    ExperimentInfos,
    HardwareConf,
)

CONNECT_TIMEOUT_s = 5  # that a connection may take to be made
FILE_ENCODING = "mbcs" if sys.platform == "win32" else "utf-8"  # the library takes 8-bit names


class Device:
    """Errors: EclibError; EclibLinkLost where the instrument does not answer."""

    def __init__(self, eclib: Eclib, address: str) -> None:
        self.eclib = eclib
        self.address = address
        self._id: int | None = None  # may be 0
        self.infos = DeviceInfos()

    def connect(self) -> None:
        number, infos = ctypes.c_int32(-1), DeviceInfos()
        address = self.address.encode("ascii")
        self.eclib.call("BL_Connect", address, CONNECT_TIMEOUT_s, byref(number), byref(infos))
        self._id, self.infos = number.value, infos

    def disconnect(self) -> None:
        """Let go, whether or not the instrument still hears it."""
        if self._id is None:
            return
        number, self._id = self._id, None
        self.eclib.call("BL_Disconnect", number, accept=LINK)

    @property
    def id(self) -> int:
        if self._id is None:
            raise failure("BL_TestConnection", -1)
        return self._id

    def plugged(self) -> tuple[int, ...]:
        """The channels that are there, which may have holes in between."""
        channels = ChannelBytes()
        self.eclib.call("BL_GetChannelsPlugged", self.id, channels, MAX_CHANNELS)
        return tuple(number for number, there in enumerate(channels) if there)

    def board(self, channel: int) -> Board:
        """ChannelError if the board is of a kind nobody has described."""
        if not self.eclib.has("BL_GetChannelBoardType"):
            return board_of(device_name(self.infos.DeviceCode) or "")
        kind = ctypes.c_uint32()
        self.eclib.call("BL_GetChannelBoardType", self.id, channel, byref(kind), channel=channel + 1)
        if kind.value in set(Board):
            return Board(kind.value)
        return board_of(device_name(self.infos.DeviceCode) or "")

    def channel_infos(self, channel: int) -> tuple[int, ChannelInfos]:
        """What the channel says of itself, and 0 or the code by which it says that the kernel is missing:
        then the infos are valid in part."""
        infos = ChannelInfos()
        code = self.eclib.call(
            "BL_GetChannelInfos", self.id, channel, byref(infos), channel=channel + 1, accept=NO_KERNEL
        )
        return code, infos

    def load_firmware(self, channel: int, board: Board) -> None:
        """Put the library's kernel on this channel, and on no other. Evicts what was there."""
        channels, results = ChannelBytes(), ChannelResults()
        channels[channel] = 1
        kernel, fpga = self._file(board.kernel), self._file(board.fpga) if board.fpga else b""
        self.eclib.call(
            "BL_LoadFirmware",
            self.id, channels, results, MAX_CHANNELS, False, True, kernel, fpga,
            channel=channel + 1,
        )  # fmt: skip
        if results[channel] < 0:
            text = self.eclib.error_text(results[channel])
            raise EclibError("BL_LoadFirmware", results[channel], channel + 1, text)

    def _file(self, name: str) -> bytes:
        """With its folder, where that is known: a bare name is looked for beside the library."""
        folder: Path | None = self.eclib.folder
        return (name if folder is None else str(folder / name)).encode(FILE_ENCODING)

    def hardware_conf(self, channel: int) -> HardwareConf:
        conf = HardwareConf()
        self.eclib.call("BL_GetHardConf", self.id, channel, byref(conf), channel=channel + 1)
        return conf

    def set_hardware_conf(self, channel: int, conf: HardwareConf) -> None:
        self.eclib.call("BL_SetHardConf", self.id, channel, conf, channel=channel + 1)

    def load(self, channel: int, chain: tuple[Loaded, ...]) -> None:
        """Replace what is loaded. After a call that failed the whole chain has to be loaded anew."""
        for at, entry in enumerate(chain):
            params = _ecc_params(entry)
            self.eclib.call(
                "BL_LoadTechnique",
                self.id, channel, self._file(entry.file), byref(params), at == 0, at == len(chain) - 1, False,
                channel=channel + 1,
            )  # fmt: skip

    @property
    def can_update(self) -> bool:
        """Whether loaded techniques can be changed, as far as the library goes."""
        return self.eclib.has("BL_UpdateParameters")

    def update(self, channel: int, at: int, entry: Loaded) -> None:
        """Some other parameters for the loaded technique in this place."""
        params = _ecc_params(entry)
        self.eclib.call(
            "BL_UpdateParameters",
            self.id, channel, at, byref(params), self._file(entry.file),
            channel=channel + 1,
        )  # fmt: skip

    def start(self, channel: int) -> None:
        self.eclib.call("BL_StartChannel", self.id, channel, channel=channel + 1)

    def stop(self, channel: int) -> None:
        self.eclib.call("BL_StopChannel", self.id, channel, channel=channel + 1)

    def values(self, channel: int) -> CurrentValues:
        values = CurrentValues()
        self.eclib.call("BL_GetCurrentValues", self.id, channel, byref(values), channel=channel + 1)
        return values

    def data(self, channel: int) -> tuple[Block, CurrentValues]:
        """The next rows, which are gone from the channel then; a block without rows: there are none."""
        buffer, infos, values = DataBuffer(), DataInfos(), CurrentValues()
        self.eclib.call(
            "BL_GetData", self.id, channel, buffer, byref(infos), byref(values), channel=channel + 1
        )
        words = np.ctypeslib.as_array(buffer)[: max(0, infos.NbRows * infos.NbCols)].copy()
        block = Block(
            words=words,
            n_rows=infos.NbRows,
            n_columns=infos.NbCols,
            technique=infos.TechniqueIndex,
            id=infos.TechniqueID,
            process=infos.ProcessIndex,
            loop=infos.loop,
            start_s=infos.StartTime,
            timebase_s=values.TimeBase,
            lost=infos.IRQskipped,
            overflow=_overflow(values),
        )
        return block, values

    def message(self, channel: int) -> str:
        """The next message of the channel, empty if there is none."""
        return self.eclib.message(self.id, channel) if self.eclib.has("BL_GetMessage") else ""

    @property
    def keeps_marks(self) -> bool:
        """Whether a text can be left on its channels, as far as the library goes."""
        return self.eclib.has("BL_GetExperimentInfos") and self.eclib.has("BL_SetExperimentInfos")

    def sign(self, channel: int, text: str) -> None:
        """Leave a text on the channel."""
        infos = ExperimentInfos(Filename=text.encode("ascii"))
        self.eclib.call("BL_SetExperimentInfos", self.id, channel, byref(infos), channel=channel + 1)

    def signature(self, channel: int) -> str:
        """The text left on the channel."""
        infos = ExperimentInfos()
        self.eclib.call("BL_GetExperimentInfos", self.id, channel, byref(infos), channel=channel + 1)
        text: bytes = infos.Filename
        return text.decode("latin-1")


def _overflow(values: CurrentValues) -> Flag:
    """What the channel says of its converters."""
    E_beyond = Flag.E_OVERLOAD if values.Eoverflow else Flag(0)
    return E_beyond | (Flag.I_OVERLOAD if values.Ioverflow else Flag(0))


def _ecc_params(entry: Loaded) -> EccParams:
    """The records as one structure, which keeps its array alive."""
    records = (EccParam * len(entry.params)).from_buffer_copy(encoded(entry.params))
    return EccParams(len(entry.params), ctypes.cast(records, ctypes.POINTER(EccParam)))
