"""The state of a run in its slot: read by anybody at any time, never torn, never waited for."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from forked_helpers import done, python

from nakctl.record import files, slot
from nakctl.record.slot import MOST_BYTES, SIZE, Blocks, Slot, blocks_of, state_of

posix = pytest.mark.skipif(os.name != "posix", reason="of one process over another")

# Two texts of every length that must fit the number beside them.
HAMMER = """
import sys
from pathlib import Path
from nakctl.record.slot import Slot

slot = Slot(Path(sys.argv[1]))
print("begun", flush=True)
k = 0
while True:
    k += 1
    slot.tell({"k": k, "a": "x" * (k * 37 % 1500), "b": chr(97 + k % 26) * (k * 101 % 1500)})
    slot.begin(k)
    slot.keep(k)
"""
READERS, READS = 2, 50_000


def fits(state: dict[str, Any]) -> bool:
    k = state["k"]
    return state["a"] == "x" * (k * 37 % 1500) and state["b"] == chr(97 + k % 26) * (k * 101 % 1500)


def hammering(path: Path) -> Any:
    writer = python(HAMMER, path)
    assert writer.stdout.readline() == "begun\n"
    return writer


def test_what_was_told_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    assert state_of(path) is None
    writer = Slot(path)
    assert state_of(path) is None
    for k in range(5):
        writer.tell({"k": k, "where": "Zürich", "nothing": None, "NaN": [1.5, True]})
        assert state_of(path) == {"k": k, "where": "Zürich", "nothing": None, "NaN": [1.5, True]}
    writer.begin(7)
    writer.keep(6)
    assert blocks_of(path) == Blocks(7, 6)
    writer.close()
    writer.tell({"k": 9})  # nobody hears it, and nobody is disturbed
    assert state_of(path) == {"k": 4, "where": "Zürich", "nothing": None, "NaN": [1.5, True]}


def test_a_slot_of_the_first_version_has_counters_and_no_state(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    head = slot._HEAD.pack(b"nakctl\0\0", 1, 0) + slot._COUNT.pack(5) + slot._COUNT.pack(4)
    files.slot_of(path).write_bytes(head.ljust(4096, b"\0"))
    assert blocks_of(path) == Blocks(5, 4)
    assert state_of(path) is None


@posix
def test_no_state_is_torn_while_a_process_writes_as_fast_as_it_can(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    torn: list[dict[str, Any]] = []
    numbers: list[list[int]] = []

    def read() -> None:
        seen = []
        for _ in range(READS):
            state = state_of(path)
            if state is None:
                continue  # it met nothing but writes, and said so
            seen.append(state["k"])
            if not fits(state):
                torn.append(state)
        numbers.append(seen)

    writer = hammering(path)
    try:
        while state_of(path) is None:
            pass
        readers = [threading.Thread(target=read) for _ in range(READERS)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    finally:
        writer.kill()
        writer.communicate()
    assert torn == []
    for seen in numbers:
        assert len(seen) > 0.99 * READS
        assert seen == sorted(seen)  # nobody goes back in time
        assert seen[-1] > seen[0]


@posix
def test_a_kill_at_any_moment_leaves_a_whole_state(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    for _ in range(15):
        writer = hammering(path)
        while (state_of(path) or {"k": 0})["k"] < 50:
            assert writer.poll() is None
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        state = state_of(path)
        assert state is not None and fits(state)


@pytest.mark.parametrize("cut", [slice(0, 8), slice(8, 12), slice(12, 16), slice(16, 17), slice(40, 60)])
def test_of_a_write_that_was_not_finished_the_one_before_is_read(tmp_path: Path, cut: slice) -> None:
    path = tmp_path / "run.h5"
    writer = Slot(path)
    for k in range(4):
        writer.tell({"k": k, "text": "x" * 100})
    writer.close()
    content = bytearray(files.slot_of(path).read_bytes())
    newest = slot._PLACES[4 % 2]
    content[newest + cut.start : newest + cut.stop] = bytes(cut.stop - cut.start)
    files.slot_of(path).write_bytes(content)
    assert state_of(path) == {"k": 2, "text": "x" * 100}


def test_long_texts_are_cut_so_that_it_fits(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    writer = Slot(path)
    writer.tell({"state": "running", "alarm": {"text": "ü" * 5000}, "many": ["y" * 3000] * 3, "Ewe_V": 0.1})
    state = state_of(path)
    assert state is not None
    assert (state["state"], state["Ewe_V"]) == ("running", 0.1)
    assert state["alarm"]["text"].endswith("ü...")
    assert 100 < len(state["alarm"]["text"]) < MOST_BYTES
    writer.tell({str(k): "z" * 30 for k in range(1000)})  # too much even so
    writer.tell({"no": object()})
    assert state_of(path) == state


def test_who_comes_second_leaves_it(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    writer = Slot(path)
    writer.tell({"k": 1})
    with writer._writing:
        writer.tell({"k": 2})
    assert state_of(path) == {"k": 1}
    writer.tell({"k": 3})
    assert state_of(path) == {"k": 3}


@pytest.mark.parametrize(("number", "begins"), [(28, False), (95, True)])
def test_room_is_taken_at_the_start(
    number: int, begins: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(slot.os, "posix_fallocate", refuses, raising=False)
    monkeypatch.setattr(slot.errno, "EOPNOTSUPP", 95)
    if begins:
        Slot(tmp_path / "run.h5").close()
        return
    with pytest.raises(OSError, match="no"):
        Slot(tmp_path / "run.h5")


CUT = """
import os, sys
from pathlib import Path
from nakctl.record import files
from nakctl.record.slot import Slot

slot = Slot(Path(sys.argv[1]))
slot.tell({"k": 1})
os.truncate(files.slot_of(Path(sys.argv[1])), int(sys.argv[2]))
slot.tell({"k": 2})
slot.begin(1)
slot.keep(1)
slot.close()
print("alive")
"""


@posix
@pytest.mark.parametrize("left", [0, 100, 4096, SIZE - 1])
def test_a_file_that_is_cut_under_the_run_does_not_end_it(tmp_path: Path, left: int) -> None:
    """Bytes of a map beyond the end of its file: the system would kill the process."""
    path = tmp_path / "run.h5"
    said = done(CUT, path, str(left))
    assert (said.returncode, said.stdout) == (0, "alive\n"), said.stderr
    assert state_of(path) is None
    assert blocks_of(path) is None
