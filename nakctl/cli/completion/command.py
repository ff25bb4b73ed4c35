"""`nakctl completion [SHELL]`"""

from __future__ import annotations

from nakctl.cli.completion.shells import LOADING, POWERSHELL_FIRST, script
from nakctl.errors import ExitCode, InputError
from nakctl.text.meant import did_you_mean


def completion(shell: str | None) -> int:
    """The script of a shell; without one: how each loads it."""
    if shell is None:
        for name, how in LOADING.items():
            print(f"{name}: {how}\n")
        print(POWERSHELL_FIRST)
    elif shell in LOADING:
        print(script(shell), end="")
    else:
        hint = did_you_mean(shell, LOADING) or ";"
        raise InputError(f"{shell} is no shell that is known here{hint} those are: {', '.join(LOADING)}")
    return ExitCode.DONE
