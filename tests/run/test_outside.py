"""What a run tells of itself while it goes on: once a round, and by the supervisor while a call hangs."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hand_made import info
from kept import Kept
from patience import PATIENCE_s
from running import done
from test_supervisor import RESTING, Bench

from nakctl.booking.cycles import cycles_of
from nakctl.booking.ending import Ending
from nakctl.booking.event import Event
from nakctl.decide.engine import EngineState, Phase
from nakctl.device.channel import POINT, Reading, Watch
from nakctl.device.program import Settle
from nakctl.record.slot import MOST_BYTES, Slot, _packed, state_of
from nakctl.run import outside as module
from nakctl.run.clock import WallClock
from nakctl.run.control import Control
from nakctl.run.logbook import Progress
from nakctl.run.outside import Outside
from nakctl.run.run import run

State = dict[str, Any]


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_s", 0.0)


def told_by(steps: str, **options: Any) -> tuple[list[State], Kept]:
    """Every state, as whoever looks reads it."""
    told: list[State] = []
    outside = Outside(lambda state: told.append(json.loads(json.dumps(state))), {"run_id": "x"})
    _, kept = done(steps, outside=outside, **options)
    return told, kept


def test_from_the_beginning_to_the_end(always: None) -> None:
    told, kept = told_by("- {rest: 2 s}\n- strip: 1 mA/cm2\n  for: 3 s\n- plate: 1 mA/cm2\n  for: 3 s")
    assert told[0]["state"] == "opening" and told[-1]["state"] == "ended"
    assert {state["state"] for state in told[1:-1]} == {"running"}
    assert (told[-1]["status"], told[-1]["run_id"]) == ("completed", "x")
    assert told[-1]["cell_open"] is True
    last = told[-2]
    assert (last["step_id"], last["step"]) == (3, "3 plate 1 mA/cm2")
    assert (last["steps"], last["cycle"], last["cycles"]) == (3, 1, 1)
    assert last["samples"] == len(kept["samples"])
    assert last["I_A"] == pytest.approx(-1e-3, rel=1e-3)
    assert last["I_mA_cm2"] == pytest.approx(-1, rel=1e-3)
    assert last["Q_mAh_cm2"] == pytest.approx(last["Q_Ah"] * 1000)
    assert (last["nearest"]["text"], last["nearest"]["left"]) == (
        "|I| above 10 mA",
        pytest.approx(9e-3, rel=1e-3),
    )


def test_the_last_news_are_kept_and_numbered() -> None:
    told: list[Mapping[str, Any]] = []
    outside = Outside(told.append)
    codes = [
        "link",
        "gap",
        "top_up",
        "not_heard",
        "disk_accepts",
        "low_disk",
        "stop",
        "fault",
        "end",
        "trouble",
    ]
    for severity, code in zip((2, 1, 1, 2, 1, 1, 1, 2, 2, 2), codes, strict=True):
        outside.noticed(SimpleNamespace(points=(), news=(Event(7.0, severity, code, 0, "x" * 500),)))  # type: ignore[arg-type]
    outside.round("running", None, list)
    news = told[-1]["news"]
    assert [(item["number"], item["code"]) for item in news] == [
        (4, "disk_accepts"), (5, "low_disk"), (6, "stop"), (7, "fault"), (8, "end"), (9, "trouble"),
    ]  # fmt: skip
    assert (news[0]["severity"], news[0]["time_s"], len(news[0]["text"])) == (1, 7.0, 160)
    assert len(_packed(news)) < MOST_BYTES / 2  # of the slot


def test_who_goes_on_with_a_run_counts_on() -> None:
    told: list[Mapping[str, Any]] = []
    before = [{"number": 8, "code": "fault"}, {"number": 9, "code": "trouble"}]
    outside = Outside(told.append, news=before)
    outside.happened([Event(9.0, 1, "taken_over", 0, "after a death")])
    outside.opening()
    assert [item["number"] for item in told[-1]["news"]] == [8, 9, 10]
    virtual = Outside(told.append, virtual=True)
    virtual.happened([Event(9.0, 2, "fault", 0, "it is")])
    virtual.opening()
    assert told[-1]["news"] == []


SETTLE = Settle("press", 10.0, 1.0, 60.0, "end run", "10 MPa", "1 MPa", "1 min")
LIMITED = Ending("end run", "limit: Ewe above 3 V", "stopped", "limit")


@pytest.mark.parametrize(
    ("phase", "ending", "settle", "word"),
    [
        (Phase.RUNNING, None, None, "running"),
        (Phase.RUNNING, None, SETTLE, "waiting"),
        (Phase.STOPPING, LIMITED, SETTLE, "stopping"),
        (Phase.STOPPING, replace(LIMITED, then="next step"), None, "running"),  # of a step only
    ],
)
def test_in_one_word(phase: Phase, ending: Ending | None, settle: Settle | None, word: str) -> None:
    control = SimpleNamespace(state=EngineState(phase, (), ending))
    progress = SimpleNamespace(step=replace(info(1), settle=settle))
    assert Control.doing(control, progress) == word  # type: ignore[arg-type]


def test_the_last_alarm_is_kept() -> None:
    told: list[Mapping[str, Any]] = []
    outside = Outside(told.append)
    for severity, code in ((2, "link"), (2, "not_heard"), (1, "slow_disk")):
        event = Event(7.0, severity, code, 0, f"it is {code}")
        outside.noticed(SimpleNamespace(news=(event,), points=()))  # type: ignore[arg-type]
    outside.round("running", None, list)
    assert told[-1]["alarm"] == {"code": "not_heard", "text": "it is not_heard", "time_s": 7.0}


def test_in_virtual_time_only_begin_and_end() -> None:
    told: list[Mapping[str, Any]] = []
    done("- {rest: 2 h}", outside=Outside(told.append, virtual=True))
    assert [state["state"] for state in told] == ["opening", "ended"]


def test_not_more_often_than_anybody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_s", 3600.0)
    told, _ = told_by("- {rest: 2 h}")
    assert [state["state"] for state in told] == ["opening", "ended"]


def test_who_cannot_be_told_ends_no_run(always: None) -> None:
    def broken(state: Mapping[str, Any]) -> None:
        raise RuntimeError("no")

    def no_plan(step_id: int) -> str:
        raise KeyError(step_id)

    assert done("- {rest: 2 s}", outside=Outside(broken))[0].status == "completed"
    told: list[Mapping[str, Any]] = []
    done("- {rest: 2 s}", outside=Outside(told.append, alone=no_plan))
    assert told[-2]["step"] == "1 rest"


@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
@pytest.mark.parametrize(
    ("steps", "cycles"),
    [
        ("- {rest: 2 s}", 1),
        ("- repeat: 4\n  steps:\n    - {rest: 1 s}\n    - {strip: 1 mA/cm2, for: 1 s}", 4),
        (
            "- repeat: 2\n  steps:\n    - repeat: 3\n      steps:\n        - {strip: 1 mA/cm2, for: 1 s}\n"
            "        - {plate: 1 mA/cm2, for: 1 s}\n    - {rest: 1 s}",
            6,
        ),
        (
            "- staircase: [0.1 mA/cm2, 0.2 mA/cm2, 0.3 mA/cm2]\n  steps:\n    - strip: $level\n      for: 2 s\n"
            "    - plate: $level\n      for: 2 s",
            3,
        ),
        ("- strip: 0.1 mA/cm2\n  for: 60 s\n  spectra: g", 1),
    ],
)
def test_cycles_are_counted_as_the_rows_will_be(steps: str, cycles: int, like: str) -> None:
    _, kept = done(steps, like=like)
    assert kept.program is not None
    assert cycles_of(kept.program) == int(kept["samples"]["cycle"].max()) == cycles


def test_a_loop_without_a_number_has_no_count() -> None:
    _, kept = done(
        "- repeat: forever\n  steps:\n    - strip: 1 mA\n      for: 2 s\n      until: {Ewe_above: 0.25 V, then: end loop}"
    )
    assert kept.program is not None
    assert cycles_of(kept.program) is None


def test_while_a_call_hangs_the_supervisor_tells_which() -> None:
    """And that it is back, in the words of the loop."""
    hangs, back = threading.Event(), threading.Event()

    class Hanging(Bench):
        def read(self, watch: Watch) -> Reading:
            if self.reads == 3 and not hangs.is_set():
                assert hangs.wait(PATIENCE_s)
            return super().read(watch)

    def tell(state: Mapping[str, Any]) -> None:
        call = state.get("call")
        if call is not None and call["name"] == "read":
            hangs.set()
        elif hangs.is_set() and state["samples"] > 3:
            back.set()
            channel.stopped.set()

    channel, kept = Hanging(), Kept()
    run(RESTING, channel, WallClock(), kept, poll_s=0.01, outside=Outside(tell))  # type: ignore[arg-type]
    assert hangs.is_set() and back.is_set()


def test_a_loop_that_stands_outside_of_any_call_is_no_round() -> None:
    """The supervisor lives and says so; the time of the last round stays."""
    told: list[Mapping[str, Any]] = []
    outside = Outside(told.append)
    outside.begin(RESTING)
    outside.beat(None)
    assert len(told) == 1  # just told
    outside._told_at -= 1.0
    outside.beat(None)
    assert len(told) == 2
    assert told[1]["told_monotonic_s"] > told[0]["told_monotonic_s"]
    assert "round_monotonic_s" not in told[1]


def test_the_last_point_is_told_whichever_round_brought_it() -> None:
    """States are told five times a second, and points come in between."""
    told: list[Mapping[str, Any]] = []
    outside = Outside(told.append)
    points = np.zeros(2, POINT)
    points["frequency_Hz"], points["Z_re_ohm"], points["Z_im_ohm"] = [1e3, 1e2], [1.0, 3.0], [0.0, -4.0]
    outside.noticed(SimpleNamespace(news=(), points=points))  # type: ignore[arg-type]
    outside.noticed(SimpleNamespace(news=(), points=points[:0]))  # type: ignore[arg-type]
    outside.round("running", None, list)
    assert told[-1]["point"] == [1e2, 5.0]


@pytest.mark.parametrize("many", [0, 3, 500])
def test_sensors_leave_room_for_the_rest(many: int, tmp_path: Path) -> None:
    shown = tuple(f"sensor-{k} {k:.4f} MPa" for k in range(many))
    progress = Progress(1.0, info(1), 1, 0.1, 1e-3, 1e-6, 5, 0, np.zeros(0, POINT), (), shown)
    state = module.where(progress, 0.5)
    assert state["bench"] == list(shown) or (many == 500 and state["bench"][-1].startswith("and 4"))
    slot = Slot(tmp_path / "x.h5")
    slot.tell(state)
    slot.close()
    assert state_of(tmp_path / "x.h5") == json.loads(json.dumps(state))
