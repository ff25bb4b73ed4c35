"""Golden dumps: what every shipped protocol is loaded as, byte for byte, on both families.

Each entry of a chain: the technique file, the SHA-256 of its records as the library gets them, and the records
as text: label, type, value, index. Of records that the entry before with this file had too, only the first
are written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from biologic_bench import DRAWING, FAMILIES, MOVING, SP300, VMP3
from shortened import cell_of

from nakctl.device.instrument import Instrument
from nakctl.device.program import HostLoop, Node, Segment
from nakctl.plan.compile import compile_protocol
from nakctl.plan.lower import lower
from nakctl.protocol import library
from nakctl.protocol.load import load
from nakctl_biologic.codes import Board
from nakctl_biologic.feeding import Feeder
from nakctl_biologic.params import Loaded, chain
from nakctl_biologic.records import Param, encoded

ON = {"sp300": SP300, "vmp3": VMP3}


def segments(nodes: tuple[Node, ...]) -> Iterator[Segment]:
    """In the order in which they are run first."""
    for node in nodes:
        if isinstance(node, HostLoop):
            yield from segments(node.body)
        elif isinstance(node, Segment):
            yield node


def program_segments(name: str, instrument: Instrument) -> list[Segment]:
    plan = compile_protocol(load(name, {}), cell_of(name))
    if instrument is VMP3 and "f_max" in plan.params:
        plan = compile_protocol(load(name, {"f_max": "1 MHz"}), cell_of(name))
    return list(segments(lower(plan, instrument).nodes))


def dump(chains: list[Segment], instrument: Instrument, board: Board) -> str:
    lines: list[str] = []
    before: dict[str, tuple[Param, ...]] = {}

    def add(entries: Iterable[tuple[int, Loaded]]) -> None:
        for at, entry in entries:
            digest = hashlib.sha256(encoded(entry.params)).hexdigest()
            lines.append(f"{at:3} {entry.file} {len(entry.params)} records {digest}")
            last = before.get(entry.file, ())
            lines.extend(f"      {param}" for param in entry.params if param not in last)
            before[entry.file] = entry.params

    for number, segment in enumerate(chains):
        lines.append(f"segment {number}")
        loaded = chain(segment, instrument, board)
        feeder = Feeder.of(segment, loaded, instrument, board)
        add(enumerate(loaded if feeder is None else feeder.chain()))
        if feeder is not None:
            first = feeder.ring.first_fence
            lines.append(f"given while it runs, from technique {first} on")
            add(enumerate(loaded[first:], first))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", library.names())
@pytest.mark.parametrize("short", ON)
def test_records(name: str, short: str, golden: Callable[[str, str], None]) -> None:
    instrument = ON[short]
    text = dump(program_segments(name, instrument), instrument, FAMILIES[instrument.name])
    golden(f"biologic/{name}.{short}.records.txt", text)


BY_HAND = {"moving.sp300": [MOVING], "moving.vmp3": [MOVING], "drawing.vmp3": [DRAWING]}


@pytest.mark.parametrize("name", BY_HAND)
def test_records_of_scans_and_their_like(name: str, golden: Callable[[str, str], None]) -> None:
    instrument = ON[name.rpartition(".")[2]]
    golden(f"biologic/{name}.records.txt", dump(BY_HAND[name], instrument, FAMILIES[instrument.name]))


def test_no_golden_dump_is_left_over() -> None:
    folder = Path(__file__).parent.parent / "golden" / "biologic"
    expected = {f"{name}.{short}.records.txt" for name in library.names() for short in ON}
    expected |= {f"{name}.records.txt" for name in BY_HAND}
    assert {path.name for path in folder.iterdir()} == expected
