"""The one contract between the run and anything that can be run on.

A channel executes one segment at a time and hands over rows. It knows nothing of protocols, files or
screens. Hardware and simulator obey the same promises, and one contract suite tests them.

Promises
1.  `load`, `start`, then `read` again and again; `load` may follow as soon as a read said STOPPED.
2.  Visits (executions of a technique) come in their order, the rows of one in the order of time, each row
    exactly once. A read hands over one block, and says whether more may wait: so whoever guards a limit
    judges after every block, however fast rows are made.
3.  STOPPED is said only when the chain is over and every row was handed over; not between load and start.
4.  `stop` asks once for the cell to be opened, may be called in any state and any number of times, and loses
    no row: reads after it hand over what is left, then say STOPPED. A stop that the instrument refuses or
    does not hear is a ChannelError, and the next one asks again.
5.  Times count from the start of the segment, in seconds, as float64.
6.  Whether a row is written where a test is met, and at a technique's end, is the instrument's habit; a row
    that met a test carries TEST_MET.
7.  Trouble that the experiment survives (rows lost, overload, a link that is down, an instrument's message)
    is a Notice; trouble that it does not survive is a ChannelError.
8.  No call waits for the experiment, sleeps or tries again: each is one exchange with the instrument.
9.  `look` consumes nothing. Where nobody answers it is None, and so is the look of a reading.
10. A chain that is longer than the channel can hold may be handed over while it runs, within the reads. What
    it was not given in time is not begun: the chain is over before that (`Reading.ends_before`), and nothing
    is ever done twice.
11. A channel outlives whoever speaks for it: a new one, opened on the same place to go on there, `adopt`s the
    segment with the memo of the last reading that was kept, and hands over what the old one would have. What
    is nobody's any more can be `seize`d: switched off, and nothing else. Who `leave`s one changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntFlag
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nakctl.device.program import Segment

Rows = npt.NDArray[np.void]

# technique: position in the loaded chain. passes: how often that technique was started before in this
# segment (so a row's place is known although loops repeat techniques).
SAMPLE = np.dtype(
    [
        ("time_s", "<f8"),
        ("Ewe_V", "<f4"),
        ("Ece_V", "<f4"),  # NaN where the instrument does not record it
        ("I_A", "<f4"),  # 0 at open circuit
        ("technique", "<u2"),
        ("passes", "<u4"),
        ("I_range", "<i2"),  # the instrument's number of the range, -1 unknown
        ("flags", "<u2"),
    ]
)

# One frequency of one sweep. Z = E/I: a capacitor has Z_im < 0. Amplitudes are peak values.
POINT = np.dtype(
    [
        ("time_s", "<f8"),
        ("frequency_Hz", "<f8"),
        ("Z_re_ohm", "<f8"),
        ("Z_im_ohm", "<f8"),
        ("E_dc_V", "<f4"),
        ("I_dc_A", "<f4"),
        ("E_amp_V", "<f4"),
        ("I_amp_A", "<f4"),
        # Of the counter electrode, Zce = -Ece/I: that of the whole cell is the sum of both. NaN: not said.
        ("Zce_re_ohm", "<f8"),
        ("Zce_im_ohm", "<f8"),
        ("Ece_dc_V", "<f4"),
        ("Ece_amp_V", "<f4"),
        ("technique", "<u2"),
        ("passes", "<u4"),
        ("I_range", "<i2"),
        ("flags", "<u2"),
    ]
)
OF_COUNTER = ("Zce_re_ohm", "Zce_im_ohm", "Ece_dc_V", "Ece_amp_V")


class Flag(IntFlag):
    """Bits of `flags`, in rows and in the file."""

    I_OVERLOAD = 1
    E_OVERLOAD = 2
    FROM_EIS = 4  # a sample taken from the DC values of an impedance row
    TEST_MET = 8  # the row at which a test of the instrument ended the technique
    LOW_AMPLITUDE = 16  # the excitation was far below what was asked
    NO_VALUE = 32  # Ewe or I is no number
    BAD_TIME = 64  # the time was no number or went back: that of the row before stands in its place


class State(Enum):
    RUNNING = "running"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to keep in the record: severity 0 note, 1 warning, 2 alarm; code is for machines."""

    time_s: float
    severity: int
    code: str
    message: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    """What the channel says of itself at one moment: limits are judged by it, it never becomes a sample.

    running   the instrument does not say that it stands: a paused one may have the cell under current
    Ewe_V, I_A, Ece_V  as measured now; NaN: it does not say, or the cell has no third electrode
    elapsed_s   since the start of the segment, by the instrument's clock (a single: 0.1 s coarse after three
                weeks); NaN: it does not say
    filled      of its memory, 0 to 1, by rows that wait to be fetched
    """

    running: bool
    Ewe_V: float
    I_A: float
    elapsed_s: float
    filled: float = 0.0
    Ece_V: float = math.nan


@dataclass(frozen=True, slots=True)
class Visit:
    """One execution of a technique of the chain. start_s: when it began, by the instrument's clock, as its
    rows count their times."""

    technique: int
    passes: int
    start_s: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What one read returned. samples: (n,) of SAMPLE, points: (m,) of POINT.

    look   what the channel said beside the block; None: it was not heard
    more   further rows may wait: read again before going to sleep
    visit  that of the newest row of the segment so far; None: there was none yet
    raw    what the rows were made of, as the instrument gave it: its driver can make them anew
    memo   JSON values, small: what whoever goes on after this reading has to know (`Channel.adopt`)
    ends_before  of a STOPPED chain that is longer than the channel can hold: it was handed over while it ran,
                 and this is the first technique that the channel had not been given when its turn came
    """

    state: State
    samples: Rows
    points: Rows
    notices: tuple[Notice, ...] = ()
    look: Look | None = None
    more: bool = False
    visit: Visit | None = None
    raw: bytes = b""
    memo: Mapping[str, Any] = field(default_factory=dict)
    ends_before: int | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """Values beyond which the host wants to look at once; None: not watched.

    Hardware may ignore it, because it is read often enough. A channel whose time runs faster than the
    host's uses it to hand over early, so that a guard reacts as soon as it would on the bench.

    I_min_A, I_max_A  |I|, while current flows
    Ewe_near_0_V      |Ewe| that comes under it while current flows (staying there is no news)
    Ece_min_V .. Ewe_minus_Ece_max_V  of a cell with three electrodes, also between two rows
    every_s           look at least this often in the channel's own time: a channel whose time runs ahead
                      comes back there to the moment, also in the middle of a technique
    """

    Ewe_min_V: float | None = None
    Ewe_max_V: float | None = None
    I_min_A: float | None = None
    I_max_A: float | None = None
    Ewe_near_0_V: float | None = None
    every_s: float | None = None
    Ece_min_V: float | None = None
    Ece_max_V: float | None = None
    Ewe_minus_Ece_min_V: float | None = None
    Ewe_minus_Ece_max_V: float | None = None


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """What the record keeps of the instrument. facts: serial, firmware, library, calibration, model ..., and
    what its driver needs to decode `Reading.raw`."""

    instrument: str
    channel: str
    simulated: bool
    facts: dict[str, Any] = field(default_factory=dict)


class Channel(Protocol):
    """One potentiostat channel. Errors: ChannelError and its kin.

    patience_s  how long one call may take at the worst (a connection that times out); beyond it the call is
                taken for one that never comes back
    """

    @property
    def info(self) -> ChannelInfo: ...

    @property
    def patience_s(self) -> float: ...

    def check(self, segment: Segment) -> None:
        """LimitError: this very channel cannot do it (its ranges, its memory). ChainTooLong: shorter ones it
        may. Before the first load: it may have to try, and what is loaded then is never started."""

    def load(self, segment: Segment, mark: str = "") -> None:
        """Replace what is loaded. mark: by which it can be told later whose it is, where a channel can keep
        one; it is written after the load. "": one that nobody else has."""

    def start(self) -> None:
        """Run what was loaded, from its first technique."""

    def read(self, watch: Watch) -> Reading:
        """The next block of rows. Returns soon; never waits for rows."""

    def look(self) -> Look | None:
        """How the channel is at this moment; consumes nothing."""

    def adopt(self, segment: Segment, memo: Mapping[str, Any], mark: str = "") -> None:
        """Go on where another one left off that had loaded and started `segment` here. Nothing is loaded,
        started or stopped, and no row is fetched. After STOPPED, the next read says STOPPED once more.

        memo  of the last reading that was kept; {}: none was, since the start
        mark  with which it was loaded. A memo knows it, so without a memo it has to be given.
        ChannelTaken: what is on the channel is not what was left there, and it is left alone. LinkLost: ask
        again. A channel that keeps no marks is taken for ours until rows come that do not fit.
        """

    def whose(self) -> str:
        """The mark that is on the channel now, "" if there is none. Changes nothing. LinkLost: ask again."""

    def seize(self) -> None:
        """Whosever it is, it is to be switched off: now `stop` and `look` work, and no row is fetched."""

    def stop(self) -> None:
        """Ask once for the cell to be opened."""

    def close(self) -> None:
        """Stop if running, and let go of the instrument. May be called twice."""

    def leave(self) -> None:
        """Let go of the instrument, and of what runs there, which somebody may adopt. May be called twice."""
