"""Virtual instruments to look at, and the command line to look with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from command_line import Said, nakctl_here

from nakctl.device.driver import ClockLike
from nakctl.run.clock import WallClock
from nakctl_sim.instrument import forget, register
from nakctl_sim.instrument.device import VirtualInstrument
from nakctl_sim.instrument.faults import fault
from nakctl_sim.instrument.habits import Habits

CELLS = {1: "NaK50", 2: "NaK50", 4: "NaK50"}  # slot 3 is empty
SPEED = 50.0


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """`here("doctor", address)`: the command line in this process and in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *args: nakctl_here(*args, capsys=capsys)


class Shelf:
    """Makes virtual instruments in this process, and puts them away after the test."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.last: VirtualInstrument | None = None

    def __call__(
        self,
        like: str = "SP-300",
        *,
        habits: Habits | None = None,
        faults: Sequence[str] = (),
        clock: ClockLike | None = None,
        cells: Mapping[int, str] = CELLS,
    ) -> str:
        """The address of a new one."""
        name = f"hardware-{len(self.names)}"
        troubles = [fault(text) for text in faults]
        self.last = VirtualInstrument(like, cells, clock or WallClock(SPEED), 0, habits or Habits(), troubles)
        self.names.append(name)
        return register(name, self.last)


@pytest.fixture
def virtual() -> Iterator[Shelf]:
    shelf = Shelf()
    yield shelf
    for name in shelf.names:
        forget(name)
