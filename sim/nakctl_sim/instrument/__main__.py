"""A virtual instrument as a process of its own: see `python -m nakctl_sim.instrument --help`."""

from __future__ import annotations

import argparse
import inspect
import sys

from nakctl.errors import NakctlError
from nakctl.run.clock import WallClock
from nakctl_sim.habits import ChannelHabits, with_words
from nakctl_sim.instrument import faults
from nakctl_sim.instrument.device import VirtualInstrument
from nakctl_sim.instrument.habits import Habits
from nakctl_sim.instrument.server import Server

CELL = "NaK50"


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nakctl sim instrument",
        description="A virtual SP-300 or VMP-3 on a port of this computer, for `address: sim://127.0.0.1:PORT`.",
        epilog="\n\n".join(
            (
                "habits",
                str(inspect.getdoc(Habits)),
                str(inspect.getdoc(ChannelHabits)),
                "faults",
                faults.__doc__,
            )
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--like", default="sp300", help="sp300 or vmp3 [default: sp300]")
    parser.add_argument("--port", type=int, default=5025, help="0: any that is free [default: 5025]")
    parser.add_argument("--speed", type=float, default=1.0, help="times as fast as real time [default: 1]")
    parser.add_argument("--seed", type=int, default=0, help="of the noise [default: 0]")
    parser.add_argument(
        "--cell", action="append", metavar="[CHANNEL=]NAME", help=f"repeatable [default: 1={CELL}]"
    )
    parser.add_argument("--habit", action="append", metavar="NAME=VALUE", help="repeatable")
    parser.add_argument("--fault", action="append", metavar="NAME=VALUE@WHEN", help="repeatable")
    return parser


def cells(texts: list[str]) -> dict[int, str]:
    """`NaK50`, or `2=NaK50` for channel 2."""
    found = {}
    for text in texts:
        channel, equals, name = text.partition("=")
        numbered = bool(equals) and channel.isdigit()
        found[int(channel) if numbered else 1] = name if numbered else text
    return found


def main() -> int:
    asked = arguments().parse_args()
    try:
        there = cells(asked.cell or [CELL])
        habits = with_words(Habits(), asked.habit or [])
        trouble = [faults.fault(text) for text in asked.fault or []]
        instrument = VirtualInstrument(asked.like, there, WallClock(asked.speed), asked.seed, habits, trouble)
        server = Server(instrument, asked.port)
    except (NakctlError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code if isinstance(error, NakctlError) else 2
    with server:
        sys.stdout.write(f"{instrument.data.name} at {server.address}\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
