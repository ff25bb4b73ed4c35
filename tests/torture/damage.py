"""A journal, or its log, is cut or has a byte flipped: what is still read, and does anything break?

    python tests/torture/damage.py [--places 1000] [--at-once 2] [--seed 1]

The journal is that of a run that was killed, with its log beside it. Each damaged copy is recovered: the rows have to be
the first ones of the whole run, no fewer than lie before the damage, and what is said has to be a sentence.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import h5py
import numpy as np

sys.path[:0] = [str(Path(__file__).parent)]

import power_cuts  # noqa: E402

from nakctl.device import program_json  # noqa: E402
from nakctl.errors import NakctlError  # noqa: E402
from nakctl.record import files  # noqa: E402
from nakctl.record.journal import Journal  # noqa: E402
from nakctl.record.journal_reader import JournalReader  # noqa: E402
from nakctl.record.recover import recover  # noqa: E402

POLLS = 300
PYTHON_WORDS = ("Traceback", "Error", "object", "NoneType", "int(", "'str'", "unpack", "expected")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--places", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance, results = random.Random(asked.seed), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "run.h5"
        killed(whole)
        trials = [
            (Path(folder) / f"{k}.h5", chance.random(), chance.random(), k) for k in range(asked.places)
        ]

        def one(trial: tuple[Path, float, float, int]) -> str:
            return damaged(whole, *trial)

        with ThreadPoolExecutor(asked.at_once) as pool:
            for said in pool.map(one, trials):
                results[said] += 1
                if said.startswith("FAILED"):
                    print(said, flush=True)
    for said, count in sorted(results.items()):
        print(f"{count:5d}  {said}")
    return any(said.startswith("FAILED") for said in results)


def killed(path: Path) -> None:
    """As a run leaves it that is killed: half of it lies in the log alone."""
    journal = Journal.create(path, power_cuts.HEADER, program_json.dump(power_cuts.PROGRAM))
    journal.append(power_cuts.OPENING, durable=True)
    for poll in range(POLLS):
        journal.append([power_cuts.poll(poll)], durable=poll == POLLS // 2)
    kept = [Path(f"{files.journal_of(path)}{end}") for end in ("", "-wal")]
    for file in kept:
        shutil.copy(file, f"{file}.kept")
    journal.close()
    for file in kept:
        Path(f"{file}.kept").replace(file)


def damaged(whole: Path, path: Path, where: float, how: float, number: int) -> str:
    parts = {end: Path(f"{files.journal_of(whole)}{end}").read_bytes() for end in ("", "-wal")}
    hurt = ("", "-wal")[number % 2]
    place = int(where * len(parts[hurt]))
    way = "cut" if how < 0.5 else "flipped"
    content = bytearray(parts[hurt][:place] if way == "cut" else parts[hurt])
    if way == "flipped":
        content[place] ^= 1 + int(how * 254)
    for end, part in (parts | {hurt: bytes(content)}).items():
        Path(f"{files.journal_of(path)}{end}").write_bytes(part)
    what = f"{'journal' if hurt == '' else 'log'} {way}"
    try:
        least = readable(path)
        done = recover(path)
    except NakctlError as error:
        words = [word for word in PYTHON_WORDS if word in str(error)]
        return (
            f"FAILED {what} at {place}: {error}"
            if words or readable(path)
            else f"{what}: nothing to read, and said so"
        )
    except BaseException as error:  # noqa: BLE001
        return f"FAILED {what} at {place}: {type(error).__name__} {error}"
    with h5py.File(path) as file:
        Ewe = file["entry/samples/Ewe"][()]
    expected = np.repeat(np.arange(POLLS, dtype=np.float32), 10)[: len(Ewe)]
    if not np.array_equal(Ewe, expected):
        return f"FAILED {what} at {place}: other rows"
    if len(Ewe) < least:
        return f"FAILED {what} at {place}: {len(Ewe)} of {least} rows"
    if any(word in done.message for word in PYTHON_WORDS):
        return f"FAILED {what} at {place}: {done.message}"
    return f"{what}: {'all' if len(Ewe) == 10 * POLLS else 'what lay before'}"


def readable(path: Path) -> int:
    """Rows before the damage."""
    rows = 0
    try:
        with closing(JournalReader(path)) as reader:
            for entry in reader.entries():
                rows += len(entry.samples)
    except NakctlError:
        pass
    return rows


if __name__ == "__main__":
    sys.exit(main())
