"""A small run for the tests of the record, entry by entry: every row follows from its number.

One chain, a constant current in a loop without end: row k is 0.25 k s after its start, and 50 rows are one
pass. What the tables have to hold of it is what a book makes of all rows at once.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from headers import header_of

from nakctl.booking import layout
from nakctl.booking.book import Book
from nakctl.booking.ending import Ending
from nakctl.booking.entry import Entry, event_entry
from nakctl.booking.event import Event
from nakctl.device import program_json
from nakctl.device.channel import OF_COUNTER, POINT, SAMPLE
from nakctl.device.ends import End
from nakctl.device.program import Cp, Eis, Hardware, Loop, Program, Segment, StepInfo
from nakctl.errors import Mark
from nakctl.record.journal import Journal
from nakctl.record.packing import packed
from nakctl.record.seal import seal

Rows = npt.NDArray[np.void]

# In which a process of its own finds this module, and what it imports.
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(str(each) for each in Path(__file__).parents[:2])}

PER_POLL, PER_PASS = 10, 50
EVERY_s = 0.25
UNIX_s = 1.7e9  # of the wall clock at the start
FREQUENCIES = 5
SPECTRA_FROM_s = 100.0  # when the second chain begins, if there is one
_HARDWARE = Hardware("1 mA", "5 V", 8)
_ENDS = (
    End(1, "cutoff", "charge", "above", 3.6, "next step", "host", 1, "charge above 1 mAh", Mark(7, 1)),
    End(2, "limit", "Ewe", "above", 3.0, "end run", "instrument", 0, "Ewe above 3 V", Mark(3, 1)),
)
STRIP = Cp(1, 1e-4, 12.5, EVERY_s, None, (), "stop", _HARDWARE)
SWEEP = Eis(
    2, "PEIS", 0.0, False, 5e-3, 0.0, 1.0, 1e6, 10.0, FREQUENCIES, "log", 1, 0.1, False, False, _HARDWARE
)  # fmt: skip
PROGRAM = Program(
    "SP-300",
    0.5,
    (
        Segment((STRIP, Loop(0, None, passes=True))),
        Segment((SWEEP, Loop(0, None, passes=False))),
    ),
    (
        StepInfo(1, "strip 0.1 mA/cm²", "CP", 0, Mark(7, 1)),
        StepInfo(2, "spectra", "PEIS", 0, Mark(9, 1)),
    ),
    _ENDS,
)
PROGRAM_JSON = program_json.dump(PROGRAM)
DONE = Ending("end run", "as planned", "completed", "steps done")


def header(**more: Any) -> dict[str, Any]:
    known = {
        "user": {"name": "Ada"},
        "sample": {
            "name": "NaK50",
            "area_cm2": 0.5,
            "working": "NaK",
            "counter": "NaK",
            "facts": {"p_MPa": 1},
        },
        "instrument": {"model": "SP-300", "channel": "1", "driver": "sim", "facts": {"serial": "0"}},
        "protocol": {"file_name": "ccd.yaml", "data": "nakctl: 1\nname: größer\n", "sha256": "00"},
        "plan": {"data": '{"steps": [{"step": 1}, {"step": 2}]}', "sha256": "11", "compiler": "nakctl 0.1"},
        "program": "1 CP 0.1 mA",
        "params": {"levels": ["0.1 mA/cm2"]},
        "rules": [{"short": 0.5}],
        "limits": {"Ewe_min_V": 0.0},
        "environment": {"python": "3.11", "packages": {"numpy": "2"}},
        "command_line": "nakctl run ccd",
        "git": {"commit": "abc", "dirty": False},
        "note": "first try",
        "seed": 7,
        "three_electrode": False,
        "I_ranges": {4: "1 mA", 5: "10 mA"},
        "expected_bytes": 100_000,
    }
    return header_of("ccd on NaK50", **known | more)


# --- what happens ----------------------------------------------------------------------------------------


def opening(segment: int = 1, start_s: float = 0.0) -> list[Entry]:
    """A chain is meant, started, and its start is settled."""
    facts = {"verb": "load", "position": [[segment - 1, 0]], "new_cycle": False, "lasting_s": None}
    started = {"verb": "start", "called_s": start_s - 2e-3, "returned_s": start_s}
    settled = {"time_s": start_s, "error_s": 1e-3}
    return [
        Entry("meant", segment, start_s - 4e-3, facts=facts | {"mark": f"run-{segment}"}),
        Entry("done", segment, start_s, facts=started),
        Entry("began", segment, start_s, facts=settled),
    ]


def given(start: int, count: int) -> Rows:
    """Rows of the first chain, as its channel gives them."""
    k = np.arange(start, start + count)
    rows = np.zeros(count, SAMPLE)
    for name, values in {
        "time_s": k * EVERY_s,
        "Ewe_V": np.sin(k),
        "Ece_V": np.cos(k),
        "I_A": 1e-4 * np.cos(k),
        "passes": k // PER_PASS,
        "I_range": 4,
        "flags": k % 4,
    }.items():
        rows[name] = values
    return rows


def said(start: int, count: int, **changed: Any) -> Entry:
    """One read of the first chain. changed: fields that are not as usual."""
    passes = (start + count - 1) // PER_PASS
    time_s = (start + count) * EVERY_s
    facts = {"visit": [0, passes, passes * STRIP.duration_s], "look": [1, 0.5, 1e-4, time_s, 0.25]}
    usual = Entry(
        "said", 1, time_s, UNIX_s + time_s, facts, f"raw {start}".encode(), given(start, count),
        memo={"next": start + count}, block=start // PER_POLL + 1,
    )  # fmt: skip
    return usual._replace(**changed)


def points(number: int, count: int = FREQUENCIES, *, half_cells: bool = False) -> Rows:
    """The frequencies of a spectrum, numbered from 1. half_cells: those of the counter electrode, too."""
    found = np.zeros(count, POINT)
    f_Hz = np.logspace(6, 1, FREQUENCIES)[:count]
    found["time_s"] = number * 10 + np.arange(count)
    found["frequency_Hz"] = f_Hz
    z_ohm = 10 + 1 / (1 / 50 + 2j * np.pi * f_Hz * 1e-6)
    found["Z_re_ohm"], found["Z_im_ohm"] = z_ohm.real, z_ohm.imag
    found["E_dc_V"], found["I_dc_A"], found["E_amp_V"], found["I_amp_A"] = 0.1, 1e-4, 5e-3, 1e-4
    found["passes"], found["I_range"] = number - 1, 4
    for place, name in enumerate(OF_COUNTER, 1):
        found[name] = place * np.arange(count) if half_cells else np.nan
    return found


def swept(number: int, count: int = FREQUENCIES, **changed: Any) -> Entry:
    """One read of the second chain: a spectrum, or its first frequencies."""
    time_s = SPECTRA_FROM_s + number * 10 + count
    usual = Entry("said", 2, time_s, UNIX_s + time_s, raw=b"raw", points=points(number, count), block=number)
    return usual._replace(**changed)


def spectra(count: int, last: int = FREQUENCIES, first_block: int = 1) -> list[Entry]:
    """The second chain, with so many spectra. last: how many frequencies the last one has."""
    whole = [FREQUENCIES] * (count - 1) + [last]
    read = [swept(k, many, block=first_block + k - 1) for k, many in enumerate(whole, 1)]
    return [Entry("over", 1, SPECTRA_FROM_s - 1, facts={"ending": None}), *opening(2, SPECTRA_FROM_s), *read]


def packed_facts(entry: Entry) -> bytes:
    """As they lie in a journal."""
    return packed(entry.facts)


def event(k: int = 0, code: str = "note") -> Event:
    return Event(k * EVERY_s, 1, code, k, f"message {k}: " + "ä" * 200, {"k": k})


def noted(k: int = 0, code: str = "note") -> Entry:
    return event_entry(event(k, code), segment=1)


def over(ending: Ending | None = DONE) -> Entry:
    return Entry("over", 1, facts={"ending": None if ending is None else ending.as_json()})


def polls(count: int, per_poll: int = PER_POLL) -> list[list[Entry]]:
    """What a run appends, read by read: the chain, its rows, and every seventh time an event."""
    made = [
        [said(k * per_poll, per_poll, block=k + 1), *([noted(k)] if k % 7 == 0 else [])] for k in range(count)
    ]
    return [opening(), *made]


def run_of(count: int, per_poll: int = PER_POLL) -> list[Entry]:
    """The same, one entry after the other."""
    return [entry for poll in polls(count, per_poll) for entry in poll]


# --- what comes of it ------------------------------------------------------------------------------------


@cache
def _all_samples(count: int, three_electrode: bool) -> Rows:
    book = Book(PROGRAM, (layout.SAMPLES_3E if three_electrode else layout.SAMPLES).dtype)
    found = book.take([*opening(), said(0, count)]).tables["samples"]
    found.flags.writeable = False
    return found


def samples(start: int, count: int, *, three_electrode: bool = False) -> Rows:
    """Rows of the main table, booked all at once: how reads are cut changes no bit."""
    whole = max(1024, 1 << (start + count).bit_length())
    return _all_samples(whole, three_electrode)[start : start + count].copy()


def booked(
    entries: Sequence[Entry],
    *,
    unclosed: bool = False,
    program: Program = PROGRAM,
    three_electrode: bool = False,
) -> dict[str, Rows]:
    """All tables but that of events, and what they hold."""
    of_run = layout.tables({"three_electrode": three_electrode})
    book = Book(program, of_run["samples"].dtype)
    pages = [book.take(entries), book.close(unclosed=unclosed)]
    known = {name: table for name, table in of_run.items() if name != "events"}
    return {
        name: np.concatenate([table.empty(), *(page.tables[name] for page in pages if name in page.tables)])
        for name, table in known.items()
    }


def ended(status: str = "completed", end_reason: str = "as planned", **more: Any) -> dict[str, Any]:
    """The end as a journal is told it."""
    facts = {"ccd": {"value": 0.4, "units": "mA/cm2"}, "shorted": 1}
    codes = {"end_kind": "steps done", "end_id": 0, "end_value": None}
    return {"status": status, "end_reason": end_reason, "facts": facts} | codes | more


# --- files -----------------------------------------------------------------------------------------------


def journal_of_run(path: Path, **more: Any) -> Journal:
    """One that was just begun."""
    return Journal.create(path, header(**more), PROGRAM_JSON)


def journal_with(
    path: Path, appended: Sequence[Sequence[Entry]], end: dict[str, Any] | None = None, **more: Any
) -> Path:
    """What these entries leave of a run without a live view. end None: it was killed."""
    journal = journal_of_run(path, **more)
    for entries in appended:
        journal.append(entries)
    if end is not None:
        journal.end(end)
    journal.close()
    return path


def journal_only(
    path: Path, count: int, per_poll: int = PER_POLL, *, end: bool = True, more_entries: Sequence[Entry] = (),
    **more: Any,
) -> Path:  # fmt: skip
    """What a killed (or, with end, a finished but unsealed) run of so many reads leaves, without a live view."""
    appended = [*polls(count, per_poll), list(more_entries)] if count else []
    return journal_with(path, appended, ended() if end else None, **more)


def sealed(path: Path, count: int = 20, **more: Any) -> Path:
    journal_only(path, count, **more)
    seal(path)
    return path


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def datasets(path: Path) -> dict[str, Any]:
    """Every dataset with its values, but for those that may differ between equal runs."""
    found: dict[str, Any] = {}
    own = ("entry_identifier_uuid", "documents/byte", "booked_again")

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and not name.endswith(own):
            found[name] = item[()]

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return found
