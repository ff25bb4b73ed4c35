"""`nakctl watch`: runs as they are seen from outside. They take no part in it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from command_line import ENVIRONMENT, NAKCTL, Going, Said, nakctl, nakctl_here, refused, samples_in
from fabricated import fabricated, journal, known
from patience import PATIENCE_s, until
from terminals import Terminal

from nakctl.booking.event import Event
from nakctl.cli.report import report_of
from nakctl.cli.screen import follow, watched
from nakctl.cli.screen.canvas import ASCII, BRAILLE
from nakctl.cli.screen.follow import Follower
from nakctl.cli.screen.page import page
from nakctl.cli.screen.watched import Watched
from nakctl.cli.which_run import find_run
from nakctl.record import files, lock, registry
from nakctl.record.slot import state_of

posix = pytest.mark.skipif(os.name != "posix", reason="signals, pseudo-terminals")

LONG = """\
nakctl: 1
name: Long
spectra:
  coarse: {kind: peis, amplitude: 10 mV, from: 1 kHz, to: 10 Hz, per_decade: 3}
record: {every: 1 s}
limits: {Ewe: [-5 V, 5 V], I: 1 mA, time: 10 h}
steps:
  - peis: coarse
  - repeat: 500
    steps:
      - strip: 10 uA
        for: 20 s
      - plate: 10 uA
        for: 20 s
finally: rest
"""
PACED = ("run", "long.yaml", "--speed", "50", "--out", "x.h5", "--quiet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "long.yaml").write_text(LONG, encoding="utf-8")
    return tmp_path


@pytest.fixture
def paced(folder: Path) -> Iterator[Going]:
    """A run that goes on for hours, fifty times as fast."""
    with Going(*PACED, cwd=folder) as going:
        until(lambda: (state_of(folder / "x.h5") or {}).get("samples", 0) > 60)
        yield going


@contextmanager
def terminal(*args: Any, **more: Any) -> Iterator[Terminal]:
    one = Terminal(*args, **more)
    try:
        yield one
    finally:
        one.close()


def looked(path: Path, ready: Callable[[Watched], bool]) -> Watched:
    """A run, once that is seen of it."""
    seen = Watched(find_run(str(path)))

    def is_ready() -> bool:
        seen.look()
        return ready(seen)

    until(is_ready)
    return seen


# --- a run that goes on -------------------------------------------------------------------------------------


@posix
def test_on_a_terminal_of_any_size_until_ctrl_c(paced: Going, folder: Path) -> None:
    with terminal("watch", "x.h5", cwd=folder) as shown:
        shown.until(lambda: "cycle" in shown.text and "Z from 1 kHz to 10 Hz" in shown.text)
        text = shown.text
        for word in (
            "SIMULATED  Long: cell NaK50, 0.4418 cm2, on sim-sp300 (SP-300)", "running   step 2.", " of 500",
            "Ewe +0.0", " mAh/cm2", "samples ", "spectra 1", "last row now", "nearest ", "   [", " left",
            "without the PC: Ewe below -5 V, Ewe above 5 V", "Ewe/mV", "I/uA", "Re ", "-Im to",
            "Ctrl-C ends this view, and no run",
        ):  # fmt: skip
            assert word in text, text
        assert any("⠉" in line or "⣀" in line for line in shown.lines)
        for columns, lines in ((60, 20), (140, 40)):
            shown.resize(columns, lines)
            shown.until(lambda lines=lines: "Ctrl-C ends" in shown.lines[lines - 1] and "I/uA" in shown.text)
            assert shown.lines[0].startswith("SIMULATED  Long"), shown.text
            assert ("Z from" in shown.text) == (columns > 74)
        assert shown.end(signal.SIGINT) == 130
        assert b"\x1b[?1049h" in shown.raw and shown.raw.count(b"\x1b[?1049l") == 1
        left = shown.raw.rpartition(b"\x1b[?1049l")[2].decode()
        assert "running" in left and str(folder / "x.h5") in left
    before = samples_in(folder / "x.h5")
    until(lambda: samples_in(folder / "x.h5") > before)


@posix
@pytest.mark.parametrize(("encoding", "term"), [("ascii", "xterm"), ("cp1252", "xterm"), ("utf-8", "dumb")])
def test_on_poor_terminals(encoding: str, term: str, paced: Going, folder: Path) -> None:
    with terminal("watch", cwd=folder, PYTHONIOENCODING=encoding, TERM=term, NO_COLOR="1") as shown:
        wanted = "running | step 2." if term == "dumb" else "Z from 1 kHz"
        shown.until(lambda: wanted in shown.text)
        assert shown.raw.decode(encoding).isascii()
        assert (b"\x1b" in shown.raw) == (term != "dumb")
        assert b"\x1b[3" not in shown.raw  # no colour
        if term != "dumb":
            assert any("''" in line or ".." in line for line in shown.lines)
        assert shown.end(signal.SIGINT) == 130


@posix
def test_a_terminal_that_stands_still_is_drawn_again_when_it_goes_on(paced: Going, folder: Path) -> None:
    import termios

    with terminal("watch", "x.h5", cwd=folder) as shown:
        shown.until(lambda: "running" in shown.text)
        termios.tcflow(shown.follower, termios.TCOOFF)
        samples = samples_in(folder / "x.h5")
        until(lambda: samples_in(folder / "x.h5") > samples + 100)
        termios.tcflow(shown.follower, termios.TCOON)
        drawn = len(shown.raw)
        shown.until(lambda: len(shown.raw) > drawn + 2000)
        assert shown.end(signal.SIGINT) == 130


@posix
def test_plain_lines_to_the_end_of_the_run(paced: Going, folder: Path) -> None:
    with Going("watch", "x.h5", cwd=folder) as view:
        assert view.process.stdout is not None
        lines = [view.process.stdout.readline().rstrip() for _ in range(3)]
        assert lines[0] == "SIMULATED  Long: cell NaK50, 0.4418 cm2, on sim-sp300 (SP-300)"
        assert lines[1] == f"recording into {folder / 'x.h5'}"
        assert lines[2].startswith("running | step 2.")
        assert nakctl("stop", "x.h5", cwd=folder).code == 0
        said = view.end()
    assert (said.code, said.err) == (0, "")
    assert paced.process.wait(PATIENCE_s) == 130
    lines = said.out.splitlines()
    assert any("note: " in line and "asks: stop" in line for line in lines)
    assert any("ALARM: stopped by " in line for line in lines)
    assert any(line.startswith("aborted: stopped by ") for line in lines)
    assert lines[-2:] == ["the cell is open", f"file {folder / 'x.h5'}"]
    assert len(lines) == len(set(lines))  # nothing twice
    again = nakctl("watch", "x.h5", cwd=folder)
    assert (again.code, again.out.splitlines()[-1]) == (0, lines[-1])
    assert "aborted: stopped by " in again.out


@posix
def test_who_reads_no_further_ends_the_view(paced: Going, folder: Path) -> None:
    view = subprocess.Popen(
        [*NAKCTL, "watch", "x.h5"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    assert view.stdout is not None and view.stderr is not None
    with view.stdout, view.stderr:
        view.stdout.readline()
        view.stdout.close()
        nakctl("note", "x.h5", "something to say", cwd=folder)
        assert view.wait(PATIENCE_s) == 0
        assert view.stderr.read() == b""
    assert paced.process.poll() is None


@posix
def test_one_that_hangs_one_that_goes_on_and_one_that_was_killed(paced: Going, folder: Path) -> None:
    path = folder / "x.h5"
    os.kill(paced.process.runner, signal.SIGSTOP)
    seen = looked(path, lambda seen: seen.health.word == "HUNG")
    assert any("has not moved for" in line for line, _ in page(seen, 80, 24, ASCII))
    os.kill(paced.process.runner, signal.SIGCONT)

    def goes_on() -> bool:
        seen.look()
        return seen.health.word == "running"

    until(goes_on)
    words = [text.partition(":")[0] for _, text in seen.news()]  # between them how late its rounds were
    assert [word for word in words if word in ("HUNG", "running again")] == ["HUNG", "running again"]
    os.kill(paced.process.runner, signal.SIGKILL)
    dead = looked(path, lambda seen: seen.is_over)
    assert dead.end[0].startswith(
        f"DEAD: its program is gone, and its channel with it: nakctl recover {path}"
    )
    assert dead.report is None
    assert list(dead.trace.bins(0))  # what it had recorded is shown all the same


@posix
def test_the_rows_that_are_shown_are_those_of_the_file(paced: Going, folder: Path) -> None:
    from nakctl import open as open_run
    from nakctl.record.tail import Tail

    path = folder / "x.h5"
    tail, rows = Tail(path), []
    until(lambda: rows.extend(tail.look(True).rows) or len(rows) > 200)
    nakctl("stop", "x.h5", cwd=folder)
    paced.process.wait(PATIENCE_s)
    with open_run(path) as run:
        whole = list(zip(*(run.samples[name].tolist() for name in ("time", "Ewe", "I")), strict=True))
        f_Hz, Z_ohm = run.spectrum(1)
    assert sorted(rows) == whole[: len(rows)]
    assert tail.spectrum == tuple(zip(f_Hz.tolist(), Z_ohm.real.tolist(), Z_ohm.imag.tolist(), strict=True))


@posix
def test_a_view_can_be_left_and_entered_again_and_says_nothing_if_it_shall_not(
    paced: Going, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    view = Follower([find_run(str(folder / "x.h5"))], "nothing")
    with pytest.raises(KeyboardInterrupt), view:
        assert view.look()
        view.draw()
        raise KeyboardInterrupt
    paced.process.send_signal(signal.SIGINT)
    with view:
        while view.look():
            view.draw()
            view.pause()
    (report,) = view.reports
    assert (report["status"], report["exit_code"], report["sealed"]) == ("aborted", 130, True)
    assert capsys.readouterr().out == ""


# --- the end of a run, from its files -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "more", [(), ("--set", "current=2 mA"), ("--set", "rest=0.5 s"), ("--on", "sim-vmp3", "--note", "ä")]
)
def test_its_files_tell_what_its_program_told(more: tuple[str, ...], short: Path) -> None:
    protocol = (short / "short.yaml").read_text(encoding="utf-8")
    (short / "short.yaml").write_text(protocol.replace("I: 1 mA", "I: 10 mA").replace("[-1 V,", "[-9 V,"))
    said = nakctl("run", "short.yaml", "--out", "x.h5", "--json", *more, cwd=short)
    told = report_of(short / "x.h5")
    assert json.loads(json.dumps(told | {"file": "x.h5"}, default=str).replace("NaN", "null")) == said.json
    if "current=2 mA" in more:
        assert said.json["status"] == "stopped"


def test_of_one_that_is_not_sealed_its_journal_tells(runs: Path) -> None:
    path = runs / "a.h5"
    end = {
        "status": "interrupted", "end_reason": "the link is down", "exit_code": 3, "cell_open": False,
        "hangs": True, "error": "it does not answer", "end_kind": "trouble", "end_id": 0, "end_value": None,
    }  # fmt: skip
    journal(path, known(path), end)
    told = report_of(path)
    assert (told["sealed"], told["exit_code"], told["status"]) == (False, 3, "interrupted")
    assert told["cell_state"].startswith("unknown: a call of the channel")
    assert told["message"] == f"not sealed: nakctl recover {path}"
    seen = Watched(known(path))
    seen._sealing.seen, seen._sealing.since = (0, 0), time.monotonic() - 3600
    seen.look()
    assert seen.is_over
    assert seen.end == (
        "interrupted: the link is down", "error: it does not answer", "THE CELL MAY STILL BE UNDER CURRENT",
        f"not sealed: nakctl recover {path}", f"unsealed file {path}",
    )  # fmt: skip


# --- fabricated runs ----------------------------------------------------------------------------------------


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(registry.FOLDER_VARIABLE, str(tmp_path / "runs"))
    return tmp_path


def test_where_none_runs(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def here(*args: str) -> Said:
        return nakctl_here(*args, capsys=capsys)

    with fabricated(runs / "a.h5", held=False):
        said = here("watch")
    assert (said.code, said.out) == (0, "no run is going on; nakctl status tells of those that were left\n")
    assert "no such run" in refused(here("watch", "nobody"))
    assert "give a number above 0" in refused(here("watch", "--minutes", "0"))


@pytest.mark.parametrize("letters", [BRAILLE, ASCII])
@pytest.mark.parametrize("width", [20, 60, 74, 80, 200])
def test_a_page_is_never_larger_than_its_room(width: int, letters: Any, runs: Path) -> None:
    nearest = {"text": "Ewe above 3 V", "kind": "limit", "quantity": "Ewe", "left": 0.05, "part": 0.05}
    bench = [f"sensor-{k} {k}.5 MPa" for k in range(9)]
    alarm = {"alarm": {"code": "link", "text": "it does not answer"}, "alarm_unix_s": time.time() - 7200}
    with fabricated(runs / "a.h5", nearest=nearest, bench=bench, point=[10.0, 150.0], **alarm) as run:
        seen = Watched(run)
        seen.look()
        seen.trace.add((float(k), 0.1 * k, 1e-5) for k in range(100))
        seen.tail.spectrum = ((1e3, 10.0, -1.0), (1e2, 20.0, -10.0), (1e1, 30.0, -1.0))
        for height in range(1, 60):
            lines = [line for line, _ in page(seen, width, height, letters)]
            assert len(lines) <= height
            assert max(map(len, lines)) <= width
            assert lines[0].startswith("Strip and plate")
        text = "\n".join(lines) if width >= 60 else ""
        for word in (
            "sensor-8 8.5 MPa",
            "nearest limit: Ewe above 3 V",
            "50 mV",
            "Ewe/V",
            "I/uA",
            "Z from",
            "150 ohm",
            "last alarm, 2 h ago: it does not answer",
        ):
            assert word in text or not text
        assert "[###################-]" in text or width < 40


def test_nothing_that_was_told_moves_the_terminal_or_grows_without_bounds(runs: Path) -> None:
    with fabricated(runs / "a.h5") as run:
        seen = Watched(run)
        for k in range(5000):
            seen._tell(Event(float(k), 1, "note", 0, "a\x1b[2Jb\nc\x07"))
        assert len(seen.said) == watched.KEPT
        assert seen.said[-1] == (1, "1 h 23 min  note: a [2Jb c ")
        assert len(seen.news()) == watched.WAITING
        assert seen.news() == []


def test_a_state_of_an_older_version_is_shown_as_far_as_it_goes(runs: Path) -> None:
    with fabricated(runs / "a.h5") as run:
        seen = Watched(run)
        seen.look()
        text = "\n".join(line for line, _ in page(seen, 100, 24, ASCII))
    assert "Strip and plate: cell NaK0, 0.5 cm2, on bench-0" in text
    assert "1 h so far, until a cutoff" in text


@posix
def test_several_runs_share_a_terminal(runs: Path) -> None:
    later_s = time.monotonic() + 3600  # nobody tells anything while the test runs
    with ExitStack() as stack:
        for k in range(7):
            stack.enter_context(fabricated(runs / f"run-{k}.h5", k, told_monotonic_s=later_s))
        with terminal("watch", cwd=runs) as shown:
            shown.until(lambda: "and 3 more: nakctl status" in shown.text)
            for k in range(7):
                assert (f"on bench-{k}" in shown.text) == (k < 4), shown.text
            shown.resize(100, 50)
            shown.until(lambda: "on bench-6" in shown.text)
            assert shown.end(signal.SIGINT) == 130


def test_one_whose_program_died_may_find_a_successor(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with fabricated(runs / "a.h5", told_monotonic_s=time.monotonic() + 3600) as run:
        seen = Watched(run)
        seen.look()
        assert seen.health.word == "running"
        registry_lock = files.lock_of(run.path)
        held = lock.hold(runs / "other.lock")
        monkeypatch.setattr(watched, "look", lambda run: _look_without_lock(run))
        seen.look()
        assert seen.health.word == "DEAD" and not seen.is_over
        assert [text.partition(":")[0] for _, text in seen.news()] == ["DEAD"]
        monkeypatch.undo()
        monkeypatch.setenv(registry.FOLDER_VARIABLE, str(runs / "runs"))
        seen.look()
        assert [text for _, text in seen.news()] == ["taken over"]
        held.close()
        assert lock.is_held(registry_lock)
    monkeypatch.setattr(watched, "DEAD_FOR_s", 0.0)
    seen._was_live = False
    seen.look()
    assert seen.is_over


def _look_without_lock(run: Any) -> Any:
    from dataclasses import replace

    from nakctl.cli.health import look

    return replace(look(run), held=False)


def test_it_loads_no_numpy_while_a_run_goes_on(runs: Path) -> None:
    code = (
        "import atexit, sys\n"
        "heavy = ('numpy', 'h5py', 'yaml', 'matplotlib', 'nakctl.cli.prepare')\n"
        "atexit.register(lambda: print('loaded', [name for name in heavy if name in sys.modules]))\n"
        "from nakctl.cli.screen import follow\n"
        "def enough(self): raise KeyboardInterrupt\n"
        "follow.Follower.pause = enough\n"
        "sys.argv = ['nakctl', 'watch']\n"
        "from nakctl.cli import main\nmain()"
    )
    with fabricated(runs / "a.h5"):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=runs, timeout=PATIENCE_s
        )
    assert done.returncode == 130, done.stderr
    assert "Strip and plate" in done.stdout
    assert done.stdout.endswith("loaded []\n")
    assert follow.EVERY_s > 0.2
