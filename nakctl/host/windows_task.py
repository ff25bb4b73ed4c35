"""Tasks for the Task Scheduler of Windows, as the text that it reads.

As text, because its command line cannot say what matters: by default a task is ended after 72 hours, and when
the computer goes on battery (schtasks has no words for these).
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from xml.sax.saxutils import escape

NORMAL_PRIORITY = 4  # 7 is what a task has else: below normal, also for the disk

_TASK = """<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>{about}</Description>
  </RegistrationInfo>
  <Triggers>{triggers}
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>{user}</UserId>
      <LogonType>{logon}</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>false</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <IdleSettings>
      <StopOnIdleEnd>false</StopOnIdleEnd>
      <RestartOnIdle>false</RestartOnIdle>
    </IdleSettings>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>false</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>{priority}</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{command}</Command>
      <Arguments>{arguments}</Arguments>
      <WorkingDirectory>{folder}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""

_AT_START = """
    <BootTrigger>
      <Enabled>true</Enabled>
    </BootTrigger>"""

# A beginning long ago, and no end: every five minutes from then on.
_EVERY_FIVE_MINUTES = """
    <TimeTrigger>
      <Repetition>
        <Interval>PT5M</Interval>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
      <StartBoundary>2020-01-01T00:00:00</StartBoundary>
      <Enabled>true</Enabled>
    </TimeTrigger>"""


def lasting_xml(command: Sequence[str], user: str, folder: PurePath, *, logged_on: bool) -> str:
    """At every start of the computer, and every five minutes.

    user       as DOMAIN\\name
    logged_on  only while this user is logged on; else always, without a password being kept (S4U)
    """
    return _xml(
        command,
        about="Looks after battery runs whose program is gone: nakctl autostart",
        triggers=_EVERY_FIVE_MINUTES if logged_on else _AT_START + _EVERY_FIVE_MINUTES,
        user=user,
        logon="InteractiveToken" if logged_on else "S4U",
        folder=str(folder),
    )


def errand_xml(command: Sequence[str], user: str, folder: PurePath) -> str:
    """Never by itself: it is run once, by name, as the user who is logged on."""
    return _xml(
        command,
        about="Starts one battery run: nakctl run",
        triggers="",
        user=user,
        logon="InteractiveToken",
        folder=str(folder),
    )


def without_window(command: Sequence[str]) -> list[str]:
    """The same with the Python that has no console, if there is one: the scheduler would show its window."""
    python = Path(command[0])
    other = python.with_name("pythonw.exe")
    return (
        [str(other), *command[1:]] if python.name.lower() == "python.exe" and other.exists() else [*command]
    )


def with_environment(python: str, arguments: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """A command that runs nakctl: a task cannot set variables, and has nowhere to print to."""
    boot = (
        "import os, runpy, sys; "
        "sys.stdin, sys.stdout, sys.stderr = open(os.devnull), open(os.devnull, 'w'), open(os.devnull, 'w'); "
        f"os.environ.update({dict(variables)!a}); "
        "runpy.run_module('nakctl', run_name='__main__', alter_sys=True)"
    )
    return [python, "-P", "-c", boot, *arguments]


def _xml(command: Sequence[str], *, about: str, triggers: str, user: str, logon: str, folder: str) -> str:
    return _TASK.format(
        about=escape(about),
        triggers=triggers,
        user=escape(user),
        logon=logon,
        priority=NORMAL_PRIORITY,
        command=escape(command[0]),
        arguments=escape(subprocess.list2cmdline(command[1:])),
        folder=escape(folder),
    )
