"""What nobody could say for certain of the real library and its device."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from nakctl_sim.habits import ChannelHabits


@dataclass(frozen=True, slots=True)
class Habits(ChannelHabits):
    """Habits of the library, the device and its boards, beside those of each channel's potentiostat.

    loop_from          TDataInfos.loop counts from 0 or from 1: not stated anywhere.
    nested_loop        In nested loops it counts the passes of the innermost loop, those of the outermost, or
                       how often the technique ran at all: not stated anywhere.
    I_range_column     Column 14 of a VMP-3's impedance rows is a float (easy-biologic) or an integer
                       (nupylab).
    stop_reads         So many reads after a start still say STOP, empty memory, no rows (seen on hardware).
    first_start_time   StartTime of the first technique is NaN, which public drivers count as 0, or is 0.
    rows_in_order_of   A row with a time behind the first of the next technique is handed over before it (the
                       order of visits) or after it: not stated anywhere.
    eis_rows_live_s    Impedance rows not fetched for so long are gone: 0.3 s was too long on an SP-200, while
                       others poll every 1 s and miss none.
    eis_loss_counted   Rows that went like this are counted in IRQskipped: not stated anywhere.
    cv_rate            Scan_Rate of a cv is in V/s (the vendor's demo, as for vscan) or in mV/s (the manual's
                       table of cv).
    scan_number        Scan_number counts scans from 0 (the manual's example sends 2 for four vertices), or
                       vertices from 0 (tomato).
    scan_tests_of      The tests of a scan have the index of the vertex it goes to, as its rate has, or of the
                       one it comes from: not stated anywhere.
    iscan_control      On a VMP-3 the rows of a ramp begin with the current that is set, as those of a scan do
                       with the potential.
    chain_length       Techniques a chain holds before loading answers -405; 0: what the instrument's data
                       say (a guess).
    memory_bytes       MemSize of a channel: not published.
    memory_full        A full memory loses its oldest rows, or the channel stops: not stated anywhere.
    restart            A chain may be started again without loading it: EPICS users say no.
    eclab_code         What calls answer while EC-Lab's firmware is on the channel: -9, -103 or -308.
    infos_code         What BL_GetChannelInfos answers without the library's kernel: 0, or -308 with valid
                       contents.
    kernel             Whether the library's kernel is on the channels at power-up.
    timebase_of        TimeBase of BL_GetData belongs to the rows of its buffer or to the running technique.
    I_range_min        Code of the lowest current range that a channel says it has; below, loading answers
                       -403. Boards of one family differ. 0: that of the instrument's data.
    I_range_max        Likewise of the highest.
    beyond_range       A current beyond the range is executed and flagged, or refused at load (-403).
    overflow_until     Eoverflow and Ioverflow stay up until read, or speak of the last row only.
    padding            Words after the rows of a buffer are garbage, or zero (nupylab).
    update_running     Parameters of the running technique may be updated: sources disagree.
    update_length      Parameters one BL_UpdateParameters takes: about 10 (Matlab4Potentiostat).
    updates            What becomes of parameters of a technique that does not run: they are taken, refused
                       (-15), or answered with 0 and ignored; or ignored once the technique has run.
    update_ahead       What is next is fetched when a technique begins, and an update of it is ignored.
    update_range       The same of I_Range alone.
    elapsed_after_stop  ElapsedTime of a channel that stands: it stands too, goes on, or is 0.
    connections        Programs that may be connected at a time, before -207.
    cable_keeps        A connection survives a pulled cable; otherwise calls answer -1 until a new BL_Connect.
    """

    loop_from: Literal[0, 1] = 0
    nested_loop: Literal["innermost", "outermost", "total"] = "innermost"
    I_range_column: Literal["float", "integer"] = "float"
    stop_reads: int = 0
    first_start_time: Literal["nan", "zero"] = "nan"
    rows_in_order_of: Literal["visits", "time"] = "visits"
    eis_rows_live_s: float = math.inf
    eis_loss_counted: bool = False
    cv_rate: Literal["V/s", "mV/s"] = "V/s"
    scan_number: Literal["scans", "vertices"] = "scans"
    scan_tests_of: Literal["target", "origin"] = "target"
    iscan_control: bool = False
    chain_length: int = 0
    memory_bytes: int = 4 * 2**20
    memory_full: Literal["overwrite", "stop"] = "overwrite"
    restart: bool = False
    eclab_code: Literal[-9, -103, -308] = -9
    infos_code: Literal[0, -308] = 0
    kernel: bool = True
    timebase_of: Literal["rows", "running"] = "rows"
    I_range_min: int = 0
    I_range_max: int = 0
    beyond_range: Literal["flag", "refuse"] = "flag"
    overflow_until: Literal["read", "next row"] = "read"
    padding: Literal["garbage", "zero"] = "garbage"
    update_running: bool = False
    update_length: int = 10
    updates: Literal["taken", "refused", "ignored", "ignored after a pass"] = "taken"
    update_ahead: bool = False
    update_range: Literal["taken", "refused", "ignored"] = "taken"
    elapsed_after_stop: Literal["stands", "goes on", "zero"] = "stands"
    connections: int = 8
    cable_keeps: bool = False
