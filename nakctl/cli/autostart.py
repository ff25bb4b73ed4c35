"""`nakctl autostart`: the system looks after the runs, also when nobody is logged on."""

from __future__ import annotations

from dataclasses import asdict

from nakctl.cli.json_output import print_json
from nakctl.errors import ExitCode
from nakctl.host.autostart import of_this_computer


def install(logged_on: bool) -> int:
    remarks = of_this_computer(logged_on=logged_on).install()
    print("installed: runs are looked after when this computer starts, and every five minutes")
    _note(remarks)
    return ExitCode.DONE


def remove() -> int:
    print("removed" if of_this_computer().remove() else "it was not installed")
    return ExitCode.DONE


def status(as_json: bool) -> int:
    found = of_this_computer().state()
    code = ExitCode.DONE if found.is_there else ExitCode.FAILED
    if as_json:
        print_json(asdict(found))
        return code
    if not found.is_there:
        print("not installed: nakctl autostart install")
        return code
    ended = "" if found.code is None else f", ended with code {found.code}"
    print(f"installed; last run: {found.last or 'not yet'}{ended}")
    _note(found.remarks)
    return code


def show(logged_on: bool) -> int:
    for name, text in of_this_computer(logged_on=logged_on).texts().items():
        print(f"# {name}\n{text}")
    return ExitCode.DONE


def _note(remarks: list[str] | tuple[str, ...]) -> None:
    for each in remarks:
        print(f"note: {each}")
