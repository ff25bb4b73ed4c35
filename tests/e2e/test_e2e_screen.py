"""A run is not its terminal: what is shown may freeze, die, or lack a letter, and the run does not notice."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import h5py
import pytest
from command_line import ENVIRONMENT, NAKCTL, Going, Said, helpers_of, nakctl, virtual_instrument
from patience import PATIENCE_s, until
from rigs import RIG
from terminals import Terminal

from nakctl.cli.apart import JOB, SAID, STOP, HasBegun, started
from nakctl.host.detached import Detached
from nakctl.record.registry import known_runs
from nakctl.record.slot import state_of

linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found in /proc")
posix = pytest.mark.skipif(os.name != "posix", reason="signals, pseudo-terminals")
PACED = ("run", "short.yaml", "--set", "rest=1 h", "--speed", "60", "--out", "x.h5")
CTRL_C = "\x03"
ASKED = "Stop the run, leave it running, or go back to it?"

GREEK = """\
nakctl: 1
name: η – Ω, 長
record: {every: 1 s}
limits: {Ewe: [-1 V, 1 V], I: 1 mA, time: 10 h}
steps:
  - rest: 2 s
    label: η at 0.1
finally: rest
"""


def is_sealed(path: Path) -> bool:
    with h5py.File(path, "r") as file:
        return bool(file.attrs["sealed"])


def state(path: Path) -> dict[str, Any]:
    return dict(state_of(path) or {})


def goes_on(path: Path) -> None:
    """For as long as it takes to see that."""
    before = state(path).get("samples", 0)
    until(lambda: state(path).get("samples", 0) > before + 20)


def has_begun(path: Path) -> bool:
    return path.exists()


def has_ended(path: Path) -> bool:
    return not any(run.path == path.resolve() for run in known_runs())


@contextmanager
def on_a_terminal(*command: str, cwd: Path, **more: Any) -> Iterator[Terminal]:
    """Who shows a run, and the run, are gone afterwards."""
    shown = Terminal(*command, cwd=cwd, **more)
    try:
        yield shown
    finally:
        shown.close()
        for run in known_runs():
            if run.path.parent == cwd.resolve():
                with suppress(ProcessLookupError):
                    os.kill(int(state(run.path).get("pid", run.pid)), signal.SIGKILL)


@pytest.fixture
def going(short: Path) -> Iterator[Terminal]:
    """A paced run in the view."""
    with on_a_terminal(*PACED, cwd=short) as shown:
        shown.until(lambda: "samples 2" in shown.text)
        yield shown


def left(shown: Terminal) -> str:
    """What stays on a terminal when the view is left; while it is shown, the view."""
    last = re.split(rb"\x1b\[\?1049[hl]", shown.raw)[-1]
    return last.decode().replace("\r", "").removeprefix("\x1b[?25h")


# --- a terminal --------------------------------------------------------------------------------------------


@posix
def test_ctrl_c_asks_and_each_answer_is_carried_out(going: Terminal, short: Path) -> None:
    shown, path = going, short / "x.h5"
    assert shown.raw.startswith(b"starting the channel sim-sp300 ...\r\n")
    for word in (
        "SIMULATED  A short run: cell NaK50",
        "running   step 1 rest",
        "Ctrl-C asks: stop the run, or",
    ):
        assert word in shown.text
    for _ in range(2):  # to go back is no answer for ever
        shown.type(CTRL_C)
        shown.until(lambda: ASKED in left(shown))
        views = shown.raw.count(b"\x1b[?1049h")
        shown.type("\n")
        shown.until(lambda views=views: shown.raw.count(b"\x1b[?1049h") > views and "samples" in shown.text)
    shown.type(CTRL_C)
    shown.until(lambda: ASKED in left(shown))
    shown.type("leave\n")
    assert shown.end() == 0
    lines = left(shown).splitlines()
    assert lines[0].startswith("SIMULATED  A short run")
    assert lines[-1].endswith("x.h5: it goes on. nakctl watch x shows it, nakctl stop x stops it")
    goes_on(path)
    assert nakctl("stop", "x", cwd=short).code == 0


@posix
@pytest.mark.parametrize("answer", ["s\n", CTRL_C])
def test_to_stop_it_is_an_answer_and_so_is_ctrl_c_twice(answer: str, going: Terminal, short: Path) -> None:
    going.type(CTRL_C)
    going.until(lambda: ASKED in left(going))
    going.type(answer)
    assert going.end() == 130
    lines = left(going).splitlines()
    assert any(line.startswith("aborted: stopped by ") for line in lines)
    assert lines[-2:] == ["the cell is open", "file x.h5"]
    assert is_sealed(short / "x.h5")


@posix
def test_who_insists_is_let_go_and_the_stop_stays_asked(going: Terminal, short: Path) -> None:
    """The run stands still, as on a computer that has more to do, and cannot hear it."""
    os.kill(state(short / "x.h5")["pid"], signal.SIGSTOP)
    going.type(CTRL_C)
    going.until(lambda: ASKED in left(going))
    going.type("s\n")
    going.until(lambda: "is being stopped; Ctrl-C twice more" in going.text)
    going.type(CTRL_C)
    going.until(lambda: "is being stopped; Ctrl-C once more" in going.text)
    going.type(CTRL_C)
    assert going.end() == 130
    assert "THE CELL MAY STILL BE UNDER CURRENT" in left(going).splitlines()[-1]
    os.kill(state(short / "x.h5")["pid"], signal.SIGCONT)
    assert nakctl("wait", "x.h5", cwd=short).code == 130


@linux
def test_ctrl_c_while_the_file_is_sealed_changes_nothing(short: Path) -> None:
    with on_a_terminal("run", "short.yaml", "--speed", "20", "--out", "x.h5", cwd=short) as shown:
        until(lambda: bool(state(short / "x.h5").get("pid")))
        helper = helper_of(state(short / "x.h5")["pid"])
        os.kill(helper, signal.SIGSTOP)
        try:
            shown.until(lambda: "sealing the file ..." in shown.text)
            for _ in range(3):
                views = shown.raw.count(b"\x1b[?1049h")
                shown.type(CTRL_C)
                shown.until(lambda views=views: shown.raw.count(b"\x1b[?1049h") > views)
        finally:
            os.kill(helper, signal.SIGCONT)
        assert shown.end() == 0
        assert ASKED.encode() not in shown.raw
        assert "completed: all steps done" in left(shown)
    assert is_sealed(short / "x.h5")


def helper_of(pid: int) -> int:
    """Who keeps the file of a run readable, and seals it."""
    until(lambda: len(helpers_of(pid, "nakctl.record.live")) == 1)
    return helpers_of(pid, "nakctl.record.live")[0]


@posix
def test_a_frozen_terminal_holds_nothing_up_and_is_told_when_it_goes_on(going: Terminal, short: Path) -> None:
    going.freeze()
    goes_on(short / "x.h5")
    assert nakctl("stop", "x.h5", cwd=short).code == 0
    until(lambda: has_ended(short / "x.h5"))
    assert is_sealed(short / "x.h5")
    assert going.process.poll() is None  # it waits for the terminal
    going.thaw()
    assert going.end() == 130
    assert "aborted: stopped by " in left(going)


@posix
@pytest.mark.parametrize("how", ["SIGHUP", "SIGKILL", "SIGTERM", "SIGTSTP", "closed"])
def test_whatever_becomes_of_who_shows_it(how: str, going: Terminal, short: Path) -> None:
    if how == "closed":
        going.hang_up()
    else:
        going.process.send_signal(getattr(signal, how))
    if how != "SIGTSTP":  # of the view alone: a run that stands still would leave its cell alone
        going.process.wait(PATIENCE_s)
    goes_on(short / "x.h5")
    assert nakctl("stop", "x.h5", cwd=short).code == 0
    until(lambda: has_ended(short / "x.h5"))
    assert is_sealed(short / "x.h5")


@posix
def test_on_an_instrument_the_view_says_how_its_run_goes(short: Path) -> None:
    process, address = virtual_instrument("--speed", "20", "--cell", "randles", cwd=short)
    (short / "rig.yaml").write_text(
        "nakctl-rig: 1\n"
        f'devices: {{bench: {{driver: biologic, model: SP-300, address: "{address}"}}}}\n'
        "channels: {bench/ch1: {device: bench, channel: 1}}\n"
        "cells: {cell-7: {channel: bench/ch1, area: 1 cm2}}\n",
        encoding="utf-8",
    )
    try:
        command = (
            "run",
            "short.yaml",
            "--on",
            "bench/ch1",
            "--speed",
            "20",
            "--set",
            "rest=1 h",
            "--out",
            "x.h5",
        )
        with on_a_terminal(*command, cwd=short) as shown:
            assert b"starting the channel bench/ch1 ..." in (
                shown.until(lambda: bool(shown.raw)) or shown.raw
            )
            shown.until(lambda: "running   step 1 rest" in shown.text)
            assert "on bench/ch1 (SP-300)" in shown.text
            shown.type(CTRL_C)
            shown.until(lambda: ASKED in left(shown))
            shown.type("s\n")
            assert shown.end() == 130
            assert "the cell is open" in left(shown).splitlines()
    finally:
        process.kill()
        process.communicate()


@posix
def test_the_end_of_a_run_that_was_killed_is_told(going: Terminal, short: Path) -> None:
    os.kill(state(short / "x.h5")["pid"], signal.SIGKILL)
    assert going.end() == 3
    assert "its program is gone, and its channel with it: nakctl recover" in left(going)


# --- a start -----------------------------------------------------------------------------------------------


def started_folders() -> list[str]:
    return [path.name for path in Path(tempfile.gettempdir()).glob("nakctl-start-*")]


@pytest.fixture
def no_traces(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing is left in the folder of temporary files, and no run in the list."""
    folder = str(tmp_path_factory.mktemp("temporary"))
    monkeypatch.setattr(tempfile, "tempdir", folder)
    monkeypatch.setitem(ENVIRONMENT, "TMPDIR", folder)
    before = [run.run_id for run in known_runs()]
    yield
    assert started_folders() == []
    assert [run.run_id for run in known_runs()] == before


NOT_THERE = """\
nakctl-rig: 1
devices: {bench: {driver: biologic, model: SP-300, address: "sim://127.0.0.1:9"}}
channels: {bench/ch1: {device: bench, channel: 1}}
cells: {cell-7: {channel: bench/ch1, area: 1 cm2}}
"""


@posix
@pytest.mark.parametrize("more", [(), ("--detach",)])
@pytest.mark.parametrize(
    ("asked", "code", "says"),
    [
        (("--on", "nowhere"), 2, "there is no channel nowhere"),
        (("--on", "bench/ch1"), 3, "BL_Connect: the connection cannot be made"),
        (("--on", "sim-sp300", "--speed", "60"), 2, "x.h5 exists and is not overwritten"),
    ],
)
def test_a_start_that_fails_is_told_and_leaves_nothing(
    asked: tuple[str, ...], code: int, says: str, more: tuple[str, ...], short: Path, no_traces: None
) -> None:
    (short / "rig.yaml").write_text(NOT_THERE, encoding="utf-8")
    (short / "x.h5").write_bytes(b"")
    name = "x.h5" if "sim-sp300" in asked else "y.h5"
    said = anew("run", "short.yaml", *asked, *more, "--out", name, cwd=short)
    assert (said.code, said.out) == (code, ""), said
    assert says in said.err
    assert "Traceback" not in said.err
    assert sorted(path.name for path in short.iterdir()) == ["rig.yaml", "short.yaml", "x.h5"]


def anew(*args: str, cwd: Path) -> Said:
    """With a start of Python, in the environment as it is now."""
    done = subprocess.run(
        [*NAKCTL, *args], cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=PATIENCE_s
    )
    return Said(done.returncode, done.stdout, done.stderr)


@posix
def test_detached_it_says_where_it_is_and_returns_at_once(short: Path, no_traces: None) -> None:
    said = anew(*PACED, "--detach", cwd=short)
    assert (said.code, said.err) == (0, "")
    assert said.out == "x.h5: begun. nakctl watch x shows it, nakctl stop x stops it\n"
    as_json = anew(*PACED[:-1], "y.h5", "--detach", "--json", cwd=short)
    assert as_json.json == {"file": "y.h5", "goes_on": True, "exit_code": 0}
    for name in ("x", "y"):
        goes_on(short / f"{name}.h5")
        assert nakctl("stop", name, cwd=short).code == 0
        until(lambda name=name: has_ended(short / f"{name}.h5"))


def test_of_several_none_is_detached(short: Path) -> None:
    said = nakctl("run", "short.yaml", "--speed", "9", "--each", "rest=1s,2s", "--detach", cwd=short)
    assert (said.code, said.out) == (2, "")
    assert said.err == "--detach starts one run, and --each asks for several\n"
    assert [path.name for path in short.iterdir()] == ["short.yaml"]


# --- who changes his mind ----------------------------------------------------------------------------------


class Runner:
    """Stands for the process of a run: says what it is told to, when somebody has changed his mind."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *says: dict[str, Any]) -> None:
        self.says = says
        self.folder = Path()
        monkeypatch.setattr("nakctl.cli.apart.start_detached", self.start)
        monkeypatch.setattr("nakctl.cli.apart.time.sleep", self.wait)

    def start(self, module: str, folder: str, output: Path) -> Detached:
        self.folder = Path(folder)
        assert json.loads((self.folder / JOB).read_text()) == {"do": "run"}
        return Detached(pid=1)

    def wait(self, seconds: float) -> None:
        if not (self.folder / STOP).exists():
            raise KeyboardInterrupt
        with (self.folder / SAID).open("a") as said:
            said.writelines(json.dumps(each) + "\n" for each in self.says)


@pytest.mark.parametrize(
    ("says", "comes"),
    [
        ({"failed": "interrupted; nothing was started", "code": 130}, KeyboardInterrupt),
        ({"begun": "x.h5"}, HasBegun),
    ],
)
def test_who_changes_his_mind_hears_what_became_of_it(
    says: dict[str, Any], comes: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = Runner(monkeypatch, says)
    with pytest.raises(KeyboardInterrupt) as came:
        started({"do": "run"}, print)
    assert type(came.value) is comes
    assert not runner.folder.exists()


@posix
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_before_it_has_begun_begins_nothing(times: int, short: Path, no_traces: None) -> None:
    """The instrument does not answer, so that takes a while."""
    process, address = virtual_instrument(cwd=short)
    (short / "rig.yaml").write_text(NOT_THERE.replace("sim://127.0.0.1:9", address), encoding="utf-8")
    process.send_signal(signal.SIGSTOP)
    try:
        words = ("run", "short.yaml", "--on", "bench/ch1", "--out", "x.h5")
        with Going(*words, cwd=short, environment={**ENVIRONMENT, "TMPDIR": str(short)}) as going:
            until(lambda: bool(going.process.runners))
            [shared] = short.glob("nakctl-start-*")  # with the process of the run
            going.process.send_signal(signal.SIGINT)
            until(lambda: (shared / STOP).exists() or not shared.exists())
            if times == 2:
                going.process.send_signal(signal.SIGINT)
                until(lambda: not shared.exists())
            process.send_signal(signal.SIGCONT)
            assert going.end().code == 130
            until(lambda: not Path(f"/proc/{going.process.runner}").exists())
        assert not (short / "x.h5").exists()
    finally:
        process.kill()
        process.communicate()


# --- virtual time ------------------------------------------------------------------------------------------


def test_in_virtual_time_there_is_no_further_process(
    short: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*args: object, **more: object) -> None:
        raise AssertionError("a process of its own for a run that cannot be late")

    monkeypatch.setattr("nakctl.cli.run.started", none)
    monkeypatch.chdir(short)
    with pytest.raises(SystemExit) as ended:
        from nakctl.cli.app import app

        app(["run", "short.yaml", "--out", "x.h5"])
    assert ended.value.code == 0
    assert "completed: all steps done" in capsys.readouterr().out


# --- letters -------------------------------------------------------------------------------------------


@pytest.fixture
def greek(tmp_path: Path) -> Path:
    (tmp_path / "greek.yaml").write_text(GREEK, encoding="utf-8")
    (tmp_path / "rig.yaml").write_text(
        RIG.replace("cell-7", "NaK-Ω").replace("0.5 cm2", "0.4418 cm2"), encoding="utf-8"
    )
    return tmp_path


@pytest.mark.parametrize(("encoding", "speed"), [("cp1252", ()), ("ascii", ("--speed", "1"))])
def test_a_letter_that_the_console_lacks_ends_nothing(
    encoding: str, speed: tuple[str, ...], greek: Path
) -> None:
    command = ("run", "greek.yaml", "--on", "left", *speed, "--out", "x.h5")
    done = subprocess.run(
        [*NAKCTL, *command],
        cwd=greek,
        env=ENVIRONMENT | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    said = done.stdout.decode(encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert is_sealed(greek / "x.h5")
    assert "cell NaK-\\u03a9" in said
    assert "step 1 \\u03b7 at 0.1" in said


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_json_is_json_whatever_the_console_can_take(encoding: str, greek: Path) -> None:
    done = subprocess.run(
        [*NAKCTL, "run", "greek.yaml", "--on", "left", "--json"],
        cwd=greek,
        env=ENVIRONMENT | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    told = json.loads(done.stdout.decode("utf-8"))
    assert (told["title"], told["cell"]) == ("SIMULATED η – Ω, 長", "NaK-Ω")
    assert "NaK-Ω" not in told["file"] or sys.getfilesystemencoding() == "utf-8"


def test_a_reader_that_stops_reading_holds_nothing_up(short: Path) -> None:
    """`nakctl run ... | less`, and nobody turns the page."""
    reading, writing = os.pipe()
    filled = b"x" * 65536
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, filled)
    except BlockingIOError:
        os.set_blocking(writing, True)
    with Going("run", "short.yaml", "--speed", "20", "--out", "x.h5", cwd=short, stdout=writing) as going:
        os.close(writing)
        until(lambda: has_begun(short / "x.h5") and has_ended(short / "x.h5"))
        assert is_sealed(short / "x.h5")
        with io.FileIO(reading) as pipe:
            said = pipe.readall().lstrip(b"x").decode()
        assert going.process.wait(PATIENCE_s) == 0
    assert said.splitlines()[-1] == "file x.h5"
