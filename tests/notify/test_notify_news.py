"""What is new about a run: from what was known and what is seen, to what is told."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fabricated import known as run_of
from fabricated import state

from nakctl.cli.health import Seen
from nakctl.notify.news import FRESH_s, Known, LOOKED_s, ended, news
from nakctl.notify.notice import Notice

NOW_s = 1.8e9
RUN = replace(
    run_of(Path("/data/a.h5"), 1),
    started=datetime.fromtimestamp(NOW_s - 7200).astimezone().isoformat(),
    rig="/data/rig.yaml",
)
PID = os.getpid()  # of a process that is there
KNOWN = Known(number=3, pid=PID, started=True, looked_s=NOW_s - 1, since_s=NOW_s - 7200)


def look(held: bool = True, end: Any = None, sealed: bool = False, run: Any = RUN, **more: Any) -> Seen:
    now_s = time.monotonic()
    told = state(run, pid=PID, told_unix_s=NOW_s, **more)
    return Seen(run, held, told, end, sealed, False, now_s, run.boot)


def item(number: int, code: str, severity: int = 2, ago_s: float = 0.0) -> dict[str, Any]:
    about = {"number": number, "code": code, "severity": severity, "text": f"it is {code}"}
    return {**about, "time_s": 1.0, "unix_s": NOW_s - ago_s}


def told(known: Known | None, seen: Seen, now_s: float = NOW_s) -> list[tuple[str, str]]:
    return [(notice.event, notice.code) for notice in news(known, seen, now_s)[1]]


def test_nothing_new_is_nothing_to_tell() -> None:
    known, notices = news(KNOWN, look(news=[item(3, "fault")]), NOW_s)
    assert notices == []
    assert known == replace(KNOWN, looked_s=NOW_s)


@pytest.mark.parametrize(
    ("code", "severity", "event"),
    [
        ("not_heard", 2, "alarm"),
        ("gap", 1, "gap"),
        ("low_disk", 1, "low disk"),
        ("disk_refuses", 2, "low disk"),
        ("disk_accepts", 1, "low disk"),
        ("taken_over", 1, "taken over"),
        ("stop", 1, "end"),
    ],
)
def test_what_the_run_tells_is_told_once(code: str, severity: int, event: str) -> None:
    seen = look(news=[item(3, "fault"), item(4, code, severity)])
    known, (notice,) = news(KNOWN, seen, NOW_s)
    assert (notice.event, notice.code, notice.severity) == (event, code, severity)
    assert (notice.unix_s, notice.run_id, notice.channel) == (NOW_s, RUN.run_id, "bench-1")
    assert known.number == 4
    assert told(known, seen) == []


def test_a_notice_says_what_somebody_in_bed_needs() -> None:
    (notice,) = news(KNOWN, look(news=[item(4, "not_heard")]), NOW_s)[1]
    assert notice.title == "ALARM: it is not_heard (bench-1, cell NaK1, Strip and plate)"
    lines = notice.text.splitlines()
    assert lines[0] == "ALARM: it is not_heard"
    assert "Run:     00000001, bench-1, cell NaK1, Strip and plate" in lines
    assert "File:    /data/a.h5" in lines
    assert "Cell:    in step 3/12 (strip 0.05 mA/cm2), Ewe 12.3 mV, I 25 uA" in lines
    assert "Nakctl:  the run goes on, and its limits are watched" in lines
    assert lines[-1] == "You can: nakctl status 00000001; nakctl stop 00000001 switches the cell off"
    assert (notice.Ewe_V, notice.I_A, notice.step) == (0.0123, 25e-6, "2.1 strip 0.05 mA/cm2")


def test_what_was_not_seen_in_a_flood_is_counted() -> None:
    _, notices = news(KNOWN, look(news=[item(9, "fault"), item(10, "fault")]), NOW_s)
    assert [notice.event for notice in notices] == ["alarm"] * 3
    assert notices[0].title.startswith("5 more happened before this")


def test_another_program_that_counts_anew_is_heard() -> None:
    successor = look(news=[item(1, "taken_over", 1), item(2, "fault")])
    assert successor.state is not None
    successor = replace(successor, state={**successor.state, "pid": 5000})
    assert told(KNOWN, successor) == [("taken over", "taken_over"), ("alarm", "fault")]
    silent = replace(successor, state={**successor.state, "news": []})  # type: ignore[dict-item]
    assert told(KNOWN, silent) == [("taken over", "")]
    known, _ = news(KNOWN, silent, NOW_s)
    assert told(known, silent) == []


# --- the first look ----------------------------------------------------------------------------------------


def test_a_start_is_told_once() -> None:
    fresh = replace(RUN, started=datetime.fromtimestamp(NOW_s - 2).astimezone().isoformat())
    seen = look(run=fresh, state="opening", step_id=0)
    known, (notice,) = news(None, seen, NOW_s)
    assert (notice.event, notice.unix_s, notice.severity) == ("start", NOW_s - 2, 0)
    assert "Cell:    open: nothing was started yet" in notice.text
    assert told(known, seen) == []


def test_what_is_older_than_whoever_looks_is_no_news() -> None:
    seen = look(news=[item(1, "fault", ago_s=2 * FRESH_s), item(2, "gap", 1, ago_s=60)])
    known, notices = news(None, seen, NOW_s)
    assert [notice.event for notice in notices] == ["gap"]
    assert known.number == 2
    assert told(known, seen) == []


@pytest.mark.parametrize("end", [None, {"status": "completed", "end_reason": "all steps done"}])
def test_what_was_left_long_ago_is_never_told(end: Any) -> None:
    seen = look(held=False, end=end)
    later_s = NOW_s + 30 * 86400
    known, first = news(None, seen, later_s)
    assert first == []
    assert told(known, seen, later_s + 1) == []
    assert told(news(known, seen, later_s + 1)[0], seen, later_s + 2) == []


# --- who watches -------------------------------------------------------------------------------------------


def hung() -> Seen:
    seen = look()
    return replace(seen, now_s=seen.now_s + 60)


@pytest.mark.parametrize(("seen", "event"), [(look(held=False), "dead"), (hung(), "hung")])
def test_nobody_watches_is_told_when_it_was_seen_twice(seen: Seen, event: str) -> None:
    known, first = news(KNOWN, seen, NOW_s)
    assert first == []
    known, (notice,) = news(known, seen, NOW_s + 1)
    assert (notice.event, notice.severity) == (event, 2)
    assert notice.title.endswith("nobody watches the cell (bench-1, cell NaK1, Strip and plate)")
    assert "UNKNOWN, and MAY STILL BE UNDER CURRENT; last seen 2027-01-15" in notice.text
    assert "Ewe 12.3 mV, I 25 uA" in notice.text
    known, again = news(known, seen, NOW_s + 2)
    assert again == []
    _, (back,) = news(known, look(), NOW_s + 3)
    assert (back.event, back.severity) == (event, 0)
    assert "watched again" in back.title


def test_who_slept_sees_everybody_silent() -> None:
    known, _ = news(KNOWN, hung(), NOW_s)
    known, notices = news(known, hung(), NOW_s + LOOKED_s + 1)
    assert notices == []
    assert told(known, look(), NOW_s + LOOKED_s + 2) == []


def test_what_is_done_about_it_is_told() -> None:
    known, _ = news(KNOWN, look(held=False), NOW_s)
    _, (notice,) = news(known, look(held=False), NOW_s + 1, "takes the run over")
    assert "Nakctl:  takes the run over" in notice.text


# --- the end -----------------------------------------------------------------------------------------------


def ending(**more: Any) -> tuple[list[Notice], Seen]:
    how = {"state": "ended", "status": "completed", "reason": "all steps done", "cell_open": True, **more}
    seen = look(**how)
    known, notices = news(KNOWN, seen, NOW_s)
    assert told(known, seen) == []
    assert told(known, replace(seen, held=False, end={"status": "completed"})) == []
    return notices, seen


def test_an_end_is_told_once() -> None:
    (notice,), _ = ending()
    assert (notice.event, notice.severity, notice.code) == ("end", 0, "")
    assert notice.title.startswith("the run is over: completed, all steps done (bench-1")
    assert "Cell:    open, as it was seen" in notice.text
    assert "You can: nakctl show /data/a.h5" in notice.text


def test_a_cell_that_nobody_saw_open() -> None:
    (notice,), _ = ending(status="interrupted", reason="the link is gone", cell_open=False)
    assert notice.severity == 2
    assert "the link is gone; THE CELL MAY STILL BE UNDER CURRENT (bench-1, cell" in notice.title
    assert "Cell:    MAY STILL BE UNDER CURRENT: nobody saw it open; last seen: step 3/12" in notice.text


def test_why_it_stops_is_told_with_the_end_if_that_is_there() -> None:
    stops = item(4, "stop", 1)
    (notice,), _ = ending(status="stopped", reason="limit: Ewe above 3 V", news=[stops])
    assert (notice.code, notice.severity) == ("", 1)
    assert told(KNOWN, look(state="stopping", news=[stops])) == [("end", "stop")]


def test_of_a_run_that_was_killed_while_its_file_was_made() -> None:
    """Its end was told by the run, or stands in its journal alone."""
    seen = look(held=False, end={"status": "stopped", "end_reason": "limit", "cell_open": True})
    (notice,) = news(KNOWN, seen, NOW_s)[1]
    assert "stopped, limit" in notice.title


def test_an_end_of_which_nobody_knows() -> None:
    notice = ended(RUN, None, {"problem": "there is no such file"}, NOW_s)
    assert notice.title.startswith("the run is over; how it ended is not known: there is no such file; THE C")
    assert notice.severity == 2 and "MAY STILL BE UNDER CURRENT" in notice.text
