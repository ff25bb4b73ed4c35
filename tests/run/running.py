"""Runs on a simulated channel in virtual time, with a record in memory."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

from kept import Kept

from nakctl.device.channel import Channel, Reading, Watch
from nakctl.device.driver import Place
from nakctl.device.instrument import instrument
from nakctl.errors import LinkLost
from nakctl.plan.compile import compile_protocol
from nakctl.plan.lower import lower
from nakctl.protocol.load import understand
from nakctl.run.clock import FreeClock
from nakctl.run.run import Outcome, run
from nakctl.text.reader import read_text
from nakctl_sim.driver import driver

HEAD = """\
nakctl: 1
name: test
limits: {Ewe: [-3 V, 3 V], I: 10 mA, time: 1000 h}
finally: rest
spectra:
  g: {kind: geis, amplitude: 5 uA, from: 100 kHz, to: 10 Hz, per_decade: 3}
steps:
"""
# randles is 300 ohm and 1 cm2: 1 mA shows 0.3 V after a second.


class Pulled:
    """A channel whose cable is pulled at the n-th read, for so many; `stop` works all the same."""

    def __init__(self, inner: Channel, at_read: int, reads: int = 1) -> None:
        self.inner, self.left, self.reads, self.stopped = inner, at_read, reads, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def stop(self) -> None:
        self.stopped = True
        self.inner.stop()

    def read(self, watch: Watch) -> Reading:
        self.left -= 1
        if -self.reads < self.left <= 0:
            raise LinkLost("no answer from the instrument")
        return self.inner.read(watch)


def done(
    steps: str,
    cell: str = "randles",
    *,
    head: str = HEAD,
    sink: Kept | None = None,
    wrap: Callable[[Channel], Any] = lambda channel: channel,
    like: str = "SP-300",
    habits: dict[str, Any] | None = None,
    trouble: list[str] | None = None,
    **options: Any,
) -> tuple[Outcome, Kept]:
    text = head + textwrap.indent(textwrap.dedent(steps), "  ")
    described = driver.cell(cell)
    program = lower(compile_protocol(understand(read_text(text, "t.yaml"), {}), described), instrument(like))
    clock = FreeClock()
    place = Place("sim", "sim", like, 1, {"habits": habits or {}, "trouble": trouble or []})
    channel = wrap(driver.open(place, described, clock, 1))
    kept = sink or Kept()
    kept.program = program
    return run(program, channel, clock, kept, poll_s=0.0, **options), kept
