"""How each shell asks for names, and how it wants them told."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from nakctl.cli.completion.sources import Name

HERE = Path(__file__).parent
ASK = "_complete"  # the first word of who asks
_BREAKS = re.compile(r"[=:]")  # where bash parts words, and puts what it is told behind
_PLAIN = re.compile(r"[\w./:=+@%~^,-]+")  # needs no quotes in PowerShell; a comma makes a list there
_QUOTED = re.compile(r"""'([^']*)'?|"((?:\\.|[^"\\])*)"?|\\(.)|([^'"\\]+)|\\$""", re.DOTALL)

LOADING = {
    "bash": "add to ~/.bashrc:\n\n    eval \"$(nakctl completion bash)\"",
    "zsh": "add to ~/.zshrc, behind compinit:\n\n    eval \"$(nakctl completion zsh)\"",
    "fish": "once:\n\n    nakctl completion fish > ~/.config/fish/completions/nakctl.fish",
    "powershell": "add to the file that $PROFILE names:\n\n    nakctl completion powershell | Out-String | "
    "Invoke-Expression",
}  # fmt: skip
POWERSHELL_FIRST = """\
Windows runs no profile before that is allowed once: Set-ExecutionPolicy -Scope CurrentUser RemoteSigned
If there is no such file yet: New-Item -Force $PROFILE
Windows PowerShell 5.1 asks nobody about `-` and `--`: options appear from their first letter on."""


def script(shell: str) -> str:
    """What the shell loads at its start."""
    return (HERE / f"nakctl.{shell}").read_text("utf-8")


def words_of(shell: str, asked: Sequence[str]) -> list[str]:
    """As they are meant, without the sign before each and without quotes. At least one."""
    words = [each[1:] for each in asked] or [""]
    if shell == "bash":
        words = [_unquoted(each) for each in _joined(words)]
    elif shell == "fish":  # all but the last one are unquoted there
        words[-1] = _unquoted(words[-1])
    return words


def _joined(words: Sequence[str]) -> list[str]:
    """`--on`, `=`, `sim` is one word, which bash has taken apart."""
    joined: list[str] = []
    glued = False
    for word in words:
        if (glued or word in ("=", ":")) and joined:
            joined[-1] += word
        else:
            joined.append(word)
        glued = word in ("=", ":")
    return joined


def _unquoted(word: str) -> str:
    """As a shell would take it, also while a quote is still open."""
    return "".join(
        found[1] or re.sub(r'\\([$`"\\])', r"\1", found[2] or "") or found[3] or found[4] or ""
        for found in _QUOTED.finditer(word)
    )


def told(shell: str, found: Sequence[Name], before: str, typed: str) -> str:
    """Lines for the script of that shell."""
    return _TOLD[shell](found, before, typed)


def _for_bash(found: Sequence[Name], before: str, typed: str) -> str:
    """First how they are to be put in; then each, as far as bash takes it for the word."""
    taken = [each.end() for each in _BREAKS.finditer(before + typed)]
    cut = taken[-1] if taken else 0
    how = [
        "filenames" if any(each.is_path or not _PLAIN.fullmatch(each.text) for each in found) else "",
        "nospace" if any(each.more for each in found) else "",
    ]
    return "\n".join([" ".join(filter(None, how)), *((before + each.text)[cut:] for each in found)])


def _for_zsh(found: Sequence[Name], before: str, typed: str) -> str:
    return "\n".join(f"{'+' if each.more else '-'}{before}{each.text}\t{_about(each)}" for each in found)


def _for_fish(found: Sequence[Name], before: str, typed: str) -> str:
    return "\n".join(f"{before}{each.text}\t{_about(each)}" for each in found)


def _for_powershell(found: Sequence[Name], before: str, typed: str) -> str:
    """What is put in, what the list shows, and what is told of it, which may not be empty."""
    return "\n".join(
        f"{before}{_in_quotes(text)}\t{text}\t{_about(each) or text}"
        for each in found
        for text in (each.text.replace("/", os.sep) if each.is_path else each.text,)
    )


def _in_quotes(text: str) -> str:
    is_plain = _PLAIN.fullmatch(text) and "," not in text and not text.startswith(("@", "~"))
    return text if is_plain else "'" + text.replace("'", "''") + "'"


def _about(name: Name) -> str:
    return " ".join(name.about.split())


_TOLD: dict[str, Callable[[Sequence[Name], str, str], str]] = {
    "bash": _for_bash,
    "zsh": _for_zsh,
    "fish": _for_fish,
    "powershell": _for_powershell,
}


def answer(asked: Sequence[str]) -> None:
    """Print what may stand there; nothing if that is not known, whatever the reason: Tab is no complaint."""
    with suppress(Exception):
        from nakctl.cli.app import app
        from nakctl.cli.completion.asked import asked as understood
        from nakctl.cli.completion.names import names

        shell, *words = asked
        place = understood(app, words_of(shell, words))
        found = [each for each in names(place) if "\n" not in each.text and "\t" not in each.text]
        lines = told(shell, found, place.before, place.typed)
        # Names of files as they are on the disk; Windows has them in Unicode, and the script reads UTF-8.
        sys.stdout.buffer.write(os.fsencode(f"{lines}\n") if found else b"")
        sys.stdout.flush()
