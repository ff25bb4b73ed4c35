"""How fast the driver of BioLogic channels is, beside the parser of easy_biologic on the same buffers.

    python benchmarks/biologic_decode.py

1. Words per second of the C3x decoder.
2. Rows per second from full buffers of BL_GetData to rows of the channel contract; the same buffers through
   easy_biologic's own parser, which asks the library for every word (here: a virtual instrument's).
3. The fastest recording there is, 25 000 rows/s (the time base of CPLIMIT), for 60 s of the instrument's time
   through the driver: how long that takes, and whether a row is lost.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from nakctl.device.cell import Cell
from nakctl.device.channel import State, Watch
from nakctl.device.driver import Place
from nakctl.device.instrument import instrument
from nakctl.device.program import Cp, Hardware, Segment
from nakctl_biologic.codes import Board
from nakctl_biologic.data_words import decode_c3x, encode_c3x
from nakctl_biologic.driver import driver
from nakctl_biologic.params import chain
from nakctl_biologic.rows import Block
from nakctl_biologic.visits import Visits
from nakctl_sim.instrument import register
from nakctl_sim.instrument.clock import StepClock
from nakctl_sim.instrument.device import VirtualInstrument
from nakctl_sim.instrument.habits import Habits

SP300 = instrument("SP-300")
ROWS, COLUMNS = 200, 5  # a full buffer of CPLIMIT
TIMEBASE_s = 40e-6
SEGMENT = Segment((Cp(1, 1e-4, 60.0, TIMEBASE_s, None, (), "stop", Hardware("1 mA", "5 V", 8)),))
ADDRESS = "sim://inprocess/bench"
POLL_s = 0.05


def seconds(work: Callable[[], object]) -> float:
    """The best of three."""
    best = np.inf
    for _ in range(3):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return float(best)


def blocks(count: int) -> list[Block]:
    random = np.random.default_rng(1)
    found = []
    for n in range(count):
        table = np.zeros((ROWS, COLUMNS), np.uint32)
        table[:, 1] = 1 + n * ROWS + np.arange(ROWS)
        table[:, 2:4] = encode_c3x(random.normal(0.1, 0.01, (ROWS, 2)) * (1.0, 1e-3))
        found.append(Block(table.ravel(), ROWS, COLUMNS, 0, 155, 0, 0, np.nan, TIMEBASE_s, 0))
    return found


def words_per_s() -> float:
    words = np.random.default_rng(1).integers(0, 2**32, 1000, dtype=np.uint32)

    def decode() -> None:
        for _ in range(5000):
            decode_c3x(words)

    return 5000 * 1000 / seconds(decode)


def rows_per_s(many: list[Block]) -> float:
    loaded = chain(SEGMENT, SP300, Board.PREMIUM)

    def take() -> None:
        visits = Visits(SEGMENT, loaded, SP300, Board.PREMIUM)
        for block in many:
            visits.take(block)

    return len(many) * ROWS / seconds(take)


def rows_per_s_of_easy_biologic(few: list[Block]) -> float:
    """Its own code, on any platform; the library that converts each word is the virtual one."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "biologic"))
    from easy_bench import easy_biologic

    with easy_biologic(ADDRESS) as easy:
        info = easy.ec_lib.DataInfo(NbRows=ROWS, NbCols=COLUMNS, TechniqueID=102)
        buffers = [block.words.tolist() for block in few]

        def parse() -> None:
            for words in buffers:
                easy.data_parser.parse(words, info, easy.data_parser.SP300_Fields.CP)

        return len(few) * ROWS / seconds(parse)


def sustained(clock: StepClock) -> tuple[int, int, float]:
    """Rows that came, gaps, and how long it took in all, the virtual instrument's work included."""
    channel = driver.open(
        Place("bench", "biologic", "SP-300", 1, {"address": ADDRESS}), Cell("randles", 1.0), clock, 1
    )
    channel.load(SEGMENT)
    channel.start()
    rows, lost, start = 0, 0, time.perf_counter()
    state = State.RUNNING
    while state is State.RUNNING:
        clock.sleep(POLL_s)
        reading = channel.read(Watch())
        rows, state = rows + len(reading.samples), reading.state
        lost += sum(notice.code == "gap" for notice in reading.notices)
    took = time.perf_counter() - start
    channel.close()
    return rows, lost, took


def main() -> None:
    clock = StepClock()
    register("bench", VirtualInstrument("SP-300", {1: "randles"}, clock, 1, Habits()))
    many = blocks(500)
    ours, theirs = rows_per_s(many), rows_per_s_of_easy_biologic(many[:5])
    print(f"decode             {words_per_s() / 1e6:10.1f} million words/s, 1000 at a time")
    print(f"words -> rows      {ours / 1e3:10.0f} thousand rows/s")
    print(f"  easy_biologic    {theirs / 1e3:10.1f} thousand rows/s, {ours / theirs:.0f} times slower")
    rows, gaps, took = sustained(clock)
    print(
        f"25 000 rows/s      {rows:10} rows, {gaps} gaps; 60 s took {took:.1f} s, instrument included: "
        f"{100 * took / 60:.0f} % of one core"
    )


if __name__ == "__main__":
    main()
