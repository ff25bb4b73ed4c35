"""All that came of it as one value, for `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nakctl.cli.ci.outcome import Everything, Outcome, Trouble
from nakctl.errors import NO_MARK, Fault


def as_json(done: Everything) -> dict[str, Any]:
    return {
        "exit_code": int(done.exit_code),
        "interrupted": done.interrupted,
        "since": done.since or None,
        "why_everything": done.why or None,
        "results": [_outcome_json(one) for one in done.outcomes],
        "files": [
            {"file": one.file, "ok": not one.troubles, "errors": _troubles_json(one.troubles)}
            for one in done.looked
        ],
        "warnings": [_fault_json(fault) for fault in done.warnings],
        "left_out": [
            {"file": one.file, "why": one.why.format(they="it", since=done.since)} for one in done.left_out
        ],
        "differences": [
            {"file": one.file, "alarming": one.alarming, "markdown": one.text} for one in done.differences
        ],
        "removed": list(done.removed),
        "wall_s": done.wall_s,
    }


def _outcome_json(one: Outcome) -> dict[str, Any]:
    case, report = one.case, one.report
    kept = {
        name: report[name] for name in ("status", "end_reason", "end_kind", "duration_s") if name in report
    }
    charges = {name: report[name] for name in ("stripped_mAh_cm2", "plated_mAh_cm2") if name in report}
    return {
        "protocol": case.file, "cell": case.cell, "also": list(case.also), "set": dict(case.wishes.sets),
        "on": one.on, "verdict": one.verdict, "errors": _troubles_json(one.troubles), "skipped": case.skipped,
        "planned_s": one.planned_s, **kept, **charges,
        "expected": [said.as_json() for said in one.judged], "wall_s": one.wall_s,
    }  # fmt: skip


def _troubles_json(troubles: Sequence[Trouble]) -> list[dict[str, Any]]:
    return [{"stage": one.stage, **_fault_json(one.fault)} for one in troubles]


def _fault_json(fault: Fault) -> dict[str, Any]:
    place = {"line": fault.mark.line, "column": fault.mark.column} if fault.mark != NO_MARK else {}
    return {"file": fault.file, **place, "message": fault.message}
