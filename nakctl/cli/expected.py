"""A dry run beside what its protocol expects of it: in the report, in a sentence, and in the exit code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nakctl.checks.judged import Judged, judged
from nakctl.errors import ExitCode

if TYPE_CHECKING:
    from nakctl.cli.prepare import Prepared

OVER = ("completed", "stopped")  # by itself: of a run that was torn off nothing is expected


def beside_expected(ready: Prepared, told: Mapping[str, Any]) -> dict[str, Any]:
    """The report with `expected`, word by word. Exit code 0 if all is met, a limit as well; else 1."""
    expected = [expect for _, expect in ready.loaded.expected(ready.cell.name)]
    if not expected or told.get("status") not in OVER or not told.get("sealed"):
        return dict(told)
    found = judged(expected, told)
    code = ExitCode.DONE if all(one.met for one in found) else ExitCode.FAILED
    return {**told, "exit_code": int(code), "expected": [one.as_json() for one in found]}


def sentences(told: Mapping[str, Any]) -> list[str]:
    """What came of it, for the screen."""
    found = [Judged(**each) for each in told.get("expected", ())]
    met, missed = ([one for one in found if one.met is is_met] for is_met in (True, False))
    lines = [f"not as expected: {one}" for one in missed]
    return [*lines, f"as expected: {', '.join(map(str, met))}"] if met else lines
