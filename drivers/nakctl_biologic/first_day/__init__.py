"""The first day with an instrument: small experiments on a dummy cell settle what the sources leave open.

Nothing beyond 0.05 V is held, nothing beyond 1 mA flows for long, and every chain is stopped. What cannot be
tried without risk (a current beyond its range, an update of a running technique) is not tried; nor is what
only a cell with a voltage of its own can tell (which way a power or a load drives the current). What nakctl
does not load (MP, triggers) is not asked, but for the unit of cv's rate, which records of others are read by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nakctl.device.driver import ClockLike, Place
from nakctl.device.inspection import Chassis, Lesson
from nakctl.device.instrument import instrument
from nakctl.errors import ChannelError
from nakctl_biologic import find, inspect
from nakctl_biologic.codes import device_name
from nakctl_biologic.first_day import boards, chains, ends, scans, spectra, stops, updates
from nakctl_biologic.first_day.bench import Bench
from nakctl_biologic.opening import with_kernel

EXPERIMENTS: tuple[Callable[[Bench], Iterator[Lesson]], ...] = (
    boards.board,
    boards.narrower,
    chains.starting,
    chains.timebases,
    chains.loops,
    stops.stopping,
    ends.rows_at_ends,
    ends.elapsed,
    ends.foreign_stop,
    chains.lengths,
    scans.scanning,
    scans.ramping,
    updates.updates,
    spectra.spectra,
    spectra.levels,
    spectra.slow,
    spectra.highest,
    boards.filled,
    boards.memory,
    ends.states,
)


def first_day(chassis: Chassis, channel: int, clock: ClockLike) -> Iterator[Lesson]:
    """Every experiment on one channel (from 1). ChannelError: it cannot be used, or is in use."""
    with inspect.connected(chassis.options) as device:
        number = channel - 1
        if number not in device.plugged():
            raise ChannelError(f"there is no channel {channel} at {device.address}")
        model = find.model_of(device_name(device.infos.DeviceCode)) or chassis.model
        place = Place(chassis.name, chassis.driver, model, channel, chassis.options)
        board = device.board(number)
        with_kernel(device, place, board)
        bench = Bench(device, number, board, instrument(model), clock)
        for experiment in EXPERIMENTS:
            yield from experiment(bench)
