"""The screen may freeze, die, or lack a letter: the run does not notice, and its end comes soon and is told."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import h5py
import pytest
from command_line import ENVIRONMENT, NAKCTL, Going, helpers_of, samples_in, until
from nakctl.cli.screen.mailbox import ALARM, PLAIN, WARNING, Mail, Mailbox
from nakctl.cli.screen.remote_screen import RESTARTS
from rigs import RIG

VIEWER = "nakctl.cli.screen.screen_process"
linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found in /proc")
terminals = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals")
PACED = ("run", "short.yaml", "--set", "rest=1 h", "--speed", "60", "--out", "x.h5")

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


class Terminal:
    """A terminal with a run on it; what it shows is read in the end."""

    def __init__(self, folder: Path, *args: str) -> None:
        import pty

        self.leader, self.follower = pty.openpty()
        self.process = subprocess.Popen(
            [*NAKCTL, *args],
            cwd=folder,
            env=ENVIRONMENT | {"TERM": "xterm-256color", "LINES": "24", "COLUMNS": "80"},
            stdin=self.follower,
            stdout=self.follower,
            stderr=self.follower,
        )
        until(lambda: samples_in(folder / "x.h5") > 5)

    @property
    def viewer(self) -> int:
        until(lambda: len(helpers_of(self.process.pid, VIEWER)) == 1)
        return helpers_of(self.process.pid, VIEWER)[0]

    def freeze(self) -> None:
        """As Ctrl-S does."""
        import termios

        termios.tcflow(self.follower, termios.TCOOFF)

    def thaw(self) -> None:
        import termios

        termios.tcflow(self.follower, termios.TCOON)

    def shown(self) -> str:
        """Everything, once nobody can write any more."""
        os.close(self.follower)
        with io.FileIO(self.leader) as leader:
            shown = b""
            while True:
                try:
                    shown += leader.read(4096)
                except OSError:  # the last writer is gone
                    return shown.decode()

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@pytest.fixture
def terminal(short: Path) -> Iterator[Terminal]:
    with_run = Terminal(short, *PACED)
    yield with_run
    if with_run.process.poll() is None:
        with_run.process.kill()
        with_run.process.wait()


def is_sealed(path: Path) -> bool:
    with h5py.File(path, "r") as file:
        return bool(file.attrs["sealed"])


@linux
@terminals
def test_a_frozen_terminal_holds_nothing_up_and_is_told_when_it_goes_on(
    terminal: Terminal, short: Path
) -> None:
    viewer = terminal.viewer
    terminal.freeze()
    before = samples_in(short / "x.h5")
    until(lambda: samples_in(short / "x.h5") > before + 20)
    assert terminal.end() == 130
    assert is_sealed(short / "x.h5")
    assert Path(f"/proc/{viewer}").exists()  # it waits for the terminal
    terminal.thaw()
    shown = terminal.shown()
    assert "aborted: stopped by the operator" in shown
    assert shown.rstrip().endswith("file x.h5")


@linux
@terminals
def test_a_viewer_that_was_killed_comes_back(terminal: Terminal) -> None:
    first = terminal.viewer
    os.kill(first, signal.SIGKILL)
    until(lambda: helpers_of(terminal.process.pid, VIEWER) not in ([], [first]))
    assert terminal.end() == 130
    shown = terminal.shown()
    assert shown.rstrip().endswith("file x.h5")
    assert shown.count("aborted: stopped by the operator") == 1


@linux
@terminals
@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_if_the_viewer_cannot_tell_the_end_the_run_does(terminal: Terminal, how: int) -> None:
    for _ in range(1 + RESTARTS if how == signal.SIGKILL else 1):
        viewer = terminal.viewer
        os.kill(viewer, how)
        until(lambda viewer=viewer: how == signal.SIGSTOP or not Path(f"/proc/{viewer}").exists())
    assert terminal.end() == 130
    assert terminal.shown().rstrip().endswith("file x.h5")


@linux
@terminals
def test_the_viewer_says_so_if_the_run_is_killed(terminal: Terminal) -> None:
    viewer = terminal.viewer
    terminal.process.kill()
    terminal.process.wait()
    until(lambda: not Path(f"/proc/{viewer}").exists())
    assert "nobody watches the cell: nakctl recover x.h5" in terminal.shown()


@linux
@terminals
def test_ctrl_z_does_not_leave_the_cell_alone(terminal: Terminal, short: Path) -> None:
    terminal.process.send_signal(signal.SIGTSTP)
    before = samples_in(short / "x.h5")
    until(lambda: samples_in(short / "x.h5") > before + 20)
    assert terminal.end() == 130


@linux
def test_in_virtual_time_there_is_no_further_process(
    short: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from nakctl.cli.screen import remote_screen

    def none(*args: object) -> None:
        raise AssertionError("a process of its own for a screen that cannot be late")

    monkeypatch.setattr(remote_screen, "Remote", none)
    monkeypatch.setattr("nakctl.cli.screen.run_screen.Remote", none)
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


@pytest.mark.parametrize(("encoding", "speed"), [("cp1252", ()), ("ascii", ("--speed", "5"))])
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


# --- between the run and its screen --------------------------------------------------------------------


def test_of_states_the_last_one_counts_and_of_sentences_none_is_lost() -> None:
    box = Mailbox()
    for k in range(50):
        box.put(Mail(said=((WARNING, f"note {k}"),), state=lambda k=k: [f"state {k}"]))
    box.put(Mail(busy="sealing"))
    mail = box.take()
    assert mail is not None
    assert [text for _, text in mail.said] == [f"note {k}" for k in range(50)]
    assert (mail.dropped, mail.state, mail.busy) == (0, None, "sealing")
    assert box.take(wait=False) is None


def test_alarms_stay_when_there_is_no_room_and_what_went_is_counted() -> None:
    box = Mailbox(most=3)
    box.put(Mail(said=((ALARM, "first"),)))
    for k in range(10):
        box.put(Mail(said=((PLAIN, f"note {k}"),)))
    box.put(Mail(said=((ALARM, "last"),), dropped=5))
    mail = box.take()
    assert mail is not None
    assert [text for _, text in mail.said] == ["first", "note 9", "last"]
    assert mail.dropped == 9 + 5


@pytest.mark.parametrize(
    "mail",
    [
        Mail(),
        Mail(((ALARM, "Ω\n\ud800"),), 3, None, "busy", ("a", "")),
        Mail(state=lambda: ["1", "2"], end=()),
    ],
)
def test_mail_arrives_as_it_was_sent(mail: Mail) -> None:
    line = mail.line()
    assert line.isascii() and line.count("\n") == 1
    came = Mail.from_line(line)
    assert (came.said, came.dropped, came.busy, came.end) == (mail.said, mail.dropped, mail.busy, mail.end)
    assert (came.state and came.state()) == (mail.state and mail.state())


def test_a_closed_box_is_emptied_first() -> None:
    box = Mailbox()
    box.put(Mail(end=("the end",)))
    box.close()
    mail = box.take()
    assert mail is not None and mail.end == ("the end",)
    assert box.take() is None


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
        assert going.process.wait(60) == 0
        assert is_sealed(short / "x.h5")
        with io.FileIO(reading) as pipe:
            said = pipe.readall().lstrip(b"x").decode()
    assert said.splitlines()[-1] == "file x.h5"
