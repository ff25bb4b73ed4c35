"""What nobody could say for certain of the real instrument: every such fact is a switch with a name."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from nakctl.errors import RigError


@dataclass(frozen=True, slots=True)
class Habits:
    """Each habit with what is uncertain about it.

    loop_from          TDataInfos.loop counts from 0 or from 1: not stated anywhere.
    nested_loop        In nested loops it counts the passes of the innermost loop, those of the outermost, or
                       how often the technique ran at all: not stated anywhere.
    I_range_column     Column 14 of a VMP-3's impedance rows is a float (easy-biologic) or an integer
                       (nupylab).
    stop_reads         So many reads after a start still say STOP, empty memory, no rows (seen on hardware).
    first_start_time   StartTime of the first technique is NaN, which public drivers count as 0, or is 0.
    eis_rows_live_s    Impedance rows not fetched for so long are gone: 0.3 s was too long on an SP-200, while
                       others poll every 1 s and miss none.
    eis_loss_counted   Rows that went like this are counted in IRQskipped: not stated anywhere.
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
    beyond_range       A current beyond the range is executed and flagged, or refused at load (-403).
    overflow_until     Eoverflow and Ioverflow stay up until read, or speak of the last row only.
    padding            Words after the rows of a buffer are garbage, or zero (nupylab).
    update_running     Parameters of the running technique may be updated: sources disagree.
    update_length      Parameters one BL_UpdateParameters takes: about 10 (Matlab4Potentiostat).
    connections        Programs that may be connected at a time, before -207.
    cable_keeps        A connection survives a pulled cable; otherwise calls answer -1 until a new BL_Connect.
    """

    loop_from: Literal[0, 1] = 0
    nested_loop: Literal["innermost", "outermost", "total"] = "innermost"
    I_range_column: Literal["float", "integer"] = "float"
    stop_reads: int = 0
    first_start_time: Literal["nan", "zero"] = "nan"
    eis_rows_live_s: float = math.inf
    eis_loss_counted: bool = False
    chain_length: int = 0
    memory_bytes: int = 4 * 2**20
    memory_full: Literal["overwrite", "stop"] = "overwrite"
    restart: bool = False
    eclab_code: Literal[-9, -103, -308] = -9
    infos_code: Literal[0, -308] = 0
    kernel: bool = True
    timebase_of: Literal["rows", "running"] = "rows"
    beyond_range: Literal["flag", "refuse"] = "flag"
    overflow_until: Literal["read", "next row"] = "read"
    padding: Literal["garbage", "zero"] = "garbage"
    update_running: bool = False
    update_length: int = 10
    connections: int = 8
    cable_keeps: bool = False


def with_words(habits: Habits, words: list[str]) -> Habits:
    """Habits changed by texts like `loop_from=1`. RigError says what there is."""
    return replace(habits, **dict(map(_change, words)))


def _change(word: str) -> tuple[str, Any]:
    name, _, text = word.partition("=")
    kinds = get_type_hints(Habits)
    if name not in kinds:
        raise RigError(f"there is no habit {name}; there are: {', '.join(f.name for f in fields(Habits))}")
    return name, _value(name, kinds[name], text)


def _value(name: str, kind: Any, text: str) -> Any:
    choices = get_args(kind) if get_origin(kind) is Literal else (True, False) if kind is bool else ()
    for choice in choices:
        if str(choice).lower() == text.lower():
            return choice
    if choices:
        raise RigError(f"habit {name}={text}: one of {', '.join(map(str, choices))}")
    try:
        return kind(text)
    except ValueError:
        raise RigError(f"habit {name}={text}: a number") from None
