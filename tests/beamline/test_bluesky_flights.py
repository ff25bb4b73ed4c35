"""Runs as flyers in a real RunEngine: what is refused, what ends a run early, what becomes of the cell."""

from __future__ import annotations

import math
import os
import re
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import forked_helpers
import pytest
from bluesky import plan_stubs as bps
from bluesky import plans as bp
from bluesky import preprocessors as bpp
from bluesky.utils import FailedStatus, RunEngineInterrupted
from command_line import nakctl_here
from flying import SHORT, Camera, Documents
from patience import PATIENCE_s, until

import nakctl
from nakctl.bluesky import Experiment, NotCompleted, RunUnderWay, read_at, with_detectors_at
from nakctl.bluesky.boundaries import LISTED, Boundaries, _Next
from nakctl.bluesky.flight import Flight
from nakctl.bluesky.ready import _typed
from nakctl.bluesky.steps import NO_STEP, Feed
from nakctl.cli.asked_runs import AskedRun
from nakctl.cli.prepare import Prepared
from nakctl.cli.which_run import known_runs
from nakctl.errors import InputError, NotInstalled
from nakctl.record.slot import state_of
from nakctl.record.standing import Standing, standing

Engine = Any
LONG = {"hold": "2 h"}  # no step of it ends by itself within a test


def experiment(file: str = "short.yaml", **how: Any) -> Experiment:
    return Experiment(file, **{"on": "sim-sp300", "cell": "NaK50", "speed": 600, **how})


def ended(cell: Any) -> tuple[str, str]:
    """Once it is over, its cell seen open and its file sealed."""
    cell.flight.stopped.wait(PATIENCE_s)
    run = nakctl.open(cell.flight.report["file"])
    assert run.header.sealed
    return run.header.status, run.header.end_reason


# --- nothing is started -----------------------------------------------------------------------------------------

FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "a parameter": ({"params": {"holt": "1 min"}}, "params holt=1 min  holt is no parameter"),
    "its value": (
        {"params": {"hold": "1,5 min"}},
        "write 1.5 min, with a point ($hold is 1,5 min, by params)",
    ),
    "a channel": ({"on": "sim-sp30"}, "did you mean sim-sp300?"),
    "a file": ({"file": "shrt.yaml"}, "neither a file nor a shipped protocol"),
    "a current": ({"params": {"levels": "5 mA/cm2"}}, "above limits.I of 1 mA"),
    "a speed": ({"speed": -1.0}, "give a number above 0"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_told_before_anything_starts(
    fault: str, short: str, documents: Documents, engine: Engine
) -> None:
    how, text = FAULTS[fault]
    cell = experiment(**how)
    with pytest.raises(FailedStatus, match="the preparation of cell failed") as told:
        engine(with_detectors_at(cell, []))
    assert text in str(told.value)
    assert isinstance(told.value.__cause__, InputError)
    assert documents.all == []
    assert not cell.has_run


RIG = """\
nakctl-rig: 1
devices:
  bench: {driver: biologic, model: SP-300, address: 192.0.2.7}
channels:
  A1: {device: bench, channel: 1}
cells:
  C7: {channel: A1, area: 0.5 cm2, working: NaK50, counter: Na, simulated_as: NaK50}
"""


def test_a_rehearsal_on_the_simulator_says_so(
    short: str, tmp_path: Path, documents: Documents, engine: Engine
) -> None:
    (tmp_path / "rig.yaml").write_text(RIG, encoding="utf-8")
    cell = experiment(on=None, cell="C7", dry=True)
    engine(bps.prepare(cell, wait=True))
    about = cell.md["nakctl"]
    assert (about["title"], about["simulated"]) == ("SIMULATED A short staircase", True)
    real = experiment(on="A1", cell="C7", speed=None)
    engine(bps.prepare(real, wait=True))
    assert (real.md["nakctl"]["title"], real.md["nakctl"]["simulated"]) == ("A short staircase", False)
    with pytest.raises(FailedStatus, match="A1 is a real channel: it keeps real time"):
        engine(bps.prepare(experiment(on="A1", cell="C7"), wait=True))
    with pytest.raises(InputError, match="dry='no': True, or False"):
        experiment(dry="no")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"on": 5}, "on=5: the name of a channel"),
    ({"speed": "400"}, "speed='400': a number above 0"),
    ({"seed": 1.5}, "seed=1.5: a whole number"),
    ({"note": None}, "note=None: a text"),
    ({"name": ""}, "name='': give the device a name"),
    ({"params": "hold=1 min"}, "params: 'hold=1 min': values by their names"),
]


@pytest.mark.parametrize(("how", "text"), WRONG)
def test_what_is_none_of_its_words(how: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=re.escape(text)):
        experiment(**how)


def test_a_run_that_is_asked_for_in_a_terminal_would_be_the_same(short: str, engine: Engine) -> None:
    cell = experiment(cell=Path("cell.yaml"), seed=7, note="a b", params={"hold": "1 min"})
    one = AskedRun(cell._protocol, cell._wishes, cast(Prepared, None), Path("x.h5"))
    typed = ["--cell", "cell.yaml", "--set", "hold=1 min", "--speed", "600", "--seed", "7", "--note", "a b"]
    assert _typed(one, cell._options)[4:-2] == typed


STEPS: list[tuple[Any, Any, str]] = [
    ("stirp", 0, "no step of cell is called stirp; did you mean strip?"),
    (" ", 0, "steps=' ': words of a label, a function of a Step, or None"),
    (["strip"], 0, "steps=['strip']: words of a label"),
    (None, "60", "after_s='60': a time in s"),
    (None, math.nan, "after_s=nan: a time in s"),
]


@pytest.mark.parametrize(("steps", "after_s", "text"), STEPS)
def test_a_step_that_is_none_is_told_before_anything_starts(
    steps: Any, after_s: Any, text: str, short: str, documents: Documents, engine: Engine
) -> None:
    cell = experiment()
    with pytest.raises(InputError, match=re.escape(text)):
        engine(with_detectors_at(cell, [], steps, after_s=after_s))
    assert documents.all == []
    assert not cell.has_run


def test_what_is_not_staged_is_not_started(short: str, documents: Documents, engine: Engine) -> None:
    """A RunEngine that aborts stops what is staged, and nothing else that flies."""
    cell = experiment()
    with pytest.raises(InputError, match=r"cell is not staged: .*stage_wrapper\(plan, \[cell\]\)"):
        engine(bp.fly([cell]))
    assert not cell.has_run
    with pytest.raises(InputError, match="cell has no run: kick it off first"):
        cell.complete()


def test_two_that_are_made_ready_at_once_have_names_of_their_own(short: str, engine: Engine) -> None:
    """No file is there before they fly. What is made ready anew gives its name back."""
    one, other = experiment(name="one"), experiment(name="other", on="sim-vmp3")
    found = []
    for cell in (one, other, other, one):
        engine(bps.prepare(cell, wait=True))
        found.append(Path(cell.md["nakctl"]["file"]).stem)
    assert [name.removeprefix(found[0]) for name in found] == ["", "_2", "_2", ""]


def test_what_is_changed_after_it_was_prepared_is_not_run(
    short: str, documents: Documents, engine: Engine
) -> None:
    """The start document has told its sha256."""
    cell = experiment()

    def plan() -> Any:
        yield from bps.prepare(cell, wait=True)
        Path(short).write_text(f"{SHORT}# another word\n", encoding="utf-8")
        yield from bpp.run_wrapper(bps.kickoff(cell, wait=True), md=cell.md)

    with pytest.raises(
        FailedStatus, match=r"short\.yaml was changed since it was prepared: prepare it again"
    ):
        engine(bpp.stage_wrapper(plan(), [cell]))


def test_a_name_that_was_taken_meanwhile(short: str, documents: Documents, engine: Engine) -> None:
    cell = experiment()

    def plan() -> Any:
        yield from bps.prepare(cell, wait=True)
        Path(cell.md["nakctl"]["file"]).touch()
        yield from bpp.run_wrapper(bps.kickoff(cell, wait=True), md=cell.md)

    with pytest.raises(FailedStatus, match=r"the start of cell failed: .*exists and is not overwritten"):
        engine(bpp.stage_wrapper(plan(), [cell]))
    assert documents.named("stop")[0]["exit_status"] == "fail"


def test_a_plan_that_ends_while_a_run_starts_leaves_none(
    short: str, tmp_path: Path, documents: Documents, engine: Engine
) -> None:
    cell = experiment(params=LONG)

    def plan() -> Any:
        yield from bps.kickoff(cell, wait=False)
        raise ValueError("the shutter is stuck")

    with pytest.raises(ValueError, match="the shutter is stuck"):
        engine(bpp.stage_wrapper(bpp.run_wrapper(plan()), [cell]))
    cell.flight.stopped.wait(PATIENCE_s)
    assert not [*tmp_path.glob("*.h5*")]


def test_without_bluesky_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    import nakctl.bluesky as room

    monkeypatch.setattr("nakctl.errors.find_spec", lambda name: None)
    with pytest.raises(NotInstalled, match=r'needs bluesky, .*pip install "nakctl\[bluesky\]"'):
        importlib.reload(room)


# --- it ends otherwise ------------------------------------------------------------------------------------------


def test_a_limit_ends_the_plan_with_its_reason(short: str, documents: Documents, engine: Engine) -> None:
    """And everything that was recorded until then is told."""
    cell = experiment(params={"cutoff": "0.1 V"})  # above the first level, below the second one
    with pytest.raises(FailedStatus, match="SIMULATED A short staircase: stopped: limit: Ewe above") as told:
        engine(with_detectors_at(cell, [Camera()], "strip"))
    assert isinstance(told.value.__cause__, NotCompleted)
    assert told.value.__cause__.report["cell_state"] == "open"
    [stop] = documents.named("stop")
    assert stop["exit_status"] == "fail"
    assert "the cell is open" in stop["reason"]
    assert documents.events("cell_steps", "cell_end_kind")[-1] == "limit"
    assert stop["num_events"]["cell_samples"] > 100


def pausing(detectors: Any, cell: Any, step: Any) -> Any:
    yield from read_at(detectors, cell, step)
    yield from bps.pause()


@pytest.mark.parametrize(("how", "status"), [("abort", "abort"), ("stop", "success"), ("halt", "abort")])
def test_who_ends_the_plan_stops_the_run(
    how: str, status: str, short: str, documents: Documents, engine: Engine
) -> None:
    """A pause alone does not: the cell goes on."""
    cell = experiment(params=LONG)
    with pytest.raises(RunEngineInterrupted):
        engine(with_detectors_at(cell, [Camera()], "strip", at_each=pausing))
    assert standing(cell.flight.path) is Standing.LIVE
    getattr(engine, how)()
    assert ended(cell) == ("aborted", f"stopped by a Bluesky plan of {who()}")
    assert documents.named("stop")[0]["exit_status"] == status
    whole = {"1 rest", "2.1 strip 0.2 mA/cm2"} if how != "halt" else {"1 rest"}
    assert whole >= {*documents.events("cell_steps", "cell_step")}


def who() -> str:
    from nakctl.record.asked import who_asks

    return who_asks()


def test_a_plan_that_waits_for_the_end_can_be_aborted(
    short: str, documents: Documents, engine: Engine
) -> None:
    """The run ends because of that, which is no fault of its own."""
    cell = experiment(params=LONG)
    engine.waiting_hook = Later(engine.request_pause, cell)
    try:
        with pytest.raises(RunEngineInterrupted):
            engine(bpp.stage_wrapper(bp.fly([cell]), [cell]))
    finally:
        engine.waiting_hook = None
    engine.abort("enough")
    assert ended(cell)[0] == "aborted"
    [stop] = documents.named("stop")
    assert (stop["exit_status"], stop["reason"]) == ("abort", "enough")


class Later:
    """A waiting hook, as RunEngines have them for progress bars: calls once the end of a run is waited for."""

    def __init__(self, call: Callable[[], None], cell: Experiment) -> None:
        self.call, self.cell, self.seen = call, cell, []

    def __call__(self, statuses: Any) -> None:
        for each in statuses or ():
            if self.cell.has_run and each is self.cell.flight.over:
                each.watch(self.watch)

    def watch(self, **facts: Any) -> None:
        self.seen.append(facts)
        if len(self.seen) == 1:
            assert facts["target"] > facts["current"] > facts["initial"] == 0
            self.call()


def test_behind_a_pause_nothing_is_started_twice(short: str, documents: Documents, engine: Engine) -> None:
    """A RunEngine that goes on sends again what it has sent since its last checkpoint: here all of it."""
    cell = experiment()

    def plan() -> Any:
        yield from bps.prepare(cell, wait=True)
        yield from bps.kickoff(cell, wait=True)
        yield from bps.pause()
        step = yield from cell.steps("strip").next()
        assert step.label == "2.1 strip 0.2 mA/cm2"
        yield from bps.complete(cell, wait=True)
        yield from bps.collect(cell)

    with pytest.raises(RunEngineInterrupted):
        engine(bpp.stage_wrapper(bpp.run_wrapper(plan()), [cell]))
    engine.resume()
    assert ended(cell) == ("completed", "all steps done")
    assert documents.events("cell_steps", "cell_number") == [1, 2, 3]
    assert len([*Path().glob("*.h5")]) == 1


def test_a_detector_that_fails_stops_the_run_unless_it_is_to_go_on(
    short: str, documents: Documents, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks() -> None:
        raise ValueError("the shutter is stuck")

    cell = experiment(params=LONG)
    with pytest.raises(ValueError, match="the shutter is stuck"):
        engine(with_detectors_at(cell, [Camera(breaks)], "rest"))
    assert ended(cell)[0] == "aborted"

    other = experiment(params=LONG, if_plan_ends="go on", name="other")
    with pytest.raises(ValueError, match="the shutter is stuck"):
        engine(with_detectors_at(other, [Camera(breaks)], "rest"))
    assert standing(other.flight.path) is Standing.LIVE
    with pytest.raises(FailedStatus, match="other goes on: "):
        engine(with_detectors_at(other, []))

    # somebody else looks at it, from where it is by then, and ends it with his plan
    again = RunUnderWay(other.flight.path, name="again", if_plan_ends="stop")
    with pytest.raises(RunEngineInterrupted):
        engine(with_detectors_at(again, [Camera()], "strip", at_each=pausing))
    engine.stop()
    assert ended(again)[0] == ended(other)[0] == "aborted"
    assert documents.events("again_steps", "again_step") == ["1 rest", "2.1 strip 0.2 mA/cm2"]
    assert (
        documents.named("start")[-1]["nakctl"]["run_id"] == documents.named("start")[-2]["nakctl"]["run_id"]
    )
    with pytest.raises(FailedStatus, match="does not go on"):
        engine(with_detectors_at(RunUnderWay(other.flight.path), []))


def test_one_that_goes_on_is_not_started_again_and_one_that_is_over_is(
    short: str, documents: Documents, engine: Engine
) -> None:
    cell = experiment(speed=2000)

    def twice() -> Any:
        yield from bps.kickoff(cell, wait=True)
        yield from bps.kickoff(cell, wait=True)

    with pytest.raises(InputError, match="cell goes on already: "):
        engine(bpp.stage_wrapper(bpp.run_wrapper(twice()), [cell]))
    assert ended(cell)[0] == "aborted"

    engine(bpp.stage_wrapper(bp.fly([cell]), [cell]))
    assert ended(cell)[0] == "completed"
    assert documents.events("cell_steps", "cell_number")[-3:] == [1, 2, 3]
    assert len([*Path().glob("*.h5")]) == 2


def test_steps_that_go_by_are_left_out_and_said(
    short: str, documents: Documents, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """Who waits for none of them in time reads in none of them."""
    cell = experiment(speed=2000)
    found = []

    def plan() -> Any:
        yield from bps.kickoff(cell, wait=True)
        boundaries = cell.steps(lambda step: step.technique == "CP", after_s=1e5)
        found.append((yield from boundaries.next()))
        found.append([step.label for step in boundaries.missed])

    engine(bpp.stage_wrapper(bpp.run_wrapper(plan()), [cell]))
    assert found == [None, ["2.1 strip 0.2 mA/cm2", "2.1 strip 0.4 mA/cm2"]]
    assert "cell: step 2, 2.1 strip 0.2 mA/cm2, went by unseen" in caplog.messages


def test_a_reading_says_in_which_step_it_was_triggered(caplog: pytest.LogCaptureFixture) -> None:
    """A detector may take longer than a step; nobody may take its picture for one of the next step."""
    cell = experiment()
    cell._flight = Flight("cell", lambda say, is_wanted: Path(), 1.0)
    cell._flight.feed = feed = Feed(Path(), 1.0)
    rest, strip = (replace(NO_STEP, number=k, label=label) for k, label in ((1, "1 rest"), (2, "2 strip")))
    found = []
    for when_triggered, when_read in ((rest, rest), (rest, strip), (None, strip)):
        if when_triggered is not None:
            feed.under_way = when_triggered
            assert cell.trigger().done
        feed.under_way = when_read
        said = cell.read()
        assert said.keys() == cell.describe().keys()
        found.append([said[f"cell_{key}"]["value"] for key in ("number_when_triggered", "number")])
    assert found == [[1, 1], [1, 2], [2, 2]]
    assert caplog.messages == ["cell: triggered in step 1, 1 rest, and read in step 2, 2 strip"]


def test_a_function_of_the_user_that_fails_ends_the_plan_and_nothing_else(
    short: str, documents: Documents, engine: Engine
) -> None:
    """It is asked in a thread of the flyer, which goes on to look at the run."""
    cell = experiment(params=LONG)
    with pytest.raises(
        FailedStatus, match="the next step of cell failed: integer division or modulo by zero"
    ):
        engine(with_detectors_at(cell, [], lambda step: 1 // (step.number - 2) > 5))
    assert ended(cell)[0] == "aborted"


def test_tens_of_thousands_of_steps_that_went_by(caplog: pytest.LogCaptureFixture) -> None:
    """Each is listed once, the first ones are logged, and nothing is looked through again and again."""
    flight = Flight("cell", lambda say, is_wanted: Path(), 1.0)
    flight.feed = Feed(Path(), 1.0)
    flight.feed.over = [replace(NO_STEP, number=1 + k, label="strip") for k in range(50_000)]
    boundaries = Boundaries(cast(Any, None), "strip", 0.0)
    waiting = _Next(boundaries, 10)
    for _ in range(2):
        waiting._note_missed(flight)
    assert [step.number for step in boundaries.missed] == [*range(11, 50_001)]
    assert len(caplog.messages) == LISTED + 1
    assert caplog.messages[-1] == f"cell: {49_990 - LISTED} more went by unseen, until step 50000"


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_a_run_whose_program_dies_for_good_is_stopped_and_told(
    short: str, documents: Documents, engine: Engine
) -> None:
    """A simulated channel goes with its program: nobody can go on. What was recorded is collected, once its
    cell was seen to; what failed before does not end that."""
    cell = experiment(params=LONG)

    def killing(detectors: Any, cell: Any, step: Any) -> Any:
        os.kill(cast(dict[str, Any], state_of(cell.flight.path))["pid"], signal.SIGKILL)
        yield from bps.null()

    with pytest.raises(FailedStatus, match="the run of cell failed: DEAD: its program is gone"):
        engine(with_detectors_at(cell, [], "strip", at_each=killing))
    cell.flight.stopped.wait(PATIENCE_s)
    assert cell.flight.report["status"] == "recovered"
    assert documents.events("cell_steps", "cell_step") == ["1 rest", "2.1 strip 0.2 mA/cm2"]
    assert documents.named("stop")[0]["num_events"]["cell_samples"] > 0


SESSION = """
import sys
from bluesky import RunEngine
from bluesky import plan_stubs as bps
from nakctl.bluesky import Experiment, with_detectors_at

def tell(detectors, cell, step):
    print(cell.flight.path, flush=True)
    yield from bps.sleep(1000)

cell = Experiment("short.yaml", on="sim-sp300", cell="NaK50", speed=300, params={"hold": "2 h"})
RunEngine()(with_detectors_at(cell, [], "strip", at_each=tell))
"""


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_a_run_outlives_the_session_that_flew_it(
    short: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process holds its limits; `nakctl stop` ends it."""
    session = forked_helpers.python(SESSION)
    path = Path(session.stdout.readline().strip())
    os.kill(session.pid, signal.SIGKILL)
    session.communicate()
    [run] = [run for run in known_runs() if run.path == path]
    assert standing(path) is Standing.LIVE
    said = nakctl_here("stop", path, capsys=capsys)
    assert said.code == 0
    assert "the cell is open" in said.out
    until(lambda: standing(path) is Standing.SEALED)
    assert nakctl.open(path).header.run_id == run.run_id
