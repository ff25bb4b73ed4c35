"""`nakctl stop`, `note` and `wait`: a run is asked from another terminal."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from command_line import Going, nakctl, samples_in, virtual_instrument
from patience import until

from nakctl import open as open_run
from nakctl.record import asked, files
from nakctl.record.asked import who_asks

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes that are killed")

SIX = """\
nakctl: 1
name: Six steps
spectra:
  coarse: {kind: peis, amplitude: 10 mV, from: 1 kHz, to: 10 Hz, per_decade: 3}
record: {every: 1 s}
limits: {Ewe: [-5 V, 5 V], I: 1 mA, time: 10 h}
steps:
  - rest: 30 s
  - repeat: 500
    steps:
      - strip: 10 uA
        for: 20 s
      - plate: 10 uA
        for: 20 s
      - peis: coarse
finally: rest
"""
RIG = """\
nakctl-rig: 1
devices:
  gb: {{driver: biologic, model: SP-300, address: "{address}"}}
channels:
  ch1: {{device: gb, channel: 1}}
cells:
  one: {{channel: ch1, area: 1 cm2, working: a, counter: b, reference: b}}
"""
REAL = """\
nakctl: 1
name: Real time
record: {every: 0.1 s}
limits: {Ewe: [-5 V, 5 V], I: 1 mA, time: 1 h}
steps:
  - repeat: 1000
    steps:
      - strip: 10 uA
        for: 3 s
      - rest: 3 s
finally: rest
"""


@pytest.fixture
def paced(tmp_path: Path) -> Iterator[Going]:
    """A run on sim-sp300 that goes on for hours, fifty times as fast."""
    (tmp_path / "six.yaml").write_text(SIX, encoding="utf-8")
    with Going(
        "run", "six.yaml", "--speed", "50", "--out", "x.h5", "--json", cwd=tmp_path, helpers=True
    ) as going:
        until(lambda: samples_in(tmp_path / "x.h5") > 5)
        yield going


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Going]:
    """A run through the driver, on a virtual instrument that is a process of its own."""
    process, address = virtual_instrument("--cell", "1=randles", cwd=tmp_path)
    try:
        (tmp_path / "rig.yaml").write_text(RIG.format(address=address), encoding="utf-8")
        (tmp_path / "real.yaml").write_text(REAL, encoding="utf-8")
        with Going(
            "run", "real.yaml", "--on", "ch1", "--out", "x.h5", "--json", cwd=tmp_path, helpers=True
        ) as going:
            until(lambda: samples_in(tmp_path / "x.h5") > 5)
            yield going
    finally:
        process.kill()
        process.communicate()


def events(path: Path, code: str) -> list[str]:
    with open_run(path) as run:
        found = zip(run.events.code, run.events.message, strict=True)
        return [str(message) for each, message in found if each == code]


def test_a_stop_from_another_terminal_is_told_with_what_became_of_the_cell(
    paced: Going, tmp_path: Path
) -> None:
    said = nakctl("stop", "x.h5", "--json", cwd=tmp_path)
    assert said.code == 0, said
    assert said.json["cell_open"] is True
    assert said.json["text"].startswith("stopped by ")
    report = paced.end()
    assert report.code == 130
    assert report.json["status"] == "aborted"
    assert report.json["end_kind"] == "operator"
    assert report.json["end_reason"] == said.json["text"].removesuffix("; the cell is open")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["six.yaml", "x.h5"]
    assert len(events(tmp_path / "x.h5", "asked")) == 1
    again = nakctl("stop", "x.h5", cwd=tmp_path)
    assert again.code == 0
    assert "the cell is open" in again.out


@pytest.mark.parametrize("after", ["step", "cycle", "spectrum"])
def test_a_stop_at_a_boundary(after: str, paced: Going, tmp_path: Path) -> None:
    said = nakctl("stop", "x.h5", "--after", after, cwd=tmp_path)
    assert said.code == 0, said
    assert f"the run will end after {after}" in said.out
    report = paced.end()
    assert report.code == 130
    assert report.json["status"] == "aborted"
    assert f" after {after} " in report.json["end_reason"]
    with open_run(tmp_path / "x.h5") as run:
        kinds = [str(kind) for kind in run.steps.end_kind]
        complete = np.asarray(run.spectra.complete)
    assert kinds[:-1] == ["duration"] * (len(kinds) - 1)
    if after == "spectrum":  # a busy machine may ask later than in the first cycle
        assert report.json["end_reason"].endswith(f" after spectrum {len(complete)}")
        assert complete.all()


def test_a_stop_that_waits_is_taken_back(short: Path) -> None:
    with Going(
        "run", "short.yaml", "--set", "rest=5 h", "--speed", "60", "--out", "x.h5", cwd=short, helpers=True
    ) as going:
        until(lambda: samples_in(short / "x.h5") > 5)
        said = nakctl("stop", "x.h5", "--after", "step", cwd=short)
        assert "after step 1 rest" in said.out
        assert "goes on as planned" in nakctl("stop", "x.h5", "--withdraw", cwd=short).out
        assert "was not to end" in nakctl("stop", "x.h5", "--withdraw", cwd=short).out
        going.end(signal.SIGINT)
    with open_run(short / "x.h5") as run:
        assert run.header.end_reason == f"stopped by {who_asks()}"


def test_a_note_and_a_wait(paced: Going, tmp_path: Path) -> None:
    assert nakctl("note", "x.h5", "die Lampe ist grün", cwd=tmp_path).code == 0
    early = nakctl("wait", "x.h5", "--timeout", "0.5", cwd=tmp_path)
    assert early.code == 1
    assert "it goes on" in early.err
    with Going("wait", "x.h5", cwd=tmp_path) as waiting:
        assert nakctl("stop", "x.h5", cwd=tmp_path).code == 0
        said = waiting.end()
    assert said.code == paced.end().code == 130
    assert "aborted: stopped by" in said.out
    [message] = events(tmp_path / "x.h5", "note")
    assert message.endswith(": die Lampe ist grün")
    late = nakctl("note", "x.h5", "too late", cwd=tmp_path)
    assert late.code == 2
    assert "has ended" in late.err


@pytest.mark.parametrize("command", [("wait", "x.h5"), ("note", "x.h5", "text")], ids=str)
def test_of_a_run_whose_program_is_gone_it_is_said(
    command: tuple[str, ...], paced: Going, tmp_path: Path
) -> None:
    paced.process.kill_all()
    paced.end()
    left = files.asked_of(tmp_path / "x.h5")
    assert left.is_dir()
    said = nakctl(*command, cwd=tmp_path)
    assert said.code == 3
    assert "its channel may go on by itself" in said.err
    assert "Traceback" not in said.err
    assert nakctl("stop", "x.h5", cwd=tmp_path).code == 0  # a simulated channel died with it
    assert not left.exists()


def test_a_mailbox_full_of_noise_and_then_removed(paced: Going, tmp_path: Path) -> None:
    """Nothing of it reaches the run but a line that says so; what is asked afterwards is heard."""
    folder, path = files.asked_of(tmp_path / "x.h5"), tmp_path / "x.h5"
    for number in range(200):
        (folder / f"request-{number}.request").write_bytes(os.urandom(64))
        asked.put(path, asked.new_request("note", text=f"number {number}"))
    os.mkfifo(folder / "request-pipe.request")
    until(lambda: not list(asked.lying_in(path)))
    shutil.rmtree(folder, ignore_errors=True)
    said = nakctl("stop", "x.h5", cwd=tmp_path)
    assert said.code == 0, said
    assert paced.end().code == 130
    assert any("refused" in message for message in events(path, "requests"))
    assert 0 < len(events(path, "note")) <= 200


def test_a_request_that_says_nothing_sensible_is_refused_with_an_answer(paced: Going, tmp_path: Path) -> None:
    forged = asked.Request("forged-request", "stop", {"after": "lunch"}, "eve@elsewhere", "never")
    path = tmp_path / "x.h5"
    written = tmp_path / "forged-request"
    written.write_text(json.dumps(asdict(forged)))
    written.rename(files.asked_of(path) / "forged-request.request")  # whole, as all that is put there
    until(lambda: asked.answer_to(path, "forged-request") is not None)
    answer = asked.answer_to(path, "forged-request")
    assert answer is not None
    assert answer.state == "refused"
    paced.end(signal.SIGINT)


def test_in_virtual_time_there_is_no_mailbox(tmp_path: Path) -> None:
    (tmp_path / "six.yaml").write_text(SIX.replace("repeat: 500", "repeat: 2"), encoding="utf-8")
    said = nakctl("run", "six.yaml", "--out", "x.h5", "--quiet", cwd=tmp_path)
    assert said.code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["six.yaml", "x.h5"]
    assert nakctl("wait", "x.h5", cwd=tmp_path).code == 0
    stopped = nakctl("stop", "x.h5", cwd=tmp_path)
    assert stopped.code == 0
    assert "completed: all steps done; the cell is open" in stopped.out


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("stop", "y.h5"), "no such run"),
        (("wait", "y.h5"), "no such run"),
        (("stop", "x.h5", "--after", "lunch"), "One of step, cycle, spectrum"),
        (("stop", "x.h5", "--after", "step", "--withdraw"), "give one of them"),
        (("note", "x.h5", ""), "empty"),
        (("note", "x.h5", "x" * 300), "make two of it"),
        (("wait", "x.h5", "--timeout", "-1"), "give a number of seconds"),
    ],
)
def test_slips(command: tuple[str, ...], says: str, over: Path) -> None:
    said = nakctl(*command, cwd=over)
    assert said.code == 2, said
    assert says in said.err
    assert "Traceback" not in said.err


def test_on_an_instrument_a_stop_after_the_cycle(real: Going, tmp_path: Path) -> None:
    assert nakctl("note", "x.h5", "seen", cwd=tmp_path).code == 0
    said = nakctl("stop", "x.h5", "--after", "cycle", cwd=tmp_path)
    assert said.code == 0, said
    report = real.end()
    assert report.code == 130
    assert " after cycle " in report.json["end_reason"]
    with open_run(tmp_path / "x.h5") as run:
        last = run.steps
        lasted_s = float(last.t_end[-1]) - float(last.t_start[-1])
        kinds = [str(kind) for kind in last.end_kind]
    assert len(kinds) % 2 == 1  # whole cycles, and the next one for a moment
    assert kinds[-1] == "operator"
    assert kinds[:-1] == ["duration"] * (len(kinds) - 1)
    assert lasted_s < 3.0


def test_on_an_instrument_a_pause_and_a_death_in_the_next_one(real: Going, tmp_path: Path) -> None:
    """The chain that is loaded anew is what was left, with the rows of its words; a cell that is open stays so."""
    now = nakctl("pause", "x.h5", "--now", cwd=tmp_path)
    assert (now.code, "the cell is open" in now.out) == (0, True), now
    assert nakctl("resume", "x.h5", cwd=tmp_path).code == 0
    count = samples_in(tmp_path / "x.h5")
    until(lambda: samples_in(tmp_path / "x.h5") > count + 5)
    assert nakctl("skip", "x.h5", cwd=tmp_path).code == 0
    count = samples_in(tmp_path / "x.h5")
    until(lambda: samples_in(tmp_path / "x.h5") > count + 5)
    assert nakctl("pause", "x.h5", "--now", cwd=tmp_path).code == 0
    real.process.kill_all()
    real.end()
    assert nakctl("stop", "x.h5", cwd=tmp_path).code == 0
    with open_run(tmp_path / "x.h5") as run:
        kinds = [str(kind) for kind in run.steps.end_kind]
        before = np.asarray(run.samples.Q)
    assert kinds.count("skipped") == 1
    assert kinds[-1] == "operator"
    again = nakctl("recover", "--again", "x.h5", cwd=tmp_path)
    assert "rows made anew from the instrument's words: none differs" in again.out + again.err
    with open_run(tmp_path / "x.h5") as run:
        assert np.array_equal(run.samples.Q, before)


def test_on_an_instrument_a_stop_at_once(real: Going, tmp_path: Path) -> None:
    said = nakctl("stop", "x.h5", cwd=tmp_path)
    assert said.code == 0, said
    assert "the cell is open" in said.out
    assert real.end().code == 130


def test_rows_are_those_of_a_run_that_nobody_disturbed(short: Path) -> None:
    """A thousand requests, noise, and a mailbox that goes away again and again."""
    paced = ("run", "short.yaml", "--set", "rest=120 s", "--speed", "40", "--quiet")
    assert nakctl(*paced, "--out", "quiet.h5", cwd=short).code == 0
    path = short / "x.h5"
    with Going(*paced, "--out", "x.h5", cwd=short, helpers=True) as going:
        until(lambda: files.asked_of(path).is_dir())
        first = asked.new_request("note", text="before the flood")
        asked.put(path, first)
        until(lambda: asked.answer_to(path, first.id) is not None)
        number = 0
        while going.process.poll() is None:
            number += 1
            with suppress(OSError):  # it is removed, or the run is over
                asked.put(path, asked.new_request("note", text=f"number {number}"))
                (files.asked_of(path) / f"{number}.request").write_bytes(os.urandom(64))
            if number % 200 == 0:
                shutil.rmtree(files.asked_of(path), ignore_errors=True)
        assert going.end().code == 0
    with open_run(path) as flooded, open_run(short / "quiet.h5") as quiet:
        for name in ("Ewe", "I", "step_id", "cycle"):
            assert np.array_equal(flooded.samples[name], quiet.samples[name])
        assert np.array_equal(flooded.impedance.Z_re, quiet.impedance.Z_re)
        assert "note" in set(flooded.events.code)
    assert not files.asked_of(path).exists()
