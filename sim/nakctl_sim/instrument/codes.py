"""Return codes of the library with their texts, in our own words.

Source of codes and names: the public header BLStructs.h and the vendor's Delphi unit.
"""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    OK = 0
    NOT_CONNECTED = -1
    CONNECTION_IN_PROGRESS = -2
    CHANNEL_NOT_PLUGGED = -3
    INVALID_PARAMETERS = -4
    FILE_NOT_EXISTS = -5
    FUNCTION_FAILED = -6
    NO_CHANNEL_SELECTED = -7
    INVALID_CONF = -8
    ECLAB_LOADED = -9
    LIB_NOT_CORRECTLY_LOADED = -10
    USB_LIBRARY_ERROR = -11
    FUNCTION_IN_PROGRESS = -12
    CHANNEL_RUNNING = -13
    DEVICE_NOT_ALLOWED = -14
    UPDATE_PARAMETERS = -15
    VME_ERROR = -101
    TOO_MANY_DATA = -102
    RESPONSE_NOT_POSSIBLE = -103
    RESPONSE_ERROR = -104
    MESSAGE_SIZE_ERROR = -105
    COMM_FAILED = -200
    CONNECTION_FAILED = -201
    WAITING_ACK = -202
    INVALID_IP_ADDRESS = -203
    ALLOC_MEM_FAILED = -204
    LOAD_FIRMWARE_FAILED = -205
    INCOMPATIBLE_SERVER = -206
    MAX_CONNECTIONS_REACHED = -207
    FIRMWARE_FILE_NOT_EXISTS = -300
    FIRMWARE_FILE_ACCESS_FAILED = -301
    FIRMWARE_INVALID_FILE = -302
    FIRMWARE_LOADING_FAILED = -303
    XILINX_FILE_NOT_EXISTS = -304
    XILINX_FILE_ACCESS_FAILED = -305
    XILINX_INVALID_FILE = -306
    XILINX_LOADING_FAILED = -307
    FIRMWARE_NOT_LOADED = -308
    FIRMWARE_INCOMPATIBLE = -309
    ECC_FILE_NOT_EXISTS = -400
    INCOMPATIBLE_ECC = -401
    ECC_FILE_CORRUPTED = -402
    LOAD_TECHNIQUE_FAILED = -403
    DATA_CORRUPTED = -404
    TECHNIQUE_MEMORY_FULL = -405


NO_TEXT = {Code.UPDATE_PARAMETERS}  # the library knows no text for it
FIND_INVALID_PARAMETER = -2  # of the discovery functions, which have codes of their own


class Refused(Exception):
    """A call that ends with an error code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def text(code: int) -> str:
    """What BL_GetErrorMsg says."""
    if code not in Code.__members__.values() or code in NO_TEXT:
        return "unknown error"
    return "no error" if code == Code.OK else Code(code).name.lower().replace("_", " ")
