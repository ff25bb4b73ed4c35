"""`nakctl notify test` and `nakctl notify log`."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any

from nakctl.cli.json_output import print_json
from nakctl.errors import ExitCode, InputError, NakctlError
from nakctl.notify import log
from nakctl.notify.errand import Errand
from nakctl.notify.notice import Notice

LOOK_s = 0.05
_NONE = "{file} tells nobody: it has no `notify:`"


def test(rig: Path | None, as_json: bool) -> int:
    """Every way at the same time; each is bounded by itself. 1: one of them did not get through."""
    from nakctl.rig import RIG_FILE, find_rig

    found = find_rig(rig)
    if found.file is None:
        raise InputError(f"there is no {RIG_FILE} here: name one with --rig")
    if not found.ways:
        raise InputError(_NONE.format(file=found.file))
    notice = _test_notice(found.file)
    jobs = [
        {
            "rig": str(found.file.resolve()), "number": way.number, "kind": way.kind, "label": way.label,
            "notice": notice.as_json(), "log": _log(),
        }
        for way in found.ways
    ]  # fmt: skip
    told = [_outcome(errand) for errand in [Errand("send", job=job) for job in jobs]]
    if as_json:
        ways = [{"way": way.label, **each} for way, each in zip(found.ways, told, strict=True)]
        print_json({"file": str(found.file), "ways": ways})
    else:
        for way, each in zip(found.ways, told, strict=True):
            print(f"{way.label}: {_said(each)}")
    return ExitCode.DONE if all(each["sent"] for each in told) else ExitCode.FAILED


def _test_notice(file: Path) -> Notice:
    text = (
        "This is a test: nothing has happened. So it would be told if something happened to a run.\n\n"
        f"Rig:  {file.resolve()}"
    )
    return Notice(event="test", severity=0, title="a test of who is told", text=text, unix_s=time.time())


def _log() -> str:
    """ "" if there is no place for it, which is no reason not to send."""
    try:
        place = log.folder()
        place.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return ""
    return str(log.log_of(place))


def _outcome(errand: Errand) -> dict[str, Any]:
    while (told := errand.answer()) is None:
        time.sleep(LOOK_s)
    return told or {"sent": False, "why": "the process that sends it died, or took too long"}


def _said(told: dict[str, Any]) -> str:
    more = f"; it said:\n{told['detail']}" if told.get("detail") else ""
    if told["sent"]:
        return "sent" + (f", but {told['why']}" if told["why"] else "")
    return f"NOT SENT: {told['why']}{more}"


def log_of_all(last: int, as_json: bool) -> int:
    """What became of the last notices, and who did not hear of the last one."""
    try:
        lines = log.read(log.log_of(log.folder()))[-last:]
    except RuntimeError as error:
        raise NakctlError(f"there is no place where it would be kept: {error}") from None
    if as_json:
        print_json({"sent": lines, "not_told": log.complaints()})
        return ExitCode.DONE
    for line in lines:
        print(_line(line))
    print("\n".join(log.complaints() or ([] if lines else ["nothing was sent yet"])))
    return ExitCode.DONE


def _line(line: dict[str, Any]) -> str:
    at, why = line.get("unix_s"), line.get("why")
    when = datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M") if isinstance(at, int | float) else "-"
    went = ("sent, but " if why else "sent") if line.get("sent") else "NOT SENT: "
    run = str(line.get("run_id") or "-")[:8]
    return f"{when}  {run:<8}  {line.get('event') or '-':<10}  {line.get('way')}: {went}{why or ''}"
