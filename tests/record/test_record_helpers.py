"""Helpers: started apart from everything, heard with care, waited for with a bound."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import record_rows as rows
from test_record_recorder import append, helper_of, live_rows, started, wait_for

from nakctl import isolated
from nakctl.record import live, process
from nakctl.record.process import Helper, Outcome
from nakctl.record.recorder import Recorder
from nakctl.record.seal import is_sealed

pytestmark = pytest.mark.usefixtures("started_anew")
posix = pytest.mark.skipif(os.name != "posix", reason="SIGSTOP")
OUTCOME = {"path": "x.h5", "sealed": True, "status": "completed", "rows": 3, "message": "", "found": {}}


@pytest.fixture
def saying(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """saying("print(1)"): a helper that runs this program instead of ours."""

    def start(program: str) -> Helper:
        def instead(module: str, *arguments: str, **pipes: Any) -> subprocess.Popen[str]:
            return subprocess.Popen(
                [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, stderr=pipes["stderr"]
            )

        monkeypatch.setattr(isolated, "start", instead)
        return Helper("sealer")

    return start


def test_the_answer_is_found_among_whatever_else_is_printed(saying: Any) -> None:
    program = f"""
print("a plugin says hello")
print('{{"alive": "sealing", "patience_s": "long"}}')
print("[1, 2]"); print("null"); print('{{"answer": 5}}')
print('{{"answer": ' + {__import__("json").dumps(OUTCOME)!r} + '}}')
print("good bye {{")
"""
    said = saying(program).wait(Outcome.from_json)
    assert said == Outcome(Path("x.h5"), True, "completed", 3, "")


@pytest.mark.parametrize(
    "answer",
    ["{}", "[]", "null", '"x"', '{"path": "x", "sealed": "yes", "status": "", "rows": 0, "message": ""}'],
)
def test_an_answer_of_another_shape_is_none(saying: Any, answer: str) -> None:
    said = saying(f"print('{{\"answer\": ' + {answer!r} + '}}')").wait(Outcome.from_json)
    assert said == "its helper process broke down (code 0)"


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("1 / 0", "its helper process broke down (code 1)"),
        ("import sys; sys.exit('the disk is full')", "the disk is full"),
        ("", "its helper process broke down (code 0)"),
    ],
)
def test_without_an_answer_there_is_a_sentence(saying: Any, program: str, why: str) -> None:
    helper = saying(program)
    assert helper.wait(Outcome.from_json) == why
    assert ("ZeroDivisionError" in helper.trace) == ("0" in program)


def test_who_says_nothing_for_too_long_is_not_waited_for(
    saying: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "START_S", 0.2)
    helper = saying("import time; time.sleep(600)")
    assert helper.wait(Outcome.from_json).startswith("it stood still for ")
    wait_for(lambda: not helper.is_running())


def test_who_works_is_waited_for(saying: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "START_S", 60.0)
    looks: list[None] = []
    program = """
import time
for _ in range(6):
    print('{"alive": "writing", "patience_s": 30}', flush=True)
    time.sleep(0.3)
"""
    saying(program).wait(Outcome.from_json, lambda: looks.append(None))
    assert looks


def frozen(recorder: Recorder, path: Path, rows_shown: int) -> Helper:
    """The live view, which stands still once it has shown so many rows."""
    wait_for(lambda: live_rows(path) == rows_shown)
    live = helper_of(recorder)
    os.kill(live.pid, signal.SIGSTOP)
    wait_for(lambda: stopped(live.pid))
    live._patience_s = 0.5
    return live


def stopped(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return state.stdout.startswith("T")


@posix
def test_a_live_view_that_stands_still_at_the_end_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorder = started(path)
    append(recorder, 0)
    live = frozen(recorder, path, rows_shown=10)
    assert recorder.finish("completed", "").sealed
    assert is_sealed(path)
    wait_for(lambda: not live.is_running())
    assert rows.names_in(tmp_path) == ["run.h5"]


@posix
def test_a_live_view_that_stands_still_is_noticed_while_the_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorder = started(path)
    live = frozen(recorder, path, rows_shown=0)
    codes: list[str] = []
    count = iter(range(10**6))

    def replaced() -> bool:
        codes.extend(append(recorder, next(count)))
        return helper_of(recorder) is not live and live_rows(path) > 0

    wait_for(replaced)
    assert codes == ["live_view_restarted"]
    assert recorder.finish("completed", "").sealed


def test_helpers_hear_no_key_of_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorder = started(path)
    wait_for(lambda: live_rows(path) == 0)
    live = helper_of(recorder)
    if os.name == "posix":
        assert os.getsid(live.pid) != os.getsid(0)
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            os.kill(live.pid, getattr(signal, name))
    append(recorder, 0)
    wait_for(lambda: live_rows(path) == 10)
    assert recorder.finish("completed", "").sealed


@pytest.mark.parametrize("whole", [True, False])
def test_a_view_that_begins_removes_none_but_an_old_view(whole: bool, tmp_path: Path) -> None:
    """The run may have died, and been sealed, since the one who shows it has looked."""
    path = tmp_path / "x.h5"
    if whole:
        rows.sealed(path)
    else:
        path.write_bytes(b"what a killed one left")
    before = path.read_bytes()
    assert live._removed(path) is not whole
    assert [*tmp_path.iterdir()] == ([path] if whole else [])
    if whole:
        assert path.read_bytes() == before
