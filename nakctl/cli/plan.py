"""`nakctl plan FILE`"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from nakctl.cli.json_output import print_json
from nakctl.cli.pictures import check_target
from nakctl.cli.prepare import Wishes, prepare
from nakctl.errors import ExitCode


def plan(file: str, wishes: Wishes, as_json: bool, plot: Path | None) -> int:
    """Prints the plan also when something forbids it: one has to see it to mend it."""
    from nakctl.render.plan_json import plan_json
    from nakctl.render.plan_text import plan_text

    target = check_target(plot) if plot is not None else None
    ready = prepare(file, wishes)
    told = (ready.plan, ready.program, ready.estimate, ready.findings, ready.instrument)
    now = datetime.now().astimezone()
    if as_json:
        print_json(plan_json(*told, now, ready.simulated))
    else:
        print(plan_text(*told, now, ready.simulated), end="")
    if target is not None:
        from nakctl.render.figure import draw

        draw(ready.plan, ready.program, ready.estimate, ready.instrument, target, ready.simulated)
    return ExitCode.BAD_INPUT if any(f.severity == "error" for f in ready.findings) else ExitCode.DONE
