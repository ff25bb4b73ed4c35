"""systemd of this user, which starts what looks after the runs."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from nakctl.errors import NakctlError
from nakctl.host import systemd_units, tools
from nakctl.host.autostart import Installed, Wanted
from nakctl.host.systemd_units import SERVICE, TIMER
from nakctl.host.tools import Tool

_LINGER = Path("/var/lib/systemd/linger")
# It ends a user's programs with the last session in spite of lingering.
_BROKEN_FROM, _MENDED_IN = (255, 0), (256, 3)


@dataclass(frozen=True, slots=True)
class Systemd:
    """See `autostart.Autostart`. lingering: the folder in which logind keeps whose programs stay."""

    wanted: Wanted
    user: str
    folder: Path
    ask: Tool = tools.ask
    lingering: Path = _LINGER

    def texts(self) -> dict[str, str]:
        """By the path of the file; first for this user, then for the whole system."""
        system = Path("/etc/systemd/system")
        command, variables = self.wanted.command, self.wanted.variables
        return {
            str(self.folder / SERVICE): systemd_units.service(command, variables),
            str(self.folder / TIMER): systemd_units.timer(),
            str(system / SERVICE): systemd_units.service(command, variables, self.user),
            str(system / TIMER): systemd_units.timer(),
        }

    def install(self) -> list[str]:
        self._refuse_absent()
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in (SERVICE, TIMER):
            file = self.folder / name
            file.write_text(self.texts()[str(file)], encoding="utf-8")
        self._do("daemon-reload")
        self._do("enable", TIMER)
        self._do("restart", TIMER)  # one that was there may be of another kind
        if not self._lingers():
            self.ask("loginctl", "--no-ask-password", "enable-linger", self.user)
        return self._remarks()

    def remove(self) -> bool:
        files = [self.folder / name for name in (SERVICE, TIMER)]
        were_there = any(file.exists() for file in files)
        if were_there:
            self.ask("systemctl", "--user", "disable", "--now", TIMER)
        for file in files:
            file.unlink(missing_ok=True)
        if were_there:
            self.ask("systemctl", "--user", "daemon-reload")
        return were_there

    def state(self) -> Installed:
        if not all((self.folder / name).exists() for name in (SERVICE, TIMER)):
            return Installed(False)
        timer, service = self._shown(TIMER), self._shown(SERVICE)
        remarks = self._remarks()
        if timer.get("ActiveState") != "active":
            remarks.insert(0, "its timer does not run: nakctl autostart install")
        told, last = service.get("ExecMainStatus", ""), timer.get("LastTriggerUSec", "")
        last = "" if last == "n/a" else last
        code = int(told) if last and told.isdigit() else None
        return Installed(True, last, code=code, remarks=tuple(remarks))

    def _shown(self, unit: str) -> dict[str, str]:
        said = self.ask(
            "systemctl", "--user", "show", unit, "--property=ActiveState,LastTriggerUSec,ExecMainStatus"
        )
        pairs = (line.partition("=") for line in said.out.splitlines())
        return {name: value for name, _, value in pairs}

    def _remarks(self) -> list[str]:
        if not self._lingers():
            return [
                f"it runs only while {self.user} is logged on, and programs may be ended at the last logout: "
                f"loginctl enable-linger {self.user}"
            ]
        version = version_of(self.ask("systemctl", "--version").out)
        if version is not None and _BROKEN_FROM <= version < _MENDED_IN:
            number = ".".join(map(str, version))
            return [
                f"systemd {number} ends a user's programs at the last logout in spite of linger (mended in "
                "256.3): update it, stay logged on, or install the system's own units (nakctl autostart show)"
            ]
        return []

    def _lingers(self) -> bool:
        return (self.lingering / self.user).exists()

    def _refuse_absent(self) -> None:
        if complaint := self.ask("systemctl", "--user", "show-environment").complaint:
            lines = systemd_units.crontab(self.wanted.command, self.wanted.variables).rstrip()
            raise NakctlError(
                f"there is no systemd for this user here ({complaint}); let cron do it, by these lines in "
                f"`crontab -e`:\n{lines}"
            )

    def _do(self, *words: str) -> None:
        if complaint := self.ask("systemctl", "--user", *words).complaint:
            raise NakctlError(f"systemctl --user {' '.join(words)}: {complaint}")


def of_this_user(wanted: Wanted, user: str) -> Systemd:
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Systemd(wanted, user, Path(home) / "systemd" / "user")


def version_of(said: str) -> tuple[int, int] | None:
    """From `systemd 256 (256.2-1)`: 256.2, as its packages write it. None: it is not said."""
    found = re.match(r"systemd (\d+)(?: \(\1(?:\.(\d+))?)?", said)
    return None if found is None else (int(found[1]), int(found[2] or 0))
