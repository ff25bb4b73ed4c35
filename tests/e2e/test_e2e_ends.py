"""Every end tells status, file and how the cell was left, and leaves with its code; nothing tears it."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import h5py
import pytest
from command_line import Going, Said, nakctl, nakctl_anew, nakctl_here, refused, samples_in
from patience import until

from nakctl.booking.ending import Status
from nakctl.cli.report import exit_code, report
from nakctl.errors import EXIT_CODES, ChannelError, ExitCode, NakctlError, RecordError
from nakctl.record.journal_reader import JournalReader
from nakctl.record.recorder import Finished
from nakctl.run.run import UNDER_CURRENT, Outcome

Here = Callable[..., Said]
linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found in /proc")
ENDED = Outcome("completed", "all steps done", 1.0, 1, 0)


# --- exit codes ----------------------------------------------------------------------------------------


def test_every_status_has_an_exit_code() -> None:
    assert set(EXIT_CODES) == {*get_args(Status), "recovered"}


@pytest.mark.parametrize(
    ("changed", "trouble", "sealed", "code"),
    [
        ({}, None, True, 0),
        ({"status": "stopped"}, None, True, 1),
        ({"status": "aborted"}, None, True, 130),
        ({"status": "interrupted"}, None, True, 3),
        ({"status": "interrupted", "error": ChannelError("lost")}, None, True, 3),
        ({"status": "interrupted", "error": RecordError("full")}, None, True, 1),
        ({}, None, False, 1),
        ({"status": "aborted"}, None, False, 130),
        ({"status": "aborted", "cell_open": False}, None, True, 3),
        ({"status": "interrupted", "error": RecordError("full"), "cell_open": False}, None, False, 3),
        ({}, ChannelError("does not close"), True, 3),
        ({"status": "aborted"}, ChannelError("does not close"), True, 3),
    ],
)
def test_the_code_of_an_end(
    changed: dict[str, object], trouble: NakctlError | None, sealed: bool, code: int
) -> None:
    assert exit_code(dataclasses.replace(ENDED, **changed), trouble, sealed) == code  # type: ignore[arg-type]


# --- an end that is torn -------------------------------------------------------------------------------


@pytest.fixture
def short_here(here: Here, short: Path) -> Here:
    return here


def test_a_channel_that_does_not_close_is_part_of_the_end(
    short_here: Here, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nakctl_sim.channel import SimChannel

    def close(channel: SimChannel) -> None:
        raise ChannelError("the link is gone")

    monkeypatch.setattr(SimChannel, "close", close)
    said = short_here("run", "short.yaml", "--out", "x.h5")
    assert said.code == ExitCode.INSTRUMENT
    lines = said.out.splitlines()
    assert "completed: all steps done" in lines
    assert "error: the link is gone" in lines
    assert "the cell is open" in lines  # it was seen to stop before
    assert lines[-1] == "file x.h5"
    report = short_here("run", "short.yaml", "--out", "y.h5", "--json").json
    assert (report["exit_code"], report["error"], report["cell_state"]) == (3, "the link is gone", "open")
    assert (report["end_value"], report["end_id"]) == (None, 0)
    with h5py.File(short / "y.h5") as file:
        assert file.attrs["sealed"]
        assert b"not_closed" in file["entry/events/code"][()]


def test_an_error_of_nakctl_itself_is_told_with_file_and_cell(
    short_here: Here, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nakctl.run.control import Control

    def judge(*args: object) -> None:
        raise IndexError("3 of 2")

    monkeypatch.setattr(Control, "judge", judge)
    said = short_here("run", "short.yaml", "--out", "x.h5")
    assert said.code == ExitCode.INSTRUMENT
    assert "interrupted: a fault of nakctl itself (test_e2e_ends.py, line " in said.out
    assert "IndexError" not in said.out + said.err and "Traceback" not in said.out + said.err
    assert UNDER_CURRENT in said.out
    assert said.out.splitlines()[-1] == "file x.h5"
    with h5py.File(short / "x.h5") as file:
        assert file["entry/run_status"].asstr()[()] == "interrupted"
        event = json.loads(file["entry/events/json"].asstr()[-1])
        assert event["code"] == "fault"
        assert "IndexError: 3 of 2" in event["facts"]["trace"]  # to be sent to whoever mends it


def test_a_fault_of_the_booking_ends_the_run_and_loses_nothing(
    short_here: Here, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the run alone: the file is booked by another process, which has no such fault here."""
    from nakctl.booking.ledger import Ledger

    def broken(*args: object, **more: object) -> object:
        raise IndexError("3 of 2")

    monkeypatch.setattr(Ledger, "book", broken)
    said = short_here("run", "short.yaml", "--out", "x.h5")
    assert said.code == ExitCode.FAILED
    assert "cannot be booked, through a fault of nakctl itself (test_e2e_ends.py, line " in said.out
    assert "the cell is open" in said.out
    with h5py.File(short / "x.h5") as file:
        assert file["entry/run_status"].asstr()[()] == "interrupted"
        kinds = file["entry/raw/entries/kind"][()].tolist()
        raw = file["entry/raw"]
        assert len(file["entry/samples/time"]) == len(raw["samples/time_s"]) + len(raw["points/time_s"]) > 0
        assert b"said" in kinds


# --- signals -------------------------------------------------------------------------------------------


@linux
def test_further_signals_change_nothing_while_the_file_is_sealed(short: Path) -> None:
    arguments = ("run", "short.yaml", "--set", "rest=1 h", "--speed", "60", "--out", "x.h5", "--json")
    with Going(*arguments, cwd=short) as going:
        until(lambda: samples_in(short / "x.h5") > 5)
        live = going.helper("nakctl.record.live")
        os.kill(live, signal.SIGSTOP)  # so that the end takes its time
        going.process.send_signal(signal.SIGINT)
        until(lambda: has_end(short / "x.h5"))
        for _ in range(5):
            going.process.send_signal(signal.SIGINT)
            time.sleep(0.2)  # one may be lost in another
        os.kill(live, signal.SIGCONT)
        said = going.end(signal.SIGINT)
    assert (said.code, said.err) == (130, "")
    assert said.json["status"] == "aborted"
    with h5py.File(short / "x.h5") as file:
        assert file.attrs["sealed"]


def has_end(path: Path) -> bool:
    journal = JournalReader(path)
    try:
        return journal.end() is not None
    finally:
        journal.close()


# --- refused at the start ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [-1, 2**63, 18446744073709551616])
@pytest.mark.parametrize("command", [("run", "short.yaml"), ("sim", "instrument")])
def test_a_seed_that_no_file_can_keep(
    seed: int, command: tuple[str, ...], short_here: Here, short: Path
) -> None:
    said = refused(short_here(*command, f"--seed={seed}"))
    assert said == f"--seed {seed}: give a whole number from 0 to 2^63 - 1\n"
    assert [path.name for path in short.iterdir()] == ["short.yaml"]


def test_the_largest_seed_is_kept(short_here: Here, short: Path) -> None:
    assert short_here("run", "short.yaml", "--out", "x.h5", f"--seed={2**63 - 1}").code == 0
    with h5py.File(short / "x.h5") as file:
        assert file["entry/environment/seed"][()] == 2**63 - 1


@pytest.mark.parametrize("out", [".", "", "..", "folder", "folder/", "folder/..", "/"])
def test_an_out_that_is_no_file(out: str, short_here: Here, short: Path) -> None:
    (short / "folder").mkdir()
    assert "give the name of a result file" in refused(short_here("run", "short.yaml", "--out", out))


def test_a_folder_that_cannot_be_written_is_refused_before_the_channel_is_opened(
    short_here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/proc/self").exists():
        pytest.skip("a folder that not even root can write")
    from nakctl_sim.driver import driver

    opened: list[object] = []
    monkeypatch.setattr(type(driver), "open", lambda *args: opened.append(args))
    said = short_here("run", "short.yaml", "--out", "/proc/x.h5")
    assert said.code == 1
    assert said.err.startswith("/proc/x.h5 cannot be written: ")
    assert opened == []


@pytest.mark.skipif(os.name != "posix", reason="names of files that are bytes")
@pytest.mark.parametrize(
    "command", [("run", "short.yaml", "--out", "x\udcff.h5"), ("run", "\udcff.yaml"), ("show", "\udcff.h5"),
                ("check", "short.yaml", "\udcff.yaml"), ("run", "short.yaml", "--note", "\udcff")]
)  # fmt: skip
def test_a_name_that_is_no_utf_8(command: tuple[str, ...], short: Path) -> None:
    assert "is no UTF-8" in refused(nakctl(*command, cwd=short))


ABOUT = {
    "title": "a test", "simulated": False, "start_time": "", "sample": {"name": "one", "area_cm2": 1.0},
}  # fmt: skip


@pytest.mark.parametrize(
    ("sealed", "message", "found", "expected"),
    [
        (True, "", {"text": "", "steps": 2, "status": "of others"}, ""),
        (True, "", {}, "its figures could not be read (they were not told): nakctl show x.h5"),
        (True, "", {"trouble": "mine: oops"}, "its figures could not be read (mine: oops): nakctl show x.h5"),
        (True, "kept beside", {}, "kept beside"),
        (False, "no room", {}, "no room"),
    ],
)
def test_what_the_file_tells_never_hides_how_the_run_ended(
    sealed: bool, message: str, found: dict[str, object], expected: str
) -> None:
    """Other packages may draw conclusions, too, under any name."""
    told = report(ABOUT, Finished(Path("x.h5"), sealed, message, found), ENDED, None, ExitCode.DONE)
    assert (told["status"], told.get("message", "")) == ("completed", expected)
    assert told.get("steps") == found.get("steps")


# --- two at once ---------------------------------------------------------------------------------------


def test_two_runs_started_at_once_get_two_names(short: Path) -> None:
    first, second = (Going("run", "short.yaml", "--json", cwd=short, helpers=True) for _ in range(2))
    with first, second:
        reports = [first.end().json, second.end().json]
    assert [report["status"] for report in reports] == ["completed"] * 2
    assert len({report["file"] for report in reports}) == len(list(short.glob("*.h5"))) == 2


def test_a_run_whose_name_was_taken_meanwhile_takes_the_next(
    short: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nakctl.record.recorder import Recorder

    create, taken = Recorder.create, []

    def quicker(path: Path, header: dict[str, object], program: object, **how: Any) -> Recorder:
        assert not how["watched"]  # in virtual time
        if not taken:
            taken.append(path)
            path.write_bytes(b"of another run")
        return create(path, header, program, **how)

    monkeypatch.setattr(Recorder, "create", quicker)
    monkeypatch.chdir(short)
    report = nakctl_here("run", "short.yaml", "--json", capsys=capsys).json
    assert report["file"] == f"{taken[0].stem}_2.h5"
    assert taken[0].read_bytes() == b"of another run"


def test_a_run_that_goes_on_is_told_from_one_that_died(
    short: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("run", "short.yaml", "--set", "rest=1 h", "--speed", "60", "--out", "x.h5")
    with Going(*words, cwd=short, helpers=True):
        until(lambda: samples_in(short / "x.h5") > 5)
        said = refused(nakctl("run", "short.yaml", "--out", "x.h5", cwd=short))
        assert said == "x.h5 is being recorded by another process\n"


# --- what lies around ----------------------------------------------------------------------------------


def test_modules_in_the_folder_of_a_run_are_not_imported(short: Path) -> None:
    for name in ("h5py", "random", "numpy", "typing", "json", "rich", "sqlite3"):
        (short / f"{name}.py").write_text(f"raise SystemExit('hostile {name}')\n", encoding="utf-8")
    assert nakctl_anew("run", "short.yaml", "--speed", "50", "--out", "x.h5", cwd=short).code == 0
    with Going(
        "run", "short.yaml", "--set", "rest=1 h", "--speed", "60", "--out", "y.h5", cwd=short
    ) as going:
        until(lambda: samples_in(short / "y.h5") > 5)
        going.process.kill_all()
        going.process.wait()
    for command in (("recover", "y.h5"), ("show", "x.h5"), ("show", "y.h5")):
        said = nakctl_anew(*command, cwd=short)
        assert (said.code, said.err) == (0, "")
        assert "hostile" not in said.out
    assert math.isclose(h5py.File(short / "y.h5").attrs["sealed"], 1)
