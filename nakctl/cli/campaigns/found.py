"""What there is of a campaign in the folder of its results: files tell, and nothing else keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nakctl.campaign.made_of import difference
from nakctl.campaign.order import State
from nakctl.cli.campaigns.planned import Planned
from nakctl.cli.health import look
from nakctl.cli.report import CELL_OPEN, report_of
from nakctl.cli.which_run import find_run
from nakctl.errors import ExitCode, InputError, NakctlError
from nakctl.record import files, peek
from nakctl.record.standing import Standing, sealed_file, standing

AGAIN = ("failed", "changed", "all")
EARLIER = "earlier"  # folder of results that are none any more


@dataclass(frozen=True, slots=True)
class Found:
    """As `nakctl.campaign.order` knows a run. report: of one that is over; aside: what is there is kept under
    another name before it is begun.
    """

    state: State
    why: str = ""
    is_safe: bool = True
    report: dict[str, Any] | None = None
    aside: bool = False


def found(one: Planned, again: Iterable[str] = ()) -> Found:
    """again: of AGAIN. InputError: something else has its name."""
    if not (files.is_taken(one.out) or sealed_file(one.out).exists()):
        return Found(State.MISSING)
    match standing(one.out):
        case Standing.LIVE | Standing.ENDED:
            header = peek.header(one.out)  # None: it is only just being begun
            return Found(State.RUNNING, "" if header is None else _difference(header.get("campaign"), one))
        case Standing.DEAD:
            return Found(State.DEAD, look(find_run(str(one.out))).health.text, is_safe=False)
    try:
        return _over(one, frozenset(again))
    except NakctlError as error:
        raise InputError(f"{one.out} is in the way, and no result of this run: {error}") from None


def _over(one: Planned, again: frozenset[str]) -> Found:
    from nakctl.record.read import open_run

    with open_run(sealed_file(one.out)) as run:
        header = run.header
    driver = header.instrument.get("driver")
    if one.channel is None and driver != one.ready.place.driver:
        raise InputError(
            f"it is of another channel (driver {driver or 'unknown'}), and this one is simulated; --out "
            "names another folder"
        )
    report = report_of(one.out)
    is_done, safe = is_result(one, report), is_safe(report)
    other = _difference(header.campaign, one)
    if "all" in again or ("changed" in again and other) or ("failed" in again and not (is_done or other)):
        return Found(State.MISSING, "again", aside=True)
    if other and one.channel is None:  # touches no cell
        return Found(State.MISSING, other, aside=True)
    if other:
        return Found(State.HELD, f"{other}: --again changed", safe, report)
    return Found(State.DONE if is_done else State.FAILED, "", safe, report)


def _difference(campaign: Mapping[str, Any] | None, one: Planned) -> str:
    """campaign: what a run's file says of it."""
    return difference((campaign or {}).get("made_of") or {}, one.made_of)


def is_result(one: Planned, report: dict[str, Any]) -> bool:
    """What the run was for. A limit that ends it is no goal, but where the campaign says so."""
    if report["exit_code"] == ExitCode.DONE:
        return True
    by_limit = report["status"] == "stopped" and report.get("end_kind") == "limit"
    return by_limit and one.asked.may_end_by == "limit" and report["sealed"] and is_safe(report)


def is_safe(report: dict[str, Any]) -> bool:
    """The cell was seen open, and nothing is wrong with its channel."""
    return report.get("cell_state") == CELL_OPEN and report["exit_code"] != ExitCode.INSTRUMENT


def set_aside(out: Path) -> Path:
    """Keep a result that is none any more: in a folder of its own, under its name and when it was begun."""
    from nakctl.record.read import open_run

    file = sealed_file(out)
    with open_run(file) as run:
        began = run.header.start_time[:16].replace("T", "_").replace(":", "")
    folder = out.parent / EARLIER
    folder.mkdir(exist_ok=True)
    kept = folder / f"{out.stem}_{began}{out.suffix}"
    number = 1
    while kept.exists():
        number += 1
        kept = folder / f"{out.stem}_{began}_{number}{out.suffix}"
    files.put_in_place(file, kept)
    return kept
