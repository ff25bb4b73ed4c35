"""What is left of a journal when the power goes?

    python tests/torture/power_cuts.py [--cuts 100] [--seed 1]

A process writes a journal under `strace`, which tells every write and every fsync in their order. A cut is a random
moment of that: what was written to a file before its last fsync is there, and of what came after it each write
(a page, or the head of one) is there or not, by the toss of a coin. Then the run is recovered. Nothing that had been
confirmed may be missing, and nothing may break.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nakctl.booking.entry import Entry
from nakctl.device import program_json
from nakctl.device.channel import SAMPLE
from nakctl.device.program import Hardware, Ocv, Program, Segment, StepInfo
from nakctl.errors import NO_MARK
from nakctl.record.journal import Journal
from nakctl.record.journal_reader import JournalReader
from nakctl.record.recover import recover

HEADER = {"format": 1, "run_id": "cut", "start_time": "2026-03-01T09:30:00+00:00", "title": "power cut"}
STEP = StepInfo(1, "1 rest", "OCV", 0, NO_MARK)
PROGRAM = Program("SP-300", 1.0, (Segment((Ocv(1, 1e6, 0.1, None, Hardware("1 mA", "5 V", 5)),)),), (STEP,))
TRACED = "trace=pwrite64,write,fsync,fdatasync,ftruncate"
CALL = re.compile(r"(?:\[pid +\d+\] |\d+ +)?(\w+)\(\d+<([^>]*)>(?:, )?(.*)\) += (-?\d+)")
DATA = re.compile(r'"((?:\\x[0-9a-f]{2})*)", (\d+)(?:, (\d+))?')


OPENING = [
    Entry("meant", 1, facts={"verb": "load", "position": [[0, 0]], "new_cycle": False}),
    Entry("done", 1, facts={"verb": "start", "called_s": 0.0, "returned_s": 0.0}),
    Entry("began", 1, facts={"time_s": 0.0, "error_s": 0.0}),
]


def poll(number: int) -> Entry:
    """Ten rows, which show their number in Ewe."""
    rows = np.zeros(10, SAMPLE)
    rows["time_s"] = 0.1 * (10 * number + np.arange(10))
    rows["Ewe_V"] = number
    return Entry("said", 1, float(number), samples=rows, block=number + 1, memo={"poll": number})


def write(path: Path, polls: int) -> None:
    """Ten rows a poll; every seventh is confirmed before it goes on. Says so where strace sees it."""
    journal = Journal.create(path, HEADER, program_json.dump(PROGRAM))
    journal.append(OPENING, durable=True)
    say(len(OPENING))
    for number in range(polls):
        journal.append([poll(number)], durable=number % 7 == 6)
        if number % 7 == 6:
            say(len(OPENING) + number + 1)
        time.sleep(0.001)
    journal.end({"status": "completed", "end_reason": "all steps done", "facts": {}})
    say(len(OPENING) + polls)
    journal.close()


def say(confirmed: int) -> None:
    sys.stderr.write(f"CONFIRMED {confirmed}\n")
    sys.stderr.flush()


# --- what strace saw -----------------------------------------------------------------------------------


@dataclass
class File:
    """synced: as it surely is; pending: (offset, bytes) or (length, None), not confirmed yet."""

    synced: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def apply(self, content: bytearray, change: tuple[int, bytes | None]) -> None:
        place, data = change
        if data is None:
            content[place:] = b""
            content.extend(b"\0" * (place - len(content)))
        else:
            content.extend(b"\0" * (place - len(content)))
            content[place : place + len(data)] = data

    def sync(self) -> None:
        for change in self.pending:
            self.apply(self.synced, change)
        self.pending.clear()

    def after_a_cut(self, chance: random.Random) -> bytes:
        content = bytearray(self.synced)
        for change in self.pending:
            if chance.random() < 0.5:
                self.apply(content, change)
        return bytes(content)


Happened = tuple[str, str, int, bytes | None]  # what, file, offset or length, data


def seen(trace: Path) -> Iterator[Happened]:
    for line in trace.read_text(encoding="ascii", errors="replace").splitlines():
        found = CALL.match(line)
        if found is None:
            continue
        name, path, rest, result = found.groups()
        file = bytes.fromhex(path.replace("\\x", "")).decode() if path.startswith("\\x") else path
        if name in ("fsync", "fdatasync"):
            yield "sync", file, 0, None
        elif name == "ftruncate":
            yield "write", file, int(rest), None
        elif int(result) > 0 and (data := DATA.match(rest)):
            content = bytes.fromhex(data[1].replace("\\x", ""))[: int(result)]
            if name == "pwrite64":
                yield "write", file, int(data[3]), content
            elif content.startswith(b"CONFIRMED"):
                yield "confirmed", "", int(content.split()[1]), None


def cut(
    happened: list[Happened], moment: int, journal: str, chance: random.Random
) -> tuple[dict[str, bytes], int]:
    """The files of the journal as they are when the power is back, and how many entries were confirmed."""
    files: dict[str, File] = {}
    confirmed = 0
    for what, file, place, data in happened[:moment]:
        if what == "confirmed":
            confirmed = place
        elif file in (journal, f"{journal}-wal"):
            one = files.setdefault(file, File())
            if what == "sync":
                one.sync()
            else:
                one.pending.append((place, data))
    return {name: each.after_a_cut(chance) for name, each in files.items()}, confirmed


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    if asked.write:
        write(asked.write, 400)
        return 0
    chance, failed, kept = random.Random(asked.seed), 0, []
    with tempfile.TemporaryDirectory() as folder:
        path, trace = Path(folder) / "run.h5", Path(folder) / "trace"
        command = ["strace", "-f", "-y", "-xx", "-s", "100000", "-e", TRACED, "-o", str(trace)]
        writer = [sys.executable, __file__, "--write", str(path)]
        subprocess.run([*command, *writer], check=True, stderr=subprocess.DEVNULL)
        happened = list(seen(trace))
        begun = next(k for k, each in enumerate(happened) if each[0] == "confirmed")
        for number in range(asked.cuts):
            moment = chance.randrange(begun + 1, len(happened) + 1)
            found, confirmed = cut(happened, moment, f"{path}.journal", chance)
            entries, said = left(Path(folder) / f"cut{number}.h5", f"{path}.journal", found)
            kept.append(entries - confirmed)
            if entries < confirmed or "damaged" in said:
                failed += 1
                print(f"cut {number} at {moment}: {entries} of {confirmed} confirmed entries; {said}")
    print(
        json.dumps(
            {
                "cuts": asked.cuts,
                "failed": failed,
                "more_than_confirmed": sorted(kept)[:: max(1, len(kept) // 10)],
            }
        )
    )
    return bool(failed)


def left(path: Path, journal: str, found: dict[str, bytes]) -> tuple[int, str]:
    """How many entries are there, and what recovering says."""
    for name, content in found.items():
        Path(f"{path}.journal{name.removeprefix(journal)}").write_bytes(content)
    with closing(JournalReader(path)) as reader:
        entries = sum(1 for _ in reader.entries())
    return entries, recover(path).message


if __name__ == "__main__":
    sys.exit(main())
