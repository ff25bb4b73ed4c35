"""The Task Scheduler of Windows, which starts what looks after the runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from nakctl.errors import NakctlError
from nakctl.host import task_scheduler, tools, windows_task
from nakctl.host.autostart import ARGUMENTS, Installed, Wanted
from nakctl.host.tools import Tool

WITHOUT_PASSWORD = (
    "it runs without your password: it cannot look after runs whose files are on a network share, or "
    "encrypted by Windows"
)
WHILE_LOGGED_ON = "it runs only while you are logged on: not after a restart, until you are again"


@dataclass(frozen=True, slots=True)
class WindowsAutostart:
    """See `autostart.Autostart`. user: DOMAIN\\name; home: where it starts."""

    wanted: Wanted
    user: str
    home: Path
    logged_on: bool = False
    is_administrator: bool = True
    ask: Tool = tools.ask

    @property
    def name(self) -> str:
        """Of the task: all users share one list."""
        return f"nakctl-attach-{re.sub(r'[^0-9A-Za-z._-]', '_', self.user)}"

    def texts(self) -> dict[str, str]:
        plain = windows_task.without_window(self.wanted.command)
        command = windows_task.with_environment(plain[0], ARGUMENTS, self.wanted.variables)
        return {self.name: windows_task.lasting_xml(command, self.user, self.home, logged_on=self.logged_on)}

    def install(self) -> list[str]:
        try:
            task_scheduler.create(self.name, self.texts()[self.name], self.ask)
        except task_scheduler.Refused as refused:
            if self.logged_on or self.is_administrator:
                raise
            raise NakctlError(
                f"{refused}. To be started with the computer takes an administrator: once, in a terminal "
                "opened by `Run as administrator`. Without one: nakctl autostart install --while-logged-on"
            ) from None
        return [WHILE_LOGGED_ON if self.logged_on else WITHOUT_PASSWORD]

    def remove(self) -> bool:
        if task_scheduler.find(self.name, self.ask) is None:
            return False
        task_scheduler.delete(self.name, self.ask)
        return True

    def state(self) -> Installed:
        task = task_scheduler.find(self.name, self.ask)
        return Installed(False) if task is None else Installed(True, task.last, task.code)


def of_this_user(wanted: Wanted, *, logged_on: bool) -> WindowsAutostart:
    return WindowsAutostart(
        wanted, task_scheduler.user(), Path.home(), logged_on, task_scheduler.is_administrator()
    )
