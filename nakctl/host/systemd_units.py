"""What systemd is to start, as the text of its units.

KillMode=process is what matters: else systemd would end the runs with what has started them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

NAME = "nakctl-attach"
SERVICE, TIMER = f"{NAME}.service", f"{NAME}.timer"
_ABOUT = "Look after battery runs whose program is gone (nakctl autostart)"


def service(command: Sequence[str], variables: Mapping[str, str], user: str = "") -> str:
    """user: for the system's own folder of units; "": it is one of this user's."""
    environment = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in variables.items())
    return (
        f"[Unit]\nDescription={_ABOUT}\n\n"
        "[Service]\n"
        "Type=oneshot\n"
        f"{f'User={user}' + chr(10) if user else ''}"
        f"ExecStart={' '.join(_quoted(each).replace('$', '$$') for each in command)}\n"
        f"{environment}"
        "# What it starts goes on when it is done.\n"
        "KillMode=process\n"
        "OOMPolicy=continue\n"
    )


def timer() -> str:
    return (
        f"[Unit]\nDescription={_ABOUT}\n\n"
        "[Timer]\n"
        "OnBootSec=30s\n"
        "OnUnitActiveSec=5min\n"
        "AccuracySec=10s\n\n"
        "[Install]\n"
        "WantedBy=timers.target\n"
    )


def crontab(command: Sequence[str], variables: Mapping[str, str]) -> str:
    """The same for cron, where there is no systemd."""
    import shlex

    settings = [f"{name}={value}" for name, value in variables.items()]
    words = shlex.join(["env", *settings, *command] if settings else command).replace("%", "\\%")
    return f"@reboot {words}\n*/5 * * * * {words}\n"


def _quoted(word: str) -> str:
    """As systemd reads it: with C's escapes, and % for names of its own."""
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("\n", "\\n")
    return f'"{word}"' if not word or set(word) & set(" \t'\";\\") else word
