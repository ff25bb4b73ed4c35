"""Every error code of the library: its name, what it means, whose business it is, and one sentence of remedy.

Names: vendor headers BLStructs.h and BLFunctions.h. Remedies: the vendor's demos, and what people reported
about the packages that drive these instruments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# again      nothing was done, or the answer got lost: the same call may succeed a moment later
# reconnect  the link is gone; connecting anew may bring it back
# operator   somebody has to do something at the instrument or at another program
# program    a mistake of this driver or of the installation
# fatal      nothing to be done from here
Kind = Literal["again", "reconnect", "operator", "program", "fatal"]


@dataclass(frozen=True, slots=True)
class Code:
    """One error code."""

    name: str
    meaning: str
    kind: Kind
    remedy: str


FILES_TOGETHER = (
    "Take the library, the kernel and the .ecc files from one and the same OEM package (sdk_path)."
)
POWER_CYCLE = "Switch the instrument off and on again; if it comes back, ask the maker."
REPORT = "This is a mistake of the driver: please report it with the journal of the run."
RESTART = "Disconnect, switch the instrument off and on again, and load the kernel anew."
CABLE = "Check the cable, the power and the address (ping it); the channel itself goes on running."
EC_LAB = (
    "Close the experiment in EC-Lab and allow the library's kernel with --load-firmware; EC-Lab takes the "
    "channel back after a power cycle of the instrument."
)

ECLIB: dict[int, Code] = {
    -1: Code("GEN_NOTCONNECTED", "no instrument is connected", "reconnect", CABLE),
    -2: Code(
        "GEN_CONNECTIONINPROGRESS", "a connection is being made", "again",
        "Wait until the other connection is made, or end the program that makes it.",
    ),
    -3: Code(
        "GEN_CHANNELNOTPLUGGED", "the channel is not plugged", "operator",
        "Name a channel that is plugged, or seat its board with the instrument switched off.",
    ),
    -4: Code("GEN_INVALIDPARAMETERS", "invalid parameters of a function", "program", REPORT),
    -5: Code("GEN_FILENOTEXISTS", "a file does not exist", "program", FILES_TOGETHER),
    -6: Code("GEN_FUNCTIONFAILED", "the function failed", "fatal", POWER_CYCLE),
    -7: Code("GEN_NOCHANNELSELECTED", "no channel is selected", "program", REPORT),
    -8: Code(
        "GEN_INVALIDCONF", "invalid configuration of the instrument", "operator",
        "Set the electrode connection and the grounding back to standard in EC-Lab, then try again.",
    ),
    -9: Code("GEN_ECLAB_LOADED", "the firmware of EC-Lab is on the instrument", "operator", EC_LAB),
    -10: Code("GEN_LIBNOTCORRECTLYLOADED", "the library is not correctly loaded", "program", FILES_TOGETHER),
    -11: Code(
        "GEN_USBLIBRARYERROR", "the USB library is not loaded", "operator",
        "Install the maker's USB driver, or connect by Ethernet.",
    ),
    -12: Code(
        "GEN_FUNCTIONINPROGRESS", "a function of the library is in progress", "again",
        "End other programs that talk to this instrument through the library.",
    ),
    -13: Code(
        "GEN_CHANNEL_RUNNING", "the channel is running", "operator",
        "Let its experiment finish or stop it in the program that started it.",
    ),
    -14: Code(
        "GEN_DEVICE_NOTALLOWED", "the library is not allowed on this instrument", "operator",
        "Ask the maker to enable the OEM package for this instrument.",
    ),
    -15: Code("GEN_UPDATEPARAMETERS", "the update of parameters was refused", "program", REPORT),
    -101: Code("INSTR_VMEERROR", "the instrument's internal bus failed", "fatal", POWER_CYCLE),
    -102: Code("INSTR_TOOMANYDATA", "the instrument has too many data", "fatal", "Record less often."),
    -103: Code(
        "INSTR_RESPNOTPOSSIBLE", "the channel is not plugged or its firmware is not allowed", "operator",
        EC_LAB,
    ),
    -104: Code("INSTR_RESPERROR", "the instrument answered with an error", "fatal", POWER_CYCLE),
    -105: Code("INSTR_MSGSIZEERROR", "a message has a wrong size", "fatal", FILES_TOGETHER),
    -200: Code("COMM_COMMFAILED", "the communication failed", "again", CABLE),
    -201: Code("COMM_CONNECTIONFAILED", "the connection cannot be made", "reconnect", CABLE),
    -202: Code("COMM_WAITINGACK", "the instrument does not acknowledge", "again", CABLE),
    -203: Code(
        "COMM_INVALIDIPADDRESS", "the address is invalid", "operator",
        "Correct the address in the rig file: four numbers with dots, or USB0, USB1, ...",
    ),
    -204: Code("COMM_ALLOCMEMFAILED", "no memory could be allocated", "fatal", "Close other programs."),
    -205: Code("COMM_LOADFIRMWAREFAILED", "the firmware could not be transferred", "fatal", RESTART),
    -206: Code(
        "COMM_INCOMPATIBLESERVER", "the instrument's server is not compatible", "operator", FILES_TOGETHER
    ),
    -207: Code(
        "COMM_MAXCONNREACHED", "too many programs are connected", "operator",
        "Close EC-Lab and other programs that are connected to this instrument.",
    ),
    -300: Code("FIRM_FIRMFILENOTEXISTS", "the kernel file is missing", "operator", FILES_TOGETHER),
    -301: Code(
        "FIRM_FIRMFILEACCESSFAILED", "the kernel file cannot be read", "operator",
        "Give yourself the right to read the folder of the OEM package.",
    ),
    -302: Code("FIRM_FIRMINVALIDFILE", "the kernel file is invalid", "operator", FILES_TOGETHER),
    -303: Code("FIRM_FIRMLOADINGFAILED", "the kernel could not be loaded", "fatal", RESTART),
    -304: Code("FIRM_XILFILENOTEXISTS", "the FPGA file is missing", "operator", FILES_TOGETHER),
    -305: Code(
        "FIRM_XILFILEACCESSFAILED", "the FPGA file cannot be read", "operator",
        "Give yourself the right to read the folder of the OEM package.",
    ),
    -306: Code("FIRM_XILINVALIDFILE", "the FPGA file is invalid", "operator", FILES_TOGETHER),
    -307: Code("FIRM_XILLOADINGFAILED", "the FPGA file could not be loaded", "fatal", RESTART),
    -308: Code("FIRM_FIRMWARENOTLOADED", "the library's kernel is not on the channel", "operator", EC_LAB),
    -309: Code(
        "FIRM_FIRMWAREINCOMPATIBLE", "the kernel does not fit this library", "operator", FILES_TOGETHER
    ),
    -400: Code("TECH_ECCFILENOTEXISTS", "the technique file is missing", "program", FILES_TOGETHER),
    -401: Code(
        "TECH_INCOMPATIBLEECC", "the technique file does not fit the channel's kernel", "operator",
        FILES_TOGETHER + " If EC-Lab was used since, load the kernel again with --load-firmware.",
    ),
    -402: Code("TECH_ECCFILECORRUPTED", "the technique file is corrupted", "fatal", FILES_TOGETHER),
    -403: Code("TECH_LOADTECHNIQUEFAILED", "the technique cannot be loaded", "program", REPORT),
    -404: Code("TECH_DATACORRUPTED", "data from the instrument are corrupted", "fatal", POWER_CYCLE),
    -405: Code(
        "TECH_MEMFULL", "the channel's memory is full", "operator",
        "Lower chain_length in the instrument's data, so that the program is loaded in shorter chains.",
    ),
}  # fmt: skip

# What says that the link is gone: at once, or if it goes on being said.
CUT = frozenset({-1, -201})
LINK = CUT | {-200, -202}
# The library was busy with something else: nothing was done.
BUSY = frozenset({-2, -12})
# The instrument did not get to know of such a call.
UNHEARD = CUT | BUSY

# The codes of discovery (blfind) are numbered by themselves.
FIND: dict[int, Code] = {
    -1: Code(
        "FIND_UNKNOWN", "unknown error", "fatal", "Try again, with the firewall open for UDP broadcasts."
    ),
    -2: Code("FIND_INVALIDPARAMETER", "invalid parameter", "program", REPORT),
    -10: Code("FIND_ACKTIMEOUT", "the instrument does not acknowledge", "operator", CABLE),
    -11: Code(
        "FIND_EXPRUNNING", "an experiment is running", "operator", "Wait until the experiment is over."
    ),
    -12: Code("FIND_CMDFAILED", "the command failed", "fatal", POWER_CYCLE),
    -20: Code("FIND_FINDFAILED", "the search failed", "operator", "Allow UDP broadcasts in the firewall."),
    -21: Code("FIND_SOCKETWRITE", "the network cannot be written to", "operator", CABLE),
    -22: Code("FIND_SOCKETREAD", "the network cannot be read from", "operator", CABLE),
    -30: Code(
        "FIND_CFGMODIFYFAILED", "the configuration was not changed", "operator", "Use EC-Lab for that."
    ),
    -31: Code("FIND_READPARAMFAILED", "a parameter cannot be read", "fatal", POWER_CYCLE),
    -32: Code("FIND_EMPTYPARAM", "a parameter is empty", "program", REPORT),
    -33: Code("FIND_IPFORMAT", "the address is badly written", "operator", "Write four numbers with dots."),
    -34: Code("FIND_NMFORMAT", "the netmask is badly written", "operator", "Write four numbers with dots."),
    -35: Code("FIND_GWFORMAT", "the gateway is badly written", "operator", "Write four numbers with dots."),
    -38: Code("FIND_IPNOTFOUND", "the address was not found", "operator", CABLE),
    -39: Code("FIND_IPALREADYEXIST", "the address exists already", "operator", "Choose another address."),
}

UNKNOWN = Code(
    "UNKNOWN", "a code that no header names", "fatal", "Look the code up in the OEM package's manual."
)

AMPLIFIERS = {100: "4A10V or 4A14V", 200: "1A48V", 300: "10A5V", 600: "1A48VP"}
AMPLIFIER_TROUBLE = ("error", "over-temperature", "bad power", "power failure")
OPTIONS = {1: "the option was changed", 2: "open-in is asserted", 3: "overflow of the R compensation"}


def option_error(code: int, position: int) -> str:
    """What CurrentValues.OptErr and OptPos say: trouble of a booster or another option."""
    if code in OPTIONS:
        return OPTIONS[code]
    base, trouble = code // 100 * 100, code % 100
    if base in AMPLIFIERS and trouble < len(AMPLIFIER_TROUBLE):
        return f"amplifier {AMPLIFIERS[base]} at position {position}: {AMPLIFIER_TROUBLE[trouble]}"
    return f"option error {code} at position {position}"


def look_up(function: str, code: int) -> Code:
    """What a negative result of this function means."""
    table = FIND if function.startswith("BL_Find") else ECLIB
    return table.get(code, UNKNOWN)
